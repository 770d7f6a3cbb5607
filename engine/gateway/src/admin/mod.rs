//! Health and metrics over HTTP, read-only, on loopback, on a thread of its own.
//!
//! * `/livez` 200 when every shard turns: each is asked for a turn and given a second.
//! * `/readyz` 200 while the gateway accepts sessions, 503 from the moment a drain begins.
//! * `/startupz` 200 once the gateway listens.
//! * `/metrics` the counters, in the OpenMetrics text format.
//! * `/` a page for people, `/manual/CLQ-...` what its events mean.
//! * `/config.json` the configuration in effect, with where each value comes from.
//! * `/sessions.json` the sessions that come first in an order, see [`Listing`]; `sort`, `limit` and conditions in the
//!   query.
//! * `/status.json` a [`StatusReport`], `/events.json` its events.
//!
//! On loopback it answers 421 to who asks for a name of a domain ([`host`]).

mod clients;
mod host;
mod metrics;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use tokio::sync::oneshot;

use crate::control::listing::{self, Listing};
use crate::control::protocol::{Code, Refused};
use crate::control::{Control, ControlSocket, Limits};
use crate::sight::{self, Listed, StatusReport, events, page};
use crate::vitals::Vitals;

/// How long a shard may take for the turn it is asked for.
const TURN_PATIENCE: Duration = Duration::from_secs(1);
/// How long the page waits for its sessions.
const PAGE_PATIENCE: Duration = Duration::from_millis(500);
/// How often it is looked whether it has turned.
const TURN_POLL: Duration = Duration::from_millis(2);

/// The HTTP server and the control socket of one gateway.
#[derive(Debug)]
pub(crate) struct AdminServer {
    address: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl AdminServer {
    /// Starts the thread of the control socket, and of HTTP where that has an address; returns when it listens.
    pub(crate) fn start(
        address: Option<SocketAddr>,
        control: Option<ControlSocket>,
        vitals: Arc<Vitals>,
    ) -> io::Result<AdminServer> {
        let listener = address.map(bind).transpose()?;
        let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let both = async {
                let http = async {
                    let Some(listener) = listener else { return std::future::pending().await };
                    if let Err(error) = serve(listener, Arc::clone(&vitals)).await {
                        tracing::error!(event_id = "CLQ-G04", %error, "admin HTTP failed");
                    }
                };
                let control = async {
                    let Some(socket) = control else { return std::future::pending().await };
                    let control = Control::new(Arc::clone(&vitals), Limits::default());
                    if let Err(error) = control.serve(socket).await {
                        tracing::error!(event_id = "CLQ-A04", %error, "the control socket failed");
                    }
                };
                tokio::join!(http, control, sample(&vitals));
            };
            runtime.block_on(async {
                tokio::select! {
                    () = both => {}
                    _ = stopped => {}
                }
            });
            // A look-up of a caller's groups may hang in the user database of a network that is gone.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("clq-admin".to_owned()).spawn(run)?;
        Ok(AdminServer { address, stop, thread })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Ends the server; requests in progress are dropped.
    pub(crate) fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(listener: TcpListener, vitals: Arc<Vitals>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let on_loopback = listener.local_addr()?.ip().is_loopback();
    let router = Router::new()
        .route("/", get(page))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/startupz", get(async || "ok\n"))
        .route("/metrics", get(metrics))
        .route("/manual/{id}", get(manual))
        .route("/status.json", get(status))
        .route("/sessions.json", get(sessions))
        .route("/config.json", get(configuration))
        .route("/events.json", get(async || json(&events::last())))
        .with_state(Arc::clone(&vitals));
    let router = if on_loopback { router.layer(middleware::from_fn(host::guard)) } else { router };
    // Dropped at the end: a graceful one would wait for idle keep-alive connections, and nothing here is worth that.
    axum::serve(clients::Clients::new(listener), router).await
}

/// Takes a sample a second, for ever.
async fn sample(vitals: &Vitals) {
    loop {
        vitals.sight().tick(vitals);
        tokio::time::sleep(vitals.sight().until_due(vitals)).await;
    }
}

async fn page(State(vitals): State<Arc<Vitals>>) -> Response {
    // A shard that does not turn is the very thing that somebody may look for here: the page does not wait for it.
    let listed = tokio::time::timeout(PAGE_PATIENCE, listing::list(&vitals, &Listing::default())).await;
    let listed = listed.ok().and_then(Result::ok);
    html(page::page(&StatusReport::of(&vitals), listed.as_ref()))
}

async fn sessions(State(vitals): State<Arc<Vitals>>, RawQuery(query): RawQuery) -> Response {
    let listed: Result<Listed, Refused> = match Listing::parse(query.as_deref().unwrap_or_default()) {
        Ok(listing) => listing::list(&vitals, &listing).await,
        Err(refused) => Err(refused),
    };
    match listed {
        Ok(listed) => json(&listed),
        Err(Refused { code: Code::BadRequest, text, .. }) => {
            (StatusCode::BAD_REQUEST, text + "\n").into_response()
        }
        Err(Refused { text, .. }) => (StatusCode::SERVICE_UNAVAILABLE, text + "\n").into_response(),
    }
}

fn html(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, page::POLICY.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, text).into_response()
}

async fn manual(Path(id): Path<String>) -> Response {
    match crate::manual::page(&id) {
        Some(text) => html(page::manual_page(&id, text)),
        None => (StatusCode::NOT_FOUND, "no such page\n").into_response(),
    }
}

async fn configuration(State(vitals): State<Arc<Vitals>>) -> Response {
    match vitals.reloads.with_running(|running| running.map(sight::config::json_of)) {
        Some(configuration) => json(&configuration),
        None => (StatusCode::NOT_FOUND, "the gateway was not started from a file\n").into_response(),
    }
}

async fn status(State(vitals): State<Arc<Vitals>>) -> Response {
    json(&StatusReport::of(&vitals))
}

fn json(value: &impl serde::Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, text + "\n").into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn livez(State(vitals): State<Arc<Vitals>>) -> impl IntoResponse {
    let pings = vitals.ping();
    let begun = tokio::time::Instant::now();
    loop {
        let silent = vitals.silent(&pings);
        if silent.is_empty() {
            return (StatusCode::OK, "ok\n".to_owned());
        }
        if begun.elapsed() > TURN_PATIENCE {
            return (StatusCode::SERVICE_UNAVAILABLE, format!("shards that do not turn: {silent:?}\n"));
        }
        tokio::time::sleep(TURN_POLL).await;
    }
}

async fn readyz(State(vitals): State<Arc<Vitals>>) -> impl IntoResponse {
    if vitals.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

async fn metrics(State(vitals): State<Arc<Vitals>>) -> impl IntoResponse {
    match metrics::encode(&vitals) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

//! A running gateway: its shards, each on a thread of its own, its log and its admin HTTP.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Waker;
use std::thread::JoinHandle;
use std::time::Duration;

use colloquy_shard::report::{self, Reporter, Reports};
use colloquy_shard::thread::{ShardThread, ThreadOptions, spawn};
use colloquy_shard::{HandshakePool, pin};
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::driver::select::{Backend, ProbeError};
#[cfg(target_os = "linux")]
use colloquy_transport::driver::uring::{UringConfig, UringDriver};

use serde_json::{Value, json};

use crate::admin::AdminServer;
use crate::app::{AppCounters, GatewayCommand, RecordSink};
use crate::audit::{Audit, OpenError};
use crate::backend;
use crate::config::{Config, Loaded};
use crate::control::ControlSocket;
use crate::descriptors;
use crate::drain::DrainOrder;
use crate::listening::{PassedSocket, Sockets};
use crate::log::{RecordLog, takes_accounts};
use crate::plan::Plan;
use crate::record::Record;
use crate::reload::Reloads;
use crate::settings::assemble_some;
use crate::vitals::{Going, ShardVitals, Vitals};

/// Records of one shard that may wait for the log; more are dropped and counted.
const RECORDS_MAX: usize = 4096;

/// Why a gateway did not start. Nothing of it runs then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The backend that the configuration asks for does not work here.
    #[error("{error}; {advice}")]
    Backend {
        /// What does not work.
        error: ProbeError,
        /// What to change.
        advice: String,
    },
    /// Certificates, keys or revocation lists cannot be used.
    #[error("{}", crate::tls::join(.0))]
    Tls(Vec<crate::tls::TlsFileFault>),
    /// A listener could not be had.
    #[error("listener {name}: cannot listen on {address}: {error}")]
    Listen {
        /// Its name.
        name: String,
        /// Its address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// A socket was passed that no listener wants.
    #[error(
        "the socket {name:?} at {address} that was passed to this process belongs to no listener: its name or its \
         address must be that of one of {listeners}"
    )]
    Passed {
        /// Its name, as who passed it says.
        name: String,
        /// Where it listens.
        address: String,
        /// Those of the configuration.
        listeners: String,
    },
    /// A shard could not be started.
    #[error("shard {shard}: {error}")]
    Shard {
        /// Its number.
        shard: usize,
        /// What the system says.
        error: io::Error,
    },
    /// The admin HTTP server could not be started.
    #[error("admin: {0}")]
    Admin(io::Error),
    /// The control socket could not be had.
    #[error("control socket {path}: {error}")]
    Control {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The audit file could not be had.
    #[error(transparent)]
    Audit(#[from] OpenError),
}

/// What the configuration file does not say.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// Cores to pin the shards to, in order; overrides `engine.pin_cores`. `None`: as configured.
    pub cores: Option<Vec<usize>>,
    /// Name in logs and thread names, where a process runs several; at most 6 octets are used.
    pub name: Option<String>,
    /// The configuration as it was read from its files, which a reload reads again. `None`: there is no reload.
    pub source: Option<Loaded>,
    /// Listening sockets that were passed to this process: they take the place of binding.
    pub sockets: Vec<PassedSocket>,
}

/// A listener that is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundListener {
    /// Its name in the configuration.
    pub name: String,
    /// Where it listens, with the port that the system chose for port 0.
    pub address: SocketAddr,
}

/// A running gateway. Dropping it aborts what is left and waits.
#[derive(Debug)]
pub struct Gateway {
    vitals: Arc<Vitals>,
    listeners: Vec<BoundListener>,
    shards: Vec<ShardThread<GatewayCommand, ()>>,
    log: Option<JoinHandle<()>>,
    admin: Option<AdminServer>,
}

impl Gateway {
    /// Starts a gateway. Returns when it listens.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(config: Config) -> Result<Gateway, StartError> {
        Self::start_with(config, &StartOptions::default())
    }

    /// Starts a gateway with options that the file does not have.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_with(config: Config, options: &StartOptions) -> Result<Gateway, StartError> {
        let (backend, reason) = backend::choose(&config.engine)?;
        let cores = pin::cores();
        let shard_count = config.engine.shard_count(cores.len());
        let sockets = Sockets::open(&config, shard_count, &options.sockets)?;
        let control = control_socket(&config)?;
        let audit = config.admin.audit_file.as_deref().map(Audit::open).transpose()?.unwrap_or_default();
        let tls = crate::tls::TlsMaterial::load_all(&config).map_err(StartError::Tls)?;
        let plan = Arc::new(Plan::new(Arc::new(config)).with_tls(tls));
        let config = Arc::clone(&plan.config);
        let pool = Arc::new(HandshakePool::idle());
        crate::tls::run_handshakes(&pool, &config).map_err(|error| StartError::Shard { shard: 0, error })?;
        let mut starting = Starting {
            pool: Arc::clone(&pool),
            plan: Arc::clone(&plan),
            backend,
            shard_count,
            name: options.name.clone().unwrap_or_else(|| "clq".to_owned()),
            cores: options.cores.clone().unwrap_or(if config.engine.pin_cores { cores } else { Vec::new() }),
            shards: Vec::new(),
            vitals: Vec::new(),
            reports: Vec::new(),
        };
        let (log, waker) = RecordLog::start();
        for (shard, sockets) in sockets.of_shards.into_iter().enumerate() {
            let started = match backend {
                Backend::Mio => starting.shard(shard, sockets, &waker, mio_driver),
                #[cfg(target_os = "linux")]
                Backend::IoUring => starting.shard(shard, sockets, &waker, uring_driver),
                #[cfg(not(target_os = "linux"))]
                Backend::IoUring => Err(io::Error::from(io::ErrorKind::Unsupported)),
            };
            if let Err(error) = started {
                starting.undo();
                drop(log);
                return Err(StartError::Shard { shard, error });
            }
        }
        let mut vitals = Vitals::new(plan, starting.vitals, backend, reason);
        vitals.going = Going::new(sockets.own, sockets.passed);
        vitals.reloads = Reloads::new(options.source.clone());
        vitals.audit = audit;
        vitals.handshakes = Arc::downgrade(&pool);
        let vitals = Arc::new(vitals);
        vitals.sight().set_addresses(sockets.bound.iter().map(|listener| listener.address).collect());
        let log = log.run(starting.reports, Arc::clone(&vitals));
        let mut gateway = Gateway {
            vitals,
            listeners: sockets.bound,
            shards: starting.shards,
            log: Some(log),
            admin: None,
        };
        if config.admin.address.is_some() || control.is_some() {
            let server = AdminServer::start(config.admin.address, control, Arc::clone(&gateway.vitals))
                .map_err(StartError::Admin)?;
            gateway.admin = Some(server);
        }
        gateway.announce();
        gateway.audit_start(options);
        Ok(gateway)
    }

    /// The listeners, in the order of the configuration.
    pub fn addresses(&self) -> &[BoundListener] {
        &self.listeners
    }

    /// Where the admin HTTP server listens.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(AdminServer::address)
    }

    /// Backend, counters, health: may be kept and read after the gateway is gone.
    pub fn vitals(&self) -> &Arc<Vitals> {
        &self.vitals
    }

    /// Stops accepting, ends sessions as `[drain]` says, aborts what is left after the deadline. Returns at once;
    /// [`Gateway::join`] waits.
    ///
    /// A second call moves the deadline. An aborted peer has its listener's or target's TIM to
    /// disconnect, so the last connection may outlast the deadline by that.
    pub fn drain(&self, deadline: Duration) {
        self.vitals.drain(deadline);
    }

    /// True when every shard has ended.
    pub fn is_finished(&self) -> bool {
        self.shards.iter().all(ShardThread::is_finished)
    }

    /// Waits until every shard has ended, which follows a [`Gateway::drain`], then for the log.
    ///
    /// # Errors
    /// What made a shard's driver unusable.
    ///
    /// # Panics
    /// When a shard has panicked, with its panic.
    pub fn join(mut self) -> io::Result<()> {
        self.wind_up()
    }

    fn wind_up(&mut self) -> io::Result<()> {
        let ended: Vec<io::Result<()>> = self.shards.drain(..).map(ShardThread::join).collect();
        if let Some(admin) = self.admin.take() {
            admin.stop();
        }
        if let Some(log) = self.log.take() {
            // The log thread ends when the shards' ends of its rings are gone; it has nothing to fail with.
            let _ = log.join();
        }
        let outcome = if ended.iter().all(Result::is_ok) { "done" } else { "failed" };
        self.vitals.audit.note(Value::Null, "stop", json!({}), outcome);
        ended.into_iter().collect()
    }

    fn audit_start(&self, options: &StartOptions) {
        let source = options.source.iter().flat_map(|loaded| &loaded.files);
        let files: Vec<Value> = source
            .map(|file| json!({ "path": file.path.display().to_string(), "sha256": file.sha256 }))
            .collect();
        let arguments = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "backend": self.vitals.backend().to_string(),
            "files": files,
        });
        self.vitals.audit.note(Value::Null, "start", arguments, "done");
    }

    fn announce(&self) {
        let backend = self.vitals.backend().to_string();
        let reason = self.vitals.backend_reason();
        let shards = self.shards.len();
        tracing::info!(event_id = "CLQ-G01", backend, reason, shards, "gateway started");
        backend::tell_fallback(&self.vitals);
        let (shard, wanted) =
            (self.vitals.plan().config.shard(), self.vitals.plan().config.engine.sessions_max);
        let sessions_max = descriptors::within(shard, self.vitals.backend(), shards).sessions_max;
        if sessions_max < wanted {
            tracing::info!(
                event_id = "CLQ-C11",
                sessions_max,
                wanted,
                "sessions of a shard, by the open files allowed"
            );
        }
        for listener in &self.listeners {
            let (name, address) = (&listener.name, listener.address);
            tracing::info!(event_id = "CLQ-G02", listener = name, %address, "listening");
        }
        if let Some(address) = self.admin_address() {
            tracing::info!(event_id = "CLQ-G03", %address, "admin HTTP listening");
        }
        if let Some(path) = &self.vitals.plan().config.admin.control_socket {
            tracing::info!(event_id = "CLQ-A01", path = %path.display(), "control socket listening");
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if !self.shards.is_empty() && !std::thread::panicking() {
            self.drain(Duration::ZERO);
            if let Err(error) = self.wind_up() {
                tracing::error!(event_id = "CLQ-G05", %error, "a shard failed");
            }
        }
    }
}

/// A gateway whose shards are being started.
struct Starting {
    /// Where TLS handshakes run.
    pool: Arc<HandshakePool>,
    plan: Arc<Plan>,
    backend: Backend,
    shard_count: usize,
    name: String,
    cores: Vec<usize>,
    shards: Vec<ShardThread<GatewayCommand, ()>>,
    vitals: Vec<ShardVitals>,
    reports: Vec<Reports<Record>>,
}

impl Starting {
    fn shard<D>(
        &mut self,
        shard: usize,
        sockets: Vec<(usize, TcpListener)>,
        waker: &Waker,
        driver: fn(&Config) -> io::Result<D>,
    ) -> io::Result<()>
    where
        D: Driver<Listener = TcpListener> + 'static,
    {
        let name: String = self.name.chars().take(6).collect();
        let options = ThreadOptions {
            name: format!("{name}-shard-{shard}"),
            core: self.cores.get(shard % self.cores.len().max(1)).copied(),
        };
        let (reporter, reports) = report::channel(RECORDS_MAX, waker.clone());
        let app_counters = Arc::new(AppCounters::default());
        let (plan, counters) = (Arc::clone(&self.plan), Arc::clone(&app_counters));
        let number = u16::try_from(shard).expect("the configuration has at most 256 shards");
        let pool = Arc::clone(&self.pool);
        let limits = descriptors::within(self.plan.config.shard(), self.backend, self.shard_count);
        let build = move || {
            let driver = driver(&plan.config)?;
            let time_ahead = plan.origin.elapsed().saturating_sub(driver.now());
            let of_app = (counters, record_sink(reporter));
            let mut shard = assemble_some(driver, &plan, limits, number, of_app, sockets)?;
            shard.app_mut().set_origin(time_ahead, RandomState::new().hash_one(number));
            shard.use_handshake_pool(pool);
            Ok(shard)
        };
        let thread = spawn(options, build, drop)?;
        self.vitals.push(ShardVitals {
            commander: thread.commander.clone(),
            counters: Arc::clone(&thread.counters),
            app: app_counters,
            pinned: thread.pinned,
        });
        self.reports.push(reports);
        self.shards.push(thread);
        Ok(())
    }

    /// Ends the shards that run, because another could not be started.
    fn undo(self) {
        tracing::debug!(backend = %self.backend, "stopping the shards that were started");
        for shard in self.shards {
            let _ = shard.commander.send(GatewayCommand::Drain(DrainOrder::wait(Duration::ZERO)));
            let _ = shard.join();
        }
    }
}

/// Accounts of sessions are kept when the log does not keep up; what repeats is dropped then and counted.
fn record_sink(mut reporter: Reporter<Record>) -> RecordSink {
    Box::new(move |record| match record.event.is_account() {
        true if takes_accounts() => reporter.report_surely(record),
        true => {}
        false => reporter.report(record),
    })
}

fn mio_driver(config: &Config) -> io::Result<MioDriver> {
    let engine = &config.engine;
    MioDriver::new(MioConfig {
        pool: engine.pool(),
        connections_max: engine.connections_max(),
        busy_poll: engine.busy_poll,
    })
}

#[cfg(target_os = "linux")]
fn uring_driver(config: &Config) -> io::Result<UringDriver> {
    let engine = &config.engine;
    UringDriver::new(UringConfig {
        pool: engine.pool(),
        files_max: engine.connections_max(),
        submission_entries: engine.submission_entries,
        completion_entries: engine.completion_entries,
        receive_octets_max: engine.receive_octets_max,
        options: engine.driver_options(),
        ..UringConfig::default()
    })
}

fn control_socket(config: &Config) -> Result<Option<ControlSocket>, StartError> {
    let Some(path) = &config.admin.control_socket else { return Ok(None) };
    let bound = ControlSocket::bind(path);
    bound.map(Some).map_err(|error| StartError::Control { path: path.clone(), error })
}

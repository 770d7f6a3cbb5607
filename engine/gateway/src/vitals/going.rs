//! Going away: what the control thread knows of a drain.

use std::net::TcpListener;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use colloquy_transport::net::admit_no_more;
use serde_json::{Value, json};

use super::Vitals;
use crate::app::GatewayCommand;
use crate::config::DrainConfig;
use crate::drain::{DrainOrder, DrainStatus};

/// What the control thread keeps for a drain and of it.
#[derive(Debug, Default)]
pub(crate) struct Going(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Second descriptors of listening sockets, until a drain begins.
    doors: Vec<TcpListener>,
    /// Listeners that have sockets which are not this gateway's alone.
    passed: Arc<[u32]>,
    drain: Option<Drain>,
}

#[derive(Debug)]
struct Drain {
    order: DrainOrder,
    began: Instant,
    deadline: Instant,
}

impl Going {
    pub(crate) fn new(doors: Vec<TcpListener>, passed: Vec<u32>) -> Going {
        Going(Mutex::new(State { doors, passed: passed.into(), drain: None }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vitals {
    /// Stops accepting and ends sessions as `[drain]` says, but with this deadline; see [`crate::Gateway::drain`].
    pub fn drain(&self, deadline: Duration) {
        self.drain_with(DrainConfig { deadline, ..self.plan().config.drain.clone() });
    }

    /// Drains like this. Of a drain that is under way only the deadline changes.
    pub fn drain_with(&self, config: DrainConfig) {
        let mut state = self.going.state();
        // Not ready first: who asks before it sends somebody here is told before anybody is turned away.
        self.set_draining();
        for door in std::mem::take(&mut state.doors) {
            if let Err(error) = admit_no_more(&door) {
                tracing::debug!(%error, "connections that come while listeners close may be reset");
            }
        }
        let now = Instant::now();
        let deadline = now + config.deadline;
        let order = match &mut state.drain {
            Some(drain) => {
                drain.order = drain.order.with_deadline(config.deadline);
                drain.deadline = deadline;
                let deadline_ms = config.deadline.as_millis() as u64;
                tracing::info!(event_id = "CLQ-G10", deadline_ms, "the deadline of the drain was moved");
                self.audit.note(Value::Null, "drain.deadline", json!({ "deadline_ms": deadline_ms }), "done");
                drain.order.clone()
            }
            None => {
                announce(&config);
                let arguments = json!({ "action": config.action.name(), "deadline_ms": config.deadline.as_millis() as u64 });
                self.audit.note(Value::Null, "drain.begin", arguments, "done");
                let order = DrainOrder::new(config).leaving(Arc::clone(&state.passed));
                state.drain = Some(Drain { order: order.clone(), began: now, deadline });
                order
            }
        };
        self.command_all(|| GatewayCommand::Drain(order.clone()));
    }

    /// How the drain stands; `None` where there is none.
    pub fn drain_status(&self) -> Option<DrainStatus> {
        let state = self.going.state();
        let drain = state.drain.as_ref()?;
        let shared = &drain.order.shared;
        Some(DrainStatus {
            action: drain.order.config.action,
            sessions_per_second: drain.order.config.sessions_per_second,
            since: drain.began.elapsed(),
            deadline_in: drain.deadline.saturating_duration_since(Instant::now()),
            began_with: shared.began_with.load(Relaxed),
            remaining: self.total().sessions_open_responder,
            released: shared.released.load(Relaxed),
            aborted: shared.aborted.load(Relaxed),
            at_deadline: shared.at_deadline.load(Relaxed),
            by_themselves: shared.by_themselves.load(Relaxed),
        })
    }
}

fn announce(config: &DrainConfig) {
    tracing::info!(
        event_id = "CLQ-G09",
        action = config.action.name(),
        sessions_per_second = config.sessions_per_second,
        deadline_ms = config.deadline.as_millis() as u64,
        "draining"
    );
}

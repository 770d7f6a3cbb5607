//! What the service manager is told (`NOTIFY_SOCKET`), where there is one: all of it does nothing without.

use std::time::{Duration, Instant};

use colloquy_gateway::Vitals;
use sd_notify::NotifyState;

/// The service manager.
#[derive(Debug)]
pub(super) struct Manager {
    /// Half of the time after which it takes a silent service for hung; none: it does not watch.
    watchdog_interval: Option<Duration>,
    alive_at: Instant,
    status: String,
}

impl Manager {
    /// As the environment says.
    pub(super) fn of_environment() -> Manager {
        let mut micros = 0;
        let watched = sd_notify::watchdog_enabled(false, &mut micros);
        Manager {
            watchdog_interval: watched.then(|| Duration::from_micros(micros) / 2),
            alive_at: Instant::now(),
            status: String::new(),
        }
    }

    /// How long may pass until the next [`Manager::look`].
    pub(super) fn look_interval(&self, longest: Duration) -> Duration {
        self.watchdog_interval
            .map_or(longest, |interval| longest.min(interval.saturating_sub(self.alive_at.elapsed())))
    }

    /// The gateway listens.
    pub(super) fn ready(&mut self, vitals: &Vitals) {
        tell(&[NotifyState::Ready]);
        self.alive(vitals);
        self.tell_status(vitals);
    }

    /// A reload begins; [`Manager::ready`] says that it is over.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(_) => tell(&[NotifyState::Reloading]),
        }
    }

    /// A drain begins.
    pub(super) fn stopping(&mut self, vitals: &Vitals) {
        tell(&[NotifyState::Stopping]);
        self.tell_status(vitals);
    }

    /// Says what is new and, when that is due, that the gateway lives: only while every shard turns.
    pub(super) fn look(&mut self, vitals: &Vitals) {
        if self.watchdog_interval.is_some_and(|interval| self.alive_at.elapsed() >= interval) {
            self.alive(vitals);
        }
        self.tell_status(vitals);
    }

    fn alive(&mut self, vitals: &Vitals) {
        let Some(interval) = self.watchdog_interval else { return };
        let silent = vitals.silent_shards(interval / 2);
        if silent.is_empty() {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(
                event_id = "CLQ-G11",
                ?silent,
                "shards do not turn, the watchdog is not told to wait"
            );
        }
        self.alive_at = Instant::now();
    }

    fn tell_status(&mut self, vitals: &Vitals) {
        let status = status(vitals);
        if status != self.status {
            tell(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }
}

/// One line for `systemctl status`.
fn status(vitals: &Vitals) -> String {
    if let Some(drain) = vitals.drain_status() {
        return format!(
            "draining ({}): {} sessions left, {} s until the deadline",
            drain.action.name(),
            drain.remaining,
            drain.deadline_in.as_secs()
        );
    }
    let total = vitals.total();
    format!(
        "{}, {} shards, {} sessions, configuration {}",
        vitals.backend(),
        vitals.shards().len(),
        total.sessions_established,
        vitals.plan().generation
    )
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

//! What the shards share about a target: what the operator wants of it, how it does, and what it was used for.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::{DurationTally, SharedDurations};
use crate::config::{TargetConfig, TargetState};

/// An ejection lasts at most this many times `eject_time`.
pub const EJECTION_FACTOR_MAX: u32 = 10;

/// What the shards share about a target.
///
/// Times are since [`crate::plan::Plan::origin`].
#[derive(Debug)]
pub struct TargetStatus {
    state: AtomicU8,
    sessions: AtomicU32,
    connects: [AtomicU64; ConnectOutcome::ALL.len()],
    retries: AtomicU64,
    /// Connects in a row that failed; an accepted one begins anew.
    connect_failures: AtomicU32,
    /// Established sessions in a row that its provider aborted; one that ended otherwise begins anew.
    aborts: AtomicU32,
    /// Ejections without a success in between.
    ejections_in_row: AtomicU32,
    ejections: AtomicU64,
    /// Milliseconds; 0: not ejected.
    ejected_until: AtomicU64,
    health: AtomicU8,
    /// Checks in a row that say otherwise than `health`.
    health_run: AtomicU32,
    checks_passed: AtomicU64,
    checks_failed: AtomicU64,
    warm: AtomicU32,
    warm_failures: AtomicU64,
    /// Why the last connection that came to nothing did; forgotten when one succeeds.
    last_failure: Mutex<Option<&'static str>>,
    accept_times: SharedDurations,
}

/// How an attempt to open a session to a target ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectOutcome {
    /// AC.
    Accepted,
    /// RF that is an answer: of the user, or because the selector, the version or the proposal does not fit.
    Refused,
    /// RF for want of a user or of room, or without a reason.
    Unavailable,
    /// DR.
    TransportRefused,
    /// No network connection, or no TLS on it.
    Unreachable,
    /// The network connection closed before the answer.
    Lost,
    /// No answer in time.
    Timeout,
    /// The provider aborted.
    ProviderAborted,
    /// The user aborted.
    UserAborted,
    /// The downstream left, or the gateway gave up.
    Abandoned,
}

impl ConnectOutcome {
    /// Every outcome.
    pub const ALL: [ConnectOutcome; 10] = [
        ConnectOutcome::Accepted,
        ConnectOutcome::Refused,
        ConnectOutcome::Unavailable,
        ConnectOutcome::TransportRefused,
        ConnectOutcome::Unreachable,
        ConnectOutcome::Lost,
        ConnectOutcome::Timeout,
        ConnectOutcome::ProviderAborted,
        ConnectOutcome::UserAborted,
        ConnectOutcome::Abandoned,
    ];

    /// The label's value.
    pub fn name(self) -> &'static str {
        match self {
            ConnectOutcome::Accepted => "accepted",
            ConnectOutcome::Refused => "refused",
            ConnectOutcome::Unavailable => "unavailable",
            ConnectOutcome::TransportRefused => "transport_refused",
            ConnectOutcome::Unreachable => "unreachable",
            ConnectOutcome::Lost => "lost",
            ConnectOutcome::Timeout => "timeout",
            ConnectOutcome::ProviderAborted => "provider_aborted",
            ConnectOutcome::UserAborted => "user_aborted",
            ConnectOutcome::Abandoned => "abandoned",
        }
    }

    /// True where another target may do better: this one is not there, or not now.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            ConnectOutcome::Unavailable
                | ConnectOutcome::TransportRefused
                | ConnectOutcome::Unreachable
                | ConnectOutcome::Lost
                | ConnectOutcome::Timeout
                | ConnectOutcome::ProviderAborted
        )
    }
}

/// What health checks have found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Health {
    /// Nothing yet; sessions go to it.
    Unknown = 0,
    /// It answers.
    Up = 1,
    /// It does not answer, and is passed over.
    Down = 2,
}

impl Health {
    /// The word of metrics and status.
    pub fn name(self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Up => "up",
            Health::Down => "down",
        }
    }
}

impl TargetStatus {
    pub(crate) fn new(state: TargetState) -> Self {
        TargetStatus {
            state: AtomicU8::new(state as u8),
            sessions: AtomicU32::new(0),
            connects: std::array::from_fn(|_| AtomicU64::new(0)),
            retries: AtomicU64::new(0),
            connect_failures: AtomicU32::new(0),
            aborts: AtomicU32::new(0),
            ejections_in_row: AtomicU32::new(0),
            ejections: AtomicU64::new(0),
            ejected_until: AtomicU64::new(0),
            health: AtomicU8::new(Health::Unknown as u8),
            health_run: AtomicU32::new(0),
            checks_passed: AtomicU64::new(0),
            checks_failed: AtomicU64::new(0),
            warm: AtomicU32::new(0),
            warm_failures: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            accept_times: SharedDurations::default(),
        }
    }

    /// What the operator wants of it.
    pub fn state(&self) -> TargetState {
        match self.state.load(Relaxed) {
            0 => TargetState::Ready,
            1 => TargetState::Drain,
            _ => TargetState::Maint,
        }
    }

    /// Sets what the operator wants of it.
    pub fn set_state(&self, state: TargetState) {
        self.state.store(state as u8, Relaxed);
    }

    /// Sessions of users to it, those that wait for its answer among them.
    pub fn sessions(&self) -> u32 {
        self.sessions.load(Relaxed)
    }

    /// Times that it was chosen, and how that ended; the outcomes that are still open are in neither.
    pub fn connects(&self, outcome: ConnectOutcome) -> u64 {
        self.connects[outcome as usize].load(Relaxed)
    }

    /// Times that a session went on to another target, or tried again, because this one failed.
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Times that it was ejected.
    pub fn ejections(&self) -> u64 {
        self.ejections.load(Relaxed)
    }

    /// Until when it is passed over because sessions have failed; `None`: it is not.
    pub fn ejected_until(&self, now: Duration) -> Option<Duration> {
        let until = Duration::from_millis(self.ejected_until.load(Relaxed));
        (until > now).then_some(until)
    }

    /// What health checks have found.
    pub fn health(&self) -> Health {
        match self.health.load(Relaxed) {
            0 => Health::Unknown,
            1 => Health::Up,
            _ => Health::Down,
        }
    }

    /// Health checks that passed and that failed.
    pub fn checks(&self) -> (u64, u64) {
        (self.checks_passed.load(Relaxed), self.checks_failed.load(Relaxed))
    }

    /// Transport connections that are open beforehand, on all shards together.
    pub fn warm_connections(&self) -> u32 {
        self.warm.load(Relaxed)
    }

    /// Counts a session, unless there are `sessions_max` already.
    pub(crate) fn take_session(&self, sessions_max: usize) -> bool {
        let below = |sessions: u32| ((sessions as usize) < sessions_max).then(|| sessions + 1);
        self.sessions.fetch_update(Relaxed, Relaxed, below).is_ok()
    }

    pub(crate) fn session_ended(&self) {
        self.sessions.fetch_sub(1, Relaxed);
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// Notes how a connect ended; true when that makes `eject_failures` in a row.
    pub(crate) fn connect_ended(&self, outcome: ConnectOutcome, config: &TargetConfig) -> bool {
        self.connects[outcome as usize].fetch_add(1, Relaxed);
        if outcome == ConnectOutcome::Accepted || outcome == ConnectOutcome::Refused {
            self.connect_failures.store(0, Relaxed);
            self.forget_failure();
            if self.aborts.load(Relaxed) == 0 {
                self.ejections_in_row.store(0, Relaxed);
            }
        }
        if outcome.is_failure() {
            self.note_failure(outcome.name());
        }
        outcome.is_failure() && reaches(&self.connect_failures, config.eject_failures)
    }

    /// Notes how an established session ended; true when that makes `eject_failures` in a row.
    pub(crate) fn established_ended(&self, provider_aborted: bool, config: &TargetConfig) -> bool {
        if !provider_aborted {
            self.aborts.store(0, Relaxed);
        }
        provider_aborted && reaches(&self.aborts, config.eject_failures)
    }

    /// Passes it over for a time, longer with each time in a row. Gives until when; `None`: it is ejected already.
    pub(crate) fn eject(&self, now: Duration, eject_time: Duration) -> Option<Duration> {
        let before = self.ejected_until.load(Relaxed);
        if Duration::from_millis(before) > now {
            return None;
        }
        let times = self.ejections_in_row.load(Relaxed).saturating_add(1).min(EJECTION_FACTOR_MAX);
        let until = now + eject_time * times;
        let millis = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        // Of shards that find it at the same time one ejects.
        self.ejected_until.compare_exchange(before, millis, Relaxed, Relaxed).ok()?;
        self.ejections_in_row.store(times, Relaxed);
        self.ejections.fetch_add(1, Relaxed);
        self.connect_failures.store(0, Relaxed);
        self.aborts.store(0, Relaxed);
        Some(until)
    }

    /// Notes a health check; gives the new health where it changes.
    pub(crate) fn checked(&self, passed: bool, rise: u32, fall: u32) -> Option<Health> {
        let (count, says, needed) = if passed {
            (&self.checks_passed, Health::Up, rise)
        } else {
            (&self.checks_failed, Health::Down, fall)
        };
        count.fetch_add(1, Relaxed);
        if passed {
            self.forget_failure();
        }
        let health = self.health();
        if health == says {
            self.health_run.store(0, Relaxed);
            return None;
        }
        // The first success is enough for a target of which nothing bad is known.
        let needed = if health == Health::Unknown && passed { 1 } else { needed };
        let run = self.health_run.load(Relaxed) + 1;
        self.health_run.store(run, Relaxed);
        if run < needed {
            return None;
        }
        self.health_run.store(0, Relaxed);
        self.health.store(says as u8, Relaxed);
        Some(says)
    }

    /// Forgets what health checks and sessions have found, because the target is another one now.
    pub(crate) fn forget_past(&self) {
        self.forget_health();
        self.ejected_until.store(0, Relaxed);
        self.ejections_in_row.store(0, Relaxed);
        self.connect_failures.store(0, Relaxed);
        self.aborts.store(0, Relaxed);
    }

    /// Forgets what health checks have found, because there are none any more.
    pub(crate) fn forget_health(&self) {
        self.health.store(Health::Unknown as u8, Relaxed);
        self.health_run.store(0, Relaxed);
    }

    /// How long it took until sessions were accepted.
    pub fn accept_times(&self) -> DurationTally {
        self.accept_times.snapshot()
    }

    pub(crate) fn accepted_after(&self, took: Duration) {
        self.accept_times.add(took);
    }

    /// Connections to be open beforehand that could not be had or were lost, since the start.
    pub fn warm_failures(&self) -> u64 {
        self.warm_failures.load(Relaxed)
    }

    /// Why the last session, check or warm connection failed, in a word; `None` once one has succeeded.
    pub fn last_failure(&self) -> Option<&'static str> {
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes why a connection failed. Held for a store only, and by who opens or loses a connection.
    pub(crate) fn note_failure(&self, why: &'static str) {
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    fn forget_failure(&self) {
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn warm_failed(&self, why: &'static str) {
        self.warm_failures.fetch_add(1, Relaxed);
        self.note_failure(why);
    }

    pub(crate) fn warm_opened(&self) {
        self.forget_failure();
        self.warm.fetch_add(1, Relaxed);
    }

    pub(crate) fn warm_closed(&self) {
        self.warm.fetch_sub(1, Relaxed);
    }
}

/// Counts a failure; true when that makes `failures` (0: never).
fn reaches(count: &AtomicU32, failures: u32) -> bool {
    let run = count.fetch_add(1, Relaxed).saturating_add(1);
    failures > 0 && run >= failures
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn config() -> TargetConfig {
        TargetConfig { eject_failures: 3, ..TargetConfig::new("t", ([127, 0, 0, 1], 1).into()) }
    }

    fn status() -> TargetStatus {
        TargetStatus::new(TargetState::Ready)
    }

    #[test]
    fn failures_in_a_row_are_counted_and_a_success_begins_anew() {
        let (status, config) = (status(), config());
        let ends = |outcome| status.connect_ended(outcome, &config);
        assert!(!ends(ConnectOutcome::Timeout) && !ends(ConnectOutcome::Unreachable));
        assert!(!ends(ConnectOutcome::Accepted));
        assert!(!ends(ConnectOutcome::Lost) && !ends(ConnectOutcome::UserAborted));
        assert!(!ends(ConnectOutcome::Unavailable) && ends(ConnectOutcome::TransportRefused));
        assert_eq!(status.connects(ConnectOutcome::Accepted), 1);
    }

    #[test]
    fn aborts_of_established_sessions_count_on_over_connects_that_succeed() {
        let (status, config) = (status(), config());
        for expected in [false, false, true] {
            assert!(!status.connect_ended(ConnectOutcome::Accepted, &config));
            assert_eq!(status.established_ended(true, &config), expected);
        }
        assert!(!status.established_ended(false, &config) && !status.established_ended(true, &config));
    }

    #[test]
    fn each_ejection_in_a_row_is_longer_up_to_ten_times() {
        let status = status();
        let mut now = Duration::ZERO;
        for times in (1..=10).chain([10, 10]) {
            assert_eq!(status.eject(now, SECOND), Some(now + SECOND * times));
            assert_eq!(status.eject(now, SECOND), None);
            now += SECOND * times;
            assert_eq!(status.ejected_until(now), None);
        }
        status.connect_ended(ConnectOutcome::Accepted, &config());
        assert_eq!(status.eject(now, SECOND), Some(now + SECOND));
        assert_eq!(status.ejections(), 13);
    }

    #[test]
    fn health_changes_after_rise_and_fall() {
        let status = status();
        let checks = [
            (true, Some(Health::Up)),
            (false, None),
            (true, None),
            (false, None),
            (false, None),
            (false, Some(Health::Down)),
            (true, None),
            (false, None),
            (true, None),
            (true, Some(Health::Up)),
        ];
        for (passed, expected) in checks {
            assert_eq!(status.checked(passed, 2, 3), expected);
        }
        assert_eq!(status.checks(), (5, 5));
    }

    #[test]
    fn no_session_more_than_the_maximum_is_taken() {
        let status = status();
        assert!(status.take_session(2) && status.take_session(2) && !status.take_session(2));
        status.session_ended();
        assert!(status.take_session(2));
        assert_eq!(status.sessions(), 2);
    }
}

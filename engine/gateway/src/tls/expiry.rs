//! When certificates and revocation lists expire, and who is told in time.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::plan::Plan;

/// What expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiringKind {
    /// The own certificate, or one between it and the authority.
    Certificate,
    /// An authority's certificate.
    Authority,
    /// A revocation list.
    RevocationList,
}

impl ExpiringKind {
    /// The word of logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            ExpiringKind::Certificate => "certificate",
            ExpiringKind::Authority => "authority",
            ExpiringKind::RevocationList => "revocation_list",
        }
    }
}

/// When something read from a file expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// What it is.
    pub kind: ExpiringKind,
    /// Where it was read from.
    pub file: PathBuf,
    /// When, in seconds since 1970.
    pub at: i64,
}

impl Expiry {
    /// Time left at `now`; negative when it has passed. In seconds.
    pub fn seconds_left(&self, now: SystemTime) -> i64 {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        self.at.saturating_sub(i64::try_from(since).unwrap_or(i64::MAX))
    }
}

/// How often it is warned of the same.
const WARNED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Warns of everything that expires within its table's `expiry_warning`, or has: at the start, after each reload and
/// once a day.
#[derive(Debug, Default)]
pub(crate) struct ExpiryWatch {
    /// When it was warned last, and of which generation of the plan.
    last: Option<(Instant, u64)>,
}

impl ExpiryWatch {
    pub(crate) fn look(&mut self, plan: &Plan) {
        let now = Instant::now();
        let warned = self
            .last
            .is_some_and(|(at, generation)| generation == plan.generation && now - at < WARNED_EVERY);
        if !warned && !plan.tls.is_empty() {
            self.last = Some((now, plan.generation));
            warn(plan, SystemTime::now());
        }
    }
}

fn warn(plan: &Plan, now: SystemTime) {
    for (table, material) in plan.config.tls.iter().zip(&plan.tls) {
        let ahead = i64::try_from(table.expiry_warning.as_secs()).unwrap_or(i64::MAX);
        for expiry in &material.expiries {
            let left = expiry.seconds_left(now);
            let (tls, file, kind) = (&table.name, expiry.file.display(), expiry.kind.name());
            if left <= 0 {
                tracing::error!(event_id = "CLQ-T23", tls, %file, kind, expired_s = -left, "expired");
            } else if left <= ahead {
                tracing::warn!(event_id = "CLQ-T22", tls, %file, kind, left_s = left, "expires soon");
            }
        }
    }
}

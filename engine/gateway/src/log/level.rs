//! The level of the log, which may be changed while it runs.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tracing::Level;
use tracing::level_filters::LevelFilter;

/// Changes the filter of the log that is installed.
type Change = Box<dyn Fn(LevelFilter) -> bool + Send + Sync>;

static CHANGE: OnceLock<Change> = OnceLock::new();
/// True while the open and close records of sessions are logged; also where no log was installed, because then somebody
/// else takes events.
static ACCOUNTS: AtomicBool = AtomicBool::new(true);

/// Keeps how the level is changed, and what it is.
pub(super) fn keep(level: Level, change: Change) {
    ACCOUNTS.store(level >= Level::INFO, Relaxed);
    // A process has one log: there is nothing to replace.
    let _ = CHANGE.set(change);
}

/// Changes the least severe level that is logged. False: no log was installed.
pub fn set_level(level: Level) -> bool {
    let changed = CHANGE.get().is_some_and(|change| change(LevelFilter::from_level(level)));
    if changed {
        ACCOUNTS.store(level >= Level::INFO, Relaxed);
    }
    changed
}

/// True where the open and close records of sessions are logged; else a shard need not make the log thread work.
pub(crate) fn takes_accounts() -> bool {
    ACCOUNTS.load(Relaxed)
}

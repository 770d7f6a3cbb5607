//! SIGINT and SIGTERM as a flag to look at; the second one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// Exit status when a second signal ends the process.
const EXIT_STATUS: i32 = 1;

/// True once a signal to stop has come.
#[derive(Clone, Debug)]
pub(crate) struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Installs the handlers.
    pub(crate) fn install() -> std::io::Result<StopFlag> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal sets the flag, the next finds it set.
            signal_hook::flag::register_conditional_shutdown(signal, EXIT_STATUS, flag.clone())?;
            signal_hook::flag::register(signal, flag.clone())?;
        }
        Ok(StopFlag(flag))
    }

    /// Whether it came.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

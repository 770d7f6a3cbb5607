//! Signals as messages: what the operator or the service manager wants.

use std::sync::mpsc::{Receiver, channel};

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGTERM, SIGINT: go away.
    Stop,
}

/// One message for each signal, from here on.
pub(super) fn wishes() -> anyhow::Result<Receiver<Wish>> {
    let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT]).context("signals")?;
    let (give, take) = channel();
    std::thread::Builder::new().name("clq-signals".into()).spawn(move || {
        for signal in signals.forever() {
            let wish = if signal == SIGHUP { Wish::Reload } else { Wish::Stop };
            if give.send(wish).is_err() {
                return;
            }
        }
    })?;
    Ok(take)
}

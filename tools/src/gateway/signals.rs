//! Signals as messages: what the operator or the service manager wants.

use std::sync::mpsc::{Receiver, channel};

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGTERM, SIGINT: go away.
    Stop,
}

/// One message for each signal that asks for something, from here on.
///
/// SIGUSR1 and SIGUSR2, by which other programs open their log files again, would end the process: they do nothing.
pub(super) fn wishes() -> anyhow::Result<Receiver<Wish>> {
    let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2]).context("signals")?;
    let (give, take) = channel();
    std::thread::Builder::new().name("clq-signals".into()).spawn(move || {
        for signal in signals.forever() {
            let wish = match signal {
                SIGHUP => Wish::Reload,
                SIGTERM | SIGINT => Wish::Stop,
                _ => continue,
            };
            if give.send(wish).is_err() {
                return;
            }
        }
    })?;
    Ok(take)
}

//! `colloquy gateway`: runs a gateway until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use colloquy_gateway::Gateway;
use colloquy_gateway::config::Config;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{check, descriptors};

/// Descriptors beside those of connections: listeners, rings, admin connections, log.
const DESCRIPTORS_SPARE: u64 = 256;
/// How often a gateway is looked at that was not told to stop: a shard may have failed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The same while it drains.
const DRAIN_LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Runs the gateway: accepts, relays, echoes sessions.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy gateway configs/echo.toml",
    after_help = "SIGTERM or SIGINT drains: no new sessions, open ones may end until drain.deadline; a second\n\
                  signal aborts them. Exit status: 0 drained, 1 failed, 2 bad configuration."
)]
pub(crate) struct GatewayArgs {
    /// Configuration in TOML (configs/gateway.toml lists every key)
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
}

/// Runs the verb.
pub(crate) fn run(args: &GatewayArgs) -> ExitCode {
    let Some(config) = check::read(&args.config) else { return ExitCode::from(2) };
    match serve(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

fn serve(config: Config) -> anyhow::Result<()> {
    colloquy_gateway::log::install(&config.log).context("log")?;
    // Raised to what the system allows. How many are needed depends on load; too few is told at accept.
    if let Err(fault) = descriptors::raise(DESCRIPTORS_SPARE) {
        anyhow::bail!(fault);
    }
    let signals = signals()?;
    let deadline = config.drain.deadline;
    let gateway = Gateway::start(config)?;
    let mut stops = 0;
    while !gateway.is_finished() {
        let interval = if stops == 0 { LOOK_INTERVAL } else { DRAIN_LOOK_INTERVAL };
        match signals.recv_timeout(interval) {
            Ok(_) => {
                stops += 1;
                gateway.drain(if stops == 1 { deadline } else { Duration::ZERO });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the signal thread ended"),
        }
    }
    gateway.join().context("a shard failed")?;
    anyhow::ensure!(stops > 0, "every shard ended although nobody asked for it");
    Ok(())
}

/// Signals to stop, one message each.
fn signals() -> anyhow::Result<Receiver<i32>> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("signals")?;
    let (give, take) = channel();
    std::thread::Builder::new().name("clq-signals".into()).spawn(move || {
        for signal in signals.forever() {
            if give.send(signal).is_err() {
                return;
            }
        }
    })?;
    Ok(take)
}

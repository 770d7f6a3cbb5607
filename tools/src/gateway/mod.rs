//! `colloquy gateway`: runs a gateway until it is told to stop.

mod activation;
mod signals;
mod systemd;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use colloquy_gateway::config::Loaded;
use colloquy_gateway::reload::Asker;
use colloquy_gateway::{Gateway, StartOptions};

use crate::{check, descriptors};
use activation::passed_sockets;
use signals::{Wish, wishes};
use systemd::Manager;

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
    after_help = "SIGHUP reads the configuration again. SIGTERM or SIGINT drains as [drain] says: no new sessions,\n\
                  open ones are ended at the pace until drain.deadline; a second signal aborts what is left.\n\
                  Exit status: 0 drained, 1 failed, 2 bad configuration."
)]
pub(crate) struct GatewayArgs {
    /// Configuration in TOML (configs/gateway.toml lists every key)
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
}

/// Runs the verb.
pub(crate) fn run(args: &GatewayArgs) -> ExitCode {
    let Some(loaded) = check::load(&args.config) else { return ExitCode::from(2) };
    let served = serve(loaded);
    colloquy_gateway::log::flush();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

fn serve(loaded: Loaded) -> anyhow::Result<()> {
    colloquy_gateway::log::install(&loaded.config.log).context("log")?;
    for found in loaded.warnings.warnings() {
        tracing::warn!(event_id = found.kind.id(), "{}", found.line_text());
    }
    // Raised to what the system allows. How many are needed depends on load; too few is told at accept.
    if let Err(fault) = descriptors::raise(DESCRIPTORS_SPARE) {
        anyhow::bail!(fault);
    }
    let wishes = wishes()?;
    let config = loaded.config.clone();
    let sockets = passed_sockets()?;
    let options = StartOptions { source: Some(loaded), sockets, ..StartOptions::default() };
    let gateway = Gateway::start_with(config, &options)?;
    // The passed sockets are with the shards; what stays here would keep them open.
    drop(options);
    let vitals = Arc::clone(gateway.vitals());
    let mut manager = Manager::of_environment();
    manager.ready(&vitals);
    let mut stops = 0;
    while !gateway.is_finished() {
        let longest = if vitals.is_draining() { DRAIN_LOOK_INTERVAL } else { LOOK_INTERVAL };
        match wishes.recv_timeout(manager.look_interval(longest)) {
            Ok(Wish::Reload) => {
                manager.reloading();
                // What came of it is in the log.
                let _ = vitals.reload(&Asker::signal("SIGHUP"));
                manager.ready(&vitals);
            }
            Ok(Wish::Stop) => {
                stops += 1;
                let deadline = vitals.plan().config.drain.deadline;
                gateway.drain(if stops == 1 { deadline } else { Duration::ZERO });
                if stops == 1 {
                    manager.stopping(&vitals);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the signal thread ended"),
        }
        manager.look(&vitals);
    }
    gateway.join().context("a shard failed")?;
    anyhow::ensure!(vitals.is_draining(), "every shard ended although nobody asked for it");
    Ok(())
}

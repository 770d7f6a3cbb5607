//! `colloquy demo`: the main job in one command. A gateway relays to an echo responder, both in this
//! process and over loopback; the load generator drives it and a table tells how it went.

mod layout;
mod outcome;
pub(crate) mod stand;
pub(crate) mod watch;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use colloquy_bench::{Go, LoadPlan};

use crate::load::DriverName;
use crate::progress::Bar;
use crate::stop::StopFlag;
use outcome::Outcome;
use stand::Stand;

/// Load before the measured part.
const WARM_UP: Duration = Duration::from_secs(1);

/// Runs gateway, responder and load in one process and shows what came of it.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy demo\n          colloquy demo --sessions 64 --depth 16 --size 4096 --driver mio",
    after_help = "Exit status: 0 nothing was lost and no session failed, 1 otherwise, 2 bad usage."
)]
pub(crate) struct DemoArgs {
    /// Concurrent sessions through the gateway
    #[arg(long, default_value_t = 1000, value_name = "N")]
    sessions: u32,
    /// Octets of each SSDU
    #[arg(long, default_value_t = 256, value_name = "OCTETS")]
    size: u32,
    /// SSDUs in flight per session
    #[arg(long, default_value_t = 1, value_name = "N")]
    depth: u32,
    /// Length of the measured part
    #[arg(long, default_value_t = 10.0, value_name = "S")]
    seconds: f64,
    /// Driver; auto is io_uring where it works
    #[arg(long, value_enum, default_value = "auto", value_name = "DRIVER")]
    driver: DriverName,
    /// The result as one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &DemoArgs) -> ExitCode {
    let plan = plan_of(args);
    if let Err(fault) = plan.validate() {
        eprintln!("colloquy: {fault}");
        return ExitCode::from(2);
    }
    match demonstrate(plan) {
        Ok(outcome) => {
            if args.json {
                crate::say(&format!("{}\n", outcome.to_json()));
            } else {
                crate::say(&outcome.table());
            }
            if outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

/// The plan; the address is filled in when the gateway listens.
fn plan_of(args: &DemoArgs) -> LoadPlan {
    LoadPlan {
        to: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        sessions: args.sessions,
        ssdu_octets: args.size,
        depth: args.depth,
        warm_up_ms: WARM_UP.as_millis() as u64,
        duration_ms: (args.seconds * 1000.0).round() as u64,
        driver: args.driver.into(),
        ..LoadPlan::default()
    }
}

fn demonstrate(mut plan: LoadPlan) -> anyhow::Result<Outcome> {
    let stand = Stand::start(&mut plan)?;
    let stop = StopFlag::install().context("signals")?;
    let mut bar = Bar::new(false);
    let (report, gateway) = stand.run(&plan, &mut |progress| {
        bar.show(progress);
        if stop.is_set() { Go::Stop } else { Go::On }
    })?;
    bar.finish();
    let (driver_reason, layout) = (stand.driver_reason.clone(), stand.layout.clone());
    stand.end()?;
    Ok(Outcome { report, gateway, driver_reason, layout })
}

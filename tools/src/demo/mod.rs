//! `colloquy demo`: the main job in one command. A gateway relays to an echo responder, both in this
//! process and over loopback; the load generator drives it and a table tells how it went.

mod layout;
mod outcome;
mod watch;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use colloquy_bench::run::choose;
use colloquy_bench::{DriverChoice, Go, LoadPlan, run as run_plan};
use colloquy_gateway::config::check_str;
use colloquy_gateway::{Gateway, StartOptions};
use colloquy_transport::driver::select::Backend;

use crate::descriptors;
use crate::load::DriverName;
use crate::progress::Bar;
use crate::stop::StopFlag;
use layout::Layout;
use outcome::Outcome;
use watch::Watch;

/// Descriptors beside those of sessions.
const DESCRIPTORS_SPARE: u64 = 256;
/// Load before the measured part.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the gateways may take to end after the last session.
const DRAIN: Duration = Duration::from_secs(5);

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
    match demonstrate(args, plan) {
        Ok(outcome) => {
            if args.json {
                println!("{}", outcome.to_json());
            } else {
                print!("{}", outcome.table());
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

fn demonstrate(args: &DemoArgs, mut plan: LoadPlan) -> anyhow::Result<Outcome> {
    let (backend, reason) = choose(plan.driver)?;
    // One choice for all three parts: gateway, responder and load.
    plan.driver = match backend {
        Backend::IoUring => DriverChoice::IoUring,
        Backend::Mio => DriverChoice::Mio,
    };
    descriptors::raise(descriptors_needed(args.sessions, backend)).map_err(anyhow::Error::msg)?;
    let mut layout = Layout::of_machine();
    if backend == Backend::IoUring {
        layout = layout.with_room(plan.sessions, descriptors::limit());
    }
    let responder = start("echo", &echo_config(&plan, &layout), &layout.responder_cores)?;
    let gateway =
        start("relay", &relay_config(&plan, &layout, address_of(&responder)?), &layout.gateway_cores)?;
    plan.to = vec![address_of(&gateway)?];
    plan.threads = layout.load_threads.min(plan.sessions as usize) as u32;
    plan.cores.clone_from(&layout.load_cores);

    let stop = StopFlag::install().context("signals")?;
    let mut bar = Bar::new(false);
    let mut watch = Watch::new(gateway.vitals().clone());
    let report = run_plan(&plan, &mut |progress| {
        bar.show(progress);
        watch.look(progress);
        if stop.is_set() { Go::Stop } else { Go::On }
    })?;
    bar.finish();
    for part in [&gateway, &responder] {
        part.drain(DRAIN);
    }
    gateway.join().context("gateway")?;
    responder.join().context("responder")?;
    Ok(Outcome { report, gateway: watch.finish(), driver_reason: reason, layout })
}

/// Each relayed session has four ends in this process. With io_uring connections are no open files but
/// places in the table of their ring, which [`Layout::with_room`] deals with.
fn descriptors_needed(sessions: u32, backend: Backend) -> u64 {
    match backend {
        Backend::IoUring => DESCRIPTORS_SPARE,
        Backend::Mio => u64::from(sessions) * 4 + DESCRIPTORS_SPARE,
    }
}

fn start(name: &str, text: &str, cores: &[usize]) -> anyhow::Result<Gateway> {
    let config = check_str(name, text)
        .map_err(|diagnostics| anyhow::anyhow!("{}", diagnostics.render(false)))
        .context("configuration of the demo")?;
    let options = StartOptions { cores: Some(cores.to_vec()), name: Some(name.to_owned()) };
    Gateway::start_with(config, &options).with_context(|| name.to_owned())
}

fn address_of(gateway: &Gateway) -> anyhow::Result<SocketAddr> {
    Ok(gateway.addresses().first().context("no listener")?.address)
}

/// The parts of a configuration that responder and gateway share.
fn engine_config(plan: &LoadPlan, shards: usize, ends: u32) -> String {
    let sessions_max = (plan.sessions * ends).max(2);
    let ssdu_octets_max = plan.ssdu_octets.max(1 << 20);
    // SO_REUSEPORT does not share evenly, so that each shard must have room for all.
    format!(
        "schema_version = 1\n[engine]\ndriver = \"{}\"\nshards = {shards}\nsessions_max = {sessions_max}\n\
         ssdu_octets_max = {ssdu_octets_max}\n",
        plan.driver.as_str()
    )
}

/// Keys that every listener of the demo has.
fn listener_config(plan: &LoadPlan) -> String {
    let sessions = plan.sessions;
    format!(
        "[[listener]]\nname = \"demo\"\naddress = \"127.0.0.1:0\"\nsessions_max = {sessions}\n\
         connections_not_established_max = {sessions}\ntsdu_octets_max = {}\n",
        tsdu_octets_max(plan)
    )
}

/// SSDU, and the GT and DT headers in front of it.
fn tsdu_octets_max(plan: &LoadPlan) -> u32 {
    plan.ssdu_octets.saturating_add(64).max(1 << 20)
}

fn echo_config(plan: &LoadPlan, layout: &Layout) -> String {
    let engine = engine_config(plan, layout.responder_shards, 1);
    format!("{engine}{}application = \"echo\"\n", listener_config(plan))
}

fn relay_config(plan: &LoadPlan, layout: &Layout, to: SocketAddr) -> String {
    let engine = engine_config(plan, layout.gateway_shards, 2);
    let listener = listener_config(plan);
    format!(
        "{engine}{listener}application = \"relay\"\ntarget = \"echo\"\n[[target]]\nname = \"echo\"\n\
         address = \"{to}\"\ntpdu_octets_max = 8192\ntsdu_octets_max = {}\n",
        tsdu_octets_max(plan)
    )
}

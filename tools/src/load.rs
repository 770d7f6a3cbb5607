//! `colloquy load`: the load generator against any X.225 responder.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use colloquy_bench::plan::SelectorText;
use colloquy_bench::{Check, Dialogue, DriverChoice, Go, LoadPlan, Mode, PlanError, run as run_plan};

use crate::descriptors;
use crate::progress::Bar;
use crate::replay::{self, ReplayArgs};
use crate::stop::StopFlag;

/// Descriptors beside those of the sessions.
const DESCRIPTORS_SPARE: u64 = 64;

/// Loads an X.225 responder and reports latency and throughput.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy load --to 127.0.0.1:10102 --sessions 100 --size 256 --seconds 10\n          \
                   colloquy load configs/load.toml --rate 50000\n          \
                   colloquy load configs/load-mixed.toml --sessions 1000",
    after_help = "Flags win over the plan. Exit status: 0 nothing lost and no session failed, 1 otherwise, 2 bad plan."
)]
pub(crate) struct LoadArgs {
    /// Plan in TOML (configs/load.toml lists every key)
    #[arg(value_name = "PLAN", required_unless_present_any = ["to", "replay"])]
    plan: Option<PathBuf>,
    /// Responder; several share the sessions
    #[arg(long, value_name = "ADDR")]
    to: Vec<SocketAddr>,
    /// Concurrent sessions
    #[arg(long, value_name = "N")]
    sessions: Option<u32>,
    /// Octets of each SSDU
    #[arg(long, value_name = "OCTETS")]
    size: Option<u32>,
    /// SSDUs in flight per session
    #[arg(long, value_name = "N")]
    depth: Option<u32>,
    /// Length of the measured part
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Open loop with this many SSDUs a second over all sessions
    #[arg(long, value_name = "SSDU/S")]
    rate: Option<f64>,
    /// Poisson arrivals in the open loop, not even ones
    #[arg(long)]
    poisson: bool,
    /// Half-duplex dialogue
    #[arg(long)]
    half_duplex: bool,
    /// Generator threads
    #[arg(long, value_name = "N")]
    threads: Option<u32>,
    /// The generator's driver; auto is io_uring where it works
    #[arg(long, value_enum, value_name = "DRIVER")]
    driver: Option<DriverName>,
    /// Called TSAP, as 0x0001 or ascii:NAME
    #[arg(long, value_name = "TSAP")]
    called_tsap: Option<SelectorText>,
    /// Called SSAP
    #[arg(long, value_name = "SSAP")]
    called_ssap: Option<SelectorText>,
    /// Hex file: user data of each CN
    #[arg(long, value_name = "FILE")]
    connect_user_data: Option<PathBuf>,
    /// Hex file: content of each SSDU; answers are then counted only
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// Count answers, compare nothing
    #[arg(long)]
    discard: bool,
    /// Local addresses to use in turn, for more than 28 000 sessions
    #[arg(long, value_name = "IP")]
    source: Vec<IpAddr>,
    /// Folder for result.json and histograms
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The result as JSON on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    replay: ReplayArgs,
}

/// Drivers by their names in plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriverName {
    #[value(name = "auto")]
    Auto,
    #[value(name = "io_uring")]
    IoUring,
    #[value(name = "mio")]
    Mio,
}

impl From<DriverName> for DriverChoice {
    fn from(name: DriverName) -> DriverChoice {
        match name {
            DriverName::Auto => DriverChoice::Auto,
            DriverName::IoUring => DriverChoice::IoUring,
            DriverName::Mio => DriverChoice::Mio,
        }
    }
}

/// Runs the verb.
pub(crate) fn run(args: &LoadArgs) -> ExitCode {
    if let Some(file) = &args.replay.replay {
        let driver = args.driver.map(DriverChoice::from).unwrap_or_default();
        let shared = replay::Shared { to: &args.to, driver, json: args.json, out: args.out.as_deref() };
        return replay::run(&args.replay, file, &shared);
    }
    let plan = match plan_of(args) {
        Ok(plan) => plan,
        Err(fault) => {
            eprintln!("colloquy: {fault}");
            return ExitCode::from(2);
        }
    };
    if let Err(fault) = descriptors::raise(plan.connections_max() + DESCRIPTORS_SPARE) {
        eprintln!("colloquy: {fault}");
        return ExitCode::from(1);
    }
    match load(&plan, args) {
        Ok(clean) if clean => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

fn load(plan: &LoadPlan, args: &LoadArgs) -> anyhow::Result<bool> {
    let stop = StopFlag::install()?;
    let mut bar = Bar::new(false);
    let report = run_plan(plan, &mut |progress| {
        bar.show(progress);
        if stop.is_set() { Go::Stop } else { Go::On }
    })?;
    bar.finish();
    if args.json {
        crate::say(&format!("{}\n", serde_json::to_string(&report)?));
    } else {
        crate::say(&report.table());
    }
    if let Some(folder) = &args.out {
        report.write_to(folder)?;
    }
    Ok(report.is_clean())
}

fn plan_of(args: &LoadArgs) -> Result<LoadPlan, String> {
    let mut plan = match &args.plan {
        // Judged below, when the flags have had their say.
        Some(path) => LoadPlan::read(path).map_err(|error| error.to_string())?,
        None => LoadPlan::default(),
    };
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    if !args.to.is_empty() {
        plan.to.clone_from(&args.to);
    }
    if !args.source.is_empty() {
        plan.source_addresses.clone_from(&args.source);
    }
    set(&mut plan.sessions, args.sessions);
    set(&mut plan.ssdu_octets, args.size);
    set(&mut plan.depth, args.depth);
    set(&mut plan.threads, args.threads);
    set(&mut plan.driver, args.driver.map(DriverChoice::from));
    set(&mut plan.called_tsap, args.called_tsap.clone());
    set(&mut plan.called_ssap, args.called_ssap.clone());
    set(&mut plan.duration_ms, args.seconds.map(|seconds| (seconds * 1000.0).round() as u64));
    if let Some(rate) = args.rate {
        plan.rate_per_s = rate;
        plan.mode = if plan.mode == Mode::Closed { Mode::Constant } else { plan.mode };
    }
    if args.poisson {
        plan.mode = Mode::Poisson;
    }
    if args.half_duplex {
        plan.dialogue = Dialogue::HalfDuplex;
    }
    read_content(args, &mut plan).map_err(|error| error.to_string())?;
    if args.discard || args.payload.is_some() {
        plan.check = Check::Discard;
    }
    plan.validate().map_err(|error| error.to_string())?;
    Ok(plan)
}

/// Reads the hex files that flags name: relative to the working folder, while a plan's are relative to it.
fn read_content(args: &LoadArgs, plan: &mut LoadPlan) -> Result<(), PlanError> {
    let mut own = LoadPlan {
        connect_user_data_file: args.connect_user_data.clone(),
        payload_file: args.payload.clone(),
        ..LoadPlan::default()
    };
    own.load_content(".".as_ref())?;
    if own.connect_user_data_file.is_some() {
        plan.connect_user_data_file = own.connect_user_data_file;
        plan.content.connect_user_data = own.content.connect_user_data;
    }
    if own.payload_file.is_some() {
        plan.payload_file = own.payload_file;
        plan.content.payload = own.content.payload;
    }
    if let Some(payload) = &plan.content.payload {
        plan.ssdu_octets = payload.len() as u32;
    }
    Ok(())
}

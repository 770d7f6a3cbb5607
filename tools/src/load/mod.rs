//! `colloquy load`: the load generator against any X.225 responder.

mod args;
mod paired;
mod plan;

use std::process::ExitCode;

use colloquy_bench::{DriverChoice, Go, LoadPlan, run as run_plan};

use crate::descriptors;
use crate::progress::Bar;
use crate::replay;
use crate::stop::StopFlag;

pub(crate) use args::{DriverName, LoadArgs};

/// Descriptors beside those of the sessions.
const DESCRIPTORS_SPARE: u64 = 64;
/// Exit status when a threshold was not kept, as of other load generators.
const STATUS_THRESHOLD: u8 = 99;

/// How a run went, by the exit status it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing lost, no session failed.
    Clean,
    /// Something was.
    Unclean,
    /// A threshold was not kept, whatever else.
    ThresholdFailed,
}

impl Outcome {
    fn of(thresholds_failed: bool, clean: bool) -> Outcome {
        match (thresholds_failed, clean) {
            (true, _) => Outcome::ThresholdFailed,
            (false, false) => Outcome::Unclean,
            (false, true) => Outcome::Clean,
        }
    }

    fn status(self) -> ExitCode {
        match self {
            Outcome::Clean => ExitCode::SUCCESS,
            Outcome::Unclean => ExitCode::from(1),
            Outcome::ThresholdFailed => ExitCode::from(STATUS_THRESHOLD),
        }
    }
}

/// Runs the verb.
pub(crate) fn run(args: &LoadArgs) -> ExitCode {
    if args.help_all {
        crate::say(&args::help_all());
        return ExitCode::SUCCESS;
    }
    if let Some(file) = &args.replay.replay {
        let driver = args.driver.map(DriverChoice::from).unwrap_or_default();
        let shared = replay::Shared { to: &args.to, driver, json: args.json, out: args.out.as_deref() };
        return replay::run(&args.replay, file, &shared);
    }
    if args.rounds.is_some() && args.compare.is_none() {
        return bad_usage("--rounds are those of --compare");
    }
    let plan = match plan::plan_of(args) {
        Ok(plan) => plan,
        Err(fault) => return bad_usage(&fault),
    };
    if let Err(fault) = descriptors::raise(plan.connections_max() + DESCRIPTORS_SPARE) {
        eprintln!("colloquy: {fault}");
        return ExitCode::from(1);
    }
    let outcome = match args.compare {
        None => load(&plan, args),
        Some(_) => match paired::sides_of(&plan, args) {
            Ok(sides) => paired::compare(&plan, sides, args),
            Err(fault) => return bad_usage(&fault),
        },
    };
    match outcome {
        Ok(outcome) => outcome.status(),
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

fn bad_usage(fault: &str) -> ExitCode {
    eprintln!("colloquy: {fault}");
    ExitCode::from(2)
}

fn load(plan: &LoadPlan, args: &LoadArgs) -> anyhow::Result<Outcome> {
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
    Ok(Outcome::of(report.has_failed_threshold(), report.is_clean()))
}

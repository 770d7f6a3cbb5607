//! The plan of a run: that of a file, with what the flags say put over it.

use std::time::Duration;

use colloquy_bench::steps::Step;
use colloquy_bench::{Check, Dialogue, DriverChoice, LoadPlan, Mode, PlanError};

use super::args::LoadArgs;

/// Length of the steps of `--steps`, if nothing is said.
const STEP_SECONDS: f64 = 5.0;

/// The plan that the arguments ask for, checked.
///
/// # Errors
/// What is wrong, for people.
pub(super) fn plan_of(args: &LoadArgs) -> Result<LoadPlan, String> {
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
    if let Some(sides) = args.compare.as_deref().filter(|sides| !sides.is_empty()) {
        plan.to = sides.to_vec();
    }
    set(&mut plan.sessions, args.sessions);
    set(&mut plan.ssdu_octets, args.size);
    set(&mut plan.depth, args.depth);
    set(&mut plan.threads, args.threads);
    set(&mut plan.driver, args.driver.map(DriverChoice::from));
    set(&mut plan.called_tsap, args.called_tsap.clone());
    set(&mut plan.called_ssap, args.called_ssap.clone());
    set_pace(args, &mut plan);
    plan.thresholds.extend(args.threshold.iter().cloned());
    if args.half_duplex {
        plan.dialogue = Dialogue::HalfDuplex;
    }
    forget_lines(args, &mut plan);
    read_content(args, &mut plan).map_err(|error| error.to_string())?;
    if args.discard || args.payload.is_some() {
        plan.check = Check::Discard;
    }
    plan.validate().map_err(|error| error.to_string())?;
    Ok(plan)
}

/// Faults in what flags say are not those of a line of the plan.
fn forget_lines(args: &LoadArgs, plan: &mut LoadPlan) {
    for (key, is_given) in [
        ("to", !args.to.is_empty() || args.compare.is_some()),
        ("sessions", args.sessions.is_some()),
        ("ssdu_octets", args.size.is_some()),
        ("depth", args.depth.is_some()),
        ("threads", args.threads.is_some()),
        ("duration_ms", args.seconds.is_some()),
        ("rate_per_s", args.rate.is_some()),
        ("step", !args.steps.is_empty()),
        ("mode", args.poisson),
        ("thresholds", !args.threshold.is_empty()),
        ("called_tsap", args.called_tsap.is_some()),
        ("called_ssap", args.called_ssap.is_some()),
    ] {
        if is_given {
            plan.origin.forget(key);
        }
    }
}

/// Rates and times. A single rate or length takes the place of the steps of a plan.
fn set_pace(args: &LoadArgs, plan: &mut LoadPlan) {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    if args.rate.is_some() || args.seconds.is_some() {
        plan.step.clear();
    }
    if let Some(length) = args.seconds {
        plan.duration_ms = (length * 1000.0).round() as u64;
    }
    if let Some(rate) = args.rate {
        plan.rate_per_s = rate;
    }
    if !args.steps.is_empty() {
        let length = seconds(args.step_seconds.unwrap_or(STEP_SECONDS));
        plan.rate_per_s = 0.0;
        plan.step = args.steps.iter().map(|rate| Step::at(*rate, length)).collect();
    }
    if plan.mode == Mode::Closed && (args.rate.is_some() || !args.steps.is_empty()) {
        plan.mode = Mode::Constant;
    }
    if args.poisson {
        plan.mode = Mode::Poisson;
    }
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

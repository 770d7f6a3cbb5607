//! `colloquy load --compare A B`: one plan against two responders in turn.

use std::net::SocketAddr;

use colloquy_bench::paired::{self, ROUNDS_MAX, ROUNDS_MIN, Side};
use colloquy_bench::{Go, LoadPlan};

use super::Outcome;
use super::args::LoadArgs;
use crate::progress::Bar;
use crate::stop::StopFlag;

/// Rounds, if nothing is said.
const ROUNDS: usize = 7;

/// The two responders of a comparison.
///
/// # Errors
/// There are not two, or the rounds are out of range.
pub(super) fn sides_of(plan: &LoadPlan, args: &LoadArgs) -> Result<[SocketAddr; 2], String> {
    let rounds = args.rounds.unwrap_or(ROUNDS);
    if !(ROUNDS_MIN..=ROUNDS_MAX).contains(&rounds) {
        return Err(format!("--rounds {rounds}: {ROUNDS_MIN} to {ROUNDS_MAX}"));
    }
    <[SocketAddr; 2]>::try_from(plan.to.as_slice()).map_err(|_| {
        let count = plan.to.len();
        format!(
            "--compare takes two responders, from the command line or as `to` of the plan; there are {count}"
        )
    })
}

/// Compares, prints what was found, and keeps every run's record below the folder for results.
pub(super) fn compare(plan: &LoadPlan, sides: [SocketAddr; 2], args: &LoadArgs) -> anyhow::Result<Outcome> {
    let rounds = args.rounds.unwrap_or(ROUNDS);
    let stop = StopFlag::install()?;
    let mut bar = Bar::new(false);
    let mut written = Ok(());
    let comparison = paired::compare(plan, sides, rounds, &mut |look| match look {
        paired::Look::Progress { progress, .. } => {
            bar.show(progress);
            if stop.is_set() { Go::Stop } else { Go::On }
        }
        paired::Look::Ended { round, side, report } => {
            bar.finish();
            eprintln!(
                "round {round} of {rounds}, {side}: p50 {:.0} us, p99 {:.0} us, {:.0} SSDU/s",
                report.response_us.p50, report.response_us.p99, report.ssdu_per_s
            );
            if let (Some(folder), Ok(())) = (&args.out, &written) {
                let name = if side == Side::A { "a" } else { "b" };
                written = report.write_to(&folder.join(format!("{round:02}-{name}")));
            }
            bar = Bar::new(false);
            Go::On
        }
    })?;
    bar.finish();
    let json = serde_json::to_string(&comparison)?;
    if args.json {
        crate::say(&format!("{json}\n"));
    } else {
        crate::say(&comparison.table());
    }
    written?;
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("comparison.json"), format!("{json}\n"))?;
    }
    Ok(Outcome::of(comparison.threshold_failed, comparison.clean))
}

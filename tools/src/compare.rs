//! `colloquy compare`: this program beside what a user would pick instead.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use colloquy_bench::compare::{self, Effort, Finding, LabPlan, Record};

use crate::descriptors;
use crate::stop::StopFlag;

/// Descriptors that the largest cell takes: 12 000 connections kept open, and files beside them.
const DESCRIPTORS: u64 = 13_000;
/// Rounds and window of a record.
const ROUNDS: usize = 7;
const SECONDS: f64 = 1.0;
/// The same of the short form.
const QUICK_ROUNDS: usize = 3;
const QUICK_SECONDS: f64 = 0.3;
/// Load before the measured part, as a share of it.
const WARM_UP: f64 = 0.3;

/// Compares this program with raw echo servers, HAProxy, nginx and other OSI stacks, interleaved on this machine.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy compare --quick\n          \
                   colloquy compare --only relay --out relay-today",
    after_help = "Each row is a ratio (or a count) with a bootstrap interval over interleaved rounds; no winner is\n\
                  named when it contains 1. Run it alone on a quiet machine. A contestant that is not installed\n\
                  is skipped.\n\
                  Exit status: 0 measured, whatever was reached; 1 a row could not be measured; 2 bad usage."
)]
pub(crate) struct CompareArgs {
    /// A short form of every row: 3 rounds, short windows, fewer cells
    #[arg(long)]
    quick: bool,
    /// Only rows whose id begins so
    #[arg(long, value_name = "ID_PREFIX")]
    only: Vec<String>,
    /// Interleaved rounds of each cell [default: 7, or 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: Option<u16>,
    /// Measured part of each run [default: 1, or 0.3]
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// The rows as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Folder for result.json, raw.jsonl and compare.html
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Lists the ids of all rows
    #[arg(long)]
    list: bool,
    /// The program under comparison, if not this one
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &CompareArgs) -> ExitCode {
    if args.list {
        crate::say(&format!("{}\n", compare::ids().join("\n")));
        return ExitCode::SUCCESS;
    }
    let effort = match effort(args) {
        Ok(effort) => effort,
        Err(fault) => {
            eprintln!("colloquy: {fault}");
            return ExitCode::from(2);
        }
    };
    match measure(args, effort) {
        Ok(record) if record.is_complete() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

fn effort(args: &CompareArgs) -> Result<Effort, String> {
    if let Some(wrong) = compare::unknown(&args.only) {
        return Err(format!("no row begins with {wrong:?}; there are:\n  {}", compare::ids().join("\n  ")));
    }
    let (rounds, seconds) = if args.quick { (QUICK_ROUNDS, QUICK_SECONDS) } else { (ROUNDS, SECONDS) };
    let seconds = args.seconds.unwrap_or(seconds);
    if !(0.01..=3600.0).contains(&seconds) {
        return Err(format!("--seconds {seconds} is not 0.01 to 3600"));
    }
    Ok(Effort {
        rounds: args.rounds.map_or(rounds, usize::from),
        measured: Duration::from_secs_f64(seconds),
        warm_up: Duration::from_secs_f64(seconds * WARM_UP),
        quick: args.quick,
    })
}

fn measure(args: &CompareArgs, effort: Effort) -> anyhow::Result<Record> {
    descriptors::raise(DESCRIPTORS).map_err(anyhow::Error::msg)?;
    let stop = StopFlag::install()?;
    let binary = args.binary.clone().map_or_else(std::env::current_exe, Ok)?;
    let record = compare::compare(LabPlan {
        binary,
        effort,
        only: args.only.clone(),
        progress: Box::new(|text| eprintln!("{text}")),
        stop: Box::new(move || stop.is_set()),
    })?;
    if args.json {
        // The runs behind them are in result.json.
        let rows: Vec<Finding> =
            record.findings.iter().map(|row| Finding { raw: Vec::new(), ..row.clone() }).collect();
        crate::say(&format!("{}\n", serde_json::to_string_pretty(&rows)?));
    } else {
        crate::say(&compare::table(&record));
    }
    if let Some(folder) = &args.out {
        write(&record, folder)?;
    }
    Ok(record)
}

fn write(record: &Record, folder: &Path) -> anyhow::Result<()> {
    use anyhow::Context;
    record.write_to(folder).with_context(|| folder.display().to_string())
}

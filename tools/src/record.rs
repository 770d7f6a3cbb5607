//! `colloquy record`: the measurement matrix behind `bench/results/`, not part of the daily use.
//!
//! Every cell (application × driver × sessions × SSDU size × depth) is run once per round, and the drivers of
//! a cell one right after the other, so that slow changes of the machine hit both alike.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use colloquy_bench::environment::{Environment, rfc3339};
use colloquy_bench::{DriverChoice, Go, LoadPlan};
use serde_json::{Value, json};

use crate::demo::stand::{Application, Stand};
use crate::stop::StopFlag;

/// Sessions of the cells.
const SESSIONS: [u32; 2] = [64, 1000];
/// SSDU sizes of the cells, in octets.
const SSDU_OCTETS: [u32; 4] = [64, 256, 4096, 16_384];
/// Depths of the cells.
const DEPTHS: [u32; 2] = [1, 16];

/// Runs the measurement matrix: echo and relay on both drivers.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy record --out bench/results/2026-11-22-lab",
    after_help = "Exit status: 0 every run was clean, 1 otherwise, 2 bad usage."
)]
pub(crate) struct RecordArgs {
    /// Folder for environment.json, runs.jsonl and summary.md
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Rounds over the whole matrix
    #[arg(long, default_value_t = 3, value_name = "N")]
    rounds: u32,
    /// Length of the measured part of each run
    #[arg(long, default_value_t = 2.0, value_name = "S")]
    seconds: f64,
}

/// One place of the matrix, without the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    application: Application,
    sessions: u32,
    ssdu_octets: u32,
    depth: u32,
}

/// What is kept of each run for the summary.
struct Run {
    cell: Cell,
    driver: DriverChoice,
    ssdu_per_s: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: Option<f64>,
    system_calls: Option<f64>,
    valid: bool,
    clean: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &RecordArgs) -> ExitCode {
    match record(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

fn record(args: &RecordArgs) -> anyhow::Result<bool> {
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let environment = json!({
        "began_at": rfc3339(std::time::SystemTime::now()),
        "environment": Environment::read(),
        "commit": commit(),
        "command": std::env::args().collect::<Vec<_>>().join(" "),
        "rounds": args.rounds,
        "seconds": args.seconds,
    });
    std::fs::write(args.out.join("environment.json"), format!("{environment:#}\n"))?;
    let mut lines = File::create(args.out.join("runs.jsonl"))?;
    let stop = StopFlag::install()?;
    let cells = cells();
    let mut runs = Vec::new();
    'all: for round in 1..=args.rounds {
        for (index, cell) in cells.iter().enumerate() {
            eprintln!("round {round} of {}, cell {} of {}: {cell:?}", args.rounds, index + 1, cells.len());
            for driver in drivers(round) {
                let (run, line) = run_cell(*cell, driver, round, args.seconds, &stop)?;
                writeln!(lines, "{line}")?;
                runs.push(run);
                if stop.is_set() {
                    break 'all;
                }
            }
        }
    }
    std::fs::write(args.out.join("summary.md"), summary(&cells, &runs, &environment))?;
    Ok(runs.iter().all(|run| run.clean))
}

/// Both drivers, in turns who is first.
fn drivers(round: u32) -> [DriverChoice; 2] {
    let drivers = [DriverChoice::IoUring, DriverChoice::Mio];
    if round % 2 == 1 { drivers } else { [drivers[1], drivers[0]] }
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for application in [Application::Echo, Application::Relay] {
        for sessions in SESSIONS {
            for ssdu_octets in SSDU_OCTETS {
                for depth in DEPTHS {
                    cells.push(Cell { application, sessions, ssdu_octets, depth });
                }
            }
        }
    }
    cells
}

fn run_cell(
    cell: Cell,
    driver: DriverChoice,
    round: u32,
    seconds: f64,
    stop: &StopFlag,
) -> anyhow::Result<(Run, Value)> {
    let mut plan = LoadPlan {
        sessions: cell.sessions,
        ssdu_octets: cell.ssdu_octets,
        depth: cell.depth,
        warm_up_ms: 500,
        duration_ms: (seconds * 1000.0).round() as u64,
        driver,
        ..LoadPlan::default()
    };
    let stand = Stand::start(&mut plan, cell.application)?;
    let (report, spent) = stand.run(&plan, &mut |_| if stop.is_set() { Go::Stop } else { Go::On })?;
    stand.end()?;
    let line = json!({
        "round": round,
        "application": application_name(cell.application),
        "gateway_cpu_us_per_ssdu": spent.cpu_us_per_ssdu,
        "gateway_system_calls_per_ssdu": spent.system_calls_per_ssdu,
        "gateway_ssdus_carried": spent.ssdus,
        "report": report,
    });
    let run = Run {
        cell,
        driver,
        ssdu_per_s: report.ssdu_per_s,
        p50_us: report.response_us.p50,
        p99_us: report.response_us.p99,
        cpu_us: spent.cpu_us_per_ssdu,
        system_calls: spent.system_calls_per_ssdu,
        valid: report.valid,
        clean: report.is_clean(),
    };
    Ok((run, line))
}

fn application_name(application: Application) -> &'static str {
    match application {
        Application::Echo => "echo",
        Application::Relay => "relay",
    }
}

/// Commit of the working folder, where there is one.
fn commit() -> Option<String> {
    let output = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The table: medians over the rounds, with the spread of the processor time.
fn summary(cells: &[Cell], runs: &[Run], environment: &Value) -> String {
    let mut text = String::from("# Measurement matrix\n\n");
    let machine = &environment["environment"];
    let _ = writeln!(
        text,
        "{}, {} cores, {}, congestion control {}, load average at the start {}, commit {}.\n\n\
         Medians over {} rounds of {} s; in brackets the range. CPU and system calls are the gateway's, per SSDU \
         carried: an echo carries each SSDU once, a relay once each way. Generator, responder and gateway share \
         the machine. A run is valid by the generator's own rules (`invalid_reasons` in runs.jsonl).\n",
        machine["cpu_model"].as_str().unwrap_or("unknown"),
        machine["cores"],
        machine["kernel"].as_str().unwrap_or("unknown"),
        machine["congestion_control"].as_str().unwrap_or("unknown"),
        machine["load_average"],
        environment["commit"].as_str().unwrap_or("unknown"),
        environment["rounds"],
        environment["seconds"],
    );
    text.push_str(
        "| application | sessions | octets | depth | driver | SSDU/s | p50 us | p99 us | CPU us/SSDU | \
         calls/SSDU | valid |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for cell in cells {
        for driver in [DriverChoice::IoUring, DriverChoice::Mio] {
            let of: Vec<&Run> = runs.iter().filter(|run| run.cell == *cell && run.driver == driver).collect();
            if of.is_empty() {
                continue;
            }
            let median =
                |value: fn(&Run) -> Option<f64>| middle(of.iter().filter_map(|run| value(run)).collect());
            let (cpu, least, most) = median(|run| run.cpu_us);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {:.0} | {:.0} | {:.0} | {cpu:.2} ({least:.2} to {most:.2}) | {:.3} | \
                 {} of {} |",
                application_name(cell.application),
                cell.sessions,
                cell.ssdu_octets,
                cell.depth,
                driver.as_str(),
                median(|run| Some(run.ssdu_per_s)).0,
                median(|run| Some(run.p50_us)).0,
                median(|run| Some(run.p99_us)).0,
                median(|run| run.system_calls).0,
                of.iter().filter(|run| run.valid && run.clean).count(),
                of.len(),
            );
        }
    }
    text
}

/// Median, least and most; zeros of nothing.
fn middle(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    match (values.first(), values.last()) {
        (Some(least), Some(most)) => (values[values.len() / 2], *least, *most),
        _ => (0.0, 0.0, 0.0),
    }
}

//! The record of a comparison: what was found, from what, on which machine.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use serde::Serialize;

use crate::environment::{Environment, rfc3339};

use super::process::find_program;
use super::statistics::{BOOTSTRAP_SEED, RESAMPLES};
use super::{Calibration, Finding, Lab, Run};

/// Load average of one minute up to which a machine counts as quiet when a comparison begins.
const QUIET_LOAD_MAX: f64 = 0.5;
/// Longest over shortest calibration loop of a core up to which it counts as steady.
const STEADY_SPREAD_MAX: f64 = 1.25;

/// Everything a comparison leaves behind.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Of this structure.
    pub schema_version: u32,
    /// What the user asked for.
    pub command: String,
    /// Start, as RFC 3339.
    pub began_at: String,
    /// Wall time of the whole, in seconds.
    pub took_s: f64,
    /// A short form: fewer rounds, shorter windows, fewer cells.
    pub quick: bool,
    /// Interleaved rounds of each cell.
    pub rounds: usize,
    /// Measured part of each run.
    pub seconds: f64,
    /// Of the bootstrap.
    pub bootstrap_seed: u64,
    /// Of the bootstrap.
    pub resamples: usize,
    /// Machine and kernel, as they were when it began.
    pub environment: Environment,
    /// Cores: of the server under test, of everything else.
    pub cores: (usize, usize),
    /// What `--version` of each program says; `null` for one that is not installed.
    pub versions: Vec<(String, Option<String>)>,
    /// The commit, where it is known.
    pub commit: Option<String>,
    /// Whether the machine was quiet and steady; why not.
    pub quiet: Quiet,
    /// The rows.
    pub findings: Vec<Finding>,
    /// The loop before each round.
    pub calibrations: Vec<Calibration>,
    /// Every run, in order; in `raw.jsonl`, one a line.
    #[serde(skip)]
    pub runs: Vec<Run>,
}

/// Whether anything else disturbed the machine.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Quiet {
    /// Nothing did, as far as can be seen.
    pub quiet: bool,
    /// What did.
    pub because: Vec<String>,
    /// Largest share of a window that the hypervisor took.
    pub steal_share_max: f64,
    /// Longest over shortest calibration loop: server's core, load's core.
    pub calibration_spread: (f64, f64),
}

/// What is known before the first run.
#[derive(Clone, Debug)]
pub struct Beginning {
    at: SystemTime,
    environment: Environment,
}

impl Beginning {
    /// Looks around.
    pub fn now() -> Beginning {
        Beginning { at: SystemTime::now(), environment: Environment::read() }
    }
}

impl Record {
    /// The record of what a laboratory has done.
    pub fn of(beginning: Beginning, lab: &Lab, findings: Vec<Finding>) -> Record {
        let effort = lab.effort();
        Record {
            schema_version: 1,
            command: command(),
            began_at: rfc3339(beginning.at),
            took_s: lab.elapsed().as_secs_f64(),
            quick: effort.quick,
            rounds: effort.rounds,
            seconds: effort.measured.as_secs_f64(),
            bootstrap_seed: BOOTSTRAP_SEED,
            resamples: RESAMPLES,
            quiet: quiet(&beginning.environment, lab.calibrations(), lab.runs()),
            environment: beginning.environment,
            cores: (lab.server_core(), lab.load_core()),
            versions: versions(lab.binary()),
            commit: commit(),
            findings,
            calibrations: lab.calibrations().to_vec(),
            runs: lab.runs().to_vec(),
        }
    }

    /// Writes `result.json`, `raw.jsonl` and `compare.html`.
    ///
    /// # Errors
    /// When the folder or a file cannot be written.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut result = BufWriter::new(File::create(folder.join("result.json"))?);
        serde_json::to_writer_pretty(&mut result, self)?;
        result.write_all(b"\n")?;
        result.flush()?;
        let mut raw = BufWriter::new(File::create(folder.join("raw.jsonl"))?);
        for run in &self.runs {
            serde_json::to_writer(&mut raw, run)?;
            raw.write_all(b"\n")?;
        }
        raw.flush()?;
        let page = crate::html::compare::page(&serde_json::to_value(self)?);
        fs::write(folder.join("compare.html"), page)
    }

    /// Whether every row that could be measured here was.
    pub fn is_complete(&self) -> bool {
        !self.findings.iter().any(|finding| finding.failed)
    }
}

fn quiet(environment: &Environment, calibrations: &[Calibration], runs: &[Run]) -> Quiet {
    let spread = |of: fn(&Calibration) -> u64| {
        let longest = calibrations.iter().map(of).max().unwrap_or(1);
        let shortest = calibrations.iter().map(of).min().unwrap_or(1);
        longest as f64 / shortest.max(1) as f64
    };
    let calibration_spread = (spread(|of| of.server_core_ns), spread(|of| of.load_core_ns));
    let steal_share_max = runs.iter().filter_map(|run| run.steal_share).fold(0.0, f64::max);
    let mut because = Vec::new();
    if let Some([load, ..]) = environment.load_average.filter(|[load, ..]| *load > QUIET_LOAD_MAX) {
        because.push(format!("load average {load:.2} at the start"));
    }
    if calibration_spread.0.max(calibration_spread.1) > STEADY_SPREAD_MAX {
        because.push(format!(
            "the calibration loop took up to {:.2} and {:.2} times its shortest time",
            calibration_spread.0, calibration_spread.1
        ));
    }
    if steal_share_max > 0.01 {
        because.push(format!("the hypervisor took up to {:.1} % of a window", steal_share_max * 100.0));
    }
    Quiet { quiet: because.is_empty(), because, steal_share_max, calibration_spread }
}

fn versions(binary: &Path) -> Vec<(String, Option<String>)> {
    let first_line = |program: &Path, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok()?;
        // nginx says it on standard error.
        let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        Some(String::from_utf8_lossy(&said).lines().next()?.trim().to_owned())
    };
    let installed = |name: &str| first_line(&find_program(name)?, "-v");
    vec![
        ("colloquy".to_owned(), first_line(binary, "--version")),
        ("haproxy".to_owned(), installed("haproxy")),
        ("nginx".to_owned(), installed("nginx")),
    ]
}

/// The command line, without the folder that the program is in.
fn command() -> String {
    let mut arguments: Vec<String> = std::env::args().collect();
    if let Some(program) = arguments.first_mut() {
        let path = Path::new(program.as_str());
        *program = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    }
    arguments.join(" ")
}

fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if changed { format!("{commit} with changes") } else { commit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_round_a_busy_machine_and_stolen_time_are_told() {
        let environment = Environment { load_average: Some([0.1, 0.0, 0.0]), ..Environment::read() };
        let loops = |times: &[u64]| -> Vec<Calibration> {
            let of =
                |ns: &u64| Calibration { server_core_ns: *ns, load_core_ns: 100, ..Calibration::default() };
            times.iter().map(of).collect()
        };
        assert!(quiet(&environment, &loops(&[100, 110]), &[]).quiet);
        let slow = quiet(&environment, &loops(&[100, 150]), &[]);
        assert!(!slow.quiet && slow.calibration_spread == (1.5, 1.0), "{slow:?}");
        let stolen = Run { steal_share: Some(0.2), ..Run::default() };
        assert!(!quiet(&environment, &loops(&[100]), &[stolen]).quiet);
        let busy = Environment { load_average: Some([3.0, 0.0, 0.0]), ..environment };
        assert!(!quiet(&busy, &loops(&[100]), &[]).quiet);
    }
}

//! The laboratory: processes, cores and effort for the rows, and the interleaving of their rounds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::calibration::{self, Calibration};
use super::process::Process;
use super::{CellRuns, Contestant, Effort, Run, Server};

/// Why something was not measured.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LabError {
    /// A contestant is not installed.
    #[error("{program} is not installed: {hint}")]
    Missing {
        /// The program.
        program: String,
        /// How to get it.
        hint: String,
    },
    /// What should work did not.
    #[error("{0}")]
    Failed(String),
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Whether an id begins so. A number is not cut: `calls-1` begins `calls-1-64` and not `calls-16-64`.
pub(super) fn begins(id: &str, begin: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    id.strip_prefix(begin).is_some_and(|rest| !(digit(begin.chars().last()) && digit(rest.chars().next())))
}

/// What a laboratory is made from.
pub struct LabPlan {
    /// The program under comparison.
    pub binary: PathBuf,
    /// Rounds and windows.
    pub effort: Effort,
    /// Beginnings of the ids that are wanted; empty wants all.
    pub only: Vec<String>,
    /// Told what is being measured.
    pub progress: Box<dyn FnMut(&str)>,
    /// Asked between runs whether to stop.
    pub stop: Box<dyn Fn() -> bool>,
}

impl std::fmt::Debug for LabPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LabPlan")
            .field("binary", &self.binary)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

/// Processes, cores and effort for the rows. The servers under test have one core to themselves; load and the backends of
/// proxies run on the other.
pub struct Lab {
    plan: LabPlan,
    server_core: usize,
    load_core: usize,
    folder: TempDir,
    began: Instant,
    calibrations: Vec<Calibration>,
    runs: Vec<Run>,
    cells: BTreeMap<String, CellRuns>,
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab")
            .field("plan", &self.plan)
            .field("runs", &self.runs.len())
            .finish_non_exhaustive()
    }
}

impl Lab {
    /// A laboratory with its own temporary folder. Pins the calling thread, which is the client's, to the load core.
    ///
    /// # Errors
    /// When there is no folder to be had, or `taskset` is missing.
    pub fn new(plan: LabPlan) -> Result<Lab, LabError> {
        let folder = tempfile::Builder::new().prefix("colloquy-compare-").tempdir();
        let folder = folder.map_err(|error| LabError::Failed(format!("temporary folder: {error}")))?;
        if super::process::find_program("taskset").is_none() {
            return Err(LabError::Missing {
                program: "taskset".to_owned(),
                hint: "apt-get install util-linux".to_owned(),
            });
        }
        let (server_core, load_core) = calibration::cores();
        calibration::pin(load_core);
        Ok(Lab {
            plan,
            server_core,
            load_core,
            folder,
            began: Instant::now(),
            calibrations: Vec::new(),
            runs: Vec::new(),
            cells: BTreeMap::new(),
        })
    }

    /// The program under comparison.
    pub fn binary(&self) -> &Path {
        &self.plan.binary
    }

    /// Rounds and windows.
    pub fn effort(&self) -> Effort {
        self.plan.effort
    }

    /// A folder for files of contestants; gone with the laboratory.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The core of the server under test.
    pub fn server_core(&self) -> usize {
        self.server_core
    }

    /// The core of everything else; the same one where there is only one.
    pub fn load_core(&self) -> usize {
        self.load_core
    }

    /// Since the comparison began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether a finding of this id, or of one that begins so, is wanted.
    pub fn wants(&self, id: &str) -> bool {
        self.plan.only.is_empty() || self.plan.only.iter().any(|begin| begins(id, begin))
    }

    /// Tells what is being measured.
    pub fn say(&mut self, text: &str) {
        (self.plan.progress)(text);
    }

    /// # Errors
    /// [`LabError::Stopped`] when the user asked to stop.
    pub fn go_on(&self) -> Result<(), LabError> {
        if (self.plan.stop)() { Err(LabError::Stopped) } else { Ok(()) }
    }

    /// Starts a contestant on the core of the server under test.
    ///
    /// # Errors
    /// [`LabError::Missing`] when its program is not installed, [`LabError::Failed`] when it does not start.
    pub fn start(&self, contestant: &Contestant) -> Result<Server, LabError> {
        contestant.start(self, &self.server_core.to_string())
    }

    /// Starts a backend: on the core of the load.
    ///
    /// # Errors
    /// As [`Lab::start`].
    pub fn start_backend(&self, contestant: &Contestant) -> Result<Server, LabError> {
        contestant.start(self, &self.load_core.to_string())
    }

    /// Starts any command on a core: [`Lab::server_core`] or [`Lab::load_core`].
    ///
    /// # Errors
    /// When it does not start.
    pub fn spawn(&self, name: &str, command: &[String], core: usize) -> Result<Process, LabError> {
        Process::start(name, command, &core.to_string(), self.folder())
    }

    /// Measures contestants in interleaved rounds: `run(lab, contestant, round)` for each contestant in each round, in an
    /// order that rotates from round to round. A contestant that fails takes no further part and is in
    /// [`CellRuns::absent`].
    ///
    /// # Errors
    /// [`LabError::Stopped`] only.
    pub fn interleave(
        &mut self,
        cell: &str,
        contestants: &[String],
        mut run: impl FnMut(&mut Lab, usize, usize) -> Result<Run, LabError>,
    ) -> Result<CellRuns, LabError> {
        let mut found = CellRuns {
            contestants: contestants.to_vec(),
            of: vec![Vec::new(); contestants.len()],
            absent: vec![None; contestants.len()],
        };
        for round in 0..self.plan.effort.rounds {
            self.go_on()?;
            self.calibrate(cell, round);
            for turn in 0..contestants.len() {
                let index = (turn + round) % contestants.len();
                if found.absent[index].is_some() {
                    continue;
                }
                self.say(&format!(
                    "{cell}  round {}/{}  {}",
                    round + 1,
                    self.plan.effort.rounds,
                    contestants[index]
                ));
                match run(self, index, round) {
                    Ok(mut done) => {
                        cell.clone_into(&mut done.cell);
                        done.contestant.clone_from(&contestants[index]);
                        done.round = round;
                        self.runs.push(done.clone());
                        found.of[index].push(done);
                    }
                    Err(LabError::Stopped) => return Err(LabError::Stopped),
                    Err(fault) => found.absent[index] = Some(fault),
                }
            }
        }
        Ok(found)
    }

    /// Times a fixed amount of work on both cores.
    pub fn calibrate(&mut self, cell: &str, round: usize) {
        let mut now = calibration::measure(self.server_core, self.load_core);
        cell.clone_into(&mut now.cell);
        now.round = round;
        self.calibrations.push(now);
    }

    /// Cells that were measured, by name; a cell that feeds several rows is measured once.
    pub(super) fn cells(&mut self) -> &mut BTreeMap<String, CellRuns> {
        &mut self.cells
    }

    /// What has been run so far, in order.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// What the calibration loops took so far.
    pub fn calibrations(&self) -> &[Calibration] {
        &self.calibrations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_of_an_id_does_not_cut_a_number() {
        assert!(begins("calls-1-64", "calls-1"));
        assert!(begins("calls-1-64", "calls"));
        assert!(begins("relay-haproxy-64x16", "relay-ha"));
        assert!(begins("latency-p99.9", "latency-p99"));
        assert!(!begins("calls-16-64", "calls-1"));
        assert!(!begins("echo-1", "echo-1-64x64"));
        assert!(!begins("echo-1", "relay"));
    }
}

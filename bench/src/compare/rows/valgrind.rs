//! Cells under valgrind: a whole shard on one thread (`colloquy cell`), counted from outside.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::super::process::{Process, find_program, unique};
use super::super::{Lab, LabError};
use crate::micro::flat;

/// A simulated processor is some fifty times slower than a real one.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a cell is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Through a relay to an echo, both on the cell's thread; else an echo.
    pub(super) relay: bool,
    /// Octets of an SSDU.
    pub(super) octets: usize,
    /// SSDUs of a session in flight.
    pub(super) depth: usize,
    /// Sessions.
    pub(super) sessions: usize,
    /// Sessions with SSDUs in flight at a time.
    pub(super) at_once: usize,
    /// SSDUs before those that count.
    pub(super) warm_up: u64,
    /// SSDUs that count.
    pub(super) ssdus: u64,
}

/// What a cell counted itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Counted {
    /// SSDUs that counted.
    pub(super) ssdus: u64,
    /// Copies of 2 KiB and more among them.
    pub(super) copies_large: u64,
    /// Copies of less.
    pub(super) copies_small: u64,
}

impl Cell {
    fn command(&self, lab: &Lab) -> Vec<String> {
        let mut command = vec![lab.binary().display().to_string(), "cell".to_owned()];
        if self.relay {
            command.push("--relay".to_owned());
        }
        for (flag, value) in [
            ("--octets", self.octets as u64),
            ("--depth", self.depth as u64),
            ("--sessions", self.sessions as u64),
            ("--at-once", self.at_once as u64),
            ("--warm-up", self.warm_up),
            ("--ssdus", self.ssdus),
        ] {
            command.extend([flag.to_owned(), value.to_string()]);
        }
        command
    }
}

/// Allocations of a whole run of a cell, its setting up included.
pub(super) fn allocations(lab: &Lab, cell: &Cell) -> Result<(Counted, u64), LabError> {
    let log = lab.folder().join(format!("memcheck-{}.log", unique()));
    let arguments = [
        "--tool=memcheck".to_owned(),
        "--leak-check=no".to_owned(),
        "--undef-value-errors=no".to_owned(),
        format!("--log-file={}", log.display()),
    ];
    let counted = run(lab, &arguments, cell)?;
    let text = read(&log)?;
    let allocations = heap_allocations(&text)
        .ok_or_else(|| LabError::Failed(format!("memcheck ended without a heap summary: {text}")))?;
    Ok((counted, allocations))
}

/// Instructions of the shard in the measured part of a cell.
pub(super) fn instructions(lab: &Lab, cell: &Cell) -> Result<(Counted, u64), LabError> {
    let out = lab.folder().join(format!("callgrind-{}.out", unique()));
    let arguments = [
        "--tool=callgrind".to_owned(),
        "--collect-atstart=no".to_owned(),
        format!("--toggle-collect={}", flat::TOGGLE),
        format!("--callgrind-out-file={}", out.display()),
        format!("--log-file={}.log", out.display()),
    ];
    let counted = run(lab, &arguments, cell)?;
    let text = read(&out)?;
    let instructions = callgrind_instructions(&text).filter(|count| *count > 0);
    let instructions = instructions
        .ok_or_else(|| LabError::Failed(format!("callgrind collected nothing in {}", flat::TOGGLE)))?;
    Ok((counted, instructions))
}

fn run(lab: &Lab, arguments: &[String], cell: &Cell) -> Result<Counted, LabError> {
    let valgrind = find_program("valgrind").ok_or_else(|| LabError::Missing {
        program: "valgrind".to_owned(),
        hint: "apt-get install valgrind".to_owned(),
    })?;
    let mut command = vec![valgrind.display().to_string()];
    command.extend_from_slice(arguments);
    command.extend(cell.command(lab));
    let mut process = lab.spawn("cell under valgrind", &command, lab.server_core())?;
    let line = process.line(PATIENCE)?;
    ended(&mut process)?;
    serde_json::from_str(&line).map_err(|error| process.fault(&format!("says {line:?}: {error}")))
}

/// Waits until it has ended by itself: valgrind writes its summary then.
fn ended(process: &mut Process) -> Result<(), LabError> {
    let deadline = Instant::now() + PATIENCE;
    while process.is_running() {
        if Instant::now() > deadline {
            return Err(process.fault(&format!("does not end within {PATIENCE:?}")));
        }
        // Polls: there is no wait with a timeout.
        std::thread::sleep(Duration::from_millis(2));
    }
    match process.end() {
        Some(status) if status.success() => Ok(()),
        status => Err(process.fault(&format!("ended with {status:?}"))),
    }
}

fn read(path: &Path) -> Result<String, LabError> {
    std::fs::read_to_string(path).map_err(|error| LabError::Failed(format!("{}: {error}", path.display())))
}

/// N of memcheck's `total heap usage: N allocs, ...`.
fn heap_allocations(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("total heap usage:")?;
    number(rest.split_whitespace().next()?)
}

/// N of callgrind's `summary: N` (or `totals: N`), whose first event is Ir.
fn callgrind_instructions(text: &str) -> Option<u64> {
    let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
    number(of("summary:").or_else(|| of("totals:"))?)
}

/// A number as valgrind prints it: with commas between thousands.
fn number(text: &str) -> Option<u64> {
    text.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heap_summary_of_memcheck_is_read() {
        let text = "==2== HEAP SUMMARY:\n==2==     in use at exit: 20,304 bytes in 38 blocks\n\
                    ==2==   total heap usage: 1,214 allocs, 1,176 frees, 3,412,094 bytes allocated\n==2== \n";
        assert_eq!(heap_allocations(text), Some(1214));
        assert_eq!(heap_allocations("==2== HEAP SUMMARY:\n"), None);
    }

    #[test]
    fn the_summary_of_callgrind_is_read() {
        let text = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 31930\ncmd: colloquy\npart: 1\n\n\
                    desc: Trigger: Program termination\n\npositions: line\nevents: Ir\nsummary: 1234567\n\n\
                    fn=(1) x\n3 12\n\ntotals: 1234567\n";
        assert_eq!(callgrind_instructions(text), Some(1_234_567));
        assert_eq!(callgrind_instructions("events: Ir\n\ntotals: 77\n"), Some(77));
        assert_eq!(callgrind_instructions("events: Ir\n"), None);
    }
}

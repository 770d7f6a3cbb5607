//! Memory of idle sessions: that of the engine, and all of it, sockets included.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::contestant::{Contestant, Driver};
use super::super::process::Process;
use super::super::statistics::estimate;
use super::super::{Finding, Lab, LabError, Row, Server};
use super::system_memory::SystemMemory;

/// Octets of engine memory for each idle established session, at most.
const ENGINE_OCTETS_MAX: f64 = 1024.0;
/// Idle sessions in a GiB, at least.
const PER_GIB_MIN: f64 = 200_000.0;
const GIB: f64 = (1u64 << 30) as f64;
/// Sessions that each step of the engine's row adds; quick: a quarter.
const ENGINE_STEP: usize = 8_000;
/// Sessions in one process; quick: a tenth.
const SESSIONS: usize = 40_000;
const SHARDS: usize = 3;
/// Sessions that one process holds: below its own limit on open files.
const HELD_MAX: usize = 10_000;
const HOLD_PATIENCE: Duration = Duration::from_secs(300);
/// Rounds, at most: each opens all its sessions anew, and memory varies little.
const ROUNDS_MAX: usize = 3;
/// How long memory has to come to rest, and how long it must have.
const REST_PATIENCE: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_millis(300);
/// What may still change at rest: a hundredth of the sessions' memory.
const REST_SHARE: f64 = 0.001;

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Engine), Box::new(PerGib)]
}

struct Engine;

impl Row<Lab> for Engine {
    fn id(&self) -> &'static str {
        "memory-engine"
    }

    fn what(&self) -> &'static str {
        "engine memory of an idle established session: 1 KiB"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        vec![match engine(lab) {
            Ok(finding) => finding,
            Err(why) => Finding::not_measured(self.id(), self.what(), ENGINE_OCTETS_MAX, &why),
        }]
    }
}

fn engine(lab: &mut Lab) -> Result<Finding, LabError> {
    let step = if lab.effort().quick { ENGINE_STEP / 4 } else { ENGINE_STEP };
    let (mut each, mut raw) = (Vec::new(), Vec::new());
    for round in 0..lab.effort().rounds.min(ROUNDS_MAX) {
        lab.go_on()?;
        lab.say(&format!("memory-engine  {step} and {} sessions, round {}", 2 * step, round + 1));
        let server = lab.start(&Contestant::echo(Driver::IoUring))?;
        let mut held = Vec::new();
        let mut resident = Vec::new();
        for step_number in 0..2 {
            held.extend(hold(lab, &server, step, 2 + step_number)?);
            check_established(&server, (step_number + 1) * step)?;
            resident.push(at_rest(|| Ok(server.process.resident_octets()? as f64))?);
        }
        let octets = (resident[1] - resident[0]) / step as f64;
        raw.push(json!({ "sessions": [step, 2 * step], "resident_octets": resident, "per_session": octets }));
        each.push(octets);
    }
    let remark = format!(
        "Resident memory of a gateway of one shard on io_uring with {step} and with {} idle sessions; the difference for \
         each session. Memory of the kernel is in memory-gib.",
        2 * step
    );
    Ok(Finding::quantity("memory-engine", Engine.what(), "octets", ENGINE_OCTETS_MAX, estimate(&each))
        .remarked(remark)
        .with_raw(raw))
}

struct PerGib;

impl Row<Lab> for PerGib {
    fn id(&self) -> &'static str {
        "memory-gib"
    }

    fn what(&self) -> &'static str {
        "idle established sessions in a GiB, sockets included, from 40 000 in one process"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        vec![match per_gib(lab) {
            Ok(finding) => finding,
            Err(why) => Finding::not_measured(self.id(), self.what(), PER_GIB_MIN, &why).at_least(),
        }]
    }
}

/// What sessions have cost, in octets.
struct Cost {
    /// Of the gateway's process.
    gateway: f64,
    /// Of the kernel, for both ends.
    kernel: f64,
    /// What the system has less to give away, for both ends and the holding processes.
    available: f64,
}

impl Cost {
    /// Of one session at our end.
    fn of_one(&self, sessions: usize) -> f64 {
        (self.gateway + self.kernel / 2.0) / sessions as f64
    }
}

fn per_gib(lab: &mut Lab) -> Result<Finding, LabError> {
    let sessions = if lab.effort().quick { SESSIONS / 10 } else { SESSIONS };
    let (mut each, mut raw, mut limits) = (Vec::new(), Vec::new(), String::new());
    let (mut gateway, mut kernel) = (Vec::new(), Vec::new());
    for round in 0..lab.effort().rounds.min(ROUNDS_MAX) {
        lab.go_on()?;
        lab.say(&format!("memory-gib  {sessions} sessions, round {}", round + 1));
        let server = lab.start(&Contestant::echo(Driver::IoUring).with_shards(SHARDS))?;
        let cost = cost_of(lab, &server, sessions)?;
        let (descriptors, limit) = descriptors(&server);
        limits = format!("its limit on open files is {limit}, and {descriptors} were open");
        each.push(GIB / cost.of_one(sessions));
        gateway.push(cost.gateway / sessions as f64);
        kernel.push(cost.kernel / 2.0 / sessions as f64);
        raw.push(json!({
            "sessions": sessions, "gateway_octets": cost.gateway, "kernel_octets_both_ends": cost.kernel,
            "available_octets_less": cost.available, "open_files": descriptors, "open_files_max": limit,
            "per_gib": GIB / cost.of_one(sessions),
        }));
    }
    let remark = format!(
        "{sessions} sessions in one gateway of {SHARDS} shards on io_uring; {limits}: connections are direct descriptors. For \
         each session {:.0} octets resident in the gateway and {:.0} of the kernel: slab, socket buffers, page tables, \
         stacks and per-CPU memory, halved, because both ends of each connection are on this machine.{}",
        estimate(&gateway).value,
        estimate(&kernel).value,
        if sessions == SESSIONS { "" } else { " Short form: a tenth of the sessions." },
    );
    Ok(Finding::quantity("memory-gib", PerGib.what(), "sessions per GiB", PER_GIB_MIN, estimate(&each))
        .at_least()
        .remarked(remark)
        .with_raw(raw))
}

fn cost_of(lab: &Lab, server: &Server, sessions: usize) -> Result<Cost, LabError> {
    let kernel = || at_rest(|| Ok(SystemMemory::now()?.kernel_octets() as f64));
    // The first sessions grow what all of them share.
    let _first = hold(lab, server, HELD_MAX.min(sessions) / 10, 2)?;
    let resident = at_rest(|| Ok(server.process.resident_octets()? as f64))?;
    let (before, available) = (kernel()?, SystemMemory::now()?.available_octets as f64);
    let first = established(server)?;
    let _held = hold(lab, server, sessions - first, 3)?;
    check_established(server, sessions)?;
    let after = kernel()?;
    let available = available - SystemMemory::now()?.available_octets as f64;
    let resident = at_rest(|| Ok(server.process.resident_octets()? as f64))? - resident;
    // What was measured is all but the first ones.
    let scale = sessions as f64 / (sessions - first) as f64;
    Ok(Cost { gateway: resident * scale, kernel: (after - before) * scale, available: available * scale })
}

/// Processes that hold sessions with the server, each from a source address of its own, the first one 127.0.0.`source`.
fn hold(lab: &Lab, server: &Server, sessions: usize, source: usize) -> Result<Vec<Process>, LabError> {
    let count = sessions.div_ceil(HELD_MAX).max(1);
    let mut processes = Vec::new();
    for number in 0..count {
        let share = sessions * (number + 1) / count - sessions * number / count;
        let command = [
            lab.binary().display().to_string(),
            "pump".to_owned(),
            "--to".to_owned(),
            server.address.to_string(),
            "--connections".to_owned(),
            share.to_string(),
            "--source".to_owned(),
            format!("127.0.0.{}", source + number),
            "--hold".to_owned(),
        ];
        let mut process = lab.spawn("pump that holds sessions", &command, lab.load_core())?;
        process.line(HOLD_PATIENCE)?;
        processes.push(process);
    }
    Ok(processes)
}

fn established(server: &Server) -> Result<usize, LabError> {
    const SERIES: &str = "colloquy_sessions{state=\"established\",role=\"any\"}";
    let value = server.metric(SERIES)?;
    value.map(|value| value as usize).ok_or_else(|| LabError::Failed(format!("{SERIES} is not in /metrics")))
}

fn check_established(server: &Server, sessions: usize) -> Result<(), LabError> {
    match established(server)? {
        count if count == sessions => Ok(()),
        count => Err(LabError::Failed(format!("{count} sessions are established, not {sessions}"))),
    }
}

/// Descriptors in use, and the limit on them.
fn descriptors(server: &Server) -> (usize, String) {
    let folder = format!("/proc/{}", server.process.pid());
    let count = std::fs::read_dir(format!("{folder}/fd")).map_or(0, Iterator::count);
    let limits = std::fs::read_to_string(format!("{folder}/limits")).unwrap_or_default();
    (count, open_files_max(&limits).unwrap_or_else(|| "unknown".to_owned()))
}

/// The hard limit of `Max open files` in `/proc/PID/limits`.
fn open_files_max(limits: &str) -> Option<String> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

/// A quantity once it has come to rest; what it is when time is up, if it never does.
fn at_rest(mut read: impl FnMut() -> Result<f64, LabError>) -> Result<f64, LabError> {
    let deadline = Instant::now() + REST_PATIENCE;
    let mut last = read()?;
    loop {
        // Polls: the kernel frees what connections no longer need in its own time.
        std::thread::sleep(REST);
        let now = read()?;
        if (now - last).abs() <= last.abs() * REST_SHARE || Instant::now() > deadline {
            return Ok(now);
        }
        last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_on_open_files_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max cpu time              unlimited            unlimited            seconds   \n\
                      Max open files            1024                 20000                files     \n";
        assert_eq!(open_files_max(limits).as_deref(), Some("20000"));
        assert_eq!(open_files_max(""), None);
    }

    #[test]
    fn half_of_the_kernel_s_memory_is_ours() {
        let cost = Cost { gateway: 1000.0 * 800.0, kernel: 1000.0 * 7200.0, available: 0.0 };
        assert_eq!(cost.of_one(1000), 4400.0);
    }

    #[test]
    fn a_quantity_is_taken_once_it_rests() {
        let mut values = [100.0, 50.0, 10.0, 10.0, 99.0].into_iter();
        assert_eq!(at_rest(|| Ok(values.next().unwrap())).unwrap(), 10.0);
    }
}

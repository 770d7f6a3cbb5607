//! `colloquy load --replay`: the initiator's side of a recorded session against a responder.

mod conversation;
mod reading;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use colloquy_bench::replay::report::SessionSummary;
use colloquy_bench::replay::{ReplayPlan, ReplayReport, Speed, replay};
use colloquy_bench::{DriverChoice, Go};

use crate::descriptors;
use crate::stop::StopFlag;

/// Descriptors beside those of the sessions.
const DESCRIPTORS_SPARE: u64 = 64;

/// What of a plan has no meaning for a replay.
const NOT_WITH_REPLAY: [&str; 12] = [
    "plan",
    "sessions",
    "size",
    "depth",
    "seconds",
    "rate",
    "poisson",
    "half_duplex",
    "threads",
    "payload",
    "discard",
    "source",
];

/// Flags of a replay.
#[derive(Debug, Args)]
#[command(next_help_heading = "Replay")]
pub(crate) struct ReplayArgs {
    /// Capture (pcap, pcapng) whose initiators' side is sent; answers are compared by type of SPDU
    #[arg(long, value_name = "FILE", conflicts_with_all = NOT_WITH_REPLAY)]
    pub(crate) replay: Option<PathBuf>,
    /// Copies of each session, all at once. A replay takes --to (else the recorded responder), --driver, --json, --out
    #[arg(long, value_name = "N", requires = "replay", default_value_t = 1, hide = true)]
    copies: u32,
    /// With the gaps of the capture, or as fast as the answers allow
    #[arg(long, value_enum, value_name = "SPEED", requires = "replay", default_value_t = SpeedName::Recorded, hide = true)]
    speed: SpeedName,
    /// Number of the session in the capture; may be given several times [default: all]
    #[arg(long, value_name = "N", requires = "replay", hide = true)]
    session: Vec<usize>,
    /// An answer later than recorded by more than this is missing
    #[arg(long, value_name = "MS", requires = "replay", default_value_t = 10_000, hide = true)]
    answer_timeout_ms: u64,
}

/// Speeds by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SpeedName {
    Recorded,
    Full,
}

/// What the flags of `load` say that a replay takes, too.
pub(crate) struct Shared<'a> {
    /// Responders; at most one.
    pub(crate) to: &'a [SocketAddr],
    pub(crate) driver: DriverChoice,
    pub(crate) json: bool,
    pub(crate) out: Option<&'a Path>,
}

/// Replays `file`.
pub(crate) fn run(args: &ReplayArgs, file: &Path, shared: &Shared<'_>) -> ExitCode {
    let bad = |fault: &dyn std::fmt::Display| {
        eprintln!("colloquy: {fault}");
        ExitCode::from(2)
    };
    let found = match reading::read(file) {
        Ok(found) => found,
        Err(fault) => return bad(&format!("{}: octet {}: {}", file.display(), fault.offset, fault.what)),
    };
    for note in &found.notes {
        eprintln!("{}: {note}", file.display());
    }
    let ([] | [_]) = shared.to else { return bad(&"--replay takes one --to") };
    let plan = ReplayPlan {
        to: shared.to.first().copied(),
        copies: args.copies,
        speed: match args.speed {
            SpeedName::Recorded => Speed::Recorded,
            SpeedName::Full => Speed::Full,
        },
        sessions: args.session.clone(),
        answer_timeout: Duration::from_millis(args.answer_timeout_ms),
        driver: shared.driver,
    };
    let chosen = match plan.chosen(&found.recording) {
        Ok(chosen) => chosen,
        Err(fault) => {
            for (number, session) in (1..).zip(&found.recording.sessions) {
                eprintln!("{}", SessionSummary::new(session, number, true).line());
            }
            return bad(&format!("{}: {fault}", file.display()));
        }
    };
    let connections = u64::from(plan.copies) * chosen.len() as u64;
    if let Err(fault) = descriptors::raise(connections + DESCRIPTORS_SPARE) {
        eprintln!("colloquy: {fault}");
        return ExitCode::from(1);
    }
    let told = || -> anyhow::Result<ReplayReport> {
        let stop = StopFlag::install()?;
        let report = replay(&found.recording, &plan, &mut |_| if stop.is_set() { Go::Stop } else { Go::On })?;
        tell(&report, shared)?;
        Ok(report)
    };
    match told() {
        Ok(report) if report.is_clean() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

fn tell(report: &ReplayReport, shared: &Shared<'_>) -> anyhow::Result<()> {
    if shared.json {
        crate::say(&format!("{}\n", serde_json::to_string(report)?));
    } else {
        crate::say(&report.table());
    }
    if let Some(folder) = shared.out {
        report.write_to(folder)?;
    }
    Ok(())
}

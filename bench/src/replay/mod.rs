//! A recorded session sent again: the initiator's side of it, in many copies at once, to a responder.
//!
//! A [`Recording`] holds the TSDUs of both directions. [`replay`] opens a transport connection of its own for every
//! copy (CR and CC are negotiated anew, with the recorded TSAPs), sends the initiator's TSDUs as they are, and compares
//! the answers with the recorded ones by the types of their SPDUs, in order. A TSDU is sent when as many answers have
//! come as had come in the recording, and at recorded speed not before its time in it.
//!
//! Latency counts from when a TSDU was meant to be sent: at recorded speed that is its place in the recording, so that
//! a responder that falls behind is told, whatever waits for it; at full speed it is the answer it had waited for.
//! What is an answer to what is decided by type ([`SessionRecorder::answer`]).
//!
//! A copy that leaves the recording sends nothing more: its initiator would have gone on in another way, too. So every
//! copy has one mismatch at most, and what was recorded behind it is counted as not reached.

mod copy;
pub mod kinds;
pub mod recording;
pub mod report;
mod runner;
mod script;
pub mod tally;

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::driver::select::Backend;
#[cfg(target_os = "linux")]
use colloquy_transport::driver::uring::{UringConfig, UringDriver};
use serde::Serialize;

use crate::environment::{Environment, rfc3339};
use crate::plan::DriverChoice;
use crate::run::{Go, LoadError, choose};

pub use copy::SETTLE;
pub use recording::{Moment, RecordedAnswer, RecordedRequest, RecordedSession, Recording, SessionRecorder};
pub use report::ReplayReport;
pub use script::KINDS_MAX;

use report::RunFacts;
use runner::Runner;

/// Most copies of all sessions together.
pub const RUNS_MAX: u64 = 1_000_000;
/// Connections beside those of the copies.
const SPARE_CONNECTIONS: u32 = 64;

/// How fast a recording is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speed {
    /// With the gaps of the capture.
    #[default]
    Recorded,
    /// As fast as the answers allow.
    Full,
}

/// What to replay, and how.
#[derive(Clone, Debug, Serialize)]
pub struct ReplayPlan {
    /// The responder; each session's own when absent.
    pub to: Option<SocketAddr>,
    /// Copies of each session, all at once.
    pub copies: u32,
    /// With the gaps of the capture, or without.
    pub speed: Speed,
    /// Sessions to replay by their numbers in the recording, from 1; all when empty.
    pub sessions: Vec<usize>,
    /// An answer that is later than it was in the recording by more than this is missing.
    #[serde(skip)]
    pub answer_timeout: Duration,
    /// The driver.
    #[serde(skip)]
    pub driver: DriverChoice,
}

impl Default for ReplayPlan {
    fn default() -> Self {
        ReplayPlan {
            to: None,
            copies: 1,
            speed: Speed::Recorded,
            sessions: Vec::new(),
            answer_timeout: Duration::from_secs(10),
            driver: DriverChoice::Auto,
        }
    }
}

/// Why a replay did not take place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// There is no session to be replayed.
    #[error("the recording holds no session that can be replayed")]
    Nothing,
    /// A session was chosen that is not there.
    #[error("session {number}: the recording holds {there}")]
    Session {
        /// The number asked for.
        number: usize,
        /// Sessions there are.
        there: usize,
    },
    /// Too many copies, or none.
    #[error("{copies} copies of {sessions} sessions: 1 to {RUNS_MAX} in all")]
    Copies {
        /// Copies asked for.
        copies: u32,
        /// Sessions chosen.
        sessions: usize,
    },
    /// The driver, or the system.
    #[error(transparent)]
    Run(#[from] LoadError),
}

/// A look at a replay under way.
#[derive(Clone, Copy, Debug)]
pub struct ReplayProgress {
    /// Copies of all sessions.
    pub runs: usize,
    /// Those that have ended.
    pub ended: usize,
    /// Time since the beginning.
    pub elapsed: Duration,
}

impl ReplayPlan {
    /// The numbers of the sessions to be replayed.
    ///
    /// # Errors
    /// [`ReplayError`] when the plan does not fit the recording.
    pub fn chosen(&self, recording: &Recording) -> Result<Vec<usize>, ReplayError> {
        let there = recording.sessions.len();
        if there == 0 {
            return Err(ReplayError::Nothing);
        }
        let chosen = if self.sessions.is_empty() { (1..=there).collect() } else { self.sessions.clone() };
        if let Some(&number) = chosen.iter().find(|number| !(1..=there).contains(number)) {
            return Err(ReplayError::Session { number, there });
        }
        let runs = u64::from(self.copies) * chosen.len() as u64;
        if !(1..=RUNS_MAX).contains(&runs) {
            return Err(ReplayError::Copies { copies: self.copies, sessions: chosen.len() });
        }
        Ok(chosen)
    }
}

/// Replays on the calling thread; `progress` is called about five times a second.
///
/// Copies that leave the recording are in the report, not errors.
///
/// # Errors
/// [`ReplayError`] when the replay cannot take place.
pub fn replay(
    recording: &Recording,
    plan: &ReplayPlan,
    progress: &mut dyn FnMut(&ReplayProgress) -> Go,
) -> Result<ReplayReport, ReplayError> {
    let chosen = plan.chosen(recording)?;
    let (backend, driver_reason) = choose(plan.driver)?;
    let (environment, began_at, began) = (Environment::read(), SystemTime::now(), Instant::now());
    let connections_max = plan.copies.saturating_mul(chosen.len() as u32).saturating_add(SPARE_CONNECTIONS);
    let system = |what| move |error| LoadError::System { what, error };
    let done = match backend {
        Backend::Mio => {
            let config = MioConfig { connections_max, ..MioConfig::default() };
            let driver = MioDriver::new(config).map_err(system("starting mio"))?;
            Runner::new(driver, recording, plan, &chosen).run(progress)
        }
        #[cfg(target_os = "linux")]
        Backend::IoUring => {
            let config = UringConfig { files_max: connections_max, ..UringConfig::default() };
            let driver = UringDriver::new(config).map_err(system("starting io_uring"))?;
            Runner::new(driver, recording, plan, &chosen).run(progress)
        }
        #[cfg(not(target_os = "linux"))]
        Backend::IoUring => Err(std::io::Error::other("io_uring needs Linux")),
    };
    let done = done.map_err(system("replay"))?;
    let facts = RunFacts {
        began_at: rfc3339(began_at),
        environment,
        driver: backend.to_string(),
        driver_reason,
        elapsed: began.elapsed(),
    };
    Ok(ReplayReport::new(recording, plan, &chosen, done, facts))
}

#[cfg(test)]
mod tests;

//! Load plans: what a run does, from a TOML file or built in code.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::hex::{HexFault, octets_of_hex};
use crate::mix::Mix;
use crate::origin::Origin;
use crate::steps::Step;
use crate::thresholds::Threshold;

/// The only schema of load plans so far.
pub const SCHEMA_VERSION: u32 = 1;
/// Most sessions of a run.
pub const SESSIONS_MAX: u32 = 1_000_000;
/// Most SSDUs in flight per session.
pub const DEPTH_MAX: u32 = 4096;
/// Most SSDUs in flight in a run: each takes 16 octets of the generator's memory.
pub const IN_FLIGHT_MAX: u64 = 1 << 24;
/// Longest SSDU, in octets.
pub const SSDU_OCTETS_MAX: u32 = 16 << 20;
/// Most generator threads.
pub const THREADS_MAX: u32 = 64;

/// How requests are paced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Every answer is followed by the next request: measures capacity.
    #[default]
    Closed,
    /// Open loop, requests evenly spaced.
    Constant,
    /// Open loop, exponentially distributed gaps.
    Poisson,
}

/// Which data dialogue is proposed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialogue {
    /// Duplex functional unit.
    #[default]
    Duplex,
    /// Half-duplex functional unit: the data token goes over after each round of requests.
    HalfDuplex,
}

/// What is done with answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Content and order of every SSDU are compared with what was sent.
    #[default]
    Echo,
    /// Answers are counted only.
    Discard,
}

/// Which driver the generator runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverChoice {
    /// io_uring where it works, else mio.
    #[default]
    Auto,
    /// io_uring or failure.
    IoUring,
    /// mio.
    Mio,
}

impl DriverChoice {
    /// The name as in plans and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            DriverChoice::Auto => "auto",
            DriverChoice::IoUring => "io_uring",
            DriverChoice::Mio => "mio",
        }
    }
}

/// A selector in a plan: `"0x0001"`, `"ascii:ICCP"` or `""`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectorText {
    /// The octets meant.
    pub octets: Vec<u8>,
}

impl std::str::FromStr for SelectorText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let octets = if let Some(hex) = text.strip_prefix("0x") {
            octets_of_hex(hex).map_err(|fault| fault.to_string())?
        } else if let Some(ascii) = text.strip_prefix("ascii:") {
            ascii.as_bytes().to_vec()
        } else if text.is_empty() {
            Vec::new()
        } else {
            return Err(format!(
                "selector `{text}` must begin with 0x or ascii:, as in 0x0001 or ascii:ICCP"
            ));
        };
        Ok(SelectorText { octets })
    }
}

impl fmt::Display for SelectorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.octets.is_empty() {
            return Ok(());
        }
        f.write_str("0x")?;
        self.octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl<'de> Deserialize<'de> for SelectorText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for SelectorText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a run does. `configs/load.toml` explains every key.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadPlan {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Where sessions go, round robin. Never empty.
    pub to: Vec<SocketAddr>,
    /// Concurrent sessions.
    pub sessions: u32,
    /// Octets of each SSDU; with a payload its length counts.
    pub ssdu_octets: u32,
    /// SSDUs in flight per session, at most.
    pub depth: u32,
    /// Pacing.
    pub mode: Mode,
    /// Whole-run rate of an open loop, in SSDUs per second. With steps that of the warm-up; 0 is then the first one's.
    pub rate_per_s: f64,
    /// Time over which sessions are opened.
    pub ramp_ms: u64,
    /// Load before the measured part.
    pub warm_up_ms: u64,
    /// The measured part, where there are no steps.
    pub duration_ms: u64,
    /// How long unanswered SSDUs are waited for at the end.
    pub drain_ms: u64,
    /// SSDUs each session sends, then stops; 0 leaves only the duration to end the run.
    pub ssdus_per_session_max: u64,
    /// Generator threads, each with its share of the sessions.
    pub threads: u32,
    /// The generator's driver.
    pub driver: DriverChoice,
    /// Cores to pin threads to, in turn; none leaves them unpinned.
    pub cores: Vec<usize>,
    /// Dialogue.
    pub dialogue: Dialogue,
    /// Check of answers.
    pub check: Check,
    /// Calling TSAP selector.
    pub calling_tsap: SelectorText,
    /// Called TSAP selector.
    pub called_tsap: SelectorText,
    /// Calling SSAP selector.
    pub calling_ssap: SelectorText,
    /// Called SSAP selector.
    pub called_ssap: SelectorText,
    /// Largest TPDU proposed, in octets.
    pub tpdu_octets_max: u32,
    /// Hex file with the user data of each CN.
    pub connect_user_data_file: Option<PathBuf>,
    /// Hex file with the user data of each FN.
    pub release_user_data_file: Option<PathBuf>,
    /// Hex file with the content of each SSDU.
    pub payload_file: Option<PathBuf>,
    /// Local addresses, round robin: more than one for more than about 28 000 sessions to one target.
    pub source_addresses: Vec<IpAddr>,
    /// Sessions being opened at one time, per thread.
    pub connecting_max: u32,
    /// Longest time for one session to be established.
    pub connect_timeout_ms: u64,
    /// Seed of payload and Poisson gaps.
    pub seed: u64,
    /// Lateness (p99) of an open loop beyond which a run is not valid.
    pub lateness_p99_us_max: u64,
    /// Protocol versions proposed: 1, 2 or both.
    pub versions: Vec<u8>,
    /// Functional units proposed, by name; none derives them from the dialogue and the mix.
    pub units: Vec<String>,
    /// Longest TSDU proposed for both directions, in octets; longer SSDUs are segmented. 0 proposes no limit.
    pub tsdu_octets_max: u16,
    /// Rates that follow one another in an open loop; none leaves it at `rate_per_s` for `duration_ms`.
    pub step: Vec<Step>,
    /// What the run must keep to.
    pub thresholds: Vec<Threshold>,
    /// What happens among the SSDUs.
    pub mix: Mix,
    /// Octets of CN and FN user data and of each SSDU, read from the files by [`LoadPlan::from_file`] or set here.
    #[serde(skip)]
    pub content: Content,
    /// Where the keys stand in the file that the plan was read from.
    #[serde(skip)]
    pub origin: Origin,
}

/// Octets that a plan's files hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// User data of each CN.
    pub connect_user_data: Vec<u8>,
    /// User data of each FN.
    pub release_user_data: Vec<u8>,
    /// Content of each SSDU; `None` generates it from session, sequence number and seed.
    pub payload: Option<Vec<u8>>,
}

impl Default for LoadPlan {
    fn default() -> Self {
        LoadPlan {
            schema_version: SCHEMA_VERSION,
            to: Vec::new(),
            sessions: 100,
            ssdu_octets: 256,
            depth: 1,
            mode: Mode::Closed,
            rate_per_s: 0.0,
            ramp_ms: 0,
            warm_up_ms: 1000,
            duration_ms: 10_000,
            drain_ms: 2000,
            ssdus_per_session_max: 0,
            threads: 1,
            driver: DriverChoice::Auto,
            cores: Vec::new(),
            dialogue: Dialogue::Duplex,
            check: Check::Echo,
            calling_tsap: SelectorText::default(),
            called_tsap: SelectorText::default(),
            calling_ssap: SelectorText::default(),
            called_ssap: SelectorText::default(),
            tpdu_octets_max: 8192,
            connect_user_data_file: None,
            release_user_data_file: None,
            payload_file: None,
            source_addresses: Vec::new(),
            connecting_max: 128,
            connect_timeout_ms: 10_000,
            seed: 1,
            lateness_p99_us_max: 5000,
            versions: vec![2],
            units: Vec::new(),
            tsdu_octets_max: 0,
            step: Vec::new(),
            thresholds: Vec::new(),
            mix: Mix::default(),
            content: Content::default(),
            origin: Origin::default(),
        }
    }
}

impl LoadPlan {
    /// Reads a plan and the hex files it names (relative to the plan), and checks it.
    ///
    /// # Errors
    /// [`PlanError`]: a file cannot be read, is no TOML, has unknown keys, or values out of range.
    pub fn from_file(path: &Path) -> Result<LoadPlan, PlanError> {
        let plan = Self::read(path)?;
        plan.validate()?;
        Ok(plan)
    }

    /// Reads a plan and the hex files it names without judging its values, some of which may be replaced yet.
    ///
    /// # Errors
    /// [`PlanError`], but for [`PlanError::Range`].
    pub fn read(path: &Path) -> Result<LoadPlan, PlanError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| PlanError::Read { path: path.to_owned(), error })?;
        let mut plan: LoadPlan = toml::from_str(&text)
            .map_err(|error| PlanError::Syntax { path: path.to_owned(), error: Box::new(error) })?;
        plan.origin = Origin::of(path, &text);
        plan.load_content(path.parent().unwrap_or(Path::new(".")))?;
        Ok(plan)
    }

    /// Reads the hex files that the plan names, relative to `folder`.
    ///
    /// # Errors
    /// [`PlanError`] when one cannot be read or is no hex.
    pub fn load_content(&mut self, folder: &Path) -> Result<(), PlanError> {
        if let Some(file) = &self.connect_user_data_file {
            self.content.connect_user_data = read_hex(&folder.join(file))?;
        }
        if let Some(file) = &self.release_user_data_file {
            self.content.release_user_data = read_hex(&folder.join(file))?;
        }
        if let Some(file) = &self.payload_file {
            let payload = read_hex(&folder.join(file))?;
            self.ssdu_octets = payload.len() as u32;
            self.content.payload = Some(payload);
        }
        Ok(())
    }

    /// True when a session that sent `sent` SSDUs sends no more.
    pub fn is_finished(&self, sent: u64) -> bool {
        self.ssdus_per_session_max > 0 && sent >= self.ssdus_per_session_max
    }

    /// Connections at once, those included that are still being closed where session connections follow one another.
    pub fn connections_max(&self) -> u64 {
        let sessions = self.sessions as usize;
        (if self.mix.churns() { crate::churn::connections_max(sessions) } else { sessions }) as u64
    }

    /// The measured part: all steps together, where there are any.
    pub fn duration(&self) -> Duration {
        let steps = self.step.iter().map(|step| step.duration_ms);
        Duration::from_millis(if self.step.is_empty() {
            self.duration_ms
        } else {
            steps.fold(0, u64::saturating_add)
        })
    }
}

/// Why a plan cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// No TOML, an unknown key or a value of the wrong type; the text names line and column.
    #[error("{}: {error}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        error: Box<toml::de::Error>,
    },
    /// No hex.
    #[error("{}:{}:{}: {}", path.display(), fault.line, fault.column, fault)]
    Hex {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        fault: HexFault,
    },
    /// Values out of range, one line each.
    #[error("{}", .0.join("\n"))]
    Range(Vec<String>),
}

fn read_hex(path: &Path) -> Result<Vec<u8>, PlanError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| PlanError::Read { path: path.to_owned(), error })?;
    octets_of_hex(&text).map_err(|fault| PlanError::Hex { path: path.to_owned(), fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = toml::from_str::<LoadPlan>("sessions = 1\nsesions = 2\n").unwrap_err().to_string();
        assert!(error.contains("sesions"), "{error}");
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn selectors_are_octets() {
        assert_eq!("0x0001".parse::<SelectorText>().unwrap().octets, [0, 1]);
        assert_eq!("ascii:ICCP".parse::<SelectorText>().unwrap().octets, b"ICCP");
        assert!("17".parse::<SelectorText>().is_err());
    }
}

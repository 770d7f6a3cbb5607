//! The flags of `colloquy load`, and its two pages of help.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use colloquy_bench::DriverChoice;
use colloquy_bench::plan::SelectorText;
use colloquy_bench::thresholds::{Threshold, metrics_text};

use crate::replay::ReplayArgs;

/// Loads an X.225 responder and reports latency and throughput.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy load --to 127.0.0.1:10102 --sessions 100 --size 256 --seconds 10\n          \
                   colloquy load configs/load.toml --rate 5000 --threshold 'p99_response_ms < 2'\n          \
                   colloquy load configs/load.toml --compare 127.0.0.1:10102 127.0.0.1:10103",
    after_help = "Flags win over the plan. Exit status: 0 nothing lost and no session failed, 1 otherwise,\n\
                  2 bad usage or plan, 99 a threshold was not kept. `--help-all` has the flags left out here."
)]
pub(crate) struct LoadArgs {
    /// Plan in TOML (configs/load.toml lists every key)
    #[arg(value_name = "PLAN", required_unless_present_any = ["to", "replay", "compare", "help_all"])]
    pub(super) plan: Option<PathBuf>,
    /// Responder; several share the sessions
    #[arg(long, value_name = "ADDR")]
    pub(super) to: Vec<SocketAddr>,
    /// Concurrent sessions
    #[arg(long, value_name = "N")]
    pub(super) sessions: Option<u32>,
    /// Octets of each SSDU
    #[arg(long, value_name = "OCTETS")]
    pub(super) size: Option<u32>,
    /// SSDUs in flight per session
    #[arg(long, value_name = "N")]
    pub(super) depth: Option<u32>,
    /// Length of the measured part
    #[arg(long, value_name = "S")]
    pub(super) seconds: Option<f64>,
    /// Open loop with this many SSDUs a second over all sessions
    #[arg(long, value_name = "SSDU/S")]
    pub(super) rate: Option<f64>,
    /// Poisson arrivals in the open loop, not even ones
    #[arg(long)]
    pub(super) poisson: bool,
    /// Open loop at these rates one after the other, as in 1000,2000,5000
    #[arg(long, value_name = "RATES", value_delimiter = ',', conflicts_with_all = ["rate", "seconds", "replay"])]
    pub(super) steps: Vec<f64>,
    /// Length of each step [default: 5]
    #[arg(long, value_name = "S", requires = "steps", hide = true)]
    pub(super) step_seconds: Option<f64>,
    /// Exit status 99 when it is not kept, as in 'p99_response_ms < 2'
    #[arg(long, value_name = "THRESHOLD", conflicts_with = "replay")]
    pub(super) threshold: Vec<Threshold>,
    /// Runs the plan in turn against two responders, given here or in it
    #[arg(long, value_name = "ADDR", num_args = 0..=2, conflicts_with_all = ["to", "replay"])]
    pub(super) compare: Option<Vec<SocketAddr>>,
    /// Rounds of a comparison [default: 7]
    #[arg(long, value_name = "N", hide = true)]
    pub(super) rounds: Option<usize>,
    /// Half-duplex dialogue
    #[arg(long, hide = true)]
    pub(super) half_duplex: bool,
    /// Generator threads
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<u32>,
    /// The generator's driver; auto is io_uring where it works
    #[arg(long, value_enum, value_name = "DRIVER", hide = true)]
    pub(super) driver: Option<DriverName>,
    /// Called TSAP, as 0x0001 or ascii:NAME
    #[arg(long, value_name = "TSAP", hide = true)]
    pub(super) called_tsap: Option<SelectorText>,
    /// Called SSAP
    #[arg(long, value_name = "SSAP", hide = true)]
    pub(super) called_ssap: Option<SelectorText>,
    /// Hex file: user data of each CN
    #[arg(long, value_name = "FILE", hide = true)]
    pub(super) connect_user_data: Option<PathBuf>,
    /// Hex file: content of each SSDU; answers are then counted only
    #[arg(long, value_name = "FILE", hide = true)]
    pub(super) payload: Option<PathBuf>,
    /// Count answers, compare nothing
    #[arg(long, hide = true)]
    pub(super) discard: bool,
    /// Local addresses to use in turn, for more than 28 000 sessions
    #[arg(long, value_name = "IP", hide = true)]
    pub(super) source: Vec<IpAddr>,
    /// Folder for result.json and histograms
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// The result as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// Every flag, and the metrics of thresholds
    #[arg(long)]
    pub(super) help_all: bool,
    #[command(flatten)]
    pub(super) replay: ReplayArgs,
}

/// Drivers by their names in plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriverName {
    #[value(name = "auto")]
    Auto,
    #[value(name = "io_uring")]
    IoUring,
    #[value(name = "mio")]
    Mio,
}

impl From<DriverName> for DriverChoice {
    fn from(name: DriverName) -> DriverChoice {
        match name {
            DriverName::Auto => DriverChoice::Auto,
            DriverName::IoUring => DriverChoice::IoUring,
            DriverName::Mio => DriverChoice::Mio,
        }
    }
}

/// The long page: every flag, those that the short one leaves out too.
pub(super) fn help_all() -> String {
    let command = LoadArgs::augment_args(clap::Command::new("colloquy load"));
    let mut command = command.mut_args(|argument| argument.hide(false)).after_help(metrics_text());
    command.render_help().to_string()
}

//! `colloquy pump`: load in octets without a session layer of its own, and many sessions held open.
//!
//! Hidden: a part of comparisons. A process may have fewer files than a comparison needs sessions, so that several of
//! these hold them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use colloquy_bench::pump::{CyclePlan, Exchange, Pace, Pump, PumpError, PumpPlan, Window, cycle};
use serde_json::Value;

use crate::{descriptors, say};

/// Descriptors beside those of the connections.
const DESCRIPTORS_SPARE: u64 = 64;

/// Opens sessions and holds them, or loads them, with octets made beforehand.
#[derive(Debug, Args)]
#[command(
    hide = true,
    before_help = "Example:  colloquy pump --to 127.0.0.1:10102 --connections 10000 --hold\n          \
                   colloquy pump --to 127.0.0.1:10102 --connections 64 --size 256 --depth 16"
)]
pub(crate) struct PumpArgs {
    /// Where connections go, in turn
    #[arg(long, value_name = "ADDR", required = true)]
    to: Vec<SocketAddr>,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 1)]
    connections: usize,
    /// Those that carry load; all unless given
    #[arg(long, value_name = "N")]
    active: Option<usize>,
    /// Local addresses to use in turn
    #[arg(long, value_name = "IP")]
    source: Vec<IpAddr>,
    /// Open them, say so, and close them when standard input ends
    #[arg(long)]
    hold: bool,
    /// Connect, open and close again and again, so many connections at a time
    #[arg(long, value_name = "N", conflicts_with = "hold")]
    cycle: Option<usize>,
    /// Octets of each SSDU
    #[arg(long, value_name = "OCTETS", default_value_t = 64)]
    size: usize,
    /// SSDUs in one request
    #[arg(long, value_name = "N", default_value_t = 1)]
    burst: usize,
    /// An MMS association and its Identify instead
    #[arg(long, conflicts_with = "plain")]
    mms: bool,
    /// TPDUs of at most 2048 octets, which is all that X.224 has for class 0
    #[arg(long, conflicts_with_all = ["mms", "plain", "burst"])]
    x224: bool,
    /// No opening, and octets that are no TPKTs
    #[arg(long)]
    plain: bool,
    /// Requests in flight on each connection
    #[arg(long, value_name = "N", default_value_t = 1)]
    depth: usize,
    /// Open loop with so many requests a second
    #[arg(long, value_name = "N/S")]
    rate: Option<f64>,
    /// Poisson arrivals in the open loop
    #[arg(long)]
    poisson: bool,
    /// Length of the warm-up
    #[arg(long, value_name = "S", default_value_t = 0.5)]
    warm_up: f64,
    /// Length of the measured part
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    seconds: f64,
    /// Compare every octet that comes back
    #[arg(long)]
    verify: bool,
}

pub(crate) fn run(args: &PumpArgs) -> ExitCode {
    match args.check().and_then(|()| args.go()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("colloquy pump: {error}");
            ExitCode::FAILURE
        }
    }
}

impl PumpArgs {
    fn check(&self) -> Result<(), String> {
        let request = self.size.checked_mul(self.burst);
        if self.burst == 0 || request.is_none_or(|octets| octets > colloquy_bench::pump::SSDU_OCTETS_MAX) {
            return Err("--size times --burst is not 0 to 16 MiB, or --burst is 0".into());
        }
        if self.plain && self.size == 0 {
            return Err("--size 0 leaves nothing to send with --plain".into());
        }
        for (flag, seconds) in [("--warm-up", self.warm_up), ("--seconds", self.seconds)] {
            Duration::try_from_secs_f64(seconds).map_err(|error| format!("{flag} {seconds}: {error}"))?;
        }
        let connections = self.connections.max(self.cycle.unwrap_or(0));
        descriptors::raise(connections as u64 + DESCRIPTORS_SPARE)
    }

    fn go(&self) -> Result<(), String> {
        let told = |error: PumpError| error.to_string();
        if let Some(at_once) = self.cycle {
            say(&format!("{}\n", self.cycles(at_once).map_err(told)?));
            return Ok(());
        }
        let mut pump = Pump::open(&self.plan()).map_err(told)?;
        if self.hold {
            return self.hold(&mut pump);
        }
        say(&format!("{}\n", self.load(&mut pump).map_err(told)?));
        Ok(())
    }

    fn exchange(&self) -> Exchange {
        match (self.mms, self.plain) {
            (true, _) => Exchange::mms(),
            (_, true) => Exchange::plain(self.size),
            _ if self.x224 => Exchange::echo_x224(self.size),
            _ => Exchange::echo_burst(self.size, self.burst),
        }
    }

    fn plan(&self) -> PumpPlan {
        let active = if self.hold { 0 } else { self.active.unwrap_or(self.connections) };
        PumpPlan {
            connections: self.connections,
            active,
            sources: self.source.clone(),
            verify: self.verify,
            ..PumpPlan::new(self.to.clone(), self.exchange())
        }
    }

    /// Until standard input ends.
    fn hold(&self, pump: &mut Pump) -> Result<(), String> {
        say(&format!("holding {}\n", self.connections));
        io::copy(&mut io::stdin().lock(), &mut io::sink())
            .map_err(|error| format!("standard input: {error}"))?;
        let open = pump.look().map_err(|error| error.to_string())?;
        if open < self.connections {
            return Err(format!("only {open} of {} connections were open at the end", self.connections));
        }
        Ok(())
    }

    fn load(&self, pump: &mut Pump) -> Result<Value, PumpError> {
        let pace = match self.rate {
            Some(rate_per_s) => Pace::Open { rate_per_s, poisson: self.poisson, seed: 1 },
            None => Pace::Closed { depth: self.depth },
        };
        let window = Window { pace, warm_up: seconds(self.warm_up), measured: seconds(self.seconds) };
        Ok(pump.run(&window, &mut ())?.json())
    }

    fn cycles(&self, at_once: usize) -> Result<Value, PumpError> {
        let plan = CyclePlan {
            at_once,
            warm_up: seconds(self.warm_up),
            measured: seconds(self.seconds),
            sources: self.source.clone(),
            ..CyclePlan::new(
                self.to.clone(),
                Some(if self.plain { Exchange::touch() } else { self.exchange() }),
            )
        };
        Ok(cycle(&plan, &mut ())?.json())
    }
}

/// Was checked.
fn seconds(value: f64) -> Duration {
    Duration::from_secs_f64(value)
}

//! What a stretch of load came to.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// Longest time that is told from longer ones; an hour.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Three digits of nanoseconds, with all its memory from the start.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("3 digits up to an hour are allowed")
}

/// Quantiles in microseconds of times in nanoseconds.
pub(super) fn quantiles_us(times: &Histogram<u64>) -> Value {
    let us = |quantile: f64| times.value_at_quantile(quantile) as f64 / 1e3;
    json!({ "p50": us(0.5), "p90": us(0.9), "p99": us(0.99), "p999": us(0.999), "max": us(1.0) })
}

/// What a [`Window`](super::Window) came to. All counts are of requests, which carry
/// [`Exchange::ssdus`](super::Exchange::ssdus) SSDUs each.
///
/// Of an open loop holds `due == response.len() + lost + missed`: whatever became due is accounted for.
#[derive(Clone)]
pub struct PumpReport {
    /// Answers that came between the edges.
    pub answered: u64,
    /// Octets of answers that came between the edges.
    pub octets: u64,
    /// Between the edges: from the return of `begins` to the call of `ends`.
    pub measured: Duration,
    /// Nanoseconds to the answer: in a closed loop of requests sent and answered between the edges, from when they were
    /// sent; in an open loop of all requests due in the window, from when they were due.
    pub response: Histogram<u64>,
    /// Nanoseconds from when a request was due until the pump came to it; empty in a closed loop.
    pub lateness: Histogram<u64>,
    /// Processor time of the pump's thread between the edges.
    pub cpu: Duration,
    /// Requests due between the edges; 0 in a closed loop.
    pub due: u64,
    /// Requests sent or waiting to be sent that were never answered.
    pub lost: u64,
    /// Requests due while [`QUEUE_MAX`](super::QUEUE_MAX) others waited on their connection: never sent.
    pub missed: u64,
    /// Connections that the peer closed or reset, idle ones too.
    pub closed_by_peer: u64,
    /// Connections that the pump closed, as their peer answered no more or sent what no request had asked for.
    pub given_up: u64,
    /// Why the first of these connections ended.
    pub fault: Option<String>,
}

impl PumpReport {
    /// Answers per second of the measured part.
    pub fn rate_per_s(&self) -> f64 {
        self.answered as f64 / self.measured.as_secs_f64()
    }

    /// All of it but the cells of the histograms.
    pub fn json(&self) -> Value {
        json!({
            "answered": self.answered,
            "octets": self.octets,
            "measured_s": self.measured.as_secs_f64(),
            "per_s": self.rate_per_s(),
            "response_us": quantiles_us(&self.response),
            "lateness_us": quantiles_us(&self.lateness),
            "cpu_s": self.cpu.as_secs_f64(),
            "due": self.due,
            "lost": self.lost,
            "missed": self.missed,
            "closed_by_peer": self.closed_by_peer,
            "given_up": self.given_up,
            "fault": self.fault,
        })
    }
}

/// Without the thousands of cells of its histograms.
impl fmt::Debug for PumpReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PumpReport {}", self.json())
    }
}

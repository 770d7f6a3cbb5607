//! What a pump is asked for.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Exchange;

/// How requests follow one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each answer is followed by the next request; `depth` requests of a connection are in flight.
    Closed {
        /// Requests in flight on each active connection, at least 1.
        depth: usize,
    },
    /// Requests become due by themselves, whatever is answered; latency counts from when they were due.
    Open {
        /// Over all active connections, in requests per second.
        rate_per_s: f64,
        /// Exponential gaps, not even ones.
        poisson: bool,
        /// Of the gaps.
        seed: u64,
    },
}

/// The connections of a pump.
#[derive(Clone, Debug)]
pub struct PumpPlan {
    /// Where connections go, in turn. Never empty.
    pub to: Vec<SocketAddr>,
    /// Connections, opened and brought through [`Exchange::opening`].
    pub connections: usize,
    /// How many of them carry load, evenly spread; the others stay idle.
    pub active: usize,
    /// What is sent and what comes back.
    pub exchange: Exchange,
    /// Local addresses to use in turn; empty lets the system choose.
    pub sources: Vec<IpAddr>,
    /// Connections being opened at one time.
    pub opening_max: usize,
}

/// One stretch of load on the open connections of a pump.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How requests follow one another.
    pub pace: Pace,
    /// Load before the measured part.
    pub warm_up: Duration,
    /// The measured part.
    pub measured: Duration,
}

/// Told at the edges of the measured part, on the pump's thread: reads clocks and counters of the server.
pub trait Observer {
    /// The warm-up is over.
    fn begins(&mut self);
    /// The measured part is over; load goes on until this returns.
    fn ends(&mut self);
}

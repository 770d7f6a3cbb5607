//! What a pump is asked for.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Exchange;

/// Requests of one connection that may wait for their answers in an open loop; those due beyond it are missed.
pub const QUEUE_MAX: usize = 1024;
/// Requests in flight on one connection of a closed loop, at most.
pub const DEPTH_MAX: usize = 4096;
/// Connections of one pump, at most.
pub const CONNECTIONS_MAX: usize = 1 << 20;

/// How requests follow one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each answer is followed by the next request; `depth` requests of a connection are in flight.
    Closed {
        /// Requests in flight on each active connection, 1 to [`DEPTH_MAX`].
        depth: usize,
    },
    /// Requests become due by themselves, whatever is answered; latency counts from when they were due.
    Open {
        /// Over all active connections, in requests per second; above 0 and finite.
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
    /// Connections, opened and brought through [`Exchange::opening`]; 1 to [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// How many of them carry load, evenly spread; the others stay idle.
    pub active: usize,
    /// What is sent and what comes back.
    pub exchange: Exchange,
    /// Local addresses to use in turn; empty lets the system choose.
    pub sources: Vec<IpAddr>,
    /// Connections being opened at one time, at least 1.
    pub opening_max: usize,
    /// How long one connection may take to be opened, and one answer that the pump learns from to come.
    pub opening_timeout: Duration,
    /// Compare every answer with the request, octet for octet: for tests, as it costs a pass over the octets.
    pub verify: bool,
    /// How long before a request is due an open loop stops to sleep and looks at the clock instead. What the system
    /// needs to wake a thread must lie below it, or requests are late; what lies in it is processor time.
    pub spin: Duration,
}

impl PumpPlan {
    /// One connection to `to`, which carries load; all else is as comparisons want it.
    pub fn new(to: Vec<SocketAddr>, exchange: Exchange) -> PumpPlan {
        PumpPlan {
            to,
            connections: 1,
            active: 1,
            exchange,
            sources: Vec::new(),
            opening_max: 64,
            opening_timeout: Duration::from_secs(10),
            verify: false,
            spin: Duration::from_micros(60),
        }
    }

    /// Whether the connection at this position carries load.
    pub(super) fn is_active(&self, index: usize) -> bool {
        let before = |index: usize| index * self.active / self.connections;
        before(index) != before(index + 1)
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let exchange = &self.exchange;
        let differs = exchange.answer_octets != exchange.request.len();
        match () {
            () if self.to.is_empty() => Err("there is no address to connect to"),
            () if !(1..=CONNECTIONS_MAX).contains(&self.connections) => {
                Err("connections are not 1 to 1 048 576")
            }
            () if self.active > self.connections => Err("more connections are active than there are"),
            () if exchange.request.is_empty() && self.active > 0 => Err("the request has no octets"),
            () if self.opening_max == 0 => Err("no connection may be opened at one time"),
            () if self.verify && differs => {
                Err("an answer that is as long as its request can be verified, no other")
            }
            () => Ok(()),
        }
    }
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

impl Window {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self.pace {
            Pace::Closed { depth } if !(1..=DEPTH_MAX).contains(&depth) => Err("the depth is not 1 to 4096"),
            Pace::Open { rate_per_s, .. } if !(rate_per_s.is_finite() && rate_per_s > 0.0) => {
                Err("the rate is no number of requests per second above 0")
            }
            _ => Ok(()),
        }
    }
}

/// Told at the edges of the measured part, on the pump's thread: reads clocks and counters of the server.
pub trait Observer {
    /// The warm-up is over.
    fn begins(&mut self);
    /// The measured part is over; load goes on until this returns.
    fn ends(&mut self);
}

/// Wants to know nothing.
impl Observer for () {
    fn begins(&mut self) {}
    fn ends(&mut self) {}
}

//! What goes wrong in a simulated network, and how often it did.

use std::time::Duration;

/// Faults of a network. Chances are in parts per million and drawn from the network's seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimFaults {
    /// Shortest time an octet, a SYN, an end or an opened window takes to the other side.
    pub delay_min: Duration,
    /// Longest such time.
    pub delay_max: Duration,
    /// Chance, for each such event, of [`SimFaults::stall`] on top.
    pub stall_ppm: u32,
    /// How long a stall takes; what is behind it in the same direction waits too.
    pub stall: Duration,
    /// Chance that a read gets a random part of what is there.
    pub short_read_ppm: u32,
    /// Chance that a write takes a random part of what there is room for.
    pub short_write_ppm: u32,
    /// Chance, for each write, that the connection is reset both ways; what is under way is lost.
    pub reset_ppm: u32,
    /// Chance, for each write, that the network ends the connection: both sides read what was sent and
    /// then the end, and what they send later is answered with a reset.
    pub eof_ppm: u32,
    /// Chance that a connect is refused though there is a listener.
    pub connect_refused_ppm: u32,
    /// Chance that a connect is not answered at all.
    pub connect_timeout_ppm: u32,
    /// How long an unanswered connect takes to fail.
    pub connect_timeout: Duration,
    /// Chance that a receive finds the pool exhausted though it is not.
    pub buffers_exhausted_ppm: u32,
    /// Chance that an accept fails for want of a descriptor; the connection stays in the backlog.
    pub accept_failed_ppm: u32,
    /// Chance, for each `wait`, that only a part of its completions is reported, and the rest next time.
    pub overflow_ppm: u32,
}

impl SimFaults {
    /// No faults; everything takes 50 µs.
    pub const NONE: SimFaults = SimFaults {
        delay_min: Duration::from_micros(50),
        delay_max: Duration::from_micros(50),
        stall_ppm: 0,
        stall: Duration::from_millis(500),
        short_read_ppm: 0,
        short_write_ppm: 0,
        reset_ppm: 0,
        eof_ppm: 0,
        connect_refused_ppm: 0,
        connect_timeout_ppm: 0,
        connect_timeout: Duration::from_secs(127),
        buffers_exhausted_ppm: 0,
        accept_failed_ppm: 0,
        overflow_ppm: 0,
    };

    /// Everything goes wrong now and then, but no connection is lost: whoever waits long enough gets every
    /// octet.
    pub const ROUGH: SimFaults = SimFaults {
        delay_min: Duration::from_micros(10),
        delay_max: Duration::from_millis(20),
        stall_ppm: 5_000,
        short_read_ppm: 200_000,
        short_write_ppm: 200_000,
        buffers_exhausted_ppm: 50_000,
        accept_failed_ppm: 20_000,
        overflow_ppm: 50_000,
        ..SimFaults::NONE
    };

    /// As [`SimFaults::ROUGH`], and connections are lost.
    pub const HOSTILE: SimFaults = SimFaults {
        reset_ppm: 3_000,
        eof_ppm: 2_000,
        connect_refused_ppm: 30_000,
        connect_timeout_ppm: 10_000,
        ..SimFaults::ROUGH
    };
}

impl Default for SimFaults {
    fn default() -> Self {
        SimFaults::NONE
    }
}

/// Faults that happened, and what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the count of the fault of its name")]
pub struct SimFaultCounts {
    pub stalls: u64,
    pub short_reads: u64,
    pub short_writes: u64,
    pub resets: u64,
    pub eofs: u64,
    pub connects_refused: u64,
    pub connect_timeouts: u64,
    pub buffers_exhausted: u64,
    pub accepts_failed: u64,
    pub overflows: u64,
    /// Connects that waited because a backlog was full; no fault, but the load's doing.
    pub backlogs_full: u64,
}

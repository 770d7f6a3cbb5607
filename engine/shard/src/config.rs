//! Limits and times of a shard and of its listeners.

use std::time::Duration;

use colloquy_session::SessionConfig;
use colloquy_transport::class0::Class0Config;

/// Limits and times of one shard.
#[derive(Clone, Copy, Debug)]
pub struct ShardConfig {
    /// Sessions of both roles at once, from connect or accept until the connection is closed.
    pub sessions_max: usize,
    /// Connections over a limit that are kept until their CR can be answered by DR; beyond, they are
    /// closed at once.
    pub refusals_max: usize,
    /// Octets queued for one session above which it is congested.
    pub send_high_octets: usize,
    /// Octets queued for one session below which it is writable again.
    pub send_low_octets: usize,
    /// Octets after which a batch is closed and the next begun; the TSDU that reaches it may exceed it.
    /// A batch keeps memory for 128 KiB when it is recycled: below that, filling it does not allocate.
    pub send_octets_max: usize,
    /// From a send until the network has taken it whole.
    pub send_timeout: Duration,
    /// Receipts that wait in one session before its receiving is stopped.
    pub intake_slices_max: u32,
    /// TSDUs of one session in one turn; the rest waits for the next turn.
    pub session_tsdus_per_turn_max: u32,
    /// Completions handled in one turn; the rest waits for the next turn.
    pub completions_per_turn_max: usize,
    /// Timers that expire in one turn.
    pub timers_per_turn_max: usize,
    /// Commands of other threads taken in one turn.
    pub commands_per_turn_max: usize,
    /// Commands that may wait in the ring.
    pub commands_max: usize,
    /// Empty batches kept for reuse.
    pub spare_batches_max: usize,
    /// From a connect request to the AC or RF of the peer.
    pub connect_timeout: Duration,
    /// From FN to its answer.
    pub release_timeout: Duration,
    /// From a graceful close until the connection is reset.
    pub close_timeout: Duration,
    /// Time is the driver's alone: no clock of the system is asked, and no busy time counted.
    pub virtual_time: bool,
}

impl Default for ShardConfig {
    fn default() -> Self {
        Self {
            sessions_max: 100_000,
            refusals_max: 64,
            send_high_octets: 256 << 10,
            send_low_octets: 64 << 10,
            send_octets_max: 120 << 10,
            send_timeout: Duration::from_secs(60),
            intake_slices_max: 4,
            session_tsdus_per_turn_max: 256,
            completions_per_turn_max: 4096,
            timers_per_turn_max: 4096,
            commands_per_turn_max: 256,
            commands_max: 1024,
            spare_batches_max: 4096,
            connect_timeout: Duration::from_secs(10),
            release_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            virtual_time: false,
        }
    }
}

/// Limits and times of one listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenerConfig {
    /// Transport choices.
    pub transport: Class0Config,
    /// Session choices.
    pub session: SessionConfig,
    /// Sessions of this listener at once.
    pub sessions_max: usize,
    /// Connections of this listener whose session is not yet established.
    pub not_established_max: usize,
    /// From accept to CR; at most `connect_timeout` counts.
    pub transport_timeout: Duration,
    /// From accept to CN, whatever trickles in meanwhile; and again from CN to the application's answer.
    pub connect_timeout: Duration,
}

impl Default for ListenerConfig {
    fn default() -> Self {
        Self {
            transport: Class0Config::default(),
            session: SessionConfig::default(),
            sessions_max: 100_000,
            not_established_max: 1024,
            transport_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

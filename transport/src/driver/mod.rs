//! The driver trait: a completion-shaped contract that io_uring, mio and the simulator keep alike.

pub mod mio;
pub mod options;
pub mod select;
pub mod sim;
#[cfg(target_os = "linux")]
pub mod uring;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::buf::{Slice, TxBatch};

/// A connection of one driver: slot index and generation, so that a stale id never resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    /// Slot.
    pub index: u32,
    /// Generation of the slot.
    pub generation: u32,
}

/// A listener of one driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(pub u32);

/// What a driver reports.
#[derive(Debug)]
pub enum Completion {
    /// A listener accepted a connection; it is already receiving.
    Accepted {
        /// Which listener.
        listener: ListenerId,
        /// The new connection.
        connection: ConnectionId,
        /// The peer's address.
        peer: SocketAddr,
    },
    /// [`Driver::connect`] succeeded; the connection is receiving.
    Connected(ConnectionId),
    /// Octets arrived; never empty.
    Received(ConnectionId, Slice),
    /// The batch has been written whole; it comes back for reuse. Also reported (with the unsent batch)
    /// when the connection failed or was aborted while a send was in flight, before `Closed`.
    Sent(ConnectionId, TxBatch),
    /// The peer closed its direction. Nothing more is received; sending may still work.
    Eof(ConnectionId),
    /// Connecting, receiving or sending failed: the connection is dead. At most once; `close` is still due.
    Failed(ConnectionId, io::Error),
    /// The last completion of this id, after [`Driver::close`]: all kernel work on it has ended.
    Closed(ConnectionId),
    /// Accepting failed (descriptor limit); the listener goes on by itself.
    AcceptFailed(ListenerId, io::Error),
    /// A [`std::task::Waker`] from [`Driver::waker`] was used.
    Woken,
}

/// How to end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Finish the send in flight, send FIN, discard what arrives until the peer's FIN, then close.
    /// Unread octets must not turn into a reset that destroys what was sent. The caller escalates to
    /// `Abort` by its own timer.
    Graceful,
    /// Reset: drop what is in flight, close at once.
    Abort,
}

/// Options of an outgoing connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectOptions {
    /// Local address to bind to, for tests beyond 28 000 connections.
    pub source: Option<SocketAddr>,
    /// Idle time after which the system probes the peer; `None`: never. Whole seconds, at least one.
    pub keepalive: Option<Duration>,
    /// Time that sent octets may stay unacknowledged (TCP_USER_TIMEOUT, Linux); `None`: system default.
    pub user_timeout: Option<Duration>,
}

/// Counts since the driver was made, and what it holds at this time.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverStats {
    /// System calls made by the driver.
    pub system_calls: u64,
    /// Receive completions that ended for want of a free block.
    pub buffers_exhausted: u64,
    /// Completion queue overflows seen (io_uring).
    pub overflows: u64,
    /// Rounds of sends that were asked to leave the copy out (io_uring).
    pub zero_copy_sends: u64,
    /// Those of them that the kernel copied all the same: loopback always does.
    pub zero_copy_sends_copied: u64,
    /// Connections that have an id: connecting, open, or closing.
    pub connections: u32,
    /// Blocks of the receive pool that neither receive nor are held by slices.
    pub blocks_free: u32,
    /// Octets of the receive pool that slices keep from being reused.
    pub octets_pinned: u64,
    /// Octets of the receive pool in all.
    pub octets_in_pool: u64,
}

/// One thread's network: created, used and dropped on that thread (rule U6).
///
/// Contract, held by the driver suite on every implementation:
/// * At most one batch is in flight per connection: calling `send` before the last `Sent` is a bug of
///   the caller and panics.
/// * Octets of one connection are received in order; after `pause` returns, receipts already made may
///   still be reported, then none until `resume`.
/// * Every connection id ends with exactly one `Closed`, which follows exactly one `close` (a second `close`
///   with `Abort` escalates a graceful one). After `close`, only `Sent` and `Closed` are reported for it.
/// * A batch always comes back: one given to a connection that has failed (and is not closed yet) does so
///   unsent. When sending fails, what the peer sent before is received first; then `Failed` is reported.
/// * Calls that name a stale id are ignored.
/// * A receiver whose pool is exhausted waits, FIFO, until a block is free; it never fails for it. One that
///   got octets since it last waited goes behind those that got none.
pub trait Driver {
    /// What this driver can listen on.
    type Listener;

    /// Name for logs and metrics: `io_uring`, `mio`, `sim`.
    const NAME: &'static str;

    /// Time since an origin of the driver's choice; cached, renewed by each `wait`.
    fn now(&self) -> Duration;
    /// Starts to accept on `listener`.
    ///
    /// # Errors
    /// What the system says.
    fn listen(&mut self, listener: Self::Listener) -> io::Result<ListenerId>;
    /// Stops accepting and closes the listener. Connections accepted before may still be reported.
    fn unlisten(&mut self, listener: ListenerId);
    /// Starts to connect; `Connected` or `Failed` follows.
    ///
    /// # Errors
    /// When no slot, socket or address can be had.
    fn connect(&mut self, to: SocketAddr, options: &ConnectOptions) -> io::Result<ConnectionId>;
    /// Sends a batch, whole and in order; `Sent` gives it back. The batch must not be empty.
    fn send(&mut self, connection: ConnectionId, batch: TxBatch);
    /// Says before a wait that the caller goes on with a `Sent` of a batch in flight: more waits behind it. Without that a
    /// driver may report a `Sent` that costs it nothing together with the next completion that wakes it, which comes
    /// soon or a fifth of a millisecond later.
    fn await_sent(&mut self) {}
    /// Copies out what the batch in flight keeps of the receive pool, as soon as nothing reads it: the peer
    /// does not take it, and others wait for its blocks. What was queued is sent all the same.
    fn unpin(&mut self, connection: ConnectionId);
    /// Stops receiving.
    fn pause(&mut self, connection: ConnectionId);
    /// Receives again.
    fn resume(&mut self, connection: ConnectionId);
    /// Ends the connection; `Closed` follows.
    fn close(&mut self, connection: ConnectionId, how: Close);
    /// Submits what is pending and waits until something completes, `timeout` passes (`None`: for ever)
    /// or a waker is used; appends to `completions`. `Duration::ZERO` polls.
    ///
    /// # Errors
    /// Only what makes the driver unusable.
    fn wait(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()>;
    /// Wakes `wait` from any thread.
    fn waker(&self) -> std::task::Waker;
    /// Counts so far.
    fn stats(&self) -> DriverStats;
}

//! The io_uring driver: one ring per thread, completions as the kernel makes them.
//!
//! It never makes a system call per connection or per receipt: one enter submits everything that was
//! asked for and waits. Sockets are direct descriptors of the ring, invisible to the process.
//!
//! ```text
//!   listen ──► multishot accept ──► peer name ──► multishot receive ──► blocks of the buffer ring
//!   connect ─► socket, options, (bind), connect ─┘        ▲  ENOBUFS: waits, first come first served
//!   send ────► one round in flight ──► Sent               │
//!   close ───► FIN, discard to EOF ──► close              refill: blocks whose slices have dropped
//! ```
//!
//! The rules U1 to U6 are in [`crate::buf`]; "pitfall n" refers to this list:
//!
//! 1. Two sends in flight on a socket interleave. 2. ENOBUFS ends a multishot receive. 3. So does a full
//!    completion queue. 4. Close is not a disconnect while a receive is armed. 5. Completions come late.
//! 6. Two rings must not accept on one listener. 7. A full table drops accepted peers. 8. Multishot accept
//!    and TCP_FASTOPEN or TCP_DEFER_ACCEPT do not mix. 9. MSG_RING reorders and orders no memory: not used
//!    here. 10. SEND_ZC completes twice: the batch is the kernel's until the second. 11. Bundles follow ring
//!    order: a shadow says what is where. 12. One thread makes and uses a ring. 13. A flooding socket must not
//!    starve the others. 14. A pool larger than the second-level cache costs. 15. So does a buffer per
//!    connection, or a vector per small piece. (16 and 17 are about benchmarks.)
#![allow(unsafe_code)]

mod accept;
mod address;
mod close;
mod connect;
mod connection;
mod entries;
mod probe;
mod provide;
mod receive;
mod ring;
mod send;
#[cfg(test)]
mod tests;
mod token;
mod wake;

use std::io;
use std::marker::PhantomData;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use io_uring::{cqueue, opcode, squeue, types};

pub use probe::{UringFeatures, probe, probe_with};

use super::options::{BufferScheme, DriverOptions};
use super::{Close, Completion, ConnectOptions, ConnectionId, Driver, DriverStats, ListenerId};
use crate::buf::{Pool, PoolConfig, TxBatch};
use accept::Listener;
use connection::{Connections, SetUp};
use probe::Abilities;
use provide::BufferRing;
use receive::Waiting;
use ring::{Ring, RingSizes};
use send::SendOperation;
use token::{Op, Token};
use wake::WakeCounter;

/// Sizes of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UringConfig {
    /// Entries one system call can submit, 1 to 32768; more are submitted by further calls.
    pub submission_entries: u32,
    /// Completions that fit the queue, up to 65536: the worst burst of a turn, some 33 per busy connection.
    /// More are kept by the kernel and end multishots, which are armed again.
    pub completion_entries: u32,
    /// Direct descriptors: connections at most. Lowered to the limit on open files, which holds per ring.
    pub files_max: u32,
    /// Free descriptors below which connections are accepted one by one: the longest backlog.
    pub accept_burst_max: u32,
    /// Octets of one receipt at most; lower is fairer, higher is fewer completions.
    pub receive_octets_max: u32,
    /// What it should do differently, where the kernel can; [`UringDriver::features`] says what it does.
    /// Bundles use blocks of 4 KiB and plain receives blocks of 8 KiB, in the memory of `pool`. What cannot
    /// be had is replaced: bundles and incremental consumption by plain receives.
    pub options: DriverOptions,
    /// The receive blocks.
    pub pool: PoolConfig,
}

impl Default for UringConfig {
    fn default() -> Self {
        Self {
            submission_entries: 1024,
            completion_entries: 8192,
            files_max: 65_536,
            accept_burst_max: 4096,
            receive_octets_max: 32 << 10,
            options: DriverOptions::default(),
            pool: PoolConfig::default(),
        }
    }
}

/// Completions handled in one wait; the rest stays in the queue for the next one.
const BATCH_MAX: usize = 4096;

/// How long a dropped driver waits for the kernel to end what is in flight before it leaks it.
const DRAIN_PATIENCE: Duration = Duration::from_secs(2);

/// Octets of a block where the kernel uses a block per receive, however short.
const PLAIN_BLOCK_OCTETS: usize = 8 << 10;

/// Octets of a block where the kernel uses as many as a receive needs.
const BUNDLE_BLOCK_OCTETS: usize = 4 << 10;

/// The driver over one io_uring.
///
/// ```compile_fail
/// fn needs_send<T: Send>() {}
/// needs_send::<colloquy_transport::driver::uring::UringDriver>(); // U6
/// ```
pub struct UringDriver {
    /// First, so that the ring closes before anything it works with drops (rule U4).
    ring: Ring,
    buffers: BufferRing,
    pool: Pool,
    connections: Connections,
    /// Boxed: they move between here and their connections, and must not (rule U3).
    #[allow(clippy::vec_box)]
    spare_sends: Vec<Box<SendOperation>>,
    #[allow(clippy::vec_box)]
    spare_set_ups: Vec<Box<SetUp>>,
    wake: Arc<WakeCounter>,
    listeners: Vec<Listener>,
    /// Sockets that an entry names which the kernel has not taken yet.
    retired_listeners: Vec<TcpListener>,
    /// Listeners that have stopped, with the octets of their addresses: what they accepted before may come yet.
    stopped_listeners: Vec<(ListenerId, u32)>,
    /// When listeners that rest after a failure accept again.
    accept_again_at: Option<Instant>,
    next_listener: u32,
    accept_burst_max: u32,
    /// 0: no limit.
    receive_octets_max: u32,
    files_max: u32,
    /// Descriptors in the table.
    files_used: u32,
    /// Places promised to accepts and sockets in flight.
    files_reserved: u32,
    abilities: Abilities,
    /// How long a wait spins before it sleeps.
    busy_poll: Duration,
    /// Rounds of so many octets and more leave the copy out.
    zero_copy_octets_min: usize,
    /// Receivers that wait for a block.
    waiting: Waiting,
    /// Rounds of sends that are not complete.
    sends_in_flight: u32,
    /// Those of them that were queued since the last wait.
    sends_queued: u32,
    /// Somebody goes on only when one of them is complete.
    sent_awaited: bool,
    /// Completions made by calls, reported by the next wait.
    deferred: Vec<Completion>,
    /// Completions being handled; kept for its capacity.
    batch: Vec<cqueue::Entry>,
    origin: Instant,
    now: Instant,
    buffers_exhausted: u64,
    zero_copy_sends: u64,
    zero_copy_sends_copied: u64,
    /// Rule U6.
    not_send: PhantomData<*const ()>,
}

impl UringDriver {
    /// Sets up the ring, its descriptor table and its buffers, for the calling thread.
    ///
    /// # Errors
    /// What the system says, with the step in its text: io_uring switched off or filtered, a kernel older
    /// than Linux 6.7, no memory, no descriptor.
    ///
    /// # Panics
    /// When a size of `config` is 0 or out of its range.
    pub fn new(config: UringConfig) -> io::Result<UringDriver> {
        assert!(config.submission_entries > 0);
        assert!(config.completion_entries >= config.submission_entries);
        assert!(config.receive_octets_max > 0);
        let files_max = config.files_max.min(probe::open_files_limit()?);
        assert!(files_max > 0);
        let sizes = RingSizes {
            submission_entries: config.submission_entries,
            completion_entries: config.completion_entries,
            files: files_max,
            polling: config.options.submission_polling,
        };
        let mut ring = Ring::new(sizes).map_err(|error| at_step("set-up of the ring", error))?;
        let abilities = probe::check_operations(&mut ring)?;
        let (pool, buffers) =
            provide_buffers(&ring, &config, &abilities).map_err(|error| at_step("buffer ring", error))?;
        let now = Instant::now();
        let mut driver = UringDriver {
            ring,
            buffers,
            pool,
            connections: Connections::new(),
            spare_sends: Vec::new(),
            spare_set_ups: Vec::new(),
            wake: WakeCounter::new()?,
            listeners: Vec::new(),
            retired_listeners: Vec::new(),
            stopped_listeners: Vec::new(),
            accept_again_at: None,
            next_listener: 0,
            accept_burst_max: config.accept_burst_max.max(1),
            receive_octets_max: if abilities.capped_receives { config.receive_octets_max } else { 0 },
            files_max,
            files_used: 0,
            files_reserved: 0,
            abilities,
            busy_poll: config.options.busy_poll,
            zero_copy_octets_min: match config.options.zero_copy_send_octets_min {
                octets if octets > 0 && abilities.zero_copy => octets,
                _ => usize::MAX,
            },
            waiting: Waiting::default(),
            sends_in_flight: 0,
            sends_queued: 0,
            sent_awaited: false,
            deferred: Vec::new(),
            batch: Vec::with_capacity(BATCH_MAX),
            origin: now,
            now,
            buffers_exhausted: 0,
            zero_copy_sends: 0,
            zero_copy_sends_copied: 0,
            not_send: PhantomData,
        };
        driver.arm_wake();
        Ok(driver)
    }

    /// What the kernel let this driver have.
    pub fn features(&self) -> UringFeatures {
        UringFeatures {
            buffers: self.buffers.scheme(),
            submission_polling: self.ring.is_polled(),
            zero_copy_sends: self.abilities.zero_copy,
            without_index_array: self.ring.without_array(),
            registered_descriptor: self.ring.descriptor_is_registered(),
            bind: self.abilities.bind,
            capped_receives: self.abilities.capped_receives,
            files_max: self.files_max,
        }
    }

    /// Queues an operation on a connection.
    fn push(&mut self, op: Op, id: ConnectionId, entry: squeue::Entry) {
        self.connections.get(id).expect("a live connection").in_flight += 1;
        self.ring.push(entry, Token::of(op, id).pack());
    }

    fn arm_wake(&mut self) {
        let poll = opcode::PollAdd::new(types::Fd(self.wake.raw_fd()), libc::POLLIN as u32).multi(true);
        self.ring.push(poll.build(), Token::other(Op::Wake, 0).pack());
    }

    /// Places for further descriptors.
    fn free_files(&self) -> u32 {
        self.files_max.saturating_sub(self.files_used + self.files_reserved)
    }

    /// Reaps and handles what the kernel has completed.
    fn handle_batch(&mut self, out: &mut Vec<Completion>) {
        let mut batch = std::mem::take(&mut self.batch);
        self.ring.reap(&mut batch, BATCH_MAX);
        for entry in &batch {
            self.handle(entry, out);
        }
        batch.clear();
        self.batch = batch;
    }

    /// `timeout`, unless a listener's rest ends before.
    fn sleep_max(&self, timeout: Option<Duration>) -> Option<Duration> {
        let Some(at) = self.accept_again_at else { return timeout };
        let rest = at.saturating_duration_since(self.now);
        Some(timeout.map_or(rest, |timeout| timeout.min(rest)))
    }

    /// Looks for completions, without sleeping, for as long as busy polling lasts or `sleep` if that is
    /// shorter; says how long it did. What is queued is submitted, and deferred work run when there is some.
    fn spin(&mut self, sleep: Option<Duration>) -> io::Result<Duration> {
        let patience = sleep.map_or(self.busy_poll, |sleep| sleep.min(self.busy_poll));
        let started = Instant::now();
        loop {
            if !self.ring.is_idle() {
                self.ring.enter(0, None)?;
            }
            let elapsed = started.elapsed();
            if self.ring.has_completions() || elapsed >= patience {
                return Ok(elapsed);
            }
            std::hint::spin_loop();
        }
    }

    fn handle(&mut self, entry: &cqueue::Entry, out: &mut Vec<Completion>) {
        let token = Token::unpack(entry.user_data());
        match token.op {
            Op::Receive => self.handle_received(token.connection(), entry, out),
            Op::Send => self.handle_sent(token.connection(), entry, out),
            Op::Wake => {
                self.wake.seen();
                out.push(Completion::Woken);
                if !cqueue::more(entry.flags()) {
                    self.arm_wake();
                }
            }
            Op::Accept => self.handle_accepted(token, entry, out),
            Op::Watch => self.handle_watched(token, entry.result(), out),
            Op::CloseStray => self.files_used -= 1,
            Op::CancelAccept | Op::CancelAny => {}
            _ => self.handle_operation(token, entry, out),
        }
    }

    /// A completion of an operation on a connection.
    fn handle_operation(&mut self, token: Token, entry: &cqueue::Entry, out: &mut Vec<Completion>) {
        let (id, result) = (token.connection(), entry.result());
        // Pitfall 5: what comes late belongs to nobody, least of all to the slot's next connection.
        let Some(connection) = self.connections.get(id) else { return };
        if !cqueue::more(entry.flags()) {
            connection.in_flight -= 1;
        }
        match token.op {
            Op::Discard => self.handle_discarded(id, result),
            Op::PeerName => self.handle_peer_name(id, result, out),
            Op::Shutdown => self.handle_shut_down(id, result),
            Op::CloseFile => self.files_used -= 1,
            // Their effect is the completion of what they cancel, or of the close.
            Op::CancelReceive | Op::CancelSend | Op::CancelAll | Op::Linger => {}
            op => self.handle_connecting(op, id, result, out),
        }
        self.step_close(id, out);
    }
}

/// Makes the pool and lends it to the kernel, in the scheme asked for or else receive by receive.
fn provide_buffers(
    ring: &Ring,
    config: &UringConfig,
    abilities: &Abilities,
) -> io::Result<(Pool, BufferRing)> {
    let scheme = match config.options.buffers {
        BufferScheme::Bundle if !abilities.bundles => BufferScheme::Plain,
        BufferScheme::Incremental => {
            let mut pool = Pool::new(config.pool);
            match BufferRing::register(ring.inner(), &mut pool, BufferScheme::Incremental) {
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => BufferScheme::Plain,
                registered => return registered.map(|buffers| (pool, buffers)),
            }
        }
        scheme => scheme,
    };
    let PoolConfig { block_count, block_octets: large_octets } = config.pool;
    let small_octets = if scheme == BufferScheme::Bundle { BUNDLE_BLOCK_OCTETS } else { PLAIN_BLOCK_OCTETS };
    let block_octets = small_octets.min(large_octets);
    let block_count = (block_count * (large_octets / block_octets)).min(1 << 15);
    let mut pool = Pool::new(PoolConfig { block_count, block_octets });
    let buffers = BufferRing::register(ring.inner(), &mut pool, scheme)?;
    Ok((pool, buffers))
}

/// The same error with the step that met it in its text.
fn at_step(step: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{step}: {error}"))
}

impl Driver for UringDriver {
    type Listener = TcpListener;

    const NAME: &'static str = "io_uring";

    fn now(&self) -> Duration {
        self.now - self.origin
    }

    fn listen(&mut self, listener: TcpListener) -> io::Result<ListenerId> {
        self.start_listening(listener)
    }

    fn unlisten(&mut self, listener: ListenerId) {
        self.stop_listening(listener);
    }

    fn connect(&mut self, to: SocketAddr, options: &ConnectOptions) -> io::Result<ConnectionId> {
        self.start_connect(to, options)
    }

    fn send(&mut self, connection: ConnectionId, batch: TxBatch) {
        self.start_send(connection, batch);
    }

    fn await_sent(&mut self) {
        self.sent_awaited = true;
    }

    fn unpin(&mut self, connection: ConnectionId) {
        self.unpin_send(connection);
    }

    fn pause(&mut self, connection: ConnectionId) {
        self.pause_receive(connection);
    }

    fn resume(&mut self, connection: ConnectionId) {
        self.resume_receive(connection);
    }

    fn close(&mut self, connection: ConnectionId, how: Close) {
        self.close_connection(connection, how);
    }

    fn wait(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let before = completions.len();
        completions.append(&mut self.deferred);
        let mut timeout = if completions.len() > before { Some(Duration::ZERO) } else { timeout };
        // As of the last wait: after a step of the driver's own, the rest of the timeout comes out short,
        // never long, and no clock is read for it.
        let mut since = self.now;
        loop {
            self.feed_receivers();
            self.arm_accepts();
            if timeout != Some(Duration::ZERO) && !self.ring.has_completions() {
                let sleep = self.sleep_max(timeout);
                let spun = if self.busy_poll.is_zero() { Duration::ZERO } else { self.spin(sleep)? };
                if !self.ring.has_completions() {
                    let at_once = self.completing_at_once();
                    self.ring.wait(at_once, sleep.map(|sleep| sleep.saturating_sub(spun)))?;
                }
            } else if !self.ring.is_idle() {
                self.ring.enter(0, None)?;
            }
            self.now = Instant::now();
            self.sends_queued = 0;
            self.handle_batch(completions);
            if completions.len() > before || timeout == Some(Duration::ZERO) {
                return Ok(());
            }
            // Only steps of the driver's own completed.
            if let Some(left) = &mut timeout {
                *left = left.saturating_sub(self.now - since);
                if left.is_zero() {
                    return Ok(());
                }
            }
            since = self.now;
        }
    }

    fn waker(&self) -> std::task::Waker {
        Arc::clone(&self.wake).into()
    }

    fn stats(&self) -> DriverStats {
        DriverStats {
            system_calls: self.ring.system_calls(),
            buffers_exhausted: self.buffers_exhausted,
            overflows: self.ring.overflows(),
            zero_copy_sends: self.zero_copy_sends,
            zero_copy_sends_copied: self.zero_copy_sends_copied,
            connections: self.connections.count() as u32,
            blocks_free: (self.pool.free_blocks() + self.buffers.untouched_count()) as u32,
            octets_pinned: self.pool.pinned() as u64,
            octets_in_pool: self.pool.octets() as u64,
        }
    }
}

impl Drop for UringDriver {
    /// Ends what is in flight before memory goes (rules U2, U4); leaks the memory if that fails.
    fn drop(&mut self) {
        if self.ring.drain(Token::other(Op::CancelAny, 0).pack(), DRAIN_PATIENCE) {
            self.ring.release();
            return;
        }
        self.buffers.leak();
        let empty = PoolConfig { block_count: 1, block_octets: 4096 };
        std::mem::forget(std::mem::replace(&mut self.pool, Pool::new(empty)));
        std::mem::forget(std::mem::replace(&mut self.connections, Connections::new()));
    }
}

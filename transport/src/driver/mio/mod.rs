//! The driver on mio: readiness turned into completions. Runs wherever mio runs.
//!
//! A turn of [`MioDriver::wait`] is: poll, note edges (finish connects, go on with blocked sends), accept,
//! read the connections whose turn it is, report. Edge-triggered, so what an edge announced is remembered
//! until a read drains it: in a FIFO queue, which is also where receivers wait for a free block.

mod accept;
mod connection;
mod slab;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use self::accept::{Attempt, Listeners};
use self::connection::{Connection, Visit};
use self::slab::Slab;
use super::{Close, Completion, ConnectOptions, ConnectionId, Driver, DriverStats, ListenerId};
use crate::buf::{Pool, PoolConfig, TxBatch};
use crate::net;

/// The size of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MioConfig {
    /// The receive pool.
    pub pool: PoolConfig,
    /// Connections at once; beyond, connecting fails and accepting waits.
    pub connections_max: u32,
    /// How long a wait asks for events again and again before it sleeps; zero: not at all.
    pub busy_poll: Duration,
}

impl Default for MioConfig {
    fn default() -> Self {
        Self { pool: PoolConfig::default(), connections_max: 1 << 16, busy_poll: Duration::ZERO }
    }
}

/// A driver on mio.
#[derive(Debug)]
pub struct MioDriver {
    events: Events,
    turn: Turn,
    busy_poll: Duration,
}

/// Everything but the events, which are walked while this is changed.
#[derive(Debug)]
struct Turn {
    poll: Poll,
    slab: Slab,
    listeners: Listeners,
    /// Connections that have something to read, in the order in which they get it.
    readable: VecDeque<ConnectionId>,
    /// Connections that close gracefully and have something to discard: these need no block.
    discards: VecDeque<ConnectionId>,
    /// Connections that have something to report.
    reports: Vec<ConnectionId>,
    /// Accepted by listeners that have stopped, to be reported.
    accepted: Vec<Completion>,
    work: Work,
    /// Receivers wait for a block.
    starving: bool,
    starved: u64,
    /// The last turn asked the system for events.
    polled: bool,
    waker: Arc<WakeHandle>,
    origin: Instant,
    now: Duration,
}

/// What system calls need and count.
#[derive(Debug)]
struct Work {
    pool: Pool,
    /// Where octets that nobody wants are read to.
    discarded: Box<[u8]>,
    calls: u64,
}

#[derive(Debug)]
struct WakeHandle(mio::Waker);

impl MioDriver {
    /// Makes a driver with its pool, on the thread that will use it.
    ///
    /// # Errors
    /// When the system refuses a selector.
    pub fn new(config: MioConfig) -> io::Result<MioDriver> {
        let poll = Poll::new()?;
        let waker = Arc::new(WakeHandle(mio::Waker::new(poll.registry(), WAKER)?));
        let connections_max = config.connections_max.min(LISTENER_BIT - 1);
        let work = Work {
            pool: Pool::new(config.pool),
            discarded: vec![0; DISCARD_OCTETS].into_boxed_slice(),
            calls: 0,
        };
        let turn = Turn {
            poll,
            slab: Slab::new(connections_max),
            listeners: Listeners::default(),
            readable: VecDeque::new(),
            discards: VecDeque::new(),
            reports: Vec::new(),
            accepted: Vec::new(),
            work,
            starving: false,
            starved: 0,
            polled: false,
            waker,
            origin: Instant::now(),
            now: Duration::ZERO,
        };
        Ok(MioDriver { events: Events::with_capacity(EVENTS_MAX), turn, busy_poll: config.busy_poll })
    }

    /// One turn; appends what there is to report.
    fn turn(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let turn = &mut self.turn;
        let timeout = if turn.accepted.is_empty() { timeout } else { Some(Duration::ZERO) };
        completions.append(&mut turn.accepted);
        if turn.can_skip_poll() {
            turn.now = turn.origin.elapsed();
            turn.report(completions);
            return Ok(());
        }
        let timeout = turn.sleep_max().map_or(timeout, |max| Some(timeout.map_or(max, |own| own.min(max))));
        turn.work.calls += 1;
        match turn.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            outcome => outcome?,
        }
        turn.now = turn.origin.elapsed();
        for event in &self.events {
            turn.event(event, completions);
        }
        turn.accept(completions);
        turn.receive(completions);
        turn.discard();
        turn.report(completions);
        Ok(())
    }
}

impl Driver for MioDriver {
    type Listener = std::net::TcpListener;

    const NAME: &'static str = "mio";

    fn now(&self) -> Duration {
        self.turn.now
    }

    fn listen(&mut self, listener: Self::Listener) -> io::Result<ListenerId> {
        self.turn.work.calls += 3;
        self.turn.listeners.add(listener, self.turn.poll.registry())
    }

    fn unlisten(&mut self, listener: ListenerId) {
        self.turn.accept_last(listener);
        self.turn.listeners.remove(listener);
    }

    fn connect(&mut self, to: SocketAddr, options: &ConnectOptions) -> io::Result<ConnectionId> {
        self.turn.connect(to, options)
    }

    fn send(&mut self, connection: ConnectionId, batch: TxBatch) {
        self.turn.with(connection, |open, _, work| open.send(batch, work));
    }

    fn unpin(&mut self, connection: ConnectionId) {
        self.turn.with(connection, |open, _, _| open.unpin());
    }

    fn pause(&mut self, connection: ConnectionId) {
        self.turn.with(connection, |open, _, _| open.pause());
    }

    fn resume(&mut self, connection: ConnectionId) {
        let token = connection_token(connection);
        self.turn.with(connection, |open, registry, work| open.resume(token, registry, work));
    }

    fn close(&mut self, connection: ConnectionId, how: Close) {
        let token = connection_token(connection);
        self.turn.with(connection, |open, registry, work| match how {
            Close::Graceful => open.close_gracefully(token, registry, work),
            Close::Abort => open.abort(work),
        });
    }

    fn wait(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let before = completions.len();
        if timeout == Some(Duration::ZERO) {
            return self.turn(timeout, completions);
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let sleep_from = (!self.busy_poll.is_zero()).then(|| Instant::now() + self.busy_poll);
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let spins = sleep_from.is_some_and(|from| Instant::now() < from);
            self.turn(if spins { Some(Duration::ZERO) } else { left }, completions)?;
            // An edge need not lead to a completion; then the wait goes on.
            if completions.len() > before || left == Some(Duration::ZERO) {
                return Ok(());
            }
        }
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.turn.waker))
    }

    fn stats(&self) -> DriverStats {
        let pool = &self.turn.work.pool;
        DriverStats {
            system_calls: self.turn.work.calls,
            buffers_exhausted: self.turn.starved,
            overflows: 0,
            zero_copy_sends: 0,
            zero_copy_sends_copied: 0,
            connections: self.turn.slab.len(),
            blocks_free: pool.free_blocks() as u32,
            octets_pinned: pool.pinned() as u64,
            octets_in_pool: pool.octets() as u64,
        }
    }
}

impl Turn {
    fn connect(&mut self, to: SocketAddr, options: &ConnectOptions) -> io::Result<ConnectionId> {
        let full = || io::Error::other("connections_max reached");
        let id = self.slab.next_id().ok_or_else(full)?;
        self.work.calls += 4;
        let socket = net::socket_for(to, options)?;
        let refused = match socket.connect(&to.into()) {
            Ok(()) => None,
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) if net::is_local_shortage(&error) => return Err(error),
            Err(error) => Some(error),
        };
        let mut stream = TcpStream::from_std(socket.into());
        self.poll.registry().register(&mut stream, connection_token(id), BOTH)?;
        let mut connection = Connection::connecting(stream);
        if let Some(error) = refused {
            connection.fail(error);
        }
        let inserted = self.slab.insert(connection);
        debug_assert_eq!(inserted, id);
        self.settle(id);
        Ok(id)
    }

    /// Lets `act` change a connection, then queues it for what it wants. A stale id does nothing.
    fn with(&mut self, id: ConnectionId, act: impl FnOnce(&mut Connection, &mio::Registry, &mut Work)) {
        if let Some(connection) = self.slab.get_mut(id) {
            act(connection, self.poll.registry(), &mut self.work);
            self.settle(id);
        }
    }

    /// Puts a connection into the queues in which it belongs.
    fn settle(&mut self, id: ConnectionId) {
        let Some(connection) = self.slab.get_mut(id) else { return };
        if connection.wants_visit() && !connection.queued {
            connection.queued = true;
            self.readable.push_back(id);
        }
        if connection.wants_discard() && !connection.discarding {
            connection.discarding = true;
            self.discards.push_back(id);
        }
        if connection.has_report() && !connection.reporting {
            connection.reporting = true;
            self.reports.push(id);
        }
    }

    /// What `send` and `close` finished is reported without asking the system for more, which saves a call
    /// for each send that did not block; but not twice in a row, or a user that sends upon each `Sent` would
    /// keep the driver from ever looking.
    fn can_skip_poll(&mut self) -> bool {
        self.polled = !self.polled || self.reports.is_empty();
        !self.polled
    }

    /// How long this turn may sleep; `None`: as long as it likes.
    fn sleep_max(&self) -> Option<Duration> {
        let can_receive = !self.readable.is_empty() && self.work.pool.has_room();
        if can_receive || !self.reports.is_empty() || !self.discards.is_empty() {
            return Some(Duration::ZERO);
        }
        self.listeners.sleep_max(self.now)
    }

    fn event(&mut self, event: &mio::event::Event, completions: &mut Vec<Completion>) {
        let token = event.token();
        if token == WAKER {
            completions.push(Completion::Woken);
            return;
        }
        let index = token.0 as u32;
        if index & LISTENER_BIT != 0 {
            if let Some(listener) = self.listeners.get_mut(ListenerId(index & !LISTENER_BIT)) {
                listener.edge();
            }
            return;
        }
        // The token has no generation: slots are freed at the end of a turn, so an event that arrives for a
        // new tenant is at worst an edge with nothing behind it.
        let Some(id) = self.slab.id_at(index) else { return };
        self.with(id, |connection, registry, work| {
            match connection.finish_connect(work) {
                Some(Ok(())) => completions.push(Completion::Connected(id)),
                Some(Err(error)) => connection.fail(error),
                None => {}
            }
            connection.edge(event, registry, work);
        });
    }

    fn accept(&mut self, completions: &mut Vec<Completion>) {
        for nth in 0.. {
            let Some(id) = self.listeners.id_at(nth) else { return };
            for _ in 0..ACCEPT_BUDGET {
                if !self.accept_one(id, completions) {
                    break;
                }
            }
        }
    }

    /// Accepts whoever waits at a listener that stops: they would be reset, and were told by the system that they are
    /// connected.
    fn accept_last(&mut self, id: ListenerId) {
        if let Some(listener) = self.listeners.get_mut(id) {
            listener.edge();
        }
        let mut accepted = std::mem::take(&mut self.accepted);
        while self.accept_one(id, &mut accepted) {}
        self.accepted = accepted;
    }

    /// Accepts one connection; false when there is none to be had.
    fn accept_one(&mut self, id: ListenerId, completions: &mut Vec<Completion>) -> bool {
        let Some(listener) = self.listeners.get_mut(id).filter(|listener| listener.is_due(self.now)) else {
            return false;
        };
        let attempt = match self.slab.next_id() {
            None => listener.stall(self.now, io::Error::other("connections_max reached")),
            Some(connection) => match listener.accept(self.now, &mut self.work) {
                Attempt::Connection(mut stream, peer) => {
                    self.work.calls += 1;
                    match self.poll.registry().register(&mut stream, connection_token(connection), BOTH) {
                        Ok(()) => Attempt::Connection(stream, peer),
                        Err(error) => listener.stall(self.now, error),
                    }
                }
                other => other,
            },
        };
        match attempt {
            Attempt::Connection(stream, peer) => {
                let connection = self.slab.insert(Connection::accepted(stream));
                completions.push(Completion::Accepted { listener: id, connection, peer });
            }
            Attempt::Stalled(Some(error)) => completions.push(Completion::AcceptFailed(id, error)),
            Attempt::Empty | Attempt::Lost | Attempt::Stalled(None) => {}
        }
        self.listeners.get_mut(id).is_some_and(|listener| listener.is_due(self.now))
    }

    /// Reads the connections that were queued when the turn began, each up to its budget.
    fn receive(&mut self, completions: &mut Vec<Completion>) {
        for _ in 0..self.readable.len() {
            let Some(&id) = self.readable.front() else { return };
            let visit = match self.slab.get_mut(id) {
                Some(connection) => connection.receive(id, &mut self.work, completions),
                None => Visit::Done,
            };
            if visit == Visit::NoRoom {
                // It stays in front. The turn after the next freed block goes on here.
                self.starved += u64::from(!self.starving);
                self.starving = true;
                return;
            }
            self.starving = false;
            self.readable.pop_front();
            if let Some(connection) = self.slab.get_mut(id) {
                connection.queued = false;
            }
            self.settle(id);
        }
    }

    fn discard(&mut self) {
        for _ in 0..self.discards.len() {
            let Some(id) = self.discards.pop_front() else { return };
            if let Some(connection) = self.slab.get_mut(id) {
                connection.discard(&mut self.work);
                connection.discarding = false;
            }
            self.settle(id);
        }
    }

    fn report(&mut self, completions: &mut Vec<Completion>) {
        for id in self.reports.drain(..) {
            let Some(connection) = self.slab.get_mut(id) else { continue };
            if connection.report(id, completions) {
                self.slab.remove(id);
                self.listeners.shortage_over();
            }
        }
        // Ids of connections that ended while they waited for a block.
        if self.readable.len() > 2 * self.slab.len() as usize + STALE_MAX {
            self.readable.retain(|id| self.slab.get_mut(*id).is_some());
        }
    }
}

impl Wake for WakeHandle {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // It fails only when the driver's selector is gone, and then nobody sleeps.
        let _ = self.0.wake();
    }
}

fn connection_token(id: ConnectionId) -> Token {
    Token(id.index as usize)
}

fn listener_token(id: ListenerId) -> Token {
    Token((LISTENER_BIT | id.0) as usize)
}

/// Set in the token of a listener.
const LISTENER_BIT: u32 = 1 << 31;
const WAKER: Token = Token(usize::MAX);
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
/// Events of one turn.
const EVENTS_MAX: usize = 1024;
/// Connections that one listener accepts in one turn before others have their octets.
const ACCEPT_BUDGET: usize = 128;
/// Octets that one read discards.
const DISCARD_OCTETS: usize = 64 << 10;
/// Stale ids that the queue of readable connections may hold beside as many live ones.
const STALE_MAX: usize = 64;

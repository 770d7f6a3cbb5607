//! The driver of one simulated host.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use super::connection::{Connection, Visit};
use super::network::Network;
use super::slab::Slab;
use super::{SimListener, SimNet};
use crate::buf::{Pool, PoolConfig, TxBatch};
use crate::driver::{Close, Completion, ConnectOptions, ConnectionId, Driver, DriverStats, ListenerId};

/// The size of a simulated driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimHostConfig {
    /// The receive pool.
    pub pool: PoolConfig,
    /// Connections at once; beyond, connecting fails and accepting waits.
    pub connections_max: u32,
}

impl Default for SimHostConfig {
    fn default() -> Self {
        Self { pool: PoolConfig { block_count: 8, block_octets: 16 << 10 }, connections_max: 1 << 16 }
    }
}

/// The driver of one host on a [`SimNet`]. Dropping it ends the host: its connections are closed as a
/// killed process's are.
#[derive(Debug)]
pub struct SimDriver {
    network: Rc<RefCell<Network>>,
    host: usize,
    turn: Turn,
}

/// Everything but the network, which is borrowed while this is changed.
#[derive(Debug)]
struct Turn {
    slab: Slab<Connection>,
    connections_max: usize,
    pool: Pool,
    listeners: Vec<(ListenerId, SimListener)>,
    /// Listeners that found the table full were reported since a slot was freed last.
    full_reported: bool,
    listeners_added: u32,
    /// Connections that have something to read, in the order in which they get it.
    readable: VecDeque<ConnectionId>,
    reports: Vec<ConnectionId>,
    /// Completions that the overflow fault has held back.
    held: Vec<Completion>,
    woken: Arc<WakeFlag>,
    now: Duration,
    starving: bool,
    starved: u64,
    overflows: u64,
}

#[derive(Debug)]
struct WakeFlag(Arc<AtomicBool>);

impl SimDriver {
    /// A host at `address` on `net`; it connects from there.
    pub fn new(net: &SimNet, address: IpAddr, config: SimHostConfig) -> SimDriver {
        let network = Rc::clone(&net.network);
        let woken = Arc::new(AtomicBool::new(false));
        let host = network.borrow_mut().add_host(address, Arc::clone(&woken));
        let turn = Turn {
            slab: Slab::default(),
            connections_max: config.connections_max as usize,
            pool: Pool::new(config.pool),
            listeners: Vec::new(),
            full_reported: false,
            listeners_added: 0,
            readable: VecDeque::new(),
            reports: Vec::new(),
            held: Vec::new(),
            woken: Arc::new(WakeFlag(woken)),
            now: net.now(),
            starving: false,
            starved: 0,
            overflows: 0,
        };
        SimDriver { network, host, turn }
    }

    /// Lets `act` change a connection, then queues it for what it wants. A stale id does nothing.
    fn with(&mut self, id: ConnectionId, act: impl FnOnce(&mut Connection, &mut Network)) {
        if let Some(connection) = self.turn.slab.get_mut(id) {
            let net = &mut *self.network.borrow_mut();
            act(connection, net);
            if self.turn.settle(id) {
                // The harness may have found nothing to do; now there is.
                net.retry_after(self.host, Duration::ZERO);
            }
        }
    }
}

impl Driver for SimDriver {
    type Listener = SimListener;

    const NAME: &'static str = "sim";

    fn now(&self) -> Duration {
        self.turn.now
    }

    fn listen(&mut self, listener: SimListener) -> io::Result<ListenerId> {
        let id = ListenerId(self.turn.listeners_added);
        self.turn.listeners_added += 1;
        self.network.borrow_mut().listen(listener.index, self.host);
        self.turn.listeners.push((id, listener));
        Ok(id)
    }

    fn unlisten(&mut self, listener: ListenerId) {
        self.turn.listeners.retain(|(id, _)| *id != listener);
    }

    fn connect(&mut self, to: SocketAddr, options: &ConnectOptions) -> io::Result<ConnectionId> {
        if self.turn.slab.len() == self.turn.connections_max {
            return Err(io::Error::other("connections_max reached"));
        }
        let net = &mut *self.network.borrow_mut();
        let socket = net.connect(self.host, options.source, to);
        let id = self.turn.slab.insert(Connection::connecting(socket));
        net.sockets.get_mut(socket).expect("it was just made").owner = Some(id);
        Ok(id)
    }

    fn send(&mut self, connection: ConnectionId, batch: TxBatch) {
        self.with(connection, |open, net| open.send(batch, net));
    }

    fn unpin(&mut self, connection: ConnectionId) {
        self.with(connection, |open, _| open.unpin());
    }

    fn pause(&mut self, connection: ConnectionId) {
        self.with(connection, |open, _| open.pause());
    }

    fn resume(&mut self, connection: ConnectionId) {
        self.with(connection, |open, _| open.resume());
    }

    fn close(&mut self, connection: ConnectionId, how: Close) {
        let of_it = |completion: &Completion| match completion {
            Completion::Received(id, _)
            | Completion::Connected(id)
            | Completion::Eof(id)
            | Completion::Failed(id, _) => *id == connection,
            _ => false,
        };
        self.turn.held.retain(|completion| !of_it(completion));
        self.with(connection, |open, net| match how {
            Close::Graceful => open.close_gracefully(net),
            Close::Abort => open.abort(net),
        });
    }

    /// Never blocks: reports what is due at the network's time. On a network that
    /// [advances by itself](SimNet::set_auto_advance), passes virtual time until there is something to report.
    fn wait(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let before = completions.len();
        let deadline = timeout.map(|timeout| self.network.borrow().now + timeout);
        loop {
            let net = &mut *self.network.borrow_mut();
            self.turn.run(self.host, net, completions);
            let over = deadline.is_some_and(|deadline| net.now >= deadline);
            if completions.len() > before || over || !net.auto_advance {
                return Ok(());
            }
            // What other hosts have to look at is no reason for time to stand still.
            match [net.next_due(), deadline].into_iter().flatten().min() {
                Some(at) => net.now = net.now.max(at),
                // No time brings anything; another thread may still use the waker.
                None => std::thread::yield_now(),
            }
        }
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.turn.woken))
    }

    fn stats(&self) -> DriverStats {
        DriverStats {
            buffers_exhausted: self.turn.starved,
            overflows: self.turn.overflows,
            connections: self.turn.slab.len() as u32,
            blocks_free: self.turn.pool.free_blocks() as u32,
            octets_pinned: self.turn.pool.pinned() as u64,
            octets_in_pool: self.turn.pool.octets() as u64,
            ..DriverStats::default()
        }
    }
}

impl Turn {
    fn run(&mut self, host: usize, net: &mut Network, completions: &mut Vec<Completion>) {
        net.look(host);
        self.now = net.now;
        completions.append(&mut self.held);
        let before = completions.len();
        if self.woken.0.swap(false, Ordering::AcqRel) {
            completions.push(Completion::Woken);
        }
        while let Some(socket) = net.next_ready(host) {
            let owner = net.sockets.get(socket).and_then(|socket| socket.owner);
            let Some(id) = owner else { continue };
            let Some(connection) = self.slab.get_mut(id) else { continue };
            if connection.announced(net) {
                completions.push(Completion::Connected(id));
            }
            self.settle(id);
        }
        self.accept(host, net, completions);
        self.receive(host, net, completions);
        self.report(host, net, completions);
        self.overflow(host, before, net, completions);
    }

    fn accept(&mut self, host: usize, net: &mut Network, completions: &mut Vec<Completion>) {
        let mut full = false;
        for (listener, bound) in &self.listeners {
            while net.has_backlog(bound.index) {
                if self.slab.len() == self.connections_max {
                    full = true;
                    if !self.full_reported {
                        let error = io::Error::other("connections_max reached");
                        completions.push(Completion::AcceptFailed(*listener, error));
                    }
                    break;
                }
                match net.accept(bound.index) {
                    Ok((socket, peer)) => {
                        let connection = self.slab.insert(Connection::accepted(socket));
                        net.adopt(socket, host, connection);
                        completions.push(Completion::Accepted { listener: *listener, connection, peer });
                    }
                    Err(error) => {
                        completions.push(Completion::AcceptFailed(*listener, error));
                        net.retry_after(host, ACCEPT_AGAIN);
                        break;
                    }
                }
            }
        }
        self.full_reported |= full;
    }

    /// Reads the connections that were queued when the turn began, each up to its budget.
    fn receive(&mut self, host: usize, net: &mut Network, completions: &mut Vec<Completion>) {
        for _ in 0..self.readable.len() {
            let Some(&id) = self.readable.front() else { return };
            let visit = match self.slab.get_mut(id) {
                Some(connection) => connection.receive(id, &mut self.pool, net, completions),
                None => Visit::Done,
            };
            if visit == Visit::NoRoom {
                // It stays in front. Nothing tells the network when a slice drops, so it is asked again.
                self.starved += u64::from(!self.starving);
                self.starving = true;
                return net.retry_after(host, RECEIVE_AGAIN);
            }
            self.starving = false;
            self.readable.pop_front();
            if let Some(connection) = self.slab.get_mut(id) {
                connection.queued = false;
            }
            if self.settle(id) {
                net.retry_after(host, Duration::ZERO);
            }
        }
    }

    fn report(&mut self, host: usize, net: &mut Network, completions: &mut Vec<Completion>) {
        for id in std::mem::take(&mut self.reports) {
            if self.slab.get_mut(id).is_some_and(|connection| connection.report(id, completions)) {
                self.slab.remove(id);
                if std::mem::take(&mut self.full_reported) {
                    net.retry_after(host, Duration::ZERO);
                }
            }
        }
    }

    /// Holds a part of the completions back, now and then.
    fn overflow(&mut self, host: usize, before: usize, net: &mut Network, completions: &mut Vec<Completion>) {
        let made = (completions.len() - before) as u64;
        if made > 1 && net.fault(|faults| faults.overflow_ppm, |counts| &mut counts.overflows) {
            let kept = before + net.random.below(made) as usize;
            self.held = completions.split_off(kept);
            self.overflows += 1;
            net.retry_after(host, Duration::ZERO);
        }
    }

    /// Puts a connection into the queues in which it belongs; true if it is in one.
    fn settle(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.slab.get_mut(id) else { return false };
        if connection.wants_visit() && !std::mem::replace(&mut connection.queued, true) {
            self.readable.push_back(id);
        }
        if connection.has_report() && !std::mem::replace(&mut connection.reporting, true) {
            self.reports.push(id);
        }
        connection.queued || connection.reporting
    }
}

impl Drop for SimDriver {
    fn drop(&mut self) {
        if let Ok(mut net) = self.network.try_borrow_mut() {
            self.turn.slab.values().for_each(|connection| net.close(connection.socket));
            net.remove_host(self.host);
        }
    }
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// When a failed accept is tried again, and when a receiver looks for a free block again.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
const RECEIVE_AGAIN: Duration = Duration::from_millis(1);

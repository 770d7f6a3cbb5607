//! One driver with a record of what it said, held to the contract.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::driver::{Close, Completion, ConnectOptions, ConnectionId, Driver, ListenerId};

use super::PATIENCE;

/// A kind of completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Accepted,
    Connected,
    Received,
    Sent,
    Eof,
    Failed,
    Closed,
}

/// What was said about one connection.
#[derive(Default)]
pub struct Seen {
    /// Completions in order; repeated receipts are one entry.
    pub kinds: Vec<Kind>,
    /// Octets received, in order, unless they are held.
    pub received: Vec<u8>,
    /// Octets received so far, kept or not.
    pub received_octets: usize,
    /// Slices kept because of [`End::hold`], in order.
    pub held: Vec<Slice>,
    /// Batches that came back, in order.
    pub sent: Vec<TxBatch>,
    /// Why it failed.
    pub failure: Option<io::Error>,
    /// The peer's address, if accepted.
    pub peer: Option<SocketAddr>,
    in_flight: bool,
    close_called: bool,
    paused: bool,
}

/// A driver and what it has reported.
pub struct End<D: Driver> {
    name: &'static str,
    /// The driver. `send` and `close` go through the end, which keeps account of them.
    pub driver: D,
    /// Keep slices rather than copy and drop them.
    pub hold: bool,
    /// Accepted connections in order.
    pub accepted: Vec<ConnectionId>,
    /// Shortages reported by listeners.
    pub accept_failed: Vec<(ListenerId, io::Error)>,
    /// How often it was woken.
    pub woken: usize,
    seen: HashMap<ConnectionId, Seen>,
    events: usize,
    completions: Vec<Completion>,
}

impl<D: Driver> End<D> {
    /// An end that has seen nothing.
    pub fn new(name: &'static str, driver: D) -> Self {
        End {
            name,
            driver,
            hold: false,
            accepted: Vec::new(),
            accept_failed: Vec::new(),
            woken: 0,
            seen: HashMap::new(),
            events: 0,
            completions: Vec::new(),
        }
    }

    /// `Driver::connect`.
    pub fn connect(&mut self, to: SocketAddr, options: &ConnectOptions) -> io::Result<ConnectionId> {
        let id = self.driver.connect(to, options)?;
        let before = self.seen.insert(id, Seen::default());
        assert!(before.is_none(), "{} gave {id:?} away twice", self.name);
        Ok(id)
    }

    /// `Driver::send`.
    pub fn send(&mut self, id: ConnectionId, batch: TxBatch) {
        if let Some(seen) = self.seen.get_mut(&id)
            && !seen.kinds.contains(&Kind::Closed)
        {
            seen.in_flight = true;
        }
        self.driver.send(id, batch);
    }

    /// `Driver::close`.
    pub fn close(&mut self, id: ConnectionId, how: Close) {
        if let Some(seen) = self.seen.get_mut(&id) {
            seen.close_called = true;
        }
        self.driver.close(id, how);
    }

    /// `Driver::pause`.
    pub fn pause(&mut self, id: ConnectionId) {
        self.seen.get_mut(&id).unwrap().paused = true;
        self.driver.pause(id);
    }

    /// `Driver::resume`.
    pub fn resume(&mut self, id: ConnectionId) {
        self.seen.get_mut(&id).unwrap().paused = false;
        self.driver.resume(id);
    }

    /// One wait; the number of completions.
    pub fn wait(&mut self, timeout: Duration) -> usize {
        let mut completions = std::mem::take(&mut self.completions);
        self.driver.wait(Some(timeout), &mut completions).unwrap();
        let count = completions.len();
        completions.drain(..).for_each(|completion| self.take(completion));
        self.completions = completions;
        self.events += count;
        count
    }

    /// Waits until `done`, with nobody at the other end who would have to be pumped.
    pub fn wait_until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "waited for: {what}\n{self:?}");
            self.wait(Duration::from_secs(1));
        }
    }

    /// Completions since the last call.
    pub fn take_events(&mut self) -> usize {
        std::mem::take(&mut self.events)
    }

    /// What was said about a connection.
    pub fn seen(&self, id: ConnectionId) -> &Seen {
        &self.seen[&id]
    }

    /// True when `kind` was said about a connection.
    pub fn has(&self, id: ConnectionId, kind: Kind) -> bool {
        self.seen.get(&id).is_some_and(|seen| seen.kinds.contains(&kind))
    }

    /// The octets received since the last call.
    pub fn take_received(&mut self, id: ConnectionId) -> Vec<u8> {
        std::mem::take(&mut self.seen.get_mut(&id).unwrap().received)
    }

    /// A batch that came back.
    pub fn take_sent(&mut self, id: ConnectionId) -> Option<TxBatch> {
        self.seen.get_mut(&id).unwrap().sent.pop()
    }

    /// Takes the slices held of a connection.
    pub fn take_held(&mut self, id: ConnectionId) -> Vec<Slice> {
        std::mem::take(&mut self.seen.get_mut(&id).unwrap().held)
    }

    /// True while a batch is in flight.
    pub fn is_sending(&self, id: ConnectionId) -> bool {
        self.seen[&id].in_flight
    }

    /// Drops held slices and batches, which may hold slices.
    pub fn release_all(&mut self) {
        for seen in self.seen.values_mut() {
            seen.held.clear();
            seen.sent.clear();
        }
    }

    /// Aborts every connection that is not closed yet.
    pub fn abort_all(&mut self) {
        let open: Vec<_> = self.seen.iter().filter(|(_, seen)| !seen.is_over()).map(|(id, _)| *id).collect();
        open.into_iter().for_each(|id| self.close(id, Close::Abort));
    }

    /// True when every connection has had its `Closed`.
    pub fn is_settled(&self) -> bool {
        self.seen.values().all(Seen::is_over) && self.seen.values().all(|seen| !seen.in_flight)
    }

    /// Notes a completion and holds it against the contract.
    fn take(&mut self, completion: Completion) {
        let (id, kind) = match completion {
            Completion::Accepted { connection, peer, .. } => {
                let before = self.seen.insert(connection, Seen { peer: Some(peer), ..Seen::default() });
                assert!(before.is_none(), "{} gave {connection:?} away twice", self.name);
                self.accepted.push(connection);
                (connection, Kind::Accepted)
            }
            Completion::Connected(id) => (id, Kind::Connected),
            Completion::Received(id, slice) => {
                self.receive(id, slice);
                (id, Kind::Received)
            }
            Completion::Sent(id, batch) => {
                let seen = self.seen.get_mut(&id).expect("a known id");
                assert!(seen.in_flight, "{}: {id:?} was not sending", self.name);
                seen.in_flight = false;
                seen.sent.push(batch);
                (id, Kind::Sent)
            }
            Completion::Eof(id) => (id, Kind::Eof),
            Completion::Failed(id, error) => {
                self.seen.get_mut(&id).expect("a known id").failure = Some(error);
                (id, Kind::Failed)
            }
            Completion::Closed(id) => (id, Kind::Closed),
            Completion::AcceptFailed(listener, error) => return self.accept_failed.push((listener, error)),
            Completion::Woken => return self.woken += 1,
        };
        let name = self.name;
        let seen = self.seen.get_mut(&id).expect("a known id");
        seen.check(kind).unwrap_or_else(|fault| panic!("{name}: {id:?} {kind:?}: {fault}; {seen:?}"));
        if kind != Kind::Received || seen.kinds.last() != Some(&kind) {
            seen.kinds.push(kind);
        }
    }

    fn receive(&mut self, id: ConnectionId, slice: Slice) {
        let hold = self.hold;
        let seen = self.seen.get_mut(&id).expect("a known id");
        assert!(!slice.is_empty(), "{}: {id:?} received nothing", self.name);
        seen.received_octets += slice.len();
        if hold {
            seen.held.push(slice);
        } else {
            seen.received.extend_from_slice(&slice);
        }
    }
}

impl Seen {
    /// The contract, as far as one connection's history shows it.
    fn check(&self, kind: Kind) -> Result<(), &'static str> {
        let has = |kind| self.kinds.contains(&kind);
        let open = has(Kind::Accepted) || has(Kind::Connected);
        let rules = [
            (has(Kind::Closed), "after Closed"),
            (has(kind) && !matches!(kind, Kind::Received | Kind::Sent), "twice"),
            (self.close_called && !matches!(kind, Kind::Sent | Kind::Closed), "after close"),
            (kind == Kind::Closed && !self.close_called, "without close"),
            (kind == Kind::Closed && self.in_flight, "before the batch in flight came back"),
            (has(Kind::Failed) && matches!(kind, Kind::Received | Kind::Eof), "after Failed"),
            (has(Kind::Eof) && kind == Kind::Received, "after Eof"),
            (matches!(kind, Kind::Received | Kind::Eof) && !open, "before the connection was"),
            (kind == Kind::Connected && self.peer.is_some(), "though it was accepted"),
        ];
        rules.iter().find(|(broken, _)| *broken).map_or(Ok(()), |(_, rule)| Err(*rule))
    }

    fn is_over(&self) -> bool {
        self.kinds.contains(&Kind::Closed)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} received {} held {} in_flight {} close_called {} paused {} {:?}",
            self.kinds,
            self.received_octets,
            self.held.len(),
            self.in_flight,
            self.close_called,
            self.paused,
            self.failure
        )
    }
}

impl<D: Driver> fmt::Debug for End<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {:?} {:?}", self.name, self.driver.stats(), self.accept_failed)?;
        let unsettled = self.seen.iter().filter(|(_, seen)| !seen.is_over());
        unsettled.take(20).try_for_each(|(id, seen)| writeln!(f, "  {id:?} {seen:?}"))
    }
}

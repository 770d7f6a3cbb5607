//! The network behind all simulated drivers: sockets, listeners, virtual time, and everything random.
//!
//! Its operations are those of non-blocking sockets. What happens later is an event in a queue ordered by
//! time and by the order in which it was made, so that a run depends on its seed and its calls alone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::capture::SimFlow;
use super::faults::{SimFaultCounts, SimFaults};
use super::random::Random;
use super::slab::Slab;
use super::socket::{Arrival, Handshake, Socket, SocketId};
use crate::buf::TxBatch;

/// All hosts and what is between them.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) now: Duration,
    pub(super) random: Random,
    pub(super) faults: SimFaults,
    pub(super) counts: SimFaultCounts,
    pub(super) flows: Option<Vec<SimFlow>>,
    pub(super) auto_advance: bool,
    /// A digest of all that happened.
    pub(super) digest: u64,
    pub(super) sockets: Slab<Socket>,
    window_octets: usize,
    events: BinaryHeap<Reverse<Timed>>,
    events_made: u64,
    pub(super) listeners: Vec<Listener>,
    pub(super) hosts: Vec<Host>,
}

#[derive(Debug)]
pub(super) struct Listener {
    /// `None` when it is closed.
    pub(super) address: Option<SocketAddr>,
    /// Who accepts; `None` while it is bound only.
    pub(super) host: Option<usize>,
    pub(super) backlog: VecDeque<SocketId>,
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    ready: VecDeque<SocketId>,
    /// Something that it had put off is due. Other hosts look before it, and must not take that away.
    pub(super) looks_again: bool,
    gone: bool,
    woken: Arc<AtomicBool>,
}

/// An event and when it happens.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timed {
    at: Duration,
    /// Events of one time happen in the order in which they were made. Unique, so the rest decides nothing.
    made: u64,
    event: Event,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The front of `arriving` is due.
    Arrive(Key),
    /// A SYN reaches its listener.
    Syn(Key),
    Connected(Key),
    ConnectFailed(Key, io::ErrorKind),
    /// The window has opened.
    Writable(Key),
    /// A host goes on with what it had to put off.
    Retry(usize),
}

/// A socket id in an ordered event.
pub(super) type Key = (u32, u32);

impl Network {
    pub(super) fn new(seed: u64, faults: SimFaults, window_octets: usize) -> Network {
        assert!(window_octets > 0, "a window of no octets never opens");
        Network {
            now: Duration::ZERO,
            random: Random::new(seed),
            faults,
            counts: SimFaultCounts::default(),
            flows: None,
            auto_advance: false,
            digest: DIGEST_START,
            sockets: Slab::default(),
            window_octets,
            events: BinaryHeap::new(),
            events_made: 0,
            listeners: Vec::new(),
            hosts: Vec::new(),
        }
    }

    pub(super) fn add_host(&mut self, address: IpAddr, woken: Arc<AtomicBool>) -> usize {
        self.hosts.push(Host {
            address,
            port: EPHEMERAL_PORT_MIN,
            ready: VecDeque::new(),
            looks_again: false,
            gone: false,
            woken,
        });
        self.hosts.len() - 1
    }

    /// When something happens next: at once if a host has something to look at.
    pub(super) fn next_event(&self) -> Option<Duration> {
        let busy = |host: &Host| {
            !host.gone && (!host.ready.is_empty() || host.looks_again || host.woken.load(Ordering::Acquire))
        };
        if self.hosts.iter().any(busy) {
            return Some(self.now);
        }
        self.next_due()
    }

    /// When time next brings something.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.events.peek().map(|Reverse(timed)| timed.at.max(self.now))
    }

    /// Lets everything happen that is due.
    pub(super) fn run_due(&mut self) {
        while self.events.peek().is_some_and(|Reverse(timed)| timed.at <= self.now) {
            let Some(Reverse(timed)) = self.events.pop() else { return };
            match timed.event {
                Event::Arrive(key) => self.arrive(id(key)),
                Event::Syn(key) => self.syn(id(key)),
                Event::Connected(key) => self.end_handshake(id(key), Handshake::Done),
                Event::ConnectFailed(key, kind) => self.end_handshake(id(key), Handshake::Failed(kind)),
                Event::Writable(key) => {
                    if let Some(socket) = self.sockets.get_mut(id(key)) {
                        socket.blocked = false;
                        self.announce(id(key));
                    }
                }
                Event::Retry(host) => self.hosts[host].looks_again = true,
            }
        }
    }

    /// The next socket of a host that has something new.
    pub(super) fn next_ready(&mut self, host: usize) -> Option<SocketId> {
        loop {
            let socket = self.hosts[host].ready.pop_front()?;
            if let Some(open) = self.sockets.get_mut(socket) {
                open.announced = false;
                return Some(socket);
            }
        }
    }

    /// Makes `next_event` name a time from which on a host looks again, until it has.
    pub(super) fn retry_after(&mut self, host: usize, delay: Duration) {
        self.schedule(self.now + delay, Event::Retry(host));
    }

    /// A host is gone: nothing waits for it to look.
    pub(super) fn remove_host(&mut self, host: usize) {
        self.hosts[host].gone = true;
    }

    /// A host looks at what there is.
    pub(super) fn look(&mut self, host: usize) {
        self.run_due();
        self.hosts[host].looks_again = false;
    }

    /// A draw for `fault`, counted.
    pub(super) fn fault(
        &mut self,
        ppm: fn(&SimFaults) -> u32,
        count: fn(&mut SimFaultCounts) -> &mut u64,
    ) -> bool {
        let happens = self.random.chance(ppm(&self.faults));
        *count(&mut self.counts) += u64::from(happens);
        happens
    }

    /// How long something takes to the other side.
    pub(super) fn delay(&mut self) -> Duration {
        let (min, max) = (self.faults.delay_min, self.faults.delay_max);
        let delay = self.random.between(min, max);
        let stalls = self.fault(|faults| faults.stall_ppm, |counts| &mut counts.stalls);
        if stalls { delay + self.faults.stall } else { delay }
    }

    /// Writes what there is room for of the rest of a batch; `WouldBlock` when there is none.
    pub(super) fn write(&mut self, id: SocketId, batch: &TxBatch) -> io::Result<usize> {
        let socket = self.sockets.get_mut(id).expect("its owner has not closed it");
        if let Some(kind) = socket.error {
            return Err(kind.into());
        }
        if socket.shut_down {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = self.window_octets - socket.window_used;
        if room == 0 {
            socket.blocked = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.fault(|faults| faults.reset_ppm, |counts| &mut counts.resets) {
            self.sever(id, true);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let wanted = batch.remaining_octets();
        let mut octets = wanted.min(room);
        let short =
            octets > 1 && self.fault(|faults| faults.short_write_ppm, |counts| &mut counts.short_writes);
        if short {
            octets = 1 + self.random.below(octets as u64 - 1) as usize;
            let at = self.now + self.delay();
            self.schedule(at, Event::Writable(key(id)));
        }
        let socket = self.sockets.get_mut(id).expect("it was there");
        socket.blocked = octets < wanted;
        let written = gathered(batch, octets);
        self.capture(id, &written);
        self.deliver(id, written);
        if self.fault(|faults| faults.eof_ppm, |counts| &mut counts.eofs) {
            self.sever(id, false);
        }
        Ok(octets)
    }

    /// Reads what has arrived: 0 at the end, `WouldBlock` when there is nothing yet.
    pub(super) fn read(&mut self, id: SocketId, room: &mut [u8]) -> io::Result<usize> {
        let socket = self.sockets.get(id).expect("its owner has not closed it");
        let mut octets = room.len().min(socket.arrived.len());
        if octets == 0 {
            return match socket.error {
                Some(kind) => Err(kind.into()),
                None if socket.fin => Ok(0),
                None => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        if octets > 1 && self.fault(|faults| faults.short_read_ppm, |counts| &mut counts.short_reads) {
            octets = 1 + self.random.below(octets as u64 - 1) as usize;
        }
        self.sockets.get_mut(id).expect("it was there").take_arrived(room, octets);
        self.note(3, id, octets);
        self.open_window(id, octets);
        Ok(octets)
    }

    /// Reads and forgets what has arrived; true when nothing more can come.
    pub(super) fn discard(&mut self, id: SocketId) -> bool {
        let socket = self.sockets.get_mut(id).expect("its owner has not closed it");
        let octets = socket.arrived.len();
        socket.arrived.clear();
        let ended = socket.fin || socket.error.is_some();
        self.open_window(id, octets);
        ended
    }

    /// Sends FIN after what was written.
    pub(super) fn shut_down(&mut self, id: SocketId) {
        let socket = self.sockets.get_mut(id).expect("its owner has not closed it");
        socket.shut_down = true;
        if let Some(peer) = socket.peer {
            self.push(peer, Arrival::Fin);
        }
    }

    /// Closes a socket: with FIN, or with a reset if octets were not read.
    pub(super) fn close(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get(id) else { return };
        let (unread, shut_down) = (socket.has_unread(), socket.shut_down);
        if unread || socket.handshake != Handshake::Done {
            return self.reset(id);
        }
        if !shut_down {
            self.shut_down(id);
        }
        self.note(5, id, 0);
        self.sockets.remove(id);
    }

    /// Closes a socket with a reset.
    pub(super) fn reset(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(id) else { return };
        self.note(6, id, 0);
        if let Some(peer) = socket.peer {
            self.push(peer, Arrival::Reset);
        }
    }

    fn arrive(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.arrive(self.now);
            self.announce(id);
        }
    }

    /// Puts octets on their way; from nobody, a reset comes back.
    fn deliver(&mut self, from: SocketId, octets: Vec<u8>) {
        self.note(2, from, octets.len());
        let peer = self.sockets.get(from).and_then(|socket| socket.peer);
        match peer.filter(|&peer| self.sockets.get(peer).is_some()) {
            Some(peer) => {
                self.sockets.get_mut(from).expect("it was there").window_used += octets.len();
                self.push(peer, Arrival::Octets(octets));
            }
            None => self.push(from, Arrival::Reset),
        }
    }

    /// Something is on its way to `to`, behind what is already.
    fn push(&mut self, to: SocketId, arrival: Arrival) {
        let delay = self.delay();
        let Some(socket) = self.sockets.get_mut(to) else { return };
        let at = (self.now + delay).max(socket.last_arrival_at);
        socket.last_arrival_at = at;
        socket.arriving.push_back((at, arrival));
        self.schedule(at, Event::Arrive(key(to)));
    }

    /// Ends a connection in the middle: with resets that lose what is under way, or with an end both ways.
    fn sever(&mut self, id: SocketId, reset: bool) {
        let peer = self.sockets.get(id).and_then(|socket| socket.peer);
        for end in [Some(id), peer].into_iter().flatten() {
            let Some(socket) = self.sockets.get_mut(end) else { continue };
            socket.peer = None;
            socket.window_used = 0;
            if reset {
                socket.arriving.clear();
            }
            self.push(end, if reset { Arrival::Reset } else { Arrival::Fin });
        }
    }

    /// `octets` were read at `reader`: its peer may write as many more.
    fn open_window(&mut self, reader: SocketId, octets: usize) {
        let peer = self.sockets.get(reader).and_then(|socket| socket.peer);
        let Some(peer) = peer.filter(|_| octets > 0) else { return };
        let Some(writer) = self.sockets.get_mut(peer) else { return };
        writer.window_used -= octets;
        if writer.blocked {
            let at = self.now + self.delay();
            self.schedule(at, Event::Writable(key(peer)));
        }
    }

    /// Tells the host of a socket that it has something new.
    pub(super) fn announce(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if !std::mem::replace(&mut socket.announced, true) {
            self.hosts[socket.host].ready.push_back(id);
        }
    }

    fn capture(&mut self, id: SocketId, octets: &[u8]) {
        let Some(flows) = &mut self.flows else { return };
        let socket = self.sockets.get_mut(id).expect("it was there");
        let flow = *socket.flow.get_or_insert_with(|| {
            flows.push(SimFlow { from: socket.local, to: socket.remote, octets: Vec::new() });
            flows.len() - 1
        });
        flows[flow].octets.extend_from_slice(octets);
    }

    pub(super) fn schedule(&mut self, at: Duration, event: Event) {
        self.events_made += 1;
        self.events.push(Reverse(Timed { at, made: self.events_made, event }));
    }

    /// Adds to the digest that `what` happened.
    fn note(&mut self, what: u64, id: SocketId, octets: usize) {
        let parts = [what, self.now.as_nanos() as u64, u64::from(id.index), octets as u64];
        for part in parts {
            self.digest = (self.digest ^ part).wrapping_mul(DIGEST_FACTOR).rotate_left(29);
        }
    }
}

/// The first `octets` octets of the rest of a batch.
fn gathered(batch: &TxBatch, octets: usize) -> Vec<u8> {
    let mut written = Vec::with_capacity(octets);
    for part in batch.iovecs() {
        written.extend_from_slice(&part[..part.len().min(octets - written.len())]);
        if written.len() == octets {
            break;
        }
    }
    written
}

pub(super) fn key(id: SocketId) -> Key {
    (id.index, id.generation)
}

fn id((index, generation): Key) -> SocketId {
    SocketId { index, generation }
}

/// Ports given to connections.
pub(super) const EPHEMERAL_PORT_MIN: u16 = 32_768;
const DIGEST_START: u64 = 0xcbf2_9ce4_8422_2325;
const DIGEST_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

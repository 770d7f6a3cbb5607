//! The session slab: one slot for each session, found by index and generation.
//!
//! A slot is what one data SPDU touches; what only setting up and tearing down need is boxed beside it.
//! The slab knows no protocol: `turn`, `deliver`, `sending` and `ending` act on the slots.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::{Session, State};
use colloquy_transport::class0::{Class0, ConnectTpdu};
use colloquy_transport::driver::ConnectionId;

use crate::application::{SessionEnd, SessionId};
use crate::chain::Chain;
use crate::ending::REASON_CONGESTION;
use crate::opening::Reach;
use crate::output::Output;
pub(crate) use crate::view::SessionPhase as Phase;
use crate::wire::Wire;

/// What a session is to its shard's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Opened by [`crate::Context::connect`].
    Initiator,
    /// Accepted.
    Responder,
    /// Accepted over a limit, to be told so: the application never hears of it.
    Refusal,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Slot<S> {
    pub(crate) generation: u32,
    pub(crate) connection: ConnectionId,
    pub(crate) marks: Marks,
    pub(crate) phase: Phase,
    pub(crate) role: Role,
    /// The machine's state when the slot was last settled.
    pub(crate) state: State,
    /// Octets received and not yet given to `class0`.
    pub(crate) intake: Chain,
    pub(crate) intake_count: u32,
    /// Batches not yet given to the driver; the last one is still being filled.
    pub(crate) output: Output,
    /// Octets in `output` and in flight.
    pub(crate) queued_octets: usize,
    /// `queued_octets` as counted in the shard's sum: brought up to date for each batch, not for each SSDU.
    pub(crate) queued_noted: u32,
    /// Octets in `class0` as counted in the shard's sum.
    pub(crate) held_noted: u32,
    /// Tick at which the wheel has the session; [`UNARMED`] when it has not.
    pub(crate) armed: u64,
    /// Tick by which the batch in flight must have been taken.
    pub(crate) send_deadline: u64,
    /// Turn in which `turn_tsdus` was counted.
    pub(crate) turn: u32,
    pub(crate) turn_tsdus: u32,
    /// When that turn was, in whole seconds: what the peer sent last was taken in then.
    pub(crate) heard_seconds: u32,
    pub(crate) class0: Class0,
    pub(crate) machine: Session,
    pub(crate) app: S,
    pub(crate) cold: Box<Cold>,
}

impl<S: Default> Slot<S> {
    /// A slot at the start of its life, without a generation yet.
    pub(crate) fn new(connection: ConnectionId, role: Role, ends: (Class0, Session), cold: Cold) -> Self {
        let (class0, machine) = ends;
        let initiates = role == Role::Initiator;
        Slot {
            generation: 0,
            connection,
            marks: Marks { connected: !initiates, wired: cold.wire.is_some(), ..Marks::default() },
            phase: if initiates { Phase::Connecting } else { Phase::AwaitCr },
            role,
            state: machine.state(),
            intake: Chain::EMPTY,
            intake_count: 0,
            output: Output::EMPTY,
            queued_octets: 0,
            queued_noted: 0,
            held_noted: 0,
            armed: UNARMED,
            send_deadline: UNARMED,
            turn: 0,
            turn_tsdus: 0,
            heard_seconds: cold.opened.as_secs() as u32,
            class0,
            machine,
            app: S::default(),
            cold: Box::new(cold),
        }
    }
}

impl<S> Slot<S> {
    /// True where a peer does not read what the machine has answered by itself between two sessions: ABORT ACCEPT, or
    /// REFUSE, on a kept transport connection. No application is there to pause such a peer.
    #[inline]
    pub(crate) fn owes_answers(&self, send_high_octets: usize) -> bool {
        self.queued_octets >= send_high_octets && self.machine.state() == State::Sta01C
    }

    /// True when something is to be sent below class 0: of a handshake, or that TLS is closed.
    #[inline]
    pub(crate) fn wire_owes(&self) -> bool {
        self.marks.wired
            && !self.marks.dead
            && self.cold.wire.as_ref().is_some_and(|wire| wire.owes(self.marks.close_due))
    }

    /// True while the PROXY header has not come that says who the peer is.
    pub(crate) fn awaits_header(&self) -> bool {
        self.cold.wire.as_ref().is_some_and(|wire| wire.awaits_header())
    }

    /// True for a connection that was kept, or opened without a session, and on which none has begun.
    pub(crate) fn is_unused(&self) -> bool {
        let without_session = self.cold.kept || self.cold.reach.is_some();
        without_session && matches!(self.phase, Phase::AwaitCn | Phase::Kept | Phase::Reached)
    }
}

/// The tick of a timer that is not armed.
pub(crate) const UNARMED: u64 = u64::MAX;

/// Yes or no about one session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    /// In the dirty list.
    pub(crate) dirty: bool,
    /// In the ready list.
    pub(crate) ready: bool,
    /// The driver has a batch.
    pub(crate) in_flight: bool,
    /// The application wants nothing delivered.
    pub(crate) paused: bool,
    /// The application keeps octets of the receive pool.
    pub(crate) kept: bool,
    /// The driver was told to pause.
    pub(crate) receive_stopped: bool,
    /// `class0` may have events left.
    pub(crate) undrained: bool,
    /// Above the high mark and not yet below the low mark.
    pub(crate) congested: bool,
    /// What is queued or in flight to the peer may keep receive blocks.
    pub(crate) output_pins: bool,
    /// The network connection exists.
    pub(crate) connected: bool,
    /// The peer has closed or the connection has failed; `cold.gone` says which.
    pub(crate) gone: bool,
    /// Nothing can be sent any more.
    pub(crate) dead: bool,
    /// Accepted, and the application was not yet asked whether to admit it: it does not know of it.
    pub(crate) unasked: bool,
    /// The tap gets what is received and sent.
    pub(crate) tapped: bool,
    /// A fault of the peer was reported.
    pub(crate) faulted: bool,
    /// The peer's FN was indicated.
    pub(crate) release_indicated: bool,
    /// Counted as established.
    pub(crate) established: bool,
    /// How the session ends is settled, and `ended` is due or done.
    pub(crate) over: bool,
    /// `ended` was called: the id is stale for the application.
    pub(crate) ended: bool,
    /// Close once the output is with the driver.
    pub(crate) close_due: bool,
    /// `Driver::close` was called.
    pub(crate) closing: bool,
    /// The session is over and its transport connection goes on under a new id, which is due: what comes in until then
    /// is not for this one.
    pub(crate) renewal_due: bool,
    /// Something lies between the network and class 0: `cold.wire`.
    pub(crate) wired: bool,
}

/// The part of a session that its data phase leaves alone.
#[derive(Debug)]
pub(crate) struct Cold {
    pub(crate) peer: SocketAddr,
    /// Index of the listener in the shard; none for an initiator.
    pub(crate) listener: Option<u32>,
    /// When it was accepted or asked for.
    pub(crate) opened: Duration,
    /// The CR to send once the network connection exists.
    pub(crate) connect: Option<Box<ConnectTpdu>>,
    pub(crate) phase_deadline: Option<Duration>,
    pub(crate) application_deadline: Option<Duration>,
    /// How the session ends, as soon as it is known. Boxed, as what is below: of many idle sessions none has it.
    pub(crate) end: Option<Box<SessionEnd>>,
    /// How the network connection ended, until everything received before was taken in.
    pub(crate) gone: Option<Box<SessionEnd>>,
    /// The transport connection was kept from the session before this one.
    pub(crate) kept: bool,
    /// Opened without a session, so far.
    pub(crate) reach: Option<Reach>,
    /// From accept to CN, and from CN to the application's answer: as the listener had it at the accept. Milliseconds.
    connect_timeout_ms: u32,
    /// What a refusal is told.
    pub(crate) refusal: u8,
    /// Octets that the application says that it keeps.
    pub(crate) application_octets: u32,
    /// What lies between the network and class 0.
    pub(crate) wire: Option<Box<Wire>>,
}

impl Cold {
    /// That of a connection to or from `peer`, asked for or accepted now.
    pub(crate) fn new(peer: SocketAddr, opened: Duration, connect_timeout: Duration) -> Self {
        Self {
            peer,
            listener: None,
            opened,
            connect: None,
            phase_deadline: None,
            application_deadline: None,
            end: None,
            gone: None,
            kept: false,
            reach: None,
            connect_timeout_ms: u32::try_from(connect_timeout.as_micros().div_ceil(1000)).unwrap_or(u32::MAX),
            application_octets: 0,
            refusal: REASON_CONGESTION,
            wire: None,
        }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(u64::from(self.connect_timeout_ms))
    }
}

/// The slots of one shard.
#[derive(Debug)]
pub(crate) struct Slab<S> {
    entries: Vec<Entry<S>>,
    free: Vec<u32>,
    count: usize,
    /// Slot of each connection, by the connection's index.
    connections: Vec<Option<(u32, u32)>>,
    /// Connections whose index the driver has given to a newer one: their `Closed` is reported but was not yet
    /// handled when the application opened the newer one in the same turn. Few, and only for that long.
    displaced: Vec<(ConnectionId, u32)>,
}

#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every entry is occupied, and a box would cost each SPDU a cache line"
)]
enum Entry<S> {
    Vacant { generation: u32 },
    Occupied(Slot<S>),
}

impl<S> Slab<S> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            count: 0,
            connections: Vec::new(),
            displaced: Vec::new(),
        }
    }

    /// One line for each occupied slot, for a reader who asks why a session does not end.
    pub(crate) fn inspect(&self) -> Vec<String> {
        let line = |index: u32| {
            let slot = self.at(index);
            let Slot { role, phase, state, queued_octets, intake_count, marks, .. } = slot;
            let (armed, end, gone) = (slot.armed, &slot.cold.end, &slot.cold.gone);
            format!(
                "{index}: {role:?} {phase:?} {state:?} queued {queued_octets} intake {intake_count} held {} \
                 armed {armed} end {end:?} gone {gone:?} {marks:?}",
                slot.class0.held_octets()
            )
        };
        self.occupied_indices().into_iter().map(line).collect()
    }

    /// Every slot in use: for what happens once in the life of a shard, it looks at all of them.
    pub(crate) fn occupied_indices(&self) -> Vec<u32> {
        let is_occupied = |index: &u32| matches!(self.entries[*index as usize], Entry::Occupied(_));
        (0..self.entries.len() as u32).filter(is_occupied).collect()
    }

    /// Slots in use, of every role.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Puts a slot in and gives it its generation.
    pub(crate) fn insert(&mut self, mut slot: Slot<S>) -> SessionId {
        let connection = slot.connection;
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::Vacant { generation: 0 });
            (self.entries.len() - 1) as u32
        });
        let entry = &mut self.entries[index as usize];
        let Entry::Vacant { generation } = *entry else {
            unreachable!("a free index names a vacant entry");
        };
        slot.generation = generation;
        *entry = Entry::Occupied(slot);
        self.count += 1;
        let at = connection.index as usize;
        if at >= self.connections.len() {
            self.connections.resize(at + 1, None);
        }
        if let Some((generation, index)) = self.connections[at].replace((connection.generation, index)) {
            let index_of_connection = connection.index;
            self.displaced.push((ConnectionId { index: index_of_connection, generation }, index));
        }
        SessionId { index, generation }
    }

    /// Frees a slot; its id never resolves again.
    pub(crate) fn remove(&mut self, index: u32) -> Slot<S> {
        let entry = &mut self.entries[index as usize];
        let Entry::Occupied(slot) = std::mem::replace(entry, Entry::Vacant { generation: 0 }) else {
            unreachable!("only an occupied slot is removed");
        };
        *entry = Entry::Vacant { generation: slot.generation.wrapping_add(1) };
        match &mut self.connections[slot.connection.index as usize] {
            current @ Some(_)
                if current.is_some_and(|(generation, _)| generation == slot.connection.generation) =>
            {
                *current = None;
            }
            _ => self.displaced.retain(|(connection, _)| *connection != slot.connection),
        }
        self.free.push(index);
        self.count -= 1;
        slot
    }

    /// Gives the slot a new generation: the id it had never resolves again.
    ///
    /// The application's state and all that concerns one session alone start anew; connection, class 0, machine and
    /// queues go on.
    pub(crate) fn renew(&mut self, index: u32) -> SessionId
    where
        S: Default,
    {
        let slot = self.at_mut(index);
        slot.generation = slot.generation.wrapping_add(1);
        slot.app = S::default();
        let old = slot.marks;
        slot.marks = Marks {
            in_flight: old.in_flight,
            receive_stopped: old.receive_stopped,
            undrained: old.undrained,
            congested: old.congested,
            output_pins: old.output_pins,
            connected: old.connected,
            gone: old.gone,
            dead: old.dead,
            wired: old.wired,
            ..Marks::default()
        };
        slot.cold.end = None;
        slot.cold.application_deadline = None;
        slot.cold.kept = true;
        self.id(index)
    }

    /// Slots from an index on, with their index.
    pub(crate) fn slots_from(&self, index: u32) -> impl Iterator<Item = (u32, &Slot<S>)> {
        let entries = self.entries.iter().enumerate().skip(index as usize);
        entries.filter_map(|(index, entry)| match entry {
            Entry::Occupied(slot) => Some((index as u32, slot)),
            Entry::Vacant { .. } => None,
        })
    }

    /// The slot of a connection.
    pub(crate) fn of_connection(&self, connection: ConnectionId) -> Option<u32> {
        match self.connections.get(connection.index as usize) {
            Some(&Some((generation, index))) if generation == connection.generation => Some(index),
            _ => {
                self.displaced.iter().find(|(displaced, _)| *displaced == connection).map(|(_, index)| *index)
            }
        }
    }

    /// The slot at an index known to be occupied.
    pub(crate) fn at(&self, index: u32) -> &Slot<S> {
        match &self.entries[index as usize] {
            Entry::Occupied(slot) => slot,
            Entry::Vacant { .. } => unreachable!("the shard uses indices of occupied slots"),
        }
    }

    /// The slot at an index known to be occupied.
    pub(crate) fn at_mut(&mut self, index: u32) -> &mut Slot<S> {
        match &mut self.entries[index as usize] {
            Entry::Occupied(slot) => slot,
            Entry::Vacant { .. } => unreachable!("the shard uses indices of occupied slots"),
        }
    }

    /// The slot an application's id names, until `ended` was called for it.
    pub(crate) fn get(&self, id: SessionId) -> Option<&Slot<S>> {
        match self.entries.get(id.index as usize)? {
            Entry::Occupied(slot) if slot.generation == id.generation && !slot.marks.ended => Some(slot),
            _ => None,
        }
    }

    /// The slot an application's id names, until `ended` was called for it.
    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Slot<S>> {
        match self.entries.get_mut(id.index as usize)? {
            Entry::Occupied(slot) if slot.generation == id.generation && !slot.marks.ended => Some(slot),
            _ => None,
        }
    }

    /// The id of an occupied slot.
    pub(crate) fn id(&self, index: u32) -> SessionId {
        SessionId { index, generation: self.at(index).generation }
    }

    /// True when `id` names a slot that was not freed, ended or not.
    pub(crate) fn is_occupied(&self, id: SessionId) -> bool {
        matches!(self.entries.get(id.index as usize),
            Some(Entry::Occupied(slot)) if slot.generation == id.generation)
    }
}

#[cfg(test)]
mod tests {
    use colloquy_session::SessionConfig;
    use colloquy_transport::class0::Class0Config;

    use super::*;

    /// What a data SPDU touches beside the two machines: two cache lines.
    const _: () = assert!(size_of::<Slot<()>>() - size_of::<Session>() - size_of::<Class0>() <= 128);

    fn slot(connection: ConnectionId) -> Slot<u32> {
        let cold = Cold::new(([127, 0, 0, 1], 102).into(), Duration::ZERO, Duration::ZERO);
        let machine = Session::responder(&SessionConfig::default());
        let class0 = Class0::responder(&Class0Config::default());
        Slot::new(connection, Role::Responder, (class0, machine), cold)
    }

    fn connection(index: u32, generation: u32) -> ConnectionId {
        ConnectionId { index, generation }
    }

    #[test]
    fn a_freed_slot_is_reused_and_its_old_id_does_not_resolve() {
        let mut slab = Slab::new();
        let first = slab.insert(slot(connection(5, 0)));
        assert_eq!(slab.of_connection(connection(5, 0)), Some(first.index));
        assert_eq!(slab.of_connection(connection(5, 1)), None);
        slab.remove(first.index);
        assert_eq!(slab.of_connection(connection(5, 0)), None);
        let second = slab.insert(slot(connection(9, 0)));
        assert_eq!(second.index, first.index);
        assert_ne!(second.generation, first.generation);
        assert!(slab.get(first).is_none());
        assert!(!slab.is_occupied(first));
        assert!(slab.get(second).is_some());
        assert_eq!(slab.count(), 1);
    }

    #[test]
    fn an_ended_session_is_stale_for_the_application_alone() {
        let mut slab = Slab::new();
        let id = slab.insert(slot(connection(0, 0)));
        slab.at_mut(id.index).marks.ended = true;
        assert!(slab.get(id).is_none());
        assert!(slab.get_mut(id).is_none());
        assert!(slab.is_occupied(id));
    }

    #[test]
    fn two_tenants_of_a_connection_index_are_told_apart_until_the_older_is_gone() {
        let mut slab = Slab::new();
        let older = slab.insert(slot(connection(3, 0)));
        let newer = slab.insert(slot(connection(3, 1)));
        assert_eq!(slab.of_connection(connection(3, 0)), Some(older.index));
        assert_eq!(slab.of_connection(connection(3, 1)), Some(newer.index));
        slab.remove(older.index);
        assert_eq!(slab.of_connection(connection(3, 0)), None);
        assert_eq!(slab.of_connection(connection(3, 1)), Some(newer.index));
    }
}

//! Connection slots: what is known about a connection, and the table that resolves its id.

use arrayvec::ArrayVec;

use super::address::RawAddress;
use super::send::SendOperation;
use super::token::GENERATION_MAX;
use crate::driver::{ConnectOptions, ConnectionId, ListenerId};

/// Where a connection is between its first entry and its `Closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Accepted; the peer's address is asked for. Not reported yet.
    Naming(ListenerId),
    /// Not reported, because it is already dead. Ends without `Closed`.
    Unwanted,
    /// Outgoing; one set-up operation after the other is in flight.
    Connecting,
    /// Reported and usable.
    Open,
    /// Gracefully closed by the user: the send ends, FIN goes out, the peer's octets are discarded.
    Draining,
    /// Aborted, or everything graceful is done: what is in flight ends, then the descriptor closes.
    Ending,
    /// The close of the descriptor is in flight, and nothing else (pitfall 4).
    ClosingFile,
}

/// The receiving side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Receiving {
    /// The user wants octets: not paused.
    pub(super) wanted: bool,
    /// A receive (or a discarding one) is in flight.
    pub(super) armed: bool,
    /// Its cancel is in flight.
    pub(super) cancelling: bool,
    /// In the list of those that wait for a block.
    pub(super) waiting: bool,
    /// Got octets since it last waited.
    pub(super) fed: bool,
    /// The peer sent FIN, or the direction failed.
    pub(super) ended: bool,
}

/// The graceful close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fin {
    /// Not sent.
    #[default]
    Due,
    /// In flight.
    Pushed,
    /// Sent.
    Sent,
}

/// A connection slot.
///
/// Memory the kernel uses is boxed, so slots may move while operations may not (rule U3).
pub(super) struct Connection {
    pub(super) generation: u32,
    pub(super) phase: Phase,
    /// Index in the ring's table.
    pub(super) file: Option<u32>,
    /// Entries without terminal completion; the slot is free for another only at 0 (pitfall 5).
    pub(super) in_flight: u16,
    pub(super) receiving: Receiving,
    pub(super) fin: Fin,
    /// `Failed` was reported.
    pub(super) failed: bool,
    /// Sending failed with this error; reported when what the peer sent before has been received.
    pub(super) broken: Option<i32>,
    /// The one send in flight (pitfall 1).
    pub(super) sending: Option<Box<SendOperation>>,
    /// Set-up only: peer's, destination's or source address.
    pub(super) set_up: Option<Box<SetUp>>,
}

/// Memory of the set-up operations of a connection.
#[derive(Debug, Default)]
pub(super) struct SetUp {
    /// The peer's address, or the destination.
    pub(super) peer: RawAddress,
    pub(super) peer_octets: u32,
    pub(super) source: RawAddress,
    /// 0: no source address.
    pub(super) source_octets: u32,
    /// Socket options to set, and how many of them are set.
    pub(super) options: ArrayVec<SocketOption, SOCKET_OPTIONS_MAX>,
    pub(super) options_set: usize,
}

/// Most options of one socket.
pub(super) const SOCKET_OPTIONS_MAX: usize = 4;

/// A socket option whose value is a number; entries point to the value.
#[derive(Debug)]
pub(super) struct SocketOption {
    pub(super) level: libc::c_int,
    pub(super) name: libc::c_int,
    pub(super) value: libc::c_int,
}

impl SetUp {
    /// Notes the options of a socket that is to connect.
    pub(super) fn set_options(&mut self, options: &ConnectOptions) {
        let mut set = |level, name, value| self.options.push(SocketOption { level, name, value });
        set(libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
        if let Some(idle) = options.keepalive {
            set(libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1);
            let seconds = idle.as_secs().clamp(1, KEEPALIVE_SECONDS_MAX);
            set(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, seconds as libc::c_int);
        }
        if let Some(timeout) = options.user_timeout {
            let milliseconds = timeout.as_millis().min(libc::c_int::MAX as u128);
            set(libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, milliseconds as libc::c_int);
        }
    }
}

/// What Linux takes.
const KEEPALIVE_SECONDS_MAX: u64 = 32_767;

const _: () = assert!(size_of::<Option<Connection>>() <= 64, "a slot is one cache line");

/// All connections of a driver.
pub(super) struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

struct Slot {
    /// Generation of the next connection.
    generation: u32,
    connection: Option<Connection>,
}

impl Connections {
    pub(super) fn new() -> Connections {
        Connections { slots: Vec::new(), free: Vec::new() }
    }

    /// A new connection in `phase`.
    pub(super) fn insert(&mut self, phase: Phase, set_up: Box<SetUp>) -> ConnectionId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, connection: None });
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        debug_assert!(slot.connection.is_none());
        slot.connection = Some(Connection {
            generation: slot.generation,
            phase,
            file: None,
            in_flight: 0,
            receiving: Receiving { wanted: true, ..Receiving::default() },
            fin: Fin::Due,
            failed: false,
            broken: None,
            sending: None,
            set_up: Some(set_up),
        });
        ConnectionId { index, generation: slot.generation }
    }

    /// Frees a slot; ids of its generation do not resolve any more.
    ///
    /// # Panics
    /// When the id is stale or something is in flight.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        let connection = self.get(id).expect("a live connection");
        assert_eq!(connection.in_flight, 0, "pitfall 5: its operations have ended");
        debug_assert!(connection.sending.is_none(), "its batch went back");
        let slot = &mut self.slots[id.index as usize];
        slot.connection = None;
        slot.generation = (slot.generation + 1) & GENERATION_MAX;
        self.free.push(id.index);
    }

    /// The connection, unless the id is stale.
    pub(super) fn get(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let connection = self.slots.get_mut(id.index as usize)?.connection.as_mut()?;
        (connection.generation == id.generation).then_some(connection)
    }

    /// Connections there are.
    pub(super) fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

impl Connection {
    /// True when the user may still receive on it.
    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open && !self.failed
    }

    /// True when the user may send on it, or will be able to when it is connected.
    pub(super) fn takes_batches(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Connecting) && !self.failed && self.broken.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_id_does_not_resolve() {
        let mut connections = Connections::new();
        let first = connections.insert(Phase::Open, Box::default());
        let other = connections.insert(Phase::Open, Box::default());
        connections.remove(first);
        assert!(connections.get(first).is_none());
        let second = connections.insert(Phase::Open, Box::default());
        assert_eq!(second.index, first.index, "slots are reused");
        assert!(connections.get(first).is_none());
        assert!(connections.get(second).is_some());
        assert!(connections.get(other).is_some());
        assert_eq!(connections.count(), 2);
    }

    #[test]
    #[should_panic(expected = "pitfall 5")]
    fn a_slot_with_operations_in_flight_cannot_be_freed() {
        let mut connections = Connections::new();
        let id = connections.insert(Phase::Open, Box::default());
        connections.get(id).expect("live").in_flight = 1;
        connections.remove(id);
    }
}

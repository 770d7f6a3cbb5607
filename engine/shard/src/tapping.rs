//! Octets of single sessions for somebody who looks on: what was received, and what is sent, in clear.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::{SerialNumber, State};
use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::driver::Driver;

use crate::application::{Application, SessionId, TransportRole};
use crate::context::Context;
use crate::core::Core;
use crate::slab::Role;

/// What a tap is told about the session whose octets it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapFacts {
    /// Time of the turn.
    pub now: Duration,
    /// Which session.
    pub session: SessionId,
    /// The peer's address.
    pub peer: SocketAddr,
    /// Which end of the transport connection the session is.
    pub role: TransportRole,
    /// The tag of the listener that accepted its connection; `None` for an initiator.
    pub listener: Option<u32>,
    /// State of its machine, before what was received and behind what is sent.
    pub state: State,
    /// V(M) of the machine.
    pub next_serial: SerialNumber,
    /// Octets until the next TPKT begins; 0 where one begins with these octets. `None`: unknown, because octets before
    /// them are not read yet. Octets that are sent always begin with a TPKT.
    pub boundary_in: Option<usize>,
    /// A TSDU that has begun goes on behind that boundary.
    pub in_tsdu: bool,
}

/// Looks on. It is called on the shard's thread for sessions that are tapped, and must neither wait nor take long.
pub trait Tap {
    /// Octets came from the peer, behind those of the call before. Behind PROXY and TLS.
    fn received(&mut self, of: &TapFacts, octets: &Slice);
    /// Octets go to the peer, behind those of the call before. In front of TLS.
    fn sent(&mut self, of: &TapFacts, batch: &TxBatch);
    /// Nothing more comes of a session: its connection is closed, or kept for the next session. Behind
    /// [`Application::ended`], because what a session sends last goes after that.
    fn closed(&mut self, _session: SessionId, _now: Duration) {}
}

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// Gives the shard a tap, or takes it away. Sessions stay marked.
    pub fn set_tap(&mut self, tap: Option<Box<dyn Tap>>) {
        self.core.tap = tap;
    }

    /// Says whether the tap gets the octets of a session from here on. The next session of a kept transport connection is
    /// another one, which is not marked.
    pub fn set_tapped(&mut self, id: SessionId, tapped: bool) {
        if let Some(slot) = self.core.slab.get_mut(id) {
            slot.marks.tapped = tapped;
        }
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// Gives octets in clear to class 0.
    #[inline]
    pub(crate) fn take_in_clear(&mut self, index: u32, octets: Slice) {
        let mut slot = self.slab.at_mut(index);
        if slot.marks.tapped {
            self.tap_received(index, &octets);
            slot = self.slab.at_mut(index);
        }
        slot.class0.receive(octets);
    }

    /// The next batch of a session, in clear.
    #[inline]
    pub(crate) fn next_clear_batch(&mut self, index: u32) -> Option<TxBatch> {
        let slot = self.slab.at_mut(index);
        let batch = self.batches.pop(&mut slot.output)?;
        if slot.marks.tapped {
            self.tap_sent(index, &batch);
        }
        Some(batch)
    }

    /// Shows the tap what a tapped session has received.
    #[cold]
    fn tap_received(&mut self, index: u32, octets: &Slice) {
        let slot = self.slab.at(index);
        let (boundary_in, in_tsdu) = (slot.class0.octets_to_tpkt(), slot.class0.goes_on_behind_tpkt());
        let facts = TapFacts { in_tsdu, ..self.tap_facts(index, boundary_in) };
        if let Some(tap) = &mut self.tap {
            tap.received(&facts, octets);
        }
    }

    /// Shows the tap what a tapped session sends.
    #[cold]
    fn tap_sent(&mut self, index: u32, batch: &TxBatch) {
        let facts = self.tap_facts(index, Some(0));
        if let Some(tap) = &mut self.tap {
            tap.sent(&facts, batch);
        }
    }

    /// Tells the tap that nothing more comes of a session.
    pub(crate) fn tap_closed(&mut self, session: SessionId) {
        if self.slab.at(session.index).marks.tapped
            && let Some(tap) = &mut self.tap
        {
            tap.closed(session, self.now);
        }
    }

    fn tap_facts(&self, index: u32, boundary_in: Option<usize>) -> TapFacts {
        let slot = self.slab.at(index);
        let initiates = slot.role == Role::Initiator;
        TapFacts {
            now: self.now,
            session: SessionId { index, generation: slot.generation },
            peer: slot.cold.peer,
            role: if initiates { TransportRole::Initiator } else { TransportRole::Responder },
            listener: slot.cold.listener.map(|place| self.listeners[place as usize].tag),
            state: slot.machine.state(),
            next_serial: slot.machine.serial_numbers().next,
            boundary_in,
            in_tsdu: false,
        }
    }
}

//! How many octets a shard holds for its sessions: sums that are brought up to date where octets come, go or wait, and not
//! for each SSDU.
//!
//! Counted are send queues, receipts that wait, what class 0 assembles or has not read, and what the application says that it
//! keeps, wherever the octets lie. Not counted is what TLS needs: some kibioctets for each connection that has it.

use colloquy_transport::driver::Driver;

use crate::application::{Application, SessionId};
use crate::context::Context;
use crate::core::Core;
use crate::slab::Slot;

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// Octets that the sessions of the shard hold: queued to be sent, received and waiting, in an incomplete TSDU, or
    /// kept by the application ([`Context::set_octets_kept`]). What was queued in this turn is counted when the turn ends.
    pub fn octets_held(&self) -> usize {
        self.core.octets_held
    }

    /// The same of one session, to the octet; 0 when the id is stale.
    pub fn octets_waiting(&self, id: SessionId) -> usize {
        self.core.slab.get(id).map_or(0, |slot| {
            let application = slot.cold.application_octets as usize;
            slot.queued_octets + slot.class0.held_octets() + self.core.intake_octets(slot) + application
        })
    }

    /// Says how many octets of a session the application keeps: SSDUs that wait. Forgotten when the connection is closed.
    pub fn set_octets_kept(&mut self, id: SessionId, octets: usize) {
        if self.core.slab.get(id).is_some() {
            self.core.note_application_octets(id.index, octets);
        }
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// Brings the sum up to date with the send queue of a session.
    #[inline]
    pub(crate) fn note_slot_queued(octets_held: &mut usize, slot: &mut Slot<A::Session>) {
        // A send queue of 4 GiB is beyond every limit of a gateway; more would be counted as that.
        let now = u32::try_from(slot.queued_octets).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut slot.queued_noted, now);
        *octets_held = *octets_held + now as usize - before as usize;
    }

    /// Brings the sum up to date with what class 0 has of a session, after octets came.
    #[inline]
    pub(crate) fn note_slot_received(octets_held: &mut usize, slot: &mut Slot<A::Session>) {
        if slot.held_noted == 0 && slot.class0.holds_nothing() {
            return;
        }
        let now = u32::try_from(slot.class0.held_octets()).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut slot.held_noted, now);
        *octets_held = *octets_held + now as usize - before as usize;
    }

    /// Brings the sum up to date with what the application keeps of a session.
    pub(crate) fn note_application_octets(&mut self, index: u32, octets: usize) {
        let now = u32::try_from(octets).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut self.slab.at_mut(index).cold.application_octets, now);
        self.octets_held = self.octets_held + now as usize - before as usize;
    }

    /// Octets of the receipts of a session that wait.
    pub(crate) fn intake_octets(&self, slot: &Slot<A::Session>) -> usize {
        self.intake.iter(&slot.intake).map(|octets| octets.len()).sum()
    }

    /// Takes a session out of the sum.
    pub(crate) fn forget_octets(&mut self, index: u32) {
        let slot = self.slab.at(index);
        let application = slot.cold.application_octets as usize;
        self.octets_held -= slot.queued_noted as usize + slot.held_noted as usize + application;
    }
}

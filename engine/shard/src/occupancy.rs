//! How many octets a shard holds for its sessions: sums that are brought up to date where octets come, go or wait, and not
//! for each SSDU.
//!
//! Counted are send queues, receipts that wait, and what class 0 assembles or has not read, wherever the octets lie.

use colloquy_transport::driver::Driver;

use crate::application::{Application, SessionId};
use crate::context::Context;
use crate::core::Core;
use crate::slab::Slot;

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// Octets that the sessions of the shard hold: queued to be sent, received and waiting, or in an incomplete TSDU. What
    /// was queued in this turn is counted when the turn ends. What the application keeps is not counted.
    pub fn octets_held(&self) -> usize {
        self.core.octets_held
    }

    /// The same of one session, to the octet; 0 when the id is stale.
    pub fn octets_waiting(&self, id: SessionId) -> usize {
        self.core
            .slab
            .get(id)
            .map_or(0, |slot| slot.queued_octets + slot.class0.held_octets() + self.core.intake_octets(slot))
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// Brings the sum up to date with the send queue of a session.
    #[inline]
    pub(crate) fn note_queued(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        // A send queue of 4 GiB is beyond every limit of a gateway; more would be counted as that.
        let now = u32::try_from(slot.queued_octets).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut slot.queued_noted, now);
        self.octets_held = self.octets_held + now as usize - before as usize;
    }

    /// Brings the sum up to date with what class 0 has of a session, after octets came.
    #[inline]
    pub(crate) fn note_received(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        if slot.held_noted == 0 && slot.class0.holds_nothing() {
            return;
        }
        let now = u32::try_from(slot.class0.held_octets()).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut slot.held_noted, now);
        self.octets_held = self.octets_held + now as usize - before as usize;
    }

    /// Octets of the receipts of a session that wait.
    pub(crate) fn intake_octets(&self, slot: &Slot<A::Session>) -> usize {
        self.intake.iter(&slot.intake).map(|octets| octets.len()).sum()
    }

    /// Takes a session out of the sum.
    pub(crate) fn forget_octets(&mut self, index: u32) {
        let slot = self.slab.at(index);
        self.octets_held -= slot.queued_noted as usize + slot.held_noted as usize;
    }
}

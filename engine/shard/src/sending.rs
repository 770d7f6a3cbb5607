//! What sessions send: appended to their batches, given to the driver once a turn, and taken back when it is sent.
//!
//! Each of these is done for every SSDU or every batch, so a session is looked up no more often than it must, and not again
//! for each thing to be done with its slot.

use colloquy_transport::buf::TxBatch;
use colloquy_transport::class0::Class0;
use colloquy_transport::driver::{Close, Driver};

use crate::application::{Application, SessionId};
use crate::config::ShardConfig;
use crate::core::{Core, Effect};
use crate::counters::Tally;
use crate::output::Batches;
use crate::slab::{Slot, UNARMED};
use crate::wheel::Wheel;

/// What a shard has for its sessions to send by.
pub(crate) struct Sending<'a> {
    pub(crate) tally: &'a mut Tally,
    batches: &'a mut Batches,
    dirty: &'a mut Vec<SessionId>,
    rare: &'a mut bool,
    config: &'a ShardConfig,
}

impl Sending<'_> {
    /// Lets `put` append to what a session sends.
    #[inline]
    pub(crate) fn put<S>(self, slot: &mut Slot<S>, index: u32, put: impl FnOnce(&mut Class0, &mut TxBatch)) {
        if slot.marks.dead || slot.marks.closing {
            return;
        }
        let batch = self.batches.room(&mut slot.output, self.config.send_octets_max);
        let before = batch.octets();
        put(&mut slot.class0, batch);
        slot.queued_octets += batch.octets() - before;
        if slot.queued_octets >= self.config.send_high_octets && !slot.marks.congested {
            slot.marks.congested = true;
            self.tally.congested += 1;
            *self.rare = true;
        }
        mark_slot_dirty(self.dirty, slot, index);
    }
}

#[inline]
fn mark_slot_dirty<S>(dirty: &mut Vec<SessionId>, slot: &mut Slot<S>, index: u32) {
    if !slot.marks.dirty {
        slot.marks.dirty = true;
        dirty.push(SessionId { index, generation: slot.generation });
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// The slot that an application's id names, and what it sends by; `None` when the id is stale.
    #[inline]
    pub(crate) fn sending(&mut self, id: SessionId) -> Option<(&mut Slot<A::Session>, Sending<'_>)> {
        let Core { slab, tally, batches, dirty, rare, config, .. } = self;
        Some((slab.get_mut(id)?, Sending { tally, batches, dirty, rare, config }))
    }

    /// Lets `put` append to what a session sends.
    pub(crate) fn put(&mut self, index: u32, put: impl FnOnce(&mut Class0, &mut TxBatch)) {
        let Core { slab, tally, batches, dirty, rare, config, .. } = self;
        Sending { tally, batches, dirty, rare, config }.put(slab.at_mut(index), index, put);
    }

    pub(crate) fn mark_dirty(&mut self, index: u32) {
        mark_slot_dirty(&mut self.dirty, self.slab.at_mut(index), index);
    }

    /// Gives every dirty session's next batch to the driver.
    pub(crate) fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            if self.slab.is_occupied(id) {
                self.flush_session(id.index);
            }
        }
        self.dirty = dirty;
    }

    fn flush_session(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        slot.marks.dirty = false;
        Self::note_slot_queued(&mut self.octets_held, slot);
        if slot.marks.closing || !slot.marks.connected {
            return;
        }
        if slot.marks.dead {
            self.drop_output(index);
        } else if slot.marks.in_flight {
            if Batches::pins(&slot.output) {
                self.note_output(index);
            }
        } else {
            let in_the_way = slot.marks.wired || slot.marks.tapped;
            let batch = if in_the_way { self.next_batch(index) } else { self.batches.pop(&mut slot.output) };
            if let Some(batch) = batch {
                self.send(index, batch);
            }
        }
        let slot = self.slab.at_mut(index);
        if slot.marks.close_due && slot.output.is_empty() && !slot.wire_owes() {
            let how = if slot.marks.dead { Close::Abort } else { Close::Graceful };
            slot.marks.closing = true;
            self.driver.close(slot.connection, how);
        }
    }

    /// The next batch of a session that has somebody between class 0 and the driver.
    #[inline(never)]
    fn next_batch(&mut self, index: u32) -> Option<TxBatch> {
        let wired = self.slab.at(index).marks.wired;
        if wired { self.next_wired_batch(index) } else { self.next_clear_batch(index) }
    }

    /// Gives a batch to the driver.
    #[inline]
    fn send(&mut self, index: u32, batch: TxBatch) {
        let slot = self.slab.at_mut(index);
        slot.marks.in_flight = true;
        self.tally.sends += 1;
        self.tally.octets_out += batch.octets() as u64;
        let pins = batch.pins();
        self.driver.send(slot.connection, batch);
        slot.send_deadline = Wheel::tick_of(self.now + self.config.send_timeout);
        if slot.armed > slot.send_deadline {
            slot.armed = slot.send_deadline;
            self.wheel.arm(index, slot.armed);
        }
        if !slot.output.is_empty() || slot.queued_octets >= self.config.send_high_octets {
            self.driver.await_sent();
        }
        if pins {
            self.note_output(index);
        }
    }

    /// A batch came back.
    pub(crate) fn sent(&mut self, index: u32, batch: TxBatch) {
        let mut slot = self.slab.at_mut(index);
        slot.marks.in_flight = false;
        slot.send_deadline = UNARMED;
        slot.queued_octets -= batch.octets();
        Self::note_slot_queued(&mut self.octets_held, slot);
        let more = !slot.output.is_empty() || slot.wire_owes();
        if slot.marks.output_pins {
            // The peer reads, so whatever is left starts to wait anew.
            slot.marks.output_pins = more;
            self.holders.remove(index);
            self.note_held(index);
            slot = self.slab.at_mut(index);
        }
        if slot.marks.congested && slot.queued_octets < self.config.send_low_octets {
            slot.marks.congested = false;
            let generation = slot.generation;
            self.effects.push_back(Effect::Writable(SessionId { index, generation }));
        }
        if more || slot.marks.close_due {
            mark_slot_dirty(&mut self.dirty, slot, index);
        }
        let goes_on = slot.marks.undrained && !slot.marks.paused;
        if goes_on && !slot.owes_answers(self.config.send_high_octets) {
            self.mark_ready(index);
        }
        self.batches.recycle(batch);
    }

    /// Drops what a session has not given to the driver.
    pub(crate) fn drop_output(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        while let Some(batch) = self.batches.pop(&mut slot.output) {
            slot.queued_octets -= batch.octets();
            self.batches.recycle(batch);
        }
        Self::note_slot_queued(&mut self.octets_held, slot);
    }
}

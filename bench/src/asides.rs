//! Typed and expedited SSDUs: sent beside the others, one of each kind at a time, and compared when they come back.

use std::time::Duration;

use colloquy_session::{Enclosure, Request};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::Body;
use colloquy_transport::driver::Driver;

use crate::content::Verdict;
use crate::course::Aside;
use crate::generator::{Generator, Slot};
use crate::operation::Operation;
use crate::plan::Check;

/// Set in the sequence number of typed SSDUs, so that one taken for another kind shows.
const TYPED: u32 = 1 << 31;
/// The same of expedited SSDUs.
const EXPEDITED: u32 = 1 << 30;

impl Generator {
    /// Sends a typed SSDU; false when the session failed over it.
    pub(crate) fn send_typed<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
    ) -> bool {
        let slot = &self.slots[index as usize];
        let parts = self.content.ssdu(&slot.identity, slot.course.typed.sent | TYPED);
        match ctx.typed_data_request(id, parts.as_slices(), Enclosure::WHOLE) {
            Ok(()) => self.aside_sent(ctx.now(), index, Operation::Typed),
            Err(error) => self.refused_here(ctx, index, id, Operation::Typed, error),
        }
    }

    /// Sends an expedited SSDU; false when the session failed over it.
    pub(crate) fn send_expedited<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
    ) -> bool {
        let slot = &self.slots[index as usize];
        let user_data = expedited_octets(slot);
        match ctx.request(id, &Request::ExpeditedData { user_data: &user_data }) {
            Ok(()) => self.aside_sent(ctx.now(), index, Operation::Expedited),
            Err(error) => self.refused_here(ctx, index, id, Operation::Expedited, error),
        }
    }

    fn aside_sent(&mut self, now: Duration, index: u32, operation: Operation) -> bool {
        aside_of(&mut self.slots[index as usize], operation).in_flight = Some(now);
        self.outstanding += 1;
        self.recorder.operations.of_mut(operation).begun += 1;
        true
    }

    /// Takes a typed SSDU, or a part of one, that came from the peer.
    pub(crate) fn typed_answer<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        enclosure: Enclosure,
        body: &Body,
    ) {
        let slot = &mut self.slots[index as usize];
        let typed = &mut slot.course.typed;
        if self.plan.check == Check::Echo {
            for slice in body.slices() {
                self.content.compare(&mut typed.arriving, slice);
            }
        }
        if !enclosure.end {
            return;
        }
        let verdict = match self.plan.check {
            Check::Echo => self.content.finish(&mut typed.arriving, slot.number, typed.sent | TYPED),
            Check::Discard => Verdict::Good,
        };
        self.aside_answered(ctx, index, Operation::Typed, verdict);
    }

    /// Takes an expedited SSDU that came from the peer.
    pub(crate) fn expedited_answer<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        user_data: &[u8],
    ) {
        let expected = expedited_octets(&self.slots[index as usize]);
        let good = self.plan.check == Check::Discard || user_data == expected;
        let verdict = if good { Verdict::Good } else { Verdict::Corrupted };
        self.aside_answered(ctx, index, Operation::Expedited, verdict);
    }

    fn aside_answered<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        operation: Operation,
        verdict: Verdict,
    ) {
        let now = ctx.now();
        let aside = aside_of(&mut self.slots[index as usize], operation);
        let Some(begun) = aside.in_flight.take() else {
            self.recorder.counts.unexpected += 1;
            self.recorder.operations.of_mut(operation).errors += 1;
            return;
        };
        aside.sent = aside.sent.wrapping_add(1);
        self.outstanding -= 1;
        if verdict != Verdict::Good {
            self.recorder.verdict(verdict);
            self.recorder.operations.of_mut(operation).errors += 1;
        }
        let took = self.window.contains(begun).then(|| now.saturating_sub(begun));
        self.recorder.operations.completed(operation, took);
        self.go_on_with(ctx, index);
    }
}

/// What the expedited SSDU whose turn it is contains: 14 octets would be possible.
fn expedited_octets(slot: &Slot) -> [u8; 8] {
    let mut octets = [0; 8];
    octets[..4].copy_from_slice(&(slot.course.expedited.sent | EXPEDITED).to_le_bytes());
    octets[4..].copy_from_slice(&slot.number.to_le_bytes());
    octets
}

fn aside_of(slot: &mut Slot, operation: Operation) -> &mut Aside {
    match operation {
        Operation::Typed => &mut slot.course.typed,
        _ => &mut slot.course.expedited,
    }
}

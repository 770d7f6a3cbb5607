//! Data and typed data over the relay: by reference, whole and in order, at the pace of the slower side.

use colloquy_session::{Enclosure, ServiceError};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::driver::Driver;

use super::super::GatewayApp;
use super::super::held::Flow;
use super::carry::is_purged;
use crate::record::NotCarried;

impl GatewayApp {
    /// Carries an SSDU, or a segment of one, from one side to the other.
    ///
    /// Where the receiving side segments, segments go on as they come. Where it does not, they are kept
    /// until the last one is here and sent as one SSDU.
    pub(super) fn relay_ssdu<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        from: SessionId,
        to: SessionId,
        flow: Flow,
        body: &Body,
        enclosure: Enclosure,
    ) {
        if self.skips(ctx, from, enclosure) {
            return;
        }
        if enclosure == Enclosure::WHOLE || self.segments(ctx, to) {
            let sent = self.send(ctx, to, flow, body, enclosure).or_else(|refused| match refused {
                // Rare, so the slices may be counted once more.
                ServiceError::State { .. } => {
                    let slices: Vec<Slice> = body.slices().cloned().collect();
                    late(ctx, to, flow, &slices, enclosure)
                }
                refused => Err(refused),
            });
            self.judge(ctx, from, to, flow, sent, (enclosure, body.len()));
            return;
        }
        if !self.hold(ctx, from, flow, body, enclosure) {
            return self.give_up(ctx, from, NotCarried::SsduTooLong);
        }
        if enclosure.end {
            self.relay_held(ctx, from, to, flow);
        }
    }

    /// Sends the SSDU whose last segment is here.
    fn relay_held<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        from: SessionId,
        to: SessionId,
        flow: Flow,
    ) {
        let Some(held) = self.take_held(ctx, from, flow) else { return };
        for (slices, enclosure) in held.sendable(false) {
            let octets = slices.iter().map(|slice| slice.len()).sum();
            let sent = late(ctx, to, flow, slices, enclosure);
            if !self.judge(ctx, from, to, flow, sent, (enclosure, octets)) {
                return;
            }
        }
        self.recycle(held);
    }

    /// Counts what was sent, or drops what the peer would throw away; false when both sides are ended.
    fn judge<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        from: SessionId,
        to: SessionId,
        flow: Flow,
        sent: Result<(), ServiceError>,
        (enclosure, octets): (Enclosure, usize),
    ) -> bool {
        let purged = match &sent {
            Ok(()) => {
                self.relayed(ctx, from, to, octets);
                return true;
            }
            Err(error) => ctx.machine(to).is_none_or(|machine| is_purged(error, machine.state())),
        };
        if purged {
            if let Some(state) = ctx.state(from) {
                state.skipping = !enclosure.end;
            }
            return true;
        }
        self.must_carry(ctx, from, flow.request_name(), sent)
    }

    /// True for a segment behind one that was dropped.
    fn skips<D: Driver>(
        &self,
        ctx: &mut Context<'_, D, Self>,
        from: SessionId,
        enclosure: Enclosure,
    ) -> bool {
        let Some(state) = ctx.state(from) else { return false };
        let skips = state.skipping && !enclosure.begin;
        state.skipping &= skips && !enclosure.end;
        skips
    }

    /// Counts what went over, and stops the feeding side while the other does not take it.
    fn relayed<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        from: SessionId,
        to: SessionId,
        octets: usize,
    ) {
        if let Some(state) = ctx.state(to) {
            state.ssdus_out += 1;
            state.octets_out += octets as u64;
        }
        if ctx.is_congested(to) {
            ctx.pause(from);
        }
    }

    /// True when what this side sends is segmented: a TSDU maximum size was selected for its direction.
    pub(crate) fn segments<D: Driver>(&self, ctx: &Context<'_, D, Self>, id: SessionId) -> bool {
        ctx.machine(id).is_some_and(|machine| machine.send_octets_max().is_some())
    }
}

/// Sends an SSDU, or a segment, on behalf of a peer that may not have heard of what this leg knows.
fn late<D: Driver>(
    ctx: &mut Context<'_, D, GatewayApp>,
    to: SessionId,
    flow: Flow,
    slices: &[Slice],
    enclosure: Enclosure,
) -> Result<(), ServiceError> {
    match flow {
        Flow::Data => ctx.late_data_request(to, slices, enclosure),
        Flow::Typed => ctx.late_typed_data_request(to, slices, enclosure),
    }
}

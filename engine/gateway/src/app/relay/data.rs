//! Data over the relay: by reference, whole and in order, at the pace of the slower side.

use colloquy_session::Enclosure;
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::Body;
use colloquy_transport::driver::Driver;

use super::super::GatewayApp;
use super::super::state::Role;
use crate::record::NotCarried;

impl GatewayApp {
    /// Carries an SSDU, or a segment of one, from one side to the other.
    ///
    /// Where the receiving side segments, segments go on as they come. Where it does not, they are kept
    /// until the last one is here and sent as one SSDU.
    pub(super) fn relay_data<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        from: SessionId,
        to: SessionId,
        body: &Body,
        enclosure: Enclosure,
    ) {
        if enclosure == Enclosure::WHOLE || self.segments(ctx, to) {
            let sent = self.send(ctx, to, body, enclosure);
            if self.must_carry(ctx, from, "S-DATA request", sent) {
                self.relayed(ctx, from, to, body.len());
            }
            return;
        }
        if !self.hold(ctx, from, body, enclosure) {
            return self.give_up(ctx, from, NotCarried::SsduTooLong);
        }
        if !enclosure.end {
            return;
        }
        let Some(held) = self.take_held(ctx, from) else { return };
        for (slices, enclosure) in held.sendable(false) {
            let sent = ctx.data_request(to, slices, enclosure);
            if !self.must_carry(ctx, from, "S-DATA request", sent) {
                return;
            }
            self.relayed(ctx, from, to, slices.iter().map(|slice| slice.len()).sum());
        }
        self.recycle(held);
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
    pub(crate) fn segments<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId) -> bool {
        let initiator = ctx.state(id).is_some_and(|state| matches!(state.role, Role::Upstream { .. }));
        ctx.machine(id).is_some_and(|machine| {
            let sizes = machine.tsdu_maximum_size();
            let octets_max =
                if initiator { sizes.initiator_to_responder } else { sizes.responder_to_initiator };
            octets_max != 0
        })
    }
}

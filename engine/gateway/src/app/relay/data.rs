//! Data and typed data over the relay: by reference, whole and in order, at the pace of the slower side.

use colloquy_session::Enclosure;
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::Body;
use colloquy_transport::driver::Driver;

use super::super::GatewayApp;
use super::super::held::Flow;
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
        if enclosure == Enclosure::WHOLE || self.segments(ctx, to) {
            let sent = self.send(ctx, to, flow, body, enclosure);
            if self.must_carry(ctx, from, flow.request_name(), sent) {
                self.relayed(ctx, from, to, body.len());
            }
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
            let sent = match flow {
                Flow::Data => ctx.data_request(to, slices, enclosure),
                Flow::Typed => ctx.typed_data_request(to, slices, enclosure),
            };
            if !self.must_carry(ctx, from, flow.request_name(), sent) {
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
    pub(crate) fn segments<D: Driver>(&self, ctx: &Context<'_, D, Self>, id: SessionId) -> bool {
        ctx.machine(id).is_some_and(|machine| machine.send_octets_max().is_some())
    }
}

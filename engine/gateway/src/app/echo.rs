//! The echo: each SSDU comes back, whole and in order; connect and release data come back too.
//!
//! In half duplex the echo asks for the data token when it has something to send, and gives every token
//! back when it is asked for.

use colloquy_session::{Enclosure, Indication, ProviderAbortReason, ServiceError, Tokens};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::Body;
use colloquy_transport::driver::Driver;

use super::counters::AbortOrigin;
use super::state::Phase;
use super::{GatewayApp, sink};

impl GatewayApp {
    pub(super) fn echo<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        // Each answer can only fail because the session is ending, which `ended` will tell.
        let _ = match indication {
            Indication::Data { enclosure, .. } => {
                self.echo_data(ctx, id, body, enclosure);
                Ok(())
            }
            Indication::Connect(connect) => {
                let accept = sink::accept(connect.requirements, connect.user_data);
                let answered = ctx.connect_response(id, &accept);
                if let Some(state) = ctx.state(id) {
                    state.phase = Phase::Open;
                }
                answered.or_else(|error| match error {
                    ServiceError::UserDataLength { .. } => {
                        ctx.connect_response(id, &sink::accept(connect.requirements, &[]))
                    }
                    _ => Err(error),
                })
            }
            Indication::TokenGive { .. } => {
                self.echo_token(ctx, id);
                Ok(())
            }
            Indication::TokenPlease { tokens, .. } => ctx.token_give_request(id, tokens, &[]),
            Indication::Release { user_data } => ctx.release_response(id, true, user_data),
            _ => Ok(()),
        };
    }

    fn echo_data<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        body: &Body,
        enclosure: Enclosure,
    ) {
        let Some(state) = ctx.state(id) else { return };
        let waiting = state.held.is_some();
        let whole = enclosure == Enclosure::WHOLE;
        if !waiting && (whole || self.segments(ctx, id)) && owns_data_token(ctx, id) {
            if self.send(ctx, id, body, enclosure).is_ok() {
                self.sent(ctx, id, body.len());
            }
            return;
        }
        if !self.hold(ctx, id, body, enclosure) {
            self.counters.abort(AbortOrigin::Gateway, ProviderAbortReason::ImplementationRestriction);
            ctx.provider_abort(id, ProviderAbortReason::ImplementationRestriction);
            return;
        }
        if enclosure.end {
            self.echo_token(ctx, id);
        }
    }

    /// Sends what waits, or asks for the token that it needs.
    fn echo_token<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let owned = owns_data_token(ctx, id);
        let segments = self.segments(ctx, id);
        let Some(state) = ctx.state(id) else { return };
        if !state.held.as_ref().is_some_and(|held| held.is_complete()) {
            return;
        }
        if !owned {
            // Asked once: a second request would only be a second reminder.
            if !state.token_asked {
                state.token_asked = true;
                let _ = ctx.token_please_request(id, Tokens::DATA, &[]);
            }
            return;
        }
        state.token_asked = false;
        let Some(held) = self.take_held(ctx, id) else { return };
        for (slices, enclosure) in held.sendable(segments) {
            if ctx.data_request(id, slices, enclosure).is_ok() {
                self.sent(ctx, id, slices.iter().map(|slice| slice.len()).sum());
            }
        }
        self.recycle(held);
    }

    /// Counts what was sent and stops receiving while the peer does not take it.
    fn sent<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, octets: usize) {
        if let Some(state) = ctx.state(id) {
            state.ssdus_out += 1;
            state.octets_out += octets as u64;
        }
        if ctx.is_congested(id) {
            ctx.pause(id);
        }
    }
}

fn owns_data_token<D: Driver>(ctx: &Context<'_, D, GatewayApp>, id: SessionId) -> bool {
    ctx.machine(id).is_some_and(|machine| {
        let owned_elsewhere = machine.tokens_available().difference(machine.tokens_owned());
        !owned_elsewhere.contains(Tokens::DATA)
    })
}

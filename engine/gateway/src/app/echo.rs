//! The echo: each SSDU comes back, whole and in order: data as data, typed data as typed data, expedited data
//! as expedited data. What is to be confirmed is confirmed at once with the user data that came with it.
//!
//! In half duplex the echo asks for the data token when it has something to send, and gives every token
//! back when it is asked for. What waits for the token when a resynchronization, an interrupt or a discard comes
//! is dropped: it belongs to what the peers agree to throw away.

use colloquy_session::{Enclosure, Indication, ProviderAbortReason, ServiceError, Tokens};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::Body;
use colloquy_transport::driver::Driver;

use super::counters::AbortOrigin;
use super::held::Flow;
use super::state::Phase;
use super::user::{self, Standing};
use super::{GatewayApp, Stage};

impl GatewayApp {
    pub(super) fn echo<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        match indication {
            Indication::Data { enclosure, .. } => self.echo_ssdu(ctx, id, Flow::Data, body, enclosure),
            Indication::TypedData { enclosure, .. } => self.echo_ssdu(ctx, id, Flow::Typed, body, enclosure),
            Indication::Connect(connect) => {
                let octets_max = self.tsdu_maximum_size(ctx, id);
                let accept = user::accept(&connect, octets_max, connect.user_data);
                let answered = ctx.connect_response(id, &accept);
                if let Some(state) = ctx.state(id) {
                    state.phase = Phase::Open;
                }
                self.session_opened(ctx, id);
                // Any other error means that the session is ending, which `ended` will tell.
                if let Err(ServiceError::UserDataLength { .. }) = answered {
                    let _ = ctx.connect_response(id, &user::accept(&connect, octets_max, &[]));
                }
                self.reached(ctx, id, Stage::Session);
            }
            indication => self.echo_answer(ctx, id, &indication),
        }
    }

    fn echo_answer<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: &Indication<'_>,
    ) {
        if user::purges(indication) {
            self.drop_held(ctx, id);
        }
        let Some(standing) = ctx.machine(id).map(Standing::of) else { return };
        if let Some(answer) = user::answer(indication, &standing) {
            // Fails only where the machine has been told of something that overrides it: the end of the session,
            // or a resynchronization that is on its way.
            let _ = ctx.request(id, &answer);
        }
        if matches!(indication, Indication::TokenGive { .. } | Indication::ControlGive { .. }) {
            self.echo_token(ctx, id);
        }
    }

    fn echo_ssdu<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        flow: Flow,
        body: &Body,
        enclosure: Enclosure,
    ) {
        let Some(state) = ctx.state(id) else { return };
        let waiting = state.held[flow].is_some();
        let whole = enclosure == Enclosure::WHOLE;
        let may_go = flow == Flow::Typed || owns_data_token(ctx, id);
        if !waiting && (whole || self.segments(ctx, id)) && may_go {
            if self.send(ctx, id, flow, body, enclosure).is_ok() {
                self.sent(ctx, id, body.len());
            }
            return;
        }
        if !self.hold(ctx, id, flow, body, enclosure) {
            self.counters.abort(AbortOrigin::Gateway, ProviderAbortReason::ImplementationRestriction);
            ctx.provider_abort(id, ProviderAbortReason::ImplementationRestriction);
            return;
        }
        match flow {
            _ if !enclosure.end => {}
            Flow::Data => self.echo_token(ctx, id),
            Flow::Typed => self.echo_held(ctx, id, flow),
        }
    }

    /// Sends the data that wait, or asks for the token that they need.
    fn echo_token<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let owned = owns_data_token(ctx, id);
        let Some(state) = ctx.state(id) else { return };
        if !state.held[Flow::Data].as_ref().is_some_and(|held| held.is_complete()) {
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
        self.echo_held(ctx, id, Flow::Data);
    }

    fn echo_held<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, flow: Flow) {
        let segments = self.segments(ctx, id);
        let Some(held) = self.take_held(ctx, id, flow) else { return };
        for (slices, enclosure) in held.sendable(segments) {
            let sent = match flow {
                Flow::Data => ctx.data_request(id, slices, enclosure),
                Flow::Typed => ctx.typed_data_request(id, slices, enclosure),
            };
            if sent.is_ok() {
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

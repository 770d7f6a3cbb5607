//! The relay: terminates the session on both sides and carries every primitive over.
//!
//! ```text
//! downstream peer ──CN──▶ responder machine │ relay │ initiator machine ──CN──▶ upstream peer
//!                 ◀──AC──                   │       │                   ◀──AC──
//! ```
//!
//! The downstream's S-CONNECT is answered only when the upstream's answer is there. What the upstream is
//! asked for is what the downstream proposed, as far as the listener's units and the target's profile go;
//! what the downstream gets is what the upstream selected ([`connect`]).
//!
//! Each indication of one side becomes the same primitive on the other:
//!
//! | indication | request on the other side |
//! |---|---|
//! | S-DATA | S-DATA by reference, SSDU boundaries kept (`data.rs`) |
//! | S-TOKEN-GIVE, S-TOKEN-PLEASE | the same, with user data |
//! | S-RELEASE indication | S-RELEASE request; the release timer of the target starts |
//! | S-RELEASE confirm, affirmative or negative | S-RELEASE response, the same |
//! | S-RELEASE on both sides at once | both are carried over; each machine resolves its own collision |
//!
//! Each end of one side becomes what [`end::translate`] says; its table is tested whole.
//!
//! **User data that do not fit.** A version 1 side takes 512 octets (9 in an abort, none with GIVE TOKENS).
//! An abort goes over without its data. A refusal goes over without its data. Anything else would be lost
//! silently, so both sides are aborted with reason "implementation restriction" (a downstream that still
//! waits is refused with reason 134) and a record says what.
//!
//! **Nothing lost.** Data that came before a release or an abort are queued before it. While one side does
//! not take what it is sent, the feeding side is paused, so its release or abort waits behind its data.

pub mod connect;
mod data;
pub mod end;

use colloquy_session::{Indication, ProviderAbortReason, ServiceError};
use colloquy_shard::{Context, SessionEnd, SessionId};
use colloquy_transport::buf::Body;
use colloquy_transport::driver::Driver;

use super::held::Flow;
use super::state::{Phase, Role};
use super::{AbortOrigin, GatewayApp};
use crate::record::{NotCarried, RecordEvent};
use end::SideEnd;

impl GatewayApp {
    pub(super) fn relay<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        let Some(state) = ctx.state(id) else { return };
        let (partner, phase) = (state.partner, state.phase);
        if let Indication::Connect(connect) = indication {
            return self.relay_connect(ctx, id, &connect);
        }
        let Some(to) = partner else { return self.alone(ctx, id, indication) };
        match indication {
            Indication::Data { enclosure, .. } if phase == Phase::Open => {
                self.relay_ssdu(ctx, id, to, Flow::Data, body, enclosure);
            }
            Indication::TypedData { enclosure, .. } if phase == Phase::Open => {
                self.relay_ssdu(ctx, id, to, Flow::Typed, body, enclosure);
            }
            Indication::TokenGive { tokens, user_data } => {
                let carried = ctx.token_give_request(to, tokens, user_data);
                self.must_carry(ctx, id, "S-TOKEN-GIVE request", carried);
            }
            Indication::TokenPlease { tokens, user_data } => {
                let carried = ctx.token_please_request(to, tokens, user_data);
                self.must_carry(ctx, id, "S-TOKEN-PLEASE request", carried);
            }
            Indication::ConnectConfirm(accept) => self.relay_accept(ctx, id, to, &accept),
            Indication::ConnectRefused(refuse) => {
                self.side_ended(ctx, id, &SideEnd::Refused { reason: refuse.reason }, refuse.user_data);
            }
            Indication::Release { user_data } => self.relay_release(ctx, id, to, user_data),
            Indication::ReleaseConfirm { affirmative, user_data } => {
                self.relay_release_confirm(ctx, id, to, affirmative, user_data);
            }
            Indication::UserAbort { user_data } => self.side_ended(ctx, id, &SideEnd::UserAbort, user_data),
            // How the connection was lost decides what a connecting downstream is told, and only the end
            // tells it, which follows at once.
            Indication::ProviderAbort { reason: ProviderAbortReason::TransportDisconnect } => {}
            Indication::ProviderAbort { reason } => {
                self.side_ended(ctx, id, &SideEnd::ProviderAbort(reason), &[]);
            }
            _ => self.give_up(ctx, id, NotCarried::Unknown),
        }
    }

    /// A side whose other side is over: it may only finish its release.
    fn alone<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
    ) {
        match indication {
            Indication::Release { .. } => {
                let _ = ctx.release_response(id, true, &[]);
            }
            Indication::ReleaseConfirm { affirmative: false, .. } => {
                ctx.provider_abort(id, ProviderAbortReason::Undefined);
            }
            _ => {}
        }
    }

    fn relay_release<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        to: SessionId,
        user_data: &[u8],
    ) {
        let carried = ctx.release_request(to, user_data);
        if self.must_carry(ctx, id, "S-RELEASE request", carried) {
            let timeout = self.target_of(ctx, id).map(|target| target.release_timeout);
            let at = timeout.map(|timeout| ctx.now() + timeout);
            ctx.set_timer(to, at);
            if let Some(state) = ctx.state(to) {
                state.release_requested = true;
            }
        }
    }

    fn relay_release_confirm<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        to: SessionId,
        affirmative: bool,
        user_data: &[u8],
    ) {
        ctx.set_timer(id, None);
        if let Some(state) = ctx.state(id)
            && !affirmative
        {
            state.release_requested = false;
        }
        let carried = ctx.release_response(to, affirmative, user_data);
        self.must_carry(ctx, id, "S-RELEASE response", carried);
    }

    /// A timer of the relay: the upstream did not answer CN, or a side did not answer FN.
    pub(super) fn relay_timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        let waited_for = match (state.phase, state.release_requested) {
            (Phase::Connecting, _) => "AC or RF",
            (Phase::Open, true) => "DN or NF",
            _ => return,
        };
        let subject = self.subject(ctx, id);
        self.record(subject, RecordEvent::NotCarried(NotCarried::Timeout { waited_for }));
        self.side_ended(ctx, id, &SideEnd::Timeout, &[]);
        self.counters.abort(AbortOrigin::Gateway, ProviderAbortReason::Undefined);
        ctx.provider_abort(id, ProviderAbortReason::Undefined);
    }

    /// The last word about a side: what it has not yet told the other side is told here.
    pub(super) fn relay_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        end: &SessionEnd,
    ) {
        let Some(state) = ctx.state(id) else { return };
        let end = SideEnd::of(end, state.phase == Phase::Connecting);
        self.side_ended(ctx, id, &end, &[]);
    }

    /// True when the primitive went over; else both sides are ended.
    fn must_carry<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        name: &'static str,
        carried: Result<(), ServiceError>,
    ) -> bool {
        match carried {
            Ok(()) => true,
            Err(error) => {
                self.give_up(ctx, id, NotCarried::Primitive { name, error });
                false
            }
        }
    }

    /// Ends both sides because something of `id` cannot be carried over.
    fn give_up<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, why: NotCarried) {
        let subject = self.subject(ctx, id);
        self.counters.not_carried();
        self.record(subject, RecordEvent::NotCarried(why));
        self.side_ended(ctx, id, &SideEnd::GaveUp, &[]);
        self.counters.abort(AbortOrigin::Gateway, ProviderAbortReason::ImplementationRestriction);
        ctx.provider_abort(id, ProviderAbortReason::ImplementationRestriction);
    }

    /// The target of either side.
    fn target_of<D: Driver>(
        &self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
    ) -> Option<&crate::config::TargetConfig> {
        let (Role::Downstream { target, .. } | Role::Upstream { target }) = ctx.state(id)?.role else {
            return None;
        };
        self.config.targets.get(usize::from(target))
    }
}

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
//! Each indication of one side becomes the same primitive on the other ([`carry`]):
//!
//! | indication | request on the other side |
//! |---|---|
//! | S-DATA, S-TYPED-DATA | the same by reference, SSDU boundaries kept (`data.rs`) |
//! | S-EXPEDITED-DATA, S-CAPABILITY-DATA and its confirm | the same |
//! | S-TOKEN-GIVE, S-CONTROL-GIVE | the same |
//! | S-TOKEN-PLEASE | the same, for tokens that are not on their way already; those of AC go into AC |
//! | S-SYNC-MINOR, S-SYNC-MAJOR, S-ACTIVITY-END | the same, if its number is the same there too; else both sides are given up |
//! | their confirms | the response |
//! | S-RESYNCHRONIZE | the same with the positions it has; abandon goes on from the higher V(M) of the two legs |
//! | its confirm | the response, with the number and the positions that were settled |
//! | S-ACTIVITY-START, -RESUME, -INTERRUPT, -DISCARD and their confirms | the same |
//! | S-U-EXCEPTION-REPORT | the same |
//! | S-P-EXCEPTION-REPORT, received | EXCEPTION REPORT: the leg stands for the provider that found the fault |
//! | S-P-EXCEPTION-REPORT, own finding | nothing: the peer that made the fault recovers with this leg |
//! | S-RELEASE indication | S-RELEASE request; the release timer of the target starts |
//! | S-RELEASE confirm, affirmative or negative | S-RELEASE response, the same |
//! | S-RELEASE on both sides at once | both are carried over; each machine resolves its own collision |
//!
//! **Crossing.** A relay is two connections, so there is twice the time in which primitives cross. Both legs
//! resolve a collision of resynchronizations alike: rank and number decide first, and of equals the initiator's
//! side wins, which is the downstream peer on both legs. The losing request vanishes on one leg in the very call in
//! which the winning one is sent there. What still comes from a peer that could not know is sent late
//! ([`colloquy_session::Session::late_request`]) where it would have crossed between the two peers, and is dropped
//! where their machines would have dropped it ([`carry::is_purged`]): a confirm of something cancelled, data behind a
//! resynchronization. Points that a reporter of an exception takes silently are passed on before the recovery
//! ([`carry::catch_up`]). What a resynchronization, an interrupt or a discard purges is dropped from the relay too,
//! also in front of a data separation point where it waits for its last segment.
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

pub mod carry;
pub mod connect;
mod data;
pub mod end;
pub(crate) mod propose;
mod release;
pub(crate) mod retry;

use colloquy_session::{Indication, ProviderAbortReason, Request, ServiceError, State, Tokens};
use colloquy_shard::{Context, SessionEnd, SessionId};
use colloquy_transport::buf::Body;
use colloquy_transport::driver::Driver;

use super::held::Flow;
use super::state::{Interrupt, Phase, Role};
use super::{AbortOrigin, GatewayApp, user};
use crate::record::{NotCarried, RecordEvent};
use carry::{Carriage, Leg};
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
            Indication::TokenPlease { tokens, .. } if self.was_asked_in_accept(ctx, id, tokens) => {}
            indication => self.relay_primitive(ctx, id, to, &indication),
        }
    }

    /// Carries a primitive that is decided on by the state of both legs.
    fn relay_primitive<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        to: SessionId,
        indication: &Indication<'_>,
    ) {
        let Some((from_leg, mut to_leg)) = legs(ctx, id, to) else { return };
        while let Some(request) = carry::catch_up(&from_leg, &to_leg) {
            let carried = ctx.late_request(to, &request);
            if !self.must_carry(ctx, id, name_of(&request), carried) {
                return;
            }
            let Some((_, now)) = legs(ctx, id, to) else { return };
            to_leg = now;
        }
        if user::purges(indication) {
            self.drop_held(ctx, id);
            self.drop_held(ctx, to);
        }
        let (name, carried) = match carry::carriage(indication, &from_leg, &to_leg) {
            None => return self.give_up(ctx, id, NotCarried::Unknown),
            Some(Carriage::Nothing) => return self.release_cancelled(ctx, id),
            Some(Carriage::OtherNumber { indicated, next }) => {
                return self.give_up(ctx, id, NotCarried::SerialNumber { indicated, next });
            }
            Some(Carriage::ExceptionReport) => ("EXCEPTION REPORT", ctx.pass_exception_report(to)),
            Some(Carriage::Request(request)) => (name_of(&request), ctx.late_request(to, &request)),
        };
        match carried {
            Err(error) if carry::is_purged(&error, to_leg.state) => {}
            Err(ServiceError::State { state: State::Sta21 }) if self.keeps_interrupt(ctx, to, indication) => {
            }
            carried => {
                self.must_carry(ctx, id, name, carried);
            }
        }
        self.interrupt_kept(ctx, to, id);
        self.release_cancelled(ctx, id);
        self.release_cancelled(ctx, to);
        if ctx.is_congested(to) {
            ctx.pause(id);
        }
    }

    /// Keeps an interrupt of capability data until `to` has them answered: with transport expedited they cannot be
    /// interrupted (X.225 Annex A, STA21), which the other leg's peer, without it, does not know.
    fn keeps_interrupt<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        to: SessionId,
        indication: &Indication<'_>,
    ) -> bool {
        let (Indication::ActivityInterrupt { reason, user_data }, Some(state)) = (indication, ctx.state(to))
        else {
            return false;
        };
        state.interrupt = Some(Box::new(Interrupt { reason: *reason, user_data: user_data.to_vec() }));
        true
    }

    /// Asks for an interrupt that was kept, when capability data are answered.
    fn interrupt_kept<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, from: SessionId, id: SessionId) {
        if ctx.machine(id).is_none_or(|machine| machine.state() == State::Sta21) {
            return;
        }
        let Some(kept) = ctx.state(id).and_then(|state| state.interrupt.take()) else { return };
        let Interrupt { reason, user_data } = &*kept;
        let request = Request::ActivityInterrupt { reason: *reason, user_data };
        let carried = ctx.late_request(id, &request);
        self.must_carry(ctx, from, name_of(&request), carried);
    }

    /// True for the S-TOKEN-PLEASE that the machine indicates behind a confirm: AC has carried it already.
    fn was_asked_in_accept<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        tokens: Tokens,
    ) -> bool {
        let Some(state) = ctx.state(id) else { return false };
        let asked = std::mem::replace(&mut state.asked_in_accept, Tokens::empty());
        !asked.is_empty() && asked.contains(tokens)
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
            // The peer goes on with a session that the other side has left.
            Indication::ReleaseConfirm { affirmative: false, .. }
            | Indication::Resynchronize(_)
            | Indication::UserException { .. }
            | Indication::ProviderException { .. } => {
                ctx.provider_abort(id, ProviderAbortReason::Undefined);
            }
            _ => {}
        }
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
        let (Role::Downstream { target: Some(target), .. } | Role::Upstream { target }) = ctx.state(id)?.role
        else {
            return None;
        };
        self.config.targets.get(usize::from(target))
    }
}

/// Both legs as they are.
fn legs<D: Driver>(ctx: &Context<'_, D, GatewayApp>, from: SessionId, to: SessionId) -> Option<(Leg, Leg)> {
    Some((Leg::of(ctx.machine(from)?), Leg::of(ctx.machine(to)?)))
}

/// A request by the name that the standard gives it, for records.
fn name_of(request: &Request<'_>) -> &'static str {
    match request {
        Request::ExpeditedData { .. } => "S-EXPEDITED-DATA request",
        Request::CapabilityData { .. } => "S-CAPABILITY-DATA request",
        Request::CapabilityDataResponse { .. } => "S-CAPABILITY-DATA response",
        Request::TokenGive { .. } => "S-TOKEN-GIVE request",
        Request::TokenPlease { .. } => "S-TOKEN-PLEASE request",
        Request::ControlGive { .. } => "S-CONTROL-GIVE request",
        Request::SyncMinor { .. } => "S-SYNC-MINOR request",
        Request::SyncMinorResponse { .. } => "S-SYNC-MINOR response",
        Request::SyncMajor { .. } => "S-SYNC-MAJOR request",
        Request::SyncMajorResponse { .. } => "S-SYNC-MAJOR response",
        Request::Resynchronize(_) => "S-RESYNCHRONIZE request",
        Request::ResynchronizeResponse(_) => "S-RESYNCHRONIZE response",
        Request::UserException { .. } => "S-U-EXCEPTION-REPORT request",
        Request::ActivityStart { .. } => "S-ACTIVITY-START request",
        Request::ActivityResume(_) => "S-ACTIVITY-RESUME request",
        Request::ActivityInterrupt { .. } => "S-ACTIVITY-INTERRUPT request",
        Request::ActivityInterruptResponse { .. } => "S-ACTIVITY-INTERRUPT response",
        Request::ActivityDiscard { .. } => "S-ACTIVITY-DISCARD request",
        Request::ActivityDiscardResponse { .. } => "S-ACTIVITY-DISCARD response",
        Request::ActivityEnd { .. } => "S-ACTIVITY-END request",
        Request::ActivityEndResponse { .. } => "S-ACTIVITY-END response",
        Request::Release { .. } => "S-RELEASE request",
        Request::ReleaseResponse { .. } => "S-RELEASE response",
        _ => "S-U-ABORT request",
    }
}

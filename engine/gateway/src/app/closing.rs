//! Ending sessions that the gateway wants to end: idle ones, those of a drain, of an operator, of a target in
//! maintenance.
//!
//! **Release** is orderly, one leg after the other, the downstream first:
//!
//! 1. FINISH to the downstream. A release needs every available token, so those that are not here are asked for by
//!    PLEASE TOKENS first; what the peer gives goes to the other leg as ever.
//! 2. While FINISH is not answered, what the downstream still sends is carried over, and the upstream is not read from:
//!    behind FINISH nothing can be sent.
//! 3. DISCONNECT ends the downstream, and the upstream is released in turn. A downstream that only closes its connection
//!    counts as one that has answered: libiec61850 does so at either end; hat-drivers answers.
//! 4. NOT FINISHED (negotiated release): the downstream refuses. The session stays as it is.
//!
//! What cannot be released within the listener's (or the target's) `release_timeout` is aborted: also a session in the
//! middle of an activity, which X.225 does not let anybody release.
//!
//! **Abort** is ABORT by the provider without a reason, to both legs: the peers' users see S-P-ABORT with reason
//! "undefined" and not S-U-ABORT, because no user of theirs has decided it. A CONNECT that is not yet answered is refused: reason 131 in a drain, else 133.

use colloquy_session::{Indication, ProviderAbortReason, State};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::admission::refuse_reason;
use super::relay::end::SideEnd;
use super::state::{Phase, Role, TimerFor};
use super::stops::Stops;
use super::{AbortOrigin, GatewayApp};

/// How a session is to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseHow {
    /// In order; by ABORT when that cannot be had in time.
    Release,
    /// By ABORT.
    Abort,
}

/// Why the gateway ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing went over it for `idle_timeout`.
    Idle,
    /// The gateway drains.
    Drain,
    /// An operator asked for it.
    Operator,
    /// Its target is in maintenance.
    Maintenance,
}

impl Why {
    pub(crate) const ALL: [Why; 4] = [Why::Idle, Why::Drain, Why::Operator, Why::Maintenance];

    /// The word of logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Why::Idle => "idle",
            Why::Drain => "drain",
            Why::Operator => "operator",
            Why::Maintenance => "maintenance",
        }
    }
}

/// How far the release of a leg is that the gateway wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Closing {
    /// It wants none.
    #[default]
    No,
    /// It waits until a release is allowed.
    Wanted,
    /// As `Wanted`; the tokens that are not here were asked for.
    TokensAsked,
    /// FN is sent.
    Sent,
    /// FN is sent, and the peer's own FN has come: the response is due.
    Collided,
}

impl Closing {
    /// FN of the gateway is on its way, or was answered.
    pub(super) fn is_sent(self) -> bool {
        matches!(self, Closing::Sent | Closing::Collided)
    }
}

impl GatewayApp {
    /// Ends a session, both legs of a relay's, whichever is named; false when there is none that is not ending already.
    pub(crate) fn close_session<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        how: CloseHow,
        why: Why,
    ) -> bool {
        let Some(state) = ctx.state(id) else { return false };
        let first = match (state.role, state.partner) {
            (Role::Upstream { .. }, Some(downstream)) => downstream,
            _ => id,
        };
        let Some(state) = ctx.state(first) else { return false };
        match (how, state.phase) {
            (_, Phase::Over) => false,
            (CloseHow::Release, Phase::Open) => {
                self.release_session(ctx, first, why);
                true
            }
            _ => {
                self.abort_session(ctx, first, why);
                true
            }
        }
    }

    /// Begins to release a leg that is established; the other leg follows.
    fn release_session<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, why: Why) {
        let Some(state) = ctx.state(id) else { return };
        let partner = state.partner;
        let is_closing = state.closing != Closing::No;
        if is_closing || [Some(id), partner].into_iter().flatten().any(|leg| is_releasing(ctx, leg)) {
            // A release is under way, under a timer of its own.
            return;
        }
        if let Some(state) = ctx.state(id) {
            state.closing = Closing::Wanted;
            state.why = Some(why);
        }
        let at = ctx.now() + self.own_release_timeout(ctx, id);
        self.arm(ctx, id, Some((TimerFor::Closing, at)));
        self.go_on_closing(ctx, id);
    }

    /// The time that a leg's peer has to answer FN of the gateway.
    fn own_release_timeout<D: Driver>(
        &self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
    ) -> std::time::Duration {
        let role = ctx.state(id).map(|state| state.role).unwrap_or_default();
        match role {
            Role::Upstream { target } => self.config.targets[usize::from(target)].release_timeout,
            Role::Echo { listener } | Role::Sink { listener } | Role::Downstream { listener, .. } => {
                self.config.listeners[usize::from(listener)].release_timeout
            }
            Role::Unknown | Role::Probe { .. } | Role::Warm { .. } => std::time::Duration::ZERO,
        }
    }

    /// Sends FN if it is wanted and allowed by now; else sees that it will be.
    pub(crate) fn go_on_closing<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        match state.closing {
            Closing::No | Closing::Sent => return,
            Closing::Collided => return self.answer_collision(ctx, id),
            Closing::Wanted | Closing::TokensAsked => {}
        }
        let (asked, partner) = (state.closing == Closing::TokensAsked, state.partner);
        let Some(machine) = ctx.machine(id) else { return };
        let missing = machine.tokens_available() - machine.tokens_owned();
        if !missing.is_empty() {
            if !asked && ctx.token_please_request(id, missing, &[]).is_ok() {
                self.set_closing(ctx, id, Closing::TokensAsked);
            }
            return;
        }
        // Refused in states that pass (an answer is due, an activity, an SSDU half sent): whatever ends them calls this
        // again, and the timer is there for those that do not pass.
        if ctx.release_request(id, &[]).is_ok() && is_releasing(ctx, id) {
            self.set_closing(ctx, id, Closing::Sent);
            Self::stage_begins(ctx, id);
            if let Some(partner) = partner {
                self.stop_reading(ctx, partner, Stops::CLOSING);
            }
        }
    }

    fn set_closing<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, closing: Closing) {
        if let Some(state) = ctx.state(id) {
            state.closing = closing;
        }
    }

    /// Takes the indications that answer, or cross, FN of the gateway; false: it is none of these.
    pub(super) fn closing_takes<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: &Indication<'_>,
    ) -> bool {
        let Some(state) = ctx.state(id) else { return false };
        if !matches!(state.closing, Closing::Sent | Closing::Collided) {
            return false;
        }
        match *indication {
            Indication::ReleaseConfirm { affirmative: true, .. } if state.closing == Closing::Collided => {
                self.answer_collision(ctx, id);
            }
            Indication::ReleaseConfirm { affirmative: true, .. } => self.leg_released(ctx, id, &[]),
            Indication::ReleaseConfirm { affirmative: false, .. } => self.release_refused(ctx, id),
            Indication::Release { user_data } => {
                self.leg_released(ctx, id, user_data);
                self.set_closing(ctx, id, Closing::Collided);
                self.answer_collision(ctx, id);
            }
            Indication::ProviderAbort { .. } | Indication::UserAbort { .. } => return false,
            _ => {
                // A resynchronization or an exception cancels a release.
                if !is_releasing(ctx, id) {
                    self.release_cancelled_by_peer(ctx, id);
                }
                return false;
            }
        }
        true
    }

    /// Both ends have sent FN: answers the peer's as soon as the machine lets the user do so, which for the acceptor
    /// is behind DN.
    fn answer_collision<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        if ctx.release_response(id, true, &[]).is_ok() {
            self.set_closing(ctx, id, Closing::Sent);
        }
    }

    /// The peer of a leg agrees that it is over: the other leg is released in turn.
    fn leg_released<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, user_data: &[u8]) {
        let Some(state) = ctx.state(id) else { return };
        state.phase = Phase::Over;
        let (why, partner) = (state.why, state.partner.take());
        let (Some(why), Some(other)) = (why, partner) else { return };
        let Some(other_state) = ctx.state(other) else { return };
        other_state.partner = None;
        self.end_stop(ctx, other, Stops::CLOSING);
        let fresh = ctx.state(other).is_some_and(|state| state.phase == Phase::Open);
        if !fresh || is_releasing(ctx, other) {
            return;
        }
        if !user_data.is_empty() && ctx.release_request(other, user_data).is_ok() && is_releasing(ctx, other)
        {
            // What the peer said goes over with it.
            self.set_closing(ctx, other, Closing::Sent);
            Self::stage_begins(ctx, other);
            if let Some(state) = ctx.state(other) {
                state.why = Some(why);
            }
            let at = ctx.now() + self.own_release_timeout(ctx, other);
            return self.arm(ctx, other, Some((TimerFor::Closing, at)));
        }
        self.release_session(ctx, other, why);
    }

    /// NF: the session stays. Where the other leg is gone already there is nothing to stay for.
    fn release_refused<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        let alone =
            state.partner.is_none() && matches!(state.role, Role::Downstream { .. } | Role::Upstream { .. });
        match state.why {
            Some(why) if alone => self.abort_session(ctx, id, why),
            _ => self.release_cancelled_by_peer(ctx, id),
        }
    }

    /// The session goes on as before.
    fn release_cancelled_by_peer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        state.closing = Closing::No;
        state.why = None;
        let partner = state.partner;
        self.arm(ctx, id, None);
        if let Some(partner) = partner {
            self.end_stop(ctx, partner, Stops::CLOSING);
        }
    }

    /// True when a leg that was sent FN by the gateway has ended in a way that is as good as DN.
    pub(super) fn closing_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        end: &SideEnd,
    ) -> bool {
        let Some(state) = ctx.state(id) else { return false };
        let orderly = matches!(end, SideEnd::Released | SideEnd::Lost)
            && matches!(state.closing, Closing::Sent | Closing::Collided)
            && state.phase == Phase::Open;
        if orderly {
            self.drop_held(ctx, id);
            self.leg_released(ctx, id, &[]);
        }
        orderly
    }

    /// The release that the gateway wants was not had in time.
    pub(super) fn closing_timeout<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        if let Some(why) = ctx.state(id).and_then(|state| state.why) {
            self.abort_session(ctx, id, why);
        }
    }

    /// Ends both legs at once.
    pub(crate) fn abort_session<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        why: Why,
    ) {
        let partner = ctx.state(id).and_then(|state| state.partner.take());
        for leg in [Some(id), partner].into_iter().flatten() {
            self.drop_held(ctx, leg);
            let Some(state) = ctx.state(leg) else { continue };
            state.partner = None;
            state.phase = Phase::Over;
            state.stops = Stops::default();
            state.closing = Closing::No;
            state.why = Some(why);
            // A paused leg must hear the answer to what it is told.
            ctx.resume(leg);
            self.arm(ctx, leg, None);
            if ctx.machine(leg).is_some_and(|machine| machine.state() == State::Sta08) {
                let reason = match why {
                    Why::Drain => refuse_reason::CONGESTION,
                    _ => refuse_reason::NOT_GIVEN,
                };
                self.refuse_relay(ctx, leg, reason);
                continue;
            }
            let origin = if why == Why::Drain { AbortOrigin::Drain } else { AbortOrigin::Gateway };
            self.counters.abort(origin, ProviderAbortReason::Undefined);
            ctx.provider_abort(leg, ProviderAbortReason::Undefined);
        }
    }
}

/// True while FN was sent or received and is not yet answered.
fn is_releasing<D: Driver>(ctx: &Context<'_, D, GatewayApp>, id: SessionId) -> bool {
    ctx.machine(id).is_some_and(|machine| matches!(machine.state(), State::Sta03 | State::Sta09))
}

//! Release over the relay, with its timer; negotiated, in collision, or cancelled.

use colloquy_session::{ProviderAbortReason, State};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::super::state::{Phase, TimerFor};
use super::super::{AbortOrigin, GatewayApp};
use super::carry::is_purged;
use super::end::SideEnd;
use crate::record::{NotCarried, RecordEvent};

impl GatewayApp {
    pub(super) fn relay_release<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        to: SessionId,
        user_data: &[u8],
    ) {
        let carried = ctx.release_request(to, user_data);
        // Where the peer's resynchronization is announced the machine drops the request: nothing is waited for.
        if self.must_carry(ctx, id, "S-RELEASE request", carried) && is_releasing(ctx, to) {
            let timeout = self.target_of(ctx, id).map(|target| target.release_timeout);
            let at = timeout.map(|timeout| ctx.now() + timeout);
            self.arm(ctx, to, at.map(|at| (TimerFor::Release, at)));
            Self::stage_begins(ctx, to);
            if let Some(state) = ctx.state(to) {
                state.release_requested = true;
            }
        }
    }

    pub(super) fn relay_release_confirm<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        to: SessionId,
        affirmative: bool,
        user_data: &[u8],
    ) {
        self.arm(ctx, id, None);
        if let Some(state) = ctx.state(id)
            && !affirmative
        {
            state.release_requested = false;
        }
        let carried = ctx.release_response(to, affirmative, user_data);
        match carried {
            Err(error) if !affirmative && is_purged(&error, state_of(ctx, to)) => {}
            carried => {
                self.must_carry(ctx, id, "S-RELEASE response", carried);
            }
        }
    }

    /// A timer of the relay: the upstream did not answer CN, or a side did not answer FN.
    pub(in super::super) fn relay_timeout<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        waited_for: &'static str,
    ) {
        if ctx.state(id).is_none_or(|state| state.phase == Phase::Over) {
            return;
        }
        let subject = self.subject(ctx, id);
        self.side_ended(ctx, id, &SideEnd::Timeout, &[]);
        // A downstream that waits for another target has not ended.
        let goes_on = subject
            .partner
            .and_then(|partner| ctx.state(partner))
            .is_some_and(|state| state.phase == Phase::Connecting && state.attempt.is_some());
        if !goes_on {
            self.record(subject, RecordEvent::NotCarried(NotCarried::Timeout { waited_for }));
        }
        self.counters.abort(AbortOrigin::Gateway, ProviderAbortReason::Undefined);
        ctx.provider_abort(id, ProviderAbortReason::Undefined);
    }

    /// Stops waiting for the answer to FN where a resynchronization or an exception has cancelled the release.
    pub(super) fn release_cancelled<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        if is_releasing(ctx, id) {
            return;
        }
        if let Some(state) = ctx.state(id)
            && state.phase == Phase::Open
            && std::mem::take(&mut state.release_requested)
        {
            self.arm(ctx, id, None);
        }
    }
}

/// True while FN was sent or received and is not yet answered.
fn is_releasing<D: Driver>(ctx: &Context<'_, D, GatewayApp>, id: SessionId) -> bool {
    matches!(state_of(ctx, id), State::Sta03 | State::Sta09)
}

fn state_of<D: Driver>(ctx: &Context<'_, D, GatewayApp>, id: SessionId) -> State {
    ctx.machine(id).map_or(State::Sta01, |machine| machine.state())
}

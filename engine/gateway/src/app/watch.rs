//! What runs beside a session's own timer: the idle timer and the end of a throttle. The shard has one timer for each
//! session, set to whatever is due first.

use std::time::Duration;

use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::idle::Idle;

/// What runs beside a session's own timer; few sessions have one.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// When the session may be read from again.
    pub(super) throttled_until: Option<Duration>,
    /// When, and since when, it is idle.
    pub(super) idle: Option<Idle>,
}

impl Watch {
    fn next_at(&self) -> Option<Duration> {
        let idle = self.idle.as_ref().map(|idle| idle.look_at);
        [self.throttled_until, idle].into_iter().flatten().min()
    }
}

impl GatewayApp {
    /// Sets the shard's timer of a session to what is due first.
    pub(super) fn set_session_timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        let watched = state.watch.as_ref().and_then(|watch| watch.next_at());
        let at = [state.timer_at, watched].into_iter().flatten().min();
        ctx.set_timer(id, at);
    }

    /// Sees to what is due beside a session's own timer.
    pub(super) fn watch_due<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let now = ctx.now();
        let Some(watch) = ctx.state(id).and_then(|state| state.watch.as_mut()) else { return };
        let throttle_over = watch.throttled_until.is_some_and(|at| at <= now);
        let idle_due = watch.idle.as_ref().is_some_and(|idle| idle.look_at <= now);
        if throttle_over {
            watch.throttled_until = None;
            self.throttle_over(ctx, id);
        }
        if idle_due {
            self.look_for_idleness(ctx, id);
        }
    }
}

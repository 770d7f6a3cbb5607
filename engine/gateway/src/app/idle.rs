//! Sessions over which nothing goes: looked at from time to time, so that an SSDU pays nothing for it.
//!
//! A session's idle timer wakes four times in its `idle_timeout` and compares what was counted at the last look: SSDUs
//! and other primitives, in either direction, on either leg. So an idle session ends between one `idle_timeout` and one
//! and a quarter after the last thing that went over it. A session that waits (a limit stops it, or a peer does not take
//! what is queued for it) is not idle.

use std::time::Duration;

use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::closing::{CloseHow, Closing, Why};
use super::state::{Phase, Role};
use super::{GatewayApp, SessionState};
use crate::config::IdleAction;

/// Looks in one `idle_timeout`.
const LOOKS: u32 = 4;

/// The idle timer of an accepted session.
#[derive(Debug)]
pub(super) struct Idle {
    timeout: Duration,
    action: IdleAction,
    /// When it is looked at next.
    pub(super) look_at: Duration,
    /// Since when nothing was seen to go over it.
    since: Duration,
    /// What had gone over it by then.
    noted: u64,
}

impl GatewayApp {
    /// Starts the idle timer of a session that has just been established, where it has one.
    pub(super) fn watch_idleness<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        let (Role::Echo { listener } | Role::Sink { listener } | Role::Downstream { listener, .. }) =
            state.role
        else {
            return;
        };
        let route = state.ticket.as_ref().and_then(|ticket| ticket.route());
        let listener = &self.config.listeners[usize::from(listener)];
        let route = route.and_then(|route| self.config.routes.get(route));
        let timeout = route.and_then(|route| route.idle_timeout).unwrap_or(listener.idle_timeout);
        let action = route.and_then(|route| route.idle_action).unwrap_or(listener.idle_action);
        if timeout.is_zero() {
            return;
        }
        let (since, noted) = (ctx.now(), gone_over(ctx, id));
        let idle = Idle { timeout, action, look_at: since + timeout / LOOKS, since, noted };
        if let Some(state) = ctx.state(id) {
            state.watch.get_or_insert_default().idle = Some(idle);
        }
        self.set_session_timer(ctx, id);
    }

    /// Looks whether anything went over a session since the last look.
    pub(super) fn look_for_idleness<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let now = ctx.now();
        let (noted_now, waits) = (gone_over(ctx, id), is_waiting(ctx, id));
        let Some(state) = ctx.state(id) else { return };
        let is_open = state.phase == Phase::Open;
        let Some(idle) = state.watch.as_mut().and_then(|watch| watch.idle.as_mut()) else { return };
        if waits || std::mem::replace(&mut idle.noted, noted_now) != noted_now {
            idle.since = now;
        }
        let is_idle = now.saturating_sub(idle.since) >= idle.timeout;
        if is_idle {
            // What refuses its release is idle anew.
            idle.since = now;
        }
        idle.look_at = (now + idle.timeout / LOOKS).min(idle.since + idle.timeout);
        let how = match idle.action {
            IdleAction::Release => CloseHow::Release,
            IdleAction::Abort => CloseHow::Abort,
        };
        if is_idle && is_open {
            self.close_session(ctx, id, how, Why::Idle);
        }
    }
}

/// Everything that has gone over both legs, in one number.
fn gone_over<D: Driver>(ctx: &mut Context<'_, D, GatewayApp>, id: SessionId) -> u64 {
    let count = |state: &mut SessionState| {
        (state.ssdus_in.wrapping_add(state.ssdus_out).wrapping_add(state.primitives_in), state.partner)
    };
    let Some((here, partner)) = ctx.state(id).map(count) else { return 0 };
    let there = partner.and_then(|partner| ctx.state(partner)).map_or(0, |state| count(state).0);
    here.wrapping_add(there)
}

/// True while something is on its way that a limit or a peer holds up, or the session is being ended.
fn is_waiting<D: Driver>(ctx: &mut Context<'_, D, GatewayApp>, id: SessionId) -> bool {
    let partner = ctx.state(id).and_then(|state| state.partner);
    [Some(id), partner].into_iter().flatten().any(|leg| {
        let queued = ctx.queued_octets(leg) > 0;
        queued || ctx.state(leg).is_some_and(|state| !state.stops.is_empty() || state.closing != Closing::No)
    })
}

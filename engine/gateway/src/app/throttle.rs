//! Octets per second: a session takes them by the quantum from every scope that limits it, and is not read from while
//! it waits for them.
//!
//! For an SSDU this costs one comparison. An SSDU that comes is always taken whole, and what is over the quantum is paid
//! for with the next: nothing is lost or cut, only delayed. What waits stays in the session's intake, and its peer is
//! stopped by the windows of TCP. Sessions that share a limit are served in the order in which they ask, a quantum each.

use std::sync::Arc;
use std::time::Duration;

use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::stops::Stops;
use super::{GatewayApp, SessionState};
use crate::plan::Plan;

/// Share of a second's octets in a quantum.
const QUANTA_PER_SECOND: u64 = 64;
/// Fewest octets of a quantum.
const QUANTUM_MIN: u64 = 256;
/// Most octets of a quantum.
const QUANTUM_MAX: u64 = 1 << 16;

impl GatewayApp {
    /// Lets a session that has just been established ask for octets where these are limited.
    pub(super) fn limit_octets<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        let limited = state
            .ticket
            .as_ref()
            .is_some_and(|ticket| ticket.numbers(&self.plan).octets_per_second_min().is_some());
        if !limited {
            state.octets_in_next = u64::MAX;
        } else if state.octets_in_next == u64::MAX {
            state.octets_in_next = state.octets_in;
        }
    }

    /// A session has used what it asked for: asks for more, and waits where that is not there.
    #[inline(never)]
    pub(super) fn quantum_used<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let (now, common) = (ctx.now(), self.common_time(ctx.now()));
        let Some(state) = ctx.state(id) else { return };
        let Some(ticket) = state.ticket.as_mut() else {
            state.octets_in_next = u64::MAX;
            return;
        };
        let Some(per_second) = ticket.numbers(&self.plan).octets_per_second_min() else {
            state.octets_in_next = u64::MAX;
            return;
        };
        let quantum = (per_second / QUANTA_PER_SECOND).clamp(QUANTUM_MIN, QUANTUM_MAX);
        let over = state.octets_in - state.octets_in_next;
        state.octets_in_next = state.octets_in + quantum;
        let Some((scope, wait)) = ticket.reserve_octets(&self.plan, common, over + quantum) else { return };
        let source = ticket.source();
        let watch = state.watch.get_or_insert_default();
        // What is left of a TSDU is delivered although the session waits: then it waits for both.
        let waits_already = watch.throttled_until.map_or(Duration::ZERO, |until| until.saturating_sub(now));
        watch.throttled_until = Some(now + wait.max(waits_already));
        self.plan.limits.throttled(scope, source, wait.saturating_sub(waits_already));
        self.stop_reading(ctx, id, Stops::THROTTLE);
        self.set_session_timer(ctx, id);
    }

    /// The octets are there that a session has waited for.
    pub(super) fn throttle_over<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        self.end_stop(ctx, id, Stops::THROTTLE);
    }

    /// Gives back what a session that has ended did not use.
    pub(super) fn give_back_quantum(&self, state: &SessionState) {
        if let (Some(ticket), true) = (&state.ticket, state.octets_in_next != u64::MAX) {
            let unused = state.octets_in_next.saturating_sub(state.octets_in);
            ticket.give_back_octets(&self.plan, unused);
        }
    }

    /// The limits may be others from here on. What was taken at another rate is forgotten, and who waits for it
    /// asks anew: at a slow rate it may have to wait for longer than anybody wants by now.
    pub(super) fn limits_reloaded<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, before: &Plan) {
        let plan = Arc::clone(&self.plan);
        plan.forget_changed_rates(before);
        for at in 0..self.live.len() {
            let id = self.live[at];
            self.limit_octets(ctx, id);
            let Some(state) = ctx.state(id) else { continue };
            let changed =
                state.ticket.as_ref().is_some_and(|ticket| ticket.forget_changed_rates(before, &plan));
            if !changed {
                continue;
            }
            if state.octets_in_next != u64::MAX {
                state.octets_in_next = state.octets_in;
            }
            if let Some(watch) = state.watch.as_mut() {
                watch.throttled_until = None;
                self.throttle_over(ctx, id);
                self.set_session_timer(ctx, id);
            }
        }
        if self.live_count() > 0 {
            // Sessions that are there may hold more than a new budget.
            self.memory_is_used_up(ctx);
        }
    }
}

//! The memory budget of a shard: `shard_memory_octets_max` of `[limits]`.
//!
//! What the sessions of a shard hold in send queues, assemblies and the intake is added up by the shard. At the budget,
//! new connections are refused, and the sessions that hold most are not read from, neither they nor the legs that feed
//! them, until less than 90 % is held. A session in the middle of a TSDU holds what it has assembled for as long as
//! it is not read from; so, where nothing gets less, one of the stopped sessions at a time goes on.

use std::time::Duration;

use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::agenda::Task;
use super::stops::Stops;

/// Time between two looks at what is held.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Sessions that are stopped in one look.
const STOPPED_PER_LOOK_MAX: usize = 16;
/// Sessions are read from again below so much of the budget.
const RESUME_PER_CENT: usize = 90;

/// What the memory budget has to remember.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// A look is noted.
    watching: bool,
    /// Sessions that are not read from, the one that goes on next first.
    stopped: Vec<SessionId>,
    /// What was held at the last look.
    held: usize,
}

impl GatewayApp {
    /// True when the shard holds as much as it may; looks after it from here on.
    pub(super) fn memory_is_used_up<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) -> bool {
        let budget = self.config.limits.shard_memory_octets_max;
        if budget == 0 {
            return false;
        }
        self.watch_memory(ctx);
        ctx.octets_held() >= budget || !self.memory.stopped.is_empty()
    }

    fn watch_memory<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        if !std::mem::replace(&mut self.memory.watching, true) {
            self.note(ctx, ctx.now() + LOOK_INTERVAL, Task::MemoryLook);
        }
    }

    /// Looks at what is held: stops sessions, or lets them go on.
    pub(super) fn look_at_memory<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        self.memory.watching = false;
        let budget = self.config.limits.shard_memory_octets_max;
        let held = ctx.octets_held();
        let before = std::mem::replace(&mut self.memory.held, held);
        if budget == 0 || held < budget / 100 * RESUME_PER_CENT {
            for id in std::mem::take(&mut self.memory.stopped) {
                self.end_stop(ctx, id, Stops::MEMORY);
            }
        } else if held >= budget {
            self.stop_who_hold_most(ctx);
        }
        if held >= before && !self.memory.stopped.is_empty() {
            // What is stopped may be what would get less.
            let next = self.memory.stopped.remove(0);
            self.end_stop(ctx, next, Stops::MEMORY);
        }
        if budget > 0 && (self.live_count() > 0 || !self.memory.stopped.is_empty()) {
            self.watch_memory(ctx);
        }
    }

    fn stop_who_hold_most<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        let mut holders: Vec<(usize, SessionId)> =
            self.live.iter().map(|id| (ctx.octets_waiting(*id), *id)).filter(|(held, _)| *held > 0).collect();
        holders.sort_unstable_by_key(|(held, _)| std::cmp::Reverse(*held));
        for (_, holder) in holders.into_iter().take(STOPPED_PER_LOOK_MAX) {
            let feeding = ctx.state(holder).and_then(|state| state.partner);
            for id in [Some(holder), feeding].into_iter().flatten() {
                if ctx.state(id).is_some_and(|state| !state.stops.has(Stops::MEMORY)) {
                    self.stop_reading(ctx, id, Stops::MEMORY);
                    self.memory.stopped.push(id);
                }
            }
        }
    }
}

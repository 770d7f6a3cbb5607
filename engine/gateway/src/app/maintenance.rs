//! Targets in state `maint`: their sessions are ended at the pace of `[drain]`, over all shards together.

use std::collections::VecDeque;
use std::time::Duration;

use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::agenda::Task;
use super::closing::{CloseHow, Why};
use super::state::Role;
use super::{GatewayApp, Phase};
use crate::config::{DrainAction, TargetState};

/// What a shard has to do for targets in maintenance.
#[derive(Debug, Default)]
pub(crate) struct Maintenance {
    /// Upstream sessions that were there when it began; nothing new comes.
    queue: VecDeque<SessionId>,
    /// A turn that was taken for a session that is still to be ended.
    turn: Option<Duration>,
}

impl GatewayApp {
    /// Looks for sessions of targets in maintenance, and begins to end them.
    pub(super) fn begin_maintenance<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        self.agenda.drop_tasks(|task| task == Task::MaintPace);
        self.maintenance.queue.clear();
        let in_maintenance = |target: u16| {
            self.plan
                .targets
                .get(usize::from(target))
                .is_some_and(|status| status.state() == TargetState::Maint)
        };
        for id in &self.live {
            let role = ctx.state(*id).filter(|state| state.phase != Phase::Over).map(|state| state.role);
            if let Some(Role::Upstream { target }) = role
                && in_maintenance(target)
            {
                self.maintenance.queue.push_back(*id);
            }
        }
        if !self.maintenance.queue.is_empty() {
            self.note(ctx, ctx.now(), Task::MaintPace);
        }
    }

    /// Ends the sessions whose turn it is.
    pub(super) fn maintenance_step<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        let how =
            if self.config.drain.action == DrainAction::Abort { CloseHow::Abort } else { CloseHow::Release };
        let now = self.common_time(ctx.now());
        while let Some(id) = self.maintenance.queue.front().copied() {
            let Some(Role::Upstream { target }) = ctx.state(id).map(|state| state.role) else {
                self.maintenance.queue.pop_front();
                continue;
            };
            // An operator may have thought better of it.
            if self.plan.targets[usize::from(target)].state() != TargetState::Maint {
                self.maintenance.queue.pop_front();
                continue;
            }
            let turn = self.maintenance.turn.take().unwrap_or_else(|| self.plan.maintenance.take(now));
            if turn > now {
                self.maintenance.turn = Some(turn);
                let at = ctx.now() + (turn - now);
                return self.note(ctx, at, Task::MaintPace);
            }
            self.maintenance.queue.pop_front();
            self.close_session(ctx, id, how, Why::Maintenance);
        }
    }
}

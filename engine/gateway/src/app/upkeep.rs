//! What a shard does beside its users' sessions: the plan's time, health checks and warm connections, and the counts of
//! routes and targets.

use std::time::Duration;

use colloquy_session::ProviderAbortReason;
use colloquy_shard::{Context, SessionEnd, SessionId};
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::agenda::Task;
use super::failure;
use super::random::Random;
use super::state::{Phase, Role};

impl GatewayApp {
    /// Sets what no simulation may depend on: how far the time of [`crate::plan::Plan::origin`] is ahead of the driver's, and
    /// where the shard's random numbers begin.
    pub fn set_origin(&mut self, time_ahead: Duration, seed: u64) {
        self.time_ahead = time_ahead;
        self.random = Random::new(seed);
    }

    /// A time of the driver as all shards know it.
    pub(crate) fn common_time(&self, at: Duration) -> Duration {
        at + self.time_ahead
    }

    /// Begins what no session asks for: health checks and warm connections. Called once the shard has its listeners,
    /// and behind each reload.
    pub fn begin<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        self.begin_checks(ctx);
        self.targets_changed(ctx);
    }

    /// An operator or a reload has set the state of a target.
    pub(super) fn targets_changed<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        self.warm_all(ctx);
        self.begin_maintenance(ctx);
    }

    /// Ends checks and warm connections that are being opened, which would keep a shard that drains. Warm connections that
    /// are open leave at the pace of the drain.
    pub(super) fn end_own<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        for id in self.live.clone() {
            let ends = ctx.state(id).is_some_and(|state| match state.role {
                Role::Probe { .. } => true,
                Role::Warm { .. } => state.phase == Phase::Connecting,
                _ => false,
            });
            if ends {
                self.end_one_of_own(ctx, id);
            }
        }
    }

    /// Ends a health check or a warm connection.
    pub(super) fn end_one_of_own<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        ctx.transport_disconnect(id);
        ctx.provider_abort(id, ProviderAbortReason::Undefined);
    }

    /// True where what has ended was no session of users.
    pub(super) fn own_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        end: &SessionEnd,
    ) -> bool {
        let Some(state) = ctx.state(id) else { return false };
        let (role, phase, live_index) = (state.role, state.phase, state.live_index);
        if let (Role::Probe { .. } | Role::Warm { .. }, SessionEnd::Wire(fault)) = (role, end) {
            let subject = self.subject(ctx, id);
            self.wire_failed(subject, *fault);
        }
        let why = failure::word(end, phase == Phase::Connecting);
        match role {
            Role::Probe { .. } => self.probe_ended(ctx, id, Err(why)),
            Role::Warm { target } => self.warm_ended(ctx, id, target, phase, why),
            _ => return false,
        }
        self.forget(ctx, live_index);
        true
    }

    /// A session that a route or a target counts is over.
    pub(super) fn routed_ended(&self, role: Role) {
        match role {
            Role::Downstream { route: Some(route), .. } => {
                self.plan.routes[usize::from(route)].session_ended()
            }
            Role::Upstream { target } => self.plan.targets[usize::from(target)].session_ended(),
            _ => {}
        }
    }

    /// Does what is due without a session.
    pub(super) fn run_due_tasks<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        while let Some(task) = self.agenda.pop_due(ctx.now()) {
            match task {
                Task::StopListening => self.stop_listening(ctx),
                Task::DrainStep => self.drain_step(ctx),
                Task::DrainDeadline => self.end_all(ctx),
                Task::MemoryLook => self.look_at_memory(ctx),
                Task::Restore(target) => self.restored(ctx, target),
                Task::Health(target) => self.check_health(ctx, target),
                Task::Warm(target) => self.warm_again(ctx, target),
                Task::MaintPace => self.maintenance_step(ctx),
            }
        }
        ctx.set_shard_timer(self.agenda.next_at());
    }
}

//! What a shard does with a new plan: sessions go on, and what was begun for a target as it was is begun anew.

use std::sync::Arc;

use colloquy_shard::Context;
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::state::{Phase, Role};
use crate::plan::{Plan, reached_alike};

impl GatewayApp {
    /// Acts on a plan from here on.
    pub(super) fn reloaded<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, plan: Arc<Plan>) {
        self.config = Arc::clone(&plan.config);
        let before = std::mem::replace(&mut self.plan, plan);
        self.turns.clear();
        self.apply_to_shard(ctx);
        self.renew_wires(ctx);
        self.end_outdated(ctx, &before);
        self.limits_reloaded(ctx, &before);
        self.taps_reloaded();
        self.begin(ctx);
    }

    /// Ends warm connections and health checks of targets that are reached in another way now: no session may find
    /// itself at the old address, and what a check finds there says nothing.
    fn end_outdated<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, before: &Plan) {
        let plan = Arc::clone(&self.plan);
        // TLS material is new with each reload: what was revoked meanwhile shows in a handshake only.
        let is_outdated = |target: usize| {
            let (was, is) = (&before.config.targets[target], &plan.config.targets[target]);
            is.tls.is_some() || !reached_alike(was, is)
        };
        let outdated: Vec<usize> = (0..before.config.targets.len()).filter(|at| is_outdated(*at)).collect();
        for target in &outdated {
            self.close_ready(ctx, *target);
        }
        if outdated.is_empty() {
            return;
        }
        for id in self.live.clone() {
            let Some((role, phase)) = ctx.state(id).map(|state| (state.role, state.phase)) else { continue };
            match role {
                Role::Warm { target } if phase == Phase::Connecting && outdated.contains(&target.into()) => {
                    self.end_one_of_own(ctx, id);
                }
                Role::Probe { target } if outdated.contains(&target.into()) => {
                    self.drop_check(ctx, id);
                    self.end_one_of_own(ctx, id);
                }
                _ => {}
            }
        }
    }
}

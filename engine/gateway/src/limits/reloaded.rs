//! What a reload does to octets that were taken: what a session took is kept as a time, which at another rate is another
//! number of octets, so that it is forgotten where the rate has changed.

use super::Ticket;
use super::gate::Gate;
use super::numbers::{AllNumbers, Numbers};
use crate::plan::Plan;

impl Plan {
    /// Forgets what was taken of every rate that is another one than `before`, those of sources left out. Once for each
    /// shard: another one may still have taken octets by the plan before.
    pub(crate) fn forget_changed_rates(&self, before: &Plan) {
        let numbers = |plan: &Plan, listener, route| AllNumbers::of(&plan.config, listener, route);
        let all = |plan| numbers(plan, 0, None).all;
        forget(&self.limits.gate, &all(before), &all(self));
        for (at, status) in self.listeners.iter().enumerate() {
            let of = |plan| numbers(plan, at, None).listener;
            forget(&status.limits, &of(before), &of(self));
        }
        for (at, status) in self.routes.iter().enumerate() {
            let of = |plan| numbers(plan, 0, Some(at)).route;
            forget(&status.limits, &of(before), &of(self));
        }
    }

    /// The same for sources, those without sessions among them.
    pub(crate) fn forget_changed_source_rates(&self, before: &Plan) {
        let rate = |plan: &Plan| plan.config.limits.source_octets_per_second_max;
        if rate(before) != rate(self) {
            self.limits.sources.forget_octets();
        }
    }
}

impl Ticket {
    /// True where a rate that holds for its session is another one than `before`; forgets what its source has taken of one.
    pub(crate) fn forget_changed_rates(&self, before: &Plan, now: &Plan) -> bool {
        let (was, is) = (self.numbers(before), self.numbers(now));
        if let Some(source) = &self.source {
            forget(&source.gate, &was.source, &is.source);
        }
        let scopes =
            [(was.all, is.all), (was.listener, is.listener), (was.route, is.route), (was.source, is.source)];
        scopes.iter().any(|(was, is)| differs(was, is))
    }
}

fn differs(before: &Numbers, now: &Numbers) -> bool {
    before.octets_per_second_max != now.octets_per_second_max
}

fn forget(gate: &Gate, before: &Numbers, now: &Numbers) {
    if differs(before, now) {
        gate.forget_octets();
    }
}

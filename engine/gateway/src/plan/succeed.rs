//! The plan after a reload: names keep their indices.

use std::sync::Arc;

use super::{Pace, Plan, TargetStatus};
use crate::config::{Config, Destination, ListenerApplication, TargetConfig};

impl Plan {
    /// The plan of a configuration that takes this one's place.
    ///
    /// Listeners must be the same by name and in order: they change by a restart only.
    pub fn succeed(&self, mut next: Config) -> Plan {
        let targets = merge(&self.config.targets, &next.targets, |target| &target.name);
        let upstreams = merge(&self.config.upstreams, &next.upstreams, |upstream| &upstream.name);
        // The order of routes decides, so that a route's place in the list is not its index in the plan: see
        // `Config::route_order`.
        let routes = merge(&self.config.routes, &next.routes, |route| &route.name);
        renumber(&mut next, &targets, &upstreams);
        next.route_order = (0..next.routes.len()).map(|index| routes.index_of_next(index)).collect();
        next.targets = targets.apply(&self.config.targets, next.targets, |target| target.removed = true);
        next.upstreams =
            upstreams.apply(&self.config.upstreams, next.upstreams, |upstream| upstream.removed = true);
        next.routes = routes.apply(&self.config.routes, next.routes, |route| route.removed = true);
        let status = |index: usize| {
            let target = &next.targets[index];
            let Some(known) = self.targets.get(index) else {
                return Arc::new(TargetStatus::new(target.state));
            };
            let before = &self.config.targets[index];
            if before.state != target.state {
                known.set_state(target.state);
            }
            if !reached_alike(before, target) {
                known.forget_past();
            }
            Arc::clone(known)
        };
        Plan {
            origin: self.origin,
            maintenance: if self.config.drain == next.drain {
                Arc::clone(&self.maintenance)
            } else {
                Arc::new(Pace::of(&next.drain))
            },
            generation: self.generation + 1,
            limits: Arc::clone(&self.limits),
            listeners: self.listeners.clone(),
            routes: (0..next.routes.len())
                .map(|index| self.routes.get(index).map_or_else(Arc::default, Arc::clone))
                .collect(),
            targets: (0..next.targets.len()).map(status).collect(),
            tls: self.tls.clone(),
            config: Arc::new(next),
        }
    }
}

/// True where what was found out about a target says something about it as it is now: it is reached in the same way.
pub(crate) fn reached_alike(before: &TargetConfig, now: &TargetConfig) -> bool {
    let as_before = TargetConfig {
        connect_timeout: before.connect_timeout,
        release_timeout: before.release_timeout,
        state: before.state,
        policy: before.policy,
        weight: before.weight,
        sessions_max: before.sessions_max,
        health: before.health,
        eject_failures: before.eject_failures,
        eject_time: before.eject_time,
        ..now.clone()
    };
    as_before == *before
}

/// Where the entries of a list go.
struct Merge {
    /// For each entry of the old list, its place in the new one.
    old_to_next: Vec<Option<usize>>,
    /// For each entry of the new list, its index in the plan.
    next_to_plan: Vec<usize>,
}

fn merge<T>(old: &[T], next: &[T], name: impl Fn(&T) -> &String) -> Merge {
    let place = |entry: &T| next.iter().position(|other| name(other) == name(entry));
    let mut added = old.len();
    let next_to_plan = next
        .iter()
        .map(|entry| {
            old.iter().position(|other| name(other) == name(entry)).unwrap_or_else(|| {
                added += 1;
                added - 1
            })
        })
        .collect();
    Merge { old_to_next: old.iter().map(place).collect(), next_to_plan }
}

impl Merge {
    fn index_of_next(&self, place: usize) -> usize {
        self.next_to_plan[place]
    }

    fn apply<T: Clone>(&self, old: &[T], next: Vec<T>, remove: impl Fn(&mut T)) -> Vec<T> {
        let kept = old.iter().zip(&self.old_to_next).map(|(entry, place)| {
            place.map_or_else(
                || {
                    let mut gone = entry.clone();
                    remove(&mut gone);
                    gone
                },
                |place| next[place].clone(),
            )
        });
        let added = next.iter().zip(&self.next_to_plan).filter(|(_, index)| **index >= old.len());
        kept.chain(added.map(|(entry, _)| entry.clone())).collect()
    }
}

/// Turns the references between the tables of `next` into indices of the plan.
fn renumber(next: &mut Config, targets: &Merge, upstreams: &Merge) {
    for listener in &mut next.listeners {
        match &mut listener.application {
            ListenerApplication::Relay { target } => *target = targets.index_of_next(*target),
            ListenerApplication::Balance { upstream } => *upstream = upstreams.index_of_next(*upstream),
            _ => {}
        }
    }
    for upstream in &mut next.upstreams {
        for target in &mut upstream.targets {
            *target = targets.index_of_next(*target);
        }
    }
    for route in &mut next.routes {
        match &mut route.destination {
            Destination::Target(target) => *target = targets.index_of_next(*target),
            Destination::Upstream(upstream) => *upstream = upstreams.index_of_next(*upstream),
            Destination::Refuse(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check_str;

    const HEAD: &str = "schema_version = 1\n[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\n";

    fn config(targets: &[&str], routes: &[(&str, &str)]) -> Config {
        let mut text = HEAD.to_owned();
        for (name, target) in routes {
            text += &format!("[[route]]\nname = \"{name}\"\ntarget = \"{target}\"\n");
        }
        for name in targets {
            text += &format!("[[target]]\nname = \"{name}\"\naddress = \"127.0.0.1:1\"\n");
        }
        check_str("test", &text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    #[test]
    fn names_keep_their_index_and_new_ones_follow() {
        let plan = Plan::new(Arc::new(config(&["a", "b"], &[("x", "a"), ("y", "b")])));
        let next = plan.succeed(config(&["c", "b"], &[("z", "c"), ("y", "b")]));
        let names: Vec<_> =
            next.config.targets.iter().map(|target| (target.name.as_str(), target.removed)).collect();
        assert_eq!(names, [("a", true), ("b", false), ("c", false)]);
        let routes: Vec<_> = next
            .config
            .routes
            .iter()
            .map(|route| (route.name.as_str(), route.removed, route.destination))
            .collect();
        let to = Destination::Target;
        assert_eq!(routes, [("x", true, to(0)), ("y", false, to(1)), ("z", false, to(2))]);
        assert_eq!(next.config.route_order, [2, 1]);
        assert!(Arc::ptr_eq(&plan.targets[1], &next.targets[1]));
        let again = next.succeed(config(&["a"], &[("x", "a")]));
        assert!(!again.config.targets[0].removed && again.config.targets[1].removed);
        assert_eq!(again.config.route_order, [0]);
        assert_eq!(again.generation, 3);
    }
}

//! Listeners, routes and targets: what they carry, how they do, how attempts to open sessions ended.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::DescriptorEncoder;

use super::{Labels, counters, gauges, seconds_counters};
use crate::config::TargetConfig;
use crate::plan::{ConnectOutcome, Health, Plan, TargetStatus};

/// A target by its name.
type Named<'a> = (&'a str, &'a TargetStatus);

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, plan: &Plan) -> fmt::Result {
    let named = |(target, status): (&'_ TargetConfig, &'_ Arc<TargetStatus>)| {
        (!target.removed).then_some((target.name.clone(), Arc::clone(status)))
    };
    let targets: Vec<_> = plan.config.targets.iter().zip(&plan.targets).filter_map(named).collect();
    let targets: Vec<Named<'_>> = targets.iter().map(|(name, status)| (name.as_str(), &**status)).collect();
    how_they_do(encoder, plan, &targets)?;
    what_was_tried(encoder, &targets)?;
    let listeners: Vec<_> = plan.config.listeners.iter().zip(&plan.listeners).collect();
    let open: Vec<_> = listeners
        .iter()
        .map(|(listener, status)| {
            (vec![("listener", listener.name.as_str())], status.limits.sessions() as f64)
        })
        .collect();
    gauges(encoder, "listener_sessions", "Sessions accepted on a listener that have not ended", &open)?;
    let established: Vec<_> = listeners
        .iter()
        .map(|(listener, status)| {
            (vec![("listener", listener.name.as_str())], status.limits.established_count())
        })
        .collect();
    counters(encoder, "listener_sessions_established", "Sessions established on a listener", &established)?;
    let refused: Vec<_> = listeners
        .iter()
        .flat_map(|(listener, status)| {
            let labels = |reason| vec![("listener", listener.name.as_str()), ("reason", reason)];
            status.refused.each().map(move |(reason, count)| (labels(reason), count))
        })
        .collect();
    let help = "Connections and sessions refused on a listener, by reason";
    counters(encoder, "listener_refused", help, &refused)?;
    let routes = plan.config.routes.iter().zip(&plan.routes).filter(|(route, _)| !route.removed);
    let (mut sessions, mut selections) = (Vec::new(), Vec::new());
    for (route, status) in routes {
        sessions.push((vec![("route", route.name.as_str())], f64::from(status.sessions())));
        selections.push((vec![("route", route.name.as_str())], status.selections()));
    }
    gauges(encoder, "route_sessions", "Accepted sessions that a route let in", &sessions)?;
    counters(encoder, "route_selections", "Times that a route was the first to fit", &selections)
}

fn how_they_do(encoder: &mut DescriptorEncoder<'_>, plan: &Plan, targets: &[Named<'_>]) -> fmt::Result {
    let now = plan.origin.elapsed();
    let each = |value: &dyn Fn(&TargetStatus) -> f64| -> Vec<(Labels<'_>, f64)> {
        targets.iter().map(|(name, status)| (vec![("target", *name)], value(status))).collect()
    };
    let sessions = each(&|status| f64::from(status.sessions()));
    gauges(
        encoder,
        "target_sessions",
        "Sessions to a target, those that wait for its answer too",
        &sessions,
    )?;
    let states: Vec<_> = targets
        .iter()
        .map(|(name, status)| (vec![("target", *name), ("state", status.state().name())], 1.0))
        .collect();
    gauges(encoder, "target_state", "What the operator wants of a target: ready, drain or maint", &states)?;
    let up = each(&|status| f64::from(u8::from(status.health() != Health::Down)));
    gauges(encoder, "target_up", "0 where health checks fail", &up)?;
    let ejected = each(&|status| f64::from(u8::from(status.ejected_until(now).is_some())));
    gauges(encoder, "target_ejected", "1 while a target is passed over because sessions failed", &ejected)?;
    let warm = each(&|status| f64::from(status.warm_connections()));
    gauges(encoder, "target_warm_connections", "Transport connections that are open beforehand", &warm)
}

fn what_was_tried(encoder: &mut DescriptorEncoder<'_>, targets: &[Named<'_>]) -> fmt::Result {
    let each = |value: &dyn Fn(&TargetStatus) -> u64| -> Vec<(Labels<'_>, u64)> {
        targets.iter().map(|(name, status)| (vec![("target", *name)], value(status))).collect()
    };
    let connects: Vec<_> = targets
        .iter()
        .flat_map(|(name, status)| {
            ConnectOutcome::ALL.map(|outcome| {
                (vec![("target", *name), ("outcome", outcome.name())], status.connects(outcome))
            })
        })
        .collect();
    counters(encoder, "target_connects", "Attempts to open a session, by how they ended", &connects)?;
    let times: Vec<_> = targets
        .iter()
        .map(|(name, status)| (vec![("target", *name)], status.accept_times().sum.as_secs_f64()))
        .collect();
    let help = "Time until sessions were accepted, added up: by their number it is the mean";
    seconds_counters(encoder, "target_accept_seconds", help, &times)?;
    let retries = each(&TargetStatus::retries);
    let warm = each(&TargetStatus::warm_failures);
    let help = "Connections to be open beforehand that could not be had or were lost";
    counters(encoder, "target_warm_failures", help, &warm)?;
    counters(encoder, "target_retries", "Sessions that went on to another target, or tried again", &retries)?;
    counters(
        encoder,
        "target_ejections",
        "Times that a target was ejected",
        &each(&TargetStatus::ejections),
    )?;
    let checks: Vec<_> = targets
        .iter()
        .flat_map(|(name, status)| {
            let (passed, failed) = status.checks();
            [("passed", passed), ("failed", failed)]
                .map(|(outcome, count)| (vec![("target", *name), ("outcome", outcome)], count))
        })
        .collect();
    counters(encoder, "target_health_checks", "Health checks, by how they ended", &checks)
}

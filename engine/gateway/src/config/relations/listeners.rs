//! Listeners: where their sessions go, what they offer, and whether their times fit.

use std::time::Duration;

use colloquy_session::FunctionalUnits;
use ipnet::IpNet;

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::keys::Section;
use super::super::quantity::duration_text;
use super::super::read::File;
use super::super::units;
use super::super::values::Values;
use super::{named, names, no_effect, references, routes};

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    if file.listeners.is_empty() {
        let suggestion = Some("add [[listener]] with name, address and application".to_owned());
        diagnostics.add(
            FaultKind::MissingKey,
            0..0,
            "listener",
            "there is none",
            "at least one [[listener]]",
            suggestion,
        );
    }
    for listener in &file.listeners {
        destination(listener, file, diagnostics);
        if listener.given_text("application") == Some("relay") {
            references(listener, "target", Section::Target, file, diagnostics);
            references(listener, "upstream", Section::Upstream, file, diagnostics);
        }
        idle(listener, file, diagnostics);
        references(listener, "tls", Section::Tls, file, diagnostics);
        connect_timeouts(listener, file, diagnostics);
        offered_units(listener, diagnostics);
        proxy(listener, diagnostics);
        networks(listener, diagnostics);
    }
}

fn destination(listener: &Values, file: &File, diagnostics: &mut Diagnostics) {
    let Some(application) = listener.given_text("application") else { return };
    if application != "relay" {
        for key in ["target", "upstream"].into_iter().filter(|key| listener.gives(key)) {
            diagnostics.add(
                FaultKind::Reference,
                listener.span(key),
                listener.key(key),
                format!("{application} has no {key}"),
                format!("no {key}"),
                Some("did you mean application = \"relay\"?".to_owned()),
            );
        }
        return;
    }
    match (listener.gives("target"), listener.gives("upstream")) {
        (true, true) => {
            diagnostics.add(
                FaultKind::Relation,
                listener.span("upstream"),
                listener.key("upstream"),
                "is given beside target",
                "either target or upstream",
                None,
            );
            diagnostics.beside(&listener.span("target"));
        }
        (false, false) if !file.routes.iter().any(|route| routes::is_for(route, listener)) => {
            let example = names(&file.targets).next().map(|name| format!("for example target = {name:?}"));
            diagnostics.add(
                FaultKind::MissingKey,
                listener.span("target"),
                listener.key("target"),
                "is missing: a relay needs a target, an upstream or a route",
                "target = the name of a [[target]], upstream = that of an [[upstream]], or a [[route]]",
                example,
            );
        }
        _ => {}
    }
}

/// The upstreams (or none) and targets that sessions of a relay may go to.
fn destinations<'f>(listener: &'f Values, file: &'f File) -> Vec<(Option<&'f Values>, Vec<&'f Values>)> {
    let of = |values: &'f Values| {
        let upstream = values.given_text("upstream").and_then(|name| named(&file.upstreams, name));
        let target = values.given_text("target").and_then(|name| named(&file.targets, name));
        let members = upstream.map(|upstream| upstream.texts("targets")).unwrap_or_default();
        let mut targets: Vec<&Values> =
            members.iter().filter_map(|name| named(&file.targets, name)).collect();
        targets.extend(target);
        (upstream, targets)
    };
    if listener.gives("target") || listener.gives("upstream") {
        return vec![of(listener)];
    }
    file.routes.iter().filter(|route| routes::is_for(route, listener)).map(of).collect()
}

/// The downstream must still be there when the upstream's time is up, to be told why.
fn connect_timeouts(listener: &Values, file: &File, diagnostics: &mut Diagnostics) {
    if listener.given_text("application") != Some("relay") {
        return;
    }
    let own = listener.duration("connect_timeout");
    let keys = ["connect_timeout", "target", "upstream"];
    for (upstream, targets) in destinations(listener, file) {
        let slowest = targets.iter().max_by_key(|target| target.duration("connect_timeout"));
        let Some(slowest) = slowest else { continue };
        let one = slowest.duration("connect_timeout");
        if own <= one {
            diagnostics.add(
                FaultKind::Relation,
                listener.first_given(&keys),
                listener.key("connect_timeout"),
                format!(
                    "{} is not more than connect_timeout = {} of {}",
                    duration_text(own),
                    duration_text(one),
                    slowest.path
                ),
                format!("more than {}", duration_text(one)),
                None,
            );
            return;
        }
        let Some(upstream) = upstream else { continue };
        let all = retries_take(upstream, &targets);
        if own <= all {
            diagnostics.warn(
                FaultKind::Relation,
                listener.first_given(&keys),
                listener.key("connect_timeout"),
                format!(
                    "{} is not more than the {} that all tries of {} can take: the last ones may be cut off",
                    duration_text(own),
                    duration_text(all),
                    upstream.path
                ),
                format!("more than {}", duration_text(all)),
                None,
            );
            return;
        }
    }
}

/// The longest time of all tries of an upstream: its slowest targets one after the other, and what lies between.
fn retries_take(upstream: &Values, targets: &[&Values]) -> Duration {
    let retries = upstream.integer("retries_max").min(targets.len().saturating_sub(1) as u64);
    let mut times: Vec<Duration> = targets.iter().map(|target| target.duration("connect_timeout")).collect();
    times.sort_unstable_by(|left, right| right.cmp(left));
    let tries: Duration = times.iter().take(retries as usize + 1).sum();
    let longest = upstream.duration("retry_backoff_max");
    let mut backoff = upstream.duration("retry_backoff").min(longest);
    let mut between = Duration::ZERO;
    for _ in 0..retries {
        between += backoff;
        backoff = (backoff * 2).min(longest);
    }
    tries + between
}

fn offered_units(listener: &Values, diagnostics: &mut Diagnostics) {
    let names = listener.texts("functional_units");
    if !names.iter().any(|unit| unit == "duplex" || unit == "half_duplex") {
        diagnostics.add(
            FaultKind::Relation,
            listener.span("functional_units"),
            listener.key("functional_units"),
            "neither duplex nor half_duplex: no session could be accepted",
            "at least one of \"duplex\", \"half_duplex\"",
            None,
        );
    }
    let offered = units::of_names(names);
    for (unit, missing) in units::contradictions(offered) {
        diagnostics.add(
            FaultKind::Relation,
            listener.span("functional_units"),
            listener.key("functional_units"),
            format!("{unit} without {missing}: it could never be selected"),
            format!("{missing} too, or no {unit}"),
            None,
        );
    }
    if offered.contains(FunctionalUnits::EXPEDITED) && !listener.boolean("transport_expedited") {
        diagnostics.add(
            FaultKind::Relation,
            listener.span("functional_units"),
            listener.key("functional_units"),
            "expedited_data without transport_expedited: it could never be selected",
            "transport_expedited = true, or no expedited_data",
            None,
        );
    }
}

/// What is told about idle sessions means nothing where none is ever taken for idle.
fn idle(listener: &Values, file: &File, diagnostics: &mut Diagnostics) {
    let routed = file.routes.iter().any(|route| {
        routes::is_for(route, listener) && route.gives("idle_timeout") && !route.gives("idle_action")
    });
    if listener.duration("idle_timeout").is_zero() && !routed {
        no_effect(listener, "idle_action", "idle_timeout is 0s: no session is ever idle", diagnostics);
    }
    if !listener.texts("functional_units").iter().any(|unit| unit == "exceptions") {
        no_effect(listener, "exception_reports", "functional_units has no exceptions", diagnostics);
    }
}

/// Who sets sources expects them to be asked about.
fn proxy(listener: &Values, diagnostics: &mut Diagnostics) {
    if listener.gives("proxy_sources") && listener.text("proxy_protocol") != Some("required") {
        diagnostics.add(
            FaultKind::Relation,
            listener.span("proxy_sources"),
            listener.key("proxy_sources"),
            "is given, but no PROXY header is read",
            "proxy_protocol = \"required\", or no proxy_sources",
            None,
        );
    }
}

/// A listener that lets nobody in is most often a mistake.
fn networks(listener: &Values, diagnostics: &mut Diagnostics) {
    let (Some(allow), Some(deny)) = (listener.networks("allow"), listener.networks("deny")) else { return };
    let kept_out = |network: &IpNet| deny.iter().any(|denied| denied.contains(network));
    if allow.iter().all(kept_out) {
        diagnostics.warn(
            FaultKind::Relation,
            listener.span("deny"),
            listener.key("deny"),
            "keeps out all that allow lets in",
            "networks that leave something of allow",
            None,
        );
        diagnostics.beside(&listener.span("allow"));
    }
}

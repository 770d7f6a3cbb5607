//! Upstreams and targets: members, retries, checks, connections kept open.

use std::net::SocketAddr;

use rustls_pki_types::ServerName;

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::keys::Section;
use super::super::quantity::duration_text;
use super::super::read::File;
use super::super::values::Values;
use super::{given_address, no_effect, references, unused};

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    let users = || file.listeners.iter().chain(&file.routes);
    for upstream in &file.upstreams {
        references(upstream, "targets", Section::Target, file, diagnostics);
        members_once(upstream, diagnostics);
        backoff(upstream, diagnostics);
        if upstream.text("balance") != Some("hash") {
            no_effect(upstream, "hash_on", "balance is not \"hash\"", diagnostics);
        }
        let name = upstream.given_text("name");
        if !users().any(|user| user.given_text("upstream") == name) {
            unused(upstream, Section::Upstream, "a listener or route that names it", diagnostics);
        }
    }
    for target in &file.targets {
        references(target, "tls", Section::Tls, file, diagnostics);
        health(target, diagnostics);
        kept_open(target, diagnostics);
        server_name(target, diagnostics);
        reachable(target, diagnostics);
        let Some(name) = target.given_text("name") else { continue };
        let is_member = |upstream: &Values| upstream.texts("targets").iter().any(|member| member == name);
        if !users().any(|user| user.given_text("target") == Some(name))
            && !file.upstreams.iter().any(is_member)
        {
            unused(target, Section::Target, "a listener, route or upstream that names it", diagnostics);
        }
    }
}

fn members_once(upstream: &Values, diagnostics: &mut Diagnostics) {
    let members = upstream.texts("targets");
    for (index, name) in members.iter().enumerate() {
        if members[..index].contains(name) {
            diagnostics.add(
                FaultKind::Duplicate,
                upstream.span("targets"),
                upstream.key("targets"),
                format!("{name:?} is in the list twice"),
                "each target once",
                Some("a target's share is its weight".to_owned()),
            );
        }
    }
}

fn backoff(upstream: &Values, diagnostics: &mut Diagnostics) {
    let (first, longest) = (upstream.duration("retry_backoff"), upstream.duration("retry_backoff_max"));
    if first > longest {
        diagnostics.add(
            FaultKind::Relation,
            upstream.first_given(&["retry_backoff", "retry_backoff_max"]),
            upstream.key("retry_backoff"),
            format!("{} is more than retry_backoff_max = {}", duration_text(first), duration_text(longest)),
            format!("at most {}", duration_text(longest)),
            None,
        );
    }
}

fn health(target: &Values, diagnostics: &mut Diagnostics) {
    let keys = ["health_timeout", "health_interval", "health_rise", "health_fall"];
    if target.text("health_check") == Some("off") {
        for key in keys {
            no_effect(target, key, "health_check is \"off\"", diagnostics);
        }
        return;
    }
    let (timeout, interval) = (target.duration("health_timeout"), target.duration("health_interval"));
    if timeout >= interval {
        diagnostics.add(
            FaultKind::Relation,
            target.first_given(&keys),
            target.key("health_timeout"),
            format!(
                "{} is not less than health_interval = {}",
                duration_text(timeout),
                duration_text(interval)
            ),
            format!("less than {}", duration_text(interval)),
            None,
        );
    }
}

/// A transport connection that is opened beforehand cannot have the selectors of a downstream that is not there yet.
fn kept_open(target: &Values, diagnostics: &mut Diagnostics) {
    if target.text("policy") != Some("on_startup") {
        no_effect(target, "warm_connections", "policy is not \"on_startup\"", diagnostics);
        return;
    }
    for key in ["called_tsap", "calling_tsap"].into_iter().filter(|key| !target.gives(key)) {
        diagnostics.add(
            FaultKind::Relation,
            target.span("policy"),
            target.key(key),
            "is missing: connections that on_startup opens have no downstream to take it from",
            format!("{key} = a selector, or \"0x\" for none"),
            None,
        );
    }
}

/// Nobody can be connected to at port 0.
fn reachable(target: &Values, diagnostics: &mut Diagnostics) {
    let Some(address) = given_address(target) else { return };
    if target.text("policy") == Some("incoming_only") {
        return;
    }
    if address.port() == 0 {
        diagnostics.add(
            FaultKind::Range,
            target.span("address"),
            target.key("address"),
            format!("{address} has port 0: nobody can be connected to there"),
            "the port on which the target listens",
            Some(format!("for example \"{}\"", SocketAddr::new(address.ip(), 102))),
        );
    }
    if address.ip().is_unspecified() {
        let problem = format!("{} means every address of a machine, and no certain one", address.ip());
        let expected = "the address of the target";
        diagnostics.warn(
            FaultKind::Range,
            target.span("address"),
            target.key("address"),
            problem,
            expected,
            None,
        );
    }
}

/// Who names a server expects it to be proved, and by a name that a certificate can have.
fn server_name(target: &Values, diagnostics: &mut Diagnostics) {
    if let Some(name) = target.given_text("tls_server_name")
        && ServerName::try_from(name).is_err()
    {
        diagnostics.add(
            FaultKind::Range,
            target.span("tls_server_name"),
            target.key("tls_server_name"),
            format!("{name:?} is neither a DNS name nor an IP address"),
            "a name as a certificate has it, without port",
            None,
        );
    }
    if target.gives("tls_server_name") && !target.gives("tls") {
        diagnostics.add(
            FaultKind::Relation,
            target.span("tls_server_name"),
            target.key("tls_server_name"),
            "is given, but connections to the target are plain",
            "tls = the name of a [[tls]], or no tls_server_name",
            None,
        );
    }
}

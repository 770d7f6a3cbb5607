//! Targets and what their peer profile can carry: selectors that are too long, keys without effect.

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::peer_profile::{PeerProfile, Profile};
use super::super::read::File;
use super::super::values::Values;
use super::{named, no_effect};

/// The keys of a target that fix a selector, and those of a listener or route that let one through.
const SELECTORS: [(&str, &str, Layer); 4] = [
    ("called_tsap", "called_tsaps", Layer::Transport),
    ("calling_tsap", "calling_tsaps", Layer::Transport),
    ("called_ssap", "called_ssaps", Layer::Session),
    ("calling_ssap", "calling_ssaps", Layer::Session),
];

#[derive(Clone, Copy)]
enum Layer {
    Transport,
    Session,
}

impl Layer {
    fn octets_max(self, rules: &PeerProfile) -> usize {
        match self {
            Layer::Transport => rules.tsap_octets_max,
            Layer::Session => rules.ssap_octets_max,
        }
    }
}

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    for target in &file.targets {
        let rules = rules(target);
        own_selectors(target, rules, diagnostics);
        let why = format!("profile {:?} leaves it out", rules.name);
        if !rules.transport_expedited {
            no_effect(target, "transport_expedited", &why, diagnostics);
        }
        if target.integer("tpdu_octets_max") > u64::from(rules.tpdu_octets_max) {
            let why = format!("profile {:?} proposes {} octets at most", rules.name, rules.tpdu_octets_max);
            no_effect(target, "tpdu_octets_max", &why, diagnostics);
        }
    }
    for user in file.listeners.iter().chain(&file.routes) {
        let upstream = user.given_text("upstream").and_then(|name| named(&file.upstreams, name));
        let members = upstream.map(|upstream| upstream.texts("targets")).unwrap_or_default();
        let names = members.iter().map(String::as_str).chain(user.given_text("target"));
        for target in names.filter_map(|name| named(&file.targets, name)) {
            let_through(user, target, diagnostics);
        }
    }
}

fn rules(target: &Values) -> &'static PeerProfile {
    target.text("profile").and_then(Profile::named).unwrap_or(Profile::Mms).rules()
}

/// With a selector that the profile does not carry every session would be refused.
fn own_selectors(target: &Values, rules: &PeerProfile, diagnostics: &mut Diagnostics) {
    for (key, _, layer) in SELECTORS {
        let octets_max = layer.octets_max(rules);
        let Some(octets) = target.selector(key).map(<[u8]>::len).filter(|octets| *octets > octets_max) else {
            continue;
        };
        diagnostics.add(
            FaultKind::Relation,
            target.span(key),
            target.key(key),
            format!(
                "has {octets} octets, and profile {:?} carries {octets_max} at most: every session to it would be refused",
                rules.name
            ),
            format!("at most {octets_max} octets, or another profile"),
            None,
        );
        if target.gives("profile") {
            diagnostics.beside(&target.span("profile"));
        }
    }
}

/// What a listener or route lets in, and the target passes on as it came.
fn let_through(user: &Values, target: &Values, diagnostics: &mut Diagnostics) {
    let rules = rules(target);
    for (fixes, key, layer) in SELECTORS {
        let octets_max = layer.octets_max(rules);
        // A listener has no keys for the calling side.
        let lists = user.entries().any(|(name, _)| name == key);
        let longest =
            lists.then(|| user.selectors(key)).flatten().and_then(|all| all.iter().map(Vec::len).max());
        if target.gives(fixes) || longest.is_none_or(|octets| octets <= octets_max) {
            continue;
        }
        diagnostics.warn(
            FaultKind::Relation,
            user.span(key),
            user.key(key),
            format!(
                "lets a selector of {} octets through to {}, whose profile {:?} carries {octets_max} at most: such a session is refused",
                longest.unwrap_or_default(),
                target.path,
                rules.name
            ),
            format!("{fixes} in that target, or another profile"),
            None,
        );
        diagnostics.beside(&target.first_given(&["profile", "name"]));
    }
}

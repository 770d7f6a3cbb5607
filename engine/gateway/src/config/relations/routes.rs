//! Routes: their listeners and destinations.

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::keys::Section;
use super::super::read::File;
use super::super::values::Values;
use super::{named, references};

/// True if the route is for sessions of this listener.
pub(super) fn is_for(route: &Values, listener: &Values) -> bool {
    if listener.given_text("application") != Some("relay") || has_destination(listener) {
        return false;
    }
    let listed = route.texts("listeners");
    !route.gives("listeners") || listed.iter().any(|name| listener.given_text("name") == Some(name))
}

fn has_destination(listener: &Values) -> bool {
    listener.gives("target") || listener.gives("upstream")
}

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    for route in &file.routes {
        references(route, "listeners", Section::Listener, file, diagnostics);
        references(route, "upstream", Section::Upstream, file, diagnostics);
        references(route, "target", Section::Target, file, diagnostics);
        listeners(route, file, diagnostics);
        one_destination(route, diagnostics);
        if !file.listeners.iter().any(|listener| is_for(route, listener)) && !route.gives("listeners") {
            diagnostics.warn(
                FaultKind::Unused,
                route.span("name"),
                route.path.clone(),
                "no listener uses it: each has a target or upstream of its own, or is no relay",
                "a relay without target and upstream",
                None,
            );
        }
        if route.gives("refuse") {
            for key in ["idle_timeout", "idle_action", "octets_per_second_max", "sessions_max"] {
                super::no_effect(route, key, "the route refuses", diagnostics);
            }
        }
    }
}

/// Listeners that a route names must ask for routes.
fn listeners(route: &Values, file: &File, diagnostics: &mut Diagnostics) {
    for name in route.texts("listeners") {
        let Some(listener) = named(&file.listeners, name) else { continue };
        let problem = match listener.given_text("application") {
            Some("relay") if has_destination(listener) => {
                format!("listener {name:?} has a target or upstream of its own")
            }
            Some(application @ ("echo" | "sink")) => {
                format!("listener {name:?} is no relay but {application}")
            }
            _ => continue,
        };
        diagnostics.add(
            FaultKind::Reference,
            route.span("listeners"),
            route.key("listeners"),
            problem,
            "relays without target and upstream",
            None,
        );
        diagnostics.beside(&listener.first_given(&["target", "upstream", "application"]));
    }
}

fn one_destination(route: &Values, diagnostics: &mut Diagnostics) {
    let given: Vec<&str> =
        ["upstream", "target", "refuse"].into_iter().filter(|key| route.gives(key)).collect();
    let expected = "exactly one of upstream, target, refuse";
    match given.as_slice() {
        [_] => {}
        [] => diagnostics.add(
            FaultKind::MissingKey,
            route.span.clone(),
            route.key("upstream"),
            "is missing: the route leads nowhere",
            expected,
            None,
        ),
        [first, second, ..] => {
            diagnostics.add(
                FaultKind::Relation,
                route.span(second),
                route.key(second),
                format!("is given beside {first}"),
                expected,
                None,
            );
            diagnostics.beside(&route.span(first));
        }
    }
}

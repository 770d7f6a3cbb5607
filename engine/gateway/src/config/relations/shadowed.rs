//! Routes that no session reaches, because an earlier one takes all that would fit them.

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::read::File;
use super::super::values::Values;
use super::routes::is_for;

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    for (index, route) in file.routes.iter().enumerate() {
        let of: Vec<&Values> = file.listeners.iter().filter(|listener| is_for(route, listener)).collect();
        if of.is_empty() {
            continue;
        }
        let covers = |earlier: &&Values| {
            of.iter().all(|listener| is_for(earlier, listener)) && takes_all(earlier, route)
        };
        if let Some(earlier) = file.routes[..index].iter().find(covers) {
            diagnostics.warn(
                FaultKind::Unused,
                route.span("name"),
                route.path.clone(),
                format!("is never reached: {} takes all that fits it", earlier.path),
                "a route before it that leaves something, or this one first",
                None,
            );
            diagnostics.beside(&earlier.span("name"));
        }
    }
}

/// True if everything that fits `later` fits `earlier`.
fn takes_all(earlier: &Values, later: &Values) -> bool {
    let selectors = ["called_tsaps", "calling_tsaps", "called_ssaps", "calling_ssaps"];
    let of_selectors = selectors.iter().all(|key| match (earlier.selectors(key), later.selectors(key)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(all), Some(some)) => some.iter().all(|selector| all.contains(selector)),
    });
    let of_sources = match (earlier.networks("sources"), later.networks("sources")) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(all), Some(some)) => some.iter().all(|part| all.iter().any(|whole| whole.contains(part))),
    };
    let units = "functional_units";
    let of_units = earlier.texts(units).iter().all(|unit| later.texts(units).contains(unit));
    of_selectors && of_sources && of_units
}

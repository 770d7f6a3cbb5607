//! Faults that lie between keys, and what is suspicious: names, references, ports, times and sums.

mod engine;
mod listeners;
mod operation;
mod ports;
mod profiles;
mod routes;
mod shadowed;
mod targets;
mod tls;

use super::diagnostics::{Diagnostics, FaultKind, nearest};
use super::keys::Section;
use super::read::File;
use super::values::Values;

pub(super) use engine::check as engine;
pub(super) use ports::given_address;

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    unique_names(file, diagnostics);
    listeners::check(file, diagnostics);
    routes::check(file, diagnostics);
    shadowed::check(file, diagnostics);
    targets::check(file, diagnostics);
    profiles::check(file, diagnostics);
    tls::check(file, diagnostics);
    ports::check(file, diagnostics);
    operation::check(file, diagnostics);
    engine::check(file, diagnostics);
}

fn unique_names(file: &File, diagnostics: &mut Diagnostics) {
    for section in Section::ALL.into_iter().filter(|section| section.is_repeated()) {
        let tables = file.tables(section);
        let key = if section == Section::Binding { "certificate" } else { "name" };
        for (index, values) in tables.iter().enumerate() {
            if !values.gives(key) {
                continue;
            }
            let id = values.id(section);
            let Some(other) =
                tables[..index].iter().find(|other| other.gives(key) && other.id(section) == id)
            else {
                continue;
            };
            let (problem, expected) = if section == Section::Binding {
                (format!("{id:?} is bound by {} too", other.path), "one binding for each certificate")
            } else {
                (format!("{id:?} is the name of {} too", other.path), "a name of its own")
            };
            diagnostics.add(FaultKind::Duplicate, values.span(key), values.key(key), problem, expected, None);
            diagnostics.beside(&other.span(key));
        }
    }
}

/// The names that the tables of a section have.
fn names(tables: &[Values]) -> impl Iterator<Item = &str> {
    tables.iter().filter_map(|values| values.given_text("name"))
}

/// The table of this name.
fn named<'f>(tables: &'f [Values], name: &str) -> Option<&'f Values> {
    tables.iter().find(|values| values.given_text("name") == Some(name))
}

/// Every name that `key` gives must be that of a table of `section`.
fn references(
    values: &Values,
    key: &'static str,
    section: Section,
    file: &File,
    diagnostics: &mut Diagnostics,
) {
    if !values.gives(key) {
        return;
    }
    let tables = file.tables(section);
    for name in values.text(key).into_iter().chain(values.texts(key).iter().map(String::as_str)) {
        if named(tables, name).is_none() {
            diagnostics.add(
                FaultKind::Reference,
                values.span(key),
                values.key(key),
                format!("there is no {} {name:?}", section.name()),
                format!("the name of a [[{}]]", section.name()),
                nearest(name, names(tables)).map(|near| format!("did you mean {near:?}?")),
            );
        }
    }
}

/// Warns of a key that is set and has no effect.
fn no_effect(values: &Values, key: &'static str, why: &str, diagnostics: &mut Diagnostics) {
    if values.sets(key) {
        diagnostics.warn(
            FaultKind::Unused,
            values.span(key),
            values.key(key),
            format!("has no effect: {why}"),
            "nothing, or what gives it an effect",
            None,
        );
    }
}

/// Warns of a table that nothing names.
fn unused(values: &Values, section: Section, by: &str, diagnostics: &mut Diagnostics) {
    let Some(name) = values.given_text("name") else { return };
    diagnostics.warn(
        FaultKind::Unused,
        values.span("name"),
        values.path.clone(),
        format!("nothing uses {} {name:?}", section.name()),
        by,
        None,
    );
}

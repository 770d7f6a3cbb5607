//! A new configuration as far as a running gateway can take it: what needs a restart stays as it runs.

use super::diagnostics::Diagnostics;
use super::diff::TOGETHER;
use super::keys::{Reload, Section};
use super::load::Loaded;
use super::read::File;
use super::values::Values;
use super::{build, relations};

/// `next` with every key of class restart as `running` has it, so that a mixed reload applies what it can.
///
/// Listeners are those that run, by name and in their order: added ones are left out, removed ones go on as they
/// are, with the routes, targets, upstreams, TLS tables and bindings that they need. Give the result as `running` to the next call and to
/// [`super::diff`]: then what waits for a restart shows up again.
pub fn keep_restart_keys(running: &Loaded, next: Loaded) -> Loaded {
    let mut file = next.file;
    for section in
        [Section::Root, Section::Engine, Section::Limits, Section::Admin, Section::Log, Section::Drain]
    {
        keep_keys(section, &running.file.tables(section)[0], file.single_mut(section));
    }
    keep_engine_consistent(&running.file, &mut file);
    carry_routes(&running.file, &mut file);
    file.listeners = listeners(&running.file, &file);
    file.targets = with_named(Section::Target, &["target"], &running.file, &file);
    file.upstreams = with_named(Section::Upstream, &["upstream"], &running.file, &file);
    carry_members(&running.file, &mut file);
    let tls = with_named(Section::Tls, &["tls"], &running.file, &file);
    carry_bindings(&running.file, &tls, &mut file);
    file.tls = tls;
    for section in Section::ALL.into_iter().filter(|section| section.is_repeated()) {
        for (index, values) in file.repeated_mut(section).iter_mut().enumerate() {
            values.path = format!("{}[{index}]", section.name());
        }
    }
    Loaded { config: build::config(&file), file, ..next }
}

fn keep_keys(section: Section, running: &Values, next: &mut Values) {
    for key in section.keys().filter(|key| key.reload == Reload::Restart) {
        next.entry_mut(key.name).clone_from(running.entry(key.name));
    }
}

/// Marks that were chosen for another pool may not fit the one that runs: then `[engine]` stays whole.
fn keep_engine_consistent(running: &File, next: &mut File) {
    let mut faults = Diagnostics::new("", "");
    relations::engine(next, &mut faults);
    if !faults.is_good() {
        next.engine = running.engine.clone();
    }
}

fn listeners(running: &File, next: &File) -> Vec<Values> {
    let find = |values: &Values| {
        next.listeners.iter().find(|other| other.id(Section::Listener) == values.id(Section::Listener))
    };
    let keep = |runs: &Values| {
        let Some(found) = find(runs) else { return runs.clone() };
        let mut kept = found.clone();
        for (key, of_it) in TOGETHER {
            if kept.entry(key).value != runs.entry(key).value {
                for key in of_it {
                    kept.entry_mut(key).clone_from(runs.entry(key));
                }
            }
        }
        keep_keys(Section::Listener, runs, &mut kept);
        kept
    };
    running.listeners.iter().map(keep).collect()
}

/// Routes for nobody but listeners that the file has no more and that go on: behind all others.
fn carry_routes(running: &File, next: &mut File) {
    let in_next = |all: &[Values], id: &str| all.iter().any(|values| values.text("name") == Some(id));
    let is_carried = |route: &&Values| {
        let listeners = route.texts("listeners");
        !listeners.is_empty()
            && !listeners.iter().any(|name| in_next(&next.listeners, name))
            && !in_next(&next.routes, route.text("name").unwrap_or_default())
    };
    let carried: Vec<Values> = running.routes.iter().filter(is_carried).cloned().collect();
    next.routes.extend(carried);
}

/// The tables of `next`, and those of `running` that are missing and that listeners, routes or targets name. What runs comes
/// first, in its order.
fn with_named(section: Section, keys: &[&'static str], running: &File, next: &File) -> Vec<Values> {
    let users = next.listeners.iter().chain(&next.routes).chain(&next.targets);
    let has_key = |values: &Values, key: &str| values.entries().any(|(name, _)| name == key);
    let named: Vec<String> = users
        .flat_map(|values| keys.iter().filter(|key| has_key(values, key)).filter_map(|key| values.text(key)))
        .map(str::to_owned)
        .collect();
    let tables = next.tables(section);
    let in_next = |id: &str| tables.iter().find(|values| values.id(section) == id).cloned();
    let mut merged: Vec<Values> = Vec::new();
    for values in running.tables(section) {
        let id = values.id(section);
        match in_next(&id) {
            Some(found) => merged.push(found),
            None if named.contains(&id) => merged.push(values.clone()),
            None => {}
        }
    }
    let known: Vec<String> = merged.iter().map(|values| values.id(section)).collect();
    merged.extend(tables.iter().filter(|values| !known.contains(&values.id(section))).cloned());
    merged
}

/// Targets of upstreams that were carried over.
fn carry_members(running: &File, next: &mut File) {
    let known: Vec<String> = next.targets.iter().map(|values| values.id(Section::Target)).collect();
    let members: Vec<String> =
        next.upstreams.iter().flat_map(|values| values.texts("targets").to_vec()).collect();
    let missing = |values: &&Values| {
        let id = values.id(Section::Target);
        members.contains(&id) && !known.contains(&id)
    };
    let carried: Vec<Values> = running.targets.iter().filter(missing).cloned().collect();
    next.targets.extend(carried);
}

/// Bindings of TLS tables that are carried over: without them anybody whom an authority vouches for would be let in.
fn carry_bindings(running: &File, tls: &[Values], next: &mut File) {
    let has = |tables: &[Values], name: &str| tables.iter().any(|values| values.text("name") == Some(name));
    let is_carried =
        |values: &&Values| values.text("tls").is_some_and(|name| has(tls, name) && !has(&next.tls, name));
    let carried: Vec<Values> = running.bindings.iter().filter(is_carried).cloned().collect();
    next.bindings.extend(carried);
}

//! What a new configuration changes, key by key, and when each change takes effect.

use super::keys::{Key, Reload, Section};
use super::load::Loaded;
use super::read::File;
use super::value_text::value_text;
use super::values::{Entry, Values};

/// What stands for a value that is not there.
const ABSENT: &str = "absent";

/// Keys of a listener that wait for a restart, and what means nothing or something else without them: it waits, too.
pub(super) const TOGETHER: [(&str, &[&str]); 2] =
    [("application", &["target", "upstream"]), ("proxy_protocol", &["proxy_sources"])];

/// One difference between two configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `engine.shards`, `target[server].address`; for a whole table `target[server]`; `route` for the order of the
    /// routes.
    pub key: String,
    /// What it was, as TOML; `absent` if it was not there.
    pub old: String,
    /// What it is now, as TOML; `absent` if it is no longer there.
    pub new: String,
    /// When it takes effect.
    pub class: Reload,
}

/// What `new` changes in `old`, in the order of the reference file. Tables are found by their names.
///
/// Paths of keys and certificates are in it, what these files contain never.
pub fn diff(old: &Loaded, new: &Loaded) -> Vec<Change> {
    let mut changes = Vec::new();
    for section in Section::ALL {
        if section.is_repeated() {
            repeated(section, &old.file, &new.file, &mut changes);
        } else {
            let (old, new) = (&old.file.tables(section)[0], &new.file.tables(section)[0]);
            keys(section, section.name(), old, new, &mut changes);
        }
    }
    changes
}

/// Of the changes that a configuration `wanted`, those that are in effect, and those that wait for a restart: because
/// of their class, or because they belong to something that waits.
pub fn split_changes(wanted: Vec<Change>, in_effect: &[Change]) -> (Vec<Change>, Vec<Change>) {
    let (applied, mut waiting): (Vec<Change>, Vec<Change>) =
        wanted.into_iter().partition(|change| in_effect.contains(change));
    for change in &mut waiting {
        change.class = Reload::Restart;
    }
    (applied, waiting)
}

fn repeated(section: Section, old: &File, new: &File, changes: &mut Vec<Change>) {
    let (old, new) = (old.tables(section), new.tables(section));
    let same = |values: &Values, all: &[Values]| {
        all.iter().position(|other| other.id(section) == values.id(section))
    };
    for values in old {
        let key = format!("{}[{}]", section.name(), values.id(section));
        match same(values, new) {
            Some(index) => keys(section, &key, values, &new[index], changes),
            None => changes.push(Change {
                key,
                old: table_text(section, values),
                new: ABSENT.to_owned(),
                class: table_class(section),
            }),
        }
    }
    for values in new.iter().filter(|values| same(values, old).is_none()) {
        changes.push(Change {
            key: format!("{}[{}]", section.name(), values.id(section)),
            old: ABSENT.to_owned(),
            new: table_text(section, values),
            class: table_class(section),
        });
    }
    if section == Section::Route {
        route_order(old, new, changes);
    }
}

/// The class of a whole table that comes or goes: that of its name.
fn table_class(section: Section) -> Reload {
    section.keys().find(|key| key.name == "name").map_or(Reload::NewSessions, |key| key.reload)
}

/// The first route that fits is taken: their order says something.
fn route_order(old: &[Values], new: &[Values], changes: &mut Vec<Change>) {
    let order = |all: &[Values], others: &[Values]| -> Vec<String> {
        let known = |name: &String| others.iter().any(|other| other.id(Section::Route) == *name);
        all.iter().map(|values| values.id(Section::Route)).filter(known).collect()
    };
    let (old, new) = (order(old, new), order(new, old));
    if old != new {
        let text = |names: &[String]| format!("[{}]", names.join(", "));
        changes.push(Change {
            key: Section::Route.name().to_owned(),
            old: text(&old),
            new: text(&new),
            class: Reload::NewSessions,
        });
    }
}

fn keys(section: Section, path: &str, old: &Values, new: &Values, changes: &mut Vec<Change>) {
    let differs = |key: &str| old.entry(key).value != new.entry(key).value;
    let waits = |name: &str| {
        section == Section::Listener
            && TOGETHER.iter().any(|(key, of_it)| of_it.contains(&name) && differs(key))
    };
    for key in section.keys() {
        let (was, is) = (old.entry(key.name), new.entry(key.name));
        if was.value != is.value {
            changes.push(Change {
                key: if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) },
                old: entry_text(key, was),
                new: entry_text(key, is),
                class: if waits(key.name) { Reload::Restart } else { key.reload },
            });
        }
    }
}

fn entry_text(key: &Key, entry: &Entry) -> String {
    entry.value.as_ref().map_or_else(|| ABSENT.to_owned(), |value| value_text(key, value))
}

/// The keys that the file gives, as an inline table.
fn table_text(section: Section, values: &Values) -> String {
    let given = section.keys().filter(|key| values.gives(key.name));
    let pairs: Vec<String> =
        given.map(|key| format!("{} = {}", key.name, entry_text(key, values.entry(key.name)))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

//! The reader: walks a parsed TOML file along the key table and collects every fault.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::accept::{accept, with_article};
use super::diagnostics::{Diagnostics, FaultKind, nearest};
use super::keys::{Absence, Key, Section};

/// A value that its key's kind has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Integer(u64),
    Boolean(bool),
    Text(String),
    Texts(Vec<String>),
    Numbers(Vec<u64>),
    Selector(Vec<u8>),
    Selectors(Vec<Vec<u8>>),
    Address(SocketAddr),
    Duration(Duration),
    Networks(Vec<IpNet>),
}

/// A value and where it stands; no span when it is the default.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Option<Value>,
    pub(super) span: Option<Range<usize>>,
}

/// The values of one table, every key of the key table present.
#[derive(Clone, Debug)]
pub(super) struct Values {
    /// `engine`, `listener[0]`.
    pub(super) path: String,
    /// The table's header.
    pub(super) span: Range<usize>,
    entries: BTreeMap<&'static str, Entry>,
}

impl Values {
    /// The defaults of a section; required keys have their examples.
    pub(super) fn defaults(section: Section) -> Values {
        let entries = section.keys().map(|key| (key.name, default_entry(key))).collect();
        Values { path: section.name().to_owned(), span: 0..0, entries }
    }

    pub(super) fn entry(&self, name: &str) -> &Entry {
        self.entries.get(name).expect("the key table has every key that is read")
    }

    /// Where a key stands, or its table's header.
    pub(super) fn span(&self, name: &str) -> Range<usize> {
        self.entry(name).span.clone().unwrap_or_else(|| self.span.clone())
    }

    /// `listener[0].address`.
    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn integer(&self, name: &str) -> u64 {
        self.optional_integer(name).unwrap_or_else(|| unreachable!("{name} is an integer with a default"))
    }

    pub(super) fn optional_integer(&self, name: &str) -> Option<u64> {
        match self.entry(name).value {
            Some(Value::Integer(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn boolean(&self, name: &str) -> bool {
        matches!(self.entry(name).value, Some(Value::Boolean(true)))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match &self.entry(name).value {
            Some(Value::Text(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn texts(&self, name: &str) -> &[String] {
        match &self.entry(name).value {
            Some(Value::Texts(value)) => value,
            _ => &[],
        }
    }

    pub(super) fn numbers(&self, name: &str) -> &[u64] {
        match &self.entry(name).value {
            Some(Value::Numbers(value)) => value,
            _ => &[],
        }
    }

    pub(super) fn selector(&self, name: &str) -> Option<&[u8]> {
        match &self.entry(name).value {
            Some(Value::Selector(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn selectors(&self, name: &str) -> Option<&[Vec<u8>]> {
        match &self.entry(name).value {
            Some(Value::Selectors(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn duration(&self, name: &str) -> Duration {
        self.optional_duration(name).unwrap_or_else(|| unreachable!("{name} is a time with a default"))
    }

    pub(super) fn optional_duration(&self, name: &str) -> Option<Duration> {
        match self.entry(name).value {
            Some(Value::Duration(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn networks(&self, name: &str) -> Option<&[IpNet]> {
        match &self.entry(name).value {
            Some(Value::Networks(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn address(&self, name: &str) -> Option<SocketAddr> {
        match self.entry(name).value {
            Some(Value::Address(value)) => Some(value),
            _ => None,
        }
    }
}

/// The value that `text` (TOML) stands for; `None` if the kind refuses it.
pub(super) fn literal(key: &Key, text: &str) -> Option<Value> {
    let value = DeValue::parse(text).ok()?;
    accept(key.kind, value.get_ref()).ok()
}

fn default_entry(key: &Key) -> Entry {
    let value = match key.default {
        Absence::Required(text) | Absence::Value(text) => {
            Some(literal(key, text).expect("the key table's literals fit their kinds"))
        }
        Absence::Absent(_) | Absence::Shown(_) => None,
    };
    Entry { value, span: None }
}

/// The tables of a file.
pub(super) struct File {
    pub(super) engine: Values,
    pub(super) listeners: Vec<Values>,
    pub(super) routes: Vec<Values>,
    pub(super) upstreams: Vec<Values>,
    pub(super) targets: Vec<Values>,
    pub(super) tls: Vec<Values>,
    pub(super) bindings: Vec<Values>,
    pub(super) limits: Values,
    pub(super) admin: Values,
    pub(super) log: Values,
    pub(super) drain: Values,
}

/// Reads a whole file.
pub(super) fn read_file(text: &str, diagnostics: &mut Diagnostics) -> File {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        diagnostics.add(FaultKind::Syntax, span, "", error.message(), "TOML", None);
    }
    let root = root.get_ref();
    check_root(root, diagnostics);
    File {
        engine: single(root, Section::Engine, diagnostics),
        listeners: repeated(root, Section::Listener, diagnostics),
        routes: repeated(root, Section::Route, diagnostics),
        upstreams: repeated(root, Section::Upstream, diagnostics),
        targets: repeated(root, Section::Target, diagnostics),
        tls: repeated(root, Section::Tls, diagnostics),
        bindings: repeated(root, Section::Binding, diagnostics),
        limits: single(root, Section::Limits, diagnostics),
        admin: single(root, Section::Admin, diagnostics),
        log: single(root, Section::Log, diagnostics),
        drain: single(root, Section::Drain, diagnostics),
    }
}

/// Root keys, and tables that do not exist.
fn check_root(root: &DeTable<'_>, diagnostics: &mut Diagnostics) {
    let tables = || Section::ALL.iter().map(|section| section.name()).filter(|name| !name.is_empty());
    let mut keys = DeTable::new();
    for (name, value) in root {
        let known = Section::Root.keys().any(|key| key.name == name.get_ref().as_ref());
        if known {
            keys.insert(name.clone(), value.clone());
        } else if !tables().any(|table| table == name.get_ref().as_ref()) {
            let all = Section::Root.keys().map(|key| key.name).chain(tables());
            unknown("", name, &all.collect::<Vec<_>>(), diagnostics);
        }
    }
    read_table(&keys, 0..0, Section::Root, String::new(), diagnostics);
}

fn single(root: &DeTable<'_>, section: Section, diagnostics: &mut Diagnostics) -> Values {
    let name = section.name();
    match find(root, name) {
        None => Values::defaults(section),
        Some((span, DeValue::Table(table))) => read_table(table, span, section, name.to_owned(), diagnostics),
        Some((span, other)) => {
            let problem = format!("is {}", with_article(other.type_str()));
            diagnostics.add(FaultKind::Type, span, name, problem, format!("a table [{name}]"), None);
            Values::defaults(section)
        }
    }
}

fn repeated(root: &DeTable<'_>, section: Section, diagnostics: &mut Diagnostics) -> Vec<Values> {
    let name = section.name();
    let expected = format!("tables [[{name}]]");
    let Some((span, value)) = find(root, name) else { return Vec::new() };
    let DeValue::Array(items) = value else {
        let problem = format!("is {}", with_article(value.type_str()));
        let suggestion = value.is_table().then(|| format!("write [[{name}]] with two brackets"));
        diagnostics.add(FaultKind::Type, span, name, problem, expected, suggestion);
        return Vec::new();
    };
    let mut all = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{name}[{index}]");
        match item.get_ref() {
            DeValue::Table(table) => {
                all.push(read_table(table, item.span(), section, path, diagnostics));
            }
            other => {
                let problem = format!("is {}", with_article(other.type_str()));
                diagnostics.add(FaultKind::Type, item.span(), path, problem, expected.clone(), None);
            }
        }
    }
    all
}

fn find<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<(Range<usize>, &'t DeValue<'i>)> {
    let (_, value) = table.iter().find(|(key, _)| key.get_ref().as_ref() == name)?;
    Some((value.span(), value.get_ref()))
}

fn read_table(
    table: &DeTable<'_>,
    span: Range<usize>,
    section: Section,
    path: String,
    diagnostics: &mut Diagnostics,
) -> Values {
    let mut values = Values { path, span, entries: BTreeMap::new() };
    for (name, _) in table {
        if !section.keys().any(|key| key.name == name.get_ref().as_ref()) {
            let known: Vec<&str> = section.keys().map(|key| key.name).collect();
            unknown(&values.path, name, &known, diagnostics);
        }
    }
    for key in section.keys() {
        let mut entry = default_entry(key);
        match table.iter().find(|(name, _)| name.get_ref().as_ref() == key.name) {
            Some((_, given)) => match accept(key.kind, given.get_ref()) {
                Ok(value) => entry = Entry { value: Some(value), span: Some(given.span()) },
                Err(refused) => {
                    let path = values.key(key.name);
                    let expected = key.kind.expected();
                    diagnostics.add(
                        refused.kind,
                        refused.element.unwrap_or_else(|| given.span()),
                        path,
                        refused.problem,
                        expected,
                        refused.suggestion,
                    );
                }
            },
            None => {
                if let Absence::Required(example) = key.default {
                    diagnostics.add(
                        FaultKind::MissingKey,
                        values.span.clone(),
                        values.key(key.name),
                        "is missing",
                        format!("{} = {}", key.name, key.kind.expected()),
                        Some(format!("for example {} = {example}", key.name)),
                    );
                }
            }
        }
        values.entries.insert(key.name, entry);
    }
    values
}

fn unknown(path: &str, name: &Spanned<DeString<'_>>, known: &[&str], diagnostics: &mut Diagnostics) {
    let word = name.get_ref().as_ref();
    let key = if path.is_empty() { word.to_owned() } else { format!("{path}.{word}") };
    let suggestion = nearest(word, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let expected = format!("one of {}", known.join(", "));
    diagnostics.add(FaultKind::UnknownKey, name.span(), key, "unknown key", expected, suggestion);
}

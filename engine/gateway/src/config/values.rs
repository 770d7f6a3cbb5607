//! Accepted values of one table, and where they stand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use ipnet::IpNet;
use toml::de::DeValue;

use super::accept::accept;
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
    section: Section,
    entries: BTreeMap<&'static str, Entry>,
}

impl Values {
    /// The defaults of a section; required keys have their examples.
    pub(super) fn defaults(section: Section) -> Values {
        let entries = section.keys().map(|key| (key.name, default_entry(key))).collect();
        Values { path: section.name().to_owned(), span: 0..0, section, entries }
    }

    pub(super) fn entry(&self, name: &str) -> &Entry {
        self.entries.get(name).expect("the key table has every key that is read")
    }

    /// The value of a key and where it stands, to be replaced.
    pub(super) fn entry_mut(&mut self, name: &'static str) -> &mut Entry {
        self.entries.get_mut(name).expect("the key table has every key that is read")
    }

    /// The keys, in the order of their names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'static str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (*name, entry))
    }

    /// What tells the table from the others of its section: its name, or what it is about.
    pub(super) fn id(&self, section: Section) -> String {
        match section {
            Section::Binding => {
                let part = |name| self.text(name).unwrap_or_default();
                format!("{}/{}", part("tls"), part("certificate"))
            }
            _ if section.is_repeated() => self.text("name").unwrap_or_default().to_owned(),
            _ => String::new(),
        }
    }

    /// The text of a key that the file gives; not the placeholder of a faulty one.
    pub(super) fn given_text(&self, name: &str) -> Option<&str> {
        self.entry(name).span.as_ref()?;
        self.text(name)
    }

    /// True if the file gives the key, and rightly.
    pub(super) fn gives(&self, name: &str) -> bool {
        self.entry(name).span.is_some()
    }

    /// True if the file gives the key another value than its default.
    pub(super) fn sets(&self, name: &str) -> bool {
        let is_default = |key: &Key| self.entry(name).value == default_entry(key).value;
        self.gives(name) && !self.section.keys().any(|key| key.name == name && is_default(key))
    }

    /// The first of these keys that the file gives, or the table's header.
    pub(super) fn first_given(&self, names: &[&str]) -> Range<usize> {
        names.iter().find_map(|name| self.entry(name).span.clone()).unwrap_or_else(|| self.span.clone())
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

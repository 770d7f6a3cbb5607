//! What a configuration key is: its table, what it may hold, its default. The keys themselves are in
//! `key_table`.

use Reload::{Live, NewSessions, Restart};
use Section::{Admin, Drain, Engine, Listener, Log, Root, Target};

pub use super::key_table::KEYS;

/// A table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Keys before the first table.
    Root,
    /// `[engine]`.
    Engine,
    /// `[[listener]]`, once for each.
    Listener,
    /// `[[target]]`, once for each.
    Target,
    /// `[admin]`.
    Admin,
    /// `[log]`.
    Log,
    /// `[drain]`.
    Drain,
}

impl Section {
    /// All sections, in the order of the reference file.
    pub const ALL: [Section; 7] = [Root, Engine, Listener, Target, Admin, Log, Drain];

    /// The name in the file; empty for the root.
    pub fn name(self) -> &'static str {
        match self {
            Root => "",
            Engine => "engine",
            Listener => "listener",
            Target => "target",
            Admin => "admin",
            Log => "log",
            Drain => "drain",
        }
    }

    /// True for `[[name]]`.
    pub fn is_repeated(self) -> bool {
        matches!(self, Listener | Target)
    }

    /// What the section is for, as the reference file says it.
    pub fn doc(self) -> &'static str {
        match self {
            Root => "Every key of `colloquy gateway`, with its default.",
            Engine => "The event loops. Sizes are for each shard: a shard shares nothing.",
            Listener => "Where sessions are accepted, once for each address. At least one.",
            Target => "Where relays open their upstream sessions, once for each.",
            Admin => "Metrics and health over HTTP, read-only.",
            Log => "The log, on standard error. Standard output is for results.",
            Drain => "How the gateway ends.",
        }
    }

    /// The keys of the section.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.section == self)
    }
}

/// What a key may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number in a range.
    Integer {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
        /// 0 is allowed beside the range.
        or_zero: bool,
    },
    /// A power of two in a range.
    PowerOfTwo {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// `true` or `false`.
    Boolean,
    /// A name: 1 to 64 letters, digits, `-`, `_` or `.`.
    Name,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A list of some of these, at least one.
    Choices(&'static [&'static str]),
    /// A list of numbers in a range, at least one.
    Numbers {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// `"0x0001"` or `"ascii:ICCP"`.
    Selector {
        /// Longest, in octets.
        octets_max: usize,
    },
    /// A list of selectors, at least one.
    Selectors {
        /// Longest, in octets.
        octets_max: usize,
    },
    /// IP address and port.
    Address,
}

/// What stands for a key that is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The key must be there; the value is the example of the reference file, as TOML.
    Required(&'static str),
    /// Nothing; the value is the example that the reference file shows commented out, as TOML.
    Absent(&'static str),
    /// Nothing; the value is the example of the reference file, as TOML.
    Shown(&'static str),
    /// This value, as TOML.
    Value(&'static str),
}

/// When a changed key takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// At once.
    Live,
    /// For sessions that begin after the reload.
    NewSessions,
    /// After a restart.
    Restart,
}

impl Reload {
    /// The word in the reference file.
    pub fn name(self) -> &'static str {
        match self {
            Live => "live",
            NewSessions => "new-sessions",
            Restart => "restart",
        }
    }
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The table it belongs to.
    pub section: Section,
    /// Its name, with the unit in it.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// What stands for it when absent.
    pub default: Absence,
    /// When a change takes effect.
    pub reload: Reload,
    /// What it is for, in lines of at most 100 columns.
    pub doc: &'static str,
}

pub(super) const fn integer(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max, or_zero: false }
}

pub(super) const fn key(
    section: Section,
    name: &'static str,
    kind: Kind,
    default: Absence,
    reload: Reload,
    doc: &'static str,
) -> Key {
    Key { section, name, kind, default, reload, doc }
}

impl Kind {
    /// The range, in words, for the reference file and for diagnostics.
    pub fn expected(self) -> String {
        match self {
            Kind::Integer { min, max, .. } if min == max => format!("{min}"),
            Kind::Integer { min, max, or_zero: false } => format!("a whole number from {min} to {max}"),
            Kind::Integer { min, max, or_zero: true } => format!("0 or a whole number from {min} to {max}"),
            Kind::PowerOfTwo { min, max } => format!("a power of two from {min} to {max}"),
            Kind::Boolean => "true or false".into(),
            Kind::Name => "a name of 1 to 64 letters, digits, '-', '_' or '.'".into(),
            Kind::Choice(words) => format!("one of {}", quoted(words)),
            Kind::Choices(words) => format!("a list of at least one of {}", quoted(words)),
            Kind::Numbers { min, max } => format!("a list of at least one number from {min} to {max}"),
            Kind::Selector { octets_max } => {
                format!("a selector of at most {octets_max} octets, as \"0x0001\" or \"ascii:ICCP\"")
            }
            Kind::Selectors { octets_max } => {
                format!("a list of selectors of at most {octets_max} octets, as \"0x0001\" or \"ascii:ICCP\"")
            }
            Kind::Address => "an IP address and a port, as \"127.0.0.1:10102\" or \"[::1]:10102\"".into(),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

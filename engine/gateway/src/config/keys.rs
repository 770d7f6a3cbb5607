//! What a configuration key is: its table, what it may hold, its default. The keys themselves are in
//! `key_table`.

use std::time::Duration;

use super::quantity::{duration_text, size_text};

use Reload::{Live, NewSessions, Restart};
use Section::{Admin, Binding, Drain, Engine, Limits, Listener, Log, Root, Route, Target, Tls, Upstream};

/// Every key, in the order of the reference file.
pub fn all() -> impl Iterator<Item = &'static Key> {
    Section::ALL.into_iter().flat_map(Section::keys)
}

/// A table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Keys before the first table.
    Root,
    /// `[engine]`.
    Engine,
    /// `[[listener]]`, once for each.
    Listener,
    /// `[[route]]`, once for each.
    Route,
    /// `[[upstream]]`, once for each.
    Upstream,
    /// `[[target]]`, once for each.
    Target,
    /// `[[tls]]`, once for each.
    Tls,
    /// `[[binding]]`, once for each.
    Binding,
    /// `[limits]`.
    Limits,
    /// `[admin]`.
    Admin,
    /// `[log]`.
    Log,
    /// `[drain]`.
    Drain,
}

impl Section {
    /// All sections, in the order of the reference file.
    pub const ALL: [Section; 12] =
        [Root, Engine, Listener, Route, Upstream, Target, Tls, Binding, Limits, Admin, Log, Drain];

    /// The name in the file; empty for the root.
    pub fn name(self) -> &'static str {
        match self {
            Root => "",
            Engine => "engine",
            Listener => "listener",
            Route => "route",
            Upstream => "upstream",
            Target => "target",
            Tls => "tls",
            Binding => "binding",
            Limits => "limits",
            Admin => "admin",
            Log => "log",
            Drain => "drain",
        }
    }

    /// True for `[[name]]`.
    pub fn is_repeated(self) -> bool {
        matches!(self, Listener | Route | Upstream | Target | Tls | Binding)
    }

    /// True for a table that the reference file shows commented out: without it nothing is missing.
    pub fn is_optional(self) -> bool {
        matches!(self, Route | Upstream | Tls | Binding)
    }

    /// What the section is for, as the reference file says it.
    pub fn doc(self) -> &'static str {
        match self {
            Root => "Every key of `colloquy gateway`, with its default.",
            Engine => "The event loops. Sizes are for each shard: a shard shares nothing.",
            Listener => "Where sessions are accepted, once for each address. At least one.",
            Route => {
                "Which sessions go where, once for each. Optional: a listener may name its target instead."
            }
            Upstream => "Targets that serve the same sessions, once for each group. Optional.",
            Target => "Where relays open their upstream sessions, once for each.",
            Tls => "Certificates and rules of TLS, once for each. Optional.",
            Binding => "Which selectors the holder of a certificate may use, once for each. Optional.",
            Limits => "Limits on all listeners and shards together, and on each source address.",
            Admin => "Metrics, health and a page over HTTP, read-only, and the control socket.",
            Log => "The log, on standard error. Standard output is for results.",
            Drain => "How the gateway ends.",
        }
    }

    /// The keys of the section.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        super::key_table::of(self).iter()
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
    /// A number of octets, as `65536` or `"64KiB"`.
    Size {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
        /// 0 is allowed beside the range.
        or_zero: bool,
    },
    /// `"750ms"`, `"30s"`, `"10min"`.
    Duration {
        /// Shortest.
        min: Duration,
        /// Longest.
        max: Duration,
        /// `"0s"` is allowed beside the range.
        or_zero: bool,
    },
    /// A list of names, at least one.
    Names,
    /// A list of networks, as `"10.0.0.0/8"`, at least one.
    Networks,
    /// A file's path.
    Path,
    /// A list of them, at least one.
    Paths,
    /// Any text that is not empty.
    Text {
        /// Longest, in octets.
        octets_max: usize,
    },
    /// Whose certificate: `"dns:NAME"`, `"cn:NAME"` or `"sha256:HEX"`.
    Certificate,
    /// A list of them, at least one.
    Certificates,
    /// A list of users and groups of the system, at least one.
    Principals,
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
    /// What it is for; the line breaks mean nothing.
    pub doc: &'static str,
}

pub(super) const fn integer(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max, or_zero: false }
}

pub(super) const fn size(min: u64, max: u64) -> Kind {
    Kind::Size { min, max, or_zero: false }
}

pub(super) const fn size_or_zero(min: u64, max: u64) -> Kind {
    Kind::Size { min, max, or_zero: true }
}

pub(super) const fn duration(min: Duration, max: Duration) -> Kind {
    Kind::Duration { min, max, or_zero: false }
}

pub(super) const fn duration_or_zero(min: Duration, max: Duration) -> Kind {
    Kind::Duration { min, max, or_zero: true }
}

pub(super) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);
pub(super) const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);

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
            Kind::Size { min, max, or_zero } => {
                let zero = if or_zero { "0 or " } else { "" };
                format!("{zero}octets from {} to {}, as 65536 or \"64KiB\"", size_text(min), size_text(max))
            }
            Kind::Duration { min, max, or_zero } => {
                let zero = if or_zero { "\"0s\" or " } else { "" };
                let (min, max) = (duration_text(min), duration_text(max));
                format!("{zero}a time from {min} to {max}, as \"750ms\" or \"30s\"")
            }
            Kind::Names => "a list of at least one name".into(),
            Kind::Networks => "a list of at least one network, as \"10.0.0.0/8\" or \"2001:db8::/32\"".into(),
            Kind::Path => "a path".into(),
            Kind::Paths => "a list of at least one path".into(),
            Kind::Text { octets_max } => format!("a text of 1 to {octets_max} octets"),
            Kind::Certificate => "\"dns:NAME\", \"cn:NAME\" or \"sha256:\" and 64 hex digits".into(),
            Kind::Certificates => {
                "a list of at least one of \"dns:NAME\", \"cn:NAME\", \"sha256:\" and 64 hex digits".into()
            }
            Kind::Principals => {
                "a list of at least one of \"user:NAME\", \"group:NAME\", \"uid:N\", \"gid:N\", \"any\""
                    .into()
            }
            Kind::Address => "an IP address and a port, as \"127.0.0.1:10102\" or \"[::1]:10102\"".into(),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

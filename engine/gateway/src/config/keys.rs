//! The key table: one definition of every configuration key, which feeds the reader, the defaults, the
//! reference file `configs/gateway.toml` and the test that holds the two together.

use Absence::{Absent, Required, Shown, Value};
use Reload::{Live, NewSessions, Restart};
use Section::{Admin, Drain, Engine, Listener, Log, Root, Target};

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

const fn integer(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max, or_zero: false }
}

const fn key(
    section: Section,
    name: &'static str,
    kind: Kind,
    default: Absence,
    reload: Reload,
    doc: &'static str,
) -> Key {
    Key { section, name, kind, default, reload, doc }
}

/// The longest time a key may name: one hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// Every key, in the order of the reference file.
pub const KEYS: &[Key] = &[
    key(Root, "schema_version", integer(1, 1), Required("1"), Restart, "Version of this file's format."),
    key(
        Engine,
        "driver",
        Kind::Choice(&["auto", "io_uring", "mio"]),
        Value("\"auto\""),
        Restart,
        "How the network is reached. auto takes io_uring where the system allows it, else mio, and logs\n\
         why. io_uring and mio refuse to start where they cannot run.",
    ),
    key(
        Engine,
        "shards",
        integer(0, 256),
        Value("0"),
        Restart,
        "Event loops, each on its own thread. 0 takes one for each core.",
    ),
    key(Engine, "pin_cores", Kind::Boolean, Value("false"), Restart, "Pin each shard to a core of its own."),
    key(
        Engine,
        "sessions_max",
        integer(2, 1_000_000),
        Value("16384"),
        Restart,
        "Sessions of one shard. A relayed session counts twice: once on each side.",
    ),
    key(
        Engine,
        "receive_blocks",
        Kind::PowerOfTwo { min: 4, max: 32768 },
        Value("32"),
        Restart,
        "Blocks of one shard's receive pool. Must hold the sum of its users: what the kernel fills, one\n\
         TSDU in assembly and one send queue at its high mark.",
    ),
    key(
        Engine,
        "receive_block_octets",
        Kind::PowerOfTwo { min: 4096, max: 1 << 20 },
        Value("65536"),
        Restart,
        "Octets of one block.",
    ),
    key(
        Engine,
        "pinned_octets_max",
        integer(4096, 1 << 30),
        Value("262144"),
        Restart,
        "Octets of the pool that one session may keep while it assembles a TSDU or an SSDU. What is\n\
         beyond is copied out.",
    ),
    key(
        Engine,
        "ssdu_octets_max",
        integer(1024, 1 << 30),
        Value("1048576"),
        NewSessions,
        "Octets of an SSDU that is joined from segments (because one side segments and the other does\n\
         not) or kept until a token comes. A session that exceeds it is aborted.",
    ),
    key(
        Engine,
        "send_high_mark_octets",
        integer(4096, 1 << 30),
        Value("262144"),
        NewSessions,
        "Octets queued towards one peer from which the feeding session is paused.",
    ),
    key(
        Engine,
        "send_low_mark_octets",
        integer(1, 1 << 30),
        Value("65536"),
        NewSessions,
        "Octets queued below which it is resumed. Less than send_high_mark_octets.",
    ),
    key(
        Engine,
        "send_timeout_ms",
        integer(10, HOUR_MS),
        Value("60000"),
        Restart,
        "Time that the network has to take what was sent to a peer. A peer that does not read for so\n\
         long is disconnected.",
    ),
    key(Listener, "name", Kind::Name, Required("\"mms\""), Restart, "Name in logs and metrics; unique."),
    key(
        Listener,
        "address",
        Kind::Address,
        Required("\"127.0.0.1:10102\""),
        Restart,
        "Address and TCP port. Port 0 takes a free one.",
    ),
    key(
        Listener,
        "application",
        Kind::Choice(&["echo", "sink", "relay"]),
        Required("\"relay\""),
        Restart,
        "echo sends each SSDU back, sink takes it and says nothing, relay opens a session to a target.",
    ),
    key(
        Listener,
        "target",
        Kind::Name,
        Shown("\"server\""),
        NewSessions,
        "For relay, and only there: the target's name. No default.",
    ),
    key(
        Listener,
        "called_tsaps",
        Kind::Selectors { octets_max: 32 },
        Absent("[\"0x0001\"]"),
        NewSessions,
        "Called TSAP selectors accepted; others are refused with DR. Absent: any.",
    ),
    key(
        Listener,
        "called_ssaps",
        Kind::Selectors { octets_max: 16 },
        Absent("[\"0x0001\", \"ascii:ICCP\"]"),
        NewSessions,
        "Called SSAP selectors accepted; others are refused with RF reason 129. Absent: any.",
    ),
    key(
        Listener,
        "functional_units",
        Kind::Choices(&["half_duplex", "duplex", "negotiated_release"]),
        Value("[\"half_duplex\", \"duplex\", \"negotiated_release\"]"),
        NewSessions,
        "Functional units offered beside the kernel.",
    ),
    key(
        Listener,
        "versions",
        Kind::Numbers { min: 1, max: 2 },
        Value("[1, 2]"),
        NewSessions,
        "Session protocol versions spoken.",
    ),
    key(
        Listener,
        "tpdu_octets_max",
        Kind::PowerOfTwo { min: 128, max: 8192 },
        Value("8192"),
        NewSessions,
        "Largest TPDU agreed to.",
    ),
    key(
        Listener,
        "tsdu_octets_max",
        integer(1024, 1 << 30),
        Value("1048576"),
        NewSessions,
        "Longest TSDU assembled; a peer that exceeds it is disconnected.",
    ),
    key(
        Listener,
        "sessions_max",
        integer(1, 1_000_000),
        Value("16384"),
        Live,
        "Sessions of this listener on one shard; more are refused with DR reason 1.",
    ),
    key(
        Listener,
        "connections_not_established_max",
        integer(1, 1_000_000),
        Value("1024"),
        Live,
        "Connections on one shard whose S-CONNECT is not yet answered; more are closed or refused.",
    ),
    key(
        Listener,
        "connect_timeout_ms",
        integer(10, HOUR_MS),
        Value("10000"),
        NewSessions,
        "Time from accepting the connection to the CONNECT SPDU, and from there to its answer. For a\n\
         relay more than its target's.",
    ),
    key(
        Listener,
        "tim_ms",
        integer(10, HOUR_MS),
        Value("5000"),
        NewSessions,
        "Timer TIM: how long the peer has to disconnect after ABORT, REFUSE or DISCONNECT.",
    ),
    key(
        Target,
        "name",
        Kind::Name,
        Required("\"server\""),
        NewSessions,
        "What `target` of a listener names; unique.",
    ),
    key(
        Target,
        "address",
        Kind::Address,
        Required("\"127.0.0.1:11102\""),
        NewSessions,
        "Address and TCP port.",
    ),
    key(
        Target,
        "profile",
        Kind::Choice(&["mms", "transparent"]),
        Value("\"mms\""),
        NewSessions,
        "mms proposes the plain shape every MMS stack takes: version 2 only, kernel and duplex, no TSDU\n\
         maximum size, no connection identifier. transparent carries all that the downstream proposed.",
    ),
    key(
        Target,
        "called_tsap",
        Kind::Selector { octets_max: 32 },
        Absent("\"0x0001\""),
        NewSessions,
        "Called TSAP selector. Absent: the one the downstream gave.",
    ),
    key(
        Target,
        "calling_tsap",
        Kind::Selector { octets_max: 32 },
        Absent("\"0x0001\""),
        NewSessions,
        "Calling TSAP selector. Absent: the one the downstream gave.",
    ),
    key(
        Target,
        "called_ssap",
        Kind::Selector { octets_max: 16 },
        Absent("\"0x0001\""),
        NewSessions,
        "Called SSAP selector. Absent: the one the downstream gave.",
    ),
    key(
        Target,
        "calling_ssap",
        Kind::Selector { octets_max: 16 },
        Absent("\"0x0001\""),
        NewSessions,
        "Calling SSAP selector. Absent: the one the downstream gave.",
    ),
    key(
        Target,
        "tpdu_octets_max",
        Kind::PowerOfTwo { min: 128, max: 8192 },
        Value("2048"),
        NewSessions,
        "Largest TPDU proposed. Some stacks refuse more than 2048.",
    ),
    key(
        Target,
        "tsdu_octets_max",
        integer(1024, 1 << 30),
        Value("1048576"),
        NewSessions,
        "Longest TSDU assembled; a peer that exceeds it is disconnected.",
    ),
    key(
        Target,
        "connect_timeout_ms",
        integer(10, HOUR_MS),
        Value("5000"),
        NewSessions,
        "Time from opening the connection to the answer to CONNECT; then the downstream is refused.",
    ),
    key(
        Target,
        "release_timeout_ms",
        integer(10, HOUR_MS),
        Value("10000"),
        NewSessions,
        "Time a side has to answer FINISH; then both sides are aborted.",
    ),
    key(
        Target,
        "tim_ms",
        integer(10, HOUR_MS),
        Value("5000"),
        NewSessions,
        "Timer TIM: how long the peer has to disconnect after ABORT.",
    ),
    key(
        Admin,
        "address",
        Kind::Address,
        Absent("\"127.0.0.1:10103\""),
        Restart,
        "Loopback address and TCP port of /livez, /readyz and /metrics. Absent: no HTTP. Port 0 takes a\n\
         free one.",
    ),
    key(
        Log,
        "format",
        Kind::Choice(&["text", "json"]),
        Value("\"text\""),
        Restart,
        "Shape of a record: a line for people, coloured on a terminal unless NO_COLOR is set, or one JSON\n\
         object a line.",
    ),
    key(
        Log,
        "level",
        Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        Value("\"info\""),
        Live,
        "Least severe level that is logged.",
    ),
    key(
        Drain,
        "deadline_ms",
        integer(0, 24 * HOUR_MS),
        Value("30000"),
        Live,
        "Time that open sessions have to end by themselves; then they are aborted.",
    ),
];

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

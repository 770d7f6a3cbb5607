//! Which sessions are relayed where.

use super::super::keys::Absence::{Absent, Required, Shown, Value};
use super::super::keys::Reload::{Live, NewSessions};
use super::super::keys::Section::{Route, Upstream};
use super::super::keys::{
    DAY, Key, Kind, MINUTE, duration, duration_or_zero, integer, key, ms, size_or_zero,
};
use super::super::units;

pub(super) const ROUTE: &[Key] = &[
    key(
        Route,
        "name",
        Kind::Name,
        Required("\"iccp\""),
        NewSessions,
        "Name in logs and metrics; unique. Routes are looked at in the order of the file; the first that fits\n\
         is taken.",
    ),
    key(
        Route,
        "listeners",
        Kind::Names,
        Absent("[\"mms\"]"),
        NewSessions,
        "Listeners it is for; they must be relays. Absent: all relays without a target or upstream of their own.",
    ),
    key(
        Route,
        "called_tsaps",
        Kind::Selectors { octets_max: 32 },
        Absent("[\"0x0001\"]"),
        NewSessions,
        "Called TSAP selectors. Absent: any.",
    ),
    key(
        Route,
        "calling_tsaps",
        Kind::Selectors { octets_max: 32 },
        Absent("[\"0x0001\"]"),
        NewSessions,
        "Calling TSAP selectors. Absent: any.",
    ),
    key(
        Route,
        "called_ssaps",
        Kind::Selectors { octets_max: 16 },
        Absent("[\"ascii:ICCP\"]"),
        NewSessions,
        "Called SSAP selectors. Absent: any.",
    ),
    key(
        Route,
        "calling_ssaps",
        Kind::Selectors { octets_max: 16 },
        Absent("[\"0x0001\"]"),
        NewSessions,
        "Calling SSAP selectors. Absent: any.",
    ),
    key(
        Route,
        "sources",
        Kind::Networks,
        Absent("[\"192.0.2.0/24\"]"),
        NewSessions,
        "Source networks. Absent: any.",
    ),
    key(
        Route,
        "functional_units",
        Kind::Choices(&units::NAMES),
        Absent("[\"activity_management\"]"),
        NewSessions,
        "Functional units that S-CONNECT must propose, all of them. Absent: any.",
    ),
    key(
        Route,
        "upstream",
        Kind::Name,
        Shown("\"servers\""),
        NewSessions,
        "Name of an [[upstream]]. This, target or refuse.",
    ),
    key(
        Route,
        "target",
        Kind::Name,
        Absent("\"server\""),
        NewSessions,
        "Name of a [[target]], without others to turn to.",
    ),
    key(
        Route,
        "refuse",
        Kind::Integer { min: 128, max: 134, or_zero: true },
        Absent("129"),
        NewSessions,
        "Refuse with this reason code (X.225 8.3.5): 0 rejection by the user, 129 unknown selector, 130 user not\n\
         attached, 131 congestion, 134 restriction.",
    ),
    key(
        Route,
        "sessions_max",
        integer(1, 1_000_000),
        Value("1000000"),
        Live,
        "Sessions on all shards together; more are refused with RF reason 131.",
    ),
    key(
        Route,
        "connects_per_second_max",
        Kind::Integer { min: 1, max: 1_000_000, or_zero: true },
        Value("0"),
        Live,
        "S-CONNECTs in a second on all shards together; more are refused with RF reason 131. 0: no limit.",
    ),
    key(
        Route,
        "octets_per_second_max",
        size_or_zero(1024, 1 << 40),
        Value("0"),
        Live,
        "As of a listener, for the sessions of the route.",
    ),
    key(
        Route,
        "idle_timeout",
        duration_or_zero(ms(100), DAY),
        Absent("\"10min\""),
        NewSessions,
        "As of a listener. Absent: what the listener says.",
    ),
    key(
        Route,
        "idle_action",
        Kind::Choice(&["release", "abort"]),
        Absent("\"release\""),
        NewSessions,
        "As of a listener. Absent: what the listener says.",
    ),
];

pub(super) const UPSTREAM: &[Key] = &[
    key(
        Upstream,
        "name",
        Kind::Name,
        Required("\"servers\""),
        NewSessions,
        "What `upstream` of a route or a listener names; unique.",
    ),
    key(Upstream, "targets", Kind::Names, Required("[\"server\"]"), NewSessions, "Names of the targets."),
    key(
        Upstream,
        "balance",
        Kind::Choice(&["round_robin", "least_sessions", "hash"]),
        Value("\"round_robin\""),
        NewSessions,
        "round_robin takes turns by weight. least_sessions takes the target with the fewest sessions for its\n\
         weight. hash keeps equal hash_on together, and moves as few as possible when a target comes or goes.",
    ),
    key(
        Upstream,
        "hash_on",
        Kind::Choice(&["called_ssap", "calling_ssap", "called_tsap", "calling_tsap", "source"]),
        Value("\"called_ssap\""),
        NewSessions,
        "What hash looks at.",
    ),
    key(
        Upstream,
        "retries_max",
        integer(0, 100),
        Value("1"),
        NewSessions,
        "Further targets that are tried for a session before the downstream is refused. Another one is tried after RF\n\
         130, 131, 133 and any reason that X.225 does not have, after DR, a provider abort, a lost connection and a\n\
         time-out. RF 0 to 2, 129, 132 and 134 are answers: no other target would give another one.",
    ),
    key(
        Upstream,
        "retry_backoff",
        duration_or_zero(ms(1), MINUTE),
        Value("\"50ms\""),
        NewSessions,
        "Time before the first retry; it doubles for each further one. Half of it is random.",
    ),
    key(
        Upstream,
        "retry_backoff_max",
        duration(ms(1), MINUTE),
        Value("\"2s\""),
        NewSessions,
        "Longest time before a retry.",
    ),
];

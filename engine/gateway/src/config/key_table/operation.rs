//! Limits in all, and what operators see and do.

use std::time::Duration;

use super::super::keys::Absence::{Absent, Required, Value};
use super::super::keys::Reload::{Live, NewSessions, Restart};
use super::super::keys::Section::{Admin, Drain, Limits, Log, Root};
use super::super::keys::{DAY, HOUR, Key, Kind, duration, integer, key, ms, size, size_or_zero};

pub(super) const ROOT: &[Key] =
    &[key(Root, "schema_version", integer(1, 1), Required("1"), Restart, "Version of this file's format.")];

pub(super) const LIMITS: &[Key] = &[
    key(
        Limits,
        "sessions_max",
        Kind::Integer { min: 1, max: 100_000_000, or_zero: true },
        Value("0"),
        Live,
        "Sessions of all listeners and shards; more are refused with DR reason 1. 0: what the shards hold.",
    ),
    key(
        Limits,
        "connects_per_second_max",
        Kind::Integer { min: 1, max: 10_000_000, or_zero: true },
        Value("0"),
        Live,
        "Connections accepted in a second. 0: no limit.",
    ),
    key(
        Limits,
        "connections_not_established_max",
        Kind::Integer { min: 1, max: 100_000_000, or_zero: true },
        Value("0"),
        Live,
        "Connections whose S-CONNECT is not yet answered. 0: what the listeners say.",
    ),
    key(
        Limits,
        "octets_per_second_max",
        size_or_zero(1024, 1 << 40),
        Value("0"),
        Live,
        "User data that all accepted sessions together may send in a second. 0: no limit.",
    ),
    key(
        Limits,
        "source_sessions_max",
        Kind::Integer { min: 1, max: 100_000_000, or_zero: true },
        Value("0"),
        Live,
        "Sessions of one source address. 0: no limit.",
    ),
    key(
        Limits,
        "source_connects_per_second_max",
        Kind::Integer { min: 1, max: 1_000_000, or_zero: true },
        Value("0"),
        Live,
        "Connections of one source address in a second. 0: no limit.",
    ),
    key(
        Limits,
        "source_connections_not_established_max",
        Kind::Integer { min: 1, max: 1_000_000, or_zero: true },
        Value("0"),
        Live,
        "Connections of one source address whose S-CONNECT is not yet answered. 0: no limit.",
    ),
    key(
        Limits,
        "source_octets_per_second_max",
        size_or_zero(1024, 1 << 40),
        Value("0"),
        Live,
        "User data that one source address may send in a second. 0: no limit.",
    ),
    key(
        Limits,
        "source_ipv6_prefix",
        integer(32, 128),
        Value("64"),
        NewSessions,
        "Leading bits of an IPv6 address that count as one source.",
    ),
    key(
        Limits,
        "shard_memory_octets_max",
        size_or_zero(1 << 20, 1 << 40),
        Value("0"),
        Live,
        "Octets that the sessions of one shard may hold in queues, assemblies and SSDUs that wait for a token\n\
         or their last segment; from there on new sessions are refused and the sessions that hold most are not read from. 0: no limit.",
    ),
];

pub(super) const ADMIN: &[Key] = &[
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
        Admin,
        "control_socket",
        Kind::Path,
        Absent("\"/run/colloquy/control.sock\""),
        Restart,
        "Unix socket of `colloquy status`, `sessions`, `targets`, `tap`, `reload`, `drain` and `top`. Absent: none.",
    ),
    key(
        Admin,
        "observers",
        Kind::Principals,
        Absent("[\"group:adm\"]"),
        Live,
        "Who may read: \"user:NAME\", \"group:NAME\", \"uid:N\", \"gid:N\" or \"any\". Absent: nobody beside operators.",
    ),
    key(
        Admin,
        "operators",
        Kind::Principals,
        Absent("[\"group:colloquy\"]"),
        Live,
        "Who may also close and abort sessions and change the state of targets.",
    ),
    key(
        Admin,
        "admins",
        Kind::Principals,
        Value("[\"uid:0\"]"),
        Live,
        "Who may also reload, drain and tap. The user that the gateway runs as always may.",
    ),
    key(
        Admin,
        "audit_file",
        Kind::Path,
        Absent("\"/var/log/colloquy/audit.jsonl\""),
        Restart,
        "Audit of starts, reloads, drains, actions of operators and TLS refusals: JSON lines, each with the hash of\n\
         the one before; `colloquy audit` verifies it. Absent: none.",
    ),
    key(
        Admin,
        "tap_octets_per_second_max",
        size(1 << 10, 1 << 40),
        Value("\"2MiB\""),
        Live,
        "Octets that all taps of one shard together may copy in a second; beyond, octets are left out of the tap. The\n\
         default costs a machine without a core to spare less than 3 % of its throughput; more is fine where there is one.",
    ),
];

pub(super) const LOG: &[Key] = &[
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
        Log,
        "peer_records_per_minute_max",
        integer(1, 100_000),
        Value("60"),
        Live,
        "Warnings about one peer in a minute; further ones are counted and summed up in one record. Records of the\n\
         opening and the end of sessions are never left out.",
    ),
];

pub(super) const DRAIN: &[Key] = &[
    key(
        Drain,
        "deadline",
        duration(Duration::ZERO, DAY),
        Value("\"30s\""),
        Live,
        "Time that open sessions have to end by themselves; what is left then is aborted, at no pace.",
    ),
    key(
        Drain,
        "action",
        Kind::Choice(&["release", "abort", "wait"]),
        Value("\"release\""),
        Live,
        "What becomes of open sessions: release ends those in order that carried nothing for idle_for, abort\n\
         ends them by ABORT at once, wait lets them end by themselves. Each at the pace below.",
    ),
    key(
        Drain,
        "sessions_per_second",
        integer(1, 1_000_000),
        Value("100"),
        Live,
        "Sessions of the whole gateway that are ended in a second.",
    ),
    key(
        Drain,
        "jitter_percent",
        integer(0, 100),
        Value("20"),
        Live,
        "How much the time between two ends varies, at random.",
    ),
    key(
        Drain,
        "idle_for",
        duration(ms(1), HOUR),
        Value("\"100ms\""),
        Live,
        "Time without user data after which release takes a session for idle.",
    ),
];

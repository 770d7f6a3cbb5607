//! Where sessions are relayed to.

use super::super::keys::Absence::{Absent, Required, Value};
use super::super::keys::Reload::{Live, NewSessions};
use super::super::keys::Section::Target;
use super::super::keys::{DAY, HOUR, Key, Kind, SECOND, duration, duration_or_zero, integer, key, ms, size};
use super::super::peer_profile;

pub(super) const TARGET: &[Key] = &[
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
        Kind::Choice(&peer_profile::NAMES),
        Value("\"mms\""),
        NewSessions,
        "What the peer takes in CR and CN. mms (mms-plain): the plain shape every MMS stack takes: version 2 only,\n\
         kernel and duplex, no TSDU maximum size, no connection identifier. transparent (full): all that the\n\
         downstream proposed. isode: as full, 512 octets of user data in whatever\n\
         SPDU has such a parameter (data are not concerned). Plain shapes for what one stack insists\n\
         on: libiec61850, csp0924, iec61850bean, iec61850-rs, hat-drivers, rusty-cotp. ftam, x400-1984 and\n\
         x400-1988: their functional units and versions. What does not fit is refused with RF reason 134.",
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
    key(Target, "strict", Kind::Boolean, Value("false"), NewSessions, "As of a listener."),
    key(Target, "extended_concatenation", Kind::Boolean, Value("false"), NewSessions, "As of a listener."),
    key(
        Target,
        "transport_expedited",
        Kind::Boolean,
        Value("false"),
        NewSessions,
        "Propose transport expedited data (RFC 1006) where the downstream has it. Expedited data is carried\n\
         only where both sides have it. Some stacks refuse the proposal.",
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
        size(1024, 1 << 30),
        Value("\"1MiB\""),
        NewSessions,
        "Longest TSDU assembled; a peer that exceeds it is disconnected.",
    ),
    key(
        Target,
        "connect_timeout",
        duration(ms(10), HOUR),
        Value("\"5s\""),
        NewSessions,
        "Time from opening the connection to the answer to CONNECT; then the downstream is refused.",
    ),
    key(
        Target,
        "release_timeout",
        duration(ms(10), HOUR),
        Value("\"10s\""),
        Live,
        "Time a side has to answer FINISH; then both sides are aborted.",
    ),
    key(
        Target,
        "tim",
        duration(ms(10), HOUR),
        Value("\"5s\""),
        NewSessions,
        "Timer TIM: how long the peer has to disconnect after ABORT.",
    ),
    key(
        Target,
        "state",
        Kind::Choice(&["ready", "drain", "maint"]),
        Value("\"ready\""),
        Live,
        "State at the start. ready takes sessions; drain takes no new ones; maint neither takes nor checks, and\n\
         open sessions are ended at the pace of [drain]. A changed value overrides what `colloquy targets` set.",
    ),
    key(
        Target,
        "policy",
        Kind::Choice(&["on_demand", "on_startup", "incoming_only"]),
        Value("\"on_demand\""),
        NewSessions,
        "on_demand connects when a session comes. on_startup keeps warm_connections transport connections open\n\
         beforehand. incoming_only never connects: sessions to it are refused.",
    ),
    key(
        Target,
        "warm_connections",
        integer(1, 1024),
        Value("1"),
        Live,
        "Transport connections of one shard that on_startup keeps open. Needs called_tsap and calling_tsap\n\
         to be fixed, or to be absent from CR.",
    ),
    key(
        Target,
        "weight",
        integer(1, 256),
        Value("1"),
        Live,
        "Share of the sessions beside other targets of a group.",
    ),
    key(
        Target,
        "sessions_max",
        integer(1, 1_000_000),
        Value("1000000"),
        Live,
        "Sessions on all shards together; at that the target is passed over.",
    ),
    key(
        Target,
        "health_check",
        Kind::Choice(&["off", "tcp", "transport", "session"]),
        Value("\"off\""),
        Live,
        "off: only what sessions meet counts. tcp connects, transport goes on to CC, session to AC or RF and\n\
         ends in order; CN has no user data, on which libiec61850 closes. A target that fails is passed over.",
    ),
    key(
        Target,
        "health_interval",
        duration(ms(100), HOUR),
        Value("\"5s\""),
        Live,
        "Time between checks, give or take a tenth.",
    ),
    key(
        Target,
        "health_timeout",
        duration(ms(10), HOUR),
        Value("\"2s\""),
        Live,
        "Time one check may take. Less than health_interval.",
    ),
    key(
        Target,
        "health_rise",
        integer(1, 100),
        Value("2"),
        Live,
        "Checks that must succeed in a row before the target is up again.",
    ),
    key(
        Target,
        "health_fall",
        integer(1, 100),
        Value("3"),
        Live,
        "Checks that must fail in a row before the target is down.",
    ),
    key(
        Target,
        "eject_failures",
        integer(0, 1000),
        Value("5"),
        Live,
        "Sessions in a row that the target did not take (no connection, DR, RF 130, 131, 133, no answer) or\n\
         aborted as a provider, after which it is passed over for eject_time. The last usable target of a group\n\
         never is, nor one that is in no group. 0: never.",
    ),
    key(
        Target,
        "eject_time",
        duration(ms(100), HOUR),
        Value("\"10s\""),
        Live,
        "Time of the first ejection; each further one lasts that much longer, up to ten times.",
    ),
    key(
        Target,
        "tls",
        Kind::Name,
        Absent("\"iec62351\""),
        NewSessions,
        "Name of a [[tls]] table: connections to the target begin with a TLS handshake. Absent: plain.",
    ),
    key(
        Target,
        "tls_server_name",
        Kind::Text { octets_max: 253 },
        Absent("\"rtu7.example\""),
        NewSessions,
        "DNS name or IP address that the certificate of the target must have. Absent: the address.",
    ),
    key(
        Target,
        "proxy_protocol",
        Kind::Choice(&["off", "v2"]),
        Value("\"off\""),
        NewSessions,
        "v2: each connection begins with a PROXY protocol header that tells the source of the session.",
    ),
    key(
        Target,
        "keepalive",
        duration_or_zero(SECOND, DAY),
        Value("\"60s\""),
        NewSessions,
        "Idle time after which TCP probes the target. 0s: never.",
    ),
];

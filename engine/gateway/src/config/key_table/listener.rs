//! Where sessions are accepted.

use super::super::keys::Absence::{Absent, Required, Shown, Value};
use super::super::keys::Reload::{Live, NewSessions, Restart};
use super::super::keys::Section::Listener;
use super::super::keys::{
    DAY, HOUR, Key, Kind, SECOND, duration, duration_or_zero, integer, key, ms, size, size_or_zero,
};
use super::super::units;

pub(super) const LISTENER: &[Key] = &[
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
        "For relay, and only there: a target's name, for all its sessions. This, upstream or routes.",
    ),
    key(
        Listener,
        "upstream",
        Kind::Name,
        Absent("\"servers\""),
        NewSessions,
        "For relay, and only there: the name of an [[upstream]], for all its sessions.",
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
        Kind::Choices(&units::NAMES),
        Value("[\"half_duplex\", \"duplex\", \"negotiated_release\"]"),
        NewSessions,
        "Functional units offered beside the kernel. symmetric_synchronize is reconstructed from incomplete\n\
         sources: name it for experiments only. expedited_data needs transport_expedited.",
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
        "strict",
        Kind::Boolean,
        Value("false"),
        NewSessions,
        "Refuse deviations from X.225 that are seen in the field and harmless, instead of tolerating them.",
    ),
    key(
        Listener,
        "extended_concatenation",
        Kind::Boolean,
        Value("false"),
        NewSessions,
        "Tell peers that they may put several SPDUs of category 2 into one TSDU.",
    ),
    key(
        Listener,
        "exception_reports",
        Kind::Boolean,
        Value("false"),
        NewSessions,
        "Answer a protocol error by EXCEPTION REPORT instead of ABORT where the exceptions unit allows it.\n\
         The standard's exact condition is not verified.",
    ),
    key(
        Listener,
        "connect_user_data_octets_max",
        size(512, 1 << 30),
        Value("\"1MiB\""),
        NewSessions,
        "Octets of user data of S-CONNECT that are taken and, by a relay, sent on. Beyond 10240 they come in\n\
         CONNECT DATA OVERFLOW SPDUs and are held whole until the last one. More is refused.",
    ),
    key(
        Listener,
        "tsdu_maximum_size",
        Kind::Integer { min: 64, max: 65535, or_zero: true },
        Value("0"),
        NewSessions,
        "TSDU Maximum Size in octets that is agreed to at most, for each direction: SSDUs are segmented to\n\
         it. 0: what the peer proposes.",
    ),
    key(
        Listener,
        "transport_expedited",
        Kind::Boolean,
        Value("false"),
        NewSessions,
        "Confirm transport expedited data (RFC 1006) to peers that propose it. Needed for expedited_data;\n\
         such a connection announces resynchronizations by PREPARE and is not reused.",
    ),
    key(
        Listener,
        "transport_reuse",
        Kind::Boolean,
        Value("false"),
        NewSessions,
        "Keep the transport connection after release, refusal or abort where the peer does too, and wait\n\
         connect_timeout for the next CONNECT on it.",
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
        size(1024, 1 << 30),
        Value("\"1MiB\""),
        NewSessions,
        "Longest TSDU assembled; a peer that exceeds it is disconnected.",
    ),
    key(
        Listener,
        "sessions_max",
        integer(1, 1_000_000),
        Value("1000000"),
        Live,
        "Sessions of this listener on all shards together; more are refused with DR reason 1. There are never more\n\
         than the shards have room for: see sessions_max of [engine].",
    ),
    key(
        Listener,
        "connections_not_established_max",
        integer(1, 1_000_000),
        Value("1024"),
        Live,
        "Connections on all shards together whose S-CONNECT is not yet answered; more are refused with DR reason 1.",
    ),
    key(
        Listener,
        "connect_timeout",
        duration(ms(10), HOUR),
        Value("\"15s\""),
        NewSessions,
        "Time from accepting the connection to the CONNECT SPDU, and from there to its answer. For a\n\
         relay more than its target's, and better more than all tries of an upstream take.",
    ),
    key(
        Listener,
        "tim",
        duration(ms(10), HOUR),
        Value("\"5s\""),
        NewSessions,
        "Timer TIM: how long the peer has to disconnect after ABORT, REFUSE or DISCONNECT.",
    ),
    key(
        Listener,
        "tls",
        Kind::Name,
        Absent("\"iec62351\""),
        Restart,
        "Name of a [[tls]] table: every connection begins with a TLS handshake. 3782 is the port by convention;\n\
         plain and TLS are never told apart by looking. Absent: plain.",
    ),
    key(
        Listener,
        "proxy_protocol",
        Kind::Choice(&["off", "required"]),
        Value("\"off\""),
        Restart,
        "required: each connection begins with a PROXY protocol header, version 2, before TLS, and the address in\n\
         it counts as the source. Anything else is closed. off: the peer is the source.",
    ),
    key(
        Listener,
        "proxy_sources",
        Kind::Networks,
        Absent("[\"10.0.0.0/24\"]"),
        NewSessions,
        "Networks from which a PROXY header is believed; others are closed. Absent: any.",
    ),
    key(
        Listener,
        "allow",
        Kind::Networks,
        Absent("[\"10.0.0.0/8\", \"2001:db8::/32\"]"),
        NewSessions,
        "Source networks that are let in; others are refused with DR reason 3. Absent: all.",
    ),
    key(
        Listener,
        "deny",
        Kind::Networks,
        Absent("[\"10.1.2.3/32\"]"),
        NewSessions,
        "Source networks that are kept out, although allow has them.",
    ),
    key(
        Listener,
        "connects_per_second_max",
        Kind::Integer { min: 1, max: 1_000_000, or_zero: true },
        Value("0"),
        Live,
        "Connections accepted in a second on all shards together, with a burst of one second; more are refused\n\
         with DR reason 1. 0: no limit.",
    ),
    key(
        Listener,
        "octets_per_second_max",
        size_or_zero(1024, 1 << 40),
        Value("0"),
        Live,
        "User data that all sessions of the listener may send in a second, on all shards together; a session\n\
         beyond it is not read from until it fits. 0: no limit.",
    ),
    key(
        Listener,
        "idle_timeout",
        duration_or_zero(ms(100), DAY),
        Value("\"0s\""),
        NewSessions,
        "Time without user data or another primitive in either direction after which a session is ended as\n\
         idle_action says. A route may say otherwise. 0s: never.",
    ),
    key(
        Listener,
        "idle_action",
        Kind::Choice(&["release", "abort"]),
        Value("\"release\""),
        NewSessions,
        "release: orderly, with FINISH to the peer, and abort when it cannot be had within release_timeout.\n\
         abort: with ABORT.",
    ),
    key(
        Listener,
        "release_timeout",
        duration(ms(10), HOUR),
        Value("\"10s\""),
        Live,
        "Time a peer has to answer a FINISH of the gateway; then it is aborted.",
    ),
    key(
        Listener,
        "transport_timeout",
        duration(ms(10), HOUR),
        Value("\"10s\""),
        NewSessions,
        "Time from accepting the connection to the end of the TLS handshake and the CR TPDU.",
    ),
    key(
        Listener,
        "keepalive",
        duration_or_zero(SECOND, DAY),
        Value("\"60s\""),
        Restart,
        "Idle time after which TCP probes the peer. 0s: never.",
    ),
    key(
        Listener,
        "user_timeout",
        duration_or_zero(SECOND, DAY),
        Value("\"0s\""),
        Restart,
        "Time that sent octets may stay unacknowledged by TCP. 0s: what the system says.",
    ),
];

//! The event loops.

use std::time::Duration;

use super::super::keys::Absence::{Absent, Value};
use super::super::keys::Reload::{Live, Restart};
use super::super::keys::Section::Engine;
use super::super::keys::{HOUR, Key, Kind, MINUTE, SECOND, duration, integer, key, ms, size};

pub(super) const ENGINE: &[Key] = &[
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
        "Sessions of one shard. A relayed session counts twice: once on each side. Each takes a descriptor, with\n\
         io_uring one of its shard's ring, which may have as many as the process may have open files.",
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
        size(4096, 1 << 30),
        Value("\"256KiB\""),
        Restart,
        "Octets of the pool that one session may keep while it assembles a TSDU or an SSDU. What is\n\
         beyond is copied out.",
    ),
    key(
        Engine,
        "ssdu_octets_max",
        size(1024, 1 << 30),
        Value("\"1MiB\""),
        Live,
        "Octets of an SSDU that is joined from segments (because one side segments and the other does\n\
         not) or kept until a token comes. A session that exceeds it is aborted.",
    ),
    key(
        Engine,
        "send_high_mark_octets",
        size(4096, 1 << 30),
        Value("\"256KiB\""),
        Live,
        "Octets queued towards one peer from which the feeding session is paused.",
    ),
    key(
        Engine,
        "send_low_mark_octets",
        size(1, 1 << 30),
        Value("\"64KiB\""),
        Live,
        "Octets queued below which it is resumed. Less than send_high_mark_octets.",
    ),
    key(
        Engine,
        "send_timeout",
        duration(ms(10), HOUR),
        Value("\"60s\""),
        Restart,
        "Time that the network has to take what was sent to a peer. A peer that does not read for so\n\
         long is disconnected.",
    ),
    key(
        Engine,
        "send_batch_octets_max",
        size(1, 1 << 20),
        Value("\"120KiB\""),
        Restart,
        "Octets after which a batch is closed and the next begun: TSDUs of one session that are ready at the\n\
         same time go out in one system call up to here. 1 sends every TSDU by itself.",
    ),
    key(
        Engine,
        "completions_per_turn_max",
        integer(1, 1 << 20),
        Value("4096"),
        Restart,
        "Completions handled before anything is sent and timers are looked at; the rest waits for the next\n\
         turn. Less answers sooner under a burst, more batches better.",
    ),
    key(
        Engine,
        "session_tsdus_per_turn_max",
        integer(1, 1 << 20),
        Value("256"),
        Restart,
        "TSDUs of one session handled in one turn, so that no session starves the others.",
    ),
    key(
        Engine,
        "buffer_scheme",
        Kind::Choice(&["incremental", "bundle", "plain"]),
        Value("\"incremental\""),
        Restart,
        "How receives use up the pool (io_uring). incremental fills a block by receive after receive (Linux\n\
         6.12); bundle cuts the pool into blocks of 4 KiB and takes as many as a receive needs (Linux 6.10);\n\
         plain cuts it into blocks of 8 KiB and takes one for each receive, as it does where the kernel lacks\n\
         the other two, which is logged.",
    ),
    key(
        Engine,
        "receive_octets_max",
        size(2048, 1 << 20),
        Value("\"32KiB\""),
        Restart,
        "Octets of one receipt at most (io_uring). Less is fairer, more means fewer completions.",
    ),
    key(
        Engine,
        "submission_entries",
        Kind::PowerOfTwo { min: 8, max: 32768 },
        Value("1024"),
        Restart,
        "Entries that one system call can submit (io_uring). More need further calls.",
    ),
    key(
        Engine,
        "completion_entries",
        Kind::PowerOfTwo { min: 16, max: 65536 },
        Value("8192"),
        Restart,
        "Completions that fit the queue (io_uring): the worst burst, about 33 for each busy connection. What\n\
         is beyond is kept by the kernel, and receives must be armed again. At least submission_entries.",
    ),
    key(
        Engine,
        "submission_polling",
        Kind::Boolean,
        Value("false"),
        Restart,
        "A thread of the kernel submits instead of system calls (io_uring, SQPOLL). It takes a core for itself\n\
         while there is traffic and costs more processor time in all.",
    ),
    key(
        Engine,
        "submission_polling_idle",
        duration(ms(1), MINUTE),
        Value("\"10ms\""),
        Restart,
        "Time without work after which that thread sleeps.",
    ),
    key(
        Engine,
        "submission_polling_core",
        integer(0, 4095),
        Absent("1"),
        Restart,
        "Core that thread is bound to, that of every shard alike. Absent: any.",
    ),
    key(
        Engine,
        "busy_poll",
        duration(Duration::ZERO, SECOND),
        Value("\"0s\""),
        Restart,
        "Time that a shard looks for completions before it sleeps: it saves the wake-up, of some 10 us, and\n\
         takes the core meanwhile. Useless where load and shard share a core. 0: it sleeps at once.",
    ),
    key(
        Engine,
        "zero_copy_send_octets_min",
        size(0, 1 << 30),
        Value("0"),
        Restart,
        "Octets from which a send leaves the copy into the kernel out (io_uring, Linux 6.1). It pins what it\n\
         sends until the peer has acknowledged it. For network cards that can, from some 10 KiB on; loopback\n\
         copies all the same, at a higher price. 0: every send is copied.",
    ),
    key(
        Engine,
        "tls_handshake_threads",
        integer(1, 64),
        Value("1"),
        Restart,
        "Threads that do the arithmetic of TLS handshakes, so that no shard does.",
    ),
];

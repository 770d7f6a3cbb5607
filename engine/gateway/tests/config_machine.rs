//! What a machine says against a configuration: ports, open files, memory. On machines made up for the test.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use colloquy_gateway::config::{System, load_str};

/// A machine that has enough of everything and grants it.
const AMPLE: System = System {
    cores: 2,
    open_files_max: None,
    memory_octets: Some(64 << 30),
    memory_is_limited: false,
    unprivileged_port_start: 1024,
    binds_privileged: true,
};

/// What is warned of: key, line, text.
fn warned(text: &str, system: System) -> Vec<(String, usize, String)> {
    let found = load_str("x.toml", text).unwrap_or_else(|faults| panic!("{faults}")).inspect(&system);
    assert!(found.is_good(), "{found}");
    found.warnings().map(|warning| (warning.key.clone(), warning.line(), warning.line_text())).collect()
}

fn config(engine: &str, ports: [u16; 2]) -> String {
    format!(
        "schema_version = 1\n[engine]\n{engine}\n[[listener]]\nname = \"e\"\naddress = \"127.0.0.1:{}\"\n\
         application = \"echo\"\n[admin]\naddress = \"127.0.0.1:{}\"\n",
        ports[0], ports[1]
    )
}

#[test]
fn ports_that_need_a_capability_are_warned_of_where_it_is_not_there() {
    let text = config("shards = 1", [102, 80]);
    assert_eq!(warned(&text, AMPLE), []);
    let plain = System { binds_privileged: false, ..AMPLE };
    let found = warned(&text, plain);
    let keys: Vec<_> = found.iter().map(|(key, line, _)| (key.as_str(), *line)).collect();
    assert_eq!(keys, [("listener[0].address", 6), ("admin.address", 9)]);
    for part in ["CLQ-C11", "port 102", "CAP_NET_BIND_SERVICE", "a port from 1024", "AmbientCapabilities"] {
        assert!(found[0].2.contains(part), "{part}: {}", found[0].2);
    }
    assert_eq!(warned(&config("shards = 1", [1024, 0]), plain), []);
    assert_eq!(warned(&text, System { unprivileged_port_start: 80, ..plain }), []);
}

#[test]
fn open_files_count_for_all_shards_on_mio_and_for_each_ring_on_io_uring() {
    let of = |engine: &str, limit| {
        warned(&config(engine, [10102, 0]), System { open_files_max: Some(limit), ..AMPLE })
    };
    // 2 times 6000 connections, and 256 other files.
    let engine = "driver = \"mio\"\nshards = 2\nsessions_max = 6000";
    assert_eq!(of(engine, 12_256), []);
    let found = of(engine, 12_255);
    assert_eq!((found.len(), found[0].0.as_str(), found[0].1), (1, "engine.sessions_max", 5), "{found:?}");
    for part in ["12000 connections of 2 shards", "12255", "at most 5999", "LimitNOFILE=", "12256"] {
        assert!(found[0].2.contains(part), "{part}: {}", found[0].2);
    }
    let engine = engine.replace("mio", "io_uring");
    assert_eq!(of(&engine, 6256), []);
    assert!(of(&engine, 6255)[0].2.contains("6000 connections of each shard"));
    // Without a number of shards there are as many as cores.
    assert_eq!(of("driver = \"mio\"\nsessions_max = 100", 456), []);
    assert_eq!(of("driver = \"mio\"\nsessions_max = 100", 455).len(), 1);
}

#[test]
fn a_listener_for_more_sessions_than_the_shards_have_room_for_is_warned_of() {
    let of = |application: &str, sessions: usize, open_files_max| {
        let text = format!(
            "schema_version = 1\n[engine]\ndriver = \"io_uring\"\nshards = 2\nsessions_max = 6000\n[[listener]]\nname = \"l\"\n\
             address = \"127.0.0.1:10102\"\n{application}\nsessions_max = {sessions}\n[[target]]\nname = \"t\"\n\
             address = \"127.0.0.1:1\"\n"
        );
        let found = warned(&text, System { open_files_max, ..AMPLE }).into_iter();
        found
            .filter(|(key, ..)| key == "listener[0].sessions_max")
            .map(|(_, _, text)| text)
            .collect::<Vec<_>>()
    };
    let (relay, echo) = ("application = \"relay\"\ntarget = \"t\"", "application = \"echo\"");
    assert!(of(echo, 12_000, None).is_empty() && of(relay, 6000, None).is_empty());
    for (application, sessions, room) in [(echo, 12_001, "at most 12000"), (relay, 6001, "at most 6000")] {
        let found = of(application, sessions, None);
        assert!(found.len() == 1 && found[0].contains(room), "{found:?}");
        assert!(
            found[0].contains("12000 connections that 2 shards") && found[0].contains("[engine]"),
            "{found:?}"
        );
    }
    // Each ring may have as many as the process may have open files, but for 256 others.
    let found = of(relay, 6000, Some(4256));
    assert!(
        found.len() == 1 && found[0].contains("at most 4000") && found[0].contains("open files"),
        "{found:?}"
    );
}

#[test]
fn memory_that_is_always_held_and_queues_that_nothing_limits_are_warned_of() {
    let engine = "shards = 2\nsessions_max = 1000\nreceive_blocks = 64";
    let system =
        |octets, memory_is_limited| System { memory_octets: Some(octets), memory_is_limited, ..AMPLE };
    // Two pools of 4 MiB.
    assert_eq!(warned(&config(engine, [10102, 0]), system(16 << 20, false)), []);
    let found = warned(&config(engine, [10102, 0]), system(8 << 20, false));
    assert!(found.len() == 1 && found[0].2.contains("of memory each"), "{found:?}");
    let found = warned(&config(engine, [10102, 0]), system(64 << 20, true));
    assert_eq!((found.len(), found[0].0.as_str()), (1, "limits.shard_memory_octets_max"), "{found:?}");
    assert!(found[0].2.contains("for example shard_memory_octets_max = \"16MiB\""), "{found:?}");
    let limited = format!("{}[limits]\nshard_memory_octets_max = \"16MiB\"\n", config(engine, [10102, 0]));
    assert_eq!(warned(&limited, system(64 << 20, true)), []);
}

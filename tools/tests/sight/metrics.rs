//! `/metrics` and `/status.json` agree with what the clients did, keep the naming rules, and stay few.

use std::net::SocketAddr;

use crate::gateway::Gateway;
use crate::openmetrics::{Family, value};
use crate::peer::Peer;
use crate::process::free_address;
use crate::skip::io_uring_allowed;

/// Series that a gateway may have at 16 shards.
const SERIES_MAX: usize = 2000;
/// Octets of the user data of CN in these tests.
const SIZES: [usize; 4] = [1, 300, 2000, 20_000];
const DIRECT: usize = 3;
const RELAYED: usize = 2;

#[test]
fn totals_are_what_the_clients_did_on_io_uring() {
    if io_uring_allowed("totals of metrics") {
        totals("io_uring");
    }
}

#[test]
fn totals_are_what_the_clients_did_on_mio() {
    totals("mio");
}

/// Sessions to the echo and through the relay, one that is reset, one that is aborted.
fn totals(driver: &str) {
    let (gateway, echo, relay) = Gateway::echo_and_relay(driver, 2);
    let mut peers: Vec<Peer> = (0..DIRECT + RELAYED)
        .map(|number| Peer::session(if number < DIRECT { echo } else { relay }))
        .collect();
    let (open, relayed) = ((DIRECT + 3 * RELAYED) as f64, RELAYED as f64);
    // A shard tells its numbers at the end of a turn, after its answers are on their way.
    gateway.wait_for("the sessions", |status| status["sessions"]["established"].as_f64() == Some(open));
    let sessions = |labels| gateway.metric("colloquy_sessions", labels);
    assert_eq!(sessions(&[("state", "established"), ("role", "any")]), open);
    assert_eq!(sessions(&[("state", "all"), ("role", "initiator")]), relayed);
    assert_eq!(sessions(&[("state", "all"), ("role", "responder")]), open - relayed);
    for peer in &mut peers {
        for size in SIZES {
            peer.echo(&vec![7; size]);
        }
    }
    for peer in peers {
        peer.release();
    }
    Peer::session(echo).reset();
    let mut aborting = Peer::session(echo);
    // AB with the transport disconnect bit and the user's.
    aborting.send(&crate::octets::data(&[0x19, 0x03, 0x11, 0x01, 0x03]));
    drop(aborting);
    gateway.wait_until_idle();

    let metrics = gateway.metrics();
    let of = |name: &str, labels: &[(&str, &str)]| {
        value(&metrics, name, labels).unwrap_or_else(|| panic!("no {name} {labels:?}"))
    };
    let (direct, relays) = (DIRECT as f64, RELAYED as f64);
    // An echo's side for each; a relay has three: its downstream, its upstream, the echo's.
    let released = direct + 3.0 * relays;
    assert_eq!(of("colloquy_sessions_opened_total", &[]), released + 2.0);
    let closed = |reason| of("colloquy_sessions_closed_total", &[("reason", reason)]);
    assert_eq!((closed("released"), closed("aborted_by_peer")), (released, 1.0));
    assert_eq!(closed("network") + closed("eof"), 1.0, "the one that was reset");
    let octets: usize = SIZES.iter().sum();
    for direction in ["in", "out"] {
        let labels = [("spdu", "DT"), ("direction", direction)];
        let units = (SIZES.len() as f64) * (direct + 3.0 * relays);
        assert_eq!(of("colloquy_spdus_total", &labels), units, "{direction}");
        // Through a relay an SSDU is received three times: by the relay, by the echo, by the relay again.
        assert_eq!(
            of("colloquy_user_data_bytes_total", &[("direction", direction)]),
            octets as f64 * (direct + 3.0 * relays)
        );
    }
    let durations = |stage| of("colloquy_connect_duration_seconds_count", &[("stage", stage)]);
    assert_eq!(durations("transport"), direct + 2.0 * relays + 2.0);
    assert_eq!(durations("session"), direct + 2.0 * relays + 2.0);
    assert_eq!(durations("upstream"), relays);
    assert_eq!(of("colloquy_release_duration_seconds_count", &[]), released);
    let status = gateway.status();
    assert_eq!(status["backend"], driver);
    assert_eq!(status["totals"]["opened"].as_f64(), Some(released + 2.0), "{status}");
    assert_eq!(status["totals"]["ssdus_in"].as_f64(), Some(SIZES.len() as f64 * released), "{status}");
    assert_eq!(status["totals"]["closed"], status["totals"]["opened"], "{status}");
    let in_total = of("colloquy_network_bytes_total", &[("direction", "in")]);
    assert_eq!(status["totals"]["octets_in"].as_f64(), Some(in_total), "{status}");
    assert_eq!(
        of("colloquy_target_connects_total", &[("target", "server"), ("outcome", "accepted")]),
        relays
    );
    assert_eq!(of("colloquy_target_sessions", &[("target", "server")]), 0.0);
    for (listener, established) in [("echo", direct + relays + 2.0), ("relay", relays)] {
        let labels = [("listener", listener)];
        assert_eq!(of("colloquy_listener_sessions_established_total", &labels), established, "{listener}");
        assert_eq!(of("colloquy_listener_sessions", &labels), 0.0, "{listener}");
    }
    assert_eq!(status["targets"][0]["connects"][0]["count"].as_f64(), Some(relays), "{status}");
    configuration_is_told(&gateway, relay);
    gateway.finish();
}

fn configuration_is_told(gateway: &Gateway, relay: SocketAddr) {
    assert_eq!(gateway.get("/startupz").status, 200);
    let configuration: serde_json::Value =
        serde_json::from_str(&gateway.get("/config.json").body).expect("the configuration is JSON");
    let settings = configuration["settings"].as_array().expect("settings");
    let address = settings.iter().find(|each| each["table"] == "listener[relay]" && each["key"] == "address");
    assert_eq!(address.expect("the relay's address")["value"], format!("\"{relay}\""), "{configuration}");
}

#[test]
fn names_keep_the_rules() {
    let (gateway, echo, _) = Gateway::echo_and_relay("mio", 1);
    Peer::session(echo).release();
    for family in gateway.metrics() {
        let name = &family.name;
        assert!(name.starts_with("colloquy_") || name.starts_with("process_"), "{name}: prefix");
        assert!(family.help.as_ref().is_some_and(|help| help.len() > 5), "{name}: help");
        let words: Vec<&str> = name.split('_').collect();
        for unit in ["ms", "us", "ns", "milliseconds", "minutes", "kb", "kib", "mb", "octets", "percent"] {
            assert!(!words.contains(&unit), "{name}: base units only");
        }
        for suffix in ["_total", "_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(suffix), "{name}: that suffix is for samples");
        }
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}: words in lower case");
        if family.kind == "histogram" {
            assert!(name.ends_with("_seconds") || name.ends_with("_bytes"), "{name}: a unit");
        }
    }
    gateway.finish();
}

#[test]
fn few_series_at_16_shards_50_targets_and_20_listeners() {
    let mut tables = String::new();
    for number in 0..20 {
        let address = free_address();
        tables += &format!(
            "[[listener]]\nname = \"listener-{number}\"\naddress = \"{address}\"\napplication = \"relay\"\n\
             target = \"target-{number}\"\n"
        );
    }
    for number in 0..50 {
        let address = free_address();
        tables += &format!("[[target]]\nname = \"target-{number}\"\naddress = \"{address}\"\n");
    }
    let engine = "driver = \"mio\"\nshards = 16\nsessions_max = 64\nreceive_blocks = 16\n";
    let gateway = Gateway::start(engine, &tables);
    let series: usize = gateway.metrics().iter().map(|family: &Family| family.samples.len()).sum();
    assert!(series <= SERIES_MAX, "{series} series");
    assert!(series > 200, "only {series} series");
    let status = gateway.status();
    let count = |name: &str| status[name].as_array().map_or(0, Vec::len);
    assert_eq!((count("shards"), count("listeners"), count("targets")), (16, 20, 50));
    gateway.finish();
}

//! Routes, groups, retries, ejection, health checks and policies of the real binary, over real sockets, on io_uring
//! and on mio.

mod gateway;
#[path = "../hostile/log.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod log;
#[path = "../hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod octets;
#[path = "../hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod peer;
#[path = "../interop/peers.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod peers;
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
mod responder;
#[path = "../interop/skip.rs"]
mod skip;
mod targets;

use std::time::{Duration, Instant};

use gateway::{Answer, Call, Gateway, wait_until};
use process::free_address;
use responder::{Manners, Responder};

/// One module of tests for each driver, so that the name of a failed test says on which one.
macro_rules! on_each_driver {
    ($($(#[$doc:meta])* fn $name:ident($driver:ident) $body:block)*) => {
        $($(#[$doc])* fn $name($driver: &str) $body)*
        mod on_io_uring {
            $(#[test] fn $name() { if crate::skip::io_uring_allowed("routing") { super::$name("io_uring") } })*
        }
        mod on_mio {
            $(#[test] fn $name() { super::$name("mio") })*
        }
    };
}

fn target(name: &str, address: std::net::SocketAddr, keys: &str) -> String {
    format!("[[target]]\nname = \"{name}\"\naddress = \"{address}\"\n{keys}\n")
}

/// A group of these, with one listener `in` that balances over it.
fn group(driver: &str, shards: usize, upstream: &str, targets: &[String]) -> Gateway {
    let names: Vec<String> = (0..targets.len()).map(|index| format!("\"t{index}\"")).collect();
    let upstream = format!("[[upstream]]\nname = \"u\"\ntargets = [{}]\n{upstream}\n", names.join(", "));
    Gateway::start(driver, shards, &[("in", "upstream = \"u\"")], &(upstream + &targets.concat()))
}

fn accepting(count: usize) -> Vec<Responder> {
    (0..count).map(|_| Responder::listen(None, Manners::Accept)).collect()
}

fn counts(responders: &[Responder]) -> Vec<usize> {
    responders.iter().map(Responder::sessions).collect()
}

on_each_driver! {
    fn each_key_of_a_route_decides(driver) {
        let targets = accepting(7);
        let keys = [
            "called_tsaps = [\"ascii:T1\"]",
            "calling_tsaps = [\"ascii:t1\"]",
            "called_ssaps = [\"ascii:S1\"]",
            "calling_ssaps = [\"ascii:s1\"]",
            "functional_units = [\"negotiated_release\"]",
            "listeners = [\"second\"]\nsources = [\"127.0.0.0/8\"]",
        ];
        let mut text = String::new();
        for (index, (keys, responder)) in keys.iter().zip(&targets).enumerate() {
            text += &format!("[[route]]\nname = \"r{index}\"\ntarget = \"t{index}\"\n{keys}\n");
            text += &target(&format!("t{index}"), responder.address(), "profile = \"transparent\"");
        }
        text += "[[route]]\nname = \"elsewhere\"\ntarget = \"t0\"\nsources = [\"192.0.2.0/24\"]\n";
        text += "[[route]]\nname = \"refused\"\nrefuse = 131\ncalled_ssaps = [\"ascii:S9\"]\n";
        let gateway = Gateway::start(driver, 2, &[("first", ""), ("second", "")], &text);
        let calls = [
            Call { called_tsap: b"T1", ..Call::default() },
            Call { calling_tsap: b"t1", ..Call::default() },
            Call { called_ssap: b"S1", ..Call::default() },
            Call { calling_ssap: b"s1", ..Call::default() },
            // Half duplex and negotiated release.
            Call { units: 0x0083, ..Call::default() },
        ];
        for (index, call) in calls.iter().enumerate() {
            call.to(gateway.address("first")).accepted().release();
            wait_until("the session", || targets[index].sessions() == 1);
        }
        Call::default().to(gateway.address("second")).accepted().release();
        wait_until("the session by listener and source", || targets[5].sessions() == 1);
        assert_eq!(counts(&targets), [1, 1, 1, 1, 1, 1, 0]);
        // The nearest miss is the route that wants negotiated release.
        assert_eq!(Call::default().to(gateway.address("first")).reason(), Some(134));
        let refused = Call { called_ssap: b"S9", ..Call::default() };
        assert_eq!(refused.to(gateway.address("first")).reason(), Some(131));
        for index in 0..6 {
            let series = format!("colloquy_route_selections_total{{route=\"r{index}\"}}");
            assert_eq!(gateway.metric(&series), Some(1.0), "{}", gateway.metrics());
        }
        gateway.finish();
    }

    fn what_fits_nothing_gets_the_reason(driver) {
        let responder = Responder::listen(None, Manners::Accept);
        let text = "[[route]]\nname = \"r\"\ntarget = \"t\"\ncalled_tsaps = [\"ascii:T\"]\n\
                    called_ssaps = [\"ascii:S\"]\ncalling_ssaps = [\"ascii:s\"]\nfunctional_units = [\"half_duplex\"]\n";
        let text = format!("{text}{}", target("t", responder.address(), "profile = \"full\""));
        let gateway = Gateway::start(driver, 1, &[("in", "")], &text);
        let to = gateway.address("in");
        let other_tsap = Call { called_tsap: b"X", ..Call::default() };
        assert!(matches!(other_tsap.to(to), Answer::TransportRefused(3)));
        assert_eq!(Call { called_ssap: b"X", ..Call::default() }.to(to).reason(), Some(129));
        assert_eq!(Call { calling_ssap: b"X", ..Call::default() }.to(to).reason(), Some(130));
        assert_eq!(Call::default().to(to).reason(), Some(134));
        Call { units: 3, ..Call::default() }.to(to).accepted().release();
        gateway.log.wait_for("no route", |record| record["event_id"] == "CLQ-R05" && record["code"] == 129);
        gateway.finish();
    }

    fn round_robin_takes_turns_by_weight(driver) {
        let responders = accepting(3);
        let targets: Vec<String> = (0..3)
            .map(|index| {
                let weight = if index == 0 { 3 } else { 1 };
                target(&format!("t{index}"), responders[index].address(), &format!("weight = {weight}"))
            })
            .collect();
        let gateway = group(driver, 1, "", &targets);
        for _ in 0..20 {
            Call::default().to(gateway.address("in")).accepted().release();
        }
        assert_eq!(counts(&responders), [12, 4, 4]);
        let series = "colloquy_target_connects_total{target=\"t0\",outcome=\"accepted\"}";
        assert_eq!(gateway.metric(series), Some(12.0), "{}", gateway.metrics());
        gateway.finish();
    }

    fn least_sessions_fills_up_what_is_empty(driver) {
        let responders = accepting(2);
        let targets: Vec<String> =
            (0..2).map(|index| target(&format!("t{index}"), responders[index].address(), "")).collect();
        let gateway = group(driver, 1, "balance = \"least_sessions\"", &targets);
        let mut held: Vec<(usize, peer::Peer)> = Vec::new();
        let call = |held: &mut Vec<(usize, peer::Peer)>| {
            let before = counts(&responders);
            let peer = Call::default().to(gateway.address("in")).accepted();
            let home = usize::from(responders[1].sessions() > before[1]);
            held.push((home, peer));
        };
        for _ in 0..8 {
            call(&mut held);
        }
        assert_eq!(counts(&responders), [4, 4]);
        let sessions = |target: &str| gateway.metric(&format!("colloquy_target_sessions{{target=\"{target}\"}}"));
        // The sessions of one target end: it gets the next four.
        let (first, mut held): (Vec<_>, Vec<_>) = held.into_iter().partition(|(home, _)| *home == 0);
        first.into_iter().for_each(|(_, peer)| peer.release());
        wait_until("the sessions of one target end", || sessions("t0") == Some(0.0));
        for _ in 0..4 {
            call(&mut held);
        }
        assert_eq!(counts(&responders), [8, 4]);
        assert_eq!((sessions("t0"), sessions("t1")), (Some(4.0), Some(4.0)));
        for (_, peer) in held {
            peer.release();
        }
        wait_until("all sessions end", || {
            gateway.metric("colloquy_target_sessions{target=\"t0\"}") == Some(0.0)
                && gateway.metric("colloquy_target_sessions{target=\"t1\"}") == Some(0.0)
        });
        gateway.finish();
    }

    fn a_hash_keeps_equal_callers_together_on_every_shard_and_in_every_process(driver) {
        let responders = accepting(3);
        let mut seen = Vec::new();
        for shards in [1, 2] {
            let targets: Vec<String> = (0..3)
                .map(|index| target(&format!("t{index}"), responders[index].address(), ""))
                .collect();
            let gateway = group(driver, shards, "balance = \"hash\"\nhash_on = \"calling_ssap\"", &targets);
            let homes: Vec<usize> = (0..12_u8)
                .map(|caller| {
                    let mut home = None;
                    for _ in 0..3 {
                        let before = counts(&responders);
                        let calling_ssap = [caller];
                        let call = Call { calling_ssap: &calling_ssap, ..Call::default() };
                        call.to(gateway.address("in")).accepted().release();
                        let after = counts(&responders);
                        let taken = (0..3).find(|index| after[*index] > before[*index]).expect("one took it");
                        assert!(home.is_none_or(|home| home == taken), "caller {caller} moved");
                        home = Some(taken);
                    }
                    home.expect("three calls")
                })
                .collect();
            seen.push(homes);
            gateway.finish();
        }
        assert_eq!(seen[0], seen[1]);
        assert!((0..3).all(|target| seen[0].contains(&target)), "{seen:?}");
    }

    fn the_second_target_takes_what_the_first_does_not(driver) {
        let cases = [
            (None, "unreachable"),
            (Some(Manners::Refuse(130)), "unavailable"),
            (Some(Manners::Refuse(131)), "unavailable"),
            (Some(Manners::RefuseTransport), "transport_refused"),
            (Some(Manners::Silent), "timeout"),
            (Some(Manners::Mute), "timeout"),
            (Some(Manners::Refuse(133)), "unavailable"),
            (Some(Manners::Garbage), "provider_aborted"),
            (Some(Manners::HalfClose), "lost"),
        ];
        for (manners, outcome) in cases {
            let first = manners.map(|manners| Responder::listen(None, manners));
            let address = first.as_ref().map_or_else(free_address, Responder::address);
            let second = Responder::listen(None, Manners::Accept);
            let targets = [
                target("t0", address, "connect_timeout = \"300ms\""),
                target("t1", second.address(), ""),
            ];
            let gateway = group(driver, 1, "retry_backoff = \"20ms\"", &targets);
            let mut peer = Call::default().to(gateway.address("in")).accepted();
            peer.echo(b"through the second");
            peer.release();
            assert_eq!(second.sessions(), 1);
            // What was asked for is what the caller asked for, user data and all.
            assert!(second.connects()[0].ends_with(&[0xc1, 3, 0xa1, 0xa2, 0xa3]));
            let series = format!("colloquy_target_connects_total{{target=\"t0\",outcome=\"{outcome}\"}}");
            assert_eq!(gateway.metric(&series), Some(1.0), "{outcome}: {}", gateway.metrics());
            assert_eq!(gateway.metric("colloquy_target_retries_total{target=\"t0\"}"), Some(1.0));
            gateway.finish();
        }
    }

    fn a_definite_refusal_is_passed_on(driver) {
        for reason in [1, 129, 134] {
            let first = Responder::listen(None, Manners::Refuse(reason));
            let second = Responder::listen(None, Manners::Accept);
            let targets = [target("t0", first.address(), ""), target("t1", second.address(), "")];
            let gateway = group(driver, 1, "", &targets);
            assert_eq!(Call::default().to(gateway.address("in")).reason(), Some(reason));
            assert_eq!(second.connections(), 0);
            gateway.finish();
        }
    }

    fn when_all_fail_the_caller_is_told_in_time(driver) {
        let targets = [
            target("t0", free_address(), ""),
            target("t1", free_address(), ""),
        ];
        let keys = "upstream = \"u\"\nconnect_timeout = \"6s\"";
        let upstream = "[[upstream]]\nname = \"u\"\ntargets = [\"t0\", \"t1\"]\nretries_max = 3\n";
        let gateway = Gateway::start(driver, 1, &[("in", keys)], &(upstream.to_owned() + &targets.concat()));
        let began = Instant::now();
        assert_eq!(Call::default().to(gateway.address("in")).reason(), Some(130));
        assert!(began.elapsed() < Duration::from_secs(6));
        let retries = |target: &str| {
            gateway.metric(&format!("colloquy_target_retries_total{{target=\"{target}\"}}")).unwrap_or_default()
        };
        assert!((retries("t0") + retries("t1") - 3.0).abs() < 0.1, "{}", gateway.metrics());
        gateway.finish();
    }

    fn a_target_that_fails_is_ejected_and_returns(driver) {
        targets::ejection(driver);
    }

    fn each_level_of_health_check_asks_for_more(driver) {
        targets::health_levels(driver);
    }

    fn a_target_that_dies_is_found_down_and_then_up(driver) {
        targets::down_and_up(driver);
    }

    fn warm_connections_are_there_before_the_session(driver) {
        targets::warm(driver);
    }

    fn states_and_policies_of_the_file_are_kept(driver) {
        targets::states(driver);
    }

    fn maintenance_ends_sessions_at_the_pace_and_an_operator_can_take_it_back(driver) {
        targets::maintenance(driver);
    }

    fn maintenance_aborts_sessions_where_the_drain_does(driver) {
        targets::maintenance_aborts(driver);
    }

    fn nothing_is_left_of_a_caller_that_gives_up(driver) {
        targets::given_up(driver);
    }

    fn real_peers_are_content_with_their_profiles(driver) {
        if peers::installed() {
            targets::interop(driver);
        }
    }
}

//! What becomes of single targets: ejection, health checks, policies, profiles.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::gateway::{Call, Gateway, wait_until};
use crate::octets::{CN, DN, data, hex};
use crate::peer::Peer;
use crate::process::{free_address, run};
use crate::responder::{Manners, Responder};
use crate::{accepting, group, peers, target};

/// Checked often, so that tests are short.
const OFTEN: &str =
    "health_interval = \"150ms\"\nhealth_timeout = \"100ms\"\nhealth_rise = 2\nhealth_fall = 2";

pub(crate) fn ejection(driver: &str) {
    let first = Responder::listen(None, Manners::Refuse(131));
    let second = Responder::listen(None, Manners::Accept);
    let targets = [
        target("t0", first.address(), "eject_failures = 3\neject_time = \"1s\""),
        target("t1", second.address(), ""),
    ];
    let gateway = group(driver, 1, "retry_backoff = \"1ms\"", &targets);
    let call = || Call::default().to(gateway.address("in")).accepted().release();
    while gateway.metric("colloquy_target_ejections_total{target=\"t0\"}") != Some(1.0) {
        call();
        assert!(first.connections() <= 3, "{}", gateway.metrics());
    }
    assert_eq!(first.connections(), 3);
    let ejected = |record: &serde_json::Value| record["event_id"] == "CLQ-R03" && record["target"] == "t0";
    let record = gateway.log.wait_for("ejected", ejected).remove(0);
    assert_eq!(record["eject_ms"], 1000);
    first.set(Manners::Accept);
    gateway.log.wait_for("restored", |record| record["event_id"] == "CLQ-R04" && record["target"] == "t0");
    for _ in 0..4 {
        call();
    }
    assert_eq!(first.sessions(), 2);
    gateway.finish();
}

/// A peer that only accepts, one that knows the transport only, one that refuses sessions, and a gateway that echoes.
pub(crate) fn health_levels(driver: &str) {
    let deaf = TcpListener::bind("127.0.0.1:0").expect("loopback binds");
    let transport = Responder::listen(None, Manners::Silent);
    let refusing = Responder::listen(None, Manners::Refuse(130));
    let echo_at = free_address();
    let echo = Gateway::start_echo(driver, echo_at);
    let peers = [
        ("deaf", deaf.local_addr().expect("bound"), [true, false, false]),
        ("transport", transport.address(), [true, true, false]),
        ("refusing", refusing.address(), [true, true, true]),
        ("echo", echo_at, [true, true, true]),
        ("nobody", free_address(), [false, false, false]),
    ];
    let mut text = String::new();
    for (name, address, _) in &peers {
        for level in ["tcp", "transport", "session"] {
            let keys = format!("health_check = \"{level}\"\n{OFTEN}");
            text += &target(&format!("{name}-{level}"), *address, &keys);
        }
    }
    let gateway = Gateway::start(driver, 2, &[("in", "target = \"echo-tcp\"")], &text);
    for (name, _, expected) in &peers {
        for (level, up) in ["tcp", "transport", "session"].iter().zip(expected) {
            let series = format!("colloquy_target_up{{target=\"{name}-{level}\"}}");
            let value = f64::from(u8::from(*up));
            let passed = format!(
                "colloquy_target_health_checks_total{{target=\"{name}-{level}\",outcome=\"{}\"}}",
                if *up { "passed" } else { "failed" }
            );
            wait_until(&format!("{series} {value}"), || {
                gateway.metric(&series) == Some(value)
                    && gateway.metric(&passed).is_some_and(|count| count >= 3.0)
            });
        }
    }
    // None of it is a session of users.
    assert_eq!(gateway.metric("colloquy_target_sessions{target=\"echo-session\"}"), Some(0.0));
    assert!(gateway.log.records().iter().all(|record| record["event_id"] != "CLQ-S01"));
    gateway.finish();
    drop(echo);
}

pub(crate) fn down_and_up(driver: &str) {
    let address = free_address();
    let first = Responder::listen(Some(address), Manners::Accept);
    let second = Responder::listen(None, Manners::Accept);
    let keys = format!("health_check = \"session\"\n{OFTEN}");
    let targets = [target("t0", address, &keys), target("t1", second.address(), "")];
    let gateway = group(driver, 2, "", &targets);
    let up = || gateway.metric("colloquy_target_up{target=\"t0\"}");
    wait_until("up", || up() == Some(1.0));
    first.set(Manners::Mute);
    gateway.log.wait_for("down", |record| record["event_id"] == "CLQ-R01" && record["target"] == "t0");
    let before = second.sessions();
    for _ in 0..4 {
        Call::default().to(gateway.address("in")).accepted().release();
    }
    assert_eq!(second.sessions(), before + 4, "the one that is down is passed over");
    first.set(Manners::Accept);
    gateway.log.wait_for("up", |record| record["event_id"] == "CLQ-R02" && record["target"] == "t0");
    wait_until("up again", || up() == Some(1.0));
    gateway.finish();
}

pub(crate) fn warm(driver: &str) {
    let responder = Responder::listen(None, Manners::Accept);
    let keys = "policy = \"on_startup\"\nwarm_connections = 3\ncalled_tsap = \"ascii:T1\"\ncalling_tsap = \"ascii:T2\"";
    let text = target("t", responder.address(), keys);
    let gateway = Gateway::start(driver, 1, &[("in", "target = \"t\"")], &text);
    wait_until("three warm connections", || responder.waiting() == 3);
    assert_eq!(gateway.metric("colloquy_target_warm_connections{target=\"t\"}"), Some(3.0));
    let mut peer = Call::default().to(gateway.address("in")).accepted();
    peer.echo(b"over a warm connection");
    // It was one of the three, and another was opened in its place.
    wait_until("the replacement", || (responder.connections(), responder.waiting()) == (4, 3));
    let requests = responder.requests();
    assert!(requests.iter().all(|cr| cr.windows(4).any(|part| part == b"\xc2\x02T1")), "{requests:02x?}");
    peer.release();
    gateway.finish();
    wait_until("a drain closes them", || responder.waiting() == 0);
}

pub(crate) fn states(driver: &str) {
    let responders = accepting(4);
    let keys = ["state = \"drain\"", "state = \"maint\"", "policy = \"incoming_only\"", "sessions_max = 1"];
    let targets: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(index, keys)| target(&format!("t{index}"), responders[index].address(), keys))
        .collect();
    let gateway = group(driver, 2, "", &targets);
    let held = Call::default().to(gateway.address("in")).accepted();
    assert_eq!(Call::default().to(gateway.address("in")).reason(), Some(131));
    held.release();
    wait_until("the place is free", || {
        gateway.metric("colloquy_target_sessions{target=\"t3\"}") == Some(0.0)
    });
    Call::default().to(gateway.address("in")).accepted().release();
    assert_eq!(responders.iter().map(Responder::connections).collect::<Vec<_>>(), [0, 0, 0, 2]);
    gateway.log.wait_for("no target", |record| record["event_id"] == "CLQ-R06" && record["code"] == 131);
    gateway.finish();
}

/// Ten sessions a second, in order, both legs; then the target takes new ones again.
pub(crate) fn maintenance(driver: &str) {
    let responders = accepting(2);
    let keys = format!("health_check = \"tcp\"\n{OFTEN}");
    let mut targets =
        vec![target("t0", responders[0].address(), &keys), target("t1", responders[1].address(), "")];
    targets[1] += "[drain]\nsessions_per_second = 10\njitter_percent = 0\n";
    let gateway = group(driver, 2, "balance = \"hash\"\nhash_on = \"calling_ssap\"", &targets);
    let mut held = Vec::new();
    for caller in 0..24_u8 {
        let before = responders[0].sessions();
        let peer = Call { calling_ssap: &[caller], ..Call::default() }.to(gateway.address("in")).accepted();
        held.push((caller, responders[0].sessions() > before, peer));
    }
    let (moved, mut stay): (Vec<_>, Vec<_>) = held.into_iter().partition(|(_, first, _)| *first);
    assert!(moved.len() >= 4 && stay.len() >= 4, "{} of the first target", moved.len());
    gateway.targets(&["maint", "t0"]);
    let began = Instant::now();
    let callers: Vec<u8> = moved.iter().map(|(caller, _, _)| *caller).collect();
    let paced = Duration::from_millis(100) * (u32::try_from(moved.len()).expect("few") - 1);
    for (_, _, mut peer) in moved {
        assert_eq!(peer.tsdu()[0], 0x09, "FINISH");
        peer.send(&data(&DN));
        peer.half_close();
        peer.receive_all();
    }
    let slack = Duration::from_millis(100);
    assert!(began.elapsed() + slack >= paced, "{:?} is faster than the pace", began.elapsed());
    wait_until("no session is left", || {
        gateway.metric("colloquy_target_sessions{target=\"t0\"}") == Some(0.0)
    });
    let checks = || gateway.metric("colloquy_target_health_checks_total{target=\"t0\",outcome=\"passed\"}");
    let before = checks();
    for (_, _, peer) in &mut stay {
        peer.echo(b"not concerned");
    }
    // Those who were there go to the other one now.
    let again =
        |caller: u8| Call { calling_ssap: &[caller], ..Call::default() }.to(gateway.address("in")).accepted();
    let taken = responders[0].sessions();
    again(callers[0]).release();
    assert_eq!((responders[0].sessions(), checks()), (taken, before));
    gateway.targets(&["ready", "t0"]);
    again(callers[0]).release();
    assert_eq!(responders[0].sessions(), taken + 1);
    for (_, _, peer) in stay {
        peer.release();
    }
    gateway.finish();
}

pub(crate) fn maintenance_aborts(driver: &str) {
    let responder = Responder::listen(None, Manners::Accept);
    let text = target("t", responder.address(), "") + "[drain]\naction = \"abort\"\n";
    let gateway = Gateway::start(driver, 2, &[("in", "target = \"t\"")], &text);
    let peers: Vec<Peer> = (0..3).map(|_| Call::default().to(gateway.address("in")).accepted()).collect();
    gateway.targets(&["maint", "t"]);
    for mut peer in peers {
        assert_eq!(peer.tsdu()[0], 0x19, "ABORT");
        peer.half_close();
        peer.receive_all();
    }
    let series = "colloquy_sessions_closed_by_gateway_total{why=\"maintenance\",how=\"abort\"}";
    wait_until("three aborts", || gateway.metric(series) == Some(3.0));
    wait_until("no session is left", || {
        gateway.metric("colloquy_target_sessions{target=\"t\"}") == Some(0.0)
    });
    assert_eq!(Call::default().to(gateway.address("in")).reason(), Some(130));
    gateway.finish();
}

/// Callers leave while the gateway waits for CC, for AC, or for its next try: what it had begun for them ends.
pub(crate) fn given_up(driver: &str) {
    for manners in [Manners::Mute, Manners::Silent, Manners::Refuse(131)] {
        let responders = [Responder::listen(None, manners), Responder::listen(None, manners)];
        let keys = "connect_timeout = \"8s\"\ntim = \"300ms\"\neject_failures = 0";
        let targets: Vec<String> =
            (0..2).map(|index| target(&format!("t{index}"), responders[index].address(), keys)).collect();
        let retry = "retries_max = 50\nretry_backoff = \"4s\"\nretry_backoff_max = \"4s\"";
        let gateway = group(driver, 1, retry, &targets);
        let mut peers: Vec<Peer> = (0..10).map(|_| Peer::transport(gateway.address("in"))).collect();
        peers.iter_mut().for_each(|peer| peer.send(&data(&hex(CN))));
        let tried = || responders.iter().map(Responder::connections).sum::<usize>();
        wait_until("each has been tried for", || tried() == 10);
        for (index, peer) in peers.into_iter().enumerate() {
            match index % 3 {
                0 => peer.reset(),
                1 => drop(peer),
                _ => {
                    peer.half_close();
                    drop(peer);
                }
            }
        }
        for series in [
            "colloquy_sessions{state=\"all\",role=\"responder\"}",
            "colloquy_sessions{state=\"all\",role=\"initiator\"}",
            "colloquy_admitted_sessions{state=\"all\"}",
            "colloquy_target_sessions{target=\"t0\"}",
            "colloquy_target_sessions{target=\"t1\"}",
        ] {
            wait_until(&format!("{manners:?}: {series} 0"), || gateway.metric(series) == Some(0.0));
        }
        gateway.finish();
        assert_eq!(tried(), 10, "{manners:?}: nothing was tried for who had left");
    }
}

/// Each peer's own profile carries what its client does; what it cannot take is refused before it sees it.
pub(crate) fn interop(driver: &str) {
    let (libiec, _libiec) = peers::libiec61850_server();
    let (hat, _hat) = peers::hat_responder();
    let (rusty, _rusty) = peers::rusty_responder("respond");
    let text = target(
        "libiec",
        libiec,
        "profile = \"libiec61850\"\nhealth_check = \"transport\"\nhealth_interval = \"500ms\"\nhealth_timeout = \"400ms\"",
    ) + &target(
        "hat",
        hat,
        "profile = \"hat-drivers\"\nhealth_check = \"session\"\nhealth_interval = \"500ms\"\nhealth_timeout = \"400ms\"",
    ) + &target("rusty", rusty, "profile = \"rusty-cotp\"\ntpdu_octets_max = 8192");
    let listeners =
        [("libiec", "target = \"libiec\""), ("hat", "target = \"hat\""), ("rusty", "target = \"rusty\"")];
    let gateway = Gateway::start(driver, 1, &listeners, &text);
    let direct = run(peers::libiec61850_client(libiec, 1));
    assert_eq!(direct, run(peers::libiec61850_client(gateway.address("libiec"), 3)));
    run(peers::rusty_initiator(gateway.address("hat"), 20, 20));
    // It refuses to hear of TPDUs of more than 2048 octets: the profile's ceiling is what it gets.
    let printed = run(peers::hat_initiator(gateway.address("rusty")));
    assert!(printed.contains("echoed 218"), "{printed}");
    // Selectors of more than two octets are none that hat-drivers could hold.
    let long = Call { called_ssap: b"LONG", ..Call::default() };
    assert_eq!(long.to(gateway.address("hat")).reason(), Some(134));
    wait_until("real peers are up", || {
        gateway.metric("colloquy_target_up{target=\"libiec\"}") == Some(1.0)
            && gateway.metric("colloquy_target_up{target=\"hat\"}") == Some(1.0)
    });
    gateway.finish();
}

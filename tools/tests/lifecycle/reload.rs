//! Reloads under load: nothing is lost, what begins later goes the new way, a wrong file changes nothing.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::gateway::{Gateway, head};
use crate::on_each_driver;
use crate::peer::Peer;

const SESSIONS: u64 = 300;
const RELOADS: u32 = 20;
const GENERATION: &str = "colloquy_config_generation";

/// A relay by routes: to one of two echoes, now this one and now that one; all else changes along.
fn relay(driver: &str, round: u32, echoes: [SocketAddr; 2]) -> String {
    let even = round.is_multiple_of(2);
    let (first, second) = if even { ("a", "b") } else { ("b", "a") };
    let mut text = head(driver, 2, if even { "info" } else { "debug" });
    text += &format!(
        "[limits]\nsessions_max = {}\nconnects_per_second_max = {}\n\
         [[listener]]\nname = \"in\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\n\
         connections_not_established_max = 2000\nsessions_max = {}\n\
         [[route]]\nname = \"to-{first}\"\ntarget = \"{first}\"\n\
         [[target]]\nname = \"{first}\"\naddress = \"{}\"\nrelease_timeout = \"{}s\"\n",
        10_000 + round,
        50_000 + round,
        5_000 + round,
        echoes[usize::from(!even)],
        20 + round % 7
    );
    // The other target comes and goes: its sessions outlast it.
    if round % 4 < 2 {
        text += &format!(
            "[[route]]\nname = \"to-{second}\"\ntarget = \"{second}\"\ncalled_ssaps = [\"ascii:never\"]\n\
             [[target]]\nname = \"{second}\"\naddress = \"{}\"\n",
            echoes[usize::from(even)]
        );
    }
    text
}

fn echo(driver: &str) -> Gateway {
    Gateway::start(&format!(
        "{}[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n\
         connections_not_established_max = 2000\n",
        head(driver, 1, "info")
    ))
}

#[test]
fn reloads_under_load_lose_nothing_and_take_effect_for_what_begins_later() {
    on_each_driver("reload under load", reloads_under_load);
}

fn reloads_under_load(driver: &str) {
    let servers = [echo(driver), echo(driver)];
    let echoes = [servers[0].address("echo"), servers[1].address("echo")];
    let gateway = Gateway::start(&relay(driver, 0, echoes));
    let to = gateway.address("in");
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.args(["load", "--to", &to.to_string(), "--driver", driver, "--json", "--seconds", "12"]);
    command.args(["--sessions", &SESSIONS.to_string(), "--size", "300", "--rate", "3000"]);
    let load = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
    gateway.wait_for_metric("colloquy_sessions{state=\"established\",role=\"any\"}", 2.0 * SESSIONS as f64);
    for round in 1..=RELOADS {
        gateway.write(&relay(driver, round, echoes));
        gateway.hang_up();
        gateway.wait_for_metric(GENERATION, f64::from(round + 1));
        let right = &servers[usize::from(!round.is_multiple_of(2))];
        let wrong = &servers[usize::from(round.is_multiple_of(2))];
        let opened = |server: &Gateway| server.metric("colloquy_sessions_opened_total");
        let before = (opened(right), opened(wrong));
        let mut peer = Peer::session(to);
        peer.echo(b"after the reload");
        peer.release();
        assert_eq!((opened(right), opened(wrong)), (before.0 + 1.0, before.1), "round {round} on {driver}");
    }
    let output = load.wait_with_output().expect("it ends");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a JSON record");
    for key in ["lost", "reordered", "corrupted", "failed", "ended_early"] {
        assert_eq!(report["counts"][key], 0, "{key}: {report}");
    }
    assert_eq!(report["counts"]["released"], SESSIONS, "{report}");
    assert_eq!(gateway.metric("colloquy_config_reloads_total{outcome=\"applied\"}"), f64::from(RELOADS));
    gateway.terminate();
    let (status, log) = gateway.wait();
    assert!(status.success());
    log.finish();
}

#[test]
fn a_wrong_file_is_refused_with_every_fault_and_changes_nothing() {
    let server = echo("mio");
    let echoes = [server.address("echo"); 2];
    let gateway = Gateway::start(&relay("mio", 0, echoes));
    let mut peer = Peer::session(gateway.address("in"));
    let wrong = relay("mio", 1, echoes)
        .replace("shards = 2", "shards = 99999")
        .replace("target = \"b\"", "target = \"nobody\"")
        .replace("level = \"debug\"", "level = \"debug\"\nlouder = true");
    gateway.write(&wrong);
    gateway.hang_up();
    let refused = gateway.log.wait_for("refusal", |record| record["event_id"] == "CLQ-G07");
    assert_eq!((&refused[0]["faults"], &refused[0]["by"]), (&3.into(), &"SIGHUP".into()), "{refused:?}");
    for (id, key) in [("CLQ-C02", "louder"), ("CLQ-C05", "shards"), ("CLQ-C06", "target")] {
        let of = |record: &serde_json::Value| {
            record["event_id"] == id && record["fault"].as_str().is_some_and(|text| text.contains(key))
        };
        let fault = &gateway.log.wait_for(id, of)[0];
        assert!(fault["line"].as_u64().is_some_and(|line| line > 1), "{fault}");
    }
    assert_eq!(gateway.metric(GENERATION), 1.0);
    assert_eq!(gateway.metric("colloquy_config_reloads_total{outcome=\"refused\"}"), 1.0);
    peer.echo(b"still here");
    peer.release();
    let mut later = Peer::session(gateway.address("in"));
    later.echo(b"as before");
    later.release();
}

#[test]
fn a_mixed_change_is_applied_as_far_as_it_can_be_and_the_rest_is_named() {
    let servers = [echo("mio"), echo("mio")];
    let echoes = [servers[0].address("echo"), servers[1].address("echo")];
    let gateway = Gateway::start(&relay("mio", 0, echoes));
    let to = gateway.address("in");
    let mut before = Peer::session(to);
    before.echo(b"begun before");
    gateway.write(&relay("mio", 1, echoes).replace("shards = 2", "shards = 3"));
    gateway.hang_up();
    let reloaded = gateway.log.wait_for("reload", |record| record["event_id"] == "CLQ-G06");
    let reloaded = &reloaded[0];
    assert_eq!(reloaded["needs_restart"], 1, "{reloaded}");
    let applied = reloaded["applied"].as_str().expect("a list");
    assert!(applied.contains("log.level") && applied.contains("limits.sessions_max"), "{reloaded}");
    assert_ne!(reloaded["old_sha256"], reloaded["new_sha256"]);
    let rest = gateway.log.wait_for("the rest", |record| record["event_id"] == "CLQ-G08");
    assert_eq!(
        (&rest[0]["key"], &rest[0]["old"], &rest[0]["new"]),
        (&"engine.shards".into(), &"2".into(), &"3".into())
    );
    before.echo(b"still with the first target");
    let opened = |server: &Gateway| server.metric("colloquy_sessions_opened_total");
    let counts = (opened(&servers[0]), opened(&servers[1]));
    let mut after = Peer::session(to);
    after.echo(b"with the second target");
    assert_eq!((opened(&servers[0]), opened(&servers[1])), (counts.0, counts.1 + 1.0));
    after.release();
    before.release();
    // The change that waits shows up again with the next reload.
    gateway.hang_up();
    gateway.wait_for_metric(GENERATION, 3.0);
    let again = gateway
        .log
        .wait_for("the second reload", |record| record["event_id"] == "CLQ-G06" && record["generation"] == 3);
    assert_eq!((&again[0]["applied"], &again[0]["needs_restart"]), (&"".into(), &1.into()));
}

#[test]
fn a_gateway_that_drains_does_not_reload() {
    let server = echo("mio");
    let gateway = Gateway::start(&relay("mio", 0, [server.address("echo"); 2]));
    let mut peer = Peer::session(gateway.address("in"));
    // Never idle for long enough while the test asks for it.
    peer.echo(b"here");
    let wait = format!("{}[drain]\naction = \"wait\"\n", relay("mio", 0, [server.address("echo"); 2]));
    gateway.write(&wait);
    gateway.hang_up();
    gateway.wait_for_metric(GENERATION, 2.0);
    gateway.terminate();
    gateway.log.wait_for("drain", |record| record["event_id"] == "CLQ-G09" && record["action"] == "wait");
    gateway.hang_up();
    let refused = gateway.log.wait_for("refusal", |record| record["event_id"] == "CLQ-G07");
    assert!(refused[0]["reason"].as_str().is_some_and(|reason| reason.contains("drains")), "{refused:?}");
    peer.echo(b"still here");
    peer.release();
    assert!(gateway.wait().0.success());
}

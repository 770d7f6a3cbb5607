//! Whoever looks, sees the same: page, `colloquy top`, status and list of sessions say what `/metrics` says, with 0, 10
//! and 1000 sessions.

use std::net::SocketAddr;

use serde_json::Value;

use crate::gateway::Gateway;
use crate::octets::{CC, CN, CR, data, hex};
use crate::openmetrics::{Family, value};
use crate::peer::Peer;
use crate::process::free_address;

/// A relayed session is three: its two legs, and the echo's.
const LEGS: usize = 3;

/// An echo, a relay to it, a relay to nobody, a listener that lets nobody in.
fn start(shards: usize) -> (Gateway, [SocketAddr; 4]) {
    let addresses = [(); 4].map(|()| free_address());
    let [echo, relay, nowhere, closed] = addresses;
    let nobody = free_address();
    let tables = format!(
        "[[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\n\
         [[listener]]\nname = \"relay\"\naddress = \"{relay}\"\napplication = \"relay\"\ntarget = \"server\"\n\
         [[listener]]\nname = \"nowhere\"\naddress = \"{nowhere}\"\napplication = \"relay\"\ntarget = \"nobody\"\n\
         [[listener]]\nname = \"closed\"\naddress = \"{closed}\"\napplication = \"echo\"\ndeny = [\"127.0.0.0/8\"]\n\
         [[target]]\nname = \"server\"\naddress = \"{echo}\"\n[[target]]\nname = \"nobody\"\naddress = \"{nobody}\"\n"
    );
    let engine = format!("driver = \"mio\"\nshards = {shards}\nsessions_max = 2048\n");
    (Gateway::start(&engine, &tables), addresses)
}

#[test]
fn all_views_agree_with_no_session() {
    let (gateway, _) = start(2);
    agree(&gateway, 0);
    gateway.finish();
}

#[test]
fn all_views_agree_with_10_sessions_and_some_that_were_refused() {
    let (gateway, [echo, relay, nowhere, closed]) = start(2);
    let mut peers: Vec<Peer> = (0..4).map(|_| Peer::session(echo)).collect();
    peers.extend((0..2).map(|_| Peer::session(relay)));
    peers.iter_mut().for_each(|peer| peer.echo(&[3; 700]));
    for (to, count) in [(closed, 3), (nowhere, 2)] {
        (0..count).for_each(|_| refused(to));
    }
    Peer::session(echo).release();
    gateway.wait_for("10 sessions", |status| status["sessions"]["all"] == 10);
    agree(&gateway, 4 + 2 * LEGS as u64);
    let refused = |listener, reason| {
        let labels = [("listener", listener), ("reason", reason)];
        gateway.metric("colloquy_listener_refused_total", &labels)
    };
    assert_eq!((refused("closed", "network"), refused("nowhere", "not_opened")), (3.0, 2.0));
    assert_eq!(refused("echo", "network"), 0.0);
    let status = gateway.status();
    let listener = |name: &str| {
        let listeners = status["listeners"].as_array().expect("listeners");
        listeners.iter().find(|listener| listener["name"] == name).expect("it is there")["refused"].clone()
    };
    assert_eq!(listener("closed"), serde_json::json!([{ "name": "network", "count": 3 }]));
    assert_eq!(listener("nowhere"), serde_json::json!([{ "name": "not_opened", "count": 2 }]));
    let by_limit = &status["refusals"][0];
    assert_eq!((&by_limit["name"], &by_limit["count"]), (&"listener.allow, listener.deny".into(), &3.into()));
    assert!(gateway.get("/").body.contains("network 3"), "the page tells it with the listener");
    peers.into_iter().for_each(Peer::release);
    gateway.wait_until_idle();
    gateway.finish();
}

#[test]
fn all_views_agree_with_a_thousand_sessions_and_these_go_on_meanwhile() {
    let (gateway, [echo, relay, ..]) = start(2);
    let mut peers: Vec<Peer> = (0..700).map(|_| Peer::session(echo)).collect();
    peers.extend((0..100).map(|_| Peer::session(relay)));
    gateway.wait_for("1000 sessions", |status| status["sessions"]["established"] == 1000);
    agree(&gateway, 1000);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            (0..20).map(|_| gateway.get("/sessions.json?limit=1000")).all(|answer| answer.status == 200)
        });
        // However the asking goes on, the shards serve.
        while !asking.is_finished() {
            peers.iter_mut().step_by(100).for_each(|peer| peer.echo(&[5; 3000]));
        }
        assert!(asking.join().expect("it asks"));
    });
    peers.into_iter().for_each(Peer::release);
    gateway.wait_until_idle();
    gateway.finish();
}

/// Connects, asks for a session, and is refused: by DR, or by RF behind the CC.
fn refused(to: SocketAddr) {
    let Ok(mut peer) = Peer::try_connect(to) else { return };
    peer.send(&CR);
    peer.send(&data(&hex(CN)));
    let _ = peer.receive(CC.len() + 1);
    peer.half_close();
    let _ = peer.receive_all();
}

/// Compares every number that is shown twice.
fn agree(gateway: &Gateway, sessions: u64) {
    let (metrics, status) = (gateway.metrics(), gateway.status());
    let metric = |name: &str, labels: &[(&str, &str)]| {
        value(&metrics, name, labels).unwrap_or_else(|| panic!("no {name} with {labels:?}"))
    };
    let count = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no number: {value}"));
    let established = metric("colloquy_sessions", &[("state", "established"), ("role", "any")]);
    let roles = ["initiator", "responder"]
        .map(|role| metric("colloquy_sessions", &[("state", "all"), ("role", role)]));
    assert_eq!((roles[0] + roles[1], established), (sessions as f64, sessions as f64));
    assert_eq!(count(&status["sessions"]["initiator"]), roles[0]);
    assert_eq!(count(&status["sessions"]["established"]), established);
    for listener in status["listeners"].as_array().expect("listeners") {
        let name = listener["name"].as_str().expect("a name");
        let of = |metric_name: &str| metric(metric_name, &[("listener", name)]);
        assert_eq!(count(&listener["sessions"]), of("colloquy_listener_sessions"), "{name}");
        assert_eq!(
            count(&listener["established"]),
            of("colloquy_listener_sessions_established_total"),
            "{name}"
        );
        let refused = sum(&metrics, "colloquy_listener_refused_total", &[("listener", name)]);
        let told: f64 =
            listener["refused"].as_array().expect("counts").iter().map(|c| count(&c["count"])).sum();
        assert_eq!(told, refused, "{name}");
    }
    for target in status["targets"].as_array().expect("targets") {
        let name = target["name"].as_str().expect("a name");
        assert_eq!(count(&target["sessions"]), metric("colloquy_target_sessions", &[("target", name)]));
    }
    for ended in status["closings"].as_array().expect("counts") {
        let labels = [("reason", ended["name"].as_str().expect("a reason"))];
        assert_eq!(count(&ended["count"]), metric("colloquy_sessions_closed_total", &labels), "{ended}");
    }
    let limits = status["refusals"].as_array().expect("counts");
    for refused in limits {
        let labels = ["scope", "limit"].map(|label| (label, refused[label].as_str().expect("a word")));
        assert_eq!(
            count(&refused["count"]),
            metric("colloquy_connections_refused_total", &labels),
            "{refused}"
        );
    }
    assert_eq!(
        limits.iter().map(|refused| count(&refused["count"])).sum::<f64>(),
        sum(&metrics, "colloquy_connections_refused_total", &[])
    );
    list_agrees(gateway, sessions);
    people_see(gateway, sessions);
}

fn sum(metrics: &[Family], name: &str, labels: &[(&str, &str)]) -> f64 {
    let samples = metrics.iter().flat_map(|family| &family.samples).filter(|sample| sample.name == name);
    let fits = samples.filter(|sample| labels.iter().all(|(label, of)| sample.label(label) == Some(of)));
    fits.map(|sample| sample.value).sum()
}

fn list_agrees(gateway: &Gateway, sessions: u64) {
    let listed = gateway.json("/sessions.json?limit=1000");
    assert_eq!((&listed["total"], &listed["matching"]), (&sessions.into(), &sessions.into()));
    let rows = listed["sessions"].as_array().expect("sessions");
    assert_eq!(rows.len() as u64, sessions);
    let mut names: Vec<&str> = rows.iter().map(|row| row["session"].as_str().expect("a name")).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len() as u64, sessions, "each is listed once");
    let output = gateway.colloquy(&["sessions", "list", "--json"]).output().expect("it runs");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let told = told["sessions"].as_array().expect("sessions");
    assert_eq!(told.len() as u64, sessions);
    for row in told {
        let same = rows.iter().find(|other| other["session"] == row["session"]).expect("both list it");
        for member in ["state", "phase", "listener", "target", "peer", "role", "bytes_in", "ssdus_out"] {
            assert_eq!(row[member], same[member], "{member} of {row}");
        }
    }
}

/// The page without its script, and a frame of `colloquy top`.
fn people_see(gateway: &Gateway, sessions: u64) {
    let plain = |text: &str| text.replace(['\u{202f}', '\u{a0}'], " ");
    let shown = plain(&colloquy_gateway::sight::text::group(sessions));
    let page = plain(&gateway.get("/").body);
    for id in ["sessions", "established"] {
        assert!(page.contains(&format!("<dd id=\"{id}\">{shown}</dd>")), "{id} of the page is not {shown}");
    }
    let said = match sessions {
        0 => "0 sessions.".to_owned(),
        1..=25 => format!("{shown} sessions."),
        _ => format!("25 of {shown} sessions."),
    };
    assert!(page.contains(&format!("<span id=\"sessions-said\">{said}</span>")), "{said}:\n{page}");
    assert_eq!(page.contains(">No session exists.<"), sessions == 0);
    let top = gateway.colloquy(&["top", "--once", "--width", "200"]).output().expect("it runs");
    let top = String::from_utf8(top.stdout).expect("text");
    for what in ["sessions", "established"] {
        assert!(top.contains(&format!("{what} {shown}")), "{what} {shown}:\n{top}");
    }
}

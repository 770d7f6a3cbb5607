//! `/sessions.json`: which sessions come first, conditions, bounds, and what is no question.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use crate::gateway::Gateway;
use crate::peer::{PATIENCE, Peer};
use crate::process::poll_pause;
use crate::skip::io_uring_allowed;

#[test]
fn sessions_come_in_the_order_that_was_asked_for_on_io_uring() {
    if io_uring_allowed("orders of sessions") {
        orders("io_uring");
    }
}

#[test]
fn sessions_come_in_the_order_that_was_asked_for_on_mio() {
    orders("mio");
}

fn orders(driver: &str) {
    let (gateway, echo, relay) = Gateway::echo_and_relay(driver, 2);
    let mut silent = Peer::session(echo);
    let mut relayed = Peer::session(relay);
    let mut talking = Peer::session(echo);
    silent.echo(&[1; 10]);
    talking.echo(&[1; 9000]);
    gateway.wait_for("5 sessions", |status| status["sessions"]["established"] == 5);
    let first = |query: &str| gateway.json(&format!("/sessions.json?{query}"))["sessions"][0].clone();
    let of = |peer: &Peer| peer.address().to_string();
    let (of_silent, of_relayed, of_talking) = (of(&silent), of(&relayed), of(&talking));
    assert_eq!(first("sort=octets")["peer"], of_talking);
    assert_eq!(first("sort=octets")["bytes_in"], 9000);
    assert_eq!(first("sort=age")["peer"], of_silent);
    assert_eq!(first("sort=new")["peer"], of_talking);
    let listed = gateway.json("/sessions.json?listener=relay&limit=1");
    assert_eq!((&listed["total"], &listed["matching"]), (&5.into(), &1.into()), "{listed}");
    assert_eq!(listed["sessions"][0]["peer"], of_relayed);
    assert_eq!(listed["sessions"][0]["target"], "server");
    let listed = gateway.json("/sessions.json?limit=2");
    assert_eq!((&listed["limit"], listed["sessions"].as_array().map(Vec::len)), (&2.into(), Some(2)));
    assert_eq!(listed["sort"], "idle");
    // Until the silent one has been so for longer than all others, these talk.
    let end = Instant::now() + PATIENCE;
    loop {
        relayed.echo(&[2; 10]);
        talking.echo(&[2; 10]);
        let idle = first("sort=idle");
        if idle["peer"] == of_silent && idle["idle_seconds"].as_u64() >= Some(2) {
            break;
        }
        assert!(Instant::now() < end, "the silent one is not the first: {idle}");
        poll_pause();
    }
    // The relay's upstream leg has its downstream's word.
    let upstream = gateway.json("/sessions.json?target=server&sort=idle");
    for leg in upstream["sessions"].as_array().expect("legs") {
        assert!(leg["idle_seconds"].as_u64() < Some(2), "{leg}");
    }
    let output =
        gateway.colloquy(&["sessions", "list", "--sort", "idle", "--json"]).output().expect("it runs");
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(listed["sessions"][0]["peer"], of_silent, "{listed}");
    // What the page names leads on.
    let name = first("sort=idle")["session"].as_str().expect("a name").to_owned();
    let explained = gateway.colloquy(&["sessions", "explain", &name]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&explained.stdout).contains(&name));
    assert!(
        gateway.get("/").body.contains(&format!("<th scope=\"row\">{name}</th>")),
        "the page shows {name}"
    );
    [silent, relayed, talking].into_iter().for_each(Peer::release);
    gateway.wait_until_idle();
    gateway.finish();
}

/// What a browser sends whom a page far away has led here.
#[test]
fn on_loopback_nobody_is_answered_who_asks_for_the_name_of_a_domain() {
    let (gateway, ..) = Gateway::echo_and_relay("mio", 1);
    let address = gateway.admin();
    let hosts =
        [("evil.example", "421"), ("localhost", "200"), ("gateway", "200"), (&address.to_string(), "200")];
    for (host, status) in hosts {
        let mut stream = TcpStream::connect(address).expect("it accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        write!(stream, "GET /sessions.json HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("it reads");
        let mut head = [0; 12];
        stream.read_exact(&mut head).expect("an answer");
        assert_eq!(&head[9..], status.as_bytes(), "{host}");
    }
    gateway.finish();
}

#[test]
fn what_is_no_question_is_answered_as_such_and_nothing_can_be_changed() {
    let (gateway, echo, _) = Gateway::echo_and_relay("mio", 1);
    let peer = Peer::session(echo);
    for (query, word) in [
        ("sort=colour", "idle, age, new"),
        ("limit=1001", "1 to 1000"),
        ("limit=0", "1 to 1000"),
        ("x=1", "x"),
    ] {
        let answer = gateway.get(&format!("/sessions.json?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains(word), "{query}: {}", answer.body);
    }
    for method in ["POST", "PUT", "DELETE"] {
        let mut stream = TcpStream::connect(gateway.admin()).expect("it accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        write!(stream, "{method} /sessions.json HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n")
            .expect("it reads");
        let mut head = [0; 12];
        stream.read_exact(&mut head).expect("an answer");
        assert_eq!(&head[9..], b"405", "{method}");
    }
    peer.release();
    gateway.wait_until_idle();
    gateway.finish();
}

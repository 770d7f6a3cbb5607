//! Clients of the control socket that are wrong, slow, silent or many.

use crate::bed::{Gateway, Setup};
use crate::octets::ssdu;
use crate::peer::Peer;

#[test]
fn wrong_requests_get_an_answer_and_the_next_one_is_served() {
    let gateway = Gateway::start(&Setup::default());
    let mut client = gateway.client();
    for (request, code) in [
        ("status", "bad_request"),
        ("[1,2]", "bad_request"),
        ("{\"op\":7}", "bad_request"),
        ("{\"op\":\"status\",\"protocol\":99}", "protocol"),
        ("{\"op\":\"make-tea\"}", "unknown_op"),
        ("{\"op\":\"status\",\"colour\":\"red\"}", "bad_request"),
        ("{\"op\":\"sessions\",\"peer\":\"nobody\"}", "bad_request"),
        ("{\"op\":\"sessions.show\",\"session\":\"x\"}", "bad_request"),
        ("{\"op\":\"sessions.show\",\"session\":\"0-1.1\"}", "not_found"),
        ("{\"op\":\"sessions.show\",\"session\":\"77-1.1\"}", "not_found"),
        ("{\"op\":\"sessions.abort\",\"sessions\":[]}", "bad_request"),
        ("{\"op\":\"targets.set\",\"target\":\"echo\",\"state\":\"asleep\"}", "bad_request"),
        ("{\"op\":\"drain\",\"deadline\":\"soon\"}", "bad_request"),
    ] {
        let answer = client.ask(request);
        assert_eq!((&answer["ok"], &answer["code"]), (&false.into(), &code.into()), "{request}: {answer}");
        assert!(answer["text"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    }
    client.send(b"\xff\xfe\xfd\n\n  \n");
    assert_eq!(client.line().expect("an answer")["code"], "bad_request");
    assert_eq!(client.ask("{\"op\":\"status\"}")["ok"], true);
    gateway.stop();
}

#[test]
fn a_line_without_an_end_is_refused() {
    let gateway = Gateway::start(&Setup::default());
    let mut client = gateway.client();
    client.send(&vec![b'x'; 200_000]);
    assert_eq!(client.line().expect("an answer")["code"], "line_too_long");
    assert_eq!(client.line(), None, "and it is closed");
    gateway.stop();
}

#[test]
fn a_hundred_silent_clients_disturb_nobody() {
    let gateway = Gateway::start(&Setup::default());
    let mut silent: Vec<_> = (0..100).map(|_| gateway.client()).collect();
    // Half of them have begun a request.
    silent.iter_mut().step_by(2).for_each(|client| client.send(b"{\"op\":"));
    let mut peer = Peer::session(gateway.address("echo"));
    peer.send(&ssdu(b"still here"));
    peer.expect(&ssdu(b"still here"));
    assert_eq!(gateway.json(&["status"])["ok"], true);
    peer.release();
    silent[0].send(b"\"status\"}\n");
    assert_eq!(silent[0].line().expect("an answer")["ok"], true);
    drop(silent);
    gateway.stop();
}

#[test]
fn too_many_clients_are_told_so_and_places_come_back() {
    let gateway = Gateway::start(&Setup::default());
    let mut many: Vec<_> = (0..300).map(|_| gateway.client()).collect();
    let refused = many
        .iter_mut()
        .rev()
        .take(10)
        .filter_map(crate::bed::Client::line)
        .next()
        .expect("the last ones are refused");
    assert_eq!(refused["code"], "busy");
    drop(many);
    let end = std::time::Instant::now() + crate::peer::PATIENCE;
    while !gateway.verb(&["status"]).status.success() {
        assert!(std::time::Instant::now() < end, "places come back");
        crate::process::poll_pause();
    }
    gateway.stop();
}

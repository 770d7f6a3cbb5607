//! Peers that do not take what they are sent, and peers that vanish: backpressure, time-outs, resets.

use std::io::{ErrorKind, Write};
use std::time::Duration;

use crate::faults::Job;
use crate::gateway::{Gateway, SEND_TIMEOUT};
use crate::octets::{AC, CN, CR, DN, FN, data, hex, ssdu};
use crate::peer::{PATIENCE, Peer};
use crate::upstream::Upstream;

/// What may be on its way for one peer: socket buffers of both ends and the marks of the gateway, with a wide
/// margin. Without backpressure the test would fill it many times over.
const ON_THE_WAY_OCTETS_MAX: usize = 48 << 20;
const SSDU_OCTETS: usize = 16_000;

/// Feeds until nothing more is taken; gives the octets of user data, and false when the connection has ended.
fn feed_until_paused(peer: &mut Peer) -> (usize, bool) {
    let part = ssdu(&vec![0x5a; SSDU_OCTETS]);
    let mut stream = peer.stream();
    // Shorter than the send time-out: the pause is seen before it ends the session.
    stream.set_write_timeout(Some(SEND_TIMEOUT / 4)).expect("a TCP socket");
    let mut octets = 0;
    loop {
        match stream.write(&part[octets % part.len()..]) {
            Ok(count) => octets += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return (octets, true);
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                return (octets, false);
            }
            Err(error) => panic!("{error}"),
        }
        assert!(octets < ON_THE_WAY_OCTETS_MAX, "{octets} octets are on the way: nobody pauses the feeder");
    }
}

/// An echo whose peer never reads: paused, and in the end reset.
fn never_reads(gateway: &Gateway) {
    let mut peer = Peer::session(gateway.address("echo"));
    feed_until_paused(&mut peer);
    let end = gateway.log().expect_end(peer.address(), "timeout");
    assert_eq!(end["detail"], "send", "{end}");
    assert!(peer.receive_all().len() < ON_THE_WAY_OCTETS_MAX);
}

/// A peer that reads again in time: it is paused, and everything comes, in order.
fn reads_late(gateway: &Gateway) {
    let mut peer = Peer::session(gateway.address("relay"));
    let part = ssdu(&vec![0x5a; SSDU_OCTETS]);
    let (sent, alive) = feed_until_paused(&mut peer);
    assert!(alive, "it was only slow");
    let whole = sent.div_ceil(part.len());
    let rest = part[sent % part.len()..].to_vec();
    let mut writer = peer.stream().try_clone().expect("a descriptor");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            writer.set_write_timeout(Some(PATIENCE)).expect("a TCP socket");
            if rest.len() < SSDU_OCTETS {
                writer.write_all(&rest).expect("it reads again");
            }
        });
        for _ in 0..whole {
            peer.expect_ssdu(&vec![0x5a; SSDU_OCTETS]);
        }
    });
    let address = peer.address();
    peer.release();
    let end = gateway.log().expect_end(address, "released");
    assert_eq!(
        (end["ssdus_in"].as_u64(), end["ssdus_out"].as_u64()),
        (Some(whole as u64), Some(whole as u64))
    );
}

/// A reset in the middle of a TSDU.
fn resets_in_a_tsdu(gateway: &Gateway) {
    for listener in ["echo", "relay"] {
        let mut peer = Peer::session(gateway.address(listener));
        peer.echo(b"before");
        peer.send(&ssdu(&[1; 5000])[..3000]);
        let address = peer.address();
        peer.reset();
        let end = gateway.log().expect_end(address, "network");
        assert!(end["detail"].as_str().is_some_and(|detail| detail.contains("reset")), "{end}");
    }
}

/// The end of the connection in the middle of a TSDU: what was complete is answered.
fn half_closes_in_a_tsdu(gateway: &Gateway) {
    let mut peer = Peer::session(gateway.address("echo"));
    peer.send(&[ssdu(b"complete"), ssdu(&[2; 100])[..50].to_vec()].concat());
    peer.half_close();
    peer.expect_last(&ssdu(b"complete"));
    gateway.log().expect_end(peer.address(), "eof");
}

/// FN and at once the end of the connection: released all the same, and DN comes.
fn half_closes_behind_finish(gateway: &Gateway) {
    for listener in ["echo", "relay"] {
        let mut peer = Peer::session(gateway.address(listener));
        peer.send(&data(&FN));
        peer.half_close();
        peer.expect_last(&if listener == "echo" { data(&DN) } else { Vec::new() });
        gateway.log().expect_end(peer.address(), "released");
    }
}

/// FN, and the connection closed without waiting for DN, as deployed stacks do.
fn closes_behind_finish(gateway: &Gateway) {
    let mut peer = Peer::session(gateway.address("echo"));
    peer.send(&data(&FN));
    let address = peer.address();
    drop(peer);
    gateway.log().expect_end(address, "released");
}

/// Everything in one segment, before any answer: a peer in a hurry breaks no rule that matters.
fn does_not_wait(gateway: &Gateway) {
    let mut peer = Peer::connect(gateway.address("echo"));
    peer.send(&[&CR[..], &data(&hex(CN)), &ssdu(b"early"), &data(&FN)].concat());
    peer.half_close();
    let answer = peer.receive_all();
    let expected = [&crate::octets::CC[..], &data(&hex(AC)), &ssdu(b"early"), &data(&DN)].concat();
    assert_eq!(crate::peer::show(&answer), crate::peer::show(&expected));
    gateway.log().expect_end(peer.address(), "released");
}

/// Ignores AB and keeps the connection: TIM ends it.
fn ignores_abort(gateway: &Gateway) {
    let mut peer = Peer::session(gateway.address("echo"));
    peer.send(&data(&[0x7f, 0x00]));
    let abort = data(&hex("1907 110105 3102 7f00"));
    peer.expect(&abort);
    let mut more = 0;
    while let Some(part) = peer.look(Duration::from_millis(20)) {
        assert!(part.is_empty(), "nothing follows AB: {part:02x?}");
        peer.send(&ssdu(b"as if nothing had happened"));
        more += 1;
        assert!(more < 500, "TIM does not end the connection");
    }
    let (fault, end) = gateway.log().fault_and_end(peer.address());
    assert!(fault.is_some());
    assert_eq!(end["reason"], "protocol_error");
}

/// A name and what is done to the gateway.
type Case = (&'static str, fn(&Gateway));

/// Every job of this module, with its name.
pub(crate) fn jobs(gateway: &Gateway) -> Vec<Job<'_>> {
    let all: [Case; 8] = [
        ("never reads", never_reads),
        ("reads late", reads_late),
        ("resets in a TSDU", resets_in_a_tsdu),
        ("half-closes in a TSDU", half_closes_in_a_tsdu),
        ("half-closes behind FN", half_closes_behind_finish),
        ("closes behind FN", closes_behind_finish),
        ("does not wait", does_not_wait),
        ("ignores AB", ignores_abort),
    ];
    all.into_iter()
        .map(|(name, job)| -> Job<'_> { (name.to_owned(), Box::new(move || job(gateway))) })
        .collect()
}

/// A relay whose upstream never reads: the downstream is paused, then both sides end.
pub(crate) fn the_feeding_side_is_paused(gateway: &Gateway, upstream: &Upstream) {
    let congestions = gateway.metric("colloquy_congestions_total");
    let mut peer = Peer::transport(gateway.address("relay_to_test"));
    peer.send(&data(&hex(CN)));
    let silent = upstream.accept_session();
    peer.expect(&data(&hex(AC)));
    let (octets, _) = feed_until_paused(&mut peer);
    assert!(octets > 1 << 16, "{octets} octets were taken before the pause");
    assert!(gateway.metric("colloquy_congestions_total") > congestions, "the send queue reached its mark");
    // The upstream's send runs into its time-out; the downstream hears of it by AB of the provider.
    let abort = peer.tsdu();
    assert_eq!(abort[..4], [0x19, abort[1], 0x11, 0x01], "AB, transport disconnected: {abort:02x?}");
    peer.half_close();
    peer.expect_last(&[]);
    let (fault, end) = gateway.log().fault_and_end(peer.address());
    assert_eq!((fault, &end["reason"]), (None, &"aborted_by_provider".into()), "{end}");
    let end = gateway.log().expect_end(upstream.address(), "timeout");
    assert_eq!((&end["detail"], &end["target"]), (&"send".into(), &"test".into()), "{end}");
    drop(silent);
}

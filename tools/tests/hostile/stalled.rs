//! Peers that take their time: silent at any point before the session exists, or one octet at a time.

use std::time::{Duration, Instant};

use crate::faults::Job;
use crate::gateway::{CONNECT_TIMEOUT, Gateway};
use crate::octets::{CC, CN, CR, data, hex, tpkt};
use crate::peer::Peer;
use crate::upstream::Upstream;

/// Between two octets of a peer that drips: many of them reset no timer.
const DRIP: Duration = Duration::from_millis(15);
/// How much later than it should a cut may come on a machine that is busy with something else.
const LATE: Duration = Duration::from_secs(5);

/// Says nothing after `before`, and is cut off: without an answer, for none exists before CN (X.225 §7.4,
/// STA01C), and class 0 disconnects by closing (X.224 §6.7.1).
fn silent(gateway: &Gateway, before: &[u8], answered: &[u8]) {
    let began = Instant::now();
    let mut peer = Peer::connect(gateway.address("impatient"));
    peer.send(before);
    peer.expect_last(answered);
    cut_off(gateway, &peer, began);
}

/// Sends `octets` one by one, and is cut off in the same time.
fn drip(gateway: &Gateway, octets: &[u8], answered: &[u8]) {
    let began = Instant::now();
    let mut peer = Peer::connect(gateway.address("impatient"));
    let mut answer = Vec::new();
    for octet in octets.iter().cycle() {
        peer.send(&[*octet]);
        match peer.look(DRIP) {
            Some(part) => answer.extend(part),
            None => break,
        }
        assert!(began.elapsed() < CONNECT_TIMEOUT + LATE, "still there after {:?}", began.elapsed());
    }
    assert_eq!(answer, answered, "what a peer that drips is answered");
    cut_off(gateway, &peer, began);
}

fn cut_off(gateway: &Gateway, peer: &Peer, began: Instant) {
    let took = began.elapsed();
    assert!(took >= CONNECT_TIMEOUT, "cut off after {took:?}, before its time");
    assert!(took < CONNECT_TIMEOUT + LATE, "cut off after {took:?}");
    let end = gateway.log().expect_end(peer.address(), "timeout");
    assert_eq!(end["detail"], "half-open", "{end}");
}

/// A session that is open and idle is left alone: there is no time-out for it.
fn idle(gateway: &Gateway) {
    let mut peer = Peer::session(gateway.address("impatient"));
    assert_eq!(peer.look(CONNECT_TIMEOUT * 3), Some(Vec::new()), "an idle session is left alone");
    peer.echo(b"still there");
    let address = peer.address();
    peer.release();
    gateway.log().expect_end(address, "released");
}

/// Every job of this module, with its name.
pub(crate) fn jobs(gateway: &Gateway) -> Vec<Job<'_>> {
    let cn = data(&hex(CN));
    let half_cn = [&CR[..], &cn[..cn.len() / 2]].concat();
    let segment = [&CR[..], &[0x03, 0, 0, 0x0b, 0x02, 0xf0, 0x00, 0x0d, 0x19, 0x05, 0x06]].concat();
    // A CR of 254 octets lasts longer than its listener waits: 250 times 15 ms.
    let long_cr = tpkt(&[&[0xfe, 0xe0, 0, 0, 0x47, 0x11, 0][..], &[0xff, 0xf6], &[0; 246]].concat());
    // A CN, one octet a TPDU, which never ends.
    let dripped_cn = [0x03, 0, 0, 0x08, 0x02, 0xf0, 0x00, 0x0d];
    let silent_after = |name: &str, before: Vec<u8>, answered: &'static [u8]| -> Job<'_> {
        (format!("silent after {name}"), Box::new(move || silent(gateway, &before, answered)))
    };
    vec![
        silent_after("connecting", Vec::new(), &[]),
        silent_after("the first octet", vec![3], &[]),
        silent_after("half a CR", CR[..6].to_vec(), &[]),
        silent_after("CR", CR.to_vec(), &CC),
        silent_after("half a CN", half_cn, &CC),
        silent_after("the first TPDU of a CN", segment, &CC),
        ("drips a CR".into(), Box::new(move || drip(gateway, &long_cr, &[]))),
        (
            "drips a CN".into(),
            Box::new(move || drip(gateway, &[&CR[..], &dripped_cn.repeat(64)].concat(), &CC)),
        ),
        ("idle".into(), Box::new(move || idle(gateway))),
    ]
}

/// Upstreams that go silent after each step: the downstream gets RF in the target's time.
pub(crate) fn silent_upstream(gateway: &Gateway, upstream: &Upstream) {
    for answers in [&[][..], &CC_TO_RELAY[..]] {
        let mut peer = Peer::transport(gateway.address("relay_to_test"));
        peer.send(&data(&hex(CN)));
        let mut silent = upstream.accept();
        assert_eq!(silent.receive(6)[5], 0xe0, "CR");
        silent.send(answers);
        peer.expect_last(&data(&hex(RF_CONGESTION)));
        let (fault, end) = gateway.log().fault_and_end(peer.address());
        assert_eq!(fault, None);
        assert_eq!((&end["reason"], &end["code"]), (&"refused".into(), &131.into()), "{end}");
    }
}

/// The CC that answers the relay's CR, whose source reference is 1.
const CC_TO_RELAY: [u8; 11] = [0x03, 0x00, 0x00, 0x0b, 0x06, 0xd0, 0x00, 0x01, 0x47, 0x11, 0x00];
/// RF, transport disconnected, reason 131: worth another try later.
const RF_CONGESTION: &str = "0c06 110101 320183";

//! ED TPDUs of a peer made of octets: where they may come, and where they are its fault.

use std::time::Duration;

use colloquy_session::FunctionalUnits as Fu;

use crate::pair::{Pair, World};
use crate::raw::{Raw, tpkt};
use crate::recorder::{Manners, Seen};
use crate::services::Server;
use crate::states::raw_talk;

crate::pair::on_real_drivers! {
    expedited_data_between_the_tpdus_of_a_tsdu_come_first,
    what_overtakes_the_spdu_it_belongs_behind_is_told_behind_it,
    expedited_tpdus_nobody_agreed_upon_are_a_fault,
    a_normal_spdu_on_the_expedited_flow_is_a_fault,
}

/// An ED TPDU in its TPKT.
fn ed(tsdu: &[u8]) -> Vec<u8> {
    [&[3, 0, 0, tsdu.len() as u8 + 7, 2, 0x10, 0x80], tsdu].concat()
}

/// A DT TPDU without its end mark.
fn dt_first(octets: &[u8]) -> Vec<u8> {
    [&[3, 0, 0, octets.len() as u8 + 7, 2, 0xf0, 0], octets].concat()
}

const LONG: Duration = Duration::from_secs(60);

fn expedited_data_between_the_tpdus_of_a_tsdu_come_first<W: World>() {
    let Some((mut raw, mut talk)) = raw_talk::<W>(Fu::DUPLEX | Fu::EXPEDITED, LONG) else { return };
    let stream =
        [dt_first(&[1, 0, 1, 0, 7]), ed(&[5, 0, 0xe1]), dt_first(&[8]), ed(&[5, 0, 0xe2]), tpkt(&[9])];
    // Octet by octet, so that each TPDU straddles receipts.
    for octet in stream.concat() {
        raw.send(&[octet]);
        raw.until(&mut talk.pair, |_, _| true);
        talk.pair.server.turn(Some(Duration::from_millis(1))).unwrap();
    }
    raw.until(&mut talk.pair, |_, pair| pair.server.app().data_count == 1);
    let seen = talk.seen(Server);
    assert_eq!(seen.len(), 3, "{seen:?}");
    for (seen, octet) in seen.iter().zip(["225", "226"]) {
        assert!(matches!(seen, Seen::Told(text) if text.contains("ExpeditedData") && text.contains(octet)));
    }
    assert_eq!(seen[2], Seen::Data(vec![7, 8, 9]));
    assert_eq!(talk.pair.server.tally().spdus_expedited_data_in, 2);
}

fn what_overtakes_the_spdu_it_belongs_behind_is_told_behind_it<W: World>() {
    let units = crate::services::synchronized() | Fu::EXPEDITED;
    let Some((mut raw, mut talk)) = raw_talk::<W>(units, LONG) else { return };
    talk.request(Server, crate::services::abandon());
    raw.until(&mut talk.pair, |raw, _| raw.received.len() > 12);
    // PR(RS) on the one flow, RS on the other.
    assert_eq!(raw.received[5..12], [0x10, 0x80, 7, 3, 0x18, 1, 2]);
    // PR(RA), two EX, and no RA yet.
    raw.send(&[ed(&[7, 3, 0x18, 1, 3]), ed(&[5, 0, 0xe1]), ed(&[5, 0, 0xe2])].concat());
    let before = talk.pair.server.tally().tsdus_in;
    raw.until(&mut talk.pair, |_, pair| pair.server.tally().tsdus_in == before + 3);
    assert_eq!(talk.seen(Server), [], "EX was sent behind RA, and waits for it");
    // RA, and data in the same segment: what has waited comes before what comes after.
    raw.send(&[tpkt(&[1, 0, 34, 6, 0x1a, 1, 0, 0x2a, 1, b'1']), tpkt(&[1, 0, 1, 0, 0xdd])].concat());
    raw.until(&mut talk.pair, |_, pair| pair.server.app().data_count == 1);
    let seen = talk.seen(Server);
    let parts = ["ResynchronizeConfirm", "user_data: [225]", "user_data: [226]"];
    for (seen, part) in seen.iter().zip(parts) {
        assert!(matches!(seen, Seen::Told(text) if text.contains(part)), "{seen:?} is not {part}");
    }
    assert_eq!(seen[3..], [Seen::Data(vec![0xdd])]);
}

fn expedited_tpdus_nobody_agreed_upon_are_a_fault<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    raw.send(&ed(&[5, 0, 1]));
    raw.until(&mut pair, |raw, _| raw.closed);
    assert_eq!(raw.received[5], 0x70, "ER");
    drop(raw);
    pair.until(|pair| pair.server.connection_count() == 0);
    assert_eq!(pair.server.app().ends(), ["ProtocolError"]);
    assert_eq!(pair.server.tally().faults_transport, 1);
}

fn a_normal_spdu_on_the_expedited_flow_is_a_fault<W: World>() {
    let Some((mut raw, mut talk)) = raw_talk::<W>(Fu::DUPLEX | Fu::EXPEDITED, LONG) else { return };
    raw.send(&ed(&[9, 0]));
    raw.until(&mut talk.pair, |_, pair| !pair.server.app().ends().is_empty());
    assert_eq!(talk.pair.server.app().ends(), ["ProtocolError"]);
    assert_eq!(talk.pair.server.tally().faults_session, 1);
    // Two octets and a parameter fit the expedited flow, on which an abort goes where there is one.
    raw.until(&mut talk.pair, |raw, _| !raw.received.is_empty());
    assert_eq!(raw.received[5..8], [0x10, 0x80, 25]);
}

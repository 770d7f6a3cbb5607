//! Test purposes of data transfer and segmenting (reference 12.2, 12.3); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::machine::JOINED_OCTETS_MAX;
use colloquy_session::spdu::{Abort, Finish, Segment, Spdu, SpduKind, Tsdu};
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits, Indication, PeerFault, ProviderAbortReason, ServiceError,
    Session, SessionConfig, State, Tokens, TransportDisconnect, TsduMaximumSize, Versions,
};
use machine_support::*;

const FIRST: Enclosure = Enclosure { begin: true, end: false };
const MIDDLE: Enclosure = Enclosure { begin: false, end: false };
const LAST: Enclosure = Enclosure { begin: false, end: true };

/// The TSDUs of one SSDU or part of one.
fn data(session: &mut Session, body: &[u8], enclosure: Enclosure) -> Vec<Vec<u8>> {
    let mut rest = body;
    let segments = session.data_request(body.len(), enclosure).expect("data may be sent");
    let tsdus = segments
        .map(|segment| {
            let (part, after) = rest.split_at(segment.octets);
            rest = after;
            [segment.header(), part].concat()
        })
        .collect();
    assert!(rest.is_empty(), "the segments cover the SSDU");
    tsdus
}

fn whole(user_data: &'static [u8]) -> Indication<'static> {
    Indication::Data { user_data, user_data_offset: 4, enclosure: Enclosure::WHOLE }
}

fn segmenting(size: u16, strict: bool) -> (Session, Session) {
    let connect = ConnectParameters { tsdu_maximum_size: both(size), ..connect() };
    established(&SessionConfig { strict, ..SessionConfig::default() }, &connect, &accept())
}

fn assert_aborted(session: &mut Session, indications: &[Indication<'_>]) -> PeerFault {
    let reason = ProviderAbortReason::ProtocolError;
    assert_eq!(indications.last(), Some(&Indication::ProviderAbort { reason }));
    assert_eq!(session.state(), State::Sta16);
    assert!(session.poll_timeout().is_some());
    assert_eq!(drain_one(session)[2..5], [0x11, 0x01, 0x05]);
    session.take_fault().expect("a fault for the log")
}

#[test]
fn tp034_and_tp035_data_of_any_size_cross_in_both_directions() {
    let (mut initiator, mut responder) = duplex();
    for octets in [1, 254, 255, 65535, 1 << 20] {
        let body: Vec<u8> = (0..octets).map(|n| (n % 251) as u8).collect();
        let there = data(&mut initiator, &body, Enclosure::WHOLE);
        let back = data(&mut responder, &body, Enclosure::WHOLE);
        assert_eq!(there, back);
        assert_eq!(there.len(), 1);
        assert_eq!(there[0][..4], [1, 0, 1, 0]);
        let body = body.leak();
        assert_eq!(feed(&mut responder, &there[0]), [whole(body)]);
        assert_eq!(feed(&mut initiator, &back[0]), [whole(body)]);
    }
    assert_eq!(feed(&mut responder, &hex("01 00 01 00")), [whole(b"")]);
}

#[test]
fn data_whose_end_is_elsewhere_are_indicated_with_their_offset() {
    let (_, mut responder) = duplex();
    let head = hex("01 00 01 00 61 62");
    let mut tsdu = Tsdu::with_tail(&head, 1000);
    let indication = responder.handle_tsdu(NOW, &mut tsdu);
    assert_eq!(indication, Some(whole(b"ab")));
    assert_eq!(responder.handle_tsdu(NOW, &mut tsdu), None);
}

#[test]
fn tp036_a_lone_data_transfer_is_delivered_in_lenient_mode_only() {
    let (_, mut responder) = duplex();
    let expected = Indication::Data { user_data: b"ab", user_data_offset: 2, enclosure: Enclosure::WHOLE };
    assert_eq!(feed(&mut responder, &hex("01 00 61 62")), [expected]);
    let strict = SessionConfig { strict: true, ..SessionConfig::default() };
    let (_, mut responder) = established(&strict, &connect(), &accept());
    let indications = feed(&mut responder, &hex("01 00 61 62"));
    assert_aborted(&mut responder, &indications);
}

#[test]
fn tp037_tokens_at_the_head_are_indicated_after_the_data_behind_them() {
    let (_, mut responder) = half_duplex();
    let give = Indication::TokenGive { tokens: Tokens::DATA, user_data: &[] };
    let data = Indication::Data { user_data: b"ab", user_data_offset: 7, enclosure: Enclosure::WHOLE };
    assert_eq!(feed(&mut responder, &hex("01 03 10 01 01 01 00 61 62")), [data, give]);
    assert_eq!(responder.tokens_owned(), Tokens::DATA);
}

#[test]
fn tp038_order_is_kept() {
    let (mut initiator, mut responder) = duplex();
    for n in 0..100u8 {
        let tsdus = data(&mut initiator, &[n], Enclosure::WHOLE);
        assert_eq!(feed(&mut responder, &tsdus[0]), [whole(vec![n].leak())]);
    }
}

#[test]
fn tp039_data_before_the_response_are_a_protocol_error() {
    let (_, mut responder) = indicated(&SessionConfig::default(), &connect());
    let indications = feed(&mut responder, &hex("01 00 01 00 61"));
    let fault = assert_aborted(&mut responder, &indications);
    let (spdu, state) = (SpduKind::DataTransfer, State::Sta08);
    assert_eq!(fault, PeerFault::Inopportune { spdu, offset: 2, state });
}

#[test]
fn tp040_data_from_the_side_without_the_token_are_a_protocol_error() {
    let (mut initiator, _) = half_duplex();
    let indications = feed(&mut initiator, &hex("01 00 01 00 61"));
    let fault = assert_aborted(&mut initiator, &indications);
    assert!(matches!(fault, PeerFault::Violation { spdu: SpduKind::DataTransfer, .. }));
}

#[test]
fn tp041_tp042_tp043_and_tp142_broken_concatenations_are_protocol_errors() {
    // Lenient, the first would be a lone DT: that is what octets behind SI 1 that are no SPDU mean there.
    let strict = SessionConfig { strict: true, ..SessionConfig::default() };
    for octets in ["01 00 63 00", "31 03 2a 01 31", "01 00 09 00", "", "01"] {
        let (_, mut responder) = established(&strict, &connect(), &accept());
        let indications = feed(&mut responder, &hex(octets));
        let fault = assert_aborted(&mut responder, &indications);
        assert!(matches!(fault, PeerFault::Decode(_)), "{octets}: {fault:?}");
    }
}

#[test]
fn a_protocol_error_reflects_the_octets_at_fault() {
    let (_, mut responder) = duplex();
    feed(&mut responder, &hex("01 00 31 0a 2a 08 31 32 33 34 35 36 37 38"));
    // Up to nine octets of the SPDU at fault: not of the head before it.
    assert_eq!(drain_one(&mut responder), hex("19 0e 11 01 05 31 09 31 0a 2a 08 31 32 33 34 35"));
}

#[test]
fn tp044_an_ssdu_is_sent_in_segments_of_the_agreed_size() {
    let (mut initiator, mut responder) = segmenting(1024, true);
    let body: Vec<u8> = (0..5000).map(|n| (n % 241) as u8).collect();
    let tsdus = data(&mut initiator, &body, Enclosure::WHOLE);
    assert_eq!(tsdus.len(), 5);
    let mut received = Vec::new();
    for (index, tsdu) in tsdus.iter().enumerate() {
        assert!(tsdu.len() <= 1024);
        let enclosure = [FIRST, MIDDLE, MIDDLE, MIDDLE, LAST][index];
        match feed(&mut responder, tsdu)[..] {
            [Indication::Data { user_data, enclosure: indicated, user_data_offset: 7 }] => {
                assert_eq!(indicated, enclosure);
                received.extend_from_slice(user_data);
            }
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!(received, body);
}

#[test]
fn tp045_an_ssdu_that_fits_says_that_it_is_whole() {
    let (mut initiator, _) = segmenting(1024, true);
    let fitting = data(&mut initiator, &[0; 1017], Enclosure::WHOLE);
    assert_eq!(fitting.len(), 1);
    assert_eq!((fitting[0].len(), &fitting[0][..7]), (1024, &hex("01 00 01 03 19 01 03")[..]));
    assert_eq!(data(&mut initiator, &[0; 1018], Enclosure::WHOLE).len(), 2);
}

#[test]
fn tp046_the_last_segment_may_be_empty() {
    let (_, mut responder) = segmenting(1024, true);
    let first = Indication::Data { user_data: b"a", user_data_offset: 7, enclosure: FIRST };
    let last = Indication::Data { user_data: b"", user_data_offset: 7, enclosure: LAST };
    assert_eq!(feed(&mut responder, &hex("01 00 01 03 19 01 01 61")), [first]);
    assert_eq!(feed(&mut responder, &hex("01 00 01 03 19 01 02")), [last]);
    assert_eq!(responder.state(), State::Sta713);
}

#[test]
fn tp047_only_the_direction_with_a_finite_size_is_segmented() {
    let sizes = TsduMaximumSize { initiator_to_responder: 64, responder_to_initiator: 0 };
    let connect = ConnectParameters { tsdu_maximum_size: Some(sizes), ..connect() };
    let (mut initiator, mut responder) = established(&SessionConfig::default(), &connect, &accept());
    assert_eq!((initiator.send_octets_max(), initiator.receive_octets_max()), (Some(64), None));
    assert_eq!((responder.send_octets_max(), responder.receive_octets_max()), (None, Some(64)));
    assert_eq!(data(&mut initiator, &[0; 300], Enclosure::WHOLE).len(), 6);
    assert_eq!(data(&mut responder, &[0; 300], Enclosure::WHOLE), [[&[1, 0, 1, 0][..], &[0; 300]].concat()]);
}

#[test]
fn parts_of_an_ssdu_come_in_order_and_only_with_segmenting() {
    let (mut initiator, mut responder) = segmenting(64, true);
    let begins = initiator.data_request(1, LAST).err();
    assert!(matches!(begins, Some(ServiceError::Parameter(_))));
    let mut tsdus = data(&mut initiator, &[1; 100], FIRST);
    assert_eq!(initiator.data_request(1, FIRST).err(), Some(ServiceError::SsduIncomplete));
    assert_eq!(initiator.release_request(NOW, &[]), Err(ServiceError::SsduIncomplete));
    tsdus.extend(data(&mut initiator, &[2; 10], MIDDLE));
    tsdus.extend(data(&mut initiator, &[], LAST));
    let enclosures: Vec<_> = tsdus.iter().map(|tsdu| tsdu[6]).collect();
    assert_eq!(enclosures, [1, 0, 0, 2]);
    for tsdu in &tsdus {
        assert_eq!(feed(&mut responder, tsdu).len(), 1);
    }
    initiator.release_request(NOW, &[]).unwrap();
    let (mut unsegmented, _) = duplex();
    assert!(matches!(unsegmented.data_request(1, FIRST).err(), Some(ServiceError::Parameter(_))));
}

#[test]
fn tp048_user_data_of_100000_octets_are_segmented_and_joined() {
    let long: Vec<u8> = (0..100_000).map(|n| (n % 239) as u8).collect();
    for size in [0, 64, 1000] {
        let (mut initiator, mut responder) = match size {
            0 => duplex(),
            size => segmenting(size, true),
        };
        initiator.release_request(NOW, &long).unwrap();
        assert_eq!(carry(&mut initiator, &mut responder, size), [Indication::Release { user_data: &long }]);
        responder.release_response(NOW, true, &long).unwrap();
        let confirm = Indication::ReleaseConfirm { affirmative: true, user_data: &long };
        assert_eq!(carry(&mut responder, &mut initiator, size), [confirm]);
        let (mut initiator, mut responder) = duplex();
        initiator.abort_request(NOW, &long).unwrap();
        assert_eq!(carry(&mut initiator, &mut responder, 0), [Indication::UserAbort { user_data: &long }]);
        assert_eq!(drain(&mut responder), [Sent::Disconnect]);
    }
    let (mut initiator, _) = duplex();
    let error = initiator.release_request(NOW, &vec![0; JOINED_OCTETS_MAX + 1]);
    assert!(matches!(error, Err(ServiceError::UserDataLength { octets_max: JOINED_OCTETS_MAX, .. })));
}

/// Carries all TSDUs, none longer than `size` (0: any).
fn carry(from: &mut Session, to: &mut Session, size: u16) -> Vec<Indication<'static>> {
    let mut indications = Vec::new();
    for sent in drain(from) {
        if let Sent::Tsdu(octets) = sent {
            assert!(size == 0 || octets.len() <= usize::from(size), "{} octets", octets.len());
            indications.extend(feed(to, &octets));
        }
    }
    indications
}

#[test]
fn an_accept_in_segments_is_joined_as_rusty_cosp_sends_it() {
    let mut initiator = Session::initiator(&SessionConfig::default(), &connect()).unwrap();
    initiator.transport_connected(NOW, false);
    drain_one(&mut initiator);
    let part = |enclosure: u8, user_data: &[u8]| {
        let parameters = hex("05 06 13 01 00 16 01 02 14 02 00 02 19 01");
        let rest = [&[enclosure, 0xc1, user_data.len() as u8], user_data].concat();
        [&[0x0e, (parameters.len() + rest.len()) as u8], &parameters[..], &rest].concat()
    };
    // Each segment repeats all parameters.
    assert_eq!(feed(&mut initiator, &part(1, b"one")), []);
    assert_eq!(feed(&mut initiator, &part(0, b"two")), []);
    match feed(&mut initiator, &part(2, b"three"))[..] {
        [Indication::ConnectConfirm(confirm)] => assert_eq!(confirm.user_data, b"onetwothree"),
        ref other => panic!("{other:?}"),
    }
    assert_eq!((initiator.state(), initiator.take_fault()), (State::Sta713, None));
}

#[test]
fn a_refusal_in_segments_is_joined_as_rusty_cosp_sends_it() {
    let mut initiator = Session::initiator(&SessionConfig::default(), &connect()).unwrap();
    initiator.transport_connected(NOW, false);
    drain_one(&mut initiator);
    // Each segment repeats the reason octet, and there is no Transport Disconnect.
    assert_eq!(feed(&mut initiator, &hex("0c 08 19 01 01 32 03 02 61 62")), []);
    assert_eq!(feed(&mut initiator, &hex("0c 07 19 01 00 32 02 02 63")), []);
    match feed(&mut initiator, &hex("0c 07 19 01 02 32 02 02 64"))[..] {
        [Indication::ConnectRefused(refuse)] => {
            assert_eq!((refuse.reason, refuse.user_data), (2, &b"abcd"[..]))
        }
        ref other => panic!("{other:?}"),
    }
    assert_eq!((initiator.state(), drain(&mut initiator)), (State::Sta01, vec![Sent::Disconnect]));
}

#[test]
fn tp049_an_abort_in_the_middle_of_an_ssdu_drops_what_came() {
    let (_, mut responder) = segmenting(1024, true);
    feed(&mut responder, &hex("01 00 01 03 19 01 01 61"));
    assert_eq!(feed(&mut responder, &hex("19 03 11 01 03")), [Indication::UserAbort { user_data: &[] }]);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![Sent::Disconnect]));
    let (_, mut responder) = duplex();
    let first = Finish { enclosure: Some(FIRST), user_data: b"x", ..Default::default() };
    assert_eq!(feed(&mut responder, &tsdu(Spdu::Finish(first))), []);
    assert_eq!(feed(&mut responder, &hex("19 03 11 01 03")), [Indication::UserAbort { user_data: &[] }]);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![Sent::Disconnect]));
}

#[test]
fn a_session_that_is_over_or_idle_holds_no_partial_spdu() {
    let (mut initiator, mut responder) = duplex();
    let first = Finish { enclosure: Some(FIRST), user_data: &[0; 50_000], ..Default::default() };
    feed(&mut responder, &tsdu(Spdu::Finish(first)));
    feed(&mut responder, &hex("19 03 11 01 03"));
    feed(&mut initiator, &tsdu(Spdu::Finish(first)));
    initiator.abort_request(NOW, &[]).unwrap();
    let (mut idle, _) = duplex();
    for session in [&mut initiator, &mut responder, &mut idle] {
        drain(session);
        assert!(format!("{session:?}").contains("cold: None"), "{session:?}");
    }
}

#[test]
fn tp050_and_tp051_segments_out_of_order_are_protocol_errors() {
    for octets in ["01 00 01 03 19 01 00 61", "01 00 01 03 19 01 02 61"] {
        let (_, mut responder) = segmenting(1024, false);
        let indications = feed(&mut responder, &hex(octets));
        assert_aborted(&mut responder, &indications);
    }
    for octets in ["01 00 01 03 19 01 01 61", "01 00 01 03 19 01 03 61", "01 00 01 00 61"] {
        let (_, mut responder) = segmenting(1024, false);
        assert_eq!(feed(&mut responder, &hex("01 00 01 03 19 01 01 61")).len(), 1);
        let indications = feed(&mut responder, &hex(octets));
        let fault = assert_aborted(&mut responder, &indications);
        assert!(matches!(fault, PeerFault::Violation { spdu: SpduKind::DataTransfer, .. }), "{fault:?}");
    }
}

#[test]
fn segments_of_a_release_out_of_order_are_protocol_errors() {
    let first =
        || tsdu(Spdu::Finish(Finish { enclosure: Some(FIRST), user_data: b"x", ..Default::default() }));
    let later = |end| tsdu(Spdu::Segment(Segment { kind: SpduKind::Finish, end, user_data: b"y" }));
    let whole = tsdu(Spdu::Finish(Finish::default()));
    let data = hex("01 00 01 00 61");
    let faulty = [vec![later(true)], vec![first(), first()], vec![first(), whole], vec![first(), data]];
    for (index, tsdus) in faulty.iter().enumerate() {
        let (_, mut responder) = duplex();
        let mut indications = Vec::new();
        for tsdu in tsdus {
            indications.extend(feed(&mut responder, tsdu));
        }
        assert_eq!(indications.len(), 1, "case {index}");
        assert_aborted(&mut responder, &indications);
    }
    // Only a bounded amount is put together.
    let (_, mut responder) = duplex();
    let part = Segment { kind: SpduKind::Finish, end: false, user_data: &[0; 60_000] };
    feed(&mut responder, &first());
    feed(&mut responder, &tsdu(Spdu::Segment(part)));
    feed(&mut responder, &tsdu(Spdu::Segment(part)));
    let indications = feed(&mut responder, &tsdu(Spdu::Segment(part)));
    assert_aborted(&mut responder, &indications);
}

#[test]
fn tp052_a_tsdu_above_the_agreed_maximum_is_a_protocol_error() {
    let too_long = |octets: usize| {
        let mut tsdu = hex("01 00 01 03 19 01 03");
        tsdu.resize(octets, 0);
        tsdu
    };
    let (_, mut responder) = segmenting(1024, true);
    assert_eq!(feed(&mut responder, &too_long(1024)).len(), 1);
    let indications = feed(&mut responder, &too_long(1025));
    let fault = assert_aborted(&mut responder, &indications);
    assert!(matches!(fault, PeerFault::Violation { .. }));
    // Lenient: peers that count user data only.
    let (_, mut responder) = segmenting(1024, false);
    assert!(matches!(feed(&mut responder, &too_long(1031))[..], [Indication::Data { .. }]));
    let indications = feed(&mut responder, &too_long(1032));
    assert_aborted(&mut responder, &indications);
}

#[test]
fn the_enclosure_item_is_optional_in_lenient_mode() {
    let (_, mut responder) = segmenting(1024, false);
    assert_eq!(feed(&mut responder, &hex("01 00 01 00 61")), [whole(b"a")]);
    let (_, mut responder) = segmenting(1024, true);
    let indications = feed(&mut responder, &hex("01 00 01 00 61"));
    assert_aborted(&mut responder, &indications);
    let (_, mut responder) = duplex();
    assert_eq!(feed(&mut responder, &hex("01 00 01 03 19 01 01 61")).len(), 1);
    assert_eq!(feed(&mut responder, &hex("01 00 01 03 19 01 02 61")).len(), 1);
}

#[test]
fn tp053_an_enclosure_item_of_a_release_in_version_1_is_an_error_or_ignored() {
    for strict in [true, false] {
        let connect = ConnectParameters { versions: Versions::V1, ..connect() };
        let config = SessionConfig { strict, ..SessionConfig::default() };
        let (_, mut responder) = established(&config, &connect, &accept());
        let first = Finish { enclosure: Some(FIRST), user_data: b"x", ..Default::default() };
        let indications = feed(&mut responder, &tsdu(Spdu::Finish(first)));
        match strict {
            true => assert!(matches!(assert_aborted(&mut responder, &indications), PeerFault::Decode(_))),
            false => assert_eq!(indications, [Indication::Release { user_data: b"x" }]),
        }
    }
}

#[test]
fn tp072_an_abort_with_ten_octets_in_version_1_is_not_answered() {
    let connect = ConnectParameters { versions: Versions::V1, ..connect() };
    let (_, mut responder) = established(&SessionConfig::default(), &connect, &accept());
    let abort = Abort {
        transport_disconnect: TransportDisconnect::RELEASED | TransportDisconnect::USER_ABORT,
        user_data: &[0; 10],
        ..Default::default()
    };
    let indications = feed(&mut responder, &tsdu(Spdu::Abort(abort)));
    assert_eq!(indications.len(), 1);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![Sent::Disconnect]));
}

#[test]
fn more_than_512_octets_in_version_1_are_a_protocol_error() {
    let connect = ConnectParameters { versions: Versions::V1, ..connect() };
    let (_, mut responder) = established(&SessionConfig::default(), &connect, &accept());
    let finish = tsdu(Spdu::Finish(Finish { user_data: &[0; 513], ..Default::default() }));
    let indications = feed(&mut responder, &finish);
    assert!(matches!(assert_aborted(&mut responder, &indications), PeerFault::Decode(_)));
}

#[test]
fn tp083_typed_data_need_no_token_and_tp084_the_unit() {
    let typed = SessionConfig {
        functional_units: FunctionalUnits::HALF_DUPLEX | FunctionalUnits::TYPED_DATA,
        ..SessionConfig::default()
    };
    let connect = ConnectParameters { requirements: typed.functional_units, ..connect() };
    let (mut initiator, mut responder) = established(&typed, &connect, &accept());
    let segments: Vec<_> = responder.typed_data_request(2, Enclosure::WHOLE).unwrap().collect();
    assert_eq!(segments[0].header(), [0x21, 0x00]);
    let indications = feed(&mut initiator, &hex("21 00 61 62"));
    let expected =
        Indication::TypedData { user_data: b"ab", user_data_offset: 2, enclosure: Enclosure::WHOLE };
    assert_eq!(indications, [expected]);
    let (mut initiator, mut responder) = duplex();
    let error = responder.typed_data_request(2, Enclosure::WHOLE).err();
    assert_eq!(error, Some(ServiceError::FunctionalUnit(FunctionalUnits::TYPED_DATA)));
    let indications = feed(&mut initiator, &hex("21 00 61 62"));
    assert_aborted(&mut initiator, &indications);
}

#[test]
fn spdus_of_units_not_selected_are_protocol_errors() {
    let others = [
        "05 00 61",                               // EX
        "07 03 18 01 02",                         // PR
        "08 00",                                  // NF
        "15 00",                                  // GTC
        "16 00",                                  // GTA
        "01 00 31 03 2a 01 31",                   // MIP
        "02 00 32 03 2a 01 31",                   // MIA
        "01 00 29 06 0f 01 01 2a 01 31",          // MAP
        "02 00 2a 03 2a 01 31",                   // MAA
        "01 00 29 03 2a 01 31",                   // AE
        "01 00 35 09 1a 01 00 1b 01 01 2a 01 31", // RS
        "02 00 22 06 1a 01 00 2a 01 31",          // RA
        "02 00 00 04 31 02 31 04",                // ER
        "02 00 30 03 32 01 03",                   // ED
        "01 00 2d 03 29 01 31",                   // AS
        "01 00 19 03 32 01 00",                   // AI
        "02 00 1a 00",                            // AIA
        "01 00 39 03 32 01 05",                   // AD
        "02 00 3a 00",                            // ADA
        "01 00 3d 00",                            // CD
        "02 00 3e 00",                            // CDA
        "10 03 16 01 02",                         // OA
        "0f 06 19 01 02 c1 01 61",                // CDO
    ];
    for octets in others {
        let (mut initiator, mut responder) = duplex();
        for session in [&mut initiator, &mut responder] {
            let indications = feed(session, &hex(octets));
            assert_aborted(session, &indications);
        }
    }
}

#[test]
fn expedited_before_the_accept_is_a_protocol_error_without_transport_expedited() {
    for octets in ["05 00 61", "07 03 18 01 02", "07 03 18 01 04"] {
        let mut initiator = Session::initiator(&SessionConfig::default(), &connect()).unwrap();
        initiator.transport_connected(NOW, false);
        drain_one(&mut initiator);
        let indications = feed(&mut initiator, &hex(octets));
        assert_aborted(&mut initiator, &indications);
    }
}

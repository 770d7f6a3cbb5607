//! What the codec promises its callers beyond the octets of the vectors.

// What a helper unwraps fails the test that calls it.
#![allow(clippy::unwrap_used)]

mod codec_support;

use codec_support::{decode, parse_hex};
use colloquy_session::spdu::describe::describe_tsdu;
use colloquy_session::spdu::*;
use colloquy_session::{
    ConnectionIdentifier, Enclosure, FunctionalUnits, SerialNumber, Tokens, TransportDisconnect, Versions,
};

/// Octets to cut user data of any length from.
static OCTETS: [u8; 70_000] = [0xA5; 70_000];

fn enclosures() -> [Option<Enclosure>; 5] {
    let enclosure = |begin, end| Some(Enclosure { begin, end });
    [None, enclosure(false, false), enclosure(false, true), enclosure(true, false), enclosure(true, true)]
}

/// A value that is `Copy` owns no memory: neither parsing nor emitting has anything to allocate.
#[test]
fn representations_and_views_own_nothing() {
    fn assert_copy<T: Copy>() {}
    assert_copy::<Spdu<'_>>();
    assert_copy::<SpduView<'_>>();
    assert_copy::<DataHeader>();
    assert_copy::<DecodeError>();
}

#[test]
fn kinds_are_in_the_order_of_their_table() {
    for (index, kind) in SpduKind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, index, "{}", kind.name());
        assert_eq!(kind.head().is_some(), kind.category() == Category::Two, "{}", kind.name());
    }
}

#[test]
fn data_headers_are_what_the_spdus_emit() {
    for bits in 0..=Tokens::all().bits() {
        let tokens = Tokens::from_bits_truncate(bits);
        for enclosure in enclosures() {
            let header = DataHeader::data_transfer(tokens, enclosure);
            let mut expected = Vec::new();
            let give = Spdu::GiveTokens(GiveTokens { tokens, ..Default::default() });
            give.emit_into(&mut expected).unwrap();
            let data = DataTransfer { enclosure, user_information: &[] };
            Spdu::DataTransfer(data).emit_into(&mut expected).unwrap();
            assert_eq!(header.as_octets(), expected);
            assert!(header.as_octets().len() <= DATA_HEADER_OCTETS_MAX);
            assert!(!tokens.is_empty() || header.as_octets().len() <= 8);
        }
    }
    for enclosure in enclosures() {
        let mut expected = Vec::new();
        let data = TypedData { enclosure, user_information: &[] };
        Spdu::TypedData(data).emit_into(&mut expected).unwrap();
        assert_eq!(DataHeader::typed_data(enclosure).as_octets(), expected);
    }
    assert_eq!(DataHeader::expedited_data(14).unwrap().as_octets(), [0x05, 0x00]);
    assert!(DataHeader::expedited_data(0).is_err());
    assert!(DataHeader::expedited_data(15).is_err());
}

#[test]
fn the_plain_data_header_is_the_one_that_every_peer_takes() {
    assert_eq!(DataHeader::data_transfer(Tokens::empty(), None).as_octets(), [0x01, 0x00, 0x01, 0x00]);
}

/// The prefix `01 00 01 00` is taken without looking at the tables; other spellings of the same go
/// through them.
#[test]
fn the_short_cut_for_data_reads_like_the_tables() {
    let short = decode(Tsdu::new(&[0x01, 0x00, 0x01, 0x00, 0xA1, 0xA2]), &DecodeRules::LENIENT).unwrap();
    let long_octets = parse_hex("01 ff 00 00 01 ff 00 00 a1 a2");
    let long = decode(Tsdu::new(&long_octets), &DecodeRules::LENIENT).unwrap();
    assert_eq!(short.len(), 2);
    for ((short, short_spdu), (long, long_spdu)) in short.iter().zip(&long) {
        assert_eq!(short.kind, long.kind);
        assert_eq!(short_spdu, long_spdu);
        assert_eq!(short.user_information, long.user_information);
        assert_eq!(short.user_information_octets, long.user_information_octets);
    }
    assert_eq!(short[1].0.offset, 2);
    assert_eq!(short[1].0.parameters_offset, 4);
    assert_eq!(short[1].0.user_information_offset, 4);
}

#[test]
fn a_connect_that_says_nothing_does_not_propose_duplex() {
    let spdus = decode(Tsdu::new(&[0x0D, 0x00]), &DecodeRules::LENIENT).unwrap();
    let Spdu::Connect(connect) = spdus[0].1 else { panic!("{spdus:?}") };
    assert_eq!(connect, Connect::default());
    assert_eq!(connect.requirements.bits(), 0x0349);
    assert!(!connect.requirements.contains(FunctionalUnits::DUPLEX));
    assert_eq!(connect.item.versions, Versions::V1);
    assert_eq!(connect.item.tsdu_maximum_size, None);
    assert!(!connect.needs_version_2());
}

#[test]
fn an_absent_transport_disconnect_means_released() {
    assert!(!Finish::default().is_transport_kept());
    assert!(!Refuse::default().is_transport_kept());
    assert!(!Abort::default().is_transport_kept());
    let kept = Some(TransportDisconnect::empty());
    assert!(Finish { transport_disconnect: kept, ..Default::default() }.is_transport_kept());
    assert!(Refuse { transport_disconnect: kept, ..Default::default() }.is_transport_kept());
}

#[test]
fn a_user_abort_is_one_whatever_else_is_set() {
    let bits = TransportDisconnect::from_bits_truncate(0x0B);
    assert!(Abort { transport_disconnect: bits, ..Default::default() }.is_user_abort());
}

/// SPDUs that cannot be emitted, and why.
fn faulty_spdus() -> Vec<(Spdu<'static>, EmitError)> {
    let length = |parameter, octets, octets_min, octets_max| EmitError::ValueLength {
        parameter,
        octets,
        octets_min,
        octets_max,
    };
    let information = |octets| EmitError::UserInformationLength { octets, octets_min: 1, octets_max: 14 };
    let identifier = ConnectionIdentifier { user_reference: &OCTETS[..65], ..Default::default() };
    let serial_number = SerialNumber(1_000_000);
    let letters = ConnectAcceptItem { large_initial_serial_number: b"12a", ..Default::default() };
    let later = Some(Enclosure { begin: false, end: true });
    let connect = Connect::default();
    vec![
        (Spdu::Connect(Connect { identifier, ..connect }), length(10, 65, 0, 64)),
        (Spdu::Connect(Connect { item: letters, ..connect }), EmitError::ValueRange { parameter: 57 }),
        (Spdu::Connect(Connect { user_data: &OCTETS[..10_241], ..connect }), length(194, 10_241, 0, 10_240)),
        (Spdu::ConnectDataOverflow(ConnectDataOverflow::default()), length(193, 0, 1, 65_528)),
        (
            Spdu::MinorSyncPoint(MinorSyncPoint { serial_number, ..Default::default() }),
            EmitError::ValueRange { parameter: 42 },
        ),
        (
            Spdu::ActivityStart(ActivityStart { activity_identifier: &OCTETS[..7], ..Default::default() }),
            length(41, 7, 0, 6),
        ),
        (Spdu::Abort(Abort { reflect: &OCTETS[..10], ..Default::default() }), length(49, 10, 0, 9)),
        (
            Spdu::Finish(Finish { enclosure: later, ..Default::default() }),
            EmitError::ValueRange { parameter: 25 },
        ),
        (
            Spdu::Segment(Segment { kind: SpduKind::Refuse, end: true, user_data: &[] }),
            EmitError::ValueRange { parameter: 25 },
        ),
        (
            Spdu::Finish(Finish { user_data: &OCTETS[..65_536], ..Default::default() }),
            length(193, 65_536, 0, 65_535),
        ),
        (
            Spdu::Finish(Finish { user_data: &OCTETS[..65_532], ..Default::default() }),
            EmitError::SpduTooLong { octets: 65_536 },
        ),
        (Spdu::ExpeditedData(ExpeditedData { user_information: &[] }), information(0)),
        (Spdu::ExpeditedData(ExpeditedData { user_information: &OCTETS[..15] }), information(15)),
    ]
}

#[test]
fn a_value_out_of_its_limits_is_refused_and_nothing_is_written() {
    for (spdu, fault) in faulty_spdus() {
        let mut sink = vec![0x77];
        assert_eq!(spdu.emit_into(&mut sink), Err(fault));
        assert_eq!(spdu.emit_tsdu(&mut sink), Err(fault));
        assert_eq!(sink, [0x77]);
        let mut out = vec![0x77; 70_100];
        assert_eq!(spdu.emit(&mut out), Err(fault));
        assert!(out.iter().all(|&octet| octet == 0x77));
    }
}

#[test]
fn an_output_that_is_too_small_is_left_alone() {
    let mut out = [0x77; 3];
    let finish = Spdu::Finish(Finish { user_data: &[1], ..Default::default() });
    assert_eq!(finish.emit(&mut out), Err(EmitError::OutputTooSmall { octets: 5, available: 3 }));
    assert_eq!(out, [0x77; 3]);
}

#[test]
fn the_limits_on_user_data_are_those_that_parsing_keeps() {
    for version in [Versions::V1, Versions::V2] {
        let octets_max = user_data_octets_max(SpduKind::Disconnect, version);
        for (octets, fits) in [(octets_max, true), (octets_max + 1, false)] {
            let spdu = Spdu::Disconnect(Disconnect { enclosure: None, user_data: &OCTETS[..octets] });
            let mut tsdu = Vec::new();
            // Version 2 has no limit but what an SPDU can hold.
            let emitted = spdu.emit_tsdu(&mut tsdu).is_ok();
            let rules = DecodeRules { version: Some(version), ..DecodeRules::LENIENT };
            assert_eq!(emitted && decode(Tsdu::new(&tsdu), &rules).is_ok(), fits, "{octets} octets");
        }
    }
    assert_eq!(user_data_octets_max(SpduKind::Abort, Versions::V1), 9);
    assert_eq!(user_data_octets_max(SpduKind::GiveTokens, Versions::V1), 0);
    assert_eq!(user_data_octets_max(SpduKind::Connect, Versions::V1), 512);
    assert_eq!(user_data_octets_max(SpduKind::Connect, Versions::V2), 10_240);
    assert_eq!(user_data_octets_max(SpduKind::ConnectDataOverflow, Versions::V2), 65_528);
    assert_eq!(user_data_octets_max(SpduKind::AbortAccept, Versions::V2), 0);
}

/// Later segments say no more than SI and position: each is received as what the first segment announced,
/// or as the one kind that it cannot be told from.
#[test]
fn later_segments_continue_the_spdus_of_their_si_and_position() {
    let mut segmented_count = 0;
    for kind in SpduKind::ALL {
        let segment = Spdu::Segment(Segment { kind, end: true, user_data: b"end" });
        let mut octets = Vec::new();
        let Some(received_as) = kind.of_later_segments() else {
            assert!(segment.emit_tsdu(&mut octets).is_err(), "{kind:?}");
            continue;
        };
        segmented_count += 1;
        segment.emit_tsdu(&mut octets).unwrap();
        for strict in [false, true] {
            let rules = DecodeRules { strict, version: Some(Versions::V2), ..DecodeRules::LENIENT };
            let spdus = decode(Tsdu::new(&octets), &rules).unwrap();
            let (view, Spdu::Segment(received)) = spdus[spdus.len() - 1] else {
                panic!("{kind:?}: {spdus:?}")
            };
            assert_eq!((view.kind, received.kind), (received_as, received_as));
            assert_eq!((received.end, received.user_data), (true, b"end".as_slice()));
            for first in SpduKind::ALL {
                let same = (first.si(), first.category()) == (kind.si(), kind.category());
                assert_eq!(received.continues(first), same, "{kind:?} behind {first:?}");
            }
        }
    }
    // All SPDUs but CN, CDO, OA, RF, AA, GTA, DT, TD, EX, PR and ER.
    assert_eq!(segmented_count, SpduKind::ALL.len() - 11);
}

#[test]
fn a_fault_names_spdu_parameter_and_octet() {
    let octets = [0x01, 0x00, 0x31, 0x03, 0x2A, 0x01, 0x07];
    let fault = decode(Tsdu::new(&octets), &DecodeRules::LENIENT).unwrap_err();
    assert_eq!(fault.offset, 6);
    assert_eq!(fault.spdu, Some(SpduKind::MinorSyncPoint));
    assert_eq!(fault.parameter, Some(42));
    assert_eq!(fault.kind, DecodeErrorKind::NotADigit(7));
    assert_eq!(fault.to_string(), "MIP SPDU, parameter 42 (Serial Number), octet 6: octet 0x07 is no digit");
}

#[test]
fn trees_say_where_everything_is() {
    let octets = parse_hex("0d 0c 05 06 13 01 00 16 01 02 14 02 00 02");
    let tree = describe_tsdu(&octets, Flow::Normal, &DecodeRules::LENIENT);
    let connect = &tree.spdus[0];
    assert_eq!((connect.name, connect.abbreviation, connect.si), ("CONNECT", "CN", 13));
    assert_eq!((connect.offset, connect.li_octets, connect.user_information.len()), (0, 12, 0));
    let [item, requirements] = &connect.parameters[..] else { panic!("{connect:?}") };
    assert_eq!((item.code, item.name, item.offset), (5, "Connect/Accept Item", 2));
    assert_eq!(item.octets, octets[4..10]);
    assert_eq!(item.meaning, "", "a group means what its units mean");
    let offsets: Vec<_> = item.children.iter().map(|unit| (unit.code, unit.offset)).collect();
    assert_eq!(offsets, [(19, 4), (22, 7)]);
    assert_eq!((requirements.offset, requirements.meaning.as_str()), (10, "duplex"));

    let octets = parse_hex("01 00 01 03 19 01 02 61 62 63");
    let tree = describe_tsdu(&octets, Flow::Normal, &DecodeRules::LENIENT);
    assert_eq!(tree.spdus[1].offset, 2);
    assert_eq!(tree.spdus[1].user_information, 7..10);
}

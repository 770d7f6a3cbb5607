//! UNIT DATA of the connectionless session protocol: every vector in both directions, and cut at every octet.

// What a helper unwraps fails the test that calls it.
#![allow(clippy::unwrap_used)]

mod codec_support;

use codec_support::{parse_hex, unit_data_vectors};
use colloquy_session::Selector;
use colloquy_session::spdu::describe::{UnitDataTree, describe_unit_data};
use colloquy_session::spdu::{
    DecodeErrorKind, DecodeRules, EmitError, Tsdu, UNIT_DATA_HEADER_OCTETS_MAX, UnitData, UnitDataFault,
    UnitDataFaultKind,
};

#[test]
fn vectors_decode_to_their_trees_and_encode_to_their_octets() {
    let vectors = unit_data_vectors();
    assert!(vectors.len() > 25);
    for vector in vectors {
        let name = &vector.name;
        assert_eq!(describe_unit_data(&vector.octets, &vector.rules).to_string(), vector.tree, "{name}");
        match UnitData::decode(&vector.octets, &vector.rules) {
            Ok(unit_data) => {
                assert!(!vector.is_faulty(), "{name}");
                let mut encoded = Vec::new();
                unit_data.emit_into(&mut encoded);
                assert_eq!(encoded, vector.encoded, "{name}");
                assert_eq!(unit_data.encoded_octets(), encoded.len(), "{name}");
                let mut slice = vec![0; encoded.len()];
                assert_eq!(unit_data.emit(&mut slice), Ok(encoded.len()), "{name}");
                assert_eq!(slice, encoded, "{name}");
                assert_eq!(UnitData::decode(&encoded, &DecodeRules::STRICT), Ok(unit_data), "{name}");
            }
            Err(fault) => assert!(vector.tree.ends_with(&format!("! {fault}")), "{name}: {fault}"),
        }
    }
}

#[test]
fn vectors_cut_at_every_octet_are_discarded_or_shorter() {
    for vector in unit_data_vectors() {
        for cut in 0..vector.octets.len() {
            let octets = &vector.octets[..cut];
            for rules in [DecodeRules::LENIENT, DecodeRules::STRICT] {
                assert!(!describe_unit_data(octets, &rules).to_string().is_empty());
                match UnitData::decode(octets, &rules) {
                    Ok(unit_data) => assert!(octets.ends_with(unit_data.user_data)),
                    Err(fault) => assert!(fault.offset <= cut, "{} cut at {cut}: {fault}", vector.name),
                }
            }
        }
    }
}

#[test]
fn the_header_has_room_for_both_selectors() {
    let selector = Selector::new(&[0xA1; 16]).unwrap();
    let unit_data = UnitData { calling: selector, called: selector, user_data: b"body" };
    assert_eq!(unit_data.encoded_octets(), UNIT_DATA_HEADER_OCTETS_MAX + 4);
    let mut out = [0x77; UNIT_DATA_HEADER_OCTETS_MAX + 3];
    let fault = unit_data.emit(&mut out).unwrap_err();
    assert_eq!(fault, EmitError::OutputTooSmall { octets: 45, available: 44 });
    assert!(out.iter().all(|&octet| octet == 0x77));
}

#[test]
fn faults_are_values_that_say_why_the_octets_are_discarded() {
    let fault = UnitData::decode(&parse_hex("40 03 16 01 02 a1"), &DecodeRules::LENIENT).unwrap_err();
    let kind = UnitDataFaultKind::UnknownVersion(2);
    assert_eq!(fault, UnitDataFault { offset: 4, parameter: Some(22), kind });
    let fault = UnitData::decode(&[], &DecodeRules::LENIENT).unwrap_err();
    assert_eq!(fault.kind, UnitDataFaultKind::Invalid(DecodeErrorKind::EmptyTsdu));
    assert!(describe_unit_data(&[0x0D, 0x00], &DecodeRules::LENIENT).is_another_spdu());
    assert_eq!(UnitDataTree::SI, UnitData::SI);
}

/// The connection-oriented protocol does not know it.
#[test]
fn unit_data_is_unknown_to_the_decoder_of_tsdus() {
    let octets = parse_hex("40 03 16 01 01 a1");
    let fault = Tsdu::new(&octets).next_spdu(&DecodeRules::LENIENT).unwrap_err();
    assert_eq!(fault.kind, DecodeErrorKind::UnknownSi(UnitData::SI));
}

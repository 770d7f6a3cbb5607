//! Every SPDU that the codec emits, and UNIT DATA, handed to tshark's session dissector itself: types,
//! parameters and values agree, and nothing is malformed.
//!
//! `codec_tshark` sends the same over TPKT, where heuristics decide what is session protocol.
//! Prints `SKIPPED` and passes where tshark is not installed, unless COLLOQUY_REQUIRE_PEERS is 1. A failure
//! prints its seed; COLLOQUY_SEED runs it again.

// What a helper unwraps fails the test that calls it.
#![allow(clippy::unwrap_used)]

mod codec_dissector;
mod codec_support;
mod codec_tape;

use std::time::{SystemTime, UNIX_EPOCH};

use codec_dissector::{Capture, VALUES, fields_of, is_missing};
use codec_support::{decode, tsdu, unit_data_vectors, vectors};
use codec_tape::Tape;
use colloquy_session::spdu::describe::{ParameterTree, describe_tsdu, describe_unit_data};
use colloquy_session::spdu::{Category, DecodeRules, Flow, Head, Spdu, SpduKind, UnitData, concatenate};

/// What one record holds.
struct Expected {
    name: String,
    octets: Vec<u8>,
    types: Vec<u8>,
    parameters: Vec<ParameterTree>,
}

/// LINKTYPE_USER0, whose records are given to the session dissector.
const LINK_TYPE: u32 = 147;
const OPTIONS: [&str; 6] = [
    "-o",
    "uat:user_dlts:\"User 0 (DLT=147)\",\"ses\",\"0\",\"\",\"0\",\"\"",
    // User data here mean nothing: neither presentation protocol nor T.125, which both would try them.
    "--disable-protocol",
    "pres",
    "--disable-protocol",
    "t125",
];
/// What is asked for in front of [`VALUES`].
const FIELDS: [&str; 7] = [
    "ses.type",
    "ses.parameter_type",
    "ses.parameter_length",
    "ses.bad_length",
    "ses.bad_parameter_length",
    "_ws.malformed",
    "_ws.expert.message",
];
/// Random SPDUs of each kind.
const RANDOM_COUNT: usize = 40;
/// Longest record, well within what a capture may hold.
const RECORD_OCTETS_MAX: usize = 70_000;

#[test]
fn tshark_agrees_on_types_parameters_and_values() {
    if is_missing() {
        return;
    }
    let seed = match std::env::var("COLLOQUY_SEED") {
        Ok(seed) => seed.parse().expect("COLLOQUY_SEED is a number"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64,
    };
    println!("COLLOQUY_SEED={seed}");
    let mut expected = of_vectors();
    let of_unit_data = of_unit_data();
    assert!(of_unit_data.len() > 5);
    expected.extend(of_unit_data);
    expected.extend(of_random_spdus(seed));
    expected.extend(of_concatenations());
    for kind in SpduKind::ALL {
        let count = expected.iter().filter(|expected| expected.types.contains(&kind.si())).count();
        assert!(count > RANDOM_COUNT, "{}: {count}", kind.name());
    }
    let mut capture = Capture::new(LINK_TYPE);
    for expected in &expected {
        assert!(expected.octets.len() <= RECORD_OCTETS_MAX);
        capture.record(&expected.octets);
    }
    let values = VALUES.iter().map(|(_, field, _)| *field);
    let fields: Vec<&str> = FIELDS.into_iter().chain(values).collect();
    let rows = fields_of(&capture.octets, &OPTIONS, &fields);
    assert_eq!(rows.len(), expected.len(), "tshark read all records");
    for (expected, row) in expected.iter().zip(&rows) {
        check(expected, row);
    }
}

fn check(expected: &Expected, row: &[String]) {
    let name = &expected.name;
    let octets = &expected.octets[..expected.octets.len().min(200)];
    let (row, values) = row.split_at(FIELDS.len());
    let [types, parameters, lengths, bad_length, bad_parameter_length, malformed, expert] = row else {
        unreachable!("as many as fields were asked for")
    };
    let faults = [bad_length, bad_parameter_length, malformed, expert].map(String::as_str);
    assert_eq!(faults, [""; 4], "{name}: {octets:02x?}");
    let codes = |field: &str| -> Vec<u8> {
        field.split(',').filter(|code| !code.is_empty()).map(|code| code.parse().unwrap()).collect()
    };
    assert_eq!(codes(types), expected.types, "{name}: {octets:02x?}");
    let units: Vec<&ParameterTree> = expected.parameters.iter().flat_map(with_children).collect();
    let ours: Vec<u8> = units.iter().map(|unit| unit.code).collect();
    assert_eq!(codes(parameters), ours, "{name}: {octets:02x?}");
    let theirs: Vec<usize> = lengths
        .split(',')
        .filter(|length| !length.is_empty())
        .map(|length| length.parse().unwrap())
        .collect();
    let ours: Vec<usize> = units.iter().map(|unit| unit.octets.len()).collect();
    assert_eq!(theirs, ours, "{name}: {octets:02x?}");
    for ((code, field, form), theirs) in VALUES.iter().zip(values) {
        let with_value = units.iter().filter(|unit| unit.code == *code && !unit.octets.is_empty());
        let ours: Vec<String> = with_value.map(|unit| form(&unit.octets)).collect();
        let theirs: Vec<&str> = theirs.split(',').filter(|value| !value.is_empty()).collect();
        assert_eq!(theirs, ours, "{name}, {field}: {octets:02x?}");
    }
}

fn with_children(unit: &ParameterTree) -> Vec<&ParameterTree> {
    core::iter::once(unit).chain(&unit.children).collect()
}

/// One TSDU that was emitted.
fn of_tsdu(name: String, octets: Vec<u8>, flow: Flow) -> Expected {
    let rules = DecodeRules { extended_concatenation: true, ..DecodeRules::LENIENT };
    let tree = describe_tsdu(&octets, flow, &rules);
    assert_eq!(tree.error, None, "{name}");
    let types = tree.spdus.iter().map(|spdu| spdu.si).collect();
    let parameters = tree.spdus.into_iter().flat_map(|spdu| spdu.parameters).collect();
    Expected { name, octets, types, parameters }
}

/// Every vector that is what the codec emits; a lone DT is received, but never sent.
fn of_vectors() -> Vec<Expected> {
    let mut expected = Vec::new();
    for vector in vectors() {
        if vector.is_faulty() || vector.encoded != vector.octets {
            continue;
        }
        let spdus = decode(tsdu(&vector.octets, vector.flow), &vector.rules).unwrap();
        if spdus[0].0.kind == SpduKind::DataTransfer {
            continue;
        }
        let mut octets = Vec::new();
        spdus.iter().for_each(|(_, spdu)| spdu.emit_into(&mut octets).unwrap());
        expected.push(of_tsdu(vector.name, octets, vector.flow));
    }
    expected
}

fn of_unit_data() -> Vec<Expected> {
    let mut expected = Vec::new();
    for vector in unit_data_vectors() {
        let Ok(unit_data) = UnitData::decode(&vector.octets, &vector.rules) else { continue };
        let mut octets = Vec::new();
        unit_data.emit_into(&mut octets);
        let tree = describe_unit_data(&octets, &DecodeRules::STRICT);
        assert_eq!(tree.error, None, "{}", vector.name);
        let (name, types) = (vector.name, vec![UnitData::SI]);
        expected.push(Expected { name, octets, types, parameters: tree.parameters });
    }
    expected
}

fn of_random_spdus(seed: u64) -> Vec<Expected> {
    let mut random = Random(seed);
    let mut expected = Vec::new();
    for kind in SpduKind::ALL {
        for index in 0..=RANDOM_COUNT {
            let octets_max = if index % 4 == 0 { 2_000 } else { 200 };
            let tape = random.octets(octets_max);
            let spdu = match index % 5 {
                0 => Tape::new(&tape).segment(kind),
                _ => Tape::new(&tape).spdu(kind),
            };
            let mut octets = Vec::new();
            spdu.emit_tsdu(&mut octets).unwrap();
            let flow = match kind {
                SpduKind::Prepare | SpduKind::ExpeditedData => Flow::Expedited,
                _ => Flow::Normal,
            };
            let name = format!("random {} {index}", kind.abbreviation());
            expected.push(of_tsdu(name, octets, flow));
        }
    }
    expected
}

/// Every sequence that may be sent, of SPDUs without user data.
fn of_concatenations() -> Vec<Expected> {
    let kinds: Vec<SpduKind> =
        SpduKind::ALL.into_iter().filter(|kind| kind.category() == Category::Two).collect();
    let spdu = |kind| Tape::new(&[]).spdu(kind);
    let mut expected = Vec::new();
    for head in [Head::GIVE, Head::PLEASE] {
        for &first in &kinds {
            for &second in &kinds {
                let pair = [spdu(first), spdu(second)];
                let triples = kinds.iter().map(|&third| vec![pair[0], pair[1], spdu(third)]);
                for spdus in triples.chain([pair.to_vec()]) {
                    let mut octets = Vec::new();
                    if concatenate(&head, &spdus, true, &mut octets).is_ok() {
                        let kinds: Vec<SpduKind> = spdus.iter().map(Spdu::kind).collect();
                        expected.push(of_tsdu(format!("{kinds:?}"), octets, Flow::Normal));
                    }
                }
            }
        }
    }
    assert_eq!(expected.len(), 2 * 6 + 2 + 6 + 2 * 6, "what codec_concatenation counts behind one head");
    expected
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn octets(&mut self, octets_max: usize) -> Vec<u8> {
        let octets = self.next() as usize % octets_max;
        (0..octets).map(|_| self.next() as u8).collect()
    }
}

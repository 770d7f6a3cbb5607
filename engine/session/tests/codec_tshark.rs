//! Every SPDU that the codec emits, sent over TPKT and dissected by tshark: an oracle that shares no code with
//! it.
//!
//! `codec_dissected` hands the same to the session dissector itself and compares values too. What tshark is
//! known to get wrong is listed in `codec_dissector`. Prints `SKIPPED` and passes where tshark is not
//! installed, unless COLLOQUY_REQUIRE_PEERS is 1.

// What a helper unwraps fails the test that calls it.
#![allow(clippy::unwrap_used)]

mod codec_dissector;
mod codec_support;

use codec_dissector::{Capture, fields_of, is_missing, is_recognised_over_tpkt};
use codec_support::{decode, tsdu, vectors};
use colloquy_session::spdu::describe::{ParameterTree, describe_tsdu};
use colloquy_session::spdu::{Accept, Connect, ConnectAcceptItem, ExpeditedData, Spdu, SpduKind, TypedData};
use colloquy_session::{Enclosure, Versions};

/// What one TSDU was sent as, and what tshark shall say about it.
struct Expected {
    name: String,
    tsdu: Vec<u8>,
    /// SI codes in order: tshark tells AI from AB, AIA from AA, AE from MAP and AEA from MAA by name no
    /// more than the codes do.
    types: Vec<u8>,
    /// PGI and PI codes in order.
    parameters: Vec<u8>,
    /// False where tshark is known not to recognise the TSDU as session protocol at all.
    recognised: bool,
}

#[test]
fn tshark_dissects_every_spdu_emitted() {
    if is_missing() {
        return;
    }
    let expected = expected();
    for kind in SpduKind::ALL {
        assert!(expected.iter().any(|tsdu| tsdu.types.contains(&kind.si())), "{} missing", kind.name());
    }
    let mut sessions = Sessions { capture: Capture::new(LINK_TYPE), session_count: 0 };
    for tsdu in &expected {
        sessions.session(&tsdu.tsdu);
    }
    let dissected = dissect(&sessions.capture.octets);
    let frame_count = FRAMES_PER_SESSION * expected.len();
    assert_eq!(dissected.len(), frame_count, "tshark read all frames");
    for (index, expected) in expected.iter().enumerate() {
        check(expected, &dissected[FRAMES_PER_SESSION * index + FRAMES_PER_SESSION - 1]);
    }
}

fn check(expected: &Expected, dissected: &Dissected) {
    let name = &expected.name;
    assert_eq!(dissected.malformed, "", "{name}");
    assert_eq!(dissected.expert, "", "{name}");
    assert_eq!(dissected.bad_length, "", "{name}");
    if !expected.recognised {
        assert!(!dissected.protocols.contains(":ses"), "{name}: tshark learned it, drop the exception");
        return;
    }
    assert!(dissected.protocols.contains(":ses"), "{name}: {}", dissected.protocols);
    assert_eq!(dissected.types, expected.types, "{name}");
    assert_eq!(dissected.parameters, expected.parameters, "{name}");
}

/// Every vector that is what the codec emits, and data SPDUs that tshark can recognise.
fn expected() -> Vec<Expected> {
    let mut expected = Vec::new();
    for vector in vectors() {
        if vector.is_faulty() || vector.encoded != vector.octets || vector.octets.len() > TSDU_OCTETS_MAX {
            continue;
        }
        let spdus = decode(tsdu(&vector.octets, vector.flow), &vector.rules).unwrap();
        if spdus[0].0.kind == SpduKind::DataTransfer {
            // A lone DT is received, but never sent.
            continue;
        }
        let mut emitted = Vec::new();
        for (_, spdu) in &spdus {
            spdu.emit_into(&mut emitted).unwrap();
        }
        let types = spdus.iter().map(|(view, _)| view.si()).collect();
        let tree = describe_tsdu(&emitted, vector.flow, &vector.rules);
        let units: Vec<&ParameterTree> = tree.spdus.iter().flat_map(|spdu| &spdu.parameters).collect();
        let parameters = units.into_iter().flat_map(codes).collect();
        let recognised = is_recognised_over_tpkt(&spdus.iter().map(|(_, spdu)| *spdu).collect::<Vec<_>>());
        expected.push(Expected { name: vector.name, tsdu: emitted, types, parameters, recognised });
    }
    expected.extend(recognisable_user_information());
    expected
}

fn codes(unit: &ParameterTree) -> Vec<u8> {
    core::iter::once(unit.code).chain(unit.children.iter().map(|child| child.code)).collect()
}

/// TD and EX whose user information begins with the SI of an SPDU, for the heuristics' sake.
fn recognisable_user_information() -> Vec<Expected> {
    let user_information = &[0x01, 0x00];
    let make = |spdu: Spdu<'_>, parameters: &[u8]| {
        let mut tsdu = Vec::new();
        spdu.emit_tsdu(&mut tsdu).unwrap();
        Expected {
            name: format!("{spdu:?}"),
            tsdu,
            types: vec![spdu.kind().si()],
            parameters: parameters.to_vec(),
            recognised: true,
        }
    };
    let enclosure = Some(Enclosure { begin: false, end: true });
    vec![
        make(Spdu::TypedData(TypedData { enclosure: None, user_information }), &[]),
        make(Spdu::TypedData(TypedData { enclosure, user_information }), &[25]),
        make(Spdu::ExpeditedData(ExpeditedData { user_information }), &[]),
    ]
}

/// Ethernet, IP, TCP on port 102, one connection for each TSDU.
struct Sessions {
    capture: Capture,
    session_count: u16,
}

/// LINKTYPE_ETHERNET.
const LINK_TYPE: u32 = 1;
/// CR, CC, CN, AC and the TSDU.
const FRAMES_PER_SESSION: usize = 5;
/// What one TPKT in one IP datagram can hold, and a little less.
const TSDU_OCTETS_MAX: usize = 60_000;

impl Sessions {
    fn session(&mut self, tsdu: &[u8]) {
        const CR: &[u8] = &[0x06, 0xE0, 0, 0, 0, 1, 0];
        const CC: &[u8] = &[0x06, 0xD0, 0, 1, 0, 2, 0];
        const DT_EOT: &[u8] = &[0x02, 0xF0, 0x80];
        let mut connect = Vec::new();
        let mut accept = Vec::new();
        let item = ConnectAcceptItem { versions: Versions::V2, ..Default::default() };
        Spdu::Connect(Connect { item, ..Default::default() }).emit_tsdu(&mut connect).unwrap();
        Spdu::Accept(Accept { item, ..Default::default() }).emit_tsdu(&mut accept).unwrap();
        let mut sequence = [1, 1];
        for (from, tpdu_header, data) in
            [(0, CR, &[][..]), (1, CC, &[]), (0, DT_EOT, &connect), (1, DT_EOT, &accept), (0, DT_EOT, tsdu)]
        {
            let mut tpkt = vec![3, 0];
            tpkt.extend((4 + tpdu_header.len() + data.len()).to_be_bytes().last_chunk::<2>().unwrap());
            tpkt.extend(tpdu_header);
            tpkt.extend(data);
            self.frame(from, &mut sequence, &tpkt);
        }
        self.session_count += 1;
    }

    fn frame(&mut self, from: usize, sequence: &mut [u32; 2], payload: &[u8]) {
        let ports = [10_000 + self.session_count, 102];
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00];
        frame.extend([0x45, 0]);
        frame.extend(((20 + 20 + payload.len()) as u16).to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        frame.extend([10, 0, 0, 1 + from as u8, 10, 0, 0, 2 - from as u8]);
        frame.extend(ports[from].to_be_bytes());
        frame.extend(ports[1 - from].to_be_bytes());
        frame.extend(sequence[from].to_be_bytes());
        frame.extend(sequence[1 - from].to_be_bytes());
        frame.extend([0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
        frame.extend(payload);
        sequence[from] += payload.len() as u32;
        self.capture.record(&frame);
    }
}

/// What tshark says about one frame.
struct Dissected {
    types: Vec<u8>,
    parameters: Vec<u8>,
    bad_length: String,
    malformed: String,
    expert: String,
    protocols: String,
}

/// The fields asked for, in this order.
const FIELDS: [&str; 7] = [
    "ses.type",
    "ses.parameter_type",
    "ses.bad_length",
    "ses.bad_parameter_length",
    "_ws.malformed",
    "_ws.expert.message",
    "frame.protocols",
];

fn dissect(capture: &[u8]) -> Vec<Dissected> {
    // User data here mean nothing: neither presentation protocol nor T.125, which both would try them.
    let options = ["--disable-protocol", "pres", "--disable-protocol", "t125"];
    fields_of(capture, &options, &FIELDS).iter().map(|row| dissected(row)).collect()
}

fn dissected(row: &[String]) -> Dissected {
    let [types, parameters, bad_length, bad_parameter, malformed, expert, protocols] = row else {
        unreachable!("as many as fields were asked for")
    };
    let codes = |field: &str| {
        field.split(',').filter(|code| !code.is_empty()).map(|code| code.parse().unwrap()).collect()
    };
    Dissected {
        types: codes(types),
        parameters: codes(parameters),
        bad_length: format!("{bad_length}{bad_parameter}"),
        malformed: malformed.to_owned(),
        expert: expert.to_owned(),
        protocols: protocols.to_owned(),
    }
}

//! Every vector, in both directions, and cut at every octet.

// What a helper unwraps fails the test that calls it.
#![allow(clippy::unwrap_used)]

mod codec_support;

use codec_support::{Vector, decode, tsdu, vectors};
use colloquy_session::Versions;
use colloquy_session::spdu::describe::describe_tsdu;
use colloquy_session::spdu::{
    DecodeError, DecodeErrorKind, DecodeRules, Flow, SpduKind, Tsdu, must_be_contiguous, user_data_octets_max,
};

#[test]
fn vectors_decode_to_their_trees() {
    for vector in vectors() {
        let tree = describe_tsdu(&vector.octets, vector.flow, &vector.rules).to_string();
        assert_eq!(tree, vector.tree, "{}", vector.name);
    }
}

#[test]
fn vectors_are_faulty_exactly_when_their_trees_say_so() {
    for vector in vectors() {
        let fault = decode(tsdu(&vector.octets, vector.flow), &vector.rules).err();
        assert_eq!(fault.is_some(), vector.is_faulty(), "{}: {fault:?}", vector.name);
        let Some(fault) = fault else { continue };
        assert!(vector.tree.ends_with(&format!("! {fault}")), "{}: {fault}", vector.name);
        assert!(fault.offset <= vector.octets.len(), "{}: {fault}", vector.name);
    }
}

#[test]
fn spdus_encode_to_the_octets_of_their_vector() {
    for vector in vectors().iter().filter(|vector| !vector.is_faulty()) {
        let spdus = decode(tsdu(&vector.octets, vector.flow), &vector.rules).unwrap();
        let mut encoded = Vec::new();
        for (_, spdu) in &spdus {
            let start = encoded.len();
            spdu.emit_into(&mut encoded).unwrap();
            let octets = encoded.len() - start;
            assert_eq!(spdu.encoded_octets(), octets, "{}", vector.name);
            let mut slice = vec![0; octets];
            assert_eq!(spdu.emit(&mut slice), Ok(octets), "{}", vector.name);
            assert_eq!(slice, encoded[start..], "{}", vector.name);
            assert!(spdu.emit(&mut slice[1..]).is_err(), "{}: one octet too few", vector.name);
        }
        assert_eq!(encoded, vector.encoded, "{}", vector.name);
    }
}

#[test]
fn every_spdu_has_its_vectors() {
    let vectors = vectors();
    for kind in SpduKind::ALL {
        let mut whole = vectors.iter().filter(|vector| !vector.is_faulty()).filter(|vector| {
            let spdus = decode(tsdu(&vector.octets, vector.flow), &vector.rules).unwrap();
            spdus.last().is_some_and(|(view, _)| view.kind == kind)
        });
        assert!(whole.next().is_some(), "{}: no vector", kind.name());
        for length in ["LI 254", "LI 255", "unknown parameters"] {
            let title = format!("{}, {length}", kind.abbreviation());
            assert!(vectors.iter().any(|vector| vector.name.contains(&title)), "no vector {title}");
        }
        for (version, title) in limits_of(kind) {
            let title = format!("version {version}: {title}");
            assert!(vectors.iter().any(|vector| vector.name.contains(&title)), "no vector {title}");
        }
    }
}

/// The titles of the vectors that show where the user data of a kind end in each version.
fn limits_of(kind: SpduKind) -> Vec<(u8, String)> {
    let name = kind.abbreviation();
    match user_data_octets_max(kind, Versions::V1) {
        _ if kind.has_user_information() || user_data_octets_max(kind, Versions::V2) == 0 => Vec::new(),
        // CN and CDO have limits that no version changes.
        _ if matches!(kind, SpduKind::Connect | SpduKind::ConnectDataOverflow) => Vec::new(),
        _ if kind == SpduKind::Refuse => vec![
            (1, "RF with the reason and 512 octets".to_owned()),
            (1, "RF with reason and 513 octets".to_owned()),
            (2, "RF with the reason and 513 octets".to_owned()),
        ],
        0 => vec![
            (1, format!("user data of {name} are passed up")),
            (1, format!("user data of {name}, strict")),
            (2, format!("{name} with 513 octets")),
        ],
        octets_max => vec![
            (1, format!("{name} with {octets_max} octets")),
            (1, format!("{name} with {} octets", octets_max + 1)),
            (2, format!("{name} with {} octets", octets_max + 1)),
        ],
    }
}

/// What strict rules refuse, lenient ones can tell: of an SPDU without another fault the same parameter.
#[test]
fn parameters_given_twice_are_named() {
    let mut duplicate_count = 0;
    for vector in vectors() {
        let lenient = DecodeRules { strict: false, ..vector.rules };
        let Ok(spdus) = decode(tsdu(&vector.octets, vector.flow), &lenient) else { continue };
        for (view, _) in spdus {
            let strict = DecodeRules { strict: true, ..vector.rules };
            let refused = match view.parse(&strict) {
                Err(DecodeError { kind: DecodeErrorKind::DuplicateParameter, parameter, .. }) => parameter,
                Err(_) => continue,
                Ok(_) => None,
            };
            assert_eq!(view.duplicate_parameter(), refused, "{}", vector.name);
            duplicate_count += usize::from(refused.is_some());
        }
    }
    assert!(duplicate_count >= 33, "every SPDU with a parameter has such a vector, not {duplicate_count}");
}

/// What is left of a TSDU is an error, or SPDUs that cover it octet for octet.
#[test]
fn vectors_cut_at_every_octet_are_errors_or_legal_shorter_tsdus() {
    for vector in vectors() {
        for cut in cuts(&vector) {
            let octets = &vector.octets[..cut];
            for rules in [vector.rules, DecodeRules::LENIENT, DecodeRules::STRICT] {
                check_cut(&vector, octets, &rules);
            }
        }
    }
}

fn check_cut(vector: &Vector, octets: &[u8], rules: &DecodeRules) {
    for flow in [Flow::Normal, Flow::Expedited] {
        let at = octets.len();
        match decode(tsdu(octets, flow), rules) {
            Ok(spdus) => {
                let mut covered = 0;
                for (view, spdu) in spdus {
                    assert_eq!(view.offset, covered, "{} cut at {at}", vector.name);
                    assert_eq!(view.kind, spdu.kind(), "{} cut at {at}", vector.name);
                    covered = view.user_information_offset + view.user_information_octets;
                }
                assert_eq!(covered, at, "{} cut at {at}", vector.name);
                assert!(at > 0, "an empty TSDU is an error");
            }
            Err(fault) => assert!(fault.offset <= at, "{} cut at {at}: {fault}", vector.name),
        }
        // Describing takes whatever it is given.
        let tree = describe_tsdu(octets, flow, rules);
        assert!(!tree.to_string().is_empty());
    }
}

/// A TSDU in two pieces reads like one in one piece wherever it may be in two.
#[test]
fn vectors_split_at_every_octet_read_the_same() {
    let mut split_count = 0;
    for vector in vectors().iter().filter(|vector| vector.flow == Flow::Normal) {
        let whole = decode(Tsdu::new(&vector.octets), &vector.rules);
        for cut in cuts(vector) {
            let (head, tail) = vector.octets.split_at(cut);
            let split = decode(Tsdu::with_tail(head, tail.len()), &vector.rules);
            let at = format!("{} split at {cut}", vector.name);
            if must_be_contiguous(head) {
                continue;
            }
            split_count += 1;
            match (&whole, split) {
                (Ok(whole), Ok(split)) => {
                    assert_eq!(whole.len(), split.len(), "{at}");
                    for ((whole, _), (split, _)) in whole.iter().zip(&split) {
                        assert_eq!(whole.kind, split.kind, "{at}");
                        assert_eq!(whole.offset, split.offset, "{at}");
                        assert_eq!(whole.parameters, split.parameters, "{at}");
                        assert_eq!(whole.user_information_octets, split.user_information_octets, "{at}");
                        assert!(whole.user_information.starts_with(split.user_information), "{at}");
                    }
                }
                (Err(whole), Err(split)) => assert_eq!(*whole, split, "{at}"),
                (whole, split) => panic!("{at}: {whole:?} but {split:?}"),
            }
        }
    }
    assert!(split_count > 50, "only {split_count} splits were legal");
}

/// Every cut of a short vector; of a long one those around its headers and at its end.
fn cuts(vector: &Vector) -> Vec<usize> {
    let octets = vector.octets.len();
    (0..octets).filter(|&cut| cut < 600 || cut % 997 == 0 || cut + 20 > octets).collect()
}

#[test]
fn a_faulty_tsdu_is_spent() {
    for vector in vectors().iter().filter(|vector| vector.is_faulty()) {
        let mut tsdu = tsdu(&vector.octets, vector.flow);
        let spent = (0..=vector.octets.len()).any(|_| match tsdu.next_spdu(&vector.rules) {
            Ok(Some(_)) => false,
            Ok(None) => true,
            Err(_) => {
                assert_eq!(tsdu.next_spdu(&vector.rules), Ok(None), "{}", vector.name);
                assert_eq!(tsdu.remaining_octets(), 0, "{}", vector.name);
                true
            }
        });
        assert!(spent, "{}: more SPDUs than octets", vector.name);
    }
}

#[test]
fn a_piece_that_had_to_be_contiguous_is_reported_as_the_owners_fault() {
    let connect = [0x0d, 0x04, 0x14, 0x02, 0x00, 0x02];
    for cut in 0..connect.len() {
        assert!(must_be_contiguous(&connect[..cut]));
        let mut tsdu = Tsdu::with_tail(&connect[..cut], connect.len() - cut);
        let fault = tsdu.next_spdu(&DecodeRules::LENIENT).unwrap_err();
        assert_eq!(fault.kind, DecodeErrorKind::NotContiguous, "cut at {cut}");
    }
}

//! Random SPDUs survive the wire, and random octets do no harm.
//!
//! A failure prints its seed; COLLOQUY_SEED runs it again.

// What a helper unwraps fails the test that calls it.
#![allow(clippy::unwrap_used)]

mod codec_support;
mod codec_tape;

use std::time::{SystemTime, UNIX_EPOCH};

use codec_support::{decode, tsdu, vectors};
use codec_tape::Tape;
use colloquy_session::spdu::describe::describe_tsdu;
use colloquy_session::spdu::{DecodeRules, Flow, Spdu, SpduKind, Tsdu, must_be_contiguous};
use colloquy_session::{Versions, spdu};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const CASE_COUNT: u32 = 4_000;

#[test]
fn random_spdus_survive_the_wire() {
    // A tape longer than 512 octets reaches Extended User Data and three-octet lengths.
    let tapes = prop_oneof![4 => vec(any::<u8>(), 0..200), 1 => vec(any::<u8>(), 200..2_000)];
    check("random_spdus_survive_the_wire", (0..SpduKind::ALL.len(), any::<bool>(), tapes), |input| {
        let (kind, segment, octets) = input;
        let mut tape = Tape::new(&octets);
        let kind = SpduKind::ALL[kind];
        let spdu = match segment {
            true => tape.segment(kind),
            false => tape.spdu(kind),
        };
        for strict in [false, true] {
            let rules = DecodeRules { strict, ..DecodeRules::LENIENT };
            assert_survives(&spdu, &rules);
        }
        Ok(())
    });
}

fn assert_survives(spdu: &Spdu<'_>, rules: &DecodeRules) {
    let mut octets = Vec::new();
    spdu.emit_tsdu(&mut octets).unwrap();
    let head_octets = if spdu.kind().head().is_some() { 2 } else { 0 };
    assert_eq!(octets.len(), head_octets + spdu.encoded_octets());
    let flow = match spdu.kind() {
        SpduKind::Prepare | SpduKind::ExpeditedData => Flow::Expedited,
        _ => Flow::Normal,
    };
    let spdus = decode(tsdu(&octets, flow), rules).unwrap();
    let (last, before) = spdus.split_last().unwrap();
    assert_eq!(last.1, *spdu);
    assert_eq!(before.first().map(|(view, _)| view.kind), spdu.kind().head());
    let tree = describe_tsdu(&octets, flow, rules);
    assert_eq!(tree.error, None);
    assert!(tree.spdus.iter().all(|spdu| spdu.error.is_none()));
}

#[test]
fn random_octets_do_no_harm() {
    let octets = vec(any::<u8>(), 0..600);
    check("random_octets_do_no_harm", (octets, any::<prop::sample::Index>()), |(octets, cut)| {
        assert_harmless(&octets, cut.index(octets.len() + 1));
        Ok(())
    });
}

/// Octets that begin well are the ones that get far.
#[test]
fn vectors_with_random_octets_changed_do_no_harm() {
    let vectors: Vec<Vec<u8>> = vectors()
        .into_iter()
        .map(|vector| vector.octets)
        .filter(|octets| !octets.is_empty() && octets.len() < 600)
        .collect();
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    let inputs = (0..vectors.len(), changes, any::<prop::sample::Index>());
    check("vectors_with_random_octets_changed_do_no_harm", inputs, |(vector, changes, cut)| {
        let mut octets = vectors[vector].clone();
        for (place, value) in changes {
            let place = place.index(octets.len());
            octets[place] = value;
        }
        assert_harmless(&octets, cut.index(octets.len() + 1));
        Ok(())
    });
}

/// No panic; SPDUs that cover what was taken; faults that lie within the octets.
fn assert_harmless(octets: &[u8], cut: usize) {
    for strict in [false, true] {
        for version in [None, Some(Versions::V1), Some(Versions::V2)] {
            let rules = DecodeRules { strict, extended_concatenation: strict, version };
            for flow in [Flow::Normal, Flow::Expedited] {
                assert_covered(tsdu(octets, flow), octets.len(), &rules);
                describe_tsdu(octets, flow, &rules).to_string();
            }
            let (head, tail) = octets.split_at(cut);
            assert_covered(Tsdu::with_tail(head, tail.len()), octets.len(), &rules);
            let split = decode(Tsdu::with_tail(head, tail.len()), &rules);
            if !must_be_contiguous(head) {
                let kinds = |spdus: Vec<(spdu::SpduView<'_>, Spdu<'_>)>| {
                    spdus.iter().map(|(view, _)| view.kind).collect::<Vec<_>>()
                };
                assert_eq!(split.map(kinds), decode(Tsdu::new(octets), &rules).map(kinds));
            }
        }
    }
}

fn assert_covered(mut tsdu: Tsdu<'_>, octets: usize, rules: &DecodeRules) {
    let mut covered = 0;
    loop {
        match tsdu.next_spdu(rules) {
            Ok(Some(view)) => {
                assert_eq!(view.offset, covered);
                covered = view.user_information_offset + view.user_information_octets;
                assert!(covered >= view.offset + 2);
                assert_eq!(tsdu.remaining_octets(), octets - covered);
                match view.parse(rules) {
                    Ok(spdu) => assert_eq!(spdu.kind(), view.kind),
                    Err(fault) => assert!((view.offset..=covered).contains(&fault.offset)),
                }
            }
            Ok(None) => return assert_eq!(covered, octets),
            Err(fault) => {
                assert!((covered..=octets).contains(&fault.offset));
                assert_eq!(tsdu.next_spdu(rules), Ok(None));
                return;
            }
        }
    }
}

/// Runs a property on random inputs from a seed that a failure prints.
fn check<S: Strategy>(name: &str, inputs: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: core::fmt::Debug,
{
    let seed = match std::env::var("COLLOQUY_SEED") {
        Ok(seed) => seed.parse().expect("COLLOQUY_SEED is a number"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64,
    };
    println!("{name}: COLLOQUY_SEED={seed}");
    let mut octets = [0; 32];
    octets[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: CASE_COUNT, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &octets);
    if let Err(failure) = TestRunner::new_with_rng(config, rng).run(&inputs, property) {
        panic!("COLLOQUY_SEED={seed}: {failure}");
    }
}

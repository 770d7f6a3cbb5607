//! Concatenation: what may be sent is what is taken, for every sequence of SPDU kinds, and both are what
//! X.225 §6.3.7 says.

// What a helper unwraps fails the test that calls it.
#![allow(clippy::unwrap_used)]

mod codec_support;
mod codec_tape;

use codec_support::{decode, parse_hex};
use codec_tape::Tape;
use colloquy_session::spdu::*;
use colloquy_session::{Enclosure, SerialNumber, Tokens};

/// GT or PT, with or without a token.
const HEADS: [(SpduKind, bool); 4] = [
    (SpduKind::GiveTokens, false),
    (SpduKind::GiveTokens, true),
    (SpduKind::PleaseTokens, false),
    (SpduKind::PleaseTokens, true),
];

/// The least SPDU of each kind.
fn least(kind: SpduKind) -> Spdu<'static> {
    Tape::new(&[]).spdu(kind)
}

fn head(kind: SpduKind, with_token: bool) -> Head<'static> {
    let tokens = if with_token { Tokens::DATA } else { Tokens::empty() };
    match kind {
        SpduKind::GiveTokens => Head::Give(GiveTokens { tokens, ..Default::default() }),
        _ => Head::Please(PleaseTokens { tokens, ..Default::default() }),
    }
}

/// The octets of SPDUs one behind the other, whether or not they may be.
fn octets_of(spdus: &[Spdu<'_>]) -> Vec<u8> {
    let mut octets = Vec::new();
    spdus.iter().for_each(|spdu| spdu.emit_into(&mut octets).unwrap());
    octets
}

/// True when the octets are taken as just these SPDUs.
fn is_taken_as(octets: &[u8], kinds: &[SpduKind], rules: &DecodeRules) -> bool {
    decode(Tsdu::new(octets), rules)
        .is_ok_and(|spdus| spdus.iter().map(|(view, _)| view.kind).eq(kinds.iter().copied()))
}

/// What the Recommendation says, in words that share nothing with the table of the codec.
fn is_legal(head: (SpduKind, bool), behind: &[SpduKind], strict: bool, extended: bool) -> bool {
    use SpduKind::*;
    let give = [
        DataTransfer,
        MinorSyncPoint,
        MajorSyncPoint,
        ActivityEnd,
        Resynchronize,
        ActivityStart,
        ActivityResume,
        ActivityInterrupt,
        ActivityDiscard,
        CapabilityData,
    ];
    let please = [
        MinorSyncAck,
        MajorSyncAck,
        ResynchronizeAck,
        ActivityInterruptAck,
        ActivityDiscardAck,
        CapabilityDataAck,
        ExceptionReport,
        ExceptionData,
    ];
    let Some(first) = behind.first() else { return true };
    if !behind.iter().all(|kind| give.contains(kind) || please.contains(kind)) {
        return false;
    }
    let group: &[SpduKind] = if head.0 == GiveTokens { &give } else { &please };
    let resets_tokens = matches!(first, Resynchronize | ActivityInterrupt | ActivityDiscard);
    if strict && (!group.contains(first) || (head.1 && resets_tokens)) {
        return false;
    }
    if behind.len() == 1 {
        return true;
    }
    let classes: Vec<u8> = behind
        .iter()
        .map(|kind| match kind {
            ActivityStart | ActivityResume => 1,
            MinorSyncPoint | MajorSyncPoint | ActivityEnd => 2,
            MinorSyncAck | MajorSyncAck | CapabilityDataAck => 2,
            DataTransfer => 3,
            _ => 0,
        })
        .collect();
    (extended || !strict) && classes[0] > 0 && classes.windows(2).all(|pair| pair[0] < pair[1])
}

/// Checks one sequence both ways and under all rules; gives how often it was legal.
fn check(head_of: (SpduKind, bool), behind: &[SpduKind]) -> usize {
    let head = head(head_of.0, head_of.1);
    let spdus: Vec<Spdu<'_>> = behind.iter().map(|&kind| least(kind)).collect();
    let kinds: Vec<SpduKind> = [head_of.0].into_iter().chain(behind.iter().copied()).collect();
    let octets = [octets_of(&[head.spdu()]), octets_of(&spdus)].concat();
    let mut legal_count = 0;
    for extended_concatenation in [false, true] {
        let rules = DecodeRules { extended_concatenation, ..DecodeRules::STRICT };
        let legal = is_legal(head_of, behind, true, extended_concatenation);
        let mut emitted = vec![0x77];
        let result = concatenate(&head, &spdus, extended_concatenation, &mut emitted);
        assert_eq!(result.is_ok(), legal, "{head_of:?} {behind:?} {result:?}");
        match result {
            Ok(()) => assert_eq!(emitted[1..], octets),
            Err(_) => assert_eq!(emitted, [0x77], "nothing is written"),
        }
        assert_eq!(is_taken_as(&octets, &kinds, &rules), legal, "{head_of:?} {behind:?} strict");
        let lenient = DecodeRules { strict: false, ..rules };
        let legal_leniently = is_legal(head_of, behind, false, extended_concatenation);
        assert_eq!(is_taken_as(&octets, &kinds, &lenient), legal_leniently, "{head_of:?} {behind:?} lenient");
        assert!(legal_leniently || !legal, "what may be sent is taken by all");
        legal_count += usize::from(legal);
    }
    legal_count
}

#[test]
fn every_pair_of_kinds_is_sent_exactly_when_it_is_taken() {
    let mut legal_count = 0;
    for head in HEADS {
        legal_count += check(head, &[]);
        for kind in SpduKind::ALL {
            legal_count += check(head, &[kind]);
        }
    }
    // Each head alone and each SPDU behind its own; RS, AI and AD behind a GT without tokens only; each of
    // them with and without extended concatenation.
    assert_eq!(legal_count, 2 * (4 + 2 * 18 - 3));
}

#[test]
fn every_triple_and_quadruple_of_kinds_is_sent_exactly_when_it_is_taken() {
    let mut legal_count = [0; 2];
    for head in HEADS {
        for first in SpduKind::ALL {
            for second in SpduKind::ALL {
                legal_count[0] += check(head, &[first, second]);
            }
        }
    }
    // Two classes of three, behind the head of the first, with and without tokens: AS or AR and 6 points,
    // AS or AR and DT, a point and DT.
    assert_eq!(legal_count[0], 2 * (2 * 6 + 2 + 6));
    let category_two = SpduKind::ALL.into_iter().filter(|kind| kind.category() == Category::Two);
    let category_two: Vec<SpduKind> = category_two.collect();
    for head in HEADS {
        for &first in &category_two {
            for &second in &category_two {
                for &third in &category_two {
                    legal_count[1] += check(head, &[first, second, third]);
                }
            }
        }
    }
    assert_eq!(legal_count[1], 2 * (2 * 6));
}

/// Pairs whose first SPDU is no GT or PT: a category 1 SPDU is alone, a category 2 SPDU never first.
#[test]
fn nothing_but_a_head_has_something_behind_it() {
    for first in SpduKind::ALL {
        if first.category() == Category::Zero || first.has_user_information() {
            continue;
        }
        let alone = octets_of(&[least(first)]);
        for rules in [DecodeRules::LENIENT, DecodeRules::STRICT] {
            let is_prepare = first == SpduKind::Prepare && rules.strict;
            let may_be_first = first.category() == Category::One && !is_prepare;
            assert_eq!(is_taken_as(&alone, &[first], &rules), may_be_first, "{first:?}");
            for second in SpduKind::ALL {
                let octets = octets_of(&[least(first), least(second)]);
                assert!(!is_taken_as(&octets, &[first, second], &rules), "{first:?} {second:?}");
            }
        }
    }
}

#[test]
fn the_broken_rule_and_its_spdu_are_named() {
    let rule = |head, kinds: &[SpduKind], extended| {
        let spdus: Vec<Spdu<'_>> = kinds.iter().map(|&kind| least(kind)).collect();
        concatenate(&head, &spdus, extended, &mut Vec::new()).unwrap_err()
    };
    let at = |index, rule| ConcatenationError::Rule { index, rule };
    use SpduKind::*;
    assert_eq!(rule(Head::GIVE, &[Finish], true), at(0, ConcatenationRule::NotFirst));
    assert_eq!(rule(Head::GIVE, &[MinorSyncAck], true), at(0, ConcatenationRule::WrongHead));
    assert_eq!(rule(Head::PLEASE, &[DataTransfer], true), at(0, ConcatenationRule::WrongHead));
    let with_token = head(GiveTokens, true);
    assert_eq!(rule(with_token, &[Resynchronize], true), at(0, ConcatenationRule::HeadWithTokens));
    let point_and_data = [MinorSyncPoint, DataTransfer];
    let fault = rule(Head::GIVE, &point_and_data, false);
    assert_eq!(fault, at(1, ConcatenationRule::ExtendedConcatenation));
    assert_eq!(fault.to_string(), "SPDU 1: extended concatenation was not offered");
    let fault = rule(Head::GIVE, &[ActivityStart, MinorSyncPoint, MinorSyncPoint], true);
    assert_eq!(fault, at(2, ConcatenationRule::Order));
    assert_eq!(rule(Head::GIVE, &[DataTransfer, MinorSyncPoint], true), at(1, ConcatenationRule::NotLast));
}

#[test]
fn an_spdu_that_cannot_be_emitted_stops_the_whole_tsdu() {
    let spdu =
        Spdu::MinorSyncPoint(MinorSyncPoint { serial_number: SerialNumber(1_000_000), ..Default::default() });
    let mut octets = Vec::new();
    let fault = concatenate(&Head::GIVE, &[spdu], false, &mut octets).unwrap_err();
    assert_eq!(fault, ConcatenationError::Emit(EmitError::ValueRange { parameter: 42 }));
    assert!(octets.is_empty());
}

#[test]
fn headers_in_front_of_data_elsewhere_are_those_of_the_whole_tsdu() {
    let point = Spdu::MinorSyncPoint(MinorSyncPoint { serial_number: SerialNumber(7), ..Default::default() });
    let enclosure = Some(Enclosure { begin: true, end: false });
    let head = head(SpduKind::GiveTokens, true);
    let user_information = b"body".as_slice();
    let data = Spdu::DataTransfer(DataTransfer { enclosure, user_information });
    let mut whole = Vec::new();
    concatenate(&head, &[point, data], true, &mut whole).unwrap();
    let mut headers = Vec::new();
    concatenate_headers(&head, &[point], enclosure, true, &mut headers).unwrap();
    assert_eq!([headers.as_slice(), user_information].concat(), whole);
    assert_eq!(whole, parse_hex("01 03 10 01 01 31 03 2a 01 37 01 03 19 01 01 62 6f 64 79"));

    let fault = concatenate_headers(&head, &[point], enclosure, false, &mut headers).unwrap_err();
    let rule = ConcatenationRule::ExtendedConcatenation;
    assert_eq!(fault, ConcatenationError::Rule { index: 1, rule });
    assert_eq!(headers.len(), whole.len() - user_information.len(), "nothing is written");
}

#[test]
fn data_count_before_the_point_in_front_of_them_and_tokens_last() {
    use SpduKind::*;
    let kinds = [GiveTokens, ActivityStart, MinorSyncPoint, DataTransfer];
    assert_eq!(processing_order(&kinds).collect::<Vec<_>>(), [1, 3, 2, 0]);
    assert_eq!(processing_order(&[PleaseTokens, MinorSyncAck]).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(processing_order(&[Finish]).collect::<Vec<_>>(), [0]);
    assert_eq!(processing_order(&[]).next(), None);
}

/// Taken apart in processing order, a TSDU gives the same SPDUs, the head first and the others as
/// `processing_order` has them; also where its user information runs on elsewhere.
#[test]
fn tsdus_are_taken_apart_in_processing_order() {
    let points = SpduKind::ALL.into_iter().filter(|kind| kind.category() == Category::Two);
    let mut sequences: Vec<Vec<SpduKind>> = points.map(|kind| vec![kind]).collect();
    let begins = [SpduKind::ActivityStart, SpduKind::ActivityResume];
    for begin in begins {
        sequences.push(vec![begin, SpduKind::DataTransfer]);
        for point in SpduKind::ALL {
            sequences.push(vec![begin, point]);
            sequences.push(vec![point, SpduKind::DataTransfer]);
            sequences.push(vec![begin, point, SpduKind::DataTransfer]);
        }
    }
    let mut reordered_count = 0;
    for behind in sequences {
        if !is_legal((SpduKind::GiveTokens, false), &behind, false, true) {
            continue;
        }
        let spdus: Vec<Spdu<'_>> = behind.iter().map(|&kind| least(kind)).collect();
        let octets = octets_of(&[&[Head::GIVE.spdu()], &spdus[..]].concat());
        let kinds = [&[SpduKind::GiveTokens], &behind[..]].concat();
        let by_wire: Vec<SpduView<'_>> = decode(Tsdu::new(&octets), &DecodeRules::LENIENT)
            .unwrap()
            .iter()
            .map(|(view, _)| *view)
            .collect();
        let order: Vec<usize> = processing_order(&kinds).collect();
        let (&last, first) = order.split_last().unwrap();
        assert_eq!(last, 0, "the head counts last");
        let expected: Vec<SpduView<'_>> =
            [&0].into_iter().chain(first).map(|&index| by_wire[index]).collect();
        let mut tsdu = Tsdu::new(&octets);
        let mut taken = Vec::new();
        while let Some(view) = tsdu.next_in_processing_order(&DecodeRules::LENIENT).unwrap() {
            taken.push(view);
        }
        assert_eq!(taken, expected, "{behind:?}");
        assert_eq!(tsdu.remaining_octets(), 0);
        reordered_count += usize::from(taken != by_wire);
        if behind.last() == Some(&SpduKind::DataTransfer) {
            check_tail(&octets, &expected);
        }
    }
    assert_eq!(reordered_count, 6 * 2 + 2 * 6, "each point before DT, and behind AS and AR, twice");
}

/// The user information of the DT lies behind the head of the TSDU.
fn check_tail(octets: &[u8], expected: &[SpduView<'_>]) {
    let mut tsdu = Tsdu::with_tail(octets, 5_000);
    for expected in expected {
        let view = tsdu.next_in_processing_order(&DecodeRules::LENIENT).unwrap().unwrap();
        let tail_octets = if view.kind == SpduKind::DataTransfer { 5_000 } else { 0 };
        assert_eq!(view.user_information_octets, tail_octets);
        assert_eq!(SpduView { user_information_octets: 0, ..view }, *expected);
    }
    assert_eq!(tsdu.next_in_processing_order(&DecodeRules::LENIENT), Ok(None));
}

#[test]
fn a_fault_behind_a_point_is_found_before_the_point_counts() {
    // GT, MIP 7, and a DT whose length runs past the TSDU.
    let octets = parse_hex("01 00 31 03 2a 01 37 01 09 19");
    let mut tsdu = Tsdu::new(&octets);
    let first = tsdu.next_in_processing_order(&DecodeRules::LENIENT).unwrap().unwrap();
    assert_eq!(first.kind, SpduKind::GiveTokens);
    let fault = tsdu.next_in_processing_order(&DecodeRules::LENIENT).unwrap_err();
    assert_eq!((fault.offset, fault.spdu), (7, Some(SpduKind::DataTransfer)));
    assert_eq!(tsdu.next_in_processing_order(&DecodeRules::LENIENT), Ok(None));
}

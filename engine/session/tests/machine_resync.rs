//! Test purposes of resynchronization (reference 12.9); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_flows;
mod machine_support;

use colloquy_session::{
    Enclosure, FunctionalUnits as Fu, Indication, Request, ResyncType, ResynchronizeAnswer,
    ResynchronizeParameters, SerialNumber, State, TokenSettings, TokenSide, Tokens,
};
use machine_flows::*;

use ResyncType::{Abandon, Restart, Set};

const BOTH: [bool; 2] = [false, true];

/// A pair with three minor points behind it: V(A) = 1, V(M) = 4, V(R) = 0.
fn with_points(expedited: bool) -> Pair {
    let mut pair = Pair::new(SYNCHRONIZED, expedited);
    for _ in 0..3 {
        pair.ask(I, minor());
    }
    pair.settle();
    assert_eq!(pair.numbers(), [(1, 4, 0); 2]);
    pair
}

/// With V(R) at 5: a major point confirmed.
fn with_a_major_point(expedited: bool) -> Pair {
    let mut pair = with_points(expedited);
    pair.ask(I, Request::SyncMajor { user_data: &[] });
    pair.settle();
    pair.ask(R, Request::SyncMajorResponse { user_data: &[] });
    pair.settle();
    assert_eq!(pair.numbers(), [(5, 5, 5); 2]);
    pair
}

#[test]
fn tp103_abandon_goes_on_with_the_next_number() {
    for (expedited, side) in BOTH.into_iter().flat_map(|texp| [(texp, I), (texp, R)]) {
        let mut pair = with_a_major_point(expedited);
        pair.ask(side, resynchronize(Abandon, None));
        let announced = pair.expedited_octets(1 - side);
        assert_eq!(announced, if expedited { vec![vec![0x07, 0x03, 0x18, 0x01, 0x02]] } else { vec![] });
        let told = pair.settle();
        let [Indication::Resynchronize(asked)] = told[1 - side][..] else { panic!("{told:?}") };
        assert_eq!((asked.resync_type, asked.serial_number), (Abandon, Some(SerialNumber(5))));
        assert_eq!(pair.states()[1 - side], State::Sta11A);
        pair.ask(1 - side, resynchronized());
        let told = pair.settle();
        let [Indication::ResynchronizeConfirm(answer)] = told[side][..] else { panic!("{told:?}") };
        assert_eq!(answer.serial_number, Some(SerialNumber(5)));
        assert_eq!(pair.numbers(), [(5, 5, 0); 2]);
        pair.check();
    }
}

#[test]
fn tp104_the_higher_next_number_of_the_acceptor_counts() {
    for expedited in BOTH {
        let mut pair = with_points(expedited);
        // The point is on its way when the other side abandons: it is thrown away, but counted.
        pair.ask(I, minor());
        pair.ask(R, resynchronize(Abandon, None));
        pair.settle();
        assert_eq!(pair.states(), [State::Sta11A, State::Sta05A]);
        pair.ask(I, resynchronized());
        let told = pair.settle();
        let [Indication::ResynchronizeConfirm(answer)] = told[R][..] else { panic!("{told:?}") };
        assert_eq!(answer.serial_number, Some(SerialNumber(5)));
        assert_eq!(pair.numbers(), [(5, 5, 0); 2]);
        pair.check();
    }
}

#[test]
fn tp105_restart_goes_back_to_any_number_from_vr_to_vm() {
    for (expedited, number) in BOTH.into_iter().flat_map(|texp| [(texp, 5), (texp, 6), (texp, 8)]) {
        let mut pair = with_a_major_point(expedited);
        for _ in 0..3 {
            pair.ask(I, minor());
        }
        pair.settle();
        assert_eq!(pair.numbers(), [(5, 8, 5); 2]);
        pair.ask(R, resynchronize(Restart, Some(number)));
        pair.settle();
        pair.ask(I, resynchronized());
        pair.settle();
        assert_eq!(pair.numbers(), [(number, number, 5); 2]);
        pair.check();
    }
}

#[test]
fn tp106_restart_below_vr_is_refused_here_and_an_error_from_the_peer() {
    let mut pair = with_a_major_point(false);
    for number in [4, 6] {
        pair.refused(I, resynchronize(Restart, Some(number)));
    }
    with_a_major_point(false).assert_error(R, "01 00 35 09 1a 01 00 1b 01 00 2a 01 34");
}

#[test]
fn tp107_set_takes_any_number() {
    for number in [0, 3, 4, 100, 999_999] {
        let mut pair = with_a_major_point(false);
        pair.ask(R, resynchronize(Set, Some(number)));
        pair.settle();
        pair.ask(I, resynchronized());
        pair.settle();
        assert_eq!(pair.numbers(), [(number, number, 0); 2]);
        pair.check();
    }
    let mut pair = with_a_major_point(false);
    pair.refused(R, resynchronize(Set, Some(1_000_000)));
    pair.refused(R, resynchronize(Set, None));
    pair.ask(R, resynchronize(Set, Some(10)));
    pair.settle();
    let serial_number = Some(SerialNumber(77));
    pair.ask(I, Request::ResynchronizeResponse(ResynchronizeAnswer { serial_number, ..Default::default() }));
    pair.settle();
    assert_eq!(pair.numbers(), [(77, 77, 0); 2], "the acceptor of a set may choose");
}

#[test]
fn tp108_tokens_go_where_the_resynchronization_puts_them() {
    let all = SYNCHRONIZED_TOKENS;
    let sides = |side| TokenSettings { data: side, minor: side, major: side, release: side };
    let cases = [
        (None, None, all),
        (Some(TokenSide::Initiator), None, all),
        (Some(TokenSide::Responder), None, Tokens::empty()),
        (Some(TokenSide::AcceptorChooses), None, all),
        (Some(TokenSide::AcceptorChooses), Some(TokenSide::Responder), Tokens::empty()),
        (Some(TokenSide::AcceptorChooses), Some(TokenSide::Initiator), all),
        (Some(TokenSide::Initiator), Some(TokenSide::Responder), all),
    ];
    for (requester, (asked, answered, expected)) in [I, R].into_iter().flat_map(|s| cases.map(|c| (s, c))) {
        let mut pair = with_points(false);
        let request = ResynchronizeParameters {
            resync_type: Abandon,
            token_settings: asked.map(sides),
            ..Default::default()
        };
        pair.ask(requester, Request::Resynchronize(request));
        pair.settle();
        pair.ask(1 - requester, answered.map_or(resynchronized(), |side| resynchronized_with(sides(side))));
        pair.settle();
        assert_eq!(pair.sides[I].tokens_owned(), expected, "{asked:?} {answered:?}");
        pair.check();
    }
}

const SYNCHRONIZED_TOKENS: Tokens = Tokens::all();

/// Abandon over set over restart; of two restarts the lower number; of two equals the initiator.
fn winner(initiator: (ResyncType, Option<u32>), responder: (ResyncType, Option<u32>)) -> usize {
    let rank = |(kind, number): (ResyncType, Option<u32>)| match kind {
        Restart => (0, 999_999 - number.unwrap()),
        Set => (1, 0),
        Abandon => (2, 0),
    };
    if rank(initiator) >= rank(responder) { I } else { R }
}

#[test]
fn tp109_every_two_resynchronizations_that_collide_have_one_winner() {
    let kinds = [
        (Restart, Some(1)),
        (Restart, Some(2)),
        (Restart, Some(4)),
        (Set, Some(9)),
        (Set, Some(8)),
        (Abandon, None),
    ];
    for expedited in BOTH {
        for (first, second) in kinds.into_iter().flat_map(|first| kinds.map(|second| (first, second))) {
            let mut pair = with_points(expedited);
            pair.ask(I, resynchronize(first.0, first.1));
            pair.ask(R, resynchronize(second.0, second.1));
            let told = pair.settle();
            let winner = winner(first, second);
            let (kind, number) = if winner == I { first } else { second };
            let number = number.unwrap_or(4);
            assert_eq!(told[winner], [], "{first:?} {second:?}");
            let [Indication::Resynchronize(indicated)] = told[1 - winner][..] else { panic!("{told:?}") };
            assert_eq!((indicated.resync_type, indicated.serial_number), (kind, Some(SerialNumber(number))));
            pair.ask(1 - winner, resynchronized());
            let told = pair.settle();
            assert!(matches!(told[winner][..], [Indication::ResynchronizeConfirm(_)]));
            assert_eq!(told[1 - winner], [], "the losing request is dropped without a word");
            assert_eq!(pair.numbers(), [(number, number, 0); 2]);
            pair.check();
        }
    }
}

#[test]
fn tp110_while_one_is_indicated_only_what_outranks_it_may_be_asked_for() {
    let mut pair = with_points(false);
    pair.ask(I, resynchronize(Set, Some(9)));
    pair.settle();
    assert_eq!(pair.states()[R], State::Sta11A);
    pair.refused(R, resynchronize(Restart, Some(1)));
    pair.refused(R, resynchronize(Set, Some(9)));
    pair.ask(R, resynchronize(Abandon, None));
    let told = pair.settle();
    assert!(matches!(told[I][..], [Indication::Resynchronize(_)]));
    pair.ask(I, resynchronized());
    pair.settle();
    assert_eq!(pair.numbers(), [(4, 4, 0); 2]);
    pair.check();
    // The initiator wins a tie, so it may answer a set by a set.
    let mut pair = with_points(false);
    pair.ask(R, resynchronize(Set, Some(9)));
    pair.settle();
    pair.ask(I, resynchronize(Set, Some(8)));
    pair.settle();
    pair.ask(R, resynchronized());
    pair.settle();
    assert_eq!(pair.numbers(), [(8, 8, 0); 2]);
    pair.check();
}

#[test]
fn tp111_what_is_in_front_of_the_answer_is_dropped_and_what_is_behind_it_delivered() {
    for expedited in BOTH {
        let mut pair = with_points(expedited);
        let header =
            pair.sides[I].data_request(3, Enclosure::WHOLE).unwrap().next().unwrap().header().to_vec();
        let dt = |body: &str| {
            machine_support::hex(&header.iter().map(|o| format!("{o:02x}")).collect::<String>())
                .into_iter()
                .chain(body.bytes())
                .collect::<Vec<u8>>()
        };
        pair.ask(R, resynchronize(Abandon, None));
        let before: String = dt("old").iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(pair.receive(R, &before), [], "purged in STA05A");
        pair.settle();
        pair.ask(I, resynchronized());
        if expedited {
            assert_eq!(pair.expedited_octets(R), [[0x07, 0x03, 0x18, 0x01, 0x03]]);
            assert_eq!(pair.expedited(R), []);
            assert_eq!(pair.states()[R], State::Sta15C);
            assert_eq!(pair.receive(R, &before), [], "purged between PREPARE and its SPDU");
        }
        assert!(matches!(pair.normal(R)[..], [Indication::ResynchronizeConfirm(_)]));
        assert!(matches!(pair.receive(R, &before)[..], [Indication::Data { user_data: b"old", .. }]));
    }
}

#[test]
fn tp112_a_losing_resynchronization_behind_the_prepare_of_the_answer_is_ignored() {
    let mut pair = with_points(true);
    pair.ask(I, resynchronize(Abandon, None));
    pair.ask(R, resynchronize(Restart, Some(1)));
    // PREPARE of the winner, then its RS: the responder's own request has lost, and it answers.
    assert_eq!(pair.expedited(R), []);
    assert!(matches!(pair.normal(R)[..], [Indication::Resynchronize(_)]));
    pair.ask(R, resynchronized());
    // Both PREPAREs of the responder overtake its losing RS.
    assert_eq!(pair.expedited(I), []);
    assert_eq!(pair.states()[I], State::Sta06);
    assert_eq!(pair.expedited(I), [], "PREPARE of the answer waits in STA06");
    assert_eq!(pair.normal(I), [], "the losing RS");
    assert_eq!(pair.states()[I], State::Sta15C);
    assert!(matches!(pair.normal(I)[..], [Indication::ResynchronizeConfirm(_)]));
    pair.check();
}

#[test]
fn tp113_answers_without_a_question_and_wrong_answers_are_errors() {
    with_points(false).assert_error(I, "02 00 22 06 1a 01 00 2a 01 34");
    let mut pair = with_points(false);
    pair.ask(I, resynchronize(Restart, Some(2)));
    pair.assert_error(I, "02 00 22 06 1a 01 00 2a 01 33");
    // One peer answers abandon by its V(A): a lower number, with which both go on (reference, annex B).
    let mut pair = with_points(false);
    pair.ask(I, resynchronize(Abandon, None));
    let told = pair.receive(I, "02 00 22 06 1a 01 00 2a 01 33");
    assert!(matches!(told[..], [Indication::ResynchronizeConfirm(_)]), "{told:?}");
    assert_eq!(pair.numbers()[I], (3, 3, 0));
    with_points(false).refused(R, resynchronized());
}

#[test]
fn tp114_a_resynchronization_of_no_known_type_or_without_a_number_is_invalid() {
    with_points(false).assert_error(R, "01 00 35 09 1a 01 00 1b 01 03 2a 01 34");
    with_points(false).assert_error(R, "01 00 35 06 1a 01 00 1b 01 01");
}

#[test]
fn without_the_unit_there_is_no_resynchronization() {
    let units = Fu::HALF_DUPLEX | Fu::MINOR_SYNC;
    let mut pair = Pair::new(units, false);
    pair.refused(I, resynchronize(Abandon, None));
    pair.assert_error(R, "01 00 35 09 1a 01 00 1b 01 01 2a 01 31");
}

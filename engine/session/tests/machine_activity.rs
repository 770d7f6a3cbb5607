//! Test purposes of activities (reference 12.10); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_flows;
mod machine_support;

use colloquy_session::{
    ActivityResumeParameters, Enclosure, Indication, OldConnection, Request, ResyncType, SerialNumber, State,
    Tokens,
};
use machine_flows::*;

const START: Request<'static> = Request::ActivityStart { identifier: b"ACT001", user_data: b"u" };
const END: Request<'static> = Request::ActivityEnd { user_data: &[] };
const END_ANSWER: Request<'static> = Request::ActivityEndResponse { user_data: &[] };
const INTERRUPT: Request<'static> = Request::ActivityInterrupt { reason: 1, user_data: &[] };
const DISCARD: Request<'static> = Request::ActivityDiscard { reason: 0, user_data: &[] };
const BOTH: [bool; 2] = [false, true];

fn started(expedited: bool) -> Pair {
    let mut pair = Pair::new(ACTIVITIES, expedited);
    pair.ask(I, START);
    let told = pair.settle();
    assert_eq!(told[R], [Indication::ActivityStart { identifier: b"ACT001", user_data: b"u" }]);
    pair
}

/// Answers what breaks an activity off, and sees that all tokens are with the initiator.
fn answer_break(pair: &mut Pair, discards: bool) {
    let user_data = &[][..];
    pair.ask(
        R,
        match discards {
            true => Request::ActivityDiscardResponse { user_data },
            false => Request::ActivityInterruptResponse { user_data },
        },
    );
    let told = pair.settle();
    let confirmed = match discards {
        true => matches!(told[I][..], [Indication::ActivityDiscardConfirm { .. }]),
        false => matches!(told[I][..], [Indication::ActivityInterruptConfirm { .. }]),
    };
    assert!(confirmed, "{told:?}");
    pair.check();
    assert_eq!(pair.sides[I].tokens_owned(), pair.sides[I].tokens_available());
    assert!(pair.sides.iter().all(|side| !side.activity_in_progress()));
}

#[test]
fn tp115_a_start_sets_the_numbers_to_1() {
    let mut pair = started(false);
    assert_eq!(pair.numbers(), [(1, 1, 1); 2]);
    assert!(pair.sides.iter().all(|side| side.activity_in_progress()));
    pair.refused(I, START);
    pair.refused(R, START);
}

#[test]
fn tp116_a_resumption_goes_on_behind_its_point() {
    let mut pair = Pair::new(ACTIVITIES, false);
    let resume = ActivityResumeParameters {
        identifier: b"2",
        old_identifier: b"ACT001",
        serial_number: SerialNumber(41),
        old_connection: OldConnection {
            called_reference: b"called",
            calling_reference: b"calling",
            common_reference: b"990101120000Z",
            additional_information: b"\x02\x01",
        },
        user_data: b"again",
        second_serial_number: None,
    };
    pair.ask(I, Request::ActivityResume(resume));
    assert_eq!(pair.settle()[R], [Indication::ActivityResume(resume)]);
    assert_eq!(pair.numbers(), [(42, 42, 1); 2]);
    pair.check();
}

#[test]
fn tp117_and_tp118_the_owner_of_the_token_breaks_an_activity_off() {
    for (expedited, discards) in BOTH.into_iter().flat_map(|texp| BOTH.map(|discards| (texp, discards))) {
        let mut pair = started(expedited);
        pair.ask(I, give(Tokens::DATA | Tokens::MINOR));
        pair.settle();
        pair.refused(R, if discards { DISCARD } else { INTERRUPT });
        pair.ask(I, if discards { DISCARD } else { INTERRUPT });
        let told = pair.settle();
        let expected = match discards {
            true => Indication::ActivityDiscard { reason: 0, user_data: b"" },
            false => Indication::ActivityInterrupt { reason: 1, user_data: b"" },
        };
        assert_eq!(told[R], [expected]);
        answer_break(&mut pair, discards);
    }
    let mut pair = started(false);
    let told = pair.receive(R, "01 00 39 00");
    assert_eq!(told, [Indication::ActivityDiscard { reason: 0, user_data: b"" }], "the default");
}

#[test]
fn tp120_the_next_activity_may_start_right_behind_the_end() {
    for expedited in BOTH {
        let mut pair = started(expedited);
        pair.ask(I, minor());
        pair.ask(I, END);
        let told = pair.settle();
        let number = SerialNumber(2);
        assert_eq!(told[R][1..], [Indication::ActivityEnd { serial_number: number, user_data: b"" }]);
        pair.ask(R, END_ANSWER);
        let told = pair.settle();
        assert_eq!(told[I], [Indication::ActivityEndConfirm { serial_number: number, user_data: b"" }]);
        pair.ask(I, START);
        pair.ask(I, resynchronize(ResyncType::Abandon, None));
        if expedited {
            // PREPARE overtakes AS: no activity is in progress yet.
            assert_eq!(pair.expedited(R), []);
            assert_eq!(pair.states()[R], State::Sta713);
        }
        assert!(matches!(pair.normal(R)[..], [Indication::ActivityStart { .. }]));
        assert_eq!(pair.states()[R], if expedited { State::Sta15B } else { State::Sta713 });
        assert!(matches!(pair.normal(R)[..], [Indication::Resynchronize(_)]));
        pair.ask(R, resynchronized());
        pair.settle();
        pair.check();
        assert!(pair.sides.iter().all(|side| side.activity_in_progress()));
    }
}

#[test]
fn tp121_a_break_that_crosses_the_answer_to_the_end_is_accepted() {
    for (expedited, discards) in BOTH.into_iter().flat_map(|texp| BOTH.map(|discards| (texp, discards))) {
        let mut pair = started(expedited);
        pair.ask(I, END);
        pair.settle();
        pair.ask(R, END_ANSWER);
        pair.ask(I, if discards { DISCARD } else { INTERRUPT });
        let told = pair.settle();
        assert_eq!(told[I], [], "the confirm of the end comes too late");
        assert_eq!(told[R].len(), 1);
        answer_break(&mut pair, discards);
    }
}

#[test]
fn tp122_a_break_wins_over_a_resynchronization() {
    let kinds = [(ResyncType::Abandon, None), (ResyncType::Set, Some(7)), (ResyncType::Restart, Some(1))];
    for (expedited, discards) in BOTH.into_iter().flat_map(|texp| BOTH.map(|discards| (texp, discards))) {
        for (kind, number) in kinds {
            let mut pair = started(expedited);
            pair.ask(I, if discards { DISCARD } else { INTERRUPT });
            pair.ask(R, resynchronize(kind, number));
            let told = pair.settle();
            assert_eq!(told[I], []);
            assert_eq!(told[R].len(), 1, "{told:?}");
            answer_break(&mut pair, discards);
        }
    }
}

#[test]
fn tp123_control_moves_all_tokens_between_activities() {
    let mut pair = started(false);
    pair.refused(I, Request::ControlGive { user_data: &[] });
    let mut pair = Pair::new(ACTIVITIES, false);
    pair.refused(R, Request::ControlGive { user_data: &[] });
    pair.ask(I, Request::ControlGive { user_data: &[] });
    assert_eq!(pair.normal_octets(R), [[0x15, 0x00]]);
    assert_eq!(pair.normal(R), [Indication::ControlGive { user_data: b"" }]);
    assert_eq!(pair.states()[I], State::Sta18);
    assert_eq!(pair.normal_octets(I), [[0x16, 0x00]]);
    pair.settle();
    pair.check();
    assert_eq!(pair.sides[R].tokens_owned(), pair.sides[R].tokens_available());
}

#[test]
fn tp125_to_tp127_what_does_not_fit_the_activity_is_an_error() {
    let start = "01 00 2d 03 29 01 41";
    started(false).assert_error(R, start);
    Pair::new(ACTIVITIES, false).assert_error(R, "01 00 29 03 2a 01 31");
    started(false).assert_error(I, "01 00 19 03 32 01 00");
    started(false).assert_error(I, "01 00 39 03 32 01 00");
    Pair::new(ACTIVITIES, false).assert_error(R, "01 00 31 03 2a 01 31");
    Pair::new(ACTIVITIES, false).refused(I, minor());
    Pair::new(ACTIVITIES, false).assert_error(I, "16 00");
    Pair::new(SYNCHRONIZED, false).assert_error(R, start);
}

#[test]
fn tp128_and_tp129_identifiers_and_links_must_be_there() {
    for octets in ["01 00 2d 00", "01 00 2d 09 29 07 41 42 43 44 45 46 47", "01 00 1d 03 29 01 41"] {
        Pair::new(ACTIVITIES, false).assert_error(R, octets);
    }
    for identifier in [&b""[..], b"1234567"] {
        Pair::new(ACTIVITIES, false).refused(I, Request::ActivityStart { identifier, user_data: &[] });
    }
}

#[test]
fn data_in_an_activity_need_no_answer_to_its_start() {
    let mut pair = Pair::new(ACTIVITIES, false);
    pair.ask(I, START);
    assert!(pair.sides[I].data_request(1, Enclosure::WHOLE).is_ok());
    pair.ask(I, minor());
    assert_eq!(pair.settle()[R].len(), 2);
    pair.check();
}

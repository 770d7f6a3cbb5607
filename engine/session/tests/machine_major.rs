//! Test purposes of major synchronization (reference 12.8); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_flows;
mod machine_support;

use colloquy_session::{Enclosure, Indication, Request, ResyncType, SerialNumber, State, Tokens};
use machine_flows::*;
use machine_support::hex;

const MAJOR: Request<'static> = Request::SyncMajor { user_data: b"m" };
const ANSWER: Request<'static> = Request::SyncMajorResponse { user_data: b"a" };

fn pending(expedited: bool) -> Pair {
    let mut pair = Pair::new(SYNCHRONIZED, expedited);
    pair.ask(I, MAJOR);
    let told = pair.settle();
    assert_eq!(told[R], [Indication::SyncMajor { serial_number: SerialNumber(1), user_data: b"m" }]);
    assert_eq!(pair.states(), [State::Sta04A, State::Sta10A]);
    pair
}

#[test]
fn tp096_a_major_point_confirms_everything() {
    let mut pair = Pair::new(SYNCHRONIZED, false);
    pair.ask(I, MAJOR);
    assert_eq!(pair.normal_octets(R), [hex("01 00 29 09 0f 01 01 2a 01 31 c1 01 6d")]);
    pair.settle();
    pair.ask(R, ANSWER);
    assert_eq!(pair.normal_octets(I), [hex("02 00 2a 06 2a 01 31 c1 01 61")]);
    let told = pair.settle();
    assert_eq!(told[I], [Indication::SyncMajorConfirm { serial_number: SerialNumber(1), user_data: b"a" }]);
    assert_eq!(pair.numbers(), [(2, 2, 2); 2]);
    pair.check();
}

#[test]
fn tp097_the_requester_sends_no_data_and_receives_all() {
    let mut pair = pending(false);
    assert!(pair.sides[I].data_request(1, Enclosure::WHOLE).is_err());
    assert!(pair.sides[I].typed_data_request(1, Enclosure::WHOLE).is_err());
    pair.refused(I, minor());
    pair.refused(I, MAJOR);
    pair.ask(I, give(Tokens::DATA));
    let told = pair.settle();
    assert_eq!(told[R], [Indication::TokenGive { tokens: Tokens::DATA, user_data: b"" }]);
    assert!(pair.sides[R].data_request(1, Enclosure::WHOLE).is_ok());
    assert!(matches!(pair.receive(I, "01 00 01 00 78")[..], [Indication::Data { user_data: b"x", .. }]));
    assert!(matches!(pair.receive(I, "21 00 78")[..], [Indication::TypedData { user_data: b"x", .. }]));
    pair.ask(R, Request::TokenPlease { tokens: Tokens::MINOR, user_data: &[] });
    assert!(matches!(pair.settle()[I][..], [Indication::TokenPlease { .. }]));
}

#[test]
fn tp098_prepare_goes_ahead_and_expedited_data_wait_behind_it() {
    let mut pair = pending(true);
    pair.ask(R, ANSWER);
    pair.ask(R, Request::ExpeditedData { user_data: b"late" });
    assert_eq!(pair.expedited_octets(I), [hex("07 03 18 01 01"), hex("05 00 6c 61 74 65")]);
    assert_eq!(pair.expedited(I), []);
    assert_eq!(pair.states()[I], State::Sta15A);
    assert_eq!(pair.expedited(I), [], "it belongs behind the confirm");
    let told = pair.normal(I);
    let number = SerialNumber(1);
    assert_eq!(
        told,
        [
            Indication::SyncMajorConfirm { serial_number: number, user_data: b"a" },
            Indication::ExpeditedData { user_data: b"late" },
        ]
    );
    pair.check();
}

#[test]
fn tp099_a_resynchronization_from_either_side_cancels_it() {
    for (expedited, side) in [(false, I), (false, R), (true, I), (true, R)] {
        for (kind, number) in [(ResyncType::Abandon, None), (ResyncType::Set, Some(50))] {
            let mut pair = pending(expedited);
            pair.ask(side, resynchronize(kind, number));
            assert!(matches!(pair.settle()[1 - side][..], [Indication::Resynchronize(_)]));
            pair.refused(R, ANSWER);
            pair.ask(1 - side, resynchronized());
            let told = pair.settle();
            assert!(matches!(told[side][..], [Indication::ResynchronizeConfirm(_)]), "{told:?}");
            let number = number.unwrap_or(2);
            assert_eq!(pair.numbers(), [(number, number, 0); 2]);
            pair.check();
        }
    }
}

#[test]
fn the_answer_and_a_resynchronization_may_cross() {
    for expedited in [false, true] {
        let mut pair = pending(expedited);
        pair.ask(R, ANSWER);
        pair.ask(I, resynchronize(ResyncType::Abandon, None));
        let told = pair.settle();
        assert_eq!(told[I], [], "the confirm comes too late");
        pair.ask(R, resynchronized());
        pair.settle();
        assert_eq!(pair.numbers(), [(2, 2, 0); 2]);
        pair.check();
    }
}

#[test]
fn tp100_to_tp102_confirms_without_a_point_and_the_end_of_no_activity_are_errors() {
    Pair::new(SYNCHRONIZED, false).assert_error(I, "02 00 2a 03 2a 01 31");
    pending(false).refused(I, resynchronize(ResyncType::Restart, Some(1)));
    Pair::new(SYNCHRONIZED, false).assert_error(R, "01 00 29 03 2a 01 31");
    pending(false).assert_error(I, "02 00 2a 03 2a 01 32");
}

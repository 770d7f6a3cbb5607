//! Test purposes of data separation (reference 12.13), and of SSDUs that are broken off; names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_flows;
mod machine_support;

use colloquy_session::{FunctionalUnits as Fu, Indication, Request, ResyncType, State, Tokens};
use machine_flows::*;

const SEPARATED: Fu = SYNCHRONIZED.union(Fu::DATA_SEPARATION);
const DT: &str = "01 00 01 00 78";

fn point(data_separation: bool) -> Request<'static> {
    Request::SyncMinor { confirmation_optional: false, data_separation, user_data: &[] }
}

#[test]
fn tp144_data_in_front_of_a_separated_point_survive_a_resynchronization() {
    for (expedited, separated) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut pair = Pair::new(SEPARATED, expedited);
        pair.ask(I, point(separated));
        pair.ask(I, give(Tokens::DATA));
        let told = pair.settle();
        let Indication::SyncMinor { data_separation, .. } = told[R][0] else { panic!("{told:?}") };
        assert_eq!(data_separation, separated);
        pair.ask(I, resynchronize(ResyncType::Abandon, None));
        // The responder's data were on their way, and the initiator's point is unconfirmed.
        let told = pair.receive(I, DT);
        assert_eq!(matches!(told[..], [Indication::Data { user_data: b"x", .. }]), separated, "{told:?}");
        pair.settle();
        pair.ask(R, resynchronized());
        pair.settle();
        pair.check();
    }
}

#[test]
fn tp145_no_prepare_goes_ahead_of_a_resynchronization_while_a_separated_point_is_unconfirmed() {
    for separated in [false, true] {
        let mut pair = Pair::new(SEPARATED, true);
        pair.ask(I, point(separated));
        pair.settle();
        pair.ask(I, resynchronize(ResyncType::Abandon, None));
        assert_eq!(pair.expedited_octets(R).is_empty(), separated);
        pair.settle();
        pair.ask(R, resynchronized());
        pair.settle();
        pair.check();
        // The point is out of the way now.
        pair.ask(I, resynchronize(ResyncType::Abandon, None));
        assert_eq!(pair.expedited_octets(R).len(), 1);
    }
}

#[test]
fn an_interruption_is_announced_whatever_is_unconfirmed() {
    let mut pair = Pair::new(ACTIVITIES | Fu::DATA_SEPARATION, true);
    pair.ask(I, Request::ActivityStart { identifier: b"A", user_data: &[] });
    pair.ask(I, point(true));
    pair.settle();
    pair.ask(R, Request::UserException { reason: 0, user_data: &[] });
    pair.ask(I, Request::ActivityInterrupt { reason: 0, user_data: &[] });
    assert_eq!(pair.expedited_octets(R), [[0x07, 0x03, 0x18, 0x01, 0x02]]);
    let told = pair.settle();
    assert!(matches!(told[R][..], [Indication::ActivityInterrupt { .. }]), "{told:?}");
    pair.ask(R, Request::ActivityInterruptResponse { user_data: &[] });
    pair.settle();
    pair.check();
}

#[test]
fn tp119_an_ssdu_is_broken_off_by_an_interruption() {
    for expedited in [false, true] {
        let mut pair = Pair::new(ACTIVITIES, expedited);
        pair.ask(I, Request::ActivityStart { identifier: b"A", user_data: &[] });
        pair.settle();
        let told = pair.receive(R, "01 00 01 03 19 01 01 78");
        assert!(matches!(told[..], [Indication::Data { user_data: b"x", .. }]), "{told:?}");
        pair.ask(I, Request::ActivityInterrupt { reason: 0, user_data: &[] });
        let told = pair.settle();
        assert!(matches!(told[R][..], [Indication::ActivityInterrupt { .. }]), "{told:?}");
        pair.ask(R, Request::ActivityInterruptResponse { user_data: &[] });
        pair.settle();
        pair.check();
        // The rest will not come; the next one begins anew.
        assert!(matches!(pair.receive(R, DT)[..], [Indication::Data { user_data: b"x", .. }]));
        assert_eq!(pair.states()[R], State::Sta713);
    }
}

#[test]
fn a_prepare_that_waited_for_a_major_confirm_counts_when_a_request_cancels_it() {
    let mut pair = Pair::new(SYNCHRONIZED, true);
    pair.ask(I, Request::SyncMajor { user_data: &[] });
    pair.settle();
    pair.ask(R, Request::SyncMajorResponse { user_data: &[] });
    pair.ask(R, resynchronize(ResyncType::Restart, Some(2)));
    assert_eq!(pair.expedited(I), []);
    assert_eq!(pair.expedited(I), [], "PREPARE of the resynchronization waits in STA15A");
    assert_eq!(pair.states()[I], State::Sta15A);
    pair.ask(I, resynchronize(ResyncType::Set, Some(9)));
    assert_eq!(pair.states()[I], State::Sta06, "and counts at once");
    pair.settle();
    pair.ask(R, resynchronized());
    let told = pair.settle();
    assert!(matches!(told[I][..], [Indication::ResynchronizeConfirm(_)]), "{told:?}");
    assert_eq!(pair.numbers(), [(9, 9, 0); 2]);
    pair.check();
}

#[test]
fn a_session_of_all_numbers_can_still_be_resynchronized() {
    let mut pair = Pair::new(SYNCHRONIZED, false);
    pair.ask(I, resynchronize(ResyncType::Set, Some(999_999)));
    pair.settle();
    pair.ask(R, resynchronized());
    pair.settle();
    pair.ask(I, minor());
    pair.refused(I, minor());
    pair.refused(I, resynchronize(ResyncType::Abandon, None));
    pair.ask(R, resynchronize(ResyncType::Abandon, None));
    pair.settle();
    assert_eq!(pair.states(), [State::Sta11A, State::Sta05A], "the point was on its way");
    pair.ask(I, resynchronized());
    pair.settle();
    assert_eq!(pair.numbers(), [(999_999, 999_999, 0); 2]);
    pair.check();
}

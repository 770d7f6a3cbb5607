//! Test purposes of exceptions (reference 12.11); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_flows;
mod machine_support;

use colloquy_session::{Enclosure, FunctionalUnits as Fu, Indication, Request, ResyncType, State, Tokens};
use machine_flows::*;

fn report(reason: u8) -> Request<'static> {
    Request::UserException { reason, user_data: b"oops" }
}

/// The responder has reported, and the initiator was told.
fn reported(expedited: bool) -> Pair {
    let mut pair = Pair::new(SYNCHRONIZED, expedited);
    pair.ask(R, report(5));
    let told = pair.settle();
    assert_eq!(told[I], [Indication::UserException { reason: 5, user_data: b"oops" }]);
    assert_eq!(pair.states(), [State::Sta20, State::Sta19]);
    pair
}

#[test]
fn tp130_the_reporter_discards_and_counts_until_recovery() {
    let mut pair = Pair::new(SYNCHRONIZED, false);
    pair.ask(I, minor());
    pair.ask(R, report(5));
    let told = pair.settle();
    assert_eq!(told[R], [], "the point is discarded");
    assert_eq!(pair.numbers(), [(1, 2, 0); 2], "and counted");
    assert_eq!(pair.receive(R, "01 00 01 00 78"), []);
    pair.ask(I, give(Tokens::DATA));
    pair.settle();
    pair.check();
    assert_eq!(pair.sides[R].tokens_owned(), Tokens::DATA);
}

#[test]
fn tp130_and_tp131_every_recovery_brings_both_back() {
    for expedited in [false, true] {
        let mut pair = reported(expedited);
        assert!(pair.sides[I].data_request(1, Enclosure::WHOLE).is_err());
        pair.refused(I, minor());
        pair.refused(I, Request::SyncMajor { user_data: &[] });
        pair.refused(I, Request::Release { user_data: &[] });
        pair.ask(I, give(Tokens::MINOR));
        assert_eq!(pair.states()[I], State::Sta20, "only the data token recovers");
        pair.ask(I, resynchronize(ResyncType::Abandon, None));
        pair.settle();
        pair.ask(R, resynchronized());
        pair.settle();
        pair.check();
        let mut pair = reported(expedited);
        pair.ask(I, Request::Abort { user_data: b"9" });
        assert_eq!(pair.settle()[R], [Indication::UserAbort { user_data: b"9" }]);
    }
}

#[test]
fn tp130_activities_recover_by_interrupt_and_discard() {
    for (expedited, discards) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut pair = Pair::new(ACTIVITIES, expedited);
        pair.refused(R, report(5));
        pair.ask(I, Request::ActivityStart { identifier: b"A", user_data: &[] });
        pair.settle();
        pair.ask(R, report(5));
        pair.settle();
        if discards {
            pair.ask(I, Request::ActivityDiscard { reason: 5, user_data: &[] });
            assert!(matches!(pair.settle()[R][..], [Indication::ActivityDiscard { reason: 5, .. }]));
            pair.ask(R, Request::ActivityDiscardResponse { user_data: &[] });
        } else {
            pair.ask(I, Request::ActivityInterrupt { reason: 5, user_data: &[] });
            assert!(matches!(pair.settle()[R][..], [Indication::ActivityInterrupt { reason: 5, .. }]));
            pair.ask(R, Request::ActivityInterruptResponse { user_data: &[] });
        }
        pair.settle();
        pair.check();
        assert!(!pair.sides[I].activity_in_progress());
    }
}

#[test]
fn tp132_every_reason_arrives_and_reserved_ones_are_not_sent() {
    for reason in [0, 1, 3, 5, 6, 128] {
        let mut pair = Pair::new(SYNCHRONIZED, false);
        pair.ask(R, report(reason));
        assert_eq!(pair.settle()[I], [Indication::UserException { reason, user_data: b"oops" }]);
    }
    for reason in [2, 4, 7, 127, 129, 255] {
        Pair::new(SYNCHRONIZED, false).refused(R, report(reason));
    }
}

#[test]
fn tp133_a_provider_exception_is_recovered_from_alike() {
    let mut pair = Pair::new(SYNCHRONIZED, false);
    let told = pair.receive(I, "02 00 00 04 31 02 31 04");
    assert!(matches!(told[..], [Indication::ProviderException { .. }]), "{told:?}");
    assert_eq!(pair.states()[I], State::Sta20);
    pair.ask(I, give(Tokens::DATA));
    pair.settle();
    pair.check();
}

#[test]
fn tp134_a_report_that_crosses_the_data_token_stops_nobody() {
    for expedited in [false, true] {
        let mut pair = Pair::new(SYNCHRONIZED, expedited);
        pair.ask(I, give(Tokens::DATA));
        pair.ask(R, report(1));
        let told = pair.settle();
        assert!(matches!(told[I][..], [Indication::UserException { reason: 1, .. }]));
        assert!(matches!(told[R][..], [Indication::TokenGive { .. }]));
        pair.check();
        assert_eq!(pair.sides[R].tokens_owned(), Tokens::DATA);
    }
}

#[test]
fn tp135_and_tp136_reports_of_the_wrong_side_or_without_a_reason_are_errors() {
    let ed = "02 00 30 03 32 01 01";
    // The tables (ED in STA713 with p50) cannot tell it from a report that crossed the data token, so it is
    // indicated and changes nothing.
    let mut pair = Pair::new(SYNCHRONIZED, false);
    assert!(matches!(pair.receive(R, ed)[..], [Indication::UserException { reason: 1, .. }]));
    pair.check();
    // Between activities there are none.
    Pair::new(ACTIVITIES, false).assert_error(R, ed);
    Pair::new(SYNCHRONIZED, false).assert_error(I, "02 00 30 00");
    Pair::new(SYNCHRONIZED, false).refused(I, report(1));
    Pair::new(Fu::HALF_DUPLEX | Fu::MINOR_SYNC, false).assert_error(I, ed);
    let mut pair = Pair::new(SYNCHRONIZED, false);
    let told = pair.receive(I, "02 00 30 03 32 01 02");
    assert!(matches!(told[..], [Indication::UserException { .. }]), "reserved: {told:?}");
}

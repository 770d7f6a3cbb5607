//! Test purposes of minor synchronization (reference 12.7); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_flows;
mod machine_support;

use colloquy_session::{Indication, Request, SerialNumber, Tokens};
use machine_flows::*;

#[test]
fn tp087_points_are_numbered_from_the_initial_number() {
    let mut pair = Pair::new(SYNCHRONIZED, false);
    for number in 1..=12 {
        pair.ask(I, minor());
        let [Indication::SyncMinor { serial_number, .. }] = pair.normal(R)[..] else { panic!("a point") };
        assert_eq!(serial_number, SerialNumber(number));
        assert_eq!(pair.numbers(), [(1, number + 1, 0); 2]);
    }
    pair.ask(I, minor());
    assert_eq!(pair.normal_octets(R), [machine_support::hex("01 00 31 04 2a 02 31 33")]);
}

#[test]
fn tp088_a_confirmation_is_possible_and_never_needed() {
    for confirmation_optional in [false, true] {
        let mut pair = Pair::new(SYNCHRONIZED, false);
        pair.ask(I, Request::SyncMinor { confirmation_optional, data_separation: false, user_data: b"x" });
        let told = pair.settle();
        let expected = Indication::SyncMinor {
            serial_number: SerialNumber(1),
            confirmation_optional,
            data_separation: false,
            user_data: b"x",
        };
        assert_eq!(told[R], [expected]);
        pair.ask(I, minor());
        pair.settle();
        pair.ask(R, minor_response(1));
        let told = pair.settle();
        let number = SerialNumber(1);
        assert_eq!(told[I], [Indication::SyncMinorConfirm { serial_number: number, user_data: b"" }]);
        pair.check();
    }
}

#[test]
fn tp089_the_newest_confirmation_stands_for_all_before_it() {
    let mut pair = Pair::new(SYNCHRONIZED, false);
    for _ in 0..3 {
        pair.ask(I, minor());
    }
    pair.settle();
    pair.refused(R, minor_response(4));
    pair.refused(R, minor_response(0));
    pair.ask(R, minor_response(3));
    assert_eq!(pair.normal_octets(I), [machine_support::hex("02 00 32 03 2a 01 33")]);
    pair.settle();
    assert_eq!(pair.numbers(), [(4, 4, 0); 2]);
    for number in 1..=3 {
        pair.refused(R, minor_response(number));
    }
    pair.refused(I, minor_response(3));
}

#[test]
fn tp090_with_the_token_the_right_to_confirm_changes_sides() {
    let mut pair = Pair::new(SYNCHRONIZED, false);
    pair.ask(I, minor());
    pair.ask(I, minor());
    pair.ask(I, give(Tokens::MINOR | Tokens::DATA));
    pair.settle();
    pair.ask(R, minor_response(1));
    pair.settle();
    assert_eq!(pair.numbers(), [(2, 3, 0); 2]);
    pair.refused(I, minor());
    pair.ask(R, minor());
    pair.settle();
    pair.refused(R, minor_response(2));
    pair.ask(I, minor_response(3));
    pair.settle();
    assert_eq!(pair.numbers(), [(4, 4, 0); 2]);
    pair.check();
}

#[test]
fn tp091_older_points_are_confirmed_while_a_major_one_waits() {
    for expedited in [false, true] {
        let mut pair = Pair::new(SYNCHRONIZED, expedited);
        pair.ask(I, minor());
        pair.ask(I, minor());
        pair.ask(I, Request::SyncMajor { user_data: &[] });
        pair.settle();
        pair.refused(R, minor_response(3));
        pair.ask(R, minor_response(1));
        let told = pair.settle();
        assert!(matches!(told[I][..], [Indication::SyncMinorConfirm { .. }]), "{told:?}");
        assert_eq!(pair.numbers(), [(2, 4, 0); 2]);
        pair.ask(R, Request::SyncMajorResponse { user_data: &[] });
        let told = pair.settle();
        assert!(matches!(told[I][..], [Indication::SyncMajorConfirm { .. }]), "{told:?}");
        assert_eq!(pair.numbers(), [(4, 4, 4); 2]);
        pair.check();
    }
}

#[test]
fn tp092_to_tp094_points_and_confirmations_out_of_turn_are_errors() {
    let with_a_point = || {
        let mut pair = Pair::new(SYNCHRONIZED, false);
        pair.ask(I, minor());
        pair.settle();
        pair
    };
    for number in ["31", "33"] {
        with_a_point().assert_error(R, &format!("01 00 31 03 2a 01 {number}"));
    }
    with_a_point().assert_error(I, "01 00 31 03 2a 01 32");
    for number in ["30", "32"] {
        with_a_point().assert_error(I, &format!("02 00 32 03 2a 01 {number}"));
    }
    with_a_point().assert_error(R, "02 00 32 03 2a 01 31");
}

#[test]
fn tp095_a_point_without_a_proper_number_is_invalid() {
    for octets in ["01 00 31 00", "01 00 31 03 2a 01 61", "01 00 31 09 2a 07 30 30 30 30 30 30 31"] {
        Pair::new(SYNCHRONIZED, false).assert_error(R, octets);
    }
}

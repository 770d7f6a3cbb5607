//! Bits and codes that nobody has defined, or that belong to a unit that was not selected, as the reference wants
//! them received: ignored, or passed on as "no specific reason" (2.4, 2.6, purpose 136).
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::{
    ConnectParameters, FunctionalUnits as Fu, Indication, Request, SerialNumber, Session, SessionConfig,
    State,
};
use machine_support::*;

fn pair(units: Fu, strict: bool) -> (Session, Session) {
    let config =
        SessionConfig { functional_units: Fu::all() - Fu::SYMMETRIC_SYNC, strict, ..Default::default() };
    let connect = ConnectParameters {
        requirements: units,
        initial_serial_number: units.contains(Fu::MINOR_SYNC).then_some(SerialNumber(1)),
        ..connect()
    };
    established(&config, &connect, &accept())
}

#[test]
fn reserved_bits_of_the_sync_type_are_ignored_where_data_separation_is_not_selected() {
    for strict in [false, true] {
        for bits in ["00", "01", "02", "03", "fc", "ff"] {
            let (_, mut responder) = pair(Fu::DUPLEX | Fu::MINOR_SYNC, strict);
            let told = feed(&mut responder, &hex(&format!("01 00 31 06 0f 01 {bits} 2a 01 31")));
            let [Indication::SyncMinor { data_separation, confirmation_optional, .. }] = told[..] else {
                panic!("{bits}, strict {strict}: {told:?} {:?}", responder.take_fault());
            };
            assert_eq!((data_separation, confirmation_optional), (false, hex(bits)[0] & 1 == 1));
            assert_eq!(responder.serial_numbers().next, SerialNumber(2));
        }
    }
}

#[test]
fn data_separation_counts_where_it_is_selected() {
    let (_, mut responder) = pair(Fu::DUPLEX | Fu::MINOR_SYNC | Fu::DATA_SEPARATION, true);
    let told = feed(&mut responder, &hex("01 00 31 06 0f 01 02 2a 01 31"));
    assert!(matches!(told[..], [Indication::SyncMinor { data_separation: true, .. }]), "{told:?}");
}

#[test]
fn reserved_reasons_are_passed_on_as_no_specific_reason_and_refused_by_strict_rules() {
    for reason in ["02", "04", "07", "81", "ff"] {
        let units = Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::EXCEPTIONS;
        let ed = hex(&format!("02 00 30 03 32 01 {reason}"));
        let (mut initiator, _) = pair(units, false);
        assert_eq!(feed(&mut initiator, &ed), [Indication::UserException { reason: 0, user_data: &[] }]);
        let (mut initiator, _) = pair(units, true);
        assert!(matches!(feed(&mut initiator, &ed)[..], [Indication::ProviderAbort { .. }]));

        for (si, state) in [("19", State::Sta11B), ("39", State::Sta11C)] {
            let (mut initiator, mut responder) = pair(Fu::HALF_DUPLEX | Fu::ACTIVITY, false);
            initiator.request(NOW, &Request::ActivityStart { identifier: b"a", user_data: &[] }).unwrap();
            feed(&mut responder, &drain_one(&mut initiator));
            let told = feed(&mut responder, &hex(&format!("01 00 {si} 03 32 01 {reason}")));
            let ([Indication::ActivityInterrupt { reason: told, .. }]
            | [Indication::ActivityDiscard { reason: told, .. }]) = told[..]
            else {
                panic!("{told:?}")
            };
            assert_eq!((told, responder.state()), (0, state));
        }
    }
}

//! One session after the other on a transport connection that is kept (reference 8.3), and what else hangs on a
//! local choice: EXCEPTION REPORT in place of ABORT.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    ConnectParameters, FunctionalUnits, Indication, PeerFault, ProviderAbortReason, ProviderExceptionReason,
    RefuseParameters, Request, SerialNumber, ServiceError, Session, SessionConfig, State, Tokens,
};
use machine_support::*;

fn keeping() -> SessionConfig {
    SessionConfig { transport_reuse: true, ..Default::default() }
}

/// Carries what `from` has to `to` and gives what the user of `to` is told. No transport connection is released.
fn carry(from: &mut Session, to: &mut Session) -> Vec<Indication<'static>> {
    let mut told = Vec::new();
    for sent in drain(from) {
        match sent {
            Sent::Tsdu(octets) => told.extend(feed(to, &octets)),
            other => panic!("{other:?} while the transport connection is kept"),
        }
    }
    told
}

#[test]
fn tp060_sessions_follow_each_other_on_one_transport_connection() {
    let config = keeping();
    let mut initiator = Session::initiator(&config, &connect()).unwrap();
    initiator.transport_connected(NOW, false);
    let mut responder = Session::responder(&config);
    for round in 0_u8..6 {
        if round > 0 {
            let again = ConnectParameters { user_data: &[round], ..connect() };
            initiator.connect_request(NOW, &again).unwrap();
        }
        let told = carry(&mut initiator, &mut responder);
        assert!(matches!(told[..], [Indication::Connect(_)]), "{told:?}");
        if round % 3 == 2 {
            let refuse = RefuseParameters { reason: 1, user_data: b"", transport_kept: true };
            responder.connect_refuse(NOW, &refuse).unwrap();
            let told = carry(&mut responder, &mut initiator);
            assert!(matches!(
                told[..],
                [Indication::ConnectRefused(RefuseParameters { reason: 1, transport_kept: true, .. })]
            ));
        } else {
            responder.connect_response(NOW, &accept()).unwrap();
            carry(&mut responder, &mut initiator);
            if round % 2 == 0 {
                initiator.release_request(NOW, b"").unwrap();
                assert_eq!(carry(&mut initiator, &mut responder), [Indication::Release { user_data: b"" }]);
                responder.release_response(NOW, true, b"").unwrap();
                carry(&mut responder, &mut initiator);
            } else {
                // Either side may abort so; the other one answers with ABORT ACCEPT.
                responder.abort_request(NOW, b"enough").unwrap();
                assert_eq!(responder.state(), State::Sta01A);
                assert!(responder.poll_timeout().is_some(), "ABORT ACCEPT is waited for under TIM");
                let told = carry(&mut responder, &mut initiator);
                assert_eq!(told, [Indication::UserAbort { user_data: b"enough" }]);
                assert_eq!(carry(&mut initiator, &mut responder), []);
                assert_eq!(responder.poll_timeout(), None);
            }
        }
        assert_eq!([initiator.state(), responder.state()], [State::Sta01C; 2], "round {round}");
        assert_eq!([initiator.version(), responder.version()], [None; 2]);
        assert_eq!(initiator.functional_units(), FunctionalUnits::empty());
    }
}

#[test]
fn only_the_side_that_opened_it_may_connect_again() {
    let mut responder = Session::responder(&keeping());
    let refused = responder.connect_request(NOW, &connect());
    assert_eq!(refused, Err(ServiceError::State { state: State::Sta01C }));
    let (mut initiator, _) = established(&keeping(), &connect(), &accept());
    let refused = initiator.connect_request(NOW, &connect());
    assert_eq!(refused, Err(ServiceError::State { state: State::Sta713 }));
}

#[test]
fn tp061_a_side_that_does_not_keep_it_releases_it() {
    let (mut initiator, mut responder) = indicated(&SessionConfig::default(), &connect());
    responder.connect_response(NOW, &accept()).unwrap();
    for octets in drain(&mut responder) {
        let Sent::Tsdu(octets) = octets else { panic!("an ACCEPT") };
        feed(&mut initiator, &octets);
    }
    // FINISH that says "kept".
    assert_eq!(feed(&mut responder, &hex("09 03 11 01 00")), [Indication::Release { user_data: b"" }]);
    responder.release_response(NOW, true, b"").unwrap();
    assert_eq!(responder.state(), State::Sta16);
    drain(&mut responder);
    let deadline = responder.poll_timeout().unwrap();
    assert_eq!(responder.handle_timeout(deadline), None);
    assert_eq!(drain(&mut responder), [Sent::Disconnect]);
}

#[test]
fn tp068_an_abort_that_is_not_accepted_ends_with_the_timer() {
    let (mut initiator, _) = established(&keeping(), &connect(), &accept());
    initiator.abort_request(NOW, b"").unwrap();
    assert_eq!(drain(&mut initiator), [Sent::Tsdu(hex("19 03 11 01 02"))]);
    let deadline = initiator.poll_timeout().unwrap();
    assert_eq!(initiator.handle_timeout(deadline), None);
    assert_eq!(drain(&mut initiator), [Sent::Disconnect]);
    assert_eq!(initiator.state(), State::Sta01);
}

#[test]
fn reuse_is_not_possible_with_transport_expedited() {
    let config = keeping();
    let mut initiator = Session::initiator(&config, &connect()).unwrap();
    initiator.transport_connected(NOW, true);
    let mut responder = Session::responder(&config);
    responder.use_transport_expedited();
    carry(&mut initiator, &mut responder);
    responder.connect_response(NOW, &accept()).unwrap();
    carry(&mut responder, &mut initiator);
    initiator.release_request(NOW, b"").unwrap();
    assert_eq!(drain(&mut initiator), [Sent::Tsdu(hex("09 03 11 01 01"))]);
}

#[test]
fn a_protocol_error_is_reported_as_an_exception_where_that_is_chosen() {
    let units = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::EXCEPTIONS | FunctionalUnits::MINOR_SYNC;
    let connect =
        ConnectParameters { requirements: units, initial_serial_number: Some(SerialNumber(1)), ..connect() };
    for chosen in [false, true] {
        let config =
            SessionConfig { functional_units: units, exception_reports: chosen, ..Default::default() };
        let (mut initiator, mut responder) = established(&config, &connect, &accept());
        // A minor synchronization point with the wrong number.
        let told = feed(&mut responder, &hex("01 00 31 03 2A 01 37"));
        assert!(matches!(responder.take_fault(), Some(PeerFault::Violation { .. })));
        if !chosen {
            let reason = ProviderAbortReason::ProtocolError;
            assert_eq!(told, [Indication::ProviderAbort { reason }]);
            continue;
        }
        let reason = ProviderExceptionReason::ProtocolError;
        assert_eq!(told, [Indication::ProviderException { reason }]);
        assert_eq!(responder.state(), State::Sta20);
        let told = carry(&mut responder, &mut initiator);
        let reason = ProviderExceptionReason::NonSpecific;
        assert_eq!(told, [Indication::ProviderException { reason }]);
        // Giving the data token ends it on both sides.
        initiator.request(NOW, &Request::TokenGive { tokens: Tokens::DATA, user_data: b"" }).unwrap();
        let told = carry(&mut initiator, &mut responder);
        assert_eq!(told, [Indication::TokenGive { tokens: Tokens::DATA, user_data: b"" }]);
        assert_eq!([initiator.state(), responder.state()], [State::Sta713; 2]);
    }
    // Whatever the choice, octets that are no SPDU are answered by ABORT in duplex.
    let (mut initiator, _) = duplex();
    let mut tsdu = Tsdu::new(&[0x7f, 0x00]);
    let told = initiator.handle_tsdu(NOW, &mut tsdu);
    assert_eq!(told, Some(Indication::ProviderAbort { reason: ProviderAbortReason::ProtocolError }));
}

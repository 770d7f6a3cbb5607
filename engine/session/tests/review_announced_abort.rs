//! PREPARE (abort) came: whatever follows, or does not, the user is told of exactly one end, and its own requests
//! are taken and discarded as the tables say (STA15D; reference A.1, A.9, 8.5, purpose 67).
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    Enclosure, Indication, ProviderAbortReason, RefuseParameters, Request, Session, SessionConfig, State,
};
use machine_support::*;

/// PREPARE (abort) has come to a responder before it answered, or after.
fn announced(answered: bool) -> Session {
    let config = SessionConfig::default();
    let mut initiator = Session::initiator(&config, &connect()).unwrap();
    let mut responder = Session::responder(&config);
    initiator.transport_connected(NOW, true);
    responder.use_transport_expedited();
    feed(&mut responder, &drain_one(&mut initiator));
    if answered {
        responder.connect_response(NOW, &accept()).unwrap();
        drain_one(&mut responder);
    }
    let octets = hex("07 03 18 01 04");
    assert_eq!(responder.handle_tsdu(NOW, &mut Tsdu::expedited(&octets)), None);
    assert_eq!(responder.state(), State::Sta15D);
    responder
}

#[test]
fn the_timer_tells_the_user_when_the_announced_abort_does_not_come() {
    for answered in [false, true] {
        let mut session = announced(answered);
        let deadline = session.poll_timeout().unwrap();
        assert_eq!(session.handle_timeout(deadline - core::time::Duration::from_nanos(1)), None);
        let told = session.handle_timeout(deadline);
        assert_eq!(told, Some(Indication::ProviderAbort { reason: ProviderAbortReason::Undefined }));
        assert_eq!((session.state(), session.poll_timeout()), (State::Sta01, None));
        assert_eq!(drain(&mut session), [Sent::Disconnect]);
        assert_eq!(session.transport_disconnected(NOW), None);
    }
}

#[test]
fn a_user_that_has_aborted_itself_is_not_told() {
    let mut session = announced(true);
    session.request(NOW, &Request::Abort { user_data: &[] }).unwrap();
    assert_eq!((session.state(), drain(&mut session)), (State::Sta16, vec![]));
    assert_eq!(session.handle_timeout(session.poll_timeout().unwrap()), None);
    assert_eq!(drain(&mut session), [Sent::Disconnect]);
}

#[test]
fn tp067_the_announced_abort_ends_it_once() {
    for answered in [false, true] {
        let mut session = announced(answered);
        assert!(feed(&mut session, &hex("01 00 01 00 61")).is_empty(), "data in front of it are dropped");
        let told = feed(&mut session, &hex("19 06 11 01 03 c1 01 61"));
        assert_eq!(told, [Indication::UserAbort { user_data: b"a" }]);
        assert_eq!((session.state(), session.poll_timeout()), (State::Sta01, None));
    }
}

#[test]
fn requests_are_taken_and_discarded() {
    let mut session = announced(false);
    session.connect_response(NOW, &accept()).unwrap();
    assert_eq!((session.state(), drain(&mut session)), (State::Sta15D, vec![]));
    assert_eq!(session.version(), None);
    let told = feed(&mut session, &hex("19 03 11 01 05"));
    assert_eq!(told, [Indication::ProviderAbort { reason: ProviderAbortReason::ProtocolError }]);

    let mut session = announced(false);
    session
        .connect_refuse(NOW, &RefuseParameters { reason: 0, user_data: &[], transport_kept: false })
        .unwrap();
    assert_eq!((session.state(), drain(&mut session)), (State::Sta16, vec![]));

    let mut session = announced(true);
    assert_eq!(session.data_request(5, Enclosure::WHOLE).unwrap().count(), 0);
    session.request(NOW, &Request::Release { user_data: &[] }).unwrap();
    assert_eq!((session.state(), drain(&mut session)), (State::Sta15D, vec![]));
}

#[test]
fn tp146_the_bit_of_symmetric_synchronize_asks_for_nothing_where_it_is_not_offered() {
    for strict in [false, true] {
        let config = SessionConfig { strict, ..SessionConfig::default() };
        let mut responder = Session::responder(&config);
        let told = feed(&mut responder, &hex("0d 0c 05 06 13 01 00 16 01 02 14 02 18 02"));
        assert!(matches!(told[..], [Indication::Connect(_)]), "{told:?} {:?}", responder.take_fault());
        responder.connect_response(NOW, &accept()).unwrap();
        let accepted = drain_one(&mut responder);
        assert_eq!(accepted, hex("0e 0c 05 06 13 01 00 16 01 02 14 02 00 02"));
    }
}

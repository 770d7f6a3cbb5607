//! Test purposes of release and abort (reference 12.4); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use std::time::Duration;

use colloquy_session::spdu::{Finish, Spdu, SpduKind};
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits, Indication, PeerFault, ProviderAbortReason, ServiceError,
    Session, SessionConfig, State, Tokens, TransportDisconnect, Versions,
};
use machine_support::*;

const CONFIRMED: Indication<'static> = Indication::ReleaseConfirm { affirmative: true, user_data: &[] };
const RELEASE: Indication<'static> = Indication::Release { user_data: &[] };
const USER_ABORT: Indication<'static> = Indication::UserAbort { user_data: &[] };
const LOST: Indication<'static> =
    Indication::ProviderAbort { reason: ProviderAbortReason::TransportDisconnect };
const PROTOCOL_ERROR: Indication<'static> =
    Indication::ProviderAbort { reason: ProviderAbortReason::ProtocolError };

/// Machines in every state with a session that these units can reach.
fn sessions_up() -> Vec<Session> {
    let mut sessions = Vec::new();
    let (initiator, responder) = indicated(&SessionConfig::default(), &connect());
    sessions.extend([initiator, responder]); // STA02A, STA08
    let (initiator, responder) = duplex();
    sessions.extend([initiator, responder]); // STA713
    let (mut initiator, mut responder) = duplex();
    initiator.release_request(NOW, &[]).unwrap();
    feed(&mut responder, &drain_one(&mut initiator));
    sessions.extend([initiator, responder]); // STA03, STA09
    for session in &mut sessions {
        drain(session);
    }
    let states: Vec<_> = sessions.iter().map(Session::state).collect();
    use State::*;
    assert_eq!(states, [Sta02A, Sta08, Sta713, Sta713, Sta03, Sta09]);
    sessions
}

/// The session is over and its transport was asked to go.
fn assert_over(session: &mut Session) {
    assert_eq!(session.state(), State::Sta01);
    assert_eq!(drain(session), [Sent::Disconnect]);
    assert_eq!(session.poll_timeout(), None);
    assert_eq!(session.transport_disconnected(NOW), None);
}

#[test]
fn tp054_release_ends_with_the_requester_disconnecting() {
    let (mut initiator, mut responder) = duplex();
    responder.release_request(NOW, b"bye").unwrap();
    let finish = drain_one(&mut responder);
    assert_eq!(finish, hex("09 08 11 01 01 c1 03 62 79 65"));
    assert_eq!(feed(&mut initiator, &finish), [Indication::Release { user_data: b"bye" }]);
    initiator.release_response(NOW, true, b"ok").unwrap();
    assert_eq!(
        (initiator.state(), initiator.poll_timeout()),
        (State::Sta16, Some(NOW + Duration::from_secs(5)))
    );
    let disconnect = drain_one(&mut initiator);
    assert_eq!(disconnect, hex("0a 04 c1 02 6f 6b"));
    let confirm = Indication::ReleaseConfirm { affirmative: true, user_data: b"ok" };
    assert_eq!(feed(&mut responder, &disconnect), [confirm]);
    assert_over(&mut responder);
    assert_eq!(initiator.transport_disconnected(NOW), None);
    assert_eq!((initiator.state(), initiator.poll_timeout()), (State::Sta01, None));
}

#[test]
fn tp055_a_negotiated_release_can_be_refused_and_the_session_goes_on() {
    let (mut initiator, mut responder) = half_duplex();
    initiator.release_request(NOW, &[]).unwrap();
    assert_eq!(feed(&mut responder, &drain_one(&mut initiator)), [RELEASE]);
    responder.release_response(NOW, false, b"no").unwrap();
    let refused = drain_one(&mut responder);
    assert_eq!(refused, hex("08 04 c1 02 6e 6f"));
    let confirm = Indication::ReleaseConfirm { affirmative: false, user_data: b"no" };
    assert_eq!(feed(&mut initiator, &refused), [confirm]);
    assert_eq!((initiator.state(), responder.state()), (State::Sta713, State::Sta713));
    assert!(initiator.data_request(1, Enclosure::WHOLE).is_ok());
    // Without the unit the answer can only be affirmative.
    let (mut initiator, mut responder) = duplex();
    initiator.release_request(NOW, &[]).unwrap();
    feed(&mut responder, &drain_one(&mut initiator));
    let unit = ServiceError::FunctionalUnit(FunctionalUnits::NEGOTIATED_RELEASE);
    assert_eq!(responder.release_response(NOW, false, &[]), Err(unit));
    assert_eq!(responder.state(), State::Sta09);
}

#[test]
fn tp056_release_without_all_tokens_is_refused_locally() {
    let (mut initiator, mut responder) = half_duplex();
    let all = Tokens::DATA | Tokens::RELEASE;
    assert_eq!(responder.release_request(NOW, &[]), Err(ServiceError::Token(all)));
    initiator.token_give_request(NOW, Tokens::RELEASE, &[]).unwrap();
    drain(&mut initiator);
    assert_eq!(initiator.release_request(NOW, &[]), Err(ServiceError::Token(Tokens::RELEASE)));
    assert_eq!((initiator.state(), drain(&mut initiator)), (State::Sta713, vec![]));
}

#[test]
fn tp057_data_between_finish_and_disconnect_are_delivered() {
    let (mut initiator, mut responder) = duplex();
    initiator.release_request(NOW, &[]).unwrap();
    feed(&mut responder, &drain_one(&mut initiator));
    assert_eq!(responder.data_request(1, Enclosure::WHOLE).unwrap().count(), 1);
    let state = Some(ServiceError::State { state: State::Sta03 });
    assert_eq!(initiator.data_request(1, Enclosure::WHOLE).err(), state);
    let data = Indication::Data { user_data: b"a", user_data_offset: 4, enclosure: Enclosure::WHOLE };
    assert_eq!(feed(&mut initiator, &hex("01 00 01 00 61")), [data]);
    responder.release_response(NOW, true, &[]).unwrap();
    assert_eq!(feed(&mut initiator, &drain_one(&mut responder)), [CONFIRMED]);
}

/// Both sides after their FINISH SPDUs have crossed.
fn collided() -> (Session, Session) {
    let (mut initiator, mut responder) = duplex();
    initiator.release_request(NOW, &[]).unwrap();
    responder.release_request(NOW, &[]).unwrap();
    let (there, back) = (drain_one(&mut initiator), drain_one(&mut responder));
    assert_eq!(feed(&mut responder, &there), [RELEASE]);
    assert_eq!(feed(&mut initiator, &back), [RELEASE]);
    assert_eq!((initiator.state(), responder.state()), (State::Sta09, State::Sta09));
    (initiator, responder)
}

#[test]
fn tp058_a_release_collision_ends_without_deadlock_when_the_initiator_answers_first() {
    let (mut initiator, mut responder) = collided();
    initiator.release_response(NOW, true, &[]).unwrap();
    assert_eq!(initiator.state(), State::Sta03);
    assert_eq!(feed(&mut responder, &drain_one(&mut initiator)), [CONFIRMED]);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta09, vec![]));
    responder.release_response(NOW, true, &[]).unwrap();
    assert_eq!(responder.state(), State::Sta16);
    assert_eq!(feed(&mut initiator, &drain_one(&mut responder)), [CONFIRMED]);
    assert_over(&mut initiator);
    assert_eq!((responder.transport_disconnected(NOW), drain(&mut responder)), (None, vec![]));
}

#[test]
fn tp058_in_a_collision_the_responder_answers_only_after_the_initiator() {
    let (mut initiator, mut responder) = collided();
    let early = responder.release_response(NOW, true, &[]);
    assert_eq!(early, Err(ServiceError::State { state: State::Sta09 }));
    assert_eq!(drain(&mut responder), []);
    initiator.release_response(NOW, true, &[]).unwrap();
    feed(&mut responder, &drain_one(&mut initiator));
    responder.release_response(NOW, true, &[]).unwrap();
    assert_eq!(feed(&mut initiator, &drain_one(&mut responder)), [CONFIRMED]);
    assert_over(&mut initiator);
}

#[test]
fn a_disconnect_before_the_own_answer_in_a_collision_is_taken_in_lenient_mode() {
    let (mut initiator, _) = collided();
    assert_eq!(feed(&mut initiator, &hex("0a 00")), [CONFIRMED]);
    assert_eq!(initiator.state(), State::Sta09);
    initiator.release_response(NOW, true, &[]).unwrap();
    assert_eq!(drain_one(&mut initiator), hex("0a 00"));
    assert_eq!(initiator.state(), State::Sta16);
    // A second one is too many.
    let (mut initiator, _) = collided();
    assert_eq!(feed(&mut initiator, &hex("0a 00")), [CONFIRMED]);
    assert_eq!(feed(&mut initiator, &hex("0a 00")), [PROTOCOL_ERROR]);
}

#[test]
fn tp059_a_finish_without_transport_disconnect_means_released() {
    let (mut initiator, _) = duplex();
    assert_eq!(feed(&mut initiator, &hex("09 00")), [RELEASE]);
    initiator.release_response(NOW, true, &[]).unwrap();
    assert_eq!(initiator.state(), State::Sta16);
}

#[test]
fn tp061_a_finish_that_keeps_the_transport_is_answered_and_the_transport_released_after_tim() {
    let kept = Finish { transport_disconnect: Some(TransportDisconnect::empty()), ..Default::default() };
    let (_, mut responder) = duplex();
    assert_eq!(feed(&mut responder, &tsdu(Spdu::Finish(kept))), [RELEASE]);
    responder.release_response(NOW, true, &[]).unwrap();
    assert_eq!(drain_one(&mut responder), hex("0a 00"));
    let deadline = responder.poll_timeout().unwrap();
    assert_eq!(responder.handle_timeout(deadline - Duration::from_nanos(1)), None);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta16, vec![]));
    assert_eq!(responder.handle_timeout(deadline), None);
    assert_over(&mut responder);
    // Only the side that opened the transport connection may keep it.
    let (mut initiator, _) = duplex();
    assert_eq!(feed(&mut initiator, &tsdu(Spdu::Finish(kept))), [PROTOCOL_ERROR]);
}

#[test]
fn a_finish_whose_sender_closes_at_once_ends_the_session() {
    let (_, mut responder) = duplex();
    assert_eq!(feed(&mut responder, &hex("09 00")), [RELEASE]);
    assert_eq!(responder.transport_disconnected(NOW), Some(LOST));
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![]));
    assert_eq!(responder.release_response(NOW, true, &[]), Err(ServiceError::State { state: State::Sta01 }));
    // Also when the answer was given already: then there is nothing to tell.
    let (_, mut responder) = duplex();
    feed(&mut responder, &hex("09 00"));
    responder.release_response(NOW, true, &[]).unwrap();
    assert_eq!(responder.transport_disconnected(NOW), None);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![]));
}

#[test]
fn tp062_a_user_abort_reaches_the_peer_and_the_peer_disconnects() {
    for mut aborting in sessions_up() {
        aborting.abort_request(NOW, b"123456789").unwrap();
        assert_eq!(aborting.state(), State::Sta16);
        let abort = drain_one(&mut aborting);
        assert_eq!(abort, hex("19 0e 11 01 03 c1 09 31 32 33 34 35 36 37 38 39"));
        let (_, mut peer) = duplex();
        assert_eq!(feed(&mut peer, &abort), [Indication::UserAbort { user_data: b"123456789" }]);
        assert_over(&mut peer);
        assert_eq!(aborting.transport_disconnected(NOW), None);
        assert_eq!(aborting.state(), State::Sta01);
    }
    let connect = ConnectParameters { versions: Versions::V1, ..connect() };
    let (mut initiator, _) = established(&SessionConfig::default(), &connect, &accept());
    let error = initiator.abort_request(NOW, &[0; 10]);
    assert_eq!(error, Err(ServiceError::UserDataLength { octets: 10, octets_max: 9 }));
    assert_eq!((initiator.state(), drain(&mut initiator)), (State::Sta713, vec![]));
}

#[test]
fn an_abort_before_the_transport_is_up_only_disconnects() {
    let mut initiator = Session::initiator(&SessionConfig::default(), &connect()).unwrap();
    initiator.abort_request(NOW, &[]).unwrap();
    assert_over(&mut initiator);
    let mut idle = responder();
    assert_eq!(idle.abort_request(NOW, &[]), Err(ServiceError::State { state: State::Sta01C }));
}

#[test]
fn tp063_tp064_and_tp071_the_cause_of_an_abort_is_told() {
    let provider = |reason| Indication::ProviderAbort { reason };
    let undefined = provider(ProviderAbortReason::Undefined);
    for (octets, expected) in [
        ("19 03 11 01 0b", USER_ABORT),
        ("19 03 11 01 02", USER_ABORT),
        ("19 03 11 01 03", USER_ABORT),
        ("19 03 11 01 05", PROTOCOL_ERROR),
        ("19 03 11 01 04", PROTOCOL_ERROR),
        ("19 03 11 01 09", undefined),
        ("19 03 11 01 01", undefined),
        ("19 03 11 01 00", undefined),
        ("19 03 11 01 11", provider(ProviderAbortReason::ImplementationRestriction)),
        ("19 00", undefined),
        ("19 04 c1 02 68 69", Indication::UserAbort { user_data: b"hi" }),
    ] {
        for mut session in sessions_up() {
            assert_eq!(feed(&mut session, &hex(octets)), [expected], "{octets} in {:?}", session.state());
            assert_over(&mut session);
        }
    }
}

#[test]
fn tp065_and_tp067_an_abort_is_never_answered_by_an_abort() {
    // Both kinds, before, in and after a session.
    for octets in ["19 03 11 01 02", "19 03 11 01 03", "1a 00", "19 03 11 01 0b"] {
        let (_, mut responder) = duplex();
        responder.abort_request(NOW, &[]).unwrap();
        drain_one(&mut responder);
        assert_eq!(feed(&mut responder, &hex(octets)), []);
        assert_over(&mut responder);
        let mut idle = machine_support::responder();
        assert_eq!(feed(&mut idle, &hex(octets)), []);
        assert_over(&mut idle);
    }
    // Malformed ones neither.
    for octets in ["19 03 11 01", "19 02 11 00 00", "1a 01 00", "0a 02 c1 05", "0c 02 32 05"] {
        for mut session in sessions_up() {
            assert_eq!(feed(&mut session, &hex(octets)), [PROTOCOL_ERROR], "{octets}");
            assert!(matches!(session.take_fault(), Some(PeerFault::Decode(_))));
            assert_over(&mut session);
        }
    }
}

#[test]
fn tp066_the_loss_of_the_transport_is_told_exactly_once() {
    for mut session in sessions_up() {
        assert_eq!(session.transport_disconnected(NOW), Some(LOST));
        assert_eq!(session.state(), State::Sta01);
        assert_eq!(session.transport_disconnected(NOW), None);
        assert_eq!(drain(&mut session), []);
    }
    let mut connecting = Session::initiator(&SessionConfig::default(), &connect()).unwrap();
    assert_eq!(connecting.transport_disconnected(NOW), Some(LOST));
    let mut idle = responder();
    assert_eq!((idle.transport_disconnected(NOW), idle.state()), (None, State::Sta01));
    // What was not handed out is dropped: there is nothing left to carry it.
    let (mut initiator, _) = duplex();
    initiator.release_request(NOW, &[]).unwrap();
    assert_eq!(initiator.transport_disconnected(NOW), Some(LOST));
    assert_eq!(drain(&mut initiator), []);
}

#[test]
fn tp068_after_an_abort_tim_disconnects_a_silent_peer() {
    let config = SessionConfig { tim: Duration::from_secs(30), ..SessionConfig::default() };
    let (mut initiator, _) = established(&config, &connect(), &accept());
    assert_eq!(initiator.poll_timeout(), None);
    initiator.abort_request(NOW, &[]).unwrap();
    drain_one(&mut initiator);
    let deadline = NOW + Duration::from_secs(30);
    assert_eq!(initiator.poll_timeout(), Some(deadline));
    initiator.handle_timeout(deadline - Duration::from_millis(1));
    assert_eq!((initiator.state(), drain(&mut initiator)), (State::Sta16, vec![]));
    initiator.handle_timeout(deadline);
    assert_over(&mut initiator);
}

#[test]
fn what_arrives_after_the_own_abort_is_ignored() {
    let (mut initiator, _) = duplex();
    initiator.abort_request(NOW, &[]).unwrap();
    drain_one(&mut initiator);
    for octets in
        ["01 00 01 00 61", "09 00", "0a 00", "01 03 10 01 01", "63 00", "05 00 61", "02 00 00 04 31 02 31 04"]
    {
        assert_eq!(feed(&mut initiator, &hex(octets)), [], "{octets}");
        assert_eq!((initiator.state(), drain(&mut initiator)), (State::Sta16, vec![]), "{octets}");
    }
    assert_eq!(initiator.take_fault(), None);
}

#[test]
fn tp069_answers_nobody_asked_for_are_protocol_errors() {
    for (octets, kind) in [
        ("0a 00", SpduKind::Disconnect),
        ("08 00", SpduKind::NotFinished),
        ("1a 00", SpduKind::AbortAccept),
        ("0e 0c 05 06 13 01 00 16 01 02 14 02 00 02", SpduKind::Accept),
        ("0c 00", SpduKind::Refuse),
    ] {
        let (_, mut responder) = half_duplex();
        assert_eq!(feed(&mut responder, &hex(octets)), [PROTOCOL_ERROR], "{octets}");
        assert_eq!(responder.state(), State::Sta16);
        assert_eq!(drain_one(&mut responder)[2..5], [0x11, 0x01, 0x05]);
        let expected = PeerFault::Inopportune { spdu: kind, offset: 0, state: State::Sta713 };
        assert_eq!(responder.take_fault(), Some(expected));
    }
}

#[test]
fn tp070_a_finish_while_the_receiver_owns_tokens_is_a_protocol_error() {
    let (mut initiator, _) = half_duplex();
    assert_eq!(feed(&mut initiator, &hex("09 03 11 01 01")), [PROTOCOL_ERROR]);
    assert_eq!(initiator.state(), State::Sta16);
}

#[test]
fn the_provider_can_end_a_session_and_says_why() {
    for (reason, bits) in [
        (ProviderAbortReason::ProtocolError, 0x05),
        (ProviderAbortReason::Undefined, 0x09),
        (ProviderAbortReason::ImplementationRestriction, 0x11),
    ] {
        for mut session in sessions_up() {
            session.provider_abort(NOW, reason);
            assert_eq!(session.state(), State::Sta16);
            let abort = drain_one(&mut session);
            assert_eq!(abort, [0x19, 0x03, 0x11, 0x01, bits]);
            let (mut peer, _) = duplex();
            assert_eq!(feed(&mut peer, &abort), [Indication::ProviderAbort { reason }]);
            session.provider_abort(NOW, reason);
            assert_eq!(drain(&mut session), [], "nothing is sent twice");
        }
    }
    let mut idle = responder();
    idle.provider_abort(NOW, ProviderAbortReason::Undefined);
    assert_over(&mut idle);
}

#[test]
fn after_the_end_nothing_is_heard() {
    let (mut initiator, _) = duplex();
    feed(&mut initiator, &hex("19 03 11 01 03"));
    drain(&mut initiator);
    assert_eq!(feed(&mut initiator, &hex("01 00 01 00 61")), []);
    assert_eq!((initiator.handle_timeout(NOW), drain(&mut initiator)), (None, vec![]));
    let state = ServiceError::State { state: State::Sta01 };
    assert_eq!(initiator.abort_request(NOW, &[]), Err(state));
    assert_eq!(initiator.data_request(1, Enclosure::WHOLE).err(), Some(state));
}

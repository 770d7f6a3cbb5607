//! Test purposes of half duplex and tokens (reference 12.5); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits, Indication, PeerFault, ProviderAbortReason, ServiceError,
    Session, SessionConfig, State, Tokens, Versions,
};
use machine_support::*;

const ALL: Tokens = Tokens::DATA.union(Tokens::RELEASE);

fn give(tokens: Tokens) -> Indication<'static> {
    Indication::TokenGive { tokens, user_data: &[] }
}

fn please(tokens: Tokens) -> Indication<'static> {
    Indication::TokenPlease { tokens, user_data: &[] }
}

fn assert_aborted(session: &mut Session, octets: &str) {
    let reason = ProviderAbortReason::ProtocolError;
    assert_eq!(feed(session, &hex(octets)), [Indication::ProviderAbort { reason }], "{octets}");
    assert_eq!(session.state(), State::Sta16);
    assert_eq!(drain_one(session)[2..5], [0x11, 0x01, 0x05]);
}

#[test]
fn tp073_tokens_are_asked_for_with_user_data_and_repeatedly() {
    let (mut initiator, mut responder) = half_duplex();
    responder.token_please_request(NOW, Tokens::DATA, b"now").unwrap();
    let octets = drain_one(&mut responder);
    assert_eq!(octets, hex("02 08 10 01 01 c1 03 6e 6f 77"));
    for _ in 0..3 {
        let expected = Indication::TokenPlease { tokens: Tokens::DATA, user_data: b"now" };
        assert_eq!(feed(&mut initiator, &octets), [expected]);
    }
    responder.token_please_request(NOW, ALL, &[]).unwrap();
    assert_eq!(feed(&mut initiator, &drain_one(&mut responder)), [please(ALL)]);
    assert_eq!(initiator.tokens_owned(), ALL, "asking moves nothing");
}

#[test]
fn tp074_given_tokens_are_gone_at_once() {
    for tokens in [Tokens::DATA, Tokens::RELEASE, ALL] {
        let (mut initiator, mut responder) = half_duplex();
        initiator.token_give_request(NOW, tokens, &[]).unwrap();
        assert_eq!(initiator.tokens_owned(), ALL - tokens);
        let octets = drain_one(&mut initiator);
        assert_eq!(octets, [0x01, 0x03, 0x10, 0x01, tokens.bits()]);
        assert_eq!(responder.tokens_owned(), Tokens::empty());
        assert_eq!(feed(&mut responder, &octets), [give(tokens)]);
        assert_eq!(responder.tokens_owned(), tokens);
        let may_send = responder.data_request(1, Enclosure::WHOLE).is_ok();
        assert_eq!(may_send, tokens.contains(Tokens::DATA));
    }
}

#[test]
fn tp075_a_request_for_a_token_that_is_under_way_is_indicated() {
    let (mut initiator, mut responder) = half_duplex();
    responder.token_please_request(NOW, Tokens::DATA, &[]).unwrap();
    initiator.token_give_request(NOW, Tokens::DATA, &[]).unwrap();
    assert_eq!(feed(&mut initiator, &drain_one(&mut responder)), [please(Tokens::DATA)]);
    assert_eq!(feed(&mut responder, &drain_one(&mut initiator)), [give(Tokens::DATA)]);
}

#[test]
fn tp076_and_tp077_what_the_tokens_do_not_allow_is_refused_locally() {
    let (mut initiator, mut responder) = half_duplex();
    let token = |tokens| Err(ServiceError::Token(tokens));
    assert_eq!(responder.data_request(1, Enclosure::WHOLE).err(), token(Tokens::DATA).err());
    assert_eq!(responder.token_give_request(NOW, ALL, &[]), token(ALL));
    assert_eq!(initiator.token_give_request(NOW, Tokens::MAJOR | Tokens::DATA, &[]), token(Tokens::MAJOR));
    assert_eq!(initiator.token_please_request(NOW, Tokens::DATA, &[]), token(Tokens::DATA));
    assert_eq!(responder.token_please_request(NOW, ALL | Tokens::MINOR, &[]), token(Tokens::MINOR));
    let none = Err(ServiceError::Parameter("no token named"));
    assert_eq!(responder.token_please_request(NOW, Tokens::empty(), &[]), none);
    assert_eq!(initiator.token_give_request(NOW, Tokens::empty(), &[]), none);
    assert_eq!((drain(&mut initiator), drain(&mut responder)), (vec![], vec![]));
    assert_eq!((initiator.tokens_owned(), responder.tokens_owned()), (ALL, Tokens::empty()));
    let (mut initiator, _) = duplex();
    assert_eq!(initiator.token_give_request(NOW, Tokens::DATA, &[]), token(Tokens::DATA));
    assert_eq!(initiator.token_please_request(NOW, Tokens::DATA, &[]), token(Tokens::DATA));
}

#[test]
fn tp078_and_tp079_tokens_the_peer_cannot_give_or_ask_for_are_protocol_errors() {
    let (mut initiator, _) = half_duplex();
    assert_aborted(&mut initiator, "01 03 10 01 01");
    let (_, mut responder) = half_duplex();
    assert_aborted(&mut responder, "01 03 10 01 04");
    let (mut initiator, _) = half_duplex();
    assert_aborted(&mut initiator, "02 03 10 01 10");
    let (mut initiator, _) = duplex();
    assert_aborted(&mut initiator, "02 03 10 01 01");
    assert!(matches!(initiator.take_fault(), Some(PeerFault::Violation { .. })));
}

#[test]
fn tp080_a_token_item_of_two_octets_is_invalid() {
    let (_, mut responder) = half_duplex();
    assert_aborted(&mut responder, "01 04 10 02 01 01");
    assert!(matches!(responder.take_fault(), Some(PeerFault::Decode(_))));
}

#[test]
fn heads_without_tokens_say_nothing() {
    let (_, mut responder) = half_duplex();
    for octets in ["01 00", "02 00", "01 03 10 01 00"] {
        assert_eq!(feed(&mut responder, &hex(octets)), []);
        assert_eq!((responder.state(), drain(&mut responder)), (State::Sta713, vec![]));
    }
}

#[test]
fn the_limits_of_user_data_follow_the_version() {
    let requirements = FunctionalUnits::HALF_DUPLEX;
    for (versions, give_max, please_max) in [(Versions::V1, 0, 512), (Versions::V2, 1000, 1000)] {
        let connect = ConnectParameters { versions, requirements, ..connect() };
        let (mut initiator, mut responder) = established(&SessionConfig::default(), &connect, &accept());
        let body = vec![7; 1001].leak();
        responder.token_please_request(NOW, Tokens::DATA, &body[..please_max]).unwrap();
        let expected = Indication::TokenPlease { tokens: Tokens::DATA, user_data: &body[..please_max] };
        assert_eq!(feed(&mut initiator, &drain_one(&mut responder)), [expected]);
        if versions == Versions::V1 {
            let error = responder.token_please_request(NOW, Tokens::DATA, &body[..513]);
            assert_eq!(error, Err(ServiceError::UserDataLength { octets: 513, octets_max: 512 }));
            let error = initiator.token_give_request(NOW, Tokens::DATA, b"x");
            assert_eq!(error, Err(ServiceError::UserDataLength { octets: 1, octets_max: 0 }));
        }
        initiator.token_give_request(NOW, Tokens::DATA, &body[..give_max]).unwrap();
        let expected = Indication::TokenGive { tokens: Tokens::DATA, user_data: &body[..give_max] };
        assert_eq!(feed(&mut responder, &drain_one(&mut initiator)), [expected]);
    }
}

#[test]
fn tokens_can_be_asked_for_while_a_release_is_answered() {
    let (mut initiator, mut responder) = half_duplex();
    initiator.release_request(NOW, &[]).unwrap();
    feed(&mut responder, &drain_one(&mut initiator));
    assert_eq!(responder.state(), State::Sta09);
    responder.token_please_request(NOW, Tokens::DATA, &[]).unwrap();
    assert_eq!(feed(&mut initiator, &drain_one(&mut responder)), [please(Tokens::DATA)]);
    responder.release_response(NOW, false, &[]).unwrap();
    assert_eq!(feed(&mut initiator, &drain_one(&mut responder)).len(), 1);
    initiator.token_give_request(NOW, Tokens::DATA, &[]).unwrap();
    assert_eq!(feed(&mut responder, &drain_one(&mut initiator)), [give(Tokens::DATA)]);
}

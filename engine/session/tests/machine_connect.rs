//! Test purposes of connection establishment (reference 12.1); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::spdu::{Accept, Connect, ConnectAcceptItem, Refuse, Spdu, Tsdu};
use colloquy_session::{
    AcceptParameters, ConnectParameters, ConnectionIdentifier, Enclosure, FunctionalUnits, Indication,
    PeerFault, ProviderAbortReason, RefuseParameters, ServiceError, Session, SessionConfig, State,
    TokenSettings, TokenSide, Tokens, TransportDisconnect, TsduMaximumSize, Versions,
};
use machine_support::*;

const HD: FunctionalUnits = FunctionalUnits::HALF_DUPLEX;
const FD: FunctionalUnits = FunctionalUnits::DUPLEX;
const NR: FunctionalUnits = FunctionalUnits::NEGOTIATED_RELEASE;

fn config() -> SessionConfig {
    SessionConfig::default()
}

/// An initiator that has sent its CONNECT.
fn initiator(connect: &ConnectParameters<'_>) -> Session {
    let mut session = Session::initiator(&config(), connect).expect("a valid request");
    session.transport_connected(NOW, false);
    drain_one(&mut session);
    session
}

/// A plain CONNECT to alter.
fn cn() -> Connect<'static> {
    let item = ConnectAcceptItem { versions: Versions::V2, ..Default::default() };
    Connect { item, requirements: FD, ..Default::default() }
}

/// A plain ACCEPT to alter.
fn ac() -> Accept<'static> {
    let item = ConnectAcceptItem { versions: Versions::V2, ..Default::default() };
    Accept { item, requirements: FD, ..Default::default() }
}

/// The reason code of the RF that answers a CONNECT, or 0xff where the user was asked.
fn refused_with(config: &SessionConfig, octets: &[u8]) -> u8 {
    let mut responder = Session::responder(config);
    let indications = feed(&mut responder, octets);
    if !indications.is_empty() {
        return 0xff;
    }
    assert_eq!(responder.state(), State::Sta16);
    assert!(responder.poll_timeout().is_some(), "TIM runs until the peer disconnects");
    let Some(PeerFault::Violation { parameter: Some(parameter), offset, .. }) = responder.take_fault() else {
        panic!("a refusal by the machine names the parameter")
    };
    assert!(offset == 0 || octets[offset] == parameter, "octet {offset} is parameter {parameter}, if any is");
    let refuse = drain_one(&mut responder);
    let mut received = Tsdu::new(&refuse);
    let view = received.next_spdu(&Default::default()).unwrap().unwrap();
    match view.parse(&Default::default()).unwrap() {
        Spdu::Refuse(refuse) => {
            assert!(!refuse.is_transport_kept());
            refuse.reason
        }
        other => panic!("{other:?}"),
    }
}

/// What the accepting user is told.
fn connect_indication(octets: &[u8]) -> (Session, ConnectParameters<'static>) {
    let mut responder = responder();
    match feed(&mut responder, octets)[..] {
        [Indication::Connect(parameters)] => (responder, parameters),
        ref other => panic!("{other:?}"),
    }
}

/// The machine released the transport connection without a word, and has a fault for the log.
fn assert_released(session: &mut Session) -> PeerFault {
    assert_eq!(session.state(), State::Sta01);
    assert_eq!(drain(session), [Sent::Disconnect]);
    let fault = session.take_fault().expect("a fault for the log");
    assert_eq!(session.take_fault(), None, "told once");
    fault
}

/// The machine answered a protocol error.
fn assert_aborted(session: &mut Session, indications: &[Indication<'_>]) {
    let reason = ProviderAbortReason::ProtocolError;
    assert_eq!(indications, [Indication::ProviderAbort { reason }]);
    assert_eq!(session.state(), State::Sta16);
    let abort = drain_one(session);
    assert_eq!(abort[..2], [0x19, abort.len() as u8 - 2]);
    assert_eq!(abort[2..5], [0x11, 0x01, 0x05]);
    assert!(session.take_fault().is_some());
}

#[test]
fn tp001_connect_has_the_plain_shape() {
    let connect = ConnectParameters { user_data: &[0xa1, 0xa2, 0xa3], ..connect() };
    let mut session = Session::initiator(&config(), &connect).unwrap();
    session.transport_connected(NOW, false);
    let expected = "0d 19 05 06 13 01 00 16 01 02 14 02 00 02 33 02 00 01 34 02 00 02 c1 03 a1 a2 a3";
    assert_eq!(drain_one(&mut session), hex(expected));
    assert_eq!(session.state(), State::Sta02A);
}

#[test]
fn tp002_a_minimal_connect_is_accepted_with_version_2_and_duplex() {
    let (mut responder, indicated) = connect_indication(&hex("0d 0c 05 06 13 01 00 16 01 02 14 02 00 02"));
    assert_eq!((indicated.versions, indicated.requirements), (Versions::V2, FD));
    responder.connect_response(NOW, &accept()).unwrap();
    assert_eq!(drain_one(&mut responder), hex("0e 0c 05 06 13 01 00 16 01 02 14 02 00 02"));
    assert_eq!((responder.state(), responder.version()), (State::Sta713, Some(Versions::V2)));
}

#[test]
fn tp003_a_connect_without_requirements_does_not_mean_duplex() {
    let octets = hex("0d 08 05 06 13 01 00 16 01 02");
    // The default proposes SY with ACT, so no serial number is needed; of it half duplex is offered here.
    let (mut responder, indicated) = connect_indication(&octets);
    assert_eq!(indicated.requirements, HD);
    responder.connect_response(NOW, &accept()).unwrap();
    assert_eq!(responder.functional_units(), HD);
    let duplex_only = SessionConfig { functional_units: FD, ..config() };
    assert_eq!(refused_with(&duplex_only, &octets), 133);
}

#[test]
fn tp004_a_connect_without_connect_item_means_version_1_and_tokens_at_the_initiator() {
    let (mut responder, indicated) = connect_indication(&hex("0d 04 14 02 00 01"));
    assert_eq!(indicated.versions, Versions::V1);
    assert_eq!(indicated.tsdu_maximum_size, None);
    responder.connect_response(NOW, &accept()).unwrap();
    assert_eq!(responder.version(), Some(Versions::V1));
    assert_eq!((responder.tokens_available(), responder.tokens_owned()), (Tokens::DATA, Tokens::empty()));
}

#[test]
fn tp005_of_both_versions_exactly_one_is_selected_and_its_limits_hold() {
    for (mine, selected, allowed) in
        [(Versions::all(), Versions::V2, true), (Versions::V1, Versions::V1, false)]
    {
        let connect = ConnectParameters { versions: Versions::all(), ..connect() };
        let mut initiator = Session::initiator(&config(), &connect).unwrap();
        initiator.transport_connected(NOW, false);
        let mut responder = Session::responder(&SessionConfig { versions: mine, ..config() });
        feed(&mut responder, &drain_one(&mut initiator));
        responder.connect_response(NOW, &accept()).unwrap();
        feed(&mut initiator, &drain_one(&mut responder));
        for session in [&mut initiator, &mut responder] {
            assert_eq!(session.version(), Some(selected));
            assert_eq!(session.release_request(NOW, &[0; 513]).is_ok(), allowed);
        }
    }
}

#[test]
fn tp006_of_half_duplex_and_duplex_exactly_one_is_selected() {
    let connect = ConnectParameters { requirements: HD | FD, ..connect() };
    for (wanted, selected) in [(HD | FD, FD), (FD, FD), (HD, HD)] {
        let accept = AcceptParameters { requirements: wanted, ..accept() };
        let (initiator, responder) = established(&config(), &connect, &accept);
        assert_eq!((initiator.functional_units(), responder.functional_units()), (selected, selected));
    }
    let (_, mut responder) = indicated(&config(), &connect);
    let neither = AcceptParameters { requirements: NR, ..accept() };
    assert!(matches!(responder.connect_response(NOW, &neither), Err(ServiceError::Parameter(_))));
    assert_eq!(responder.state(), State::Sta08);
}

#[test]
fn tp007_unknown_parameters_are_ignored_on_both_levels() {
    let octets = hex("0d 17 f0 02 aa bb 05 09 13 01 00 f1 01 cc 16 01 02 14 02 00 02 f2 00");
    connect_indication(&[&octets[..1], &[octets.len() as u8 - 2], &octets[2..]].concat());
}

#[test]
fn tp008_parameters_may_come_in_any_order() {
    let octets = hex("0d 14 34 02 00 01 33 02 00 02 14 02 00 02 05 06 16 01 02 13 01 00");
    let (_, indicated) = connect_indication(&octets);
    assert_eq!(indicated.called, selector(&[0, 1]));
    assert_eq!(indicated.calling, selector(&[0, 2]));
}

#[test]
fn tp009_and_tp010_user_data_of_a_connect_are_delivered_complete() {
    for (octets, extended) in [(512, false), (513, true), (10240, true)] {
        let user_data: Vec<u8> = (0..octets).map(|n| n as u8).collect();
        let connect = ConnectParameters { user_data: &user_data, ..connect() };
        let mut session = Session::initiator(&config(), &connect).unwrap();
        session.transport_connected(NOW, false);
        let tsdu = drain_one(&mut session);
        assert_eq!(tsdu[1], 0xff, "three-octet length indicator");
        let header = [if extended { 0xc2 } else { 0xc1 }, 0xff, (octets >> 8) as u8, octets as u8];
        assert!(tsdu.windows(4).any(|window| window == header));
        let (_, indicated) = connect_indication(&tsdu);
        assert_eq!(indicated.user_data, user_data);
    }
}

#[test]
fn more_than_512_octets_narrow_the_offer_to_version_2() {
    let user_data = [0; 513];
    let both = ConnectParameters { versions: Versions::all(), user_data: &user_data, ..connect() };
    let mut session = Session::initiator(&config(), &both).unwrap();
    session.transport_connected(NOW, false);
    assert_eq!(connect_indication(&drain_one(&mut session)).1.versions, Versions::V2);
    let first = ConnectParameters { versions: Versions::V1, ..both };
    let error = Session::initiator(&config(), &first).err();
    assert_eq!(error, Some(ServiceError::UserDataLength { octets: 513, octets_max: 512 }));
    let mut cn = cn();
    cn.user_data = &user_data;
    let only_1 = SessionConfig { versions: Versions::V1, ..config() };
    assert_eq!(refused_with(&only_1, &tsdu(Spdu::Connect(cn))), 132);
}

#[test]
fn more_user_data_than_are_taken_are_refused_as_an_implementation_restriction() {
    let config = SessionConfig { connect_user_data_octets_max: 10_240, ..config() };
    let user_data = vec![0; 10_240];
    let overflow = Connect { data_overflow: true, user_data: &user_data, ..cn() };
    assert_eq!(refused_with(&config, &tsdu(Spdu::Connect(overflow))), 134);
    assert_eq!(
        refused_with(&config, &tsdu(Spdu::Connect(Connect { data_overflow: false, ..overflow }))),
        0xff
    );
    let config = SessionConfig { connect_user_data_octets_max: 600, ..config };
    assert_eq!(
        refused_with(&config, &tsdu(Spdu::Connect(Connect { user_data: &user_data[..601], ..cn() }))),
        134
    );
    let only_1 = SessionConfig { versions: Versions::V1, ..config };
    assert_eq!(refused_with(&only_1, &tsdu(Spdu::Connect(overflow))), 132);
}

#[test]
fn tp013_and_tp032_a_version_that_is_not_spoken_is_refused_with_132() {
    let only_1 = SessionConfig { versions: Versions::V1, ..config() };
    assert_eq!(refused_with(&only_1, &tsdu(Spdu::Connect(cn()))), 132);
    for version in ["00", "04"] {
        let octets = hex(&format!("0d 0c 05 06 13 01 00 16 01 {version} 14 02 00 02"));
        assert_eq!(refused_with(&config(), &octets), 132);
    }
}

#[test]
fn tp014_the_owner_can_refuse_an_unknown_selector_and_a_missing_user() {
    for reason in [129, 130, 131] {
        let (mut initiator, mut responder) = indicated(&config(), &connect());
        let refuse = RefuseParameters { reason, user_data: &[], transport_kept: false };
        responder.connect_refuse(NOW, &refuse).unwrap();
        let octets = drain_one(&mut responder);
        assert_eq!(octets, [0x0c, 0x06, 0x11, 0x01, 0x01, 0x32, 0x01, reason]);
        assert_eq!(feed(&mut initiator, &octets), [Indication::ConnectRefused(refuse)]);
    }
}

#[test]
fn tp015_a_refusal_with_user_data_reaches_the_initiator_and_the_transport_is_released() {
    let (mut initiator, mut responder) = indicated(&config(), &connect());
    let refuse = RefuseParameters { reason: 2, user_data: b"not today", transport_kept: false };
    let wrong = RefuseParameters { reason: 1, ..refuse };
    assert!(responder.connect_refuse(NOW, &wrong).is_err(), "user data with reason 1");
    assert!(responder.connect_refuse(NOW, &RefuseParameters { reason: 77, ..refuse }).is_err());
    responder.connect_refuse(NOW, &refuse).unwrap();
    assert_eq!(responder.state(), State::Sta16);
    assert_eq!(feed(&mut initiator, &drain_one(&mut responder)), [Indication::ConnectRefused(refuse)]);
    assert_eq!((initiator.state(), drain(&mut initiator)), (State::Sta01, vec![Sent::Disconnect]));
    assert_eq!(responder.transport_disconnected(NOW), None);
    assert_eq!((responder.state(), responder.poll_timeout()), (State::Sta01, None));
}

#[test]
fn tp016_a_refusal_without_reason_and_without_transport_disconnect_means_0_and_released() {
    let mut initiator = initiator(&connect());
    let refuse = RefuseParameters { reason: 0, user_data: &[], transport_kept: false };
    assert_eq!(feed(&mut initiator, &hex("0c 00")), [Indication::ConnectRefused(refuse)]);
    assert_eq!(drain(&mut initiator), [Sent::Disconnect]);
    // Kept for reuse, which this end never wants: released all the same.
    let mut other = self::initiator(&connect());
    let kept = Refuse { transport_disconnect: Some(TransportDisconnect::empty()), ..Default::default() };
    assert_eq!(feed(&mut other, &tsdu(Spdu::Refuse(kept))), [Indication::ConnectRefused(refuse)]);
    assert_eq!((other.state(), drain(&mut other)), (State::Sta01, vec![Sent::Disconnect]));
}

#[test]
fn tp017_an_accept_without_requirements_selects_from_the_default() {
    let mut session = initiator(&ConnectParameters { requirements: HD | FD | NR, ..connect() });
    let indications = feed(&mut session, &hex("0e 08 05 06 13 01 00 16 01 02"));
    assert!(matches!(indications[..], [Indication::ConnectConfirm(_)]), "{indications:?}");
    assert_eq!(session.functional_units(), HD);
    // A duplex proposal has nothing in common with it.
    let mut duplex = initiator(&connect());
    let indications = feed(&mut duplex, &hex("0e 08 05 06 13 01 00 16 01 02"));
    assert_aborted(&mut duplex, &indications);
}

#[test]
fn tp018_units_that_were_not_proposed_are_ignored_in_accept() {
    let mut session = initiator(&connect());
    let octets = tsdu(Spdu::Accept(Accept { requirements: FunctionalUnits::all(), ..ac() }));
    let indications = feed(&mut session, &octets);
    assert!(matches!(
        indications[..],
        [Indication::ConnectConfirm(AcceptParameters { requirements: FD, .. })]
    ));
    assert_eq!(session.functional_units(), FD);
}

#[test]
fn tp019_tokens_asked_for_in_accept_are_indicated_behind_the_confirm() {
    let connect = ConnectParameters { requirements: HD | NR, ..connect() };
    let (mut initiator, mut responder) = indicated(&config(), &connect);
    let accept = AcceptParameters { tokens_please: Tokens::DATA, ..accept() };
    responder.connect_response(NOW, &accept).unwrap();
    let indications = feed(&mut initiator, &drain_one(&mut responder));
    assert!(matches!(
        indications[..],
        [Indication::ConnectConfirm(_), Indication::TokenPlease { tokens: Tokens::DATA, user_data: [] }]
    ));
    let (_, mut responder) = indicated(&config(), &connect);
    let foreign = AcceptParameters { tokens_please: Tokens::MINOR, ..accept };
    assert_eq!(responder.connect_response(NOW, &foreign), Err(ServiceError::Token(Tokens::MINOR)));
}

#[test]
fn tp020_any_responding_selector_is_accepted() {
    for responding in [None, Some(selector(b"other"))] {
        let mut session = initiator(&connect());
        let accept = Accept { responding: responding.unwrap_or_default(), ..ac() };
        match feed(&mut session, &tsdu(Spdu::Accept(accept)))[..] {
            [Indication::ConnectConfirm(confirm)] => assert_eq!(confirm.responding, responding),
            ref other => panic!("{other:?}"),
        }
    }
    // As responder, the called selector is echoed unless the user gives another one.
    let (_, mut responder) = indicated(&config(), &connect());
    responder.connect_response(NOW, &accept()).unwrap();
    assert!(drain_one(&mut responder).ends_with(&hex("34 02 00 02")));
}

#[test]
fn tp021_token_settings_give_complementary_ownership() {
    use TokenSide::{AcceptorChooses, Initiator, Responder};
    for (proposed, chosen, responder_owns) in [
        (Initiator, Responder, false),
        (Responder, Initiator, true),
        (AcceptorChooses, Initiator, false),
        (AcceptorChooses, Responder, true),
    ] {
        let settings = |side| TokenSettings { data: side, release: side, ..Default::default() };
        let connect =
            ConnectParameters { requirements: HD | NR, token_settings: settings(proposed), ..connect() };
        let accept = AcceptParameters { token_settings: settings(chosen), ..accept() };
        let (initiator, responder) = established(&config(), &connect, &accept);
        let all = Tokens::DATA | Tokens::RELEASE;
        let (owner, other) = if responder_owns { (responder, initiator) } else { (initiator, responder) };
        assert_eq!((owner.tokens_owned(), other.tokens_owned()), (all, Tokens::empty()));
    }
    let settings = TokenSettings { data: AcceptorChooses, ..Default::default() };
    let connect = ConnectParameters { requirements: HD, token_settings: settings, ..connect() };
    let (_, mut responder) = indicated(&config(), &connect);
    let undecided = AcceptParameters { token_settings: settings, ..accept() };
    assert!(matches!(responder.connect_response(NOW, &undecided), Err(ServiceError::Parameter(_))));
}

#[test]
fn tp023_anything_but_connect_first_releases_the_transport() {
    let others = ["0e 08 05 06 13 01 00 16 01 02", "01 00 01 00 61", "09 00", "19 03 11 01 03", "21 00 61"];
    for octets in others {
        let mut session = responder();
        assert_eq!(feed(&mut session, &hex(octets)), []);
        let fault = assert_released(&mut session);
        assert!(matches!(fault, PeerFault::Inopportune { state: State::Sta01C, .. }), "{octets}: {fault:?}");
    }
}

#[test]
fn tp024_a_second_connect_is_a_protocol_error() {
    for session in [duplex().0, duplex().1, indicated(&config(), &connect()).1] {
        let mut session = session;
        let octets = tsdu(Spdu::Connect(cn()));
        let indications = feed(&mut session, &octets);
        assert_aborted(&mut session, &indications);
    }
}

#[test]
fn tp025_a_connect_to_the_initiator_is_not_taken() {
    let mut session = initiator(&connect());
    let indications = feed(&mut session, &tsdu(Spdu::Connect(cn())));
    assert_aborted(&mut session, &indications);
}

#[test]
fn tp026_data_before_the_accept_are_a_protocol_error() {
    let mut session = initiator(&connect());
    let indications = feed(&mut session, &hex("01 00 01 00 61"));
    assert_aborted(&mut session, &indications);
}

#[test]
fn tp027_tp028_tp029_and_tp030_a_malformed_connect_releases_the_transport() {
    let malformed = [
        "0d 20 05 06 13 01 00 16 01 02",             // longer than the TSDU
        "0d 0c 05 20 13 01 00 16 01 02 14 02 00 02", // inner length runs out
        "0d 14 05 06 13 01 00 16 01 02 14 02 00 02 c1 02 61 62 c2 02 61 62", // 193 and 194
        "0d 1f 05 06 13 01 00 16 01 02 14 02 00 02 34 11 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10",
        "ff ff", // tp147: a short SPDU
        "",      // tp142
        "0d",
    ];
    for octets in malformed {
        let mut session = responder();
        assert_eq!(feed(&mut session, &hex(octets)), []);
        let fault = assert_released(&mut session);
        assert!(matches!(fault, PeerFault::Decode(_)), "{octets}: {fault:?}");
    }
}

#[test]
fn every_truncation_of_a_connect_releases_or_is_refused() {
    let full = hex("0d 19 05 06 13 01 00 16 01 02 14 02 00 02 33 02 00 01 34 02 00 01 c1 03 a1 a2 a3");
    for octets in 0..full.len() {
        let mut session = responder();
        assert_eq!(feed(&mut session, &full[..octets]), []);
        assert_released(&mut session);
    }
}

#[test]
fn tp031_units_that_need_another_one_are_dropped_or_refused_but_never_accepted() {
    let units = FD | FunctionalUnits::CAPABILITY_DATA | FunctionalUnits::EXCEPTIONS;
    let octets = tsdu(Spdu::Connect(Connect { requirements: units, ..cn() }));
    let (_, indicated) = connect_indication(&octets);
    assert_eq!(indicated.requirements, FD);
    assert_eq!(refused_with(&SessionConfig { strict: true, ..config() }, &octets), 133);
    let contradictory = ConnectParameters { requirements: NR, ..connect() };
    assert!(matches!(Session::initiator(&config(), &contradictory), Err(ServiceError::Parameter(_))));
}

#[test]
fn tp033_a_missing_initial_serial_number_is_refused() {
    let units = FD | FunctionalUnits::MINOR_SYNC;
    let octets = tsdu(Spdu::Connect(Connect { requirements: units, ..cn() }));
    assert_eq!(refused_with(&config(), &octets), 133);
    // With it, the unit is negotiated away and the session comes up.
    let mut with = cn();
    with.requirements = units;
    with.item.initial_serial_number = Some(colloquy_session::SerialNumber(1));
    let (mut responder, indicated) = connect_indication(&tsdu(Spdu::Connect(with)));
    assert_eq!(indicated.requirements, FD);
    responder.connect_response(NOW, &accept()).unwrap();
    assert_eq!(responder.functional_units(), FD);
}

#[test]
fn tp086_and_tp146_units_that_are_not_offered_are_cleared() {
    let octets = tsdu(Spdu::Connect(Connect {
        requirements: FD
            | FunctionalUnits::EXPEDITED
            | FunctionalUnits::TYPED_DATA
            | FunctionalUnits::ACTIVITY
            | FunctionalUnits::SYMMETRIC_SYNC
            | FunctionalUnits::DATA_SEPARATION,
        ..cn()
    }));
    let (mut responder, _) = connect_indication(&octets);
    responder.connect_response(NOW, &accept()).unwrap();
    assert_eq!(responder.functional_units(), FD);
    // Nor are they proposed when the configuration does not name them.
    let typed = ConnectParameters { requirements: FD | FunctionalUnits::TYPED_DATA, ..connect() };
    let error = Session::initiator(&config(), &typed).err();
    assert_eq!(error, Some(ServiceError::FunctionalUnit(FunctionalUnits::TYPED_DATA)));
    // Expedited data are proposed only where the transport connection carries them.
    let all = SessionConfig { functional_units: FunctionalUnits::all(), ..config() };
    let connect = ConnectParameters { requirements: FD | FunctionalUnits::EXPEDITED, ..connect() };
    for (expedited, proposed) in [(false, FD), (true, FD | FunctionalUnits::EXPEDITED)] {
        let mut initiator = Session::initiator(&all, &connect).unwrap();
        initiator.transport_connected(NOW, expedited);
        let octets = drain_one(&mut initiator);
        let rules = colloquy_session::spdu::DecodeRules::STRICT;
        let view = Tsdu::new(&octets).next_spdu(&rules).unwrap().unwrap();
        let Spdu::Connect(cn) = view.parse(&rules).unwrap() else { panic!("a CONNECT") };
        assert_eq!(cn.requirements, proposed);
        // A responder without the flow clears the unit, whatever its configuration says.
        let mut responder = Session::responder(&all);
        if expedited {
            responder.use_transport_expedited();
        }
        feed(&mut responder, &octets);
        responder.connect_response(NOW, &accept()).unwrap();
        assert_eq!(responder.functional_units(), proposed);
    }
}

#[test]
fn an_accept_that_cannot_be_used_is_a_protocol_error() {
    let both_versions = Accept { item: ConnectAcceptItem { versions: Versions::all(), ..ac().item }, ..ac() };
    let first = Accept { item: ConnectAcceptItem { versions: Versions::V1, ..ac().item }, ..ac() };
    let neither = Accept { requirements: NR, ..ac() };
    let both_duplexities = Accept { requirements: HD | FD, ..ac() };
    for accept in [both_versions, first, neither, both_duplexities] {
        let mut session = initiator(&ConnectParameters { requirements: HD | FD | NR, ..connect() });
        let indications = feed(&mut session, &tsdu(Spdu::Accept(accept)));
        assert_aborted(&mut session, &indications);
    }
}

#[test]
fn tp047_the_answer_to_tsdu_sizes_counts_per_direction() {
    let sizes = |there, back| TsduMaximumSize { initiator_to_responder: there, responder_to_initiator: back };
    for (proposed, answer, selected) in [
        (None, None, sizes(0, 0)),
        (Some(sizes(1024, 2048)), None, sizes(1024, 2048)),
        (Some(sizes(1024, 2048)), Some(sizes(512, 64)), sizes(512, 64)),
        (Some(sizes(0, 2048)), None, sizes(0, 2048)),
        (None, Some(sizes(0, 100)), sizes(0, 100)),
    ] {
        let connect = ConnectParameters { tsdu_maximum_size: proposed, ..connect() };
        let accept = AcceptParameters { tsdu_maximum_size: answer, ..accept() };
        let (initiator, responder) = established(&config(), &connect, &accept);
        assert_eq!((initiator.tsdu_maximum_size(), responder.tsdu_maximum_size()), (selected, selected));
    }
    for wrong in [sizes(2048, 64), sizes(0, 64), sizes(63, 64)] {
        let connect = ConnectParameters { tsdu_maximum_size: Some(sizes(1024, 1024)), ..connect() };
        let (_, mut responder) = indicated(&config(), &connect);
        let accept = AcceptParameters { tsdu_maximum_size: Some(wrong), ..accept() };
        assert!(matches!(responder.connect_response(NOW, &accept), Err(ServiceError::Parameter(_))));
    }
    let small = ConnectParameters { tsdu_maximum_size: Some(sizes(63, 0)), ..connect() };
    assert!(Session::initiator(&config(), &small).is_err());
    let octets = hex("0d 12 05 0c 13 01 00 15 04 00 10 00 10 16 01 02 14 02 00 02");
    assert_eq!(refused_with(&config(), &octets), 134);
}

#[test]
fn an_accept_with_the_halves_of_the_tsdu_size_swapped_is_understood() {
    let sizes = |there, back| TsduMaximumSize { initiator_to_responder: there, responder_to_initiator: back };
    for strict in [false, true] {
        let connect = ConnectParameters { tsdu_maximum_size: Some(sizes(4096, 0)), ..connect() };
        let strict_config = SessionConfig { strict, ..config() };
        let mut session = Session::initiator(&strict_config, &connect).unwrap();
        session.transport_connected(NOW, false);
        drain_one(&mut session);
        let mut swapped = ac();
        swapped.item.tsdu_maximum_size = Some(sizes(0, 4096));
        let indications = feed(&mut session, &tsdu(Spdu::Accept(swapped)));
        match strict {
            true => assert_aborted(&mut session, &indications),
            false => assert_eq!(session.tsdu_maximum_size(), sizes(4096, 0)),
        }
    }
}

#[test]
fn identifiers_and_selectors_travel_both_ways() {
    let identifier = ConnectionIdentifier {
        user_reference: b"caller",
        common_reference: b"9901011200Z",
        additional_information: b"ab",
    };
    let connect = ConnectParameters { identifier, ..connect() };
    let (mut initiator, mut responder) = indicated(&config(), &connect);
    let identifier = ConnectionIdentifier { user_reference: b"called", ..identifier };
    responder.connect_response(NOW, &AcceptParameters { identifier, ..accept() }).unwrap();
    match feed(&mut initiator, &drain_one(&mut responder))[..] {
        [Indication::ConnectConfirm(confirm)] => assert_eq!(confirm.identifier, identifier),
        ref other => panic!("{other:?}"),
    }
    let long = [0; 65];
    let identifier = ConnectionIdentifier { user_reference: &long, ..identifier };
    let too_long = ConnectParameters { identifier, ..connect };
    assert!(matches!(Session::initiator(&config(), &too_long), Err(ServiceError::Parameter(_))));
}

#[test]
fn primitives_of_an_open_session_are_refused_before_it_is_up() {
    let mut session = initiator(&connect());
    let state = Err(ServiceError::State { state: State::Sta02A });
    assert_eq!(session.release_request(NOW, &[]), state);
    assert_eq!(session.token_give_request(NOW, Tokens::DATA, &[]), state);
    assert_eq!(session.connect_response(NOW, &accept()), state);
    let refuse = RefuseParameters { reason: 0, user_data: &[], transport_kept: false };
    assert_eq!(session.connect_refuse(NOW, &refuse), state);
    assert_eq!(session.data_request(1, Enclosure::WHOLE).err(), state.err());
    assert_eq!(session.state(), State::Sta02A);
}

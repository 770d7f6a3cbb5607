//! User data of S-CONNECT beyond 10 240 octets: CONNECT, OVERFLOW ACCEPT, CONNECT DATA OVERFLOW (reference 3.5,
//! 12.1), and REFUSE in segments.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::spdu::{
    Accept, Connect, ConnectAcceptItem, ConnectDataOverflow, OverflowAccept, Spdu, Tsdu,
};
use colloquy_session::{
    AcceptParameters, ConnectParameters, FunctionalUnits as Fu, Indication, PeerFault, ProviderAbortReason,
    RefuseParameters, ServiceError, Session, SessionConfig, State, TsduMaximumSize, Versions,
};
use machine_support::*;

fn octets(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n % 251) as u8).collect()
}

/// The SPDU of a TSDU that holds nothing else.
fn parse(tsdu: &[u8]) -> Spdu<'_> {
    let mut tsdu = Tsdu::new(tsdu);
    let view = tsdu.next_spdu(&Default::default()).unwrap().unwrap();
    view.parse(&Default::default()).unwrap()
}

fn tsdus(session: &mut Session) -> Vec<Vec<u8>> {
    let tsdu = |sent| match sent {
        Sent::Tsdu(octets) => octets,
        other => panic!("{other:?}"),
    };
    drain(session).into_iter().map(tsdu).collect()
}

/// An initiator that has sent its CONNECT, and the CONNECT.
fn begun(config: &SessionConfig, connect: &ConnectParameters<'_>) -> (Session, Vec<u8>) {
    let mut initiator = Session::initiator(config, connect).unwrap();
    initiator.transport_connected(NOW, false);
    let cn = drain_one(&mut initiator);
    (initiator, cn)
}

/// A responder in STA01D and an initiator in STA02B, and the OVERFLOW ACCEPT between them.
fn overflowing(config: &SessionConfig, connect: &ConnectParameters<'_>) -> (Session, Session, Vec<u8>) {
    let (initiator, cn) = begun(config, connect);
    let mut responder = Session::responder(config);
    assert_eq!(feed(&mut responder, &cn), [], "the user is asked when all is there");
    let oa = drain_one(&mut responder);
    assert_eq!((initiator.state(), responder.state()), (State::Sta02B, State::Sta01D));
    (initiator, responder, oa)
}

#[test]
fn tp011_a_connect_with_10241_octets_is_one_overflow_and_one_indication() {
    let user_data = octets(10_241);
    let connect = ConnectParameters { versions: Versions::all(), user_data: &user_data, ..connect() };
    let (mut initiator, cn) = begun(&SessionConfig::default(), &connect);
    match parse(&cn) {
        Spdu::Connect(cn) => {
            assert_eq!((cn.data_overflow, cn.item.versions), (true, Versions::V2));
            assert_eq!(cn.user_data, &user_data[..10_240]);
        }
        other => panic!("{other:?}"),
    }
    assert!(cn.windows(3).any(|unit| unit == [60, 1, 1]), "PI 60 = 1");
    assert!(cn.windows(4).any(|unit| unit == [194, 0xff, 0x28, 0x00]), "PGI 194 of 10 240 octets");
    let mut responder = Session::responder(&SessionConfig::default());
    assert_eq!(feed(&mut responder, &cn), []);
    let oa = drain_one(&mut responder);
    assert_eq!(oa, hex("10 03 16 01 02"));
    assert_eq!(feed(&mut initiator, &oa), []);
    assert_eq!(drain_one(&mut initiator), hex("0f 06 19 01 02 c1 01 c8"));
    assert_eq!(initiator.state(), State::Sta02A);
    match feed(&mut responder, &hex("0f 06 19 01 02 c1 01 c8"))[..] {
        [Indication::Connect(indicated)] => {
            assert_eq!(indicated, ConnectParameters { versions: Versions::V2, ..connect });
        }
        ref other => panic!("{other:?}"),
    }
    assert_eq!(responder.state(), State::Sta08);
    responder.connect_response(NOW, &accept()).unwrap();
    assert!(matches!(feed(&mut initiator, &drain_one(&mut responder))[..], [Indication::ConnectConfirm(_)]));
    assert_eq!((initiator.version(), responder.version()), (Some(Versions::V2), Some(Versions::V2)));
    for session in [&mut initiator, &mut responder] {
        drain(session);
        assert!(format!("{session:?}").contains("cold: None"), "nothing is kept: {session:?}");
    }
}

#[test]
fn tp012_a_connect_with_200000_octets_is_several_overflows_the_last_of_which_says_so() {
    let user_data = octets(200_000);
    for (proposed, sizes_octets_max) in [(None, 65_539), (both(4096), 4096), (both(64), 64), (both(300), 300)]
    {
        let connect = ConnectParameters { user_data: &user_data, tsdu_maximum_size: proposed, ..connect() };
        let (mut initiator, mut responder, oa) = overflowing(&SessionConfig::default(), &connect);
        assert!(matches!(parse(&oa), Spdu::OverflowAccept(oa) if oa.tsdu_maximum_size == proposed));
        assert_eq!(feed(&mut initiator, &oa), []);
        let overflows = tsdus(&mut initiator);
        assert!(overflows.len() >= 3, "{}", overflows.len());
        let mut joined = user_data[..10_240].to_vec();
        let mut told = Vec::new();
        for (index, tsdu) in overflows.iter().enumerate() {
            assert!(tsdu.len() <= sizes_octets_max);
            match parse(tsdu) {
                Spdu::ConnectDataOverflow(overflow) => {
                    assert_eq!(overflow.end, index + 1 == overflows.len());
                    assert!((1..=65_528).contains(&overflow.user_data.len()));
                    joined.extend_from_slice(overflow.user_data);
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(told, [], "one indication at the end");
            told = feed(&mut responder, tsdu);
        }
        assert!(joined == user_data);
        assert!(matches!(told[..], [Indication::Connect(indicated)] if indicated.user_data == user_data));
        // AC repeats the sizes, and keeps to them.
        let other = AcceptParameters { tsdu_maximum_size: both(128), ..accept() };
        assert!(matches!(responder.connect_response(NOW, &other), Err(ServiceError::Parameter(_))));
        let long = AcceptParameters { user_data: &user_data[..1000], ..accept() };
        responder.connect_response(NOW, &long).unwrap();
        let mut told = Vec::new();
        for tsdu in tsdus(&mut responder) {
            assert!(tsdu.len() <= sizes_octets_max);
            told.extend(feed(&mut initiator, &tsdu));
        }
        match told[..] {
            [Indication::ConnectConfirm(confirm)] => assert_eq!(confirm.tsdu_maximum_size, proposed),
            ref other => panic!("{other:?}"),
        }
        assert_eq!(initiator.tsdu_maximum_size(), responder.tsdu_maximum_size());
    }
}

#[test]
fn the_responder_may_lower_the_sizes_in_overflow_accept_and_accept_repeats_them() {
    let user_data = octets(12_000);
    let connect = ConnectParameters { user_data: &user_data, tsdu_maximum_size: both(4096), ..connect() };
    let lower = TsduMaximumSize { initiator_to_responder: 1000, responder_to_initiator: 500 };
    let ac = |sizes| {
        let item =
            ConnectAcceptItem { versions: Versions::V2, tsdu_maximum_size: sizes, ..Default::default() };
        tsdu(Spdu::Accept(Accept { item, requirements: Fu::DUPLEX, ..Default::default() }))
    };
    for (strict, answered, taken) in [
        (true, Some(lower), true),
        (false, Some(lower), true),
        (false, None, true),
        (true, None, false),
        (true, both(400), false),
    ] {
        let config = SessionConfig { strict, ..Default::default() };
        let (mut initiator, _, _) = overflowing(&config, &connect);
        let oa = OverflowAccept { tsdu_maximum_size: Some(lower), versions: Versions::V2 };
        assert_eq!(feed(&mut initiator, &tsdu(Spdu::OverflowAccept(oa))), []);
        let overflows = tsdus(&mut initiator);
        assert!(overflows.len() == 2 && overflows.iter().all(|tsdu| tsdu.len() <= 1000));
        let told = feed(&mut initiator, &ac(answered));
        match taken {
            true => {
                assert!(matches!(told[..], [Indication::ConnectConfirm(_)]), "{answered:?}: {told:?}");
                assert_eq!(initiator.tsdu_maximum_size(), lower);
            }
            false => {
                assert!(matches!(told[..], [Indication::ProviderAbort { .. }]), "{answered:?}: {told:?}")
            }
        }
    }
    // An answer that is none: another version, or sizes that were not proposed.
    let wrong = [
        OverflowAccept { tsdu_maximum_size: Some(lower), versions: Versions::V1 },
        OverflowAccept { tsdu_maximum_size: Some(lower), versions: Versions::all() },
        OverflowAccept { tsdu_maximum_size: both(8192), versions: Versions::V2 },
    ];
    for oa in wrong {
        let (mut initiator, _, _) =
            overflowing(&SessionConfig { strict: true, ..Default::default() }, &connect);
        let told = feed(&mut initiator, &tsdu(Spdu::OverflowAccept(oa)));
        assert!(matches!(told[..], [Indication::ProviderAbort { .. }]), "{oa:?}");
        assert_eq!(initiator.state(), State::Sta16);
    }
}

#[test]
fn user_data_are_bounded_on_both_sides() {
    let small = SessionConfig { connect_user_data_octets_max: 20_000, ..Default::default() };
    let user_data = octets(20_001);
    let connect = ConnectParameters { user_data: &user_data, ..connect() };
    let error = Session::initiator(&small, &connect).err();
    assert_eq!(error, Some(ServiceError::UserDataLength { octets: 20_001, octets_max: 20_000 }));
    let (mut initiator, cn) = begun(&SessionConfig::default(), &connect);
    let mut responder = Session::responder(&small);
    assert_eq!(feed(&mut responder, &cn), []);
    feed(&mut initiator, &drain_one(&mut responder));
    for tsdu in tsdus(&mut initiator) {
        assert_eq!(feed(&mut responder, &tsdu), []);
    }
    // The tables know no answer but the end of the transport connection.
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![Sent::Disconnect]));
    assert!(matches!(responder.take_fault(), Some(PeerFault::Violation { .. })));
}

#[test]
fn a_version_1_responder_refuses_and_an_initiator_without_version_2_does_not_begin() {
    let user_data = octets(10_241);
    let connect = ConnectParameters { user_data: &user_data, ..connect() };
    let (mut initiator, cn) = begun(&SessionConfig::default(), &connect);
    let mut responder = Session::responder(&SessionConfig { versions: Versions::V1, ..Default::default() });
    assert_eq!(feed(&mut responder, &cn), []);
    // RF in STA02B.
    let told = feed(&mut initiator, &drain_one(&mut responder));
    assert!(matches!(told[..], [Indication::ConnectRefused(RefuseParameters { reason: 132, .. })]));
    assert_eq!((initiator.state(), drain(&mut initiator)), (State::Sta01, vec![Sent::Disconnect]));
    let only_1 = ConnectParameters { versions: Versions::V1, ..connect };
    let error = Session::initiator(&SessionConfig::default(), &only_1).err();
    assert_eq!(error, Some(ServiceError::UserDataLength { octets: 10_241, octets_max: 512 }));
}

#[test]
fn a_connection_that_ends_while_user_data_are_under_way_ends_once() {
    let user_data = octets(100_000);
    let connect = ConnectParameters { user_data: &user_data, ..connect() };
    let config = SessionConfig::default();
    // STA01D and STA02B: T-DISCONNECT.
    let (mut initiator, mut responder, _) = overflowing(&config, &connect);
    assert_eq!(responder.transport_disconnected(NOW), None, "the user knows of nothing");
    let lost = Indication::ProviderAbort { reason: ProviderAbortReason::TransportDisconnect };
    assert_eq!(initiator.transport_disconnected(NOW), Some(lost));
    for session in [initiator, responder] {
        assert_eq!(session.state(), State::Sta01);
        assert!(format!("{session:?}").contains("cold: None"), "{session:?}");
    }
    // STA01D: the owner's time is up.
    let (_, mut responder, _) = overflowing(&config, &connect);
    responder.provider_abort(NOW, ProviderAbortReason::Undefined);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![Sent::Disconnect]));
    // STA02B: the user gives up; STA01D: AB.
    let (mut initiator, mut responder, oa) = overflowing(&config, &connect);
    initiator.abort_request(NOW, b"never mi").unwrap();
    let ab = drain_one(&mut initiator);
    assert_eq!(feed(&mut initiator, &oa), [], "OA crosses AB");
    assert_eq!(initiator.state(), State::Sta16);
    assert_eq!(feed(&mut responder, &ab), []);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![Sent::Disconnect]));
    // STA01D: anything that is no CDO.
    let (_, cn) = begun(&config, &connect);
    for octets in
        [&cn[..], &hex("01 00 01 00 61"), &hex("09 00"), &hex("0f 03 19 01 02"), &hex("10 03 16 01 02")]
    {
        let (_, mut responder, _) = overflowing(&config, &connect);
        assert_eq!(feed(&mut responder, octets), []);
        assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![Sent::Disconnect]));
    }
}

#[test]
fn overflow_spdus_where_none_belong_are_protocol_errors() {
    let cdo = tsdu(Spdu::ConnectDataOverflow(ConnectDataOverflow { end: true, user_data: b"x" }));
    let oa = tsdu(Spdu::OverflowAccept(OverflowAccept::default()));
    // Without data overflow there is no OA.
    let (mut initiator, _) = begun(&SessionConfig::default(), &connect());
    assert!(matches!(feed(&mut initiator, &oa)[..], [Indication::ProviderAbort { .. }]));
    // An AC in place of OA.
    let user_data = octets(10_241);
    let connect = ConnectParameters { user_data: &user_data, ..connect() };
    let (mut initiator, _, _) = overflowing(&SessionConfig::default(), &connect);
    let item = ConnectAcceptItem { versions: Versions::V2, ..Default::default() };
    let ac = tsdu(Spdu::Accept(Accept { item, requirements: Fu::DUPLEX, ..Default::default() }));
    assert!(matches!(feed(&mut initiator, &ac)[..], [Indication::ProviderAbort { .. }]));
    // CDO behind the last one.
    let (mut initiator, mut responder, oa) = overflowing(&SessionConfig::default(), &connect);
    feed(&mut initiator, &oa);
    assert_eq!(feed(&mut responder, &drain_one(&mut initiator)).len(), 1);
    assert!(matches!(feed(&mut responder, &cdo)[..], [Indication::ProviderAbort { .. }]));
    // Strict: a CONNECT that has room.
    let short = Connect {
        item: ConnectAcceptItem { versions: Versions::V2, ..Default::default() },
        requirements: Fu::DUPLEX,
        data_overflow: true,
        user_data: b"short",
        ..Default::default()
    };
    for (strict, state) in [(true, State::Sta16), (false, State::Sta01D)] {
        let mut responder = Session::responder(&SessionConfig { strict, ..Default::default() });
        assert_eq!(feed(&mut responder, &tsdu(Spdu::Connect(short))), []);
        assert_eq!(responder.state(), state);
    }
}

#[test]
fn a_refusal_with_long_user_data_goes_in_segments_of_the_answered_size() {
    let user_data = octets(100_000);
    for size in [None, both(64), both(1000)] {
        let connect = ConnectParameters { user_data: &user_data, tsdu_maximum_size: size, ..connect() };
        let (mut initiator, mut responder, oa) = overflowing(&SessionConfig::default(), &connect);
        feed(&mut initiator, &oa);
        for tsdu in tsdus(&mut initiator) {
            feed(&mut responder, &tsdu);
        }
        let refuse = RefuseParameters { reason: 2, user_data: &user_data, transport_kept: false };
        responder.connect_refuse(NOW, &refuse).unwrap();
        let mut told = Vec::new();
        let octets_max = size.map_or(65_539, |size| usize::from(size.responder_to_initiator));
        for tsdu in tsdus(&mut responder) {
            assert!(tsdu.len() <= octets_max);
            told.extend(feed(&mut initiator, &tsdu));
        }
        assert_eq!(told, [Indication::ConnectRefused(refuse)]);
        assert_eq!((initiator.take_fault(), responder.take_fault()), (None, None));
    }
}

#[test]
fn data_overflow_works_on_a_kept_transport_connection() {
    let config = SessionConfig { transport_reuse: true, ..Default::default() };
    let (mut initiator, mut responder) = established(&config, &connect(), &accept());
    initiator.release_request(NOW, &[]).unwrap();
    feed(&mut responder, &drain_one(&mut initiator));
    responder.release_response(NOW, true, &[]).unwrap();
    feed(&mut initiator, &drain_one(&mut responder));
    let user_data = octets(30_000);
    let connect = ConnectParameters { user_data: &user_data, ..connect() };
    initiator.connect_request(NOW, &connect).unwrap();
    assert_eq!(initiator.state(), State::Sta02B);
    assert_eq!(feed(&mut responder, &drain_one(&mut initiator)), []);
    feed(&mut initiator, &drain_one(&mut responder));
    let told = feed(&mut responder, &drain_one(&mut initiator));
    assert!(matches!(told[..], [Indication::Connect(indicated)] if indicated.user_data == user_data));
}

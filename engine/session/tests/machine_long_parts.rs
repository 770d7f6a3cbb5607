//! What may stand between the segments of an SSDU, and what throws them away (reference 3.4, 12.3).
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_parts;
mod machine_support;

use colloquy_session::spdu::{
    GiveTokens, Head, MajorSyncPoint, MinorSyncPoint, Segment, Spdu, SpduKind, concatenate,
};
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Fu, Indication, PeerFault, Request, ResyncType,
    ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, ServiceError, Session, SessionConfig, State,
    Tokens,
};
use machine_parts::*;
use machine_support::*;

/// [GT][MIP] in segments, with these tokens at the heads.
fn minor_parts(heads: [Tokens; 2]) -> Vec<Vec<u8>> {
    let [first, last] = heads;
    let point = MinorSyncPoint {
        enclosure: Some(FIRST),
        serial_number: SerialNumber(1),
        user_data: b"ab",
        ..Default::default()
    };
    let end = Segment { kind: SpduKind::MinorSyncPoint, end: true, user_data: b"cd" };
    [(first, Spdu::MinorSyncPoint(point)), (last, Spdu::Segment(end))]
        .map(|(tokens, spdu)| {
            let mut octets = Vec::new();
            let head = Head::Give(GiveTokens { tokens, ..Default::default() });
            concatenate(&head, &[spdu], false, &mut octets).unwrap();
            octets
        })
        .to_vec()
}

#[test]
fn tokens_at_the_head_of_the_last_segment_move_behind_the_whole_spdu() {
    for (heads, strict, taken) in [
        ([Tokens::empty(), Tokens::MINOR], true, true),
        ([Tokens::empty(), Tokens::MINOR], false, true),
        // Lenient: at the head of another segment they wait just the same.
        ([Tokens::MINOR, Tokens::empty()], false, true),
        ([Tokens::MINOR, Tokens::empty()], true, false),
    ] {
        let config = SessionConfig { strict, ..config() };
        let connect = ConnectParameters {
            requirements: sync_units(),
            initial_serial_number: Some(SerialNumber(1)),
            ..connect()
        };
        let (_, mut responder) = established(&config, &connect, &accept());
        let parts = minor_parts(heads);
        let mut told: Vec<_> = feed(&mut responder, &parts[0]);
        if !taken {
            assert!(matches!(told[..], [Indication::ProviderAbort { .. }]));
            continue;
        }
        assert_eq!(told, []);
        told.extend(feed(&mut responder, &parts[1]));
        match told[..] {
            [Indication::SyncMinor { user_data, .. }, Indication::TokenGive { tokens, .. }] => {
                assert_eq!((user_data, tokens), (&b"abcd"[..], Tokens::MINOR));
            }
            ref other => panic!("{other:?}"),
        }
        assert_eq!(responder.tokens_owned(), Tokens::MINOR);
    }
}

#[test]
fn between_segments_only_please_tokens_may_come() {
    let first_of_data = hex("01 00 01 03 19 01 01 61");
    let major = |end| tsdu(Spdu::Segment(Segment { kind: SpduKind::MajorSyncPoint, end, user_data: b"m" }));
    let first_of_major = tsdu(Spdu::MajorSyncPoint(MajorSyncPoint {
        enclosure: Some(FIRST),
        serial_number: SerialNumber(1),
        second_serial_number: None,
        user_data: b"m",
    }));
    let please = hex("02 03 10 01 04");
    let last_of_data = hex("01 00 01 03 19 01 02 61");
    // PT between the segments, of DT and of MAP.
    let (mut initiator, mut responder) = pair(sync_units(), both(1024));
    assert_eq!(feed(&mut initiator, &first_of_data).len(), 1);
    assert!(matches!(feed(&mut initiator, &please)[..], [Indication::TokenPlease { .. }]));
    assert_eq!(feed(&mut initiator, &last_of_data).len(), 1);
    assert_eq!(feed(&mut responder, &first_of_major), []);
    assert_eq!(feed(&mut responder, &hex("02 00")), []);
    assert_eq!(feed(&mut responder, &major(false)), []);
    let told = feed(&mut responder, &major(true));
    assert!(matches!(told[..], [Indication::SyncMajor { user_data: b"mmm", .. }]), "{told:?}");
    // Everything else is a protocol error.
    let others = [
        "01 03 10 01 04",
        "09 00",
        "01 00 31 03 2a 01 31",
        "21 00 61",
        "0a 00",
        "01 00 29 06 0f 01 01 2a 01 31",
    ];
    for first in [&first_of_data, &first_of_major] {
        for other in others {
            let (_, mut responder) = pair(sync_units(), both(1024));
            feed(&mut responder, first);
            let told = feed(&mut responder, &hex(other));
            assert!(matches!(told[..], [Indication::ProviderAbort { .. }]), "{other}: {told:?}");
            let fault = responder.take_fault();
            assert!(matches!(fault, Some(PeerFault::Violation { .. })), "{other}: {fault:?}");
        }
    }
}

#[test]
fn a_segment_shares_no_tsdu_with_spdus_behind_it() {
    let (_, mut responder) = pair(sync_units(), None);
    // GT with user data in segments at the head of a DT.
    let told = feed(&mut responder, &hex("01 06 19 01 01 c1 01 78 01 00 61"));
    assert!(matches!(told[..], [Indication::ProviderAbort { .. }]), "{told:?}");
}

/// What throws away an incomplete SSDU: SPDUs of the peer.
#[test]
fn a_resynchronization_or_exception_of_the_peer_throws_an_incomplete_ssdu_away() {
    let major = Spdu::MajorSyncPoint(MajorSyncPoint {
        enclosure: Some(FIRST),
        serial_number: SerialNumber(1),
        second_serial_number: None,
        user_data: b"m",
    });
    for first in [hex("01 00 01 03 19 01 01 61"), tsdu(major)] {
        let (mut initiator, mut responder) = pair(sync_units(), both(1024));
        feed(&mut responder, &first);
        let set = ResynchronizeParameters {
            resync_type: ResyncType::Set,
            serial_number: Some(SerialNumber(7)),
            ..Default::default()
        };
        initiator.resynchronize_request(NOW, &set).unwrap();
        assert!(matches!(carry(&mut initiator, &mut responder, 0)[..], [Indication::Resynchronize(_)]));
        responder.resynchronize_response(NOW, &ResynchronizeAnswer::default()).unwrap();
        assert!(matches!(
            carry(&mut responder, &mut initiator, 0)[..],
            [Indication::ResynchronizeConfirm(_)]
        ));
        // A new SSDU begins, and the old one does not go on.
        for part in data(&mut initiator, 3, Enclosure::WHOLE) {
            assert_eq!(feed(&mut responder, &part).len(), 1);
        }
        assert_eq!(responder.take_fault(), None);
        let told = feed(&mut responder, &hex("01 00 01 03 19 01 02 61"));
        assert!(matches!(told[..], [Indication::ProviderAbort { .. }]));
    }
}

#[test]
fn the_own_resynchronization_cuts_the_peers_ssdu_short() {
    let (mut initiator, mut responder) = pair(sync_units(), both(1024));
    for part in data(&mut responder, 3, FIRST) {
        assert_eq!(feed(&mut initiator, &part).len(), 1);
    }
    let under_way = data(&mut responder, 3, MIDDLE);
    let set = ResynchronizeParameters {
        resync_type: ResyncType::Set,
        serial_number: Some(SerialNumber(7)),
        ..Default::default()
    };
    initiator.resynchronize_request(NOW, &set).unwrap();
    for part in under_way {
        assert_eq!(feed(&mut initiator, &part), [], "discarded");
    }
    carry(&mut initiator, &mut responder, 0);
    // The peer's user cannot go on with it.
    assert!(matches!(responder.data_request(1, LAST), Err(ServiceError::State { .. })));
    responder.resynchronize_response(NOW, &ResynchronizeAnswer::default()).unwrap();
    assert!(matches!(carry(&mut responder, &mut initiator, 0)[..], [Indication::ResynchronizeConfirm(_)]));
    assert!(matches!(responder.data_request(1, LAST), Err(ServiceError::Parameter(_))));
    for part in data(&mut responder, 3, Enclosure::WHOLE) {
        assert_eq!(feed(&mut initiator, &part).len(), 1);
    }
    assert_eq!((initiator.take_fault(), responder.take_fault()), (None, None));
}

/// Requests that cut the own SSDU short.
#[test]
fn requests_that_purge_cut_the_own_ssdu_short() {
    let set = ResynchronizeParameters {
        resync_type: ResyncType::Set,
        serial_number: Some(SerialNumber(7)),
        ..Default::default()
    };
    let requests = [
        (sync_units(), Request::Resynchronize(set)),
        (sync_units(), Request::Abort { user_data: &[] }),
        (activity_units(), Request::ActivityInterrupt { reason: 0, user_data: &[] }),
        (activity_units(), Request::ActivityDiscard { reason: 0, user_data: &[] }),
    ];
    for (units, request) in requests {
        let (mut initiator, mut responder) = pair(units, both(1024));
        if units.contains(Fu::ACTIVITY) {
            initiator.activity_start_request(NOW, b"a", &[]).unwrap();
            carry(&mut initiator, &mut responder, 0);
        }
        for part in data(&mut initiator, 3, FIRST) {
            assert_eq!(feed(&mut responder, &part).len(), 1);
        }
        // What does not purge has to wait.
        let give = initiator.token_give_request(NOW, Tokens::MINOR, &[]);
        assert_eq!(give, Err(ServiceError::SsduIncomplete));
        initiator.request(NOW, &request).unwrap();
        assert_eq!(carry(&mut initiator, &mut responder, 0).len(), 1);
        assert!(initiator.data_request(1, MIDDLE).is_err(), "{request:?}");
        assert_eq!((initiator.take_fault(), responder.take_fault()), (None, None), "{request:?}");
    }
}

#[test]
fn an_exception_report_cuts_typed_data_short_and_the_data_token_mends_it() {
    let (mut initiator, mut responder) = pair(activity_units(), both(1024));
    initiator.activity_start_request(NOW, b"a", &[]).unwrap();
    carry(&mut initiator, &mut responder, 0);
    let typed = |session: &mut Session, enclosure| -> Vec<Vec<u8>> {
        let segments = session.typed_data_request(2, enclosure).unwrap();
        segments.map(|segment| [segment.header(), b"ab"].concat()).collect()
    };
    for part in typed(&mut responder, FIRST) {
        assert_eq!(feed(&mut initiator, &part).len(), 1);
    }
    for part in data(&mut initiator, 3, FIRST) {
        assert_eq!(feed(&mut responder, &part).len(), 1);
    }
    responder.exception_report_request(NOW, 1, &[]).unwrap();
    assert!(matches!(carry(&mut responder, &mut initiator, 0)[..], [Indication::UserException { .. }]));
    assert!(responder.typed_data_request(2, LAST).is_err());
    assert!(initiator.data_request(2, LAST).is_err());
    initiator.token_give_request(NOW, Tokens::DATA, &[]).unwrap();
    assert!(matches!(carry(&mut initiator, &mut responder, 0)[..], [Indication::TokenGive { .. }]));
    for part in data(&mut responder, 3, Enclosure::WHOLE) {
        assert_eq!(feed(&mut initiator, &part).len(), 1);
    }
    assert_eq!((initiator.take_fault(), responder.take_fault()), (None, None));
}

#[test]
fn an_ssdu_goes_on_while_capability_data_wait_for_their_answer() {
    let units = (activity_units() - Fu::HALF_DUPLEX - Fu::EXCEPTIONS) | Fu::DUPLEX;
    let (mut initiator, mut responder) = pair(units, both(1024));
    for part in data(&mut responder, 3, FIRST) {
        feed(&mut initiator, &part);
    }
    initiator.capability_data_request(NOW, b"c").unwrap();
    assert!(matches!(carry(&mut initiator, &mut responder, 0)[..], [Indication::CapabilityData { .. }]));
    // The answer would stand between segments, so that the SSDU comes to its end first.
    assert_eq!(responder.capability_data_response(NOW, b"d"), Err(ServiceError::SsduIncomplete));
    for part in data(&mut responder, 3, LAST) {
        assert_eq!(feed(&mut initiator, &part).len(), 1);
    }
    assert!(matches!(responder.data_request(1, Enclosure::WHOLE), Err(ServiceError::State { .. })));
    responder.capability_data_response(NOW, b"d").unwrap();
    assert!(matches!(
        carry(&mut responder, &mut initiator, 0)[..],
        [Indication::CapabilityDataConfirm { .. }]
    ));
    assert_eq!((initiator.take_fault(), responder.take_fault()), (None, None));
}

#[test]
fn tp049_a_long_abort_behind_its_prepare_is_joined_before_it_counts() {
    let units = Fu::DUPLEX | Fu::EXPEDITED;
    let config = SessionConfig { functional_units: units, ..Default::default() };
    let connect = ConnectParameters { requirements: units, tsdu_maximum_size: both(64), ..connect() };
    let mut initiator = Session::initiator(&config, &connect).unwrap();
    initiator.transport_connected(NOW, true);
    let mut responder = Session::responder(&config);
    responder.use_transport_expedited();
    feed(&mut responder, &drain_one(&mut initiator));
    responder.connect_response(NOW, &accept()).unwrap();
    feed(&mut initiator, &drain_one(&mut responder));
    for part in data(&mut initiator, 100, FIRST) {
        assert_eq!(feed(&mut responder, &part).len(), 1);
    }
    let long = vec![5; 200];
    initiator.abort_request(NOW, &long).unwrap();
    let mut told = Vec::new();
    for (index, sent) in drain(&mut initiator).into_iter().enumerate() {
        match sent {
            Sent::Expedited(octets) => {
                assert_eq!((index, &octets[..]), (0, &[7, 3, 24, 1, 4][..]), "PR-AB goes ahead");
                let mut tsdu = colloquy_session::spdu::Tsdu::expedited(&octets);
                assert_eq!(responder.handle_tsdu(NOW, &mut tsdu), None);
                assert_eq!(responder.state(), State::Sta15D);
            }
            Sent::Tsdu(octets) => {
                assert!(octets.len() <= 64);
                told.extend(feed(&mut responder, &octets));
            }
            Sent::Disconnect => panic!("TIM runs first"),
        }
    }
    assert_eq!(told, [Indication::UserAbort { user_data: &long }]);
    assert_eq!((responder.state(), drain(&mut responder)), (State::Sta01, vec![Sent::Disconnect]));
}

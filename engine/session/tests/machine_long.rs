//! SSDUs in segments: joining of every SPDU with user data, what may stand between segments, and what throws
//! them away (reference 3.4, 12.3).
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::spdu::{
    GiveTokens, Head, MajorSyncPoint, MinorSyncPoint, Segment, Spdu, SpduKind, concatenate,
};
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Fu, Indication, PeerFault, Request, ResyncType,
    ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, ServiceError, Session, SessionConfig, State,
    Tokens, TsduMaximumSize, Versions,
};
use machine_support::*;

const FIRST: Enclosure = Enclosure { begin: true, end: false };
const MIDDLE: Enclosure = Enclosure { begin: false, end: false };
const LAST: Enclosure = Enclosure { begin: false, end: true };

fn config() -> SessionConfig {
    SessionConfig { functional_units: Fu::all() - Fu::SYMMETRIC_SYNC - Fu::EXPEDITED, ..Default::default() }
}

/// Two machines with these units; all tokens with the initiator.
fn pair(units: Fu, sizes: Option<TsduMaximumSize>) -> (Session, Session) {
    let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE);
    let connect = ConnectParameters {
        requirements: units,
        initial_serial_number: numbered.then_some(SerialNumber(1)),
        tsdu_maximum_size: sizes,
        ..connect()
    };
    established(&config(), &connect, &accept())
}

fn sync_units() -> Fu {
    Fu::DUPLEX | Fu::TYPED_DATA | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE
}

fn activity_units() -> Fu {
    Fu::HALF_DUPLEX | Fu::TYPED_DATA | Fu::MINOR_SYNC | Fu::ACTIVITY | Fu::CAPABILITY_DATA | Fu::EXCEPTIONS
}

/// Carries all TSDUs, none longer than `size` (0: any); what the receiver tells.
fn carry(from: &mut Session, to: &mut Session, size: u16) -> Vec<Indication<'static>> {
    let mut indications = Vec::new();
    for sent in drain(from) {
        if let Sent::Tsdu(octets) = sent {
            assert!(size == 0 || octets.len() <= usize::from(size), "{} octets", octets.len());
            indications.extend(feed(to, &octets));
        }
    }
    indications
}

/// The TSDUs of one SSDU or a part of one.
fn data(session: &mut Session, octets: usize, enclosure: Enclosure) -> Vec<Vec<u8>> {
    let segments = session.data_request(octets, enclosure).unwrap();
    segments.map(|segment| [segment.header(), &vec![0x61; segment.octets]].concat()).collect()
}

fn long() -> Vec<u8> {
    (0..100_000).map(|n| (n % 239) as u8).collect()
}

/// One request of `from` reaches `to` whole, although it is sent in segments; what it is told.
fn one(from: &mut Session, to: &mut Session, size: u16, request: &Request<'_>) -> Indication<'static> {
    from.request(NOW, request).unwrap();
    assert!(size == 0 || drain_peek(from) > 1, "{request:?} is segmented");
    let indications = carry(from, to, size);
    assert_eq!(indications.len(), 1, "{request:?}: {indications:?}");
    assert_eq!(to.take_fault(), None);
    indications[0]
}

/// More than one TSDU waits: seen by the debug form, so that nothing is taken.
fn drain_peek(session: &Session) -> usize {
    format!("{session:?}").matches("Normal)").count()
}

#[test]
fn tp048_every_spdu_with_user_data_is_segmented_and_joined_in_both_directions() {
    let long = long();
    let user_data = &long[..];
    for size in [0, 64, 2000] {
        for turned in [false, true] {
            let mut settings = colloquy_session::TokenSettings::default();
            if turned {
                let side = colloquy_session::TokenSide::Responder;
                settings =
                    colloquy_session::TokenSettings { data: side, minor: side, major: side, release: side };
            }
            let make = |units: Fu| {
                let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC);
                let connect = ConnectParameters {
                    requirements: units,
                    initial_serial_number: numbered.then_some(SerialNumber(1)),
                    token_settings: settings,
                    tsdu_maximum_size: (size != 0).then(|| both(size).unwrap()),
                    ..connect()
                };
                let (initiator, responder) = established(&config(), &connect, &accept());
                if turned { (responder, initiator) } else { (initiator, responder) }
            };
            sync_dialogue(make(sync_units()), size, user_data);
            activity_dialogue(make(activity_units()), size, user_data);
        }
    }
}

fn sync_dialogue((mut a, mut b): (Session, Session), size: u16, user_data: &[u8]) {
    let minor = Request::SyncMinor { confirmation_optional: false, data_separation: false, user_data };
    let told = one(&mut a, &mut b, size, &minor);
    assert!(
        matches!(told, Indication::SyncMinor { serial_number: SerialNumber(1), user_data: u, .. } if u == user_data)
    );
    let response = Request::SyncMinorResponse { serial_number: SerialNumber(1), user_data };
    let told = one(&mut b, &mut a, size, &response);
    assert!(matches!(told, Indication::SyncMinorConfirm { user_data: u, .. } if u == user_data));
    // Later segments of MAP look like AE.
    let told = one(&mut a, &mut b, size, &Request::SyncMajor { user_data });
    assert!(
        matches!(told, Indication::SyncMajor { serial_number: SerialNumber(2), user_data: u } if u == user_data)
    );
    let told = one(&mut b, &mut a, size, &Request::SyncMajorResponse { user_data });
    assert!(matches!(told, Indication::SyncMajorConfirm { user_data: u, .. } if u == user_data));
    let set = ResynchronizeParameters {
        resync_type: ResyncType::Set,
        serial_number: Some(SerialNumber(9)),
        user_data,
        ..Default::default()
    };
    let told = one(&mut a, &mut b, size, &Request::Resynchronize(set));
    assert!(matches!(told, Indication::Resynchronize(r) if r.user_data == user_data));
    let answer = ResynchronizeAnswer { user_data, ..Default::default() };
    let told = one(&mut b, &mut a, size, &Request::ResynchronizeResponse(answer));
    assert!(matches!(told, Indication::ResynchronizeConfirm(r) if r.user_data == user_data));
    let told = one(&mut b, &mut a, size, &Request::TokenPlease { tokens: Tokens::MINOR, user_data });
    assert_eq!(told, Indication::TokenPlease { tokens: Tokens::MINOR, user_data });
    let told = one(&mut a, &mut b, size, &Request::TokenGive { tokens: Tokens::MINOR, user_data });
    assert_eq!(told, Indication::TokenGive { tokens: Tokens::MINOR, user_data });
    assert_eq!(b.tokens_owned(), Tokens::MINOR);
    a.token_please_request(NOW, Tokens::MINOR, &[]).unwrap();
    carry(&mut a, &mut b, size);
    b.token_give_request(NOW, Tokens::MINOR, &[]).unwrap();
    carry(&mut b, &mut a, size);
    let told = one(&mut a, &mut b, size, &Request::Release { user_data });
    assert_eq!(told, Indication::Release { user_data });
    let told = one(&mut b, &mut a, size, &Request::ReleaseResponse { affirmative: true, user_data });
    assert_eq!(told, Indication::ReleaseConfirm { affirmative: true, user_data });
}

fn activity_dialogue((mut a, mut b): (Session, Session), size: u16, user_data: &[u8]) {
    let told = one(&mut a, &mut b, size, &Request::CapabilityData { user_data });
    assert_eq!(told, Indication::CapabilityData { user_data });
    let told = one(&mut b, &mut a, size, &Request::CapabilityDataResponse { user_data });
    assert_eq!(told, Indication::CapabilityDataConfirm { user_data });
    let told = one(&mut a, &mut b, size, &Request::ActivityStart { identifier: b"one", user_data });
    assert_eq!(told, Indication::ActivityStart { identifier: b"one", user_data });
    let told = one(&mut b, &mut a, size, &Request::UserException { reason: 5, user_data });
    assert_eq!(told, Indication::UserException { reason: 5, user_data });
    let told = one(&mut a, &mut b, size, &Request::ActivityInterrupt { reason: 1, user_data });
    assert_eq!(told, Indication::ActivityInterrupt { reason: 1, user_data });
    let told = one(&mut b, &mut a, size, &Request::ActivityInterruptResponse { user_data });
    assert_eq!(told, Indication::ActivityInterruptConfirm { user_data });
    let resume = colloquy_session::ActivityResumeParameters {
        identifier: b"two",
        old_identifier: b"one",
        serial_number: SerialNumber(0),
        old_connection: Default::default(),
        user_data,
    };
    let told = one(&mut a, &mut b, size, &Request::ActivityResume(resume));
    assert_eq!(told, Indication::ActivityResume(resume));
    let told = one(&mut a, &mut b, size, &Request::ActivityDiscard { reason: 0, user_data });
    assert_eq!(told, Indication::ActivityDiscard { reason: 0, user_data });
    let told = one(&mut b, &mut a, size, &Request::ActivityDiscardResponse { user_data });
    assert_eq!(told, Indication::ActivityDiscardConfirm { user_data });
    a.activity_start_request(NOW, b"x", &[]).unwrap();
    carry(&mut a, &mut b, size);
    let told = one(&mut a, &mut b, size, &Request::ActivityEnd { user_data });
    assert_eq!(told, Indication::ActivityEnd { serial_number: SerialNumber(1), user_data });
    let told = one(&mut b, &mut a, size, &Request::ActivityEndResponse { user_data });
    assert_eq!(told, Indication::ActivityEndConfirm { serial_number: SerialNumber(1), user_data });
    let told = one(&mut a, &mut b, size, &Request::ControlGive { user_data });
    assert_eq!(told, Indication::ControlGive { user_data });
    assert_eq!(carry(&mut b, &mut a, size), []);
    assert_eq!(b.tokens_owned(), b.tokens_available());
}

#[test]
fn tp048_not_finished_and_an_accept_are_segmented_too() {
    let long = long();
    let connect = ConnectParameters {
        requirements: Fu::DUPLEX | Fu::NEGOTIATED_RELEASE,
        tsdu_maximum_size: both(512),
        ..connect()
    };
    let (mut initiator, mut responder) = indicated(&config(), &connect);
    responder
        .connect_response(NOW, &colloquy_session::AcceptParameters { user_data: &long, ..accept() })
        .unwrap();
    let told = carry(&mut responder, &mut initiator, 512);
    assert!(matches!(told[..], [Indication::ConnectConfirm(accept)] if accept.user_data == long));
    let told = one(&mut initiator, &mut responder, 512, &Request::Release { user_data: &long });
    assert_eq!(told, Indication::Release { user_data: &long });
    let refused = Request::ReleaseResponse { affirmative: false, user_data: &long };
    let told = one(&mut responder, &mut initiator, 512, &refused);
    assert_eq!(told, Indication::ReleaseConfirm { affirmative: false, user_data: &long });
    assert_eq!((initiator.state(), responder.state()), (State::Sta713, State::Sta713));
}

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
fn the_longest_single_spdu_is_not_segmented() {
    // 65 535 octets of parameters: header of the user data and 65 531 octets of them.
    for (octets, tsdus) in [(65_528, 1), (65_529, 2), (100_000, 2)] {
        let (mut initiator, mut responder) = pair(Fu::DUPLEX, None);
        let user_data = vec![7; octets];
        initiator.release_request(NOW, &user_data).unwrap();
        assert_eq!(drain_peek(&initiator), tsdus, "{octets} octets");
        assert_eq!(carry(&mut initiator, &mut responder, 0), [Indication::Release { user_data: &user_data }]);
    }
}

#[test]
fn tp053_segments_are_of_version_2() {
    let connect = ConnectParameters { versions: Versions::V1, tsdu_maximum_size: both(64), ..connect() };
    let (mut initiator, mut responder) = established(&config(), &connect, &accept());
    // DT is segmented in version 1 too.
    for part in data(&mut initiator, 300, Enclosure::WHOLE) {
        assert!(part.len() <= 64);
        assert_eq!(feed(&mut responder, &part).len(), 1);
    }
    let error = initiator.release_request(NOW, &[0; 300]);
    assert!(matches!(error, Err(ServiceError::UserDataLength { .. })), "{error:?}");
    assert_eq!(drain(&mut initiator), []);
}

#[test]
fn tp046_the_last_segment_of_any_spdu_may_be_empty() {
    let (_, mut responder) = pair(sync_units(), None);
    let first = Spdu::MajorSyncPoint(MajorSyncPoint {
        enclosure: Some(FIRST),
        serial_number: SerialNumber(1),
        second_serial_number: None,
        user_data: b"",
    });
    assert_eq!(feed(&mut responder, &tsdu(first)), []);
    let middle = Segment { kind: SpduKind::MajorSyncPoint, end: false, user_data: b"all" };
    assert_eq!(feed(&mut responder, &tsdu(Spdu::Segment(middle))), []);
    let last = Segment { kind: SpduKind::MajorSyncPoint, end: true, user_data: b"" };
    let told = feed(&mut responder, &tsdu(Spdu::Segment(last)));
    assert!(matches!(told[..], [Indication::SyncMajor { user_data: b"all", .. }]), "{told:?}");
}

#[test]
fn tp047_only_the_direction_with_a_finite_size_has_short_tsdus() {
    let sizes = TsduMaximumSize { initiator_to_responder: 64, responder_to_initiator: 0 };
    let long = vec![3; 1000];
    let (mut initiator, mut responder) = pair(Fu::DUPLEX, Some(sizes));
    initiator.release_request(NOW, &long).unwrap();
    assert!(drain_peek(&initiator) > 15);
    assert_eq!(carry(&mut initiator, &mut responder, 64), [Indication::Release { user_data: &long }]);
    responder.release_response(NOW, true, &long).unwrap();
    assert_eq!(drain_peek(&responder), 1);
    assert_eq!(carry(&mut responder, &mut initiator, 0).len(), 1);
}

#[test]
fn an_ssdu_of_any_length_goes_through_in_parts_without_being_held() {
    const PARTS: usize = 2_000;
    const PART_OCTETS: usize = 10_000;
    let (mut initiator, mut responder) = pair(Fu::DUPLEX | Fu::TYPED_DATA, both(1024));
    for typed in [false, true] {
        for turned in [false, true] {
            let (from, to) =
                if turned { (&mut responder, &mut initiator) } else { (&mut initiator, &mut responder) };
            let (mut received, mut ends) = (0, 0);
            for part in 0..PARTS {
                let enclosure = Enclosure { begin: part == 0, end: part + 1 == PARTS };
                let segments = match typed {
                    true => from.typed_data_request(PART_OCTETS, enclosure),
                    false => from.data_request(PART_OCTETS, enclosure),
                };
                let mut tsdu = Vec::new();
                for segment in segments.unwrap() {
                    tsdu.clear();
                    tsdu.extend_from_slice(segment.header());
                    tsdu.resize(tsdu.len() + segment.octets, 0x61);
                    assert!(tsdu.len() <= 1024);
                    let mut tsdu = colloquy_session::spdu::Tsdu::new(&tsdu);
                    match (typed, to.handle_tsdu(NOW, &mut tsdu)) {
                        (false, Some(Indication::Data { user_data, enclosure, .. }))
                        | (true, Some(Indication::TypedData { user_data, enclosure, .. })) => {
                            assert_eq!(enclosure.begin, received == 0);
                            received += user_data.len();
                            ends += usize::from(enclosure.end);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            assert_eq!((received, ends), (PARTS * PART_OCTETS, 1));
            assert!(format!("{to:?}").contains("cold: None"), "nothing is kept");
        }
    }
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

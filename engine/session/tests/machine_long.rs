//! User data of any length in segments, in every SPDU that carries them (reference 3.4, 12.3).
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_parts;
mod machine_support;

use colloquy_session::spdu::{MajorSyncPoint, Segment, Spdu, SpduKind};
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Fu, Indication, Request, ResyncType,
    ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, ServiceError, Session, State, Tokens,
    TsduMaximumSize, Versions,
};
use machine_parts::*;
use machine_support::*;

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
        second_serial_number: None,
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

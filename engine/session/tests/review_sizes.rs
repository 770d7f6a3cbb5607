//! User data at the edges of a TSDU size: what fits goes out whole, what does not is segmented or refused with the
//! true limit, in both versions and for every SPDU with user data.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::{
    ActivityResumeParameters, ConnectParameters, Enclosure, FunctionalUnits as Fu, OldConnection, Request,
    ResynchronizeParameters, SerialNumber, ServiceError, Session, SessionConfig, Tokens, Versions,
};
use machine_support::*;

fn pair(units: Fu, versions: Versions, size: u16) -> (Session, Session) {
    let config = SessionConfig { functional_units: Fu::all() - Fu::SYMMETRIC_SYNC, ..Default::default() };
    let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE);
    let connect = ConnectParameters {
        requirements: units,
        versions,
        initial_serial_number: numbered.then_some(SerialNumber(1)),
        tsdu_maximum_size: both(size),
        ..connect()
    };
    established(&config, &connect, &accept())
}

const UNITS: Fu = Fu::HALF_DUPLEX
    .union(Fu::MINOR_SYNC)
    .union(Fu::MAJOR_SYNC)
    .union(Fu::RESYNCHRONIZE)
    .union(Fu::NEGOTIATED_RELEASE);
const ACTIVITIES: Fu = Fu::HALF_DUPLEX.union(Fu::MINOR_SYNC).union(Fu::ACTIVITY).union(Fu::CAPABILITY_DATA);

/// Requests that a user may make right after the connection.
fn requests(user_data: &[u8]) -> Vec<(Fu, Request<'_>)> {
    let resume = ActivityResumeParameters {
        identifier: b"b",
        old_identifier: b"a",
        serial_number: SerialNumber(4),
        user_data,
        ..Default::default()
    };
    vec![
        (UNITS, Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data }),
        (UNITS, Request::SyncMajor { user_data }),
        (
            UNITS,
            Request::Resynchronize(ResynchronizeParameters {
                resync_type: colloquy_session::ResyncType::Abandon,
                user_data,
                ..Default::default()
            }),
        ),
        (UNITS, Request::Release { user_data }),
        (ACTIVITIES, Request::CapabilityData { user_data }),
        (ACTIVITIES, Request::ActivityStart { identifier: b"a", user_data }),
        (ACTIVITIES, Request::ActivityResume(resume)),
    ]
}

#[test]
fn version_1_refuses_what_no_tsdu_holds_and_names_the_longest_that_one_holds() {
    let octets = [0x61; 600];
    for size in [64, 65, 200, 254, 255, 256, 257, 258, 259, 260, 261, 262, 263, 264, 270, 300, 600] {
        for index in 0..requests(&[]).len() {
            let (units, longest) = requests(&octets[..512])[index];
            let (mut initiator, _) = pair(units, Versions::V1, size);
            let before = format!("{initiator:?}");
            let octets_max = match initiator.request(NOW, &longest) {
                Ok(()) => {
                    assert!(drain_one(&mut initiator).len() <= usize::from(size), "{longest:?}");
                    continue;
                }
                Err(ServiceError::UserDataLength { octets: 512, octets_max }) => octets_max,
                Err(error) => panic!("{size}: {error:?}"),
            };
            assert_eq!(before, format!("{initiator:?}"), "nothing has changed");
            assert!(drain(&mut initiator).is_empty());
            let (_, above) = requests(&octets[..octets_max + 1])[index];
            assert!(initiator.request(NOW, &above).is_err(), "{size}: {octets_max} is too low for {above:?}");
            let (_, at) = requests(&octets[..octets_max])[index];
            initiator.request(NOW, &at).unwrap();
            assert!(drain_one(&mut initiator).len() <= usize::from(size));
        }
    }
}

#[test]
fn version_2_segments_exactly_what_does_not_fit_and_the_peer_has_all_of_it() {
    let octets: Vec<u8> = (0..700u32).map(|n| n as u8).collect();
    for size in [64, 65, 255, 256, 257, 262, 300] {
        for index in 0..requests(&[]).len() {
            for length in
                (0u16..400).filter(|length| *length < 70 || length % 7 == 0 || length.abs_diff(size) < 30)
            {
                let (units, request) = requests(&octets[..usize::from(length)])[index];
                let (mut initiator, mut responder) = pair(units, Versions::V2, size);
                initiator.request(NOW, &request).unwrap();
                let sent = drain(&mut initiator);
                let mut told = Vec::new();
                for sent in &sent {
                    let Sent::Tsdu(tsdu) = sent else { panic!("{sent:?}") };
                    assert!(tsdu.len() <= usize::from(size), "{} octets for {size}", tsdu.len());
                    told.extend(feed(&mut responder, tsdu));
                }
                assert_eq!(told.len(), 1, "{size} {request:?}: {told:?} {:?}", responder.take_fault());
                let shown = format!("{:?}", &octets[..usize::from(length)]);
                assert!(format!("{:?}", told[0]).contains(&format!("user_data: {shown}")), "{told:?}");
                // Whole where one TSDU is enough: what a peer without limits gets is as long.
                let (mut unlimited, _) = pair(units, Versions::V2, 0);
                unlimited.request(NOW, &request).unwrap();
                let whole = drain_one(&mut unlimited).len();
                assert_eq!(sent.len() == 1, whole <= usize::from(size), "{size} {whole} {request:?}");
            }
        }
    }
}

#[test]
fn parameters_that_no_tsdu_holds_are_named_as_such_in_both_versions() {
    let long = [0x41; 64];
    let old_connection = OldConnection {
        called_reference: &long,
        calling_reference: &long,
        common_reference: &long,
        additional_information: b"more",
    };
    for versions in [Versions::V1, Versions::V2] {
        for user_data in [&[][..], b"some"] {
            let (mut initiator, _) = pair(ACTIVITIES, versions, 64);
            let resume = ActivityResumeParameters {
                identifier: b"b",
                old_identifier: b"a",
                serial_number: SerialNumber(4),
                old_connection,
                user_data,
                ..Default::default()
            };
            let error = initiator.activity_resume_request(NOW, &resume).unwrap_err();
            assert!(matches!(error, ServiceError::Parameter(_)), "{versions:?}: {error:?}");
            assert!(!initiator.activity_in_progress() && drain(&mut initiator).is_empty());
        }
    }
}

#[test]
fn tp045_an_ssdu_that_fits_is_one_tsdu_and_one_octet_more_makes_it_two() {
    for size in [64u16, 65, 300, 65535] {
        let units = Fu::DUPLEX | Fu::TYPED_DATA;
        for (header, typed) in [(7, false), (5, true)] {
            let fits = usize::from(size) - header;
            for (octets, expected) in [(0, 1), (1, 1), (fits - 1, 1), (fits, 1), (fits + 1, 2), (2 * fits, 2)]
            {
                let (mut initiator, _) = pair(units, Versions::V2, size);
                let segments: Vec<_> = match typed {
                    true => initiator.typed_data_request(octets, Enclosure::WHOLE).unwrap().collect(),
                    false => initiator.data_request(octets, Enclosure::WHOLE).unwrap().collect(),
                };
                assert_eq!(segments.len(), expected, "{octets} octets in {size}, typed {typed}");
                for segment in &segments {
                    assert!(segment.header().len() + segment.octets <= usize::from(size));
                }
                let sum: usize = segments.iter().map(|segment| segment.octets).sum();
                assert_eq!(sum, octets);
            }
        }
    }
}

#[test]
fn tokens_are_asked_for_and_given_within_the_size() {
    for version in [Versions::V1, Versions::V2] {
        let (mut initiator, mut responder) = pair(UNITS, version, 64);
        let give = Request::TokenGive { tokens: Tokens::all(), user_data: &[] };
        initiator.request(NOW, &give).unwrap();
        feed(&mut responder, &drain_one(&mut initiator));
        let please = |user_data| Request::TokenPlease { tokens: Tokens::all(), user_data };
        let result = initiator.request(NOW, &please(&[9; 512]));
        assert_eq!(result.is_ok(), version == Versions::V2, "{result:?}");
        for sent in drain(&mut initiator) {
            let Sent::Tsdu(tsdu) = sent else { panic!("{sent:?}") };
            assert!(tsdu.len() <= 64);
        }
    }
}

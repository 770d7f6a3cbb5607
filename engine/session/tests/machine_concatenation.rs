//! Concatenation by the machine: what shares a TSDU on the way out, and in which order it counts on the way in
//! (reference 3.1, 3.2, 12.12).
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::machine::{Bundle, Companions};
use colloquy_session::spdu::{DecodeErrorKind, Tsdu, must_be_contiguous};
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Fu, Indication, PeerFault, Request, SerialNumber,
    ServiceError, Session, SessionConfig, State, Tokens,
};
use machine_support::*;

const FIRST: Enclosure = Enclosure { begin: true, end: false };
const LAST: Enclosure = Enclosure { begin: false, end: true };

fn units(activity: bool) -> Fu {
    let unit = if activity { Fu::ACTIVITY | Fu::CAPABILITY_DATA } else { Fu::RESYNCHRONIZE };
    Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | unit
}

fn config(extended: bool) -> SessionConfig {
    SessionConfig {
        functional_units: units(true) | units(false),
        extended_concatenation: extended,
        ..Default::default()
    }
}

/// Initiator, which has all tokens, and responder, which tells that it takes extended concatenation or not.
fn pair(extended: bool, activity: bool, size: u16) -> (Session, Session) {
    let connect = ConnectParameters {
        requirements: units(activity),
        initial_serial_number: Some(SerialNumber(1)),
        tsdu_maximum_size: (size != 0).then(|| both(size).unwrap()),
        ..connect()
    };
    let (initiator, responder) = established(&config(extended), &connect, &accept());
    assert_eq!(initiator.peer_takes_extended_concatenation(), extended);
    assert_eq!(responder.peer_takes_extended_concatenation(), extended);
    (initiator, responder)
}

const MINOR: Request<'static> =
    Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data: b"m" };
const START: Request<'static> = Request::ActivityStart { identifier: b"a", user_data: b"" };

/// What a machine is told, with user data of data indications copied out.
fn told(session: &mut Session, tsdus: &[Vec<u8>]) -> Vec<String> {
    tsdus
        .iter()
        .flat_map(|tsdu| feed(session, tsdu))
        .map(|indication| match indication {
            // Where the data lie in their TSDU is no matter of the service.
            Indication::Data { user_data, enclosure, .. } => format!("Data {user_data:?} {enclosure:?}"),
            other => format!("{other:?}"),
        })
        .collect()
}

fn tsdus_of(bundle: &Bundle, body: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = body;
    let tsdus = bundle
        .tsdus()
        .map(|tsdu| {
            let (part, after) = rest.split_at(tsdu.octets);
            rest = after;
            [tsdu.header(), part].concat()
        })
        .collect();
    assert!(rest.is_empty(), "the bundle covers the SSDU");
    tsdus
}

/// The TSDUs that wait in the machine.
fn waiting(session: &mut Session) -> Vec<Vec<u8>> {
    let tsdu = |sent| match sent {
        Sent::Tsdu(octets) => octets,
        other => panic!("{other:?}"),
    };
    drain(session).into_iter().map(tsdu).collect()
}

fn with(session: &mut Session, body: &[u8], companions: Companions<'_>) -> Vec<Vec<u8>> {
    let mut bundle = Bundle::default();
    session.data_request_with(NOW, body.len(), Enclosure::WHOLE, &companions, &mut bundle).unwrap();
    assert_eq!(drain(session), [], "nothing goes ahead without transport expedited");
    tsdus_of(&bundle, body)
}

#[test]
fn tp137_gt_mip_dt_is_taken_apart_and_data_count_before_the_point_and_tokens_last() {
    let (_, mut responder) = pair(true, false, 0);
    // GT with the minor token, MIP 1, DT.
    let octets = hex("01 03 10 01 05  31 03 2a 01 31  01 00 61 62");
    match feed(&mut responder, &octets)[..] {
        [
            Indication::Data { user_data: b"ab", user_data_offset: 12, .. },
            Indication::SyncMinor { serial_number: SerialNumber(1), .. },
            Indication::TokenGive { tokens, .. },
        ] => assert_eq!(tokens, Tokens::DATA | Tokens::MINOR),
        ref other => panic!("{other:?}"),
    }
    assert_eq!((responder.take_fault(), responder.state()), (None, State::Sta713));
    // AS first, then data, then the point.
    let (_, mut responder) = pair(true, true, 0);
    match feed(&mut responder, &hex("01 00  2d 03 29 01 61  31 03 2a 01 31  01 00 61"))[..] {
        [Indication::ActivityStart { .. }, Indication::Data { .. }, Indication::SyncMinor { .. }] => {}
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn tp137_data_at_the_end_of_a_long_tsdu_may_lie_elsewhere() {
    let (_, mut responder) = pair(true, false, 0);
    let head = hex("01 00 31 03 2a 01 31 01 00 61 62");
    for octets in 0..head.len() {
        assert_eq!(
            must_be_contiguous(&head[..octets]),
            octets < 9,
            "{octets} octets: not up to the header of DT"
        );
    }
    assert!(must_be_contiguous(&hex("01 00 31 03 2a 01 31 09 00 61")), "no data at the end");
    let mut tsdu = Tsdu::with_tail(&head, 1000);
    let data = responder.handle_tsdu(NOW, &mut tsdu);
    assert!(matches!(data, Some(Indication::Data { user_data: b"ab", user_data_offset: 9, .. })), "{data:?}");
    let point = responder.handle_tsdu(NOW, &mut tsdu);
    assert!(matches!(point, Some(Indication::SyncMinor { .. })), "{point:?}");
    assert_eq!(responder.handle_tsdu(NOW, &mut tsdu), None);
}

#[test]
fn tp138_an_extended_sequence_that_was_not_advertised_is_an_error_in_strict_mode_only() {
    let octets = hex("01 00  31 03 2a 01 31  01 00 61");
    for (strict, advertised, taken) in
        [(true, false, false), (true, true, true), (false, false, true), (false, true, true)]
    {
        let config = SessionConfig { strict, ..config(advertised) };
        let connect = ConnectParameters {
            requirements: units(false),
            initial_serial_number: Some(SerialNumber(1)),
            ..connect()
        };
        let (_, mut responder) = established(&config, &connect, &accept());
        let indications = feed(&mut responder, &octets);
        if taken {
            assert_eq!(indications.len(), 2, "strict: {strict}, advertised: {advertised}");
            continue;
        }
        assert!(matches!(indications[..], [Indication::ProviderAbort { .. }]));
        let fault = responder.take_fault();
        assert!(
            matches!(fault, Some(PeerFault::Decode(error)) if error.kind == DecodeErrorKind::ExtendedConcatenation),
            "{fault:?}"
        );
    }
}

#[test]
fn the_option_is_a_statement_of_each_side() {
    let config = |extended_concatenation| SessionConfig { extended_concatenation, ..Default::default() };
    for (ours, theirs) in [(false, true), (true, false)] {
        let mut initiator = Session::initiator(&config(ours), &connect()).unwrap();
        initiator.transport_connected(NOW, false);
        let mut responder = Session::responder(&config(theirs));
        feed(&mut responder, &drain_one(&mut initiator));
        assert_eq!(responder.peer_takes_extended_concatenation(), ours);
        responder.connect_response(NOW, &accept()).unwrap();
        feed(&mut initiator, &drain_one(&mut responder));
        assert_eq!(initiator.peer_takes_extended_concatenation(), theirs);
    }
}

#[test]
fn a_fault_in_the_middle_of_a_tsdu_ends_what_is_behind_it() {
    let (_, mut responder) = pair(true, false, 0);
    // The point has a number that is not the next one: data in front of it were indicated.
    let octets = hex("01 03 10 01 05  31 03 2a 01 39  01 00 61");
    let indications = feed(&mut responder, &octets);
    assert!(matches!(indications[..], [Indication::Data { .. }, Indication::ProviderAbort { .. }]));
    assert_eq!(responder.state(), State::Sta16);
    // A DT that opens an SSDU, and a point in its middle.
    let (_, mut responder) = pair(true, false, 1024);
    let octets = hex("01 00  31 03 2a 01 31  01 03 19 01 01 61");
    let indications = feed(&mut responder, &octets);
    assert!(matches!(indications[..], [Indication::Data { .. }, Indication::ProviderAbort { .. }]));
}

#[test]
fn data_and_companions_share_one_tsdu_where_the_peer_takes_it() {
    let all = |tokens| Companions { begin: Some(START), point: Some(MINOR), tokens };
    let both_tokens = Tokens::DATA | Tokens::MINOR;
    // Extended: one TSDU.
    let (mut initiator, _) = pair(true, true, 0);
    let tsdus = with(&mut initiator, b"data", all(both_tokens));
    let one = hex("01 03 10 01 05  2d 03 29 01 61  31 09 0f 01 01 2a 01 31 c1 01 6d  01 00 64 61 74 61");
    assert_eq!(tsdus, [one]);
    assert_eq!(initiator.tokens_owned(), Tokens::MAJOR);
    assert_eq!(initiator.serial_numbers().next, SerialNumber(2));
    assert!(initiator.activity_in_progress());
    // Basic: three, the tokens with the last.
    let (mut initiator, _) = pair(false, true, 0);
    let tsdus = with(&mut initiator, b"data", all(both_tokens));
    let three = [
        hex("01 00 2d 03 29 01 61"),
        hex("01 00 01 00 64 61 74 61"),
        hex("01 03 10 01 05 31 09 0f 01 01 2a 01 31 c1 01 6d"),
    ];
    assert_eq!(tsdus, three);
    // Tokens with data: every peer.
    for extended in [false, true] {
        let (mut initiator, _) = pair(extended, false, 0);
        let give = Companions { tokens: Tokens::DATA, ..Default::default() };
        assert_eq!(with(&mut initiator, b"d", give), [hex("01 03 10 01 01 01 00 64")]);
        let (mut initiator, _) = pair(extended, false, 0);
        assert_eq!(with(&mut initiator, b"d", Companions::default()), [hex("01 00 01 00 64")]);
    }
    // Segmenting: one TSDU as long as it keeps to the size, with the Enclosure Item.
    let (mut initiator, _) = pair(true, false, 64);
    let point = Companions { point: Some(MINOR), ..Default::default() };
    let tsdus = with(&mut initiator, &[7; 40], point);
    assert_eq!(tsdus.len(), 1);
    assert!(tsdus[0].starts_with(&hex("01 00 31 09 0f 01 01 2a 01 31 c1 01 6d 01 03 19 01 03")));
    assert_eq!(with(&mut initiator, &[7; 47], point).len(), 2, "65 octets would be one too many");
    let tsdus = with(&mut initiator, &[7; 200], Companions { tokens: Tokens::DATA, ..point });
    assert!(tsdus.len() == 5 && tsdus.iter().all(|tsdu| tsdu.len() <= 64), "{tsdus:02x?}");
    assert!(tsdus[4].starts_with(&hex("01 03 10 01 01 31")));
}

#[test]
fn an_acknowledgement_with_data_goes_behind_a_please_tokens() {
    for extended in [false, true] {
        let (mut initiator, mut responder) = pair(extended, false, 0);
        initiator.sync_minor_request(NOW, false, b"").unwrap();
        initiator.token_give_request(NOW, Tokens::DATA, b"").unwrap();
        told(&mut responder, &waiting(&mut initiator));
        let response = Request::SyncMinorResponse { serial_number: SerialNumber(1), user_data: b"" };
        let companions = Companions { point: Some(response), tokens: Tokens::DATA, begin: None };
        let tsdus = with(&mut responder, b"d", companions);
        // Tokens cannot be given behind a PT.
        let expected = [hex("01 00 01 00 64"), hex("02 00 32 03 2a 01 31"), hex("01 03 10 01 01")];
        assert_eq!(tsdus, expected);
        assert_eq!(told(&mut initiator, &tsdus).len(), 3);
        assert_eq!((initiator.take_fault(), initiator.tokens_owned().contains(Tokens::DATA)), (None, true));
    }
    let (mut initiator, mut responder) = pair(true, false, 0);
    initiator.sync_minor_request(NOW, false, b"").unwrap();
    initiator.token_give_request(NOW, Tokens::DATA, b"").unwrap();
    told(&mut responder, &waiting(&mut initiator));
    let response = Request::SyncMinorResponse { serial_number: SerialNumber(1), user_data: b"" };
    let tsdus = with(&mut responder, b"d", Companions { point: Some(response), ..Default::default() });
    assert_eq!(tsdus, [hex("02 00 32 03 2a 01 31 01 00 64")]);
    assert_eq!(told(&mut initiator, &tsdus).len(), 2);
}

#[test]
fn parts_of_an_ssdu_have_their_companions_at_its_ends() {
    let (mut initiator, mut responder) = pair(true, true, 64);
    let mut bundle = Bundle::default();
    let begin = Companions { begin: Some(START), ..Default::default() };
    let end = Companions { point: Some(MINOR), tokens: Tokens::DATA | Tokens::MINOR, begin: None };
    let wrong = [(LAST, begin), (FIRST, end)];
    for (enclosure, companions) in wrong {
        let error = initiator.data_request_with(NOW, 5, enclosure, &companions, &mut bundle);
        assert_eq!((error, bundle.tsdus().count()), (Err(ServiceError::SsduIncomplete), 0));
    }
    initiator.data_request_with(NOW, 5, FIRST, &begin, &mut bundle).unwrap();
    let mut tsdus = tsdus_of(&bundle, b"first");
    let again = initiator.data_request_with(NOW, 5, FIRST, &begin, &mut bundle);
    assert!(again.is_err());
    initiator.data_request_with(NOW, 4, LAST, &end, &mut bundle).unwrap();
    tsdus.extend(tsdus_of(&bundle, b"last"));
    assert_eq!(tsdus.len(), 2);
    let indications = told(&mut responder, &tsdus);
    assert_eq!(indications.len(), 5, "{indications:?}");
    assert_eq!((responder.take_fault(), responder.tokens_owned()), (None, Tokens::DATA | Tokens::MINOR));
}

#[test]
fn a_bundle_that_is_not_possible_changes_nothing() {
    let (mut initiator, mut responder) = pair(true, true, 0);
    let minor = Some(MINOR);
    let wrong = [
        // No activity: no point.
        Companions { point: minor, ..Default::default() },
        // The token is not here once it was given... and never was there.
        Companions { begin: Some(START), point: minor, tokens: Tokens::RELEASE },
        // Requests in the wrong place.
        Companions { begin: minor, ..Default::default() },
        Companions { point: Some(START), ..Default::default() },
        Companions { point: Some(Request::Release { user_data: b"" }), ..Default::default() },
        // Nothing to answer.
        Companions { point: Some(Request::SyncMajorResponse { user_data: b"" }), ..Default::default() },
        Companions {
            begin: Some(Request::ActivityStart { identifier: b"1234567", user_data: b"" }),
            ..Default::default()
        },
    ];
    let before = format!("{initiator:?}");
    let mut bundle = Bundle::default();
    for companions in wrong {
        let result = initiator.data_request_with(NOW, 1, Enclosure::WHOLE, &companions, &mut bundle);
        assert!(result.is_err(), "{companions:?}");
        assert_eq!(bundle.tsdus().count(), 0);
        assert_eq!(format!("{initiator:?}"), before, "{companions:?}");
    }
    // No data token: not one of them goes.
    let error = responder.data_request_with(NOW, 1, Enclosure::WHOLE, &Companions::default(), &mut bundle);
    assert_eq!(error, Err(ServiceError::Token(Tokens::DATA)));
    let long = [0; 600];
    let requests = [START, MINOR, Request::TokenGive { tokens: Tokens::RELEASE, user_data: &long }];
    assert!(initiator.request_all(NOW, &requests).is_err());
    assert_eq!(format!("{initiator:?}"), before);
    assert_eq!(drain(&mut initiator), []);
}

#[test]
fn requests_share_tsdus_as_the_table_allows() {
    let give = |tokens| Request::TokenGive { tokens, user_data: b"" };
    let all = [START, MINOR, give(Tokens::DATA | Tokens::MINOR)];
    let start = "2d 03 29 01 61";
    let point = "31 09 0f 01 01 2a 01 31 c1 01 6d";
    for (extended, expected) in [
        (true, vec![hex(&format!("01 03 10 01 05 {start} {point}"))]),
        (false, vec![hex(&format!("01 00 {start}")), hex(&format!("01 03 10 01 05 {point}"))]),
    ] {
        let (mut initiator, mut responder) = pair(extended, true, 0);
        initiator.request_all(NOW, &all).unwrap();
        let tsdus = waiting(&mut initiator);
        assert_eq!(tsdus, expected);
        assert_eq!(told(&mut responder, &tsdus).len(), 3);
        assert_eq!((responder.take_fault(), responder.tokens_owned()), (None, Tokens::DATA | Tokens::MINOR));
        // An answer and a request for tokens.
        let answer = Request::SyncMinorResponse { serial_number: SerialNumber(1), user_data: b"" };
        let please = Request::TokenPlease { tokens: Tokens::MAJOR, user_data: b"" };
        responder.request_all(NOW, &[answer, please]).unwrap();
        let tsdus = waiting(&mut responder);
        assert_eq!(tsdus, [hex("02 03 10 01 10 32 03 2a 01 31")]);
        assert_eq!(told(&mut initiator, &tsdus).len(), 2);
    }
    // Two points never share one; what is too long has TSDUs of its own.
    let (mut initiator, mut responder) = pair(true, false, 64);
    let long = [9; 100];
    let minor = Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data: &long };
    initiator.request_all(NOW, &[MINOR, minor, MINOR, give(Tokens::MINOR)]).unwrap();
    let tsdus = waiting(&mut initiator);
    assert!(tsdus.len() >= 4 && tsdus.iter().all(|tsdu| tsdu.len() <= 64));
    let indications = told(&mut responder, &tsdus);
    assert_eq!(indications.len(), 4, "{indications:?}");
    // A resynchronization is remembered as with one request alone.
    let (mut initiator, mut responder) = pair(true, false, 0);
    let set = colloquy_session::ResynchronizeParameters {
        resync_type: colloquy_session::ResyncType::Set,
        serial_number: Some(SerialNumber(5)),
        ..Default::default()
    };
    initiator.request_all(NOW, &[MINOR, Request::Resynchronize(set)]).unwrap();
    assert_eq!(told(&mut responder, &waiting(&mut initiator)).len(), 2);
    responder.request_all(NOW, &[Request::ResynchronizeResponse(Default::default())]).unwrap();
    assert_eq!(told(&mut initiator, &waiting(&mut responder)).len(), 1);
    assert_eq!((initiator.serial_numbers().next, initiator.take_fault()), (SerialNumber(5), None));
    assert_eq!(initiator.request_all(NOW, &[]), Ok(()));
}

/// Sent together or one after the other: both machines end in the same place, and the receiver is told the same.
#[test]
fn together_and_one_after_the_other_have_the_same_effects() {
    let mut random = Random::from_environment(137);
    let mut shared = 0;
    for _ in 0..4000 {
        let (extended, activity) = (random.coin(), random.coin());
        let size = random.pick(&[0, 64, 200]);
        let (mut together, mut told_together) = pair(extended, activity, size);
        let (mut apart, mut told_apart) = pair(extended, activity, size);
        let user_data = vec![0x75; random.pick(&[0, 0, 0, 3, 40, 300])];
        let start = Request::ActivityStart { identifier: b"x", user_data: &user_data };
        let points = [
            Request::SyncMinor {
                confirmation_optional: random.coin(),
                data_separation: false,
                user_data: &user_data,
            },
            Request::SyncMajor { user_data: &user_data },
            Request::ActivityEnd { user_data: &user_data },
        ];
        let companions = Companions {
            begin: (random.coin()).then_some(start),
            point: (random.coin()).then(|| random.pick(&points)),
            tokens: Tokens::from_bits_truncate(random.pick(&[0, 0, 1, 4, 5, 0x10, 0x15])),
        };
        let body = vec![0x64; random.pick(&[1, 30, 57, 500])];
        let give = Request::TokenGive { tokens: companions.tokens, user_data: b"" };
        let behind: Vec<_> =
            companions.point.into_iter().chain((!companions.tokens.is_empty()).then_some(give)).collect();

        let mut bundle = Bundle::default();
        let result = together.data_request_with(NOW, body.len(), Enclosure::WHOLE, &companions, &mut bundle);
        let separate = one_after_the_other(&mut apart, &body, companions.begin.as_slice(), &behind);
        assert_eq!(result.is_ok(), separate.is_ok(), "{companions:?}: {result:?} {separate:?}");
        let Ok(separate) = separate else { continue };
        let tsdus = tsdus_of(&bundle, &body);
        assert!(size == 0 || tsdus.iter().all(|tsdu| tsdu.len() <= usize::from(size)));
        shared += usize::from(tsdus.len() < separate.len());
        assert!(tsdus.len() <= separate.len());
        assert_eq!(told(&mut told_together, &tsdus), told(&mut told_apart, &separate));
        assert_eq!((told_together.take_fault(), told_apart.take_fault()), (None, None));
        assert_eq!(format!("{together:?}"), format!("{apart:?}"));
        assert_eq!(format!("{told_together:?}"), format!("{told_apart:?}"));
    }
    assert!(shared > 500, "{shared} shared a TSDU");
}

fn one_after_the_other(
    session: &mut Session,
    body: &[u8],
    before: &[Request<'_>],
    behind: &[Request<'_>],
) -> Result<Vec<Vec<u8>>, ServiceError> {
    let mut tsdus = Vec::new();
    for request in before {
        session.request(NOW, request)?;
        tsdus.extend(waiting(session));
    }
    let mut rest = body;
    for segment in session.data_request(body.len(), Enclosure::WHOLE)? {
        let (part, after) = rest.split_at(segment.octets);
        rest = after;
        tsdus.push([segment.header(), part].concat());
    }
    for request in behind {
        session.request(NOW, request)?;
        tsdus.extend(waiting(session));
    }
    Ok(tsdus)
}

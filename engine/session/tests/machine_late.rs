//! Requests that a relay makes late: between two machines, each as the crossing that it stands for.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Fu, Indication, ProviderExceptionReason, Request,
    ResyncType, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, ServiceError, Session,
    SessionConfig, State, Tokens,
};
use machine_support::*;

/// Half duplex, all tokens with the initiator, an activity in progress.
fn pair(units: Fu) -> (Session, Session) {
    let config = SessionConfig { functional_units: Fu::all(), ..Default::default() };
    let serial = (!units.contains(Fu::ACTIVITY)).then_some(SerialNumber(1));
    let connect = ConnectParameters { requirements: units, initial_serial_number: serial, ..connect() };
    let (mut initiator, mut responder) = established(&config, &connect, &accept());
    if units.contains(Fu::ACTIVITY) {
        initiator.request(NOW, &Request::ActivityStart { identifier: b"a", user_data: &[] }).unwrap();
        pass(&mut initiator, &mut responder);
    }
    (initiator, responder)
}

fn units() -> Fu {
    Fu::HALF_DUPLEX
        | Fu::MINOR_SYNC
        | Fu::MAJOR_SYNC
        | Fu::RESYNCHRONIZE
        | Fu::ACTIVITY
        | Fu::EXCEPTIONS
        | Fu::CAPABILITY_DATA
        | Fu::TYPED_DATA
}

/// Carries what one machine sends to the other.
fn pass(from: &mut Session, to: &mut Session) -> Vec<Indication<'static>> {
    let mut told = Vec::new();
    for sent in drain(from) {
        match sent {
            Sent::Tsdu(octets) => told.extend(feed(to, &octets)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(to.take_fault(), None);
    told
}

const NOTHING: &[u8] = &[];
const MINOR: Request<'_> =
    Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data: NOTHING };
const EXCEPTION: Request<'_> = Request::UserException { reason: 1, user_data: NOTHING };

fn next(session: &Session) -> u32 {
    session.serial_numbers().next.0
}

#[test]
fn points_cross_the_exception_that_is_known_here() {
    for point in
        [MINOR, Request::SyncMajor { user_data: NOTHING }, Request::ActivityEnd { user_data: NOTHING }]
    {
        let (mut initiator, mut responder) = pair(units());
        responder.request(NOW, &EXCEPTION).unwrap();
        assert!(matches!(pass(&mut responder, &mut initiator)[..], [Indication::UserException { .. }]));
        assert_eq!((initiator.state(), responder.state()), (State::Sta20, State::Sta19));
        assert!(initiator.request(NOW, &point).is_err(), "no user may ask for it now");
        initiator.late_request(NOW, &point).unwrap();
        assert_eq!(initiator.state(), State::Sta20);
        assert_eq!(pass(&mut initiator, &mut responder), [], "the reporter takes it silently");
        assert_eq!((next(&initiator), next(&responder)), (2, 2), "{point:?}");
        initiator.request(NOW, &Request::TokenGive { tokens: Tokens::DATA, user_data: NOTHING }).unwrap();
        assert_eq!(pass(&mut initiator, &mut responder).len(), 1);
        assert_eq!((initiator.state(), responder.state()), (State::Sta713, State::Sta713));
    }
}

#[test]
fn an_exception_crosses_the_data_token() {
    for pending in [None, Some(Request::SyncMajor { user_data: NOTHING })] {
        let (mut initiator, mut responder) = pair(units());
        if let Some(pending) = pending {
            initiator.request(NOW, &pending).unwrap();
            pass(&mut initiator, &mut responder);
        }
        initiator.request(NOW, &Request::TokenGive { tokens: Tokens::DATA, user_data: NOTHING }).unwrap();
        pass(&mut initiator, &mut responder);
        assert!(responder.request(NOW, &EXCEPTION).is_err());
        responder.late_request(NOW, &EXCEPTION).unwrap();
        assert!(matches!(pass(&mut responder, &mut initiator)[..], [Indication::UserException { .. }]));
        assert_eq!((initiator.state(), responder.state()), (State::Sta713, State::Sta713));
        assert_eq!(responder.tokens_owned() & Tokens::DATA, Tokens::DATA);
        assert_eq!(
            (next(&initiator), next(&responder)),
            (1 + u32::from(pending.is_some()), next(&initiator))
        );
    }
}

#[test]
fn a_report_of_another_provider_is_passed_on() {
    let indicated = [Indication::ProviderException { reason: ProviderExceptionReason::NonSpecific }];
    let (mut initiator, mut responder) = pair(units());
    responder.pass_exception_report(NOW).unwrap();
    assert_eq!(pass(&mut responder, &mut initiator), indicated);
    assert_eq!((initiator.state(), responder.state()), (State::Sta20, State::Sta20));

    let (mut initiator, mut responder) = pair(units());
    initiator.request(NOW, &Request::TokenGive { tokens: Tokens::DATA, user_data: NOTHING }).unwrap();
    pass(&mut initiator, &mut responder);
    responder.pass_exception_report(NOW).unwrap();
    assert_eq!(pass(&mut responder, &mut initiator), indicated);
    assert_eq!((initiator.state(), responder.state()), (State::Sta713, State::Sta713));

    let (mut initiator, _) = pair(Fu::HALF_DUPLEX | Fu::MINOR_SYNC);
    assert_eq!(initiator.pass_exception_report(NOW), Err(ServiceError::State { state: State::Sta713 }));
    assert_eq!(drain(&mut initiator), []);
}

#[test]
fn an_interrupt_crosses_the_confirmed_end_of_the_activity() {
    for request in [
        Request::ActivityInterrupt { reason: 0, user_data: NOTHING },
        Request::ActivityDiscard { reason: 0, user_data: NOTHING },
    ] {
        let (mut initiator, mut responder) = pair(units());
        initiator.request(NOW, &Request::ActivityEnd { user_data: NOTHING }).unwrap();
        pass(&mut initiator, &mut responder);
        responder.request(NOW, &Request::ActivityEndResponse { user_data: NOTHING }).unwrap();
        pass(&mut responder, &mut initiator);
        assert!(initiator.request(NOW, &request).is_err());
        initiator.late_request(NOW, &request).unwrap();
        assert_eq!(pass(&mut initiator, &mut responder).len(), 1, "{request:?}");
        let answer = match request {
            Request::ActivityInterrupt { .. } => Request::ActivityInterruptResponse { user_data: NOTHING },
            _ => Request::ActivityDiscardResponse { user_data: NOTHING },
        };
        responder.request(NOW, &answer).unwrap();
        assert_eq!(pass(&mut responder, &mut initiator).len(), 1);
        assert_eq!((initiator.state(), responder.state()), (State::Sta713, State::Sta713));
        assert!(!initiator.activity_in_progress() && !responder.activity_in_progress());
        assert_eq!(initiator.tokens_owned(), initiator.tokens_available());
    }
}

#[test]
fn an_abandon_goes_on_from_a_number_above_both() {
    let (mut initiator, mut responder) = pair(units());
    let abandon = |serial| {
        Request::Resynchronize(ResynchronizeParameters {
            resync_type: ResyncType::Abandon,
            serial_number: Some(SerialNumber(serial)),
            ..Default::default()
        })
    };
    assert!(initiator.late_request(NOW, &abandon(0)).is_err(), "below V(M)");
    assert!(initiator.late_request(NOW, &abandon(1_000_000)).is_err(), "no number");
    assert_eq!(next(&initiator), 1, "nothing has changed");
    initiator.late_request(NOW, &abandon(40)).unwrap();
    pass(&mut initiator, &mut responder);
    let answer = |serial| {
        let serial_number = Some(SerialNumber(serial));
        Request::ResynchronizeResponse(ResynchronizeAnswer { serial_number, ..Default::default() })
    };
    assert!(responder.late_request(NOW, &answer(39)).is_err());
    responder.late_request(NOW, &answer(90)).unwrap();
    pass(&mut responder, &mut initiator);
    assert_eq!((next(&initiator), next(&responder)), (90, 90));
}

#[test]
fn data_and_tokens_cross_capability_data() {
    let duplex = (units() - Fu::HALF_DUPLEX - Fu::EXCEPTIONS) | Fu::DUPLEX;
    let config = SessionConfig { functional_units: Fu::all(), ..Default::default() };
    let connect = ConnectParameters { requirements: duplex, ..connect() };
    let (mut initiator, mut responder) = established(&config, &connect, &accept());
    initiator.request(NOW, &Request::CapabilityData { user_data: NOTHING }).unwrap();
    pass(&mut initiator, &mut responder);
    assert_eq!(responder.state(), State::Sta22);
    assert!(responder.data_request(3, Enclosure::WHOLE).is_err());
    for typed in [false, true] {
        let segments = match typed {
            true => responder.late_typed_data_request(3, Enclosure::WHOLE),
            false => responder.late_data_request(3, Enclosure::WHOLE),
        };
        let segments: Vec<_> = segments.unwrap().collect();
        let [segment] = &segments[..] else { panic!("one segment") };
        let tsdu = [segment.header(), b"abc"].concat();
        assert_eq!(feed(&mut initiator, &tsdu).len(), 1);
        assert_eq!((initiator.state(), responder.state()), (State::Sta21, State::Sta22));
    }
    responder.request(NOW, &Request::CapabilityDataResponse { user_data: NOTHING }).unwrap();
    pass(&mut responder, &mut initiator);
    assert_eq!((initiator.state(), responder.state()), (State::Sta713, State::Sta713));
}

#[test]
fn everything_else_is_refused_as_ever() {
    let (mut initiator, mut responder) = pair(units());
    let before = (initiator.state(), initiator.serial_numbers(), initiator.tokens_owned());
    let refused = [
        Request::CapabilityDataResponse { user_data: NOTHING },
        Request::SyncMajorResponse { user_data: NOTHING },
        Request::TokenPlease { tokens: Tokens::DATA, user_data: NOTHING },
        Request::ActivityStart { identifier: b"b", user_data: NOTHING },
    ];
    for request in refused {
        assert!(initiator.late_request(NOW, &request).is_err(), "{request:?}");
        assert_eq!(drain(&mut initiator), []);
    }
    assert_eq!((initiator.state(), initiator.serial_numbers(), initiator.tokens_owned()), before);
    assert!(responder.late_request(NOW, &MINOR).is_err(), "its tokens are elsewhere");
    assert_eq!(responder.state(), State::Sta713);
}

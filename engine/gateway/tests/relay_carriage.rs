//! What the relay decides for each primitive and each state of the two legs, without a network.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use colloquy_gateway::app::relay::carry::{Carriage, Leg, carriage, catch_up, is_purged, is_purging};
use colloquy_session::{
    ActivityResumeParameters, FunctionalUnits, Indication, OldConnection, ProviderExceptionReason, Request,
    ResyncType, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, SerialNumbers, ServiceError,
    State, TokenSettings, Tokens,
};

const DATA: &[u8] = b"user data";

fn numbers(next: u32) -> SerialNumbers {
    SerialNumbers {
        next: SerialNumber(next),
        lowest_unconfirmed: SerialNumber(1),
        lowest_restart: SerialNumber(0),
        may_confirm: false,
    }
}

fn leg(state: State, next: u32) -> Leg {
    Leg { state, numbers: numbers(next), tokens_owned: Tokens::empty(), units: FunctionalUnits::all() }
}

fn at_rest() -> Leg {
    leg(State::Sta713, 5)
}

fn over(indication: &Indication<'static>) -> Option<Carriage<'static>> {
    carriage(indication, &at_rest(), &at_rest())
}

#[test]
fn every_primitive_becomes_the_same_one() {
    use Indication as I;
    let (user_data, serial_number, tokens) = (DATA, SerialNumber(5), Tokens::DATA | Tokens::MAJOR);
    let (reason, identifier) = (3, &b"act"[..]);
    let answer = ResynchronizeAnswer {
        serial_number: Some(serial_number),
        token_settings: Some(TokenSettings::default()),
        user_data,
        second_serial_number: None,
    };
    let resume = ActivityResumeParameters {
        identifier,
        old_identifier: b"old",
        serial_number,
        old_connection: OldConnection { common_reference: b"r", ..OldConnection::default() },
        user_data,
        second_serial_number: None,
    };
    let sync = |confirmation_optional, data_separation| {
        (
            I::SyncMinor { serial_number, confirmation_optional, data_separation, user_data },
            Request::SyncMinor { confirmation_optional, data_separation, user_data },
        )
    };
    let table = [
        (I::ExpeditedData { user_data }, Request::ExpeditedData { user_data }),
        (I::TokenGive { tokens, user_data }, Request::TokenGive { tokens, user_data }),
        (I::TokenPlease { tokens, user_data }, Request::TokenPlease { tokens, user_data }),
        (I::ControlGive { user_data }, Request::ControlGive { user_data }),
        (I::CapabilityData { user_data }, Request::CapabilityData { user_data }),
        (I::CapabilityDataConfirm { user_data }, Request::CapabilityDataResponse { user_data }),
        sync(false, false),
        sync(true, true),
        (
            I::SyncMinorConfirm { serial_number, user_data },
            Request::SyncMinorResponse { serial_number, user_data },
        ),
        (I::SyncMajor { serial_number, user_data }, Request::SyncMajor { user_data }),
        (I::SyncMajorConfirm { serial_number, user_data }, Request::SyncMajorResponse { user_data }),
        (I::ResynchronizeConfirm(answer), Request::ResynchronizeResponse(answer)),
        (I::UserException { reason, user_data }, Request::UserException { reason, user_data }),
        (I::ActivityStart { identifier, user_data }, Request::ActivityStart { identifier, user_data }),
        (I::ActivityResume(resume), Request::ActivityResume(resume)),
        (I::ActivityInterrupt { reason, user_data }, Request::ActivityInterrupt { reason, user_data }),
        (I::ActivityInterruptConfirm { user_data }, Request::ActivityInterruptResponse { user_data }),
        (I::ActivityDiscard { reason, user_data }, Request::ActivityDiscard { reason, user_data }),
        (I::ActivityDiscardConfirm { user_data }, Request::ActivityDiscardResponse { user_data }),
        (I::ActivityEnd { serial_number, user_data }, Request::ActivityEnd { user_data }),
        (I::ActivityEndConfirm { serial_number, user_data }, Request::ActivityEndResponse { user_data }),
    ];
    for (indication, request) in table {
        assert_eq!(over(&indication), Some(Carriage::Request(request)), "{indication:?}");
    }
    assert_eq!(over(&I::Release { user_data }), None, "carried by itself");
}

#[test]
fn a_point_of_another_number_is_not_carried_but_where_it_is_thrown_away() {
    let user_data = DATA;
    let serial_number = SerialNumber(5);
    let points = [
        Indication::SyncMinor {
            serial_number,
            confirmation_optional: true,
            data_separation: false,
            user_data,
        },
        Indication::SyncMajor { serial_number, user_data },
        Indication::ActivityEnd { serial_number, user_data },
    ];
    for point in points {
        let differs = Carriage::OtherNumber { indicated: serial_number, next: SerialNumber(6) };
        assert_eq!(carriage(&point, &at_rest(), &leg(State::Sta713, 6)), Some(differs));
        let carried = carriage(&point, &at_rest(), &leg(State::Sta11A, 6));
        assert!(matches!(carried, Some(Carriage::Request(_))), "{carried:?}");
    }
}

#[test]
fn a_resynchronization_names_its_number_and_an_abandon_the_higher_one() {
    let asked = |resync_type, serial| {
        let serial_number = Some(SerialNumber(serial));
        ResynchronizeParameters { resync_type, serial_number, user_data: DATA, ..Default::default() }
    };
    let number = |indicated, from, to| {
        let indication = Indication::Resynchronize(indicated);
        match carriage(&indication, &leg(State::Sta11A, from), &leg(State::Sta713, to)) {
            Some(Carriage::Request(Request::Resynchronize(request))) => {
                assert_eq!((request.resync_type, request.user_data), (indicated.resync_type, DATA));
                request.serial_number.unwrap().0
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(number(asked(ResyncType::Restart, 3), 9, 9), 3);
    assert_eq!(number(asked(ResyncType::Set, 70), 9, 9), 70);
    assert_eq!(number(asked(ResyncType::Abandon, 9), 9, 5), 9);
    assert_eq!(number(asked(ResyncType::Abandon, 3), 5, 9), 9);
    assert_eq!(number(asked(ResyncType::Abandon, 3), 1_000_000, 9), 999_999);
}

#[test]
fn tokens_on_their_way_are_not_asked_for_again() {
    let please = Indication::TokenPlease { tokens: Tokens::DATA | Tokens::MINOR, user_data: DATA };
    let here = |tokens_owned| Leg { tokens_owned, ..at_rest() };
    let rest = Request::TokenPlease { tokens: Tokens::MINOR, user_data: DATA };
    assert_eq!(carriage(&please, &at_rest(), &here(Tokens::DATA)), Some(Carriage::Request(rest)));
    let both = here(Tokens::DATA | Tokens::MINOR);
    assert_eq!(carriage(&please, &at_rest(), &both), Some(Carriage::Nothing));
}

#[test]
fn an_exception_report_goes_on_and_an_own_finding_stays() {
    let exception = |reason| over(&Indication::ProviderException { reason });
    assert_eq!(exception(ProviderExceptionReason::NonSpecific), Some(Carriage::ExceptionReport));
    assert_eq!(exception(ProviderExceptionReason::ProtocolError), Some(Carriage::Nothing));
}

#[test]
fn only_what_a_peer_would_throw_away_is_dropped() {
    let kept = [
        State::Sta01B,
        State::Sta01D,
        State::Sta02A,
        State::Sta02B,
        State::Sta03,
        State::Sta04A,
        State::Sta04B,
        State::Sta08,
        State::Sta09,
        State::Sta10A,
        State::Sta10B,
        State::Sta15A,
        State::Sta18,
        State::Sta21,
        State::Sta22,
        State::Sta713,
    ];
    for state in State::ALL {
        let refused = ServiceError::State { state };
        assert_eq!(is_purging(state), !kept.contains(&state), "{state:?}");
        assert_eq!(is_purged(&refused, state), is_purging(state), "{state:?}");
        let too_long = ServiceError::UserDataLength { octets: 600, octets_max: 512 };
        assert!(!is_purged(&too_long, state), "what does not fit is never dropped silently");
    }
}

#[test]
fn points_taken_silently_are_passed_on_before_the_recovery() {
    let taken = |next, lowest_unconfirmed, may_confirm| Leg {
        numbers: SerialNumbers {
            lowest_unconfirmed: SerialNumber(lowest_unconfirmed),
            may_confirm,
            ..numbers(next)
        },
        ..at_rest()
    };
    let passed = |may_confirm, units| Leg {
        state: State::Sta20,
        tokens_owned: Tokens::DATA,
        units,
        numbers: SerialNumbers { may_confirm, ..numbers(5) },
    };
    let all = FunctionalUnits::all();
    let user_data: &[u8] = &[];
    assert_eq!(catch_up(&taken(5, 1, false), &passed(false, all)), None);
    let minor = Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data };
    assert_eq!(catch_up(&taken(6, 5, true), &passed(false, all)), Some(minor));
    let major = Some(Request::SyncMajor { user_data });
    assert_eq!(catch_up(&taken(6, 5, false), &passed(false, all)), major);
    let end = Some(Request::ActivityEnd { user_data });
    assert_eq!(catch_up(&taken(6, 5, false), &passed(false, all - FunctionalUnits::MAJOR_SYNC)), end);
    let confirm = Request::SyncMinorResponse { serial_number: SerialNumber(3), user_data };
    assert_eq!(catch_up(&taken(5, 4, false), &passed(true, all)), Some(confirm));
    let elsewhere = Leg { state: State::Sta713, ..passed(false, all) };
    assert_eq!(catch_up(&taken(6, 5, true), &elsewhere), None, "only behind an exception");
    let own_finding = Leg { tokens_owned: Tokens::empty(), ..passed(false, all) };
    assert_eq!(catch_up(&taken(6, 5, true), &own_finding), None, "the peer at fault has the token");
}

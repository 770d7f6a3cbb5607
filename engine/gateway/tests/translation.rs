//! What goes over a relay at its start and at its end, as tables.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use colloquy_gateway::app::relay::connect::{answer, propose};
use colloquy_gateway::app::relay::end::{OtherSide, SideEnd, Translation, translate};
use colloquy_gateway::config::{ListenerApplication, ListenerConfig, Profile, TargetConfig};
use colloquy_session::{
    AcceptParameters, ConnectParameters, ConnectionIdentifier, FunctionalUnits, ProviderAbortReason,
    Selector, SerialNumber, TokenSettings, Tokens, TsduMaximumSize, Versions,
};

use OtherSide::{AwaitsAnswer, Connecting, Open, Releasing};
use ProviderAbortReason::{ImplementationRestriction, ProtocolError, TransportDisconnect, Undefined};
use Translation::{Nothing, ProviderAbort, Refuse, UserAbort};

/// The table of `translate`'s documentation, whole.
#[test]
fn every_end_becomes_the_right_primitive_wherever_the_other_side_stands() {
    let undefined = ProviderAbort(Undefined);
    let restriction = ProviderAbort(ImplementationRestriction);
    let protocol = ProviderAbort(ProtocolError);
    let sides = [AwaitsAnswer, Connecting, Open, Releasing];
    let table = [
        (SideEnd::Refused { reason: 0 }, [Refuse(0), undefined, undefined, undefined]),
        (SideEnd::Refused { reason: 2 }, [Refuse(2), undefined, undefined, undefined]),
        (SideEnd::Refused { reason: 129 }, [Refuse(129), undefined, undefined, undefined]),
        (SideEnd::UserAbort, [UserAbort; 4]),
        (SideEnd::ProviderAbort(TransportDisconnect), [Refuse(133), undefined, undefined, undefined]),
        (SideEnd::ProviderAbort(ProtocolError), [Refuse(133), protocol, protocol, protocol]),
        (SideEnd::ProviderAbort(Undefined), [Refuse(133), undefined, undefined, undefined]),
        (
            SideEnd::ProviderAbort(ImplementationRestriction),
            [Refuse(133), restriction, restriction, restriction],
        ),
        (SideEnd::TransportRefused { reason: 0 }, [Refuse(133), undefined, undefined, Nothing]),
        (SideEnd::TransportRefused { reason: 1 }, [Refuse(131), undefined, undefined, Nothing]),
        (SideEnd::TransportRefused { reason: 2 }, [Refuse(130), undefined, undefined, Nothing]),
        (SideEnd::TransportRefused { reason: 3 }, [Refuse(130), undefined, undefined, Nothing]),
        (SideEnd::Unreachable, [Refuse(130), undefined, undefined, Nothing]),
        (SideEnd::Lost, [Refuse(133), undefined, undefined, Nothing]),
        (SideEnd::Timeout, [Refuse(131), undefined, undefined, undefined]),
        (SideEnd::Released, [Refuse(133), undefined, undefined, Nothing]),
        (SideEnd::GaveUp, [Refuse(134), restriction, restriction, restriction]),
    ];
    for (end, row) in table {
        for (side, expected) in sides.into_iter().zip(row) {
            assert_eq!(translate(&end, side), expected, "{end:?}, the other side {side:?}");
        }
    }
}

fn listener() -> ListenerConfig {
    ListenerConfig::new("l", ([127, 0, 0, 1], 0).into(), ListenerApplication::Relay { target: 0 })
}

fn target(profile: Profile) -> TargetConfig {
    TargetConfig { profile, ..TargetConfig::new("t", ([127, 0, 0, 1], 1).into()) }
}

fn selector(octets: &[u8]) -> Selector {
    Selector::new(octets).unwrap()
}

fn everything() -> ConnectParameters<'static> {
    ConnectParameters {
        identifier: ConnectionIdentifier {
            user_reference: b"caller",
            common_reference: b"common",
            additional_information: b"more",
        },
        calling: selector(b"A"),
        called: selector(b"B"),
        versions: Versions::V1 | Versions::V2,
        requirements: FunctionalUnits::all(),
        initial_serial_number: Some(SerialNumber(7)),
        token_settings: TokenSettings::default(),
        tsdu_maximum_size: Some(TsduMaximumSize { initiator_to_responder: 100, responder_to_initiator: 200 }),
        user_data: b"user data",
        second_initial_serial_number: None,
    }
}

#[test]
fn the_mms_profile_proposes_the_plain_shape() {
    let proposed = propose(&listener(), &target(Profile::Mms), &everything()).unwrap();
    let expected = ConnectParameters {
        identifier: ConnectionIdentifier::default(),
        versions: Versions::V2,
        requirements: FunctionalUnits::DUPLEX,
        initial_serial_number: None,
        tsdu_maximum_size: None,
        ..everything()
    };
    assert_eq!(proposed, expected);
}

#[test]
fn the_transparent_profile_carries_everything_the_listener_has() {
    let proposed = propose(&listener(), &target(Profile::Transparent), &everything()).unwrap();
    let units = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX | FunctionalUnits::NEGOTIATED_RELEASE;
    // The number is that of units that the listener does not have.
    let expected = ConnectParameters { requirements: units, initial_serial_number: None, ..everything() };
    assert_eq!(proposed, expected);
}

#[test]
fn version_1_is_not_offered_with_user_data_that_it_cannot_carry() {
    let long = [0; 513];
    for (octets, versions) in [(512, Versions::V1 | Versions::V2), (513, Versions::V2)] {
        let connect = ConnectParameters { user_data: &long[..octets], ..everything() };
        let proposed = propose(&listener(), &target(Profile::Transparent), &connect).unwrap();
        assert_eq!(proposed.versions, versions, "{octets}");
    }
    let only_1 = ConnectParameters { user_data: &long, versions: Versions::V1, ..everything() };
    assert_eq!(propose(&listener(), &target(Profile::Transparent), &only_1), Err(134));
}

#[test]
fn a_downstream_that_leaves_nothing_to_propose_is_refused() {
    let half = ConnectParameters { requirements: FunctionalUnits::HALF_DUPLEX, ..everything() };
    assert_eq!(propose(&listener(), &target(Profile::Mms), &half), Err(134));
    assert!(propose(&listener(), &target(Profile::Transparent), &half).is_ok());
    let neither = ConnectParameters { requirements: FunctionalUnits::EXCEPTIONS, ..everything() };
    assert_eq!(propose(&listener(), &target(Profile::Transparent), &neither), Err(134));
}

#[test]
fn selectors_of_the_target_replace_those_of_the_downstream() {
    let target = TargetConfig {
        called_ssap: Some(selector(b"X")),
        calling_ssap: Some(selector(b"Y")),
        ..target(Profile::Mms)
    };
    let proposed = propose(&listener(), &target, &everything()).unwrap();
    assert_eq!((proposed.called, proposed.calling), (selector(b"X"), selector(b"Y")));
}

#[test]
fn the_downstream_hears_the_responding_selector_unless_it_called_another_one() {
    let accept = AcceptParameters {
        identifier: ConnectionIdentifier::default(),
        responding: Some(selector(b"R")),
        requirements: FunctionalUnits::DUPLEX,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tokens_please: Tokens::empty(),
        tsdu_maximum_size: Some(TsduMaximumSize { initiator_to_responder: 1, responder_to_initiator: 1 }),
        user_data: b"answer",
        second_initial_serial_number: None,
    };
    let answered = answer(&target(Profile::Mms), &accept);
    assert_eq!(answered, AcceptParameters { tsdu_maximum_size: None, ..accept });
    let replaced = TargetConfig { called_ssap: Some(selector(b"X")), ..target(Profile::Mms) };
    assert_eq!(answer(&replaced, &accept).responding, None);
}

/// Each profile by its rules: what goes over, and what does not fit.
#[test]
fn profiles_shape_what_is_proposed() {
    let connect = |called: &'static [u8], user_data: &'static [u8]| ConnectParameters {
        called: selector(called),
        user_data,
        ..everything()
    };
    let mut all = listener();
    all.functional_units = FunctionalUnits::all();
    let proposed = |name: &str, connect: &ConnectParameters<'static>| {
        propose(&all, &target(Profile::named(name).unwrap()), connect)
    };
    let plain = proposed("mms", &connect(b"B", b"u")).unwrap();
    for name in
        ["mms-plain", "libiec61850", "csp0924", "iec61850bean", "iec61850-rs", "hat-drivers", "rusty-cotp"]
    {
        assert_eq!(proposed(name, &connect(b"B", b"u")).unwrap(), plain, "{name}");
    }
    assert_eq!(proposed("full", &everything()), proposed("transparent", &everything()));
    let x400 = proposed("x400-1984", &everything()).unwrap();
    assert_eq!(x400.versions, Versions::V1);
    assert_eq!(
        x400.requirements,
        FunctionalUnits::HALF_DUPLEX
            | FunctionalUnits::MINOR_SYNC
            | FunctionalUnits::ACTIVITY
            | FunctionalUnits::EXCEPTIONS
            | FunctionalUnits::CAPABILITY_DATA
    );
    assert_eq!(x400.tsdu_maximum_size, None);
    static LONG: [u8; 513] = [0; 513];
    let refused = [
        ("hat-drivers", connect(b"BBB", b"u")),
        ("libiec61850", connect(b"B", b"")),
        ("libiec61850", connect(b"B", &LONG[..250])),
        ("isode", connect(b"B", &LONG)),
        ("x400-1984", connect(b"B", &LONG)),
        ("x400-1984", ConnectParameters { versions: Versions::V2, ..everything() }),
    ];
    for (name, connect) in refused {
        assert_eq!(proposed(name, &connect), Err(134), "{name}");
    }
    assert!(proposed("isode", &connect(b"B", &LONG[..512])).is_ok());
    assert!(proposed("libiec61850", &connect(b"B", &LONG[..200])).is_ok());
}

#[test]
fn some_profiles_give_the_downstream_the_selector_it_has_called() {
    let accept = AcceptParameters { responding: Some(selector(b"")), ..AcceptParameters::default() };
    let given = |name: &str| answer(&target(Profile::named(name).unwrap()), &accept).responding;
    assert_eq!((given("mms"), given("iec61850-rs")), (Some(selector(b"")), None));
}

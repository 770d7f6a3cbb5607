//! Symmetric synchronize as a service user meets it: two sessions with octets between them.
//!
//! `[unverified]`: which number belongs to which flow is this machine's decision. The octets here say what it is.

mod machine_flows;
mod machine_support;

use colloquy_session::{
    AcceptParameters, ActivityResumeParameters, ConnectParameters, FlowResynchronization,
    FunctionalUnits as Fu, Indication, Request, ResyncType, ResynchronizeAnswer, ResynchronizeParameters,
    SerialNumber, SerialNumbers, ServiceError, Session, SessionConfig, State, TokenSettings, TokenSide,
};
use machine_flows::{I, Pair, R, minor, minor_response, resynchronize, resynchronized};
use machine_support::{NOW, connect, drain, drain_one, feed, hex};

const UNITS: Fu =
    Fu::DUPLEX.union(Fu::SYMMETRIC_SYNC).union(Fu::MAJOR_SYNC).union(Fu::RESYNCHRONIZE).union(Fu::TYPED_DATA);

/// V(A), V(M), V(R) of the flow from the initiator and of the one from the responder; both sides agree.
fn flows(pair: &Pair) -> [(u32, u32, u32); 2] {
    let of = |side: &Session| {
        side.flow_numbers()
            .expect("the unit is selected")
            .map(|flow: SerialNumbers| (flow.lowest_unconfirmed.0, flow.next.0, flow.lowest_restart.0))
    };
    let [sent, received] = of(&pair.sides[I]);
    assert_eq!(of(&pair.sides[R]), [received, sent]);
    [sent, received]
}

fn point(number: u32) -> Indication<'static> {
    Indication::SyncMinor {
        serial_number: SerialNumber(number),
        confirmation_optional: false,
        data_separation: false,
        user_data: &[],
    }
}

fn confirmed(number: u32) -> Indication<'static> {
    Indication::SyncMinorConfirm { serial_number: SerialNumber(number), user_data: &[] }
}

fn second(resync_type: ResyncType, number: Option<u32>) -> Option<FlowResynchronization> {
    Some(FlowResynchronization { resync_type, serial_number: number.map(SerialNumber) })
}

/// Points of both sides, none of them confirmed: three of the initiator, two of the responder.
fn with_points(expedited: bool) -> Pair {
    let mut pair = Pair::new(UNITS, expedited);
    for side in [I, I, I, R, R] {
        pair.ask(side, minor());
    }
    pair.settle();
    assert_eq!(flows(&pair), [(1, 4, 0), (1, 3, 0)]);
    pair
}

#[test]
fn the_first_numbers_of_both_flows_are_proposed_selected_and_told() {
    let config = SessionConfig { functional_units: Fu::all(), ..SessionConfig::default() };
    let parameters = ConnectParameters {
        requirements: UNITS,
        initial_serial_number: Some(SerialNumber(7)),
        second_initial_serial_number: Some(SerialNumber(31)),
        ..connect()
    };
    let mut initiator = Session::initiator(&config, &parameters).unwrap();
    initiator.transport_connected(NOW, false);
    let octets = drain_one(&mut initiator);
    assert!(octets.windows(3).any(|unit| unit == hex("17 01 37")), "{octets:02x?}");
    assert!(octets.windows(4).any(|unit| unit == hex("37 02 33 31")), "{octets:02x?}");
    let mut responder = Session::responder(&config);
    let told = feed(&mut responder, &octets);
    let Indication::Connect(indicated) = told[0] else { panic!("{told:?}") };
    assert_eq!(indicated.initial_serial_number, Some(SerialNumber(7)));
    assert_eq!(indicated.second_initial_serial_number, Some(SerialNumber(31)));
    let second_initial_serial_number = Some(SerialNumber(500));
    let accept = AcceptParameters { second_initial_serial_number, ..AcceptParameters::default() };
    responder.connect_response(NOW, &accept).unwrap();
    let told = feed(&mut initiator, &drain_one(&mut responder));
    let Indication::ConnectConfirm(confirm) = told[0] else { panic!("{told:?}") };
    assert_eq!(confirm.initial_serial_number, Some(SerialNumber(7)));
    assert_eq!(confirm.second_initial_serial_number, second_initial_serial_number);
    let next = |session: &Session| session.flow_numbers().unwrap().map(|flow| flow.next.0);
    assert_eq!((next(&initiator), next(&responder)), ([7, 500], [500, 7]));
}

#[test]
fn one_first_number_serves_both_flows() {
    let pair = Pair::new(UNITS, false);
    assert_eq!(flows(&pair), [(1, 1, 0); 2]);
}

#[test]
fn minor_points_cross_and_are_confirmed_each_way() {
    let mut pair = Pair::new(UNITS, false);
    for side in [I, R, I] {
        pair.ask(side, minor());
    }
    assert_eq!(pair.normal_octets(R), [hex("01 00 31 03 2a 01 31"), hex("01 00 31 03 2a 01 32")]);
    assert_eq!(pair.normal_octets(I), [hex("01 00 31 03 2a 01 31")]);
    assert_eq!(pair.settle(), [vec![point(1)], vec![point(1), point(2)]]);
    assert_eq!(flows(&pair), [(1, 3, 0), (1, 2, 0)]);
    // Both confirm at once, and each goes on with points of its own.
    pair.ask(I, minor_response(1));
    pair.ask(R, minor_response(2));
    pair.ask(R, minor());
    assert_eq!(pair.settle(), [vec![confirmed(2), point(2)], vec![confirmed(1)]]);
    assert_eq!(flows(&pair), [(3, 3, 0), (2, 3, 0)]);
    // What is confirmed already, or is an own point, cannot be.
    let refused = ServiceError::Parameter("serial number that this state does not allow");
    assert_eq!(pair.refused(R, minor_response(2)), refused);
    assert_eq!(pair.refused(R, minor_response(3)), refused);
    pair.check();
}

#[test]
fn the_named_primitive_gives_the_number_of_the_own_flow() {
    let mut pair = with_points(false);
    assert_eq!(pair.sides[I].sync_minor_request(NOW, true, b"").unwrap(), SerialNumber(4));
    assert_eq!(pair.sides[R].sync_minor_request(NOW, true, b"").unwrap(), SerialNumber(3));
}

#[test]
fn a_major_point_and_its_answer_name_both_flows_and_confirm_both() {
    let mut pair = with_points(false);
    pair.ask(I, Request::SyncMajor { user_data: b"" });
    // A point of the peer is under way meanwhile.
    pair.ask(R, minor());
    assert_eq!(pair.normal_octets(R), [hex("01 00 29 09 0f 01 01 2a 01 34 36 01 33")]);
    let serial_number = SerialNumber(4);
    let told = pair.settle();
    assert_eq!(told, [vec![point(3)], vec![Indication::SyncMajor { serial_number, user_data: &[] }]]);
    pair.ask(R, Request::SyncMajorResponse { user_data: b"" });
    assert_eq!(pair.normal_octets(I), [hex("02 00 2a 06 2a 01 34 36 01 34")]);
    let told = pair.settle();
    assert_eq!(told, [vec![Indication::SyncMajorConfirm { serial_number, user_data: &[] }], vec![]]);
    // The answer is a point of its own, of the flow that it is sent in.
    assert_eq!(flows(&pair), [(5, 5, 5), (5, 5, 5)]);
    pair.check();
}

#[test]
fn an_answer_to_a_major_point_with_another_number_of_the_other_flow_is_an_error() {
    let mut pair = with_points(false);
    pair.ask(I, Request::SyncMajor { user_data: b"" });
    // V(Mr) is 3 here.
    pair.assert_error(I, "02 00 2a 06 2a 01 34 36 01 34");
}

#[test]
fn one_flow_is_resynchronized_and_the_other_goes_on() {
    let mut pair = with_points(true);
    pair.ask(I, resynchronize(ResyncType::Restart, Some(2)));
    assert_eq!(pair.expedited_octets(R), [hex("07 06 18 01 02 1b 01 00")]);
    // Points of the flow that is not concerned are counted and told.
    pair.ask(R, minor());
    let [initiator, responder] = pair.settle();
    assert_eq!(initiator, [point(3)]);
    let [Indication::Resynchronize(asked)] = responder[..] else { panic!("{responder:?}") };
    assert_eq!((asked.resync_type, asked.serial_number), (ResyncType::Restart, Some(SerialNumber(2))));
    assert_eq!(asked.second, None);
    let answer = ResynchronizeAnswer { second_serial_number: Some(SerialNumber(1)), ..Default::default() };
    let refused = ServiceError::Parameter("serial number of a flow that is not resynchronized");
    assert_eq!(pair.refused(R, Request::ResynchronizeResponse(answer)), refused);
    pair.ask(R, resynchronized());
    let [initiator, _] = pair.settle();
    let [Indication::ResynchronizeConfirm(confirm)] = initiator[..] else { panic!("{initiator:?}") };
    assert_eq!((confirm.serial_number, confirm.second_serial_number), (Some(SerialNumber(2)), None));
    assert_eq!(flows(&pair), [(2, 2, 0), (1, 4, 0)]);
    pair.check();
}

#[test]
fn both_flows_are_resynchronized_each_in_its_way() {
    let mut pair = with_points(true);
    let asked = ResynchronizeParameters {
        resync_type: ResyncType::Set,
        serial_number: Some(SerialNumber(20)),
        second: second(ResyncType::Abandon, None),
        ..Default::default()
    };
    // Crossed by a point that the requester has not heard of.
    pair.ask(R, minor());
    pair.ask(I, Request::Resynchronize(asked));
    assert_eq!(pair.expedited_octets(R), [hex("07 09 18 01 02 1b 01 02 35 01 01")]);
    let rs = "01 00 35 10 1a 01 00 1b 01 02 2a 02 32 30 35 01 01 36 01 33";
    assert_eq!(pair.normal_octets(R), [hex(rs)]);
    let [initiator, responder] = pair.settle();
    assert_eq!(initiator, [], "a flow that is abandoned");
    let [Indication::Resynchronize(indicated)] = responder[..] else { panic!("{responder:?}") };
    assert_eq!(indicated.serial_number, Some(SerialNumber(20)));
    assert_eq!(indicated.second, second(ResyncType::Abandon, Some(3)));
    let serial_number = Some(SerialNumber(25));
    let answer = ResynchronizeAnswer { serial_number, ..Default::default() };
    pair.ask(R, Request::ResynchronizeResponse(answer));
    let [initiator, _] = pair.settle();
    let [Indication::ResynchronizeConfirm(confirm)] = initiator[..] else { panic!("{initiator:?}") };
    assert_eq!(confirm.serial_number, serial_number);
    assert_eq!(confirm.second_serial_number, Some(SerialNumber(4)), "the point under way is counted");
    assert_eq!(flows(&pair), [(25, 25, 0), (4, 4, 0)]);
    pair.check();
}

#[test]
fn resynchronizations_that_cross_are_decided_by_the_stronger_kind_of_either_flow() {
    for (own, other, winner) in [
        (None, second(ResyncType::Abandon, None), R),
        (second(ResyncType::Abandon, None), None, I),
        (None, None, I),
        (second(ResyncType::Restart, Some(1)), second(ResyncType::Set, Some(9)), I),
    ] {
        let mut pair = with_points(false);
        let asked = |second| {
            Request::Resynchronize(ResynchronizeParameters {
                resync_type: ResyncType::Set,
                serial_number: Some(SerialNumber(40)),
                second,
                ..Default::default()
            })
        };
        pair.ask(I, asked(own));
        pair.ask(R, asked(other));
        let told = pair.settle();
        assert_eq!(told[winner], [], "{own:?} {other:?}");
        assert!(
            matches!(told[1 - winner][..], [Indication::Resynchronize(_)]),
            "{own:?} {other:?}: {told:?}"
        );
        pair.ask(1 - winner, resynchronized());
        let told = pair.settle();
        assert!(matches!(told[winner][..], [Indication::ResynchronizeConfirm(_)]), "{told:?}");
        flows(&pair);
        pair.check();
    }
}

#[test]
fn numbers_outside_the_limits_of_either_flow_are_refused() {
    let mut pair = with_points(false);
    let state_says_no = ServiceError::Parameter("serial number that this state does not allow");
    let too_high = ServiceError::Parameter("serial number above 999999");
    let ask = |resync_type, number: Option<u32>, second| {
        let serial_number = number.map(SerialNumber);
        Request::Resynchronize(ResynchronizeParameters {
            resync_type,
            serial_number,
            second,
            ..Default::default()
        })
    };
    use ResyncType::{Abandon, Restart, Set};
    for (request, error) in [
        (ask(Restart, Some(5), None), state_says_no),
        (ask(Restart, Some(4), second(Restart, Some(4))), state_says_no),
        (ask(Abandon, None, second(Restart, Some(4))), state_says_no),
        (ask(Set, Some(4), second(Restart, Some(4))), state_says_no),
        (ask(Set, Some(1_000_000), None), too_high),
        (ask(Set, Some(1), second(Set, Some(1_000_000))), too_high),
        (ask(Set, Some(1), second(Set, None)), ServiceError::Parameter("serial number missing")),
        (
            ask(Abandon, None, second(Abandon, Some(9))),
            ServiceError::Parameter("abandon goes on with the machine's number"),
        ),
    ] {
        assert_eq!(pair.refused(I, request), error, "{request:?}");
    }
    pair.ask(I, ask(Restart, Some(4), second(Restart, Some(3))));
    pair.settle();
}

#[test]
fn an_activity_begins_and_goes_on_with_numbers_of_both_flows() {
    let mut pair = Pair::new(UNITS | Fu::ACTIVITY, false);
    pair.ask(I, Request::ActivityStart { identifier: b"A", user_data: b"" });
    pair.ask(I, minor());
    let told = pair.settle();
    assert_eq!(told[R][1..], [point(1)]);
    pair.ask(R, minor());
    pair.ask(R, minor());
    assert_eq!(pair.settle()[I], [point(1), point(2)]);
    assert_eq!(flows(&pair), [(1, 2, 1), (1, 3, 1)]);
    pair.ask(I, Request::ActivityInterrupt { reason: 0, user_data: b"" });
    pair.settle();
    pair.ask(R, Request::ActivityInterruptResponse { user_data: b"" });
    pair.settle();
    let resume = ActivityResumeParameters {
        identifier: b"B",
        old_identifier: b"A",
        serial_number: SerialNumber(1),
        second_serial_number: Some(SerialNumber(2)),
        ..Default::default()
    };
    pair.ask(I, Request::ActivityResume(resume));
    assert_eq!(pair.normal_octets(R), [hex("01 00 1d 0e 21 09 29 01 41 2a 01 31 36 01 32 29 01 42")]);
    assert_eq!(pair.settle()[R], [Indication::ActivityResume(resume)]);
    assert_eq!(flows(&pair), [(2, 2, 1), (3, 3, 1)]);
    pair.ask(I, Request::ActivityEnd { user_data: b"" });
    assert_eq!(pair.normal_octets(R), [hex("01 00 29 06 2a 01 32 36 01 33")]);
    let serial_number = SerialNumber(2);
    let told = pair.settle();
    assert_eq!(told[R], [Indication::ActivityEnd { serial_number, user_data: &[] }]);
    pair.ask(R, Request::ActivityEndResponse { user_data: b"" });
    let told = pair.settle();
    assert_eq!(told[I], [Indication::ActivityEndConfirm { serial_number, user_data: &[] }]);
    pair.check();
}

#[test]
fn releases_collide_while_a_point_waits_for_its_confirmation() {
    let mut pair = Pair::new(Fu::DUPLEX | Fu::SYMMETRIC_SYNC, false);
    pair.ask(R, minor());
    pair.settle();
    pair.ask(I, Request::Release { user_data: b"" });
    pair.ask(R, Request::Release { user_data: b"" });
    pair.settle();
    assert_eq!(pair.states(), [State::Sta09; 2]);
    pair.ask(I, minor_response(1));
    assert_eq!(pair.settle(), [vec![], vec![confirmed(1)]]);
    assert_eq!(pair.states(), [State::Sta09; 2]);
}

#[test]
fn all_numbers_of_the_answering_side_may_be_used() {
    let mut pair = Pair::new(UNITS, false);
    pair.ask(R, resynchronize(ResyncType::Set, Some(999_999)));
    pair.settle();
    pair.ask(I, resynchronized());
    pair.settle();
    pair.ask(R, minor());
    pair.settle();
    assert_eq!(flows(&pair), [(1, 1, 0), (999_999, 1_000_000, 0)]);
    let used = ServiceError::Parameter("all serial numbers are used: resynchronize with set first");
    assert_eq!(pair.refused(R, minor()), used);
    pair.ask(I, Request::SyncMajor { user_data: b"" });
    pair.settle();
    pair.ask(R, Request::SyncMajorResponse { user_data: b"" });
    let told = pair.settle();
    assert!(matches!(told[I][..], [Indication::SyncMajorConfirm { .. }]), "{told:?}");
    assert_eq!(flows(&pair), [(2, 2, 2), (1_000_000, 1_000_000, 1_000_000)]);
}

#[test]
fn without_the_unit_nothing_of_a_second_flow_is_asked_for_sent_or_looked_at() {
    let no_unit = ServiceError::FunctionalUnit(Fu::SYMMETRIC_SYNC);
    let number = Some(SerialNumber(1));
    let parameters = ConnectParameters {
        requirements: Fu::DUPLEX | Fu::MINOR_SYNC,
        initial_serial_number: number,
        second_initial_serial_number: number,
        ..connect()
    };
    let config = SessionConfig { functional_units: Fu::all(), ..SessionConfig::default() };
    assert_eq!(Session::initiator(&config, &parameters).err(), Some(no_unit));
    let mut pair = Pair::new((UNITS - Fu::SYMMETRIC_SYNC) | Fu::MINOR_SYNC, false);
    assert_eq!(pair.sides[I].flow_numbers(), None);
    let asked = ResynchronizeParameters {
        resync_type: ResyncType::Set,
        serial_number: number,
        second: second(ResyncType::Set, Some(1)),
        ..Default::default()
    };
    assert_eq!(pair.refused(I, Request::Resynchronize(asked)), no_unit);
    let answer = ResynchronizeAnswer { second_serial_number: number, ..Default::default() };
    assert_eq!(pair.refused(I, Request::ResynchronizeResponse(answer)), no_unit);
    pair.ask(I, Request::SyncMajor { user_data: b"" });
    assert_eq!(pair.normal_octets(R), [hex("01 00 29 06 0f 01 01 2a 01 31")]);
    pair.settle();
    // An answer that brings a second number is taken by its first one.
    let told = pair.receive(I, "02 00 2a 06 2a 01 31 36 01 39");
    assert!(matches!(told[..], [Indication::SyncMajorConfirm { .. }]), "{told:?}");
    // A set is not made an abandon by a second type: of two sets the initiator's wins.
    let mut pair = Pair::new((UNITS - Fu::SYMMETRIC_SYNC) | Fu::MINOR_SYNC, false);
    pair.ask(I, resynchronize(ResyncType::Set, Some(5)));
    assert_eq!(pair.normal_octets(R), [hex("01 00 35 09 1a 01 00 1b 01 02 2a 01 35")]);
    assert_eq!(pair.receive(I, "01 00 35 0f 1a 01 00 1b 01 02 2a 01 37 35 01 01 36 01 31"), []);
    assert_eq!(pair.sides[I].state(), State::Sta05A);
    let told = pair.receive(I, "02 00 22 09 1a 01 00 2a 01 35 36 01 31");
    let [Indication::ResynchronizeConfirm(confirm)] = told[..] else { panic!("{told:?}") };
    assert_eq!((confirm.serial_number, confirm.second_serial_number), (Some(SerialNumber(5)), None));
    assert_eq!(drain(&mut pair.sides[I]), []);
    let everywhere = TokenSettings { data: TokenSide::Initiator, ..Default::default() };
    assert_eq!(confirm.token_settings, Some(everywhere));
}

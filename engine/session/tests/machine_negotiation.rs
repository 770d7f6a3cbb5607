//! Negotiation of all functional units: the fifteen rules of reference 4.2, and test purposes 21 and 22.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::machine::tokens_of;
use colloquy_session::spdu::{Accept, Connect, ConnectAcceptItem, Refuse, Spdu, Tsdu};
use colloquy_session::{
    AcceptParameters, ConnectParameters, FunctionalUnits as Fu, Indication, RefuseParameters, SerialNumber,
    ServiceError, Session, SessionConfig, State, TokenSettings, TokenSide, Tokens, Versions,
};
use machine_support::*;

const NUMBERED: Fu = Fu::MINOR_SYNC.union(Fu::MAJOR_SYNC).union(Fu::RESYNCHRONIZE).union(Fu::SYMMETRIC_SYNC);

fn config(units: Fu) -> SessionConfig {
    SessionConfig { functional_units: units, ..Default::default() }
}

fn proposal(units: Fu, serial: Option<u32>) -> ConnectParameters<'static> {
    ConnectParameters { requirements: units, initial_serial_number: serial.map(SerialNumber), ..connect() }
}

fn parse(tsdu: &[u8]) -> Spdu<'_> {
    let mut tsdu = Tsdu::new(tsdu);
    tsdu.next_spdu(&Default::default()).unwrap().unwrap().parse(&Default::default()).unwrap()
}

/// What two sides select: rules 1 to 5, said once more in other words.
fn expected(proposed: Fu, possible: Fu, wanted: Fu, expedited: bool) -> Fu {
    let mut units = Fu::empty();
    for unit in (proposed & possible & wanted).iter() {
        let of = proposed & possible & wanted;
        let keeps = match unit {
            Fu::HALF_DUPLEX => !of.contains(Fu::DUPLEX),
            Fu::EXPEDITED => expedited,
            Fu::CAPABILITY_DATA => of.contains(Fu::ACTIVITY),
            Fu::EXCEPTIONS => of.contains(Fu::HALF_DUPLEX) && !of.contains(Fu::DUPLEX),
            Fu::DATA_SEPARATION => of.intersects(Fu::MINOR_SYNC | Fu::SYMMETRIC_SYNC),
            Fu::SYMMETRIC_SYNC => !of.contains(Fu::MINOR_SYNC),
            _ => true,
        };
        units.set(unit, keeps);
    }
    units
}

#[test]
fn rules_1_to_5_and_8_hold_for_random_sets_of_units_on_both_sides() {
    let mut random = Random::from_environment(421);
    let mut established = 0;
    for _ in 0..20_000 {
        let any = |random: &mut Random| Fu::from_bits_truncate(random.bits() as u16 | random.bits() as u16);
        let (proposed, possible, wanted) = (any(&mut random), any(&mut random), any(&mut random));
        let expedited = random.coin();
        let numbers_needed = proposed.intersects(NUMBERED) && !proposed.contains(Fu::ACTIVITY);
        let with_number = proposed.intersects(NUMBERED) && (numbers_needed || random.coin());
        let number = random.below(1_000_000) as u32;
        let connect = proposal(proposed, with_number.then_some(number));
        let Ok(mut initiator) = Session::initiator(&config(Fu::all()), &connect) else {
            let contradicts = !proposed.intersects(Fu::HALF_DUPLEX | Fu::DUPLEX)
                || (proposed.contains(Fu::CAPABILITY_DATA) && !proposed.contains(Fu::ACTIVITY))
                || (proposed.contains(Fu::EXCEPTIONS) && !proposed.contains(Fu::HALF_DUPLEX));
            assert!(contradicts, "{proposed:?}");
            continue;
        };
        initiator.transport_connected(NOW, expedited);
        let mut responder = Session::responder(&config(possible));
        if expedited {
            responder.use_transport_expedited();
        }
        let indications = feed(&mut responder, &drain_one(&mut initiator));
        let offered = proposed & possible;
        if !offered.intersects(Fu::HALF_DUPLEX | Fu::DUPLEX) {
            assert_eq!((indications.len(), responder.state()), (0, State::Sta16));
            continue;
        }
        assert!(matches!(indications[..], [Indication::Connect(_)]), "{indications:?}");
        let chosen = random.coin().then(|| SerialNumber(random.below(1_000_000) as u32));
        let answer = AcceptParameters { requirements: wanted, initial_serial_number: chosen, ..accept() };
        let units = expected(proposed, possible, wanted, expedited);
        let result = responder.connect_response(NOW, &answer);
        if !units.intersects(Fu::HALF_DUPLEX | Fu::DUPLEX) {
            assert!(matches!(result, Err(ServiceError::Parameter(_))));
            continue;
        }
        result.unwrap();
        let confirmed = feed(&mut initiator, &drain_one(&mut responder));
        assert!(matches!(confirmed[..], [Indication::ConnectConfirm(_)]), "{units:?}: {confirmed:?}");
        assert_eq!((initiator.functional_units(), responder.functional_units()), (units, units));
        assert_eq!(initiator.tokens_available(), tokens_of(units));
        assert_eq!(initiator.tokens_owned() | responder.tokens_owned(), tokens_of(units));
        assert!((initiator.tokens_owned() & responder.tokens_owned()).is_empty());
        if !units.contains(Fu::SYMMETRIC_SYNC) {
            let first = initiator.serial_numbers();
            assert_eq!(first.next, responder.serial_numbers().next);
            if units.intersects(NUMBERED) && !units.contains(Fu::ACTIVITY) {
                let number = with_number.then_some(SerialNumber(number));
                assert_eq!(first.next, chosen.or(number).unwrap_or(SerialNumber(1)));
            }
        }
        established += 1;
    }
    assert!(established > 5_000, "{established}");
}

#[test]
fn rule_8_a_number_is_where_the_units_need_it_and_nowhere_else() {
    let base = Fu::DUPLEX;
    let all = config(Fu::all() - Fu::SYMMETRIC_SYNC);
    // CN: must, may, must not.
    for unit in [Fu::MINOR_SYNC, Fu::MAJOR_SYNC, Fu::RESYNCHRONIZE] {
        assert!(Session::initiator(&all, &proposal(base | unit, None)).is_err());
        assert!(Session::initiator(&all, &proposal(base | unit, Some(0))).is_ok());
        assert!(Session::initiator(&all, &proposal(base | unit | Fu::ACTIVITY, None)).is_ok());
        assert!(Session::initiator(&all, &proposal(base | unit | Fu::ACTIVITY, Some(9))).is_ok());
        assert!(Session::initiator(&all, &proposal(base | unit, Some(1_000_000))).is_err());
    }
    assert!(Session::initiator(&all, &proposal(base, Some(1))).is_err());
    assert!(Session::initiator(&all, &proposal(base | Fu::ACTIVITY, Some(1))).is_err());
    // AC: the responder turns activities down, and nobody has named a number.
    let (mut initiator, mut responder) =
        indicated(&all, &proposal(base | Fu::MINOR_SYNC | Fu::ACTIVITY, None));
    let without = AcceptParameters { requirements: base | Fu::MINOR_SYNC, ..accept() };
    let too_high = AcceptParameters { initial_serial_number: Some(SerialNumber(1_000_000)), ..without };
    assert!(matches!(responder.connect_response(NOW, &too_high), Err(ServiceError::Parameter(_))));
    responder.connect_response(NOW, &without).unwrap();
    let ac = drain_one(&mut responder);
    assert!(matches!(parse(&ac), Spdu::Accept(ac) if ac.item.initial_serial_number == Some(SerialNumber(1))));
    assert_eq!(feed(&mut initiator, &ac).len(), 1);
    // AC with activities selected carries none.
    let (_, mut responder) = indicated(&all, &proposal(base | Fu::MINOR_SYNC | Fu::ACTIVITY, Some(5)));
    responder.connect_response(NOW, &accept()).unwrap();
    let ac = drain_one(&mut responder);
    assert!(matches!(parse(&ac), Spdu::Accept(ac) if ac.item.initial_serial_number.is_none()));
    // AC without the number that it must carry.
    for (units, taken) in [(base | Fu::MINOR_SYNC, false), (base, true)] {
        let mut initiator = Session::initiator(&all, &proposal(base | Fu::MINOR_SYNC, Some(1))).unwrap();
        initiator.transport_connected(NOW, false);
        drain_one(&mut initiator);
        let item = ConnectAcceptItem { versions: Versions::V2, ..Default::default() };
        let ac = Accept { item, requirements: units, ..Default::default() };
        let told = feed(&mut initiator, &tsdu(Spdu::Accept(ac)));
        assert_eq!(matches!(told[..], [Indication::ConnectConfirm(_)]), taken, "{told:?}");
        assert_eq!(matches!(told[..], [Indication::ProviderAbort { .. }]), !taken, "{told:?}");
    }
}

#[test]
fn tp022_the_number_of_accept_is_the_first_one_on_both_sides() {
    let units = Fu::DUPLEX | Fu::MINOR_SYNC;
    let connect = proposal(units, Some(10));
    for (chosen, first) in [(None, 10), (Some(0), 0), (Some(999_999), 999_999), (Some(11), 11)] {
        let answer = AcceptParameters { initial_serial_number: chosen.map(SerialNumber), ..accept() };
        let (mut initiator, mut responder) = established(&config(units), &connect, &answer);
        let numbers = initiator.serial_numbers();
        assert_eq!(numbers, responder.serial_numbers());
        assert_eq!((numbers.next, numbers.lowest_restart), (SerialNumber(first), SerialNumber(0)));
        assert_eq!(initiator.sync_minor_request(NOW, true, &[]), Ok(SerialNumber(first)));
        let told = feed(&mut responder, &drain_one(&mut initiator));
        assert!(
            matches!(told[..], [Indication::SyncMinor { serial_number, .. }] if serial_number.0 == first)
        );
    }
}

/// One field of a Token Setting Item.
fn set(settings: &mut TokenSettings, token: Tokens, side: TokenSide) {
    match token {
        Tokens::DATA => settings.data = side,
        Tokens::MINOR => settings.minor = side,
        Tokens::MAJOR => settings.major = side,
        _ => settings.release = side,
    }
}

#[test]
fn tp021_and_rule_9_every_token_goes_to_the_side_that_its_setting_says() {
    use TokenSide::{AcceptorChooses, Initiator, Responder};
    let units = Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::NEGOTIATED_RELEASE;
    let cases = [
        (Initiator, Initiator, Initiator),
        (Responder, Initiator, Responder),
        (AcceptorChooses, Initiator, Initiator),
        (AcceptorChooses, Responder, Responder),
    ];
    for round in 0..256 {
        let (mut asked, mut answered) = (TokenSettings::default(), TokenSettings::default());
        let mut owned = Tokens::empty();
        for (index, token) in Tokens::all().iter().enumerate() {
            let (proposed, chosen, result) = cases[round >> (2 * index) & 3];
            set(&mut asked, token, proposed);
            set(&mut answered, token, chosen);
            owned.set(token, result == Initiator);
        }
        let connect = ConnectParameters { token_settings: asked, ..proposal(units, Some(1)) };
        let answer = AcceptParameters { token_settings: answered, ..accept() };
        let (initiator, responder) = established(&config(units), &connect, &answer);
        assert_eq!(initiator.tokens_owned(), owned);
        assert_eq!(responder.tokens_owned(), Tokens::all() - owned);
    }
    // Settings of tokens that do not exist say nothing: with duplex there is no data token.
    let everywhere =
        TokenSettings { data: Responder, minor: Responder, major: Responder, release: Responder };
    let both_kinds = Fu::HALF_DUPLEX | Fu::DUPLEX | Fu::MINOR_SYNC;
    let connect = ConnectParameters { token_settings: everywhere, ..proposal(both_kinds, Some(1)) };
    let (initiator, responder) = established(&config(both_kinds), &connect, &accept());
    assert_eq!((initiator.tokens_owned(), responder.tokens_owned()), (Tokens::empty(), Tokens::MINOR));
}

#[test]
fn rule_10_the_responder_asks_for_any_token_that_the_initiator_has() {
    let units = Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::NEGOTIATED_RELEASE;
    for tokens in [Tokens::DATA, Tokens::MINOR, Tokens::MAJOR, Tokens::RELEASE, Tokens::all()] {
        let (mut initiator, mut responder) = indicated(&config(units), &proposal(units, Some(1)));
        responder.connect_response(NOW, &AcceptParameters { tokens_please: tokens, ..accept() }).unwrap();
        let told = feed(&mut initiator, &drain_one(&mut responder));
        assert!(
            matches!(told[..], [Indication::ConnectConfirm(_), Indication::TokenPlease { tokens: asked, .. }]
                if asked == tokens),
            "{told:?}"
        );
    }
    // Not for one of a unit that is not selected.
    let (_, mut responder) = indicated(&config(units), &proposal(units, Some(1)));
    let answer = AcceptParameters { requirements: Fu::HALF_DUPLEX, tokens_please: Tokens::MINOR, ..accept() };
    assert_eq!(responder.connect_response(NOW, &answer), Err(ServiceError::Token(Tokens::MINOR)));
}

#[test]
fn rule_7_an_accept_without_requirements_selects_from_the_default() {
    let proposed = Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::ACTIVITY | Fu::EXCEPTIONS;
    let mut initiator = Session::initiator(&config(Fu::all()), &proposal(proposed, None)).unwrap();
    initiator.transport_connected(NOW, false);
    drain_one(&mut initiator);
    // AC of version 2 without PI 20.
    assert_eq!(feed(&mut initiator, &hex("0e 08 05 06 13 01 00 16 01 02")).len(), 1);
    assert_eq!(initiator.functional_units(), proposed - Fu::MAJOR_SYNC);
}

#[test]
fn rules_6_and_14_what_was_not_proposed_is_ignored_and_what_contradicts_is_an_error() {
    let proposed = Fu::HALF_DUPLEX | Fu::DUPLEX | Fu::MINOR_SYNC | Fu::SYMMETRIC_SYNC;
    let cases = [
        (Fu::all() - Fu::HALF_DUPLEX - Fu::SYMMETRIC_SYNC, Some(Fu::DUPLEX | Fu::MINOR_SYNC)),
        (Fu::all() - Fu::HALF_DUPLEX - Fu::MINOR_SYNC, Some(Fu::DUPLEX | Fu::SYMMETRIC_SYNC)),
        // Both of two that exclude each other, or neither of two one of which must be.
        (Fu::all() - Fu::HALF_DUPLEX, None),
        (Fu::all() - Fu::SYMMETRIC_SYNC, None),
        (Fu::MINOR_SYNC, None),
    ];
    for (answered, selected) in cases {
        let mut initiator = Session::initiator(&config(Fu::all()), &proposal(proposed, Some(3))).unwrap();
        initiator.transport_connected(NOW, false);
        drain_one(&mut initiator);
        let item = ConnectAcceptItem {
            versions: Versions::V2,
            initial_serial_number: Some(SerialNumber(3)),
            ..Default::default()
        };
        let ac = Accept { item, requirements: answered, ..Default::default() };
        let told = feed(&mut initiator, &tsdu(Spdu::Accept(ac)));
        match selected {
            Some(units) => {
                assert!(matches!(told[..], [Indication::ConnectConfirm(_)]), "{answered:?}: {told:?}");
                assert_eq!(initiator.functional_units(), units);
            }
            None => assert!(matches!(told[..], [Indication::ProviderAbort { .. }]), "{answered:?}: {told:?}"),
        }
    }
}

#[test]
fn symmetric_synchronize_is_proposed_only_where_configured_and_named() {
    assert!(!SessionConfig::default().functional_units.contains(Fu::SYMMETRIC_SYNC));
    let units = Fu::DUPLEX | Fu::SYMMETRIC_SYNC;
    let error = Session::initiator(&SessionConfig::default(), &proposal(units, Some(1))).err();
    assert_eq!(error, Some(ServiceError::FunctionalUnit(Fu::SYMMETRIC_SYNC)));
    // PI 23 and PI 55 in CN and AC; what the responder chooses counts for the first.
    let mut initiator = Session::initiator(&config(units), &proposal(units, Some(4))).unwrap();
    initiator.transport_connected(NOW, false);
    let cn = drain_one(&mut initiator);
    let numbers = |item: &ConnectAcceptItem<'_>| {
        (item.initial_serial_number.map(|n| n.0), item.second_initial_serial_number.map(|n| n.0))
    };
    let Spdu::Connect(connect) = parse(&cn) else { panic!("a CONNECT") };
    assert_eq!(numbers(&connect.item), (Some(4), Some(4)));
    let mut responder = Session::responder(&config(units));
    feed(&mut responder, &cn);
    let answer = AcceptParameters { initial_serial_number: Some(SerialNumber(6)), ..accept() };
    responder.connect_response(NOW, &answer).unwrap();
    let ac = drain_one(&mut responder);
    let Spdu::Accept(accept) = parse(&ac) else { panic!("an ACCEPT") };
    assert_eq!(numbers(&accept.item), (Some(6), Some(4)));
    assert_eq!(feed(&mut initiator, &ac).len(), 1);
    assert_eq!((initiator.functional_units(), responder.functional_units()), (units, units));
    // Nobody else sees PI 55.
    let plain = Fu::DUPLEX | Fu::MINOR_SYNC;
    let mut initiator = Session::initiator(&config(Fu::all()), &proposal(plain, Some(4))).unwrap();
    initiator.transport_connected(NOW, false);
    let cn = drain_one(&mut initiator);
    assert!(matches!(parse(&cn), Spdu::Connect(cn) if cn.item.second_initial_serial_number.is_none()));
}

#[test]
fn parameters_of_large_numbers_are_tolerated() {
    let units = Fu::DUPLEX | Fu::MINOR_SYNC;
    for strict in [false, true] {
        let config = SessionConfig { strict, ..config(units) };
        let item = ConnectAcceptItem {
            versions: Versions::V2,
            initial_serial_number: Some(SerialNumber(2)),
            upper_limit_digits: Some(9),
            large_initial_serial_number: b"123456789",
            large_second_initial_serial_number: b"987654321",
            ..Default::default()
        };
        let mut responder = Session::responder(&config);
        let cn = Connect { item, requirements: units, ..Default::default() };
        let told = feed(&mut responder, &tsdu(Spdu::Connect(cn)));
        assert!(
            matches!(told[..], [Indication::Connect(c)] if c.initial_serial_number == Some(SerialNumber(2)))
        );
        let mut initiator = Session::initiator(&config, &proposal(units, Some(2))).unwrap();
        initiator.transport_connected(NOW, false);
        drain_one(&mut initiator);
        let ac = Accept { item, requirements: units, ..Default::default() };
        let told = feed(&mut initiator, &tsdu(Spdu::Accept(ac)));
        assert!(matches!(told[..], [Indication::ConnectConfirm(_)]), "{told:?}");
        assert_eq!(initiator.serial_numbers().next, SerialNumber(2));
    }
}

#[test]
fn rule_15_a_refusal_may_say_which_units_would_be_accepted() {
    for (requirements, segments) in [(Some(Fu::DUPLEX), false), (None, false), (Some(Fu::HALF_DUPLEX), true)]
    {
        let mut initiator = Session::initiator(&SessionConfig::default(), &connect()).unwrap();
        initiator.transport_connected(NOW, false);
        drain_one(&mut initiator);
        let refuse = Refuse { requirements, reason: 2, user_data: b"why", ..Default::default() };
        let told = if segments {
            let part = |begin| colloquy_session::Enclosure { begin, end: !begin };
            let first = Refuse { enclosure: Some(part(true)), user_data: b"w", ..refuse };
            assert_eq!(feed(&mut initiator, &tsdu(Spdu::Refuse(first))), []);
            let last = Refuse { enclosure: Some(part(false)), user_data: b"hy", ..refuse };
            feed(&mut initiator, &tsdu(Spdu::Refuse(last)))
        } else {
            feed(&mut initiator, &tsdu(Spdu::Refuse(refuse)))
        };
        let expected = RefuseParameters { reason: 2, user_data: b"why", transport_kept: false };
        assert_eq!(told, [Indication::ConnectRefused(expected)]);
        assert_eq!((initiator.peer_would_accept(), initiator.take_fault()), (requirements, None));
    }
}

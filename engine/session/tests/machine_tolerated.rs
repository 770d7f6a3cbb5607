//! Parameters that are there twice: the last one counts, the owner is told once, and nothing else happens.

mod machine_support;

use colloquy_session::spdu::SpduKind;
use colloquy_session::{
    FunctionalUnits as Fu, Indication, PeerFault, Session, SessionConfig, State, Tokens, Tolerated,
};
use machine_support::{accept, connect, drain_one, established, feed, hex, indicated};

/// FINISH with Transport Disconnect twice.
const FINISH: &str = "09 06 11 01 01 11 01 01";
/// GIVE TOKENS with its Token Item twice, the second without tokens.
const GIVE: &str = "01 06 10 01 01 10 01 00";

fn config(strict: bool) -> SessionConfig {
    let functional_units = SessionConfig::default().functional_units | Fu::HALF_DUPLEX;
    SessionConfig { strict, functional_units, ..SessionConfig::default() }
}

fn pair(strict: bool) -> (Session, Session) {
    let connect = colloquy_session::ConnectParameters { requirements: Fu::HALF_DUPLEX, ..connect() };
    established(&config(strict), &connect, &accept())
}

#[test]
fn the_first_one_of_a_session_is_told_once_and_the_session_goes_on() {
    let (_, mut responder) = pair(false);
    assert!(!responder.has_findings());
    let data = [hex(GIVE), hex("01 00 aa")].concat();
    let told = feed(&mut responder, &data);
    assert!(matches!(told[..], [Indication::Data { user_data: [0xaa], .. }]), "{told:?}");
    assert_eq!(responder.tokens_owned(), Tokens::empty(), "the last one counts");
    let tolerated = Tolerated { spdu: SpduKind::GiveTokens, parameter: 16, offset: 0 };
    assert_eq!(responder.take_tolerated(), Some(tolerated));
    assert_eq!((responder.take_tolerated(), responder.take_fault()), (None, None));
    assert!(!responder.has_findings(), "the data path is the short one again");
    let told = feed(&mut responder, &hex(FINISH));
    assert!(matches!(told[..], [Indication::Release { .. }]), "{told:?}");
    assert_eq!((responder.state(), responder.take_tolerated()), (State::Sta09, None));
}

#[test]
fn one_inside_a_group_of_connect_is_found() {
    let config = config(false);
    let (mut initiator, _) = indicated(&config, &connect());
    let mut responder = Session::responder(&config);
    let mut initiator_again = Session::initiator(&config, &connect()).unwrap();
    initiator_again.transport_connected(machine_support::NOW, false);
    let mut octets = drain_one(&mut initiator_again);
    // Connect/Accept Item with its options (PI 19) twice.
    let item = octets.windows(2).position(|unit| unit[0] == 5).expect("PGI 5");
    octets.splice(item + 2..item + 2, hex("13 01 00"));
    octets[item + 1] += 3;
    octets[1] += 3;
    let told = feed(&mut responder, &octets);
    assert!(matches!(told[..], [Indication::Connect(_)]), "{told:?}");
    let tolerated = Tolerated { spdu: SpduKind::Connect, parameter: 19, offset: 0 };
    assert_eq!(responder.take_tolerated(), Some(tolerated));
    assert_eq!(initiator.take_tolerated(), None);
}

#[test]
fn strict_rules_refuse_it_and_a_fault_is_told_beside_what_was_tolerated_before() {
    let (_, mut strict) = pair(true);
    feed(&mut strict, &hex(FINISH));
    assert!(matches!(strict.take_fault(), Some(PeerFault::Decode(_))));
    assert_eq!((strict.state(), strict.take_tolerated()), (State::Sta16, None));
    let (_, mut lenient) = pair(false);
    feed(&mut lenient, &[hex(GIVE), hex("01 00 aa")].concat());
    feed(&mut lenient, &hex("fe 00"));
    assert!(lenient.take_tolerated().is_some());
    assert!(matches!(lenient.take_fault(), Some(PeerFault::Decode(_))));
}

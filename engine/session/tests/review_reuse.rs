//! One session after the other on a transport connection that is kept: whatever the one before negotiated, counted,
//! began or was refused, the machine is afterwards as it was made.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;
mod machine_users;

use colloquy_session::{
    AcceptParameters, ConnectParameters, Enclosure, FunctionalUnits as Fu, Indication, RefuseParameters,
    Request, Session, SessionConfig, State, Tokens,
};
use machine_support::*;
use machine_users::setup::Setup;
use machine_users::user::{any_request, octets, response};

const CHAINS: usize = 60;
const SESSIONS: usize = 25;
const STEPS_MAX: usize = 30;

/// What was met on the way.
#[derive(Default, Debug)]
struct Met {
    released: usize,
    aborted: usize,
    refused: usize,
    in_states: std::collections::BTreeSet<&'static str>,
}

#[test]
fn nothing_of_a_session_is_left_for_the_next_one_on_the_transport_connection() {
    let mut random = Random::from_environment(83);
    let mut met = Met::default();
    for _ in 0..CHAINS {
        chain(&mut random, &mut met);
    }
    println!("{met:?}");
    assert!(met.released > 20 && met.aborted > 200 && met.refused > 50, "{met:?}");
    assert!(met.in_states.len() > 14, "{met:?}");
}

fn setup(random: &mut Random) -> Setup {
    loop {
        let setup = Setup::random(random);
        if !setup.expedited {
            return setup;
        }
    }
}

fn chain(random: &mut Random, met: &mut Met) {
    let config = SessionConfig {
        functional_units: Fu::all() - Fu::SYMMETRIC_SYNC,
        transport_reuse: true,
        strict: random.coin(),
        exception_reports: random.coin(),
        ..SessionConfig::default()
    };
    let first = Session::initiator(&config, &setup(random).connect).unwrap();
    let mut pair = [first, Session::responder(&config)];
    let fresh = format!("{:?}", pair[1]);
    let mut idle = None;
    pair[0].transport_connected(NOW, false);
    for _ in 0..SESSIONS {
        let setup = setup(random);
        session(random, &mut pair, &setup, met);
        assert_eq!([pair[0].state(), pair[1].state()], [State::Sta01C; 2]);
        for session in &mut pair {
            session.take_fault();
            assert_eq!((session.poll_timeout(), session.poll_transmit()), (None, None));
        }
        assert_eq!(format!("{:?}", pair[1]), fresh, "the responder is as new");
        let idle = idle.get_or_insert_with(|| format!("{:?}", pair[0]));
        let refused = pair[0].peer_would_accept().is_some();
        assert!(refused || format!("{:?}", pair[0]) == *idle, "{:?}\n{idle}", pair[0]);
        let next = loop {
            let connect = self::setup(random).connect;
            if pair[0].connect_request(NOW, &connect).is_ok() {
                break connect;
            }
        };
        assert_eq!(pair[0].tsdu_maximum_size(), Default::default(), "{next:?}");
    }
}

/// A session from CONNECT, which is under way, to the end with the transport connection kept.
fn session(random: &mut Random, pair: &mut [Session; 2], setup: &Setup, met: &mut Met) {
    carry(pair, 0);
    assert_eq!(pair[1].state(), State::Sta08, "{:?}", pair[1].take_fault());
    if random.one_in(5) {
        met.refused += 1;
        let refuse = RefuseParameters { reason: 2, user_data: octets(random, 40), transport_kept: true };
        pair[1].connect_refuse(NOW, &refuse).unwrap();
        carry(pair, 1);
        return;
    }
    let accept = AcceptParameters { tsdu_maximum_size: None, requirements: Fu::all(), ..setup.accept };
    if pair[1].connect_response(NOW, &accept).is_err() {
        let plain = AcceptParameters { tokens_please: Tokens::empty(), user_data: &[], ..accept };
        pair[1].connect_response(NOW, &plain).unwrap();
    }
    if !random.one_in(10) {
        carry(pair, 1);
    }
    for _ in 0..random.below(STEPS_MAX) {
        let side = random.below(2);
        met.in_states.insert(pair[side].state().name());
        step(random, pair, side);
        if random.coin() {
            carry(pair, side);
        }
    }
    settle(pair);
    end(random, pair, met);
    settle(pair);
}

fn step(random: &mut Random, pair: &mut [Session; 2], side: usize) {
    // Data overtake nothing.
    carry(pair, side);
    let session = &mut pair[side];
    for _ in 0..8 {
        let taken = match random.below(6) {
            0 if session.send_octets_max().is_some() => {
                // The first part only: the end comes in the middle of the SSDU.
                let enclosure = Enclosure { begin: true, end: false };
                match session.data_request(9, enclosure) {
                    Ok(segments) => {
                        let tsdus: Vec<_> = segments
                            .map(|segment| [segment.header(), &vec![1; segment.octets]].concat())
                            .collect();
                        for tsdu in tsdus {
                            feed(&mut pair[1 - side], &tsdu);
                        }
                        return;
                    }
                    Err(_) => false,
                }
            }
            1..3 => response(random, session).is_some_and(|request| session.request(NOW, &request).is_ok()),
            _ => {
                let request = any_request(random, session);
                session.request(NOW, &request).is_ok()
            }
        };
        if taken {
            return;
        }
    }
}

/// By release where that is possible, else by an abort of either side.
fn end(random: &mut Random, pair: &mut [Session; 2], met: &mut Met) {
    if random.coin() && pair[0].request(NOW, &Request::Release { user_data: b"bye" }).is_ok() {
        carry(pair, 0);
        let answer = Request::ReleaseResponse { affirmative: true, user_data: b"good" };
        if pair[1].request(NOW, &answer).is_ok() {
            met.released += 1;
            carry(pair, 1);
            return;
        }
    }
    let side = random.below(2);
    if matches!(pair[side].state(), State::Sta01C | State::Sta01A) {
        return;
    }
    met.aborted += 1;
    let result = pair[side].request(NOW, &Request::Abort { user_data: b"stop" });
    assert_eq!(result, Ok(()), "{:?} {:?}", pair[0].take_fault(), pair[1].take_fault());
}

/// Carries what one side has sent.
fn carry(pair: &mut [Session; 2], from: usize) -> Vec<Indication<'static>> {
    let mut told = Vec::new();
    for sent in drain(&mut pair[from]) {
        let Sent::Tsdu(tsdu) = sent else { panic!("{sent:?}: it is kept") };
        told.extend(feed(&mut pair[1 - from], &tsdu));
    }
    told
}

fn settle(pair: &mut [Session; 2]) {
    for _ in 0..6 {
        carry(pair, 0);
        carry(pair, 1);
    }
}

#[test]
fn what_a_refusal_says_is_forgotten_with_the_next_connect() {
    let config = SessionConfig { transport_reuse: true, ..SessionConfig::default() };
    let mut initiator = Session::initiator(&config, &connect()).unwrap();
    initiator.transport_connected(NOW, false);
    drain_one(&mut initiator);
    // RF: kept, would accept half duplex, reason 2.
    let told = feed(&mut initiator, &hex("0c 0a 11 01 00 14 02 00 01 32 01 02"));
    assert!(matches!(told[..], [Indication::ConnectRefused(RefuseParameters { transport_kept: true, .. })]));
    assert_eq!(initiator.peer_would_accept(), Some(Fu::HALF_DUPLEX));
    let again = ConnectParameters { requirements: Fu::HALF_DUPLEX, ..connect() };
    initiator.connect_request(NOW, &again).unwrap();
    assert_eq!(initiator.peer_would_accept(), None);
}

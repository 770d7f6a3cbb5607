//! The hand-written path for data in STA713 does what the cells of Annex A say, and allocates nothing.

mod machine_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use colloquy_session::machine::{
    Arguments, Bundle, Cause, Companions, Event, Output, Spm, Variables, tokens_of,
};
use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    Enclosure, FunctionalUnits, Indication, Request, ServiceError, Session, State, Tokens,
};
use machine_support::{NOW, duplex, half_duplex};

/// All that the cells of DT and S-DATA request in STA713 could look at, as far as it can be so in that state.
fn relevant_variables() -> Vec<Variables> {
    let mut all = Vec::new();
    for units in 0..1u16 << 13 {
        let functional_units = FunctionalUnits::from_bits_truncate(units);
        for tokens in 0..1u8 << 4 {
            let spread = (0..4).filter(|bit| tokens & 1 << bit != 0).map(|bit| 1u8 << (2 * bit)).sum();
            let tokens_owned = Tokens::from_bits_truncate(spread);
            if !tokens_of(functional_units).contains(tokens_owned) {
                continue;
            }
            let toggled = units ^ u16::from(tokens);
            let v = Variables {
                functional_units,
                tokens_owned,
                vtca: toggled & 1 != 0,
                texp: toggled & 2 != 0,
                vact: toggled & 16 != 0 && functional_units.contains(FunctionalUnits::ACTIVITY),
                vsc: toggled & 32 != 0 && functional_units.contains(FunctionalUnits::MINOR_SYNC),
                vtrr: toggled & 64 != 0,
                vnextact: toggled & 128 != 0,
                vrspnb: u32::from(toggled & 15),
                v_r: u32::from(toggled & 3),
                v_a: 3 + u32::from(toggled & 7),
                v_m: 10 + u32::from(toggled & 63),
                ..Variables::new()
            };
            if v.invariants(State::Sta713).is_ok() {
                all.push(v);
            }
        }
    }
    all
}

#[test]
fn the_hand_written_path_equals_the_cells() {
    let all = relevant_variables();
    assert!(all.len() > 10_000, "{}", all.len());
    let mut allowed = [0; 2];
    for v in all {
        for (event, by_hand, output) in [
            (Event::Dt, Spm::at(State::Sta713, v, &[]).data_may_come(), Output::SDtInd),
            (Event::SDtReq, Spm::at(State::Sta713, v, &[]).data_may_be_sent(), Output::Dt),
        ] {
            let mut spm = Spm::at(State::Sta713, v, &[]);
            let outcome = spm.fire(event, &Arguments::NONE);
            let by_table = matches!(outcome.cause, Cause::Row(_));
            assert_eq!(by_hand, by_table, "{event:?} {v:?}");
            if by_table {
                allowed[usize::from(event == Event::Dt)] += 1;
                assert_eq!(outcome.outputs[..], [output]);
                assert_eq!(outcome.effects, Default::default());
                assert_eq!((spm.state(), *spm.variables()), (State::Sta713, v));
            }
        }
    }
    assert!(allowed[0] > 0 && allowed[1] > 0);
}

#[test]
fn the_octets_of_plain_data_take_the_same_way_through_both_paths() {
    for token_here in [false, true] {
        for user_data in [&b""[..], b"x", &[7; 300]] {
            let (mut initiator, mut responder) = half_duplex();
            let receiver = if token_here { &mut initiator } else { &mut responder };
            let plain = [&[1, 0, 1, 0][..], user_data].concat();
            // An empty PI makes the same SPDUs, but not the same octets.
            let detour = [&[1, 2, 16, 0, 1, 0][..], user_data].concat();
            let by_hand = receiver.handle_tsdu(NOW, &mut Tsdu::new(&plain));
            let by_table = twin(token_here).handle_tsdu_twin(&detour);
            assert_eq!(by_hand.map(content), by_table, "token here: {token_here}");
        }
    }
}

/// A second machine in the same position.
struct Twin(Session);

fn twin(token_here: bool) -> Twin {
    let (initiator, responder) = half_duplex();
    Twin(if token_here { initiator } else { responder })
}

impl Twin {
    fn handle_tsdu_twin(&mut self, octets: &[u8]) -> Option<(Vec<u8>, bool)> {
        self.0.handle_tsdu(NOW, &mut Tsdu::new(octets)).map(content)
    }
}

fn content(indication: Indication<'_>) -> (Vec<u8>, bool) {
    match indication {
        Indication::Data { user_data, enclosure: Enclosure::WHOLE, .. } => (user_data.to_vec(), true),
        Indication::ProviderAbort { .. } => (Vec::new(), false),
        other => panic!("{other:?}"),
    }
}

#[test]
fn data_in_steady_state_allocate_nothing() {
    let (mut initiator, mut responder) = duplex();
    assert_eq!(machine_support::drain(&mut responder), []);
    let body = [0x5a; 4096];
    let mut tsdu = Vec::with_capacity(8192);
    let before = allocations();
    for _ in 0..1000 {
        for segment in initiator.data_request(body.len(), Enclosure::WHOLE).expect("data transfer") {
            tsdu.clear();
            tsdu.extend_from_slice(segment.header());
            tsdu.extend_from_slice(&body[..segment.octets]);
        }
        let mut received = Tsdu::new(&tsdu);
        let indication = responder.handle_tsdu(NOW, &mut received);
        assert!(matches!(indication, Some(Indication::Data { user_data_offset: 4, .. })));
        assert!(responder.handle_tsdu(NOW, &mut received).is_none());
        assert!(responder.poll_transmit().is_none());
    }
    assert_eq!(allocations() - before, 0);
}

#[test]
fn segmented_data_and_refused_data_allocate_nothing() {
    let connect = colloquy_session::ConnectParameters {
        requirements: FunctionalUnits::HALF_DUPLEX,
        tsdu_maximum_size: machine_support::both(128),
        ..machine_support::connect()
    };
    let config = colloquy_session::SessionConfig::default();
    let (mut initiator, mut responder) =
        machine_support::established(&config, &connect, &machine_support::accept());
    assert_eq!(machine_support::drain(&mut responder), []);
    let mut tsdu = Vec::with_capacity(256);
    let before = allocations();
    for _ in 0..100 {
        for segment in initiator.data_request(1000, Enclosure::WHOLE).expect("data transfer") {
            tsdu.clear();
            tsdu.extend_from_slice(segment.header());
            tsdu.resize(tsdu.len() + segment.octets, 0);
            assert!(responder.handle_tsdu(NOW, &mut Tsdu::new(&tsdu)).is_some());
        }
        let refused = responder.data_request(1, Enclosure::WHOLE);
        assert_eq!(refused.err(), Some(ServiceError::Token(Tokens::DATA)));
    }
    assert_eq!(allocations() - before, 0);
}

#[test]
fn data_with_a_point_and_a_token_allocate_nothing_on_their_way_out() {
    let units = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::MINOR_SYNC;
    let config = colloquy_session::SessionConfig {
        functional_units: units,
        extended_concatenation: true,
        ..Default::default()
    };
    let connect = colloquy_session::ConnectParameters {
        requirements: units,
        initial_serial_number: Some(colloquy_session::SerialNumber(1)),
        ..machine_support::connect()
    };
    let (mut initiator, mut responder) =
        machine_support::established(&config, &connect, &machine_support::accept());
    assert_eq!(machine_support::drain(&mut responder), []);
    let user_data = [0x5a; 100];
    let point =
        Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data: &user_data };
    let companions = Companions { point: Some(point), ..Default::default() };
    let mut bundle = Bundle::default();
    let mut tsdu = Vec::with_capacity(8192);
    let mut before = 0;
    for round in 0..100 {
        if round == 1 {
            before = allocations();
        }
        initiator.data_request_with(NOW, 4096, Enclosure::WHOLE, &companions, &mut bundle).expect("allowed");
        tsdu.clear();
        for part in bundle.tsdus() {
            tsdu.extend_from_slice(part.header());
            tsdu.resize(tsdu.len() + part.octets, 0);
        }
        let mut received = Tsdu::new(&tsdu);
        assert!(matches!(responder.handle_tsdu(NOW, &mut received), Some(Indication::Data { .. })));
        assert!(matches!(responder.handle_tsdu(NOW, &mut received), Some(Indication::SyncMinor { .. })));
        assert_eq!(responder.handle_tsdu(NOW, &mut received), None);
    }
    assert_eq!(allocations() - before, 0);
    assert_eq!(responder.serial_numbers().next.0, 101);
}

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

struct Counting;

#[allow(unsafe_code)]
// SAFETY: all calls go to the system's allocator unchanged; counting touches no memory it manages.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is handed on.
        unsafe { System.dealloc(octets, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

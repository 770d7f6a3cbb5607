//! Every predicate against its formula as the standard's tables print it, read by an evaluator of its own.

mod machine_reference;
mod machine_support;

use colloquy_session::FunctionalUnits;
use colloquy_session::machine::{Arguments, Event, Predicate, Variables, View, Vrsp};
use machine_reference::configuration::Configuration;
use machine_reference::{formula, reference};
use machine_support::Random;

/// Configurations that every predicate is evaluated in.
const CONFIGURATIONS: usize = 800;

#[test]
fn predicates_equal_their_formulas() {
    let mut random = Random::from_environment(53);
    for predicate in Predicate::ALL {
        let formula = reference().formula(predicate.name());
        let mut seen = [0; 2];
        for symmetric in [false, true] {
            for _ in 0..CONFIGURATIONS {
                let event = random.pick(Event::ALL);
                // The event that selects the unit counts as having selected it already; the formula does not say so.
                if symmetric && matches!(event, Event::Ac | Event::SConRspPos) {
                    continue;
                }
                let configuration = Configuration::random(&mut random, event, symmetric);
                let view = configuration.view();
                let expected = formula::value(formula, &view);
                assert_eq!(predicate.holds(&view), expected, "{predicate:?} {formula} {view:?}");
                seen[usize::from(expected)] += 1;
            }
        }
        assert!(seen.iter().all(|count| *count > 0), "{predicate:?}: both values seen: {seen:?}");
    }
}

#[test]
fn the_predicate_of_symmetric_synchronize_holds_for_the_events_that_select_it() {
    let variables = Variables::new();
    let arguments = Arguments { functional_units: FunctionalUnits::SYMMETRIC_SYNC, ..Arguments::NONE };
    for &event in Event::ALL {
        let view = View { variables: &variables, event, arguments: &arguments, prepare_queued: false };
        assert_eq!(Predicate::P178.holds(&view), matches!(event, Event::Ac | Event::SConRspPos), "{event:?}");
    }
}

#[test]
fn every_predicate_of_the_reference_is_here_but_one() {
    // p201 is not about what is received or asked for: action 51 sends until nothing is left.
    let ours: Vec<&str> = Predicate::ALL.iter().map(|predicate| predicate.name()).collect();
    for entry in &reference().predicates {
        assert_eq!(ours.contains(&entry[0]), entry[0] != "p201", "{entry:?}");
    }
    assert_eq!(ours.len() + 1, reference().predicates.len());
}

#[test]
fn the_stronger_of_two_colliding_requests_wins_and_the_initiator_among_equals() {
    // From the weakest to the strongest: as requests of the peer, and as what is recorded.
    let ranked = [
        (Event::RsR, Vrsp::R),
        (Event::RsS, Vrsp::S),
        (Event::RsA, Vrsp::A),
        (Event::Ai, Vrsp::Int),
        (Event::Ad, Vrsp::Dsc),
    ];
    for (event_rank, (event, _)) in ranked.iter().enumerate() {
        for (recorded_rank, (_, vrsp)) in ranked.iter().enumerate() {
            for responder in [false, true] {
                let variables = Variables { vrsp: *vrsp, vrspnb: 5, vtca: responder, ..Variables::new() };
                let arguments = Arguments { serial: Some(5), ..Arguments::NONE };
                let view = View {
                    variables: &variables,
                    event: *event,
                    arguments: &arguments,
                    prepare_queued: false,
                };
                let event_wins = event_rank > recorded_rank || (event_rank == recorded_rank && responder);
                assert_eq!(Predicate::P24.holds(&view), event_wins, "{event:?} meets {vrsp:?}");
            }
        }
    }
}

#[test]
fn of_two_restarts_the_lower_number_wins() {
    for (recorded, received, event_wins) in [(5, 4, true), (5, 6, false)] {
        for responder in [false, true] {
            let variables =
                Variables { vrsp: Vrsp::R, vrspnb: recorded, vtca: responder, ..Variables::new() };
            let arguments = Arguments { serial: Some(received), ..Arguments::NONE };
            let view = View {
                variables: &variables,
                event: Event::RsR,
                arguments: &arguments,
                prepare_queued: false,
            };
            assert_eq!(Predicate::P24.holds(&view), event_wins);
        }
    }
}

#[test]
fn a_request_made_while_the_peers_is_indicated_meets_the_peers() {
    for (vtca, event_wins) in [(true, false), (false, true)] {
        // The peer's abandon is recorded; the local user abandons too: the initiator's request wins.
        let variables = Variables { vrsp: Vrsp::A, vtca, ..Variables::new() };
        let arguments = Arguments { serial: Some(1), ..Arguments::NONE };
        let view = View {
            variables: &variables,
            event: Event::SRsynReqA,
            arguments: &arguments,
            prepare_queued: false,
        };
        assert_eq!(Predicate::P24.holds(&view), event_wins);
    }
}

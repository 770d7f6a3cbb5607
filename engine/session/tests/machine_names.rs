//! States, events, outputs, predicates and actions carry the standard's names and a sentence each: what tools print.

mod machine_reference;
mod machine_support;

use colloquy_session::State;
use colloquy_session::machine::{Action, Event, Origin, Output, Predicate};
use machine_reference::reference;

/// A sentence: begins with a capital letter, a symbol or a digit, and ends with a full stop.
fn is_sentence(text: &str) -> bool {
    let begins = text.chars().next().is_some_and(|first| !first.is_lowercase());
    begins && text.ends_with('.') && text.len() > 5
}

fn first_of(entries: &[Vec<&'static str>]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry[0]).collect()
}

#[test]
fn states_and_events_have_the_names_of_the_reference_in_its_order() {
    let states: Vec<&str> = State::ALL.iter().map(|state| state.name()).collect();
    assert_eq!(states, first_of(&reference().states));
    let events: Vec<&str> = Event::ALL.iter().map(|event| event.name()).collect();
    assert_eq!(events, first_of(&reference().events));
    assert_eq!((states.len(), events.len()), (32, 82));
    for (event, entry) in Event::ALL.iter().zip(&reference().events) {
        let origin = match event.origin() {
            Origin::User => "user",
            Origin::Transport => "transport",
            Origin::Timer => "timer",
            Origin::Spdu => "spdu",
        };
        assert_eq!(origin, entry[1], "{event:?}");
    }
}

#[test]
fn outputs_are_the_primitives_of_the_reference_and_spdus() {
    let primitives = first_of(&reference().primitives);
    let ours: Vec<&str> = Output::ALL.iter().filter(|o| !o.is_spdu()).map(|o| o.name()).collect();
    assert_eq!(ours, primitives);
    for output in Output::ALL.iter().filter(|output| output.is_spdu()) {
        let named = Event::ALL.iter().any(|e| e.origin() == Origin::Spdu && e.name() == output.name());
        assert!(named, "{output:?} is an SPDU the peer can receive");
    }
    // Every SPDU of the reference is sent by some row, but ER, which only an option sends.
    for event in Event::ALL.iter().filter(|event| event.origin() == Origin::Spdu) {
        assert!(Output::ALL.iter().any(|output| output.name() == event.name()), "{event:?}");
        let sent = reference().rows().any(|line| line.outputs.contains(&event.name()));
        assert_eq!(sent, *event != Event::Er, "{event:?}");
    }
}

#[test]
fn actions_have_the_numbers_of_the_reference() {
    let ours: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
    assert_eq!(ours, first_of(&reference().actions));
}

#[test]
fn unused_predicates_and_actions_are_those_of_the_reference() {
    let used = |name: &str| {
        reference().rows().any(|line| {
            line.guard.iter().any(|term| term.trim_start_matches('!') == name) || line.actions.contains(&name)
        })
    };
    for entry in reference().predicates.iter().chain(&reference().actions) {
        // The local helper has one name as a predicate and as an action.
        assert_eq!(used(entry[0]), entry[1] == "used", "{entry:?}");
    }
}

#[test]
fn everything_has_a_sentence() {
    for state in State::ALL {
        assert!(is_sentence(state.text()), "{state:?}: {}", state.text());
    }
    for event in Event::ALL {
        assert!(is_sentence(event.text()), "{event:?}: {}", event.text());
    }
    for output in Output::ALL {
        assert!(is_sentence(output.text()), "{output:?}: {}", output.text());
    }
    for predicate in Predicate::ALL {
        assert!(is_sentence(predicate.text()), "{predicate:?}: {}", predicate.text());
        assert!(!predicate.formula().is_empty() && !predicate.formula().ends_with('.'), "{predicate:?}");
    }
    for action in Action::ALL {
        assert!(is_sentence(action.text()), "{action:?}: {}", action.text());
    }
}

//! Symmetric synchronize: its table against the reference's reconstructed rows, every row of it executed, and two
//! machines back to back under random users, whose counters must agree.
//!
//! All of it is unverified. What is proven is that two machines of this kind understand each other, and that no
//! machine without the unit ever looks at these rows.

mod machine_reference;
mod machine_support;
mod symmetric_pair;

use std::collections::BTreeSet;

use colloquy_session::machine::{Arguments, Cause, Event, Spm, Variables, tables};
use colloquy_session::{FunctionalUnits as Fu, State};
use machine_reference::configuration::{ATTEMPTS, ATTEMPTS_IN_VAIN, Configuration, Goal, cell};
use machine_reference::execution::execute;
use machine_reference::{Line, reference};
use machine_support::Random;
use symmetric_pair::Pair;

fn lines() -> Vec<Line> {
    tables::symmetric().rows.iter().map(Line::of).collect()
}

#[test]
fn the_reconstructed_rows_are_here_and_the_others_say_why_they_were_added() {
    let ours = lines();
    for line in &reference().symmetric {
        assert_eq!(ours.iter().filter(|other| *other == line).count(), 1, "{}", line.title());
    }
    let added: Vec<&Line> = ours.iter().filter(|line| !reference().symmetric.contains(line)).collect();
    for line in &added {
        assert!(line.note.is_some_and(|note| note.starts_with("added: ")), "{}", line.title());
    }
    assert_eq!((reference().symmetric.len(), added.len(), ours.len()), (32, 132, 164));
    assert!(ours.iter().all(|line| !line.verified));
}

#[test]
fn each_row_that_the_reference_replaces_has_its_cell_here() {
    // "All rows whose serial-number predicate is p19, p20, p21 or p43 and whose actions are 22..28 or 31."
    let replaced = |line: &&Line| {
        let numbered = ["p19", "p20", "p21", "p43", "p49"];
        let counting = ["22", "23", "24", "25", "26", "27", "28", "31"];
        line.guard.iter().any(|term| numbered.contains(&&term[..]))
            || line.actions.iter().any(|action| counting.contains(action))
    };
    let mut cells = BTreeSet::new();
    for line in reference().rows().filter(replaced) {
        let (state, event) = cell(line.state, line.event);
        assert!(!tables::symmetric_cell(state, event).is_empty(), "{}", line.title());
        cells.insert((line.state, line.event));
    }
    assert!(cells.len() > 40, "{} cells", cells.len());
}

#[test]
fn every_row_is_executed_and_every_term_of_its_guard_made_to_fail() {
    let mut random = Random::from_environment(2025);
    let ours = lines();
    let mut impossible = Vec::new();
    let (mut rows, mut terms, mut twice) = (0, 0, 0);
    for line in &ours {
        let (state, event) = cell(line.state, line.event);
        let in_cell: Vec<&Line> = ours.iter().filter(|other| other.is_in(state, event)).collect();
        for falsified in std::iter::once(None).chain((0..line.guard.len()).map(Some)) {
            let mut goal = Goal::new(state, event).guard(&line.guard, falsified);
            goal.symmetric = falsified.is_none_or(|place| line.guard[place] != "p178");
            let title = match falsified {
                Some(place) => format!("{}, but not {}", line.title(), line.guard[place]),
                None => line.title(),
            };
            if falsified.is_some_and(|place| line.guard[place] == "p178" && says_so_twice(line)) {
                twice += 1;
                continue;
            }
            let known = IMPOSSIBLE.iter().any(|(known, _)| *known == title);
            let Some(configuration) = goal.seek(&mut random, if known { ATTEMPTS_IN_VAIN } else { ATTEMPTS })
            else {
                impossible.push(title);
                continue;
            };
            run(&in_cell, (state, event), &configuration);
            match falsified {
                Some(_) => terms += 1,
                None => rows += 1,
            }
        }
    }
    println!("{rows} rows, {terms} terms, {twice} twice");
    let listed: Vec<&str> = IMPOSSIBLE.iter().map(|(title, _)| *title).collect();
    assert_eq!(impossible, listed);
    assert_eq!(rows, ours.len());
    assert_eq!(terms + twice + listed.len(), ours.iter().map(|line| line.guard.len()).sum::<usize>());
    assert_eq!((rows, terms, twice), (164, 467, 54));
}

/// Another term of the guard holds only with FU(SS), as p178 does.
fn says_so_twice(line: &Line) -> bool {
    line.guard.iter().any(|term| ["p173", "p176", "p177", "p179", "p187"].contains(&&term[..]))
}

/// Executes in the rows of symmetric synchronize, or in the others when the unit is not selected.
fn run(in_cell: &[&Line], (state, event): (State, Event), configuration: &Configuration) {
    let selecting = matches!(event, Event::Ac | Event::SConRspPos)
        && configuration.arguments.functional_units.contains(Fu::SYMMETRIC_SYNC);
    if configuration.variables.fu(Fu::SYMMETRIC_SYNC) || selecting {
        execute(in_cell, (state, event), configuration, false);
        return;
    }
    let others: Vec<&Line> = reference().rows().filter(|line| line.is_in(state, event)).collect();
    execute(&others, (state, event), configuration, false);
}

/// What no configuration leads to, and why.
const IMPOSSIBLE: &[(&str, &str)] = &[
    ("STA04B MIP: p178 && p26 && p05 && p177, but not p26", ENDING),
    ("STA04B MIP-d: p178 && p82 && p26 && p05 && p177, but not p26", ENDING),
    ("STA04B MIA: p17 && p176, but not p17", ENDING),
    ("STA10B SSYNmrsp: p18 && p179, but not p18", ENDING),
    ("STA15B SRSYNreq(a): p178 && p27 && p28 && p33, but not p27", NOTHING_RECORDED),
    ("STA15B SRSYNreq(s): p178 && p25 && p27 && p33, but not p27", NOTHING_RECORDED),
];
const NOTHING_RECORDED: &str = "no resynchronization is recorded in STA15B";
const ENDING: &str =
    "an activity that is being ended is in progress, and p17 and p18 ask for no more with FU(SS)";

#[test]
fn without_the_unit_no_row_of_it_is_reached_and_every_other_row_is() {
    let mut random = Random::from_environment(913);
    let mut reached = BTreeSet::new();
    let mut record = |spm: &mut Spm, event: Event, arguments: &Arguments| {
        if let Cause::Row(row) = spm.fire(event, arguments).cause {
            reached.insert(std::ptr::from_ref(row) as usize);
        }
    };
    for row in tables::rows() {
        let line = Line::of(row);
        let in_cell = tables::cell(row.state, row.event).iter().filter(|other| !std::ptr::eq(*other, row));
        let others: Vec<Line> = in_cell.map(Line::of).collect();
        let guards: Vec<&[String]> = others.iter().map(|other| &other.guard[..]).collect();
        let goal = Goal::new(row.state, row.event).guard(&line.guard, None).avoid(&guards);
        let configuration = goal.seek(&mut random, ATTEMPTS).expect("every row can fire");
        let mut spm = Spm::at(row.state, configuration.variables, &configuration.queue());
        record(&mut spm, row.event, &configuration.arguments);
        // And whatever else may happen there.
        for _ in 0..8 {
            let other = configuration.before(random.pick(Event::ALL), &mut random);
            let mut spm = Spm::at(row.state, other.variables, &other.queue());
            record(&mut spm, other.event, &other.arguments);
        }
    }
    let all: BTreeSet<usize> = tables::rows().map(|row| std::ptr::from_ref(row) as usize).collect();
    assert_eq!(reached.len(), 913);
    assert!(reached == all, "the rows reached are the 913 of the other tables");
}

#[test]
fn a_new_session_without_the_unit_counts_no_flow() {
    let mut spm = Spm::at(State::Sta02A, Variables::new(), &[]);
    let arguments = Arguments {
        functional_units: Fu::DUPLEX | Fu::MINOR_SYNC,
        serial: Some(7),
        second_serial: Some(9),
        ..Arguments::NONE
    };
    spm.fire(Event::Ac, &arguments);
    assert_eq!((spm.variables().v_m, spm.variables().flows), (7, Default::default()));
}

#[test]
fn two_machines_agree_on_both_flows_whatever_their_users_do() {
    let mut random = Random::from_environment(1995);
    let mut totals = symmetric_pair::Totals::default();
    for _ in 0..400 {
        let mut pair = Pair::established(&mut random, true);
        pair.run(&mut random, 120, &mut totals);
    }
    println!("{totals:?}");
    totals.assert_busy();
    assert!(totals.rows.len() > 50, "{} rows of the table fired", totals.rows.len());
}

#[test]
fn two_machines_without_the_unit_agree_as_well() {
    let mut random = Random::from_environment(1988);
    let mut totals = symmetric_pair::Totals::default();
    for _ in 0..400 {
        let mut pair = Pair::established(&mut random, false);
        pair.run(&mut random, 120, &mut totals);
    }
    println!("{totals:?}");
    totals.assert_busy();
}

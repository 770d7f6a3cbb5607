//! Every state with every event, executed: each row of Annex A fires, each of its guard's terms is made to fail, each
//! blank cell gives its rule; and what was executed is counted against the reference.

mod machine_reference;
mod machine_support;

use colloquy_session::State;
use colloquy_session::machine::{Event, tables};
use machine_reference::configuration::{ATTEMPTS, ATTEMPTS_IN_VAIN, Configuration, Goal};
use machine_reference::execution::execute;
use machine_reference::{Line, reference};
use machine_support::Random;

/// Random configurations that every cell is executed with, beside those sought.
const CONFIGURATIONS_PER_CELL: usize = 16;

/// What was executed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Executed {
    defined_cells: usize,
    blank_cells: usize,
    /// Rows that fired.
    rows: usize,
    /// Terms of guards that were made to fail while the others of their guard held.
    terms: usize,
    /// Cells with rows whose guards were all made to fail.
    refusals: usize,
    /// Cells with rows whose guards leave nothing out.
    complete_cells: usize,
}

#[test]
fn the_tables_are_those_of_the_reference_row_by_row() {
    let reference = reference();
    for ((name, lines), table) in reference.tables.iter().zip(tables::tables()) {
        let ours: Vec<Line> = table.rows.iter().map(Line::of).collect();
        // Rows of a cell stand together in ours; their order within a cell is the reference's.
        for line in lines {
            let cell = |l: &&Line| (l.state, l.event) == (line.state, line.event);
            let theirs: Vec<&Line> = lines.iter().filter(cell).collect();
            assert_eq!(ours.iter().filter(cell).collect::<Vec<_>>(), theirs, "table {name}");
        }
        assert_eq!(ours.len(), lines.len(), "table {name}");
    }
    assert_eq!(reference.tables.len(), tables::tables().len());
    assert_eq!(tables::rows().count(), 913);
    assert_eq!(reference.rows().count(), 913);
    assert_eq!(tables::rows().filter(|row| row.trust.verified).count(), 568);
    for row in tables::rows() {
        let cell = tables::cell(row.state, row.event);
        assert!(cell.iter().any(|other| std::ptr::eq(other, row)), "{row:?} is found by its cell");
    }
}

#[test]
fn every_cell_is_executed_and_counted() {
    let mut random = Random::from_environment(225);
    let mut run = Run { random: &mut random, executed: Executed::default(), impossible: Vec::new() };
    for state in State::ALL {
        let goal = Goal::new(state, Event::Dt);
        let possible: Vec<Configuration> = (0..CONFIGURATIONS_PER_CELL)
            .map(|_| goal.seek(run.random, ATTEMPTS).expect("a state that can be"))
            .collect();
        for &event in Event::ALL {
            run.cell(state, event, &possible);
        }
    }
    let Run { executed, impossible, .. } = run;
    println!("{executed:?}, {} impossible", impossible.len());
    let mut listed: Vec<&str> = IMPOSSIBLE.iter().map(|(title, _)| *title).collect();
    let mut found: Vec<&str> = impossible.iter().map(|title| &title[..]).collect();
    listed.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, listed, "what no configuration leads to");
    let count = |wanted: fn(&str) -> bool| listed.iter().filter(|title| wanted(title)).count();
    let terms = count(|title| title.contains(", but not "));
    let refusals = count(|title| title.ends_with(": no row"));
    assert_eq!((terms, refusals), (24, 4));
    let lines: Vec<&Line> = reference().rows().collect();
    let cells: std::collections::BTreeSet<_> = lines.iter().map(|line| (line.state, line.event)).collect();
    assert_eq!(executed.rows, lines.len());
    assert_eq!(executed.defined_cells, cells.len());
    assert_eq!(executed.blank_cells, State::ALL.len() * Event::ALL.len() - cells.len());
    assert_eq!(executed.terms + terms, lines.iter().map(|line| line.guard.len()).sum::<usize>());
    assert_eq!(executed.complete_cells + executed.refusals + refusals, cells.len());
    let expected = Executed {
        defined_cells: 771,
        blank_cells: 1853,
        rows: 913,
        terms: 824,
        refusals: 351,
        complete_cells: 416,
    };
    assert_eq!(executed, expected);
}

/// Executes cells.
struct Run<'r> {
    random: &'r mut Random,
    executed: Executed,
    /// What no configuration leads to.
    impossible: Vec<String>,
}

impl Run<'_> {
    fn cell(&mut self, state: State, event: Event, possible: &[Configuration]) {
        let lines: Vec<&Line> = reference().rows().filter(|line| line.is_in(state, event)).collect();
        for configuration in possible {
            let configuration = configuration.before(event, self.random);
            execute(&lines, (state, event), &configuration, overlap_is_known(state, event));
        }
        match lines[..] {
            [] => self.executed.blank_cells += 1,
            _ => self.executed.defined_cells += 1,
        }
        for index in 0..lines.len() {
            self.row(&lines, index, (state, event));
        }
        if !lines.is_empty() {
            self.refusal(&lines, (state, event));
        }
    }

    /// Makes the row fire, and then each term of its guard fail.
    fn row(&mut self, lines: &[&Line], index: usize, (state, event): (State, Event)) {
        let line = lines[index];
        let goal = Goal::new(state, event).guard(&line.guard, None);
        if let Some(fired) = self.seek(&goal, lines, line.title()) {
            assert!(fired == Some(index) || overlap_is_known(state, event), "{}", line.title());
            self.executed.rows += 1;
        }
        for (place, term) in line.guard.iter().enumerate() {
            let mut goal = Goal::new(state, event).guard(&line.guard, Some(place));
            let symmetric: Vec<Line> = tables::symmetric_cell(state, event).iter().map(Line::of).collect();
            let mut other: Vec<&Line> = lines.to_vec();
            if term == "!p178" {
                // With symmetric synchronize the cell has rows of its own.
                goal.symmetric = true;
                other = symmetric.iter().collect();
            }
            if let Some(fired) = self.seek(&goal, &other, format!("{}, but not {term}", line.title())) {
                assert!(goal.symmetric || fired != Some(index), "{}", line.title());
                self.executed.terms += 1;
            }
        }
    }

    /// Makes all guards of the cell fail, unless they leave nothing out.
    fn refusal(&mut self, lines: &[&Line], (state, event): (State, Event)) {
        let guards: Vec<&[String]> = lines.iter().map(|line| &line.guard[..]).collect();
        if leave_nothing_out(&guards) {
            self.executed.complete_cells += 1;
            return;
        }
        let goal = Goal::new(state, event).avoid(&guards);
        let title = format!("{} {}: no row", state.name(), event.name());
        if let Some(fired) = self.seek(&goal, lines, title) {
            assert_eq!(fired, None);
            self.executed.refusals += 1;
        }
    }

    /// Seeks a configuration and executes it: what fired. `None` when there is none, as is known of `title`.
    fn seek(&mut self, goal: &Goal, lines: &[&Line], title: String) -> Option<Option<usize>> {
        let known = IMPOSSIBLE.iter().any(|(known, _)| *known == title);
        let attempts = if known { ATTEMPTS_IN_VAIN } else { ATTEMPTS };
        match goal.seek(self.random, attempts) {
            Some(configuration) => {
                let cell = (goal.state, goal.event);
                Some(execute(lines, cell, &configuration, overlap_is_known(goal.state, goal.event)))
            }
            None => {
                self.impossible.push(title);
                None
            }
        }
    }
}

/// Whether one of the guards holds whatever values their predicates have.
fn leave_nothing_out(guards: &[&[String]]) -> bool {
    let mut names: Vec<&str> = guards.iter().flat_map(|guard| guard.iter()).map(|term| bare(term)).collect();
    names.sort_unstable();
    names.dedup();
    (0..1u32 << names.len()).all(|values| {
        let holds = |term: &String| {
            let place = names.iter().position(|name| *name == bare(term)).expect("collected above");
            (values >> place & 1 == 1) != term.starts_with('!')
        };
        guards.iter().any(|guard| guard.iter().all(holds))
    })
}

fn bare(term: &str) -> &str {
    term.trim_start_matches('!')
}

/// What no configuration leads to, and why.
#[rustfmt::skip]
const IMPOSSIBLE: &[(&str, &str)] = &[
    ("STA04A SACTIreq: p34 && p39, but not p34", ACTIVITY),
    ("STA04A SACTDreq: p34 && p39, but not p34", ACTIVITY),
    ("STA11A SACTIreq: p34 && p39, but not p34", ACTIVITY),
    ("STA11A SACTDreq: p34 && p39, but not p34", ACTIVITY),
    ("STA15A SACTIreq: p34 && p39, but not p34", ACTIVITY),
    ("STA15A SACTDreq: p34 && p39, but not p34", ACTIVITY),
    ("STA713 SACTIreq: p34 && p39, but not p34", ACTIVITY),
    ("STA713 SACTDreq: p34 && p39, but not p34", ACTIVITY),
    ("STA04B PR-RS: p34 && !p80, but not p34", ACTIVITY_STATE),
    ("STA04B PR-RS: no row", P80_DECIDES),
    ("STA05B PR-RS: p34 && !p80, but not p34", ACTIVITY_STATE),
    ("STA05B PR-RS: no row", P80_DECIDES),
    ("STA05C PR-RS: p34 && !p80, but not p34", ACTIVITY_STATE),
    ("STA05C PR-RS: no row", P80_DECIDES),
    ("STA10B PR-RS: p34 && !p80, but not p34", ACTIVITY_STATE),
    ("STA10B PR-RS: no row", P80_DECIDES),
    ("STA05A MIP-d: p26 && p82 && !p178 && !p185, but not p82", SEPARATION),
    ("STA06 MIP-d: p26 && p82 && !p178 && !p185, but not p82", SEPARATION),
    ("STA15C MIP-d: p26 && p82 && !p178 && !p185, but not p82", SEPARATION),
    ("STA09 SRSYNreq(r): p10 && p25 && !p34 && p33, but not p10", TOKENS),
    ("STA09 SRSYNreq(s): p10 && p25 && !p34, but not p10", TOKENS),
    ("STA15B SRSYNreq(a): p27 && p28, but not p27", NOTHING_RECORDED),
    ("STA15B SRSYNreq(r): p25 && p27 && p33, but not p27", NOTHING_RECORDED),
    ("STA15B SRSYNreq(s): p25 && p27, but not p27", NOTHING_RECORDED),
    ("STA15B SACTIreq: p27 && p34 && p39, but not p27", NOTHING_RECORDED),
    ("STA15B SACTDreq: p27 && p34 && p39, but not p27", NOTHING_RECORDED),
    ("STA15B SACTIreq: p27 && p34 && p39, but not p34", ACTIVITY),
    ("STA15B SACTDreq: p27 && p34 && p39, but not p34", ACTIVITY),
];
const ACTIVITY: &str = "p39 asks for an activity in progress, which needs activity management";
const ACTIVITY_STATE: &str = "the state is entered with activity management only";
const P80_DECIDES: &str =
    "the state is entered with activity management only, and p80 decides between the two rows";
const SEPARATION: &str =
    "what comes is discarded in this state, so !p185 asks for an own data separation point, which needs p82";
const TOKENS: &str = "p25 asks for a unit with a token, and with a token releases do not collide";
const NOTHING_RECORDED: &str = "no resynchronization is recorded in STA15B";

/// Cells where configurations that no run reaches satisfy two guards; the first row counts.
fn overlap_is_known(state: State, event: Event) -> bool {
    // p75 wants Vdnr, which only the transport acceptor sets, and the other row wants the initiator.
    (state, event) == (State::Sta09, Event::SRelRspPos)
}

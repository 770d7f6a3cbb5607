//! Every state with every event, executed: each row of Annex A fires, each blank cell gives its rule.

mod machine_support;

use colloquy_session::machine::tables::Row;
use colloquy_session::machine::{
    Action, Arguments, Cause, Event, Flows, Origin, Outcome, Output, Queued, Spm, TimerEffect, Variables,
    View, Vrsp, tables, tokens_of,
};
use colloquy_session::{FunctionalUnits, State, Tokens};
use machine_support::Random;

/// Enough that rare guards are met.
const CONFIGURATIONS_PER_CELL: usize = 300;
/// A cell without rows has no guards to meet.
const CONFIGURATIONS_PER_BLANK_CELL: usize = 20;

#[test]
fn the_tables_hold_all_rows_of_annex_a() {
    let counts: Vec<_> = tables::tables().iter().map(|table| table.rows.len()).collect();
    assert_eq!(counts, [46, 92, 150, 135, 66, 35, 128, 50, 211]);
    assert_eq!(tables::rows().count(), 913);
    assert_eq!(tables::rows().filter(|row| row.trust.verified).count(), 568);
    for row in tables::rows() {
        let cell = tables::cell(row.state, row.event);
        assert!(cell.iter().any(|other| std::ptr::eq(other, row)), "{row:?} is found by its cell");
    }
}

#[test]
fn every_event_in_every_state_follows_its_row_or_the_rule_for_blank_cells() {
    let mut random = Random::from_environment(225);
    let mut fired = vec![false; tables::rows().count()];
    let mut blank = 0usize;
    for state in State::ALL {
        for &event in Event::ALL {
            let configurations = match tables::cell(state, event) {
                [] => CONFIGURATIONS_PER_BLANK_CELL,
                _ => CONFIGURATIONS_PER_CELL,
            };
            // By a walk over all rows: the index that the machine uses is what is tested.
            let rows: Vec<_> = tables::rows()
                .enumerate()
                .filter(|(_, row)| row.state == state && row.event == event)
                .collect();
            for _ in 0..configurations {
                let (variables, queue) = random_configuration(&mut random, state);
                let arguments = random_arguments(&mut random, &variables);
                match fire_and_check(&rows, (state, event), &variables, &queue, &arguments) {
                    Some(index) => fired[index] = true,
                    None => blank += 1,
                }
            }
        }
    }
    assert!(blank > 0);
    let silent: Vec<_> =
        tables::rows().zip(&fired).filter(|(_, fired)| !**fired).map(|(row, _)| row).collect();
    assert!(silent.is_empty(), "{} rows never fired: {silent:#?}", silent.len());
}

/// Fires one event and holds the outcome against the rows; the index of the row that fired.
fn fire_and_check(
    rows: &[(usize, &'static Row)],
    (state, event): (State, Event),
    variables: &Variables,
    queue: &[Queued],
    arguments: &Arguments,
) -> Option<usize> {
    let prepare_queued = queue.iter().any(|queued| queued.event == Event::PrRs);
    let view = View { variables, event, arguments, prepare_queued };
    let expected: Vec<_> = rows
        .iter()
        .filter(|(_, row)| row.guard.iter().all(|term| term.predicate.holds(&view) != term.negated))
        .collect();
    let mut spm = Spm::at(state, *variables, queue);
    let outcome = spm.fire(event, arguments);
    let context = Context { state, event, variables, arguments };
    assert_eq!(outcome.before, *variables);
    let Some((index, row)) = expected.first() else {
        check_blank(state, event, variables, &spm, &outcome, &context);
        return None;
    };
    assert!(expected.len() == 1 || overlap_is_known(state, event), "two rows match: {context}");
    assert!(matches!(outcome.cause, Cause::Row(fired) if std::ptr::eq(fired, *row)), "{context}");
    assert_eq!(spm.state(), row.next, "{context}");
    let prepare =
        |output: &Output| matches!(output, Output::PrMaa | Output::PrRs | Output::PrRa | Output::PrAb);
    let sent: Vec<_> = outcome.outputs.iter().filter(|output| !prepare(output)).copied().collect();
    let listed: Vec<_> = row.outputs.iter().filter(|output| !prepare(output)).copied().collect();
    assert_eq!(sent, listed, "{context}");
    if !variables.texp {
        assert!(!outcome.outputs.iter().any(prepare), "PREPARE without TEXP: {context}");
    }
    if row
        .actions
        .iter()
        .all(|action| matches!(action, Action::A03 | Action::A04 | Action::A06 | Action::A10))
    {
        assert_eq!(spm.variables(), variables, "{context}");
    }
    let timer = match (row.next, state) {
        (State::Sta01, from) if from != State::Sta01 => TimerEffect::Stop,
        (State::Sta15D, from) if from != State::Sta15D => TimerEffect::Start,
        _ if row.actions.contains(&Action::A03) => TimerEffect::Stop,
        _ if row.actions.contains(&Action::A04) => TimerEffect::Start,
        _ => TimerEffect::None,
    };
    assert_eq!(outcome.effects.timer, timer, "{context}");
    Some(*index)
}

/// What a failure is told with; formatted only then.
#[derive(Debug)]
#[allow(dead_code)]
struct Context<'c> {
    state: State,
    event: Event,
    variables: &'c Variables,
    arguments: &'c Arguments,
}

impl std::fmt::Display for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// X.225 §A.4.1 and §A.4.2: what an invalid intersection leads to.
fn check_blank(
    state: State,
    event: Event,
    variables: &Variables,
    spm: &Spm,
    outcome: &Outcome,
    context: &Context<'_>,
) {
    assert_eq!(spm.variables(), variables, "{context}");
    let outputs: Vec<_> = outcome.outputs.iter().copied().collect();
    match (event.origin(), state) {
        (Origin::User, _) => {
            assert!(!outcome.is_accepted(), "{context}");
            assert_eq!((spm.state(), outputs), (state, vec![]), "{context}");
            assert_eq!(outcome.effects, Default::default(), "{context}");
        }
        (Origin::Spdu, State::Sta01C | State::Sta01D) => {
            assert_eq!((spm.state(), outputs), (State::Sta01, vec![Output::TDisReq]), "{context}");
        }
        (Origin::Spdu, State::Sta01 | State::Sta01A | State::Sta01B | State::Sta16) | (_, State::Sta01) => {
            assert_eq!((spm.state(), outputs), (state, vec![]), "{context}");
        }
        (Origin::Spdu, _) => {
            let expected = match variables.texp {
                true => vec![Output::SPAbInd, Output::PrAb, Output::AbNr],
                false => vec![Output::SPAbInd, Output::AbNr],
            };
            assert_eq!((spm.state(), outputs), (State::Sta16, expected), "{context}");
            assert_eq!(outcome.effects.timer, TimerEffect::Start, "{context}");
        }
        (Origin::Transport | Origin::Timer, _) => {
            assert_eq!((spm.state(), outputs), (State::Sta01, vec![Output::TDisReq]), "{context}");
        }
    }
}

/// Cells where configurations that no run reaches satisfy two guards; the first row counts.
fn overlap_is_known(state: State, event: Event) -> bool {
    // p75 wants Vdnr, which only the transport acceptor sets, and the other row wants the initiator.
    (state, event) == (State::Sta09, Event::SRelRspPos)
}

fn random_configuration(random: &mut Random, state: State) -> (Variables, Vec<Queued>) {
    loop {
        let units = random_units(random);
        let available = tokens_of(units);
        let mut v = Variables {
            functional_units: units,
            tokens_owned: random_tokens(random) & available,
            vtca: random.coin(),
            texp: random.coin(),
            vtrr: random.coin(),
            vcoll: random.coin(),
            vdnr: random.coin(),
            vact: random.coin() && units.contains(FunctionalUnits::ACTIVITY),
            vnextact: random.coin(),
            vsc: random.coin(),
            v_m: random.below(6) as u32,
            v_a: random.below(6) as u32,
            v_r: random.below(6) as u32,
            vrsp: random.pick(&[Vrsp::No, Vrsp::R, Vrsp::S, Vrsp::A, Vrsp::Int, Vrsp::Dsc]),
            vrspnb: random.below(6) as u32,
            flows: Flows::new(),
            v_ado: random.below(6) as i32 - 1,
            v_adi: random.below(6) as i32 - 1,
            discard_rcv_flow: random.coin(),
            discard_snd_flow: random.coin(),
            keep_transport: random.coin(),
            offer_reuse: random.coin(),
        };
        // All tokens on one side happens often in life and seldom by chance.
        match random.below(4) {
            0 => v.tokens_owned = available,
            1 => v.tokens_owned = Tokens::empty(),
            _ => {}
        }
        if v.invariants(state).is_ok() {
            let queued = Queued { event: Event::PrRs, arguments: Arguments::NONE };
            return (v, if random.coin() { vec![queued] } else { vec![] });
        }
    }
}

fn random_units(random: &mut Random) -> FunctionalUnits {
    let mut units = FunctionalUnits::from_bits_truncate(random.bits() as u16);
    units -= FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX | FunctionalUnits::SYMMETRIC_SYNC;
    units | random.pick(&[FunctionalUnits::HALF_DUPLEX, FunctionalUnits::DUPLEX])
}

fn random_tokens(random: &mut Random) -> Tokens {
    Tokens::from_bits_truncate(random.bits() as u8)
}

fn random_arguments(random: &mut Random, v: &Variables) -> Arguments {
    let numbers = [v.v_m, v.v_m.saturating_sub(1), v.v_a, v.v_r, v.vrspnb, random.below(7) as u32];
    let serial = random.pick(&numbers);
    Arguments {
        tokens: random_tokens(random) & (v.tokens_available() | random_tokens(random)),
        positions: random_tokens(random),
        serial: (!random.one_in(8)).then_some(serial),
        second_serial: None,
        second_resync: None,
        first_resync: None,
        kept: random.coin(),
        functional_units: random_units(random),
        transport_expedited: random.coin() && !v.keep_transport,
        unacceptable: random.coin(),
        overflow: random.coin(),
        last: random.coin(),
    }
}

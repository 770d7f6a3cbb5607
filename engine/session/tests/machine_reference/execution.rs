//! One event executed, and held against the reference.

use super::configuration::Configuration;
use super::effect::{self, Changed};
use super::{Line, formula, output, state};
use colloquy_session::machine::{
    Cause, Effects, Event, Origin, Outcome, Output, Spm, TimerEffect, Variables,
};
use colloquy_session::{FunctionalUnits, State};

/// Fires the event and checks everything it did; the line that applied, by its place in `lines`.
///
/// `lines` are the rows of the cell. Where two guards hold the first row counts; the caller says whether that may be.
pub(crate) fn execute(
    lines: &[&Line],
    (at, event): (State, Event),
    configuration: &Configuration,
    overlap_allowed: bool,
) -> Option<usize> {
    let view = configuration.view();
    let expected: Vec<usize> =
        (0..lines.len()).filter(|index| formula::guard_holds(&lines[*index].guard, &view)).collect();
    let context = || format!("{at:?} {event:?} {configuration:#?}");
    assert!(expected.len() <= 1 || overlap_allowed, "two guards hold: {}", context());
    let mut spm = Spm::at(at, configuration.variables, &configuration.queue());
    let outcome = spm.fire(event, &configuration.arguments);
    assert_eq!(outcome.before, configuration.variables, "{}", context());
    match expected.first() {
        Some(index) => {
            check_row(lines[*index], (at, event), configuration, &spm, &outcome);
            Some(*index)
        }
        None => {
            check_invalid((at, event), configuration, &spm, &outcome);
            None
        }
    }
}

fn check_row(
    line: &Line,
    (at, event): (State, Event),
    configuration: &Configuration,
    spm: &Spm,
    outcome: &Outcome,
) {
    let context = || format!("{} {configuration:#?}", line.title());
    let Cause::Row(row) = outcome.cause else { panic!("no row: {}", context()) };
    assert_eq!(Line::of(row).guard, line.guard, "{}", context());
    let before = &configuration.variables;
    let sent: Vec<Output> =
        line.outputs.iter().map(|name| output(name)).filter(|o| is_sent(*o, &line.outputs, before)).collect();
    assert_eq!(&outcome.outputs[..], sent, "{}", context());
    let next = state(line.next);
    assert_eq!(spm.state(), next, "{}", context());
    let changed = effect::run(&line.actions, event, before, &configuration.arguments);
    assert_eq!(*spm.variables(), changed.variables, "{}", context());
    assert_eq!(outcome.effects, effects(&changed, at, next), "{}", context());
    check_queue(&changed, configuration, spm, (at, event, next));
}

/// PREPAREs go out with transport expedited only; the one for a RESYNCHRONIZE not while an own data separation point
/// is unconfirmed.
fn is_sent(output: Output, with: &[&str], v: &Variables) -> bool {
    let lowest = match v.fu(FunctionalUnits::SYMMETRIC_SYNC) {
        true => v.flows.sending.v_a,
        false => v.v_a,
    };
    let unconfirmed = v.fu(FunctionalUnits::DATA_SEPARATION) && i64::from(v.v_ado) >= i64::from(lowest);
    match output.name() {
        "PR-RS" if with.iter().any(|other| other.starts_with("RS-")) => v.texp && !unconfirmed,
        "PR-RS" | "PR-MAA" | "PR-RA" | "PR-AB" => v.texp,
        _ => true,
    }
}

/// TIM stops on entering STA01 and starts on entering STA15D, beside what actions 3 and 4 do.
fn effects(changed: &Changed, at: State, next: State) -> Effects {
    let timer = match next {
        State::Sta01 if at != next => TimerEffect::Stop,
        State::Sta15D if at != next => TimerEffect::Start,
        _ => changed.timer,
    };
    Effects {
        timer,
        replay: changed.replay,
        queue: changed.queue,
        drop_prepare: changed.drop_prepare,
        keep_user_data: changed.keep_user_data,
        send_overflow: changed.send_overflow,
    }
}

/// The queue grows by action 10, loses PR-RS by the local helper, and ends with the session.
fn check_queue(
    changed: &Changed,
    configuration: &Configuration,
    spm: &Spm,
    (at, event, next): (State, Event, State),
) {
    let mut queue: Vec<Event> = configuration.queue().iter().map(|queued| queued.event).collect();
    if changed.drop_prepare {
        queue.retain(|event| *event != Event::PrRs);
    }
    if changed.queue {
        queue.push(event);
    }
    if at != next && matches!(next, State::Sta01 | State::Sta01C | State::Sta16) {
        queue.clear();
    }
    let actual: Vec<Event> = spm.queue().iter().map(|queued| queued.event).collect();
    assert_eq!(actual, queue, "{at:?} {event:?}");
}

/// No row, or none whose guard holds: the rules for invalid intersections, by who raises the event.
fn check_invalid((at, event): (State, Event), configuration: &Configuration, spm: &Spm, outcome: &Outcome) {
    let context = || format!("{at:?} {event:?} {configuration:#?}");
    assert_eq!(*spm.variables(), configuration.variables, "{}", context());
    let none: &[Output] = &[];
    let abort: &[Output] = match configuration.variables.texp {
        true => &[Output::SPAbInd, Output::PrAb, Output::AbNr],
        false => &[Output::SPAbInd, Output::AbNr],
    };
    use State as S;
    let (next, outputs, timer) = match (event.origin(), at) {
        // Refused at the service boundary.
        (Origin::User, _) => (at, none, TimerEffect::None),
        (Origin::Spdu, S::Sta01C | S::Sta01D) => (S::Sta01, &[Output::TDisReq][..], TimerEffect::Stop),
        (Origin::Spdu, S::Sta01 | S::Sta01A | S::Sta01B | S::Sta16) => (at, none, TimerEffect::None),
        (Origin::Spdu, _) => (S::Sta16, abort, TimerEffect::Start),
        // Impossible with a correct transport: the transport connection is released, where there is one.
        (Origin::Transport | Origin::Timer, S::Sta01) => (at, none, TimerEffect::None),
        (Origin::Transport | Origin::Timer, _) => (S::Sta01, &[Output::TDisReq][..], TimerEffect::Stop),
    };
    assert_eq!((spm.state(), &outcome.outputs[..]), (next, outputs), "{}", context());
    assert_eq!(outcome.effects, Effects { timer, ..Effects::default() }, "{}", context());
    assert_eq!(outcome.is_accepted(), event.origin() != Origin::User, "{}", context());
    let kept = at == next || next == State::Sta15D;
    assert_eq!(spm.queue().len(), if kept { configuration.queue().len() } else { 0 }, "{}", context());
}

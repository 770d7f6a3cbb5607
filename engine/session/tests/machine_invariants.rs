//! No sequence of events, legal or not, breaks what must hold in each state.

mod machine_reference;
mod machine_support;

use std::collections::BTreeSet;

use colloquy_session::machine::{
    Arguments, Event, Origin, QUEUED_EVENTS_MAX, SERIAL_NEXT_MAX, Spm, Variables, Vrsp,
};
use colloquy_session::{FunctionalUnits as Fu, State, Tokens};
use machine_reference::configuration::{Configuration, random_units};
use machine_support::Random;

/// Events in all walks together.
const STEPS: usize = 60_000;
/// Events tried until one has a row, so that walks get far.
const TRIES: usize = 12;

/// What was reached.
#[derive(Default)]
struct Reached {
    states: BTreeSet<&'static str>,
    rows: BTreeSet<usize>,
    sessions: usize,
}

#[test]
fn no_sequence_of_events_breaks_an_invariant() {
    for symmetric in [false, true] {
        let mut random = Random::from_environment(4);
        let mut reached = Reached::default();
        let mut steps = 0;
        while steps < STEPS {
            steps += walk(&mut random, symmetric, &mut reached);
            reached.sessions += 1;
        }
        let Reached { states, rows, sessions } = reached;
        println!("{sessions} walks, {} states, {} rows", states.len(), rows.len());
        assert!(states.len() >= 28, "{states:?}");
        assert!(rows.len() > 400, "{} rows", rows.len());
    }
}

/// From the start until nothing is left to do, or long enough; how many events it took.
fn walk(random: &mut Random, symmetric: bool, reached: &mut Reached) -> usize {
    let keep = random.coin();
    let chosen = Variables { keep_transport: keep, offer_reuse: keep, ..Variables::new() };
    let mut spm = Spm::at(State::Sta01, chosen, &[]);
    let length = random.below(400);
    for step in 0..length {
        disturb(&mut spm, random);
        let (event, arguments) = choose(&spm, random, symmetric);
        if let Some(row) = spm.row(event, &arguments) {
            reached.rows.insert(std::ptr::from_ref(row) as usize);
        }
        let before = (spm.state(), *spm.variables());
        spm.fire(event, &arguments);
        check(&spm, before, event, &arguments);
        while let Some((queued, _)) = spm.replay() {
            check(&spm, before, queued.event, &queued.arguments);
        }
        reached.states.insert(spm.state().name());
        if step > 0 && spm.state() == State::Sta01 {
            return step;
        }
    }
    length
}

fn check(spm: &Spm, before: (State, Variables), event: Event, arguments: &Arguments) {
    let broken = spm.variables().broken_rules(spm.state());
    assert!(broken.is_empty(), "{broken:?} after {event:?} {arguments:?} in {before:?}");
    assert!(spm.queue().len() <= QUEUED_EVENTS_MAX);
}

/// Once in a while the local provider acts, or an SPDU cannot be read.
fn disturb(spm: &mut Spm, random: &mut Random) {
    match random.below(600) {
        0 => drop(spm.protocol_error()),
        1 => drop(spm.unanswered_error()),
        2 => drop(spm.provider_abort()),
        3..10 => drop(spm.exception_report()),
        _ => return,
    }
    assert_eq!(spm.variables().broken_rules(spm.state()), Vec::<&str>::new());
}

/// An event that has a row, mostly; the ends of sessions seldom.
fn choose(spm: &Spm, random: &mut Random, symmetric: bool) -> (Event, Arguments) {
    let up = !matches!(spm.state(), State::Sta01 | State::Sta01A | State::Sta16);
    let mut chosen = (Event::SDtReq, Arguments::NONE);
    for _ in 0..TRIES {
        let event = random.pick(Event::ALL);
        let ends = matches!(
            event,
            Event::AbNr | Event::AbR | Event::Aa | Event::PrAb | Event::SUAbReq | Event::TDisInd | Event::Tim
        );
        if ends && up && !random.one_in(60) {
            continue;
        }
        chosen = (event, arguments(spm, event, random, symmetric));
        let out_of_numbers = event.origin() == Origin::User && !has_numbers_left(spm.variables());
        if !out_of_numbers && spm.row(event, &chosen.1).is_some() {
            return chosen;
        }
    }
    // A blank cell ends the session when an SPDU meets it.
    if up && chosen.0.origin() != Origin::User && !random.one_in(40) {
        return (Event::SDtReq, Arguments::NONE);
    }
    chosen
}

/// Whoever owns the machine asks for no point beyond the last number.
fn has_numbers_left(v: &Variables) -> bool {
    [v.v_m, v.flows.sending.v_m].iter().all(|next| *next < SERIAL_NEXT_MAX)
}

fn arguments(spm: &Spm, event: Event, random: &mut Random, symmetric: bool) -> Arguments {
    let configuration = Configuration::at(*spm.variables(), event);
    let mut arguments = configuration.before(event, random).arguments;
    if matches!(event, Event::Ac | Event::SConRspPos) {
        arguments.functional_units = random_units(random, symmetric);
        arguments.functional_units.set(Fu::SYMMETRIC_SYNC, symmetric && random.coin());
    }
    if random.one_in(200) {
        arguments.serial = Some(SERIAL_NEXT_MAX - 1);
    }
    // Whoever agrees to the transport expedited flow keeps no transport connection.
    arguments.transport_expedited &= !spm.variables().keep_transport;
    arguments
}

#[test]
fn each_broken_rule_is_told() {
    let fine = Variables { functional_units: Fu::HALF_DUPLEX, ..Variables::new() };
    assert_eq!(fine.broken_rules(State::Sta713), Vec::<&str>::new());
    let broken = [
        (Variables { tokens_owned: Tokens::MINOR, ..fine }, State::Sta713, "only available tokens are owned"),
        (Variables { v_a: 2, ..fine }, State::Sta713, "V(A) <= V(M)"),
        (Variables { v_r: 2, ..fine }, State::Sta713, "V(R) <= V(A)"),
        (Variables { vact: true, ..fine }, State::Sta713, "an activity needs activity management"),
        (Variables { vsc: true, ..fine }, State::Sta713, "the right to confirm needs minor synchronize"),
        (Variables { v_ado: 1, ..fine }, State::Sta713, "separation points need data separation"),
        (Variables { vrsp: Vrsp::A, ..fine }, State::Sta05B, "Vrsp says what the state waits for"),
        (Variables { discard_rcv_flow: true, ..fine }, State::Sta713, "both flows are discarded, or none"),
        (Variables { vnextact: false, ..fine }, State::Sta04A, "a major point leaves the activity"),
        (Variables { vnextact: true, ..fine }, State::Sta10B, "an activity end ends it"),
        (Variables { vcoll: true, ..fine }, State::Sta713, "a release collision is in STA03 or STA09"),
        (
            Variables { vdnr: true, ..fine },
            State::Sta09,
            "DN before the own answer belongs to a release collision",
        ),
        (fine, State::Sta19, "exceptions need their unit"),
        (fine, State::Sta21, "capability data are exchanged between activities"),
        (Variables { vtca: true, ..fine }, State::Sta02A, "the initiator sends CONNECT"),
        (fine, State::Sta08, "the responder receives CONNECT"),
    ];
    for (v, state, rule) in broken {
        assert!(v.broken_rules(state).contains(&rule), "{rule}: {:?}", v.broken_rules(state));
    }
    let mut flows = fine.flows;
    flows.sending.v_a = 9;
    let v = Variables { flows, ..fine };
    assert!(v.broken_rules(State::Sta713).contains(&"V(As) <= V(Ms), V(Ar) <= V(Mr)"));
    assert!(v.broken_rules(State::Sta713).contains(&"without SS the flows are not counted"));
}

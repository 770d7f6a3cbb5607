//! Two machines without octets, back to back over an ordered normal flow and an expedited one that overtakes, driven by
//! random users that ask for everything; at each quiet point both must agree.

mod user;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::machine_reference::Line;
use crate::machine_support::Random;
use colloquy_session::machine::{
    Arguments, Cause, Event, Flow, Origin, Outcome, Output, Spm, Variables, Vrsp, numbers_sent,
};
use colloquy_session::{FunctionalUnits as Fu, State, Tokens};

/// Steps in which a pair must become quiet once nothing new is asked for.
const STEPS_TO_QUIET_MAX: usize = 400;
/// Things users do between two quiet points, at most.
const BURST_MAX: usize = 24;

/// An SPDU on its way.
#[derive(Clone, Copy, Debug)]
struct Sent {
    event: Event,
    arguments: Arguments,
    /// Counts what one side sent on both flows.
    order: u64,
}

/// One direction.
#[derive(Debug, Default)]
struct Wire {
    normal: VecDeque<Sent>,
    expedited: VecDeque<Sent>,
}

impl Wire {
    fn is_empty(&self) -> bool {
        self.normal.is_empty() && self.expedited.is_empty()
    }

    /// What comes next: expedited data overtakes, but is never overtaken.
    fn take(&mut self, random: &mut Random) -> Option<Sent> {
        let overtakes = match (self.normal.front(), self.expedited.front()) {
            (Some(normal), Some(expedited)) => expedited.order < normal.order || random.coin(),
            (None, _) => true,
            (_, None) => false,
        };
        if overtakes { self.expedited.pop_front() } else { self.normal.pop_front() }
    }
}

/// What happened in all pairs.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    steps: usize,
    quiet_points: usize,
    /// Rows of symmetric synchronize that fired.
    pub(crate) rows: BTreeSet<String>,
    /// SPDUs that arrived.
    arrived: BTreeMap<&'static str, usize>,
}

impl Totals {
    /// Enough happened for the agreement to mean something.
    pub(crate) fn assert_busy(&self) {
        assert!(self.quiet_points > 1000, "{} quiet points", self.quiet_points);
        for name in
            ["MIP", "MIP-d", "MIA", "MAP", "MAA", "AE", "RS-a", "RS-r", "RS-s", "RA", "AS", "AR", "AI", "ED"]
        {
            assert!(self.arrived.get(name).is_some_and(|count| *count > 10), "{name}: {:?}", self.arrived);
        }
    }
}

/// Two machines and what is between them.
#[derive(Debug)]
pub(crate) struct Pair {
    /// Initiator, responder.
    sides: [Spm; 2],
    /// From the initiator, from the responder.
    wires: [Wire; 2],
    order: u64,
    /// A session that is over is not driven further.
    over: bool,
    /// What happened, for a failure.
    history: Vec<String>,
}

impl Pair {
    /// Both in STA713, all tokens with the initiator.
    pub(crate) fn established(random: &mut Random, symmetric: bool) -> Pair {
        let texp = random.coin();
        let mut units = Fu::from_bits_truncate(random.bits() as u16) | Fu::RESYNCHRONIZE;
        units -= Fu::HALF_DUPLEX | Fu::DUPLEX | Fu::SYMMETRIC_SYNC | Fu::MINOR_SYNC;
        units |= if random.one_in(3) { Fu::DUPLEX } else { Fu::HALF_DUPLEX };
        units |= if symmetric { Fu::SYMMETRIC_SYNC } else { Fu::MINOR_SYNC };
        units.set(Fu::EXPEDITED, texp && units.contains(Fu::EXPEDITED));
        let agreed = |positions| Arguments {
            functional_units: units,
            positions,
            serial: Some(3),
            second_serial: Some(8),
            transport_expedited: texp,
            ..Arguments::NONE
        };
        let mut sides = [Spm::at(State::Sta02A, Variables::new(), &[]), Spm::default()];
        sides[1] = Spm::at(State::Sta08, Variables { vtca: true, ..Variables::new() }, &[]);
        let accepted = sides[1].fire(Event::SConRspPos, &agreed(Tokens::empty()));
        let confirmed = sides[0].fire(Event::Ac, &agreed(Tokens::all()));
        for outcome in [accepted, confirmed] {
            assert!(matches!(outcome.cause, Cause::Row(_)));
        }
        Pair { sides, wires: Default::default(), order: 0, over: false, history: Vec::new() }
    }

    /// Bursts of what users and wires do, each followed by a quiet point.
    pub(crate) fn run(&mut self, random: &mut Random, steps: usize, totals: &mut Totals) {
        let until = totals.steps + steps;
        while totals.steps < until && !self.over {
            for _ in 0..random.below(BURST_MAX) {
                let side = random.below(2);
                match random.coin() {
                    true => self.ask(side, random, totals),
                    false => self.deliver(side, random, totals),
                }
                totals.steps += 1;
            }
            self.become_quiet(random, totals);
        }
    }

    fn is_quiet(&self) -> bool {
        self.wires.iter().all(Wire::is_empty) && self.sides.iter().all(|side| side.state() == State::Sta713)
    }

    /// Only what is owed is done, until nothing is on its way.
    fn become_quiet(&mut self, random: &mut Random, totals: &mut Totals) {
        for _ in 0..STEPS_TO_QUIET_MAX {
            if self.over {
                return;
            }
            if self.is_quiet() {
                totals.quiet_points += 1;
                return self.agree();
            }
            let side = random.below(2);
            match self.wires[side].is_empty() {
                true => self.answer(1 - side, random, totals),
                false => self.deliver(side, random, totals),
            }
        }
        panic!("not quiet: {}", self.told());
    }

    /// What both sides must agree on when nothing is on its way.
    fn agree(&self) {
        let [i, r] = [self.sides[0].variables(), self.sides[1].variables()];
        let told = || self.told();
        assert_eq!(i.tokens_owned & r.tokens_owned, Tokens::empty(), "one owner: {}", told());
        assert_eq!(i.tokens_owned | r.tokens_owned, i.tokens_available(), "an owner: {}", told());
        assert_eq!(i.vact, r.vact, "{}", told());
        for v in [i, r] {
            assert_eq!(
                (v.vrsp, v.flows.sending.vrsp, v.flows.receiving.vrsp),
                (Vrsp::No, Vrsp::No, Vrsp::No)
            );
            assert!(!v.discard_rcv_flow && !v.discard_snd_flow, "{}", told());
        }
        // Between activities the numbers mean nothing.
        if i.fu(Fu::ACTIVITY) && !i.vact {
            return;
        }
        if i.fu(Fu::SYMMETRIC_SYNC) {
            let numbers = |flow: Flow| (flow.v_m, flow.v_a, flow.v_r);
            assert_eq!(numbers(i.flows.sending), numbers(r.flows.receiving), "{}", told());
            assert_eq!(numbers(r.flows.sending), numbers(i.flows.receiving), "{}", told());
        } else {
            assert_eq!((i.v_m, i.v_r), (r.v_m, r.v_r), "{}", told());
        }
    }

    /// Delivers what `from` sent first.
    fn deliver(&mut self, from: usize, random: &mut Random, totals: &mut Totals) {
        let Some(sent) = self.wires[from].take(random) else { return };
        let to = 1 - from;
        *totals.arrived.entry(sent.event.name()).or_default() += 1;
        self.note(to, sent.event, &sent.arguments);
        let outcome = self.sides[to].fire(sent.event, &sent.arguments);
        self.carry(to, sent.event, &sent.arguments, &outcome, totals);
        while let Some((queued, outcome)) = self.sides[to].replay() {
            self.carry(to, queued.event, &queued.arguments, &outcome, totals);
        }
    }

    /// A request or response of the user; false when it is refused.
    fn primitive(&mut self, side: usize, event: Event, arguments: &Arguments, totals: &mut Totals) -> bool {
        let outcome = self.sides[side].fire(event, arguments);
        if !outcome.is_accepted() {
            return false;
        }
        self.note(side, event, arguments);
        self.carry(side, event, arguments, &outcome, totals);
        while let Some((queued, outcome)) = self.sides[side].replay() {
            self.carry(side, queued.event, &queued.arguments, &outcome, totals);
        }
        true
    }

    /// Puts what an outcome sends on the wire.
    fn carry(
        &mut self,
        side: usize,
        event: Event,
        arguments: &Arguments,
        outcome: &Outcome,
        totals: &mut Totals,
    ) {
        let Cause::Row(row) = outcome.cause else {
            panic!("{:?} on {event:?} {arguments:?}: {}", outcome.cause, self.told())
        };
        if !row.trust.verified && outcome.before.fu(Fu::SYMMETRIC_SYNC) {
            let symmetric = colloquy_session::machine::tables::symmetric_cell(row.state, row.event);
            if symmetric.iter().any(|other| std::ptr::eq(other, row)) {
                totals.rows.insert(Line::of(row).title());
            }
        }
        let spdus = outcome.outputs.iter().filter(|output| output.is_spdu());
        for output in spdus {
            self.order += 1;
            let sent = Sent {
                event: *Event::ALL
                    .iter()
                    .find(|event| event.origin() == Origin::Spdu && event.name() == output.name())
                    .expect("an SPDU can be received"),
                arguments: received(*output, outcome, arguments),
                order: self.order,
            };
            let expedited = outcome.before.texp
                && matches!(output, Output::PrMaa | Output::PrRs | Output::PrRa | Output::PrAb | Output::Ex);
            match expedited {
                true => self.wires[side].expedited.push_back(sent),
                false => self.wires[side].normal.push_back(sent),
            }
        }
        self.over |= matches!(self.sides[side].state(), State::Sta01 | State::Sta16);
    }

    fn note(&mut self, side: usize, event: Event, arguments: &Arguments) {
        let Arguments { serial, second_serial, second_resync, tokens, .. } = arguments;
        self.history.push(format!(
            "{} {} in {}: {serial:?} {second_serial:?} {second_resync:?} {tokens:?}",
            ["initiator", "responder"][side],
            event.name(),
            self.sides[side].state().name()
        ));
    }

    /// The last things that happened, and where both sides are.
    fn told(&self) -> String {
        let from = self.history.len().saturating_sub(60);
        format!("{:#?}\n{:#?}\n{:?}", &self.history[from..], self.sides, self.wires)
    }
}

/// The event an SPDU is to its receiver.
fn received(output: Output, outcome: &Outcome, arguments: &Arguments) -> Arguments {
    let before = &outcome.before;
    let symmetric = before.fu(Fu::SYMMETRIC_SYNC);
    let [serial, second_serial] = match symmetric {
        true => numbers_sent(output, before, arguments),
        false => [number_sent(output, before, arguments), None],
    };
    let mut event = Arguments { serial, second_serial, tokens: arguments.tokens, ..Arguments::NONE };
    match output {
        Output::RsA | Output::RsR | Output::RsS => event.second_resync = arguments.second_resync,
        // RA tells where the tokens are: here or there.
        Output::Ra => event.positions = Tokens::all() - arguments.positions,
        Output::PrRs if symmetric => {
            event.first_resync = outcome.outputs.iter().find_map(|announced| match announced {
                Output::RsA => Some(Vrsp::A),
                Output::RsR => Some(Vrsp::R),
                Output::RsS => Some(Vrsp::S),
                _ => None,
            });
            event.second_resync = arguments.second_resync;
        }
        _ => {}
    }
    event
}

/// The serial number an SPDU carries without symmetric synchronize.
fn number_sent(output: Output, before: &Variables, arguments: &Arguments) -> Option<u32> {
    match output {
        Output::Mip | Output::MipD | Output::Map | Output::Ae | Output::RsA => Some(before.v_m),
        Output::Maa | Output::Aea => before.v_m.checked_sub(1),
        Output::Mia | Output::RsR | Output::RsS | Output::Ra | Output::Ar => arguments.serial,
        _ => None,
    }
}

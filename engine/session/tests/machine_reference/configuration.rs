//! Configurations of the machine before an event: random ones, and ones sought that satisfy a guard.

use super::{state, term};
use crate::machine_support::Random;
use colloquy_session::machine::{
    Arguments, Event, Flow, Flows, Predicate, Queued, Variables, View, Vrsp, tokens_of,
};
use colloquy_session::{FunctionalUnits, State, Tokens};

/// Restarts of a search that is to succeed.
pub(crate) const ATTEMPTS: usize = 200;
/// Restarts of a search that is known to fail.
pub(crate) const ATTEMPTS_IN_VAIN: usize = 4;
/// Changes tried after a restart.
const STEPS: usize = 240;

/// Variables, what the event brings along, and whether PR-RS waits in the queue.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) event: Event,
    pub(crate) variables: Variables,
    pub(crate) arguments: Arguments,
    pub(crate) prepare_queued: bool,
}

impl Configuration {
    /// Any configuration, not necessarily one that the machine can be in.
    pub(crate) fn random(random: &mut Random, event: Event, symmetric: bool) -> Configuration {
        let mut configuration = Configuration::at(Variables::new(), event);
        for field in 0..FIELDS {
            configuration.change(field, random, symmetric);
        }
        configuration
    }

    /// These variables before an event that brings nothing along.
    pub(crate) fn at(variables: Variables, event: Event) -> Configuration {
        Configuration { event, variables, arguments: Arguments::NONE, prepare_queued: false }
    }

    /// The same variables before another event.
    pub(crate) fn before(&self, event: Event, random: &mut Random) -> Configuration {
        let mut configuration = self.clone();
        (configuration.event, configuration.arguments) = (event, Arguments::NONE);
        for field in 23..FIELDS {
            configuration.change(field, random, self.variables.fu(FunctionalUnits::SYMMETRIC_SYNC));
        }
        configuration
    }

    /// What predicates look at.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            variables: &self.variables,
            event: self.event,
            arguments: &self.arguments,
            prepare_queued: self.prepare_queued,
        }
    }

    /// The queue of action 10.
    pub(crate) fn queue(&self) -> Vec<Queued> {
        let prepare = Queued { event: Event::PrRs, arguments: Arguments::NONE };
        if self.prepare_queued { vec![prepare] } else { vec![] }
    }

    /// Changes one field.
    fn change(&mut self, field: usize, random: &mut Random, symmetric: bool) {
        let v = &mut self.variables;
        match field {
            0 => v.functional_units = random_units(random, symmetric),
            1 => v.functional_units.toggle(one_unit(random)),
            2 => {
                let some = random_tokens(random) & tokens_of(v.functional_units);
                v.tokens_owned = random.pick(&[tokens_of(v.functional_units), Tokens::empty(), some]);
            }
            3 => v.vtca = random.coin(),
            4 => v.texp = random.coin(),
            5 => v.vtrr = random.coin(),
            6 => v.vcoll = random.coin(),
            7 => v.vdnr = random.coin(),
            8 => v.vact = random.coin() && v.functional_units.contains(FunctionalUnits::ACTIVITY),
            9 => v.vnextact = random.coin(),
            10 => v.vsc = random.coin(),
            11 => v.v_m = random.below(6) as u32,
            12 => v.v_a = random.below(6) as u32,
            13 => v.v_r = random.below(6) as u32,
            14 => v.vrsp = random.pick(&[Vrsp::No, Vrsp::R, Vrsp::S, Vrsp::A, Vrsp::Int, Vrsp::Dsc]),
            15 => v.vrspnb = random.below(6) as u32,
            16 => v.v_ado = random.below(6) as i32 - 1,
            17 => v.v_adi = random.below(6) as i32 - 1,
            18 => (v.discard_rcv_flow, v.discard_snd_flow) = (random.coin(), random.coin()),
            19 => v.keep_transport = random.coin(),
            20 => v.offer_reuse = random.coin(),
            21 if symmetric => v.flows = Flows { sending: random_flow(random), ..v.flows },
            22 if symmetric => v.flows = Flows { receiving: random_flow(random), ..v.flows },
            23 => self.prepare_queued = random.coin(),
            _ => self.change_arguments(field, random, symmetric),
        }
        let v = &mut self.variables;
        v.tokens_owned &= tokens_of(v.functional_units);
        v.vact &= v.functional_units.contains(FunctionalUnits::ACTIVITY);
        if !symmetric {
            v.functional_units -= FunctionalUnits::SYMMETRIC_SYNC;
        }
    }

    fn change_arguments(&mut self, field: usize, random: &mut Random, symmetric: bool) {
        let v = self.variables;
        let a = &mut self.arguments;
        match field {
            24 => {
                let some = random_tokens(random);
                a.tokens = random.pick(&[some, some & v.tokens_owned, some & v.tokens_available()]);
            }
            25 => a.positions = random_tokens(random),
            26 => a.serial = random_serial(random, &v),
            27 => a.kept = random.coin(),
            28 => a.functional_units = random_units(random, symmetric),
            29 => a.transport_expedited = random.coin() && !v.keep_transport,
            30 => a.unacceptable = random.coin(),
            31 => a.overflow = random.coin(),
            32 => a.last = random.coin(),
            33 if symmetric => a.second_serial = random_serial(random, &v),
            34 if symmetric && names_kinds(self.event) => a.second_resync = random_kind(random),
            35 if symmetric && self.event == Event::PrRs => a.first_resync = random_kind(random),
            _ => {}
        }
    }
}

/// How many fields [`Configuration::change`] knows.
const FIELDS: usize = 36;

/// Events that may name the kind of resynchronization of a second flow.
fn names_kinds(event: Event) -> bool {
    use Event as E;
    matches!(event, E::RsA | E::RsR | E::RsS | E::SRsynReqA | E::SRsynReqR | E::SRsynReqS | E::PrRs)
}

fn random_kind(random: &mut Random) -> Option<Vrsp> {
    random.pick(&[None, Some(Vrsp::R), Some(Vrsp::S), Some(Vrsp::A)])
}

fn random_serial(random: &mut Random, v: &Variables) -> Option<u32> {
    let near = [
        v.v_m,
        v.v_m.saturating_sub(1),
        v.v_a,
        v.v_r,
        v.vrspnb,
        v.flows.sending.v_m.saturating_sub(1),
        v.flows.receiving.v_m,
        v.flows.sending.vrspnb,
        v.flows.receiving.vrspnb,
        random.below(7) as u32,
    ];
    (!random.one_in(8)).then(|| random.pick(&near))
}

fn random_flow(random: &mut Random) -> Flow {
    let v_m = random.below(6) as u32;
    Flow {
        v_m,
        v_a: random.below(6).min(v_m as usize) as u32,
        v_r: random.below(6).min(v_m as usize) as u32,
        vrsp: random.pick(&[Vrsp::No, Vrsp::R, Vrsp::S, Vrsp::A]),
        vrspnb: random.below(6) as u32,
    }
}

/// Any units with exactly one of half duplex and duplex.
pub(crate) fn random_units(random: &mut Random, symmetric: bool) -> FunctionalUnits {
    let mut units = FunctionalUnits::from_bits_truncate(random.bits() as u16);
    if random.one_in(4) {
        // Sessions without any token.
        units &= FunctionalUnits::EXPEDITED | FunctionalUnits::RESYNCHRONIZE | FunctionalUnits::TYPED_DATA;
        units.set(FunctionalUnits::SYMMETRIC_SYNC, symmetric);
        return units | FunctionalUnits::DUPLEX;
    }
    units -= FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX;
    units.set(FunctionalUnits::SYMMETRIC_SYNC, symmetric);
    units | random.pick(&[FunctionalUnits::HALF_DUPLEX, FunctionalUnits::DUPLEX])
}

/// One unit; half duplex and duplex change together.
fn one_unit(random: &mut Random) -> FunctionalUnits {
    let pair = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX;
    let unit = FunctionalUnits::from_bits_truncate(1 << random.below(13));
    match unit {
        FunctionalUnits::SYMMETRIC_SYNC => FunctionalUnits::empty(),
        _ if pair.contains(unit) => pair,
        _ => unit,
    }
}

fn random_tokens(random: &mut Random) -> Tokens {
    Tokens::from_bits_truncate(random.bits() as u8)
}

/// What a search is to satisfy.
pub(crate) struct Goal {
    pub(crate) state: State,
    pub(crate) event: Event,
    /// With symmetric synchronize selected.
    pub(crate) symmetric: bool,
    /// Terms that must have this value.
    pub(crate) terms: Vec<(Predicate, bool)>,
    /// Guards none of which may hold.
    pub(crate) avoided: Vec<Vec<(Predicate, bool)>>,
}

impl Goal {
    /// A cell, and nothing to satisfy yet.
    pub(crate) fn new(state: State, event: Event) -> Goal {
        Goal { state, event, symmetric: false, terms: Vec::new(), avoided: Vec::new() }
    }

    /// This guard holds; the term at `falsified` does not.
    pub(crate) fn guard(mut self, guard: &[String], falsified: Option<usize>) -> Goal {
        let terms = guard.iter().enumerate().map(|(index, text)| {
            let (predicate, negated) = term(text);
            (predicate, negated == (Some(index) == falsified))
        });
        self.terms.extend(terms);
        self
    }

    /// None of these guards holds.
    pub(crate) fn avoid(mut self, guards: &[&[String]]) -> Goal {
        let wanted = |text: &String| (term(text).0, !term(text).1);
        self.avoided = guards.iter().map(|guard| guard.iter().map(wanted).collect()).collect();
        self
    }

    /// How much of the goal is missed.
    fn missed(&self, configuration: &Configuration) -> usize {
        let view = configuration.view();
        let missed = self.terms.iter().filter(|(predicate, value)| predicate.holds(&view) != *value);
        let holds = |guard: &&Vec<(Predicate, bool)>| {
            guard.iter().all(|(predicate, value)| predicate.holds(&view) == *value)
        };
        let symmetric = configuration.variables.fu(FunctionalUnits::SYMMETRIC_SYNC) != self.symmetric;
        let v = &configuration.variables;
        // Whoever agrees to the transport expedited flow sees to it.
        let reuse = configuration.arguments.transport_expedited && v.keep_transport;
        missed.count()
            + usize::from(reuse)
            + self.avoided.iter().filter(holds).count()
            + configuration.variables.broken_rules(self.state).len()
            + usize::from(symmetric && !matches!(self.event, Event::Ac | Event::SConRspPos))
    }

    /// A configuration that the machine can be in and that satisfies the goal; changes that do not worsen a random
    /// one are kept until nothing is missed.
    pub(crate) fn seek(&self, random: &mut Random, attempts: usize) -> Option<Configuration> {
        for _ in 0..attempts {
            let mut configuration = Configuration::random(random, self.event, self.symmetric);
            let mut missed = self.missed(&configuration);
            for _ in 0..STEPS {
                if missed == 0 {
                    return Some(configuration);
                }
                let mut changed = configuration.clone();
                for _ in 0..=random.below(2) {
                    changed.change(random.below(FIELDS), random, self.symmetric);
                }
                let now = self.missed(&changed);
                if now <= missed {
                    (configuration, missed) = (changed, now);
                }
            }
        }
        None
    }
}

/// The cell of these names.
pub(crate) fn cell(state_name: &str, event_name: &str) -> (State, Event) {
    let event = Event::ALL.iter().find(|event| event.name() == event_name).expect("a known event");
    (state(state_name), *event)
}

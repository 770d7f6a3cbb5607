//! What a random user asks for, and what it owes.

use super::{Pair, Totals};
use crate::machine_support::Random;
use colloquy_session::machine::{Arguments, Event, Output, Variables, Vrsp, numbers_sent};
use colloquy_session::{FunctionalUnits as Fu, State, Tokens};

/// Highest number a user sets or resumes from; small, so that numbers meet.
const SET_MAX: usize = 12;

/// What users ask for; release once in a while.
const REQUESTS: &[Event] = &[
    Event::SDtReq,
    Event::STdReq,
    Event::SExReq,
    Event::SCdReq,
    Event::SGtReq,
    Event::SPtReq,
    Event::SCgReq,
    Event::SSynMinReq,
    Event::SSynMinReq,
    Event::SSynMinDsReq,
    Event::SSynMinDsReq,
    Event::SSynMinRsp,
    Event::SSynMinRsp,
    Event::SSynMajReq,
    Event::SSynMajReq,
    Event::SRsynReqA,
    Event::SRsynReqR,
    Event::SRsynReqS,
    Event::SActSReq,
    Event::SActSReq,
    Event::SActRReq,
    Event::SActIReq,
    Event::SActDReq,
    Event::SActEReq,
    Event::SUErReq,
];

impl Pair {
    /// The user asks for something, or answers.
    pub(super) fn ask(&mut self, side: usize, random: &mut Random, totals: &mut Totals) {
        if random.one_in(3) {
            return self.answer(side, random, totals);
        }
        let event = if random.one_in(150) { Event::SRelReq } else { random.pick(REQUESTS) };
        let arguments = arguments(event, self.sides[side].variables(), random);
        // GIVE TOKENS and PLEASE TOKENS without Token Item are no events.
        if arguments.tokens.is_empty() && matches!(event, Event::SGtReq | Event::SPtReq) {
            return;
        }
        self.primitive(side, event, &arguments, totals);
    }

    /// The user gives the answer it owes, or ends an exception by giving the data token.
    pub(super) fn answer(&mut self, side: usize, random: &mut Random, totals: &mut Totals) {
        let event = match self.sides[side].state() {
            State::Sta09 if random.one_in(3) => Event::SRelRspNeg,
            State::Sta09 => Event::SRelRspPos,
            State::Sta10A => Event::SSynMajRsp,
            State::Sta10B => Event::SActERsp,
            State::Sta11A => Event::SRsynRsp,
            State::Sta11B => Event::SActIRsp,
            State::Sta11C => Event::SActDRsp,
            State::Sta20 => Event::SGtReq,
            State::Sta22 => Event::SCdRsp,
            _ => return,
        };
        let mut arguments = arguments(event, self.sides[side].variables(), random);
        if event == Event::SGtReq {
            arguments.tokens = Tokens::DATA;
        }
        let accepted = self.primitive(side, event, &arguments, totals);
        if !accepted && event == Event::SRelRspNeg {
            self.primitive(side, Event::SRelRspPos, &Arguments::NONE, totals);
        }
    }
}

/// Arguments that often are accepted.
fn arguments(event: Event, v: &Variables, random: &mut Random) -> Arguments {
    let some_tokens = Tokens::from_bits_truncate(random.bits() as u8) & v.tokens_available();
    let mut a = Arguments { tokens: some_tokens, ..Arguments::NONE };
    let symmetric = v.fu(Fu::SYMMETRIC_SYNC);
    match event {
        Event::SRsynReqA | Event::SRsynReqR | Event::SRsynReqS => resynchronize(event, v, random, &mut a),
        Event::SRsynRsp => {
            a.positions = some_tokens;
            a.serial = Some(random.below(SET_MAX) as u32);
            a.second_serial = Some(random.below(SET_MAX) as u32);
            match (symmetric, v.vrsp) {
                (true, _) => [a.serial, a.second_serial] = numbers_sent(Output::Ra, v, &a),
                (false, Vrsp::R) => a.serial = Some(v.vrspnb),
                (false, Vrsp::A) => a.serial = Some(v.v_m),
                _ => {}
            }
        }
        Event::SSynMinRsp => {
            let (lowest, next) = match symmetric {
                true => (v.flows.receiving.v_a, v.flows.receiving.v_m),
                false => (v.v_a, v.v_m),
            };
            a.serial = Some(between(lowest, next, random));
        }
        Event::SActRReq => {
            a.serial = Some(random.below(SET_MAX) as u32);
            a.second_serial = symmetric.then(|| random.below(SET_MAX) as u32);
        }
        _ => {}
    }
    a
}

/// One flow or both, each restarted, set or abandoned.
fn resynchronize(event: Event, v: &Variables, random: &mut Random, a: &mut Arguments) {
    let number = |kind: Vrsp, (lowest, next): (u32, u32), random: &mut Random| match kind {
        Vrsp::A => next,
        Vrsp::R => between(lowest, next + 1, random),
        _ => random.below(SET_MAX) as u32,
    };
    let kind = match event {
        Event::SRsynReqA => Vrsp::A,
        Event::SRsynReqR => Vrsp::R,
        _ => Vrsp::S,
    };
    if !v.fu(Fu::SYMMETRIC_SYNC) {
        a.serial = Some(number(kind, (v.v_r, v.v_m), random));
        return;
    }
    let (sending, receiving) = (v.flows.sending, v.flows.receiving);
    a.serial = Some(number(kind, (sending.v_r, sending.v_m), random));
    a.second_resync = random.pick(&[None, Some(Vrsp::R), Some(Vrsp::S), Some(Vrsp::A)]);
    a.second_serial = a.second_resync.map(|kind| number(kind, (receiving.v_r, receiving.v_m), random));
}

/// A number from `lowest` to below `next`.
fn between(lowest: u32, next: u32, random: &mut Random) -> u32 {
    lowest + random.below(next.saturating_sub(lowest).max(1) as usize) as u32
}

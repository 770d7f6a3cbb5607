//! Symmetric synchronize: the counters of both flows, and which number of an event belongs to which flow.
//!
//! `[unverified]` as a whole: predicates p173 to p187, actions 42, 45 and 62 to 72 and their variables are known,
//! the rows of the standard are not. Nothing here is looked at unless FU(SS) is selected.
//!
//! The order of two numbers in one event is a decision, because no source gives it: the first number (PI 42; in
//! CN and AC PI 23) belongs to the *sending* flow of the side that begins the exchange, the second one (PI 54,
//! PI 55) to its receiving flow, and the answer keeps that order. It is the only reading under which p173, p174
//! and actions 19 and 71 name the same flows on both sides, and under which a one-flow RESYNCHRONIZE is answered
//! by the one number that its acknowledgement must carry.

use super::predicate::{View, rank};
use super::variables::{Arguments, Variables, Vrsp};
use super::{Event, Origin, Output};
use crate::{FunctionalUnits as Fu, SerialNumber};

/// The counters of one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// V(Ms), V(Mr): the next serial number.
    pub v_m: u32,
    /// V(As), V(Ar): the lowest serial number a confirmation is expected for. Invariant: at most the next one.
    pub v_a: u32,
    /// V(Rs), V(Rr): the lowest serial number a restart may go back to.
    pub v_r: u32,
    /// Vrsps, Vrspr.
    pub vrsp: Vrsp,
    /// Vrspnbs, Vrspnbr: the serial number when the flow is restarted.
    pub vrspnb: u32,
}

/// The flow that is sent from here, and the one that is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flows {
    /// V(As), V(Ms), V(Rs), Vrsps, Vrspnbs.
    pub sending: Flow,
    /// V(Ar), V(Mr), V(Rr), Vrspr, Vrspnbr.
    pub receiving: Flow,
}

/// What an event says about one flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The kind of resynchronization; `None` when the flow is not concerned.
    pub(super) kind: Option<Vrsp>,
    /// The serial number.
    pub(super) serial: Option<u32>,
}

impl Flow {
    /// The values before the first event.
    pub const fn new() -> Flow {
        Flow { v_m: 1, v_a: 1, v_r: 0, vrsp: Vrsp::No, vrspnb: 0 }
    }

    /// This is the number given last.
    pub(super) fn is_last(&self, sn: Option<u32>) -> bool {
        sn.is_some() && sn == self.v_m.checked_sub(1)
    }

    /// A confirmation of this number is outstanding.
    pub(super) fn is_outstanding(&self, sn: u32) -> bool {
        self.v_m > sn && sn >= self.v_a
    }

    /// p32 for this flow.
    pub(super) fn restart_not_below(&self, named: Named) -> bool {
        named.kind != Some(Vrsp::R) || named.serial.is_some_and(|sn| sn >= self.v_r)
    }

    /// p33 for this flow.
    pub(super) fn restart_in_range(&self, named: Named) -> bool {
        named.kind != Some(Vrsp::R) || named.serial.is_some_and(|sn| self.v_m >= sn && sn >= self.v_r)
    }

    /// Actions 22 and 64: everything is confirmed.
    pub(super) fn confirm_all(&mut self) {
        self.v_a = self.v_m;
        self.v_r = self.v_m;
    }

    /// Numbers and lower limit set anew.
    pub(super) fn begin(&mut self, next: u32, lowest_restart: u32) {
        (self.v_a, self.v_m, self.v_r) = (next, next, lowest_restart);
    }

    /// Action 28 for this flow, when it is being resynchronized.
    pub(super) fn resynchronized(&mut self, serial: Option<u32>) {
        if self.vrsp == Vrsp::No {
            return;
        }
        if let Some(sn) = serial {
            (self.v_a, self.v_m) = (sn, sn);
        }
        if matches!(self.vrsp, Vrsp::A | Vrsp::S) {
            self.v_r = 0;
        }
        // A peer that confirms what nobody asked for may have raised it above a restart already recorded.
        self.v_r = self.v_r.min(self.v_a);
        self.vrsp = Vrsp::No;
    }

    /// Action 16 for this flow; true when it is concerned.
    pub(super) fn record(&mut self, named: Named) -> bool {
        self.vrsp = named.kind.unwrap_or_default();
        if let (Vrsp::R, Some(sn)) = (self.vrsp, named.serial) {
            self.vrspnb = sn;
        }
        named.kind.is_some()
    }
}

impl Default for Flow {
    fn default() -> Self {
        Self::new()
    }
}

impl Flows {
    /// The values before the first event.
    pub const fn new() -> Flows {
        Flows { sending: Flow::new(), receiving: Flow::new() }
    }

    /// Sending, receiving.
    pub(super) fn both(&self) -> [Flow; 2] {
        [self.sending, self.receiving]
    }

    /// Sending, receiving, to be changed.
    pub(super) fn both_mut(&mut self) -> [&mut Flow; 2] {
        [&mut self.sending, &mut self.receiving]
    }
}

impl Default for Flows {
    fn default() -> Self {
        Self::new()
    }
}

/// The first number of this event belongs to the sending flow here.
///
/// That is so for what this side begins, and for the answers to it.
fn first_is_sending(event: Event) -> bool {
    use Event as E;
    match event.origin() {
        Origin::User => !matches!(
            event,
            E::SConRspPos
                | E::SConRspNeg
                | E::SCdRsp
                | E::SSynMinRsp
                | E::SSynMajRsp
                | E::SRsynRsp
                | E::SActIRsp
                | E::SActDRsp
                | E::SActERsp
                | E::SRelRspPos
                | E::SRelRspNeg
        ),
        _ => matches!(event, E::Mia | E::Maa | E::Aea | E::Ra | E::Ac),
    }
}

/// What an event says about the sending and the receiving flow.
pub(super) fn named(event: Event, arguments: &Arguments) -> [Named; 2] {
    let kind = match rank(event) {
        Vrsp::No => arguments.first_resync,
        Vrsp::Int | Vrsp::Dsc => None,
        kind => Some(kind),
    };
    let first = Named { kind, serial: arguments.serial };
    let second = Named { kind: arguments.second_resync, serial: arguments.second_serial };
    if first_is_sending(event) { [first, second] } else { [second, first] }
}

/// The serial numbers an output carries under symmetric synchronize: first and second.
///
/// `before` are the variables before the event, `after` those after its actions. What the user names (restart
/// and set, resumption, confirmed minor points) is taken from `arguments`. In RESYNCHRONIZE ACK an abandoned flow
/// gets its number after action 19, a restarted one the number of the RESYNCHRONIZE.
pub fn numbers_sent(output: Output, before: &Variables, arguments: &Arguments) -> [Option<u32>; 2] {
    let Flows { sending, receiving } = before.flows;
    let given = [arguments.serial, arguments.second_serial];
    match output {
        Output::Mip | Output::MipD => [Some(sending.v_m), None],
        Output::Map | Output::Ae => [Some(sending.v_m), Some(receiving.v_m)],
        Output::Maa | Output::Aea => [receiving.v_m.checked_sub(1), Some(sending.v_m)],
        Output::RsA | Output::RsR | Output::RsS => {
            let kinds = named(Event::SRsynReqA, arguments);
            let second = match kinds[1].kind {
                Some(Vrsp::A) => Some(receiving.v_m),
                Some(_) => given[1],
                None => None,
            };
            [if output == Output::RsA { Some(sending.v_m) } else { given[0] }, second]
        }
        Output::Ra => [answer(&receiving, given[0]), answer(&sending, given[1])],
        Output::Mia | Output::Ar => given,
        _ => [None, None],
    }
}

/// The number a RESYNCHRONIZE ACK carries for a flow.
fn answer(flow: &Flow, given: Option<u32>) -> Option<u32> {
    match flow.vrsp {
        Vrsp::R => Some(flow.vrspnb),
        // All numbers may be used; RA has to carry one all the same, and both sides go on from it.
        Vrsp::A => Some(flow.v_m.min(SerialNumber::MAX.0)),
        Vrsp::S => given,
        _ => None,
    }
}

impl View<'_> {
    /// The serial numbers of the event: of the sending and of the receiving flow.
    pub(super) fn serials(&self) -> [Option<u32>; 2] {
        self.flows_named().map(|named| named.serial)
    }

    /// What the event says about the sending and the receiving flow.
    pub(super) fn flows_named(&self) -> [Named; 2] {
        named(self.event, self.arguments)
    }

    /// The strongest kind of resynchronization that the event asks for, of either flow.
    pub(super) fn strongest_named(&self) -> Vrsp {
        self.arguments.second_resync.unwrap_or_default()
    }

    /// The event is one that selects functional units, and selects symmetric synchronize.
    pub(super) fn selects_symmetric(&self) -> bool {
        selects_symmetric(self.event, self.arguments)
    }
}

/// The event is one that selects functional units, and selects symmetric synchronize.
pub(super) fn selects_symmetric(event: Event, arguments: &Arguments) -> bool {
    matches!(event, Event::Ac | Event::SConRspPos) && arguments.functional_units.contains(Fu::SYMMETRIC_SYNC)
}

//! The interpreter: walks the tables of Annex A for one event and says what is to be sent.
//!
//! It knows states, variables and the queue of action 10. It does not know octets, user data or time; that
//! is [`super::Session`]'s.

use arrayvec::ArrayVec;

use super::action::{Effects, Scene, TimerEffect};
use super::predicate::{Predicate, View};
use super::symmetric::selects_symmetric;
use super::tables::{self, Row};
use super::variables::{Arguments, Variables, Vrsp};
use super::{Action, Event, Origin, Output, State};
use crate::{FunctionalUnits, Tokens};

/// Most events the queue of action 10 holds; one more is a protocol error.
pub const QUEUED_EVENTS_MAX: usize = 16;

/// The machine without codec: state, variables, queue.
#[derive(Debug, Default)]
pub struct Spm {
    state: State,
    variables: Variables,
    queue: Vec<Queued>,
    /// Events at the front of the queue that are still to be replayed. Invariant: at most the queue's length.
    replaying: usize,
}

/// An event kept by action 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The event.
    pub event: Event,
    /// Its parameters.
    pub arguments: Arguments,
}

/// What an event led to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which row or rule applied.
    pub cause: Cause,
    /// What is to be sent, in order; PREPAREs only where they are really sent.
    pub outputs: ArrayVec<Output, 3>,
    /// What is to be done beside the variables.
    pub effects: Effects,
    /// The variables before the event: outgoing SPDUs are built from these.
    pub before: Variables,
}

/// Which row, or which rule for an invalid intersection, applied.
#[derive(Clone, Copy, Debug)]
pub enum Cause {
    /// A row of the tables.
    Row(&'static Row),
    /// A user primitive without a row: refused, nothing changed.
    Refused,
    /// An SPDU without a row: S-P-ABORT indication, AB, TIM, STA16.
    ProtocolError,
    /// An SPDU without a row where no session is up yet: the transport connection is released.
    Released,
    /// An SPDU without a row where the session is over: nothing happens.
    Ignored,
    /// The local provider ends the session.
    ProviderAbort,
    /// An SPDU without a row, answered by EXCEPTION REPORT instead of ABORT.
    ExceptionReported,
}

impl Outcome {
    /// False when a user primitive was refused.
    pub fn is_accepted(&self) -> bool {
        !matches!(self.cause, Cause::Refused)
    }
}

impl Spm {
    /// A machine in any state; tools and tests look into single cells this way.
    pub fn at(state: State, variables: Variables, queue: &[Queued]) -> Spm {
        Spm { state, variables, queue: queue.to_vec(), replaying: 0 }
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// The variables.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// The events kept by action 10.
    pub fn queue(&self) -> &[Queued] {
        &self.queue
    }

    /// The guard of DT in STA713, by hand: p05.
    #[inline]
    pub fn data_may_come(&self) -> bool {
        !self.variables.tokens_owned.contains(Tokens::DATA)
    }

    /// The guard of S-DATA request in STA713, by hand: p03.
    #[inline]
    pub fn data_may_be_sent(&self) -> bool {
        let Variables { functional_units, tokens_owned, .. } = self.variables;
        tokens_owned.contains(Tokens::DATA) || !functional_units.contains(FunctionalUnits::HALF_DUPLEX)
    }

    /// Puts the machine into a state and variables that it was in, or would be in, with a request that comes
    /// late: [`super::late`].
    pub(super) fn put(&mut self, state: State, variables: Variables) {
        (self.state, self.variables) = (state, variables);
        debug_assert_eq!(self.variables.invariants(self.state), Ok(()), "in {:?}", self.state);
    }

    /// Notes a DN that came before the own answer to a colliding release: action 32 where no row has it.
    pub(super) fn record_early_disconnect(&mut self) {
        self.variables.vdnr = true;
    }

    /// Takes a lower number in the answer to an own abandon than p49 wants: a peer in use answers with its V(A)
    /// and goes on from there (reference, Annex B). Nothing else in these states could have brought an RA.
    pub(super) fn accept_lower_abandon(&mut self, serial: u32) {
        let waits = matches!(self.state, State::Sta05A | State::Sta15C);
        if waits && self.variables.vrsp == Vrsp::A && serial < self.variables.v_m {
            self.variables.v_m = serial;
            self.variables.v_a = self.variables.v_a.min(serial);
        }
    }

    /// The rows of the cell of this state and an event; empty for a blank one.
    ///
    /// The reconstructed table is consulted when symmetric synchronize is selected, or by AC and SCONrsp+ that
    /// select it, and never otherwise.
    pub fn cell(&self, event: Event, arguments: &Arguments) -> &'static [Row] {
        let symmetric = self.variables.fu(FunctionalUnits::SYMMETRIC_SYNC);
        if symmetric || selects_symmetric(event, arguments) {
            let rows = tables::symmetric_cell(self.state, event);
            if !rows.is_empty() {
                return rows;
            }
        }
        tables::cell(self.state, event)
    }

    /// The row an event would fire; `None` for an invalid intersection.
    pub fn row(&self, event: Event, arguments: &Arguments) -> Option<&'static Row> {
        let view = View {
            variables: &self.variables,
            event,
            arguments,
            prepare_queued: self.queue.iter().any(|queued| queued.event == Event::PrRs),
        };
        let holds =
            |row: &&'static Row| row.guard.iter().all(|term| term.predicate.holds(&view) != term.negated);
        self.cell(event, arguments).iter().find(holds)
    }

    /// Takes one event through the tables.
    ///
    /// Guards and outputs see the values before the event; then the actions run in order; then the state
    /// changes. Replayed events (action 6) are fetched by [`Spm::replay`].
    pub fn fire(&mut self, event: Event, arguments: &Arguments) -> Outcome {
        let Some(row) = self.row(event, arguments) else {
            return self.invalid_intersection(event);
        };
        if row.actions.contains(&Action::A10) && self.queue.len() >= QUEUED_EVENTS_MAX {
            return self.protocol_error();
        }
        let before = self.variables;
        let outputs = sent_of(row.outputs, &before);
        let mut effects = Effects::default();
        let mut scene = Scene { v: &mut self.variables, event, arguments, effects: &mut effects };
        for action in row.actions {
            action.run(&mut scene);
        }
        if effects.drop_prepare {
            self.queue.retain(|queued| queued.event != Event::PrRs);
        }
        if effects.queue {
            self.queue.push(Queued { event, arguments: *arguments });
        }
        if effects.replay {
            self.replaying = self.queue.len();
        }
        self.enter(row.next, &mut effects);
        Outcome { cause: Cause::Row(row), outputs, effects, before }
    }

    /// The local choices of p02, p64 and action 9: whether the transport connection is kept where possible.
    pub(super) fn choose_reuse(&mut self, keep: bool) {
        self.variables.keep_transport = keep;
        self.variables.offer_reuse = keep;
    }

    /// What was agreed for a session that has ended holds no longer.
    pub(super) fn forget_session(&mut self) {
        let Variables { vtca, keep_transport, offer_reuse, .. } = self.variables;
        self.variables = Variables { vtca, keep_transport, offer_reuse, ..Variables::new() };
    }

    /// Empties the queue: whoever keeps the SPDUs replays them as such.
    pub(super) fn forget_queue(&mut self) {
        self.queue = Vec::new();
        self.replaying = 0;
    }

    /// Replays the next queued event after an outcome that asked for it; call until `None`.
    pub fn replay(&mut self) -> Option<(Queued, Outcome)> {
        self.replaying = self.replaying.min(self.queue.len()).checked_sub(1)?;
        let queued = self.queue.remove(0);
        let outcome = self.fire(queued.event, &queued.arguments);
        Some((queued, outcome))
    }

    /// The rules for a cell without a row whose guard holds. X.225 §A.4.1.
    fn invalid_intersection(&mut self, event: Event) -> Outcome {
        match event.origin() {
            Origin::User => self.outcome(Cause::Refused, &[], self.state, TimerEffect::None),
            Origin::Spdu => self.protocol_error(),
            Origin::Transport | Origin::Timer if self.state == State::Sta01 => {
                self.outcome(Cause::Ignored, &[], State::Sta01, TimerEffect::None)
            }
            Origin::Transport | Origin::Timer => {
                self.outcome(Cause::Released, &[Output::TDisReq], State::Sta01, TimerEffect::None)
            }
        }
    }

    /// A received SPDU that is invalid, whatever its kind: what a blank cell would do.
    pub fn protocol_error(&mut self) -> Outcome {
        match self.state {
            State::Sta01C | State::Sta01D => {
                self.outcome(Cause::Released, &[Output::TDisReq], State::Sta01, TimerEffect::None)
            }
            State::Sta01 | State::Sta01A | State::Sta01B | State::Sta16 => {
                self.outcome(Cause::Ignored, &[], self.state, TimerEffect::None)
            }
            _ => self.outcome(
                Cause::ProtocolError,
                &[Output::SPAbInd, Output::PrAb, Output::AbNr],
                State::Sta16,
                TimerEffect::Start,
            ),
        }
    }

    /// The milder answer to a received SPDU that is invalid: S-P-EXCEPTION-REPORT indication, EXCEPTION REPORT,
    /// STA20. Call it in place of [`Spm::protocol_error`]; sending ER is optional.
    ///
    /// `None`, and nothing changed, where it is not allowed: outside STA713, without the exceptions unit, with
    /// activity management and no activity in progress, or with the data token not at the peer (p50).
    ///
    /// `[unverified exact condition]`: the sources name "data phase" without listing its states. STA713 is the
    /// one where nothing else is pending that STA20 would forget.
    pub fn exception_report(&mut self) -> Option<Outcome> {
        let view = View {
            variables: &self.variables,
            event: Event::Er,
            arguments: &Arguments::NONE,
            prepare_queued: false,
        };
        if self.state != State::Sta713 || !Predicate::P50.holds(&view) {
            return None;
        }
        let outputs = [Output::SPErInd, Output::Er];
        Some(self.outcome(Cause::ExceptionReported, &outputs, State::Sta20, TimerEffect::None))
    }

    /// A received AB, AA, RF or DN that is invalid: it is never answered. X.225 §7.
    pub fn unanswered_error(&mut self) -> Outcome {
        match self.state {
            State::Sta01 | State::Sta01B => self.protocol_error(),
            State::Sta01A | State::Sta01C | State::Sta01D | State::Sta16 => {
                self.outcome(Cause::Released, &[Output::TDisReq], State::Sta01, TimerEffect::None)
            }
            _ => {
                let outputs = [Output::SPAbInd, Output::TDisReq];
                self.outcome(Cause::ProtocolError, &outputs, State::Sta01, TimerEffect::None)
            }
        }
    }

    /// The local provider ends the session; its user knows already.
    pub fn provider_abort(&mut self) -> Outcome {
        let cause = Cause::ProviderAbort;
        match self.state {
            State::Sta01B | State::Sta01C | State::Sta01D => {
                self.outcome(cause, &[Output::TDisReq], State::Sta01, TimerEffect::None)
            }
            State::Sta01 | State::Sta01A | State::Sta15D | State::Sta16 => {
                self.outcome(cause, &[], self.state, TimerEffect::None)
            }
            _ => self.outcome(cause, &[Output::PrAb, Output::AbNr], State::Sta16, TimerEffect::Start),
        }
    }

    fn outcome(&mut self, cause: Cause, outputs: &[Output], next: State, timer: TimerEffect) -> Outcome {
        let before = self.variables;
        let outputs = sent_of(outputs, &before);
        let mut effects = Effects { timer, ..Effects::default() };
        self.enter(next, &mut effects);
        Outcome { cause, outputs, effects, before }
    }

    /// Changes the state, with the rules that hang on entering one.
    fn enter(&mut self, next: State, effects: &mut Effects) {
        if next != self.state {
            if matches!(next, State::Sta01 | State::Sta01C | State::Sta16) {
                self.queue = Vec::new();
                self.replaying = 0;
            }
            match next {
                State::Sta01 => effects.timer = TimerEffect::Stop,
                // Annex A prints no action here, but a row for the expiry.
                State::Sta15D => effects.timer = TimerEffect::Start,
                _ => {}
            }
            self.state = next;
        }
        debug_assert_eq!(self.variables.invariants(self.state), Ok(()), "in {:?}", self.state);
    }
}

fn sent_of(outputs: &[Output], before: &Variables) -> ArrayVec<Output, 3> {
    outputs.iter().copied().filter(|output| is_sent(*output, outputs, before)).collect()
}

/// PREPAREs go out with transport expedited only, and the one for RS not while an own data separation
/// point is unconfirmed: the peer would refuse it by p80. It does not refuse the one for AI and AD, and takes
/// these two without it in few states only.
pub(super) fn is_sent(output: Output, outputs: &[Output], before: &Variables) -> bool {
    match output {
        Output::PrRs if !outputs.iter().any(|output| matches!(output, Output::Ai | Output::Ad)) => {
            before.texp && !separation_unconfirmed(before)
        }
        Output::PrMaa | Output::PrRs | Output::PrRa | Output::PrAb => before.texp,
        _ => true,
    }
}

fn separation_unconfirmed(v: &Variables) -> bool {
    let view = View { variables: v, event: Event::PrRs, arguments: &Arguments::NONE, prepare_queued: false };
    v.fu(FunctionalUnits::DATA_SEPARATION) && Predicate::P81.holds(&view)
}

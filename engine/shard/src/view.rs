//! What can be seen of a session from outside of its calls: for status, for explanations, for limits.

use std::time::Duration;

use colloquy_session::{FunctionalUnits, SerialNumbers, State, Tokens, Versions};
use colloquy_transport::driver::Driver;

use crate::application::{Application, SessionId, TransportRole};
use crate::context::Context;
use crate::slab::{Phase, Role, Slot, UNARMED};

/// How far a session has come; the shard's own timer runs against the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionPhase {
    /// The network connection is being opened.
    Connecting,
    /// CR is sent, or waits to be.
    AwaitCc,
    /// CN is sent.
    AwaitAc,
    /// Accepted; no CR yet.
    AwaitCr,
    /// CC is sent, or the transport connection was kept; no CN yet.
    AwaitCn,
    /// The application has not answered the CN.
    AwaitResponse,
    /// The session exists.
    Open,
    /// FN is sent.
    Releasing,
    /// An initiator's transport connection without a session: kept from one before, or opened ahead.
    Kept,
    /// Opened without a session, as far as the network connection.
    Reached,
    /// The session is over; the peer is to disconnect.
    Over,
    /// The network connection is being closed.
    Closing,
}

/// What a session waits for at most until a certain time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlineView {
    /// `connect`, `transport` (for a CR), `half-open` (for a CN), `response`, `release`, `close`, `TIM` (the machine's),
    /// `application`, `send`.
    pub name: &'static str,
    /// Time that is left; zero when it is due.
    pub left: Duration,
}

/// The most deadlines of one session.
pub const DEADLINES_MAX: usize = 4;

/// A session at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionView {
    /// How far it has come.
    pub phase: SessionPhase,
    /// Which end of the transport connection it is.
    pub role: TransportRole,
    /// State of its machine.
    pub state: State,
    /// Tokens that are here.
    pub tokens_owned: Tokens,
    /// Tokens that exist.
    pub tokens_available: Tokens,
    /// V(M), V(A), V(R) and Vsc.
    pub serial_numbers: SerialNumbers,
    /// The same for the flow sent and the flow received; `None` without symmetric synchronize.
    pub flow_numbers: Option<[SerialNumbers; 2]>,
    /// Functional units in use; empty before AC.
    pub functional_units: FunctionalUnits,
    /// Version in use; `None` before AC.
    pub version: Option<Versions>,
    /// An activity is in progress.
    pub activity_in_progress: bool,
    /// CC was sent or received.
    pub transport_open: bool,
    /// TPDU size in octets: proposed, then selected.
    pub tpdu_octets: u32,
    /// Both ends use transport expedited data.
    pub transport_expedited: bool,
    /// The transport connection was kept from an earlier session.
    pub transport_kept: bool,
    /// The transport connection was opened without a session ([`Context::open`]).
    pub opened_ahead: bool,
    /// Octets queued or in flight to the peer.
    pub queued_octets: usize,
    /// Receipts that wait to be taken in.
    pub receipts_waiting: u32,
    /// Octets received of an incomplete TSDU, or not read yet, those of receipts that wait among them.
    pub held_octets: usize,
    /// The application wants nothing delivered.
    pub paused: bool,
    /// Above the high mark of the send queue, and not yet below the low mark.
    pub congested: bool,
    /// The driver does not receive for it.
    pub receive_stopped: bool,
    /// The driver has octets to send for it.
    pub sending: bool,
    /// The peer has closed its direction or the connection has failed.
    pub peer_gone: bool,
    /// A fault of the peer was reported.
    pub faulted: bool,
    /// How it ends is settled.
    pub over: bool,
    /// Its connection is being closed.
    pub closing: bool,
    /// The tap gets what it receives and sends.
    pub tapped: bool,
    /// What it waits for at most so long.
    pub deadlines: [Option<DeadlineView>; DEADLINES_MAX],
    /// When its connection was accepted or asked for, or the session before it ended.
    pub opened_at: Duration,
    /// When something of the peer was taken in last, in whole seconds; before anything was, when it was opened.
    pub heard_at: Duration,
}

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// What there is to say about a session; `None` when the id is stale.
    pub fn view(&self, id: SessionId) -> Option<SessionView> {
        let slot = self.core.slab.get(id)?;
        let Slot { marks, machine, class0, cold, .. } = slot;
        Some(SessionView {
            phase: slot.phase,
            role: match slot.role {
                Role::Initiator => TransportRole::Initiator,
                Role::Responder | Role::Refusal => TransportRole::Responder,
            },
            state: machine.state(),
            tokens_owned: machine.tokens_owned(),
            tokens_available: machine.tokens_available(),
            serial_numbers: machine.serial_numbers(),
            flow_numbers: machine.flow_numbers(),
            functional_units: machine.functional_units(),
            version: machine.version(),
            activity_in_progress: machine.activity_in_progress(),
            transport_open: class0.is_open(),
            tpdu_octets: class0.tpdu_octets(),
            transport_expedited: class0.expedited(),
            transport_kept: cold.kept,
            opened_ahead: cold.reach.is_some(),
            queued_octets: slot.queued_octets,
            receipts_waiting: slot.intake_count,
            held_octets: class0.held_octets() + self.core.intake_octets(slot),
            paused: marks.paused,
            congested: marks.congested,
            receive_stopped: marks.receive_stopped,
            sending: marks.in_flight,
            peer_gone: marks.gone,
            faulted: marks.faulted,
            over: marks.over,
            closing: marks.closing,
            tapped: marks.tapped,
            deadlines: deadlines(slot, self.core.now),
            opened_at: cold.opened,
            heard_at: Duration::from_secs(u64::from(slot.heard_seconds)).max(cold.opened),
        })
    }

    /// The ids of at most `max` sessions whose index is at least `index`, in the order of their indices: a page. The next
    /// one begins behind the last index. Connections that the application was not told of are left out.
    pub fn sessions_from(&self, index: u32, max: usize) -> impl Iterator<Item = SessionId> {
        let known =
            |slot: &Slot<A::Session>| slot.role != Role::Refusal && !slot.marks.ended && !slot.marks.unasked;
        let ids = self.core.slab.slots_from(index).filter(move |(_, slot)| known(slot));
        ids.map(|(index, slot)| SessionId { index, generation: slot.generation }).take(max)
    }
}

/// The deadlines that run.
fn deadlines<S>(slot: &Slot<S>, now: Duration) -> [Option<DeadlineView>; DEADLINES_MAX] {
    let view = |name, at: Duration| DeadlineView { name, left: at.saturating_sub(now) };
    let machine = if slot.marks.closing { None } else { slot.machine.poll_timeout() };
    let send = (slot.send_deadline != UNARMED).then(|| Duration::from_millis(slot.send_deadline));
    [
        slot.cold.phase_deadline.map(|at| view(phase_deadline_name(slot.phase), at)),
        machine.map(|at| view("TIM", at)),
        slot.cold.application_deadline.map(|at| view("application", at)),
        send.map(|at| view("send", at)),
    ]
}

fn phase_deadline_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Connecting | Phase::AwaitCc | Phase::AwaitAc => "connect",
        Phase::AwaitCr => "transport",
        Phase::AwaitCn => "half-open",
        Phase::AwaitResponse => "response",
        Phase::Releasing => "release",
        Phase::Open | Phase::Kept | Phase::Reached | Phase::Over | Phase::Closing => "close",
    }
}

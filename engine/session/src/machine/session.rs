//! The session protocol machine with its octets, timer and outbox.

use core::time::Duration;

use super::cold::Cold;
use super::config::{SessionConfig, Transmit};
use super::content::{Content, abort_cause};
use super::data_segments::DataKind;
use super::join::Joined;
use super::overflow;
use super::reuse::encode_connect;
use super::{Arguments, Event, Outcome, Output, Spm, State, TimerEffect, negotiation, symmetric};
use crate::spdu::{Flow, SpduView};
use crate::{
    ConnectParameters, FunctionalUnits, Indication, PeerFault, ProviderAbortReason, SerialNumber,
    SerialNumbers, ServiceError, Tokens, Tolerated, TsduMaximumSize, Versions,
};

/// A session protocol machine: one session connection on one transport connection.
///
/// Octets go in by [`Session::handle_tsdu`], time by [`Session::handle_timeout`], the transport's events by
/// [`Session::transport_connected`] and [`Session::transport_disconnected`], the user's requests and
/// responses by the methods named after the primitives. A request that fails has changed nothing.
///
/// Calling order, after each input or primitive: drain [`Session::poll_transmit`] to `None`; arm a timer
/// for [`Session::poll_timeout`]. When [`Session::handle_tsdu`] has given `None`, look into
/// [`Session::take_joined`]. The session is over when [`Session::state`] is `Sta01`.
///
/// [`Session::data_request`] writes nothing: its owner sends header and body itself. TSDUs of
/// [`Session::poll_transmit`] that were there before must go first, so drain it before calling.
///
/// ```
/// use std::time::Duration;
/// use colloquy_session::{Session, SessionConfig, State, Transmit};
///
/// let mut responder = Session::responder(&SessionConfig::default());
/// assert_eq!(responder.state(), State::Sta01C);
/// // A first SPDU that is no CONNECT: the transport connection is released without an answer.
/// let mut tsdu = colloquy_session::spdu::Tsdu::new(&[0x01, 0x00, 0x01, 0x00, 0xaa]);
/// assert_eq!(responder.handle_tsdu(Duration::ZERO, &mut tsdu), None);
/// assert_eq!(responder.poll_transmit(), Some(Transmit::Disconnect));
/// assert_eq!(responder.poll_transmit(), None);
/// assert_eq!(responder.state(), State::Sta01);
/// ```
#[derive(Debug)]
pub struct Session {
    pub(super) spm: Spm,
    pub(super) config: SessionConfig,
    pub(super) version: Option<Versions>,
    pub(super) tsdu_maximum_size: TsduMaximumSize,
    deadline: Option<Duration>,
    /// An SSDU whose first segments were received.
    pub(super) receiving: Option<DataKind>,
    /// An SSDU whose first segments were sent.
    pub(super) sending: Option<DataKind>,
    /// The state is one in which an incomplete SSDU of the peer may have been cut short.
    pub(super) recovering: bool,
    /// T-DISCONNECT request is to be handed out.
    disconnect: bool,
    /// What the peer's CN or AC says about its receiver.
    pub(super) peer_takes_extended: bool,
    /// PI 20 of a REFUSE.
    pub(super) would_accept: Option<FunctionalUnits>,
    /// Class 0 agreed on the transport expedited flow: TEXP, once the session is up.
    pub(super) transport_expedited: bool,
    /// A fault was recorded already.
    pub(super) fault_recorded: bool,
    /// Something tolerated was recorded already.
    pub(super) tolerated_recorded: bool,
    pub(super) cold: Option<Box<Cold>>,
}

impl Session {
    /// The machine of a side that opens the transport connection (STA01B: T-CONNECT is pending).
    ///
    /// The connect parameters are kept, encoded, until the transport is connected. More than 512 octets of
    /// user data narrow the offer to version 2; what is beyond 10 240 octets is kept until the peer asks for it.
    ///
    /// # Errors
    /// [`ServiceError`] when a parameter is out of range or units contradict each other.
    pub fn initiator(
        config: &SessionConfig,
        connect: &ConnectParameters<'_>,
    ) -> Result<Session, ServiceError> {
        let proposal = negotiation::propose(config, connect)?;
        let octets = encode_connect(config, connect, &proposal)?;
        let mut session = Session::new(config);
        session.spm.fire(Event::SConReq, &overflow::arguments(connect.user_data));
        let cold = session.cold();
        cold.connect = octets;
        cold.overflow = overflow::split(connect.user_data).1.to_vec();
        cold.proposal = Some(proposal);
        Ok(session)
    }

    /// The machine of a side whose transport has accepted a connection (STA01C).
    pub fn responder(config: &SessionConfig) -> Session {
        let mut session = Session::new(config);
        session.spm.fire(Event::TConInd, &Arguments::NONE);
        session
    }

    /// Both ends of the transport connection agreed on the expedited flow: a responder is told so before its
    /// first TSDU.
    pub fn use_transport_expedited(&mut self) {
        debug_assert!(matches!(self.state(), State::Sta01C), "before the first TSDU");
        self.transport_expedited = true;
        self.choose_reuse();
    }

    pub(super) fn new(config: &SessionConfig) -> Session {
        let mut session = Session {
            spm: Spm::default(),
            config: *config,
            version: None,
            tsdu_maximum_size: TsduMaximumSize::default(),
            deadline: None,
            receiving: None,
            sending: None,
            recovering: false,
            disconnect: false,
            peer_takes_extended: false,
            would_accept: None,
            transport_expedited: false,
            fault_recorded: false,
            tolerated_recorded: false,
            cold: None,
        };
        session.choose_reuse();
        session
    }

    /// The state.
    pub fn state(&self) -> State {
        self.spm.state()
    }

    /// Functional units in use; empty before AC.
    pub fn functional_units(&self) -> FunctionalUnits {
        self.spm.variables().functional_units
    }

    /// The selected version; `None` before AC.
    pub fn version(&self) -> Option<Versions> {
        self.version
    }

    /// Available tokens that are here.
    pub fn tokens_owned(&self) -> Tokens {
        self.spm.variables().tokens_owned
    }

    /// Tokens that exist on this session.
    pub fn tokens_available(&self) -> Tokens {
        self.spm.variables().tokens_available()
    }

    /// V(M), V(A), V(R) and Vsc. Under symmetric synchronize see [`Session::flow_numbers`]: these do not count there.
    pub fn serial_numbers(&self) -> SerialNumbers {
        let v = self.spm.variables();
        SerialNumbers {
            next: SerialNumber(v.v_m),
            lowest_unconfirmed: SerialNumber(v.v_a),
            lowest_restart: SerialNumber(v.v_r),
            may_confirm: v.vsc,
        }
    }

    /// The same for the flow that is sent and the flow that is received; `None` without symmetric synchronize.
    pub fn flow_numbers(&self) -> Option<[SerialNumbers; 2]> {
        let v = self.spm.variables();
        let numbers = |flow: &symmetric::Flow, may_confirm| SerialNumbers {
            next: SerialNumber(flow.v_m),
            lowest_unconfirmed: SerialNumber(flow.v_a),
            lowest_restart: SerialNumber(flow.v_r),
            may_confirm,
        };
        v.symmetric().then(|| [numbers(&v.flows.sending, false), numbers(&v.flows.receiving, true)])
    }

    /// Vact: an activity is in progress.
    pub fn activity_in_progress(&self) -> bool {
        self.spm.variables().vact
    }

    /// The transport expedited flow is there.
    pub fn transport_expedited(&self) -> bool {
        self.transport_expedited
    }

    /// The peer's CN or AC says that it receives extended concatenation; false before it came. X.225 §8.3.1.7.
    pub fn peer_takes_extended_concatenation(&self) -> bool {
        self.peer_takes_extended
    }

    /// The functional units that a peer's REFUSE says it would accept (PI 20, reason 2), for another attempt.
    pub fn peer_would_accept(&self) -> Option<FunctionalUnits> {
        self.would_accept
    }

    /// Selected TSDU maximum sizes.
    pub fn tsdu_maximum_size(&self) -> TsduMaximumSize {
        self.tsdu_maximum_size
    }

    /// Longest TSDU this side may send; `None` without a limit. Finite: data requests are segmented, and may
    /// come in parts.
    pub fn send_octets_max(&self) -> Option<usize> {
        let sizes = self.tsdu_maximum_size;
        finite(match self.spm.variables().vtca {
            true => sizes.responder_to_initiator,
            false => sizes.initiator_to_responder,
        })
    }

    /// Longest TSDU the peer may send; `None` without a limit. Finite: its SSDUs come in segments.
    pub fn receive_octets_max(&self) -> Option<usize> {
        let sizes = self.tsdu_maximum_size;
        finite(match self.spm.variables().vtca {
            true => sizes.initiator_to_responder,
            false => sizes.responder_to_initiator,
        })
    }

    /// T-CONNECT confirm; `expedited`: both ends agreed on the transport expedited flow. Without it the
    /// expedited data unit is taken out of the proposal.
    pub fn transport_connected(&mut self, now: Duration, expedited: bool) {
        self.transport_expedited = expedited;
        self.choose_reuse();
        let overflow = self.cold.as_ref().is_some_and(|cold| !cold.overflow.is_empty());
        let outcome = self.spm.fire(Event::TConCnf, &Arguments { overflow, ..Arguments::NONE });
        self.settle(now, &outcome);
        if outcome.outputs.contains(&Output::Cn) {
            let cold = self.cold();
            let mut octets = core::mem::take(&mut cold.connect);
            if let Some(proposal) = cold.proposal.as_mut().filter(|_| !expedited) {
                proposal.units -= FunctionalUnits::EXPEDITED;
                negotiation::take_out_expedited(&mut octets);
            }
            cold.outbox.sink().extend_from_slice(&octets);
            cold.outbox.finish_tsdu(Flow::Normal);
        }
    }

    /// T-DISCONNECT indication (DR, EOF, reset, refused connect): the session is over.
    ///
    /// Gives an abort indication unless none was up or its end was under way. What was not yet taken by
    /// [`Session::poll_transmit`] is dropped.
    pub fn transport_disconnected(&mut self, now: Duration) -> Option<Indication<'static>> {
        let outcome = self.spm.fire(Event::TDisInd, &Arguments::NONE);
        self.settle(now, &outcome);
        self.disconnect = false;
        if let Some(cold) = &mut self.cold {
            cold.outbox = Default::default();
        }
        self.shed();
        let reason = ProviderAbortReason::TransportDisconnect;
        outcome.outputs.contains(&Output::SPAbInd).then_some(Indication::ProviderAbort { reason })
    }

    /// Tells that `now` may have passed [`Session::poll_timeout`].
    ///
    /// Gives an abort indication where the peer has announced an abort and none came. Annex A prints none there, nor
    /// that TIM runs; without it the user of a session that is up would never be told of its end.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Indication<'static>> {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return None;
        }
        let announced = self.state() == State::Sta15D;
        let outcome = self.spm.fire(Event::Tim, &Arguments::NONE);
        self.settle(now, &outcome);
        announced.then_some(Indication::ProviderAbort { reason: ProviderAbortReason::Undefined })
    }

    /// When [`Session::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.deadline
    }

    /// The next thing for the transport.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        if !self.is_drained() {
            let (flow, octets) = self.cold.as_mut()?.outbox.take()?;
            return Some(match flow {
                Flow::Normal => Transmit::Tsdu(octets),
                Flow::Expedited => Transmit::Expedited(octets),
            });
        }
        if let Some(cold) = &mut self.cold {
            cold.outbox = Default::default();
        }
        self.shed();
        core::mem::take(&mut self.disconnect).then_some(Transmit::Disconnect)
    }

    /// The peer's fault, once, for the log.
    pub fn take_fault(&mut self) -> Option<PeerFault> {
        let fault = self.cold.as_mut()?.fault.take();
        self.shed();
        fault
    }

    /// What the peer did wrong without consequences, the first time in a session, for the log.
    pub fn take_tolerated(&mut self) -> Option<Tolerated> {
        let tolerated = self.cold.as_mut()?.tolerated.take();
        self.shed();
        tolerated
    }

    /// There may be something in [`Session::take_fault`] or [`Session::take_tolerated`]; never while plain data come
    /// and go.
    #[inline]
    pub fn has_findings(&self) -> bool {
        self.cold.is_some()
    }

    /// An SPDU whose segments are complete, or that waited for its time: the owner gives [`Joined::tsdu`] to
    /// [`Session::handle_tsdu`], and asks again until there is none, before the next TSDU of the transport.
    ///
    /// Peers send segments in version 2 only, when user data do not fit into one TSDU. Expedited SPDUs wait
    /// where they overtook what announces them (action 10 of Annex A).
    pub fn take_joined(&mut self) -> Option<Joined> {
        let joined = self.cold.as_mut()?.joined.pop_front();
        self.shed();
        joined
    }

    /// Ends the session as the provider: AB with the reason, for limits and timers of the owner.
    ///
    /// Gives no indication, since the owner knows. Does nothing where the end is already under way.
    pub fn provider_abort(&mut self, now: Duration, reason: ProviderAbortReason) {
        let outcome = self.spm.provider_abort();
        self.transmit(&outcome, &Content { cause: abort_cause(reason), ..Content::default() });
        self.settle(now, &outcome);
    }

    /// True when the owner has taken every TSDU.
    pub(super) fn is_drained(&self) -> bool {
        self.cold.as_ref().is_none_or(|cold| cold.outbox.is_drained())
    }

    pub(super) fn cold(&mut self) -> &mut Cold {
        self.cold.get_or_insert_default()
    }

    pub(super) fn forget_resync(&mut self) {
        if let Some(cold) = &mut self.cold {
            cold.resync = None;
        }
        self.shed();
    }

    /// Frees the box when nothing is in it.
    pub(super) fn shed(&mut self) {
        if self.cold.as_ref().is_some_and(|cold| cold.is_idle()) {
            self.cold = None;
        }
    }

    /// Keeps the first fault of the peer for the log.
    pub(super) fn record(&mut self, fault: PeerFault) {
        if !self.fault_recorded {
            self.fault_recorded = true;
            self.cold().fault = Some(fault);
        }
    }

    /// Keeps the first thing tolerated for the log. Strict rules have refused it before.
    pub(super) fn note_tolerated(&mut self, view: &SpduView<'_>) {
        if !self.tolerated_recorded
            && let Some(parameter) = view.duplicate_parameter()
        {
            self.tolerated_recorded = true;
            self.cold().tolerated = Some(Tolerated { spdu: view.kind, parameter, offset: view.offset });
        }
    }

    /// Carries out what is not an SPDU or an indication: timer, T-DISCONNECT, and forgetting at the end.
    pub(super) fn settle(&mut self, now: Duration, outcome: &Outcome) {
        match outcome.effects.timer {
            TimerEffect::None => {}
            TimerEffect::Start => self.deadline = Some(now.saturating_add(self.config.tim)),
            TimerEffect::Stop => self.deadline = None,
        }
        if outcome.outputs.contains(&Output::TDisReq) {
            self.disconnect = true;
        }
        self.follow_state();
        if matches!(self.state(), State::Sta01 | State::Sta01A | State::Sta01C | State::Sta16)
            && let Some(cold) = &mut self.cold
        {
            cold.connect = Vec::new();
            cold.overflow = Vec::new();
            cold.proposal = None;
            cold.joining = None;
            cold.joined.clear();
            cold.queued.clear();
            cold.resync = None;
        }
        if self.state() == State::Sta01C {
            self.begin_anew();
        }
    }
}

fn finite(size: u16) -> Option<usize> {
    (size != 0).then_some(usize::from(size))
}

const _: () = assert!(
    size_of::<Session>() <= 256,
    "a shard holds 100 000 sessions: what is used now and then belongs into Cold"
);

//! The session protocol machine (SPM).

mod action;
mod event;
mod output;
mod predicate;
mod spm;
mod state;
pub mod tables;
mod variables;

pub use action::{Action, Effects, TimerEffect};
pub use event::{Event, Origin};
pub use output::Output;
pub use predicate::{Predicate, View};
pub use spm::{Cause, Outcome, QUEUED_EVENTS_MAX, Queued, Spm};
pub use state::State;
pub use variables::{Arguments, SERIAL_NEXT_MAX, Variables, Vrsp, tokens_of};

use core::time::Duration;

use crate::spdu::Tsdu;
use crate::*;

/// Local choices of one session protocol machine.
#[derive(Clone, Copy, Debug)]
pub struct SessionConfig {
    /// Versions this end can speak.
    pub versions: Versions,
    /// Functional units this end can offer.
    pub functional_units: FunctionalUnits,
    /// Timer TIM: how long to wait for the peer to disconnect after AB, RF or DN.
    pub tim: Duration,
    /// Refuse what the reference calls "strict mode" deviations instead of tolerating them.
    pub strict: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            versions: Versions::V1.union(Versions::V2),
            functional_units: FunctionalUnits::HALF_DUPLEX
                .union(FunctionalUnits::DUPLEX)
                .union(FunctionalUnits::NEGOTIATED_RELEASE),
            tim: Duration::from_secs(5),
            strict: false,
        }
    }
}

/// What the machine wants its owner to hand to the transport, in order.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transmit<'a> {
    /// A TSDU for the normal flow.
    Tsdu(&'a [u8]),
    /// T-DISCONNECT request: release the transport connection after what was sent.
    Disconnect,
}

/// One segment of an SSDU: send `header`, then `octets` octets of user data, as one TSDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSegment {
    /// GT + DT (or TD) with their parameters: at most 8 octets.
    header: [u8; 8],
    header_octets: u8,
    /// Octets of user data in this segment.
    pub octets: usize,
}

impl DataSegment {
    /// The octets to send in front of the user data.
    pub fn header(&self) -> &[u8] {
        &self.header[..usize::from(self.header_octets)]
    }
}

/// The segments of one SSDU, in order; exactly one unless segmenting was selected for this direction.
#[derive(Clone, Debug)]
pub struct DataSegments {
    _todo: (),
}

impl Iterator for DataSegments {
    type Item = DataSegment;
    fn next(&mut self) -> Option<DataSegment> {
        todo!("machine")
    }
}

/// A session protocol machine: one session connection on one transport connection.
///
/// Calling order, after each input or primitive: drain [`Session::poll_transmit`] to `None`; arm a timer
/// for [`Session::poll_timeout`]. The session is over when [`Session::state`] is `Sta01`.
#[derive(Debug)]
pub struct Session {
    _todo: (),
}

#[allow(unused_variables)]
impl Session {
    /// The machine of a side that opens the transport connection (STA01B: T-CONNECT is pending).
    ///
    /// The connect parameters are kept, encoded, until the transport is connected.
    ///
    /// # Errors
    /// [`ServiceError`] when a parameter is out of range or units contradict each other.
    pub fn initiator(
        config: &SessionConfig,
        connect: &ConnectParameters<'_>,
    ) -> Result<Session, ServiceError> {
        todo!("machine")
    }

    /// The machine of a side whose transport has accepted a connection (STA01C).
    pub fn responder(config: &SessionConfig) -> Session {
        todo!("machine")
    }

    /// The state.
    pub fn state(&self) -> State {
        todo!("machine")
    }
    /// Functional units in use; empty before AC.
    pub fn functional_units(&self) -> FunctionalUnits {
        todo!("machine")
    }
    /// The selected version; `None` before AC.
    pub fn version(&self) -> Option<Versions> {
        todo!("machine")
    }
    /// Available tokens that are here.
    pub fn tokens_owned(&self) -> Tokens {
        todo!("machine")
    }
    /// Tokens that exist on this session.
    pub fn tokens_available(&self) -> Tokens {
        todo!("machine")
    }
    /// Selected TSDU maximum sizes.
    pub fn tsdu_maximum_size(&self) -> TsduMaximumSize {
        todo!("machine")
    }

    /// T-CONNECT confirm.
    pub fn transport_connected(&mut self, now: Duration) {
        todo!("machine")
    }
    /// T-DISCONNECT indication (DR, EOF, reset, refused connect): the session is over.
    pub fn transport_disconnected(&mut self, now: Duration) -> Option<Indication<'static>> {
        todo!("machine")
    }
    /// Takes the next SPDU from `tsdu`; call until `None`.
    pub fn handle_tsdu<'a>(&mut self, now: Duration, tsdu: &mut Tsdu<'a>) -> Option<Indication<'a>> {
        todo!("machine")
    }
    /// Tells that `now` may have passed [`Session::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Indication<'static>> {
        todo!("machine")
    }
    /// When [`Session::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Duration> {
        todo!("machine")
    }
    /// The next thing for the transport.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        todo!("machine")
    }
    /// The peer's fault, once, for the log.
    pub fn take_fault(&mut self) -> Option<PeerFault> {
        todo!("machine")
    }

    /// S-CONNECT response, accept.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn connect_response(
        &mut self,
        now: Duration,
        accept: &AcceptParameters<'_>,
    ) -> Result<(), ServiceError> {
        todo!("machine")
    }
    /// S-CONNECT response, reject.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn connect_refuse(
        &mut self,
        now: Duration,
        refuse: &RefuseParameters<'_>,
    ) -> Result<(), ServiceError> {
        todo!("machine")
    }
    /// S-DATA request for an SSDU (or a part of one) of `octets` octets: gives the headers to send.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn data_request(
        &mut self,
        octets: usize,
        enclosure: Enclosure,
    ) -> Result<DataSegments, ServiceError> {
        todo!("machine")
    }
    /// S-TOKEN-GIVE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn token_give_request(
        &mut self,
        now: Duration,
        tokens: Tokens,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        todo!("machine")
    }
    /// S-TOKEN-PLEASE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn token_please_request(
        &mut self,
        now: Duration,
        tokens: Tokens,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        todo!("machine")
    }
    /// S-RELEASE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn release_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        todo!("machine")
    }
    /// S-RELEASE response; negative only with negotiated release.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn release_response(
        &mut self,
        now: Duration,
        affirmative: bool,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        todo!("machine")
    }
    /// S-U-ABORT request; possible at any time.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn abort_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        todo!("machine")
    }
    /// Ends the session as the provider: AB with the reason, for limits and timers of the owner.
    pub fn provider_abort(&mut self, now: Duration, reason: ProviderAbortReason) {
        todo!("machine")
    }
}

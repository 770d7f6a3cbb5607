//! Reuse of the transport connection: one session after the other on it. X.225 §6.2 (reference 8.3).

use core::time::Duration;

use super::{Event, Output, Session, SessionConfig, State, Variables, negotiation, overflow};
use crate::spdu::{Connect, Flow, Spdu};
use crate::{ConnectParameters, FunctionalUnits, ServiceError, TsduMaximumSize};

impl Session {
    /// The machine of a side that opens a transport connection before it knows of a session for it (STA01C), as if it
    /// had been kept: [`Session::connect_request`] begins one. [`Session::use_transport_expedited`] is due before
    /// that where both ends agreed on it.
    pub fn initiator_without_connect(config: &SessionConfig) -> Session {
        let mut session = Session::new(config);
        let Variables { keep_transport, offer_reuse, .. } = *session.spm.variables();
        session
            .spm
            .put(State::Sta01C, Variables { vtca: false, keep_transport, offer_reuse, ..Variables::new() });
        session
    }

    /// S-CONNECT request on a transport connection that was kept (STA01C), by the side that opened it.
    ///
    /// The transport connection is kept when [`crate::SessionConfig::transport_reuse`] is set on both sides
    /// and a session ended by release, refusal or abort that said so. Then the machine is in STA01C again, as
    /// it was made: an initiator calls this, a responder waits for CONNECT.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn connect_request(
        &mut self,
        now: Duration,
        connect: &ConnectParameters<'_>,
    ) -> Result<(), ServiceError> {
        let mut connect = *connect;
        if !self.transport_expedited {
            connect.requirements -= FunctionalUnits::EXPEDITED;
        }
        let proposal = negotiation::propose(&self.config, &connect)?;
        let arguments = overflow::arguments(connect.user_data);
        if self.spm.row(Event::SConReq, &arguments).is_none() || self.state() != State::Sta01C {
            return Err(ServiceError::State { state: self.state() });
        }
        let octets = encode_connect(&self.config, &connect, &proposal)?;
        let outcome = self.spm.fire(Event::SConReq, &arguments);
        debug_assert!(outcome.outputs.contains(&Output::Cn));
        self.settle(now, &outcome);
        self.would_accept = None;
        let cold = self.cold();
        cold.proposal = Some(proposal);
        cold.overflow = overflow::split(connect.user_data).1.to_vec();
        cold.outbox.sink().extend_from_slice(&octets);
        cold.outbox.finish_tsdu(Flow::Normal);
        Ok(())
    }

    /// Takes the local choice on reuse to the variables: none with transport expedited.
    pub(super) fn choose_reuse(&mut self) {
        self.spm.choose_reuse(self.config.transport_reuse && !self.transport_expedited);
    }

    /// Forgets the session that has ended, when its transport connection is kept for the next one.
    pub(super) fn begin_anew(&mut self) {
        self.spm.forget_session();
        self.version = None;
        self.tsdu_maximum_size = TsduMaximumSize::default();
        self.receiving = None;
        self.sending = None;
        self.peer_takes_extended = false;
        self.fault_recorded = false;
        self.tolerated_recorded = false;
    }
}

/// The TSDU of a CONNECT.
pub(super) fn encode_connect(
    config: &SessionConfig,
    connect: &ConnectParameters<'_>,
    proposal: &negotiation::Proposal,
) -> Result<Vec<u8>, ServiceError> {
    let (user_data, overflow) = overflow::split(connect.user_data);
    let spdu = Spdu::Connect(Connect {
        identifier: connect.identifier,
        item: negotiation::connect_item(config, proposal),
        requirements: proposal.units,
        calling: connect.calling,
        called: connect.called,
        data_overflow: !overflow.is_empty(),
        user_data,
    });
    let mut octets = Vec::with_capacity(spdu.encoded_octets());
    spdu.emit_tsdu(&mut octets).map_err(|_| ServiceError::Parameter("connect parameter too long"))?;
    Ok(octets)
}

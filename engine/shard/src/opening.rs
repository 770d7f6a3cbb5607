//! Connections that are opened before a session is asked for on them: kept ready, or to see whether a peer is there.
//!
//! ```text
//! open ─► Connecting ─► opened (Network) ─► transport_disconnect
//!                   └─► CR, CC ─► opened (Transport) ─► connect_again, or transport_disconnect
//! ```

use std::net::SocketAddr;

use colloquy_session::{Session, SessionConfig};
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, TransportSelector};
use colloquy_transport::driver::{ConnectOptions, Driver};

use crate::application::{Application, ConnectError, SessionEnd, SessionId};
use crate::context::Context;
use crate::core::Core;
use crate::shard::Shard;
use crate::slab::{Cold, Phase, Role, Slot};
use crate::wire::{TargetWire, Wire};

/// How far [`Context::open`] goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Until the network connection is there.
    Network,
    /// Until the CC has come.
    Transport,
}

/// Where to open a connection to, and how.
#[derive(Clone, Copy, Debug)]
pub struct OpenTarget<'a> {
    /// What the connection begins with, below class 0; `None`: nothing. [`Reach::Network`] is past it.
    pub wire: Option<&'a TargetWire>,
    /// Where to.
    pub address: SocketAddr,
    /// Socket options.
    pub options: ConnectOptions,
    /// Calling TSAP.
    pub calling_tsap: Option<TransportSelector>,
    /// Called TSAP.
    pub called_tsap: Option<TransportSelector>,
    /// Transport choices.
    pub transport: Class0Config,
    /// Session choices of the sessions that [`Context::connect_again`] begins.
    pub session: SessionConfig,
}

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// Opens a connection to `target` without a session. [`Application::opened`] tells that it is there, and
    /// [`Application::ended`] everything else, within the shard's `connect_timeout`.
    ///
    /// From then on it may stay idle for any time. It counts as a session of the shard. One that is closed before
    /// a session began on it ends with [`SessionEnd::Unused`].
    ///
    /// # Errors
    /// When a limit or the system refuses a connection at once.
    pub fn open(&mut self, target: &OpenTarget<'_>, reach: Reach) -> Result<SessionId, ConnectError> {
        let core = &mut *self.core;
        let wire = target.wire.map(Wire::connecting).transpose().map_err(ConnectError::Tls)?;
        let connection = core.connect(target.address, &target.options)?;
        let mut cold = Cold::new(target.address, core.now, core.config.connect_timeout);
        cold.wire = wire;
        cold.reach = Some(reach);
        if reach == Reach::Transport {
            cold.connect = Some(Box::new(target.connect_tpdu()));
        }
        let machine = Session::initiator_without_connect(&target.session);
        let class0 = Class0::initiator(&target.transport);
        let slot = Slot::new(connection, Role::Initiator, (class0, machine), cold);
        Ok(core.enter_connecting(slot))
    }
}

impl OpenTarget<'_> {
    fn connect_tpdu(&self) -> ConnectTpdu {
        ConnectTpdu {
            calling: self.calling_tsap,
            called: self.called_tsap,
            tpdu_octets: Some(self.transport.tpdu_octets_max),
            expedited: self.transport.expedited,
        }
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// Starts to connect, if the shard has room for one more session.
    pub(crate) fn connect(
        &mut self,
        to: SocketAddr,
        options: &ConnectOptions,
    ) -> Result<colloquy_transport::driver::ConnectionId, ConnectError> {
        if self.session_count() >= self.config.sessions_max {
            return Err(ConnectError::SessionsMax(self.config.sessions_max));
        }
        Ok(self.driver.connect(to, options)?)
    }

    /// Takes in the slot of a connection that is being opened.
    pub(crate) fn enter_connecting(&mut self, slot: Slot<A::Session>) -> SessionId {
        let id = self.slab.insert(slot);
        self.rare = true;
        self.tally.sessions_opened += 1;
        self.tally.sessions_open_initiator += 1;
        let deadline = self.now + self.config.connect_timeout;
        self.enter(id.index, Phase::Connecting, Some(deadline));
        id
    }

    /// Ends a connection without a session that its owner does not want (any more).
    pub(crate) fn end_unused(&mut self, index: u32) {
        let phase = self.slab.at(index).phase;
        self.end(index, SessionEnd::Unused);
        match phase {
            Phase::Connecting => self.close_at_once(index),
            Phase::AwaitCc => {
                self.put(index, |class0, out| class0.disconnect_request(0, out));
                self.close_after_flush(index);
            }
            _ => self.close_after_flush(index),
        }
    }
}

impl<D: Driver, A: Application> Shard<D, A> {
    /// The network connection exists: sends the CR, if one is to be sent.
    pub(crate) fn network_connected(&mut self, index: u32) {
        let core = &mut self.core;
        let slot = core.slab.at_mut(index);
        if let Some(connect) = slot.cold.connect.take() {
            slot.phase = Phase::AwaitCc;
            core.put(index, |class0, out| class0.connect_request(&connect, out));
        } else {
            debug_assert_eq!(slot.cold.reach, Some(Reach::Network), "any other initiator connects once");
            self.opened(index, Phase::Reached, Reach::Network);
        }
    }

    /// The CC is there.
    pub(crate) fn transport_connected(&mut self, index: u32) {
        let core = &mut self.core;
        let slot = core.slab.at_mut(index);
        let expedited = slot.class0.expedited();
        if slot.cold.reach.is_some() {
            if expedited {
                slot.machine.use_transport_expedited();
            }
            return self.opened(index, Phase::Kept, Reach::Transport);
        }
        slot.phase = Phase::AwaitAc;
        slot.machine.transport_connected(core.now, expedited);
        core.settle(index);
    }

    fn opened(&mut self, index: u32, phase: Phase, reach: Reach) {
        self.core.enter(index, phase, None);
        let id = self.core.slab.id(index);
        self.app.opened(&mut Context { core: &mut self.core }, id, reach);
    }
}

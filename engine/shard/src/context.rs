//! The shard as an application sees it during a call.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use colloquy_session::{ProviderAbortReason, Session};
use colloquy_transport::class0::{Class0, ConnectTpdu};
use colloquy_transport::driver::Driver;
use colloquy_transport::tls::{PeerIdentity, TlsSummary};

use crate::application::{Application, ConnectError, ConnectTarget, SessionEnd, SessionId};
use crate::config::{ListenerConfig, ShardConfig};
use crate::core::Core;
use crate::slab::{Cold, Role, Slot};
use crate::wire::Wire;

/// The shard as an application sees it during a call.
///
/// A request takes effect on the session at once and on the wire at the end of the turn. A session that a
/// request ends is reported by [`Application::ended`] after the call has returned.
pub struct Context<'a, D: Driver, A: Application> {
    pub(crate) core: &'a mut Core<D, A>,
}

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// Time of this turn, since the driver's origin.
    pub fn now(&self) -> Duration {
        self.core.now
    }

    /// Sessions in the slab.
    pub fn session_count(&self) -> usize {
        self.core.session_count()
    }

    /// The application's state of a session; `None` when the id is stale.
    pub fn state(&mut self, id: SessionId) -> Option<&mut A::Session> {
        self.core.slab.get_mut(id).map(|slot| &mut slot.app)
    }

    /// The session's protocol machine, to read from.
    pub fn machine(&self, id: SessionId) -> Option<&Session> {
        self.core.slab.get(id).map(|slot| &slot.machine)
    }

    /// The peer's address.
    pub fn peer(&self, id: SessionId) -> Option<SocketAddr> {
        self.core.slab.get(id).map(|slot| slot.cold.peer)
    }

    /// The other end of the network connection: the proxy, where a PROXY header has said who [`Context::peer`] is.
    pub fn network_peer(&self, id: SessionId) -> Option<SocketAddr> {
        let cold = &self.core.slab.get(id)?.cold;
        cold.wire.as_ref().and_then(|wire| wire.network_peer()).or(Some(cold.peer))
    }

    /// What the TLS handshake has agreed on; `None` without TLS, or before its end.
    pub fn tls(&self, id: SessionId) -> Option<TlsSummary> {
        self.core.slab.get(id)?.cold.wire.as_ref()?.summary()
    }

    /// Who the peer is by the certificate that it has shown.
    pub fn tls_peer(&self, id: SessionId) -> Option<Arc<PeerIdentity>> {
        self.core.slab.get(id)?.cold.wire.as_ref()?.peer().cloned()
    }

    /// The tag of the listener that accepted the session's connection; `None` for an initiator.
    pub fn listener(&self, id: SessionId) -> Option<u32> {
        let place = self.core.slab.get(id)?.cold.listener?;
        Some(self.core.listeners[place as usize].tag)
    }

    /// When the session's connection was accepted or asked for.
    pub fn opened(&self, id: SessionId) -> Option<Duration> {
        self.core.slab.get(id).map(|slot| slot.cold.opened)
    }

    /// Opens a session to `target`.
    ///
    /// # Errors
    /// When a limit or the system refuses a connection at once, or a parameter is out of range.
    pub fn connect(&mut self, target: &ConnectTarget<'_>) -> Result<SessionId, ConnectError> {
        let core = &mut *self.core;
        let machine = Session::initiator(&target.session, &target.connect)?;
        let wire = target.wire.map(Wire::connecting).transpose().map_err(ConnectError::Tls)?;
        let connection = core.connect(target.address, &target.options)?;
        let mut cold = Cold::new(target.address, core.now, core.config.connect_timeout);
        cold.wire = wire;
        cold.connect = Some(Box::new(ConnectTpdu {
            calling: target.calling_tsap,
            called: target.called_tsap,
            tpdu_octets: Some(target.transport.tpdu_octets_max),
            expedited: target.transport.expedited,
        }));
        let class0 = Class0::initiator(&target.transport);
        Ok(core.enter_connecting(Slot::new(connection, Role::Initiator, (class0, machine), cold)))
    }

    /// Ends a session as the provider (AB without the user bit). Where there is no session yet the connection is closed in
    /// order, behind DR where CR is not answered; one that is not even open is given up.
    pub fn provider_abort(&mut self, id: SessionId, reason: ProviderAbortReason) {
        if self.core.slab.get(id).is_some_and(|slot| !slot.marks.over) {
            let end = SessionEnd::Aborted { by_peer: false, by_user: false };
            self.core.provider_abort(id.index, reason, end);
        }
    }

    /// Octets queued and not yet written to the network.
    pub fn queued_octets(&self, id: SessionId) -> usize {
        self.core.slab.get(id).map_or(0, |slot| slot.queued_octets)
    }

    /// True while the send queue is above the high mark and has not fallen below the low mark.
    pub fn is_congested(&self, id: SessionId) -> bool {
        self.core.slab.get(id).is_some_and(|slot| slot.marks.congested)
    }

    /// Stops delivering from this session (and receiving for it).
    ///
    /// What the rest of the TSDU at hand indicates is still delivered, and no TSDU after it.
    pub fn pause(&mut self, id: SessionId) {
        if let Some(slot) = self.core.slab.get_mut(id)
            && !slot.marks.over
        {
            slot.marks.paused = true;
            self.core.stop_receiving(id.index);
        }
    }

    /// Delivers from this session again.
    pub fn resume(&mut self, id: SessionId) {
        if let Some(slot) = self.core.slab.get_mut(id)
            && std::mem::take(&mut slot.marks.paused)
        {
            self.core.mark_ready(id.index);
        }
    }

    /// Says whether the application keeps bodies of this session beyond the call that brought them.
    ///
    /// What it keeps by reference keeps blocks of the shard's receive pool. When the pool is scarce and nothing
    /// has come for the session for a while, [`Application::unpin`] asks for them.
    pub fn keeps_octets(&mut self, id: SessionId, keeps: bool) {
        if let Some(slot) = self.core.slab.get_mut(id)
            && slot.marks.kept != keeps
        {
            slot.marks.kept = keeps;
            self.core.note_held(id.index);
        }
    }

    /// Arms, moves or (with `None`) stops the session's application timer.
    pub fn set_timer(&mut self, id: SessionId, at: Option<Duration>) {
        if let Some(slot) = self.core.slab.get_mut(id)
            && !slot.marks.over
        {
            slot.cold.application_deadline = at;
            self.core.rearm(id.index);
        }
    }

    /// Arms, moves or stops the application's own timer of this shard.
    pub fn set_shard_timer(&mut self, at: Option<Duration>) {
        self.core.shard_deadline = at;
    }

    /// Gives the listener with this tag another configuration, which connections accepted from here on get; those that
    /// are there keep theirs. False: there is no such listener.
    pub fn set_listener(&mut self, tag: u32, config: ListenerConfig) -> bool {
        let listener = self.core.listeners.iter_mut().find(|listener| listener.tag == tag);
        listener.map(|listener| listener.config = config).is_some()
    }

    /// The configuration of the shard.
    pub fn shard_config(&self) -> &ShardConfig {
        &self.core.config
    }

    /// Replaces the shard's limits and times, from here on and for every session, except what belongs to the making of
    /// a shard: `commands_max`, `spare_batches_max` and `virtual_time` stay as they are. A timer that runs keeps its
    /// time.
    pub fn set_shard_config(&mut self, config: ShardConfig) {
        let ShardConfig { commands_max, spare_batches_max, virtual_time, .. } = self.core.config;
        self.core.config = ShardConfig { commands_max, spare_batches_max, virtual_time, ..config };
    }

    /// Stops accepting on all listeners. A connection accepted before and not yet taken in is refused as one over a
    /// limit is: by DR.
    pub fn stop_listening(&mut self) {
        self.core.stop_listening(|_| true);
    }

    /// The same for the listeners of a tag. Where somebody else has their sockets too, who comes from here on waits for him.
    pub fn stop_listening_on(&mut self, tag: u32) {
        self.core.stop_listening(|of| of == tag);
    }

    /// Closes every accepted connection that has brought no CN: no session begins from here on, given that
    /// [`Context::stop_listening`] was called before. They end with [`SessionEnd::TransportRefused`].
    ///
    /// Sessions whose CN was indicated are left to the application. Called again, it resets those
    /// connections whose peers have not closed since, though not in the first half second.
    pub fn refuse_unestablished(&mut self) {
        self.core.refuse_unestablished();
    }

    /// Ends `Shard::run` when the last session is gone.
    pub fn stop_when_empty(&mut self) {
        self.core.stopping = true;
    }
}

//! The shard as an application sees it during a call.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::{ProviderAbortReason, Session};
use colloquy_transport::class0::{Class0, ConnectTpdu};
use colloquy_transport::driver::Driver;

use crate::application::{Application, ConnectError, ConnectTarget, SessionEnd, SessionId};
use crate::core::Core;
use crate::slab::{Cold, Phase, Role, Slot};

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
        if core.session_count() >= core.config.sessions_max {
            return Err(ConnectError::SessionsMax(core.config.sessions_max));
        }
        let machine = Session::initiator(&target.session, &target.connect)?;
        let connection = core.driver.connect(target.address, &target.options)?;
        let cold = Cold {
            peer: target.address,
            listener: None,
            opened: core.now,
            connect: Some(Box::new(ConnectTpdu {
                calling: target.calling_tsap,
                called: target.called_tsap,
                tpdu_octets: Some(target.transport.tpdu_octets_max),
                expedited: target.transport.expedited,
            })),
            phase_deadline: None,
            application_deadline: None,
            end: None,
            gone: None,
            kept: false,
        };
        let class0 = Class0::initiator(&target.transport);
        let slot = Slot::new(connection, Role::Initiator, (class0, machine), cold);
        let id = core.slab.insert(slot);
        core.tally.sessions_opened += 1;
        core.tally.sessions_open_initiator += 1;
        let deadline = core.now + core.config.connect_timeout;
        core.enter(id.index, Phase::Connecting, Some(deadline));
        Ok(id)
    }

    /// Ends a session as the provider (AB without the user bit), or resets it when it has no session yet.
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

    /// Stops accepting on all listeners.
    pub fn stop_listening(&mut self) {
        self.core.stop_listening();
    }

    /// Closes every accepted connection that has brought no CN: no session begins from here on, given that
    /// [`Context::stop_listening`] was called before. They end with [`SessionEnd::TransportRefused`].
    ///
    /// Sessions whose CN was indicated are left to the application. Called again, it resets those
    /// connections whose peers have not closed since.
    pub fn refuse_unestablished(&mut self) {
        self.core.refuse_unestablished();
    }

    /// Ends `Shard::run` when the last session is gone.
    pub fn stop_when_empty(&mut self) {
        self.core.stopping = true;
    }
}

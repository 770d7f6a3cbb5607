//! Transport connections that outlive a session (reuse, X.225 §6.2): the same connection, class 0 and machine go on
//! under a new session id.
//!
//! ```text
//! FN-r/DN, RF-r, AB-r/AA ─► STA01C ─► ended(old) ─► transport_kept(new) ─► initiator: CN, or it closes
//!                                                                     └─► responder: waits for CN
//! ```
//!
//! What arrives between the end of the old session and its `ended` stays where it is: it belongs to the new one.

use colloquy_session::{ConnectParameters, ServiceError, State};
use colloquy_transport::driver::Driver;

use crate::application::{Application, SessionId, TransportRole};
use crate::context::Context;
use crate::core::{Core, Effect};
use crate::shard::Shard;
use crate::slab::{Phase, Role};

impl<D: Driver, A: Application> Core<D, A> {
    /// The session is over, and its transport connection waits for the next one.
    pub(crate) fn keep_transport(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        // A refusal over a limit is told by DR, and has no session that could end.
        debug_assert!(slot.role != Role::Refusal, "a refused connection has no session");
        if !slot.marks.close_due && !std::mem::replace(&mut slot.marks.renewal_due, true) {
            let id = self.slab.id(index);
            self.effects.push_back(Effect::Kept(id));
        }
    }

    /// Gives the slot its new id, and its timer.
    fn renew(&mut self, index: u32) -> SessionId {
        let slot = self.slab.at(index);
        let (was_established, was_dirty) = (slot.marks.established, slot.marks.dirty);
        let (role, listener) = (slot.role, slot.cold.listener);
        self.tally.sessions_opened += 1;
        self.tally.transports_kept += 1;
        if was_established {
            self.tally.sessions_established -= 1;
        }
        self.tap_closed(self.slab.id(index));
        self.note_application_octets(index, 0);
        let id = self.slab.renew(index);
        self.slab.at_mut(index).cold.opened = self.now;
        // The lists have the old id, which they pass over.
        if was_dirty {
            self.mark_dirty(index);
        }
        self.mark_ready(index);
        self.holders.remove(index);
        self.note_held(index);
        if role == Role::Initiator {
            self.enter(index, Phase::Kept, None);
        } else {
            let listener = &mut self.listeners[listener.expect("a responder was accepted") as usize];
            listener.not_established += usize::from(was_established);
            let deadline = self.now + self.slab.at(index).cold.connect_timeout();
            self.enter(index, Phase::AwaitCn, Some(deadline));
        }
        id
    }
}

impl<D: Driver, A: Application> Shard<D, A> {
    /// Begins the next session of a kept transport connection and tells the application, which has heard of the end of
    /// the one before.
    pub(crate) fn renew(&mut self, previous: SessionId) {
        if !self.core.slab.is_occupied(previous) || self.core.slab.at(previous.index).marks.close_due {
            return;
        }
        let id = self.core.renew(previous.index);
        let role = match self.core.slab.at(id.index).role {
            Role::Initiator => TransportRole::Initiator,
            Role::Responder | Role::Refusal => TransportRole::Responder,
        };
        self.app.transport_kept(&mut Context { core: &mut self.core }, id, role, previous);
    }
}

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// S-CONNECT request on a transport connection that was kept ([`Application::transport_kept`]) or opened without a
    /// session ([`Application::opened`] with [`Reach::Transport`](crate::Reach::Transport)). The answer must
    /// come within the shard's `connect_timeout`.
    ///
    /// # Errors
    /// See [`ServiceError`]: `State` for an id without such a connection, and for a responder.
    pub fn connect_again(
        &mut self,
        id: SessionId,
        connect: &ConnectParameters<'_>,
    ) -> Result<(), ServiceError> {
        if self.core.slab.get(id).is_some_and(|slot| slot.phase != Phase::Kept) {
            let state = self.core.slab.at(id.index).machine.state();
            return Err(ServiceError::State { state });
        }
        self.primitive(id, |machine, now| machine.connect_request(now, connect))?;
        let deadline = self.core.now + self.core.config.connect_timeout;
        self.core.enter(id.index, Phase::AwaitAc, Some(deadline));
        self.core.settle(id.index);
        Ok(())
    }

    /// T-DISCONNECT request on a connection that was kept, or opened without a session ([`Context::open`], which may
    /// still be under way), and on which no session has begun: it ends with [`crate::SessionEnd::Unused`]. Does nothing to any
    /// other session.
    pub fn transport_disconnect(&mut self, id: SessionId) {
        let is_opening = |slot: &crate::slab::Slot<A::Session>| {
            slot.cold.reach.is_some() && matches!(slot.phase, Phase::Connecting | Phase::AwaitCc)
        };
        let unused = |slot: &crate::slab::Slot<A::Session>| slot.is_unused() || is_opening(slot);
        if self.core.slab.get(id).is_some_and(|slot| unused(slot) && !slot.marks.over) {
            debug_assert_eq!(self.core.slab.at(id.index).machine.state(), State::Sta01C);
            self.core.end_unused(id.index);
        }
    }
}

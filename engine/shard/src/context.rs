//! The shard as an application sees it during a call.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::{
    AcceptParameters, Enclosure, ProviderAbortReason, RefuseParameters, ServiceError, Session, State, Tokens,
};
use colloquy_transport::buf::{Body, Slice};
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
                expedited: false,
            })),
            phase_deadline: None,
            application_deadline: None,
            end: None,
            gone: None,
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

    /// S-CONNECT response, accept.
    ///
    /// # Errors
    /// See [`ServiceError`]; a stale id gives `State`. So for all that follow.
    pub fn connect_response(
        &mut self,
        id: SessionId,
        accept: &AcceptParameters<'_>,
    ) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.connect_response(now, accept))?;
        self.core.established(id.index);
        self.core.settle(id.index);
        Ok(())
    }

    /// S-CONNECT response, reject.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn connect_refuse(
        &mut self,
        id: SessionId,
        refuse: &RefuseParameters<'_>,
    ) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.connect_refuse(now, refuse))?;
        self.core.will_end(id.index, SessionEnd::Refused { reason: refuse.reason, by_peer: false });
        self.core.settle(id.index);
        Ok(())
    }

    /// S-DATA request. Slices from 2 KiB on travel by reference.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn data_request(
        &mut self,
        id: SessionId,
        body: &[Slice],
        enclosure: Enclosure,
    ) -> Result<(), ServiceError> {
        let octets = body.iter().map(|slice| slice.len()).sum();
        let segments = self.primitive(id, |machine, _| machine.data_request(octets, enclosure))?;
        self.core.tally.user_octets_out += octets as u64;
        let mut rest = Rest { slices: body, offset: 0 };
        for segment in segments {
            self.core.tally.tsdus_out += 1;
            self.core.tally.spdus_data_out += 1;
            if segment.octets == octets {
                self.core.put(id.index, |class0, out| class0.data_request(segment.header(), body, out));
                continue;
            }
            let mut part = std::mem::take(&mut self.core.segment);
            rest.take(segment.octets, &mut part);
            self.core.put(id.index, |class0, out| class0.data_request(segment.header(), &part, out));
            part.clear();
            self.core.segment = part;
        }
        Ok(())
    }

    /// S-DATA request for a body as it was indicated, whatever its slices; does not allocate.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn data_request_body(
        &mut self,
        id: SessionId,
        body: &Body,
        enclosure: Enclosure,
    ) -> Result<(), ServiceError> {
        if body.rest().is_empty() {
            return self.data_request(id, std::slice::from_ref(body.head()), enclosure);
        }
        let mut slices = std::mem::take(&mut self.core.slices);
        slices.extend(body.slices().cloned());
        let result = self.data_request(id, &slices, enclosure);
        slices.clear();
        self.core.slices = slices;
        result
    }

    /// S-TOKEN-GIVE request.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn token_give_request(
        &mut self,
        id: SessionId,
        tokens: Tokens,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.token_give_request(now, tokens, user_data))?;
        self.core.settle(id.index);
        Ok(())
    }

    /// S-TOKEN-PLEASE request.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn token_please_request(
        &mut self,
        id: SessionId,
        tokens: Tokens,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.token_please_request(now, tokens, user_data))?;
        self.core.settle(id.index);
        Ok(())
    }

    /// S-RELEASE request. The answer must come within the shard's `release_timeout`.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn release_request(&mut self, id: SessionId, user_data: &[u8]) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.release_request(now, user_data))?;
        let deadline = self.core.now + self.core.config.release_timeout;
        self.core.enter(id.index, Phase::Releasing, Some(deadline));
        self.core.settle(id.index);
        Ok(())
    }

    /// S-RELEASE response.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn release_response(
        &mut self,
        id: SessionId,
        affirmative: bool,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.release_response(now, affirmative, user_data))?;
        if affirmative {
            self.core.will_end(id.index, SessionEnd::Released);
        } else {
            self.core.slab.at_mut(id.index).marks.release_indicated = false;
        }
        self.core.settle(id.index);
        Ok(())
    }

    /// S-U-ABORT request.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn abort_request(&mut self, id: SessionId, user_data: &[u8]) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.abort_request(now, user_data))?;
        self.core.will_end(id.index, SessionEnd::Aborted { by_peer: false, by_user: true });
        self.core.settle(id.index);
        Ok(())
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

    /// Calls a primitive of a live session's machine.
    fn primitive<R>(
        &mut self,
        id: SessionId,
        call: impl FnOnce(&mut Session, Duration) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let now = self.core.now;
        match self.core.slab.get_mut(id) {
            Some(slot) if !slot.marks.over => call(&mut slot.machine, now),
            _ => Err(ServiceError::State { state: State::Sta01 }),
        }
    }
}

/// The part of a body that is not yet in a segment.
struct Rest<'a> {
    slices: &'a [Slice],
    offset: usize,
}

impl Rest<'_> {
    /// Appends the next `octets` octets to `part`.
    fn take(&mut self, mut octets: usize, part: &mut Vec<Slice>) {
        while octets > 0 {
            let (first, others) = self.slices.split_first().expect("segments cover the body, no more");
            let end = first.len().min(self.offset + octets);
            part.push(first.sub(self.offset..end));
            octets -= end - self.offset;
            self.offset = end;
            if end == first.len() {
                self.slices = others;
                self.offset = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_take_a_body_apart_across_its_slices() {
        let body = [Slice::copy_of(b"abc"), Slice::default(), Slice::copy_of(b"defgh")];
        let mut rest = Rest { slices: &body, offset: 0 };
        let mut parts = Vec::new();
        for octets in [2, 4, 2] {
            let mut part = Vec::new();
            rest.take(octets, &mut part);
            parts.push(part.iter().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>());
        }
        assert_eq!(parts, [b"ab".to_vec(), b"cdef".to_vec(), b"gh".to_vec()]);
    }
}

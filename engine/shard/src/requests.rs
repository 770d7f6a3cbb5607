//! The primitives of the session service as an application calls them.
//!
//! Each goes to the machine first. Only what the machine has taken is noted, counted and sent, whichever method it
//! came by.

use std::time::Duration;

use colloquy_session::machine::DataSegments;
use colloquy_session::{
    AcceptParameters, Enclosure, RefuseParameters, Request, ServiceError, Session, State, Tokens,
};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::driver::Driver;

use crate::application::{Application, SessionEnd, SessionId};
use crate::context::Context;
use crate::slab::Phase;

impl<D: Driver, A: Application> Context<'_, D, A> {
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
        self.core.tally.spdus_data_out += self.put_segments(id, segments, body, octets);
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
        if enclosure == Enclosure::WHOLE && self.plain_data_request(id, body).is_some() {
            return Ok(());
        }
        self.with_slices(body, |ctx, slices| ctx.data_request(id, slices, enclosure))
    }

    /// [`Context::data_request_body`] of a whole SSDU where that is nothing but octets in front of a body, as it nearly
    /// always is: gives the application's state of the session, and whether it is congested now. `None`:
    /// nothing was done, ask the other.
    #[inline]
    pub fn plain_data_request(&mut self, id: SessionId, body: &Body) -> Option<(&mut A::Session, bool)> {
        let (slot, out) = self.core.sending(id)?;
        if slot.marks.over {
            return None;
        }
        let header = slot.machine.plain_data_header()?;
        out.tally.tsdus_out += 1;
        out.tally.spdus_data_out += 1;
        out.tally.user_octets_out += body.len() as u64;
        out.put(slot, id.index, |class0, out| class0.plain_data_request(header, body, out));
        Some((&mut slot.app, slot.marks.congested))
    }

    /// S-TYPED-DATA request; as [`Context::data_request`], but no token is needed.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn typed_data_request(
        &mut self,
        id: SessionId,
        body: &[Slice],
        enclosure: Enclosure,
    ) -> Result<(), ServiceError> {
        let octets = body.iter().map(|slice| slice.len()).sum();
        let segments = self.primitive(id, |machine, _| machine.typed_data_request(octets, enclosure))?;
        self.core.rare = true;
        self.core.tally.spdus_typed_data_out += self.put_segments(id, segments, body, octets);
        Ok(())
    }

    /// S-TYPED-DATA request for a body as it was indicated; as [`Context::data_request_body`].
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn typed_data_request_body(
        &mut self,
        id: SessionId,
        body: &Body,
        enclosure: Enclosure,
    ) -> Result<(), ServiceError> {
        self.with_slices(body, |ctx, slices| ctx.typed_data_request(id, slices, enclosure))
    }

    /// Any other request or response of an established session: expedited and capability data, tokens,
    /// synchronization, resynchronization, activities, exceptions, release and abort.
    ///
    /// A release must be answered within the shard's `release_timeout`.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn request(&mut self, id: SessionId, request: &Request<'_>) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.request(now, request))?;
        self.core.requested(id.index, request);
        self.core.settle(id.index);
        Ok(())
    }

    /// As [`Context::request`] for a relay, on behalf of the peer of another session: also where that peer asked
    /// before it could hear of what this session already knows ([`Session::late_request`]).
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn late_request(&mut self, id: SessionId, request: &Request<'_>) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.late_request(now, request))?;
        self.core.requested(id.index, request);
        self.core.settle(id.index);
        Ok(())
    }

    /// As [`Context::data_request`] for a relay ([`Session::late_data_request`]).
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn late_data_request(
        &mut self,
        id: SessionId,
        body: &[Slice],
        enclosure: Enclosure,
    ) -> Result<(), ServiceError> {
        let octets = body.iter().map(|slice| slice.len()).sum();
        let segments = self.primitive(id, |machine, _| machine.late_data_request(octets, enclosure))?;
        self.core.tally.spdus_data_out += self.put_segments(id, segments, body, octets);
        Ok(())
    }

    /// As [`Context::typed_data_request`] for a relay ([`Session::late_typed_data_request`]).
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn late_typed_data_request(
        &mut self,
        id: SessionId,
        body: &[Slice],
        enclosure: Enclosure,
    ) -> Result<(), ServiceError> {
        let octets = body.iter().map(|slice| slice.len()).sum();
        let segments = self.primitive(id, |machine, _| machine.late_typed_data_request(octets, enclosure))?;
        self.core.rare = true;
        self.core.tally.spdus_typed_data_out += self.put_segments(id, segments, body, octets);
        Ok(())
    }

    /// Passes on an exception that the provider of another session's peer has reported
    /// ([`Session::pass_exception_report`]).
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn pass_exception_report(&mut self, id: SessionId) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.pass_exception_report(now))?;
        self.core.settle(id.index);
        Ok(())
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
        self.request(id, &Request::TokenGive { tokens, user_data })
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
        self.request(id, &Request::TokenPlease { tokens, user_data })
    }

    /// S-RELEASE request. The answer must come within the shard's `release_timeout`.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn release_request(&mut self, id: SessionId, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(id, &Request::Release { user_data })
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
        self.request(id, &Request::ReleaseResponse { affirmative, user_data })
    }

    /// S-U-ABORT request.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn abort_request(&mut self, id: SessionId, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(id, &Request::Abort { user_data })
    }

    /// Calls a primitive of a live session's machine.
    pub(crate) fn primitive<R>(
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

    /// Queues the segments of an SSDU, one TSDU each, and tells how many there are: none where the machine has taken
    /// the request and discards it.
    fn put_segments(&mut self, id: SessionId, segments: DataSegments, body: &[Slice], octets: usize) -> u64 {
        let core = &mut *self.core;
        let mut rest = Rest { slices: body, offset: 0 };
        let mut count = 0;
        for segment in segments {
            count += 1;
            core.tally.user_octets_out += segment.octets as u64;
            if segment.octets == octets {
                core.put(id.index, |class0, out| class0.data_request(segment.header(), body, out));
                continue;
            }
            let mut part = std::mem::take(&mut core.segment);
            rest.take(segment.octets, &mut part);
            core.put(id.index, |class0, out| class0.data_request(segment.header(), &part, out));
            part.clear();
            core.segment = part;
        }
        core.tally.tsdus_out += count;
        count
    }

    /// Calls `act` with the slices of a body in a row.
    pub(crate) fn with_slices<R>(&mut self, body: &Body, act: impl FnOnce(&mut Self, &[Slice]) -> R) -> R {
        if body.rest().is_empty() {
            return act(self, std::slice::from_ref(body.head()));
        }
        let mut slices = std::mem::take(&mut self.core.slices);
        slices.extend(body.slices().cloned());
        let result = act(self, &slices);
        slices.clear();
        self.core.slices = slices;
        result
    }
}

impl<D: Driver, A: Application> crate::core::Core<D, A> {
    /// Notes what a request that the machine has taken means for the session's end and its timers.
    pub(crate) fn requested(&mut self, index: u32, request: &Request<'_>) {
        match request {
            // A release that the machine drops, because a resynchronization of the peer comes before it, waits for
            // no answer.
            Request::Release { .. } if is_releasing(self.slab.at(index).machine.state()) => {
                let deadline = self.now + self.config.release_timeout;
                self.enter(index, Phase::Releasing, Some(deadline));
            }
            Request::ReleaseResponse { affirmative: true, .. } => {
                self.will_end(index, SessionEnd::Released);
            }
            Request::Abort { .. } => {
                self.will_end(index, SessionEnd::Aborted { by_peer: false, by_user: true });
            }
            _ => {}
        }
    }
}

/// True while FN was sent or received and is not yet answered.
pub(crate) fn is_releasing(state: State) -> bool {
    matches!(state, State::Sta03 | State::Sta09)
}

/// The part of a body that is not yet in a segment.
pub(crate) struct Rest<'a> {
    pub(crate) slices: &'a [Slice],
    pub(crate) offset: usize,
}

impl Rest<'_> {
    /// Appends the next `octets` octets to `part`.
    pub(crate) fn take(&mut self, mut octets: usize, part: &mut Vec<Slice>) {
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

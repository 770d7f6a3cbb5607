//! Requests that share TSDUs, as far as concatenation allows.
//!
//! The machine decides what shares a TSDU and makes the octets in front of the user data; those go into the arena of
//! the batch, and the body follows them as that of any S-DATA: by reference from 2 KiB on.

use colloquy_session::machine::{Bundle, Companions};
use colloquy_session::{Enclosure, Request, ServiceError};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::driver::Driver;

use crate::application::{Application, SessionId};
use crate::context::Context;
use crate::core::Core;
use crate::requests::Rest;
use crate::tallied;

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// S-DATA request together with what belongs to it: the start of an activity, a synchronization point, tokens
    /// ([`Session::data_request_with`](colloquy_session::Session::data_request_with)). One TSDU where the peer takes
    /// it, else as many as are needed, in order. Slices from 2 KiB on travel by reference.
    ///
    /// # Errors
    /// See [`ServiceError`]; nothing was sent then.
    pub fn data_request_with(
        &mut self,
        id: SessionId,
        body: &[Slice],
        enclosure: Enclosure,
        companions: &Companions<'_>,
    ) -> Result<(), ServiceError> {
        let octets = body.iter().map(|slice| slice.len()).sum();
        let mut bundle = std::mem::take(&mut self.core.bundle);
        let taken = self.primitive(id, |machine, now| {
            machine.data_request_with(now, octets, enclosure, companions, &mut bundle)
        });
        if taken.is_ok() {
            // A PREPARE goes ahead of the acknowledgement that it announces.
            self.core.settle(id.index);
            self.core.put_bundle(id.index, &bundle, body, octets);
        }
        self.core.bundle = bundle;
        taken
    }

    /// [`Context::data_request_with`] for a body as it was indicated, whatever its slices; does not allocate.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn data_request_body_with(
        &mut self,
        id: SessionId,
        body: &Body,
        enclosure: Enclosure,
        companions: &Companions<'_>,
    ) -> Result<(), ServiceError> {
        self.with_slices(body, |ctx, slices| ctx.data_request_with(id, slices, enclosure, companions))
    }

    /// Several requests at once, in this order, in as few TSDUs as concatenation allows: all of them or none
    /// ([`Session::request_all`](colloquy_session::Session::request_all)).
    ///
    /// # Errors
    /// See [`ServiceError`]; nothing was sent then.
    pub fn request_all(&mut self, id: SessionId, requests: &[Request<'_>]) -> Result<(), ServiceError> {
        self.primitive(id, |machine, now| machine.request_all(now, requests))?;
        for request in requests {
            self.core.requested(id.index, request);
        }
        self.core.settle(id.index);
        Ok(())
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// Queues the TSDUs of a bundle; `octets` are those of the whole body.
    fn put_bundle(&mut self, index: u32, bundle: &Bundle, body: &[Slice], octets: usize) {
        let mut rest = Rest { slices: body, offset: 0 };
        let mut part = std::mem::take(&mut self.segment);
        for tsdu in bundle.tsdus() {
            self.rare = true;
            tallied::sent(&mut self.tally, tsdu.header());
            self.tally.user_octets_out += tsdu.octets as u64;
            if tsdu.octets == octets {
                self.put(index, |class0, out| class0.data_request(tsdu.header(), body, out));
                continue;
            }
            rest.take(tsdu.octets, &mut part);
            self.put(index, |class0, out| class0.data_request(tsdu.header(), &part, out));
            part.clear();
        }
        self.segment = part;
    }
}

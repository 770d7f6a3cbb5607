//! Several requests in few TSDUs: what concatenation allows. X.225 §6.3.7 (reference 3.1, 3.2).

use core::time::Duration;

use arrayvec::ArrayVec;

use super::content::Content;
use super::outbox::Outbox;
use super::request_spdu::{self, Prepared};
use super::requests::{check_user_data_of, may_interleave};
use super::resync::Resync;
use super::transmit::{SendLimits, put_parts};
use super::{Event, Outcome, Session, Spm};
use crate::spdu::{
    CONCATENATED_MAX, Category, Flow, Head, Sink, Spdu, SpduKind, concatenate, processing_step,
};
use crate::{Request, ServiceError, Versions};

/// A request that the tables have taken, and what is left to be done about it.
pub(super) struct Taken<'u> {
    pub(super) event: Event,
    pub(super) resync: Option<Resync>,
    pub(super) outcome: Outcome,
    /// What goes out for it.
    pub(super) spdus: ArrayVec<Spdu<'u>, 3>,
}

impl Session {
    /// Several requests at once, in this order, in as few TSDUs as concatenation allows.
    ///
    /// It does what [`Session::request`] for one after the other does, on both sides; only the TSDUs differ. Tokens
    /// that are given or asked for share a TSDU with the SPDU before them, which every peer takes. The start of an
    /// activity and a synchronization point (or an acknowledgement) share one where the peer takes extended
    /// concatenation. Everything else goes in TSDUs of its own.
    ///
    /// # Errors
    /// [`ServiceError`] of the first request that is not possible where the ones before it lead to; nothing has
    /// changed and nothing is sent.
    pub fn request_all(&mut self, now: Duration, requests: &[Request<'_>]) -> Result<(), ServiceError> {
        let before = self.copied_spm();
        let mark = self.cold().outbox.mark();
        match self.pack_all(requests) {
            Ok(taken) => {
                for Taken { event, resync, outcome, .. } in taken {
                    self.settle(now, &outcome);
                    self.note_resync(event, resync);
                }
                self.shed();
                Ok(())
            }
            Err(error) => {
                self.spm = before;
                self.cold().outbox.roll_back(mark);
                self.shed();
                Err(error)
            }
        }
    }

    fn pack_all<'u>(&mut self, requests: &[Request<'u>]) -> Result<Vec<Taken<'u>>, ServiceError> {
        let mut taken = Vec::with_capacity(requests.len());
        let mut packer = self.packer();
        for request in requests {
            let one = self.take_request(request)?;
            for spdu in &one.spdus {
                packer.add(&mut self.cold().outbox, *spdu)?;
            }
            taken.push(one);
        }
        packer.flush(&mut self.cold().outbox)?;
        Ok(taken)
    }

    /// Takes a request through the tables. The caller brings [`Session::copied_spm`] back if a later one fails.
    pub(super) fn take_request<'u>(&mut self, request: &Request<'u>) -> Result<Taken<'u>, ServiceError> {
        let pending = self.cold.as_ref().and_then(|cold| cold.resync);
        let prepared = request_spdu::prepare(request, self.spm.variables(), pending)?;
        let Prepared { event, arguments, spdu, resync } = prepared;
        let Some(row) = self.spm.row(event, &arguments) else {
            return Err(self.refusal(event, &arguments));
        };
        if self.sending.is_some() && !may_interleave(event) {
            return Err(ServiceError::SsduIncomplete);
        }
        let version = self.version.unwrap_or(Versions::V1);
        check_user_data_of(&self.config, spdu.kind(), version, request_spdu::user_data(&spdu))?;
        let spdus = self.spdus_of(row.outputs, &Content::of_request(spdu));
        let outcome = self.spm.fire(event, &arguments);
        Ok(Taken { event, resync, outcome, spdus })
    }

    /// The machine as it is, to go back to.
    pub(super) fn copied_spm(&self) -> Spm {
        Spm::at(self.spm.state(), *self.spm.variables(), self.spm.queue())
    }

    pub(super) fn packer<'u>(&self) -> Packer<'u> {
        Packer {
            limits: self.send_limits(),
            texp: self.transport_expedited,
            extended: self.peer_takes_extended,
            group: ArrayVec::new(),
        }
    }
}

/// Puts SPDUs, given in the order in which they count, into as few TSDUs as possible.
pub(super) struct Packer<'u> {
    limits: SendLimits,
    texp: bool,
    /// The peer takes more than one category 2 SPDU.
    extended: bool,
    /// Category 2 SPDUs of the TSDU that is being put together.
    group: ArrayVec<Spdu<'u>, { CONCATENATED_MAX - 1 }>,
}

impl<'u> Packer<'u> {
    /// Takes the next SPDU.
    pub(super) fn add(&mut self, outbox: &mut Outbox, spdu: Spdu<'u>) -> Result<(), ServiceError> {
        if let Some(head) = head_with_tokens(spdu) {
            if self.fits(&head, &self.group) {
                return self.close(outbox, &head);
            }
        } else if spdu.kind().category() == Category::Two {
            let mut longer = self.group.clone();
            let follows = longer.last().is_none_or(|last| step(last) < step(&spdu));
            let has_room = longer.try_push(spdu).is_ok();
            if longer.len() > 1 && !(follows && has_room && self.fits(&plain_head(longer[0].kind()), &longer))
            {
                self.flush(outbox)?;
            }
            self.group.push(spdu);
            return Ok(());
        }
        self.flush(outbox)?;
        put_parts(outbox, spdu, self.limits, self.texp)
    }

    /// Puts what is being put together into its TSDU.
    pub(super) fn flush(&mut self, outbox: &mut Outbox) -> Result<(), ServiceError> {
        match self.group[..] {
            [] => Ok(()),
            [spdu] => {
                self.group.clear();
                put_parts(outbox, spdu, self.limits, self.texp)
            }
            [first, ..] => self.close(outbox, &plain_head(first.kind())),
        }
    }

    fn close(&mut self, outbox: &mut Outbox, head: &Head<'u>) -> Result<(), ServiceError> {
        let put = concatenate(head, &self.group, self.extended, outbox.sink());
        put.map_err(|_| ServiceError::Parameter("a parameter is out of the limits of its SPDU"))?;
        outbox.finish_tsdu(Flow::Normal);
        self.group.clear();
        Ok(())
    }

    /// True where these may share a TSDU of the size that was agreed on.
    fn fits(&self, head: &Head<'_>, spdus: &[Spdu<'_>]) -> bool {
        let mut counter = Counter(0);
        let legal = !spdus.is_empty() && concatenate(head, spdus, self.extended, &mut counter).is_ok();
        legal && self.limits.octets_max.is_none_or(|octets_max| counter.0 <= octets_max)
    }
}

fn step(spdu: &Spdu<'_>) -> crate::spdu::ProcessingStep {
    processing_step(spdu.kind())
}

/// A GT or PT that can stand at the head of others: with tokens, and without user data, which could be too long.
fn head_with_tokens(spdu: Spdu<'_>) -> Option<Head<'_>> {
    match spdu {
        Spdu::GiveTokens(give) if give.user_data.is_empty() => Some(Head::Give(give)),
        Spdu::PleaseTokens(please) if please.user_data.is_empty() => Some(Head::Please(please)),
        _ => None,
    }
}

/// The head of SPDUs the first of which is of this kind.
pub(super) fn plain_head(first: SpduKind) -> Head<'static> {
    match first.head() {
        Some(SpduKind::PleaseTokens) => Head::PLEASE,
        _ => Head::GIVE,
    }
}

/// Counts what would be put.
pub(super) struct Counter(pub(super) usize);

impl Sink for Counter {
    fn put(&mut self, octets: &[u8]) {
        self.0 += octets.len();
    }
}

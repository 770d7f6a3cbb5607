//! Data together with what belongs to them: the start of their activity, the synchronization point behind them,
//! the tokens that are given after them. One TSDU where the peer takes it. X.225 §6.3.7 (reference 3.1, 3.2).

use core::time::Duration;

use arrayvec::ArrayVec;

use super::data_segments::{DataKind, DataSegment, DataSegments};
use super::outbox::Outbox;
use super::pack::{Counter, Taken, plain_head};
use super::transmit::put_parts;
use super::{Outcome, Session};
use crate::spdu::{Flow, Head, Spdu, SpduKind, concatenate_headers};
use crate::{Enclosure, Request, ServiceError, Tokens};

/// Requests that go with an SSDU ([`Session::data_request_with`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Companions<'a> {
    /// In front of the data: [`Request::ActivityStart`] or [`Request::ActivityResume`].
    pub begin: Option<Request<'a>>,
    /// Behind the data: [`Request::SyncMinor`], [`Request::SyncMajor`], [`Request::ActivityEnd`], or the response
    /// to one of these, or [`Request::CapabilityDataResponse`].
    pub point: Option<Request<'a>>,
    /// Tokens that are given when all that has counted; empty for none.
    pub tokens: Tokens,
}

impl Default for Companions<'_> {
    fn default() -> Self {
        Companions { begin: None, point: None, tokens: Tokens::empty() }
    }
}

/// The TSDUs of data and their companions. The owner keeps one and uses it again, so that nothing is allocated once
/// it has grown.
#[derive(Debug, Default)]
pub struct Bundle {
    outbox: Outbox,
    /// TSDUs of the outbox that go in front of the data.
    before: usize,
    data: Data,
}

#[derive(Debug, Default)]
enum Data {
    /// The state discards them, or the bundle is empty.
    #[default]
    None,
    /// They follow the octets of the next TSDU of the outbox.
    Shared { octets: usize },
    /// They have TSDUs of their own.
    Segments(DataSegments),
}

/// One TSDU of a [`Bundle`]: send `header`, then `octets` octets of user data.
#[derive(Clone, Copy, Debug)]
pub struct BundleTsdu<'b> {
    header: Header<'b>,
    /// Octets of user data behind the header: the next ones of the SSDU.
    pub octets: usize,
}

#[derive(Clone, Copy, Debug)]
enum Header<'b> {
    Octets(&'b [u8]),
    Segment(DataSegment),
}

impl BundleTsdu<'_> {
    /// The octets to send in front of the user data.
    pub fn header(&self) -> &[u8] {
        match &self.header {
            Header::Octets(octets) => octets,
            Header::Segment(segment) => segment.header(),
        }
    }
}

impl Bundle {
    /// The TSDUs in the order in which they go out.
    pub fn tsdus(&self) -> impl Iterator<Item = BundleTsdu<'_>> {
        let made = |index| self.outbox.tsdu(index).map(Header::Octets);
        let alone = move |index| made(index).map(|header| BundleTsdu { header, octets: 0 });
        let (shared, segments) = match &self.data {
            Data::None => (None, None),
            Data::Shared { octets } => {
                (made(self.before).map(|header| BundleTsdu { header, octets: *octets }), None)
            }
            Data::Segments(segments) => (None, Some(segments.clone())),
        };
        let after = self.before + usize::from(shared.is_some());
        let segments = segments.into_iter().flatten();
        let segments =
            segments.map(|segment| BundleTsdu { header: Header::Segment(segment), octets: segment.octets });
        let before = (0..self.before).filter_map(alone);
        before.chain(shared).chain(segments).chain((after..self.outbox.mark()).filter_map(alone))
    }

    fn clear(&mut self) {
        self.outbox.clear();
        self.before = 0;
        self.data = Data::None;
    }
}

impl Session {
    /// S-DATA request for an SSDU (or a part of one) together with its companions: all of them, or none.
    ///
    /// It does what the requests one after the other do, on both sides; only the TSDUs differ:
    ///
    /// | peer | TSDUs |
    /// |---|---|
    /// | takes extended concatenation | one, if it keeps to the agreed size |
    /// | does not | the start of the activity, then the data, then the point; the tokens share the last of them where its SPDU goes behind a GT |
    ///
    /// A start goes with the first part of an SSDU, point and tokens with the last. As with
    /// [`Session::data_request`], [`Session::poll_transmit`] is drained before, and before the bundle is sent: a
    /// PREPARE may have to go ahead of it.
    ///
    /// # Errors
    /// [`ServiceError`] of the first request that is not possible where the ones before it lead to; nothing has
    /// changed, and the bundle is empty.
    pub fn data_request_with(
        &mut self,
        now: Duration,
        octets: usize,
        enclosure: Enclosure,
        companions: &Companions<'_>,
        bundle: &mut Bundle,
    ) -> Result<(), ServiceError> {
        debug_assert!(self.is_drained(), "poll_transmit is drained before data are sent");
        bundle.clear();
        check(companions, enclosure)?;
        let before = (self.copied_spm(), self.sending);
        match self.bundle(octets, enclosure, companions, bundle) {
            Ok(outcomes) => {
                for outcome in outcomes {
                    self.settle(now, &outcome);
                }
                Ok(())
            }
            Err(error) => {
                (self.spm, self.sending) = before;
                bundle.clear();
                Err(error)
            }
        }
    }

    fn bundle(
        &mut self,
        octets: usize,
        enclosure: Enclosure,
        companions: &Companions<'_>,
        bundle: &mut Bundle,
    ) -> Result<ArrayVec<Outcome, 3>, ServiceError> {
        let begin = companions.begin.map(|request| self.take_request(&request)).transpose()?;
        let discarded = self.fire_data(DataKind::Data, enclosure)?;
        let point = companions.point.map(|request| self.take_request(&request)).transpose()?;
        let tokens = companions.tokens;
        let give = Request::TokenGive { tokens, user_data: &[] };
        let give = (!tokens.is_empty()).then(|| self.take_request(&give)).transpose()?;
        let mut parts =
            Parts { begin: last_spdu(&begin), point: last_spdu(&point), tokens: last_spdu(&give) };
        if discarded {
            self.put_apart(&parts, bundle)?;
        } else if !self.put_together(&parts, octets, enclosure, bundle) {
            self.put_begin(&mut parts, bundle)?;
            // Tokens without a point in front of them go with the data, as every peer takes it.
            let alone = Parts { point: None, ..parts };
            if parts.point.is_none() && self.put_together(&alone, octets, enclosure, bundle) {
                parts.tokens = None;
            } else {
                bundle.data = Data::Segments(self.segments(DataKind::Data, octets, enclosure));
            }
            self.put_apart(&parts, bundle)?;
        }
        self.put_announcements(&point)?;
        Ok([begin, point, give].into_iter().flatten().map(|taken| taken.outcome).collect())
    }

    /// One TSDU for all, where concatenation and size allow it.
    fn put_together(
        &self,
        parts: &Parts<'_>,
        octets: usize,
        enclosure: Enclosure,
        bundle: &mut Bundle,
    ) -> bool {
        let spdus: ArrayVec<Spdu<'_>, 2> = parts.begin.into_iter().chain(parts.point).collect();
        let head = match parts.tokens {
            Some(Spdu::GiveTokens(give)) => Head::Give(give),
            _ => plain_head(spdus.first().map_or(SpduKind::DataTransfer, Spdu::kind)),
        };
        let octets_max = self.send_octets_max();
        let item = octets_max.map(|_| enclosure);
        let mut counter = Counter(octets);
        let extended = self.peer_takes_extended;
        if concatenate_headers(&head, &spdus, item, extended, &mut counter).is_err()
            || octets_max.is_some_and(|octets_max| counter.0 > octets_max)
        {
            return false;
        }
        let put = concatenate_headers(&head, &spdus, item, extended, bundle.outbox.sink());
        debug_assert_eq!(put, Ok(()), "it was tried before");
        bundle.outbox.finish_tsdu(Flow::Normal);
        bundle.data = Data::Shared { octets };
        true
    }

    fn put_begin(&self, parts: &mut Parts<'_>, bundle: &mut Bundle) -> Result<(), ServiceError> {
        if let Some(begin) = parts.begin.take() {
            put_parts(&mut bundle.outbox, begin, self.send_limits(), self.transport_expedited)?;
        }
        bundle.before = bundle.outbox.mark();
        Ok(())
    }

    /// What is left, in TSDUs without data.
    fn put_apart(&self, parts: &Parts<'_>, bundle: &mut Bundle) -> Result<(), ServiceError> {
        let mut packer = self.packer();
        for spdu in [parts.begin, parts.point, parts.tokens].into_iter().flatten() {
            packer.add(&mut bundle.outbox, spdu)?;
        }
        packer.flush(&mut bundle.outbox)
    }

    /// PREPARE in front of an acknowledgement: it has the other flow, and so goes through the machine's outbox.
    fn put_announcements(&mut self, taken: &Option<Taken<'_>>) -> Result<(), ServiceError> {
        let Some((_, ahead)) = taken.as_ref().and_then(|taken| taken.spdus.split_last()) else {
            return Ok(());
        };
        let (limits, texp) = (self.send_limits(), self.transport_expedited);
        ahead.iter().try_for_each(|spdu| put_parts(&mut self.cold().outbox, *spdu, limits, texp))
    }
}

/// The SPDUs beside the data.
#[derive(Clone, Copy)]
struct Parts<'u> {
    begin: Option<Spdu<'u>>,
    point: Option<Spdu<'u>>,
    tokens: Option<Spdu<'u>>,
}

/// The SPDU of a request; in front of it stands at most its PREPARE.
fn last_spdu<'u>(taken: &Option<Taken<'u>>) -> Option<Spdu<'u>> {
    taken.as_ref().and_then(|taken| taken.spdus.last().copied())
}

fn check(companions: &Companions<'_>, enclosure: Enclosure) -> Result<(), ServiceError> {
    let begins =
        matches!(companions.begin, None | Some(Request::ActivityStart { .. } | Request::ActivityResume(_)));
    let is_point = matches!(
        companions.point,
        None | Some(
            Request::SyncMinor { .. }
                | Request::SyncMajor { .. }
                | Request::ActivityEnd { .. }
                | Request::SyncMinorResponse { .. }
                | Request::SyncMajorResponse { .. }
                | Request::ActivityEndResponse { .. }
                | Request::CapabilityDataResponse { .. }
        )
    );
    if !begins || !is_point {
        return Err(ServiceError::Parameter("a request that does not go with data in this place"));
    }
    let ends_late = companions.point.is_some() || !companions.tokens.is_empty();
    if (companions.begin.is_some() && !enclosure.begin) || (ends_late && !enclosure.end) {
        return Err(ServiceError::SsduIncomplete);
    }
    Ok(())
}

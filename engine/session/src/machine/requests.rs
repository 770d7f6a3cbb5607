//! Requests and responses of the user.

use core::time::Duration;

use super::content::Content;
use super::data_segments::{DataKind, DataSegments, PLAIN_HEADER};
use super::join::JOINED_OCTETS_MAX;
use super::request_spdu::{self, Prepared};
use super::resync::Resync;
use super::transmit::SendLimits;
use super::{Arguments, Event, Session, SessionConfig, State, negotiation};
use crate::spdu::{Accept, Spdu, SpduKind, user_data_octets_max};
use crate::{AcceptParameters, Enclosure, RefuseParameters, Request, ServiceError, TokenSide, Versions};

impl Session {
    /// S-CONNECT response, accept.
    ///
    /// Units are what the user wants of those indicated; of half duplex and duplex together, duplex is
    /// selected.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn connect_response(
        &mut self,
        now: Duration,
        accept: &AcceptParameters<'_>,
    ) -> Result<(), ServiceError> {
        let proposal = match self.cold.as_ref().and_then(|cold| cold.proposal) {
            // In STA15D the response comes too late, and the state takes it and discards it.
            Some(proposal) if matches!(self.state(), State::Sta08 | State::Sta15D) => proposal,
            _ => return Err(ServiceError::State { state: self.state() }),
        };
        let agreement = negotiation::answer(&proposal, accept)?;
        check_user_data(SpduKind::Accept, agreement.version, accept.user_data)?;
        let content = Content::of_request(Spdu::Accept(Accept {
            identifier: accept.identifier,
            item: negotiation::accept_item(&self.config, &agreement),
            tokens_please: accept.tokens_please,
            requirements: agreement.units,
            responding: accept.responding.unwrap_or(proposal.called),
            user_data: accept.user_data,
            ..Accept::default()
        }));
        let sizes = agreement.tsdu_maximum_size;
        let octets_max = usize::from(sizes.responder_to_initiator);
        let limits = SendLimits {
            version: Some(agreement.version),
            octets_max: (octets_max != 0).then_some(octets_max),
        };
        let arguments = Arguments {
            functional_units: agreement.units,
            positions: negotiation::tokens_at(
                agreement.units,
                &agreement.token_settings,
                TokenSide::Responder,
            ),
            serial: agreement.initial_serial_number.map(|serial| serial.0),
            second_serial: agreement.second_initial_serial_number.map(|serial| serial.0),
            transport_expedited: self.transport_expedited,
            ..Arguments::NONE
        };
        self.fire_request(now, Event::SConRspPos, &arguments, &content, limits)?;
        if self.state() != State::Sta713 {
            return Ok(());
        }
        self.version = Some(agreement.version);
        self.tsdu_maximum_size = sizes;
        self.cold().proposal = None;
        Ok(())
    }

    /// S-CONNECT response, reject.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn connect_refuse(
        &mut self,
        now: Duration,
        refuse: &RefuseParameters<'_>,
    ) -> Result<(), ServiceError> {
        if !negotiation::is_refuse_reason(refuse.reason) {
            return Err(ServiceError::Parameter("reason code"));
        }
        if refuse.reason != 2 && !refuse.user_data.is_empty() {
            return Err(ServiceError::Parameter("user data with a reason other than 2"));
        }
        let proposal = self.cold.as_ref().and_then(|cold| cold.proposal);
        let version = match proposal {
            Some(proposal) if proposal.versions.contains(Versions::V2) => Versions::V2,
            _ => Versions::V1,
        };
        check_user_data(SpduKind::Refuse, version, refuse.user_data)?;
        let content = Content { reason: refuse.reason, user_data: refuse.user_data, ..Content::default() };
        // Only OVERFLOW ACCEPT has agreed on sizes by now.
        let octets_max = proposal
            .filter(|proposal| proposal.sizes_answered)
            .map(|proposal| usize::from(proposal.tsdu_maximum_size.responder_to_initiator))
            .filter(|octets_max| *octets_max != 0);
        let limits = SendLimits { version: Some(version), octets_max };
        self.fire_request(now, Event::SConRspNeg, &Arguments::NONE, &content, limits)
    }

    /// S-DATA request for an SSDU (or a part of one) of `octets` octets: gives the headers to send.
    ///
    /// A part needs segmenting to be selected for this direction; parts come in order, the first with
    /// `begin`, the last with `end`. The owner has drained [`Session::poll_transmit`] before, so that data
    /// overtake nothing.
    ///
    /// A resynchronization, an activity interrupt or discard, an exception report or an abort, of either side,
    /// cuts short an SSDU whose last part is missing. Its owner stops then: a further part is an error.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    #[inline]
    pub fn data_request(
        &mut self,
        octets: usize,
        enclosure: Enclosure,
    ) -> Result<DataSegments, ServiceError> {
        debug_assert!(self.is_drained(), "poll_transmit is drained before data are sent");
        if enclosure == Enclosure::WHOLE && self.plain_data_header().is_some() {
            return Ok(DataSegments::new(DataKind::Data, octets, enclosure, None));
        }
        self.data_request_by_table(DataKind::Data, octets, enclosure)
    }

    /// What goes in front of the user data of a whole SSDU, in one TSDU, where S-DATA request is nothing but GT and DT
    /// without parameters and changes nothing in the machine: in STA713, unless SSDUs are segmented. An owner that is
    /// given it may leave [`Session::data_request`] out. `None`: ask that.
    #[inline]
    pub fn plain_data_header(&self) -> Option<&'static [u8; 4]> {
        let plain =
            self.state() == State::Sta713 && self.sending.is_none() && self.send_octets_max().is_none();
        (plain && self.spm.data_may_be_sent()).then_some(&PLAIN_HEADER)
    }

    /// S-TYPED-DATA request; as [`Session::data_request`], but no token is needed.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn typed_data_request(
        &mut self,
        octets: usize,
        enclosure: Enclosure,
    ) -> Result<DataSegments, ServiceError> {
        debug_assert!(self.is_drained(), "poll_transmit is drained before data are sent");
        self.data_request_by_table(DataKind::Typed, octets, enclosure)
    }

    #[inline(never)]
    fn data_request_by_table(
        &mut self,
        kind: DataKind,
        octets: usize,
        enclosure: Enclosure,
    ) -> Result<DataSegments, ServiceError> {
        let discarded = self.fire_data(kind, enclosure)?;
        if discarded {
            return Ok(DataSegments::discarded(kind));
        }
        Ok(self.segments(kind, octets, enclosure))
    }

    /// Takes S-DATA or S-TYPED-DATA request through the tables; true where the state discards it.
    pub(super) fn fire_data(&mut self, kind: DataKind, enclosure: Enclosure) -> Result<bool, ServiceError> {
        let event = match kind {
            DataKind::Data => Event::SDtReq,
            DataKind::Typed => Event::STdReq,
        };
        let row = self.spm.row(event, &Arguments::NONE);
        // A part that goes on belongs to a request that was accepted, in whatever state the session is now.
        let goes_on = !enclosure.begin && self.sending == Some(kind);
        if row.is_none() && !goes_on {
            return Err(self.refusal(event, &Arguments::NONE));
        }
        if self.send_octets_max().is_none() && enclosure != Enclosure::WHOLE {
            return Err(ServiceError::Parameter("a part of an SSDU without segmenting"));
        }
        match self.sending {
            None if !enclosure.begin => {
                return Err(ServiceError::Parameter("an SSDU begins with a first part"));
            }
            Some(open) if enclosure.begin || open != kind => return Err(ServiceError::SsduIncomplete),
            _ => {}
        }
        if !goes_on {
            self.spm.fire(event, &Arguments::NONE);
        }
        self.sending = (!enclosure.end).then_some(kind);
        Ok(row.is_some_and(|row| row.outputs.is_empty()))
    }

    /// The segments of an SSDU or a part of one, in the sizes of this direction.
    pub(super) fn segments(&self, kind: DataKind, octets: usize, enclosure: Enclosure) -> DataSegments {
        let segment_octets_max = self.send_octets_max().map(|octets_max| octets_max - kind.overhead_octets());
        DataSegments::new(kind, octets, enclosure, segment_octets_max)
    }

    /// A request or a response of the user.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed and nothing is sent.
    pub fn request(&mut self, now: Duration, request: &Request<'_>) -> Result<(), ServiceError> {
        let pending = self.cold.as_ref().and_then(|cold| cold.resync);
        let prepared = match request_spdu::prepare(request, self.spm.variables(), pending) {
            // There is nothing to hold the numbers of an answer against.
            Err(ServiceError::Parameter(_)) if self.is_answer_out_of_place(request) => {
                return Err(ServiceError::State { state: self.state() });
            }
            prepared => prepared?,
        };
        let Prepared { event, arguments, spdu, resync } = prepared;
        if self.spm.row(event, &arguments).is_none() {
            return Err(self.refusal(event, &arguments));
        }
        if self.sending.is_some() && !may_interleave(event) {
            return Err(ServiceError::SsduIncomplete);
        }
        // An abort before AC has the limits of the version both ends are sure to speak.
        let version = self.version.unwrap_or(Versions::V1);
        let user_data = request_spdu::user_data(&spdu);
        check_user_data_of(&self.config, spdu.kind(), version, user_data)?;
        self.fire_request(now, event, &arguments, &Content::of_request(spdu), self.send_limits())?;
        self.note_resync(event, resync);
        Ok(())
    }

    fn is_answer_out_of_place(&self, request: &Request<'_>) -> bool {
        matches!(request, Request::ResynchronizeResponse(_))
            && self.spm.cell(Event::SRsynRsp, &Arguments::NONE).is_empty()
    }

    /// Remembers or forgets what a resynchronization was about.
    pub(super) fn note_resync(&mut self, event: Event, resync: Option<Resync>) {
        match event {
            _ if resync.is_some() => self.cold().resync = resync,
            Event::SRsynRsp | Event::SActIReq | Event::SActDReq | Event::SUAbReq => self.forget_resync(),
            _ => {}
        }
    }

    /// Fires a user event whose parameters were checked: SPDUs are built first, so that an error changes
    /// nothing.
    fn fire_request(
        &mut self,
        now: Duration,
        event: Event,
        arguments: &Arguments,
        content: &Content<'_>,
        limits: SendLimits,
    ) -> Result<(), ServiceError> {
        let Some(row) = self.spm.row(event, arguments) else {
            return Err(self.refusal(event, arguments));
        };
        self.send_outputs(row.outputs, content, limits)?;
        let outcome = self.spm.fire(event, arguments);
        self.settle(now, &outcome);
        self.replay_after_request(now, &outcome);
        Ok(())
    }
}

/// Requests that may stand between the segments of an SSDU: those on the other flow, PT, and those that throw
/// the SSDU away. X.225 §6.3.5 (reference 3.4).
pub(super) fn may_interleave(event: Event) -> bool {
    matches!(
        event,
        Event::SPtReq
            | Event::SExReq
            | Event::SUAbReq
            | Event::SRsynReqA
            | Event::SRsynReqR
            | Event::SRsynReqS
            | Event::SActIReq
            | Event::SActDReq
            | Event::SUErReq
    )
}

/// As [`check_user_data`], with what the owner knows of the peer.
pub(super) fn check_user_data_of(
    config: &SessionConfig,
    kind: SpduKind,
    version: Versions,
    user_data: &[u8],
) -> Result<(), ServiceError> {
    let (octets, octets_max) = (user_data.len(), config.user_data_octets_max);
    if octets > octets_max {
        return Err(ServiceError::UserDataLength { octets, octets_max });
    }
    check_user_data(kind, version, user_data)
}

fn check_user_data(kind: SpduKind, version: Versions, user_data: &[u8]) -> Result<(), ServiceError> {
    let octets_max = match version {
        Versions::V2 if super::join::can_be_segmented(kind) => JOINED_OCTETS_MAX,
        version => user_data_octets_max(kind, version),
    };
    let octets = user_data.len();
    match octets <= octets_max {
        true => Ok(()),
        false => Err(ServiceError::UserDataLength { octets, octets_max }),
    }
}

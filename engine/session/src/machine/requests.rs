//! Requests and responses of the user.

use core::time::Duration;

use super::content::Content;
use super::data_segments::{DATA_OVERHEAD_OCTETS, DataKind, DataSegments};
use super::join::JOINED_OCTETS_MAX;
use super::session::SendLimits;
use super::{Arguments, Event, Session, State, negotiation, tables};
use crate::spdu::{Accept, SpduKind, user_data_octets_max};
use crate::{
    AcceptParameters, Enclosure, FunctionalUnits, RefuseParameters, ServiceError, TokenSide, Tokens,
    TransportDisconnect, Versions,
};

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
            Some(proposal) if self.state() == State::Sta08 => proposal,
            _ => return Err(ServiceError::State { state: self.state() }),
        };
        let agreement = negotiation::answer(&proposal, accept)?;
        check_user_data(SpduKind::Accept, agreement.version, accept.user_data)?;
        let content = Content {
            accept: Accept {
                identifier: accept.identifier,
                item: negotiation::accept_item(&agreement),
                tokens_please: accept.tokens_please,
                requirements: agreement.units,
                responding: accept.responding.unwrap_or(proposal.called),
                user_data: accept.user_data,
                ..Accept::default()
            },
            ..Content::default()
        };
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
            ..Arguments::NONE
        };
        self.request(now, Event::SConRspPos, &arguments, &content, limits)?;
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
        let version = match self.cold.as_ref().and_then(|cold| cold.proposal) {
            Some(proposal) if proposal.versions.contains(Versions::V2) => Versions::V2,
            _ => Versions::V1,
        };
        check_user_data(SpduKind::Refuse, version, refuse.user_data)?;
        let content = Content { reason: refuse.reason, ..Content::user_data(refuse.user_data) };
        self.request(now, Event::SConRspNeg, &Arguments::NONE, &content, self.send_limits())
    }

    /// S-DATA request for an SSDU (or a part of one) of `octets` octets: gives the headers to send.
    ///
    /// A part needs segmenting to be selected for this direction; parts come in order, the first with
    /// `begin`, the last with `end`. The owner has drained [`Session::poll_transmit`] before, so that data
    /// overtake nothing.
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
        let plain = self.state() == State::Sta713
            && self.sending.is_none()
            && self.send_octets_max().is_none()
            && enclosure == Enclosure::WHOLE;
        if plain && self.spm.data_may_be_sent() {
            return Ok(DataSegments::new(DataKind::Data, octets, enclosure, None));
        }
        self.data_request_by_table(DataKind::Data, octets, enclosure)
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

    fn data_request_by_table(
        &mut self,
        kind: DataKind,
        octets: usize,
        enclosure: Enclosure,
    ) -> Result<DataSegments, ServiceError> {
        let event = match kind {
            DataKind::Data => Event::SDtReq,
            DataKind::Typed => Event::STdReq,
        };
        let Some(row) = self.spm.row(event, &Arguments::NONE) else {
            return Err(self.refusal(event, &Arguments::NONE));
        };
        let limit = self.send_octets_max();
        if limit.is_none() && enclosure != Enclosure::WHOLE {
            return Err(ServiceError::Parameter("a part of an SSDU without segmenting"));
        }
        match self.sending {
            None if !enclosure.begin => {
                return Err(ServiceError::Parameter("an SSDU begins with a first part"));
            }
            Some(open) if enclosure.begin || open != kind => return Err(ServiceError::SsduIncomplete),
            _ => {}
        }
        let discarded = row.outputs.is_empty();
        self.spm.fire(event, &Arguments::NONE);
        self.sending = (!enclosure.end).then_some(kind);
        if discarded {
            return Ok(DataSegments::discarded(kind));
        }
        let segment_octets_max = limit.map(|octets_max| octets_max - DATA_OVERHEAD_OCTETS);
        Ok(DataSegments::new(kind, octets, enclosure, segment_octets_max))
    }

    /// S-TOKEN-GIVE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn token_give_request(
        &mut self,
        now: Duration,
        tokens: Tokens,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        if tokens.is_empty() {
            return Err(ServiceError::Parameter("no token named"));
        }
        let content = Content { tokens, ..Content::user_data(user_data) };
        self.request_with_user_data(now, Event::SGtReq, &Arguments::tokens(tokens), &content)
    }

    /// S-TOKEN-PLEASE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn token_please_request(
        &mut self,
        now: Duration,
        tokens: Tokens,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        if tokens.is_empty() {
            return Err(ServiceError::Parameter("no token named"));
        }
        let owned = tokens & self.tokens_owned();
        let content = Content { tokens, ..Content::user_data(user_data) };
        if !owned.is_empty() {
            return Err(ServiceError::Token(owned));
        }
        self.request_with_user_data(now, Event::SPtReq, &Arguments::tokens(tokens), &content)
    }

    /// S-RELEASE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn release_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        let content = Content::user_data(user_data);
        self.request_with_user_data(now, Event::SRelReq, &Arguments::NONE, &content)
    }

    /// S-RELEASE response; negative only with negotiated release.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn release_response(
        &mut self,
        now: Duration,
        affirmative: bool,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        let event = match affirmative {
            true => Event::SRelRspPos,
            false => Event::SRelRspNeg,
        };
        self.request_with_user_data(now, event, &Arguments::NONE, &Content::user_data(user_data))
    }

    /// S-U-ABORT request; possible whenever a session is up, coming up or being released.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn abort_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        let content = Content { cause: TransportDisconnect::USER_ABORT, ..Content::user_data(user_data) };
        self.request_with_user_data(now, Event::SUAbReq, &Arguments::NONE, &content)
    }

    fn request_with_user_data(
        &mut self,
        now: Duration,
        event: Event,
        arguments: &Arguments,
        content: &Content<'_>,
    ) -> Result<(), ServiceError> {
        if self.spm.row(event, arguments).is_none() {
            return Err(self.refusal(event, arguments));
        }
        let interleaves = !matches!(event, Event::SPtReq | Event::SUAbReq);
        if interleaves && self.sending.is_some() {
            return Err(ServiceError::SsduIncomplete);
        }
        if let Some(kind) = spdu_of(event) {
            // An abort before AC has the limits of the version both ends are sure to speak.
            check_user_data(kind, self.version.unwrap_or(Versions::V1), content.user_data)?;
        }
        self.request(now, event, arguments, content, self.send_limits())
    }

    /// Fires a user event whose parameters were checked: SPDUs are built first, so that an error changes
    /// nothing.
    fn request(
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
        let spdus = row.outputs.iter().filter_map(|output| content.spdu(*output));
        debug_assert!(spdus.clone().count() <= 1, "a request sends one SPDU: {row:?}");
        for spdu in spdus {
            self.send(spdu, limits)?;
        }
        let outcome = self.spm.fire(event, arguments);
        self.settle(now, &outcome);
        Ok(())
    }

    fn send_limits(&self) -> SendLimits {
        SendLimits { version: self.version, octets_max: self.send_octets_max() }
    }

    /// Why no row takes a user event.
    fn refusal(&self, event: Event, arguments: &Arguments) -> ServiceError {
        let variables = self.spm.variables();
        let state = self.state();
        if tables::cell(state, event).is_empty() {
            return ServiceError::State { state };
        }
        let missing = match event {
            Event::SDtReq => Tokens::DATA & (variables.tokens_available() - variables.tokens_owned),
            Event::SGtReq => arguments.tokens - variables.tokens_owned,
            Event::SPtReq => arguments.tokens - variables.tokens_available(),
            Event::SRelReq => variables.tokens_available() - variables.tokens_owned,
            _ => Tokens::empty(),
        };
        match event {
            _ if !missing.is_empty() => ServiceError::Token(missing),
            Event::STdReq if !variables.fu(FunctionalUnits::TYPED_DATA) => {
                ServiceError::FunctionalUnit(FunctionalUnits::TYPED_DATA)
            }
            Event::SRelRspNeg => ServiceError::FunctionalUnit(FunctionalUnits::NEGOTIATED_RELEASE),
            _ => ServiceError::State { state },
        }
    }
}

/// The SPDU whose limits the user data of a request have.
fn spdu_of(event: Event) -> Option<SpduKind> {
    Some(match event {
        Event::SGtReq => SpduKind::GiveTokens,
        Event::SPtReq => SpduKind::PleaseTokens,
        Event::SRelReq => SpduKind::Finish,
        Event::SRelRspPos => SpduKind::Disconnect,
        Event::SRelRspNeg => SpduKind::NotFinished,
        Event::SUAbReq => SpduKind::Abort,
        _ => return None,
    })
}

fn check_user_data(kind: SpduKind, version: Versions, user_data: &[u8]) -> Result<(), ServiceError> {
    let octets_max = match version {
        Versions::V2 if super::join::can_be_segmented(kind) => JOINED_OCTETS_MAX,
        // RF has its user data behind the reason octet, and is not segmented.
        Versions::V2 if kind == SpduKind::Refuse => REFUSE_USER_DATA_OCTETS_MAX,
        version => user_data_octets_max(kind, version),
    };
    let octets = user_data.len();
    match octets <= octets_max {
        true => Ok(()),
        false => Err(ServiceError::UserDataLength { octets, octets_max }),
    }
}

/// What is left in the parameter field of RF beside its other parameters.
const REFUSE_USER_DATA_OCTETS_MAX: usize = 65_000;

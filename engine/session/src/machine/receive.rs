//! Received TSDUs: from octets to events of the tables, from outcomes to indications.

use core::time::Duration;

use super::content::Content;
use super::data_segments::{DATA_OVERHEAD_OCTETS, DataSpdu, PLAIN_HEADER};
use super::join;
use super::negotiation::{Rule, rule, rule_of_spdu};
use super::{
    Arguments, Cause, Event, Outcome, Output, QUEUED_EVENTS_MAX, Session, SessionConfig, Spm, State,
    classify, resync,
};
use crate::spdu::{
    Abort, ActivityDiscard, ActivityInterrupt, DecodeError, DecodeRules, Deferred, ExceptionData,
    MinorSyncPoint, Spdu, SpduKind, SpduView, Tsdu, exception_reason, offset_of_unit, pi,
};
use crate::{
    Enclosure, FunctionalUnits, Indication, PeerFault, ProviderAbortReason, ProviderExceptionReason,
    TransportDisconnect,
};

/// Where an SPDU came from, for indications and for AB.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) kind: SpduKind,
    /// Where it begins in the TSDU.
    offset: usize,
    /// The SPDU as far as it is in the head of the TSDU.
    pub(super) octets: &'a [u8],
    /// Offset of the user information field.
    user_data_offset: usize,
}

impl Source<'_> {
    /// A rule that the SPDU breaks, and where.
    pub(super) fn violation(&self, rule: Rule) -> PeerFault {
        let within = rule.parameter.and_then(|parameter| offset_of_unit(self.kind, self.octets, parameter));
        PeerFault::Violation {
            spdu: self.kind,
            parameter: rule.parameter,
            offset: self.offset + within.unwrap_or(0),
            rule: rule.words,
        }
    }
}

impl Session {
    /// Takes the next SPDU from `tsdu`; call until `None`.
    ///
    /// SPDUs are taken in the order in which they count, which is not the one of the wire: the tokens of a GT
    /// or PT at the head of the TSDU come last, and in extended concatenation data come before the
    /// synchronization point in front of them.
    #[inline]
    pub fn handle_tsdu<'a>(&mut self, now: Duration, tsdu: &mut Tsdu<'a>) -> Option<Indication<'a>> {
        match self.plain_data(tsdu) {
            Some(indication) => Some(indication),
            // The call behind plain data, which ends the owner's loop.
            None if tsdu.consumed > 0 && tsdu.remaining_octets() == 0 && tsdu.deferred.is_none() => None,
            None => self.handle_spdus(now, tsdu),
        }
    }

    /// Where the user data begin in a TSDU that is GT and DT without parameters, in STA713: nearly every TSDU.
    ///
    /// Such a TSDU is one S-DATA indication of a whole SSDU and changes nothing in the machine, so an owner that is told
    /// so may leave [`Session::handle_tsdu`] out. `tsdu` are its first octets, 4 or more. `None`: it is something else,
    /// or the session is where the same octets mean more.
    #[inline]
    pub fn plain_data_offset(&self, tsdu: &[u8]) -> Option<usize> {
        let plain = tsdu.starts_with(&PLAIN_HEADER)
            && self.state() == State::Sta713
            && self.cold.is_none()
            && self.receiving.is_none()
            && self.receive_octets_max().is_none()
            && self.spm.data_may_come();
        plain.then_some(PLAIN_HEADER.len())
    }

    /// The same by way of a [`Tsdu`]. Equal to the cells of STA713, which a test proves.
    #[inline]
    fn plain_data<'a>(&mut self, tsdu: &mut Tsdu<'a>) -> Option<Indication<'a>> {
        if tsdu.consumed > 0 {
            return None;
        }
        let user_data_offset = self.plain_data_offset(tsdu.head)?;
        let user_data = tsdu.take_rest(user_data_offset);
        Some(Indication::Data { user_data, user_data_offset, enclosure: Enclosure::WHOLE })
    }

    #[inline(never)]
    fn handle_spdus<'a>(&mut self, now: Duration, tsdu: &mut Tsdu<'a>) -> Option<Indication<'a>> {
        while self.state() != State::Sta01 {
            if tsdu.remaining_octets() == 0 && tsdu.consumed > 0 {
                let spdu = match tsdu.deferred.take()? {
                    Deferred::Give(give) => Spdu::GiveTokens(give),
                    Deferred::Please(please) => Spdu::PleaseTokens(please),
                };
                let source = Source { kind: spdu.kind(), offset: 0, octets: &[], user_data_offset: 0 };
                return self.receive_event(now, &spdu, source);
            }
            let (octets, consumed) = (tsdu.head, tsdu.consumed);
            let tsdu_octets = (consumed == 0).then(|| tsdu.remaining_octets());
            let rules = self.rules();
            let taken = tsdu.next_in_processing_order(&rules).and_then(|view| match view {
                Some(view) => view.parse(&rules).map(|spdu| Some((view, spdu))),
                None => Ok(None),
            });
            let (view, spdu) = match taken {
                Ok(taken) => taken?,
                Err(error) => return self.decode_fault(now, tsdu, error, octets),
            };
            let source = source(&view, &octets[view.offset - consumed..]);
            self.note_tolerated(&view);
            if tsdu_octets.is_some_and(|octets| self.is_oversized(octets)) && tsdu.joined.is_none() {
                let rule = rule_of_spdu("TSDU longer than the agreed maximum");
                return self.violation(now, tsdu, source, rule);
            }
            if let Some(indication) = self.receive(now, tsdu, spdu, source) {
                return Some(indication);
            }
        }
        tsdu.deferred = None;
        None
    }

    fn rules(&self) -> DecodeRules {
        let SessionConfig { strict, extended_concatenation, .. } = self.config;
        DecodeRules { strict, extended_concatenation, version: self.version }
    }

    /// Lenient: some peers count user data only, not the headers in front of them.
    fn is_oversized(&self, octets: usize) -> bool {
        let tolerance = if self.config.strict { 0 } else { DATA_OVERHEAD_OCTETS };
        self.receive_octets_max().is_some_and(|octets_max| octets > octets_max + tolerance)
    }

    fn receive<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        spdu: Spdu<'a>,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        let spdu = match tsdu.joined {
            // The head of a joined category 2 SPDU has nothing to do with its user data.
            Some(user_data) if tsdu.remaining_octets() == 0 => join::with_user_data(spdu, user_data, None),
            _ => spdu,
        };
        if let Some(head) = head_of_others(&spdu, tsdu) {
            let whole = join::enclosure(&spdu).unwrap_or(Enclosure::WHOLE) == Enclosure::WHOLE;
            if !whole && self.has_session() {
                let rule = rule(pi::ENCLOSURE, "an SPDU behind a segment");
                return self.violation(now, tsdu, source, rule);
            }
            tsdu.deferred = Some(head).filter(names_tokens);
            return None;
        }
        if let Some(rule) = self.broken_rule(&spdu) {
            return self.violation(now, tsdu, source, rule);
        }
        self.throw_away(&spdu);
        let awaited = self.state() == State::Sta15D && self.kind_of(&spdu) == SpduKind::Abort;
        if (self.has_session() || awaited) && self.must_be_joined(&spdu) {
            return self.join(now, tsdu, &spdu, source);
        }
        match spdu {
            Spdu::DataTransfer(data) => self.receive_data(now, tsdu, data.into(), source),
            Spdu::TypedData(data) => self.receive_data(now, tsdu, data.into(), source),
            Spdu::Connect(connect) => self.receive_connect(now, tsdu, &connect, source),
            Spdu::OverflowAccept(accept) => self.receive_overflow_accept(now, tsdu, &accept, source),
            Spdu::ConnectDataOverflow(overflow) => self.receive_overflow(now, tsdu, &overflow, source),
            Spdu::Accept(accept) => self.receive_accept(now, tsdu, &accept, source),
            Spdu::Disconnect(disconnect) if self.is_early_disconnect() => {
                self.spm.record_early_disconnect();
                Some(Indication::ReleaseConfirm { affirmative: true, user_data: disconnect.user_data })
            }
            Spdu::Refuse(refuse) => {
                self.would_accept = refuse.requirements;
                let indication = self.receive_event(now, &spdu, source);
                self.drop_rest_if_over(tsdu);
                indication
            }
            Spdu::NotFinished(_) if self.is_superseded_refusal() => None,
            spdu => {
                let indication = self.receive_event(now, &spdu, source);
                self.drop_rest_if_over(tsdu);
                indication
            }
        }
    }

    /// The SPDU without what is reserved: the data separation bit of a MIP where that unit is not selected, which is
    /// ignored as any reserved bit is, and reasons that nobody has defined, which strict rules have refused.
    fn without_reserved<'a>(&self, spdu: Spdu<'a>) -> Spdu<'a> {
        let known = |reason| exception_reason(reason).map_or(NO_SPECIFIC_REASON, |_| reason);
        match spdu {
            Spdu::MinorSyncPoint(point) if !self.spm.variables().fu(FunctionalUnits::DATA_SEPARATION) => {
                Spdu::MinorSyncPoint(MinorSyncPoint { data_separation: false, ..point })
            }
            Spdu::ExceptionData(data) => {
                Spdu::ExceptionData(ExceptionData { reason: known(data.reason), ..data })
            }
            Spdu::ActivityInterrupt(interrupt) => {
                Spdu::ActivityInterrupt(ActivityInterrupt { reason: known(interrupt.reason), ..interrupt })
            }
            Spdu::ActivityDiscard(discard) => {
                Spdu::ActivityDiscard(ActivityDiscard { reason: known(discard.reason), ..discard })
            }
            spdu => spdu,
        }
    }

    /// An SPDU whose event and indication depend on nothing but itself.
    pub(super) fn receive_event<'a>(
        &mut self,
        now: Duration,
        spdu: &Spdu<'a>,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        let spdu = &self.without_reserved(*spdu);
        let (event, mut arguments) = classify::event(spdu, self.state(), self.spm.variables())?;
        if let Spdu::ResynchronizeAck(ack) = spdu {
            if !self.config.strict && !self.spm.variables().symmetric() {
                self.spm.accept_lower_abandon(ack.serial_number.0);
            }
            let settings = self.settled_positions(ack.token_settings.as_ref());
            arguments.positions = resync::owned_with(self.spm.variables(), &settings);
        }
        let before = *self.spm.variables();
        let outcome = self.fire(now, event, &arguments, source);
        self.note_queue(&outcome, spdu);
        let indication = self.indicate(&outcome, spdu, &before);
        self.note_resynchronization(&outcome, spdu, &before);
        indication
    }

    /// DT or TD: each segment raises the event and is indicated as it comes.
    fn receive_data<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        data: DataSpdu<'a>,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        let enclosure = data.enclosure.unwrap_or(Enclosure::WHOLE);
        if self.has_session()
            && let Some(rule) = self.broken_sequence(data.kind, data.enclosure, enclosure)
        {
            return self.violation(now, tsdu, source, rule);
        }
        let event = classify::plain_event(source.kind);
        let outcome = self.fire(now, event, &Arguments::NONE, source);
        // The rest of an SSDU whose beginning was discarded is discarded too, whatever the state by now.
        let is_rest_of_nothing = self.receiving.is_none() && !enclosure.begin;
        let is_indicated = !is_rest_of_nothing
            && outcome.outputs.iter().any(|output| matches!(output, Output::SDtInd | Output::STdInd));
        if matches!(outcome.cause, Cause::Row(_)) {
            self.receiving = (is_indicated && !enclosure.end).then_some(data.kind);
        }
        self.drop_rest_if_over(tsdu);
        let (user_data, user_data_offset) = (data.user_data, source.user_data_offset);
        outcome.outputs.iter().find_map(|output| match output {
            Output::SDtInd | Output::STdInd if !is_indicated => None,
            Output::SDtInd => Some(Indication::Data { user_data, user_data_offset, enclosure }),
            Output::STdInd => Some(Indication::TypedData { user_data, user_data_offset, enclosure }),
            output => indicated_fault(*output),
        })
    }

    /// True where a DN comes before the own answer to a colliding release.
    ///
    /// The tables let only the transport acceptor take it; peers exist that answer at once in both roles.
    fn is_early_disconnect(&self) -> bool {
        let v = self.spm.variables();
        !self.config.strict && self.state() == State::Sta09 && v.vcoll && !v.vtca && !v.vdnr
    }

    /// True where an NF answers a release that this user has given up for a resynchronization since.
    ///
    /// Annex A has no row for it: PR-RS overtook NF on its way to STA03, and the user asked for a resynchronization
    /// in STA15B, which no longer shows the release. In STA15B itself the tables confirm it.
    pub(super) fn is_superseded_refusal(&self) -> bool {
        let v = self.spm.variables();
        self.state() == State::Sta06 && v.fu(FunctionalUnits::NEGOTIATED_RELEASE)
    }

    /// Functional unit, version and flow: what holds whatever the state's cell says.
    fn broken_rule(&self, spdu: &Spdu<'_>) -> Option<Rule> {
        let kind = self.kind_of(spdu);
        let v = self.spm.variables();
        if !self.has_session() {
            return None;
        }
        if matches!(kind, SpduKind::ExpeditedData | SpduKind::Prepare) && !self.transport_expedited {
            return Some(rule_of_spdu("transport expedited is not used"));
        }
        let units = classify::units_of(kind);
        if self.version.is_some() && !units.is_empty() && !v.functional_units.intersects(units) {
            return Some(rule_of_spdu("functional unit not selected"));
        }
        self.broken_interleave(spdu)
    }

    /// True from CN on until the end is certain: where a protocol error is answered by AB.
    fn has_session(&self) -> bool {
        !matches!(
            self.state(),
            State::Sta01
                | State::Sta01A
                | State::Sta01B
                | State::Sta01C
                | State::Sta01D
                | State::Sta15D
                | State::Sta16
        )
    }

    pub(super) fn fire(
        &mut self,
        now: Duration,
        event: Event,
        arguments: &Arguments,
        source: Source<'_>,
    ) -> Outcome {
        let content = self.protocol_error_content(source);
        self.fire_with(now, event, arguments, source, &content)
    }

    pub(super) fn fire_with(
        &mut self,
        now: Duration,
        event: Event,
        arguments: &Arguments,
        source: Source<'_>,
        content: &Content<'_>,
    ) -> Outcome {
        let state = self.state();
        let queue_is_full = self.spm.queue().len() >= QUEUED_EVENTS_MAX;
        let reported = self.reports_exceptions() && self.spm.row(event, arguments).is_none();
        let outcome = match reported.then(|| self.spm.exception_report()).flatten() {
            Some(outcome) => outcome,
            None => self.spm.fire(event, arguments),
        };
        let before_session = matches!(state, State::Sta01C | State::Sta01D);
        let released = before_session && self.state() == State::Sta01;
        if released || matches!(outcome.cause, Cause::ProtocolError | Cause::ExceptionReported) {
            // The cell that the event met: in the state and with the units from before it.
            let met = Spm::at(state, outcome.before, &[]);
            self.record(match met.cell(event, arguments) {
                [_, ..] if queue_is_full => {
                    source.violation(rule_of_spdu("more expedited SPDUs than are kept for later"))
                }
                [_, ..] if !released => {
                    source.violation(rule_of_spdu("token, number or unit does not allow it"))
                }
                _ => PeerFault::Inopportune { spdu: source.kind, offset: source.offset, state },
            });
        }
        self.transmit(&outcome, content);
        self.settle(now, &outcome);
        outcome
    }

    pub(super) fn protocol_error_content<'a>(&self, source: Source<'a>) -> Content<'a> {
        Content {
            cause: TransportDisconnect::PROTOCOL_ERROR,
            reflect: reflected(source.octets),
            ..Content::default()
        }
    }

    /// An SPDU that breaks what was agreed.
    pub(super) fn violation<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        source: Source<'a>,
        rule: Rule,
    ) -> Option<Indication<'a>> {
        self.protocol_error(now, tsdu, source.violation(rule), Some(source.kind), source.octets)
    }

    /// Octets that are no SPDU.
    fn decode_fault<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        error: DecodeError,
        octets: &'a [u8],
    ) -> Option<Indication<'a>> {
        self.protocol_error(now, tsdu, PeerFault::Decode(error), error.spdu, octets)
    }

    fn protocol_error<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        fault: PeerFault,
        spdu: Option<SpduKind>,
        octets: &'a [u8],
    ) -> Option<Indication<'a>> {
        let outcome = match spdu {
            Some(SpduKind::Abort | SpduKind::AbortAccept | SpduKind::Refuse | SpduKind::Disconnect) => {
                self.spm.unanswered_error()
            }
            _ => {
                let reported = self.reports_exceptions().then(|| self.spm.exception_report());
                reported.flatten().unwrap_or_else(|| self.spm.protocol_error())
            }
        };
        if !matches!(outcome.cause, Cause::Ignored) {
            self.record(fault);
        }
        self.transmit(&outcome, &Content { reflect: reflected(octets), ..Content::default() });
        self.settle(now, &outcome);
        tsdu.spend();
        outcome.outputs.iter().find_map(|output| indicated_fault(*output))
    }

    /// The local choice to report a protocol error by EXCEPTION REPORT where that is possible.
    fn reports_exceptions(&self) -> bool {
        self.config.exception_reports && self.functional_units().contains(FunctionalUnits::EXCEPTIONS)
    }

    /// What stands behind an SPDU that ended the session counts no longer.
    pub(super) fn drop_rest_if_over(&self, tsdu: &mut Tsdu<'_>) {
        if matches!(self.state(), State::Sta01 | State::Sta16) {
            tsdu.spend();
        }
    }
}

pub(super) const PROTOCOL_ERROR: Indication<'static> =
    Indication::ProviderAbort { reason: ProviderAbortReason::ProtocolError };

/// What the user is told of an SPDU that this machine finds wrong.
pub(super) fn indicated_fault(output: Output) -> Option<Indication<'static>> {
    match output {
        Output::SPAbInd => Some(PROTOCOL_ERROR),
        Output::SPErInd => {
            Some(Indication::ProviderException { reason: ProviderExceptionReason::ProtocolError })
        }
        _ => None,
    }
}

/// The GT or PT at the head of other SPDUs, which say what it belongs to.
fn head_of_others<'a>(spdu: &Spdu<'a>, tsdu: &Tsdu<'_>) -> Option<Deferred<'a>> {
    match *spdu {
        Spdu::GiveTokens(give) if tsdu.remaining_octets() > 0 => Some(Deferred::Give(give)),
        Spdu::PleaseTokens(please) if tsdu.remaining_octets() > 0 => Some(Deferred::Please(please)),
        _ => None,
    }
}

fn names_tokens(head: &Deferred<'_>) -> bool {
    match head {
        Deferred::Give(give) => !give.tokens.is_empty(),
        Deferred::Please(please) => !please.tokens.is_empty(),
    }
}

/// Reason Code of ED, AI and AD that says nothing.
const NO_SPECIFIC_REASON: u8 = 0;

fn source<'a>(view: &SpduView<'a>, octets: &'a [u8]) -> Source<'a> {
    let spdu_octets = view.user_information_offset - view.offset;
    Source {
        kind: view.kind,
        offset: view.offset,
        octets: octets.get(..spdu_octets).unwrap_or(octets),
        user_data_offset: view.user_information_offset,
    }
}

/// The first octets of an SPDU at fault, as AB takes them back.
fn reflected(octets: &[u8]) -> &[u8] {
    &octets[..octets.len().min(Abort::REFLECT_OCTETS_MAX)]
}

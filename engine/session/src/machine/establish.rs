//! Received CONNECT and ACCEPT: the SPDUs that the negotiation looks at.

use core::time::Duration;

use super::content::Content;
use super::negotiation::{self, Agreement, Proposal};
use super::overflow::overflow_accept;
use super::receive::{PROTOCOL_ERROR, Source};
use super::{Arguments, Event, Output, Session, State, tsdu_sizes};
use crate::spdu::{Accept, Connect, ConnectAcceptItem, Deferred, OverflowAccept, PleaseTokens, Spdu, Tsdu};
use crate::{AcceptParameters, ConnectParameters, Indication, ProtocolOptions, TokenSide};

impl Session {
    pub(super) fn receive_connect<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        connect: &Connect<'a>,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        if self.state() == State::Sta01D && tsdu.joined.is_some() {
            return self.receive_joined_connect(now, connect, source);
        }
        let judged = negotiation::judge_connect(&self.config, connect, self.transport_expedited);
        let overflow = connect.data_overflow;
        let arguments = Arguments { unacceptable: judged.is_err(), overflow, ..Arguments::NONE };
        let refusal = judged.err();
        let content = Content {
            reason: refusal.map_or(0, |refusal| refusal.reason),
            versions: refusal.filter(|refusal| refusal.reason == 132).map(|_| self.config.versions),
            overflow_accept: judged.as_ref().map_or_else(|_| OverflowAccept::default(), overflow_accept),
            ..self.protocol_error_content(source)
        };
        let outcome = self.fire_with(now, Event::Cn, &arguments, source, &content);
        self.drop_rest_if_over(tsdu);
        if judged.is_ok() {
            self.note_options(&connect.item);
        }
        match judged {
            Ok(proposal) if outcome.outputs.contains(&Output::SConInd) => {
                self.cold().proposal = Some(proposal);
                Some(Indication::Connect(indicated_connect(connect, &proposal)))
            }
            Ok(proposal) if outcome.effects.keep_user_data => {
                self.keep_connect(proposal, connect, source);
                None
            }
            Err(refusal) if outcome.outputs.contains(&Output::RfNr) => {
                self.record(source.violation(refusal.rule));
                None
            }
            _ => outcome.outputs.contains(&Output::SPAbInd).then_some(PROTOCOL_ERROR),
        }
    }

    fn note_options(&mut self, item: &ConnectAcceptItem<'_>) {
        self.peer_takes_extended = item.protocol_options.contains(ProtocolOptions::EXTENDED_CONCATENATION);
    }

    pub(super) fn receive_accept<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        accept: &Accept<'a>,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        let proposal = self.cold.as_ref().and_then(|cold| cold.proposal);
        let (State::Sta02A, Some(proposal)) = (self.state(), proposal) else {
            return self.receive_event(now, &Spdu::Accept(*accept), source);
        };
        let agreement = match negotiation::judge_accept(self.config.strict, &proposal, accept) {
            Ok(agreement) => agreement,
            Err(rule) => return self.violation(now, tsdu, source, rule),
        };
        let Agreement { units, token_settings, .. } = agreement;
        let arguments = Arguments {
            functional_units: units,
            positions: negotiation::tokens_at(units, &token_settings, TokenSide::Initiator),
            serial: agreement.initial_serial_number.map(|serial| serial.0),
            second_serial: agreement.second_initial_serial_number.map(|serial| serial.0),
            transport_expedited: self.transport_expedited,
            ..Arguments::NONE
        };
        let outcome = self.fire(now, Event::Ac, &arguments, source);
        self.note_queue(&outcome, &Spdu::Accept(*accept));
        self.note_options(&accept.item);
        self.version = Some(agreement.version);
        self.tsdu_maximum_size = agreement.tsdu_maximum_size;
        self.cold().proposal = None;
        // Tokens asked for in AC are indicated behind the confirm; of units not selected there are none.
        let tokens_please = accept.tokens_please & self.tokens_available();
        if !tokens_please.is_empty() {
            let please = PleaseTokens { tokens: tokens_please, ..Default::default() };
            tsdu.deferred = Some(Deferred::Please(please));
        }
        Some(Indication::ConnectConfirm(AcceptParameters {
            identifier: accept.identifier,
            responding: (!accept.responding.as_octets().is_empty()).then_some(accept.responding),
            requirements: units,
            initial_serial_number: agreement.initial_serial_number,
            second_initial_serial_number: agreement.second_initial_serial_number,
            token_settings,
            tokens_please,
            tsdu_maximum_size: tsdu_sizes::unless_unlimited(agreement.tsdu_maximum_size),
            user_data: accept.user_data,
        }))
    }
}

pub(super) fn indicated_connect<'a>(connect: &Connect<'a>, proposal: &Proposal) -> ConnectParameters<'a> {
    ConnectParameters {
        identifier: connect.identifier,
        calling: connect.calling,
        called: connect.called,
        versions: connect.item.versions,
        requirements: proposal.units,
        initial_serial_number: proposal.initial_serial_number,
        second_initial_serial_number: proposal.second_initial_serial_number,
        token_settings: proposal.token_settings,
        tsdu_maximum_size: tsdu_sizes::unless_unlimited(proposal.tsdu_maximum_size),
        user_data: connect.user_data,
    }
}

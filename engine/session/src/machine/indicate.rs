//! Outputs of a row as indications to the user, and what has to be remembered for the answer.

use core::time::Duration;

use super::content::abort_reason;
use super::join::{self, Joined};
use super::receive::indicated_fault;
use super::resync::{self, Resync};
use super::variables::Variables;
use super::{Arguments, Event, Outcome, Output, Session};
use crate::spdu::{Abort, ActivityResume, ExpeditedData, Refuse, Spdu};
use crate::{
    ActivityResumeParameters, FlowResynchronization, Indication, OldConnection, ProviderExceptionReason,
    RefuseParameters, ResynchronizeAnswer, ResynchronizeParameters, TokenSettings, TransportDisconnect,
};

impl Session {
    /// The indication among the outputs of a row; `before` are the variables it found.
    pub(super) fn indicate<'a>(
        &self,
        outcome: &Outcome,
        spdu: &Spdu<'a>,
        before: &Variables,
    ) -> Option<Indication<'a>> {
        let indication = |output: &Output| {
            indication_of_kernel(*output, spdu, outcome)
                .or_else(|| indication_of_unit(*output, spdu, before))
                .or_else(|| self.indication_of_resynchronization(*output, spdu, before))
        };
        outcome.outputs.iter().find_map(indication)
    }

    fn indication_of_resynchronization<'a>(
        &self,
        output: Output,
        spdu: &Spdu<'a>,
        before: &Variables,
    ) -> Option<Indication<'a>> {
        let symmetric = before.symmetric();
        match (output, spdu) {
            (Output::SRsynInd, Spdu::Resynchronize(resynchronize)) => {
                let settings =
                    resynchronize.token_settings.unwrap_or_else(|| resync::current_settings(before));
                Some(Indication::Resynchronize(ResynchronizeParameters {
                    resync_type: resynchronize.resync_type,
                    serial_number: Some(resynchronize.serial_number),
                    token_settings: Some(settings),
                    second: resynchronize.second_resync_type.filter(|_| symmetric).map(|resync_type| {
                        let serial_number = resynchronize.second_serial_number;
                        FlowResynchronization { resync_type, serial_number }
                    }),
                    user_data: resynchronize.user_data,
                }))
            }
            (Output::SRsynCnf, Spdu::ResynchronizeAck(ack)) => {
                Some(Indication::ResynchronizeConfirm(ResynchronizeAnswer {
                    serial_number: Some(ack.serial_number),
                    second_serial_number: ack.second_serial_number.filter(|_| symmetric),
                    token_settings: Some(resync::current_settings(self.spm.variables())),
                    user_data: ack.user_data,
                }))
            }
            _ => None,
        }
    }

    /// Where the tokens are once the pending resynchronization is confirmed with these positions.
    pub(super) fn settled_positions(&self, answered: Option<&TokenSettings>) -> TokenSettings {
        let v = self.spm.variables();
        match self.cold.as_ref().and_then(|cold| cold.resync) {
            Some(pending) => resync::settle(v, &pending.token_settings, answered),
            None => resync::current_settings(v),
        }
    }

    /// Keeps what the answer to an indicated resynchronization needs, and forgets what is over.
    pub(super) fn note_resynchronization(&mut self, outcome: &Outcome, spdu: &Spdu<'_>, before: &Variables) {
        match spdu {
            Spdu::Resynchronize(resynchronize) if outcome.outputs.contains(&Output::SRsynInd) => {
                let settings = resynchronize.token_settings;
                self.cold().resync = Some(Resync {
                    serial_number: resynchronize.serial_number,
                    second_serial_number: resynchronize.second_serial_number,
                    token_settings: settings.unwrap_or_else(|| resync::current_settings(before)),
                });
            }
            _ if self.cold.as_ref().is_some_and(|cold| cold.resync.is_some()) => {
                let over = [Output::SRsynCnf, Output::SActIInd, Output::SActDInd];
                if over.iter().any(|output| outcome.outputs.contains(output)) {
                    self.forget_resync();
                }
            }
            _ => {}
        }
    }

    /// Carries out actions 6 and 10: SPDUs of the expedited flow wait as octets, and come back through
    /// [`Session::take_joined`].
    pub(super) fn note_queue(&mut self, outcome: &Outcome, spdu: &Spdu<'_>) {
        let effects = outcome.effects;
        if effects.drop_prepare
            && let Some(cold) = &mut self.cold
        {
            cold.queued.retain(|queued| queued.octets()[0] != PREPARE_SI);
        }
        if effects.queue {
            let mut octets = Vec::with_capacity(spdu.encoded_octets());
            let emitted = spdu.emit_tsdu(&mut octets);
            debug_assert_eq!(emitted, Ok(()), "{:?} was received", spdu.kind());
            self.cold().queued.push_back(Joined::expedited(&octets));
        }
        if effects.replay {
            self.spm.forget_queue();
            if let Some(cold) = &mut self.cold {
                let queued = core::mem::take(&mut cold.queued);
                cold.joined.extend(queued);
            }
        }
    }

    /// Carries out action 6 of a request: a PREPARE counts at once, before anything else comes. Expedited data
    /// that are still wanted come back through [`Session::take_joined`], and so does what waits behind them: they
    /// were sent before it, and in the state that it leads to they would belong behind it.
    pub(super) fn replay_after_request(&mut self, now: Duration, outcome: &Outcome) {
        if !outcome.effects.replay {
            return;
        }
        self.spm.forget_queue();
        let Some(cold) = &mut self.cold else { return };
        let mut are_wanted = false;
        for queued in core::mem::take(&mut cold.queued) {
            let is_prepare = queued.octets()[0] == PREPARE_SI;
            let row = self.spm.row(Event::Ex, &Arguments::NONE);
            are_wanted |= !is_prepare && row.is_none_or(|row| !row.outputs.is_empty());
            if are_wanted {
                self.cold().joined.push_back(queued);
                continue;
            }
            let told = self.handle_tsdu(now, &mut queued.tsdu());
            debug_assert_eq!(told, None, "neither PREPARE nor discarded data are indicated");
        }
    }
}

/// SI of PREPARE, the first octet of its TSDU.
const PREPARE_SI: u8 = 7;

fn indication_of_kernel<'a>(output: Output, spdu: &Spdu<'a>, outcome: &Outcome) -> Option<Indication<'a>> {
    let user_data = join::user_data(spdu);
    // An exception that the peer reports is no fault that this machine finds.
    let reported = output == Output::SPErInd && matches!(spdu, Spdu::ExceptionReport(_));
    let fault = || indicated_fault(output).filter(|_| !reported);
    Some(match (output, spdu) {
        (Output::SxAbInd, Spdu::Abort(abort)) => indicated_abort(abort),
        (Output::SConCnfNeg, Spdu::Refuse(refuse)) => {
            indicated_refuse(refuse, outcome.outputs.contains(&Output::TDisReq))
        }
        (Output::SExInd, Spdu::ExpeditedData(ExpeditedData { user_information })) => {
            Indication::ExpeditedData { user_data: user_information }
        }
        (Output::SGtInd, Spdu::GiveTokens(give)) => Indication::TokenGive { tokens: give.tokens, user_data },
        (Output::SPtInd, Spdu::PleaseTokens(please)) => {
            Indication::TokenPlease { tokens: please.tokens, user_data }
        }
        (Output::SRelInd, _) => Indication::Release { user_data },
        (Output::SRelCnfPos, _) => Indication::ReleaseConfirm { affirmative: true, user_data },
        (Output::SRelCnfNeg, _) => Indication::ReleaseConfirm { affirmative: false, user_data },
        _ => return fault(),
    })
}

fn indication_of_unit<'a>(output: Output, spdu: &Spdu<'a>, before: &Variables) -> Option<Indication<'a>> {
    let user_data = join::user_data(spdu);
    Some(match (output, spdu) {
        (Output::SCdInd, _) => Indication::CapabilityData { user_data },
        (Output::SCdCnf, _) => Indication::CapabilityDataConfirm { user_data },
        (Output::SCgInd, _) => Indication::ControlGive { user_data },
        (Output::SSynMinInd | Output::SSynMinDsInd, Spdu::MinorSyncPoint(point)) => Indication::SyncMinor {
            serial_number: point.serial_number,
            confirmation_optional: point.confirmation_optional,
            data_separation: point.data_separation,
            user_data,
        },
        (Output::SSynMinCnf, Spdu::MinorSyncAck(ack)) => {
            Indication::SyncMinorConfirm { serial_number: ack.serial_number, user_data }
        }
        (Output::SSynMajInd, Spdu::MajorSyncPoint(point)) => {
            Indication::SyncMajor { serial_number: point.serial_number, user_data }
        }
        (Output::SSynMajCnf, Spdu::MajorSyncAck(ack)) => {
            Indication::SyncMajorConfirm { serial_number: ack.serial_number, user_data }
        }
        (Output::SActEInd, Spdu::ActivityEnd(end)) => {
            Indication::ActivityEnd { serial_number: end.serial_number, user_data }
        }
        (Output::SActECnf, Spdu::MajorSyncAck(ack)) => {
            Indication::ActivityEndConfirm { serial_number: ack.serial_number, user_data }
        }
        (Output::SPErInd, _) => {
            Indication::ProviderException { reason: ProviderExceptionReason::NonSpecific }
        }
        (Output::SUErInd, Spdu::ExceptionData(data)) => {
            Indication::UserException { reason: data.reason, user_data }
        }
        (Output::SActSInd, Spdu::ActivityStart(start)) => {
            Indication::ActivityStart { identifier: start.activity_identifier, user_data }
        }
        (Output::SActRInd, Spdu::ActivityResume(resume)) => indicated_resume(resume, before),
        (Output::SActIInd, Spdu::ActivityInterrupt(interrupt)) => {
            Indication::ActivityInterrupt { reason: interrupt.reason, user_data }
        }
        (Output::SActICnf, _) => Indication::ActivityInterruptConfirm { user_data },
        (Output::SActDInd, Spdu::ActivityDiscard(discard)) => {
            Indication::ActivityDiscard { reason: discard.reason, user_data }
        }
        (Output::SActDCnf, _) => Indication::ActivityDiscardConfirm { user_data },
        _ => return None,
    })
}

fn indicated_resume<'a>(resume: &ActivityResume<'a>, before: &Variables) -> Indication<'a> {
    let link = resume.linking_information;
    Indication::ActivityResume(ActivityResumeParameters {
        identifier: resume.activity_identifier,
        old_identifier: link.old_activity_identifier,
        serial_number: link.serial_number,
        second_serial_number: link.second_serial_number.filter(|_| before.symmetric()),
        old_connection: OldConnection {
            called_reference: link.called_reference,
            calling_reference: link.calling_reference,
            common_reference: link.common_reference,
            additional_information: link.additional_information,
        },
        user_data: resume.user_data,
    })
}

/// Bit 2 counts first: deployed stacks set it together with others. Some leave PI 17 out and send user
/// data, which only a user has.
fn indicated_abort<'a>(abort: &Abort<'a>) -> Indication<'a> {
    let no_cause = abort.transport_disconnect - TransportDisconnect::RELEASED;
    if abort.is_user_abort() || (no_cause.is_empty() && !abort.user_data.is_empty()) {
        return Indication::UserAbort { user_data: abort.user_data };
    }
    Indication::ProviderAbort { reason: abort_reason(abort.transport_disconnect) }
}

fn indicated_refuse<'a>(refuse: &Refuse<'a>, released: bool) -> Indication<'a> {
    Indication::ConnectRefused(RefuseParameters {
        reason: refuse.reason,
        user_data: refuse.user_data,
        transport_kept: !released,
    })
}

//! The event, its parameters and the SPDU of a user's request.

use super::request_flows::{asked_number, in_range, numbers, second_flow};
use super::resync::{self, Resync};
use super::variables::Variables;
use super::{Arguments, Event, Output, request_flows};
use crate::spdu::{
    Abort, ActivityDiscard, ActivityDiscardAck, ActivityEnd, ActivityInterrupt, ActivityInterruptAck,
    ActivityResume, ActivityStart, CapabilityData, CapabilityDataAck, Disconnect, ExceptionData,
    ExpeditedData, Finish, GiveTokens, GiveTokensConfirm, LinkingInformation, MajorSyncAck, MajorSyncPoint,
    MinorSyncAck, MinorSyncPoint, NotFinished, PleaseTokens, Resynchronize, ResynchronizeAck, Spdu,
    exception_reason,
};
use crate::{
    ActivityResumeParameters, Request, ResyncType, ResynchronizeAnswer, ResynchronizeParameters,
    SerialNumber, ServiceError, Tokens, TransportDisconnect,
};

/// What a request comes down to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared<'u> {
    pub(super) event: Event,
    pub(super) arguments: Arguments,
    pub(super) spdu: Spdu<'u>,
    /// What a resynchronize request is remembered by.
    pub(super) resync: Option<Resync>,
}

/// Longest activity identifier.
const ACTIVITY_IDENTIFIER_OCTETS_MAX: usize = 6;

/// Looks at the parameters of a request that no state decides on, and makes its SPDU.
///
/// `pending` is the resynchronization that a response belongs to.
pub(super) fn prepare<'u>(
    request: &Request<'u>,
    v: &Variables,
    pending: Option<Resync>,
) -> Result<Prepared<'u>, ServiceError> {
    let plain = |event, spdu| Ok(Prepared { event, arguments: Arguments::NONE, spdu, resync: None });
    let enclosure = None;
    match *request {
        Request::ExpeditedData { user_data } => expedited(user_data),
        Request::CapabilityData { user_data } => {
            plain(Event::SCdReq, Spdu::CapabilityData(CapabilityData { enclosure, user_data }))
        }
        Request::CapabilityDataResponse { user_data } => {
            plain(Event::SCdRsp, Spdu::CapabilityDataAck(CapabilityDataAck { enclosure, user_data }))
        }
        Request::TokenGive { tokens, user_data } => {
            let spdu = Spdu::GiveTokens(GiveTokens { tokens, enclosure, user_data });
            of_tokens(Event::SGtReq, tokens, spdu)
        }
        Request::TokenPlease { tokens, user_data } => {
            let owned = tokens & v.tokens_owned;
            if !owned.is_empty() {
                return Err(ServiceError::Token(owned));
            }
            let spdu = Spdu::PleaseTokens(PleaseTokens { tokens, enclosure, user_data });
            of_tokens(Event::SPtReq, tokens, spdu)
        }
        Request::ControlGive { user_data } => {
            plain(Event::SCgReq, Spdu::GiveTokensConfirm(GiveTokensConfirm { enclosure, user_data }))
        }
        Request::UserException { reason, user_data } => {
            check_reason(reason)?;
            plain(Event::SUErReq, Spdu::ExceptionData(ExceptionData { enclosure, reason, user_data }))
        }
        Request::Release { user_data } => {
            let transport_disconnect = Some(TransportDisconnect::RELEASED);
            plain(Event::SRelReq, Spdu::Finish(Finish { transport_disconnect, enclosure, user_data }))
        }
        Request::ReleaseResponse { affirmative: true, user_data } => {
            plain(Event::SRelRspPos, Spdu::Disconnect(Disconnect { enclosure, user_data }))
        }
        Request::ReleaseResponse { affirmative: false, user_data } => {
            plain(Event::SRelRspNeg, Spdu::NotFinished(NotFinished { enclosure, user_data }))
        }
        Request::Abort { user_data } => {
            let transport_disconnect = TransportDisconnect::USER_ABORT;
            plain(
                Event::SUAbReq,
                Spdu::Abort(Abort { transport_disconnect, enclosure, reflect: &[], user_data }),
            )
        }
        Request::Resynchronize(ref parameters) => resynchronize(parameters, v),
        Request::ResynchronizeResponse(ref answer) => resynchronize_answer(answer, v, pending),
        _ => sync_or_activity(request, v),
    }
}

fn sync_or_activity<'u>(request: &Request<'u>, v: &Variables) -> Result<Prepared<'u>, ServiceError> {
    let plain = |event, spdu| Ok(Prepared { event, arguments: Arguments::NONE, spdu, resync: None });
    let enclosure = None;
    match *request {
        Request::SyncMinor { confirmation_optional, data_separation, user_data } => {
            let (serial_number, _) = numbers(Output::Mip, v)?;
            let event = if data_separation { Event::SSynMinDsReq } else { Event::SSynMinReq };
            plain(
                event,
                Spdu::MinorSyncPoint(MinorSyncPoint {
                    confirmation_optional,
                    data_separation,
                    enclosure,
                    serial_number,
                    user_data,
                }),
            )
        }
        Request::SyncMinorResponse { serial_number, user_data } => {
            let spdu = Spdu::MinorSyncAck(MinorSyncAck { enclosure, serial_number, user_data });
            numbered(Event::SSynMinRsp, serial_number, spdu)
        }
        Request::SyncMajor { user_data } => {
            let (serial_number, second_serial_number) = numbers(Output::Map, v)?;
            let point = MajorSyncPoint { enclosure, serial_number, second_serial_number, user_data };
            plain(Event::SSynMajReq, Spdu::MajorSyncPoint(point))
        }
        Request::SyncMajorResponse { user_data } => major_response(Event::SSynMajRsp, user_data, v),
        Request::ActivityEnd { user_data } => {
            let (serial_number, second_serial_number) = numbers(Output::Ae, v)?;
            let end = ActivityEnd { enclosure, serial_number, second_serial_number, user_data };
            plain(Event::SActEReq, Spdu::ActivityEnd(end))
        }
        Request::ActivityEndResponse { user_data } => major_response(Event::SActERsp, user_data, v),
        Request::ActivityStart { identifier, user_data } => {
            check_identifier(identifier)?;
            let start = ActivityStart { enclosure, activity_identifier: identifier, user_data };
            plain(Event::SActSReq, Spdu::ActivityStart(start))
        }
        Request::ActivityResume(ref resume) => activity_resume(resume, v),
        Request::ActivityInterrupt { reason, user_data } => {
            check_reason(reason)?;
            let interrupt = ActivityInterrupt { enclosure, reason, user_data };
            plain(Event::SActIReq, Spdu::ActivityInterrupt(interrupt))
        }
        Request::ActivityInterruptResponse { user_data } => {
            plain(Event::SActIRsp, Spdu::ActivityInterruptAck(ActivityInterruptAck { enclosure, user_data }))
        }
        Request::ActivityDiscard { reason, user_data } => {
            check_reason(reason)?;
            let discard = ActivityDiscard { enclosure, reason, user_data };
            plain(Event::SActDReq, Spdu::ActivityDiscard(discard))
        }
        Request::ActivityDiscardResponse { user_data } => {
            plain(Event::SActDRsp, Spdu::ActivityDiscardAck(ActivityDiscardAck { enclosure, user_data }))
        }
        _ => unreachable!("`prepare` has an arm for the other requests"),
    }
}

fn expedited(user_data: &[u8]) -> Result<Prepared<'_>, ServiceError> {
    if user_data.is_empty() {
        return Err(ServiceError::Parameter("expedited data of no octets"));
    }
    let spdu = Spdu::ExpeditedData(ExpeditedData { user_information: user_data });
    Ok(Prepared { event: Event::SExReq, arguments: Arguments::NONE, spdu, resync: None })
}

fn of_tokens(event: Event, tokens: Tokens, spdu: Spdu<'_>) -> Result<Prepared<'_>, ServiceError> {
    if tokens.is_empty() {
        return Err(ServiceError::Parameter("no token named"));
    }
    Ok(Prepared { event, arguments: Arguments::tokens(tokens), spdu, resync: None })
}

fn numbered(event: Event, serial_number: SerialNumber, spdu: Spdu<'_>) -> Result<Prepared<'_>, ServiceError> {
    let arguments = Arguments { serial: Some(serial_number.0), ..Arguments::NONE };
    Ok(Prepared { event, arguments, spdu, resync: None })
}

/// The response to a major synchronization point or an activity end: its number is the last one used.
fn major_response<'u>(
    event: Event,
    user_data: &'u [u8],
    v: &Variables,
) -> Result<Prepared<'u>, ServiceError> {
    let (serial_number, second_serial_number) = numbers(Output::Maa, v)?;
    let ack = MajorSyncAck { enclosure: None, serial_number, second_serial_number, user_data };
    numbered(event, serial_number, Spdu::MajorSyncAck(ack))
}

fn resynchronize<'u>(
    parameters: &ResynchronizeParameters<'u>,
    v: &Variables,
) -> Result<Prepared<'u>, ServiceError> {
    let ResynchronizeParameters { resync_type, serial_number, token_settings, user_data, .. } = *parameters;
    second_flow(v, parameters.second.is_some())?;
    let event = match resync_type {
        ResyncType::Abandon => Event::SRsynReqA,
        ResyncType::Restart => Event::SRsynReqR,
        ResyncType::Set => Event::SRsynReqS,
    };
    if v.symmetric() {
        return request_flows::resynchronize(event, parameters, v);
    }
    let serial_number = asked_number(resync_type, serial_number, v.v_m)?;
    let settings = token_settings.unwrap_or_else(|| resync::current_settings(v));
    let spdu = Spdu::Resynchronize(Resynchronize {
        token_settings: super::negotiation::settings_of(v.functional_units, settings),
        resync_type,
        serial_number,
        user_data,
        ..Resynchronize::default()
    });
    let resync = Some(Resync { serial_number, second_serial_number: None, token_settings: settings });
    Ok(Prepared { resync, ..numbered(event, serial_number, spdu)? })
}

fn resynchronize_answer<'u>(
    answer: &ResynchronizeAnswer<'u>,
    v: &Variables,
    pending: Option<Resync>,
) -> Result<Prepared<'u>, ServiceError> {
    second_flow(v, answer.second_serial_number.is_some())?;
    // Without one the state refuses the response.
    let pending = pending.unwrap_or_default();
    if v.symmetric() {
        return request_flows::resynchronize_answer(answer, v, &pending);
    }
    let indicated = match v.vrsp {
        super::Vrsp::A => SerialNumber(v.v_m),
        _ => pending.serial_number,
    };
    let serial_number = answer.serial_number.unwrap_or(indicated);
    in_range(serial_number)?;
    if v.vrsp != super::Vrsp::S && serial_number != indicated && v.vrsp != super::Vrsp::No {
        return Err(ServiceError::Parameter("only resynchronize set lets the acceptor choose the number"));
    }
    let settings = resync::settle(v, &pending.token_settings, answer.token_settings.as_ref());
    let spdu = Spdu::ResynchronizeAck(ResynchronizeAck {
        token_settings: super::negotiation::settings_of(v.functional_units, settings),
        serial_number,
        user_data: answer.user_data,
        ..ResynchronizeAck::default()
    });
    let mut prepared = numbered(Event::SRsynRsp, serial_number, spdu)?;
    prepared.arguments.positions = resync::owned_with(v, &settings);
    Ok(prepared)
}

fn activity_resume<'u>(
    resume: &ActivityResumeParameters<'u>,
    v: &Variables,
) -> Result<Prepared<'u>, ServiceError> {
    check_identifier(resume.identifier)?;
    check_identifier(resume.old_identifier)?;
    in_range(resume.serial_number)?;
    let second_serial_number = resume.second_serial_number;
    second_flow(v, second_serial_number.is_some())?;
    second_serial_number.map(in_range).transpose()?;
    let old = resume.old_connection;
    let spdu = Spdu::ActivityResume(ActivityResume {
        enclosure: None,
        linking_information: LinkingInformation {
            called_reference: old.called_reference,
            calling_reference: old.calling_reference,
            common_reference: old.common_reference,
            additional_information: old.additional_information,
            old_activity_identifier: resume.old_identifier,
            serial_number: resume.serial_number,
            second_serial_number,
        },
        activity_identifier: resume.identifier,
        user_data: resume.user_data,
    });
    let mut prepared = numbered(Event::SActRReq, resume.serial_number, spdu)?;
    prepared.arguments.second_serial = second_serial_number.map(|serial| serial.0);
    Ok(prepared)
}

/// The user data of an SPDU, wherever it has them.
pub(super) fn user_data<'u>(spdu: &Spdu<'u>) -> &'u [u8] {
    match spdu {
        Spdu::ExpeditedData(expedited) => expedited.user_information,
        spdu => super::join::user_data(spdu),
    }
}

fn check_identifier(identifier: &[u8]) -> Result<(), ServiceError> {
    match (1..=ACTIVITY_IDENTIFIER_OCTETS_MAX).contains(&identifier.len()) {
        true => Ok(()),
        false => Err(ServiceError::Parameter("activity identifier of 1 to 6 octets")),
    }
}

fn check_reason(reason: u8) -> Result<(), ServiceError> {
    match exception_reason(reason) {
        Some(_) => Ok(()),
        None => Err(ServiceError::Parameter("reason code: 0, 1, 3, 5, 6 or 128")),
    }
}

//! The serial numbers of a request: one under minor synchronize, one for each flow under symmetric synchronize.

use super::request_spdu::Prepared;
use super::resync::{self, Resync};
use super::symmetric::{Flow, Flows, numbers_sent};
use super::variables::Variables;
use super::{Arguments, Event, Output, Vrsp, negotiation};
use crate::spdu::{Resynchronize, ResynchronizeAck, Spdu};
use crate::{
    FlowResynchronization, FunctionalUnits, ResyncType, ResynchronizeAnswer, ResynchronizeParameters,
    SerialNumber, ServiceError,
};

/// The numbers that a synchronization point, an activity end or the answer to one carries, which no user names.
///
/// The second one tells where the other flow is. With all its numbers used it stays at the last: the point itself may
/// go, and its answer is owed.
pub(super) fn numbers(
    output: Output,
    v: &Variables,
) -> Result<(SerialNumber, Option<SerialNumber>), ServiceError> {
    let [first, second] = match (v.symmetric(), output) {
        (true, output) => numbers_sent(output, v, &Arguments::NONE),
        (false, Output::Maa) => [Some(v.v_m.saturating_sub(1)), None],
        (false, _) => [Some(v.v_m), None],
    };
    Ok((left(first.unwrap_or_default())?, second.map(|next| SerialNumber(next).min(SerialNumber::MAX))))
}

/// A next number, as long as numbers are left.
pub(super) fn left(number: u32) -> Result<SerialNumber, ServiceError> {
    let number = SerialNumber(number);
    match number <= SerialNumber::MAX {
        true => Ok(number),
        false => Err(ServiceError::Parameter("all serial numbers are used: resynchronize with set first")),
    }
}

/// A number that the user names.
pub(super) fn in_range(number: SerialNumber) -> Result<SerialNumber, ServiceError> {
    match number <= SerialNumber::MAX {
        true => Ok(number),
        false => Err(ServiceError::Parameter("serial number above 999999")),
    }
}

/// Without symmetric synchronize there is no second flow to say anything about.
pub(super) fn second_flow(v: &Variables, is_named: bool) -> Result<(), ServiceError> {
    match is_named && !v.symmetric() {
        false => Ok(()),
        true => Err(ServiceError::FunctionalUnit(FunctionalUnits::SYMMETRIC_SYNC)),
    }
}

/// The number that a flow goes on from: with restart and set the user's, with abandon V(M).
pub(super) fn asked_number(
    resync_type: ResyncType,
    given: Option<SerialNumber>,
    next: u32,
) -> Result<SerialNumber, ServiceError> {
    match (resync_type, given) {
        (ResyncType::Abandon, None) => left(next),
        (ResyncType::Abandon, Some(given)) if given.0 == next => left(next),
        (ResyncType::Abandon, Some(_)) => {
            Err(ServiceError::Parameter("abandon goes on with the machine's number"))
        }
        (_, None) => Err(ServiceError::Parameter("serial number missing")),
        (_, Some(given)) => in_range(given),
    }
}

/// S-RESYNCHRONIZE request under symmetric synchronize: first of the flow sent, then of the one received.
pub(super) fn resynchronize<'u>(
    event: Event,
    parameters: &ResynchronizeParameters<'u>,
    v: &Variables,
) -> Result<Prepared<'u>, ServiceError> {
    let ResynchronizeParameters { resync_type, serial_number, token_settings, second, user_data } =
        *parameters;
    let Flows { sending, receiving } = v.flows;
    let serial_number = asked_number(resync_type, serial_number, sending.v_m)?;
    let number_of =
        |second: FlowResynchronization| asked_number(second.resync_type, second.serial_number, receiving.v_m);
    let second_serial_number = second.map(number_of).transpose()?;
    let second_resync_type = second.map(|second| second.resync_type);
    let settings = token_settings.unwrap_or_else(|| resync::current_settings(v));
    let spdu = Spdu::Resynchronize(Resynchronize {
        token_settings: negotiation::settings_of(v.functional_units, settings),
        resync_type,
        serial_number,
        second_resync_type,
        second_serial_number,
        user_data,
        ..Resynchronize::default()
    });
    let arguments = Arguments {
        serial: Some(serial_number.0),
        second_serial: second_serial_number.map(|serial| serial.0),
        second_resync: second_resync_type.map(Vrsp::from),
        ..Arguments::NONE
    };
    let resync = Some(Resync { serial_number, second_serial_number, token_settings: settings });
    Ok(Prepared { event, arguments, spdu, resync })
}

/// S-RESYNCHRONIZE response under symmetric synchronize: first of the flow received, then of the one sent.
pub(super) fn resynchronize_answer<'u>(
    answer: &ResynchronizeAnswer<'u>,
    v: &Variables,
    pending: &Resync,
) -> Result<Prepared<'u>, ServiceError> {
    let Flows { sending, receiving } = v.flows;
    let given = [answer.serial_number, answer.second_serial_number];
    let indicated = [Some(pending.serial_number), pending.second_serial_number];
    let named = [0, 1].map(|place| given[place].or(indicated[place]).map(|serial| serial.0));
    let arguments = Arguments { serial: named[0], second_serial: named[1], ..Arguments::NONE };
    let sent = numbers_sent(Output::Ra, v, &arguments);
    // With nothing to answer the state refuses the response.
    if v.vrsp != Vrsp::No {
        for ((flow, given), sent) in [receiving, sending].iter().zip(given).zip(sent) {
            check_answered(flow, given, sent)?;
        }
    }
    let settings = resync::settle(v, &pending.token_settings, answer.token_settings.as_ref());
    let spdu = Spdu::ResynchronizeAck(ResynchronizeAck {
        token_settings: negotiation::settings_of(v.functional_units, settings),
        serial_number: SerialNumber(sent[0].unwrap_or_default()),
        second_serial_number: sent[1].map(SerialNumber),
        user_data: answer.user_data,
        ..ResynchronizeAck::default()
    });
    let arguments = Arguments {
        serial: sent[0],
        second_serial: sent[1],
        positions: resync::owned_with(v, &settings),
        ..arguments
    };
    Ok(Prepared { event: Event::SRsynRsp, arguments, spdu, resync: None })
}

/// Looks whether the answer may name this number of a flow.
fn check_answered(flow: &Flow, given: Option<SerialNumber>, sent: Option<u32>) -> Result<(), ServiceError> {
    let Some(given) = given else { return Ok(()) };
    in_range(given)?;
    match flow.vrsp {
        Vrsp::S => Ok(()),
        Vrsp::No => Err(ServiceError::Parameter("serial number of a flow that is not resynchronized")),
        _ if sent == Some(given.0) => Ok(()),
        _ => Err(ServiceError::Parameter("only resynchronize set lets the acceptor choose the number")),
    }
}

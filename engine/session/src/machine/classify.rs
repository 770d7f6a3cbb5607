//! Which event of Annex A a received SPDU raises, and which functional unit it belongs to.

use super::variables::{Arguments, SERIAL_NEXT_MAX, Variables, Vrsp};
use super::{Event, State};
use crate::spdu::{Spdu, SpduKind};
use crate::{FunctionalUnits as Fu, PrepareType, ResyncType, SerialNumber};

/// The event of an SPDU and its parameters; `None` for GT and PT that only head a concatenation.
///
/// What CN and AC bring along depends on the negotiation, which is not looked at here. Second serial numbers and
/// resync types count with symmetric synchronize only: without it nobody says what they would mean.
pub(super) fn event(spdu: &Spdu<'_>, state: State, variables: &Variables) -> Option<(Event, Arguments)> {
    let mut arguments = Arguments::NONE;
    if variables.symmetric() {
        flows_named(spdu, variables, &mut arguments);
    }
    let event = match spdu {
        Spdu::GiveTokens(give) if give.tokens.is_empty() => return None,
        Spdu::PleaseTokens(please) if please.tokens.is_empty() => return None,
        Spdu::GiveTokens(give) => {
            arguments.tokens = give.tokens;
            Event::Gt
        }
        Spdu::PleaseTokens(please) => {
            arguments.tokens = please.tokens;
            Event::Pt
        }
        Spdu::Refuse(refuse) if refuse.is_transport_kept() => Event::RfR,
        Spdu::Finish(finish) if finish.is_transport_kept() => {
            arguments.kept = true;
            Event::FnR
        }
        Spdu::Abort(abort) if abort.is_transport_kept() => Event::AbR,
        Spdu::ConnectDataOverflow(overflow) => {
            arguments.last = overflow.end;
            Event::Cdo
        }
        Spdu::Prepare(prepare) => match prepare.prepare_type {
            PrepareType::MajorSyncAck => Event::PrMaa,
            PrepareType::Resynchronize => Event::PrRs,
            PrepareType::ResynchronizeAck => Event::PrRa,
            PrepareType::Abort => Event::PrAb,
        },
        Spdu::MinorSyncPoint(point) => {
            arguments.serial = Some(point.serial_number.0);
            if point.data_separation { Event::MipD } else { Event::Mip }
        }
        Spdu::MinorSyncAck(ack) => {
            arguments.serial = Some(ack.serial_number.0);
            Event::Mia
        }
        Spdu::MajorSyncPoint(point) => {
            arguments.serial = Some(point.serial_number.0);
            Event::Map
        }
        Spdu::ActivityEnd(end) => {
            arguments.serial = Some(end.serial_number.0);
            Event::Ae
        }
        Spdu::MajorSyncAck(ack) => {
            arguments.serial = Some(ack.serial_number.0);
            major_ack(state, variables)
        }
        Spdu::Resynchronize(resynchronize) => {
            arguments.serial = Some(resynchronize.serial_number.0);
            match resynchronize.resync_type {
                ResyncType::Abandon => Event::RsA,
                ResyncType::Restart => Event::RsR,
                ResyncType::Set => Event::RsS,
            }
        }
        Spdu::ResynchronizeAck(ack) => {
            arguments.serial = Some(ack.serial_number.0);
            Event::Ra
        }
        Spdu::ActivityResume(resume) => {
            arguments.serial = Some(resume.linking_information.serial_number.0);
            Event::Ar
        }
        spdu => plain_event(spdu.kind()),
    };
    Some((event, arguments))
}

/// What an SPDU says of the second flow, and a PREPARE of either.
fn flows_named(spdu: &Spdu<'_>, variables: &Variables, arguments: &mut Arguments) {
    let second = match spdu {
        Spdu::MajorSyncPoint(point) => point.second_serial_number,
        Spdu::ActivityEnd(end) => end.second_serial_number,
        Spdu::MajorSyncAck(ack) => ack.second_serial_number,
        Spdu::Resynchronize(resynchronize) => {
            arguments.second_resync = resynchronize.second_resync_type.map(Vrsp::from);
            resynchronize.second_serial_number
        }
        Spdu::ResynchronizeAck(ack) => ack.second_serial_number,
        Spdu::ActivityResume(resume) => resume.linking_information.second_serial_number,
        Spdu::Prepare(prepare) => {
            arguments.first_resync = prepare.resync_type.map(Vrsp::from);
            arguments.second_resync = prepare.second_resync_type.map(Vrsp::from);
            None
        }
        _ => None,
    };
    arguments.second_serial = second.map(|serial| serial.0);
    // No number says that all are used: the last one stands for it.
    let next = variables.flows.receiving.v_m;
    if matches!(spdu, Spdu::MajorSyncAck(_)) && second == Some(SerialNumber::MAX) && next == SERIAL_NEXT_MAX {
        arguments.second_serial = Some(next);
    }
}

/// MAA and AEA are the same octets: the state tells which one is waited for.
fn major_ack(state: State, variables: &Variables) -> Event {
    match state {
        State::Sta04B => Event::Aea,
        State::Sta15A if !variables.vnextact => Event::Aea,
        _ => Event::Maa,
    }
}

/// The event of an SPDU whose parameters do not matter to it.
pub(super) fn plain_event(kind: SpduKind) -> Event {
    match kind {
        SpduKind::ExceptionReport => Event::Er,
        SpduKind::GiveTokens => Event::Gt,
        SpduKind::DataTransfer => Event::Dt,
        SpduKind::PleaseTokens => Event::Pt,
        SpduKind::ExpeditedData => Event::Ex,
        SpduKind::Prepare => Event::PrAb,
        SpduKind::NotFinished => Event::Nf,
        SpduKind::Finish => Event::FnNr,
        SpduKind::Disconnect => Event::Dn,
        SpduKind::Refuse => Event::RfNr,
        SpduKind::Connect => Event::Cn,
        SpduKind::Accept => Event::Ac,
        SpduKind::ConnectDataOverflow => Event::Cdo,
        SpduKind::OverflowAccept => Event::Oa,
        SpduKind::GiveTokensConfirm => Event::Gtc,
        SpduKind::GiveTokensAck => Event::Gta,
        SpduKind::Abort => Event::AbNr,
        SpduKind::ActivityInterrupt => Event::Ai,
        SpduKind::AbortAccept => Event::Aa,
        SpduKind::ActivityInterruptAck => Event::Aia,
        SpduKind::ActivityResume => Event::Ar,
        SpduKind::TypedData => Event::Td,
        SpduKind::ResynchronizeAck => Event::Ra,
        SpduKind::MajorSyncPoint => Event::Map,
        SpduKind::ActivityEnd => Event::Ae,
        SpduKind::MajorSyncAck => Event::Maa,
        SpduKind::ActivityStart => Event::As,
        SpduKind::ExceptionData => Event::Ed,
        SpduKind::MinorSyncPoint => Event::Mip,
        SpduKind::MinorSyncAck => Event::Mia,
        SpduKind::Resynchronize => Event::RsA,
        SpduKind::ActivityDiscard => Event::Ad,
        SpduKind::ActivityDiscardAck => Event::Ada,
        SpduKind::CapabilityData => Event::Cd,
        SpduKind::CapabilityDataAck => Event::Cda,
    }
}

/// The units one of which must be selected for an SPDU; empty for those of the kernel, and for GT and PT,
/// which belong to whatever unit has a token.
pub(super) fn units_of(kind: SpduKind) -> Fu {
    match kind {
        SpduKind::ExpeditedData => Fu::EXPEDITED,
        SpduKind::TypedData => Fu::TYPED_DATA,
        SpduKind::CapabilityData | SpduKind::CapabilityDataAck => Fu::CAPABILITY_DATA,
        SpduKind::MinorSyncPoint | SpduKind::MinorSyncAck => Fu::MINOR_SYNC | Fu::SYMMETRIC_SYNC,
        SpduKind::MajorSyncPoint => Fu::MAJOR_SYNC,
        SpduKind::MajorSyncAck => Fu::MAJOR_SYNC | Fu::ACTIVITY,
        SpduKind::Resynchronize | SpduKind::ResynchronizeAck => Fu::RESYNCHRONIZE,
        SpduKind::ExceptionReport | SpduKind::ExceptionData => Fu::EXCEPTIONS,
        SpduKind::NotFinished => Fu::NEGOTIATED_RELEASE,
        SpduKind::ActivityStart
        | SpduKind::ActivityResume
        | SpduKind::ActivityInterrupt
        | SpduKind::ActivityInterruptAck
        | SpduKind::ActivityDiscard
        | SpduKind::ActivityDiscardAck
        | SpduKind::ActivityEnd
        | SpduKind::GiveTokensConfirm
        | SpduKind::GiveTokensAck => Fu::ACTIVITY,
        _ => Fu::empty(),
    }
}

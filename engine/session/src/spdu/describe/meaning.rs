//! What the value of one parameter means, in words.

use core::fmt::Write;

use crate::spdu::SpduKind;
use crate::spdu::code::{parameter_code, pi};
use crate::spdu::connect::refuse_reason;
use crate::spdu::exception::exception_reason;
use crate::spdu::parameter::enclosure;
use crate::spdu::prepare::prepare_type;
use crate::spdu::resynchronize::resync_type;
use crate::spdu::sync::sync_type;
use crate::{
    FunctionalUnits, PrepareType, ProtocolOptions, ResyncType, Tokens, TransportDisconnect, Versions,
};

/// What `value` means as the parameter `code` of an SPDU of this kind, or of UNIT DATA.
pub(super) fn meaning(kind: Option<SpduKind>, code: u8, value: &[u8]) -> String {
    if value.is_empty() {
        return "empty".to_owned();
    }
    let fits = parameter_code(code)
        .is_some_and(|known| (known.octets_min..=known.octets_max).contains(&value.len()));
    if !fits {
        return format!("wrong length: {}", hex(value));
    }
    match (code, value) {
        (pi::USER_REQUIREMENTS, &[high, low]) => functional_units(u16::from_be_bytes([high, low])),
        (pi::TSDU_MAXIMUM_SIZE, &[a, b, c, d]) => {
            let [forth, back] = [[a, b], [c, d]].map(|size| match u16::from_be_bytes(size) {
                0 => "unlimited".to_owned(),
                octets => octets.to_string(),
            });
            format!("initiator to responder {forth}, responder to initiator {back}")
        }
        (pi::USER_DATA | pi::EXTENDED_USER_DATA | pi::MINOR_ACK_USER_DATA, value) => octet_count(value.len()),
        (pi::REASON, &[reason, ref user_data @ ..]) => reason_code(kind, reason, user_data),
        (pi::REFLECT, value) => hex(value),
        (
            pi::INITIAL_SERIAL
            | pi::SERIAL
            | pi::SECOND_SERIAL
            | pi::SECOND_INITIAL_SERIAL
            | pi::LARGE_INITIAL_SERIAL
            | pi::LARGE_SECOND_INITIAL_SERIAL,
            value,
        ) => digits(value),
        (_, &[octet]) => octet_meaning(kind, code, octet),
        (_, value) => text(value),
    }
}

/// Parameters of one octet. Those that are opaque fall through to their text.
fn octet_meaning(kind: Option<SpduKind>, code: u8, octet: u8) -> String {
    match code {
        pi::SYNC_TYPE => sync_type_item(kind, octet),
        pi::TOKEN => tokens(octet),
        pi::TRANSPORT_DISCONNECT => transport_disconnect(kind, octet),
        pi::PROTOCOL_OPTIONS => {
            let options = ProtocolOptions::from_bits_truncate(octet);
            list([(options.contains(ProtocolOptions::EXTENDED_CONCATENATION), "extended concatenation")])
        }
        pi::VERSION => {
            let versions = Versions::from_bits_truncate(octet);
            list([(versions.contains(Versions::V1), "1"), (versions.contains(Versions::V2), "2")])
        }
        pi::PREPARE_TYPE => match prepare_type(octet) {
            Some(PrepareType::MajorSyncAck) => "major sync ack".to_owned(),
            Some(PrepareType::Resynchronize) => "resynchronize".to_owned(),
            Some(PrepareType::ResynchronizeAck) => "resynchronize ack".to_owned(),
            Some(PrepareType::Abort) => "abort".to_owned(),
            None => reserved(octet),
        },
        pi::ENCLOSURE => {
            let enclosure = enclosure(octet);
            let part = match (enclosure.begin, enclosure.end) {
                (true, true) => "whole",
                (true, false) => "begin",
                (false, false) => "middle",
                (false, true) => "end",
            };
            part.to_owned()
        }
        pi::TOKEN_SETTING => token_settings(octet),
        pi::RESYNC_TYPE | pi::SECOND_RESYNC_TYPE => match resync_type(octet) {
            Some(ResyncType::Restart) => "restart".to_owned(),
            Some(ResyncType::Abandon) => "abandon".to_owned(),
            Some(ResyncType::Set) => "set".to_owned(),
            None => reserved(octet),
        },
        pi::UPPER_LIMIT_SERIAL => format!("{octet} digits"),
        pi::DATA_OVERFLOW => match octet & 0x01 {
            0 => "no more user data".to_owned(),
            _ => "more user data follow".to_owned(),
        },
        _ => text(&[octet]),
    }
}

fn sync_type_item(kind: Option<SpduKind>, octet: u8) -> String {
    match kind {
        Some(SpduKind::MajorSyncPoint) => "major sync point".to_owned(),
        Some(SpduKind::ActivityEnd) => "activity end".to_owned(),
        _ => {
            let optional = octet & sync_type::CONFIRMATION_NOT_REQUIRED != 0;
            list([
                (!optional, "explicit confirmation"),
                (optional, "confirmation optional"),
                (octet & sync_type::DATA_SEPARATION != 0, "data separation"),
            ])
        }
    }
}

fn tokens(octet: u8) -> String {
    let tokens = Tokens::from_bits_truncate(octet);
    list([
        (tokens.contains(Tokens::DATA), "data"),
        (tokens.contains(Tokens::MINOR), "synchronize-minor"),
        (tokens.contains(Tokens::MAJOR), "major/activity"),
        (tokens.contains(Tokens::RELEASE), "release"),
    ])
}

fn transport_disconnect(kind: Option<SpduKind>, octet: u8) -> String {
    let bits = TransportDisconnect::from_bits_truncate(octet);
    let abort = |reason| kind == Some(SpduKind::Abort) && bits.contains(reason);
    let released = bits.contains(TransportDisconnect::RELEASED);
    list([
        (released, "transport released"),
        (!released, "transport kept"),
        (abort(TransportDisconnect::USER_ABORT), "user abort"),
        (abort(TransportDisconnect::PROTOCOL_ERROR), "protocol error"),
        (abort(TransportDisconnect::NO_REASON), "no reason"),
        (abort(TransportDisconnect::IMPLEMENTATION_RESTRICTION), "implementation restriction"),
    ])
}

fn token_settings(octet: u8) -> String {
    let side = |shift: u8| match octet >> shift & 0b11 {
        0 => "initiator",
        1 => "responder",
        2 => "acceptor chooses",
        _ => "reserved",
    };
    format!(
        "data {}, synchronize-minor {}, major/activity {}, release {}",
        side(0),
        side(2),
        side(4),
        side(6)
    )
}

fn functional_units(bits: u16) -> String {
    let units = FunctionalUnits::from_bits_truncate(bits);
    list([
        (units.contains(FunctionalUnits::HALF_DUPLEX), "half-duplex"),
        (units.contains(FunctionalUnits::DUPLEX), "duplex"),
        (units.contains(FunctionalUnits::EXPEDITED), "expedited data"),
        (units.contains(FunctionalUnits::MINOR_SYNC), "minor synchronize"),
        (units.contains(FunctionalUnits::MAJOR_SYNC), "major synchronize"),
        (units.contains(FunctionalUnits::RESYNCHRONIZE), "resynchronize"),
        (units.contains(FunctionalUnits::ACTIVITY), "activity management"),
        (units.contains(FunctionalUnits::NEGOTIATED_RELEASE), "negotiated release"),
        (units.contains(FunctionalUnits::CAPABILITY_DATA), "capability data"),
        (units.contains(FunctionalUnits::EXCEPTIONS), "exceptions"),
        (units.contains(FunctionalUnits::TYPED_DATA), "typed data"),
        (units.contains(FunctionalUnits::SYMMETRIC_SYNC), "symmetric synchronize"),
        (units.contains(FunctionalUnits::DATA_SEPARATION), "data separation"),
    ])
}

fn reason_code(kind: Option<SpduKind>, reason: u8, user_data: &[u8]) -> String {
    let known = match kind {
        Some(SpduKind::Refuse) => refuse_reason(reason),
        _ => exception_reason(reason),
    };
    let mut meaning = format!("{reason} ({})", known.unwrap_or("reserved"));
    if !user_data.is_empty() {
        write!(meaning, ", {}", octet_count(user_data.len())).expect("writing to a String succeeds");
    }
    meaning
}

/// The names of what is set, or `none`.
fn list<const N: usize>(flags: [(bool, &str); N]) -> String {
    let set: Vec<&str> = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(" + ") }
}

fn reserved(octet: u8) -> String {
    format!("reserved {octet}")
}

fn octet_count(octets: usize) -> String {
    match octets {
        1 => "1 octet".to_owned(),
        octets => format!("{octets} octets"),
    }
}

fn digits(value: &[u8]) -> String {
    match core::str::from_utf8(value) {
        Ok(digits) if value.iter().all(u8::is_ascii_digit) => digits.to_owned(),
        _ => format!("not a number: {}", hex(value)),
    }
}

/// Opaque octets: as text when they look like it, else in hex.
fn text(value: &[u8]) -> String {
    match core::str::from_utf8(value) {
        Ok(text) if value.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ') => {
            format!("\"{text}\"")
        }
        _ => hex(value),
    }
}

/// Hex digits of at most [`HEX_OCTETS_MAX`] octets, and how many there are if more.
fn hex(value: &[u8]) -> String {
    let shown = &value[..value.len().min(HEX_OCTETS_MAX)];
    let mut hex = String::with_capacity(shown.len() * 2);
    for octet in shown {
        write!(hex, "{octet:02x}").expect("writing to a String succeeds");
    }
    if shown.len() < value.len() {
        write!(hex, ".. ({})", octet_count(value.len())).expect("writing to a String succeeds");
    }
    hex
}

/// Octets that a meaning shows in hex: the longest parameter of a fixed length, and a little more.
const HEX_OCTETS_MAX: usize = 16;

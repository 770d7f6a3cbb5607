//! The TPKT header of RFC 1006 and the prefix of a TPDU behind it.
//!
//! Reads no further than the octets that say how long a TPKT is and what it carries.

use super::{TransportFault, TransportFaultKind, tpdu};

/// Octets of a TPKT header.
pub const TPKT_HEADER_OCTETS: usize = 4;
/// Octets of the header of a DT TPDU in class 0, and of an ED TPDU over RFC 1006.
pub(super) const DT_HEADER_OCTETS: usize = 3;
/// Octets that tell length and kind of a TPKT; also the shortest TPKT RFC 1006 allows.
pub(super) const PREFIX_OCTETS: usize = TPKT_HEADER_OCTETS + DT_HEADER_OCTETS;
/// Largest TPDU that a TPKT carries, and the size that holds when none was negotiated (RFC 1006 §5).
pub const TPDU_OCTETS_MAX: u32 = 65_531;
/// Longest TPKT accepted before the transport connection is open, and around any TPDU but DT: a header with
/// LI 254, and the 64 octets of user data that classes other than 0 allow behind one.
pub const CONTROL_TPKT_OCTETS_MAX: usize = TPKT_HEADER_OCTETS + 1 + 254 + 64;

const VERSION: u8 = 3;
const EOT: u8 = 0x80;

/// What the prefix of a TPKT announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// A DT TPDU: user data octets that follow the prefix, and its end mark.
    Data { body_octets: usize, eot: bool },
    /// An ED TPDU: user data octets that follow the prefix. It is an expedited TSDU by itself.
    Expedited { body_octets: usize },
    /// Another TPDU, in a TPKT of so many octets.
    Control { tpkt_octets: usize },
}

/// Reads a prefix, or the part of one that has arrived; `None` while it is incomplete and has no fault yet.
///
/// The octets are judged in the order in which they arrive, so that a fault does not depend on how they
/// were segmented.
pub(super) fn announced(octets: &[u8], open: bool) -> Result<Option<Announced>, TransportFault> {
    let Some(&version) = octets.first() else { return Ok(None) };
    if version != VERSION {
        return Err(fault("TPKT", 0, TransportFaultKind::Version(version)));
    }
    let &[_, _, high, low, ..] = octets else { return Ok(None) };
    let length = u16::from_be_bytes([high, low]);
    let tpkt_octets = usize::from(length);
    if tpkt_octets < PREFIX_OCTETS {
        return Err(fault("TPKT", 2, TransportFaultKind::Length(length)));
    }
    let too_long = fault("TPKT", 2, TransportFaultKind::TpduTooLong(tpkt_octets - TPKT_HEADER_OCTETS));
    if !open && tpkt_octets > CONTROL_TPKT_OCTETS_MAX {
        return Err(too_long);
    }
    let Some(&li) = octets.get(4) else { return Ok(None) };
    let header_octets = usize::from(li) + 1;
    if li == 255 || header_octets < DT_HEADER_OCTETS || header_octets > tpkt_octets - TPKT_HEADER_OCTETS {
        return Err(fault("TPDU", 4, TransportFaultKind::TpduLength(li)));
    }
    let Some(&code) = octets.get(5) else { return Ok(None) };
    let Some(code) = tpdu::Code::of(code) else {
        return Err(fault("TPDU", 5, TransportFaultKind::TpduCode(code)));
    };
    let carries_data = matches!(code, tpdu::Code::Data | tpdu::Code::ExpeditedData);
    if header_octets < code.header_octets_min() || (carries_data && header_octets != DT_HEADER_OCTETS) {
        return Err(fault("TPDU", 4, TransportFaultKind::TpduLength(li)));
    }
    if !carries_data && tpkt_octets > CONTROL_TPKT_OCTETS_MAX {
        return Err(too_long);
    }
    let Some(&nr) = octets.get(6) else { return Ok(None) };
    let body_octets = tpkt_octets - PREFIX_OCTETS;
    Ok(Some(match code {
        // TPDU-NR has no meaning in class 0 (X.224 §13.7.3); peers that count it are tolerated.
        tpdu::Code::Data => Announced::Data { body_octets, eot: nr & EOT != 0 },
        // Nothing can follow in a TSDU of one TPDU, so its end mark decides nothing either.
        tpdu::Code::ExpeditedData => Announced::Expedited { body_octets },
        _ => Announced::Control { tpkt_octets },
    }))
}

/// Octets of user data of the DT TPDU that `octets` begin with, where it is there whole and ends its TSDU; `None` for all
/// else, faults included: [`announced`] says what.
#[inline]
pub(super) fn whole_data(octets: &[u8]) -> Option<usize> {
    let &[VERSION, _, high, low, 2, tpdu::DT, nr, ref rest @ ..] = octets else { return None };
    let body_octets = usize::from(u16::from_be_bytes([high, low])).checked_sub(PREFIX_OCTETS)?;
    (nr & EOT != 0 && body_octets <= rest.len()).then_some(body_octets)
}

/// TPKT and DT headers for `body_octets` of user data.
pub(super) fn data_prefix(body_octets: usize, eot: bool) -> [u8; PREFIX_OCTETS] {
    let [v, r, high, low] = header(DT_HEADER_OCTETS + body_octets);
    [v, r, high, low, 2, tpdu::DT, if eot { EOT } else { 0 }]
}

/// TPKT and ED headers for an expedited TSDU of `octets`: TPDU-NR 0, and EOT always.
pub(super) fn expedited_prefix(octets: usize) -> [u8; PREFIX_OCTETS] {
    let [v, r, high, low] = header(DT_HEADER_OCTETS + octets);
    [v, r, high, low, 2, tpdu::ED, EOT]
}

/// The TPKT header before a TPDU of `tpdu_octets`.
pub(super) fn header(tpdu_octets: usize) -> [u8; TPKT_HEADER_OCTETS] {
    let length =
        u16::try_from(TPKT_HEADER_OCTETS + tpdu_octets).expect("a TPDU is bounded by TPDU_OCTETS_MAX");
    let [high, low] = length.to_be_bytes();
    [VERSION, 0, high, low]
}

pub(super) fn fault(layer: &'static str, offset: usize, kind: TransportFaultKind) -> TransportFault {
    TransportFault { layer, offset, kind }
}

//! The TPDUs of X.224 class 0 other than DT and ED: CR, CC, DR, DC and ER.
//!
//! Octets to values and back; which TPDU may come when is the connection's business.

use arrayvec::ArrayVec;

use super::tpkt::{self, TPDU_OCTETS_MAX, TPKT_HEADER_OCTETS};
use super::{ConnectTpdu, TransportFault, TransportFaultKind, TransportSelector};

pub(super) const CR: u8 = 0xe0;
pub(super) const CC: u8 = 0xd0;
pub(super) const DR: u8 = 0x80;
pub(super) const DC: u8 = 0xc0;
pub(super) const DT: u8 = 0xf0;
pub(super) const ED: u8 = 0x10;
pub(super) const ER: u8 = 0x70;

/// Parameters of CR and CC (X.224 §13.3.4); of ER (§13.12.4), where 0xc1 has another meaning.
const TPDU_SIZE: u8 = 0xc0;
const CALLING_TSAP: u8 = 0xc1;
const CALLED_TSAP: u8 = 0xc2;
const ADDITIONAL_OPTIONS: u8 = 0xc6;
/// Bit 1 of the additional options: use of the transport expedited data transfer service.
const USE_OF_EXPEDITED: u8 = 1;
const ALTERNATIVE_CLASSES: u8 = 0xc7;
const INVALID_TPDU: u8 = 0xc1;

/// Smallest and largest TPDU size code that is encoded: 128 and 8192 octets (X.224 §13.3.4 b).
const SIZE_CODE_MIN: u8 = 0x07;
const SIZE_CODE_MAX: u8 = 0x0d;

/// Reasons of DR that this end gives by itself (X.224 §13.5.3).
pub(super) mod reason {
    pub(in super::super) const NOT_SPECIFIED: u8 = 0;
    pub(in super::super) const NEGOTIATION_FAILED: u8 = 128 + 2;
    pub(in super::super) const PROTOCOL_ERROR: u8 = 128 + 5;
}

/// Causes of ER (X.224 §13.12.3).
pub(super) mod cause {
    pub(in super::super) const NOT_SPECIFIED: u8 = 0;
    pub(in super::super) const INVALID_TPDU_TYPE: u8 = 2;
    pub(in super::super) const INVALID_PARAMETER_VALUE: u8 = 3;
}

/// The kinds of TPDU that class 0, and its expedited option over RFC 1006, know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    ConnectionRequest,
    ConnectionConfirm,
    DisconnectRequest,
    DisconnectConfirm,
    Data,
    ExpeditedData,
    Error,
}

impl Code {
    /// The kind that a code octet names; the credit of CR and CC (low bits) has no meaning in class 0.
    pub(super) fn of(octet: u8) -> Option<Code> {
        Some(match octet {
            _ if octet & 0xf0 == CR => Code::ConnectionRequest,
            _ if octet & 0xf0 == CC => Code::ConnectionConfirm,
            _ if octet & 0xfe == DT => Code::Data,
            _ if octet & 0xfe == ED => Code::ExpeditedData,
            DR => Code::DisconnectRequest,
            DC => Code::DisconnectConfirm,
            ER => Code::Error,
            _ => return None,
        })
    }

    /// Octets of the fixed part with its length indicator.
    pub(super) fn header_octets_min(self) -> usize {
        match self {
            Code::ConnectionRequest | Code::ConnectionConfirm | Code::DisconnectRequest => 7,
            Code::DisconnectConfirm => 6,
            Code::Error => 5,
            Code::Data | Code::ExpeditedData => 3,
        }
    }
}

/// A TPDU other than DT and ED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    ConnectionRequest(Connect),
    ConnectionConfirm(Connect),
    DisconnectRequest { source: u16, reason: u8 },
    DisconnectConfirm,
    Error { cause: u8 },
}

/// CR or CC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connect {
    /// The sender's reference.
    pub(super) source: u16,
    /// Preferred (CR) or selected (CC) class.
    pub(super) class: u8,
    /// Class 0 is a valid response (X.224 §6.5.4, table of valid responses).
    pub(super) class_0_allowed: bool,
    pub(super) parameters: ConnectTpdu,
}

/// The reference of the sender in a CR or CC, the only TPDUs that [`decode`] may find a fault in.
pub(super) fn source_reference(octets: &[u8]) -> u16 {
    u16::from_be_bytes([octets[8], octets[9]])
}

/// Decodes the TPDU in a whole TPKT whose prefix has been judged by [`tpkt::announced`].
pub(super) fn decode(octets: &[u8]) -> Result<Control, TransportFault> {
    let header_end = TPKT_HEADER_OCTETS + 1 + usize::from(octets[4]);
    assert!(header_end <= octets.len(), "the prefix bounds the length indicator");
    let code = Code::of(octets[5]).expect("the prefix names a known TPDU");
    let reference = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
    Ok(match code {
        Code::ConnectionRequest => Control::ConnectionRequest(connect(octets, header_end)?),
        Code::ConnectionConfirm => Control::ConnectionConfirm(connect(octets, header_end)?),
        Code::DisconnectRequest => Control::DisconnectRequest { source: reference(8), reason: octets[10] },
        Code::DisconnectConfirm => Control::DisconnectConfirm,
        Code::Error => Control::Error { cause: octets[8] },
        Code::Data | Code::ExpeditedData => unreachable!("DT and ED are taken in by the assembly"),
    })
}

fn connect(octets: &[u8], header_end: usize) -> Result<Connect, TransportFault> {
    let class = octets[10] >> 4;
    let mut connect = Connect {
        source: source_reference(octets),
        class,
        // Class 1 always includes class 0 as a response.
        class_0_allowed: class <= 1,
        parameters: ConnectTpdu::default(),
    };
    let mut at = 11;
    while at < header_end {
        let code = octets[at];
        let bad = |offset| tpkt::fault("TPDU", offset, TransportFaultKind::Parameter(code));
        // At the end of the header the length octet is missing, and its code is what is wrong.
        let Some(&length) = octets[..header_end].get(at + 1) else { return Err(bad(at)) };
        let start = at + 2;
        let end = start + usize::from(length);
        if end > header_end {
            return Err(bad(at + 1));
        }
        parameter(&mut connect, code, &octets[start..end]).map_err(|within| bad(at + 1 + within))?;
        at = end;
    }
    // User data in CR and CC exists in the other classes only (X.224 §13.3.5).
    if class == 0 && header_end < octets.len() {
        return Err(tpkt::fault("TPDU", 4, TransportFaultKind::TpduLength(octets[4])));
    }
    Ok(connect)
}

/// Takes one parameter; the error is the offset of the bad octet from the length octet.
///
/// A parameter that comes twice counts as it came last; unknown ones are skipped.
fn parameter(connect: &mut Connect, code: u8, value: &[u8]) -> Result<(), usize> {
    let parameters = &mut connect.parameters;
    match code {
        TPDU_SIZE => {
            let &[size] = value else { return Err(0) };
            parameters.tpdu_octets = Some(match size {
                0..SIZE_CODE_MIN => return Err(1),
                // Above 8192 octets no code is defined; peers use 0x0e and more in the sense of the row.
                SIZE_CODE_MIN..=0x0f => 1 << size,
                _ => TPDU_OCTETS_MAX,
            });
        }
        CALLING_TSAP => parameters.calling = Some(TransportSelector::new(value).ok_or(0_usize)?),
        CALLED_TSAP => parameters.called = Some(TransportSelector::new(value).ok_or(0_usize)?),
        ADDITIONAL_OPTIONS => {
            parameters.expedited = value.first().is_some_and(|options| options & USE_OF_EXPEDITED != 0)
        }
        ALTERNATIVE_CLASSES => connect.class_0_allowed |= value.iter().any(|class| class >> 4 <= 1),
        _ => {}
    }
    Ok(())
}

/// A TPKT with a TPDU other than DT.
pub(super) type Encoded = ArrayVec<u8, 96>;

/// CR or CC of class 0 with the parameters C0, C1, C2, those present, in this order; C6 where expedited data is
/// offered or confirmed.
///
/// No others: there are peers that close when they see any, C6 included.
pub(super) fn connect_tpkt(code: u8, destination: u16, source: u16, parameters: &ConnectTpdu) -> Encoded {
    let mut tpdu = fixed(code, destination, source);
    tpdu.push(0); // class 0, no options
    if let Some(octets) = parameters.tpdu_octets {
        tpdu.extend([TPDU_SIZE, 1, size_code(octets)]);
    }
    for (code, selector) in [(CALLING_TSAP, parameters.calling), (CALLED_TSAP, parameters.called)] {
        if let Some(selector) = selector {
            tpdu.extend([code, octet_count(selector.as_octets())]);
            tpdu.extend(selector.as_octets().iter().copied());
        }
    }
    if parameters.expedited {
        tpdu.extend([ADDITIONAL_OPTIONS, 1, USE_OF_EXPEDITED]);
    }
    finished(tpdu)
}

pub(super) fn disconnect_request_tpkt(destination: u16, source: u16, reason: u8) -> Encoded {
    let mut tpdu = fixed(DR, destination, source);
    tpdu.push(reason);
    finished(tpdu)
}

pub(super) fn disconnect_confirm_tpkt(destination: u16, source: u16) -> Encoded {
    finished(fixed(DC, destination, source))
}

/// ER with the rejected TPDU up to and including the octet at fault, which class 0 requires (X.224 §13.12.4).
///
/// Of a longer header the first 64 octets are given.
pub(super) fn error_tpkt(destination: u16, cause: u8, invalid: &[u8]) -> Encoded {
    let invalid = &invalid[..invalid.len().min(64)];
    let mut tpdu = Encoded::new();
    tpdu.extend([0, 0, 0, 0, 0, ER]);
    tpdu.extend(destination.to_be_bytes());
    tpdu.push(cause);
    tpdu.extend([INVALID_TPDU, octet_count(invalid)]);
    tpdu.extend(invalid.iter().copied());
    finished(tpdu)
}

/// The largest size with a code that is not above `octets`.
pub(super) fn coded_size(octets: u32) -> u32 {
    1 << size_code(octets)
}

fn size_code(octets: u32) -> u8 {
    let code = u8::try_from(octets.max(1).ilog2()).expect("a logarithm is below 32");
    code.clamp(SIZE_CODE_MIN, SIZE_CODE_MAX)
}

fn fixed(code: u8, destination: u16, source: u16) -> Encoded {
    let mut tpdu = Encoded::new();
    tpdu.extend([0, 0, 0, 0, 0, code]);
    tpdu.extend(destination.to_be_bytes());
    tpdu.extend(source.to_be_bytes());
    tpdu
}

fn finished(mut tpkt: Encoded) -> Encoded {
    let tpdu_octets = tpkt.len() - TPKT_HEADER_OCTETS;
    tpkt[..TPKT_HEADER_OCTETS].copy_from_slice(&tpkt::header(tpdu_octets));
    tpkt[4] = octet_count(&tpkt[5..]);
    tpkt
}

fn octet_count(octets: &[u8]) -> u8 {
    u8::try_from(octets.len()).expect("selectors, rejected octets and headers are bounded below 255")
}

//! Short SPDUs of the 1997 amendment: recognised by name, not spoken.
//!
//! Their header is one octet. A 1995 machine that receives one releases the transport connection without an
//! answer, so nothing behind that octet is read. The SI codes of SFN, SDN, SDT and SAB are not known here.

/// A short SPDU, as its first octet tells.
///
/// ```text
///  bit 8   7   6   5   4      3            2                 1
/// |     SI (bit 8 set)   | parameters |  special: in SRF and SRFC       |
/// |                      | follow     | transport     | persistent     |
/// |                      |            | released      | refusal        |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShortSpdu {
    /// Which.
    pub kind: ShortSpduKind,
    /// The first octet.
    pub first_octet: u8,
}

impl ShortSpdu {
    /// The short SPDU that begins with this octet; `None` where bit 8 is clear.
    pub fn from_first_octet(octet: u8) -> Option<ShortSpdu> {
        (octet & SHORT_SPDU != 0).then(|| ShortSpdu { kind: ShortSpduKind::of(octet), first_octet: octet })
    }

    /// The parameter indicator: parameters follow the first octet.
    pub fn has_parameters(self) -> bool {
        self.first_octet & PARAMETERS_FOLLOW != 0
    }

    /// The special bits: a number of two bits, which only refusals give a meaning.
    pub fn special_bits(self) -> u8 {
        self.first_octet & SPECIAL_BITS
    }

    /// What SRF and SRFC say with their special bits; `None` of the others.
    pub fn refusal(self) -> Option<ShortRefusal> {
        matches!(self.kind, ShortSpduKind::Refuse | ShortSpduKind::RefuseContinue).then(|| ShortRefusal {
            is_persistent: self.special_bits() & PERSISTENT != 0,
            transport_released: self.special_bits() & TRANSPORT_RELEASED != 0,
        })
    }
}

/// How a short refusal refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShortRefusal {
    /// Trying again is of no use; else the reason is transient.
    pub is_persistent: bool,
    /// The transport connection is released; else it is kept.
    pub transport_released: bool,
}

/// Which short SPDU, from bits 8 to 4 of its first octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShortSpduKind {
    /// SCN.
    Connect,
    /// SAC.
    Accept,
    /// SCNC.
    ConnectContinue,
    /// SACC.
    AcceptContinue,
    /// SRF.
    Refuse,
    /// SRFC.
    RefuseContinue,
    /// Any other first octet with bit 8 set; SFN, SDN, SDT and SAB exist by name only.
    Other,
}

impl ShortSpduKind {
    fn of(first_octet: u8) -> Self {
        match first_octet & SI_BITS {
            0xE8 => Self::Connect,
            0xF0 => Self::Accept,
            0xF8 => Self::ConnectContinue,
            0xD8 => Self::AcceptContinue,
            0xE0 => Self::Refuse,
            0xA0 => Self::RefuseContinue,
            _ => Self::Other,
        }
    }

    /// The abbreviation.
    pub fn abbreviation(self) -> &'static str {
        match self {
            Self::Connect => "SCN",
            Self::Accept => "SAC",
            Self::ConnectContinue => "SCNC",
            Self::AcceptContinue => "SACC",
            Self::Refuse => "SRF",
            Self::RefuseContinue => "SRFC",
            Self::Other => "unknown",
        }
    }

    /// The name, for example `SHORT CONNECT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "SHORT CONNECT",
            Self::Accept => "SHORT ACCEPT",
            Self::ConnectContinue => "SHORT CONNECT CONTINUE",
            Self::AcceptContinue => "SHORT ACCEPT CONTINUE",
            Self::Refuse => "SHORT REFUSE",
            Self::RefuseContinue => "SHORT REFUSE CONTINUE",
            Self::Other => "unknown short SPDU",
        }
    }
}

/// Bit 8 of the first octet: set in short SPDUs only.
const SHORT_SPDU: u8 = 0x80;
/// The SI of a short SPDU.
const SI_BITS: u8 = 0xF8;
/// The parameter indicator.
const PARAMETERS_FOLLOW: u8 = 0x04;
const SPECIAL_BITS: u8 = 0x03;
/// SRF, SRFC: the reason to refuse is persistent, else transient.
const PERSISTENT: u8 = 0x01;
/// SRF, SRFC: the transport connection is released, else kept.
const TRANSPORT_RELEASED: u8 = 0x02;

//! Short SPDUs of the 1997 amendment: recognised by name, not spoken.

/// A short SPDU, from its first octet: bit 8 set, bits 8 to 4 the SI, bit 3 parameters follow.
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
    /// The kind that a first octet with bit 8 set stands for.
    pub(crate) fn from_first_octet(octet: u8) -> Self {
        /// The SI bits; bits 3 to 1 say whether parameters follow and carry two flags.
        const SI_BITS: u8 = 0xF8;
        match octet & SI_BITS {
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
}

//! Decode errors: where octets stop being a valid SPDU, and why.

use core::fmt;

use super::code::parameter_code;
use super::{ShortSpdu, SpduKind};

/// Where and why octets are no valid SPDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Offset in the TSDU of the octet at fault.
    pub offset: usize,
    /// The SPDU, once its SI was read.
    pub spdu: Option<SpduKind>,
    /// The PGI or PI at fault.
    pub parameter: Option<u8>,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with the octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The TSDU has no octets.
    #[error("empty TSDU")]
    EmptyTsdu,
    /// No SPDU has this SI.
    #[error("unknown SI {0:#04x}")]
    UnknownSi(u8),
    /// Bit 8 of the first octet is set: a short SPDU of the 1997 amendment.
    #[error("short SPDU {} is not supported", .0.kind.abbreviation())]
    ShortSpdu(ShortSpdu),
    /// The octets end within the header of an SPDU, PGI or PI.
    #[error("octets end within a header")]
    Truncated,
    /// The LI of the SPDU runs past the TSDU.
    #[error("SPDU of {octets} octets, {available} left in the TSDU")]
    SpduLength {
        /// Octets that the LI announces.
        octets: usize,
        /// Octets that are there.
        available: usize,
    },
    /// The LI of a PGI or PI runs past the unit around it.
    #[error("unit of {octets} octets, {available} left in the unit around it")]
    UnitLength {
        /// Octets that the LI announces.
        octets: usize,
        /// Octets that are there.
        available: usize,
    },
    /// A length below 255 in the three-octet form (strict mode).
    #[error("length {0} in the three-octet form")]
    LongFormLength(u16),
    /// A value of a length that this parameter cannot have.
    #[error("value of {octets} octets, allowed are {octets_min} to {octets_max}")]
    ValueLength {
        /// Octets of the value.
        octets: usize,
        /// Fewest allowed.
        octets_min: usize,
        /// Most allowed.
        octets_max: usize,
    },
    /// A value that is reserved or out of range.
    #[error("reserved value {0:#04x}")]
    ReservedValue(u8),
    /// A serial number with an octet that is no ASCII digit.
    #[error("octet {0:#04x} is no digit")]
    NotADigit(u8),
    /// A mandatory parameter is missing.
    #[error("mandatory parameter missing")]
    MissingParameter,
    /// A parameter appears twice on one level (strict mode).
    #[error("parameter appears twice")]
    DuplicateParameter,
    /// A parameter that exists, but not in this SPDU (strict mode).
    #[error("parameter not allowed in this SPDU")]
    ParameterNotAllowed,
    /// A parameter or user data that the selected version does not have (strict mode).
    #[error("parameter not allowed in this protocol version")]
    ParameterNotInVersion,
    /// User Data and Extended User Data, or two forms of the user data of MIA, in one SPDU.
    #[error("user data given twice, in two forms")]
    TwoUserData,
    /// A user information field of a length that this SPDU cannot have.
    #[error("user information of {octets} octets, allowed are {octets_min} to {octets_max}")]
    UserInformationLength {
        /// Octets of the field.
        octets: usize,
        /// Fewest allowed.
        octets_min: usize,
        /// Most allowed.
        octets_max: usize,
    },
    /// Octets behind an SPDU that must be alone in its TSDU.
    #[error("{octets} octets behind an SPDU that must be alone")]
    NotAlone {
        /// Octets left over.
        octets: usize,
    },
    /// A category 2 SPDU at the start of a TSDU.
    #[error("category 2 SPDU without GT or PT in front")]
    CategoryTwoFirst,
    /// A category 0 or 1 SPDU behind another SPDU.
    #[error("category 0 or 1 SPDU behind another SPDU")]
    NotFirst,
    /// More than one category 2 SPDU, which this end did not offer to receive (strict mode).
    #[error("extended concatenation was not offered")]
    ExtendedConcatenation,
    /// Category 2 SPDUs that cannot be concatenated, or not in this order.
    #[error("SPDUs cannot be concatenated in this order")]
    ConcatenationOrder,
    /// A category 2 SPDU behind a GT that goes behind a PT, or the other way (strict mode).
    #[error("category 2 SPDU behind the wrong one of GT and PT")]
    WrongHead,
    /// A GT or PT with tokens in front of an SPDU that resets them (strict mode).
    #[error("tokens in front of an SPDU that resets them")]
    HeadWithTokens,
    /// An SPDU that cannot travel on this transport flow.
    #[error("SPDU not allowed on this transport flow")]
    WrongFlow,
    /// The TSDU was handed over in pieces although [`super::must_be_contiguous`] holds for it: a fault
    /// of the owner of the TSDU, not of the peer.
    #[error("SPDU crosses the end of the contiguous head")]
    NotContiguous,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(spdu) = self.spdu {
            write!(f, "{} SPDU, ", spdu.abbreviation())?;
        }
        if let Some(code) = self.parameter {
            let name = parameter_code(code).map_or("unknown", |known| known.name);
            write!(f, "parameter {code} ({name}), ")?;
        }
        write!(f, "octet {}: {}", self.offset, self.kind)
    }
}

impl core::error::Error for DecodeError {}

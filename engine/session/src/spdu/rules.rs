//! Rules of decoding: strict or lenient, version, flow, and the limits on user data that follow.

use super::SpduKind;
use super::code::{
    ABORT_USER_DATA_OCTETS_MAX_V1, CONNECT_USER_DATA_OCTETS_MAX, EXPEDITED_OCTETS_MAX, LENGTH_MAX,
    OVERFLOW_USER_DATA_OCTETS_MAX, USER_DATA_OCTETS_MAX_V1,
};
use crate::Versions;

/// What a decoder tolerates. The default is lenient, for any version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecodeRules {
    /// Refuse what deployed peers get wrong without harm: long lengths below 255, duplicate and
    /// misplaced parameters, missing Protocol Options or Version Number, a lone DT, user data that the
    /// version does not have, PR and EX on the normal flow.
    pub strict: bool,
    /// This end told its peer that it receives extended concatenation. Only strict mode cares:
    /// otherwise it is accepted without having been offered.
    pub extended_concatenation: bool,
    /// The version selected; `None` before AC applies the limits of no version.
    pub version: Option<Versions>,
}

impl DecodeRules {
    /// Lenient rules, any version.
    pub const LENIENT: DecodeRules =
        DecodeRules { strict: false, extended_concatenation: false, version: None };

    /// Strict rules, any version, no extended concatenation.
    pub const STRICT: DecodeRules =
        DecodeRules { strict: true, extended_concatenation: false, version: None };

    pub(crate) fn is_version_1(&self) -> bool {
        self.version == Some(Versions::V1)
    }
}

/// The flow of the transport connection that a TSDU came on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flow {
    /// T-DATA.
    #[default]
    Normal,
    /// T-EXPEDITED-DATA: carries exactly one of PR, EX, AB, AA.
    Expedited,
}

/// Most octets of user data that one SPDU of this kind holds in `version` (one bit set).
///
/// 0 where the SPDU has no user data in that version. DT and TD have no limit of their own and give
/// `usize::MAX`; CN gives its limit without data overflow. In version 2 the limit is what is left in a
/// parameter field of 65 535 octets beside the header of the user data; other parameters lower it.
///
pub fn user_data_octets_max(kind: SpduKind, version: Versions) -> usize {
    /// The header of PGI 193 with a three-octet LI.
    const HEADER_OCTETS: usize = 4;
    let version_1 = !version.contains(Versions::V2);
    match kind {
        SpduKind::DataTransfer | SpduKind::TypedData => usize::MAX,
        SpduKind::ExpeditedData => EXPEDITED_OCTETS_MAX,
        SpduKind::Prepare
        | SpduKind::OverflowAccept
        | SpduKind::GiveTokensAck
        | SpduKind::AbortAccept
        | SpduKind::ExceptionReport => 0,
        SpduKind::GiveTokens
        | SpduKind::GiveTokensConfirm
        | SpduKind::ActivityInterrupt
        | SpduKind::ActivityInterruptAck
        | SpduKind::ActivityDiscard
        | SpduKind::ActivityDiscardAck
        | SpduKind::ConnectDataOverflow
            if version_1 =>
        {
            0
        }
        SpduKind::Abort if version_1 => ABORT_USER_DATA_OCTETS_MAX_V1,
        SpduKind::ConnectDataOverflow => OVERFLOW_USER_DATA_OCTETS_MAX,
        _ if version_1 => USER_DATA_OCTETS_MAX_V1,
        SpduKind::Connect => CONNECT_USER_DATA_OCTETS_MAX,
        _ => LENGTH_MAX - HEADER_OCTETS,
    }
}

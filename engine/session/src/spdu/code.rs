//! Every wire literal of the session protocol, once: SI, PGI and PI codes, and which SPDU has which.

use super::kind::{Category, SpduKind};

/// PGI and PI codes (X.225 clause 8, tables of PGI and PI identifiers).
pub(crate) mod pi {
    pub(crate) const CONNECTION_IDENTIFIER: u8 = 1;
    pub(crate) const CONNECT_ACCEPT_ITEM: u8 = 5;
    pub(crate) const CALLED_REFERENCE: u8 = 9;
    pub(crate) const CALLING_REFERENCE: u8 = 10;
    pub(crate) const COMMON_REFERENCE: u8 = 11;
    pub(crate) const ADDITIONAL_REFERENCE: u8 = 12;
    pub(crate) const SYNC_TYPE: u8 = 15;
    pub(crate) const TOKEN: u8 = 16;
    pub(crate) const TRANSPORT_DISCONNECT: u8 = 17;
    pub(crate) const PROTOCOL_OPTIONS: u8 = 19;
    pub(crate) const USER_REQUIREMENTS: u8 = 20;
    pub(crate) const TSDU_MAXIMUM_SIZE: u8 = 21;
    pub(crate) const VERSION: u8 = 22;
    pub(crate) const INITIAL_SERIAL: u8 = 23;
    pub(crate) const PREPARE_TYPE: u8 = 24;
    pub(crate) const ENCLOSURE: u8 = 25;
    pub(crate) const TOKEN_SETTING: u8 = 26;
    pub(crate) const RESYNC_TYPE: u8 = 27;
    pub(crate) const LINKING_INFORMATION: u8 = 33;
    pub(crate) const ACTIVITY_IDENTIFIER: u8 = 41;
    pub(crate) const SERIAL: u8 = 42;
    pub(crate) const MINOR_ACK_USER_DATA: u8 = 46;
    pub(crate) const REFLECT: u8 = 49;
    pub(crate) const REASON: u8 = 50;
    pub(crate) const CALLING_SELECTOR: u8 = 51;
    pub(crate) const CALLED_SELECTOR: u8 = 52;
    pub(crate) const SECOND_RESYNC_TYPE: u8 = 53;
    pub(crate) const SECOND_SERIAL: u8 = 54;
    pub(crate) const SECOND_INITIAL_SERIAL: u8 = 55;
    pub(crate) const UPPER_LIMIT_SERIAL: u8 = 56;
    pub(crate) const LARGE_INITIAL_SERIAL: u8 = 57;
    pub(crate) const LARGE_SECOND_INITIAL_SERIAL: u8 = 58;
    pub(crate) const DATA_OVERFLOW: u8 = 60;
    pub(crate) const USER_DATA: u8 = 193;
    pub(crate) const EXTENDED_USER_DATA: u8 = 194;
}

/// The octet that starts the three-octet form of a length indicator.
pub(crate) const LONG_LENGTH: u8 = 0xFF;
/// Longest parameter field, and longest parameter value.
pub(crate) const LENGTH_MAX: usize = 0xFFFF;

/// User data that CN may carry outside the data overflow procedure.
pub(crate) const CONNECT_USER_DATA_OCTETS_MAX: usize = 10_240;
/// User data of one parameter SPDU in version 1, and of CN in PGI 193 in any version.
pub(crate) const USER_DATA_OCTETS_MAX_V1: usize = 512;
/// User data of AB in version 1.
pub(crate) const ABORT_USER_DATA_OCTETS_MAX_V1: usize = 9;
/// User data of EX.
pub(crate) const EXPEDITED_OCTETS_MAX: usize = 14;
/// User data of one CDO: what a parameter field holds beside PI 25 and the header of PGI 193.
pub(crate) const OVERFLOW_USER_DATA_OCTETS_MAX: usize = LENGTH_MAX - 3 - 4;

/// One PGI or PI: its name and the lengths its value may have.
pub(crate) struct ParameterCode {
    pub(crate) code: u8,
    pub(crate) name: &'static str,
    pub(crate) octets_min: usize,
    pub(crate) octets_max: usize,
}

const fn parameter(code: u8, name: &'static str, octets_min: usize, octets_max: usize) -> ParameterCode {
    ParameterCode { code, name, octets_min, octets_max }
}

/// Every known PGI and PI. A value of length 0 means absent, whatever `octets_min` says.
#[rustfmt::skip]
pub(crate) const PARAMETERS: &[ParameterCode] = &[
    parameter(pi::CONNECTION_IDENTIFIER, "Connection Identifier", 0, LENGTH_MAX),
    parameter(pi::CONNECT_ACCEPT_ITEM, "Connect/Accept Item", 0, LENGTH_MAX),
    parameter(pi::CALLED_REFERENCE, "Called SS-user Reference", 0, 64),
    parameter(pi::CALLING_REFERENCE, "Calling SS-user Reference", 0, 64),
    parameter(pi::COMMON_REFERENCE, "Common Reference", 0, 64),
    parameter(pi::ADDITIONAL_REFERENCE, "Additional Reference Information", 0, 4),
    parameter(pi::SYNC_TYPE, "Sync Type Item", 1, 1),
    parameter(pi::TOKEN, "Token Item", 1, 1),
    parameter(pi::TRANSPORT_DISCONNECT, "Transport Disconnect", 1, 1),
    parameter(pi::PROTOCOL_OPTIONS, "Protocol Options", 1, 1),
    parameter(pi::USER_REQUIREMENTS, "Session User Requirements", 2, 2),
    parameter(pi::TSDU_MAXIMUM_SIZE, "TSDU Maximum Size", 4, 4),
    parameter(pi::VERSION, "Version Number", 1, 1),
    parameter(pi::INITIAL_SERIAL, "Initial Serial Number", 1, 6),
    parameter(pi::PREPARE_TYPE, "Prepare Type", 1, 1),
    parameter(pi::ENCLOSURE, "Enclosure Item", 1, 1),
    parameter(pi::TOKEN_SETTING, "Token Setting Item", 1, 1),
    parameter(pi::RESYNC_TYPE, "Resync Type", 1, 1),
    parameter(pi::LINKING_INFORMATION, "Linking Information", 1, LENGTH_MAX),
    parameter(pi::ACTIVITY_IDENTIFIER, "Activity Identifier", 0, 6),
    parameter(pi::SERIAL, "Serial Number", 1, 6),
    parameter(pi::MINOR_ACK_USER_DATA, "User Data", 0, LENGTH_MAX),
    parameter(pi::REFLECT, "Reflect Parameter Values", 0, LENGTH_MAX),
    parameter(pi::REASON, "Reason Code", 1, LENGTH_MAX),
    parameter(pi::CALLING_SELECTOR, "Calling Session Selector", 0, 16),
    parameter(pi::CALLED_SELECTOR, "Called Session Selector", 0, 16),
    parameter(pi::SECOND_RESYNC_TYPE, "Second Resync Type", 1, 1),
    parameter(pi::SECOND_SERIAL, "Second Serial Number", 1, 6),
    parameter(pi::SECOND_INITIAL_SERIAL, "Second Initial Serial Number", 1, 6),
    parameter(pi::UPPER_LIMIT_SERIAL, "Upper Limit Serial Number", 1, 1),
    parameter(pi::LARGE_INITIAL_SERIAL, "Large Initial Serial Number", 0, LENGTH_MAX),
    parameter(pi::LARGE_SECOND_INITIAL_SERIAL, "Large Second Initial Serial Number", 0, LENGTH_MAX),
    parameter(pi::DATA_OVERFLOW, "Data Overflow", 1, 1),
    parameter(pi::USER_DATA, "User Data", 0, LENGTH_MAX),
    parameter(pi::EXTENDED_USER_DATA, "Extended User Data", 0, CONNECT_USER_DATA_OCTETS_MAX),
];

/// The entry of a known PGI or PI code.
pub(crate) fn parameter_code(code: u8) -> Option<&'static ParameterCode> {
    PARAMETERS.iter().find(|known| known.code == code)
}

/// How an SPDU (or PGI) takes one parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// May be left out.
    Optional,
    /// Must be there.
    Mandatory,
    /// Must be there by the Recommendation, but deployed peers leave it out: enforced in strict mode.
    MandatoryIfStrict,
    /// May be left out, and exists only in version 2.
    Version2,
}

/// One parameter of an SPDU or of a PGI.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) code: u8,
    pub(crate) presence: Presence,
}

/// Most parameters that one SPDU or one PGI has.
pub(crate) const RULES_MAX: usize = 9;

const fn o(code: u8) -> Rule {
    Rule { code, presence: Presence::Optional }
}
const fn m(code: u8) -> Rule {
    Rule { code, presence: Presence::Mandatory }
}
const fn s(code: u8) -> Rule {
    Rule { code, presence: Presence::MandatoryIfStrict }
}
const fn v2(code: u8) -> Rule {
    Rule { code, presence: Presence::Version2 }
}

/// PGI 1 of CN.
pub(crate) const CALLING_IDENTIFIER: &[Rule] =
    &[o(pi::CALLING_REFERENCE), o(pi::COMMON_REFERENCE), o(pi::ADDITIONAL_REFERENCE)];
/// PGI 1 of AC and RF.
pub(crate) const CALLED_IDENTIFIER: &[Rule] =
    &[o(pi::CALLED_REFERENCE), o(pi::COMMON_REFERENCE), o(pi::ADDITIONAL_REFERENCE)];
/// PGI 5 of CN and AC.
pub(crate) const CONNECT_ACCEPT_ITEM: &[Rule] = &[
    s(pi::PROTOCOL_OPTIONS),
    o(pi::TSDU_MAXIMUM_SIZE),
    s(pi::VERSION),
    o(pi::INITIAL_SERIAL),
    o(pi::TOKEN_SETTING),
    o(pi::SECOND_INITIAL_SERIAL),
    o(pi::UPPER_LIMIT_SERIAL),
    o(pi::LARGE_INITIAL_SERIAL),
    o(pi::LARGE_SECOND_INITIAL_SERIAL),
];
/// PGI 33 of AR.
pub(crate) const LINKING_INFORMATION: &[Rule] = &[
    o(pi::CALLED_REFERENCE),
    o(pi::CALLING_REFERENCE),
    o(pi::COMMON_REFERENCE),
    o(pi::ADDITIONAL_REFERENCE),
    m(pi::ACTIVITY_IDENTIFIER),
    m(pi::SERIAL),
    o(pi::SECOND_SERIAL),
];

/// The SI of UNIT DATA (X.235), which no SPDU of this protocol has.
pub(crate) const UNIT_DATA_SI: u8 = 64;
/// The parameters of UNIT DATA.
pub(crate) const UNIT_DATA: &[Rule] = &[s(pi::VERSION), o(pi::CALLING_SELECTOR), o(pi::CALLED_SELECTOR)];

/// The parameters inside a PGI; `None` when `code` is no group of PI units in SPDUs of this kind.
pub(crate) fn group_rules(kind: SpduKind, code: u8) -> Option<&'static [Rule]> {
    match (kind, code) {
        (SpduKind::Connect, pi::CONNECTION_IDENTIFIER) => Some(CALLING_IDENTIFIER),
        (SpduKind::Accept | SpduKind::Refuse, pi::CONNECTION_IDENTIFIER) => Some(CALLED_IDENTIFIER),
        (SpduKind::Connect | SpduKind::Accept, pi::CONNECT_ACCEPT_ITEM) => Some(CONNECT_ACCEPT_ITEM),
        (SpduKind::ActivityResume, pi::LINKING_INFORMATION) => Some(LINKING_INFORMATION),
        _ => None,
    }
}

/// One SPDU: its SI, names, category and parameters in the order to send.
pub(crate) struct SpduCode {
    pub(crate) kind: SpduKind,
    pub(crate) si: u8,
    pub(crate) abbreviation: &'static str,
    pub(crate) name: &'static str,
    pub(crate) category: Category,
    pub(crate) parameters: &'static [Rule],
}

const fn spdu(
    kind: SpduKind,
    si: u8,
    abbreviation: &'static str,
    name: &'static str,
    category: Category,
    parameters: &'static [Rule],
) -> SpduCode {
    SpduCode { kind, si, abbreviation, name, category, parameters }
}

const USER_DATA_ONLY: &[Rule] = &[v2(pi::ENCLOSURE), o(pi::USER_DATA)];
const ENCLOSURE_ONLY: &[Rule] = &[o(pi::ENCLOSURE)];
const TOKENS: &[Rule] = &[o(pi::TOKEN), v2(pi::ENCLOSURE), o(pi::USER_DATA)];
const MAJOR_SYNC_ACK: &[Rule] = &[v2(pi::ENCLOSURE), m(pi::SERIAL), o(pi::SECOND_SERIAL), o(pi::USER_DATA)];
const REASON: &[Rule] = &[v2(pi::ENCLOSURE), o(pi::REASON), o(pi::USER_DATA)];

/// Every SPDU, in the order of [`SpduKind`].
#[rustfmt::skip]
pub(crate) const SPDUS: &[SpduCode] = &[
    spdu(SpduKind::ExceptionReport, 0, "ER", "EXCEPTION REPORT", Category::Two, &[m(pi::REFLECT)]),
    spdu(SpduKind::GiveTokens, 1, "GT", "GIVE TOKENS", Category::Zero, TOKENS),
    spdu(SpduKind::DataTransfer, 1, "DT", "DATA TRANSFER", Category::Two, ENCLOSURE_ONLY),
    spdu(SpduKind::PleaseTokens, 2, "PT", "PLEASE TOKENS", Category::Zero, TOKENS),
    spdu(SpduKind::ExpeditedData, 5, "EX", "EXPEDITED DATA", Category::One, &[]),
    spdu(SpduKind::Prepare, 7, "PR", "PREPARE", Category::One,
        &[m(pi::PREPARE_TYPE), o(pi::RESYNC_TYPE), o(pi::SECOND_RESYNC_TYPE)]),
    spdu(SpduKind::NotFinished, 8, "NF", "NOT FINISHED", Category::One, USER_DATA_ONLY),
    spdu(SpduKind::Finish, 9, "FN", "FINISH", Category::One,
        &[o(pi::TRANSPORT_DISCONNECT), v2(pi::ENCLOSURE), o(pi::USER_DATA)]),
    spdu(SpduKind::Disconnect, 10, "DN", "DISCONNECT", Category::One, USER_DATA_ONLY),
    spdu(SpduKind::Refuse, 12, "RF", "REFUSE", Category::One,
        &[o(pi::CONNECTION_IDENTIFIER), o(pi::TRANSPORT_DISCONNECT), o(pi::USER_REQUIREMENTS),
          o(pi::VERSION), v2(pi::ENCLOSURE), o(pi::REASON)]),
    spdu(SpduKind::Connect, 13, "CN", "CONNECT", Category::One,
        &[o(pi::CONNECTION_IDENTIFIER), o(pi::CONNECT_ACCEPT_ITEM), o(pi::USER_REQUIREMENTS),
          o(pi::CALLING_SELECTOR), o(pi::CALLED_SELECTOR), o(pi::DATA_OVERFLOW), o(pi::USER_DATA),
          o(pi::EXTENDED_USER_DATA)]),
    spdu(SpduKind::Accept, 14, "AC", "ACCEPT", Category::One,
        &[o(pi::CONNECTION_IDENTIFIER), o(pi::CONNECT_ACCEPT_ITEM), o(pi::TOKEN),
          o(pi::USER_REQUIREMENTS), v2(pi::ENCLOSURE), o(pi::CALLING_SELECTOR),
          o(pi::CALLED_SELECTOR), o(pi::USER_DATA)]),
    spdu(SpduKind::ConnectDataOverflow, 15, "CDO", "CONNECT DATA OVERFLOW", Category::One,
        &[m(pi::ENCLOSURE), m(pi::USER_DATA)]),
    spdu(SpduKind::OverflowAccept, 16, "OA", "OVERFLOW ACCEPT", Category::One,
        &[o(pi::TSDU_MAXIMUM_SIZE), m(pi::VERSION)]),
    spdu(SpduKind::GiveTokensConfirm, 21, "GTC", "GIVE TOKENS CONFIRM", Category::One, USER_DATA_ONLY),
    spdu(SpduKind::GiveTokensAck, 22, "GTA", "GIVE TOKENS ACK", Category::One, &[]),
    spdu(SpduKind::Abort, 25, "AB", "ABORT", Category::One,
        &[s(pi::TRANSPORT_DISCONNECT), v2(pi::ENCLOSURE), o(pi::REFLECT), o(pi::USER_DATA)]),
    spdu(SpduKind::ActivityInterrupt, 25, "AI", "ACTIVITY INTERRUPT", Category::Two, REASON),
    spdu(SpduKind::AbortAccept, 26, "AA", "ABORT ACCEPT", Category::One, &[]),
    spdu(SpduKind::ActivityInterruptAck, 26, "AIA", "ACTIVITY INTERRUPT ACK", Category::Two, USER_DATA_ONLY),
    spdu(SpduKind::ActivityResume, 29, "AR", "ACTIVITY RESUME", Category::Two,
        &[v2(pi::ENCLOSURE), m(pi::LINKING_INFORMATION), m(pi::ACTIVITY_IDENTIFIER), o(pi::USER_DATA)]),
    spdu(SpduKind::TypedData, 33, "TD", "TYPED DATA", Category::One, ENCLOSURE_ONLY),
    spdu(SpduKind::ResynchronizeAck, 34, "RA", "RESYNCHRONIZE ACK", Category::Two,
        &[v2(pi::ENCLOSURE), o(pi::TOKEN_SETTING), m(pi::SERIAL), o(pi::SECOND_SERIAL), o(pi::USER_DATA)]),
    spdu(SpduKind::MajorSyncPoint, 41, "MAP", "MAJOR SYNC POINT", Category::Two,
        &[m(pi::SYNC_TYPE), v2(pi::ENCLOSURE), m(pi::SERIAL), o(pi::SECOND_SERIAL), o(pi::USER_DATA)]),
    spdu(SpduKind::ActivityEnd, 41, "AE", "ACTIVITY END", Category::Two,
        &[o(pi::SYNC_TYPE), v2(pi::ENCLOSURE), m(pi::SERIAL), o(pi::SECOND_SERIAL), o(pi::USER_DATA)]),
    spdu(SpduKind::MajorSyncAck, 42, "MAA", "MAJOR SYNC ACK", Category::Two, MAJOR_SYNC_ACK),
    spdu(SpduKind::ActivityStart, 45, "AS", "ACTIVITY START", Category::Two,
        &[v2(pi::ENCLOSURE), m(pi::ACTIVITY_IDENTIFIER), o(pi::USER_DATA)]),
    spdu(SpduKind::ExceptionData, 48, "ED", "EXCEPTION DATA", Category::Two,
        &[v2(pi::ENCLOSURE), m(pi::REASON), o(pi::USER_DATA)]),
    spdu(SpduKind::MinorSyncPoint, 49, "MIP", "MINOR SYNC POINT", Category::Two,
        &[o(pi::SYNC_TYPE), v2(pi::ENCLOSURE), m(pi::SERIAL), o(pi::USER_DATA)]),
    spdu(SpduKind::MinorSyncAck, 50, "MIA", "MINOR SYNC ACK", Category::Two,
        &[v2(pi::ENCLOSURE), m(pi::SERIAL), o(pi::MINOR_ACK_USER_DATA), o(pi::USER_DATA)]),
    spdu(SpduKind::Resynchronize, 53, "RS", "RESYNCHRONIZE", Category::Two,
        &[v2(pi::ENCLOSURE), o(pi::TOKEN_SETTING), m(pi::RESYNC_TYPE), m(pi::SERIAL),
          o(pi::SECOND_RESYNC_TYPE), o(pi::SECOND_SERIAL), o(pi::USER_DATA)]),
    spdu(SpduKind::ActivityDiscard, 57, "AD", "ACTIVITY DISCARD", Category::Two, REASON),
    spdu(SpduKind::ActivityDiscardAck, 58, "ADA", "ACTIVITY DISCARD ACK", Category::Two, USER_DATA_ONLY),
    spdu(SpduKind::CapabilityData, 61, "CD", "CAPABILITY DATA", Category::Two, USER_DATA_ONLY),
    spdu(SpduKind::CapabilityDataAck, 62, "CDA", "CAPABILITY DATA ACK", Category::Two, USER_DATA_ONLY),
];

//! What CN proposes and AC selects: versions, functional units, tokens, serial number, TSDU sizes.
//!
//! Pure functions over parameters; states and octets are elsewhere. Reference 4.2, X.225 §7.1 to §7.3.

use super::config::SessionConfig;
use super::tsdu_sizes::{answers, selected_sizes, sizes_in_range, unless_unlimited};
use super::variables::tokens_of;
use crate::spdu::{Accept, Connect, ConnectAcceptItem, OverflowAccept, SpduKind, offset_of_unit, pi};
use crate::{
    AcceptParameters, ConnectParameters, FunctionalUnits as Fu, ProtocolOptions, Selector, SerialNumber,
    ServiceError, TokenSettings, TokenSide, Tokens, TsduMaximumSize, Versions,
};

/// Most octets of user data in version 1.
pub(super) const USER_DATA_OCTETS_MAX_V1: usize = 512;

const REFUSE_REASONS: [u8; 9] = [0, 1, 2, 129, 130, 131, 132, 133, 134];

/// Units whose serial numbers need a start value.
const NUMBERED_UNITS: Fu =
    Fu::MINOR_SYNC.union(Fu::MAJOR_SYNC).union(Fu::RESYNCHRONIZE).union(Fu::SYMMETRIC_SYNC);

/// They exclude each other in what is selected. `[unverified]`
const BOTH_KINDS_OF_MINOR_SYNC: Fu = Fu::MINOR_SYNC.union(Fu::SYMMETRIC_SYNC);

/// Where numbers begin when nobody says where.
const FIRST_SERIAL_NUMBER: SerialNumber = SerialNumber(1);

/// What is kept of a CONNECT until it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proposal {
    /// Versions both ends could select.
    pub(super) versions: Versions,
    /// Units proposed that this end can offer.
    pub(super) units: Fu,
    pub(super) token_settings: TokenSettings,
    pub(super) initial_serial_number: Option<SerialNumber>,
    /// Of the flow from responder to initiator; symmetric synchronize only.
    pub(super) second_initial_serial_number: Option<SerialNumber>,
    pub(super) tsdu_maximum_size: TsduMaximumSize,
    /// OVERFLOW ACCEPT has answered the sizes, and ACCEPT repeats them.
    pub(super) sizes_answered: bool,
    pub(super) called: Selector,
}

/// What both ends agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreement {
    /// Exactly one.
    pub(super) version: Versions,
    pub(super) units: Fu,
    pub(super) token_settings: TokenSettings,
    pub(super) initial_serial_number: Option<SerialNumber>,
    /// Of the flow from responder to initiator; symmetric synchronize only.
    pub(super) second_initial_serial_number: Option<SerialNumber>,
    pub(super) tsdu_maximum_size: TsduMaximumSize,
}

/// Why a CONNECT is refused without asking the user (p76).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Reason code of RF.
    pub(super) reason: u8,
    pub(super) rule: Rule,
}

/// What an SPDU breaks, in a few words, and by which parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) parameter: Option<u8>,
    pub(super) words: &'static str,
}

/// A rule that a parameter breaks.
pub(super) const fn rule(parameter: u8, words: &'static str) -> Rule {
    Rule { parameter: Some(parameter), words }
}

/// A rule that an SPDU breaks by being there.
pub(super) const fn rule_of_spdu(words: &'static str) -> Rule {
    Rule { parameter: None, words }
}

/// True for the reason codes that RF may carry.
pub(super) fn is_refuse_reason(reason: u8) -> bool {
    REFUSE_REASONS.contains(&reason)
}

/// Looks whether S-CONNECT request parameters are in range and consistent, and what AC is held against.
///
/// More than 512 octets of user data narrow the offer to version 2.
pub(super) fn propose(
    config: &SessionConfig,
    connect: &ConnectParameters<'_>,
) -> Result<Proposal, ServiceError> {
    let units = connect.requirements;
    let foreign = units - config.units();
    if !foreign.is_empty() {
        return Err(ServiceError::FunctionalUnit(foreign));
    }
    if let Some(rule) = contradiction(units) {
        return Err(ServiceError::Parameter(rule));
    }
    let mut versions = connect.versions & config.versions;
    let octets = connect.user_data.len();
    if octets > USER_DATA_OCTETS_MAX_V1 {
        versions &= Versions::V2;
        let octets_max = match versions.is_empty() {
            true => USER_DATA_OCTETS_MAX_V1,
            false => config.connect_user_data_octets_max,
        };
        if octets > octets_max {
            return Err(ServiceError::UserDataLength { octets, octets_max });
        }
    }
    if versions.is_empty() {
        return Err(ServiceError::Parameter("no version that this end speaks"));
    }
    let needs_serial = needs_serial_number(units);
    match connect.initial_serial_number {
        None if needs_serial => return Err(ServiceError::Parameter("initial serial number missing")),
        Some(_) if !units.intersects(NUMBERED_UNITS) => {
            return Err(ServiceError::Parameter("initial serial number without a unit that uses it"));
        }
        Some(serial) if serial > SerialNumber::MAX => {
            return Err(ServiceError::Parameter("initial serial number above 999999"));
        }
        _ => {}
    }
    let second = connect.second_initial_serial_number;
    if second.is_some() && !units.contains(Fu::SYMMETRIC_SYNC) {
        return Err(ServiceError::FunctionalUnit(Fu::SYMMETRIC_SYNC));
    }
    if second.is_some_and(|serial| serial > SerialNumber::MAX) {
        return Err(ServiceError::Parameter("initial serial number above 999999"));
    }
    let tsdu_maximum_size = connect.tsdu_maximum_size.unwrap_or_default();
    if !sizes_in_range(tsdu_maximum_size) {
        return Err(ServiceError::Parameter("TSDU maximum size below 64"));
    }
    Ok(Proposal {
        versions,
        units,
        token_settings: connect.token_settings,
        initial_serial_number: connect.initial_serial_number,
        second_initial_serial_number: second_number(units, second, connect.initial_serial_number),
        tsdu_maximum_size,
        sizes_answered: false,
        called: connect.called,
    })
}

/// The Connect/Accept Item of a CONNECT: only what is really proposed, so that plain peers see the plain
/// shape.
pub(super) fn connect_item(config: &SessionConfig, proposal: &Proposal) -> ConnectAcceptItem<'static> {
    ConnectAcceptItem {
        protocol_options: options(config),
        tsdu_maximum_size: unless_unlimited(proposal.tsdu_maximum_size),
        versions: proposal.versions,
        initial_serial_number: proposal.initial_serial_number,
        second_initial_serial_number: proposal.second_initial_serial_number,
        token_settings: settings_of(proposal.units, proposal.token_settings),
        ..ConnectAcceptItem::default()
    }
}

/// Looks at a received CONNECT.
pub(super) fn judge_connect(
    config: &SessionConfig,
    connect: &Connect<'_>,
    transport_expedited: bool,
) -> Result<Proposal, Refusal> {
    let refuse = |reason, parameter, words| Err(Refusal { reason, rule: rule(parameter, words) });
    let item = &connect.item;
    let mut versions = item.versions & config.versions;
    if connect.needs_version_2() {
        versions &= Versions::V2;
    }
    if versions.is_empty() {
        return refuse(132, pi::VERSION, "no common protocol version");
    }
    if connect.user_data.len() + usize::from(connect.data_overflow) > config.connect_user_data_octets_max {
        return refuse(134, pi::DATA_OVERFLOW, "more user data than are taken");
    }
    if config.strict && connect.data_overflow && connect.user_data.len() < Connect::USER_DATA_OCTETS_MAX {
        return refuse(133, pi::DATA_OVERFLOW, "data overflow although CONNECT has room");
    }
    let proposed = connect.requirements;
    if let Some(words) = contradiction(proposed)
        && config.strict
    {
        return refuse(133, pi::USER_REQUIREMENTS, words);
    }
    let mut possible = config.units();
    possible.set(Fu::EXPEDITED, possible.contains(Fu::EXPEDITED) && transport_expedited);
    let units = without_orphans(proposed & possible);
    if !units.intersects(Fu::HALF_DUPLEX | Fu::DUPLEX) {
        return refuse(133, pi::USER_REQUIREMENTS, "neither half duplex nor duplex is possible");
    }
    // The bit of symmetric synchronize is a reserved one where that unit is not offered.
    let counted = proposed - (Fu::SYMMETRIC_SYNC - possible);
    if needs_serial_number(counted) && item.initial_serial_number.is_none() {
        return refuse(133, pi::INITIAL_SERIAL, "initial serial number missing");
    }
    if config.strict && item.initial_serial_number.is_some() && !proposed.intersects(NUMBERED_UNITS) {
        return refuse(133, pi::INITIAL_SERIAL, "initial serial number without a unit that uses it");
    }
    let tsdu_maximum_size = item.tsdu_maximum_size.unwrap_or_default();
    if !sizes_in_range(tsdu_maximum_size) {
        return refuse(134, pi::TSDU_MAXIMUM_SIZE, "TSDU maximum size below 64");
    }
    Ok(Proposal {
        versions,
        units,
        token_settings: item.token_settings.unwrap_or_default(),
        initial_serial_number: item.initial_serial_number,
        second_initial_serial_number: second_number(
            units,
            item.second_initial_serial_number,
            item.initial_serial_number,
        ),
        tsdu_maximum_size,
        sizes_answered: false,
        called: connect.called,
    })
}

/// Makes the agreement out of a proposal and the user's S-CONNECT response.
pub(super) fn answer(proposal: &Proposal, accept: &AcceptParameters<'_>) -> Result<Agreement, ServiceError> {
    let mut units = proposal.units & accept.requirements;
    if units.contains(Fu::DUPLEX) {
        units -= Fu::HALF_DUPLEX;
    }
    if units.contains(BOTH_KINDS_OF_MINOR_SYNC) {
        units -= Fu::SYMMETRIC_SYNC;
    }
    let units = without_orphans(units);
    if !units.intersects(Fu::HALF_DUPLEX | Fu::DUPLEX) {
        return Err(ServiceError::Parameter("neither half duplex nor duplex of those proposed"));
    }
    let mut token_settings = TokenSettings::default();
    for token in tokens_of(units).iter() {
        let side = match side(&proposal.token_settings, token) {
            TokenSide::AcceptorChooses => side(&accept.token_settings, token),
            side => side,
        };
        if side == TokenSide::AcceptorChooses {
            return Err(ServiceError::Parameter("token setting: the acceptor is to choose"));
        }
        set_side(&mut token_settings, token, side);
    }
    let owned = tokens_at(units, &token_settings, TokenSide::Responder);
    let wrong = accept.tokens_please - (tokens_of(units) - owned);
    if !wrong.is_empty() {
        return Err(ServiceError::Token(wrong));
    }
    let answered = [accept.initial_serial_number, accept.second_initial_serial_number];
    if answered.iter().flatten().any(|serial| *serial > SerialNumber::MAX) {
        return Err(ServiceError::Parameter("initial serial number above 999999"));
    }
    // A CONNECT that proposes activities need not have a number, and one is needed when they are turned down.
    let initial_serial_number = needs_serial_number(units).then(|| {
        accept.initial_serial_number.or(proposal.initial_serial_number).unwrap_or(FIRST_SERIAL_NUMBER)
    });
    let second = accept.second_initial_serial_number.or(proposal.second_initial_serial_number);
    let second_initial_serial_number =
        second_number(units, second, initial_serial_number).filter(|_| needs_serial_number(units));
    let proposed = proposal.tsdu_maximum_size;
    let tsdu_maximum_size = accept.tsdu_maximum_size.unwrap_or(proposed);
    if proposal.sizes_answered && tsdu_maximum_size != proposed {
        return Err(ServiceError::Parameter("TSDU maximum size other than the one answered before"));
    }
    if !sizes_in_range(tsdu_maximum_size) || !answers(proposed, tsdu_maximum_size) {
        return Err(ServiceError::Parameter("TSDU maximum size above the one proposed, or below 64"));
    }
    let version = highest(proposal.versions);
    Ok(Agreement {
        version,
        units,
        token_settings,
        initial_serial_number,
        second_initial_serial_number,
        tsdu_maximum_size,
    })
}

/// The Connect/Accept Item of an ACCEPT.
pub(super) fn accept_item(config: &SessionConfig, agreement: &Agreement) -> ConnectAcceptItem<'static> {
    ConnectAcceptItem {
        protocol_options: options(config),
        tsdu_maximum_size: unless_unlimited(agreement.tsdu_maximum_size),
        versions: agreement.version,
        initial_serial_number: agreement.initial_serial_number,
        second_initial_serial_number: agreement.second_initial_serial_number,
        token_settings: settings_of(agreement.units, agreement.token_settings),
        ..ConnectAcceptItem::default()
    }
}

/// Looks at a received ACCEPT; the broken rule when it cannot be used. Reference 4.2, rule 14.
pub(super) fn judge_accept(
    strict: bool,
    proposal: &Proposal,
    accept: &Accept<'_>,
) -> Result<Agreement, Rule> {
    let item = &accept.item;
    let version = item.versions;
    if version.bits().count_ones() != 1 || !proposal.versions.contains(version) {
        return Err(rule(pi::VERSION, "version that was not offered"));
    }
    if strict && version == Versions::V1 && accept.user_data.len() > USER_DATA_OCTETS_MAX_V1 {
        return Err(rule(pi::USER_DATA, "more than 512 octets of user data in version 1"));
    }
    let units = without_orphans(proposal.units & accept.requirements);
    if units.contains(Fu::HALF_DUPLEX) == units.contains(Fu::DUPLEX) {
        return Err(rule(pi::USER_REQUIREMENTS, "not exactly one of half duplex and duplex"));
    }
    if units.contains(BOTH_KINDS_OF_MINOR_SYNC) {
        return Err(rule(pi::USER_REQUIREMENTS, "both minor and symmetric synchronize"));
    }
    let mut token_settings = TokenSettings::default();
    for token in tokens_of(units).iter() {
        let proposed = side(&proposal.token_settings, token);
        let answered = match &item.token_settings {
            Some(settings) => side(settings, token),
            // Absent means the initiator's side, unless that would contradict what was settled.
            None if proposed == TokenSide::AcceptorChooses => TokenSide::Initiator,
            None => proposed,
        };
        if answered == TokenSide::AcceptorChooses {
            return Err(rule(pi::TOKEN_SETTING, "token setting left to the acceptor in ACCEPT"));
        }
        if strict && proposed != TokenSide::AcceptorChooses && proposed != answered {
            return Err(rule(pi::TOKEN_SETTING, "token setting differs from the one proposed"));
        }
        set_side(&mut token_settings, token, answered);
    }
    if needs_serial_number(units) && item.initial_serial_number.is_none() {
        return Err(rule(pi::INITIAL_SERIAL, "initial serial number missing"));
    }
    let tsdu_maximum_size = match item.tsdu_maximum_size {
        None if proposal.sizes_answered && !strict => proposal.tsdu_maximum_size,
        answered if proposal.sizes_answered && strict => {
            let answered = answered.unwrap_or_default();
            if answered != proposal.tsdu_maximum_size {
                return Err(rule(pi::TSDU_MAXIMUM_SIZE, "TSDU maximum size other than in OVERFLOW ACCEPT"));
            }
            answered
        }
        answered => selected_sizes(strict, proposal.tsdu_maximum_size, answered.unwrap_or_default())?,
    };
    Ok(Agreement {
        version,
        units,
        token_settings,
        initial_serial_number: item.initial_serial_number,
        second_initial_serial_number: second_number(
            units,
            item.second_initial_serial_number,
            item.initial_serial_number,
        ),
        tsdu_maximum_size,
    })
}

/// Looks at a received OVERFLOW ACCEPT; the TSDU sizes that it selects.
pub(super) fn judge_overflow_accept(
    strict: bool,
    proposal: &Proposal,
    accept: &OverflowAccept,
) -> Result<TsduMaximumSize, Rule> {
    if accept.versions != Versions::V2 || !proposal.versions.contains(Versions::V2) {
        return Err(rule(pi::VERSION, "data overflow in another version than 2"));
    }
    selected_sizes(strict, proposal.tsdu_maximum_size, accept.tsdu_maximum_size.unwrap_or_default())
}

/// Tokens that are at `side` with these settings.
pub(super) fn tokens_at(units: Fu, settings: &TokenSettings, at: TokenSide) -> Tokens {
    tokens_of(units).iter().filter(|token| side(settings, *token) == at).collect()
}

/// What this end can receive.
fn options(config: &SessionConfig) -> ProtocolOptions {
    let mut options = ProtocolOptions::empty();
    options.set(ProtocolOptions::EXTENDED_CONCATENATION, config.extended_concatenation);
    options
}

/// Takes the expedited data unit out of an encoded CONNECT, for a transport connection without expedited
/// data. X.225 §7.1 (reference 4.2, rule 4).
pub(super) fn take_out_expedited(connect: &mut [u8]) {
    /// PI and LI, then the mask: the high octet first.
    const LOW_OCTET: usize = 3;
    let unit = offset_of_unit(SpduKind::Connect, connect, pi::USER_REQUIREMENTS);
    if let Some(mask) = unit.and_then(|unit| connect.get_mut(unit + LOW_OCTET)) {
        *mask &= !(Fu::EXPEDITED.bits() as u8);
    }
}

/// PI 26 is left out where no token exists.
pub(super) fn settings_of(units: Fu, settings: TokenSettings) -> Option<TokenSettings> {
    let tokens = tokens_of(units);
    if tokens.is_empty() {
        return None;
    }
    let mut available = TokenSettings::default();
    for token in tokens.iter() {
        set_side(&mut available, token, side(&settings, token));
    }
    Some(available)
}

/// What is wrong with a set of proposed units, if anything.
fn contradiction(units: Fu) -> Option<&'static str> {
    if !units.intersects(Fu::HALF_DUPLEX | Fu::DUPLEX) {
        return Some("neither half duplex nor duplex");
    }
    if units.contains(Fu::CAPABILITY_DATA) && !units.contains(Fu::ACTIVITY) {
        return Some("capability data without activity management");
    }
    if units.contains(Fu::EXCEPTIONS) && !units.contains(Fu::HALF_DUPLEX) {
        return Some("exceptions without half duplex");
    }
    None
}

/// Drops units that need another one which is not there.
fn without_orphans(mut units: Fu) -> Fu {
    if !units.contains(Fu::ACTIVITY) {
        units -= Fu::CAPABILITY_DATA;
    }
    if !units.contains(Fu::HALF_DUPLEX) {
        units -= Fu::EXCEPTIONS;
    }
    if !units.intersects(Fu::MINOR_SYNC | Fu::SYMMETRIC_SYNC) {
        units -= Fu::DATA_SEPARATION;
    }
    units
}

/// The initial serial number of the flow from responder to initiator (PI 55): the one that is given, or that of the
/// other flow (PI 23). `[unverified]` which of the two parameters belongs to which flow. Symmetric synchronize only.
fn second_number(
    units: Fu,
    given: Option<SerialNumber>,
    first: Option<SerialNumber>,
) -> Option<SerialNumber> {
    given.or(first).filter(|_| units.contains(Fu::SYMMETRIC_SYNC))
}

fn needs_serial_number(units: Fu) -> bool {
    units.intersects(NUMBERED_UNITS) && !units.contains(Fu::ACTIVITY)
}

fn highest(versions: Versions) -> Versions {
    match versions.contains(Versions::V2) {
        true => Versions::V2,
        false => Versions::V1,
    }
}

pub(super) fn side(settings: &TokenSettings, token: Tokens) -> TokenSide {
    match token {
        Tokens::DATA => settings.data,
        Tokens::MINOR => settings.minor,
        Tokens::MAJOR => settings.major,
        _ => settings.release,
    }
}

pub(super) fn set_side(settings: &mut TokenSettings, token: Tokens, side: TokenSide) {
    match token {
        Tokens::DATA => settings.data = side,
        Tokens::MINOR => settings.minor = side,
        Tokens::MAJOR => settings.major = side,
        _ => settings.release = side,
    }
}

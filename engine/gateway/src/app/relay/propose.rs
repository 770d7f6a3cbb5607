//! What is proposed to an upstream, and what the downstream is answered.

use colloquy_session::{
    AcceptParameters, ConnectParameters, FunctionalUnits, TokenSettings, TokenSide, Tokens, Versions,
};
use colloquy_transport::class0::ConnectTpdu;

use super::super::admission::refuse_reason;
use crate::config::{ListenerConfig, PeerProfile, TargetConfig};

/// User data from this length on need version 2, so version 1 must not be offered with them. X.225 §8.3.1.
const VERSION_1_USER_DATA_OCTETS_MAX: usize = 512;
/// Longest length that one octet says. X.225 §8.2.5.
const ONE_OCTET_LENGTH_MAX: usize = 254;
/// Units with synchronization points, which have serial numbers. X.225 §8.3.1.
const NUMBERED: FunctionalUnits = FunctionalUnits::MINOR_SYNC
    .union(FunctionalUnits::MAJOR_SYNC)
    .union(FunctionalUnits::RESYNCHRONIZE)
    .union(FunctionalUnits::SYMMETRIC_SYNC);

/// What the upstream is asked for.
///
/// # Errors
/// The RF reason for the downstream when the profile leaves nothing to propose.
pub fn propose<'a>(
    listener: &ListenerConfig,
    target: &TargetConfig,
    connect: &ConnectParameters<'a>,
) -> Result<ConnectParameters<'a>, u8> {
    let connect =
        ConnectParameters { requirements: connect.requirements & listener.functional_units, ..*connect };
    let carried = proposed(target, &connect);
    let dialogue = FunctionalUnits::DUPLEX | FunctionalUnits::HALF_DUPLEX;
    if !carried.requirements.intersects(dialogue)
        || carried.versions.is_empty()
        || !fits(target.profile.rules(), &carried)
    {
        return Err(refuse_reason::RESTRICTION);
    }
    Ok(carried)
}

/// What is left of an S-CONNECT by the target's profile and selectors, whether a session can come of it or not.
pub(in super::super) fn proposed<'a>(
    target: &TargetConfig,
    connect: &ConnectParameters<'a>,
) -> ConnectParameters<'a> {
    let rules = target.profile.rules();
    // Counters for each direction are reconstructed and not carried, and no profile has that unit.
    let offered = connect.requirements & rules.functional_units;
    let versions = if rules.plain_version { rules.versions } else { connect.versions & rules.versions };
    ConnectParameters {
        identifier: if rules.connection_identifier { connect.identifier } else { Default::default() },
        calling: target.calling_ssap.unwrap_or(connect.calling),
        called: target.called_ssap.unwrap_or(connect.called),
        versions: if connect.user_data.len() > VERSION_1_USER_DATA_OCTETS_MAX {
            versions & Versions::V2
        } else {
            versions
        },
        requirements: offered,
        // Without these units nothing is numbered, and a number of its own is a contradiction.
        initial_serial_number: connect.initial_serial_number.filter(|_| offered.intersects(NUMBERED)),
        second_initial_serial_number: None,
        token_settings: connect.token_settings,
        tsdu_maximum_size: connect.tsdu_maximum_size.filter(|_| rules.tsdu_maximum_size),
        user_data: connect.user_data,
    }
}

/// The same for the transport connection: its selectors are of a length that the peer takes.
pub(in super::super) fn fits_transport(target: &TargetConfig, transport: &ConnectTpdu) -> bool {
    let octets_max = target.profile.rules().tsap_octets_max;
    let selectors = [target.called_tsap.or(transport.called), target.calling_tsap.or(transport.calling)];
    selectors.iter().flatten().all(|selector| selector.as_octets().len() <= octets_max)
}

/// True where what is proposed keeps to the lengths of the profile.
fn fits(rules: &PeerProfile, connect: &ConnectParameters<'_>) -> bool {
    let selectors = [connect.calling, connect.called].map(|selector| selector.as_octets().len());
    let user_data = connect.user_data.len();
    // PGI 5 with PI 19 and 22, PI 20, PI 51, PI 52, PGI 193.
    let length = 8 + 4 + (2 + selectors[0]) + (2 + selectors[1]) + (2 + user_data);
    selectors.iter().all(|octets| *octets <= rules.ssap_octets_max)
        && (user_data > 0 || !rules.user_data_required)
        && rules.connect_user_data_octets_max.is_none_or(|octets_max| user_data <= octets_max)
        && (length <= ONE_OCTET_LENGTH_MAX || !rules.short_lengths)
}

/// What the downstream is answered when the upstream accepted.
///
/// TSDU maximum sizes are each side's own affair: they answer what the downstream proposed.
pub fn answer<'a>(target: &TargetConfig, accept: &AcceptParameters<'a>) -> AcceptParameters<'a> {
    AcceptParameters {
        // A selector that the target replaced means nothing to the downstream, and some initiators abort
        // when the responding selector is not the one they called: the called one is echoed.
        responding: accept
            .responding
            .filter(|_| target.called_ssap.is_none() && !target.profile.rules().echo_called_ssap),
        tsdu_maximum_size: None,
        tokens_please: tokens_please(accept),
        ..*accept
    }
}

/// Tokens that the upstream asks for in AC, as far as a responder may ask for them: those it does not have.
fn tokens_please(accept: &AcceptParameters<'_>) -> Tokens {
    let TokenSettings { data, minor, major, release } = accept.token_settings;
    let sides =
        [(Tokens::DATA, data), (Tokens::MINOR, minor), (Tokens::MAJOR, major), (Tokens::RELEASE, release)];
    let here = sides.into_iter().filter(|(_, side)| *side != TokenSide::Initiator);
    accept.tokens_please - here.map(|(token, _)| token).collect()
}

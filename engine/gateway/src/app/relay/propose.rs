//! What is proposed to an upstream, and what the downstream is answered.

use colloquy_session::{
    AcceptParameters, ConnectParameters, ConnectionIdentifier, FunctionalUnits, TokenSettings, TokenSide,
    Tokens, Versions,
};

use super::super::admission::refuse_reason;
use crate::config::{ListenerConfig, Profile, TargetConfig};

/// User data from this length on need version 2, so version 1 must not be offered with them. X.225 §8.3.1.
const VERSION_1_USER_DATA_OCTETS_MAX: usize = 512;
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
    // Counters for each direction are reconstructed and not carried.
    let offered = (connect.requirements & listener.functional_units) - FunctionalUnits::SYMMETRIC_SYNC;
    let called = target.called_ssap.unwrap_or(connect.called);
    let calling = target.calling_ssap.unwrap_or(connect.calling);
    let carried = match target.profile {
        Profile::Mms => ConnectParameters {
            identifier: ConnectionIdentifier::default(),
            calling,
            called,
            versions: Versions::V2,
            requirements: offered & FunctionalUnits::DUPLEX,
            initial_serial_number: None,
            second_initial_serial_number: None,
            token_settings: TokenSettings::default(),
            tsdu_maximum_size: None,
            user_data: connect.user_data,
        },
        Profile::Transparent => ConnectParameters {
            versions: if connect.user_data.len() > VERSION_1_USER_DATA_OCTETS_MAX {
                connect.versions & Versions::V2
            } else {
                connect.versions
            },
            calling,
            called,
            requirements: offered,
            // Without these units nothing is numbered, and a number of its own is a contradiction.
            initial_serial_number: connect.initial_serial_number.filter(|_| offered.intersects(NUMBERED)),
            second_initial_serial_number: None,
            ..*connect
        },
    };
    let dialogue = FunctionalUnits::DUPLEX | FunctionalUnits::HALF_DUPLEX;
    if !carried.requirements.intersects(dialogue) || carried.versions.is_empty() {
        return Err(refuse_reason::RESTRICTION);
    }
    Ok(carried)
}

/// What the downstream is answered when the upstream accepted.
///
/// TSDU maximum sizes are each side's own affair: they answer what the downstream proposed.
pub fn answer<'a>(target: &TargetConfig, accept: &AcceptParameters<'a>) -> AcceptParameters<'a> {
    AcceptParameters {
        // A selector that the target replaced means nothing to the downstream, and some initiators abort
        // when the responding selector is not the one they called: the called one is echoed.
        responding: if target.called_ssap.is_some() { None } else { accept.responding },
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

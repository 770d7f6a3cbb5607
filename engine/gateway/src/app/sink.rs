//! The sink: takes every SSDU, says nothing, answers what must be answered.

use colloquy_session::{
    AcceptParameters, ConnectionIdentifier, FunctionalUnits, Indication, TokenSettings, Tokens,
};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::GatewayApp;

/// Handles an indication of a sink's session.
pub(super) fn indication<D: Driver>(
    ctx: &mut Context<'_, D, GatewayApp>,
    id: SessionId,
    indication: Indication<'_>,
) {
    // Each answer can only fail because the session is ending, which `ended` will tell.
    let _ = match indication {
        Indication::Connect(connect) => ctx.connect_response(id, &accept(connect.requirements, &[])),
        Indication::TokenPlease { tokens, .. } => ctx.token_give_request(id, tokens, &[]),
        Indication::Release { .. } => ctx.release_response(id, true, &[]),
        _ => Ok(()),
    };
}

/// Accepts what was proposed, as far as the listener's configuration goes: the machine intersects.
pub(super) fn accept(proposed: FunctionalUnits, user_data: &[u8]) -> AcceptParameters<'_> {
    // Duplex is the better choice for who answers only; exactly one of the two may be selected.
    let requirements = if proposed.contains(FunctionalUnits::DUPLEX) {
        proposed.difference(FunctionalUnits::HALF_DUPLEX)
    } else {
        proposed
    };
    AcceptParameters {
        identifier: ConnectionIdentifier::default(),
        responding: None,
        requirements,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tokens_please: Tokens::empty(),
        tsdu_maximum_size: None,
        user_data,
    }
}

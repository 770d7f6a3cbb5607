//! What a resynchronization settles beside the variables: token positions and the number to go on from.

use super::negotiation;
use super::variables::Variables;
use crate::{SerialNumber, TokenSettings, TokenSide, Tokens};

/// A resynchronization that this side asked for or that was indicated to it, until it is answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Resync {
    /// Number in RS.
    pub(super) serial_number: SerialNumber,
    /// Second number in RS; symmetric synchronize only.
    pub(super) second_serial_number: Option<SerialNumber>,
    /// Positions in RS, or those that the tokens had where RS said nothing.
    pub(super) token_settings: TokenSettings,
}

/// Where the available tokens are now.
pub(super) fn current_settings(v: &Variables) -> TokenSettings {
    let mut settings = TokenSettings::default();
    for token in v.tokens_available().iter() {
        let here = v.tokens_owned.contains(token);
        negotiation::set_side(&mut settings, token, side_of(v, here));
    }
    settings
}

/// The side of the session connection that this machine is, or its peer.
fn side_of(v: &Variables, here: bool) -> TokenSide {
    match v.vtca == here {
        true => TokenSide::Responder,
        false => TokenSide::Initiator,
    }
}

/// Tokens that are here with these settings.
pub(super) fn owned_with(v: &Variables, settings: &TokenSettings) -> Tokens {
    negotiation::tokens_at(v.functional_units, settings, side_of(v, true))
}

/// Positions after the answer: what RS left to the acceptor the answer decides, and where that says nothing
/// tokens stay.
pub(super) fn settle(
    v: &Variables,
    asked: &TokenSettings,
    answered: Option<&TokenSettings>,
) -> TokenSettings {
    let current = current_settings(v);
    let mut settled = *asked;
    for token in v.tokens_available().iter() {
        if negotiation::side(asked, token) != TokenSide::AcceptorChooses {
            continue;
        }
        let side = match answered.map(|answered| negotiation::side(answered, token)) {
            None | Some(TokenSide::AcceptorChooses) => negotiation::side(&current, token),
            Some(side) => side,
        };
        negotiation::set_side(&mut settled, token, side);
    }
    settled
}

//! TSDU maximum sizes: what is proposed, answered and selected for each direction. X.225 §6.3.5 (reference 3.3).

use super::negotiation::{Rule, rule};
use crate::TsduMaximumSize;
use crate::spdu::pi;

/// Least finite TSDU maximum size that is proposed or taken.
pub const TSDU_OCTETS_MIN: u16 = 64;

/// PI 21 is left out where it says nothing: some peers close on it.
pub(super) fn unless_unlimited(sizes: TsduMaximumSize) -> Option<TsduMaximumSize> {
    (sizes != TsduMaximumSize::default()).then_some(sizes)
}

/// TSDU sizes that an ACCEPT selects. Lenient: a peer that swaps the halves (seen with rusty-cosp) is
/// understood, and any other answer counts as it stands, because that is what the peer goes by.
pub(super) fn selected_sizes(
    strict: bool,
    proposed: TsduMaximumSize,
    answered: TsduMaximumSize,
) -> Result<TsduMaximumSize, Rule> {
    let swapped = TsduMaximumSize {
        initiator_to_responder: answered.responder_to_initiator,
        responder_to_initiator: answered.initiator_to_responder,
    };
    let fits = answers(proposed, answered) && sizes_in_range(answered);
    match fits {
        true => Ok(answered),
        false if strict => {
            Err(rule(pi::TSDU_MAXIMUM_SIZE, "TSDU maximum size above the one proposed, or below 64"))
        }
        false if answers(proposed, swapped) && sizes_in_range(swapped) => Ok(swapped),
        false if sizes_in_range(answered) => Ok(answered),
        false => Err(rule(pi::TSDU_MAXIMUM_SIZE, "TSDU maximum size below 64")),
    }
}

/// Each direction: equal or lower; a finite answer to "unlimited" is allowed, the opposite is not.
pub(super) fn answers(proposed: TsduMaximumSize, answered: TsduMaximumSize) -> bool {
    let direction = |proposed: u16, answered: u16| match (proposed, answered) {
        (0, _) => true,
        (_, 0) => false,
        (proposed, answered) => answered <= proposed,
    };
    direction(proposed.initiator_to_responder, answered.initiator_to_responder)
        && direction(proposed.responder_to_initiator, answered.responder_to_initiator)
}

pub(super) fn sizes_in_range(sizes: TsduMaximumSize) -> bool {
    let in_range = |size: u16| size == 0 || size >= TSDU_OCTETS_MIN;
    in_range(sizes.initiator_to_responder) && in_range(sizes.responder_to_initiator)
}

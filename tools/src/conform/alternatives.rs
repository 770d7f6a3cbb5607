//! The alternatives that the reference allows, in one place: everything else the tester expects exactly.
//!
//! | situation | expected | also taken |
//! |---|---|---|
//! | protocol error with a session up | AB with the protocol error bit, reflecting or not (2.7, 7.4) | PR(AB) in front with transport expedited (8.2); ER where exceptions are selected (7.4); T-DISCONNECT without AB, unless the tester runs against its own build; SPDUs that the IUT had sent before |
//! | AB of the peer | T-DISCONNECT | AA, by local choice (p02, 8.4) |
//! | ED from the side with the data token | protocol error (purpose 135) | taken: the tables cannot tell it from an ED that crosses GT (p50, purpose 134) |
//! | EX of 15 octets | protocol error (purpose 85) | T-DISCONNECT: with its header it is no T-EXPEDITED-DATA (8.1) |
//! | CN that cannot be taken | RF with a reason (4.2) | T-DISCONNECT (2.7) where no reason is prescribed |
//! | reason of RF | the one prescribed | 133, 134 and 0 in place of 129 to 132, unless against its own build: only the category is certain for others |
//! | tokens | what was asked | the IUT's user asks for tokens at any time: PT is passed over |
//! | a parameter that the SPDU does not have in this version | protocol error | without `--strict`: ignored (2.6) |
//! | lone DT, long LI below 255, extended concatenation, reserved reasons | as tolerated (2.1, 3.1, 3.2) | with `--strict`: protocol error |
//! | token of a unit that is not selected | protocol error | without `--strict`: ignored (purpose 79) |

use colloquy_session::FunctionalUnits;
use colloquy_session::TransportDisconnect;
use colloquy_session::spdu::{Flow, Refuse, Spdu, SpduKind};

use super::dialogue::{Dialogue, Reply, shown};
use super::line::Arrival;
use super::purpose::Verdict;

/// TSDUs that may have been under way when the IUT met the error.
const UNDER_WAY_MAX: usize = 16;

/// Protocol error with a session up.
pub(super) fn protocol_error(dialogue: &mut Dialogue) -> Verdict {
    protocol_error_or(dialogue, None)
}

/// The same; `lenient` is what an IUT answers that ignores the parameter in question.
pub(super) fn protocol_error_or(dialogue: &mut Dialogue, lenient: Option<SpduKind>) -> Verdict {
    const EXPECTED: &str = "AB with the protocol error bit";
    for _ in 0..UNDER_WAY_MAX {
        let arrival = dialogue.next();
        let reply = match &arrival {
            Arrival::Tsdu(octets) => Reply { octets: octets.clone(), flow: Flow::Normal },
            Arrival::Expedited(octets) => Reply { octets: octets.clone(), flow: Flow::Expedited },
            Arrival::Closed(_) if !dialogue.manner.abort_demanded => return Ok(()),
            _ => return Err(dialogue.deviation(EXPECTED, shown(&arrival))),
        };
        let spdus = reply.spdus();
        match spdus.last() {
            Some(spdu) if Some(spdu.kind()) == lenient => return Ok(()),
            Some(Spdu::Abort(abort)) => {
                let cause = abort.transport_disconnect;
                let is_error = cause.contains(TransportDisconnect::PROTOCOL_ERROR) && !abort.is_user_abort();
                return dialogue.demand(is_error, EXPECTED, || reply.shown());
            }
            Some(Spdu::ExceptionReport(_)) if dialogue.units.contains(FunctionalUnits::EXCEPTIONS) => {
                return Ok(());
            }
            Some(
                Spdu::PleaseTokens(_)
                | Spdu::GiveTokens(_)
                | Spdu::DataTransfer(_)
                | Spdu::TypedData(_)
                | Spdu::Prepare(_),
            ) => {}
            _ => return Err(dialogue.deviation(EXPECTED, reply.shown())),
        }
    }
    Err(dialogue.deviation(EXPECTED, "other SPDUs without end"))
}

/// An AB of the peer that is taken: T-DISCONNECT, or AA by local choice (p02), after which the peer has to
/// disconnect until TIM ends it.
pub(super) fn abort_taken(dialogue: &mut Dialogue) -> Verdict {
    for _ in 0..UNDER_WAY_MAX {
        let arrival = dialogue.next();
        let (Arrival::Tsdu(octets) | Arrival::Expedited(octets)) = &arrival else {
            let gone = matches!(arrival, Arrival::Closed(_));
            return dialogue.demand(gone, "T-DISCONNECT or AA", || shown(&arrival));
        };
        let reply = Reply { octets: octets.clone(), flow: Flow::Normal };
        match reply.spdus().last() {
            Some(Spdu::AbortAccept(_)) => return Ok(()),
            // What an echo had under way.
            Some(Spdu::DataTransfer(_) | Spdu::TypedData(_)) => {}
            _ => return Err(dialogue.deviation("T-DISCONNECT or AA", reply.shown())),
        }
    }
    Err(dialogue.deviation("T-DISCONNECT or AA", "other SPDUs without end"))
}

/// A CN that cannot be taken: RF, with `reason` where one is prescribed.
pub(super) fn refused(dialogue: &mut Dialogue, reason: Option<u8>) -> Verdict {
    let expected = match reason {
        Some(reason) => format!("RF with reason {reason}"),
        None => "RF or T-DISCONNECT".to_owned(),
    };
    let arrival = dialogue.next();
    let reply = match &arrival {
        Arrival::Tsdu(octets) => Reply { octets: octets.clone(), flow: Flow::Normal },
        Arrival::Closed(_) if reason.is_none() || !dialogue.manner.abort_demanded => return Ok(()),
        _ => return Err(dialogue.deviation(expected, shown(&arrival))),
    };
    match reply.spdus()[..] {
        [Spdu::Refuse(Refuse { reason: given, .. })] => {
            let vague = matches!(given, 0 | 133 | 134) && !dialogue.manner.abort_demanded;
            dialogue.demand(reason.is_none_or(|reason| reason == given) || vague, &expected, || reply.shown())
        }
        _ => Err(dialogue.deviation(expected, reply.shown())),
    }
}

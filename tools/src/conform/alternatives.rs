//! The alternatives that the reference allows, in one place: everything else the tester expects exactly.
//!
//! | situation | expected | also taken |
//! |---|---|---|
//! | protocol error with a session up | AB with the protocol error bit, reflecting or not (2.7, 7.4) | PR(AB) in front with transport expedited (8.2); ER where exceptions are selected (7.4); T-DISCONNECT without AB, unless the tester runs against its own build; SPDUs that the IUT had sent before |
//! | CN that cannot be taken | RF with a reason (4.2) | T-DISCONNECT (2.7) where no reason is prescribed |
//! | reason of RF | the one prescribed | 133, 134 and 0 in place of 129 to 132, unless against its own build: only the category is certain for others |
//! | tokens | what was asked | the IUT's user asks for tokens at any time: PT is passed over |
//! | lenient readings of Annex B | as tolerated | with `--strict` as invalid |

use colloquy_session::FunctionalUnits;
use colloquy_session::TransportDisconnect;
use colloquy_session::spdu::{Flow, Refuse, Spdu};

use super::dialogue::{Dialogue, Reply, shown};
use super::line::Arrival;
use super::purpose::Verdict;

/// TSDUs that may have been under way when the IUT met the error.
const UNDER_WAY_MAX: usize = 16;

/// Protocol error with a session up.
pub(super) fn protocol_error(dialogue: &mut Dialogue) -> Verdict {
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

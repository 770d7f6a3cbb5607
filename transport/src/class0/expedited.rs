//! The transport expedited flow that RFC 1006 adds to class 0: its bounds, and its ED TPDUs as they are sent.
//!
//! # Decided
//!
//! * **Agreement.** The service exists once CR and CC have both carried C6 with bit 1 set (X.224 §13.3.4). An end
//!   that did not offer or confirm it treats ED as a TPDU that must not come; a CC that confirms what the CR did not
//!   propose agrees to nothing.
//! * **Octets.** RFC 1006 §5 gives ED the header of DT with another code (LI 2, then `10`, then `80`), and not that of
//!   X.224 §13.8 with a reference (LI 4): class 0 has one transport connection a network connection. A received
//!   TPDU-NR and EOT are not looked at. tshark 4.0 knows the header of X.224 alone: it shows C6 in CR and CC as
//!   transport expedited data in use, reassembles a TSDU past the ED in its middle, and shows that ED itself as eight
//!   plain octets behind the TPKT header. RFC 1006 is right here, for it is what defines ED in class 0.
//! * **No acknowledgement.** X.224 answers ED by EA before the next ED may follow. RFC 1006 has no EA: the TCP stream
//!   loses nothing, so ED may follow ED, and an EA is a TPDU that class 0 does not know.
//! * **Order.** Both flows share one ordered stream. ED is put behind all that has been put before it, and never
//!   overtakes; so what X.225 says of expedited SPDUs that overtake (PREPARE before the SPDU it announces) holds
//!   trivially, and an expedited TSDU never arrives behind normal data sent later. The peer may put ED between the DT
//!   TPDUs of one TSDU: it is delivered at once, and the TSDU is assembled past it.

use crate::buf::TxBatch;

use super::tpkt;

/// Longest expedited TSDU, in octets; the shortest has one. X.224 §13.8.4.
pub const EXPEDITED_OCTETS_MAX: usize = 16;

/// Why an expedited TSDU was not sent: a fault of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpeditedError {
    /// CR and CC did not agree upon expedited data, or the connection is not open.
    #[error("the transport expedited flow is not available")]
    NotConfirmed,
    /// Not 1 to [`EXPEDITED_OCTETS_MAX`] octets, but so many.
    #[error("an expedited TSDU of {0} octets is not one of 1 to 16")]
    Octets(usize),
}

/// True if an expedited TSDU may have so many octets.
pub(super) fn is_length(octets: usize) -> bool {
    (1..=EXPEDITED_OCTETS_MAX).contains(&octets)
}

/// Puts an expedited TSDU into `out` as an ED TPDU.
pub(super) fn put(octets: &[u8], out: &mut TxBatch) -> Result<(), ExpeditedError> {
    if !is_length(octets.len()) {
        return Err(ExpeditedError::Octets(octets.len()));
    }
    out.put_header(&tpkt::expedited_prefix(octets.len()));
    out.put_header(octets);
    Ok(())
}

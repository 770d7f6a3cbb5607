//! X.224 class 0 over TPKT (RFC 1006), sans-io.
//!
//! Slices of receive blocks go in, TSDUs come out, and TSDUs become TPDUs in a batch. Never does I/O, never
//! looks into a TSDU, never copies a piece of 2 KiB or more, and allocates nothing for a DT TPDU in the
//! steady state.
//!
//! ```
//! use colloquy_transport::buf::{Slice, TxBatch};
//! use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, Event};
//!
//! let config = Class0Config::default();
//! let (mut initiator, mut responder) = (Class0::initiator(&config), Class0::responder(&config));
//! let mut batch = TxBatch::new();
//! initiator.connect_request(&ConnectTpdu::default(), &mut batch);
//! responder.receive(Slice::from_vec(batch.to_vec()));
//! batch.clear();
//! while let Some(event) = responder.next_event(&mut batch) {
//!     assert!(matches!(event, Event::Connect(_)));
//!     responder.connect_response(&mut batch);
//! }
//! initiator.receive(Slice::from_vec(batch.to_vec()));
//! batch.clear();
//! assert!(matches!(initiator.next_event(&mut batch), Some(Event::ConnectConfirm(_))));
//! assert!(initiator.is_open() && responder.is_open());
//! ```

mod connection;
mod expedited;
mod intake;
mod segment;
mod tpdu;
mod tpkt;

use crate::buf::{Body, Slice};

pub use connection::Class0;
pub use expedited::{EXPEDITED_OCTETS_MAX, ExpeditedError};
pub use intake::HEAD_OCTETS_MIN;
pub use tpkt::{CONTROL_TPKT_OCTETS_MAX, TPDU_OCTETS_MAX, TPKT_HEADER_OCTETS};

/// A transport selector: opaque octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TransportSelector {
    octets: [u8; 32],
    len: u8,
}

impl TransportSelector {
    /// Makes a selector; `None` if longer than 32 octets.
    pub fn new(octets: &[u8]) -> Option<Self> {
        let mut selector = Self { octets: [0; 32], len: u8::try_from(octets.len()).ok()? };
        selector.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(selector)
    }

    /// The octets.
    pub fn as_octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for TransportSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_octets().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Local choices.
#[derive(Clone, Copy, Debug)]
pub struct Class0Config {
    /// Largest TPDU this end proposes (CR) or agrees to (CC), in octets: 128 to 8192, a power of two.
    pub tpdu_octets_max: u32,
    /// Largest TSDU this end assembles, in octets.
    pub tsdu_octets_max: usize,
    /// Octets of the receive pool one connection may pin while it assembles; beyond, it copies out.
    pub pinned_octets_max: usize,
    /// Offer (CR) and confirm (CC) the transport expedited data transfer service of RFC 1006.
    pub expedited: bool,
}

impl Default for Class0Config {
    fn default() -> Self {
        Self {
            tpdu_octets_max: 8192,
            tsdu_octets_max: 1 << 20,
            pinned_octets_max: 256 << 10,
            expedited: false,
        }
    }
}

/// Parameters of CR and CC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectTpdu {
    /// Calling TSAP (C1).
    pub calling: Option<TransportSelector>,
    /// Called TSAP (C2).
    pub called: Option<TransportSelector>,
    /// TPDU size in octets (C0), proposed or selected; `None` when absent (then 65531 holds, RFC 1006).
    pub tpdu_octets: Option<u32>,
    /// The sender offers or confirms transport expedited data (C6 bit 1).
    ///
    /// Without C6 it does not: X.224 §13.3.4 has the bit set by default, for the classes in which the service is
    /// one of the protocol itself. In class 0 it exists by agreement alone, and peers that leave C6 out know no ED.
    pub expedited: bool,
}

/// What the peer did wrong below the session layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportFault {
    /// `"TPKT"` or `"TPDU"`.
    pub layer: &'static str,
    /// Octet offset in the TPKT.
    pub offset: usize,
    /// What is wrong.
    pub kind: TransportFaultKind,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum TransportFaultKind {
    Version(u8),
    Length(u16),
    TpduLength(u8),
    TpduCode(u8),
    Parameter(u8),
    Class(u8),
    Inopportune(u8),
    TsduTooLong(usize),
    TpduTooLong(usize),
    /// An expedited TSDU of no octets, or of more than [`EXPEDITED_OCTETS_MAX`].
    ExpeditedOctets(usize),
}

/// What the transport tells its user.
#[derive(Debug)]
pub enum Event {
    /// A CR arrived: answer with `connect_response` or `disconnect_request`.
    Connect(ConnectTpdu),
    /// The CC arrived.
    ConnectConfirm(ConnectTpdu),
    /// A whole TSDU.
    Data(Body),
    /// An expedited TSDU, 1 to 16 octets. It may come between the TPDUs of a TSDU, which goes on behind it.
    Expedited(Slice),
    /// DR, DC or ER: the peer ended or refused the transport connection. Close after this.
    Disconnect {
        /// DR reason or ER cause.
        reason: u8,
    },
    /// The peer's fault. What can be answered (ER, DR) has been put into the batch; close after this.
    Fault(TransportFault),
}

#[cfg(test)]
mod tests;

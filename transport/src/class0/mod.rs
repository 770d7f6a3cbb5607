//! X.224 class 0 over TPKT, sans-io.

use crate::buf::{Body, Slice, TxBatch};

/// A transport selector: opaque octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TransportSelector {
    octets: [u8; 32],
    len: u8,
}

#[allow(unused_variables)]
impl TransportSelector {
    /// Makes a selector; `None` if longer than 32 octets.
    pub fn new(octets: &[u8]) -> Option<Self> {
        todo!()
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
}

impl Default for Class0Config {
    fn default() -> Self {
        Self { tpdu_octets_max: 8192, tsdu_octets_max: 1 << 20, pinned_octets_max: 128 << 10 }
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
    /// The peer offers or confirms transport expedited data (C6 bit 1).
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
    /// DR, DC or ER: the peer ended or refused the transport connection. Close after this.
    Disconnect {
        /// DR reason or ER cause.
        reason: u8,
    },
    /// The peer's fault. What can be answered (ER, DR) has been put into the batch; close after this.
    Fault(TransportFault),
}

/// One end of a class 0 transport connection.
#[derive(Debug)]
pub struct Class0 {
    _todo: (),
}

#[allow(unused_variables)]
impl Class0 {
    /// The end that connected the network connection and sends CR.
    pub fn initiator(config: &Class0Config) -> Class0 {
        todo!()
    }
    /// The end that accepted it and waits for CR.
    pub fn responder(config: &Class0Config) -> Class0 {
        todo!()
    }
    /// Puts a CR into `out`.
    pub fn connect_request(&mut self, connect: &ConnectTpdu, out: &mut TxBatch) {
        todo!()
    }
    /// Puts a CC into `out`.
    pub fn connect_response(&mut self, out: &mut TxBatch) {
        todo!()
    }
    /// Puts a DR into `out` (before CC; in class 0 afterwards the network connection is just closed).
    pub fn disconnect_request(&mut self, reason: u8, out: &mut TxBatch) {
        todo!()
    }
    /// Takes octets in; drain [`Class0::next_event`] before the next call.
    pub fn receive(&mut self, octets: Slice) {
        todo!()
    }
    /// The next event from the octets received; answers owed to the peer go to `out`.
    pub fn next_event(&mut self, out: &mut TxBatch) -> Option<Event> {
        todo!()
    }
    /// Puts one TSDU, `header` then `body`, into `out` as TPDUs of the selected size.
    pub fn data_request(&self, header: &[u8], body: &[Slice], out: &mut TxBatch) {
        todo!()
    }
    /// True once the CC was sent or received.
    pub fn is_open(&self) -> bool {
        todo!()
    }
    /// Octets received that wait for more (an incomplete TPKT or TSDU).
    pub fn held_octets(&self) -> usize {
        todo!()
    }
    /// Gives the vector of an [`Event::Data`] body back for reuse.
    pub fn recycle(&mut self, rest: Vec<Slice>) {
        todo!()
    }
}

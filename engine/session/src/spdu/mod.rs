//! The SPDU codec: views over received octets, and representations that can be emitted.

/// Every SPDU of X.225, after SI codes shared by two SPDUs were told apart by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum SpduKind {
    ExceptionReport,
    GiveTokens,
    DataTransfer,
    PleaseTokens,
    ExpeditedData,
    Prepare,
    NotFinished,
    Finish,
    Disconnect,
    Refuse,
    Connect,
    Accept,
    ConnectDataOverflow,
    OverflowAccept,
    GiveTokensConfirm,
    GiveTokensAck,
    Abort,
    ActivityInterrupt,
    AbortAccept,
    ActivityInterruptAck,
    ActivityResume,
    TypedData,
    ResynchronizeAck,
    MajorSyncPoint,
    ActivityEnd,
    MajorSyncAck,
    ActivityStart,
    ExceptionData,
    MinorSyncPoint,
    MinorSyncAck,
    Resynchronize,
    ActivityDiscard,
    ActivityDiscardAck,
    CapabilityData,
    CapabilityDataAck,
}

/// Where and why octets are no valid SPDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Offset in the TSDU of the octet at fault.
    pub offset: usize,
    /// The SPDU, once its SI was read.
    pub spdu: Option<SpduKind>,
    /// The PGI or PI at fault.
    pub parameter: Option<u8>,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with the octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum DecodeErrorKind {
    UnknownSi(u8),
    Truncated,
}

/// A TSDU being taken apart: the contiguous head, and how many octets follow it elsewhere.
///
/// A transport that assembles a TSDU from several receive blocks hands over the first piece as the
/// head; only the user information field of DT, TD may run on past it.
#[derive(Clone, Debug)]
pub struct Tsdu<'a> {
    /// Octets not yet consumed of the head.
    pub(crate) head: &'a [u8],
    /// Octets of the TSDU that follow the head.
    pub(crate) tail_octets: usize,
    /// Octets consumed so far.
    pub(crate) consumed: usize,
}

impl<'a> Tsdu<'a> {
    /// A contiguous TSDU.
    pub fn new(octets: &'a [u8]) -> Self {
        Self::with_tail(octets, 0)
    }

    /// A TSDU whose first octets are `head` and which goes on for `tail_octets` elsewhere.
    pub fn with_tail(head: &'a [u8], tail_octets: usize) -> Self {
        Self { head, tail_octets, consumed: 0 }
    }
}

/// True when a TSDU that begins with `head` and goes on elsewhere must be made contiguous before it is
/// handed to the machine: its first SPDUs are not (GT or PT +) DT or TD with all parameters in `head`.
pub fn must_be_contiguous(_head: &[u8]) -> bool {
    todo!("codec")
}

//! Values that appear in primitives and in SPDUs alike: selectors, tokens, functional units, numbers.

use bitflags::bitflags;

bitflags! {
    /// Functional units, in the bit positions of the Session User Requirements (PI 20). X.225 §8.3.1.16.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct FunctionalUnits: u16 {
        /// Half-duplex: the data token exists.
        const HALF_DUPLEX = 0x0001;
        /// Duplex: both users may send data at any time.
        const DUPLEX = 0x0002;
        /// Expedited data.
        const EXPEDITED = 0x0004;
        /// Minor synchronize.
        const MINOR_SYNC = 0x0008;
        /// Major synchronize.
        const MAJOR_SYNC = 0x0010;
        /// Resynchronize.
        const RESYNCHRONIZE = 0x0020;
        /// Activity management.
        const ACTIVITY = 0x0040;
        /// Negotiated release: the release token exists.
        const NEGOTIATED_RELEASE = 0x0080;
        /// Capability data exchange.
        const CAPABILITY_DATA = 0x0100;
        /// Exceptions.
        const EXCEPTIONS = 0x0200;
        /// Typed data.
        const TYPED_DATA = 0x0400;
        /// Symmetric synchronize.
        const SYMMETRIC_SYNC = 0x0800;
        /// Data separation.
        const DATA_SEPARATION = 0x1000;
    }

    /// Tokens, in the bit positions of the Token Item (PI 16).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Tokens: u8 {
        /// Data token (dk).
        const DATA = 0x01;
        /// Synchronize-minor token (mi).
        const MINOR = 0x04;
        /// Major/activity token (ma).
        const MAJOR = 0x10;
        /// Release token (tr).
        const RELEASE = 0x40;
    }

    /// Protocol versions offered or selected (PI 22).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Versions: u8 {
        /// Protocol version 1.
        const V1 = 0x01;
        /// Protocol version 2.
        const V2 = 0x02;
    }

    /// Protocol Options (PI 19): what the sender of CN or AC can receive.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct ProtocolOptions: u8 {
        /// TSDUs with more than one category 2 SPDU.
        const EXTENDED_CONCATENATION = 0x01;
    }

    /// Transport Disconnect (PI 17) of FN, RF and AB.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct TransportDisconnect: u8 {
        /// The transport connection is released; when clear it is kept for reuse.
        const RELEASED = 0x01;
        /// AB: user abort. Tested first: deployed stacks set it together with other reasons.
        const USER_ABORT = 0x02;
        /// AB: protocol error.
        const PROTOCOL_ERROR = 0x04;
        /// AB: no reason.
        const NO_REASON = 0x08;
        /// AB: implementation restriction.
        const IMPLEMENTATION_RESTRICTION = 0x10;
    }
}

impl FunctionalUnits {
    /// What CN and AC without Session User Requirements (PI 20) mean: half-duplex, minor synchronize,
    /// activity management, capability data and exceptions. Not duplex.
    pub const WHEN_ABSENT: FunctionalUnits = FunctionalUnits::HALF_DUPLEX
        .union(FunctionalUnits::MINOR_SYNC)
        .union(FunctionalUnits::ACTIVITY)
        .union(FunctionalUnits::CAPABILITY_DATA)
        .union(FunctionalUnits::EXCEPTIONS);
}

/// A session selector: 0 to 16 opaque octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Selector {
    octets: [u8; 16],
    len: u8,
}

impl Selector {
    /// The null selector, of length 0.
    pub const NULL: Selector = Selector { octets: [0; 16], len: 0 };

    /// Makes a selector; `None` if longer than 16 octets.
    pub fn new(octets: &[u8]) -> Option<Selector> {
        let mut selector = Selector::NULL;
        selector.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        selector.len = octets.len() as u8;
        Some(selector)
    }

    /// The octets.
    pub fn as_octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

impl core::fmt::Debug for Selector {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for octet in self.as_octets() {
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

/// A synchronization point serial number, 0 to 999 999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber(pub u32);

impl SerialNumber {
    /// The highest serial number.
    pub const MAX: SerialNumber = SerialNumber(999_999);
}

/// TSDU Maximum Size (PI 21): octets for each direction, 0 means not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TsduMaximumSize {
    /// From the session initiator to the responder.
    pub initiator_to_responder: u16,
    /// From the session responder to the initiator.
    pub responder_to_initiator: u16,
}

/// Where one token is at the start (a two-bit field of the Token Setting Item, PI 26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TokenSide {
    /// The session connection initiator's side.
    #[default]
    Initiator,
    /// The session connection responder's side.
    Responder,
    /// The called (or answering) user decides.
    AcceptorChooses,
}

/// Token Setting Item (PI 26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TokenSettings {
    /// Data token.
    pub data: TokenSide,
    /// Synchronize-minor token.
    pub minor: TokenSide,
    /// Major/activity token.
    pub major: TokenSide,
    /// Release token.
    pub release: TokenSide,
}

/// Which part of an SSDU an SPDU carries (Enclosure Item, PI 25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enclosure {
    /// The first octets of the SSDU.
    pub begin: bool,
    /// The last octets of the SSDU.
    pub end: bool,
}

impl Enclosure {
    /// A whole SSDU.
    pub const WHOLE: Enclosure = Enclosure { begin: true, end: true };
}

/// Resync Type (PI 27) and Second Resync Type (PI 53).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum ResyncType {
    /// Restart from a serial number already used.
    #[default]
    Restart,
    /// Abandon: go on with a serial number not yet used.
    Abandon,
    /// Set the serial number to any value.
    Set,
}

/// Prepare Type (PI 24): what PREPARE announces on the expedited flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum PrepareType {
    /// MAJOR SYNC ACK or ACTIVITY END ACK.
    #[default]
    MajorSyncAck,
    /// RESYNCHRONIZE, ACTIVITY INTERRUPT or ACTIVITY DISCARD.
    Resynchronize,
    /// RESYNCHRONIZE ACK, ACTIVITY INTERRUPT ACK or ACTIVITY DISCARD ACK.
    ResynchronizeAck,
    /// ABORT.
    Abort,
}

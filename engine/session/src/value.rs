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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber(pub u32);

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

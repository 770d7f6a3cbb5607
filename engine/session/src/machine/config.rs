//! What the owner of a machine chooses, and what the machine hands to it.

use core::time::Duration;

use crate::{FunctionalUnits, Versions};

/// Functional units whose services this crate offers: all of them.
///
/// The kernel is always there. Units beyond these are never proposed nor accepted, whatever a
/// [`SessionConfig`] says. Symmetric synchronize is reconstructed: a configuration has to name it.
pub const SERVICE_UNITS: FunctionalUnits = FunctionalUnits::all();

/// Local choices of one session protocol machine.
#[derive(Clone, Copy, Debug)]
pub struct SessionConfig {
    /// Versions this end can speak.
    pub versions: Versions,
    /// Functional units this end can offer.
    pub functional_units: FunctionalUnits,
    /// Timer TIM: how long to wait for the peer to disconnect after AB, RF or DN.
    pub tim: Duration,
    /// Refuse what the reference calls "strict mode" deviations instead of tolerating them.
    pub strict: bool,
    /// Most octets of user data of S-CONNECT that are sent, or taken from a peer: beyond 10 240 octets they
    /// follow CONNECT in CONNECT DATA OVERFLOW SPDUs (version 2), and the receiver holds all of them. A peer with
    /// more is refused (reason 134) or, once it was told to go on, disconnected.
    pub connect_user_data_octets_max: usize,
    /// Most octets of the User Data parameter of any other SPDU that is sent, where that is fewer than the version allows:
    /// some peers take 512 in version 2, too. AC and RF have the limits of the version.
    pub user_data_octets_max: usize,
    /// Tell the peer that it may send TSDUs with more than one category 2 SPDU.
    pub extended_concatenation: bool,
    /// Keep the transport connection after a release, refusal or abort where the peer does too. Not possible
    /// with transport expedited.
    pub transport_reuse: bool,
    /// Report a protocol error of the peer by EXCEPTION REPORT instead of ABORT where the exceptions unit
    /// allows it. The exact condition is unverified (reference 7.4).
    pub exception_reports: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            versions: Versions::V1.union(Versions::V2),
            functional_units: FunctionalUnits::HALF_DUPLEX
                .union(FunctionalUnits::DUPLEX)
                .union(FunctionalUnits::NEGOTIATED_RELEASE),
            tim: Duration::from_secs(5),
            strict: false,
            connect_user_data_octets_max: 1024 * 1024,
            user_data_octets_max: usize::MAX,
            extended_concatenation: false,
            transport_reuse: false,
            exception_reports: false,
        }
    }
}

impl SessionConfig {
    /// The units that may be proposed or accepted.
    pub(super) fn units(&self) -> FunctionalUnits {
        self.functional_units & SERVICE_UNITS
    }
}

/// What the machine wants its owner to hand to the transport, in order.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transmit<'a> {
    /// A TSDU for the normal flow.
    Tsdu(&'a [u8]),
    /// A TSDU of 1 to 16 octets for the expedited flow.
    Expedited(&'a [u8]),
    /// T-DISCONNECT request: release the transport connection after what was sent.
    Disconnect,
}

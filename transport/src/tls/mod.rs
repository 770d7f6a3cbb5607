//! TLS 1.2 and 1.3 between a driver and class 0: sans-io, by rustls and aws-lc-rs.
//!
//! ```text
//!   TlsSettings ─► TlsServer, TlsClient ─► TlsConnection: receive(ciphertext) ─► plaintext, octets to send
//!                  (shared by connections)                seal(plaintext) ─► ciphertext
//! ```
//!
//! * The provider of cryptography is named explicitly: the one that a process may have set as its default does not
//!   matter.
//! * A [`TlsConnection`] may be sent to another thread while its handshake lasts: signatures take long.
//! * Nobody is let in by looking at the octets: a connection is TLS or plain because the configuration says so, and
//!   plain octets are a fault of their own ([`TlsFaultKind::NotTls`]).
//! * Once data flow, rustls allocates once for each record that is opened and once for each that is sealed: an SSDU of
//!   up to 16 KiB that is echoed costs two allocations, sixteen small ones that come together cost two in all. This side
//!   adds none ([`TlsConnection::receive_in`]); `engine/gateway/tests/allocations/secured.rs` counts them.
//! * What a peer's certificate is checked for: authority, time, revocation, purpose and name by webpki; the bits of an
//!   RSA key and the allow-list by [`Policy`], also where a session is resumed and no certificate is shown.

mod connection;
mod fault;
mod identity;
mod resumption;
mod settings;
mod verify;

pub use connection::{TLS_INCOMING_OCTETS_MAX, TlsConnection, TlsSummary};
pub use fault::{TlsFault, TlsFaultKind};
pub use identity::{PeerIdentity, PeerName};
pub use settings::{Cipher, Group, SettingsError, TlsClient, TlsServer, TlsSettings};
pub use verify::Policy;

#[cfg(test)]
mod tests;

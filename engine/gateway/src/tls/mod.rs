//! Certificates, keys and revocation lists: read from files, made into what connections need, watched for expiry.

mod binding;
mod counters;
mod expiry;
mod load;
mod material;

pub(crate) use binding::{allows_selectors, allows_tsaps};
pub use counters::{TlsCounters, TlsTally};
pub(crate) use expiry::ExpiryWatch;
pub use expiry::{ExpiringKind, Expiry};
pub(crate) use load::join;
pub use load::{TlsFileFault, load};
pub use material::TlsMaterial;
pub(crate) use material::{listener_wire, run_handshakes, target_wire};

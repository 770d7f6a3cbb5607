//! Certificates, keys and revocation lists: read from files, made into what connections need, watched for expiry.

mod binding;
mod counters;
mod expiry;
mod load;
mod material;

pub use counters::{TlsCounters, TlsTally};
pub use expiry::{ExpiringKind, Expiry};
pub use load::{TlsFileFault, load};
pub use material::TlsMaterial;

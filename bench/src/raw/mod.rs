//! Raw echo servers: what a comparison measures Colloquy against, and what it costs to do nothing but echo.
//!
//! A baseline that shared our drivers would hide what they cost, so nothing here uses `colloquy-transport` or
//! `colloquy-shard`. Each server is one thread that answers the opening of an X.225 session by canned octets (see
//! `canned`) and from then on sends back what it receives, without a look at it.
//!
//! | kind | what it is |
//! |---|---|
//! | [`RawKind::Mio`] | edge-triggered readiness, one read buffer for all connections |
//! | [`RawKind::IoUring`] | completions, the same provided buffers as our driver's default, nothing copied |
//! | [`RawKind::Tokio`] | the echo that comes first to the mind of who knows tokio |
//!
//! [`floor`] is what is left without a server: the kernel's TCP alone.

mod canned;
mod counters;
pub mod floor;
mod mio;
mod server;
mod tokio;
#[cfg(target_os = "linux")]
mod uring;

#[cfg(test)]
mod tests;

pub use counters::RawStats;
pub use server::{RawHandle, RawKind, RawServer};

//! The live tap: octets of chosen sessions as a pcapng file that Wireshark opens, while they go by.
//!
//! ```text
//!  shard ── received, sent ──► Hub ── copies, as far as there is room ──► ring ─┐
//!  shard ── received, sent ──► Hub ─────────────────────────────────────► ring ─┴► TapSession ──► redacted pcapng
//! ```
//!
//! * A session that no tap is for costs one look at a mark for each receipt and each send.
//! * A shard never waits for a tap: where its ring is full, or more than `admin.tap_octets_per_second_max` would be
//!   copied, octets are left out, counted, and the session goes on in the tap where a TSDU begins.
//! * The thread that makes the file has the lowest priority: on a machine without time to spare it is the tap that
//!   falls behind.
//! * User data are overwritten unless they are asked for; lengths and everything of the protocol stay.
//! * Taps, their rings, what waits in them, and what waits for a decision are bounded.

mod filter;
mod hub;
mod pcapng;
mod places;
mod record;
mod redact;
mod segment;
mod session;
mod stream;
mod walk;

pub(crate) use filter::{Candidate, Fits, Verdict};
pub use filter::{FilterError, TapFilter, TapRequest};
pub(crate) use hub::Hub;
pub(crate) use places::Taps;
pub(crate) use record::Introduction;
pub use record::TapOrder;
pub(crate) use session::TapSession;

//! The pump: load in octets, without a session layer of its own, for any server that answers what it is sent.
//!
//! A comparison needs one client that is the same for every contestant and cheap enough to keep each of them
//! busy. The pump sends octets that were made before the run, counts those that come back, and knows nothing
//! else: every contestant, with or without an OSI stack, sees the same octets at the same places.
//!
//! * `plan`: what is asked for. `exchange`: the octets of an X.225 echo and of others.

mod exchange;
mod plan;

pub use exchange::Exchange;
pub use plan::{Observer, Pace, PumpPlan, Window};

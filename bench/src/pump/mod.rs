//! The pump: load in octets, without a session layer of its own, for any server that answers what it is sent.
//!
//! A comparison needs one client that is the same for every contestant and cheap enough to keep each of them
//! busy. The pump sends octets that were made before the run, counts those that come back, and knows nothing
//! else: every contestant, with or without an OSI stack, sees the same octets at the same places.
//!
//! * `plan`: what is asked for. `exchange`: the octets of an X.225 echo and of others, made by `handshake`.
//! * `opening`: one connection up to its data phase. `connection`: one in it. `pump`: all of them.
//! * `run`: a stretch of load, with `due` and `alarm` for open loops, `tally` for its counts, `report` for its outcome.
//! * `cycle`: connections opened and closed again and again.

mod alarm;
mod answer;
mod connection;
mod cycle;
mod due;
mod error;
mod exchange;
mod handshake;
mod opening;
mod plan;
#[allow(clippy::module_inception)] // The module is named by what it is for, the type by what it is.
mod pump;
mod report;
mod run;
mod tally;

pub use cycle::{AT_ONCE_MAX, CyclePlan, CycleReport, cycle};
pub use error::{OpeningCause, OpeningError, PumpError};
pub use exchange::{Exchange, SSDU_OCTETS_MAX};
pub use handshake::Selectors;
pub use plan::{CONNECTIONS_MAX, DEPTH_MAX, Observer, Pace, PumpPlan, QUEUE_MAX, Window};
pub use pump::Pump;
pub use report::PumpReport;

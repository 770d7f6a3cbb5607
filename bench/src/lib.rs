//! The load generator: X.225 sessions as initiator, on the same engine as the gateway.
//!
//! The crate owns load plans, pacing, the check of every echoed SSDU, and the record of a run. It never
//! hides its own part in a result: lateness, processor time and a verdict stand in every [`Report`].
//!
//! [`run`] does one run:
//!
//! ```text
//! connect all sessions ─ ramp ─► warm-up ─► measured ─► drain ─► release ─► Report
//! ```
//!
//! *Response time* counts from when a request was due, *service time* from when it was sent. In a closed
//! loop a request is due when its predecessor is answered, so both are the same; in an open loop
//! the difference is what the requests waited for a free place in their session or for the generator.

pub mod content;
pub mod environment;
pub mod generator;
mod handlers;
pub mod live;
pub mod pace;
mod phases;
pub mod plan;
pub mod random;
pub mod recorder;
pub mod report;
pub mod run;

pub use live::Seen;
pub use plan::{Check, Dialogue, DriverChoice, LoadPlan, Mode, PlanError};
pub use report::Report;
pub use run::{Go, LoadError, Progress, Stage, run};

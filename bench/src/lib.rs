//! The load generator: X.225 sessions as initiator, on the same engine as the gateway.
//!
//! The crate owns load plans, pacing, the check of every echoed SSDU, and the record of a run. It never
//! hides its own part in a result: lateness, processor time and a verdict stand in every [`Report`].
//!
//! [`run()`] does one run:
//!
//! ```text
//! connect all sessions ─ ramp ─► warm-up ─► measured ─► drain ─► release ─► Report
//! ```
//!
//! *Response time* counts from when a request was due, *service time* from when it was sent. In a closed
//! loop a request is due when its predecessor is answered, so both are the same; in an open loop
//! the difference is what the requests waited for a free place in their session or for the generator.
//!
//! ```no_run
//! use colloquy_bench::{Go, LoadPlan, Mode, run};
//!
//! let plan = LoadPlan {
//!     to: vec!["127.0.0.1:10102".parse()?],
//!     sessions: 64,
//!     mode: Mode::Poisson,
//!     rate_per_s: 5000.0,
//!     ..LoadPlan::default()
//! };
//! let report = run(&plan, &mut |_progress| Go::On)?;
//! assert!(report.is_clean(), "{}", report.table());
//! println!("p99 {} us, valid: {}", report.response_us.p99, report.valid);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A newcomer reads [`plan`] for what can be asked for, [`generator`] for what happens to one request,
//! and [`report`] for what is told and when a run is not valid.

mod asides;
mod churn;
pub mod compare;
pub mod content;
mod course;
pub mod environment;
pub mod generator;
mod handlers;
pub mod hdr;
pub mod hex;
pub mod html;
pub mod live;
pub mod micro;
pub mod mix;
mod omission;
pub mod operation;
mod operations;
pub mod origin;
pub mod pace;
pub mod paired;
mod phases;
pub mod plan;
pub mod pump;
pub mod random;
pub mod raw;
pub mod recorder;
pub mod replay;
pub mod report;
pub mod run;
pub mod script;
pub mod steps;
pub mod thresholds;
mod together;
mod tokens;
pub mod units;
mod validate;

pub use live::Seen;
pub use mix::{MinorConfirm, Mix, ResyncKind};
pub use plan::{Check, Dialogue, DriverChoice, LoadPlan, Mode, PlanError};
pub use report::Report;
pub use run::{Go, LoadError, Progress, Stage, run};

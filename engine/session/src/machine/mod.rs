//! The session protocol machine (SPM).
//!
//! [`Session`] is what a program uses: octets, time and answers in; TSDUs, indications and timeouts out.
//! Under it [`Spm`] walks the tables of Annex A ([`tables`]) one event at a time, with the standard's states,
//! [`Variables`], predicates and actions.
//!
//! All 913 rows of all functional units are executed by tests.

mod action;
mod bundle;
mod classify;
mod cold;
mod config;
mod content;
mod data_segments;
mod establish;
mod event;
mod indicate;
mod invariants;
mod join;
mod late;
mod negotiation;
mod outbox;
mod output;
mod overflow;
mod pack;
mod predicate;
mod primitives;
mod receive;
mod refusal;
mod request_flows;
mod request_spdu;
mod requests;
mod resync;
mod reuse;
mod session;
mod spm;
mod ssdu_parts;
mod state;
mod symmetric;
pub mod tables;
mod transmit;
mod tsdu_sizes;
mod variables;

pub use action::{Action, Effects, TimerEffect};
pub use bundle::{Bundle, BundleTsdu, Companions};
pub use config::{SERVICE_UNITS, SessionConfig, Transmit};
pub use data_segments::{DataSegment, DataSegments};
pub use event::{Event, Origin};
pub use join::{JOINED_OCTETS_MAX, Joined};
pub use output::Output;
pub use predicate::{Predicate, View};
pub use session::Session;
pub use spm::{Cause, Outcome, QUEUED_EVENTS_MAX, Queued, Spm};
pub use state::State;
pub use symmetric::{Flow, Flows, numbers_sent};
pub use tsdu_sizes::TSDU_OCTETS_MIN;
pub use variables::{Arguments, SERIAL_NEXT_MAX, Variables, Vrsp, tokens_of};

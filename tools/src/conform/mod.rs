//! `colloquy conform`: a lower tester for X.225 implementations, in the way of ISO/IEC 10168.
//!
//! It tests a responder by connecting to it, an initiator by waiting for it, and our own build in both roles
//! and with its user. The 147 purposes are those of the reference, section 12; beside them the state tables
//! are walked from outside, one SPDU after the other in every state that can be reached.
//!
//! The tester does not trust what it tests: it has its own transport (`line`) and builds its SPDUs from
//! octets ([`octets`]); answers are decoded with the codec of the project.

mod alternatives;
mod bar;
mod context;
mod dialogue;
mod line;
mod octets;
mod own;
mod purpose;
mod purposes;
mod report;
mod runner;
mod states;
mod upper;
mod verb;

pub(crate) use verb::{ConformArgs, run};

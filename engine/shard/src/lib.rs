//! The event loop of one core.
//!
//! The crate owns sessions, timers, rings and counters of one thread. It never shares a session between
//! threads, never formats text on the data path, and knows no configuration file.

pub mod application;
pub use application::*;

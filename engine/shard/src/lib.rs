//! The event loop of one core.
//!
//! The crate owns sessions, timers, rings and counters of one thread. It never shares a session between
//! threads, never formats text on the data path, and knows no configuration file.

pub mod application;
mod chain;
mod command;
mod config;
mod context;
mod core;
pub mod counters;
mod deliver;
mod ending;
mod holders;
pub mod pin;
mod reclaim;
pub mod report;
pub mod rings;
mod shard;
mod slab;
pub mod thread;
mod turn;
pub mod wheel;

pub use application::*;
pub use command::{CommandError, Commander};
pub use config::{ListenerConfig, ShardConfig};
pub use counters::{Counters, Tally};
pub use shard::Shard;

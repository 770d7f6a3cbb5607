//! The driver suite, run on every driver: the contract of `colloquy_transport::driver::Driver`.
//!
//! A driver joins with a file beside this one that has its bed and `driver_suite!(ItsBed)`; see
//! `suite/mod.rs` and, as the example, `driver_mio.rs`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(unreachable_pub, reason = "a test binary has no users; `pub` marks what behaviours and beds use")]

mod driver_mio;
mod driver_options;
mod driver_sim;
mod driver_uring;
mod suite;

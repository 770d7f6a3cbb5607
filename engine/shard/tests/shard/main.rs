//! The shard on the drivers it is made for: mio, io_uring and the simulator.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code")]

mod admission;
mod endings;
mod expedited;
mod kept;
mod limits;
mod opening;
mod pair;
mod raw;
mod recorder;
mod secured;
mod services;
mod sessions;
mod simulated;
mod states;
mod straddling;
mod tapping;
mod threads;
mod together;
mod tolerated;
mod viewing;
mod wired;

//! The control socket of a real gateway: every operation, levels, hostile clients, explanations of sessions that wait,
//! records that match one to one, and an audit in which a flipped bit shows.

mod audit;
mod bed;
mod hostile;
mod levels;
#[path = "../hostile/log.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod log;
#[path = "../hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod octets;
#[path = "../hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod peer;
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
mod records;
mod sessions;
#[path = "../hostile/upstream.rs"]
mod upstream;
mod verbs;

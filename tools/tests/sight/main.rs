//! What operators see of a gateway that runs as a process: metrics, status, the page in a browser, `colloquy top`, the
//! board and the alert rules. Whatever they look at, it says what the peers of these tests have done.

mod agreement;
mod board;
mod configuration;
mod gateway;
#[path = "../hostile/log.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which use more of it")]
mod log;
mod metrics;
#[path = "../hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which use more of it")]
mod octets;
mod openmetrics;
mod page;
#[path = "../hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which use more of it")]
mod peer;
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
mod sessions;
#[path = "../interop/skip.rs"]
mod skip;
mod top;

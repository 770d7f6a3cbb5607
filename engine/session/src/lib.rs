//! The OSI session protocol, ITU-T X.225 | ISO/IEC 8327-1: SPDU codec and session protocol machine.
//!
//! The crate owns octets-in, octets-out of the session layer. It never does I/O, never asks for the
//! time, never calls back, and allocates nothing per data SPDU.
#![forbid(unsafe_code)]

pub mod machine;
mod request;
pub mod service;
pub mod spdu;
mod unit_names;
mod value;

pub use machine::{Session, SessionConfig, State, Transmit};
pub use request::*;
pub use service::*;
pub use value::*;

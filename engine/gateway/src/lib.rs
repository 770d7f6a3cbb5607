//! The gateway: configuration, listeners, the echo, sink and relay applications, admin HTTP and metrics.
//!
//! The crate owns what sessions are for: whom to accept, where to relay, how each end on one side becomes
//! the right primitive on the other. It never touches a socket on the data path (that is the driver's) and
//! never looks into user data.

mod admin;
pub mod app;
pub mod audit;
mod backend;
pub mod config;
mod control;
mod descriptors;
pub mod drain;
mod gateway;
pub mod limits;
mod listening;
pub mod log;
pub mod manual;
mod name;
pub mod plan;
pub mod record;
pub mod reload;
mod settings;
pub mod sight;
pub mod tap;
pub mod tls;
mod vitals;

pub use gateway::{BoundListener, Gateway, StartError, StartOptions};
pub use listening::PassedSocket;
pub use name::{NoSessionName, SessionName};
pub use settings::{assemble, assemble_plan};
pub use vitals::{ShardReport, Vitals};

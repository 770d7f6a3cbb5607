//! Two machines, the two flows between them, and service users that know no more than the service shows them.
//!
//! What is indicated is held against what was asked for, TSDU by TSDU; see [`world::World`].
#![allow(dead_code)]

pub(crate) mod coverage;
pub(crate) mod inbound;
pub(crate) mod ledger;
pub(crate) mod rules;
pub(crate) mod setup;
pub(crate) mod user;
pub(crate) mod wire;
pub(crate) mod world;

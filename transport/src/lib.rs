//! TPKT (RFC 1006) and X.224 class 0, receive blocks, and three drivers behind one trait; TLS and PROXY protocol
//! between the two.
//!
//! The crate owns octets between the socket and the TSDU. It never looks into a TSDU.

pub mod buf;
pub mod class0;
pub mod driver;
pub mod net;
pub mod proxy;
pub mod tls;

//! The suite on io_uring, and what is particular to io_uring.

use std::net::{Ipv4Addr, SocketAddr};

use colloquy_transport::driver::uring::{UringConfig, UringDriver, probe};
use colloquy_transport::net::{ListenOptions, listen};

use crate::suite::{Bed, Size};

/// Loopback sockets.
pub struct UringBed;

impl Bed for UringBed {
    type Driver = UringDriver;

    fn new() -> Result<Self, String> {
        probe().map(|_| UringBed).map_err(|error| error.to_string())
    }

    fn driver(&self, size: Size) -> UringDriver {
        let config = UringConfig { pool: size.pool, files_max: size.connections_max, ..UringConfig::default() };
        UringDriver::new(config).unwrap()
    }

    fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }
}

crate::driver_suite!(UringBed);

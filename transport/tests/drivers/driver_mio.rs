//! The suite on mio, and what is particular to mio.

use std::net::{Ipv4Addr, SocketAddr};

use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::net::{ListenOptions, listen};

use crate::suite::{Bed, Size};

/// Loopback sockets.
pub struct MioBed;

impl Bed for MioBed {
    type Driver = MioDriver;

    fn new() -> Result<Self, String> {
        Ok(MioBed)
    }

    fn driver(&self, size: Size) -> MioDriver {
        MioDriver::new(MioConfig { pool: size.pool, connections_max: size.connections_max }).unwrap()
    }

    fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }
}

crate::driver_suite!(MioBed);

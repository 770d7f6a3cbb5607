//! The suite on io_uring: as it is configured by default, and with queues so small that they overflow all the
//! time. `driver_options` has the rest.
#![cfg(target_os = "linux")]

use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr};

use colloquy_transport::driver::uring::{UringConfig, UringDriver, probe};
use colloquy_transport::net::{ListenOptions, listen};

use crate::suite::{Bed, Size};

/// Loopback sockets.
pub struct UringBed<P>(PhantomData<P>);

/// A configuration to run the suite with.
pub trait Profile {
    fn config() -> UringConfig;
    /// As of the bed.
    fn quiet_rounds() -> u32 {
        20
    }
}

impl<P: Profile> Bed for UringBed<P> {
    type Driver = UringDriver;

    fn new() -> Result<Self, String> {
        probe().map(|_| UringBed(PhantomData)).map_err(|error| error.to_string())
    }

    fn driver(&self, size: Size) -> UringDriver {
        let config = UringConfig { pool: size.pool, files_max: size.connections_max, ..P::config() };
        UringDriver::new(config).unwrap()
    }

    fn quiet_rounds(&self) -> u32 {
        P::quiet_rounds()
    }

    fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }
}

/// The defaults. The tables of the suite are small, so connections are accepted one by one.
pub struct Usual;

impl Profile for Usual {
    fn config() -> UringConfig {
        UringConfig::default()
    }
}

crate::driver_suite!(UringBed<Usual>);

/// Queues that overflow (pitfall 3), receives capped low, multishot accept until the table is all but full.
pub mod tight {
    use super::{Profile, UringBed, UringConfig};

    pub struct Tight;

    impl Profile for Tight {
        fn config() -> UringConfig {
            UringConfig {
                submission_entries: 4,
                completion_entries: 8,
                accept_burst_max: 4,
                receive_octets_max: 4096,
                ..UringConfig::default()
            }
        }
    }

    crate::driver_suite!(UringBed<Tight>);
}

//! The suite on the simulator: on a network without faults, and on one where everything that may go wrong
//! without losing a connection does, in a window so small that each transfer blocks.

use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use colloquy_transport::driver::sim::{SimConfig, SimDriver, SimFaults, SimHostConfig, SimListener, SimNet};

use crate::suite::{Bed, Size};

/// A simulated network.
pub struct SimBed<P> {
    net: SimNet,
    profile: PhantomData<P>,
}

/// A network to run the suite on.
pub trait Profile {
    fn config() -> SimConfig;
}

impl<P: Profile> Bed for SimBed<P> {
    type Driver = SimDriver;

    fn new() -> Result<Self, String> {
        let net = SimNet::new(P::config());
        net.set_auto_advance(true);
        Ok(SimBed { net, profile: PhantomData })
    }

    fn driver(&self, size: Size) -> SimDriver {
        let config = SimHostConfig { pool: size.pool, connections_max: size.connections_max };
        SimDriver::new(&self.net, Ipv4Addr::LOCALHOST.into(), config)
    }

    fn listener(&self) -> (SimListener, SocketAddr) {
        let listener = self.net.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = listener.address();
        (listener, address)
    }
}

/// Nothing goes wrong.
pub struct Calm;

impl Profile for Calm {
    fn config() -> SimConfig {
        SimConfig { window_octets: 256 << 10, ..SimConfig::default() }
    }
}

crate::driver_suite!(SimBed<Calm>);

/// Delays, short reads and writes, overflows, pools that seem exhausted.
pub mod rough {
    use super::{Duration, Profile, SimBed, SimConfig, SimFaults};

    pub struct Rough;

    impl Profile for Rough {
        fn config() -> SimConfig {
            let seed = std::env::var("COLLOQUY_SEED").map_or(1, |seed| seed.parse().unwrap());
            // Without stalls: the suite takes some milliseconds of silence for the end.
            let faults = SimFaults { delay_max: Duration::from_millis(2), stall_ppm: 0, ..SimFaults::ROUGH };
            SimConfig { seed, faults, window_octets: 48 << 10 }
        }
    }

    crate::driver_suite!(SimBed<Rough>);
}

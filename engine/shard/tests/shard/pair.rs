//! Two shards and the network between them, on any driver.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use colloquy_shard::{ConnectError, ListenerConfig, SessionId, Shard, ShardConfig, Tally};
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::driver::sim::{SimConfig, SimDriver, SimHostConfig, SimNet};
#[cfg(target_os = "linux")]
use colloquy_transport::driver::uring::{UringConfig, UringDriver, probe};
use colloquy_transport::net::{self, ListenOptions};

use crate::recorder::{Manners, Recorder, Seen, proposal, target};

/// A driver and its network.
pub(crate) trait World: Sized {
    type Driver: Driver;

    /// None, with the reason printed, where the driver does not work.
    fn new() -> Option<Self>;
    /// A driver with an address of its own where there are such.
    fn driver(&self, host: u8) -> Self::Driver;
    fn listener(&self) -> (<Self::Driver as Driver>::Listener, SocketAddr);
    /// An address where nobody listens.
    fn nobody(&self) -> SocketAddr {
        local_listener().1
    }
    /// The network, if its time is virtual.
    fn net(&self) -> Option<&SimNet> {
        None
    }
}

pub(crate) struct Mio;

impl World for Mio {
    type Driver = MioDriver;

    fn new() -> Option<Self> {
        Some(Mio)
    }

    fn driver(&self, _: u8) -> MioDriver {
        MioDriver::new(MioConfig::default()).unwrap()
    }

    fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
        local_listener()
    }
}

#[cfg(target_os = "linux")]
pub(crate) struct Uring;

#[cfg(target_os = "linux")]
impl World for Uring {
    type Driver = UringDriver;

    fn new() -> Option<Self> {
        match probe() {
            Ok(_) => Some(Uring),
            Err(error) => {
                println!("skip: {error}");
                None
            }
        }
    }

    fn driver(&self, _: u8) -> UringDriver {
        UringDriver::new(UringConfig::default()).unwrap()
    }

    fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
        local_listener()
    }
}

pub(crate) struct Sim(pub(crate) SimNet);

impl World for Sim {
    type Driver = SimDriver;

    fn new() -> Option<Self> {
        Some(Sim(SimNet::new(SimConfig::default())))
    }

    fn driver(&self, host: u8) -> SimDriver {
        SimDriver::new(&self.0, Ipv4Addr::new(10, 0, 0, host).into(), SimHostConfig::default())
    }

    fn listener(&self) -> (<SimDriver as Driver>::Listener, SocketAddr) {
        let listener = self.0.bind((Ipv4Addr::new(10, 0, 0, 1), 102).into()).unwrap();
        let address = listener.address();
        (listener, address)
    }

    fn nobody(&self) -> SocketAddr {
        (Ipv4Addr::new(10, 0, 0, 1), 9).into()
    }

    fn net(&self) -> Option<&SimNet> {
        Some(&self.0)
    }
}

fn local_listener() -> (std::net::TcpListener, SocketAddr) {
    let listener = net::listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Runs generic tests on mio, io_uring and the simulator.
macro_rules! on_every_driver {
    ($($name:ident,)+) => {
        $crate::pair::on_real_drivers! { $($name,)+ }

        mod sim {
            $(#[test]
            fn $name() {
                super::$name::<crate::pair::Sim>();
            })+
        }
    };
}

/// Runs generic tests on mio and io_uring.
macro_rules! on_real_drivers {
    ($($name:ident,)+) => {
        $($crate::pair::on_sockets! { $name })+
    };
}

/// Runs one generic test on mio and io_uring.
macro_rules! on_sockets {
    ($name:ident) => {
        mod $name {
            #[test]
            fn mio() {
                super::$name::<crate::pair::Mio>();
            }

            #[cfg(target_os = "linux")]
            #[test]
            fn io_uring() {
                super::$name::<crate::pair::Uring>();
            }
        }
    };
}

pub(crate) use {on_every_driver, on_real_drivers, on_sockets};

/// Two shards.
pub(crate) struct Pair<W: World> {
    pub(crate) server: Shard<W::Driver, Recorder>,
    pub(crate) client: Shard<W::Driver, Recorder>,
    pub(crate) address: SocketAddr,
    pub(crate) world: W,
}

impl<W: World> Pair<W> {
    pub(crate) fn new(server: Manners, client: Manners) -> Option<Self> {
        Self::with(server, client, ShardConfig::default(), ListenerConfig::default())
    }

    pub(crate) fn with(
        server: Manners,
        client: Manners,
        config: ShardConfig,
        listener: ListenerConfig,
    ) -> Option<Self> {
        let world = W::new()?;
        let config = ShardConfig { virtual_time: world.net().is_some(), ..config };
        let mut server = Shard::new(world.driver(1), Recorder::new(server), config);
        let client = Shard::new(world.driver(2), Recorder::new(client), config);
        let (socket, address) = world.listener();
        server.listen(socket, 7, listener).unwrap();
        Some(Self { server, client, address, world })
    }

    /// Turns both until `done`, or panics after ten seconds or when nothing can happen any more.
    pub(crate) fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut stuck_rounds = 0;
        while !done(self) {
            stuck_rounds = if self.step() { 0 } else { stuck_rounds + 1 };
            assert!(
                Instant::now() < deadline && stuck_rounds < 3,
                "server {:.2000} {:#?}\nclient {:.2000} {:#?}",
                format!("{:?}", self.server.app().seen),
                self.server.inspect(),
                format!("{:?}", self.client.app().seen),
                self.client.inspect()
            );
        }
    }

    /// One turn of both, and of time where it is virtual; false when nothing can happen any more.
    pub(crate) fn step(&mut self) -> bool {
        let before = self.work();
        self.turn_both();
        let worked = self.work() != before;
        let Some(net) = self.world.net() else { return true };
        let next = [net.next_event(), self.client.next_deadline(), self.server.next_deadline()];
        match next.into_iter().flatten().min() {
            // Time stands still as long as there is something to do.
            Some(next) if !worked => net.advance_to(next.max(net.now())),
            Some(_) => {}
            None => return worked,
        }
        true
    }

    fn work(&self) -> u64 {
        let work = |tally: &Tally| tally.completions + tally.timers + tally.tsdus_in + tally.sends;
        work(self.client.tally()) + work(self.server.tally())
    }

    /// One turn of both, at the same time where it is virtual.
    pub(crate) fn turn_both(&mut self) {
        let wait = if self.world.net().is_some() { Duration::ZERO } else { Duration::from_millis(1) };
        self.client.turn(Some(Duration::ZERO)).unwrap();
        self.server.turn(Some(wait)).unwrap();
    }

    pub(crate) fn connect(&mut self) -> Result<SessionId, ConnectError> {
        let address = self.address;
        self.client.with(|_, ctx| ctx.connect(&target(address, proposal(b"hello"))))
    }

    /// Connects, and waits until both sides have the session: client's id, server's id.
    pub(crate) fn established(&mut self) -> (SessionId, SessionId) {
        let before = self.server.app().count(|seen| matches!(seen, Seen::Connect(_)));
        let client = self.connect().unwrap();
        self.until(|pair| {
            pair.client.app().of(client).contains(&Seen::Confirm)
                && pair.server.app().count(|seen| matches!(seen, Seen::Connect(_))) > before
        });
        let connect = |each: &&(SessionId, Seen)| matches!(each.1, Seen::Connect(_));
        let server = self.server.app().seen.iter().rfind(connect).unwrap().0;
        (client, server)
    }

    /// Waits until every connection is closed on both sides.
    pub(crate) fn emptied(&mut self) {
        self.until(|pair| pair.client.connection_count() + pair.server.connection_count() == 0);
    }
}

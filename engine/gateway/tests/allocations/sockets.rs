//! Loads over loopback: the peers on threads of their own, the gateway on a driver of the system.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use colloquy_gateway::app::GatewayApp;
use colloquy_gateway::config::Config;
use colloquy_shard::Shard;
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::driver::select::{BackendChoice, select};
#[cfg(target_os = "linux")]
use colloquy_transport::driver::uring::{UringConfig, UringDriver};

use crate::meter::{Cost, cost_of};
use crate::plain::{Initiator, Manner, Plain};
use crate::{Load, config, costs_nothing, gateway};

const PATIENCE: Duration = Duration::from_secs(60);

/// Octets, depth, count.
type Order = (usize, usize, usize);

struct Sockets<D: Driver> {
    gateway: Shard<D, GatewayApp>,
    orders: Sender<Order>,
    done: Receiver<()>,
}

impl<D: Driver<Listener = TcpListener>> Sockets<D> {
    fn new(driver: impl FnOnce(&Config) -> D, relay: bool) -> Self {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let server = relay.then(|| {
            let listener = listen();
            let address = listener.local_addr().unwrap();
            std::thread::spawn(move || serve(&listener));
            address
        });
        let listener = listen();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let config = config(address, server, false);
        let gateway = gateway(driver(&config), &config, listener);
        let (orders, taken) = channel();
        let (finished, done) = channel();
        std::thread::spawn(move || initiate(address, &taken, &finished));
        Sockets { gateway, orders, done }
    }
}

impl<D: Driver> Load for Sockets<D> {
    fn run(&mut self, octets: usize, depth: usize, count: usize) -> Cost {
        self.orders.send((octets, depth, count)).unwrap();
        let mut cost = Cost::default();
        let end = Instant::now() + PATIENCE;
        loop {
            let wait = Some(Duration::from_millis(1));
            cost += cost_of(|| self.gateway.turn(wait).unwrap());
            match self.done.try_recv() {
                Ok(()) => return cost,
                Err(TryRecvError::Empty) => assert!(Instant::now() < end, "{:#?}", self.gateway.inspect()),
                Err(TryRecvError::Disconnected) => panic!("the initiator has failed"),
            }
        }
    }
}

/// Runs orders, one after the other, on one session.
fn initiate(to: SocketAddr, orders: &Receiver<Order>, done: &Sender<()>) {
    let mut out = Vec::new();
    let mut initiator = None;
    let mut stream = None;
    while let Ok((octets, depth, count)) = orders.recv() {
        let stream = stream.get_or_insert_with(|| connect(to));
        let plain =
            initiator.get_or_insert_with(|| Plain::Initiator(Initiator::connect(Manner::Whole, &mut out)));
        exchange(stream, plain, &mut out, |initiator| initiator.open);
        let Plain::Initiator(initiator) = plain else { unreachable!() };
        initiator.start(octets, depth, count, &mut out);
        exchange(stream, plain, &mut out, |initiator| initiator.missing == 0);
        done.send(()).unwrap();
    }
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends and receives until something holds.
fn exchange(
    stream: &mut TcpStream,
    plain: &mut Plain,
    out: &mut Vec<u8>,
    holds: impl Fn(&Initiator) -> bool,
) {
    let mut octets = [0; 64 << 10];
    loop {
        stream.write_all(out).unwrap();
        out.clear();
        let Plain::Initiator(initiator) = &*plain else { unreachable!() };
        if holds(initiator) {
            return;
        }
        let received = stream.read(&mut octets).unwrap();
        assert!(received > 0, "the gateway has closed");
        plain.receive(&octets[..received], out);
    }
}

fn serve(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let mut plain = Plain::responder();
    let mut octets = [0; 64 << 10];
    let mut out = Vec::new();
    while let Ok(received @ 1..) = stream.read(&mut octets) {
        plain.receive(&octets[..received], &mut out);
        if stream.write_all(&out).is_err() {
            return;
        }
        out.clear();
    }
}

fn mio(config: &Config) -> MioDriver {
    let pool = config.engine.pool();
    MioDriver::new(MioConfig { pool, connections_max: 16, ..MioConfig::default() }).unwrap()
}

#[test]
fn an_echo_on_mio_allocates_nothing_and_copies_no_large_body() {
    costs_nothing("echo on mio", &mut Sockets::new(mio, false));
}

#[test]
fn a_relay_on_mio_allocates_nothing_and_copies_no_large_body() {
    costs_nothing("relay on mio", &mut Sockets::new(mio, true));
}

#[cfg(target_os = "linux")]
fn uring(config: &Config) -> UringDriver {
    let pool = config.engine.pool();
    UringDriver::new(UringConfig { pool, files_max: 16, ..UringConfig::default() }).unwrap()
}

/// Whether io_uring works here; a skip is said, and fails where it must not be skipped.
fn io_uring_works() -> bool {
    let Err(error) = select(BackendChoice::IoUring) else { return true };
    assert!(std::env::var_os("COLLOQUY_REQUIRE_URING").is_none(), "{error}");
    println!("SKIPPED: {error}");
    false
}

#[cfg(target_os = "linux")]
#[test]
fn an_echo_on_io_uring_allocates_nothing_and_copies_no_large_body() {
    if io_uring_works() {
        costs_nothing("echo on io_uring", &mut Sockets::new(uring, false));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_relay_on_io_uring_allocates_nothing_and_copies_no_large_body() {
    if io_uring_works() {
        costs_nothing("relay on io_uring", &mut Sockets::new(uring, true));
    }
}

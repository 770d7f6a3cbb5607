//! An echo over TLS 1.3: what rustls allocates for each record, and that nothing of this side comes on top.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use colloquy_gateway::app::{AppCounters, GatewayApp};
use colloquy_gateway::assemble_plan;
use colloquy_gateway::config::{Config, ListenerApplication, ListenerConfig};
use colloquy_gateway::plan::Plan;
use colloquy_gateway::tls::TlsMaterial;
use colloquy_shard::Shard;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::tls::{Cipher, Group, Policy, TlsClient, TlsConnection, TlsServer, TlsSettings};
use rcgen::generate_simple_self_signed;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::meter::{Cost, cost_of};
use crate::plain::{Initiator, Manner, Plain};
use crate::{LOADS, MEASUREMENTS_MAX, SSDUS};

const PATIENCE: Duration = Duration::from_secs(60);
/// Plaintext of one record.
const RECORD_OCTETS_MAX: usize = 16 << 10;
/// Of rustls, for one record that is opened and one that is sealed.
const ALLOCATIONS_MAX: u64 = 2;

/// Octets, depth, count.
type Order = (usize, usize, usize);

struct Secured {
    gateway: Shard<MioDriver, GatewayApp>,
    orders: Sender<Order>,
    done: Receiver<()>,
}

fn material() -> TlsMaterial {
    let own = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = own.cert.der().clone();
    let settings = TlsSettings {
        certificates: vec![certificate.clone()],
        key: PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap(),
        authorities: vec![certificate],
        revocation_lists: Vec::new(),
        revocation_required: false,
        client_certificate_required: true,
        version_1_2: false,
        version_1_3: true,
        ciphers: vec![Cipher::Aes128Gcm],
        groups: vec![Group::Secp256r1],
        policy: Policy { rsa_bits_min: 2048, allow: None },
        resumption_lifetime: Duration::ZERO,
    };
    TlsMaterial {
        name: "main".to_owned(),
        server: Arc::new(TlsServer::new(&settings).unwrap()),
        client: Arc::new(TlsClient::new(&settings).unwrap()),
        handshake_timeout: PATIENCE,
        expiries: Vec::new(),
    }
}

impl Secured {
    fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let listener = ListenerConfig {
            tls: Some(0),
            ..ListenerConfig::new("main", address, ListenerApplication::Echo)
        };
        let config = Arc::new(Config { listeners: vec![listener], ..Config::default() });
        let material = Arc::new(material());
        let driver =
            MioDriver::new(MioConfig { pool: config.engine.pool(), ..MioConfig::default() }).unwrap();
        let plan = Arc::new(Plan::new(config).with_tls(vec![Arc::clone(&material)]));
        let counters = Arc::new(AppCounters::default());
        let gateway = assemble_plan(driver, &plan, 0, counters, Box::new(|_| ()), [socket]).unwrap();
        let (orders, taken) = channel();
        let (finished, done) = channel();
        std::thread::spawn(move || initiate(address, &material, &taken, &finished));
        Secured { gateway, orders, done }
    }

    fn run(&mut self, octets: usize, depth: usize, count: usize) -> Cost {
        self.orders.send((octets, depth, count)).unwrap();
        let mut cost = Cost::default();
        let end = Instant::now() + PATIENCE;
        loop {
            cost += cost_of(|| self.gateway.turn(Some(Duration::from_millis(1))).unwrap());
            match self.done.try_recv() {
                Ok(()) => return cost,
                Err(TryRecvError::Empty) => assert!(Instant::now() < end, "{:#?}", self.gateway.inspect()),
                Err(TryRecvError::Disconnected) => panic!("the initiator has failed"),
            }
        }
    }
}

/// Runs orders, one after the other, on one session.
fn initiate(to: SocketAddr, material: &TlsMaterial, orders: &Receiver<Order>, done: &Sender<()>) {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut tls = material.client.connect(TlsClient::name_of(to.ip())).unwrap();
    let mut out = Vec::new();
    tls.receive(&[], &mut out, &mut |_| ()).unwrap();
    stream.write_all(&out).unwrap();
    let mut octets = vec![0; 64 << 10];
    while !tls.is_established() {
        out.clear();
        let received = stream.read(&mut octets).unwrap();
        tls.receive(&octets[..received], &mut out, &mut |_| ()).unwrap();
        stream.write_all(&out).unwrap();
    }
    out.clear();
    let mut plain = Plain::Initiator(Initiator::connect(Manner::Whole, &mut out));
    exchange(&mut stream, &mut tls, &mut plain, &mut out, |initiator| initiator.open);
    while let Ok((octets, depth, count)) = orders.recv() {
        let Plain::Initiator(initiator) = &mut plain else { unreachable!() };
        initiator.start(octets, depth, count, &mut out);
        exchange(&mut stream, &mut tls, &mut plain, &mut out, |initiator| initiator.missing == 0);
        done.send(()).unwrap();
    }
}

/// Sends and receives until something holds.
fn exchange(
    stream: &mut TcpStream,
    tls: &mut TlsConnection,
    plain: &mut Plain,
    out: &mut Vec<u8>,
    holds: impl Fn(&Initiator) -> bool,
) {
    let mut octets = vec![0; 64 << 10];
    let mut sealed = Vec::new();
    loop {
        sealed.clear();
        tls.seal(out, &mut sealed).unwrap();
        out.clear();
        stream.write_all(&sealed).unwrap();
        let Plain::Initiator(initiator) = &*plain else { unreachable!() };
        if holds(initiator) {
            return;
        }
        let received = stream.read(&mut octets).unwrap();
        assert!(received > 0, "the gateway has closed");
        sealed.clear();
        tls.receive(&octets[..received], &mut sealed, &mut |octets| plain.receive(octets, out)).unwrap();
    }
}

#[test]
fn an_echo_over_tls_allocates_what_rustls_does_alone() {
    let mut load = Secured::new();
    for (octets, depth) in LOADS {
        // An SSDU with its headers; at more depth many share a record.
        let records = (octets + 11).div_ceil(RECORD_OCTETS_MAX) as u64;
        let measured = (0..MEASUREMENTS_MAX).find_map(|measurement| {
            let cost = load.run(octets, depth, SSDUS);
            println!("echo over TLS, {octets} octets, depth {depth}: {cost:?} ({measurement})");
            (cost.allocations <= ALLOCATIONS_MAX * records * SSDUS as u64).then_some(())
        });
        assert!(measured.is_some(), "{octets} octets, depth {depth}: more than rustls needs");
    }
}

//! A gateway on threads and real sockets: echo, relay to itself, health, metrics, drain.
//!
//! Each test runs on every backend that this system has; a backend that it has not is printed.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use colloquy_gateway::config::{
    AdminConfig, Config, DrainAction, DriverChoice, EngineConfig, ListenerApplication, ListenerConfig,
    Profile, TargetConfig,
};
use colloquy_gateway::{Gateway, StartError, StartOptions};
use colloquy_transport::driver::select::{BackendChoice, select};

const PATIENCE: Duration = Duration::from_secs(10);
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// CR with both TSAPs, TPDU size 2048.
const CR: &[u8] = &[3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 11, 0xc1, 2, 0, 1, 0xc2, 2, 0, 1];
/// CN-min of the reference: version 2, duplex, selectors 0001, three octets of user data.
const CN: &[u8] = &[
    0x0d, 0x19, 0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x14, 0x02, 0x00, 0x02, 0x33, 0x02, 0x00,
    0x01, 0x34, 0x02, 0x00, 0x01, 0xc1, 0x03, 0xa1, 0xa2, 0xa3,
];
const FN: &[u8] = &[0x09, 0x00];

fn choices() -> Vec<DriverChoice> {
    let mut choices = vec![DriverChoice::Mio];
    match select(BackendChoice::IoUring) {
        Ok(_) => choices.push(DriverChoice::IoUring),
        Err(error) => {
            assert!(std::env::var_os("COLLOQUY_REQUIRE_URING").is_none(), "{error}");
            println!("SKIPPED on io_uring: {error}");
        }
    }
    choices
}

fn config(driver: DriverChoice, shards: usize, application: ListenerApplication) -> Config {
    Config {
        engine: EngineConfig { driver, shards, sessions_max: 256, ..EngineConfig::default() },
        listeners: vec![ListenerConfig::new("main", LOOPBACK, application)],
        admin: AdminConfig { address: Some(LOOPBACK), ..AdminConfig::default() },
        ..Config::default()
    }
}

fn relay_to(driver: DriverChoice, shards: usize, server: SocketAddr) -> Config {
    let target = TargetConfig { profile: Profile::Mms, ..TargetConfig::new("server", server) };
    let relay = ListenerApplication::Relay { target: 0 };
    Config { targets: vec![target], ..config(driver, shards, relay) }
}

/// The client's end of a session, by hand.
struct Client(TcpStream);

impl Client {
    fn connect(to: SocketAddr) -> Client {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client(stream);
        client.0.write_all(CR).unwrap();
        assert_eq!(client.tpdu()[1] & 0xf0, 0xd0, "CC");
        client.send(CN);
        assert_eq!(client.tsdu()[0], 0x0e, "AC");
        client
    }

    fn send(&mut self, tsdu: &[u8]) {
        let length = (tsdu.len() + 7) as u16;
        let mut octets = vec![3, 0, (length >> 8) as u8, length as u8, 2, 0xf0, 0x80];
        octets.extend_from_slice(tsdu);
        self.0.write_all(&octets).unwrap();
    }

    fn send_data(&mut self, user_data: &[u8]) {
        self.send(&[&[1, 0, 1, 0], user_data].concat());
    }

    fn tpdu(&mut self) -> Vec<u8> {
        let mut header = [0; 4];
        self.0.read_exact(&mut header).unwrap();
        let mut tpdu = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 4];
        self.0.read_exact(&mut tpdu).unwrap();
        tpdu
    }

    fn tsdu(&mut self) -> Vec<u8> {
        let mut tsdu = Vec::new();
        loop {
            let tpdu = self.tpdu();
            assert_eq!(tpdu[..2], [2, 0xf0], "DT");
            tsdu.extend_from_slice(&tpdu[3..]);
            if tpdu[2] == 0x80 {
                return tsdu;
            }
        }
    }

    fn round_trip(&mut self, user_data: &[u8]) {
        self.send_data(user_data);
        assert_eq!(self.tsdu(), [&[1, 0, 1, 0], user_data].concat());
    }

    fn release(mut self) {
        self.send(FN);
        assert_eq!(self.tsdu()[0], 0x0a, "DN");
        drop(self.0);
    }
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come true in {PATIENCE:?}");
        std::thread::yield_now();
    }
}

#[test]
fn sessions_are_echoed_through_a_relay_on_several_shards() {
    for driver in choices() {
        let server = Gateway::start(config(driver, 1, ListenerApplication::Echo)).unwrap();
        let relay = Gateway::start(relay_to(driver, 3, server.addresses()[0].address)).unwrap();
        let to = relay.addresses()[0].address;
        let mut clients: Vec<Client> = (0..30).map(|_| Client::connect(to)).collect();
        for round in 0..20_usize {
            for client in &mut clients {
                client.round_trip(&vec![round as u8; round * 90]);
            }
        }
        until("the published count", || relay.vitals().total().sessions_established == 60);
        let used = relay.vitals().shards().iter().filter(|shard| shard.tally.sessions_opened > 0).count();
        assert!(used > 1, "SO_REUSEPORT spreads sessions over the shards: {used} used");
        assert!(relay.vitals().cpu().is_some_and(|cpu| cpu > Duration::ZERO));
        clients.into_iter().for_each(Client::release);
        until("the last end", || relay.vitals().total().ended_released == 60);
        relay.drain(PATIENCE);
        relay.join().unwrap();
        server.drain(PATIENCE);
        server.join().unwrap();
    }
}

#[test]
fn health_and_metrics_are_served_while_idle_and_while_draining() {
    for driver in choices() {
        let gateway = Gateway::start(config(driver, 2, ListenerApplication::Echo)).unwrap();
        let admin = gateway.admin_address().unwrap();
        assert_eq!(get(admin, "/livez"), (200, "ok\n".to_owned()), "idle shards are alive");
        assert_eq!(get(admin, "/readyz"), (200, "ok\n".to_owned()));
        assert_eq!(get(admin, "/nothing").0, 404);
        let mut client = Client::connect(gateway.addresses()[0].address);
        client.round_trip(b"abc");
        until("the SPDU in the metrics", || {
            get(admin, "/metrics").1.contains("colloquy_spdus_total{spdu=\"DT\",direction=\"in\"} 1\n")
        });
        let (status, metrics) = get(admin, "/metrics");
        assert_eq!(status, 200);
        let backend = gateway.vitals().backend();
        for expected in [
            "colloquy_sessions{state=\"established\",role=\"any\"} 1.0\n",
            "colloquy_sessions_opened_total 1\n",
            "colloquy_user_data_bytes_total{direction=\"out\"} 3\n",
            &format!("colloquy_io_backend_info{{backend=\"{backend}\",reason=\""),
            "colloquy_build_info{version=\"",
            "colloquy_receive_blocks_free ",
            "colloquy_receive_pinned_bytes 0.0\n",
            "colloquy_shard_busy_ratio{shard=\"1\"} ",
            "colloquy_receive_reclaims_total 0\n",
            "# EOF\n",
        ] {
            assert!(metrics.contains(expected), "{expected} is not in\n{metrics}");
        }
        gateway.drain(PATIENCE);
        assert_eq!(get(admin, "/readyz"), (503, "draining\n".to_owned()));
        client.round_trip(b"still served");
        client.release();
        until("the end", || gateway.is_finished());
        assert_eq!(get(admin, "/livez"), (200, "ok\n".to_owned()), "ended in a drain is no fault");
        gateway.join().unwrap();
    }
}

#[test]
fn a_drain_does_not_wait_for_connections_that_bring_no_cn() {
    for driver in choices() {
        let mut config = config(driver, 2, ListenerApplication::Echo);
        config.listeners[0].connect_timeout = Duration::from_secs(3600);
        config.drain.action = DrainAction::Wait;
        let gateway = Gateway::start(config).unwrap();
        let to = gateway.addresses()[0].address;
        let (nothing, half, confirmed, established) =
            (raw(to, &[]), raw(to, &CR[..9]), raw(to, CR), Client::connect(to));
        let mut cc = [0; 22];
        (&confirmed).read_exact(&mut cc).unwrap();
        until("four connections", || gateway.vitals().total().sessions_open_responder == 4);
        gateway.drain(Duration::from_secs(3600));
        for mut silent in [nothing, half, confirmed] {
            // A ring of this process may interrupt a read that waits; this one begins again.
            let ended = silent.read_to_end(&mut Vec::new());
            assert!(matches!(ended, Ok(0)), "FIN and nothing said: {ended:?}");
        }
        until("the end of the silent ones", || gateway.vitals().total().sessions_open_responder == 1);
        assert!(!gateway.is_finished());
        established.release();
        until("the end", || gateway.is_finished());
        gateway.join().unwrap();
    }
}

fn raw(to: SocketAddr, octets: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(octets).unwrap();
    stream
}

#[test]
fn a_gateway_that_is_dropped_aborts_its_sessions_with_an_spdu() {
    for driver in choices() {
        let gateway = Gateway::start(config(driver, 1, ListenerApplication::Echo)).unwrap();
        let mut client = Client::connect(gateway.addresses()[0].address);
        let dropped = std::thread::spawn(move || drop(gateway));
        let abort = client.tsdu();
        assert_eq!(abort[0], 0x19, "AB and no reset: {abort:02x?}");
        drop(client);
        dropped.join().unwrap();
    }
}

#[test]
fn bad_input_is_answered_or_closed_and_counted_by_layer_and_kind() {
    for driver in choices() {
        let gateway = Gateway::start(config(driver, 1, ListenerApplication::Echo)).unwrap();
        let to = gateway.addresses()[0].address;
        let admin = gateway.admin_address().unwrap();
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&[4, 0, 0, 7, 2, 0xf0, 0x80]).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer[5] & 0xf0, 0x80, "DR, then closed: {answer:02x?}");
        // An established session whose peer sends an unknown SPDU is told so: AB, protocol error.
        let mut client = Client::connect(to);
        client.send(&[0x7f, 0x00]);
        let abort = client.tsdu();
        assert_eq!((abort[0], &abort[2..5]), (0x19, &[0x11, 0x01, 0x05][..]), "AB, protocol error");
        for expected in [
            "colloquy_protocol_errors_total{layer=\"tpkt\",code=\"version\"} 1\n",
            "colloquy_protocol_errors_total{layer=\"spdu\",code=\"unknown_si\"} 1\n",
        ] {
            until(expected, || get(admin, "/metrics").1.contains(expected));
        }
    }
}

#[test]
fn an_address_that_is_taken_is_told_even_with_several_shards() {
    let first = Gateway::start(config(DriverChoice::Mio, 2, ListenerApplication::Echo)).unwrap();
    let taken = first.addresses()[0].address;
    let mut second = config(DriverChoice::Mio, 2, ListenerApplication::Echo);
    second.listeners[0].address = taken;
    match Gateway::start(second) {
        Err(StartError::Listen { name, address, .. }) => {
            assert_eq!((name.as_str(), address), ("main", taken))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn shards_run_on_the_cores_they_are_given() {
    let core = colloquy_shard::pin::cores()[0];
    let options =
        StartOptions { cores: Some(vec![core]), name: Some("pinned".into()), ..StartOptions::default() };
    let gateway =
        Gateway::start_with(config(DriverChoice::Mio, 2, ListenerApplication::Sink), &options).unwrap();
    assert!(gateway.vitals().shards().iter().all(|shard| shard.pinned == Some(core)));
}

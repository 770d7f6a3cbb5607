//! A gateway that echoes or relays a fixed number of SSDUs on one thread and ends, for profilers that want that.
//!
//! ```sh
//! cargo build --release -p colloquy-gateway --example ssdus
//! valgrind --tool=callgrind --separate-threads=yes target/release/examples/ssdus echo io_uring 64 64 16 200
//! #                                     echo|relay, driver, sessions, octets, depth, rounds of depth SSDUs a session
//! ```
//! The gateway's shard runs on the main thread. The peers, on threads of their own, speak octets.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use colloquy_gateway::app::AppCounters;
use colloquy_gateway::assemble;
use colloquy_gateway::config::{Config, ListenerApplication, ListenerConfig, TargetConfig};
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
#[cfg(target_os = "linux")]
use colloquy_transport::driver::uring::{UringConfig, UringDriver};
use colloquy_transport::net::{ListenOptions, listen};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: ssdus echo|relay io_uring|mio SESSIONS OCTETS DEPTH ROUNDS";
const CR: [u8; 14] = [3, 0, 0, 14, 9, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 0x0d];
const CN: [u8; 24] = [13, 22, 5, 6, 19, 1, 0, 22, 1, 2, 20, 2, 0, 2, 51, 2, 0, 1, 52, 2, 0, 1, 193, 0];
const AC: [u8; 20] = [14, 18, 5, 6, 19, 1, 0, 22, 1, 2, 20, 2, 0, 2, 52, 2, 0, 1, 193, 0];

#[derive(Clone, Copy)]
struct Plan {
    sessions: usize,
    octets: usize,
    depth: usize,
    rounds: usize,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [application, driver, numbers @ ..] = &arguments[..] else { return Err(USAGE.into()) };
    let numbers = numbers.iter().map(|text| text.parse()).collect::<Result<Vec<usize>, _>>()?;
    let [sessions, octets, depth, rounds] = numbers[..] else { return Err(USAGE.into()) };
    let plan = Plan { sessions, octets, depth, rounds };
    let relay = application == "relay";
    match &driver[..] {
        "mio" => serve(relay, plan, MioDriver::new(MioConfig::default())?),
        #[cfg(target_os = "linux")]
        "io_uring" => serve(relay, plan, UringDriver::new(UringConfig::default())?),
        _ => Err(USAGE.into()),
    }
}

fn serve<D: Driver<Listener = TcpListener>>(relay: bool, plan: Plan, driver: D) -> Outcome<()> {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let socket = listen(local, &ListenOptions::default())?;
    let address = socket.local_addr()?;
    let server = TcpListener::bind(local)?;
    let target = TargetConfig::new("server", server.local_addr()?);
    let application =
        if relay { ListenerApplication::Relay { target: 0 } } else { ListenerApplication::Echo };
    let config = Arc::new(Config {
        listeners: vec![ListenerConfig::new("main", address, application)],
        targets: if relay { vec![target] } else { Vec::new() },
        ..Config::default()
    });
    let mut shard =
        assemble(driver, &config, 0, Arc::new(AppCounters::default()), Box::new(|_| ()), [socket])?;
    let over = Arc::new(AtomicBool::new(false));
    thread::spawn(move || {
        server.incoming().flatten().for_each(|stream| drop(thread::spawn(|| respond(stream))))
    });
    let ended = Arc::clone(&over);
    let client = thread::spawn(move || {
        let result = initiate(address, plan).map_err(|error| error.to_string());
        ended.store(true, Ordering::Release);
        result
    });
    while !over.load(Ordering::Acquire) {
        shard.turn(Some(Duration::from_millis(20)))?;
    }
    client.join().expect("the client does not panic")?;
    let tally = shard.tally();
    println!("{} SSDUs in {} turns and {} sends", tally.spdus_data_in, tally.turns, tally.sends);
    Ok(())
}

/// Opens the sessions, then sends and awaits `depth` SSDUs on each in turn.
fn initiate(to: SocketAddr, plan: Plan) -> Outcome<()> {
    let mut streams = Vec::new();
    for _ in 0..plan.sessions {
        let mut stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.write_all(&CR)?;
        read_tpkt(&mut stream)?;
        stream.write_all(&tsdu(&CN, 0))?;
        read_tpkt(&mut stream)?;
        streams.push(stream);
    }
    let requests = tsdu(&[1, 0, 1, 0], plan.octets).repeat(plan.depth);
    let mut answers = vec![0; requests.len()];
    for _ in 0..plan.rounds {
        for stream in &mut streams {
            stream.write_all(&requests)?;
        }
        for stream in &mut streams {
            stream.read_exact(&mut answers)?;
            assert_eq!(answers, requests, "an echo");
        }
    }
    Ok(())
}

/// Accepts one session and sends every octet back.
fn respond(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let cr = read_tpkt(&mut stream)?;
    stream.write_all(&[3, 0, 0, 14, 9, 0xd0, cr[8], cr[9], 0, 1, 0, 0xc0, 1, 0x0d])?;
    read_tpkt(&mut stream)?;
    stream.write_all(&tsdu(&AC, 0))?;
    let mut octets = vec![0; 64 << 10];
    loop {
        let count = stream.read(&mut octets)?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&octets[..count])?;
    }
}

fn read_tpkt(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut tpkt = vec![0; 4];
    stream.read_exact(&mut tpkt)?;
    tpkt.resize(usize::from(u16::from_be_bytes([tpkt[2], tpkt[3]])), 0);
    stream.read_exact(&mut tpkt[4..])?;
    Ok(tpkt)
}

/// A TSDU that begins with `header` and goes on with `octets` octets of user data, in DT TPDUs of at most 8192 octets.
fn tsdu(header: &[u8], octets: usize) -> Vec<u8> {
    let whole = [header, &vec![0x5a; octets]].concat();
    let chunks = whole.chunks(8192 - 3);
    let last = chunks.len() - 1;
    let mut out = Vec::new();
    for (index, chunk) in chunks.enumerate() {
        let length = (chunk.len() + 7) as u16;
        out.extend([3, 0]);
        out.extend(length.to_be_bytes());
        out.extend([2, 0xf0, if index == last { 0x80 } else { 0 }]);
        out.extend(chunk);
    }
    out
}

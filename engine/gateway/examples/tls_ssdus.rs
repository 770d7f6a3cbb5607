//! What an echoed SSDU costs the gateway's thread, plain and by TLS 1.3 with AES-128-GCM: CPU time, and instructions when
//! run under callgrind. `bench/tls/run` makes the table.
//!
//! ```sh
//! cargo run --release -p colloquy-gateway --example tls_ssdus plain|tls io_uring|mio SESSIONS OCTETS DEPTH ROUNDS
//! ```
//! The gateway's shard runs on the main thread; the peer is another thread. Only the data phase counts.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use colloquy_gateway::app::AppCounters;
use colloquy_gateway::assemble_plan;
use colloquy_gateway::config::{self, ListenerApplication, ListenerConfig};
use colloquy_gateway::plan::Plan;
use colloquy_gateway::tls::{TlsMaterial, load};
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
#[cfg(target_os = "linux")]
use colloquy_transport::driver::uring::{UringConfig, UringDriver};
use colloquy_transport::net::{ListenOptions, listen};
use colloquy_transport::tls::TlsConnection;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustix::time::{ClockId, clock_gettime};
use rustls_pki_types::ServerName;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: tls_ssdus plain|tls io_uring|mio SESSIONS OCTETS DEPTH ROUNDS";
const NAME: &str = "gateway.example";
const CR: [u8; 14] = [3, 0, 0, 14, 9, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 0x0d];
const CN: [u8; 23] = [3, 0, 0, 23, 2, 0xf0, 0x80, 13, 14, 5, 6, 19, 1, 0, 22, 1, 2, 20, 2, 0, 2, 193, 0];
/// Phases that the peer is in: before the data, in them, behind them.
const DATA: usize = 1;
const OVER: usize = 2;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, driver, numbers @ ..] = &arguments[..] else { return Err(USAGE.into()) };
    let numbers = numbers.iter().map(|text| text.parse()).collect::<Result<Vec<usize>, _>>()?;
    let [sessions, octets, depth, rounds] = numbers[..] else { return Err(USAGE.into()) };
    let material = if kind == "tls" { Some(Arc::new(material()?)) } else { None };
    let work = Work { sessions, octets, depth, rounds };
    match &driver[..] {
        "mio" => serve(material, work, MioDriver::new(MioConfig::default())?),
        #[cfg(target_os = "linux")]
        "io_uring" => serve(material, work, UringDriver::new(UringConfig::default())?),
        _ => Err(USAGE.into()),
    }
}

#[derive(Clone, Copy)]
struct Work {
    sessions: usize,
    octets: usize,
    depth: usize,
    rounds: usize,
}

/// An authority and one certificate, which both sides use.
fn material() -> Outcome<TlsMaterial> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let mut params = CertificateParams::new(vec![NAME.to_owned()])?;
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &*authority)?.pem();
    let issuer: &rcgen::Certificate = authority.as_ref();
    let (issuer, key) = (issuer.pem(), key.serialize_pem());
    let text = "schema_version = 1\n[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n\
                tls = \"t\"\n[[tls]]\nname = \"t\"\ncertificate = \"certificate\"\nkey = \"key\"\n\
                authorities = [\"authority\"]\nversions = [\"1.3\"]\nciphers = [\"aes128-gcm\"]\n";
    let config = config::check_str("tls_ssdus", text).map_err(|faults| faults.to_string())?;
    let read = |path: &std::path::Path| {
        Ok(match path.to_str() {
            Some("certificate") => certificate.clone().into_bytes(),
            Some("key") => key.clone().into_bytes(),
            _ => issuer.clone().into_bytes(),
        })
    };
    load(&config.tls[0], read).map_err(|faults| faults[0].to_string().into())
}

fn serve<D: Driver<Listener = TcpListener>>(
    material: Option<Arc<TlsMaterial>>,
    work: Work,
    driver: D,
) -> Outcome<()> {
    let socket = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &ListenOptions::default())?;
    let address = socket.local_addr()?;
    let listener = ListenerConfig {
        tls: material.as_ref().map(|_| 0),
        ..ListenerConfig::new("main", address, ListenerApplication::Echo)
    };
    let config = Arc::new(config::Config { listeners: vec![listener], ..config::Config::default() });
    let plan = Arc::new(Plan::new(config).with_tls(material.iter().cloned().collect()));
    let counters = Arc::new(AppCounters::default());
    let mut shard = assemble_plan(driver, &plan, 0, counters, Box::new(|_| ()), [socket])?;
    let phase = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&phase);
    let client = std::thread::spawn(move || {
        let result = initiate(address, material.as_deref(), work, &told).map_err(|error| error.to_string());
        told.store(OVER, Ordering::Release);
        result
    });
    let mut began = None;
    loop {
        match phase.load(Ordering::Acquire) {
            DATA if began.is_none() => began = Some((thread_cpu(), shard.tally().spdus_data_in)),
            OVER => break,
            _ => {}
        }
        shard.turn(Some(Duration::from_millis(20)))?;
    }
    client.join().expect("the client does not panic")?;
    let (cpu, ssdus) = began.unwrap_or_default();
    let ssdus = shard.tally().spdus_data_in - ssdus;
    let nanoseconds = thread_cpu().saturating_sub(cpu).as_nanos() / u128::from(ssdus.max(1));
    println!("{ssdus} SSDUs, {nanoseconds} ns of CPU each");
    Ok(())
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// One session of the peer.
struct Peer {
    stream: TcpStream,
    tls: Option<TlsConnection>,
    plain: Vec<u8>,
    buffer: Vec<u8>,
}

impl Peer {
    fn connect(to: SocketAddr, material: Option<&TlsMaterial>) -> Outcome<Peer> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        let connect =
            |material: &TlsMaterial| material.client.connect(ServerName::try_from(NAME).expect("a name"));
        let tls = material.map(connect).transpose()?;
        let mut peer = Peer { stream, tls, plain: Vec::new(), buffer: vec![0; 64 << 10] };
        peer.take(0)?;
        while peer.tls.as_ref().is_some_and(|tls| !tls.is_established()) {
            let count = peer.stream.read(&mut peer.buffer)?;
            peer.take(count)?;
        }
        Ok(peer)
    }

    /// Takes the first octets of the buffer in, and sends what TLS answers.
    fn take(&mut self, count: usize) -> Outcome<()> {
        let (plain, octets) = (&mut self.plain, &self.buffer[..count]);
        let Some(tls) = &mut self.tls else {
            plain.extend_from_slice(octets);
            return Ok(());
        };
        let mut out = Vec::new();
        tls.receive(octets, &mut out, &mut |octets| plain.extend_from_slice(octets))?;
        self.stream.write_all(&out)?;
        Ok(())
    }

    fn send(&mut self, octets: &[u8]) -> Outcome<()> {
        let Some(tls) = &mut self.tls else { return Ok(self.stream.write_all(octets)?) };
        let mut out = Vec::new();
        tls.seal(octets, &mut out)?;
        Ok(self.stream.write_all(&out)?)
    }

    fn receive(&mut self, count: usize) -> Outcome<Vec<u8>> {
        while self.plain.len() < count {
            let count = self.stream.read(&mut self.buffer)?;
            if count == 0 {
                return Err("the gateway has closed".into());
            }
            self.take(count)?;
        }
        Ok(self.plain.drain(..count).collect())
    }

    fn tpkt(&mut self) -> Outcome<Vec<u8>> {
        let head = self.receive(4)?;
        self.receive(usize::from(u16::from_be_bytes([head[2], head[3]])) - 4)
    }
}

fn initiate(to: SocketAddr, material: Option<&TlsMaterial>, work: Work, phase: &AtomicUsize) -> Outcome<()> {
    let mut peers = Vec::new();
    for _ in 0..work.sessions {
        let mut peer = Peer::connect(to, material)?;
        peer.send(&CR)?;
        peer.tpkt()?;
        peer.send(&CN)?;
        peer.tpkt()?;
        peers.push(peer);
    }
    let length = u16::try_from(work.octets + 11)?.to_be_bytes();
    let mut ssdu = vec![3, 0, length[0], length[1], 2, 0xf0, 0x80, 1, 0, 1, 0];
    ssdu.resize(work.octets + 11, 0x5a);
    let requests = ssdu.repeat(work.depth);
    phase.store(DATA, Ordering::Release);
    for _ in 0..work.rounds {
        for peer in &mut peers {
            peer.send(&requests)?;
        }
        for peer in &mut peers {
            assert_eq!(peer.receive(requests.len())?, requests, "an echo");
        }
    }
    Ok(())
}

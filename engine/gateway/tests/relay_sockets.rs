//! Every unit over a relay to an echo on real sockets, on each driver that this system has.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use colloquy_gateway::Gateway;
use colloquy_gateway::config::{
    Config, DriverChoice, EngineConfig, ListenerApplication, ListenerConfig, Profile, TargetConfig,
};
use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Fu, Request, ResyncType, ResynchronizeParameters,
    SerialNumber, Session, SessionConfig, State, Tokens, Transmit, Versions,
};
use colloquy_transport::driver::select::{BackendChoice, select};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const PATIENCE: Duration = Duration::from_secs(10);
const NOW: Duration = Duration::ZERO;
/// CR for TPDUs of 2048 octets.
const CR: &[u8] = &[3, 0, 0, 14, 9, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 11];
const TPDU_OCTETS: usize = 2048;

fn drivers() -> Vec<DriverChoice> {
    let mut drivers = vec![DriverChoice::Mio];
    match select(BackendChoice::IoUring) {
        Ok(_) => drivers.push(DriverChoice::IoUring),
        Err(error) => {
            assert!(std::env::var_os("COLLOQUY_REQUIRE_URING").is_none(), "{error}");
            println!("SKIPPED on io_uring: {error}");
        }
    }
    drivers
}

fn listener(application: ListenerApplication) -> ListenerConfig {
    ListenerConfig { functional_units: Fu::all(), ..ListenerConfig::new("main", LOOPBACK, application) }
}

fn start(driver: DriverChoice, config: Config) -> Gateway {
    let engine = EngineConfig { driver, shards: 1, sessions_max: 64, ..EngineConfig::default() };
    Gateway::start(Config { engine, ..config }).unwrap()
}

fn echo(driver: DriverChoice) -> Gateway {
    start(driver, Config { listeners: vec![listener(ListenerApplication::Echo)], ..Config::default() })
}

fn relay(driver: DriverChoice, to: SocketAddr) -> Gateway {
    let target = TargetConfig { profile: Profile::Transparent, ..TargetConfig::new("echo", to) };
    let listeners = vec![listener(ListenerApplication::Relay { target: 0 })];
    start(driver, Config { listeners, targets: vec![target], ..Config::default() })
}

/// A user on a socket of its own.
struct User {
    stream: TcpStream,
    session: Session,
}

impl User {
    fn connect(to: SocketAddr, units: Fu, versions: Versions) -> User {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(CR).unwrap();
        let connect = ConnectParameters {
            requirements: units,
            versions,
            initial_serial_number: (!units.contains(Fu::ACTIVITY)).then_some(SerialNumber(1)),
            ..ConnectParameters::default()
        };
        let config = SessionConfig { functional_units: Fu::all(), ..SessionConfig::default() };
        let session = Session::initiator(&config, &connect).unwrap();
        let mut user = User { stream, session };
        assert_eq!(user.tpdu()[1], 0xd0, "CC");
        user.session.transport_connected(NOW, false);
        user.flush();
        user.hears("ConnectConfirm");
        user
    }

    fn tpdu(&mut self) -> Vec<u8> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).unwrap();
        let octets = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let mut tpdu = vec![0; octets - head.len()];
        self.stream.read_exact(&mut tpdu).unwrap();
        tpdu
    }

    fn tsdu(&mut self) -> Vec<u8> {
        let mut tsdu = Vec::new();
        loop {
            let tpdu = self.tpdu();
            assert_eq!(tpdu[1], 0xf0, "DT");
            tsdu.extend_from_slice(&tpdu[3..]);
            if tpdu[2] == 0x80 {
                return tsdu;
            }
        }
    }

    fn put(&mut self, tsdu: &[u8]) {
        let parts: Vec<&[u8]> = tsdu.chunks(TPDU_OCTETS - 3).collect();
        for (at, part) in parts.iter().enumerate() {
            let [high, low] = u16::try_from(part.len() + 7).unwrap().to_be_bytes();
            let end = u8::from(at + 1 == parts.len()) << 7;
            let octets = [&[3, 0, high, low, 2, 0xf0, end], *part].concat();
            self.stream.write_all(&octets).unwrap();
        }
    }

    fn flush(&mut self) {
        let mut tsdus = Vec::new();
        let mut over = false;
        while let Some(transmit) = self.session.poll_transmit() {
            match transmit {
                Transmit::Tsdu(octets) => tsdus.push(octets.to_vec()),
                Transmit::Disconnect => over = true,
                other => panic!("{other:?}"),
            }
        }
        for tsdu in tsdus {
            self.put(&tsdu);
        }
        if over {
            self.stream.shutdown(Shutdown::Both).unwrap();
        }
    }

    /// Takes in a TSDU; the indications must be these, each by its beginning.
    fn hears(&mut self, expected: &str) -> String {
        let octets = self.tsdu();
        let mut tsdu = Tsdu::new(&octets);
        let mut heard = Vec::new();
        while let Some(indication) = self.session.handle_tsdu(NOW, &mut tsdu) {
            heard.push(format!("{indication:?}"));
        }
        self.flush();
        let [one] = &heard[..] else { panic!("{expected} is expected: {heard:?}") };
        assert!(one.starts_with(expected), "{expected} is expected: {one}");
        one.clone()
    }

    fn asks(&mut self, request: &Request<'_>) {
        self.session.request(NOW, request).unwrap_or_else(|error| panic!("{request:?}: {error}"));
        self.flush();
    }

    /// Asks, and hears the echo's answer with the same user data.
    fn asks_and_hears(&mut self, request: &Request<'_>, answer: &str) {
        self.asks(request);
        let heard = self.hears(answer);
        let with_data = |text: &str| text.contains("user_data: [117, 100]");
        assert_eq!(with_data(&heard), with_data(&format!("{request:?}")), "{heard}");
    }

    /// Sends an SSDU, and has it come back.
    fn sends(&mut self, octets: usize, typed: bool) {
        let body: Vec<u8> = (0..octets).map(|at| (at % 251) as u8).collect();
        let segments: Vec<_> = match typed {
            true => self.session.typed_data_request(octets, Enclosure::WHOLE).unwrap().collect(),
            false => self.session.data_request(octets, Enclosure::WHOLE).unwrap().collect(),
        };
        let [segment] = &segments[..] else { panic!("one segment") };
        self.put(&[segment.header(), &body].concat());
        if !typed && self.session.tokens_available().contains(Tokens::DATA) {
            self.hears("TokenPlease");
            self.asks(&Request::TokenGive { tokens: Tokens::DATA, user_data: &[] });
        }
        let came = self.tsdu();
        assert!(came.ends_with(&body), "the same comes back");
        let mut tsdu = Tsdu::new(&came);
        let heard = format!("{:?}", self.session.handle_tsdu(NOW, &mut tsdu).unwrap());
        assert!(heard.starts_with(if typed { "TypedData" } else { "Data" }), "{heard}");
        assert_eq!(self.session.handle_tsdu(NOW, &mut tsdu), None);
    }
}

const UD: &[u8] = b"ud";

fn abandon() -> Request<'static> {
    let resync_type = ResyncType::Abandon;
    Request::Resynchronize(ResynchronizeParameters { resync_type, user_data: UD, ..Default::default() })
}

fn minor() -> Request<'static> {
    Request::SyncMinor { confirmation_optional: false, data_separation: false, user_data: UD }
}

/// Half duplex, activities, exceptions: all but duplex and expedited data.
fn activities(user: &mut User) {
    let all = Tokens::DATA | Tokens::MINOR | Tokens::MAJOR | Tokens::RELEASE;
    user.asks_and_hears(&Request::CapabilityData { user_data: UD }, "CapabilityDataConfirm");
    user.asks(&Request::ActivityStart { identifier: b"act", user_data: UD });
    for number in 1..=5 {
        user.sends(3000, true);
        user.asks_and_hears(&minor(), "SyncMinorConfirm");
        assert_eq!(user.session.serial_numbers().lowest_unconfirmed, SerialNumber(number + 1));
    }
    user.asks_and_hears(&Request::SyncMajor { user_data: UD }, "SyncMajorConfirm");
    user.sends(100, false);
    // The echo has the data token, so this side may report an exception, and the echo recovers.
    user.asks(&Request::UserException { reason: 1, user_data: UD });
    user.hears("Resynchronize(");
    user.asks(&Request::ResynchronizeResponse(Default::default()));
    user.asks(&Request::TokenPlease { tokens: Tokens::DATA, user_data: UD });
    user.hears("TokenGive");
    user.asks_and_hears(&abandon(), "ResynchronizeConfirm");
    user.asks_and_hears(
        &Request::ActivityInterrupt { reason: 0, user_data: &[] },
        "ActivityInterruptConfirm",
    );
    user.asks(&Request::ActivityStart { identifier: b"two", user_data: UD });
    user.asks_and_hears(&Request::ActivityDiscard { reason: 0, user_data: &[] }, "ActivityDiscardConfirm");
    user.asks(&Request::ActivityStart { identifier: b"tri", user_data: UD });
    user.asks_and_hears(&Request::ActivityEnd { user_data: UD }, "ActivityEndConfirm");
    user.asks(&Request::ControlGive { user_data: &[] });
    // GTA is the machine's affair; what follows it shows that it came.
    let gta = user.tsdu();
    assert_eq!(user.session.handle_tsdu(NOW, &mut Tsdu::new(&gta)), None);
    user.asks(&Request::TokenPlease { tokens: all, user_data: UD });
    user.hears("TokenGive");
    assert_eq!(user.session.tokens_owned(), all);
}

fn duplex(user: &mut User) {
    for octets in [1, 1000, 20_000] {
        user.sends(octets, false);
        user.sends(octets, true);
        user.asks_and_hears(&minor(), "SyncMinorConfirm");
    }
    user.asks_and_hears(&abandon(), "ResynchronizeConfirm");
    user.sends(10, false);
}

#[test]
fn every_unit_goes_over_a_relay_on_every_driver() {
    let halves = Fu::all() - Fu::SYMMETRIC_SYNC - Fu::DUPLEX - Fu::EXPEDITED;
    let wholes = Fu::DUPLEX | Fu::TYPED_DATA | Fu::MINOR_SYNC | Fu::RESYNCHRONIZE;
    for driver in drivers() {
        let echo = echo(driver);
        let relay = relay(driver, echo.addresses()[0].address);
        for versions in [Versions::V1, Versions::V2] {
            for (units, dialogue) in [(halves, activities as fn(&mut User)), (wholes, duplex)] {
                let mut user = User::connect(relay.addresses()[0].address, units, versions);
                assert_eq!(user.session.functional_units(), units, "{driver:?} {versions:?}");
                dialogue(&mut user);
                user.asks(&Request::Release { user_data: UD });
                user.hears("ReleaseConfirm");
                assert_eq!(user.session.state(), State::Sta01);
            }
        }
        relay.drain(Duration::ZERO);
        relay.join().unwrap();
        echo.drain(Duration::ZERO);
        echo.join().unwrap();
    }
}

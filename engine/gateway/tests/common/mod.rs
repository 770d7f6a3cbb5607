//! A relay between two scripted peers in a simulated network, in virtual time.
#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test binary uses a part"
)]

pub mod peer;
pub mod raw;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use colloquy_gateway::app::{AppCounters, GatewayApp, GatewayCommand};
use colloquy_gateway::assemble;
use colloquy_gateway::config::{Config, ListenerApplication, ListenerConfig, Profile, TargetConfig};
use colloquy_gateway::record::{EndReason, NotCarried, Record, RecordEvent, Side};
use colloquy_session::{
    ConnectParameters, ConnectionIdentifier, FunctionalUnits, Selector, SessionConfig, TokenSettings,
    Versions,
};
use colloquy_shard::{
    ConnectTarget, Context, Fault, ListenerConfig as ShardListenerConfig, SessionId, Shard, ShardConfig,
};
use colloquy_transport::class0::{Class0Config, TransportSelector};
use colloquy_transport::driver::ConnectOptions;
use colloquy_transport::driver::sim::{SimConfig, SimDriver, SimFaults, SimHostConfig, SimNet};

use peer::{Manners, Peer, Seen};
use raw::Raw;

pub const GATEWAY: &str = "10.0.0.1:102";
pub const SERVER: &str = "10.0.0.2:102";
const CLIENT: &str = "10.0.0.3";
const RAW: &str = "10.0.0.4";

/// More rounds than any test takes: a loop that goes round without end is a fault.
const ROUNDS_MAX: usize = 1_000_000;

pub struct World {
    pub net: SimNet,
    pub gateway: Shard<SimDriver, GatewayApp>,
    pub client: Shard<SimDriver, Peer>,
    pub server: Shard<SimDriver, Peer>,
    /// Further servers: [`World::add_server`].
    pub others: Vec<Shard<SimDriver, Peer>>,
    pub raw: Raw,
    pub records: Rc<RefCell<Vec<Record>>>,
    pub counters: Arc<AppCounters>,
}

/// A relay from `GATEWAY` to `SERVER`.
pub fn relay_config(profile: Profile) -> Config {
    let target = TargetConfig { profile, ..TargetConfig::new("server", address(SERVER)) };
    let relay = ListenerApplication::Relay { target: 0 };
    Config {
        listeners: vec![ListenerConfig::new("relay", address(GATEWAY), relay)],
        targets: vec![target],
        ..Config::default()
    }
}

/// Everything a peer of these tests can speak.
pub fn units() -> FunctionalUnits {
    FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX | FunctionalUnits::NEGOTIATED_RELEASE
}

/// Every host has the pool that the configuration says: a smaller one could not hold one long TSDU.
fn host_config(config: &Config) -> SimHostConfig {
    SimHostConfig { pool: config.engine.pool(), ..SimHostConfig::default() }
}

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl World {
    pub fn new(config: Config, server: Manners) -> World {
        Self::in_net(SimNet::new(SimConfig::default()), config, server)
    }

    pub fn in_net(net: SimNet, config: Config, server: Manners) -> World {
        let mut world = Self::without_server(net, config, server);
        let socket = world.net.bind(address(SERVER)).unwrap();
        world.server.listen(socket, 0, ShardListenerConfig::default()).unwrap();
        world
    }

    /// Nobody listens where the relay goes to.
    pub fn without_server(net: SimNet, config: Config, server: Manners) -> World {
        let host = |address: &str| SimDriver::new(&net, address.parse().unwrap(), host_config(&config));
        let records = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&records);
        let counters = Arc::new(AppCounters::default());
        let config = Arc::new(config.clone());
        let listeners: Vec<_> =
            config.listeners.iter().map(|listener| net.bind(listener.address).unwrap()).collect();
        let gateway = assemble(
            host("10.0.0.1"),
            &config,
            0,
            Arc::clone(&counters),
            Box::new(move |record| sink.borrow_mut().push(record)),
            listeners,
        )
        .unwrap();
        let shard = ShardConfig { virtual_time: true, ..ShardConfig::default() };
        World {
            gateway,
            client: Shard::new(host(CLIENT), Peer::new(Manners::default()), shard),
            server: Shard::new(host("10.0.0.2"), Peer::new(server), shard),
            others: Vec::new(),
            raw: Raw::new(host(RAW)),
            net,
            records,
            counters,
        }
    }

    /// Another server with manners of its own; gives its place in `others`.
    pub fn add_server(&mut self, at: &str, manners: Manners) -> usize {
        let address = address(at);
        let driver = SimDriver::new(&self.net, address.ip(), host_config(&Config::default()));
        let shard = ShardConfig { virtual_time: true, ..ShardConfig::default() };
        let mut server = Shard::new(driver, Peer::new(manners), shard);
        let socket = self.net.bind(address).unwrap();
        server.listen(socket, 0, ShardListenerConfig::default()).unwrap();
        self.others.push(server);
        self.others.len() - 1
    }

    /// An established session, whichever server has it.
    pub fn establish_anywhere(&mut self, connect: &ConnectParameters<'_>) -> SessionId {
        let client = self.connect(connect);
        let seen = self.client.app().of(client);
        assert!(matches!(seen.as_slice(), [Seen::Accept(_)]), "{seen:?}");
        client
    }

    /// What the gateway has recorded of a kind.
    pub fn events(&self, wanted: impl Fn(&RecordEvent) -> bool) -> Vec<RecordEvent> {
        self.records.borrow().iter().map(|record| record.event).filter(wanted).collect()
    }

    /// Opens a session to the gateway and waits for the answer.
    pub fn connect(&mut self, connect: &ConnectParameters<'_>) -> SessionId {
        let id = self.connect_only(connect);
        self.settle();
        id
    }

    pub fn connect_only(&mut self, connect: &ConnectParameters<'_>) -> SessionId {
        let target = ConnectTarget {
            wire: None,
            address: address(GATEWAY),
            options: ConnectOptions::default(),
            calling_tsap: TransportSelector::new(b"CT"),
            called_tsap: TransportSelector::new(b"ST"),
            transport: Class0Config::default(),
            session: SessionConfig {
                versions: connect.versions,
                functional_units: connect.requirements,
                ..SessionConfig::default()
            },
            connect: *connect,
        };
        self.client.with(|_, ctx| ctx.connect(&target)).unwrap()
    }

    /// An established session: both ends of it.
    pub fn establish(&mut self, connect: &ConnectParameters<'_>) -> (SessionId, SessionId) {
        let client = self.connect(connect);
        let seen = self.client.app().of(client);
        assert!(matches!(seen.as_slice(), [Seen::Accept(_)]), "{seen:?}");
        (client, self.server.app().last())
    }

    /// The next thing that the client sends is lost, and its connection with it.
    pub fn reset_at_client(&mut self, id: SessionId) {
        self.client.with(|_, ctx| peer::send(ctx, id, b"lost"));
        self.net.set_faults(SimFaults { reset_ppm: 1_000_000, ..SimFaults::NONE });
        self.client.turn(Some(Duration::ZERO)).unwrap();
        self.net.set_faults(SimFaults::NONE);
        self.settle();
    }

    /// As above for the server.
    pub fn reset_at_server(&mut self, id: SessionId) {
        self.server.with(|_, ctx| peer::send(ctx, id, b"lost"));
        self.net.set_faults(SimFaults { reset_ppm: 1_000_000, ..SimFaults::NONE });
        self.server.turn(Some(Duration::ZERO)).unwrap();
        self.net.set_faults(SimFaults::NONE);
        self.settle();
    }

    /// The client's process ends: the system closes its connections.
    pub fn kill_client(&mut self) {
        let driver = SimDriver::new(&self.net, CLIENT.parse().unwrap(), host_config(&Config::default()));
        let shard = ShardConfig { virtual_time: true, ..ShardConfig::default() };
        self.client = Shard::new(driver, Peer::new(Manners::default()), shard);
        self.settle();
    }

    pub fn of_client<R>(&mut self, act: impl FnOnce(&mut Context<'_, SimDriver, Peer>) -> R) -> R {
        self.client.with(|_, ctx| act(ctx))
    }

    pub fn of_server<R>(&mut self, act: impl FnOnce(&mut Context<'_, SimDriver, Peer>) -> R) -> R {
        self.server.with(|_, ctx| act(ctx))
    }

    pub fn of_gateway<R>(&mut self, act: impl FnOnce(&mut Context<'_, SimDriver, GatewayApp>) -> R) -> R {
        self.gateway.with(|_, ctx| act(ctx))
    }

    pub fn command(&mut self, command: GatewayCommand) {
        self.gateway.commander().send(command).unwrap();
        self.settle();
    }

    /// Goes on until the network and every endpoint are quiet, without waiting for a timer.
    pub fn settle(&mut self) {
        self.run_while(|world, next| world.net.next_event() == Some(next));
    }

    /// Goes on, timers included, for this time.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.net.now() + time;
        self.run_while(|_, next| next <= end);
        self.net.advance_to(end);
        self.round();
    }

    /// Goes on until nothing can happen any more.
    pub fn run_out(&mut self) {
        self.run_while(|_, _| true);
    }

    fn run_while(&mut self, go_on: impl Fn(&World, Duration) -> bool) {
        for _ in 0..ROUNDS_MAX {
            if self.round() {
                continue;
            }
            let timers =
                [self.gateway.next_deadline(), self.client.next_deadline(), self.server.next_deadline()];
            let others = self.others.iter().filter_map(Shard::next_deadline);
            let next = timers.into_iter().flatten().chain(others).chain(self.net.next_event()).min();
            match next {
                Some(next) if go_on(self, next) => self.net.advance_to(next),
                _ => return,
            }
        }
        panic!("no end after {ROUNDS_MAX} rounds");
    }

    /// A turn of everyone; true when it brought something.
    fn round(&mut self) -> bool {
        let before = self.work();
        self.gateway.turn(Some(Duration::ZERO)).unwrap();
        self.client.turn(Some(Duration::ZERO)).unwrap();
        self.server.turn(Some(Duration::ZERO)).unwrap();
        for other in &mut self.others {
            other.turn(Some(Duration::ZERO)).unwrap();
        }
        let raw_worked = self.raw.poll();
        let now = self.net.now();
        let due = |deadline: Option<Duration>| deadline.is_some_and(|at| at <= now);
        raw_worked
            || self.work() != before
            || due(self.gateway.next_deadline())
            || due(self.client.next_deadline())
            || due(self.server.next_deadline())
            || self.others.iter().any(|other| due(other.next_deadline()))
    }

    fn work(&self) -> u64 {
        [self.gateway.tally(), self.client.tally(), self.server.tally()]
            .into_iter()
            .chain(self.others.iter().map(Shard::tally))
            .map(|tally| tally.completions + tally.timers + tally.commands + tally.sends)
            .sum()
    }

    /// How the gateway says that its sessions ended: downstream, upstream.
    pub fn ends(&self) -> (Vec<EndReason>, Vec<EndReason>) {
        let (mut down, mut up) = (Vec::new(), Vec::new());
        for record in self.records.borrow().iter() {
            if let RecordEvent::Ended(ended) = record.event {
                match record.subject.side {
                    Side::Responder { .. } => down.push(ended.end),
                    Side::Initiator { .. } => up.push(ended.end),
                }
            }
        }
        (down, up)
    }

    pub fn not_carried(&self) -> Vec<NotCarried> {
        let records = self.records.borrow();
        let events = records.iter().map(|record| record.event);
        events
            .filter_map(|event| match event {
                RecordEvent::NotCarried(why) => Some(why),
                _ => None,
            })
            .collect()
    }

    /// What the gateway says that peers did wrong.
    pub fn faults(&self) -> Vec<Fault> {
        let records = self.records.borrow();
        let events = records.iter().map(|record| record.event);
        events
            .filter_map(|event| if let RecordEvent::Fault(fault) = event { Some(fault) } else { None })
            .collect()
    }

    /// Everything is closed and forgotten.
    pub fn assert_empty(&mut self) {
        self.run_out();
        assert_eq!(self.gateway.app().live_count(), 0, "sessions of the application");
        assert_eq!(self.gateway.connection_count(), 0, "connections of the shard");
        assert_eq!(self.net.open_sockets(), 0, "sockets");
    }
}

/// What MMS stacks propose.
pub fn mms() -> ConnectParameters<'static> {
    ConnectParameters {
        identifier: ConnectionIdentifier::default(),
        calling: Selector::new(b"CS").unwrap(),
        called: Selector::new(b"SS").unwrap(),
        versions: Versions::V2,
        requirements: FunctionalUnits::DUPLEX,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tsdu_maximum_size: None,
        user_data: b"connect",
        second_initial_serial_number: None,
    }
}

/// Half duplex and negotiated release.
pub fn half_duplex() -> ConnectParameters<'static> {
    let requirements = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::NEGOTIATED_RELEASE;
    ConnectParameters { requirements, ..mms() }
}

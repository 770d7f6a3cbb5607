//! An application that writes down what it is told, and a way to turn several shards until they agree.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use colloquy_session::{
    AcceptParameters, ConnectParameters, ConnectionIdentifier, Enclosure, FunctionalUnits, Indication,
    ProviderAbortReason, RefuseParameters, Selector, SessionConfig, TokenSettings, Tokens, Versions,
};
use colloquy_shard::{
    Application, ConnectError, ConnectTarget, Context, Fault, ListenerConfig, SessionEnd, SessionId, Shard,
    ShardConfig, TransportAnswer,
};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::class0::{Class0Config, ConnectTpdu};
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::driver::{ConnectOptions, Driver};
use colloquy_transport::net::{self, ListenOptions};

/// One call of the shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    TransportConnect(u32),
    Connect(Vec<u8>),
    Confirm,
    Refused(u8),
    Data(Vec<u8>),
    TokenGive,
    TokenPlease,
    Release,
    ReleaseConfirm(bool),
    UserAbort,
    ProviderAbort(ProviderAbortReason),
    Writable,
    Timer,
    Fault(String),
    Ended(String),
    Command(u32),
    ShardTimer,
}

/// How the application answers.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    pub transport: TransportAnswer,
    /// Accepts, refuses with this reason, or leaves the CN unanswered.
    pub connect: ConnectAnswer,
    /// Answers FN.
    pub release: bool,
    pub echo: bool,
    /// Keeps the user data of `Data`; else only counts.
    pub keep_data: bool,
    /// Pauses a session after each `Data`.
    pub pause: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum ConnectAnswer {
    Accept,
    Refuse(u8),
    Nothing,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            transport: TransportAnswer::Accept,
            connect: ConnectAnswer::Accept,
            release: true,
            echo: false,
            keep_data: true,
            pause: false,
        }
    }
}

#[derive(Default)]
pub struct Recorder {
    pub manners: Manners,
    pub seen: Vec<(SessionId, Seen)>,
    pub data_count: u64,
    pub data_octets: u64,
    /// What to send back when a `Data` comes and `echo` is off: the client of a ping-pong.
    pub reply: Option<Slice>,
    pub replies_left: u64,
}

impl Recorder {
    pub fn new(manners: Manners) -> Self {
        Self { manners, ..Self::default() }
    }

    pub fn ends(&self) -> Vec<&str> {
        let end = |(_, seen): &'_ (SessionId, Seen)| matches!(seen, Seen::Ended(_));
        self.seen
            .iter()
            .filter(|each| end(each))
            .map(|(_, seen)| match seen {
                Seen::Ended(end) => end.as_str(),
                _ => unreachable!(),
            })
            .collect()
    }

    pub fn of(&self, id: SessionId) -> Vec<Seen> {
        self.seen.iter().filter(|each| each.0 == id).map(|each| each.1.clone()).collect()
    }

    pub fn count(&self, wanted: impl Fn(&Seen) -> bool) -> usize {
        self.seen.iter().filter(|each| wanted(&each.1)).count()
    }

    pub fn data(&self) -> Vec<Vec<u8>> {
        let data = self.seen.iter().filter_map(|(_, seen)| match seen {
            Seen::Data(octets) => Some(octets.clone()),
            _ => None,
        });
        data.collect()
    }

    fn data_indicated<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, body: &Body) {
        self.data_count += 1;
        self.data_octets += body.len() as u64;
        if self.manners.keep_data {
            let octets = body.slices().flat_map(|slice| slice.iter().copied()).collect();
            self.seen.push((id, Seen::Data(octets)));
        }
        if self.manners.pause {
            ctx.pause(id);
        }
        if self.manners.echo {
            ctx.data_request_body(id, body, Enclosure::WHOLE).unwrap();
        } else if let Some(reply) = &self.reply
            && self.replies_left > 0
        {
            self.replies_left -= 1;
            ctx.data_request(id, std::slice::from_ref(reply), Enclosure::WHOLE).unwrap();
        }
    }

    fn connect_indicated<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        connect: &ConnectParameters<'_>,
    ) {
        match self.manners.connect {
            ConnectAnswer::Accept => ctx.connect_response(id, &acceptance(connect.requirements)).unwrap(),
            ConnectAnswer::Refuse(reason) => {
                let refuse = RefuseParameters { reason, user_data: &[], transport_kept: false };
                ctx.connect_refuse(id, &refuse).unwrap();
            }
            ConnectAnswer::Nothing => {}
        }
    }
}

impl Application for Recorder {
    type Session = u32;
    type Command = u32;

    fn transport_connect<D: Driver>(
        &mut self,
        _: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
        _: SocketAddr,
        _: &ConnectTpdu,
    ) -> TransportAnswer {
        self.seen.push((id, Seen::TransportConnect(listener)));
        self.manners.transport
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        let seen = match indication {
            Indication::Data { .. } => return self.data_indicated(ctx, id, body),
            Indication::Connect(connect) => {
                self.seen.push((id, Seen::Connect(connect.user_data.to_vec())));
                return self.connect_indicated(ctx, id, &connect);
            }
            Indication::Release { .. } => {
                self.seen.push((id, Seen::Release));
                if self.manners.release {
                    ctx.release_response(id, true, &[]).unwrap();
                }
                return;
            }
            Indication::ConnectConfirm(_) => Seen::Confirm,
            Indication::ConnectRefused(refuse) => Seen::Refused(refuse.reason),
            Indication::TokenGive { .. } => Seen::TokenGive,
            Indication::TokenPlease { .. } => Seen::TokenPlease,
            Indication::ReleaseConfirm { affirmative, .. } => Seen::ReleaseConfirm(affirmative),
            Indication::UserAbort { .. } => Seen::UserAbort,
            Indication::ProviderAbort { reason } => Seen::ProviderAbort(reason),
            other => panic!("no test makes {other:?}"),
        };
        self.seen.push((id, seen));
    }

    fn writable<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId) {
        self.seen.push((id, Seen::Writable));
    }

    fn timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId) {
        self.seen.push((id, Seen::Timer));
    }

    fn ended<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd) {
        assert!(ctx.state(id).is_some(), "the state is there until `ended` returns");
        let end = match end {
            SessionEnd::Network(_) => "Network".to_owned(),
            other => format!("{other:?}"),
        };
        self.seen.push((id, Seen::Ended(end)));
    }

    fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId, fault: Fault) {
        let ended = self.seen.iter().any(|(seen_id, seen)| *seen_id == id && matches!(seen, Seen::Ended(_)));
        assert!(!ended, "a fault is told before the end");
        self.seen.push((id, Seen::Fault(format!("{fault:?}"))));
    }

    fn command<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, command: u32) {
        let none = SessionId { index: u32::MAX, generation: 0 };
        self.seen.push((none, Seen::Command(command)));
    }

    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {
        let none = SessionId { index: u32::MAX, generation: 0 };
        self.seen.push((none, Seen::ShardTimer));
    }
}

pub fn acceptance(requirements: FunctionalUnits) -> AcceptParameters<'static> {
    AcceptParameters {
        identifier: ConnectionIdentifier::default(),
        responding: None,
        requirements,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tokens_please: Tokens::empty(),
        tsdu_maximum_size: None,
        user_data: &[],
    }
}

pub fn proposal(user_data: &[u8]) -> ConnectParameters<'_> {
    ConnectParameters {
        identifier: ConnectionIdentifier::default(),
        calling: Selector::NULL,
        called: Selector::NULL,
        versions: Versions::V2,
        requirements: FunctionalUnits::DUPLEX,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tsdu_maximum_size: None,
        user_data,
    }
}

pub fn target<'a>(address: SocketAddr, connect: ConnectParameters<'a>) -> ConnectTarget<'a> {
    ConnectTarget {
        address,
        options: ConnectOptions::default(),
        calling_tsap: None,
        called_tsap: None,
        transport: Class0Config::default(),
        session: SessionConfig::default(),
        connect,
    }
}

/// Two shards on loopback.
pub struct Pair {
    pub server: Shard<MioDriver, Recorder>,
    pub client: Shard<MioDriver, Recorder>,
    pub address: SocketAddr,
}

impl Pair {
    pub fn new(server: Manners, client: Manners) -> Self {
        Self::with(server, client, ShardConfig::default(), ListenerConfig::default())
    }

    pub fn with(server: Manners, client: Manners, config: ShardConfig, listener: ListenerConfig) -> Self {
        let mut server = Shard::new(driver(), Recorder::new(server), config);
        let client = Shard::new(driver(), Recorder::new(client), config);
        let socket = local_listener();
        let address = socket.local_addr().unwrap();
        server.listen(socket, 7, listener).unwrap();
        Self { server, client, address }
    }

    /// Turns both until `done`, or panics after ten seconds.
    pub fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done(self) {
            self.client.turn(Some(Duration::ZERO)).unwrap();
            self.server.turn(Some(Duration::from_millis(1))).unwrap();
            assert!(
                Instant::now() < deadline,
                "server saw {:?}\nclient saw {:?}",
                self.server.app().seen,
                self.client.app().seen
            );
        }
    }

    pub fn connect(&mut self) -> Result<SessionId, ConnectError> {
        let address = self.address;
        self.client.with(|_, ctx| ctx.connect(&target(address, proposal(b"hello"))))
    }

    /// Connects, and waits until both sides have the session: client's id, server's id.
    pub fn established(&mut self) -> (SessionId, SessionId) {
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
    pub fn emptied(&mut self) {
        self.until(|pair| pair.client.connection_count() + pair.server.connection_count() == 0);
    }
}

pub fn driver() -> MioDriver {
    MioDriver::new(MioConfig::default()).unwrap()
}

pub fn local_listener() -> TcpListener {
    net::listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap()
}

//! An application that writes down what it is told.

use std::collections::HashSet;
use std::net::SocketAddr;

use colloquy_session::machine::Companions;
use colloquy_session::{
    AcceptParameters, ConnectParameters, ConnectionIdentifier, Enclosure, FunctionalUnits, Indication,
    ProviderAbortReason, RefuseParameters, Request, Selector, SessionConfig, TokenSettings, Tokens,
    Tolerated, Versions,
};
use colloquy_shard::{
    Admission, Application, ConnectTarget, Context, Fault, OpenTarget, Reach, SessionEnd, SessionId,
    ShardLimit, TransportAnswer, TransportRole,
};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::class0::{Class0Config, ConnectTpdu};
use colloquy_transport::driver::{ConnectOptions, Driver};

/// One call of the shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    TransportConnect(u32),
    Connect(Vec<u8>),
    Confirm,
    Refused(u8),
    Data(Vec<u8>),
    Typed(Vec<u8>),
    /// Any other indication.
    Told(String),
    /// What was opened without a session is there.
    Opened(Reach),
    /// The transport connection of that session goes on.
    Kept(SessionId),
    TokenGive,
    TokenPlease,
    Release,
    ReleaseConfirm(bool),
    UserAbort,
    ProviderAbort(ProviderAbortReason),
    Writable,
    Timer,
    Fault(String),
    /// A fault without consequences.
    Tolerated(String),
    Ended(String),
    Command(u32),
    ShardTimer,
}

/// How the application answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    pub(crate) admission: Admission,
    pub(crate) transport: TransportAnswer,
    /// Accepts, refuses with this reason, or leaves the CN unanswered.
    pub(crate) connect: ConnectAnswer,
    /// Answers FN.
    pub(crate) release: bool,
    pub(crate) echo: bool,
    /// Keeps the user data of `Data`; else only counts.
    pub(crate) keep_data: bool,
    /// Pauses a session after each `Data`.
    pub(crate) pause: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum ConnectAnswer {
    Accept,
    Refuse(u8),
    Nothing,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            admission: Admission::Admit,
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
pub(crate) struct Recorder {
    pub(crate) manners: Manners,
    pub(crate) seen: Vec<(SessionId, Seen)>,
    pub(crate) data_count: u64,
    pub(crate) data_octets: u64,
    /// What to send back when a `Data` comes and `echo` is off: the client of a ping-pong.
    pub(crate) reply: Option<Slice>,
    pub(crate) replies_left: u64,
    /// The ping-pong is one of typed data, which are counted and answered alone.
    pub(crate) typed: bool,
    /// The ping-pong is one of data that share their TSDU with a minor point and all tokens; nothing is written down.
    pub(crate) together: bool,
    /// Points counted then.
    pub(crate) points: u64,
    /// Sessions that were paused through [`Recorder::pause`]: nothing may be delivered from them.
    pub(crate) paused: HashSet<SessionId>,
    /// What an initiator does with a kept transport connection: connects again as often, then closes it.
    pub(crate) again_left: u64,
    /// Connections it was asked about, by the tag of their listener.
    pub(crate) accepted: Vec<(SessionId, u32)>,
    /// Limits of the shard that connections met.
    pub(crate) refused: Vec<(u32, ShardLimit)>,
    /// It does nothing with it at all.
    pub(crate) keep_idle: bool,
    /// The command that ends the shard.
    pub(crate) stop_on_command: Option<u32>,
}

impl Recorder {
    pub(crate) fn new(manners: Manners) -> Self {
        Self { manners, ..Self::default() }
    }

    pub(crate) fn pause<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        ctx.pause(id);
        self.paused.insert(id);
    }

    pub(crate) fn resume<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        ctx.resume(id);
        self.paused.remove(&id);
    }

    pub(crate) fn ends(&self) -> Vec<&str> {
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

    pub(crate) fn of(&self, id: SessionId) -> Vec<Seen> {
        self.seen.iter().filter(|each| each.0 == id).map(|each| each.1.clone()).collect()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Seen) -> bool) -> usize {
        self.seen.iter().filter(|each| wanted(&each.1)).count()
    }

    pub(crate) fn data(&self) -> Vec<Vec<u8>> {
        let data = self.seen.iter().filter_map(|(_, seen)| match seen {
            Seen::Data(octets) => Some(octets.clone()),
            _ => None,
        });
        data.collect()
    }

    fn data_indicated<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, body: &Body) {
        assert!(!self.paused.contains(&id), "{id:?} is paused");
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

    /// Counts data, and answers the tokens behind them with data, a point and the tokens.
    fn indicated_together<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: &Indication<'_>,
        body: &Body,
    ) {
        match indication {
            Indication::Data { .. } => {
                self.data_count += 1;
                self.data_octets += body.len() as u64;
            }
            Indication::SyncMinor { .. } => self.points += 1,
            Indication::TokenGive { .. } if self.replies_left > 0 => {
                self.replies_left -= 1;
                let reply = self.reply.as_slice();
                ctx.data_request_with(id, reply, Enclosure::WHOLE, &TOGETHER).unwrap();
            }
            _ => {}
        }
    }

    fn typed_data_indicated<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        body: &Body,
    ) {
        self.data_count += 1;
        if self.manners.echo {
            ctx.typed_data_request_body(id, body, Enclosure::WHOLE).unwrap();
        } else if let Some(reply) = &self.reply
            && self.replies_left > 0
        {
            self.replies_left -= 1;
            ctx.typed_data_request(id, std::slice::from_ref(reply), Enclosure::WHOLE).unwrap();
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

    fn accepted<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
        peer: SocketAddr,
    ) -> Admission {
        assert_eq!((ctx.peer(id), ctx.listener(id)), (Some(peer), Some(listener)));
        self.accepted.push((id, listener));
        self.manners.admission
    }

    fn refused<D: Driver>(
        &mut self,
        _: &mut Context<'_, D, Self>,
        listener: u32,
        _: SocketAddr,
        limit: ShardLimit,
    ) {
        self.refused.push((listener, limit));
    }

    fn opened<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId, reach: Reach) {
        self.seen.push((id, Seen::Opened(reach)));
    }

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
        let goes_together = matches!(
            indication,
            Indication::Data { .. } | Indication::SyncMinor { .. } | Indication::TokenGive { .. }
        );
        if self.together && goes_together {
            return self.indicated_together(ctx, id, &indication, body);
        }
        let seen = match indication {
            Indication::Data { .. } => return self.data_indicated(ctx, id, body),
            Indication::TypedData { .. } if self.typed => return self.typed_data_indicated(ctx, id, body),
            Indication::TypedData { .. } => {
                Seen::Typed(body.slices().flat_map(|slice| slice.iter().copied()).collect())
            }
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
            other => Seen::Told(format!("{other:?}")),
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

    fn transport_kept<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        role: TransportRole,
        previous: SessionId,
    ) {
        assert!(self.of(previous).iter().any(|seen| matches!(seen, Seen::Ended(_))), "the old one has ended");
        assert!(ctx.state(previous).is_none() && ctx.state(id).is_some());
        self.seen.push((id, Seen::Kept(previous)));
        if role == TransportRole::Responder || self.keep_idle {
            return;
        }
        if self.again_left > 0 {
            self.again_left -= 1;
            ctx.connect_again(id, &proposal(b"again")).unwrap();
        } else {
            ctx.transport_disconnect(id);
        }
    }

    fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId, fault: Fault) {
        let ended = self.seen.iter().any(|(seen_id, seen)| *seen_id == id && matches!(seen, Seen::Ended(_)));
        assert!(!ended, "a fault is told before the end");
        self.seen.push((id, Seen::Fault(format!("{fault:?}"))));
    }

    fn tolerated<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId, tolerated: Tolerated) {
        self.seen.push((id, Seen::Tolerated(format!("{tolerated:?}"))));
    }

    fn command<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, command: u32) {
        if self.stop_on_command == Some(command) {
            ctx.stop_listening();
            ctx.stop_when_empty();
        }
        let none = SessionId { index: u32::MAX, generation: 0 };
        self.seen.push((none, Seen::Command(command)));
    }

    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {
        let none = SessionId { index: u32::MAX, generation: 0 };
        self.seen.push((none, Seen::ShardTimer));
    }
}

/// A minor point with user data, and the tokens that are needed to answer in the same way.
pub(crate) const TOGETHER: Companions<'static> = Companions {
    begin: None,
    point: Some(Request::SyncMinor {
        confirmation_optional: true,
        data_separation: false,
        user_data: b"so far",
    }),
    tokens: Tokens::DATA.union(Tokens::MINOR),
};

pub(crate) fn acceptance(requirements: FunctionalUnits) -> AcceptParameters<'static> {
    AcceptParameters {
        identifier: ConnectionIdentifier::default(),
        responding: None,
        requirements,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tokens_please: Tokens::empty(),
        tsdu_maximum_size: None,
        user_data: &[],
        second_initial_serial_number: None,
    }
}

pub(crate) fn proposal(user_data: &[u8]) -> ConnectParameters<'_> {
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
        second_initial_serial_number: None,
    }
}

pub(crate) fn target<'a>(address: SocketAddr, connect: ConnectParameters<'a>) -> ConnectTarget<'a> {
    ConnectTarget {
        wire: None,
        address,
        options: ConnectOptions::default(),
        calling_tsap: None,
        called_tsap: None,
        transport: Class0Config::default(),
        session: SessionConfig::default(),
        connect,
    }
}

pub(crate) fn open_target(address: SocketAddr) -> OpenTarget<'static> {
    OpenTarget {
        address,
        options: ConnectOptions::default(),
        calling_tsap: None,
        called_tsap: None,
        transport: Class0Config::default(),
        session: SessionConfig::default(),
        wire: None,
    }
}

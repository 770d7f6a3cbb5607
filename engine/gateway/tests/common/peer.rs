//! A scripted user of the session service: keeps what it is told, answers CN as it was told to.

use std::net::SocketAddr;

use colloquy_session::{
    AcceptParameters, ConnectionIdentifier, Enclosure, FunctionalUnits, Indication, ProviderAbortReason,
    RefuseParameters, Selector, TokenSettings, Tokens, TsduMaximumSize, Versions,
};
use colloquy_shard::{Application, Context, Fault, SessionEnd, SessionId, TransportAnswer, TransportRole};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

/// One call of the shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Connect(Connected),
    Accept(Accepted),
    Refused(u8, Vec<u8>),
    Data(Vec<u8>),
    Segment(Vec<u8>, Enclosure),
    TokenGive(Tokens, Vec<u8>),
    TokenPlease(Tokens, Vec<u8>),
    Release(Vec<u8>),
    ReleaseConfirm(bool, Vec<u8>),
    UserAbort(Vec<u8>),
    ProviderAbort(ProviderAbortReason),
    Fault(Fault),
    /// Any other indication, as it is printed.
    Told(String),
    Ended(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    pub called_tsap: Vec<u8>,
    pub calling_tsap: Vec<u8>,
    pub calling: Selector,
    pub called: Selector,
    pub versions: Versions,
    pub requirements: FunctionalUnits,
    pub tsdu_maximum_size: Option<TsduMaximumSize>,
    pub reference: Vec<u8>,
    pub user_data: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub responding: Option<Selector>,
    pub requirements: FunctionalUnits,
    pub user_data: Vec<u8>,
}

/// What to do with a CN.
#[derive(Clone, Copy, Debug)]
pub enum Manners {
    /// Accept with these units.
    Accept(FunctionalUnits, &'static [u8]),
    /// Accept half duplex and ask for these tokens at once.
    AcceptAndAsk(Tokens),
    Refuse(u8, &'static [u8]),
    UserAbort(&'static [u8]),
    ProviderAbort,
    RefuseTransport(u8),
    Nothing,
}

impl Default for Manners {
    fn default() -> Self {
        Manners::Accept(FunctionalUnits::all(), b"accept")
    }
}

pub struct Peer {
    pub manners: Manners,
    pub sessions: Vec<SessionId>,
    pub seen: Vec<(SessionId, Seen)>,
    /// Sessions that stop receiving after each SSDU.
    pub pause: bool,
    /// Transport connections that are kept are left open, and are here.
    pub kept: Option<Vec<SessionId>>,
    transport: Vec<(SessionId, ConnectTpdu)>,
}

impl Peer {
    pub fn new(manners: Manners) -> Peer {
        let (sessions, seen, transport) = (Vec::new(), Vec::new(), Vec::new());
        Peer { manners, sessions, seen, pause: false, kept: None, transport }
    }

    /// What a session has seen, in order.
    pub fn of(&self, id: SessionId) -> Vec<Seen> {
        self.seen.iter().filter(|(of, _)| *of == id).map(|(_, seen)| seen.clone()).collect()
    }

    /// What a session has seen since it was established.
    pub fn since_open(&self, id: SessionId) -> Vec<Seen> {
        self.of(id).split_off(1)
    }

    /// The session that was accepted last.
    pub fn last(&self) -> SessionId {
        *self.sessions.last().expect("a session was accepted")
    }

    /// The CN of a session.
    pub fn connected(&self, id: SessionId) -> Connected {
        match &self.of(id)[..] {
            [Seen::Connect(connected), ..] => connected.clone(),
            other => panic!("no CN first: {other:?}"),
        }
    }

    /// All SSDUs of a session.
    pub fn ssdus(&self, id: SessionId) -> Vec<Vec<u8>> {
        let ssdus = self.seen.iter().filter_map(|(of, seen)| match seen {
            Seen::Data(octets) if *of == id => Some(octets.clone()),
            _ => None,
        });
        ssdus.collect()
    }

    fn answer<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        match self.manners {
            Manners::Accept(requirements, user_data) => {
                ctx.connect_response(id, &accept(requirements, user_data)).unwrap();
            }
            Manners::AcceptAndAsk(tokens_please) => {
                let accept = accept(FunctionalUnits::all(), b"");
                ctx.connect_response(id, &AcceptParameters { tokens_please, ..accept }).unwrap();
            }
            Manners::Refuse(reason, user_data) => {
                let refuse = RefuseParameters { reason, user_data, transport_kept: false };
                ctx.connect_refuse(id, &refuse).unwrap();
            }
            Manners::UserAbort(user_data) => ctx.abort_request(id, user_data).unwrap(),
            Manners::ProviderAbort => ctx.provider_abort(id, ProviderAbortReason::ProtocolError),
            Manners::RefuseTransport(_) | Manners::Nothing => {}
        }
    }
}

/// Sends one SSDU.
pub fn send<D: Driver>(ctx: &mut Context<'_, D, Peer>, id: SessionId, octets: &[u8]) {
    ctx.data_request(id, &[Slice::from_vec(octets.to_vec())], Enclosure::WHOLE).unwrap();
}

pub fn accept(requirements: FunctionalUnits, user_data: &[u8]) -> AcceptParameters<'_> {
    AcceptParameters {
        identifier: ConnectionIdentifier::default(),
        responding: None,
        requirements,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tokens_please: Tokens::empty(),
        tsdu_maximum_size: None,
        user_data,
        second_initial_serial_number: None,
    }
}

impl Application for Peer {
    type Session = ();
    type Command = ();

    fn transport_connect<D: Driver>(
        &mut self,
        _: &mut Context<'_, D, Self>,
        id: SessionId,
        _: u32,
        _: SocketAddr,
        connect: &ConnectTpdu,
    ) -> TransportAnswer {
        self.sessions.push(id);
        self.transport.push((id, *connect));
        match self.manners {
            Manners::RefuseTransport(reason) => TransportAnswer::Refuse(reason),
            _ => TransportAnswer::Accept,
        }
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        let seen = match indication {
            Indication::Data { enclosure, .. } => {
                if self.pause {
                    ctx.pause(id);
                }
                let octets = body.slices().flat_map(|slice| slice.iter().copied()).collect();
                if enclosure == Enclosure::WHOLE {
                    Seen::Data(octets)
                } else {
                    Seen::Segment(octets, enclosure)
                }
            }
            Indication::Connect(connect) => {
                let transport = self.transport.iter().rev().find(|(of, _)| *of == id).unwrap().1;
                let tsap = |selector: Option<colloquy_transport::class0::TransportSelector>| {
                    selector.map(|selector| selector.as_octets().to_vec()).unwrap_or_default()
                };
                self.seen.push((
                    id,
                    Seen::Connect(Connected {
                        called_tsap: tsap(transport.called),
                        calling_tsap: tsap(transport.calling),
                        calling: connect.calling,
                        called: connect.called,
                        versions: connect.versions,
                        requirements: connect.requirements,
                        tsdu_maximum_size: connect.tsdu_maximum_size,
                        reference: connect.identifier.user_reference.to_vec(),
                        user_data: connect.user_data.to_vec(),
                    }),
                ));
                return self.answer(ctx, id);
            }
            Indication::ConnectConfirm(accept) => Seen::Accept(Accepted {
                responding: accept.responding,
                requirements: accept.requirements,
                user_data: accept.user_data.to_vec(),
            }),
            Indication::ConnectRefused(refuse) => Seen::Refused(refuse.reason, refuse.user_data.to_vec()),
            Indication::TokenGive { tokens, user_data } => Seen::TokenGive(tokens, user_data.to_vec()),
            Indication::TokenPlease { tokens, user_data } => Seen::TokenPlease(tokens, user_data.to_vec()),
            Indication::Release { user_data } => Seen::Release(user_data.to_vec()),
            Indication::ReleaseConfirm { affirmative, user_data } => {
                Seen::ReleaseConfirm(affirmative, user_data.to_vec())
            }
            Indication::UserAbort { user_data } => Seen::UserAbort(user_data.to_vec()),
            Indication::ProviderAbort { reason } => Seen::ProviderAbort(reason),
            other => Seen::Told(format!("{other:?}")),
        };
        self.seen.push((id, seen));
    }

    fn writable<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}

    fn timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}

    fn ended<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd) {
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
        _: TransportRole,
        _: SessionId,
    ) {
        match &mut self.kept {
            Some(kept) => kept.push(id),
            None => ctx.transport_disconnect(id),
        }
    }

    fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId, fault: Fault) {
        self.seen.push((id, Seen::Fault(fault)));
    }

    fn command<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, (): ()) {}

    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {}
}

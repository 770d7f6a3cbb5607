//! A responder for tests of the generator: an echo that can be told to misbehave.
#![allow(clippy::unwrap_used)] // For tests only.

mod operations;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use colloquy_session::{
    AcceptParameters, ConnectionIdentifier, Enclosure, FunctionalUnits, Indication, ProviderAbortReason,
    RefuseParameters, SessionConfig, TokenSettings, Tokens,
};
use colloquy_shard::thread::{ShardThread, ThreadOptions, spawn};
use colloquy_shard::{
    Application, Context, Fault, ListenerConfig, SessionEnd, SessionId, Shard, ShardConfig, TransportAnswer,
};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::class0::{Class0Config, ConnectTpdu};
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::net::{ListenOptions, listen};

/// What the responder does wrong; `nth` counts its SSDUs of one session from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Nothing.
    Good,
    /// Never answers the nth.
    Swallow { nth: u64 },
    /// Answers the nth after the one that follows it.
    Swap { nth: u64 },
    /// Answers the nth with one bit changed.
    Flip { nth: u64 },
    /// Answers the nth twice.
    Double { nth: u64 },
    /// Answers the nth, and all that come meanwhile, after this time.
    Stall { nth: u64, time: Duration },
    /// Aborts the session instead of answering the nth.
    Abort { nth: u64 },
    /// Refuses every S-CONNECT with reason 1.
    Refuse,
    /// Refuses every T-CONNECT.
    RefuseTransport,
    /// Takes no functional unit but the dialogue.
    OnlyDialogue,
    /// Answers operations and expedited SSDUs with other user data.
    WrongMark,
    /// Never confirms a minor point.
    NoMinorConfirm,
    /// Never confirms a major point.
    NoMajorConfirm,
    /// Never answers typed SSDUs.
    NoTyped,
    /// Answers typed SSDUs by plain ones.
    TypedAsData,
}

/// The running responder.
pub(crate) struct Responder {
    pub(crate) address: SocketAddr,
    peers: Arc<Mutex<BTreeSet<IpAddr>>>,
    shard: ShardThread<(), ()>,
}

impl Responder {
    pub(crate) fn start(habit: Habit) -> Responder {
        Self::start_with(habit, false)
    }

    /// One that takes extended concatenation, or does not.
    pub(crate) fn start_with(habit: Habit, extended_concatenation: bool) -> Responder {
        let socket = listen(([127, 0, 0, 1], 0).into(), &ListenOptions::default()).unwrap();
        let address = socket.local_addr().unwrap();
        let peers = Arc::default();
        let echo = Echo { habit, peers: Arc::clone(&peers) };
        let build = move || {
            let driver = MioDriver::new(MioConfig::default())?;
            let mut shard = Shard::new(driver, echo, ShardConfig::default());
            let transport =
                Class0Config { tsdu_octets_max: 32 << 20, expedited: true, ..Class0Config::default() };
            let session = SessionConfig {
                functional_units: FunctionalUnits::all() - FunctionalUnits::SYMMETRIC_SYNC,
                extended_concatenation,
                ..SessionConfig::default()
            };
            shard.listen(socket, 0, ListenerConfig { transport, session, ..ListenerConfig::default() })?;
            Ok(shard)
        };
        let shard = spawn(ThreadOptions::default(), build, drop).unwrap();
        Responder { address, peers, shard }
    }

    /// Addresses that transport connections came from.
    pub(crate) fn peers(&self) -> Vec<IpAddr> {
        self.peers.lock().unwrap().iter().copied().collect()
    }

    /// Ends it once the last session is gone.
    pub(crate) fn stop(self) {
        self.shard.commander.send(()).unwrap();
        self.shard.join().unwrap();
    }
}

struct Echo {
    habit: Habit,
    peers: Arc<Mutex<BTreeSet<IpAddr>>>,
}

#[derive(Default)]
pub(crate) struct State {
    count: u64,
    /// Held back until a later answer or the timer.
    held: Vec<Vec<Slice>>,
    stalled: bool,
}

impl Echo {
    fn answer<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId, slices: Vec<Slice>) {
        let token = Tokens::DATA;
        let machine = ctx.machine(id).unwrap();
        if machine.tokens_available().contains(token) && !machine.tokens_owned().contains(token) {
            ctx.state(id).unwrap().held.push(slices);
            return;
        }
        ctx.data_request(id, &slices, Enclosure::WHOLE).unwrap();
    }

    fn answer_held<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        for slices in std::mem::take(&mut ctx.state(id).unwrap().held) {
            self.answer(ctx, id, slices);
        }
    }

    fn data<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId, body: &Body) {
        let slices: Vec<Slice> = body.slices().cloned().collect();
        let now = ctx.now();
        let state = ctx.state(id).unwrap();
        state.count += 1;
        let (count, stalled) = (state.count, state.stalled);
        match self.habit {
            Habit::Swallow { nth } if nth == count => {}
            Habit::Swap { nth } if nth == count => state.held.push(slices),
            Habit::Swap { nth } if nth + 1 == count => {
                self.answer(ctx, id, slices);
                self.answer_held(ctx, id);
            }
            Habit::Flip { nth } if nth == count => {
                let mut octets: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
                *octets.last_mut().unwrap() ^= 1;
                self.answer(ctx, id, vec![Slice::from_vec(octets)]);
            }
            Habit::Double { nth } if nth == count => {
                self.answer(ctx, id, slices.clone());
                self.answer(ctx, id, slices);
            }
            Habit::Stall { nth, time } if nth == count => {
                state.stalled = true;
                state.held.push(slices);
                ctx.set_timer(id, Some(now + time));
            }
            Habit::Stall { .. } if stalled => state.held.push(slices),
            Habit::Abort { nth } if nth == count => {
                ctx.provider_abort(id, ProviderAbortReason::ProtocolError);
            }
            _ => self.answer(ctx, id, slices),
        }
    }
}

impl Application for Echo {
    type Session = State;
    type Command = ();

    fn transport_connect<D: Driver>(
        &mut self,
        _: &mut Context<'_, D, Self>,
        _: SessionId,
        _: u32,
        peer: SocketAddr,
        _: &ConnectTpdu,
    ) -> TransportAnswer {
        self.peers.lock().unwrap().insert(peer.ip());
        if self.habit == Habit::RefuseTransport {
            TransportAnswer::Refuse(3)
        } else {
            TransportAnswer::Accept
        }
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        match indication {
            Indication::Connect(_) if self.habit == Habit::Refuse => {
                let refuse = RefuseParameters { reason: 1, user_data: &[], transport_kept: false };
                ctx.connect_refuse(id, &refuse).unwrap();
            }
            Indication::Connect(connect) => {
                let dialogue = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX;
                let wanted =
                    if self.habit == Habit::OnlyDialogue { dialogue } else { FunctionalUnits::all() };
                let accept = AcceptParameters {
                    identifier: ConnectionIdentifier::default(),
                    responding: None,
                    requirements: connect.requirements & wanted,
                    initial_serial_number: None,
                    token_settings: TokenSettings::default(),
                    tokens_please: Tokens::empty(),
                    tsdu_maximum_size: None,
                    user_data: connect.user_data,
                    second_initial_serial_number: None,
                };
                ctx.connect_response(id, &accept).unwrap();
            }
            Indication::Data { .. } => self.data(ctx, id, body),
            // In half duplex the token comes behind a round of requests and goes back with the answers.
            Indication::TokenGive { tokens, .. } => {
                self.answer_held(ctx, id);
                ctx.token_give_request(id, tokens, &[]).unwrap();
            }
            Indication::TokenPlease { tokens, .. }
                if ctx.machine(id).unwrap().tokens_owned().contains(tokens) =>
            {
                ctx.token_give_request(id, tokens, &[]).unwrap();
            }
            Indication::Release { .. } => ctx.release_response(id, true, &[]).unwrap(),
            other => self.operation(ctx, id, &other, body),
        }
    }

    fn writable<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}

    fn timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        ctx.state(id).unwrap().stalled = false;
        self.answer_held(ctx, id);
    }

    fn ended<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, _: SessionEnd) {}

    fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, fault: Fault) {
        panic!("the generator broke the protocol: {fault:?}");
    }

    fn command<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, (): ()) {
        ctx.stop_listening();
        ctx.stop_when_empty();
    }

    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {}
}

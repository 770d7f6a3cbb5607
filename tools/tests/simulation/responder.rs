//! Responders: users behind the gateway that echo, refuse, release or abort as their plan says.

use std::net::SocketAddr;

use colloquy_session::{
    AcceptParameters, ConnectionIdentifier, Enclosure, Indication, RefuseParameters, TokenSettings, Tokens,
};
use colloquy_shard::{Application, Context, Fault, SessionEnd, SessionId, TransportAnswer};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::sim::Random;

use crate::content::{Checker, ssdu};
use crate::initiator::classify;
use crate::ledger::{End, Ledger};

/// What one responder does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    /// Refuses with user data.
    pub(crate) refuse: bool,
    /// Aborts after so many SSDUs.
    pub(crate) abort_after: Option<u32>,
    /// Releases after so many SSDUs (only where no token forbids it).
    pub(crate) release_after: Option<u32>,
}

impl Plan {
    /// A plan drawn at random.
    pub(crate) fn draw(random: &mut Random) -> Plan {
        let mut some = |one_in: u64| (random.below(one_in) == 0).then(|| 1 + random.below(8) as u32);
        let (abort_after, release_after) = (some(8), some(8));
        Plan { refuse: random.below(12) == 0, abort_after, release_after }
    }
}

/// State of one session.
#[derive(Debug, Default)]
pub(crate) struct State {
    session: Option<u32>,
    received: u32,
    echoed: u32,
    checker: Checker,
    open: bool,
    end: Option<End>,
}

/// All responders of a run.
pub(crate) struct Responders {
    pub(crate) ledger: Ledger,
    pub(crate) plans: Vec<Plan>,
}

impl Responders {
    fn connect<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        connect: &colloquy_session::ConnectParameters<'_>,
    ) {
        let number =
            <[u8; 4]>::try_from(connect.user_data).expect("the user data of CN came through unchanged");
        let session = u32::from_be_bytes(number);
        self.ledger.with(session, |entry| {
            assert!(!entry.indicated, "session {session} is indicated twice");
            entry.indicated = true;
        });
        let plan = self.plans[session as usize];
        let state = ctx.state(id).expect("its session");
        (state.session, state.open) = (Some(session), !plan.refuse);
        if plan.refuse {
            state.end = Some(End::Refused);
            let refuse = RefuseParameters { reason: 2, user_data: b"no", transport_kept: false };
            return ctx
                .connect_refuse(id, &refuse)
                .expect("a session that waits for an answer can be refused");
        }
        let accept = AcceptParameters {
            identifier: ConnectionIdentifier::default(),
            responding: None,
            requirements: connect.requirements,
            initial_serial_number: None,
            token_settings: TokenSettings::default(),
            tokens_please: Tokens::empty(),
            tsdu_maximum_size: None,
            user_data: connect.user_data,
            second_initial_serial_number: None,
        };
        ctx.connect_response(id, &accept).expect("what was proposed can be accepted");
    }

    fn go_on<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        loop {
            let tokens = ctx.machine(id).map(|machine| (machine.tokens_available(), machine.tokens_owned()));
            let Some((available, owned)) = tokens else { return };
            let Some(state) = ctx.state(id).filter(|state| state.open) else { return };
            let (Some(session), received) = (state.session, state.received) else { return };
            let plan = self.plans[session as usize];
            if plan.abort_after.is_some_and(|after| received >= after) {
                state.open = false;
                let _ = ctx.abort_request(id, b"stop");
                return;
            }
            if plan.release_after.is_some_and(|after| received >= after) && available == owned {
                state.open = false;
                let _ = ctx.release_request(id, &[]);
                return;
            }
            if state.echoed == received || available != owned {
                return;
            }
            let body = Slice::from_vec(ssdu(session, state.echoed));
            state.echoed += 1;
            ctx.data_request(id, &[body], Enclosure::WHOLE)
                .expect("an open session with its token takes data");
            self.ledger.with(session, |entry| entry.back.sent += 1);
            if available.contains(Tokens::DATA) {
                ctx.token_give_request(id, Tokens::DATA, &[]).expect("the token is here");
            }
        }
    }
}

impl Application for Responders {
    type Session = State;
    type Command = ();

    fn transport_connect<D: Driver>(
        &mut self,
        _: &mut Context<'_, D, Self>,
        _: SessionId,
        _: u32,
        _: SocketAddr,
        _: &ConnectTpdu,
    ) -> TransportAnswer {
        TransportAnswer::Accept
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        let segmented = ctx.machine(id).is_some_and(|spm| spm.tsdu_maximum_size().initiator_to_responder > 0);
        let Some(state) = ctx.state(id) else { return };
        match indication {
            Indication::Connect(connect) => self.connect(ctx, id, &connect),
            Indication::Data { enclosure, .. } => {
                let session = state.session.expect("data follow a connect");
                assert!(
                    segmented || enclosure == Enclosure::WHOLE,
                    "session {session}: a segment nobody agreed to"
                );
                if state.checker.take(session, body.slices().map(|slice| &slice[..]), enclosure.end) {
                    state.received += 1;
                    self.ledger.with(session, |entry| entry.forth.received += 1);
                }
            }
            Indication::Release { .. } => {
                state.open = false;
                let _ = ctx.release_response(id, true, &[]);
            }
            Indication::ReleaseConfirm { affirmative: true, .. } => state.end = Some(End::Released),
            Indication::UserAbort { .. } => (state.open, state.end) = (false, Some(End::UserAborted)),
            Indication::ProviderAbort { .. } => (state.open, state.end) = (false, Some(End::Lost)),
            _ => {}
        }
        self.go_on(ctx, id);
    }

    fn writable<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        self.go_on(ctx, id);
    }

    fn ended<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd) {
        let Some(state) = ctx.state(id) else { return };
        let told = state.end;
        // A connection that was lost before its CN came is known to nobody but the gateway.
        if let Some(session) = state.session {
            self.ledger
                .with(session, |entry| entry.responder_ends.push(told.unwrap_or_else(|| classify(&end))));
        }
    }

    fn fault<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, fault: Fault) {
        let session = ctx.state(id).and_then(|state| state.session);
        panic!("session {session:?}: the gateway broke the protocol: {fault:?}");
    }

    fn timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
    fn command<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, (): ()) {}
    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {}
}

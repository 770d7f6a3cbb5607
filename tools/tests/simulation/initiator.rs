//! Initiators: users that connect through the gateway and send, wait, release or abort as their plan says.

use std::net::SocketAddr;

use colloquy_session::{
    ConnectParameters, ConnectionIdentifier, Enclosure, FunctionalUnits, Indication, Selector, SessionConfig,
    TokenSettings, Tokens, TsduMaximumSize, Versions,
};
use colloquy_shard::{Application, ConnectTarget, Context, Fault, SessionEnd, SessionId, TransportAnswer};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::class0::{Class0Config, ConnectTpdu};
use colloquy_transport::driver::sim::Random;
use colloquy_transport::driver::{ConnectOptions, Driver};

use crate::content::{Checker, ssdu};
use crate::ledger::{End, Ledger};

/// What one initiator does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// SSDUs to send.
    pub(crate) ssdus: u32,
    /// SSDUs on their way at once.
    pub(crate) depth: u32,
    /// One side speaks at a time, the data token goes with each SSDU.
    pub(crate) half_duplex: bool,
    /// Aborts after so many echoes; releases after all when it has none.
    pub(crate) abort_after: Option<u32>,
    /// TSDU maximum size to propose.
    pub(crate) tsdu_octets_max: Option<u16>,
    /// Versions to propose.
    pub(crate) versions: Versions,
    /// TPDU size to propose.
    pub(crate) tpdu_octets_max: u32,
}

impl Plan {
    /// A plan drawn at random.
    pub(crate) fn draw(random: &mut Random) -> Plan {
        let ssdus = random.below(16) as u32;
        Plan {
            ssdus,
            depth: 1 + random.below(5) as u32,
            half_duplex: random.below(3) == 0,
            abort_after: (random.below(6) == 0).then(|| random.below(u64::from(ssdus) + 1) as u32),
            tsdu_octets_max: (random.below(4) == 0).then(|| 64 + random.below(4000) as u16),
            versions: [Versions::V1, Versions::V2, Versions::V1 | Versions::V2][random.below(3) as usize],
            tpdu_octets_max: 128 << random.below(7),
        }
    }
}

/// State of one session.
#[derive(Debug, Default)]
pub(crate) struct State {
    session: u32,
    sent: u32,
    checker: Checker,
    open: bool,
    end: Option<End>,
}

/// All initiators of a run.
pub(crate) struct Initiators {
    pub(crate) ledger: Ledger,
    pub(crate) plans: Vec<Plan>,
    pub(crate) gateway: SocketAddr,
}

impl Initiators {
    /// Opens session number `session`.
    pub(crate) fn open<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, session: u32) {
        let plan = self.plans[session as usize];
        let unit = if plan.half_duplex { FunctionalUnits::HALF_DUPLEX } else { FunctionalUnits::DUPLEX };
        let size = plan
            .tsdu_octets_max
            .map(|octets| TsduMaximumSize { initiator_to_responder: octets, responder_to_initiator: octets });
        let target = ConnectTarget {
            wire: None,
            address: self.gateway,
            options: ConnectOptions::default(),
            calling_tsap: None,
            called_tsap: None,
            transport: Class0Config { tpdu_octets_max: plan.tpdu_octets_max, ..Class0Config::default() },
            session: SessionConfig::default(),
            connect: ConnectParameters {
                identifier: ConnectionIdentifier::default(),
                calling: Selector::NULL,
                called: Selector::NULL,
                versions: plan.versions,
                requirements: unit,
                initial_serial_number: None,
                token_settings: TokenSettings::default(),
                tsdu_maximum_size: size,
                user_data: &session.to_be_bytes(),
                second_initial_serial_number: None,
            },
        };
        match ctx.connect(&target) {
            Ok(id) => ctx.state(id).expect("just made").session = session,
            Err(_) => self.ledger.with(session, |entry| entry.initiator_ends.push(End::Lost)),
        }
    }

    /// Sends what depth and token allow, or ends the session when the plan is done.
    fn go_on<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        loop {
            let owned = ctx.machine(id).is_some_and(|machine| {
                machine.tokens_available() == machine.tokens_owned() && machine.version().is_some()
            });
            let Some(state) = ctx.state(id).filter(|state| state.open) else { return };
            let (session, sent) = (state.session, state.sent);
            let plan = self.plans[session as usize];
            let echoed = self.ledger.with(session, |entry| entry.back.received);
            if plan.abort_after.is_some_and(|after| echoed >= after) {
                state.open = false;
                let _ = ctx.abort_request(id, b"enough");
                return;
            }
            if sent == plan.ssdus && echoed == plan.ssdus && owned {
                state.open = false;
                let _ = ctx.release_request(id, &[]);
                return;
            }
            if !owned || sent == plan.ssdus || sent - echoed >= plan.depth {
                return;
            }
            state.sent += 1;
            let body = Slice::from_vec(ssdu(session, sent));
            ctx.data_request(id, &[body], Enclosure::WHOLE)
                .expect("an open session with its token takes data");
            self.ledger.with(session, |entry| entry.forth.sent += 1);
            if plan.half_duplex {
                ctx.token_give_request(id, Tokens::DATA, &[]).expect("the token is here");
            }
        }
    }
}

impl Application for Initiators {
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
        unreachable!("initiators do not listen")
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        let segmented = ctx.machine(id).is_some_and(|spm| spm.tsdu_maximum_size().responder_to_initiator > 0);
        let Some(state) = ctx.state(id) else { return };
        match indication {
            Indication::ConnectConfirm(_) => state.open = true,
            Indication::Data { enclosure, .. } => {
                let session = state.session;
                assert!(
                    segmented || enclosure == Enclosure::WHOLE,
                    "session {session}: a segment nobody agreed to"
                );
                if state.checker.take(session, body.slices().map(|slice| &slice[..]), enclosure.end) {
                    self.ledger.with(session, |entry| entry.back.received += 1);
                }
            }
            Indication::Release { .. } => {
                state.open = false;
                let _ = ctx.release_response(id, true, &[]);
            }
            Indication::ConnectRefused(_) => state.end = Some(End::Refused),
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
        let (session, told) = (state.session, state.end);
        self.ledger.with(session, |entry| entry.initiator_ends.push(told.unwrap_or_else(|| classify(&end))));
    }

    fn fault<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, fault: Fault) {
        let session = ctx.state(id).map(|state| state.session);
        panic!("session {session:?}: the gateway broke the protocol: {fault:?}");
    }

    fn timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
    fn command<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, (): ()) {}
    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {}
}

/// How an end without an indication counts.
pub(crate) fn classify(end: &SessionEnd) -> End {
    match end {
        SessionEnd::Released => End::Answered,
        SessionEnd::Refused { .. } | SessionEnd::TransportRefused { .. } => End::Refused,
        SessionEnd::Aborted { by_user: true, .. } => End::UserAborted,
        _ => End::Lost,
    }
}

//! A user of the session service: asks at random, answers what is asked, and remembers what it was told.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use colloquy_session::{
    AcceptParameters, Enclosure, Indication, Request, SerialNumbers, State as SpmState, TokenSettings,
};
use colloquy_shard::{Application, Context, Fault, SessionEnd, SessionId, TransportAnswer};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::sim::Random;

use crate::action;
use crate::content::{self, Arrivals};
use crate::plan::Plan;

/// Flows of content, by their number.
const DATA: u8 = 0;
const TYPED: u8 = 1;
const EXPEDITED: u8 = 2;

/// What every run of the tests has to bring at least once.
pub(crate) const INDICATIONS: [&str; 22] = [
    "Data",
    "TypedData",
    "ExpeditedData",
    "TokenGive",
    "TokenPlease",
    "ControlGive",
    "CapabilityData",
    "CapabilityDataConfirm",
    "SyncMinor",
    "SyncMinorConfirm",
    "SyncMajor",
    "SyncMajorConfirm",
    "Resynchronize",
    "ResynchronizeConfirm",
    "UserException",
    "ActivityStart",
    "ActivityResume",
    "ActivityInterrupt",
    "ActivityInterruptConfirm",
    "ActivityDiscard",
    "ActivityDiscardConfirm",
    "ActivityEnd",
];

/// How a session ended for its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Released,
    Aborted,
    /// With its connection.
    Lost,
}

/// One user, with one session.
#[derive(Debug)]
pub(crate) struct User {
    plan: Plan,
    pub(crate) session: Option<SessionId>,
    pub(crate) open: bool,
    pub(crate) end: Option<End>,
    /// Aborts that this user asked for.
    pub(crate) aborted: bool,
    pub(crate) sent: [u32; 3],
    pub(crate) arrivals: [Arrivals; 3],
    pub(crate) steps: u64,
    pub(crate) told: BTreeMap<String, u64>,
    /// What happened, for the message of a failure.
    pub(crate) history: Vec<String>,
}

impl User {
    pub(crate) fn new(plan: Plan) -> User {
        User {
            plan,
            session: None,
            open: false,
            end: None,
            aborted: false,
            sent: [0; 3],
            arrivals: Default::default(),
            steps: 0,
            told: BTreeMap::new(),
            history: Vec::new(),
        }
    }

    /// Tries one request that is drawn at random.
    pub(crate) fn act<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, random: &mut Random) {
        let Some(id) = self.session.filter(|_| self.open) else { return };
        let Some(machine) = ctx.machine(id) else { return };
        match random.below(10) {
            _ if ctx.is_congested(id) => self.answer(ctx, random),
            0..=2 => self.send(ctx, id, DATA),
            3 => self.send(ctx, id, TYPED),
            4 => {
                let octets = content::expedited(self.sent[usize::from(EXPEDITED)]);
                let sent = self.request(ctx, id, &Request::ExpeditedData { user_data: &octets });
                self.sent[usize::from(EXPEDITED)] += u32::from(sent);
            }
            5..=8 => {
                let user_data = content::user_data(random.below(10) as usize);
                let request = action::draw(random, machine, &user_data);
                self.request(ctx, id, &request);
            }
            _ => self.answer(ctx, random),
        }
    }

    /// Gives the answer that is waited for, if any.
    pub(crate) fn answer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, random: &mut Random) {
        let Some(id) = self.session.filter(|_| self.open) else { return };
        let Some(machine) = ctx.machine(id) else { return };
        if let Some(request) = action::answer(random, machine, &[]) {
            self.request(ctx, id, &request);
        }
    }

    /// Ends the session: by a release where the tokens allow it, else by an abort.
    pub(crate) fn finish<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        let Some(id) = self.session.filter(|_| self.open) else { return };
        if !self.request(ctx, id, &Request::Release { user_data: &[] }) {
            self.aborted = true;
            ctx.abort_request(id, b"").expect("an open session can be aborted");
        }
    }

    fn send<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, flow: u8) {
        let sequence = self.sent[usize::from(flow)];
        let body = [Slice::from_vec(content::ssdu(flow, sequence))];
        let sent = match flow {
            DATA => ctx.data_request(id, &body, Enclosure::WHOLE),
            _ => ctx.typed_data_request(id, &body, Enclosure::WHOLE),
        };
        if sent.is_ok() {
            self.steps += 1;
            self.sent[usize::from(flow)] += 1;
            self.note(|| format!("sent flow {flow} number {sequence}"));
        }
    }

    fn request<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        request: &Request<'_>,
    ) -> bool {
        let before = ctx.machine(id).map(|machine| machine.state());
        let taken = ctx.request(id, request).is_ok();
        if !taken {
            return false;
        }
        self.steps += 1;
        let after = ctx.machine(id).map(|machine| (machine.state(), machine.serial_numbers()));
        let asked: String = format!("{request:?}").chars().take(110).collect();
        self.note(|| format!("asked {asked}: {before:?} -> {}", short(after)));
        if matches!(
            request,
            Request::Resynchronize(_)
                | Request::ResynchronizeResponse(_)
                | Request::ActivityInterrupt { .. }
                | Request::ActivityDiscard { .. }
                | Request::UserException { .. }
        ) {
            self.purge();
        }
        true
    }

    fn purge(&mut self) {
        self.arrivals.iter_mut().for_each(Arrivals::purge);
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        self.history.push(what());
    }

    fn connect<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        self.session = Some(id);
        let side = self.plan.choice;
        let token_settings = TokenSettings { data: side, minor: side, major: side, release: side };
        let accept = AcceptParameters { token_settings, ..AcceptParameters::default() };
        ctx.connect_response(id, &accept).expect("what was proposed can be accepted");
        self.open = true;
    }
}

impl Application for User {
    type Session = ();
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
        self.steps += 1;
        let state = ctx.machine(id).map(|machine| (machine.state(), machine.serial_numbers()));
        let name = format!("{indication:?}");
        let told: String = name.chars().take(110).collect();
        self.note(|| format!("told {told} in {}", short(state)));
        let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        *self.told.entry(name).or_default() += 1;
        let pieces = body.slices().map(|slice| &slice[..]);
        let [data, typed, expedited] = &mut self.arrivals;
        match indication {
            Indication::Connect(_) => self.connect(ctx, id),
            Indication::ConnectConfirm(_) => self.open = true,
            Indication::Data { enclosure, .. } => data.take(DATA, pieces, enclosure),
            Indication::TypedData { enclosure, .. } => typed.take(TYPED, pieces, enclosure),
            Indication::ExpeditedData { user_data } => expedited.take_expedited(user_data),
            Indication::Resynchronize(_)
            | Indication::ResynchronizeConfirm(_)
            | Indication::ActivityInterrupt { .. }
            | Indication::ActivityInterruptConfirm { .. }
            | Indication::ActivityDiscard { .. }
            | Indication::ActivityDiscardConfirm { .. }
            | Indication::UserException { .. } => self.purge(),
            Indication::ReleaseConfirm { affirmative: true, .. } => self.end = Some(End::Released),
            Indication::UserAbort { .. } => self.end = Some(End::Aborted),
            Indication::ProviderAbort { .. } | Indication::ConnectRefused(_) if self.plan.hostile => {
                self.end = Some(End::Lost);
            }
            Indication::ProviderAbort { reason } => panic!("aborted by the provider: {reason:?}"),
            Indication::ConnectRefused(refuse) => panic!("refused: {refuse:?}"),
            Indication::SyncMinor { user_data, .. }
            | Indication::SyncMinorConfirm { user_data, .. }
            | Indication::SyncMajor { user_data, .. }
            | Indication::CapabilityData { user_data }
            | Indication::TokenPlease { user_data, .. }
            | Indication::ActivityStart { user_data, .. } => content::check_user_data(user_data),
            _ => {}
        }
        if self.end.is_some() {
            self.open = false;
        }
    }

    fn ended<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd) {
        self.open = false;
        let state = ctx.machine(id).map(|machine| machine.state());
        self.note(|| format!("ended {end:?}"));
        let orderly = self.plan.hostile
            || self.end.is_some()
            || self.aborted
            || matches!(end, SessionEnd::Released)
            || matches!(state, Some(SpmState::Sta16));
        assert!(orderly, "ended by nobody: {end:?} in {state:?}");
        if matches!(end, SessionEnd::Released) {
            self.end.get_or_insert(End::Released);
        }
    }

    fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, fault: Fault) {
        panic!("the gateway broke the protocol: {fault:?}");
    }

    fn writable<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
    fn timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
    fn command<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, (): ()) {}
    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {}
}

/// State and numbers in a few words.
fn short(of: Option<(SpmState, SerialNumbers)>) -> String {
    of.map_or_else(String::new, |(state, n)| {
        let (next, unconfirmed, restart) = (n.next.0, n.lowest_unconfirmed.0, n.lowest_restart.0);
        format!("{state:?} M{next} A{unconfirmed} R{restart} {}", if n.may_confirm { "Vsc" } else { "" })
    })
}

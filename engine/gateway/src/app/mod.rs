//! The gateway's application: what one shard does with its sessions.
//!
//! [`GatewayApp`] is built from a [`Config`] and runs on any driver: threads, sockets and clocks are not its
//! business. A listener's application decides what a session is for:
//!
//! * `echo` sends each SSDU back,
//! * `sink` takes SSDUs and answers only what must be answered,
//! * `relay` opens a session to a target and carries every primitive over (see [`relay`]).

mod accounts;
mod admission;
mod agenda;
mod balance;
mod closing;
mod counters;
mod drain;
mod durations;
mod echo;
mod failure;
mod health;
mod held;
mod idle;
mod limits;
mod maintenance;
mod memory;
pub(crate) mod query;
mod random;
pub(crate) mod recent;
mod refused;
pub mod relay;
mod reloaded;
mod route;
mod sink;
mod state;
mod stops;
mod tapped;
mod throttle;
mod upkeep;
mod user;
mod warm;
mod watch;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use colloquy_session::{Enclosure, Indication, ProviderAbortReason, ServiceError, Tolerated};
use colloquy_shard::{
    Admission, Application, Context, Fault, Reach, SessionEnd, SessionId, ShardConfig, ShardLimit,
    TransportAnswer, TransportRole,
};
use colloquy_transport::buf::Body;
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

pub use closing::{CloseHow, Why};
pub use counters::{AbortOrigin, AppCounters, AppTally, FaultCode};
pub(crate) use durations::SharedDurations;
pub use durations::{DURATION_BOUNDS, DurationTally, Stage};
pub use state::SessionState;
pub(crate) use state::{Phase, Role, TimerFor};

use accounts::Proposal;
use agenda::{Agenda, Task};
use balance::Turns;
use health::Checks;
use held::{Flow, Held, HeldMax, note_held};
use random::Random;
use warm::WarmPools;

use crate::config::Config;
use crate::drain::DrainOrder;
use crate::plan::{Plan, RefusedFor};
use crate::record::{Record, RecordEvent};
use crate::tap::TapOrder;

/// A command to the application of one shard.
#[derive(Clone, Debug)]
pub enum GatewayCommand {
    /// Does nothing: that it is taken shows that the shard turns.
    Ping,
    /// Lets no new session begin, ends those that are there as the order says and the shard when its last one is
    /// gone; ends what is left after the deadline. A CN that is with its target may still be answered. A further
    /// order moves the deadline.
    Drain(DrainOrder),
    /// Looks at the states of targets, of which an operator has set one.
    TargetsChanged,
    /// Acts on this plan from now on.
    Reload(Arc<Plan>),
    /// Answers a question about its sessions.
    Query(query::Query),
    /// Begins a tap.
    Tap(Arc<TapOrder>),
    /// Ends the tap of this number.
    TapEnd(u64),
}

/// Memory kept for SSDUs that wait.
const SPARE_HELD_MAX: usize = 64;

/// Takes the records of one shard.
pub type RecordSink = Box<dyn FnMut(Record)>;

/// The application of one shard.
pub struct GatewayApp {
    /// What it acts on; replaced by a reload.
    plan: Arc<Plan>,
    /// The configuration of the plan, which is looked at most.
    config: Arc<Config>,
    shard: u16,
    records: RecordSink,
    counters: Arc<AppCounters>,
    /// Every session known, in no order; its state holds its place.
    live: Vec<SessionId>,
    /// Emptied, for the next SSDU that waits. Boxed as they are in a session's state.
    #[expect(clippy::vec_box, reason = "the boxes move between this list and sessions")]
    spare_held: Vec<Box<Held>>,
    /// The transport selectors of the session that ended last, for the next one on its connection.
    kept_transport: Option<(SessionId, Box<ConnectTpdu>)>,
    draining: bool,
    drain: Option<Box<drain::Draining>>,
    /// What is due without a session.
    agenda: Agenda,
    /// Sessions that the memory budget has stopped.
    memory: memory::Memory,
    /// Taps that are on.
    taps: Option<tapped::Taps>,
    /// What has happened to sessions lately.
    recent: recent::Recent,
    /// Whose turn it is in each upstream.
    turns: Turns,
    /// Health checks under way.
    checks: Checks,
    warm_pools: WarmPools,
    maintenance: maintenance::Maintenance,
    /// For jitter.
    random: Random,
    /// The plan's time is so much ahead of the driver's.
    time_ahead: Duration,
}

impl std::fmt::Debug for GatewayApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayApp")
            .field("shard", &self.shard)
            .field("live", &self.live.len())
            .field("draining", &self.draining)
            .finish_non_exhaustive()
    }
}

impl GatewayApp {
    /// The application of shard number `shard`; `records` takes what is to be logged.
    pub fn new(plan: Arc<Plan>, shard: u16, counters: Arc<AppCounters>, records: RecordSink) -> Self {
        Self {
            config: Arc::clone(&plan.config),
            plan,
            shard,
            records,
            counters,
            live: Vec::new(),
            spare_held: Vec::new(),
            kept_transport: None,
            draining: false,
            drain: None,
            agenda: Agenda::default(),
            memory: memory::Memory::default(),
            taps: None,
            recent: recent::Recent::default(),
            turns: Turns::default(),
            checks: Checks::default(),
            warm_pools: WarmPools::default(),
            maintenance: maintenance::Maintenance::default(),
            random: Random::new(u64::from(shard)),
            time_ahead: Duration::ZERO,
        }
    }

    /// Sets a session's timer, which is for one thing at a time; `None` stops it.
    pub(crate) fn arm<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        timer: Option<(TimerFor, Duration)>,
    ) {
        if let Some(state) = ctx.state(id) {
            state.timer = timer.map_or(TimerFor::Nothing, |(what, _)| what);
            state.timer_at = timer.map(|(_, at)| at);
        }
        self.set_session_timer(ctx, id);
    }

    /// Notes a task for later.
    pub(crate) fn note<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, at: Duration, task: Task) {
        self.agenda.push(at, task);
        ctx.set_shard_timer(self.agenda.next_at());
    }

    /// The opening or the release of a session begins: from here on it is timed.
    pub(crate) fn stage_begins<D: Driver>(ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let now = ctx.now().as_nanos() as u64;
        if let Some(state) = ctx.state(id) {
            state.stage_began = now.max(1);
        }
    }

    /// Counts how long what began last has taken, which is over; `None` where nothing had begun.
    pub(crate) fn stage_ends(
        &self,
        state: &mut SessionState,
        now: Duration,
        stage: Stage,
    ) -> Option<Duration> {
        let began = std::mem::take(&mut state.stage_began);
        let took = (began > 0).then(|| now.saturating_sub(Duration::from_nanos(began)))?;
        self.counters.took(stage, took);
        Some(took)
    }

    /// Gives the shard its limits and times, and its listeners theirs for sessions that begin from here on.
    fn apply_to_shard<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        // How many sessions there may be waits for a restart, and at the start descriptors had a say in it.
        let ShardConfig { sessions_max, refusals_max, .. } = *ctx.shard_config();
        ctx.set_shard_config(ShardConfig { sessions_max, refusals_max, ..self.config.shard() });
        for (tag, listener) in (0..).zip(&self.config.listeners) {
            // One without a socket on this shard is not known to it.
            ctx.set_listener(tag, listener.shard(&self.config.engine));
        }
    }

    /// What it acts on.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Sessions known: accepted or opened, and not yet ended.
    pub fn live_count(&self) -> usize {
        self.live.len()
    }

    /// Makes a session known and gives it its part.
    pub(crate) fn register<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        role: Role,
    ) -> Option<()> {
        let live_index = u32::try_from(self.live.len()).ok()?;
        let state = ctx.state(id)?;
        // Taken when the connection came, before anything was known of what it is for.
        let ticket = state.ticket.take();
        *state = SessionState { role, live_index: Some(live_index), ticket, ..SessionState::default() };
        self.live.push(id);
        Some(())
    }

    fn forget<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, live_index: Option<u32>) {
        let Some(index) = live_index else { return };
        self.live.swap_remove(index as usize);
        if let Some(moved) = self.live.get(index as usize).copied()
            && let Some(state) = ctx.state(moved)
        {
            state.live_index = live_index;
        }
    }

    /// Sends a body as it is, by reference.
    pub(crate) fn send<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        to: SessionId,
        flow: Flow,
        body: &Body,
        enclosure: Enclosure,
    ) -> Result<(), ServiceError> {
        match flow {
            Flow::Data => ctx.data_request_body(to, body, enclosure),
            Flow::Typed => ctx.typed_data_request_body(to, body, enclosure),
        }
    }

    /// Keeps a body of `id` until it can be sent; false when that would be too much.
    pub(crate) fn hold<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        flow: Flow,
        body: &Body,
        enclosure: Enclosure,
    ) -> bool {
        let max = HeldMax {
            octets: self.config.engine.ssdu_octets_max,
            pinned_octets: self.config.engine.pinned_octets_max,
        };
        let Some(state) = ctx.state(id) else { return false };
        let held = state.held[flow].get_or_insert_with(|| self.spare_held.pop().unwrap_or_default());
        let fits = held.push(body, enclosure, &max);
        note_held(ctx, id);
        fits
    }

    /// Takes what is kept of `id`; [`GatewayApp::recycle`] it when it is sent.
    pub(crate) fn take_held<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        flow: Flow,
    ) -> Option<Box<Held>> {
        let state = ctx.state(id)?;
        let held = state.held[flow].take();
        note_held(ctx, id);
        held
    }

    /// Drops what is kept of `id`.
    pub(crate) fn drop_held<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        state.token_asked = false;
        state.skipping = false;
        let mut held = std::mem::take(&mut state.held);
        note_held(ctx, id);
        for flow in [Flow::Data, Flow::Typed] {
            if let Some(held) = held[flow].take() {
                self.recycle(held);
            }
        }
    }

    /// Keeps the memory of what has waited for the next SSDU that does.
    pub(crate) fn recycle(&mut self, mut held: Box<Held>) {
        if self.spare_held.len() < SPARE_HELD_MAX {
            held.clear();
            self.spare_held.push(held);
        }
    }

    pub(crate) fn record(&mut self, subject: crate::record::Subject, event: RecordEvent) {
        (self.records)(Record { subject, event });
    }
}

/// Sends an SSDU of `from` to `to`, which may be the same, and stops receiving while the peer there does not take it. False:
/// it could not be sent just so, and nothing was done.
#[inline]
fn pass_on<D: Driver>(
    ctx: &mut Context<'_, D, GatewayApp>,
    from: SessionId,
    to: SessionId,
    body: &Body,
) -> bool {
    let Some((state, congested)) = ctx.plain_data_request(to, body) else { return false };
    state.ssdus_out += 1;
    state.octets_out += body.len() as u64;
    if congested {
        ctx.pause(from);
    }
    true
}

impl Application for GatewayApp {
    type Session = SessionState;
    type Command = GatewayCommand;

    fn accepted<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
        peer: SocketAddr,
    ) -> Admission {
        let admission = self.admit_connection(ctx, id, listener, peer);
        if admission == Admission::Admit {
            self.tap_opened(ctx, id);
        }
        admission
    }

    fn refused<D: Driver>(
        &mut self,
        _ctx: &mut Context<'_, D, Self>,
        listener: u32,
        _peer: SocketAddr,
        limit: ShardLimit,
    ) {
        self.count_shard_refused(listener, limit);
    }

    fn transport_connect<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
        _peer: SocketAddr,
        connect: &ConnectTpdu,
    ) -> TransportAnswer {
        if self.draining {
            self.count_refused(listener, RefusedFor::Draining);
            return TransportAnswer::Refuse(admission::disconnect_reason::CONGESTION);
        }
        self.tap_transport(ctx, id, connect);
        self.admit_transport(ctx, id, listener, connect)
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        let Some(state) = ctx.state(id) else { return };
        if let Indication::Data { .. } | Indication::TypedData { .. } = indication {
            state.ssdus_in += 1;
            state.octets_in += body.len() as u64;
            let state = if state.octets_in >= state.octets_in_next {
                self.quantum_used(ctx, id);
                let Some(state) = ctx.state(id) else { return };
                state
            } else {
                state
            };
            // Where nothing waits, a whole SSDU needs no more thought than this.
            let to = match state.role {
                Role::Echo { .. } => Some(id),
                _ => state.partner.filter(|_| state.phase == Phase::Open),
            };
            let free = state.held[Flow::Data].is_none() && !state.skipping;
            if let Indication::Data { enclosure: Enclosure::WHOLE, .. } = indication
                && let Some(to) = to.filter(|_| free)
                && pass_on(ctx, id, to, body)
            {
                return;
            }
        }
        let Some(state) = ctx.state(id) else { return };
        state.primitives_in += 1;
        let role = state.role;
        self.recent.push_indication(id, ctx.now(), &indication);
        if self.refuses_to_drain(ctx, id, &indication) {
            return;
        }
        if let Indication::Connect(connect) = &indication {
            self.tap_connect(ctx, id, connect);
        }
        let proposal = match &indication {
            Indication::Connect(connect) => Some(Proposal::of(connect)),
            _ => None,
        };
        if let Indication::Connect(connect) = indication
            && !self.admit_session(ctx, id, &connect)
        {
            return self.record_open(ctx, id, proposal, None);
        }
        self.count_abort(&indication);
        if let Indication::Release { .. } = indication {
            Self::stage_begins(ctx, id);
        }
        if self.closing_takes(ctx, id, &indication) {
            return;
        }
        match role {
            Role::Echo { .. } => self.echo(ctx, id, indication, body),
            Role::Sink { .. } => self.sink(ctx, id, indication),
            Role::Downstream { .. } | Role::Upstream { .. } => self.relay(ctx, id, indication, body),
            Role::Probe { .. } => self.probe(ctx, id, &indication),
            Role::Unknown | Role::Warm { .. } => ctx.provider_abort(id, ProviderAbortReason::Undefined),
        }
        if proposal.is_some() {
            self.record_open(ctx, id, proposal, None);
            self.tap_routed(ctx, id);
        }
        self.go_on_closing(ctx, id);
    }

    fn writable<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        match (state.role, state.partner) {
            (Role::Echo { .. }, _) => self.read_on(ctx, id),
            (_, Some(feeding)) => self.read_on(ctx, feeding),
            _ => {}
        }
    }

    fn unpin<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        if let Some(state) = ctx.state(id) {
            state.held.unpin();
        }
    }

    fn timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let now = ctx.now();
        let Some(state) = ctx.state(id) else { return };
        let is_due = state.timer_at.is_some_and(|at| at <= now);
        let timer = if is_due { std::mem::take(&mut state.timer) } else { TimerFor::Nothing };
        if is_due {
            state.timer_at = None;
        }
        match timer {
            TimerFor::Nothing => {}
            TimerFor::Answer => self.relay_timeout(ctx, id, "AC or RF"),
            TimerFor::Release => self.relay_timeout(ctx, id, "DN or NF"),
            TimerFor::Closing => self.closing_timeout(ctx, id),
            TimerFor::Retry => self.retry(ctx, id),
            TimerFor::Probe => self.probe_timeout(ctx, id),
            TimerFor::Warm => self.end_one_of_own(ctx, id),
        }
        self.watch_due(ctx, id);
        self.set_session_timer(ctx, id);
    }

    fn ended<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd) {
        if self.own_ended(ctx, id, &end) {
            return;
        }
        let subject = self.subject(ctx, id);
        if let SessionEnd::Wire(fault) = &end {
            self.wire_failed(subject, *fault);
        }
        self.relay_ended(ctx, id, &end);
        let now = ctx.now();
        let Some(state) = ctx.state(id) else { return };
        let mut state = std::mem::take(state);
        self.note_tls_failure(state.role, &end);
        if matches!(end, SessionEnd::Released) {
            self.stage_ends(&mut state, now, Stage::Release);
        }
        self.forget(ctx, state.live_index);
        self.routed_ended(state.role);
        self.give_back_quantum(&state);
        self.drained_ended(&state, &end);
        if let (Some(why), Role::Echo { .. } | Role::Sink { .. } | Role::Downstream { .. }) =
            (state.why, state.role)
        {
            // A peer that answers FINISH by closing its connection has agreed to it: libiec61850 does so.
            let closed_on_release =
                matches!(end, SessionEnd::Eof | SessionEnd::Network(_)) && state.closing.is_sent();
            self.counters.closed(why, matches!(end, SessionEnd::Released) || closed_on_release);
        }
        self.record_close(ctx, (id, &end), subject, &state);
        self.kept_transport = state.transport.take().map(|transport| (id, transport));
    }

    fn opened<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, _reach: Reach) {
        match ctx.state(id).map(|state| state.role) {
            Some(Role::Warm { .. }) => self.warm_opened(ctx, id),
            _ => self.probe_opened(ctx, id),
        }
    }

    fn transport_kept<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        role: TransportRole,
        previous: SessionId,
    ) {
        match role {
            TransportRole::Initiator => ctx.transport_disconnect(id),
            TransportRole::Responder => self.admit_kept(ctx, id, previous),
        }
    }

    fn fault<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, fault: Fault) {
        let subject = self.subject(ctx, id);
        self.counters.fault(FaultCode::of(&fault));
        self.record(subject, RecordEvent::Fault(fault));
    }

    fn tolerated<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, tolerated: Tolerated) {
        let subject = self.subject(ctx, id);
        self.record(subject, RecordEvent::Tolerated(tolerated));
    }

    fn command<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, command: GatewayCommand) {
        match command {
            GatewayCommand::Ping => {}
            GatewayCommand::Query(query) => self.answer_query(ctx, &query),
            GatewayCommand::Tap(order) => self.begin_tap(ctx, &order),
            GatewayCommand::TapEnd(id) => self.end_tap(ctx, id),
            GatewayCommand::Drain(order) => self.drain(ctx, order),
            GatewayCommand::TargetsChanged => self.targets_changed(ctx),
            GatewayCommand::Reload(plan) => self.reloaded(ctx, plan),
        }
    }

    fn shard_timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        self.run_due_tasks(ctx);
    }
}

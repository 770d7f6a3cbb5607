//! The course of a run on one generator thread, from opening sessions to releasing them.

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::{
    ConnectParameters, ConnectionIdentifier, FunctionalUnits, ProviderAbortReason, Selector, SerialNumber,
    SessionConfig, TokenSettings, TsduMaximumSize, Versions,
};
use colloquy_shard::{ConnectTarget, Context, SessionId};
use colloquy_transport::class0::{Class0Config, TransportSelector};
use colloquy_transport::driver::{ConnectOptions, Driver};

use crate::generator::{Generator, Notice, Phase, Stage, Window};
use crate::operation::Operation;
use crate::plan::{LoadPlan, Mode};
use crate::recorder::thread_cpu;
use crate::script::Step;

/// How long sessions may take to be released before they are aborted.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);
/// How soon opening is tried again when nothing else causes it.
pub(crate) const OPEN_RETRY: Duration = Duration::from_millis(1);

impl Generator {
    /// Goes as far in the course of the run as the time allows, and arms the timer for what comes next.
    pub(crate) fn advance<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        let now = ctx.now();
        match self.phase {
            Phase::Idle | Phase::Ready | Phase::Aborting => {}
            Phase::Opening { began } => self.open_more(ctx, began),
            Phase::Running(window) => self.go_on(ctx, window),
            Phase::Draining { until } => {
                if self.is_idle() || now >= until {
                    self.release_all(ctx);
                } else {
                    self.wake_at(ctx, Some(until));
                }
            }
            Phase::Releasing { until } => {
                if now >= until {
                    self.abort_all(ctx);
                } else {
                    self.wake_at(ctx, Some(until));
                }
            }
        }
    }

    fn wake_at<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, at: Option<Duration>) {
        self.armed = at;
        ctx.set_shard_timer(at);
    }

    /// Makes sure that the course goes on at `at` or before.
    pub(crate) fn wake_by<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, at: Duration) {
        if self.armed.is_none_or(|armed| at < armed) {
            self.wake_at(ctx, Some(at));
        }
    }

    /// Every session has sent all it has to send: the answers are waited for, but not for ever.
    pub(crate) fn all_sent<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        let Phase::Running(window) = &mut self.phase else { return };
        let patience = ctx.now() + Duration::from_millis(self.plan.drain_ms);
        window.until = window.until.min(patience);
        self.window.until = window.until;
        self.wake_by(ctx, patience);
    }

    /// Starts to open sessions.
    pub(crate) fn open<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        if self.phase == Phase::Idle {
            self.phase = Phase::Opening { began: ctx.now() };
            self.advance(ctx);
        }
    }

    fn open_more<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, began: Duration) {
        let ramp = Duration::from_millis(self.plan.ramp_ms);
        let count = self.slots.len();
        while self.opened < count && self.connecting < self.plan.connecting_max as usize {
            let due = began + ramp.mul_f64(self.opened as f64 / count as f64);
            if due > ctx.now() {
                self.wake_at(ctx, Some(due));
                return;
            }
            let index = self.opened;
            self.opened += 1;
            self.open_one(ctx, index);
        }
        if self.opened == count && self.connecting == 0 {
            self.phase = Phase::Ready;
            self.wake_at(ctx, None);
            self.notify(Notice::Ready);
        } else {
            self.wake_at(ctx, Some(ctx.now() + OPEN_RETRY));
        }
    }

    pub(crate) fn open_one<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, index: usize) {
        let plan = self.plan.clone();
        let number = self.slots[index].number as usize;
        let source = match plan.source_addresses.as_slice() {
            [] => None,
            addresses => Some(SocketAddr::new(addresses[number % addresses.len()], 0)),
        };
        let session = session_config(&plan);
        let selector = |octets: &[u8]| Selector::new(octets).expect("the plan was validated");
        let tsap = |octets: &[u8]| (!octets.is_empty()).then(|| TransportSelector::new(octets)).flatten();
        let target = ConnectTarget {
            wire: None,
            address: plan.to[number % plan.to.len()],
            options: ConnectOptions { source, ..ConnectOptions::default() },
            calling_tsap: tsap(&plan.calling_tsap.octets),
            called_tsap: tsap(&plan.called_tsap.octets),
            transport: class0_config(&plan),
            session,
            connect: ConnectParameters {
                identifier: ConnectionIdentifier::default(),
                calling: selector(&plan.calling_ssap.octets),
                called: selector(&plan.called_ssap.octets),
                versions: session.versions,
                requirements: session.functional_units,
                initial_serial_number: initial_serial_number(session.functional_units),
                // All tokens begin at the initiator.
                token_settings: TokenSettings::default(),
                tsdu_maximum_size: tsdu_maximum_size(plan.tsdu_octets_max),
                user_data: &plan.content.connect_user_data,
                second_initial_serial_number: None,
            },
        };
        match ctx.connect(&target) {
            Ok(id) => {
                if let Some(state) = ctx.state(id) {
                    state.0 = index as u32;
                }
                ctx.set_timer(id, Some(ctx.now() + Duration::from_millis(plan.connect_timeout_ms)));
                let slot = &mut self.slots[index];
                slot.id = Some(id);
                slot.stage = Stage::Connecting;
                slot.opened_at = ctx.now();
                self.connecting += 1;
            }
            Err(error) => {
                self.slots[index].stage = Stage::Over;
                self.recorder.error(&format!("connect: {error}"));
                self.session_failed();
                if std::mem::take(&mut self.slots[index].course.unfinished) {
                    self.unfinished -= 1;
                }
            }
        }
    }

    /// The session is in the data phase.
    pub(crate) fn session_established<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, index: u32) {
        let now = ctx.now();
        let mix = self.plan.mix;
        let slot = &mut self.slots[index as usize];
        slot.stage = Stage::Established;
        if let Some(id) = slot.id {
            ctx.set_timer(id, None);
        }
        let connect_time = now.saturating_sub(slot.opened_at);
        let follows = slot.course.unfinished;
        slot.course.connected();
        slot.course.unfinished = true;
        slot.next_answer = slot.sent as u32;
        slot.arriving = Default::default();
        slot.token_asked = false;
        if !follows {
            slot.course.script.opened(&mix);
            self.unfinished += 1;
        }
        self.recorder.connect_ns.saturating_record(connect_time.as_nanos() as u64);
        self.recorder.counts.established += 1;
        self.connecting -= 1;
        self.established += 1;
        self.live.established(self.established);
        match self.phase {
            Phase::Running(_) => self.issue(ctx, index),
            Phase::Releasing { .. } => self.release_one(ctx, index as usize),
            _ => {}
        }
        self.advance(ctx);
    }

    /// Counts a session that never got to the data phase.
    pub(crate) fn session_failed(&mut self) {
        self.recorder.counts.failed += 1;
        self.show_failures();
    }

    pub(crate) fn show_failures(&self) {
        let counts = &self.recorder.counts;
        self.live.failed(counts.failed + counts.ended_early);
    }

    /// Starts the load on all established sessions.
    pub(crate) fn start<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        if self.phase != Phase::Ready {
            return;
        }
        let start = ctx.now();
        // A run that counts SSDUs measures all of them.
        let warm_up_ms = if self.plan.ssdus_per_session_max > 0 { 0 } else { self.plan.warm_up_ms };
        let from = start + Duration::from_millis(warm_up_ms);
        self.window = Window { start, from, until: from + self.plan.duration() };
        self.recorder.steps.begin(from);
        self.phase = Phase::Running(self.window);
        self.recorder.rolling.begin(from, start);
        for index in 0..self.slots.len() as u32 {
            self.issue(ctx, index);
        }
        self.advance(ctx);
    }

    fn go_on<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, window: Window) {
        let now = ctx.now();
        self.recorder.roll(now);
        let finished = self.unfinished == 0 && self.is_idle();
        if now >= window.until || finished {
            self.end_window(ctx, now.min(window.until));
            return;
        }
        if now >= window.from && self.cpu_from.is_none() {
            self.cpu_from = Some(thread_cpu());
        }
        let now_ns = now.as_nanos() as u64;
        while let Some(&Reverse((due_ns, index))) = self.due.peek() {
            if due_ns > now_ns {
                break;
            }
            self.due.pop();
            self.slots[index as usize].is_due_noted = false;
            self.issue(ctx, index);
        }
        let window = self.window;
        let next_mark = if now < window.from { window.from } else { window.until };
        let next_due = self.due.peek().map(|Reverse((due_ns, _))| Duration::from_nanos(*due_ns));
        self.wake_at(ctx, Some(next_due.map_or(next_mark, |due| due.min(next_mark))));
        self.open_following(ctx);
    }

    /// Ends the measured part at `end` and waits for what is unanswered.
    pub(crate) fn end_window<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, end: Duration) {
        let Phase::Running(window) = self.phase else { return };
        self.window.until = end;
        self.recorder.measured = end.saturating_sub(window.from);
        if let Some(from) = self.cpu_from {
            self.recorder.cpu.push(thread_cpu().saturating_sub(from));
        }
        if self.plan.mode != Mode::Closed && self.plan.ssdus_per_session_max == 0 {
            self.count_missed(window, end);
        }
        self.recorder.steps.end(end);
        self.phase = Phase::Draining { until: ctx.now() + Duration::from_millis(self.plan.drain_ms) };
        self.advance(ctx);
    }

    /// Counts what sessions that still exist had to send before `end` and did not.
    fn count_missed(&mut self, window: Window, end: Duration) {
        let end_ns = end.saturating_sub(window.start).as_nanos() as u64;
        let Some(curve) = &self.curve else { return };
        for slot in &self.slots {
            let (Stage::Established, Some(schedule)) = (slot.stage, &slot.schedule) else { continue };
            for due_ns in schedule.clone().due_before(curve, end_ns) {
                self.recorder.counts.missed += 1;
                let due = window.start + Duration::from_nanos(due_ns);
                if let Some(step) = self.recorder.steps.at(due) {
                    step.missed += 1;
                }
            }
        }
    }

    fn release_all<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        self.phase = Phase::Releasing { until: ctx.now() + RELEASE_TIMEOUT };
        self.wake_at(ctx, Some(ctx.now() + RELEASE_TIMEOUT));
        for index in 0..self.slots.len() {
            if self.slots[index].stage == Stage::Established {
                self.count_lost(index);
                self.release_one(ctx, index);
            }
        }
        ctx.stop_when_empty();
    }

    /// Asks for the release of one session; ends its activity and gets the data token first.
    pub(crate) fn release_one<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, index: usize) {
        let Some(id) = self.slots[index].id else { return };
        if self.slots[index].course.pending.is_some() {
            return;
        }
        if !self.may_send(ctx, id) {
            self.want_token(ctx, index as u32, id);
            return;
        }
        if self.slots[index].course.script.must_end_activity() {
            self.begin(ctx, index as u32, id, Step::ActivityEnd);
            return;
        }
        self.slots[index].course.leaving = Some((Operation::Release, ctx.now()));
        self.request_release(ctx, index, id);
    }

    /// S-RELEASE request.
    pub(crate) fn request_release<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: usize,
        id: SessionId,
    ) {
        self.slots[index].stage = Stage::Releasing;
        self.recorder.operations.of_mut(Operation::Release).begun += 1;
        if let Err(error) = ctx.release_request(id, &self.plan.content.release_user_data) {
            self.recorder.error(&format!("S-RELEASE request: {error}"));
            ctx.provider_abort(id, ProviderAbortReason::Undefined);
        }
    }

    /// Counts what a session that ends leaves unanswered.
    pub(crate) fn count_lost(&mut self, index: usize) {
        self.count_lost_by_step(index);
        let slot = &mut self.slots[index];
        let in_flight = u64::from(std::mem::take(&mut slot.in_flight));
        self.recorder.counts.lost += in_flight;
        self.in_flight -= in_flight;
        self.outstanding -= slot.course.awaited(self.plan.mix.minor_confirm);
        slot.course.count_lost(self.plan.mix.minor_confirm, &mut self.recorder.operations);
    }

    /// Ends the run before its load has started.
    pub(crate) fn give_up<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        for index in 0..self.slots.len() {
            if let (Stage::Connecting, Some(id)) = (self.slots[index].stage, self.slots[index].id) {
                ctx.provider_abort(id, ProviderAbortReason::Undefined);
            }
        }
        self.opened = self.slots.len();
        self.release_all(ctx);
    }

    fn abort_all<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        self.phase = Phase::Aborting;
        for index in 0..self.slots.len() {
            let slot = &mut self.slots[index];
            if let (Stage::Established | Stage::Releasing, Some(id)) = (slot.stage, slot.id) {
                slot.stage = Stage::Releasing;
                self.recorder.error("release not answered");
                ctx.provider_abort(id, ProviderAbortReason::Undefined);
            }
        }
    }
}

/// A TSDU may be as long as an echoed SSDU with the SPDU headers in front of it.
fn class0_config(plan: &LoadPlan) -> Class0Config {
    const SPDU_HEADER_OCTETS_MAX: usize = 16;
    let default = Class0Config::default();
    Class0Config {
        tpdu_octets_max: plan.tpdu_octets_max,
        expedited: plan.functional_units().contains(FunctionalUnits::EXPEDITED),
        tsdu_octets_max: default.tsdu_octets_max.max(plan.ssdu_octets as usize + SPDU_HEADER_OCTETS_MAX),
        ..default
    }
}

fn session_config(plan: &LoadPlan) -> SessionConfig {
    let version = |number: &u8| if *number == 1 { Versions::V1 } else { Versions::V2 };
    SessionConfig {
        versions: plan.versions.iter().map(version).collect(),
        functional_units: plan.functional_units(),
        extended_concatenation: plan.mix.concatenate,
        ..SessionConfig::default()
    }
}

/// The first synchronization point, where it is not numbered by its activity.
fn initial_serial_number(units: FunctionalUnits) -> Option<SerialNumber> {
    let numbered = FunctionalUnits::MINOR_SYNC | FunctionalUnits::MAJOR_SYNC | FunctionalUnits::RESYNCHRONIZE;
    let needed = units.intersects(numbered) && !units.contains(FunctionalUnits::ACTIVITY);
    needed.then_some(SerialNumber(1))
}

fn tsdu_maximum_size(octets_max: u16) -> Option<TsduMaximumSize> {
    (octets_max > 0)
        .then_some(TsduMaximumSize { initiator_to_responder: octets_max, responder_to_initiator: octets_max })
}

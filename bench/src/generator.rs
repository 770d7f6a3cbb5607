//! The application that runs on each generator thread: sends requests when they are due, judges answers.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use colloquy_session::Enclosure;
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::Body;
use colloquy_transport::driver::Driver;

use crate::content::{Arriving, Content, Identity};
use crate::course::Course;
use crate::hdr::Rolling;
use crate::live::Live;
use crate::operation::Operation;
use crate::pace::{Curve, Schedule};
use crate::plan::{Check, Dialogue, LoadPlan};
use crate::recorder::{LATE, Recorder};
use crate::script::Step;
use crate::together::Together;

/// Where a session of the plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not opened.
    Planned,
    /// Opened, not confirmed.
    Connecting,
    /// In the data phase.
    Established,
    /// The generator asked for its end.
    Releasing,
    /// Over.
    Over,
}

/// One session of the plan.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) id: Option<SessionId>,
    pub(crate) stage: Stage,
    pub(crate) opened_at: Duration,
    pub(crate) identity: Identity,
    pub(crate) number: u32,
    pub(crate) schedule: Option<Schedule>,
    /// Its next request stood still for want of a place, the token or room in the send queue.
    pub(crate) blocked: bool,
    /// It is among those that wait for their next request to be due.
    pub(crate) is_due_noted: bool,
    /// The token was asked for and has not come yet.
    pub(crate) token_asked: bool,
    pub(crate) sent: u64,
    pub(crate) next_answer: u32,
    pub(crate) first_flight: u32,
    pub(crate) in_flight: u32,
    pub(crate) arriving: Arriving,
    pub(crate) course: Course,
}

/// A request that was sent and not yet answered; times as nanoseconds on the driver's clock.
#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    due_ns: u64,
    sent_ns: u64,
}

/// What the slot of a session in the shard knows: which session of the plan it is.
#[derive(Clone, Copy, Debug)]
pub struct PlanIndex(pub(crate) u32);

impl Default for PlanIndex {
    fn default() -> Self {
        PlanIndex(u32::MAX)
    }
}

/// What the coordinator tells a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open the sessions.
    Open,
    /// Start the load.
    Start,
    /// End the measured part.
    Stop,
}

/// What a generator tells the coordinator.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Every session of this thread is established or has failed.
    Ready,
}

/// The parts of a run; times are on the driver's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Opening { began: Duration },
    Ready,
    Running(Window),
    Draining { until: Duration },
    Releasing { until: Duration },
    Aborting,
}

/// The measured part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: Duration,
    pub(crate) from: Duration,
    pub(crate) until: Duration,
}

/// The load generator of one thread.
#[derive(Debug)]
pub struct Generator {
    pub(crate) plan: Arc<LoadPlan>,
    /// The rate over time; `None` in a closed loop.
    pub(crate) curve: Option<Curve>,
    pub(crate) content: Content,
    pub(crate) slots: Vec<Slot>,
    flights: Vec<Flight>,
    /// Sessions of an open loop by when their next request is due; blocked ones are not in it.
    pub(crate) due: BinaryHeap<Reverse<(u64, u32)>>,
    pub(crate) phase: Phase,
    pub(crate) window: Window,
    pub(crate) opened: usize,
    pub(crate) connecting: usize,
    pub(crate) established: usize,
    pub(crate) in_flight: u64,
    /// What else was sent and waits for its answer.
    pub(crate) outstanding: u64,
    /// Sessions to be opened in the place of those that have ended.
    pub(crate) following: VecDeque<u32>,
    /// Established sessions that may send more.
    pub(crate) unfinished: usize,
    pub(crate) cpu_from: Option<Duration>,
    /// When the shard's timer runs out.
    pub(crate) armed: Option<Duration>,
    pub(crate) recorder: Recorder,
    pub(crate) live: Arc<Live>,
    notices: Sender<Notice>,
}

impl Generator {
    /// The generator for the sessions `numbers` of the plan. Belongs to the thread it is made on.
    pub(crate) fn new(
        plan: Arc<LoadPlan>,
        numbers: std::ops::Range<u32>,
        live: Arc<Live>,
        notices: Sender<Notice>,
        rolling: Rolling,
    ) -> Generator {
        let content = Content::new(plan.ssdu_octets as usize, plan.seed, plan.content.payload.as_deref());
        let count = numbers.len();
        let curve = Curve::of(&plan);
        let slots = numbers
            .map(|number| Slot {
                id: None,
                stage: Stage::Planned,
                opened_at: Duration::ZERO,
                identity: content.identity(number),
                number,
                schedule: curve.as_ref().map(|curve| Schedule::of_session(&plan, curve, number)),
                blocked: false,
                is_due_noted: false,
                token_asked: false,
                sent: 0,
                next_answer: 0,
                first_flight: 0,
                in_flight: 0,
                arriving: Arriving::default(),
                course: Course::default(),
            })
            .collect();
        let mut recorder = Recorder { rolling, ..Recorder::default() };
        recorder.counts.sessions = count as u64;
        recorder.prepare(&plan);
        let churns = plan.mix.churns();
        Generator {
            flights: vec![Flight::default(); count * plan.depth as usize],
            due: BinaryHeap::with_capacity(count),
            plan,
            curve,
            content,
            slots,
            phase: Phase::Idle,
            window: Window::default(),
            opened: 0,
            connecting: 0,
            established: 0,
            in_flight: 0,
            outstanding: 0,
            following: VecDeque::with_capacity(if churns { count } else { 0 }),
            unfinished: 0,
            cpu_from: None,
            armed: None,
            recorder,
            live,
            notices,
        }
    }

    /// What was recorded.
    pub(crate) fn into_recorder(self) -> Recorder {
        self.recorder
    }

    pub(crate) fn notify(&self, notice: Notice) {
        // A coordinator that is gone needs no notices.
        let _ = self.notices.send(notice);
    }

    /// Goes through the script of a session as far as it goes: sends what is due and has a place.
    pub(crate) fn issue<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, index: u32) {
        let now = ctx.now();
        let Phase::Running(window) = self.phase else { return };
        if now >= window.until {
            return;
        }
        let Some(id) = self.slots[index as usize].id else { return };
        loop {
            let slot = &self.slots[index as usize];
            if slot.stage != Stage::Established || slot.course.pending.is_some() {
                break;
            }
            let step = slot.course.script.next(&self.plan.mix);
            if step.leads_on() && self.plan.is_finished(slot.sent) {
                self.finished(ctx, index);
                break;
            }
            let goes_on = match step {
                Step::Ssdu => self.issue_ssdu(ctx, index, id, window, now),
                Step::ActivityStart if self.plan.mix.concatenate => {
                    self.may_start(index) && self.issue_ssdu(ctx, index, id, window, now)
                }
                step => self.issue_operation(ctx, index, id, step),
            };
            if !goes_on {
                break;
            }
        }
        let slot = &self.slots[index as usize];
        if self.plan.dialogue == Dialogue::HalfDuplex
            && slot.in_flight > 0
            && slot.stage == Stage::Established
            && slot.course.pending.is_none()
        {
            self.give_token(ctx, index, id);
        }
    }

    /// Sends the next SSDU; false when it has to wait, or the session is over.
    fn issue_ssdu<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        window: Window,
        now: Duration,
    ) -> bool {
        let slot = &mut self.slots[index as usize];
        let due = match &slot.schedule {
            None => now,
            Some(schedule) => window.start + Duration::from_nanos(schedule.due_ns()),
        };
        if due > now {
            slot.blocked = false;
            if !std::mem::replace(&mut slot.is_due_noted, true) {
                self.due.push(Reverse((due.as_nanos() as u64, index)));
            }
            self.wake_by(ctx, due);
            return false;
        }
        if slot.in_flight >= self.plan.depth || ctx.is_congested(id) {
            slot.blocked = true;
            return false;
        }
        if !self.may_send(ctx, id) {
            self.slots[index as usize].blocked = true;
            self.want_token(ctx, index, id);
            return false;
        }
        self.send_one(ctx, index, id, due, now)
    }

    fn send_one<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        due: Duration,
        now: Duration,
    ) -> bool {
        let slot = &mut self.slots[index as usize];
        let parts = self.content.ssdu(&slot.identity, slot.sent as u32);
        let sent = match self.plan.mix.concatenate {
            true => self.send_together(ctx, index, id, parts.as_slices()),
            false => ctx.data_request(id, parts.as_slices(), Enclosure::WHOLE).map(|()| Together::default()),
        };
        let together = match sent {
            Ok(together) => together,
            Err(error) => return self.refused_here(ctx, index, id, Operation::Data, error),
        };
        self.begun_in_front(now, index, &together);
        let slot = &mut self.slots[index as usize];
        let depth = self.plan.depth;
        let place = index * depth + (slot.first_flight + slot.in_flight) % depth;
        self.flights[place as usize] =
            Flight { due_ns: due.as_nanos() as u64, sent_ns: now.as_nanos() as u64 };
        slot.in_flight += 1;
        slot.sent += 1;
        // A session that was held up stays so until it has caught up with its schedule: all that it sends until then
        // waited for the peer, not for the generator.
        let blocked = slot.blocked;
        slot.course.script.done(&self.plan.mix, Step::Ssdu);
        if let (Some(schedule), Some(curve)) = (&mut slot.schedule, &self.curve) {
            schedule.advance(curve);
            self.note_lateness(blocked, due, now);
        }
        self.in_flight += 1;
        let counts = &mut self.recorder.counts;
        counts.sent += 1;
        counts.sent_in_window += u64::from(self.window.contains(now));
        self.live.sent(counts.sent);
        self.begun_behind(now, index, &together);
        true
    }

    /// Notes that a session has sent all it has to send and begun what was due behind it.
    fn finished<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, index: u32) {
        if std::mem::take(&mut self.slots[index as usize].course.unfinished) {
            self.unfinished -= 1;
            if self.unfinished == 0 {
                self.all_sent(ctx);
            }
        }
    }

    /// Counts against their steps the SSDUs of a session that are in flight and will not be answered.
    pub(crate) fn count_lost_by_step(&mut self, index: usize) {
        let slot = &self.slots[index];
        let depth = self.plan.depth;
        for nth in 0..slot.in_flight {
            let place = index as u32 * depth + (slot.first_flight + nth) % depth;
            let due = Duration::from_nanos(self.flights[place as usize].due_ns);
            if let Some(step) = self.recorder.steps.at(due).filter(|_| self.window.contains(due)) {
                step.lost += 1;
            }
        }
    }

    fn note_lateness(&mut self, blocked: bool, due: Duration, now: Duration) {
        if !self.window.contains(due) {
            return;
        }
        let step = self.recorder.steps.at(due);
        if blocked {
            self.recorder.counts.waited += 1;
            if let Some(step) = step {
                step.sent += 1;
                step.waited += 1;
            }
            return;
        }
        let lateness = now.saturating_sub(due);
        let lateness_ns = lateness.as_nanos() as u64;
        self.recorder.counts.late += u64::from(lateness > LATE);
        self.recorder.lateness_ns.saturating_record(lateness_ns);
        if let Some(step) = step {
            step.sent += 1;
            step.late += u64::from(lateness > LATE);
            step.lateness_ns.saturating_record(lateness_ns);
        }
    }

    /// Takes an SSDU, or a part of one, that came from the peer.
    pub(crate) fn answer<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        enclosure: Enclosure,
        body: &Body,
    ) {
        let now = ctx.now();
        let slot = &mut self.slots[index as usize];
        let octets = body.len() as u64;
        if self.plan.check == Check::Echo {
            for slice in body.slices() {
                self.content.compare(&mut slot.arriving, slice);
            }
        }
        let in_window = self.window.contains(now);
        let counts = &mut self.recorder.counts;
        counts.octets_in_window += if in_window { octets } else { 0 };
        if let Some(step) = self.recorder.steps.at(now) {
            step.octets_within += octets;
        }
        let counts = &mut self.recorder.counts;
        if !enclosure.end {
            return;
        }
        if slot.in_flight == 0 {
            counts.unexpected += 1;
            slot.arriving = Arriving::default();
            return;
        }
        let depth = self.plan.depth;
        let flight = self.flights[(index * depth + slot.first_flight) as usize];
        slot.first_flight = (slot.first_flight + 1) % depth;
        slot.in_flight -= 1;
        let expected = slot.next_answer;
        slot.next_answer = expected.wrapping_add(1);
        if self.plan.check == Check::Echo {
            let verdict = self.content.finish(&mut slot.arriving, slot.number, expected);
            self.recorder.verdict(verdict);
        }
        self.record(flight, now, in_window);
        self.in_flight -= 1;
        self.go_on_with(ctx, index);
    }

    fn record(&mut self, flight: Flight, now: Duration, in_window: bool) {
        let now_ns = now.as_nanos() as u64;
        let recorder = &mut self.recorder;
        recorder.roll(now);
        recorder.counts.answered += 1;
        recorder.counts.answered_in_window += u64::from(in_window);
        if let Some(step) = recorder.steps.at(now) {
            step.answered_within += 1;
        }
        let due = Duration::from_nanos(flight.due_ns);
        if self.window.contains(due) {
            let response_ns = now_ns.saturating_sub(flight.due_ns);
            let service_ns = now_ns.saturating_sub(flight.sent_ns);
            recorder.counts.measured += 1;
            recorder.response_ns.saturating_record(response_ns);
            recorder.service_ns.saturating_record(service_ns);
            if let Some(step) = recorder.steps.at(due) {
                step.response_ns.saturating_record(response_ns);
                step.service_ns.saturating_record(service_ns);
            }
        }
        self.live.answered(recorder.counts.answered);
    }
}

impl Window {
    pub(crate) fn contains(&self, at: Duration) -> bool {
        self.from <= at && at < self.until
    }
}

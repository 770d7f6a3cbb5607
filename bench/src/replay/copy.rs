//! One copy of a recorded session: what it sends when, and what it makes of the answers.
//!
//! ```text
//! Due ── its time ──► Connecting ── CC ──► Open ── all sent and answered ──► Settling ──► Closing ──► Ended
//!                         └───────────────── a mismatch, the end of a run ────────────────────┘
//! ```

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use colloquy_transport::buf::{Body, Slice, TxBatch};
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, Event};
use colloquy_transport::driver::{Close, ConnectionId};

use super::kinds::SpduKinds;
use super::script::{Answer, Script};
use super::tally::{Mismatch, MismatchKind, Tally};
use super::{ReplayPlan, Speed};

/// How long a copy whose answers are all there waits for one too many, or for the responder to close.
pub const SETTLE: Duration = Duration::from_millis(50);
/// How long a connection may take to close in order before it is reset.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(2);
/// Octets in a batch from which on nothing more is put into it before it is sent.
const BATCH_OCTETS_MAX: usize = 256 << 10;
/// Longest answer taken.
const TSDU_OCTETS_MAX: usize = 64 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Due,
    Connecting,
    Open,
    Settling,
    Closing,
    Ended,
}

/// How a copy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    Diverged,
    Stopped,
}

/// What the driver is to do for a copy at this time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Nothing,
    Connect,
    Close(Close),
}

#[derive(Debug)]
pub(crate) struct Copy {
    /// Number among the copies of its session, from 1.
    number: u32,
    pub(crate) script: Rc<Script>,
    class0: Class0,
    pub(crate) stage: Stage,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) connection: Option<ConnectionId>,
    start: Duration,
    sent: usize,
    answered: usize,
    /// When each count of answers from `ready_base` on was reached: the intended times at full speed.
    ready: VecDeque<Duration>,
    ready_base: usize,
    /// The last answer.
    heard: Duration,
    /// The last request, or the beginning of the stage.
    progress: Duration,
    pub(crate) batch: TxBatch,
    pub(crate) in_flight: bool,
    /// The earliest timer that the runner holds for this copy.
    pub(crate) armed: Option<Duration>,
}

impl Copy {
    pub(crate) fn new(number: u32, script: Rc<Script>, plan: &ReplayPlan, now: Duration) -> Copy {
        let start = match plan.speed {
            Speed::Recorded => now + script.start,
            Speed::Full => now,
        };
        let config = Class0Config {
            expedited: script.connect.expedited,
            tsdu_octets_max: TSDU_OCTETS_MAX,
            ..Class0Config::default()
        };
        Copy {
            number,
            class0: Class0::initiator(&config),
            script,
            stage: Stage::Due,
            outcome: None,
            connection: None,
            start,
            sent: 0,
            answered: 0,
            ready: VecDeque::new(),
            ready_base: 0,
            heard: start,
            progress: start,
            batch: TxBatch::new(),
            in_flight: false,
            armed: None,
        }
    }

    /// The network connection is there.
    pub(crate) fn connected(&mut self) {
        // The size is negotiated anew: it is this end's own, not the recorded one.
        let connect = ConnectTpdu { tpdu_octets: None, ..self.script.connect };
        self.class0.connect_request(&connect, &mut self.batch);
    }

    /// Octets came.
    pub(crate) fn received(
        &mut self,
        octets: Slice,
        now: Duration,
        plan: &ReplayPlan,
        tally: &mut Tally,
    ) -> Wish {
        self.class0.receive(octets);
        while let Some(event) = self.class0.next_event(&mut self.batch) {
            let mismatch = match event {
                Event::Data(body) => self.answer(body, false, now, plan, tally),
                Event::Expedited(octets) => self.answer(Body::new(octets), true, now, plan, tally),
                Event::ConnectConfirm(_) => self.confirmed(now, tally),
                Event::Disconnect { reason } => {
                    Some(self.missing(format!("transport disconnect, reason {reason}")))
                }
                Event::Fault(fault) => Some(self.missing(format!("{} fault: {:?}", fault.layer, fault.kind))),
                // An initiator is given none.
                Event::Connect(_) => None,
            };
            if let Some(mismatch) = mismatch {
                return self.diverge(mismatch, now, tally);
            }
        }
        self.go_on(now, plan, tally)
    }

    fn confirmed(&mut self, now: Duration, tally: &mut Tally) -> Option<Mismatch> {
        tally.answered(0, Some(now.saturating_sub(self.start)));
        self.stage = Stage::Open;
        self.heard = now;
        self.ready.push_back(now);
        (self.script.expedited && !self.class0.expedited()).then(|| {
            let expected = "CC with transport expedited data".into();
            self.mismatch(MismatchKind::Other, expected, "CC without them".into(), None)
        })
    }

    fn answer(
        &mut self,
        body: Body,
        expedited: bool,
        now: Duration,
        plan: &ReplayPlan,
        tally: &mut Tally,
    ) -> Option<Mismatch> {
        let tsdu = body.into_contiguous();
        let Some(answer) = self.script.answers.get(self.answered) else {
            if self.script.cut {
                tally.answers_beyond += 1;
                return None;
            }
            let got = SpduKinds::of(&tsdu, expedited).to_string();
            return Some(self.mismatch(MismatchKind::Extra, "no more answers".into(), got, None));
        };
        if !answer.kinds.are_those_of(&tsdu, expedited) {
            let got = SpduKinds::of(&tsdu, expedited).to_string();
            let (expected, record) = (answer.kinds.to_string(), answer.record);
            return Some(self.mismatch(MismatchKind::Other, expected, got, Some(record)));
        }
        // What the responder sends of its own accord may come before the request it followed when recorded.
        let request = answer.request.filter(|request| *request < self.sent);
        tally.answered(answer.name, request.map(|request| now.saturating_sub(self.intended(request, plan))));
        self.answered += 1;
        self.heard = now;
        self.ready.push_back(now);
        let next = self.script.answers.get(self.answered).map_or(self.answered, |next| next.ready_from);
        let to_send = self.script.requests.get(self.sent).map_or(next, |request| request.answers_before);
        while self.ready_base < next.min(to_send).min(self.answered) {
            self.ready.pop_front();
            self.ready_base += 1;
        }
        None
    }

    /// When a request that was or can be sent was meant to be sent.
    fn intended(&self, request: usize, plan: &ReplayPlan) -> Duration {
        let Some(request) = self.script.requests.get(request) else { return self.start };
        match plan.speed {
            Speed::Recorded => self.start + request.offset,
            Speed::Full => self.ready_at(request.answers_before),
        }
    }

    /// When so many answers had come.
    fn ready_at(&self, answers: usize) -> Duration {
        self.ready.get(answers.saturating_sub(self.ready_base)).copied().unwrap_or(self.heard)
    }

    /// Puts the requests whose time has come and whose answers are there into the batch.
    pub(crate) fn go_on(&mut self, now: Duration, plan: &ReplayPlan, tally: &mut Tally) -> Wish {
        while self.stage == Stage::Open && self.batch.octets() < BATCH_OCTETS_MAX {
            let Some(request) = self.script.requests.get(self.sent) else { break };
            let intended = self.intended(self.sent, plan);
            if request.answers_before > self.answered || intended > now {
                break;
            }
            if request.expedited {
                if let Err(error) = self.class0.expedited_request(&request.octets, &mut self.batch) {
                    let expected = format!("an expedited TSDU of {} octets", request.octets.len());
                    let mismatch = self.mismatch(MismatchKind::Other, expected, error.to_string(), None);
                    return self.diverge(mismatch, now, tally);
                }
            } else {
                self.class0.data_request(&[], std::slice::from_ref(&request.octets), &mut self.batch);
            }
            tally.sent(now.saturating_sub(intended.max(self.ready_at(request.answers_before))));
            self.sent += 1;
            self.progress = now;
        }
        let done = self.sent == self.script.requests.len() && self.answered == self.script.answers.len();
        if self.stage == Stage::Open && done && self.batch.is_empty() && !self.in_flight {
            self.stage = Stage::Settling;
            self.progress = now;
        }
        Wish::Nothing
    }

    /// The responder closed its direction.
    pub(crate) fn ended_by_peer(&mut self, got: &str, now: Duration, tally: &mut Tally) -> Wish {
        match self.stage {
            Stage::Connecting | Stage::Open => {
                let done =
                    self.sent == self.script.requests.len() && self.answered == self.script.answers.len();
                if done && self.stage == Stage::Open {
                    return self.end(Outcome::Completed, Close::Graceful, now);
                }
                let mismatch = self.missing(got.into());
                self.diverge(mismatch, now, tally)
            }
            Stage::Settling => self.end(Outcome::Completed, Close::Graceful, now),
            Stage::Due | Stage::Closing | Stage::Ended => Wish::Nothing,
        }
    }

    /// A timer ran out; what is due is done.
    pub(crate) fn elapsed(&mut self, now: Duration, plan: &ReplayPlan, tally: &mut Tally) -> Wish {
        if self.due(plan).is_none_or(|due| due > now) {
            return Wish::Nothing;
        }
        if self.stage == Stage::Open && self.next_request_due(plan).is_some_and(|due| due <= now) {
            let wish = self.go_on(now, plan, tally);
            if self.stage != Stage::Open || self.deadline(plan) > now {
                return wish;
            }
        }
        match self.stage {
            Stage::Due => {
                self.stage = Stage::Connecting;
                self.progress = now;
                Wish::Connect
            }
            Stage::Connecting | Stage::Open => {
                let got = format!("nothing within {} ms", plan.answer_timeout.as_millis());
                let mismatch = self.missing(got);
                self.diverge(mismatch, now, tally)
            }
            Stage::Settling => self.end(Outcome::Completed, Close::Graceful, now),
            Stage::Closing => Wish::Close(Close::Abort),
            Stage::Ended => Wish::Nothing,
        }
    }

    /// When the copy has to be looked at if nothing happens before.
    pub(crate) fn due(&self, plan: &ReplayPlan) -> Option<Duration> {
        match self.stage {
            Stage::Due => Some(self.start),
            Stage::Connecting => Some(self.progress + plan.answer_timeout),
            Stage::Open => {
                let deadline = self.deadline(plan);
                Some(self.next_request_due(plan).map_or(deadline, |request| request.min(deadline)))
            }
            Stage::Settling => Some(self.progress + SETTLE),
            Stage::Closing => Some(self.progress + CLOSE_TIME_MAX),
            Stage::Ended => None,
        }
    }

    /// When the next answer is overdue, or what was sent should long have been taken.
    fn deadline(&self, plan: &ReplayPlan) -> Duration {
        let asked = |answer: &&Answer| answer.request.is_none_or(|request| request < self.sent);
        match self.script.answers.get(self.answered).filter(asked) {
            Some(answer) => {
                let asked = answer.request.map_or(self.start, |request| self.intended(request, plan));
                self.heard.max(asked) + answer.wait + plan.answer_timeout
            }
            // Nothing is owed before the next request.
            None if self.next_request_due(plan).is_some() => Duration::MAX,
            None => self.progress.max(self.heard) + plan.answer_timeout,
        }
    }

    /// The time of the next request if only time keeps it back.
    fn next_request_due(&self, plan: &ReplayPlan) -> Option<Duration> {
        let request = self.script.requests.get(self.sent)?;
        let waits = request.answers_before > self.answered || self.batch.octets() >= BATCH_OCTETS_MAX;
        (!waits).then(|| self.intended(self.sent, plan))
    }

    /// The run is over before the copy is.
    pub(crate) fn stop(&mut self, now: Duration) -> Wish {
        match self.stage {
            Stage::Closing | Stage::Ended => Wish::Nothing,
            Stage::Due => {
                self.outcome = Some(Outcome::Stopped);
                self.stage = Stage::Ended;
                Wish::Nothing
            }
            _ => self.end(Outcome::Stopped, Close::Abort, now),
        }
    }

    /// Connecting failed at once.
    pub(crate) fn refused(&mut self, got: String, tally: &mut Tally) {
        tally.diverged(self.missing(got), self.left());
        self.outcome = Some(Outcome::Diverged);
        self.stage = Stage::Ended;
    }

    fn diverge(&mut self, mismatch: Mismatch, now: Duration, tally: &mut Tally) -> Wish {
        tally.diverged(mismatch, self.left());
        self.end(Outcome::Diverged, Close::Abort, now)
    }

    fn end(&mut self, outcome: Outcome, how: Close, now: Duration) -> Wish {
        self.outcome.get_or_insert(outcome);
        self.stage = Stage::Closing;
        self.progress = now;
        Wish::Close(how)
    }

    /// Recorded answers that have not come.
    fn left(&self) -> u64 {
        (self.script.answers.len() - self.answered) as u64
    }

    fn missing(&self, got: String) -> Mismatch {
        let next = self.script.answers.get(self.answered);
        let expected = match (self.stage, next) {
            (Stage::Due | Stage::Connecting, _) => "CC".into(),
            (_, Some(answer)) => answer.kinds.to_string(),
            (_, None) => format!("request {} of {} to be taken", self.sent + 1, self.script.requests.len()),
        };
        let record = next.filter(|_| self.stage == Stage::Open).map(|answer: &Answer| answer.record);
        self.mismatch(MismatchKind::Missing, expected, got, record)
    }

    fn mismatch(&self, kind: MismatchKind, expected: String, got: String, record: Option<u64>) -> Mismatch {
        Mismatch {
            session: self.script.session,
            copy: self.number,
            kind,
            answer: self.answered + 1,
            requests_sent: self.sent,
            record,
            expected,
            got,
        }
    }
}

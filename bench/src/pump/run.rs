//! A stretch of load: warm-up, the measured part between two edges, and the answers that are still out.

use std::time::Duration;

use super::connection::End;
use super::due::Schedule;
use super::error::PumpError;
use super::plan::{Observer, Pace, QUEUE_MAX, Window};
use super::pump::Pump;
use super::report::PumpReport;
use super::tally::Tally;
use crate::recorder::thread_cpu;

/// How long measured requests of an open loop are waited for after the window, under load.
const GRACE: Duration = Duration::from_secs(2);
/// How long answers are waited for when the load is over.
const SETTLE: Duration = Duration::from_secs(5);
/// Requests of an open loop issued before answers are looked at again.
const ISSUES_MAX: usize = 32;

impl Pump {
    /// Carries load for one window; any number of times.
    ///
    /// Blocks for warm-up and measured part, in an open loop up to 2 s more until what was due is answered,
    /// and up to 5 s for the rest; connections that have not answered by then are given up.
    ///
    /// # Errors
    /// [`PumpError::Plan`], [`PumpError::AllGone`], and [`PumpError::Differs`] when answers are verified.
    pub fn run(&mut self, window: &Window, observer: &mut dyn Observer) -> Result<PumpReport, PumpError> {
        window.check().map_err(PumpError::Plan)?;
        if self.plan.active == 0 {
            return Err(PumpError::Plan("no connection carries load"));
        }
        self.tally = Tally::new(matches!(window.pace, Pace::Open { .. }));
        let (measured, cpu) = match window.pace {
            Pace::Closed { depth } => self.closed(depth, window, observer)?,
            Pace::Open { rate_per_s, poisson, seed } => {
                let schedule = Schedule::new(self.now(), rate_per_s, poisson.then_some(seed));
                self.open_loop(schedule, window, observer)?
            }
        };
        self.settle()?;
        Ok(self.report(measured, cpu))
    }

    fn closed(
        &mut self,
        depth: usize,
        window: &Window,
        observer: &mut dyn Observer,
    ) -> Result<(Duration, Duration), PumpError> {
        self.requests.repeat(depth);
        self.following = true;
        for index in self.active.clone() {
            if let Some(connection) = &mut self.connections[index] {
                connection.reserve(depth);
            }
            let now = self.now();
            self.ask(index, depth, now);
        }
        self.load_until(self.now() + nanoseconds(window.warm_up))?;
        observer.begins();
        let cpu = thread_cpu();
        let begin = self.now();
        self.tally.window = begin..u64::MAX;
        self.tally.counting = true;
        self.load_until(begin + nanoseconds(window.measured))?;
        self.edge(begin, cpu, observer)
    }

    /// The end of the measured part.
    fn edge(
        &mut self,
        begin: u64,
        cpu: Duration,
        observer: &mut dyn Observer,
    ) -> Result<(Duration, Duration), PumpError> {
        let measured = Duration::from_nanos(self.now() - begin);
        let cpu = thread_cpu() - cpu;
        self.tally.finish();
        observer.ends();
        Ok((measured, cpu))
    }

    fn load_until(&mut self, at: u64) -> Result<(), PumpError> {
        loop {
            self.someone_is_left()?;
            let now = self.now();
            if now >= at {
                return Ok(());
            }
            self.turn(Some(Duration::from_nanos(at - now)))?;
        }
    }

    fn someone_is_left(&self) -> Result<(), PumpError> {
        if self.active.is_empty() {
            let fault = self.gone.fault.clone().unwrap_or_else(|| "it ended in an earlier window".into());
            return Err(PumpError::AllGone { connections: self.plan.active, fault });
        }
        Ok(())
    }

    fn open_loop(
        &mut self,
        mut schedule: Schedule,
        window: &Window,
        observer: &mut dyn Observer,
    ) -> Result<(Duration, Duration), PumpError> {
        self.requests.repeat(QUEUE_MAX);
        self.following = false;
        for index in self.active.clone() {
            if let Some(connection) = &mut self.connections[index] {
                connection.reserve(QUEUE_MAX);
            }
        }
        self.issue_until(&mut schedule, self.now() + nanoseconds(window.warm_up), false)?;
        let before = self.now();
        observer.begins();
        let cpu = thread_cpu();
        let begin = self.now();
        // What would have become due meanwhile becomes due later: the observer's time is nobody's lateness.
        schedule.shift(begin - before);
        let end = begin + nanoseconds(window.measured);
        self.tally.window = begin..end;
        self.tally.counting = true;
        self.issue_until(&mut schedule, end, false)?;
        self.issue_until(&mut schedule, end + nanoseconds(GRACE), true)?;
        while schedule.due() < end {
            self.tally.due(schedule.due(), 0, false);
            schedule.advance();
        }
        self.edge(begin, cpu, observer)
    }

    /// Sends what becomes due until `at`, or `early` as soon as all measured requests are answered.
    fn issue_until(&mut self, schedule: &mut Schedule, at: u64, early: bool) -> Result<(), PumpError> {
        let spin = nanoseconds(self.plan.spin);
        loop {
            self.someone_is_left()?;
            self.issue_due(schedule);
            let now = self.now();
            let answered = early && self.tally.waiting == 0 && schedule.due() >= self.tally.window.end;
            if now >= at || answered {
                return Ok(());
            }
            let next = schedule.due().min(at);
            if next > now + spin {
                let timeout = self.alarm.set(now, next - spin).map_err(PumpError::system("timer"))?;
                self.turn(timeout)?;
            } else {
                self.turn(Some(Duration::ZERO))?;
            }
        }
    }

    fn issue_due(&mut self, schedule: &mut Schedule) {
        for _ in 0..ISSUES_MAX {
            let (now, due) = (self.now(), schedule.due());
            if due > now || self.active.is_empty() {
                return;
            }
            let index = self.active[schedule.turn() % self.active.len()];
            schedule.advance();
            let taken =
                self.connections[index].as_ref().is_some_and(|connection| connection.times.len() < QUEUE_MAX);
            self.tally.due(due, now, taken);
            if taken {
                self.ask(index, 1, due);
            }
        }
    }

    /// Waits for the answers that are out, and gives up connections on which none comes.
    fn settle(&mut self) -> Result<(), PumpError> {
        self.following = false;
        let until = self.now() + nanoseconds(SETTLE);
        while self.in_flight > 0 {
            let now = self.now();
            if now >= until {
                break;
            }
            self.turn(Some(Duration::from_nanos(until - now)))?;
        }
        for index in self.active.clone() {
            let Some(connection) = &self.connections[index] else { continue };
            if !connection.times.is_empty() {
                let fault =
                    format!("{} left {} requests unanswered", connection.peer, connection.times.len());
                self.end(index, End::Own(fault));
            }
        }
        Ok(())
    }

    fn report(&mut self, measured: Duration, cpu: Duration) -> PumpReport {
        let tally = std::mem::replace(&mut self.tally, Tally::new(false));
        let gone = std::mem::take(&mut self.gone);
        PumpReport {
            answered: tally.answered,
            octets: tally.octets,
            measured,
            response: tally.response,
            lateness: tally.lateness,
            cpu,
            due: tally.due,
            lost: tally.lost,
            missed: tally.missed,
            closed_by_peer: gone.closed_by_peer,
            given_up: gone.given_up,
            fault: gone.fault,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 4).min(u64::MAX / 4)
}

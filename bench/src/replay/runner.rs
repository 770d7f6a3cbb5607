//! All copies of a replay on one driver and one thread.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::time::Duration;

use colloquy_transport::driver::{Close, Completion, ConnectOptions, ConnectionId, Driver};

use crate::run::Go;

use super::copy::{Copy, Outcome, Stage, Wish};
use super::recording::Recording;
use super::script::{Names, Script};
use super::tally::Tally;
use super::{ReplayPlan, ReplayProgress};

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// What a run leaves behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) tally: Tally,
    pub(crate) names: Vec<String>,
    pub(crate) completed: u64,
    pub(crate) diverged: u64,
    pub(crate) stopped: u64,
    pub(crate) system_calls: u64,
}

pub(crate) struct Runner<'a, D> {
    driver: D,
    plan: &'a ReplayPlan,
    copies: Vec<Copy>,
    by_connection: HashMap<ConnectionId, usize>,
    timers: BinaryHeap<Reverse<(Duration, usize)>>,
    tally: Tally,
    names: Names,
    ended: usize,
}

impl<'a, D: Driver> Runner<'a, D> {
    pub(crate) fn new(driver: D, recording: &Recording, plan: &'a ReplayPlan, chosen: &[usize]) -> Self {
        let mut names = Names::new();
        let sessions = || chosen.iter().map(|number| (*number, &recording.sessions[number - 1]));
        let origin = sessions().map(|(_, session)| session.began.offset).min().unwrap_or_default();
        let now = driver.now();
        let mut copies = Vec::new();
        for (number, session) in sessions() {
            let script = Script::new(session, number, plan.to, origin, &mut names);
            copies.extend((1..=plan.copies).map(|copy| Copy::new(copy, script.clone(), plan, now)));
        }
        let mut runner = Runner {
            driver,
            plan,
            copies,
            by_connection: HashMap::new(),
            timers: BinaryHeap::new(),
            tally: Tally::default(),
            names,
            ended: 0,
        };
        (0..runner.copies.len()).for_each(|index| runner.arm(index));
        runner
    }

    pub(crate) fn run(mut self, progress: &mut dyn FnMut(&ReplayProgress) -> Go) -> io::Result<Done> {
        let began = self.driver.now();
        let mut completions = Vec::new();
        let (mut next_look, mut stopped) = (began, false);
        while self.ended < self.copies.len() {
            let now = self.driver.now();
            if now >= next_look {
                next_look = now + PROGRESS_INTERVAL;
                let seen = ReplayProgress {
                    runs: self.copies.len(),
                    ended: self.ended,
                    elapsed: now.saturating_sub(began),
                };
                if progress(&seen) == Go::Stop && !stopped {
                    stopped = true;
                    self.stop();
                }
            }
            let timer = self.timers.peek().map_or(next_look, |Reverse((due, _))| *due);
            let timeout = timer.min(next_look).saturating_sub(self.driver.now());
            self.driver.wait(Some(timeout), &mut completions)?;
            for completion in completions.drain(..) {
                self.complete(completion);
            }
            self.expire();
        }
        let count = |outcome| self.copies.iter().filter(|copy| copy.outcome == Some(outcome)).count() as u64;
        Ok(Done {
            completed: count(Outcome::Completed),
            diverged: count(Outcome::Diverged),
            stopped: count(Outcome::Stopped),
            system_calls: self.driver.stats().system_calls,
            names: self.names.as_slice().to_vec(),
            tally: self.tally,
        })
    }

    fn complete(&mut self, completion: Completion) {
        let now = self.driver.now();
        let (id, octets) = match completion {
            Completion::Connected(id) => (id, None),
            Completion::Received(id, octets) => (id, Some(octets)),
            Completion::Sent(id, mut batch) => {
                let Some(index) = self.by_connection.get(&id).copied() else { return };
                batch.clear();
                let copy = &mut self.copies[index];
                copy.in_flight = false;
                if copy.batch.is_empty() {
                    copy.batch = batch;
                }
                let wish = copy.go_on(now, self.plan, &mut self.tally);
                return self.act(index, wish);
            }
            Completion::Eof(id) => return self.peer_ended(id, "the responder closed the connection"),
            Completion::Failed(id, error) => {
                return self.peer_ended(id, &format!("connection failed: {error}"));
            }
            Completion::Closed(id) => {
                if let Some(index) = self.by_connection.remove(&id) {
                    self.copies[index].stage = Stage::Ended;
                    self.ended += 1;
                }
                return;
            }
            Completion::Accepted { .. } | Completion::AcceptFailed(..) | Completion::Woken => return,
        };
        let Some(index) = self.by_connection.get(&id).copied() else { return };
        let copy = &mut self.copies[index];
        let wish = match octets {
            _ if matches!(copy.stage, Stage::Closing | Stage::Ended) => Wish::Nothing,
            Some(octets) => copy.received(octets, now, self.plan, &mut self.tally),
            None => {
                copy.connected();
                Wish::Nothing
            }
        };
        self.act(index, wish);
    }

    fn peer_ended(&mut self, id: ConnectionId, got: &str) {
        let now = self.driver.now();
        if let Some(index) = self.by_connection.get(&id).copied() {
            let wish = self.copies[index].ended_by_peer(got, now, &mut self.tally);
            self.act(index, wish);
        }
    }

    /// Does what a copy wishes, sends what it has put into its batch, and sets its timer.
    fn act(&mut self, index: usize, wish: Wish) {
        let copy = &mut self.copies[index];
        if let (Some(id), false, false) = (copy.connection, copy.in_flight, copy.batch.is_empty()) {
            copy.in_flight = true;
            self.driver.send(id, std::mem::take(&mut copy.batch));
        }
        match wish {
            Wish::Nothing => {}
            Wish::Connect => match self.driver.connect(copy.script.to, &ConnectOptions::default()) {
                Ok(id) => {
                    copy.connection = Some(id);
                    self.by_connection.insert(id, index);
                }
                Err(error) => {
                    copy.refused(format!("no connection: {error}"), &mut self.tally);
                    self.ended += 1;
                }
            },
            Wish::Close(how) => {
                if let Some(id) = copy.connection {
                    self.driver.close(id, how);
                }
            }
        }
        self.arm(index);
    }

    fn arm(&mut self, index: usize) {
        let copy = &mut self.copies[index];
        let Some(due) = copy.due(self.plan).filter(|due| *due < Duration::MAX) else { return };
        // A timer that comes too early is set again then, so that an answer need not move it.
        if copy.armed.is_none_or(|armed| due < armed) {
            copy.armed = Some(due);
            self.timers.push(Reverse((due, index)));
        }
    }

    fn expire(&mut self) {
        let now = self.driver.now();
        while let Some(&Reverse((due, index))) = self.timers.peek()
            && due <= now
        {
            self.timers.pop();
            let copy = &mut self.copies[index];
            // Otherwise an earlier one has taken its place.
            if copy.armed == Some(due) {
                copy.armed = None;
                let wish = copy.elapsed(now, self.plan, &mut self.tally);
                self.act(index, wish);
            }
        }
    }

    fn stop(&mut self) {
        let now = self.driver.now();
        for index in 0..self.copies.len() {
            let before = self.copies[index].stage;
            let wish = self.copies[index].stop(now);
            if before == Stage::Due && self.copies[index].stage == Stage::Ended {
                self.ended += 1;
            }
            if wish == Wish::Close(Close::Abort) {
                self.act(index, wish);
            }
        }
    }
}

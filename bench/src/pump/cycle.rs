//! Connections that are opened and closed, again and again: what set-up and tear-down cost.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};
use serde_json::{Value, json};

use super::error::{OpeningError, PumpError};
use super::exchange::Exchange;
use super::opening::{Opening, Progress};
use super::plan::Observer;
use super::pump::wait;
use super::report::{histogram, quantiles_us};
use crate::recorder::thread_cpu;

/// Cycles under way at one time, at most.
pub const AT_ONCE_MAX: usize = 8192;
/// How often cycles are looked through for those that take too long.
const OVERDUE_CHECK: Duration = Duration::from_millis(100);
/// Failures of which none may follow a cycle that succeeded, for each cycle at one time: then nothing works.
const FAILURES_MAX: u64 = 4;
/// Octets read at one time.
const BUFFER_OCTETS: usize = 16 << 10;

/// Cycles of connect, opening and close.
#[derive(Clone, Debug)]
pub struct CyclePlan {
    /// Where connections go, in turn. Never empty.
    pub to: Vec<SocketAddr>,
    /// Whose opening is gone through; `None` closes as soon as TCP is connected.
    pub exchange: Option<Exchange>,
    /// FN and DN, before the connection is closed. Needs [`Exchange::release`].
    pub release: bool,
    /// Cycles under way at one time, 1 to [`AT_ONCE_MAX`].
    pub at_once: usize,
    /// Cycles before the measured part.
    pub warm_up: Duration,
    /// The measured part.
    pub measured: Duration,
    /// Local addresses to use in turn; empty lets the system choose.
    pub sources: Vec<IpAddr>,
    /// How long one cycle may take.
    pub cycle_timeout: Duration,
}

impl CyclePlan {
    /// One cycle at a time for a second after half a second, closed by a reset.
    pub fn new(to: Vec<SocketAddr>, exchange: Option<Exchange>) -> CyclePlan {
        CyclePlan {
            to,
            exchange,
            release: false,
            at_once: 1,
            warm_up: Duration::from_millis(500),
            measured: Duration::from_secs(1),
            sources: Vec::new(),
            cycle_timeout: Duration::from_secs(10),
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        let release = self.exchange.as_ref().map_or(&[][..], |exchange| &exchange.release);
        match () {
            () if self.to.is_empty() => Err("there is no address to connect to"),
            () if !(1..=AT_ONCE_MAX).contains(&self.at_once) => Err("cycles at one time are not 1 to 8192"),
            () if self.release && release.is_empty() => Err("the exchange has no release"),
            () => Ok(()),
        }
    }

    fn steps(&self) -> Vec<Vec<u8>> {
        let Some(exchange) = &self.exchange else { return Vec::new() };
        let release = self.release.then(|| exchange.release.clone());
        exchange.opening.iter().cloned().chain(release).collect()
    }
}

/// What cycles came to.
#[derive(Clone)]
pub struct CycleReport {
    /// Cycles that ended between the edges.
    pub cycles: u64,
    /// Between the edges: from the return of `begins` to the call of `ends`.
    pub measured: Duration,
    /// Cycles that failed between the edges.
    pub failed: u64,
    /// Nanoseconds from the connect to the last answer, of cycles that began and ended between the edges.
    pub response: Histogram<u64>,
    /// Processor time of the thread between the edges.
    pub cpu: Duration,
    /// Why the first one failed, warm-up included.
    pub fault: Option<String>,
}

impl CycleReport {
    /// All of it but the cells of the histogram.
    pub fn json(&self) -> Value {
        json!({
            "cycles": self.cycles,
            "measured_s": self.measured.as_secs_f64(),
            "per_s": self.cycles as f64 / self.measured.as_secs_f64(),
            "response_us": quantiles_us(&self.response),
            "cpu_s": self.cpu.as_secs_f64(),
            "failed": self.failed,
            "fault": self.fault,
        })
    }
}

/// Opens and closes connections, `at_once` at a time.
///
/// Each is closed by a reset (linger 0), so that none is left in TIME_WAIT and the ports of a source address,
/// about 28 000, suffice for any number of cycles.
///
/// # Errors
/// [`PumpError`] when the plan contradicts itself, and the error of the last cycle when none succeeds any more.
pub fn cycle(plan: &CyclePlan, observer: &mut dyn Observer) -> Result<CycleReport, PumpError> {
    plan.check().map_err(PumpError::Plan)?;
    let mut cycles = Cycles::new(plan)?;
    cycles.run_for(plan.warm_up)?;
    observer.begins();
    let cpu = thread_cpu();
    let begin = Instant::now();
    (cycles.done, cycles.failed, cycles.window) = (0, 0, Some(begin));
    cycles.run_for(plan.measured)?;
    let measured = begin.elapsed();
    let cpu = thread_cpu() - cpu;
    observer.ends();
    let Cycles { done, failed, response, fault, .. } = cycles;
    Ok(CycleReport { cycles: done, measured, failed, response, cpu, fault })
}

struct Cycles<'a> {
    plan: &'a CyclePlan,
    steps: Vec<Vec<u8>>,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    under_way: Vec<Option<Opening>>,
    /// Cycles begun.
    begun: usize,
    done: u64,
    failed: u64,
    /// Failures since the last success.
    in_vain: u64,
    window: Option<Instant>,
    response: Histogram<u64>,
    fault: Option<String>,
}

impl<'a> Cycles<'a> {
    fn new(plan: &'a CyclePlan) -> Result<Cycles<'a>, PumpError> {
        let mut cycles = Cycles {
            plan,
            steps: plan.steps(),
            poll: Poll::new().map_err(PumpError::system("epoll"))?,
            events: Events::with_capacity(plan.at_once.max(16)),
            buffer: vec![0; BUFFER_OCTETS],
            under_way: Vec::with_capacity(plan.at_once),
            begun: 0,
            done: 0,
            failed: 0,
            in_vain: 0,
            window: None,
            response: histogram(),
            fault: None,
        };
        cycles.under_way.resize_with(plan.at_once, || None);
        Ok(cycles)
    }

    /// Keeps `at_once` cycles under way.
    fn run_for(&mut self, time: Duration) -> Result<(), PumpError> {
        let until = Instant::now() + time;
        let mut checked = Instant::now();
        loop {
            for place in 0..self.under_way.len() {
                if self.under_way[place].is_none() {
                    self.begin(place)?;
                }
            }
            let now = Instant::now();
            if now >= until {
                return Ok(());
            }
            if now - checked >= OVERDUE_CHECK {
                checked = now;
                self.end_overdue()?;
            }
            wait(&mut self.poll, &mut self.events, Some(OVERDUE_CHECK.min(until - now)))?;
            let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
            let result = events.iter().try_for_each(|event| self.advance(event.token().0));
            self.events = events;
            result?;
        }
    }

    /// Begins a cycle, and goes on to the next address when one cannot even be begun.
    fn begin(&mut self, place: usize) -> Result<(), PumpError> {
        loop {
            let (to, sources) = (&self.plan.to, &self.plan.sources);
            let source = (!sources.is_empty()).then(|| sources[self.begun % sources.len()]);
            let peer = to[self.begun % to.len()];
            self.begun = self.begun.wrapping_add(1);
            match Opening::begin(self.poll.registry(), Token(place), peer, source) {
                Ok(opening) => {
                    self.under_way[place] = Some(opening);
                    return Ok(());
                }
                Err(error) => self.failure(error)?,
            }
        }
    }

    fn advance(&mut self, place: usize) -> Result<(), PumpError> {
        let Some(Some(opening)) = self.under_way.get_mut(place) else { return Ok(()) };
        match opening.advance(&self.steps, &mut self.buffer) {
            Ok(Progress::Waiting) => return Ok(()),
            Ok(Progress::Done) => {
                self.done += 1;
                self.in_vain = 0;
                if self.window.is_some_and(|begin| opening.began() >= begin) {
                    let time = opening.began().elapsed();
                    self.response.saturating_record(time.as_nanos() as u64);
                }
            }
            Err(error) => self.failure(error)?,
        }
        // Dropped, it is reset.
        self.under_way[place] = None;
        self.begin(place)
    }

    fn end_overdue(&mut self) -> Result<(), PumpError> {
        for place in 0..self.under_way.len() {
            let Some(opening) = &mut self.under_way[place] else { continue };
            if let Some(error) = opening.overdue(&self.steps, self.plan.cycle_timeout) {
                self.failure(error)?;
                self.under_way[place] = None;
            }
        }
        Ok(())
    }

    fn failure(&mut self, error: OpeningError) -> Result<(), PumpError> {
        self.failed += 1;
        self.in_vain += 1;
        self.fault.get_or_insert_with(|| error.to_string());
        if self.in_vain > FAILURES_MAX * self.plan.at_once as u64 { Err(error.into()) } else { Ok(()) }
    }
}

//! One run: generator threads, their coordination, and the report.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use colloquy_shard::thread::{ShardThread, ThreadOptions, spawn};
use colloquy_shard::{Shard, ShardConfig, Tally};
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::driver::select::{Backend, BackendChoice, select};
#[cfg(target_os = "linux")]
use colloquy_transport::driver::uring::{UringConfig, UringDriver};

use crate::churn::connections_max;
use crate::environment::{Environment, rfc3339};
use crate::generator::{Command, Generator, Notice};
use crate::hdr::{Collector, Exchange, Intervals, Rolling};
use crate::live::{Live, Seen};
use crate::plan::{DriverChoice, LoadPlan, PlanError};
use crate::recorder::Recorder;
use crate::report::{Report, RunFacts};

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);
/// How far within the measured part the first and last look at it are.
const MARGIN: Duration = Duration::from_millis(5);
/// Descriptors and slots beside those of the sessions.
const SPARE_CONNECTIONS: u32 = 64;

/// Why a run did not take place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The plan cannot be run.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The driver that was asked for does not work here.
    #[error("driver {driver}: {reason}")]
    Driver {
        /// Which.
        driver: &'static str,
        /// Why.
        reason: String,
    },
    /// The system refused a thread or made a driver unusable.
    #[error("{what}: {error}")]
    System {
        /// What failed.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Sessions are being opened.
    Opening,
    /// Load, not yet measured.
    WarmUp,
    /// Load, measured.
    Measuring,
    /// Unanswered SSDUs are waited for, sessions are released.
    Ending,
}

/// A look at a run.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Where the run is.
    pub stage: Stage,
    /// Time since the load started (since opening began, in [`Stage::Opening`]).
    pub elapsed: Duration,
    /// Warm-up and measured part together.
    pub planned: Duration,
    /// Sessions of the plan.
    pub sessions: u64,
    /// Numbers so far.
    pub seen: Seen,
}

/// What [`run`] does after a look at the progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Go on.
    On,
    /// End the measured part, release the sessions and report; the report says that it was stopped.
    Stop,
}

/// Runs the plan; `progress` is called about five times a second.
///
/// Sessions that fail, SSDUs that are lost and the like are in the report, not errors.
///
/// # Errors
/// [`LoadError`] when the run cannot take place.
pub fn run(plan: &LoadPlan, progress: &mut dyn FnMut(&Progress) -> Go) -> Result<Report, LoadError> {
    plan.validate()?;
    let (backend, driver_reason) = choose(plan.driver)?;
    let environment = Environment::read();
    let (began_at, began, wall) = (SystemTime::now(), Instant::now(), SystemTime::now());
    let plan = Arc::new(plan.clone());
    let mut threads = Threads::start(&plan, backend)?;
    let interrupted = threads.conduct(&plan, progress);
    let (recorder, tally, intervals) = threads.join(&plan)?;
    let elapsed = began.elapsed();
    let wall_elapsed = wall.elapsed().unwrap_or_default();
    let facts = RunFacts {
        began_at: rfc3339(began_at),
        environment,
        driver: backend.to_string(),
        driver_reason,
        tally,
        elapsed,
        clock_step: elapsed.abs_diff(wall_elapsed),
        interrupted,
        intervals,
    };
    Ok(Report::new(Arc::unwrap_or_clone(plan), recorder, facts))
}

/// Chooses the driver for a plan.
///
/// # Errors
/// [`LoadError::Driver`] when the one asked for does not work here.
pub fn choose(choice: DriverChoice) -> Result<(Backend, String), LoadError> {
    let wanted = match choice {
        DriverChoice::Auto => BackendChoice::Auto,
        DriverChoice::IoUring => BackendChoice::IoUring,
        DriverChoice::Mio => BackendChoice::Mio,
    };
    select(wanted).map_err(|error| LoadError::Driver { driver: choice.as_str(), reason: error.to_string() })
}

struct Threads {
    threads: Vec<Thread>,
    notices: Receiver<Notice>,
    /// Takes the latencies of each interval from the threads.
    collector: Collector,
}

struct Thread {
    shard: ShardThread<Command, Recorder>,
    live: Arc<Live>,
}

impl Threads {
    fn start(plan: &Arc<LoadPlan>, backend: Backend) -> Result<Threads, LoadError> {
        let (notices_in, notices) = channel();
        let mut threads = Vec::new();
        let mut collector = Collector::default();
        for number in 0..plan.threads {
            let share =
                |index: u32| (u64::from(plan.sessions) * u64::from(index) / u64::from(plan.threads)) as u32;
            let exchange = Arc::new(Exchange::new(plan));
            collector.add(exchange.clone());
            let seat = Seat {
                plan: plan.clone(),
                numbers: share(number)..share(number + 1),
                live: Arc::new(Live::default()),
                notices: notices_in.clone(),
                exchange,
            };
            let options = ThreadOptions {
                name: format!("clq-load-{number}"),
                core: plan.cores.get(number as usize % plan.cores.len().max(1)).copied(),
            };
            let live = seat.live.clone();
            let shard = seat
                .spawn(backend, options)
                .map_err(|error| LoadError::System { what: "starting a generator thread", error })?;
            threads.push(Thread { shard, live });
        }
        Ok(Threads { threads, notices, collector })
    }

    /// Leads all threads through the run; true when it was stopped before its time.
    fn conduct(&mut self, plan: &LoadPlan, progress: &mut dyn FnMut(&Progress) -> Go) -> bool {
        let planned = Duration::from_millis(plan.warm_up_ms) + plan.duration();
        let sessions = u64::from(plan.sessions);
        let mut stopped = false;
        let mut look = |threads: &[Thread], stage: Stage, since: Instant, stopped: &mut bool| {
            let mut seen = Seen::default();
            threads.iter().for_each(|thread| thread.live.add_to(&mut seen));
            let elapsed = since.elapsed();
            if progress(&Progress { stage, elapsed, planned, sessions, seen }) == Go::Stop && !*stopped {
                *stopped = true;
                threads.iter().for_each(|thread| thread.tell(Command::Stop));
            }
        };
        self.threads.iter().for_each(|thread| thread.tell(Command::Open));
        let opening = Instant::now();
        let mut ready = 0;
        while ready < self.threads.len() && !stopped && !self.any_finished() {
            match self.notices.recv_timeout(PROGRESS_INTERVAL) {
                Ok(Notice::Ready) => ready += 1,
                Err(RecvTimeoutError::Timeout) => look(&self.threads, Stage::Opening, opening, &mut stopped),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if !stopped {
            self.threads.iter().for_each(|thread| thread.tell(Command::Start));
        }
        let started = Instant::now();
        loop {
            let elapsed = started.elapsed();
            let stage = if elapsed >= planned {
                Stage::Ending
            } else if elapsed < Duration::from_millis(plan.warm_up_ms) {
                Stage::WarmUp
            } else {
                Stage::Measuring
            };
            look(&self.threads, stage, started, &mut stopped);
            self.collector.collect();
            let pause = until_next_look(plan, planned, started.elapsed());
            // Every sender of notices is gone when every generator is, which ends the wait at once.
            if let Err(RecvTimeoutError::Disconnected) = self.notices.recv_timeout(pause) {
                return stopped;
            }
        }
    }

    fn any_finished(&self) -> bool {
        self.threads.iter().any(|thread| thread.shard.is_finished())
    }

    fn join(mut self, plan: &LoadPlan) -> Result<(Recorder, Tally, Intervals), LoadError> {
        let mut merged = Recorder::default();
        let mut tally = Tally::default();
        for thread in self.threads {
            let counters = thread.shard.counters.clone();
            let mut recorder =
                thread.shard.join().map_err(|error| LoadError::System { what: "generator thread", error })?;
            self.collector.last(&mut recorder);
            merged.merge(&recorder);
            tally.add(&counters.snapshot());
        }
        let intervals = self.collector.finish(plan, &mut merged);
        Ok((merged, tally, intervals))
    }
}

/// The progress interval, cut so that there is a look right after the measured part begins and one right
/// before it ends: who watches something else over it sees nearly all of it.
fn until_next_look(plan: &LoadPlan, planned: Duration, elapsed: Duration) -> Duration {
    let first = Duration::from_millis(plan.warm_up_ms) + MARGIN;
    let last = planned.saturating_sub(MARGIN);
    [first, last]
        .into_iter()
        .filter(|mark| *mark > elapsed)
        .map(|mark| mark - elapsed)
        .fold(PROGRESS_INTERVAL, Duration::min)
}

impl Thread {
    fn tell(&self, command: Command) {
        // A thread that has ended needs no commands, and the ring has room for all there are.
        let _ = self.shard.commander.send(command);
    }
}

/// What one thread works with.
struct Seat {
    plan: Arc<LoadPlan>,
    numbers: std::ops::Range<u32>,
    live: Arc<Live>,
    notices: Sender<Notice>,
    exchange: Arc<Exchange>,
}

impl Seat {
    fn spawn(self, backend: Backend, options: ThreadOptions) -> io::Result<ShardThread<Command, Recorder>> {
        let connections_max = self.connections() as u32 + SPARE_CONNECTIONS;
        match backend {
            Backend::Mio => {
                let config = MioConfig { connections_max, ..MioConfig::default() };
                let build = move || Ok(self.shard(MioDriver::new(config)?));
                spawn(options, build, Generator::into_recorder)
            }
            #[cfg(target_os = "linux")]
            Backend::IoUring => {
                let config = UringConfig { files_max: connections_max, ..UringConfig::default() };
                let build = move || Ok(self.shard(UringDriver::new(config)?));
                spawn(options, build, Generator::into_recorder)
            }
            #[cfg(not(target_os = "linux"))]
            Backend::IoUring => Err(io::Error::other("io_uring needs Linux")),
        }
    }

    /// Connections at once.
    fn connections(&self) -> usize {
        match self.plan.mix.churns() {
            true => connections_max(self.numbers.len()),
            false => self.numbers.len(),
        }
    }

    fn shard<D: Driver>(self, driver: D) -> Shard<D, Generator> {
        let config = ShardConfig {
            sessions_max: self.connections(),
            connect_timeout: Duration::from_millis(self.plan.connect_timeout_ms),
            ..ShardConfig::default()
        };
        let rolling = Rolling::new(self.exchange, &self.plan);
        let generator = Generator::new(self.plan, self.numbers, self.live, self.notices, rolling);
        Shard::new(driver, generator, config)
    }
}

//! How a gateway is: its numbers and whether its shards turn, readable from any thread.

mod going;
mod turning;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use colloquy_shard::{CommandError, Commander, Counters, HandshakePool, Tally};
use colloquy_transport::driver::select::Backend;

use crate::app::{AppCounters, AppTally, GatewayCommand};
use crate::audit::Audit;
use crate::config::TargetState;
use crate::limits::LimitsTally;
use crate::plan::Plan;
use crate::reload::Reloads;
use crate::sight::Sight;

pub(crate) use going::Going;

/// What other threads know of one shard.
#[derive(Debug)]
pub(crate) struct ShardVitals {
    pub(crate) commander: Commander<GatewayCommand>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) app: Arc<AppCounters>,
    pub(crate) pinned: Option<usize>,
}

/// The numbers of one shard at one moment.
#[derive(Clone, Debug)]
pub struct ShardReport {
    /// What the shard has counted.
    pub tally: Tally,
    /// What the application has counted.
    pub app: AppTally,
    /// CPU time of the shard's thread, user and system; `None` where the system does not tell.
    pub cpu: Option<Duration>,
    /// The core it is pinned to.
    pub pinned: Option<usize>,
}

/// The state of a gateway.
#[derive(Debug)]
pub struct Vitals {
    /// What the shards act on.
    plan: ArcSwap<Plan>,
    shards: Vec<ShardVitals>,
    backend: Backend,
    backend_reason: String,
    draining: AtomicBool,
    pub(crate) going: Going,
    pub(crate) audit: Audit,
    pub(crate) reloads: Reloads,
    /// Where TLS handshakes run, while a shard does.
    pub(crate) handshakes: Weak<HandshakePool>,
    records_dropped: AtomicU64,
    started: Instant,
    sight: Sight,
    pub(crate) taps: crate::tap::Taps,
}

impl Vitals {
    pub(crate) fn new(
        plan: Arc<Plan>,
        shards: Vec<ShardVitals>,
        backend: Backend,
        backend_reason: String,
    ) -> Self {
        Self {
            plan: ArcSwap::new(plan),
            shards,
            backend,
            backend_reason,
            draining: AtomicBool::new(false),
            going: Going::default(),
            audit: Audit::default(),
            reloads: Reloads::default(),
            handshakes: Weak::new(),
            records_dropped: AtomicU64::new(0),
            started: Instant::now(),
            sight: Sight::default(),
            taps: crate::tap::Taps::default(),
        }
    }

    /// What the shards act on, or are about to.
    pub fn plan(&self) -> Arc<Plan> {
        self.plan.load_full()
    }

    /// What limits have let in, refused and delayed.
    pub fn limits(&self) -> LimitsTally {
        let plan = self.plan.load();
        plan.limits.tally(plan.origin.elapsed())
    }

    /// The backend in use.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Why it is in use.
    pub fn backend_reason(&self) -> &str {
        &self.backend_reason
    }

    /// Since the gateway started.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// The numbers of each shard.
    pub fn shards(&self) -> Vec<ShardReport> {
        self.shards
            .iter()
            .map(|shard| {
                let tally = shard.counters.snapshot();
                ShardReport {
                    cpu: thread_cpu(tally.thread_id),
                    tally,
                    app: shard.app.snapshot(),
                    pinned: shard.pinned,
                }
            })
            .collect()
    }

    /// What is remembered for reports.
    pub fn sight(&self) -> &Sight {
        &self.sight
    }

    /// What each shard has counted, without what only reports want.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = Tally> {
        self.shards.iter().map(|shard| shard.counters.snapshot())
    }

    /// The numbers of all shards together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for shard in &self.shards {
            total.add(&shard.counters.snapshot());
        }
        total
    }

    /// CPU time of all shards together; `None` where the system does not tell.
    pub fn cpu(&self) -> Option<Duration> {
        self.shards().iter().map(|shard| shard.cpu).sum()
    }

    /// Lets every shard act on `plan`, which succeeds the present one.
    pub(crate) fn set_plan(&self, plan: Arc<Plan>) {
        let before = self.plan.swap(Arc::clone(&plan));
        self.command_all(|| GatewayCommand::Reload(Arc::clone(&plan)));
        plan.forget_changed_source_rates(&before);
    }

    /// How many shards there are.
    pub(crate) fn shard_count(&self) -> u16 {
        u16::try_from(self.shards.len()).expect("the configuration has at most 256 shards")
    }

    /// Gives one shard a command; one that is not there has ended.
    pub(crate) fn command(
        &self,
        shard: u16,
        command: GatewayCommand,
    ) -> Result<(), CommandError<GatewayCommand>> {
        match self.shards.get(usize::from(shard)) {
            Some(shard) => shard.commander.send(command),
            None => Err(CommandError::Ended(command)),
        }
    }

    /// Sets what the operator wants of the target of this index, and lets the shards act on it.
    ///
    /// # Panics
    /// When the plan has no such target.
    pub fn set_target_state(&self, target: usize, state: TargetState) {
        self.plan().targets[target].set_state(state);
        self.command_all(|| GatewayCommand::TargetsChanged);
    }

    /// Gives every shard that runs a command.
    pub(crate) fn command_all(&self, command: impl Fn() -> GatewayCommand) {
        for shard in &self.shards {
            let mut command = command();
            // The ring is full only while the shard is busy with commands: it takes them every turn.
            while let Err(CommandError::Full(back)) = shard.commander.send(command) {
                command = back;
                std::thread::yield_now();
            }
        }
    }

    /// True once a drain has begun.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(crate) fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Log records that were dropped because the log did not keep up.
    pub fn records_dropped(&self) -> u64 {
        self.records_dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn set_records_dropped(&self, count: u64) {
        self.records_dropped.store(count, Ordering::Relaxed);
    }

    /// Asks every shard for a turn. An idle shard sleeps for good, so that it turns must be provoked.
    pub(crate) fn ping(&self) -> Vec<Ping> {
        self.shards
            .iter()
            .map(|shard| {
                let turns = shard.counters.snapshot().turns;
                let sent = shard.commander.send(GatewayCommand::Ping);
                Ping { turns, ended: matches!(sent, Err(CommandError::Ended(_))) }
            })
            .collect()
    }

    /// Shards that have not answered: neither turned since, nor ended in a drain.
    pub(crate) fn silent(&self, pings: &[Ping]) -> Vec<usize> {
        let draining = self.is_draining();
        let answered = |shard: usize| {
            let ping = &pings[shard];
            if ping.ended { draining } else { self.shards[shard].counters.snapshot().turns > ping.turns }
        };
        (0..self.shards.len()).filter(|shard| !answered(*shard)).collect()
    }
}

/// A question put to a shard.
#[derive(Debug)]
pub(crate) struct Ping {
    turns: u64,
    ended: bool,
}

/// CPU time of a thread of this process, from the scheduler's own account, in nanoseconds there.
fn thread_cpu(thread_id: u64) -> Option<Duration> {
    if thread_id == 0 {
        return None;
    }
    let text = std::fs::read_to_string(format!("/proc/self/task/{thread_id}/schedstat")).ok()?;
    Some(Duration::from_nanos(text.split_ascii_whitespace().next()?.parse().ok()?))
}

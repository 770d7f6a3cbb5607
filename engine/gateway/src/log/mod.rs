//! The log: takes the shards' records on a thread of its own and makes tracing events of them.
//!
//! Nothing is formatted on a shard's thread. [`install`] sets up where events go.

mod events;
mod format;
mod level;
mod limit;
mod limits;
mod output;
mod routing;
mod sessions;
mod wire;

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Wake, Waker};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use colloquy_shard::report::Reports;

use crate::audit::refusals::Refusals;
use crate::record::Record;
use crate::tls::ExpiryWatch;
use crate::vitals::Vitals;
use limit::Limiter;
use output::Progress;

pub(crate) use format::time_text;
pub use format::{InstallError, install};
pub use level::set_level;
pub(crate) use level::takes_accounts;
pub use output::flush;

/// How long the log sleeps at most: summaries of suppressed records are due even when nothing comes.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// The same while the log's lines are not read: nobody wakes it when they are again.
const BLOCKED_SLEEP: Duration = Duration::from_millis(20);
/// Time between two records that tell of lost ones.
const LOST_INTERVAL: Duration = Duration::from_secs(10);

/// What the log thread needs once the shards run.
type HandOver = (Vec<Reports<Record>>, Arc<Vitals>);

/// The log thread, started before the shards whose records it takes.
pub(crate) struct RecordLog {
    hand_over: Sender<HandOver>,
    thread: JoinHandle<()>,
}

impl RecordLog {
    /// Starts the thread; the waker wakes it.
    pub(crate) fn start() -> (RecordLog, Waker) {
        let (hand_over, taken) = channel::<HandOver>();
        let run = move || {
            // Without a hand-over the gateway did not start, and there is nothing to log.
            if let Ok((reports, vitals)) = taken.recv() {
                take_records(reports, &vitals);
            }
        };
        let thread = std::thread::spawn(run);
        let waker = Waker::from(Arc::new(Unpark(thread.thread().clone())));
        (RecordLog { hand_over, thread }, waker)
    }

    /// Lets it take records until every shard is gone.
    pub(crate) fn run(self, reports: Vec<Reports<Record>>, vitals: Arc<Vitals>) -> JoinHandle<()> {
        self.hand_over.send((reports, vitals)).expect("the thread waits for this");
        self.thread
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn take_records(mut reports: Vec<Reports<Record>>, vitals: &Vitals) {
    let mut limiter = Limiter::default();
    let mut refusals = Refusals::default();
    let mut expiry_watch = ExpiryWatch::default();
    let mut losses = Losses::default();
    let mut progress = Progress::begin();
    loop {
        // Records wait where they are while nobody reads the log, until there is nobody left to make more.
        let given_up = progress.is_stuck() && reports.iter().all(Reports::is_closed);
        let mut idle = true;
        // A reload gives new targets and routes their places, and may change the limit.
        let plan = vitals.plan();
        let max = plan.config.log.peer_records_per_minute_max;
        for report in &mut reports {
            while (output::has_room() || given_up)
                && let Some(record) = report.next_record()
            {
                idle = false;
                refusals.count(&record);
                if limiter.admit(&record, vitals.uptime(), max) {
                    events::emit(&plan.config, &record);
                }
            }
        }
        for summary in limiter.summaries(vitals.uptime()) {
            events::emit_summary(&summary);
        }
        refusals.note(&vitals.audit, vitals.uptime(), false);
        vitals.sight().tick(vitals);
        expiry_watch.look(&vitals.plan());
        log_refusals(vitals, false);
        let dropped = output::lost() + reports.iter().map(Reports::dropped).sum::<u64>();
        vitals.set_records_dropped(dropped);
        losses.tell(dropped, vitals.uptime());
        if reports.iter_mut().all(Reports::is_finished) {
            break;
        }
        if !output::has_room() {
            std::thread::park_timeout(BLOCKED_SLEEP);
        } else if idle {
            sleep(&mut reports);
        }
    }
    refusals.note(&vitals.audit, vitals.uptime(), true);
    for summary in limiter.all_summaries() {
        events::emit_summary(&summary);
    }
    log_refusals(vitals, true);
}

/// Tells of records that were lost, once there is somebody to tell it to.
#[derive(Debug, Default)]
struct Losses {
    told: u64,
    next_at: Duration,
}

impl Losses {
    fn tell(&mut self, lost: u64, now: Duration) {
        if lost > self.told && now >= self.next_at && output::is_flowing() {
            let count = lost - self.told;
            tracing::warn!(
                event_id = "CLQ-G13",
                count,
                "log records were lost, the log was not taken in time"
            );
            (self.told, self.next_at) = (lost, now + LOST_INTERVAL);
        }
    }
}

fn log_refusals(vitals: &Vitals, at_the_end: bool) {
    let plan = vitals.plan();
    for refusal in plan.limits.refusals().due(vitals.uptime(), at_the_end) {
        limits::emit(&plan.config, &refusal);
    }
}

/// Sleeps unless a record of any shard waits.
fn sleep(reports: &mut [Reports<Record>]) {
    match reports.split_first_mut() {
        Some((first, others)) => first.sleep_unless_ready(|| sleep(others)),
        None => std::thread::park_timeout(SLEEP_MAX),
    }
}

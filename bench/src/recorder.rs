//! What one generator thread records: histograms of fixed size and counts.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::content::Verdict;
use crate::hdr::Rolling;
use crate::operation::{Operation, Operations};
use crate::plan::{Dialogue, LoadPlan};
use crate::steps::StepRecords;

/// Longest time a histogram tells apart, in nanoseconds; longer ones count as this long.
pub const LATENCY_NS_MAX: u64 = 600_000_000_000;
/// Significant decimal digits of all histograms.
pub const DIGITS: u8 = 3;
/// An open-loop request sent this much after it was due counts as late.
pub const LATE: Duration = Duration::from_millis(1);

/// A histogram of nanoseconds whose memory is allocated at once, so that recording never allocates.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_NS_MAX, DIGITS).expect("bounds and digits are valid constants")
}

/// The record of one thread, or of several merged.
#[derive(Debug)]
pub struct Recorder {
    /// From due to answered.
    pub response_ns: Histogram<u64>,
    /// From sent to answered.
    pub service_ns: Histogram<u64>,
    /// From due to sent, where only the generator stood between; empty in a closed loop.
    pub lateness_ns: Histogram<u64>,
    /// From opening the network connection to the S-CONNECT confirm.
    pub connect_ns: Histogram<u64>,
    /// What operations beside data and connect took.
    pub operations: Operations,
    /// Counts.
    pub counts: Counts,
    /// Ends and refusals by class.
    pub errors: BTreeMap<String, u64>,
    /// Processor time of the thread in the measured part.
    pub cpu: Vec<Duration>,
    /// Length of the measured part (the longest of merged ones).
    pub measured: Duration,
    /// What fell to each step of the plan.
    pub steps: StepRecords,
    /// Where the recorder is among the intervals.
    pub(crate) rolling: Rolling,
}

/// Counts of one thread, or of several merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Sessions asked for.
    pub sessions: u64,
    /// Sessions that reached the data phase.
    pub established: u64,
    /// Sessions that never did.
    pub failed: u64,
    /// Sessions that ended before the generator released them.
    pub ended_early: u64,
    /// Sessions released in order, FN answered by DN.
    pub released: u64,
    /// SSDUs sent in all, warm-up included.
    pub sent: u64,
    /// SSDUs answered in all.
    pub answered: u64,
    /// SSDUs due in the measured part and answered: what the histograms hold.
    pub measured: u64,
    /// SSDUs answered while the measured part lasted: what the rates count.
    pub answered_in_window: u64,
    /// SSDUs sent while the measured part lasted.
    pub sent_in_window: u64,
    /// SSDUs sent and never answered.
    pub lost: u64,
    /// Requests of an open loop that were due and never sent.
    pub missed: u64,
    /// Requests of an open loop that the generator sent late.
    pub late: u64,
    /// Requests of an open loop that waited for a free place in their session.
    pub waited: u64,
    /// Answers that were not the one whose turn it was.
    pub reordered: u64,
    /// Answers whose content was not what was sent.
    pub corrupted: u64,
    /// SSDUs in flight that a resynchronization was meant to purge.
    pub purged: u64,
    /// Sessions that the generator aborted because the plan says so.
    pub aborted: u64,
    /// Synchronization points left out because the serial numbers of a session ran out.
    pub points_left_out: u64,
    /// SSDUs received that nothing asked for.
    pub unexpected: u64,
    /// Octets of SSDUs answered while the measured part lasted.
    pub octets_in_window: u64,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        let Counts {
            sessions,
            established,
            failed,
            ended_early,
            released,
            sent,
            answered,
            measured,
            answered_in_window,
            sent_in_window,
            lost,
            missed,
            late,
            waited,
            reordered,
            corrupted,
            purged,
            aborted,
            points_left_out,
            unexpected,
            octets_in_window,
        } = other;
        self.sessions += sessions;
        self.established += established;
        self.failed += failed;
        self.ended_early += ended_early;
        self.released += released;
        self.sent += sent;
        self.answered += answered;
        self.measured += measured;
        self.answered_in_window += answered_in_window;
        self.sent_in_window += sent_in_window;
        self.lost += lost;
        self.missed += missed;
        self.late += late;
        self.waited += waited;
        self.reordered += reordered;
        self.corrupted += corrupted;
        self.purged += purged;
        self.aborted += aborted;
        self.points_left_out += points_left_out;
        self.unexpected += unexpected;
        self.octets_in_window += octets_in_window;
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            response_ns: histogram(),
            service_ns: histogram(),
            lateness_ns: histogram(),
            connect_ns: histogram(),
            operations: Operations::default(),
            counts: Counts::default(),
            errors: BTreeMap::new(),
            cpu: Vec::new(),
            measured: Duration::ZERO,
            steps: StepRecords::default(),
            rolling: Rolling::default(),
        }
    }
}

impl Recorder {
    /// Takes the memory that recording the operations of a plan needs.
    pub fn prepare(&mut self, plan: &LoadPlan) {
        self.steps = StepRecords::of(plan);
        let mix = &plan.mix;
        for (operation, wanted) in [
            (Operation::Typed, mix.typed_each > 0),
            (Operation::Expedited, mix.expedited_each > 0),
            (Operation::MinorSync, mix.minor_sync_each > 0),
            (Operation::MajorSync, mix.major_sync_each > 0),
            (Operation::Resync, mix.resync_each > 0),
            (Operation::Exception, mix.exception_each > 0),
            (Operation::ActivityInterrupt, mix.activity_interrupt_each > 0),
            (Operation::ActivityDiscard, mix.activity_discard_each > 0),
            (Operation::ActivityEnd, mix.activity_ssdus > 0),
            (Operation::Capability, mix.capability_each > 0),
            (Operation::TokenTurn, plan.dialogue == Dialogue::HalfDuplex),
            (Operation::Release, true),
        ] {
            if wanted {
                self.operations.prepare(operation);
            }
        }
    }

    /// Adds one to the errors of `class`.
    pub fn error(&mut self, class: &str) {
        match self.errors.get_mut(class) {
            Some(count) => *count += 1,
            None => {
                self.errors.insert(class.to_owned(), 1);
            }
        }
    }

    /// Counts the verdict on an answer.
    pub fn verdict(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Good => {}
            Verdict::Reordered => self.counts.reordered += 1,
            Verdict::Corrupted => self.counts.corrupted += 1,
        }
    }

    /// Adds what another thread recorded.
    pub fn merge(&mut self, other: &Recorder) {
        for (mine, theirs) in [
            (&mut self.response_ns, &other.response_ns),
            (&mut self.service_ns, &other.service_ns),
            (&mut self.lateness_ns, &other.lateness_ns),
            (&mut self.connect_ns, &other.connect_ns),
        ] {
            mine.add(theirs).expect("all histograms have the same bounds");
        }
        self.operations.merge(&other.operations);
        self.counts.add(&other.counts);
        for (class, count) in &other.errors {
            *self.errors.entry(class.clone()).or_default() += count;
        }
        self.cpu.extend_from_slice(&other.cpu);
        self.measured = self.measured.max(other.measured);
        self.steps.merge(&other.steps);
        self.rolling.note_began_at(&other.rolling);
    }
}

/// Processor time of the calling thread so far.
pub fn thread_cpu() -> Duration {
    // Through libc: rustix looks for the vDSO by itself and where valgrind has unmapped it, which kills the kernels there.
    let clock = nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID;
    Duration::from(nix::time::clock_gettime(clock).expect("a thread has a clock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_adds_counts_histograms_and_errors() {
        let mut one = Recorder::default();
        one.response_ns.saturating_record(1000);
        one.counts.sent = 1;
        one.error("eof");
        let mut two = Recorder::default();
        two.response_ns.saturating_record(LATENCY_NS_MAX * 4);
        two.counts.sent = 2;
        two.error("eof");
        two.error("timeout");
        one.merge(&two);
        assert_eq!(one.response_ns.len(), 2);
        assert_eq!(one.counts.sent, 3);
        assert_eq!(one.errors["eof"], 2);
        assert_eq!(one.errors["timeout"], 1);
    }

    #[test]
    fn processor_time_of_a_busy_thread_goes_forward() {
        let before = thread_cpu();
        let mut x = 1u64;
        while thread_cpu() == before {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        assert!(thread_cpu() > before);
    }
}

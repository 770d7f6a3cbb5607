//! What a running generator thread shows to others: a few numbers, each with one writer.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::utils::CachePadded;

/// Numbers of one thread, written by it and read by the coordinator.
#[derive(Debug, Default)]
pub struct Live {
    numbers: CachePadded<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    established: AtomicU64,
    sent: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
}

/// What the coordinator read: numbers since the start, over all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Sessions in the data phase.
    pub established: u64,
    /// SSDUs sent.
    pub sent: u64,
    /// SSDUs answered.
    pub answered: u64,
    /// Sessions that failed or ended before their time.
    pub failed: u64,
}

impl Live {
    pub(crate) fn established(&self, count: usize) {
        self.numbers.established.store(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, count: u64) {
        self.numbers.sent.store(count, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, count: u64) {
        self.numbers.answered.store(count, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, count: u64) {
        self.numbers.failed.store(count, Ordering::Relaxed);
    }

    /// Adds this thread's numbers to `seen`.
    pub fn add_to(&self, seen: &mut Seen) {
        seen.established += self.numbers.established.load(Ordering::Relaxed);
        seen.sent += self.numbers.sent.load(Ordering::Relaxed);
        seen.answered += self.numbers.answered.load(Ordering::Relaxed);
        seen.failed += self.numbers.failed.load(Ordering::Relaxed);
    }
}

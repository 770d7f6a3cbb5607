//! The counts of a window under way.

use std::collections::VecDeque;
use std::ops::Range;

use hdrhistogram::Histogram;

use super::report::histogram;

/// Counts of one window. Times are nanoseconds since the pump was opened.
#[derive(Debug)]
pub(super) struct Tally {
    /// Requests sent or due in it are measured.
    pub(super) window: Range<u64>,
    /// Requests have due times of their own.
    open: bool,
    /// Between the edges.
    pub(super) counting: bool,
    pub(super) answered: u64,
    pub(super) octets: u64,
    pub(super) response: Histogram<u64>,
    pub(super) lateness: Histogram<u64>,
    pub(super) due: u64,
    /// Measured requests of an open loop without an answer yet.
    pub(super) waiting: u64,
    pub(super) lost: u64,
    pub(super) missed: u64,
}

impl Tally {
    /// Counts nothing yet.
    pub(super) fn new(open: bool) -> Tally {
        Tally {
            window: u64::MAX..u64::MAX,
            open,
            counting: false,
            answered: 0,
            octets: 0,
            response: histogram(),
            lateness: histogram(),
            due: 0,
            waiting: 0,
            lost: 0,
            missed: 0,
        }
    }

    /// `count` answers have come, to the oldest of the requests sent or due at `times`.
    pub(super) fn answers(&mut self, times: &mut VecDeque<u64>, count: usize, octets: usize, now: u64) {
        if self.counting {
            self.answered += count as u64;
            self.octets += octets as u64;
        }
        for time in times.drain(..count) {
            if self.counting && self.window.contains(&time) {
                self.response.saturating_record(now.saturating_sub(time));
                self.waiting -= u64::from(self.open);
            }
        }
    }

    /// A request was due, and came to its turn at `now`; `taken`, or missed.
    pub(super) fn due(&mut self, due: u64, now: u64, taken: bool) {
        if self.window.contains(&due) {
            self.due += 1;
            if taken {
                self.waiting += 1;
                self.lateness.saturating_record(now.saturating_sub(due));
            } else {
                self.missed += 1;
            }
        }
    }

    /// Requests sent or due at `times` will have no answer.
    pub(super) fn lose(&mut self, times: &VecDeque<u64>) {
        if self.open {
            let measured = times.iter().filter(|time| self.window.contains(time)).count() as u64;
            self.lost += measured;
            self.waiting -= measured;
        } else if self.window.start != u64::MAX {
            self.lost += times.len() as u64;
        }
    }

    /// The window is over: what still waits in an open loop is lost, and nothing is counted any more but what a closed
    /// loop still loses.
    pub(super) fn finish(&mut self) {
        self.counting = false;
        self.lost += std::mem::take(&mut self.waiting);
        self.window = if self.open { u64::MAX..u64::MAX } else { 0..0 };
    }
}

//! What a replay counts: answers by their types, times, and where copies left the recording.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::recorder::histogram;

use super::script::KINDS_MAX;

/// Mismatches that are described; all are counted.
pub const DESCRIBED_MAX: usize = 10;

/// How a copy left the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MismatchKind {
    /// An answer of other SPDUs.
    Other,
    /// No answer where one was recorded.
    Missing,
    /// An answer where none was recorded.
    Extra,
}

/// Where a copy left the recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Number of the session in the capture, from 1.
    pub session: usize,
    /// Number of the copy, from 1.
    pub copy: u32,
    /// In which way.
    pub kind: MismatchKind,
    /// Number of the answer among those of its session, from 1.
    pub answer: usize,
    /// TSDUs sent by then.
    pub requests_sent: usize,
    /// The record of the capture that ends the recorded answer; absent where there is none.
    pub record: Option<u64>,
    /// SPDUs of the recorded answer, or what else was expected.
    pub expected: String,
    /// SPDUs that came, or what else did.
    pub got: String,
}

/// Answers of one kind.
#[derive(Debug, Default)]
pub(crate) struct KindTally {
    pub(crate) matched: u64,
    /// From when their request was meant to be sent.
    pub(crate) response: Option<Box<Histogram<u64>>>,
}

/// Counts of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    /// Answers as recorded, by the index of their name.
    pub(crate) kinds: Vec<KindTally>,
    /// From the time a request was meant to be sent, or could be, to when it was.
    pub(crate) lateness: Option<Box<Histogram<u64>>>,
    pub(crate) mismatches: [u64; 3],
    pub(crate) described: Vec<Mismatch>,
    pub(crate) not_reached: u64,
    pub(crate) answers_beyond: u64,
}

impl Tally {
    /// An answer as recorded; `time` from when its request was meant to be sent, if it had been sent.
    pub(crate) fn answered(&mut self, name: usize, time: Option<Duration>) {
        if self.kinds.len() <= name {
            self.kinds.resize_with((name + 1).min(KINDS_MAX + 1), KindTally::default);
        }
        let kind = &mut self.kinds[name];
        kind.matched += 1;
        if let Some(time) = time {
            record(kind.response.get_or_insert_with(|| Box::new(histogram())), time);
        }
    }

    pub(crate) fn sent(&mut self, late: Duration) {
        self.requests += 1;
        record(self.lateness.get_or_insert_with(|| Box::new(histogram())), late);
    }

    /// A copy left the recording with so many recorded answers to come.
    pub(crate) fn diverged(&mut self, mismatch: Mismatch, answers_left: u64) {
        self.mismatches[mismatch.kind as usize] += 1;
        // The answer in which it left is the mismatch itself, unless there was none recorded.
        self.not_reached += answers_left.saturating_sub(u64::from(mismatch.record.is_some()));
        if self.described.len() < DESCRIBED_MAX {
            self.described.push(mismatch);
        }
    }
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    histogram.saturating_record(ns.max(1));
}

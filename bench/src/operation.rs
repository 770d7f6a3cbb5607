//! The kinds of operations that a run consists of, and the record of each.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::recorder::histogram;

/// A kind of operation that latency is told of. X.215 names the primitives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// From opening the network connection to the S-CONNECT confirm.
    Connect,
    /// From sending an SSDU to its answer.
    Data,
    /// From a typed SSDU to its answer.
    Typed,
    /// From an expedited SSDU to its answer.
    Expedited,
    /// From S-SYNC-MINOR to its confirm.
    MinorSync,
    /// From S-SYNC-MAJOR to its confirm.
    MajorSync,
    /// From S-RESYNCHRONIZE to its confirm.
    Resync,
    /// From S-U-EXCEPTION-REPORT until the peer has recovered: it gives the data token or resynchronizes.
    Exception,
    /// S-ACTIVITY-START, which nothing answers.
    ActivityStart,
    /// From S-ACTIVITY-INTERRUPT to its confirm.
    ActivityInterrupt,
    /// S-ACTIVITY-RESUME, which nothing answers.
    ActivityResume,
    /// From S-ACTIVITY-DISCARD to its confirm.
    ActivityDiscard,
    /// From S-ACTIVITY-END to its confirm.
    ActivityEnd,
    /// From S-CAPABILITY-DATA to its confirm.
    Capability,
    /// From giving the data token until it is back.
    TokenTurn,
    /// From S-RELEASE to its confirm.
    Release,
    /// S-U-ABORT, which nothing answers.
    Abort,
}

impl Operation {
    /// All kinds, in the order of reports.
    pub const ALL: [Operation; 17] = [
        Operation::Connect,
        Operation::Data,
        Operation::Typed,
        Operation::Expedited,
        Operation::MinorSync,
        Operation::MajorSync,
        Operation::Resync,
        Operation::Exception,
        Operation::ActivityStart,
        Operation::ActivityInterrupt,
        Operation::ActivityResume,
        Operation::ActivityDiscard,
        Operation::ActivityEnd,
        Operation::Capability,
        Operation::TokenTurn,
        Operation::Release,
        Operation::Abort,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Connect => "connect",
            Operation::Data => "data",
            Operation::Typed => "typed",
            Operation::Expedited => "expedited",
            Operation::MinorSync => "minor_sync",
            Operation::MajorSync => "major_sync",
            Operation::Resync => "resync",
            Operation::Exception => "exception",
            Operation::ActivityStart => "activity_start",
            Operation::ActivityInterrupt => "activity_interrupt",
            Operation::ActivityResume => "activity_resume",
            Operation::ActivityDiscard => "activity_discard",
            Operation::ActivityEnd => "activity_end",
            Operation::Capability => "capability",
            Operation::TokenTurn => "token_turn",
            Operation::Release => "release",
            Operation::Abort => "abort",
        }
    }

    /// True when it is over as soon as it is sent.
    pub fn is_unanswered(self) -> bool {
        matches!(self, Operation::ActivityStart | Operation::ActivityResume | Operation::Abort)
    }
}

/// What one thread, or several merged, recorded of the operations beside data and connect.
#[derive(Clone, Debug)]
pub struct Operations {
    records: [Record; Operation::ALL.len()],
}

/// The record of one kind of operation.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Requested.
    pub begun: u64,
    /// Answered; of those that nothing answers, sent.
    pub completed: u64,
    /// Answered wrongly, or refused by the machine here.
    pub errors: u64,
    /// Never answered.
    pub lost: u64,
    /// Ended by a resynchronization, interrupt, discard or exception report, as the plan means it.
    pub purged: u64,
    /// From request to answer, in nanoseconds, of those begun in the measured part. Its memory is taken when
    /// a run that may need it is prepared.
    pub latency_ns: Option<Box<Histogram<u64>>>,
}

impl Default for Operations {
    fn default() -> Self {
        Operations { records: std::array::from_fn(|_| Record::default()) }
    }
}

impl Operations {
    /// Takes the memory for the latencies of one kind, so that recording them never does.
    pub fn prepare(&mut self, operation: Operation) {
        self.of_mut(operation).latency_ns.get_or_insert_with(|| Box::new(histogram()));
    }

    /// The record of one kind.
    pub fn of(&self, operation: Operation) -> &Record {
        &self.records[operation as usize]
    }

    /// The record of one kind, to add to.
    pub fn of_mut(&mut self, operation: Operation) -> &mut Record {
        &mut self.records[operation as usize]
    }

    /// The latencies of all kinds, in the order of [`Operation::ALL`].
    pub(crate) fn latencies_mut(&mut self) -> impl Iterator<Item = &mut Option<Box<Histogram<u64>>>> {
        self.records.iter_mut().map(|record| &mut record.latency_ns)
    }

    /// Notes an answer, and how long it took where that is measured.
    pub fn completed(&mut self, operation: Operation, took: Option<Duration>) {
        let record = self.of_mut(operation);
        record.completed += 1;
        if let (Some(took), Some(histogram)) = (took, &mut record.latency_ns) {
            histogram.saturating_record(took.as_nanos() as u64);
        }
    }

    /// Adds what another thread recorded.
    pub fn merge(&mut self, other: &Operations) {
        for (mine, theirs) in self.records.iter_mut().zip(&other.records) {
            mine.begun += theirs.begun;
            mine.completed += theirs.completed;
            mine.errors += theirs.errors;
            mine.lost += theirs.lost;
            mine.purged += theirs.purged;
            if let Some(theirs) = &theirs.latency_ns {
                let mine = mine.latency_ns.get_or_insert_with(|| Box::new(histogram()));
                mine.add(&**theirs).expect("all histograms have the same bounds");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_in_their_order_with_names_of_their_own() {
        for (place, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, place);
            let same = Operation::ALL.iter().filter(|other| other.name() == operation.name()).count();
            assert_eq!(same, 1, "{}", operation.name());
        }
    }

    #[test]
    fn merging_adds_counts_and_latencies() {
        let (mut one, mut two) = (Operations::default(), Operations::default());
        two.prepare(Operation::Resync);
        two.completed(Operation::Resync, Some(Duration::from_micros(3)));
        two.completed(Operation::Resync, None);
        two.of_mut(Operation::Typed).lost = 2;
        one.merge(&two);
        one.merge(&two);
        let resync = one.of(Operation::Resync);
        assert_eq!((resync.completed, resync.latency_ns.as_ref().unwrap().len()), (4, 2));
        assert_eq!(one.of(Operation::Typed).lost, 4);
    }
}

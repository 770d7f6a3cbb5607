//! Records from a shard to another thread, for its log: never waits, counts what it had to drop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::queue::SegQueue;

use crate::rings::{Consumer, Doorbell, Producer, PushError, spsc};

/// Records that may wait beyond the path's own places because they must not be lost; with more than these, memory is what
/// has to be kept.
pub const OVERFLOW_MAX: usize = 1 << 17;

/// Makes a path for `capacity` records; `waker` wakes the receiving thread when it sleeps.
pub fn channel<R: Send>(capacity: usize, waker: std::task::Waker) -> (Reporter<R>, Reports<R>) {
    let (producer, consumer) = spsc(capacity);
    let shared = Arc::new(Shared {
        dropped: AtomicU64::new(0),
        overflow: SegQueue::new(),
        doorbell: Doorbell::new(waker),
    });
    (Reporter { producer, shared: Arc::clone(&shared) }, Reports { consumer, shared, overflow_due: 0 })
}

/// The shard's side.
#[derive(Debug)]
pub struct Reporter<R> {
    producer: Producer<R>,
    shared: Arc<Shared<R>>,
}

/// The other thread's side.
#[derive(Debug)]
pub struct Reports<R> {
    consumer: Consumer<R>,
    shared: Arc<Shared<R>>,
    /// Records of the overflow that are older than whatever comes into the ring from here on.
    overflow_due: usize,
}

#[derive(Debug)]
struct Shared<R> {
    dropped: AtomicU64,
    /// What did not find a place in the ring and must not be lost. While something is in here nothing goes into the ring,
    /// so that the order stays.
    overflow: SegQueue<R>,
    doorbell: Doorbell,
}

impl<R: Send> Reporter<R> {
    /// Hands a record over, or drops and counts it when there is no place.
    pub fn report(&mut self, record: R) {
        if self.shared.overflow.is_empty() && self.producer.push(record).is_ok() {
            self.shared.doorbell.ring();
        } else {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands a record over that must not be lost: without a place it waits in memory, up to [`OVERFLOW_MAX`] of them;
    /// beyond, it is dropped and counted.
    pub fn report_surely(&mut self, record: R) {
        let Shared { overflow, dropped, doorbell } = &*self.shared;
        let left = match overflow.is_empty() {
            true => self.producer.push(record),
            false => Err(PushError::Full(record)),
        };
        match left {
            Ok(()) => doorbell.ring(),
            Err(PushError::Full(record)) if overflow.len() < OVERFLOW_MAX => {
                overflow.push(record);
                doorbell.ring();
            }
            Err(_) => {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl<R: Send> Reports<R> {
    /// The oldest record.
    pub fn next_record(&mut self) -> Option<R> {
        if self.overflow_due == 0 {
            // Looked at before the ring: what is in the overflow now is younger than all that the ring has, and nothing
            // goes into the ring until it is taken.
            self.overflow_due = self.shared.overflow.len();
        }
        if let Some(record) = self.consumer.pop() {
            return Some(record);
        }
        self.overflow_due = self.overflow_due.checked_sub(1)?;
        self.shared.overflow.pop()
    }

    /// Records dropped so far.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// True when the shard's side is gone; records may wait still.
    pub fn is_closed(&self) -> bool {
        self.consumer.is_closed()
    }

    /// True when the shard's side is gone and every record was taken.
    pub fn is_finished(&mut self) -> bool {
        self.consumer.is_closed() && self.is_empty()
    }

    fn is_empty(&mut self) -> bool {
        self.consumer.is_empty() && self.shared.overflow.is_empty()
    }

    /// Runs `sleep` unless a record waits; a record that comes meanwhile uses the waker.
    pub fn sleep_unless_ready(&mut self, sleep: impl FnOnce()) {
        self.shared.doorbell.about_to_sleep();
        if self.is_empty() {
            sleep();
        }
        self.shared.doorbell.awake();
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_full_path_drops_and_counts() {
        let (mut reporter, mut reports) = channel(2, Waker::noop().clone());
        for record in 0..5 {
            reporter.report(record);
        }
        assert_eq!(reports.dropped(), 3);
        assert_eq!((reports.next_record(), reports.next_record()), (Some(0), Some(1)));
        assert!(!reports.is_finished());
        drop(reporter);
        assert!(reports.is_finished());
    }

    #[test]
    fn what_must_not_be_lost_waits_and_keeps_its_order() {
        let (mut reporter, mut reports) = channel(2, Waker::noop().clone());
        let (mut given, mut taken) = (0, Vec::new());
        for round in 0..50 {
            for _ in 0..round % 7 {
                reporter.report_surely(given);
                given += 1;
            }
            taken.extend((0..round % 5).filter_map(|_| reports.next_record()));
        }
        taken.extend(std::iter::from_fn(|| reports.next_record()));
        assert_eq!(taken, (0..given).collect::<Vec<_>>());
        assert_eq!(reports.dropped(), 0);
        drop(reporter);
        assert!(reports.is_finished());
    }

    #[test]
    fn order_holds_between_threads() {
        const RECORDS: u32 = 50_000;
        let (mut reporter, mut reports) = channel(8, Waker::noop().clone());
        let giving =
            std::thread::spawn(move || (0..RECORDS).for_each(|record| reporter.report_surely(record)));
        let mut expected = 0;
        while !reports.is_finished() {
            while let Some(record) = reports.next_record() {
                assert_eq!(record, expected);
                expected += 1;
            }
        }
        giving.join().unwrap();
        assert_eq!(expected, RECORDS);
    }

    #[test]
    fn what_waits_is_bounded() {
        let (mut reporter, reports) = channel(2, Waker::noop().clone());
        for record in 0..OVERFLOW_MAX + 5 {
            reporter.report_surely(record);
        }
        assert_eq!(reports.dropped(), 3);
    }
}

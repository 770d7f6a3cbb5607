//! Records from a shard to another thread, for its log: never waits, counts what it had to drop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::rings::{Consumer, Doorbell, Producer, spsc};

/// Makes a path for `capacity` records; `waker` wakes the receiving thread when it sleeps.
pub fn channel<R: Send>(capacity: usize, waker: std::task::Waker) -> (Reporter<R>, Reports<R>) {
    let (producer, consumer) = spsc(capacity);
    let shared = Arc::new(Shared { dropped: AtomicU64::new(0), doorbell: Doorbell::new(waker) });
    (Reporter { producer, shared: Arc::clone(&shared) }, Reports { consumer, shared })
}

/// The shard's side.
#[derive(Debug)]
pub struct Reporter<R> {
    producer: Producer<R>,
    shared: Arc<Shared>,
}

/// The other thread's side.
#[derive(Debug)]
pub struct Reports<R> {
    consumer: Consumer<R>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    dropped: AtomicU64,
    doorbell: Doorbell,
}

impl<R: Send> Reporter<R> {
    /// Hands a record over, or drops and counts it when there is no place.
    pub fn report(&mut self, record: R) {
        if self.producer.push(record).is_ok() {
            self.shared.doorbell.ring();
        } else {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<R: Send> Reports<R> {
    /// The oldest record.
    pub fn next_record(&mut self) -> Option<R> {
        self.consumer.pop()
    }

    /// Records dropped so far.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// True when the shard's side is gone and every record was taken.
    pub fn is_finished(&mut self) -> bool {
        self.consumer.is_closed() && self.consumer.is_empty()
    }

    /// Runs `sleep` unless a record waits; a record that comes meanwhile uses the waker.
    pub fn sleep_unless_ready(&mut self, sleep: impl FnOnce()) {
        self.shared.doorbell.about_to_sleep();
        if self.consumer.is_empty() {
            sleep();
        }
        self.shared.doorbell.awake();
    }
}

#[cfg(all(test, not(loom)))]
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
}

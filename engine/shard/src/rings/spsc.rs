//! A bounded ring with one producer and one consumer.
//!
//! Each side keeps its own position and a copy of the other's, and touches the other's cache line only
//! when the copy says full or empty.

use std::mem::MaybeUninit;

use crossbeam::utils::CachePadded;

use super::sync::{Arc, AtomicBool, AtomicUsize, Ordering, UnsafeCell};

/// Makes a ring of at least `capacity` places (rounded up to a power of two).
pub fn spsc<T: Send>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    let places = capacity.max(1).next_power_of_two();
    let shared = Arc::new(Shared {
        places: (0..places).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect(),
        head: CachePadded::new(AtomicUsize::new(0)),
        tail: CachePadded::new(AtomicUsize::new(0)),
        producer_gone: AtomicBool::new(false),
        consumer_gone: AtomicBool::new(false),
    });
    let consumer = Consumer { shared: Arc::clone(&shared), head: 0, tail: 0, told: 0 };
    (Producer { shared, head: 0, tail: 0, told: 0 }, consumer)
}

/// Why a value was not taken; it is handed back.
#[derive(Debug, PartialEq, Eq)]
pub enum PushError<T> {
    /// No place is free.
    Full(T),
    /// The consumer was dropped.
    Closed(T),
}

/// The sending side of a ring.
#[derive(Debug)]
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
    /// The consumer's position when it was last looked at.
    head: usize,
    tail: usize,
    /// The position that the consumer was told last.
    told: usize,
}

/// The receiving side of a ring.
#[derive(Debug)]
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    head: usize,
    /// The producer's position when it was last looked at.
    tail: usize,
    /// The position that the producer was told last: every place taken out alone would be a cache line back and forth.
    told: usize,
}

/// Invariant: `head <= tail <= head + places.len()`, both counted without bound (they wrap).
#[derive(Debug)]
struct Shared<T> {
    places: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// Values taken out; written by the consumer.
    head: CachePadded<AtomicUsize>,
    /// Values put in; written by the producer.
    tail: CachePadded<AtomicUsize>,
    producer_gone: AtomicBool,
    consumer_gone: AtomicBool,
}

// SAFETY: U7, a place is accessed by one side at a time, and handing it over goes through `head` and
// `tail` with release and acquire; values cross threads, hence `T: Send`.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Producer<T> {
    /// Puts a value in without waiting, and lets the consumer see it and all that were staged.
    ///
    /// # Errors
    /// [`PushError`] when the ring is full or the consumer is gone.
    pub fn push(&mut self, value: T) -> Result<(), PushError<T>> {
        let staged = self.stage(value);
        self.publish();
        staged
    }

    /// Puts a value in that the consumer sees with the next [`Producer::publish`]: once a turn, and not once a value, the
    /// two cores then exchange the line that says how far the producer is.
    ///
    /// # Errors
    /// [`PushError`] when the ring is full, of what is staged too, or the consumer is gone.
    pub fn stage(&mut self, value: T) -> Result<(), PushError<T>> {
        if self.shared.consumer_gone.load(Ordering::Relaxed) {
            return Err(PushError::Closed(value));
        }
        if self.tail.wrapping_sub(self.head) == self.shared.places.len() {
            self.head = self.shared.head.load(Ordering::Acquire);
            if self.tail.wrapping_sub(self.head) == self.shared.places.len() {
                return Err(PushError::Full(value));
            }
        }
        self.shared.place(self.tail).with_mut(|place| {
            // SAFETY: U7, `head` has passed this place and `tail` has not: it is the producer's.
            unsafe { (*place).write(value) };
        });
        self.tail = self.tail.wrapping_add(1);
        Ok(())
    }

    /// Lets the consumer see what was staged; the doorbell is rung behind it.
    pub fn publish(&mut self) {
        if self.told != self.tail {
            self.told = self.tail;
            self.shared.tail.store(self.tail, Ordering::Release);
        }
    }
}

impl<T> Consumer<T> {
    /// Takes the oldest value out.
    ///
    /// The producer hears of free places when a quarter of the ring is free, or nothing is left.
    pub fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let value = self.shared.place(self.head).with_mut(|place| {
            // SAFETY: U7, `tail` has passed this place and `head` has not: it is the consumer's, and the
            // producer has written it.
            unsafe { (*place).assume_init_read() }
        });
        self.head = self.head.wrapping_add(1);
        if self.head.wrapping_sub(self.told) > self.shared.places.len() / 4 {
            self.tell();
        }
        Some(value)
    }

    fn tell(&mut self) {
        if self.told != self.head {
            self.told = self.head;
            self.shared.head.store(self.head, Ordering::Release);
        }
    }

    /// True when there is nothing to take out.
    pub fn is_empty(&mut self) -> bool {
        if self.head == self.tail {
            self.tail = self.shared.tail.load(Ordering::Acquire);
        }
        let empty = self.head == self.tail;
        if empty {
            self.tell();
        }
        empty
    }

    /// True when the producer was dropped; what it had put in can still be taken out.
    pub fn is_closed(&self) -> bool {
        self.shared.producer_gone.load(Ordering::Acquire)
    }
}

impl<T> Shared<T> {
    fn place(&self, position: usize) -> &UnsafeCell<MaybeUninit<T>> {
        &self.places[position & (self.places.len() - 1)]
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.publish();
        self.shared.producer_gone.store(true, Ordering::Release);
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.shared.consumer_gone.store(true, Ordering::Relaxed);
        while self.pop().is_some() {}
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // What was put in after the consumer had emptied the ring for the last time.
        let tail = self.tail.load(Ordering::Acquire);
        let mut head = self.head.load(Ordering::Acquire);
        while head != tail {
            self.place(head).with_mut(|place| {
                // SAFETY: U7, both sides are gone and the place is between `head` and `tail`: written,
                // not taken.
                unsafe { (*place).assume_init_drop() };
            });
            head = head.wrapping_add(1);
        }
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use std::sync::Arc as StdArc;

    use super::*;

    #[test]
    fn a_full_ring_hands_the_value_back() {
        let (mut producer, mut consumer) = spsc(2);
        assert_eq!(producer.push(1), Ok(()));
        assert_eq!(producer.push(2), Ok(()));
        assert_eq!(producer.push(3), Err(PushError::Full(3)));
        assert_eq!(consumer.pop(), Some(1));
        assert_eq!(producer.push(3), Ok(()));
        assert_eq!((consumer.pop(), consumer.pop(), consumer.pop()), (Some(2), Some(3), None));
        assert!(!consumer.is_closed());
        drop(producer);
        assert!(consumer.is_closed());
    }

    #[test]
    fn what_is_staged_is_seen_once_it_is_published() {
        let (mut producer, mut consumer) = spsc(8);
        assert_eq!((producer.stage(1), producer.stage(2), consumer.pop()), (Ok(()), Ok(()), None));
        producer.publish();
        assert_eq!((consumer.pop(), consumer.pop(), consumer.pop()), (Some(1), Some(2), None));
        (3..11).for_each(|value| producer.stage(value).unwrap());
        assert_eq!(producer.stage(11), Err(PushError::Full(11)));
        assert_eq!(producer.push(11), Err(PushError::Full(11)), "what is staged is published all the same");
        (3..11).for_each(|value| assert_eq!(consumer.pop(), Some(value)));
        assert_eq!(producer.push(11), Ok(()), "the free places were told");
        producer.stage(12).unwrap();
        drop(producer);
        assert_eq!((consumer.pop(), consumer.pop(), consumer.pop()), (Some(11), Some(12), None));
    }

    #[test]
    fn nothing_is_leaked_when_either_side_goes_first() {
        let token = StdArc::new(());
        let (mut producer, consumer) = spsc(4);
        producer.push(StdArc::clone(&token)).unwrap();
        drop(consumer);
        assert!(matches!(producer.push(StdArc::clone(&token)), Err(PushError::Closed(_))));
        drop(producer);
        let (mut producer, consumer) = spsc(4);
        producer.push(StdArc::clone(&token)).unwrap();
        drop(producer);
        drop(consumer);
        assert_eq!(StdArc::strong_count(&token), 1);
    }

    #[test]
    fn a_million_values_cross_in_order() {
        const COUNT: u64 = 1_000_000;
        let (mut producer, mut consumer) = spsc(256);
        let sender = std::thread::spawn(move || {
            for value in 0..COUNT {
                while producer.push(value).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        for expected in 0..COUNT {
            let value = loop {
                match consumer.pop() {
                    Some(value) => break value,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(value, expected);
        }
        assert_eq!(consumer.pop(), None);
        sender.join().unwrap();
    }
}

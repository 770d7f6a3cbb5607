//! All interleavings of the ring and of the doorbell, by loom.
//!
//! `cargo test -p colloquy-shard --features loom --lib rings`

use std::sync::Arc as StdArc;
use std::task::{Wake, Waker};

use loom::sync::atomic::AtomicBool;
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::sync::Arc;
use super::{Doorbell, spsc};

#[test]
fn values_cross_in_order_and_none_is_lost() {
    loom::model(|| {
        let (mut producer, mut consumer) = spsc(2);
        let sender = thread::spawn(move || {
            for value in 0..3_u32 {
                while producer.push(value).is_err() {
                    thread::yield_now();
                }
            }
        });
        for expected in 0..3 {
            let value = loop {
                match consumer.pop() {
                    Some(value) => break value,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(value, expected);
        }
        sender.join().unwrap();
        assert_eq!(consumer.pop(), None);
    });
}

#[test]
fn what_is_left_in_the_ring_is_dropped_once() {
    loom::model(|| {
        let token = Arc::new(());
        let (mut producer, consumer) = spsc(2);
        let sent = Arc::clone(&token);
        let sender = thread::spawn(move || drop(producer.push(sent)));
        drop(consumer);
        sender.join().unwrap();
        assert_eq!(Arc::strong_count(&token), 1);
    });
}

/// A driver's wait as loom sees it: sleeps until woken, and stays woken if that came first.
#[derive(Default)]
struct Bed {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Bed {
    fn sleep(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.changed.wait(woken).unwrap();
        }
        *woken = false;
    }
}

impl Wake for Bed {
    fn wake(self: StdArc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

// A lost wake-up is a sleep for ever, which loom reports as a deadlock.
#[test]
fn a_consumer_that_goes_to_sleep_is_always_woken() {
    // A lost wake-up takes two preemptions; without a bound this runs for a minute.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(4);
    model.check(|| {
        let bed = StdArc::new(Bed::default());
        let doorbell = Arc::new(Doorbell::new(Waker::from(StdArc::clone(&bed))));
        let (mut producer, mut consumer) = spsc(2);
        let rung = Arc::clone(&doorbell);
        let sender = thread::spawn(move || {
            for value in 0..2_u32 {
                producer.push(value).expect("two places");
                rung.ring();
            }
        });
        for expected in 0..2 {
            let value = loop {
                if let Some(value) = consumer.pop() {
                    break value;
                }
                doorbell.about_to_sleep();
                if consumer.is_empty() {
                    bed.sleep();
                }
                doorbell.awake();
            };
            assert_eq!(value, expected);
        }
        sender.join().unwrap();
    });
}

#[test]
fn an_awake_consumer_is_not_woken() {
    loom::model(|| {
        let rung = StdArc::new(Flag(AtomicBool::new(false)));
        let doorbell = Doorbell::new(Waker::from(StdArc::clone(&rung)));
        doorbell.ring();
        assert!(!rung.0.load(loom::sync::atomic::Ordering::Relaxed));
    });
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: StdArc<Self>) {
        self.0.store(true, loom::sync::atomic::Ordering::Relaxed);
    }
}

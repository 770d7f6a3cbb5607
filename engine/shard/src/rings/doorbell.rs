//! A flag that tells producers whether the consumer sleeps, and the bell they ring when it does.
//!
//! Consumer, before it sleeps: set the flag, full fence, look at its rings once more. Producer, after it
//! has published: full fence, look at the flag. One of the two sees the other, so no wake-up is lost, and
//! a consumer that is awake costs its producers one load.

use std::task::Waker;

use super::sync::{AtomicBool, Ordering, fence};

/// See the module.
#[derive(Debug)]
pub struct Doorbell {
    sleeping: AtomicBool,
    waker: Waker,
}

impl Doorbell {
    /// A doorbell of a consumer that is awake.
    pub fn new(waker: Waker) -> Self {
        Self { sleeping: AtomicBool::new(false), waker }
    }

    /// Wakes the consumer if it sleeps; to be called after something was published.
    pub fn ring(&self) {
        fence(Ordering::SeqCst);
        // The load keeps the line shared while the consumer is awake; the swap lets one producer ring.
        if self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::Relaxed) {
            self.waker.wake_by_ref();
        }
    }

    /// Announces that the consumer is about to sleep: it must look at its rings after this, and call
    /// [`Doorbell::awake`] when it has slept or decided not to.
    pub fn about_to_sleep(&self) {
        // A swap, so that the flag set here comes after every swap of a producer that found it clear: a
        // plain store leaves it to the reader to know that a read-modify-write has no room before it.
        self.sleeping.swap(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Tells that the consumer is awake.
    pub fn awake(&self) {
        self.sleeping.store(false, Ordering::Relaxed);
    }
}

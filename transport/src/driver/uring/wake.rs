//! Waking a driver from another thread: an event counter that the ring polls.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

/// An event counter (eventfd) that the ring watches with one multishot poll.
///
/// MSG_RING would spare about 2 us of a 16 to 20 us round trip, but needs a ring on the calling thread,
/// or Linux 6.13; a waker is called from threads without a ring (signals, the store, the admin server).
/// The poll needs no re-arming and nobody reads the counter: each write makes the poll fire again.
#[derive(Debug)]
pub(super) struct WakeCounter {
    counter: File,
    /// A wake was written that the driver has not reported: further ones need no system call.
    pending: AtomicBool,
}

impl WakeCounter {
    pub(super) fn new() -> io::Result<Arc<WakeCounter>> {
        // SAFETY: U2, eventfd names no memory, and a descriptor it returns belongs to nobody else.
        let counter = unsafe {
            let fd = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        Ok(Arc::new(WakeCounter { counter: File::from(counter), pending: AtomicBool::new(false) }))
    }

    /// The driver saw the wake and will report it; a later one writes again.
    pub(super) fn seen(&self) {
        // Pairs with the swap in `wake_by_ref`: what a waker published before its wake is visible to
        // the thread that reports this one.
        self.pending.swap(false, Ordering::AcqRel);
    }

    pub(super) fn raw_fd(&self) -> RawFd {
        self.counter.as_raw_fd()
    }
}

impl Wake for WakeCounter {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.pending.swap(true, Ordering::AcqRel) {
            // Fails only when the counter is at its maximum, 2^64 - 2 wakes.
            (&self.counter).write_all(&1_u64.to_ne_bytes()).expect("an event counter takes a wake");
        }
    }
}

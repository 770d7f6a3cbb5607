//! Wakes the pump when the next request is almost due: epoll itself counts in milliseconds.

use std::io;
use std::time::Duration;

use mio::{Registry, Token};

/// A timer that ends a poll.
#[derive(Debug)]
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: nix::sys::timerfd::TimerFd,
    /// What it is set to, on the clock of its owner.
    at: u64,
}

#[cfg(target_os = "linux")]
impl Alarm {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Alarm> {
        use std::os::fd::{AsFd, AsRawFd};

        use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let descriptor = timer.as_fd().as_raw_fd();
        registry.register(&mut mio::unix::SourceFd(&descriptor), token, mio::Interest::READABLE)?;
        Ok(Alarm { timer, at: 0 })
    }

    /// Ends a poll at `at`, `now` being before it, both in nanoseconds; gives the time-out of that poll.
    pub(super) fn set(&mut self, now: u64, at: u64) -> io::Result<Option<Duration>> {
        use nix::sys::timerfd::{Expiration, TimerSetTimeFlags};

        // Edge triggered, so that it is never read. Once past it is set anew.
        if self.at != at || self.at <= now {
            let after = Duration::from_nanos(at - now);
            self.timer.set(Expiration::OneShot(after.into()), TimerSetTimeFlags::empty())?;
            self.at = at;
        }
        Ok(None)
    }
}

/// Elsewhere polls count in nanoseconds.
#[cfg(not(target_os = "linux"))]
impl Alarm {
    pub(super) fn new(_: &Registry, _: Token) -> io::Result<Alarm> {
        Ok(Alarm { at: 0 })
    }

    /// The time-out of a poll that ends at `at`.
    pub(super) fn set(&mut self, now: u64, at: u64) -> io::Result<Option<Duration>> {
        self.at = at;
        Ok(Some(Duration::from_nanos(at - now)))
    }
}

//! The ring of one thread: set-up, submission, waiting, reaping; it counts system calls and overflows.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, cqueue, squeue, types};

use crate::driver::options::SubmissionPolling;

/// Sizes of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RingSizes {
    /// Entries that can be submitted by one call.
    pub(super) submission_entries: u32,
    /// Completions that fit before the kernel keeps them aside.
    pub(super) completion_entries: u32,
    /// Direct descriptors.
    pub(super) files: u32,
    /// Submission by a kernel thread, if that can be had.
    pub(super) polling: Option<SubmissionPolling>,
}

/// An io_uring, used by the thread that made it alone (rule U6; pitfall 12).
///
/// Neither links nor skipped completions are used anywhere: every entry has a terminal completion, and
/// `in_flight` counts them.
pub(super) struct Ring {
    ring: IoUring,
    /// Entries that found the submission queue full while the kernel refused to take any.
    backlog: VecDeque<squeue::Entry>,
    /// Index of the ring among the registered ring descriptors of this thread.
    registered: Option<u32>,
    /// The kernel takes the submission queue without an index array.
    without_array: bool,
    /// A kernel thread takes the entries.
    polled: bool,
    /// The kernel can wait for several completions and be content with one after a time (Linux 6.12).
    waits_for_more: bool,
    /// Entries whose terminal completion has not been reaped.
    in_flight: u32,
    /// The kernel did not end everything; what it works with is leaked.
    given_up: bool,
    system_calls: u64,
    overflows: u64,
}

/// `struct io_uring_rsrc_update`, as ring descriptors use it.
#[repr(C)]
struct RegisteredRing {
    index: u32,
    reserved: u32,
    fd: u64,
}

impl Ring {
    /// Sets up a ring and its table of direct descriptors.
    ///
    /// # Errors
    /// EPERM, ENOSYS, EINVAL where io_uring is switched off, filtered or too old; EMFILE when `files`
    /// exceeds the limit on open files.
    pub(super) fn new(sizes: RingSizes) -> io::Result<Ring> {
        // Switched off, filtered, or bound to a core that is not ours: then entries are submitted by calls.
        let polled = sizes.polling.and_then(|_| build_either(sizes).ok());
        let (ring, without_array) = match polled {
            Some(built) => built,
            None => build_either(RingSizes { polling: None, ..sizes })?,
        };
        let polled = ring.params().is_setup_sqpoll();
        // A kernel thread submits when it likes: nothing is known to be complete by then.
        let waits_for_more = ring.params().is_feature_min_timeout() && !polled;
        ring.submitter().register_files_sparse(sizes.files)?;
        let mut ring = Ring {
            ring,
            backlog: VecDeque::new(),
            registered: None,
            without_array,
            polled,
            waits_for_more,
            in_flight: 0,
            given_up: false,
            system_calls: SET_UP_CALLS,
            overflows: 0,
        };
        ring.registered = ring.register_descriptor();
        Ok(ring)
    }

    /// Registers the ring's own descriptor, which saves its look-up in every enter (Linux 5.18). The
    /// crate can do it too, but forgets it with each borrow of its submitter.
    fn register_descriptor(&mut self) -> Option<u32> {
        const IORING_REGISTER_RING_FDS: libc::c_uint = 20;
        let mut update = RegisteredRing { index: u32::MAX, reserved: 0, fd: self.ring.as_raw_fd() as u64 };
        self.update_registration(IORING_REGISTER_RING_FDS, &mut update).then_some(update.index)
    }

    /// Takes it back: it would keep the ring alive until the thread ends.
    fn unregister_descriptor(&mut self) {
        const IORING_UNREGISTER_RING_FDS: libc::c_uint = 21;
        if let Some(index) = self.registered.take() {
            let mut update = RegisteredRing { index, reserved: 0, fd: 0 };
            self.update_registration(IORING_UNREGISTER_RING_FDS, &mut update);
        }
    }

    fn update_registration(&mut self, operation: libc::c_uint, update: &mut RegisteredRing) -> bool {
        let fd = self.ring.as_raw_fd();
        self.system_calls += 1;
        // SAFETY: U2, the kernel reads and writes `update` during the call only.
        let updated =
            unsafe { libc::syscall(libc::SYS_io_uring_register, fd, operation, &raw mut *update, 1) };
        updated == 1
    }

    /// Queues an entry; it reaches the kernel with the next [`Ring::enter`], or at once when the queue is
    /// full.
    ///
    /// Every memory the entry names belongs to a boxed operation (rule U3), a pool block, a static, or a
    /// batch in a send operation; the driver keeps each until the terminal completion.
    pub(super) fn push(&mut self, entry: squeue::Entry, token: u64) {
        let entry = entry.user_data(token);
        self.in_flight += 1;
        if self.backlog.is_empty() {
            if self.try_push(&entry) {
                return;
            }
            self.submit();
            if self.try_push(&entry) {
                return;
            }
        }
        self.backlog.push_back(entry);
    }

    fn try_push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: U2, see `push`: what the entry points to outlives its terminal completion, which
        // `in_flight` waits for, even when the driver drops.
        unsafe { self.ring.submission().push(entry).is_ok() }
    }

    /// Submits what is queued, without waiting and without running completions.
    fn submit(&mut self) {
        // A refusal (EBUSY, EAGAIN) leaves the entries queued; the next enter reaps and tries again. A kernel
        // thread is waited for until it has made room.
        let wait = if self.polled { EnterFlags::SQ_WAIT } else { EnterFlags::empty() };
        let _ = self.call(0, None, wait);
    }

    /// Submits what is queued and waits until a completion can be reaped or `timeout` is over; `None` waits for ever.
    ///
    /// `at_once` are the completions that submitting makes by itself, as far as is known: they do not end the wait,
    /// what comes from elsewhere does. When it was wrong, they end it after [`AT_ONCE_PATIENCE_US`].
    ///
    /// # Errors
    /// What makes the ring unusable. A timeout, a signal, and a kernel that wants completions reaped
    /// first (pitfall 3) are not errors.
    pub(super) fn wait(&mut self, at_once: u32, timeout: Option<Duration>) -> io::Result<()> {
        // Beyond what the queue holds the wait would never end.
        let spared = if self.waits_for_more && at_once <= AT_ONCE_MAX { at_once } else { 0 };
        self.enter(1 + spared, timeout)
    }

    /// Submits what is queued and waits until `want` completions can be reaped; as [`Ring::wait`].
    ///
    /// # Errors
    /// What makes the ring unusable. A timeout, a signal, and a kernel that wants completions reaped
    /// first (pitfall 3) are not errors.
    pub(super) fn enter(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        self.drain_backlog();
        // GETEVENTS runs deferred work and flushes an overflown completion queue (pitfall 3).
        if self.ring.submission().cq_overflow() {
            self.overflows += 1;
        }
        match self.call(want, timeout, EnterFlags::GETEVENTS) {
            Ok(()) => Ok(()),
            Err(error) => match error.raw_os_error() {
                Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
                _ => Err(error),
            },
        }
    }

    fn drain_backlog(&mut self) {
        while let Some(entry) = self.backlog.pop_front() {
            if !self.try_push(&entry) {
                self.backlog.push_front(entry);
                return;
            }
        }
    }

    /// True when entering would neither submit nor run anything, so that a poll can spare the call.
    pub(super) fn is_idle(&mut self) -> bool {
        let submission = self.ring.submission();
        // Without TASKRUN_FLAG, deferred completions would stay invisible here.
        let quiet = !submission.taskrun() && !submission.cq_overflow();
        let submitted = submission.is_empty() || (self.polled && !submission.need_wakeup());
        drop(submission);
        quiet && submitted && self.backlog.is_empty()
    }

    /// True when a kernel thread takes the entries: then they are not submitted when [`Ring::enter`] returns.
    pub(super) fn is_polled(&self) -> bool {
        self.polled
    }

    fn call(&mut self, want: u32, timeout: Option<Duration>, flags: EnterFlags) -> io::Result<()> {
        // The kernel's seconds are signed; beyond a year nobody can tell the difference.
        let timespec = timeout.map(|timeout| Timespec::from(timeout.min(TIMEOUT_MAX)));
        let patience = if want > 1 { AT_ONCE_PATIENCE_US } else { 0 };
        let arguments = SubmitArgs::new().min_wait_usec(patience);
        let arguments = match &timespec {
            Some(timespec) => arguments.timespec(timespec),
            None => arguments,
        };
        let (fd, flags) = match self.registered {
            Some(index) => (index as i32, flags | EnterFlags::REGISTERED_RING),
            None => (self.ring.as_raw_fd(), flags),
        };
        let submission = self.ring.submission();
        let to_submit = submission.len();
        let asleep = self.polled && submission.need_wakeup();
        drop(submission);
        let flags = if asleep { flags | EnterFlags::SQ_WAKEUP } else { flags };
        self.system_calls += 1;
        // SAFETY: U2, the argument and the timespec it points to live through the call; the entries
        // submitted are those of `push`.
        let entered = unsafe {
            libc::syscall(
                libc::SYS_io_uring_enter,
                fd,
                to_submit as libc::c_uint,
                want,
                (flags | EnterFlags::EXT_ARG).bits(),
                &raw const arguments,
                size_of::<SubmitArgs<'_, '_>>(),
            )
        };
        if entered < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Moves up to `count_max` completions to `batch`.
    pub(super) fn reap(&mut self, batch: &mut Vec<cqueue::Entry>, count_max: usize) {
        let before = batch.len();
        batch.extend(self.ring.completion().take(count_max));
        let terminal = batch[before..].iter().filter(|entry| !cqueue::more(entry.flags())).count();
        self.in_flight -= terminal as u32;
    }

    /// True when a completion can be reaped without entering the kernel.
    pub(super) fn has_completions(&mut self) -> bool {
        !self.ring.completion().is_empty()
    }

    /// Cancels everything and waits for the last completion of every entry; false when `patience` ends
    /// before. Blocks and descriptors that arrive meanwhile are the ring's and end with it.
    pub(super) fn drain(&mut self, cancel_token: u64, patience: Duration) -> bool {
        let started = Instant::now();
        let mut batch = Vec::new();
        while self.in_flight > 0 {
            if started.elapsed() > patience {
                self.given_up = true;
                return false;
            }
            // Repeated: an entry that was in the backlog could not be found before.
            let everything = types::CancelBuilder::any();
            self.push(io_uring::opcode::AsyncCancel2::new(everything).build(), cancel_token);
            if self.enter(1, Some(Duration::from_millis(10))).is_err() {
                self.given_up = true;
                return false;
            }
            self.reap(&mut batch, usize::MAX);
            batch.clear();
        }
        true
    }

    /// Closes every direct descriptor and gives the buffer ring back, now and not when the kernel gets
    /// round to it after the ring's close.
    pub(super) fn release(&mut self) {
        // They only fail when there is nothing to release.
        let _ = self.ring.submitter().unregister_files();
        let _ = self.ring.submitter().unregister_buf_ring(super::provide::GROUP);
    }

    /// True when the kernel has taken all entries.
    pub(super) fn is_submitted(&mut self) -> bool {
        self.backlog.is_empty() && self.ring.submission().is_empty()
    }

    pub(super) fn inner(&self) -> &IoUring {
        &self.ring
    }

    pub(super) fn system_calls(&self) -> u64 {
        self.system_calls
    }

    /// Counts calls made beside the ring.
    pub(super) fn count_system_calls(&mut self, count: u64) {
        self.system_calls += count;
    }

    pub(super) fn overflows(&self) -> u64 {
        self.overflows
    }

    pub(super) fn without_array(&self) -> bool {
        self.without_array
    }

    pub(super) fn descriptor_is_registered(&self) -> bool {
        self.registered.is_some()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        debug_assert!(self.in_flight == 0 || self.given_up, "U2: drained, or its memory is leaked");
        self.unregister_descriptor();
    }
}

/// Calls of the set-up: the ring, its two mappings, its table.
const SET_UP_CALLS: u64 = 4;

/// How long a wait lasts that counted on completions which did not come, once another is there.
const AT_ONCE_PATIENCE_US: u32 = 200;

/// Completions that a wait may count on: far below what any completion queue holds.
const AT_ONCE_MAX: u32 = 2048;

/// Longest wait of one call.
const TIMEOUT_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Builds a ring without an index array for submissions, and tells whether that could be had.
fn build_either(sizes: RingSizes) -> io::Result<(IoUring, bool)> {
    match build(sizes, true) {
        // Linux before 6.6 has an index array; it costs about 5 %.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok((build(sizes, false)?, false)),
        built => Ok((built?, true)),
    }
}

fn build(sizes: RingSizes, without_array: bool) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    match sizes.polling {
        // Requests run on the kernel's thread then, and so does their task work: none is deferred to ours.
        Some(polling) => {
            builder.setup_sqpoll(u32::try_from(polling.idle.as_millis()).unwrap_or(u32::MAX));
            if let Some(core) = polling.core {
                builder.setup_sqpoll_cpu(core);
            }
        }
        None => {
            builder.setup_defer_taskrun().setup_taskrun_flag();
        }
    }
    builder
        .dontfork()
        .setup_single_issuer()
        .setup_submit_all()
        .setup_clamp()
        .setup_cqsize(sizes.completion_entries);
    if without_array {
        builder.setup_no_sqarray();
    }
    builder.build(sizes.submission_entries)
}

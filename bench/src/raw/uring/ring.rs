//! The ring of the raw echo: set-up, one system call a turn, and its end.

use std::io;
use std::os::fd::AsRawFd;

use io_uring::{EnterFlags, IoUring, cqueue, squeue, types};

const SUBMISSION_ENTRIES: u32 = 1024;
const COMPLETION_ENTRIES: u32 = 8192;

/// Set-up, the two mappings, the table and the ring's own descriptor.
const SET_UP_CALLS: u64 = 5;

/// An io_uring of the calling thread.
pub(super) struct Ring {
    ring: IoUring,
    /// Its number among the registered ring descriptors of this thread.
    registered: u32,
    pub(super) system_calls: u64,
}

/// `struct io_uring_rsrc_update`, as ring descriptors use it.
#[repr(C)]
struct RingUpdate {
    index: u32,
    reserved: u32,
    fd: u64,
}

impl Ring {
    /// Sets up a ring with room for `files` direct descriptors.
    ///
    /// # Errors
    /// What the system says: no io_uring, or a kernel before Linux 6.6.
    pub(super) fn new(files: u32) -> io::Result<Ring> {
        let ring = IoUring::builder()
            .dontfork()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_no_sqarray()
            .setup_cqsize(COMPLETION_ENTRIES)
            .build(SUBMISSION_ENTRIES)?;
        ring.submitter().register_files_sparse(files)?;
        let mut ring = Ring { ring, registered: 0, system_calls: SET_UP_CALLS };
        const IORING_REGISTER_RING_FDS: libc::c_uint = 20;
        let fd = ring.ring.as_raw_fd() as u64;
        ring.registered = ring.update(IORING_REGISTER_RING_FDS, u32::MAX, fd)?;
        Ok(ring)
    }

    /// Registers or unregisters the descriptor of the ring; gives its number.
    fn update(&self, operation: libc::c_uint, index: u32, fd: u64) -> io::Result<u32> {
        let mut update = RingUpdate { index, reserved: 0, fd };
        let ring = self.ring.as_raw_fd();
        // SAFETY: U2, the kernel reads and writes `update` during the call only.
        let done = unsafe { libc::syscall(libc::SYS_io_uring_register, ring, operation, &raw mut update, 1) };
        if done == 1 { Ok(update.index) } else { Err(io::Error::last_os_error()) }
    }

    /// Submits `entries` and waits for a completion. What the kernel does not take now stays in `entries`.
    ///
    /// All memory that the entries name belongs to the blocks, or to a connection that keeps it until the completion.
    ///
    /// # Errors
    /// What makes the ring unusable.
    pub(super) fn enter(&mut self, entries: &mut Vec<squeue::Entry>) -> io::Result<()> {
        let mut pushed = self.push(entries);
        while pushed < entries.len() {
            // More than the queue holds: all of it goes down, and the turn goes on.
            self.call(0, EnterFlags::empty())?;
            match self.push(&entries[pushed..]) {
                0 => break,
                more => pushed += more,
            }
        }
        let want = u32::from(pushed == entries.len());
        entries.drain(..pushed);
        self.call(want, EnterFlags::GETEVENTS)
    }

    /// Puts as many of `entries` as there is room for into the queue.
    fn push(&mut self, entries: &[squeue::Entry]) -> usize {
        let mut queue = self.ring.submission();
        let count = entries.len().min(queue.capacity() - queue.len());
        // SAFETY: U2, what an entry names is in the blocks or with its connection until its last completion, which
        // the server waits for before it drops either.
        unsafe { queue.push_multiple(&entries[..count]) }.expect("there is room for so many");
        count
    }

    fn call(&mut self, want: u32, flags: EnterFlags) -> io::Result<()> {
        let to_submit = self.ring.submission().len() as libc::c_uint;
        let flags = (flags | EnterFlags::REGISTERED_RING).bits();
        let nothing = std::ptr::null::<libc::c_void>();
        let enter = libc::SYS_io_uring_enter;
        self.system_calls += 1;
        // SAFETY: U2, the entries submitted are those of `push`; no other memory is named.
        let entered =
            unsafe { libc::syscall(enter, self.registered, to_submit, want, flags, nothing, 0usize) };
        if entered >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            // Completions have to be reaped first, or a signal came; what is queued stays queued.
            Some(libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
            _ => Err(error),
        }
    }

    pub(super) fn completions(&mut self) -> cqueue::CompletionQueue<'_> {
        self.ring.completion()
    }

    /// Registers `entry_count` buffers at `address` as group 0, to be used up receive after receive.
    ///
    /// # Errors
    /// A kernel before Linux 6.12.
    pub(super) fn register_buffers(&mut self, address: u64, entry_count: u16) -> io::Result<()> {
        let flags = types::IOU_PBUF_RING_INC as u16;
        self.system_calls += 1;
        // SAFETY: U4, the server leaks this memory unless the ring has ended all that uses it and given it back.
        unsafe { self.ring.submitter().register_buf_ring_with_flags(address, entry_count, 0, flags) }
    }

    /// Closes all connections and gives the buffers back, now and not when the kernel gets round to it.
    pub(super) fn release(&mut self) {
        // They only fail when there is nothing to release.
        let _ = self.ring.submitter().unregister_files();
        let _ = self.ring.submitter().unregister_buf_ring(0);
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // Registered, it would keep the ring alive until the thread ends.
        const IORING_UNREGISTER_RING_FDS: libc::c_uint = 21;
        let _ = self.update(IORING_UNREGISTER_RING_FDS, self.registered, 0);
    }
}

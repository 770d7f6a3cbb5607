//! Counts what a thread allocates and copies while it is asked to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use colloquy_transport::buf::{TxBatch, copies};
use colloquy_transport::driver::{
    Close, Completion, ConnectOptions, ConnectionId, Driver, DriverStats, ListenerId,
};

struct Counting;

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[allow(unsafe_code, reason = "the trait asks for it; a test is not in the budget of the tree")]
// SAFETY: every call goes to the system's allocator with the caller's own arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // While a thread ends its counters may be gone.
        if ACTIVE.try_with(Cell::get).unwrap_or(false) {
            let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        }
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(octets, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What something cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Allocations, and growths of what was allocated.
    pub(crate) allocations: u64,
    /// User-space copies of 2 KiB and more.
    pub(crate) large_copies: u64,
    /// Octets copied in user space, large or small.
    pub(crate) copied_octets: u64,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        self.allocations += other.allocations;
        self.large_copies += other.large_copies;
        self.copied_octets += other.copied_octets;
    }
}

/// Does something and says what it cost this thread.
pub(crate) fn cost_of(act: impl FnOnce()) -> Cost {
    let (allocations, copied) = (ALLOCATIONS.get(), copies::of_this_thread());
    ACTIVE.set(true);
    act();
    ACTIVE.set(false);
    let after = copies::of_this_thread();
    Cost {
        allocations: ALLOCATIONS.get() - allocations,
        large_copies: after.large_count - copied.large_count,
        copied_octets: after.octets - copied.octets,
    }
}

/// Leaves out what is the simulated network's own: its octets lie in vectors.
fn uncounted<R>(act: impl FnOnce() -> R) -> R {
    let active = ACTIVE.replace(false);
    let result = act();
    ACTIVE.set(active);
    result
}

/// A driver whose own allocations are not counted.
pub(crate) struct Uncounted<D>(pub(crate) D);

impl<D: Driver> Driver for Uncounted<D> {
    type Listener = D::Listener;
    const NAME: &'static str = D::NAME;

    fn now(&self) -> Duration {
        self.0.now()
    }
    fn listen(&mut self, listener: D::Listener) -> io::Result<ListenerId> {
        uncounted(|| self.0.listen(listener))
    }
    fn unlisten(&mut self, listener: ListenerId) {
        uncounted(|| self.0.unlisten(listener));
    }
    fn connect(&mut self, to: SocketAddr, options: &ConnectOptions) -> io::Result<ConnectionId> {
        uncounted(|| self.0.connect(to, options))
    }
    fn send(&mut self, connection: ConnectionId, batch: TxBatch) {
        uncounted(|| self.0.send(connection, batch));
    }
    fn unpin(&mut self, connection: ConnectionId) {
        uncounted(|| self.0.unpin(connection));
    }
    fn pause(&mut self, connection: ConnectionId) {
        uncounted(|| self.0.pause(connection));
    }
    fn resume(&mut self, connection: ConnectionId) {
        uncounted(|| self.0.resume(connection));
    }
    fn close(&mut self, connection: ConnectionId, how: Close) {
        uncounted(|| self.0.close(connection, how));
    }
    fn wait(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        uncounted(|| self.0.wait(timeout, completions))
    }
    fn waker(&self) -> std::task::Waker {
        self.0.waker()
    }
    fn stats(&self) -> DriverStats {
        self.0.stats()
    }
}

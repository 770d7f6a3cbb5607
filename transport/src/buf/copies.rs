//! Counts of user-space copies of received or user octets, per thread.
//!
//! They are how a test proves that a data path copies nothing large; they are cheap enough to stay on.

use std::cell::Cell;

/// What was copied on this thread so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Copies of fewer than [`super::COPY_THRESHOLD_OCTETS`] octets.
    pub small_count: u64,
    /// Copies of at least [`super::COPY_THRESHOLD_OCTETS`] octets: zero on the steady data path.
    pub large_count: u64,
    /// Octets copied in all.
    pub octets: u64,
}

/// The counts of this thread.
pub fn of_this_thread() -> Copies {
    COPIES.get()
}

/// Counts one copy of `octets` octets of a body.
#[inline]
pub(crate) fn count(octets: usize) {
    COPIES.with(|cell| {
        let copies = cell.get();
        let small = u64::from(octets < super::COPY_THRESHOLD_OCTETS);
        cell.set(Copies {
            small_count: copies.small_count + small,
            large_count: copies.large_count + (1 - small),
            octets: copies.octets + octets as u64,
        });
    });
}

thread_local! {
    static COPIES: Cell<Copies> = const { Cell::new(Copies { small_count: 0, large_count: 0, octets: 0 }) };
}

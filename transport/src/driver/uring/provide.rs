//! The buffer ring: which blocks of the pool the kernel may receive into, and how far it is in each.

use std::io;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

use io_uring::IoUring;

use crate::buf::{BlockId, Pool, Slice};

/// The only buffer group of a ring.
pub(super) const GROUP: u16 = 0;

/// How the kernel uses up a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consumption {
    /// Receive after receive, until it is full (Linux 6.12).
    Incremental,
    /// One receive, however short.
    Whole,
}

/// `struct io_uring_buf`; in entry 0 the reserved field is the ring's tail.
#[repr(C)]
#[derive(Default)]
struct Entry {
    address: AtomicU64,
    octets: AtomicU32,
    block: AtomicU16,
    tail: AtomicU16,
}

const ENTRIES_PER_PAGE: usize = 4096 / size_of::<Entry>();

/// The kernel wants the ring on a page of its own.
#[repr(C, align(4096))]
struct Page([Entry; ENTRIES_PER_PAGE]);

const _: () = assert!(size_of::<Page>() == 4096);

/// What is known about a block.
#[derive(Clone, Copy, Default)]
struct Shadow {
    provided: bool,
    /// Octets the kernel has announced from its start on.
    received_octets: usize,
}

/// A provided buffer ring over the blocks of a pool.
///
/// The kernel reads the entries and, when it consumes incrementally, writes address and length of the
/// first one back: that is why they are atomics. What was received where is not read from them but kept
/// in a shadow by block number, because completions name the block and ring order is the kernel's affair
/// (pitfall 11). The end of a block is its last octet in the shadow, not the absence of BUF_MORE: a
/// receive of 0 octets leaves that flag out though the block stays in the ring.
pub(super) struct BufferRing {
    pages: Box<[Page]>,
    mask: u16,
    tail: u16,
    shadows: Vec<Shadow>,
    provided_count: usize,
    untouched_count: usize,
    consumption: Consumption,
}

impl BufferRing {
    /// Registers a ring for `pool` and lends all free blocks to it.
    ///
    /// # Errors
    /// EINVAL where the kernel lacks buffer rings (before 5.19) or this way to consume.
    pub(super) fn register(
        ring: &IoUring,
        pool: &mut Pool,
        consumption: Consumption,
    ) -> io::Result<BufferRing> {
        let entry_count = pool.block_count().next_power_of_two();
        let page_count = entry_count.div_ceil(ENTRIES_PER_PAGE);
        let page = || Page(std::array::from_fn(|_| Entry::default()));
        let mut buffers = BufferRing {
            pages: (0..page_count).map(|_| page()).collect(),
            mask: (entry_count - 1) as u16,
            tail: 0,
            shadows: vec![Shadow::default(); pool.block_count()],
            provided_count: 0,
            untouched_count: 0,
            consumption,
        };
        let flags = match consumption {
            Consumption::Incremental => io_uring::types::IOU_PBUF_RING_INC as u16,
            Consumption::Whole => 0,
        };
        let address = buffers.pages.as_ptr() as u64;
        // SAFETY: U2, the pages are boxed and belong to the driver, which closes the ring before it drops
        // them (U4).
        unsafe { ring.submitter().register_buf_ring_with_flags(address, entry_count as u16, GROUP, flags)? };
        buffers.refill(pool);
        Ok(buffers)
    }

    /// Lends every free block of the pool to the kernel.
    pub(super) fn refill(&mut self, pool: &mut Pool) {
        let before = self.tail;
        while let Some(id) = pool.lend() {
            let shadow = &mut self.shadows[usize::from(id.0)];
            debug_assert!(!shadow.provided, "U1: a block is lent once");
            *shadow = Shadow { provided: true, received_octets: 0 };
            let entry = self.entry(self.tail & self.mask);
            entry.address.store(pool.block_address(id).as_ptr() as u64, Ordering::Relaxed);
            entry.octets.store(pool.block_octets() as u32, Ordering::Relaxed);
            entry.block.store(id.0, Ordering::Relaxed);
            self.tail = self.tail.wrapping_add(1);
            self.provided_count += 1;
            self.untouched_count += 1;
        }
        if self.tail != before {
            // Pairs with the kernel's acquire of the tail: it sees the entries written above.
            self.entry(0).tail.store(self.tail, Ordering::Release);
        }
    }

    /// The slice of `octets` octets that a completion announced in block `block`; `None` when it announced
    /// none. A block used up is retired.
    pub(super) fn received(&mut self, pool: &mut Pool, block: u16, octets: usize) -> Option<Slice> {
        let id = BlockId(block);
        let shadow = &mut self.shadows[usize::from(block)];
        assert!(shadow.provided, "the kernel received into a block it does not have");
        let start = shadow.received_octets;
        shadow.received_octets += octets;
        let slice = (octets > 0).then(|| pool.slice_at(id, start, octets));
        let used_up = match self.consumption {
            Consumption::Incremental => shadow.received_octets == pool.block_octets(),
            Consumption::Whole => true,
        };
        if start == 0 && (octets > 0 || used_up) {
            self.untouched_count -= 1;
        }
        if used_up {
            shadow.provided = false;
            self.provided_count -= 1;
            pool.retire(id);
        }
        slice
    }

    /// Blocks the kernel can receive into.
    pub(super) fn provided_count(&self) -> usize {
        self.provided_count
    }

    /// Blocks lent to the kernel in which it has received nothing: as good as free.
    pub(super) fn untouched_count(&self) -> usize {
        self.untouched_count
    }

    pub(super) fn consumption(&self) -> Consumption {
        self.consumption
    }

    /// Gives the ring's memory up to a kernel that would not let go of it.
    pub(super) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.pages));
    }

    fn entry(&self, index: u16) -> &Entry {
        &self.pages[usize::from(index) / ENTRIES_PER_PAGE].0[usize::from(index) % ENTRIES_PER_PAGE]
    }
}

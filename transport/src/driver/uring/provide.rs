//! The buffer ring: which blocks of the pool the kernel may receive into, and how far it is in each.

use std::io;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

use io_uring::IoUring;

use crate::buf::{BlockId, Pool, Slice};
use crate::driver::options::BufferScheme;

/// The only buffer group of a ring.
pub(super) const GROUP: u16 = 0;

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
    /// Its place in the ring: the tail when it was lent.
    position: u16,
}

/// What stands in `order` for no block; block numbers are below 32768.
const NOBODY: u16 = u16::MAX;

/// A provided buffer ring over the blocks of a pool.
///
/// The kernel reads the entries and, when it consumes incrementally, writes address and length of the
/// first one back: that is why they are atomics. What was received where is not read from them but kept
/// in a shadow by block number, because completions name the block. The end of a block is its last octet in
/// the shadow, not the absence of BUF_MORE: a receive of 0 octets leaves that flag out though the block stays
/// in the ring.
///
/// A bundle names its first block only, and goes on in the order of the ring, not of the numbers (pitfall 11):
/// `order` is the shadow that says which block that is. It takes whole blocks, for the kernel counted wrong
/// where bundles met incremental consumption.
pub(super) struct BufferRing {
    pages: Box<[Page]>,
    mask: u16,
    tail: u16,
    shadows: Vec<Shadow>,
    /// The block at each place of the ring, until its octets have been announced.
    order: Box<[u16]>,
    provided_count: usize,
    untouched_count: usize,
    scheme: BufferScheme,
}

impl BufferRing {
    /// Registers a ring for `pool` and lends all free blocks to it.
    ///
    /// # Errors
    /// EINVAL where the kernel lacks buffer rings (before 5.19) or this way to consume.
    pub(super) fn register(ring: &IoUring, pool: &mut Pool, scheme: BufferScheme) -> io::Result<BufferRing> {
        let entry_count = pool.block_count().next_power_of_two();
        let page_count = entry_count.div_ceil(ENTRIES_PER_PAGE);
        let page = || Page(std::array::from_fn(|_| Entry::default()));
        let mut buffers = BufferRing {
            pages: (0..page_count).map(|_| page()).collect(),
            mask: (entry_count - 1) as u16,
            tail: 0,
            shadows: vec![Shadow::default(); pool.block_count()],
            order: vec![NOBODY; entry_count].into_boxed_slice(),
            provided_count: 0,
            untouched_count: 0,
            scheme,
        };
        let flags = match scheme {
            BufferScheme::Incremental => io_uring::types::IOU_PBUF_RING_INC as u16,
            BufferScheme::Bundle | BufferScheme::Plain => 0,
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
        // A place whose completion has not come round yet is kept: it says where a bundle goes on.
        while self.order[usize::from(self.tail & self.mask)] == NOBODY {
            let Some(id) = pool.lend() else { break };
            let shadow = &mut self.shadows[usize::from(id.0)];
            debug_assert!(!shadow.provided, "U1: a block is lent once");
            *shadow = Shadow { provided: true, received_octets: 0, position: self.tail };
            self.order[usize::from(self.tail & self.mask)] = id.0;
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

    /// The slice of what a completion announced that lies in block `block`: up to `octets` octets, from which
    /// it is taken off, so that 0 are left when this was all. Otherwise the next block follows, and there is
    /// one more slice in it. A block used up is retired.
    pub(super) fn received(
        &mut self,
        pool: &mut Pool,
        block: u16,
        octets: &mut usize,
    ) -> (Option<Slice>, Option<u16>) {
        let id = BlockId(block);
        let shadow = self.shadows[usize::from(block)];
        assert!(shadow.provided, "the kernel received into a block it does not have");
        let start = shadow.received_octets;
        let (here, used_up) = match self.scheme {
            BufferScheme::Incremental => (*octets, start + *octets == pool.block_octets()),
            BufferScheme::Plain => (*octets, true),
            // Kernels shorten the last block of a bundle before they receive, some go on behind it all the
            // same: what a block has held is what its entry says.
            BufferScheme::Bundle => {
                let room = self.entry(shadow.position & self.mask).octets.load(Ordering::Relaxed) as usize;
                ((*octets).min(room), *octets > 0)
            }
        };
        *octets -= here;
        let slice = (here > 0).then(|| pool.slice_at(id, start, here));
        self.shadows[usize::from(block)].received_octets += here;
        if start == 0 && (here > 0 || used_up) {
            self.untouched_count -= 1;
        }
        if used_up {
            self.shadows[usize::from(block)].provided = false;
            self.order[usize::from(shadow.position & self.mask)] = NOBODY;
            self.provided_count -= 1;
            pool.retire(id);
        }
        if *octets == 0 {
            return (slice, None);
        }
        let next = self.order[usize::from(shadow.position.wrapping_add(1) & self.mask)];
        assert!(next != NOBODY, "the kernel received beyond what it was lent");
        (slice, Some(next))
    }

    /// Blocks the kernel can receive into.
    pub(super) fn provided_count(&self) -> usize {
        self.provided_count
    }

    /// Blocks lent to the kernel in which it has received nothing: as good as free.
    pub(super) fn untouched_count(&self) -> usize {
        self.untouched_count
    }

    pub(super) fn scheme(&self) -> BufferScheme {
        self.scheme
    }

    /// Gives the ring's memory up to a kernel that would not let go of it.
    pub(super) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.pages));
    }

    fn entry(&self, index: u16) -> &Entry {
        &self.pages[usize::from(index) / ENTRIES_PER_PAGE].0[usize::from(index) % ENTRIES_PER_PAGE]
    }
}

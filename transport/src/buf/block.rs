//! Blocks: the memory under slices, either a part of a pool or a vector of its own.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ptr::NonNull;
use std::rc::Rc;

/// Memory that slices count.
#[derive(Debug)]
pub(super) enum Block {
    /// Octets with one owner, written before the first slice was made and never after.
    Heap(Vec<u8>),
    /// A block of a pool.
    Pool(PoolBlock),
}

/// One block of a pool.
#[derive(Debug)]
pub(super) struct PoolBlock {
    pub(super) start: NonNull<u8>,
    pub(super) octets: u32,
    pub(super) index: u32,
    pub(super) state: Cell<BlockState>,
    /// Octets below belong to slices, octets above to whoever writes the block.
    pub(super) mark: Cell<u32>,
    pub(super) home: Rc<Home>,
}

/// Where a block is: rule U1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockState {
    /// In the free list; no slice.
    Free,
    /// Current block of the pool, or lent to a kernel.
    Written,
    /// Only slices hold it; it becomes free with the last one.
    Retired,
    /// Its pool is gone; its memory goes with the last slice.
    Orphan,
}

/// What all blocks of one pool share and keep alive.
#[derive(Debug)]
pub(super) struct Home {
    /// The memory. `UnsafeCell`, because it is written while slices of other ranges exist.
    pub(super) pages: Box<[Page]>,
    /// Indices of free blocks, most recently freed last: it is the one still in the cache.
    pub(super) free: RefCell<Vec<u32>>,
    /// Blocks in state `Retired`: kept from use by slices alone.
    pub(super) retired_count: Cell<usize>,
    pub(super) block_count: usize,
}

/// A page of pool memory, so that blocks start at page boundaries.
#[repr(C, align(4096))]
#[derive(Debug)]
pub(super) struct Page(
    #[allow(dead_code, reason = "read and written through pointers")] [UnsafeCell<u8>; PAGE_OCTETS],
);

pub(super) const PAGE_OCTETS: usize = 4096;

impl Page {
    pub(super) fn zeroed() -> Page {
        Page([const { UnsafeCell::new(0) }; PAGE_OCTETS])
    }
}

impl Block {
    /// A block for a copy of `octets`, from the thread's spare ones if possible.
    pub(super) fn copy_of(octets: &[u8]) -> Rc<Block> {
        let spare = if octets.len() <= SPARE_OCTETS_MAX { take_spare() } else { None };
        let mut block = spare.unwrap_or_else(|| {
            let capacity = octets.len().next_power_of_two().max(SPARE_OCTETS_MIN);
            Rc::new(Block::Heap(Vec::with_capacity(capacity.min(octets.len().max(SPARE_OCTETS_MAX)))))
        });
        match Rc::get_mut(&mut block) {
            Some(Block::Heap(vec)) => {
                vec.clear();
                vec.extend_from_slice(octets);
            }
            _ => unreachable!("a new or spare block is a heap block with one owner"),
        }
        block
    }

    /// The octets `offset..offset + len`.
    #[inline]
    pub(super) fn octets(&self, offset: u32, len: u32) -> &[u8] {
        match self {
            Block::Heap(vec) => &vec[offset as usize..][..len as usize],
            Block::Pool(block) => {
                debug_assert!(offset + len <= block.mark.get(), "a slice lies below its block's mark");
                debug_assert!(block.state.get() != BlockState::Free, "a free block has no slice");
                // SAFETY: U1, the range lies below the block's mark, where nothing writes while a slice
                // holds the block; `home`, which `self` owns, keeps the memory, all of it initialized.
                unsafe { std::slice::from_raw_parts(block.start.as_ptr().add(offset as usize), len as usize) }
            }
        }
    }

    /// Gives up one slice's hold on `block`; the last one frees or recycles it.
    #[inline]
    pub(super) fn release(block: Rc<Block>) {
        // Most slices are neither the last one of their block nor, where the pool holds another, the last but one.
        if Rc::strong_count(&block) <= 2 {
            Self::release_last(block);
        }
    }

    fn release_last(block: Rc<Block>) {
        match &*block {
            Block::Pool(pool_block) => {
                // The pool itself holds one count, `block` the other.
                if Rc::strong_count(&block) == 2 && pool_block.state.get() == BlockState::Retired {
                    let home = &pool_block.home;
                    home.retired_count.set(home.retired_count.get() - 1);
                    pool_block.set_free();
                }
            }
            Block::Heap(vec) => {
                let worth_keeping = (SPARE_OCTETS_MIN..=SPARE_OCTETS_MAX).contains(&vec.capacity());
                if worth_keeping && Rc::strong_count(&block) == 1 {
                    keep_spare(block);
                }
            }
        }
    }
}

impl PoolBlock {
    /// Puts a block without slices into the free list.
    pub(super) fn set_free(&self) {
        #[cfg(debug_assertions)]
        self.poison();
        self.mark.set(0);
        self.state.set(BlockState::Free);
        let mut free = self.home.free.borrow_mut();
        debug_assert!(free.len() < free.capacity(), "a block is in the free list once");
        free.push(self.index);
    }

    /// Overwrites a recycled block, so that a slice that should not exist shows up in a test.
    #[cfg(debug_assertions)]
    fn poison(&self) {
        // SAFETY: U1, the block is neither being written nor held by a slice: it is about to be free.
        unsafe { self.start.as_ptr().write_bytes(POISON, self.octets as usize) }
    }
}

/// What a recycled block is filled with in debug builds.
#[cfg(debug_assertions)]
pub(super) const POISON: u8 = 0xdd;

/// Heap blocks of this capacity range are kept for the next copy of the thread.
const SPARE_OCTETS_MIN: usize = 256;
pub(super) const SPARE_OCTETS_MAX: usize = 4096;
/// Heap blocks kept per thread: 256 KiB at most.
const SPARE_BLOCKS_MAX: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Rc<Block>>> = const { RefCell::new(Vec::new()) };
}

fn take_spare() -> Option<Rc<Block>> {
    SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten()
}

fn keep_spare(block: Rc<Block>) {
    // While the thread ends its spare list may be gone; then the block is simply freed. A block is never
    // dropped inside the borrow, though heap blocks would not mind.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < SPARE_BLOCKS_MAX {
            spare.push(block);
        }
    });
}

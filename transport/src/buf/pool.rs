//! The receive pool of one shard: a fixed number of blocks, recycled by the slices that leave them.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;

use super::Slice;
use super::block::{Block, BlockState, Home, PAGE_OCTETS, Page, PoolBlock};

/// A block with less than this left is retired: shorter receives cost a system call for little.
pub const RECEIVE_OCTETS_MIN: usize = 4096;

/// The size of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Blocks, 1 to 32768.
    pub block_count: usize,
    /// Octets of a block: a multiple of 4096, at most 1 GiB.
    pub block_octets: usize,
}

impl Default for PoolConfig {
    /// 32 blocks of 64 KiB: 2 MiB, which stays in the second-level cache.
    fn default() -> Self {
        Self { block_count: 32, block_octets: 64 << 10 }
    }
}

/// A block of a pool, by number: its buffer id in an io_uring buffer ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockId(pub u16);

/// The receive blocks of one shard.
///
/// Two ways to use it, by driver. Readiness (mio, simulator): [`Pool::writable`] and [`Pool::commit`] fill
/// a current block, receive after receive. Completion (io_uring): [`Pool::lend`] gives a block to the
/// kernel, [`Pool::slice_at`] makes slices of what the kernel announces, [`Pool::retire`] ends the loan.
/// In both, a block whose last slice drops after it was retired is free again.
///
/// Memory is allocated once and never moves. Slices that outlive the pool keep its memory.
#[derive(Debug)]
pub struct Pool {
    blocks: Vec<Rc<Block>>,
    home: Rc<Home>,
    /// Block that `writable` fills.
    current: Option<u32>,
    block_octets: usize,
}

impl Pool {
    /// Allocates the blocks.
    ///
    /// # Panics
    /// When `config` is out of the ranges it documents.
    pub fn new(config: PoolConfig) -> Pool {
        let PoolConfig { block_count, block_octets } = config;
        assert!((1..=1 << 15).contains(&block_count), "block count {block_count}");
        assert!((PAGE_OCTETS..=1 << 30).contains(&block_octets), "block octets {block_octets}");
        assert!(block_octets.is_multiple_of(PAGE_OCTETS), "block octets {block_octets}");
        let pages = (0..block_count * (block_octets / PAGE_OCTETS)).map(|_| Page::zeroed()).collect();
        let free = (0..block_count as u32).rev().collect();
        let home =
            Rc::new(Home { pages, free: RefCell::new(free), retired_count: Cell::new(0), block_count });
        // Derived only here, after the memory has reached its place.
        let memory = NonNull::from(&*home.pages).cast::<u8>();
        let block = |index: usize| {
            let start = memory.as_ptr().wrapping_add(index * block_octets);
            Rc::new(Block::Pool(PoolBlock {
                start: NonNull::new(start).expect("inside an allocation"),
                octets: block_octets as u32,
                index: index as u32,
                state: Cell::new(BlockState::Free),
                mark: Cell::new(0),
                home: Rc::clone(&home),
            }))
        };
        let blocks = (0..block_count).map(block).collect();
        Pool { blocks, home, current: None, block_octets }
    }

    /// The rest of the current block, taking a free block if there is none; `None` when all are in use.
    ///
    /// Follow it with [`Pool::commit`] if octets were written, or with nothing.
    pub fn writable(&mut self) -> Option<&mut [u8]> {
        let index = match self.current {
            Some(index) => index,
            None => {
                let index = self.take_free()?;
                self.current = Some(index);
                index
            }
        };
        let block = &self.blocks[index as usize];
        let owner_only = Rc::strong_count(block) == 1;
        let block = self.block(index);
        if owner_only {
            // Nobody holds what was received: start again where the cache is warm.
            block.mark.set(0);
        }
        let (mark, octets) = (block.mark.get() as usize, block.octets as usize);
        debug_assert!(octets - mark >= RECEIVE_OCTETS_MIN);
        // SAFETY: U1, the current block is written by the pool alone, above its mark, and every slice
        // lies below it; the result borrows the pool, so there is one such reference at a time.
        Some(unsafe { std::slice::from_raw_parts_mut(block.start.as_ptr().add(mark), octets - mark) })
    }

    /// A slice of the first `octets` octets of what [`Pool::writable`] last returned.
    ///
    /// # Panics
    /// When there is no current block, or `octets` is 0 or more than was writable.
    pub fn commit(&mut self, octets: usize) -> Slice {
        let index = self.current.expect("commit follows writable");
        let block = self.block(index);
        let mark = block.mark.get() as usize;
        assert!(octets > 0, "nothing to commit");
        assert!(octets <= self.block_octets - mark, "commit of more than was writable");
        let slice = self.advance_mark(index, mark, octets);
        if self.block_octets - mark - octets < RECEIVE_OCTETS_MIN {
            self.current = None;
            self.retire(BlockId(index as u16));
        }
        slice
    }

    /// Takes a free block to give it to a kernel; `None` when there is none.
    ///
    /// Blocks become free when slices drop, so this is asked again after completions were handled.
    pub fn lend(&mut self) -> Option<BlockId> {
        self.take_free().map(|index| BlockId(index as u16))
    }

    /// A slice of octets that a kernel wrote into a lent block.
    ///
    /// # Panics
    /// When the block is not lent, the range exceeds it, or begins before the end of an earlier slice.
    pub fn slice_at(&mut self, id: BlockId, offset: usize, octets: usize) -> Slice {
        let index = u32::from(id.0);
        let block = self.block(index);
        assert!(block.state.get() == BlockState::Written, "block {} is not lent", id.0);
        assert!(offset >= block.mark.get() as usize, "octets of block {} were handed out already", id.0);
        assert!(offset + octets <= self.block_octets, "beyond block {}", id.0);
        self.advance_mark(index, offset, octets)
    }

    /// Ends the loan of a block: nothing is written to it any more. It becomes free with its last slice.
    ///
    /// # Panics
    /// When the block is not lent.
    pub fn retire(&mut self, id: BlockId) {
        let rc = &self.blocks[usize::from(id.0)];
        let held = Rc::strong_count(rc) > 1;
        let block = self.block(u32::from(id.0));
        assert!(block.state.get() == BlockState::Written, "block {} is not lent", id.0);
        if held {
            block.state.set(BlockState::Retired);
            self.home.retired_count.set(self.home.retired_count.get() + 1);
        } else {
            block.set_free();
        }
    }

    /// Where a block is; it stays there as long as the pool or a slice of it lives.
    ///
    /// # Panics
    /// When there is no such block.
    pub fn block_address(&self, id: BlockId) -> NonNull<u8> {
        self.block(u32::from(id.0)).start
    }

    /// Octets of each block.
    pub fn block_octets(&self) -> usize {
        self.block_octets
    }

    /// Octets of all blocks.
    pub fn octets(&self) -> usize {
        self.blocks.len() * self.block_octets
    }

    /// Blocks in all.
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// Blocks that could be lent or written.
    pub fn free_blocks(&self) -> usize {
        self.home.free.borrow().len()
    }

    /// True when [`Pool::writable`] would give memory.
    pub fn has_room(&self) -> bool {
        self.current.is_some() || self.free_blocks() > 0
    }

    /// Octets of retired blocks, which slices keep from being reused.
    pub fn pinned(&self) -> usize {
        self.home.retired_count.get() * self.block_octets
    }

    fn take_free(&mut self) -> Option<u32> {
        let index = self.home.free.borrow_mut().pop()?;
        let block = self.block(index);
        debug_assert_eq!(block.state.get(), BlockState::Free);
        debug_assert_eq!(Rc::strong_count(&self.blocks[index as usize]), 1);
        block.state.set(BlockState::Written);
        Some(index)
    }

    fn advance_mark(&self, index: u32, offset: usize, octets: usize) -> Slice {
        self.block(index).mark.set((offset + octets) as u32);
        Slice::of_block(Rc::clone(&self.blocks[index as usize]), offset as u32, octets as u32)
    }

    fn block(&self, index: u32) -> &PoolBlock {
        match &*self.blocks[index as usize] {
            Block::Pool(block) => block,
            Block::Heap(_) => unreachable!("a pool has pool blocks"),
        }
    }
}

impl Drop for Pool {
    /// Slices may outlive the pool: they keep the memory, and no list takes their blocks back.
    fn drop(&mut self) {
        for index in 0..self.blocks.len() {
            self.block(index as u32).state.set(BlockState::Orphan);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(block_count: usize) -> Pool {
        Pool::new(PoolConfig { block_count, block_octets: 2 * PAGE_OCTETS })
    }

    fn receive(pool: &mut Pool, octets: &[u8]) -> Slice {
        let room = pool.writable().expect("a free block");
        room[..octets.len()].copy_from_slice(octets);
        pool.commit(octets.len())
    }

    #[test]
    fn receives_share_a_block_until_too_little_is_left() {
        let mut pool = pool(2);
        let first = receive(&mut pool, &[1; 100]);
        let second = receive(&mut pool, &[2; 3996]);
        assert!(first.same_block(&second));
        assert!(!first.is_retired());
        assert_eq!(pool.pinned(), 0);
        let third = receive(&mut pool, &[3; 10]);
        assert!(third.same_block(&first));
        assert!(first.is_retired(), "4086 octets are left");
        assert_eq!(pool.pinned(), 2 * PAGE_OCTETS);
        let fourth = receive(&mut pool, &[4; 10]);
        assert!(!fourth.same_block(&first));
        assert_eq!(first.joined(&second).expect("neighbours").len(), 4096);
        assert!(first.iter().all(|&octet| octet == 1), "later receives leave earlier slices alone");
        assert!(second.iter().all(|&octet| octet == 2));
    }

    #[test]
    fn a_block_is_free_after_its_last_slice() {
        let mut pool = pool(1);
        let slice = receive(&mut pool, &[7; 5000]);
        let clone = slice.sub(4990..5000);
        assert!(pool.writable().is_none());
        assert!(!pool.has_room());
        drop(slice);
        assert!(pool.writable().is_none(), "the clone keeps the block");
        assert_eq!(&*clone, &[7; 10]);
        drop(clone);
        assert_eq!(pool.free_blocks(), 1);
        assert_eq!(pool.writable().expect("free again").len(), 2 * PAGE_OCTETS);
    }

    #[test]
    fn the_current_block_starts_again_when_nobody_holds_it() {
        let mut pool = pool(1);
        drop(receive(&mut pool, &[7; 4000]));
        assert_eq!(pool.writable().expect("room").len(), 2 * PAGE_OCTETS);
        let held = receive(&mut pool, &[7; 96]);
        assert_eq!(pool.writable().expect("room").len(), 2 * PAGE_OCTETS - held.len());
    }

    #[test]
    fn lent_blocks_are_sliced_by_offset_and_come_back() {
        let mut pool = pool(2);
        let id = pool.lend().expect("free");
        let other = pool.lend().expect("free");
        assert!(pool.lend().is_none());
        assert_ne!(pool.block_address(id), pool.block_address(other));
        let first = pool.slice_at(id, 0, 10);
        let second = pool.slice_at(id, 10, 20);
        assert_eq!(first.joined(&second).expect("neighbours").len(), 30);
        drop((first, second));
        assert_eq!(pool.free_blocks(), 0, "the kernel still writes it");
        let third = pool.slice_at(id, 30, 1);
        pool.retire(id);
        assert_eq!(pool.free_blocks(), 0);
        drop(third);
        assert_eq!(pool.free_blocks(), 1);
        pool.retire(other);
        assert_eq!(pool.free_blocks(), 2);
        assert_eq!(pool.lend(), Some(other), "the last one freed is the first one used");
    }

    #[test]
    #[should_panic(expected = "handed out already")]
    fn octets_are_handed_out_once() {
        let mut pool = pool(1);
        let id = pool.lend().expect("free");
        let _first = pool.slice_at(id, 0, 10);
        let _again = pool.slice_at(id, 9, 1);
    }

    #[test]
    #[should_panic(expected = "not lent")]
    fn a_free_block_cannot_be_sliced() {
        let _ = pool(1).slice_at(BlockId(0), 0, 1);
    }

    #[test]
    fn slices_outlive_their_pool() {
        let mut pool = pool(2);
        let retired = receive(&mut pool, &[1; 5000]);
        let (clone, current) = (retired.clone(), receive(&mut pool, &[2; 5]));
        drop(pool);
        drop(retired);
        assert_eq!(&*clone.sub(0..3), &[1; 3]);
        assert_eq!(&*current, &[2; 5]);
    }

    proptest::proptest! {
        /// Whatever is received, split, cloned and dropped: every slice keeps the octets it was made with,
        /// and every block is in one place (U1).
        #[test]
        fn slices_keep_their_octets(acts in proptest::collection::vec((0..6u8, 0..9000usize), 1..200)) {
            let mut pool = pool(4);
            let mut held: Vec<(Slice, u8)> = Vec::new();
            for (at, (act, size)) in acts.into_iter().enumerate() {
                let fill = at as u8;
                match act {
                    0..3 => if let Some(room) = pool.writable() {
                        let octets = (size % room.len()).max(1);
                        room[..octets].fill(fill);
                        held.push((pool.commit(octets), fill));
                    },
                    3 if !held.is_empty() => {
                        let (slice, fill) = held.last_mut().expect("not empty");
                        let first = slice.split_to(size % (slice.len() + 1));
                        let fill = *fill;
                        held.push((first, fill));
                    },
                    _ if !held.is_empty() => drop(held.swap_remove(size % held.len())),
                    _ => {}
                }
                for (slice, fill) in &held {
                    assert!(slice.iter().all(|octet| octet == fill));
                }
                let retired = pool.pinned() / pool.block_octets();
                let written = usize::from(pool.current.is_some());
                assert_eq!(pool.free_blocks() + retired + written, pool.block_count());
            }
            held.clear();
            assert_eq!(pool.pinned(), 0);
        }
    }

    #[test]
    fn a_pool_is_scarce_while_slices_alone_hold_its_blocks() {
        let mut pool = pool(8);
        let mut held: Vec<Slice> = (0..5).map(|_| receive(&mut pool, &[1; 5000])).collect();
        assert_eq!(pool.pinned(), 5 * 2 * PAGE_OCTETS);
        assert!(held[0].is_scarce(62) && !held[0].is_scarce(75));
        held.push(receive(&mut pool, &[1; 5000]));
        assert!(held[0].is_scarce(75) && held[0].is_scarce(100), "two blocks are left");
        held.truncate(1);
        assert!(!held[0].is_scarce(25));
        assert_eq!((pool.pinned(), pool.free_blocks()), (2 * PAGE_OCTETS, 7));
        assert!(!Slice::from_vec(vec![1; 5000]).is_scarce(1), "the heap is not a pool");
    }

    #[test]
    fn detaching_frees_the_block_and_counts_the_copy() {
        let mut pool = pool(1);
        let slice = receive(&mut pool, &[9; 5000]).sub(100..105);
        let before = super::super::copies::of_this_thread().small_count;
        let detached = slice.detached();
        assert_eq!(super::super::copies::of_this_thread().small_count, before + 1);
        assert_eq!(pool.free_blocks(), 1);
        assert_eq!((&*detached, detached.pinned_octets()), (&[9; 5][..], 0));
        let address = detached.as_ptr();
        assert_eq!(detached.detached().as_ptr(), address, "a heap slice stays where it is");
    }

    #[cfg(debug_assertions)]
    #[test]
    fn recycled_blocks_are_poisoned() {
        let mut pool = pool(1);
        drop(receive(&mut pool, &[9; 5000]));
        let room = pool.writable().expect("free");
        assert!(room.iter().all(|&octet| octet == super::super::block::POISON));
    }
}

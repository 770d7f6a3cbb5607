//! Counted ranges of blocks.

use std::fmt;
use std::ops::{Deref, Range};
use std::rc::Rc;

use super::block::{Block, BlockState};
use super::copies;

/// Octets in a block, counted: the block is recycled when its last slice drops. Not `Send`.
///
/// Dereferences to `[u8]`. 16 octets, clone is one non-atomic increment. The default slice is empty and
/// holds no block.
#[derive(Clone, Default)]
pub struct Slice {
    block: Option<Rc<Block>>,
    offset: u32,
    len: u32,
}

const _: () = assert!(size_of::<Slice>() == 16);

impl Slice {
    /// No octets.
    pub const EMPTY: Slice = Slice { block: None, offset: 0, len: 0 };

    /// Moves `octets` into a block of their own on the heap; counts no copy.
    ///
    /// # Panics
    /// When there are 4 GiB or more.
    pub fn from_vec(octets: Vec<u8>) -> Slice {
        let len = u32::try_from(octets.len()).expect("a slice is smaller than 4 GiB");
        Slice { block: Some(Rc::new(Block::Heap(octets))), offset: 0, len }
    }

    /// Copies `octets` into a block of their own on the heap; counted by [`copies`]. Small blocks are
    /// recycled per thread, so that a steady stream of small copies does not allocate.
    ///
    /// # Panics
    /// When there are 4 GiB or more.
    pub fn copy_of(octets: &[u8]) -> Slice {
        let len = u32::try_from(octets.len()).expect("a slice is smaller than 4 GiB");
        copies::count(octets.len());
        Slice { block: Some(Block::copy_of(octets)), offset: 0, len }
    }

    /// A slice of a pool block; the range lies below the block's mark.
    pub(super) fn of_block(block: Rc<Block>, offset: u32, len: u32) -> Slice {
        Slice { block: Some(block), offset, len }
    }

    /// Splits off the first `octets` octets.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline]
    pub fn split_to(&mut self, octets: usize) -> Slice {
        let first = self.sub(0..octets);
        self.advance(octets);
        first
    }

    /// Octets in it, without a look at its block.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// True when there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Drops the first `octets` octets.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline]
    pub fn advance(&mut self, octets: usize) {
        assert!(octets <= self.len(), "advance by {octets} of {}", self.len());
        self.offset += octets as u32;
        self.len -= octets as u32;
    }

    /// Takes `next` in if it follows directly in the same block; false, and nothing changed, otherwise.
    #[inline]
    pub fn join(&mut self, next: &Slice) -> bool {
        let joins = self.same_block(next) && self.offset + self.len == next.offset;
        if joins {
            self.len += next.len;
        }
        joins
    }

    /// Takes in the octets in front of it in its block where they are `prefix`; false, and nothing changed, otherwise.
    ///
    /// What was received behind the headers that are now to be sent in front of it needs no copy of them.
    #[inline(always)]
    pub fn extend_front(&mut self, prefix: &[u8]) -> bool {
        let octets = prefix.len() as u32;
        let stands_there = octets <= self.offset
            && self
                .block
                .as_deref()
                .is_some_and(|block| block.octets(self.offset - octets, octets) == prefix);
        if stands_there {
            self.offset -= octets;
            self.len += octets;
        }
        stands_there
    }

    /// Takes `next` in where `prefix` lies between the two, in the same block; false, and nothing changed, otherwise.
    #[inline(always)]
    pub fn join_behind(&mut self, prefix: &[u8], next: &Slice) -> bool {
        let (end, octets) = (self.offset + self.len, prefix.len() as u32);
        let joins = self.same_block(next)
            && next.offset == end + octets
            && self.block.as_deref().is_some_and(|block| block.octets(end, octets) == prefix);
        if joins {
            self.len += octets + next.len;
        }
        joins
    }

    /// One slice over `self` and `next` when they are neighbours in one block.
    pub fn joined(&self, next: &Slice) -> Option<Slice> {
        let mut whole = self.clone();
        whole.join(next).then_some(whole)
    }

    /// The sub-slice `range`, sharing the block.
    ///
    /// # Panics
    /// When the range is out of bounds.
    #[inline]
    pub fn sub(&self, range: Range<usize>) -> Slice {
        assert!(range.start <= range.end, "range {range:?} ends before it starts");
        assert!(range.end <= self.len(), "range {range:?} of a slice of {}", self.len());
        Slice { block: self.block.clone(), offset: self.offset + range.start as u32, len: range.len() as u32 }
    }

    /// True when both are in the same block (two default slices are in none).
    #[inline]
    pub fn same_block(&self, other: &Slice) -> bool {
        match (&self.block, &other.block) {
            (Some(own), Some(others)) => Rc::ptr_eq(own, others),
            _ => false,
        }
    }

    /// Octets of the shared receive pool that this slice keeps from being reused (0 for a heap block).
    ///
    /// That is its whole block: slices of the [same block](Slice::same_block) pin it together, once.
    #[inline]
    pub fn pinned_octets(&self) -> usize {
        match self.block.as_deref() {
            Some(Block::Pool(block)) => block.octets as usize,
            _ => 0,
        }
    }

    /// True when it lies in a pool block that is not written any more, and so is kept by slices alone.
    pub fn is_retired(&self) -> bool {
        match self.block.as_deref() {
            Some(Block::Pool(block)) => block.state.get() == BlockState::Retired,
            _ => false,
        }
    }

    /// True when slices alone keep at least `per_cent` of its pool's blocks from being reused, or all but two:
    /// whoever would hold this slice for longer then copies it, else a few slow connections starve all others
    /// of blocks.
    #[inline]
    pub fn is_scarce(&self, per_cent: usize) -> bool {
        match self.block.as_deref() {
            Some(Block::Pool(block)) => {
                let blocks = block.home.block_count;
                block.home.retired_count.get()
                    >= (blocks * per_cent / 100).min(blocks.saturating_sub(2)).max(1)
            }
            _ => false,
        }
    }

    /// The same octets off the pool: copied to the heap (and counted) if they pin a pool block.
    ///
    /// For a small remainder that waits for more octets and would keep a whole block for it.
    pub fn detached(self) -> Slice {
        if self.pinned_octets() == 0 { self } else { Slice::copy_of(&self) }
    }
}

impl Deref for Slice {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.block {
            Some(block) => block.octets(self.offset, self.len),
            None => &[],
        }
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Slice {
    #[inline]
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            Block::release(block);
        }
    }
}

impl fmt::Debug for Slice {
    /// Length and place only: user data does not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.block.as_deref() {
            Some(Block::Pool(block)) => format_args!("block {} +{}", block.index, self.offset).to_string(),
            Some(Block::Heap(_)) => "heap".to_owned(),
            None => "nowhere".to_owned(),
        };
        write!(f, "Slice({} octets, {place})", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_slices_share_the_block_and_split_in_order() {
        let mut whole = Slice::from_vec(b"0123456789".to_vec());
        let middle = whole.sub(3..7);
        assert_eq!(&*middle, b"3456");
        assert!(middle.same_block(&whole));
        let first = whole.split_to(4);
        assert_eq!(&*first, b"0123");
        assert_eq!(&*whole, b"456789");
        assert_eq!(whole.sub(6..6).len(), 0);
    }

    #[test]
    fn only_neighbours_of_one_block_join() {
        let whole = Slice::from_vec(b"0123456789".to_vec());
        let (a, b, c) = (whole.sub(0..3), whole.sub(3..6), whole.sub(7..9));
        assert_eq!(&*a.joined(&b).expect("neighbours"), b"012345");
        assert!(b.joined(&c).is_none(), "there is a gap");
        assert!(b.joined(&a).is_none(), "the order counts");
        assert!(a.joined(&Slice::from_vec(b"345".to_vec())).is_none(), "another block");
        assert!(Slice::default().joined(&Slice::default()).is_none());
    }

    #[test]
    fn a_slice_takes_in_the_headers_that_stand_in_front_of_it() {
        let whole = Slice::from_vec(b"0123456789".to_vec());
        let mut slice = whole.sub(3..5);
        assert!(!slice.extend_front(b"13") && !slice.extend_front(b"0012"), "other octets, or none that far");
        assert!(slice.extend_front(b"12") && slice.extend_front(b""));
        assert_eq!(&*slice, b"1234");
        assert!(!slice.join_behind(b"5", &whole.sub(7..9)), "there is a gap");
        assert!(!slice.join_behind(b"66", &whole.sub(7..9)), "other octets");
        assert!(
            !slice.join_behind(b"56", &Slice::from_vec(b"0123456789".to_vec()).sub(7..9)),
            "another block"
        );
        assert_eq!(&*slice, b"1234");
        assert!(slice.join_behind(b"56", &whole.sub(7..9)));
        assert_eq!(&*slice, b"12345678");
        assert!(
            !Slice::default().extend_front(b"1") && !Slice::default().join_behind(b"", &Slice::default())
        );
    }

    #[test]
    fn copies_are_counted_by_size_and_moves_are_not() {
        let before = copies::of_this_thread();
        let _moved = Slice::from_vec(vec![1; 5000]);
        assert_eq!(copies::of_this_thread(), before);
        let _small = Slice::copy_of(&[1; 2047]);
        let _large = Slice::copy_of(&[1; 2048]);
        let after = copies::of_this_thread();
        assert_eq!(after.small_count, before.small_count + 1);
        assert_eq!(after.large_count, before.large_count + 1);
        assert_eq!(after.octets, before.octets + 4095);
    }

    #[test]
    fn small_heap_blocks_are_recycled_only_when_nobody_holds_them() {
        let first = Slice::copy_of(b"first");
        let address = first.as_ptr();
        let held = first.clone();
        drop(first);
        let second = Slice::copy_of(b"second");
        assert_ne!(second.as_ptr(), address);
        assert_eq!(&*held, b"first");
        drop(held);
        let third = Slice::copy_of(b"third");
        assert_eq!(third.as_ptr(), address);
        assert_eq!((&*second, &*third), (&b"second"[..], &b"third"[..]));
    }

    #[test]
    #[should_panic(expected = "of a slice of 3")]
    fn a_range_out_of_bounds_panics() {
        let _ = Slice::from_vec(b"abc".to_vec()).sub(1..4);
    }

    #[test]
    fn debug_output_shows_no_octets() {
        let text = format!("{:?} {:?}", Slice::from_vec(b"secret".to_vec()), Slice::default());
        assert_eq!(text, "Slice(6 octets, heap) Slice(0 octets, nowhere)");
    }
}

//! Octets copied together from several slices into one.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use super::block::Block;
use super::{Slice, copies};

/// Octets being copied together; becomes a [`Slice`] without another copy.
///
/// Small blocks are recycled per thread, as those of [`Slice::copy_of`] are. Empty, it holds no memory.
#[derive(Default)]
pub struct Gather {
    block: Option<Rc<Block>>,
}

impl Gather {
    /// Octets up to which a block is recycled; beyond, it is a block of the heap like any other.
    pub const RECYCLED_OCTETS_MAX: usize = super::block::SPARE_OCTETS_MAX;

    /// Appends a copy of `octets`, counted by [`copies`].
    pub fn extend(&mut self, octets: &[u8]) {
        match &mut self.block {
            None => self.block = Some(Block::copy_of(octets)),
            Some(block) => match Rc::get_mut(block) {
                Some(Block::Heap(vec)) => vec.extend_from_slice(octets),
                _ => unreachable!("a block that is being gathered is a heap block with one owner"),
            },
        }
        copies::count(octets.len());
    }

    /// Makes a slice of what was gathered, and is empty afterwards.
    ///
    /// # Panics
    /// When there are 4 GiB or more.
    pub fn freeze(&mut self) -> Slice {
        let len = u32::try_from(self.len()).expect("a slice is smaller than 4 GiB");
        self.block.take().map(|block| Slice::of_block(block, 0, len)).unwrap_or_default()
    }

    /// Forgets what was gathered.
    pub fn clear(&mut self) {
        drop(self.freeze());
    }
}

impl Deref for Gather {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self.block.as_deref() {
            Some(Block::Heap(vec)) => vec,
            _ => &[],
        }
    }
}

impl fmt::Debug for Gather {
    /// Length only: user data does not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gather({} octets)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathered_octets_become_a_slice_and_the_block_is_used_again() {
        let before = copies::of_this_thread();
        let mut gather = Gather::default();
        assert!(gather.is_empty());
        gather.extend(b"abc");
        gather.extend(b"def");
        assert_eq!(&*gather, b"abcdef");
        let slice = gather.freeze();
        assert_eq!((&*slice, gather.len()), (&b"abcdef"[..], 0));
        let after = copies::of_this_thread();
        assert_eq!((after.small_count, after.octets), (before.small_count + 2, before.octets + 6));
        let address = slice.as_ptr();
        drop(slice);
        gather.extend(b"xyz");
        assert_eq!(gather.as_ptr(), address);
        gather.clear();
        assert_eq!(&*gather.freeze(), b"");
    }
}

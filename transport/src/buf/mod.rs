//! Receive blocks, the slices that keep them, and batches to send.
#![allow(unsafe_code)]

/// A TSDU, or its user data: one slice nearly always, more when it straddles receive blocks or TPDUs.
///
/// Never empty of slices: an empty body has an empty head.
#[derive(Clone, Debug, Default)]
pub struct Body {
    head: Slice,
    rest: Vec<Slice>,
}

#[allow(unused_variables)]
impl Body {
    /// A body of one slice; does not allocate.
    pub fn new(head: Slice) -> Body {
        Body { head, rest: Vec::new() }
    }
    /// A body of several slices.
    pub fn with_rest(head: Slice, rest: Vec<Slice>) -> Body {
        Body { head, rest }
    }
    /// The first slice.
    pub fn head(&self) -> &Slice {
        &self.head
    }
    /// The slices after the first.
    pub fn rest(&self) -> &[Slice] {
        &self.rest
    }
    /// Octets in all slices.
    pub fn len(&self) -> usize {
        todo!()
    }
    /// True when there are no octets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// All slices in order.
    pub fn slices(&self) -> impl Iterator<Item = &Slice> {
        core::iter::once(&self.head).chain(self.rest.iter())
    }
    /// Drops the first `octets` octets, which must lie in the head.
    pub fn advance(&mut self, octets: usize) {
        todo!()
    }
    /// The same octets in one contiguous slice; copies (and counts the copy) only when there are several.
    pub fn into_contiguous(self) -> Slice {
        todo!()
    }
    /// Gives back the vector of the rest, emptied, for reuse.
    pub fn into_rest(self) -> Vec<Slice> {
        todo!()
    }
}

/// Octets in a block, counted: the block is recycled when its last slice drops. Not `Send`.
///
/// Dereferences to `[u8]`. 16 octets, clone is one non-atomic increment.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    _todo: std::rc::Rc<Vec<u8>>,
}

impl std::ops::Deref for Slice {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        todo!()
    }
}

#[allow(unused_variables)]
impl Slice {
    /// Moves `octets` into a block of their own on the heap; counts no copy.
    pub fn from_vec(octets: Vec<u8>) -> Slice {
        todo!()
    }
    /// Copies `octets` into a block of their own on the heap; counted by [`copies`].
    pub fn copy_of(octets: &[u8]) -> Slice {
        todo!()
    }
    /// The sub-slice `range`, sharing the block.
    ///
    /// # Panics
    /// When the range is out of bounds.
    pub fn sub(&self, range: std::ops::Range<usize>) -> Slice {
        todo!()
    }
    /// Splits off the first `octets` octets.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn split_to(&mut self, octets: usize) -> Slice {
        todo!()
    }
    /// One slice over `self` and `next` when they are neighbours in one block.
    pub fn joined(&self, next: &Slice) -> Option<Slice> {
        todo!()
    }
    /// Octets of the shared receive pool that this slice keeps from being reused (0 for a heap block).
    pub fn pinned_octets(&self) -> usize {
        todo!()
    }
}

/// Bodies from this size on travel by reference, smaller ones are copied beside their header.
/// Measured: iovecs lose to memcpy below about 2 KiB.
pub const COPY_THRESHOLD_OCTETS: usize = 2048;

/// Counts of user-space copies of received or user octets, per thread.
pub mod copies {
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
        todo!()
    }
}

/// What one send call carries: header octets in its own arena, bodies copied beside them or by reference.
///
/// Recycled by the shard: cleared, its capacity stays.
#[derive(Debug, Default)]
pub struct TxBatch {
    _todo: (),
}

#[allow(unused_variables)]
impl TxBatch {
    /// An empty batch.
    pub fn new() -> TxBatch {
        todo!()
    }
    /// Appends header octets (copied, not counted as a body copy).
    pub fn put_header(&mut self, octets: &[u8]) {
        todo!()
    }
    /// Appends a body: copied below [`COPY_THRESHOLD_OCTETS`], by reference from there on; a slice that
    /// continues the last part becomes one iovec with it.
    pub fn put_slice(&mut self, slice: Slice) {
        todo!()
    }
    /// Octets in the batch.
    pub fn octets(&self) -> usize {
        todo!()
    }
    /// True when nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.octets() == 0
    }
    /// Empties it, dropping slices, keeping capacity.
    pub fn clear(&mut self) {
        todo!()
    }
    /// The octets in order, as the peer will see them (for tests, the simulator and mio).
    pub fn io_slices<'a>(&'a self, out: &mut Vec<std::io::IoSlice<'a>>) {
        todo!()
    }
}

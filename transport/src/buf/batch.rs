//! What one send call carries.

use std::io::IoSlice;
use std::ops::Range;

use super::{COPY_THRESHOLD_OCTETS, Slice, copies};

/// Most I/O vectors a driver gives to one system call; Linux refuses more than 1024.
pub const IOVECS_MAX: usize = 1024;

/// Share of the pool's blocks held by slices from which on small bodies are copied rather than kept where they are.
const SCARCE_PER_CENT: usize = 50;

/// What one send call carries: header octets in its own arena, bodies copied beside them or by reference.
///
/// ```text
///   parts   arena 0..23 │ slice, 4096 octets │ arena 23..30 │ slice ...      one I/O vector each
///   arena   header header+small body │ header ...                            never moves while in flight
/// ```
///
/// A cursor remembers what was sent, so that a short write goes on where it stopped. Recycled by the shard:
/// cleared, its capacity stays. Moving the batch moves neither arena nor slices (rule U2).
#[derive(Debug, Default)]
pub struct TxBatch(Option<Box<Content>>);

/// What is in a batch: boxed, because a batch changes hands a dozen times between the session that fills it and the
/// completion that gives it back. A batch that nothing was put into has none.
#[derive(Debug, Default)]
struct Content {
    arena: Vec<u8>,
    parts: Vec<Part>,
    octets: usize,
    /// Parts sent whole.
    sent_parts: usize,
    /// Octets sent of the part after those.
    sent_of_part: usize,
    sent_octets: usize,
    /// Some part may lie in a receive pool.
    pins: bool,
}

#[derive(Debug)]
enum Part {
    Arena(Range<usize>),
    Slice(Slice),
}

impl TxBatch {
    /// An empty batch.
    pub const fn new() -> TxBatch {
        TxBatch(None)
    }

    /// True when it has memory of its own, which it keeps when it is cleared.
    #[inline]
    pub fn has_memory(&self) -> bool {
        self.0.is_some()
    }

    /// Appends header octets (copied, not counted as a body copy).
    pub fn put_header(&mut self, octets: &[u8]) {
        if !octets.is_empty() {
            self.content().put_header(octets);
        }
    }

    /// Lets `put` append octets to the batch's own memory; it must leave alone what is there.
    pub fn put_with<R>(&mut self, put: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.content().put_with(put)
    }

    /// Appends a body: copied below [`COPY_THRESHOLD_OCTETS`], by reference from there on; a slice that
    /// continues the last part becomes one I/O vector with it, whatever its size.
    pub fn put_slice(&mut self, slice: Slice) {
        self.content().put_slice(slice);
    }

    /// Appends `header`, then `body`. Where the same header stands in front of the body in its block, because both were
    /// received like that, header and body go by reference together, and a run of such bodies is one I/O vector.
    ///
    /// A small body goes so only as long as nothing else has to be sent in between, and its block is not needed.
    #[inline]
    pub fn put_framed(&mut self, header: &[u8], body: &Slice) {
        self.content().put_framed(header, body);
    }

    /// The same for a header whose length is known to the compiler, which makes its comparison and its copy a few
    /// instructions instead of two calls: for what is sent nearly always.
    #[inline]
    pub fn put_framed_by<const N: usize>(&mut self, header: &[u8; N], body: &Slice) {
        self.content().put_framed(header, body);
    }

    /// Moves the cursor over `octets` octets that were sent; slices sent whole are released.
    ///
    /// # Panics
    /// When fewer are left.
    pub fn advance(&mut self, octets: usize) {
        assert!(octets <= self.remaining_octets(), "more octets sent than there were");
        if let Some(content) = &mut self.0 {
            content.advance(octets);
        }
    }

    /// True when it keeps blocks of a receive pool from being reused.
    #[inline]
    pub fn pins(&self) -> bool {
        self.0.as_ref().is_some_and(|content| content.pins)
    }

    /// Copies out what it keeps of a receive pool: for a peer that does not read while others wait for
    /// blocks. Not while a kernel reads it (rule U2).
    pub fn detach(&mut self) {
        if let Some(content) = &mut self.0 {
            content.detach();
        }
    }

    /// Empties it, dropping slices, keeping capacity up to a bound.
    pub fn clear(&mut self) {
        if let Some(content) = &mut self.0 {
            content.clear();
        }
    }

    /// Octets in the batch, sent or not.
    #[inline]
    pub fn octets(&self) -> usize {
        self.0.as_ref().map_or(0, |content| content.octets)
    }

    /// Octets not sent yet.
    #[inline]
    pub fn remaining_octets(&self) -> usize {
        self.0.as_ref().map_or(0, |content| content.octets - content.sent_octets)
    }

    /// True when nothing is in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.octets() == 0
    }

    /// I/O vectors that the octets not sent yet need.
    pub fn iovec_count(&self) -> usize {
        self.0.as_ref().map_or(0, |content| content.parts.len() - content.sent_parts)
    }

    /// The octets not sent yet where they are one I/O vector.
    #[inline]
    pub fn only_iovec(&self) -> Option<&[u8]> {
        let content = self.0.as_ref()?;
        let [only] = &content.parts[content.sent_parts..] else { return None };
        Some(&content.octets_of(only)[content.sent_of_part..])
    }

    /// The octets not sent yet, in order, one item for each I/O vector.
    ///
    /// A driver takes at most [`IOVECS_MAX`] of them for one call and calls [`TxBatch::advance`] with what
    /// the call sent.
    pub fn iovecs(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().flat_map(|content| content.iovecs())
    }

    /// Appends the octets not sent yet to `out`, as the peer will see them.
    pub fn io_slices<'a>(&'a self, out: &mut Vec<IoSlice<'a>>) {
        out.extend(self.iovecs().map(IoSlice::new));
    }

    /// The octets not sent yet in one vector; for tests and tools.
    pub fn to_vec(&self) -> Vec<u8> {
        self.iovecs().flatten().copied().collect()
    }

    #[inline]
    fn content(&mut self) -> &mut Content {
        self.0.get_or_insert_default()
    }
}

impl Content {
    /// Copies header and body into the arena.
    #[inline(always)]
    fn put_copies(&mut self, header: &[u8], body: &[u8]) {
        if !body.is_empty() {
            copies::count(body.len());
        }
        let octets = header.len() + body.len();
        let start = self.arena.len();
        self.arena.reserve(octets);
        self.arena.extend_from_slice(header);
        self.arena.extend_from_slice(body);
        self.octets += octets;
        match self.parts.last_mut() {
            Some(Part::Arena(range)) => range.end += octets,
            _ if octets > 0 => self.parts.push(Part::Arena(start..start + octets)),
            _ => {}
        }
    }

    fn put_header(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let start = self.arena.len();
        self.arena.extend_from_slice(octets);
        self.octets += octets.len();
        match self.parts.last_mut() {
            Some(Part::Arena(range)) => {
                debug_assert_eq!(range.end, start, "the arena grows with its last part");
                range.end = self.arena.len();
            }
            _ => self.parts.push(Part::Arena(start..self.arena.len())),
        }
    }

    fn put_with<R>(&mut self, put: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let start = self.arena.len();
        let result = put(&mut self.arena);
        let octets = self.arena.len().checked_sub(start).expect("octets are appended, not removed");
        self.octets += octets;
        match self.parts.last_mut() {
            Some(Part::Arena(range)) => range.end += octets,
            _ if octets > 0 => self.parts.push(Part::Arena(start..start + octets)),
            _ => {}
        }
        result
    }

    fn put_slice(&mut self, slice: Slice) {
        if let Some(Part::Slice(last)) = self.parts.last_mut()
            && last.join(&slice)
        {
            self.octets += slice.len();
        } else if slice.len() < COPY_THRESHOLD_OCTETS {
            if !slice.is_empty() {
                copies::count(slice.len());
            }
            self.put_header(&slice);
        } else {
            self.octets += slice.len();
            self.pins |= slice.pinned_octets() > 0;
            self.parts.push(Part::Slice(slice));
        }
    }

    #[inline(always)]
    fn put_framed(&mut self, header: &[u8], body: &Slice) {
        if let Some(Part::Slice(last)) = self.parts.last_mut()
            && last.join_behind(header, body)
        {
            self.octets += header.len() + body.len();
            return;
        }
        let small = body.len() < COPY_THRESHOLD_OCTETS;
        if !small || (self.parts.is_empty() && !body.is_scarce(SCARCE_PER_CENT)) {
            let mut whole = body.clone();
            if whole.extend_front(header) {
                self.octets += whole.len();
                self.pins |= whole.pinned_octets() > 0;
                self.parts.push(Part::Slice(whole));
                return;
            }
        }
        if small {
            return self.put_copies(header, body);
        }
        self.put_header(header);
        self.put_slice(body.clone());
    }

    fn advance(&mut self, octets: usize) {
        self.sent_octets += octets;
        let mut left = octets;
        while let Some(part) = self.parts.get_mut(self.sent_parts) {
            let part_left = part.len() - self.sent_of_part;
            if left < part_left {
                self.sent_of_part += left;
                return;
            }
            left -= part_left;
            // Its block may be what a receiver waits for.
            *part = Part::Arena(0..0);
            self.sent_of_part = 0;
            self.sent_parts += 1;
        }
        debug_assert_eq!(left, 0);
    }

    fn detach(&mut self) {
        if !std::mem::take(&mut self.pins) {
            return;
        }
        for part in &mut self.parts[self.sent_parts..] {
            if let Part::Slice(slice) = part {
                *slice = std::mem::take(slice).detached();
            }
        }
    }

    fn clear(&mut self) {
        self.arena.clear();
        self.parts.clear();
        self.pins = false;
        // One burst must not keep its memory for the life of the batch.
        if self.arena.capacity() > ARENA_KEPT_OCTETS_MAX {
            self.arena.shrink_to(ARENA_KEPT_OCTETS_MAX);
        }
        if self.parts.capacity() > PARTS_KEPT_MAX {
            self.parts.shrink_to(PARTS_KEPT_MAX);
        }
        self.octets = 0;
        self.sent_parts = 0;
        self.sent_of_part = 0;
        self.sent_octets = 0;
    }

    fn iovecs(&self) -> impl Iterator<Item = &[u8]> {
        let mut skip = self.sent_of_part;
        self.parts[self.sent_parts..]
            .iter()
            .map(move |part| &self.octets_of(part)[std::mem::take(&mut skip)..])
    }

    #[inline]
    fn octets_of<'a>(&'a self, part: &'a Part) -> &'a [u8] {
        match part {
            Part::Arena(range) => &self.arena[range.clone()],
            Part::Slice(slice) => slice,
        }
    }
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Part::Arena(range) => range.len(),
            Part::Slice(slice) => slice.len(),
        }
    }
}

/// Capacity a cleared batch keeps.
const ARENA_KEPT_OCTETS_MAX: usize = 128 << 10;
const PARTS_KEPT_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::super::{Pool, PoolConfig};
    use super::*;

    fn body(octet: u8, octets: usize) -> Slice {
        Slice::from_vec(vec![octet; octets])
    }

    #[test]
    fn headers_and_small_bodies_are_one_iovec() {
        let before = copies::of_this_thread();
        let mut batch = TxBatch::new();
        for _ in 0..16 {
            batch.put_header(b"head");
            batch.put_slice(body(7, 100));
        }
        assert_eq!((batch.octets(), batch.iovec_count()), (16 * 104, 1));
        let after = copies::of_this_thread();
        assert_eq!((after.small_count, after.large_count), (before.small_count + 16, before.large_count));
        assert_eq!(&batch.to_vec()[..6], b"head\x07\x07");
    }

    #[test]
    fn large_bodies_travel_by_reference() {
        let before = copies::of_this_thread();
        let large = body(1, COPY_THRESHOLD_OCTETS);
        let mut batch = TxBatch::new();
        batch.put_header(b"h");
        batch.put_slice(large.clone());
        batch.put_header(b"i");
        assert_eq!(batch.iovec_count(), 3);
        assert_eq!(batch.iovecs().nth(1).expect("body").as_ptr(), large.as_ptr());
        assert_eq!(copies::of_this_thread(), before);
        batch.put_slice(Slice::default());
        assert_eq!((batch.iovec_count(), copies::of_this_thread()), (3, before));
    }

    #[test]
    fn a_run_of_neighbours_is_one_iovec_without_copies() {
        let mut pool = Pool::new(PoolConfig::default());
        let run: Vec<Slice> = [3000, 10, 500]
            .map(|octets| {
                pool.writable().expect("room")[..octets].fill(5);
                pool.commit(octets)
            })
            .into();
        let before = copies::of_this_thread();
        let mut batch = TxBatch::new();
        run.into_iter().for_each(|slice| batch.put_slice(slice));
        assert_eq!((batch.octets(), batch.iovec_count()), (3510, 1));
        assert_eq!(copies::of_this_thread(), before);
    }

    #[test]
    fn bodies_behind_their_own_headers_leave_from_where_they_lie() {
        let mut pool = Pool::new(PoolConfig::default());
        let received = b"head-abc-head-defg-tail-hi";
        pool.writable().expect("room")[..received.len()].copy_from_slice(received);
        let whole = pool.commit(received.len());
        let before = copies::of_this_thread();
        let mut batch = TxBatch::new();
        batch.put_framed(b"head-", &whole.sub(5..9));
        batch.put_framed_by(b"head-", &whole.sub(14..19));
        assert_eq!((batch.iovec_count(), batch.octets(), batch.pins()), (1, 19, true));
        assert_eq!(batch.only_iovec().expect("one").as_ptr(), whole.as_ptr());
        assert_eq!(copies::of_this_thread(), before);
        // Other octets are in front of this one, so both are written; and so is what comes behind, joined or not.
        batch.put_framed(b"HEAD-", &whole.sub(24..26));
        batch.put_framed(b"head-", &whole.sub(5..9));
        assert_eq!((batch.iovec_count(), batch.only_iovec()), (2, None));
        assert_eq!(batch.to_vec(), b"head-abc-head-defg-HEAD-hihead-abc-");
        assert_eq!(copies::of_this_thread().small_count, before.small_count + 2);
        batch.clear();
        assert!(!batch.pins() && batch.has_memory());
    }

    #[test]
    fn small_bodies_do_not_keep_the_blocks_of_a_scarce_pool() {
        let mut pool = Pool::new(PoolConfig { block_count: 8, block_octets: 4096 });
        let mut receive = || {
            pool.writable().expect("room").fill(7);
            pool.commit(4096)
        };
        let held: Vec<Slice> = (0..5).map(|_| receive()).collect();
        let (small, large) = (held[0].sub(2..100), held[0].sub(2..3000));
        let mut batch = TxBatch::new();
        batch.put_framed(&[7, 7], &small);
        assert!(!batch.pins(), "copied");
        batch.clear();
        batch.put_framed(&[7, 7], &large);
        assert!(batch.pins(), "large bodies are never copied");
    }

    #[test]
    fn a_detached_batch_gives_its_blocks_back_and_keeps_its_octets() {
        let mut pool = Pool::new(PoolConfig { block_count: 1, block_octets: 4096 });
        pool.writable().expect("room").fill(1);
        let before = copies::of_this_thread().large_count;
        let mut batch = TxBatch::new();
        batch.put_slice(pool.commit(4096));
        batch.advance(1000);
        assert_eq!(
            (batch.pins(), pool.free_blocks(), copies::of_this_thread().large_count),
            (true, 0, before)
        );
        batch.detach();
        assert_eq!(
            (batch.pins(), pool.free_blocks(), copies::of_this_thread().large_count),
            (false, 1, before + 1)
        );
        assert_eq!((batch.octets(), batch.remaining_octets()), (4096, 3096));
        assert_eq!(batch.iovecs().next().expect("the rest"), [1; 3096]);
    }

    #[test]
    fn the_cursor_goes_through_every_split() {
        let mut batch = TxBatch::new();
        let fill = |batch: &mut TxBatch| {
            batch.put_header(b"abc");
            batch.put_slice(body(9, COPY_THRESHOLD_OCTETS));
            batch.put_header(b"de");
            batch.put_slice(body(8, 3));
        };
        fill(&mut batch);
        let whole = batch.to_vec();
        for step in [1, 2, 3, 4, 100, 2047, 2048, 2049, whole.len()] {
            let mut sent = Vec::new();
            while batch.remaining_octets() > 0 {
                let octets = step.min(batch.remaining_octets());
                sent.extend_from_slice(&batch.to_vec()[..octets]);
                batch.advance(octets);
                assert_eq!(batch.iovecs().map(<[u8]>::len).sum::<usize>(), batch.remaining_octets());
                assert!(batch.iovecs().all(|part| !part.is_empty()));
            }
            assert_eq!(sent, whole, "in steps of {step}");
            assert_eq!((batch.octets(), batch.iovec_count()), (whole.len(), 0));
            batch.clear();
            fill(&mut batch);
        }
    }

    #[test]
    fn slices_are_released_as_soon_as_they_are_sent() {
        let mut pool = Pool::new(PoolConfig { block_count: 2, block_octets: 4096 });
        pool.writable().expect("room").fill(1);
        let mut batch = TxBatch::new();
        batch.put_slice(pool.commit(4096));
        batch.put_header(b"tail");
        batch.advance(4095);
        assert_eq!(pool.free_blocks(), 1);
        batch.advance(1);
        assert_eq!(pool.free_blocks(), 2);
        assert_eq!(batch.to_vec(), b"tail");
    }

    #[test]
    fn clearing_keeps_capacity_up_to_a_bound() {
        let mut batch = TxBatch::new();
        batch.put_header(&[0; 1000]);
        let capacity = batch.content().arena.capacity();
        batch.clear();
        assert_eq!((batch.content().arena.capacity(), batch.is_empty()), (capacity, true));
        batch.put_header(&vec![0; 4 * ARENA_KEPT_OCTETS_MAX]);
        batch.clear();
        assert!(batch.content().arena.capacity() <= ARENA_KEPT_OCTETS_MAX);
    }

    #[test]
    #[should_panic(expected = "more octets sent")]
    fn advancing_too_far_panics() {
        let mut batch = TxBatch::new();
        batch.put_header(b"abc");
        batch.advance(4);
    }
}

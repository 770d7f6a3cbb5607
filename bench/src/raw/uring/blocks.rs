//! The receive buffers: 32 blocks of 64 KiB that the kernel fills receive after receive, and that are sent from.

use std::io;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use super::connection::Piece;
use super::ring::Ring;

const BLOCKS: usize = 32;
const BLOCK_OCTETS: u32 = 64 << 10;

/// Stands for memory that is no block, in a piece.
pub(super) const NO_BLOCK: u16 = BLOCKS as u16;

/// Atomic, because the kernel writes it while this thread may look.
#[repr(C, align(4096))]
struct Block([AtomicU8; BLOCK_OCTETS as usize]);

/// `struct io_uring_buf`; in the first one the last field is the tail of the ring.
#[repr(C)]
#[derive(Default)]
struct Provided {
    address: AtomicU64,
    octets: AtomicU32,
    block: AtomicU16,
    tail: AtomicU16,
}

#[repr(C, align(4096))]
#[derive(Default)]
struct ProvidedRing([Provided; BLOCKS]);

/// Where a block is: with the kernel, held by pieces, or both.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Octets received since it was provided.
    received: u32,
    /// Pieces that lie in it.
    holders: u32,
    provided: bool,
}

/// All blocks and their ring.
pub(super) struct Blocks {
    memory: Box<[Block]>,
    ring: Box<ProvidedRing>,
    tail: u16,
    /// One more than there are blocks: the last stands for [`NO_BLOCK`], which never becomes free.
    places: [Place; BLOCKS + 1],
    /// Neither provided nor held.
    free: Vec<u16>,
    provided_count: usize,
}

impl Blocks {
    /// Makes the blocks and provides all of them.
    ///
    /// # Errors
    /// A kernel that cannot use them so.
    pub(super) fn register(ring: &mut Ring) -> io::Result<Blocks> {
        let block = || Block([const { AtomicU8::new(0) }; BLOCK_OCTETS as usize]);
        let mut blocks = Blocks {
            memory: (0..BLOCKS).map(|_| block()).collect(),
            ring: Box::default(),
            tail: 0,
            places: [Place::default(); BLOCKS + 1],
            free: (0..BLOCKS as u16).collect(),
            provided_count: 0,
        };
        blocks.places[BLOCKS].provided = true;
        ring.register_buffers(&raw const *blocks.ring as u64, BLOCKS as u16)?;
        blocks.provide();
        Ok(blocks)
    }

    /// Where the next `octets` octets that the kernel announces in `block` lie. They are nobody's until
    /// [`Blocks::hold`].
    pub(super) fn received(&mut self, block: u16, octets: u32) -> u64 {
        let place = &mut self.places[usize::from(block)];
        assert!(place.provided, "the kernel received into a block it does not have");
        let address = self.memory[usize::from(block)].0.as_ptr() as u64 + u64::from(place.received);
        place.received += octets;
        if place.received == BLOCK_OCTETS {
            place.provided = false;
            self.provided_count -= 1;
        }
        address
    }

    /// One piece more lies in `block`.
    pub(super) fn hold(&mut self, block: u16) {
        self.places[usize::from(block)].holders += 1;
    }

    /// One piece less.
    pub(super) fn release(&mut self, block: u16) {
        let place = &mut self.places[usize::from(block)];
        place.holders -= 1;
        if place.holders == 0 && !place.provided {
            self.free.push(block);
        }
    }

    /// Gives the free blocks to the kernel.
    pub(super) fn provide(&mut self) {
        if self.free.is_empty() {
            return;
        }
        for block in self.free.drain(..) {
            self.places[usize::from(block)] = Place { received: 0, holders: 0, provided: true };
            let entry = &self.ring.0[usize::from(self.tail) % BLOCKS];
            entry.address.store(self.memory[usize::from(block)].0.as_ptr() as u64, Ordering::Relaxed);
            entry.octets.store(BLOCK_OCTETS, Ordering::Relaxed);
            entry.block.store(block, Ordering::Relaxed);
            self.tail = self.tail.wrapping_add(1);
            self.provided_count += 1;
        }
        // The kernel that sees the tail sees the entries.
        self.ring.0[0].tail.store(self.tail, Ordering::Release);
    }

    /// Blocks the kernel can receive into.
    pub(super) fn provided_count(&self) -> usize {
        self.provided_count
    }

    /// A copy of a piece that was just received.
    pub(super) fn copy(&self, piece: &Piece) -> Vec<u8> {
        let block = &self.memory[usize::from(piece.block)].0;
        let start = (piece.address - block.as_ptr() as u64) as usize;
        block[start..][..piece.octets as usize].iter().map(|octet| octet.load(Ordering::Relaxed)).collect()
    }

    /// Gives the memory up to a kernel that would not let go of it.
    pub(super) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.memory));
        std::mem::forget(std::mem::take(&mut self.ring));
    }
}

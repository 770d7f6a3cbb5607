//! Receive blocks, the slices that keep them, and batches to send.
//!
//! Octets enter user space once, written by the kernel into a block of the shard's [`Pool`]. From there
//! on only [`Slice`]s travel: 16 octets each, counted without atomics. Nothing here knows what the octets
//! mean, and nothing here does I/O.
//!
//! ```text
//!            0                 mark                                block_octets
//!   block    | slice | slice |  | to be written by the next receive |
//!              held: never         not held: only the owner of the
//!              written             block (pool or kernel) writes
//! ```
//!
//! # Rules for `unsafe`
//!
//! Every `unsafe` block of this crate names the rule it relies on.
//!
//! * **U1** A block is in exactly one of: free list, being written (the pool's current block, or lent to a
//!   kernel's buffer ring), held by slices only (retired). While it is written, slices lie below its mark
//!   and writes above it, so written and readable ranges never overlap.
//! * **U2** Memory named by a submitted kernel entry is not moved, freed or written before its last
//!   completion. Pool memory and the arena of a [`TxBatch`] keep their address when pool or batch move.
//! * **U3** Operation slots of a ring never move while an operation is in flight.
//! * **U4** The ring closes before slab, slots and pool are dropped.
//! * **U5** A kernel's `user_data` resolves only if the generation matches.
//! * **U6** Drivers, pools and slices are `!Send`: made, used and dropped on one thread.
//!
//! ```compile_fail
//! fn needs_send<T: Send>() {}
//! needs_send::<colloquy_transport::buf::Slice>(); // U6
//! ```
//! ```compile_fail
//! fn needs_send<T: Send>() {}
//! needs_send::<colloquy_transport::buf::Pool>(); // U6
//! ```
#![allow(unsafe_code)]

mod batch;
mod block;
mod body;
pub mod copies;
mod gather;
mod pool;
mod slice;

pub use batch::{IOVECS_MAX, TxBatch};
pub use body::Body;
pub use gather::Gather;
pub use pool::{BlockId, Pool, PoolConfig, RECEIVE_OCTETS_MIN};
pub use slice::Slice;

/// Bodies from this size on travel by reference, smaller ones are copied beside their header.
/// Measured: iovecs lose to memcpy below about 2 KiB (`bench/examples/concatenate.rs`).
pub const COPY_THRESHOLD_OCTETS: usize = 2048;

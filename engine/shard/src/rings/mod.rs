//! Rings between a shard and other threads, and the doorbell that wakes a sleeping consumer.
//!
//! The one `unsafe` rule of this folder, beside U1 to U6 of the design: **U7** a slot of a ring belongs to
//! the producer from the moment the consumer has moved `head` past it until the producer moves `tail`
//! past it, and to the consumer otherwise. There is one producer and one consumer; neither can be cloned.
#![allow(unsafe_code)]

mod doorbell;
mod spsc;
mod sync;

#[cfg(all(test, feature = "loom"))]
mod loom_tests;

pub use doorbell::Doorbell;
pub use spsc::{Consumer, Producer, PushError, spsc};

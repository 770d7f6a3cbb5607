//! Kernels: the smallest pieces of the engine worth a clock, each through its public path.
//!
//! A kernel is `fn(iterations) -> elapsed`, in CPU time of its thread: it sets up outside the clock, so that criterion
//! (`cargo bench -p colloquy-bench`) and the rows of a comparison measure the same code.
//!
//! * [`codec`]: octets of a DT TPDU in and out. [`machine`]: one SSDU through a session. [`wheel`]: timers.
//! * [`rings`]: items from thread to thread. [`flat`]: a whole shard, for callgrind.

pub mod codec;
pub mod flat;
pub mod machine;
pub mod rings;
pub mod wheel;

use std::time::Duration;

/// A measured piece.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// Short, stable.
    pub id: &'static str,
    /// In words: what one iteration is.
    pub what: &'static str,
    /// Does `iterations` of it and says how long they took, without the setting up.
    pub run: fn(u64) -> Duration,
}

/// All kernels of one thread; those of two threads are in [`rings`].
pub const KERNELS: &[Kernel] = &[
    codec::DECODE,
    codec::DECODE_RECEIPT,
    codec::DECODE_GENERAL,
    codec::DECODE_GENERAL_RECEIPT,
    codec::PARSE,
    codec::ENCODE,
    codec::ENCODE_RECEIVED,
    codec::ENCODE_GENERAL,
    codec::ENCODE_HEADERS,
    machine::DATA,
    wheel::ARM_CANCEL,
    wheel::ARM_EXPIRE,
    rings::SAME_CORE,
];

/// Nanoseconds of one iteration: the time of `iterations` of them, shared out.
pub fn nanoseconds(kernel: &Kernel, iterations: u64) -> f64 {
    (kernel.run)(iterations).as_secs_f64() * 1e9 / iterations.max(1) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each kernel asserts for itself that all its work was done.
    #[test]
    fn every_kernel_does_what_it_is_asked_for() {
        for kernel in KERNELS {
            for iterations in [1, 17, 5_000] {
                assert!((kernel.run)(iterations) > Duration::ZERO, "{}", kernel.id);
            }
            assert!(nanoseconds(kernel, 5_000) > 0.0, "{}", kernel.id);
        }
    }

    #[test]
    fn ids_are_unique() {
        let ids: BTreeSet<_> = KERNELS.iter().map(|kernel| kernel.id).collect();
        assert_eq!(ids.len(), KERNELS.len());
    }
}

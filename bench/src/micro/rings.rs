//! The rings between shards: what an item costs, on one thread and between two pinned ones.

use std::hint::black_box;
use std::sync::Barrier;
use std::task::Waker;
use std::time::{Duration, Instant};

use colloquy_shard::rings::{Doorbell, PushError, spsc};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::Kernel;
use crate::recorder::thread_cpu;

/// Places of a ring.
const PLACES: usize = 1024;
/// An item: what fits a cache line beside nothing else.
type Item = [u64; 8];

/// In and out on one thread.
pub const SAME_CORE: Kernel = Kernel {
    id: "rings-same-core",
    what: "an item of 64 octets pushed, its doorbell looked at, and popped on one thread",
    run: same_core,
};

fn same_core(iterations: u64) -> Duration {
    let (mut producer, mut consumer) = spsc::<Item>(PLACES);
    let doorbell = Doorbell::new(Waker::noop().clone());
    let mut sum = 0;
    let begin = thread_cpu();
    for number in 0..iterations {
        producer.push(black_box([number; 8])).expect("the ring is empty");
        doorbell.ring();
        sum += consumer.pop().map_or(0, |item| black_box(item)[7]);
    }
    let elapsed = thread_cpu() - begin;
    assert_eq!(sum, (0..iterations).sum::<u64>(), "every item came through");
    elapsed
}

/// Items from a thread on core `from` to one on core `to`, published `together` at a time (what a turn of a shard hands
/// over), the doorbell looked at each time; both spin.
///
/// The time is from the first push to the last pop.
///
/// # Errors
/// The system's when a thread cannot be pinned.
pub fn cross_core(items: u64, together: u64, from: usize, to: usize) -> std::io::Result<Duration> {
    let (mut producer, mut consumer) = spsc::<Item>(PLACES);
    let doorbell = Doorbell::new(Waker::noop().clone());
    let begin = Barrier::new(2);
    std::thread::scope(|scope| {
        let push = scope.spawn(|| {
            let pinned = pin(from);
            begin.wait();
            let began = Instant::now();
            for number in 0..items {
                let mut item = [number; 8];
                while let Err(PushError::Full(back)) = producer.stage(item) {
                    item = back;
                    producer.publish();
                    std::hint::spin_loop();
                }
                if (number + 1) % together == 0 {
                    producer.publish();
                    doorbell.ring();
                }
            }
            producer.publish();
            pinned.map(|()| began)
        });
        let pinned = pin(to);
        begin.wait();
        let (mut popped, mut sum) = (0, 0);
        while popped < items {
            match consumer.pop() {
                Some(item) => {
                    popped += 1;
                    sum += black_box(item)[7];
                }
                None => std::hint::spin_loop(),
            }
        }
        let ended = Instant::now();
        assert_eq!(sum, (0..items).sum::<u64>(), "every item came through");
        let began = push.join().expect("the producer does not panic")?;
        pinned?;
        Ok(ended - began)
    })
}

/// Pins the calling thread to a core.
///
/// # Errors
/// The system's, when there is no such core.
pub fn pin(core: usize) -> std::io::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    Ok(sched_setaffinity(None, &cores)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_cross_from_core_to_core() {
        let cores = std::thread::available_parallelism().unwrap().get();
        std::thread::spawn(move || {
            let elapsed = cross_core(10_000, 16, 0, (cores - 1).min(1)).unwrap();
            assert!(elapsed > Duration::from_nanos(10_000), "{elapsed:?}");
        })
        .join()
        .unwrap();
    }
}

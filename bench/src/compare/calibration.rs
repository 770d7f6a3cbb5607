//! A fixed amount of work, timed on both cores: whether the machine was the same from round to round.

use std::hint::black_box;
use std::time::Instant;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

/// Steps of the loop: some milliseconds on a core of these years.
const STEPS: u64 = 4_000_000;

/// What the loop took before a round.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Calibration {
    /// The cell.
    pub cell: String,
    /// Its round, from 0.
    pub round: usize,
    /// Wall time on the core of the server, in nanoseconds.
    pub server_core_ns: u64,
    /// Wall time on the core of the load.
    pub load_core_ns: u64,
}

/// The first two cores this process may use: of the server, and of everything else.
pub(super) fn cores() -> (usize, usize) {
    let Ok(set) = sched_getaffinity(None) else { return (0, 0) };
    let mut mine = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core));
    let first = mine.next().unwrap_or(0);
    (first, mine.next().unwrap_or(first))
}

/// Keeps the calling thread on a core. Where the system refuses, figures are noisier and the record's calibration shows it.
pub(super) fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    let _ = sched_setaffinity(None, &set);
}

/// Times the loop on both cores; the calling thread stays on the second.
pub(super) fn measure(server_core: usize, load_core: usize) -> Calibration {
    let timed = |core| {
        pin(core);
        let start = Instant::now();
        let mut value = black_box(1_u64);
        for _ in 0..STEPS {
            value = value.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            value ^= value >> 29;
        }
        black_box(value);
        u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    };
    let server_core_ns = timed(server_core);
    let load_core_ns = timed(load_core);
    Calibration { server_core_ns, load_core_ns, ..Calibration::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_takes_time_on_both_cores_and_leaves_the_thread_on_the_second() {
        let (server, load) = cores();
        let found = std::thread::spawn(move || {
            let found = measure(server, load);
            let set = sched_getaffinity(None).unwrap();
            assert!(set.is_set(load) && set.count() == 1);
            found
        });
        let found = found.join().unwrap();
        assert!(found.server_core_ns > 100_000 && found.load_core_ns > 100_000, "{found:?}");
    }
}

//! What is measured: a file a row of the target table. Each module names its rows in `rows()`.

mod allocations;
mod coalescing;
mod codec;
mod flatness;
mod grid;
mod latency;
mod load;
mod machine;
mod memory;
mod peers;
mod relay;
mod rings;
mod set_up;
mod shape;
mod shards;
mod system_memory;
mod valgrind;

use super::{Lab, Row};

/// Every row, in the order in which they are measured.
pub fn all() -> Vec<Box<dyn Row<Lab>>> {
    let rows: Vec<Vec<Box<dyn Row<Lab>>>> = vec![
        codec::rows(),
        machine::rows(),
        grid::rows(),
        relay::rows(),
        coalescing::rows(),
        allocations::rows(),
        flatness::rows(),
        memory::rows(),
        set_up::rows(),
        shards::rows(),
        rings::rows(),
        latency::rows(),
        peers::rows(),
    ];
    rows.into_iter().flatten().collect()
}

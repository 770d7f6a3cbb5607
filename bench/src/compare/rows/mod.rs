//! What is measured: a file a row of the target table. Each module names its rows in `rows()`.

mod coalescing;
mod grid;
mod latency;
mod relay;
mod shape;
mod shards;

use super::{Lab, Row};

/// Every row, in the order in which they are measured.
pub fn all() -> Vec<Box<dyn Row<Lab>>> {
    let rows: Vec<Vec<Box<dyn Row<Lab>>>> =
        vec![grid::rows(), relay::rows(), coalescing::rows(), shards::rows(), latency::rows()];
    rows.into_iter().flatten().collect()
}

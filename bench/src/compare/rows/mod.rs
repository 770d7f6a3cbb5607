//! What is measured: a file a row of the target table. Each module names its rows in `rows()`.

use super::{Lab, Row};

/// Every row, in the order in which they are measured.
pub fn all() -> Vec<Box<dyn Row<Lab>>> {
    let rows: Vec<Vec<Box<dyn Row<Lab>>>> = vec![];
    rows.into_iter().flatten().collect()
}

//! `colloquy compare`: Colloquy beside what a user would pick instead, in interleaved pairs.
//!
//! Each row of the target table is a [`Row`]; a [`Lab`] gives it processes, cores and effort, and what it measures is a
//! [`Finding`]. Nothing is decided by a single run: a finding's interval comes from its rounds, and no winner is named
//! when it contains 1.
//!
//! * `lab`: processes, cores, effort, interleaved rounds. `contestant`: who is compared. `process`: what runs on a core.
//! * `run`: one measured window. `statistics`: what rounds say together. `finding`: one line of the result.
//! * `rows`: what is measured, a file a row.

mod calibration;
mod cell;
pub mod contestant;
mod finding;
mod lab;
mod measure;
pub mod ports;
pub mod process;
mod record;
mod row;
pub mod rows;
mod run;
pub mod statistics;
mod table;
mod verb;

pub use calibration::Calibration;
pub use cell::CellPlan;
pub use contestant::{Application, Contestant, Counter, Driver, RawKind, Server};
pub use finding::{Finding, Verdict};
pub use lab::{Lab, LabError, LabPlan};
pub use record::{Beginning, Quiet, Record};
pub use row::{Effort, Row};
pub use run::{CellRuns, Run};
pub use table::table;
pub use verb::{compare, ids, unknown};

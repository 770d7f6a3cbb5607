//! `colloquy compare`: Colloquy beside what a user would pick instead, in interleaved pairs.
//!
//! Each row of the target table is a [`Row`]; a [`Lab`] gives it processes, cores and effort, and what it measures is a
//! [`Finding`]. Nothing is decided by a single run: a finding's interval comes from its rounds, and no winner is named
//! when it contains 1.

mod finding;
mod row;

pub use finding::{Finding, Verdict};
pub use row::{Effort, Row};

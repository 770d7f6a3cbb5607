//! What only the machine can tell of a configuration: certificates, ports, budgets, folders. Looked at, never
//! touched: nothing is bound, opened for writing or connected to.

mod budgets;
mod certificates;
mod folders;
mod ports;
mod system;

use std::time::SystemTime;

use super::diagnostics::Diagnostics;
use super::load::Loaded;

pub use system::System;

impl Loaded {
    /// The warnings of the configuration, and all that certificates, ports, budgets and folders of this machine say
    /// against it.
    pub fn inspect(&self, system: &System) -> Diagnostics {
        let mut diagnostics = self.warnings.clone();
        certificates::check(&self.file, SystemTime::now(), &mut diagnostics);
        ports::check(&self.file, system, &mut diagnostics);
        budgets::check(&self.file, system, &mut diagnostics);
        folders::check(&self.file, &mut diagnostics);
        diagnostics.sort();
        diagnostics
    }
}

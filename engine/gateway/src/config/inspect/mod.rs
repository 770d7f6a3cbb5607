//! What only the machine can tell of a configuration: certificates, ports, budgets, folders. Looked at, never
//! touched: nothing is bound, opened for writing or connected to.

mod budgets;
mod certificates;
mod folders;
mod ports;
mod system;
mod taken;

use std::time::SystemTime;

use super::diagnostics::Diagnostics;
use super::load::Loaded;
use super::read::File;

pub use system::System;

impl Loaded {
    /// The warnings of the configuration, and all that certificates, ports, budgets and folders of this machine say
    /// against it.
    pub fn inspect(&self, system: &System) -> Diagnostics {
        let mut diagnostics = self.warnings.clone();
        certificates(&self.file, &mut diagnostics);
        ports::check(&self.file, system, &mut diagnostics);
        budgets::check(&self.file, system, &mut diagnostics);
        folders::check(&self.file, &mut diagnostics);
        taken::check(&self.file, &mut diagnostics);
        diagnostics.sort();
        diagnostics
    }
}

/// What certificates, keys and revocation lists say against a configuration.
pub(super) fn certificates(file: &File, diagnostics: &mut Diagnostics) {
    certificates::check(file, SystemTime::now(), diagnostics);
}

//! The audit: who has told the gateway to do what, and what it has done by itself, in a file that shows when somebody has
//! changed it.
//!
//! [`chain`] is the format. A record is written and synchronized before the answer to whoever asked goes out. The file may
//! be renamed at any time: the next record finds that the name is free, begins a new file there and goes on with the
//! chain.

pub mod chain;
mod file;
pub(crate) mod refusals;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::Value;

use crate::log::time_text;
use chain::Entry;
use file::AuditFile;
pub use file::OpenError;

/// The audit of a gateway; where none is configured it takes no records.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<Option<AuditFile>>);

impl Audit {
    /// Begins a file, or goes on with one that is there.
    pub(crate) fn open(path: &Path) -> Result<Audit, OpenError> {
        let opened = AuditFile::open(path, &now())?;
        let (seq, path) = (opened.seq(), path.display().to_string());
        match opened.damage() {
            Some(damage) => {
                let kept = opened.kept_aside().map(|path| path.display().to_string());
                tracing::error!(
                    event_id = "CLQ-A07",
                    path,
                    kept,
                    damage,
                    "the audit file was damaged, a new one begins"
                );
            }
            None => tracing::info!(event_id = "CLQ-A06", path, seq, "the audit goes on"),
        }
        Ok(Audit(Mutex::new(Some(opened))))
    }

    /// Writes a record. What cannot be written is logged whole.
    pub(crate) fn note(&self, who: Value, op: &str, arguments: Value, outcome: &str) {
        let mut file = self.file();
        let Some(file) = file.as_mut() else { return };
        let entry = Entry { ts: now(), who, op: op.to_owned(), arguments, outcome: outcome.to_owned() };
        if let Err(error) = file.append(&entry) {
            let (who, arguments) = (entry.who.to_string(), entry.arguments.to_string());
            tracing::error!(event_id = "CLQ-A05", %error, who, op, arguments, outcome, "a record of the audit was lost");
        }
    }

    fn file(&self) -> MutexGuard<'_, Option<AuditFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> String {
    time_text(SystemTime::now())
}

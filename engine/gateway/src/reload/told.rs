//! What is told of the configuration in effect and of the last reload. Beside the configuration itself, which is locked
//! while a reload reads files: who looks at a status does not wait for that.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::{ReloadError, ReloadReport};
use crate::config::{Loaded, LoadedFile};

/// Characters that are kept of why a reload was refused.
const REASON_CHARACTERS_MAX: usize = 500;

/// What is told, each at its moment.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<ConfigTold>);

/// The configuration in effect, and what became of the last attempt to replace it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfigTold {
    /// The files as they were read, in the order in which they were merged; none where there were none.
    pub(crate) files: Vec<LoadedFile>,
    /// SHA-256 of all of them, see [`Loaded::sha256`].
    pub(crate) sha256: Option<String>,
    /// When it was taken.
    pub(crate) loaded_at: Option<SystemTime>,
    /// None: there was no reload.
    pub(crate) last_reload: Option<LastReload>,
}

/// A reload that is over.
#[derive(Clone, Debug)]
pub(crate) struct LastReload {
    pub(crate) at: SystemTime,
    /// Who asked for it.
    pub(crate) by: String,
    /// Why nothing has changed; `None`: it was applied.
    pub(crate) refused: Option<String>,
    /// Keys whose new values wait for a restart.
    pub(crate) needs_restart: Vec<String>,
}

impl Told {
    /// Of a gateway that starts now.
    pub(super) fn new(running: Option<&Loaded>) -> Told {
        let told = ConfigTold {
            files: running.map(|loaded| loaded.files.clone()).unwrap_or_default(),
            sha256: running.and_then(|loaded| loaded.sha256.clone()),
            loaded_at: Some(SystemTime::now()),
            last_reload: None,
        };
        Told(Mutex::new(told))
    }

    fn lock(&self) -> MutexGuard<'_, ConfigTold> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it.
    pub(super) fn get(&self) -> ConfigTold {
        self.lock().clone()
    }

    /// A reload is over.
    pub(super) fn reloaded(&self, result: &Result<ReloadReport, ReloadError>, by: &str) {
        let at = SystemTime::now();
        let mut told = self.lock();
        let needs_restart = match result {
            Ok(report) => {
                told.files.clone_from(&report.new_files);
                told.sha256.clone_from(&report.new_sha256);
                told.loaded_at = Some(at);
                report.needs_restart.iter().map(|change| change.key.clone()).collect()
            }
            Err(_) => Vec::new(),
        };
        let refused = result.as_ref().err().map(reason);
        told.last_reload = Some(LastReload { at, by: by.to_owned(), refused, needs_restart });
    }
}

/// Why, in one line.
fn reason(error: &ReloadError) -> String {
    let text = match error {
        ReloadError::Config(diagnostics) => {
            let mut faults = diagnostics.faults().map(|fault| fault.line_text());
            let first = faults.next().unwrap_or_default();
            match faults.count() {
                0 => first,
                more => format!("{first} (and {more} more)"),
            }
        }
        error => error.to_string().replace('\n', "; "),
    };
    match text.char_indices().nth(REASON_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

//! Reload: the configuration read again while the gateway runs, checked whole, compared, and put in effect.
//!
//! A file with any fault changes nothing. Of one without, what is of class restart stays as it runs and is reported.
//! No connection is touched.

mod told;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::config::{self, Change, Diagnostics, Loaded, LoadedFile};
use crate::log;
use crate::tls::TlsMaterial;
use crate::vitals::Vitals;

pub(crate) use told::{ConfigTold, LastReload};

/// Who asks for a reload.
#[derive(Clone, Debug)]
pub struct Asker {
    /// For the log.
    by: String,
    /// For the audit.
    who: Value,
}

impl Asker {
    /// A signal of this name: the kernel does not tell whose.
    pub fn signal(name: &str) -> Asker {
        Asker { by: name.to_owned(), who: json!({ "signal": name }) }
    }

    /// A caller of the control socket.
    pub(crate) fn caller(name: &str, who: Value) -> Asker {
        Asker { by: format!("{name} over the control socket"), who }
    }
}

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadReport {
    /// Number of the plan that is in effect now.
    pub generation: u64,
    /// Changes that are in effect.
    pub applied: Vec<Change>,
    /// Changes that wait for a restart.
    pub needs_restart: Vec<Change>,
    /// What is suspicious in the configuration, one line each.
    pub warnings: Vec<String>,
    /// The files of the configuration before, with their hashes.
    pub old_files: Vec<LoadedFile>,
    /// The files of the configuration now.
    pub new_files: Vec<LoadedFile>,
    /// SHA-256 of all files of the configuration now, see [`Loaded::sha256`].
    pub new_sha256: Option<String>,
}

/// Why a reload changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The gateway was not started from a file.
    #[error("this gateway was not started from a file: there is nothing to read again")]
    NoSource,
    /// It goes away.
    #[error("the gateway drains: a reload would change nothing for sessions that end")]
    Draining,
    /// The configuration, or a file that a `[[tls]]` table names, has faults: all of them.
    #[error("{0}")]
    Config(Diagnostics),
    /// Threads for TLS handshakes cannot be had.
    #[error("threads for TLS handshakes: {0}")]
    Threads(io::Error),
}

/// Faults that an audit record names; their number is always there.
const AUDITED_FAULTS_MAX: usize = 10;

/// What a gateway keeps for reloads and of them.
#[derive(Debug, Default)]
pub(crate) struct Reloads {
    /// What the plan was built from, with what needs a restart as it runs; locked while a reload is under way.
    running: Mutex<Option<Loaded>>,
    applied: AtomicU64,
    refused: AtomicU64,
    /// In nanoseconds since the epoch; 0: never.
    last_success: AtomicU64,
    told: told::Told,
}

/// Reloads so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadCounts {
    /// That put a configuration in effect.
    pub applied: u64,
    /// That changed nothing.
    pub refused: u64,
    /// When the present configuration was taken, since the epoch.
    pub last_success: Duration,
    /// The last one was applied, or there was none.
    pub last_successful: bool,
}

impl Reloads {
    /// Looks at what is in effect; `None` where the gateway was not started from a file.
    pub(crate) fn with_running<R>(&self, look: impl FnOnce(Option<&Loaded>) -> R) -> R {
        look(self.running.lock().unwrap_or_else(PoisonError::into_inner).as_ref())
    }

    /// Of a gateway that starts.
    pub(crate) fn new(running: Option<Loaded>) -> Reloads {
        let told = told::Told::new(running.as_ref());
        let reloads = Reloads { running: Mutex::new(running), told, ..Reloads::default() };
        reloads.note_success();
        reloads
    }

    /// What is told of the configuration; never waits for a reload.
    pub(crate) fn told(&self) -> ConfigTold {
        self.told.get()
    }

    fn note_success(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_success.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Vitals {
    /// Reads the configuration again and puts it in effect as far as that is possible while the gateway runs. Log and
    /// audit say who has asked. A second reload waits for the first one's end.
    ///
    /// # Errors
    /// [`ReloadError`]; nothing has changed then.
    pub fn reload(&self, asker: &Asker) -> Result<ReloadReport, ReloadError> {
        let by = asker.by.as_str();
        let reloaded = self.try_reload();
        match &reloaded {
            Ok(report) => {
                self.reloads.applied.fetch_add(1, Relaxed);
                self.reloads.note_success();
                tell_reloaded(report, by);
            }
            Err(error) => {
                self.reloads.refused.fetch_add(1, Relaxed);
                tell_refused(error, by);
            }
        }
        self.reloads.told.reloaded(&reloaded, by);
        let (arguments, outcome) = audited(&reloaded, by);
        self.audit.note(asker.who.clone(), "reload", arguments, outcome);
        reloaded
    }

    /// Reloads so far.
    pub fn reload_counts(&self) -> ReloadCounts {
        ReloadCounts {
            applied: self.reloads.applied.load(Relaxed),
            refused: self.reloads.refused.load(Relaxed),
            last_success: Duration::from_nanos(self.reloads.last_success.load(Relaxed)),
            last_successful: self.reloads.told().last_reload.is_none_or(|last| last.refused.is_none()),
        }
    }

    fn try_reload(&self) -> Result<ReloadReport, ReloadError> {
        let mut running = self.reloads.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(old) = running.as_ref() else { return Err(ReloadError::NoSource) };
        if self.is_draining() {
            return Err(ReloadError::Draining);
        }
        let path = old.files.first().map(|file| file.path.clone()).ok_or(ReloadError::NoSource)?;
        let new = config::load(&path).map_err(ReloadError::Config)?;
        let wanted = config::diff(old, &new);
        let warnings = new.warnings.all().iter().map(config::ConfigFault::line_text).collect();
        let kept = config::keep_restart_keys(old, new.clone());
        let (applied, needs_restart) = config::split_changes(wanted, &config::diff(old, &kept));
        // Certificates and revocation lists are read again even where no key has changed.
        let tls = TlsMaterial::load_all(&kept.config)
            .map_err(|faults| ReloadError::Config(new.tls_faults(&faults)))?;
        if let Some(pool) = self.handshakes.upgrade() {
            crate::tls::run_handshakes(&pool, &kept.config).map_err(ReloadError::Threads)?;
        }
        let plan = Arc::new(self.plan().succeed(kept.config.clone()).with_tls(tls));
        log::set_level(kept.config.log.level);
        let report = ReloadReport {
            generation: plan.generation,
            applied,
            needs_restart,
            warnings,
            old_files: old.files.clone(),
            new_files: kept.files.clone(),
            new_sha256: kept.sha256.clone(),
        };
        self.set_plan(plan);
        *running = Some(kept);
        Ok(report)
    }
}

fn tell_reloaded(report: &ReloadReport, by: &str) {
    let applied: Vec<&str> = report.applied.iter().map(|change| change.key.as_str()).collect();
    tracing::info!(
        event_id = "CLQ-G06",
        generation = report.generation,
        by,
        applied = applied.join(", "),
        needs_restart = report.needs_restart.len(),
        old_sha256 = hashes(&report.old_files),
        new_sha256 = hashes(&report.new_files),
        "configuration reloaded"
    );
    for change in &report.needs_restart {
        let Change { key, old, new, .. } = change;
        tracing::warn!(event_id = "CLQ-G08", key, old, new, "this change needs a restart");
    }
    for warning in &report.warnings {
        tracing::warn!(event_id = "CLQ-G06", warning, "the configuration that was reloaded");
    }
}

fn tell_refused(error: &ReloadError, by: &str) {
    let ReloadError::Config(diagnostics) = error else {
        tracing::error!(event_id = "CLQ-G07", by, reason = %error, "configuration not reloaded, nothing changed");
        return;
    };
    let faults = diagnostics.faults().count();
    tracing::error!(event_id = "CLQ-G07", by, faults, "configuration refused, nothing changed");
    for fault in diagnostics.faults() {
        tracing::error!(
            event_id = fault.kind.id(),
            file = fault.place.file,
            line = fault.line(),
            column = fault.column(),
            key = fault.key,
            fault = fault.line_text(),
            "configuration refused for this"
        );
    }
}

/// What the audit keeps of a reload: how it was asked for, what it changed by class, and how many faults were in its way.
fn audited(reloaded: &Result<ReloadReport, ReloadError>, by: &str) -> (Value, &'static str) {
    let files = |files: &[LoadedFile]| -> Vec<Value> {
        files
            .iter()
            .map(|file| json!({ "path": file.path.display().to_string(), "sha256": file.sha256 }))
            .collect()
    };
    let keys =
        |changes: &[Change]| -> Vec<String> { changes.iter().map(|change| change.key.clone()).collect() };
    match reloaded {
        Ok(report) => {
            let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
            for change in report.applied.iter().chain(&report.needs_restart) {
                *classes.entry(change.class.name()).or_default() += 1;
            }
            let arguments = json!({
                "by": by,
                "faults": 0,
                "generation": report.generation,
                "classes": classes,
                "applied": keys(&report.applied),
                "needs_restart": keys(&report.needs_restart),
                "old_files": files(&report.old_files),
                "new_files": files(&report.new_files),
            });
            (arguments, "done")
        }
        Err(ReloadError::Config(diagnostics)) => {
            let faults: Vec<String> =
                diagnostics.faults().take(AUDITED_FAULTS_MAX).map(config::ConfigFault::line_text).collect();
            let count = diagnostics.faults().count();
            (json!({ "by": by, "faults": count, "first_faults": faults }), "config")
        }
        Err(error) => (json!({ "by": by, "faults": 1, "first_faults": [error.to_string()] }), "refused"),
    }
}

fn hashes(files: &[LoadedFile]) -> String {
    files.iter().map(|file| file.sha256.as_str()).collect::<Vec<_>>().join(" ")
}

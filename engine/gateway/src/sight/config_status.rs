//! The configuration in a status report: which one is in effect, since when, and how its last reload ended.

use serde::{Deserialize, Serialize};

use crate::log::time_text;
use crate::reload::{ConfigTold, LastReload};

/// Which configuration is in effect, and how the last reload ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigStatus {
    /// SHA-256 of its files, one behind the other as `cat FILE... | sha256sum` has it; none where there are no files.
    pub sha256: Option<String>,
    /// Its files, in the order in which they were merged.
    pub files: Vec<ConfigFile>,
    /// When it was taken, RFC 3339, UTC.
    pub loaded_at: String,
    /// None: there was no reload.
    pub last_reload: Option<ReloadStatus>,
}

/// A file of the configuration, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigFile {
    /// Where it lies.
    pub path: String,
    /// SHA-256 of its octets, in hex digits.
    pub sha256: String,
}

/// How a reload ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReloadStatus {
    /// When, RFC 3339, UTC.
    pub at: String,
    /// Who asked for it.
    pub by: String,
    /// `applied`, or `refused`: then nothing has changed.
    pub outcome: String,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Keys whose new values wait for a restart.
    pub needs_restart: Vec<String>,
}

impl ConfigStatus {
    /// Digits of the hash that people are shown.
    const SHORT_DIGITS: usize = 12;

    /// Of what a gateway tells.
    pub(super) fn of(told: ConfigTold) -> ConfigStatus {
        let file = |file: crate::config::LoadedFile| ConfigFile {
            path: file.path.display().to_string(),
            sha256: file.sha256,
        };
        ConfigStatus {
            sha256: told.sha256,
            files: told.files.into_iter().map(file).collect(),
            loaded_at: told.loaded_at.map(time_text).unwrap_or_default(),
            last_reload: told.last_reload.map(ReloadStatus::of),
        }
    }

    /// The first digits of the hash; empty where there is none.
    pub fn short_hash(&self) -> &str {
        let hash = self.sha256.as_deref().unwrap_or_default();
        hash.get(..Self::SHORT_DIGITS).unwrap_or(hash)
    }
}

impl ReloadStatus {
    fn of(last: LastReload) -> ReloadStatus {
        ReloadStatus {
            at: time_text(last.at),
            by: last.by,
            outcome: if last.refused.is_none() { "applied" } else { "refused" }.to_owned(),
            reason: last.refused,
            needs_restart: last.needs_restart,
        }
    }

    /// False where nothing has changed.
    pub fn is_applied(&self) -> bool {
        self.outcome == "applied"
    }
}

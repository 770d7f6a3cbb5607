//! `/config.json`: every key of the configuration in effect, its value, and where it comes from.
//!
//! Secrets are in files only, and of those the configuration has no more than the path.

use serde_json::{Value, json};

use crate::config::Loaded;

/// Files and settings as `/config.json` and `colloquy print-config --json` have them.
pub fn json_of(loaded: &Loaded) -> Value {
    let files: Vec<_> =
        loaded.files.iter().map(|file| json!({ "path": file.path, "sha256": file.sha256 })).collect();
    let settings: Vec<_> = loaded
        .effective()
        .iter()
        .map(|setting| {
            json!({
                "table": setting.table,
                "key": setting.key.name,
                "value": setting.value,
                "reload": setting.key.reload.name(),
                "file": setting.place.as_ref().map(|place| &place.file),
                "line": setting.place.as_ref().map(|place| place.line),
            })
        })
        .collect();
    json!({ "files": files, "settings": settings })
}

//! Folders in which files will be made.

use std::path::Path;

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::read::File;

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    for key in ["control_socket", "audit_file"] {
        let Some(path) = file.admin.given_text(key) else { continue };
        let folder = match Path::new(path).parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            diagnostics.warn(
                FaultKind::System,
                file.admin.span(key),
                file.admin.key(key),
                format!("there is no folder {}", folder.display()),
                "a path in a folder that exists when the gateway starts",
                Some("the systemd unit makes /run/colloquy and /var/log/colloquy".to_owned()),
            );
        }
    }
}

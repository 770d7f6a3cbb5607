//! TLS tables and the bindings of certificates.

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::keys::Section;
use super::super::read::File;
use super::{references, unused};

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    for tls in &file.tls {
        if tls.boolean("revocation_required") && !tls.gives("revocation_lists") {
            diagnostics.add(
                FaultKind::Relation,
                tls.span("revocation_required"),
                tls.key("revocation_required"),
                "without revocation_lists: every peer would be refused",
                "revocation_lists, or revocation_required = false",
                None,
            );
        }
        let name = tls.given_text("name");
        let mut users = file.listeners.iter().chain(&file.targets);
        if !users.any(|user| user.given_text("tls") == name) {
            unused(tls, Section::Tls, "a listener or target that names it", diagnostics);
        }
    }
    for binding in &file.bindings {
        references(binding, "tls", Section::Tls, file, diagnostics);
        let Some(name) = binding.given_text("tls") else { continue };
        if !file.listeners.iter().any(|listener| listener.given_text("tls") == Some(name)) {
            diagnostics.warn(
                FaultKind::Unused,
                binding.span("tls"),
                binding.path.clone(),
                format!("no listener uses tls {name:?}: nobody is bound"),
                "a listener that names it",
                None,
            );
        }
    }
}

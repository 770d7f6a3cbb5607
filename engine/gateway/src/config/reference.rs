//! The reference file: every key with its default, range and reload class, written from the key table.

use std::fmt::Write as _;

use super::keys::{Absence, Key, Section};

/// The text of `configs/gateway.toml`.
pub fn reference_file() -> String {
    let mut out = String::new();
    for section in Section::ALL {
        for line in section.doc().lines() {
            let _ = writeln!(out, "# {line}");
        }
        if section == Section::Root {
            out.push_str(HEAD);
        } else if section.is_repeated() {
            let _ = writeln!(out, "[[{}]]", section.name());
        } else {
            let _ = writeln!(out, "[{}]", section.name());
        }
        for key in section.keys() {
            out.push('\n');
            write_key(&mut out, key);
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

const HEAD: &str = "# A key that is commented out has no default: the value shown is an example.
# Reload: live at once, new-sessions for sessions that begin later, restart after a restart.
# This file is written from the key table in engine/gateway/src/config/keys.rs, and a test compares them.
";

fn write_key(out: &mut String, key: &Key) {
    for line in key.doc.lines() {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "# Takes {}. Reload: {}.", key.kind.expected(), key.reload.name());
    let _ = match key.default {
        Absence::Required(example) => {
            writeln!(out, "# Required.\n{} = {example}", key.name)
        }
        Absence::Shown(example) => writeln!(out, "{} = {example}", key.name),
        Absence::Absent(example) => writeln!(out, "# {} = {example}", key.name),
        Absence::Value(value) => writeln!(out, "{} = {value}", key.name),
    };
}

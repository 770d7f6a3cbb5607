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
            let comment = if section.is_optional() { "# " } else { "" };
            let _ = writeln!(out, "{comment}[[{}]]", section.name());
        } else {
            let _ = writeln!(out, "[{}]", section.name());
        }
        for key in section.keys() {
            out.push('\n');
            write_key(&mut out, key, section.is_optional());
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

const HEAD: &str = "# A key that is commented out has no default: the value shown is an example. Tables that are commented out are
# optional.
# Reload: live at once, new-sessions for sessions that begin later, restart after a restart.
# This file is written from the key table in engine/gateway/src/config/key_table, and a test compares them.
";

/// Columns of a line of text.
const COLUMNS: usize = 102;

/// The words of a text in lines.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn write_key(out: &mut String, key: &Key, commented: bool) {
    for line in wrapped(key.doc) {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "# Takes {}. Reload: {}.", key.kind.expected(), key.reload.name());
    let comment = if commented { "# " } else { "" };
    let _ = match key.default {
        Absence::Required(example) => {
            writeln!(out, "# Required.\n{comment}{} = {example}", key.name)
        }
        Absence::Shown(example) => writeln!(out, "{comment}{} = {example}", key.name),
        Absence::Absent(example) => writeln!(out, "# {} = {example}", key.name),
        Absence::Value(value) => writeln!(out, "{comment}{} = {value}", key.name),
    };
}

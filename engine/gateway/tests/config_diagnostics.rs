//! Configuration faults: each with file, line, column, key, expectation and suggestion, all at once.
//!
//! `tests/config/*.toml` are files with faults; beside each stands what the check says about it.
//! `COLLOQUY_BLESS=1` rewrites the expectations.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};

use colloquy_gateway::config::{FaultKind, check_str, load_str};

#[test]
fn every_faulty_file_gets_the_diagnostics_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "the golden files are there");
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let diagnostics = check_str(name, &fs::read_to_string(&file).unwrap())
            .expect_err("a file in tests/config is faulty");
        let golden = file.with_extension("txt");
        let said = diagnostics.to_string();
        if std::env::var_os("COLLOQUY_BLESS").is_some() {
            fs::write(&golden, &said).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(said, expected, "{name}: run with COLLOQUY_BLESS=1 if this is meant");
    }
}

#[test]
fn all_faults_are_reported_at_once_and_in_order() {
    let text = "schema_version = 1\n[engine]\nshard = 2\ndriver = \"uring\"\n[[listener]]\nname = \"a\"\naddress = \"127.0.0.1\"\napplication = \"echo\"\n";
    let diagnostics = check_str("x.toml", text).unwrap_err();
    let seen: Vec<_> = diagnostics
        .faults()
        .map(|fault| (fault.line(), fault.column(), fault.key.as_str(), fault.kind))
        .collect();
    assert_eq!(
        seen,
        [
            (3, 1, "engine.shard", FaultKind::UnknownKey),
            (4, 10, "engine.driver", FaultKind::Range),
            (7, 11, "listener[0].address", FaultKind::Range),
        ]
    );
    assert_eq!(diagnostics.all()[0].suggestion.as_deref(), Some("did you mean `shards`?"));
    assert_eq!(diagnostics.all()[1].suggestion.as_deref(), Some("did you mean \"io_uring\"?"));
    assert_eq!(diagnostics.all()[2].suggestion.as_deref(), Some("add the port: \"127.0.0.1:102\""));
}

#[test]
fn columns_count_characters_and_text_that_is_not_ascii_does_no_harm() {
    let text = "schema_version = 1\n[log]\nformat = \"äöü\" # ß\nlevel = 'x'\n";
    let diagnostics = check_str("x.toml", text).unwrap_err();
    assert!(diagnostics.to_string().contains("x.toml:3:10"), "{diagnostics}");
}

#[test]
fn no_prefix_of_a_good_file_panics() {
    let reference = colloquy_gateway::config::reference_file();
    let text: String =
        reference.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    for end in 0..text.len() {
        let _ = check_str("prefix.toml", &text[..end]);
    }
}

/// Suspicious is not wrong.
#[test]
fn warnings_do_not_refuse_a_configuration() {
    let text = "schema_version = 1\n[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n\
                [[target]]\nname = \"spare\"\naddress = \"127.0.0.1:1\"\n";
    let loaded = load_str("x.toml", text).unwrap_or_else(|faults| panic!("{faults}"));
    let seen: Vec<_> = loaded.warnings.warnings().map(|found| (found.line(), found.key.as_str())).collect();
    assert_eq!(seen, [(7, "target[0]")]);
    assert_eq!(loaded.warnings.faults().count(), 0);
    assert!(loaded.warnings.to_string().starts_with("warning[CLQ-C09]"), "{}", loaded.warnings);
}

//! The manual of events: every id that the sources use has a page, and every page has what an operator needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use colloquy_gateway::manual::{PAGES, title};

/// Lines of a page: enough to act on, few enough to read at night.
const LINES: std::ops::RangeInclusive<usize> = 10..=30;

#[test]
fn every_id_in_the_sources_has_a_page_and_every_page_an_id() {
    let mut used = BTreeSet::new();
    for folder in ["engine", "transport/src", "tools/src"] {
        for file in sources(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).expect("the sources are readable");
            used.extend(ids(outside_tests(&text)));
        }
    }
    assert!(used.len() > 20, "the sources have ids: {used:?}");
    let pages: BTreeSet<String> = PAGES.iter().map(|(id, _)| (*id).to_owned()).collect();
    let without_page: Vec<&String> = used.difference(&pages).collect();
    assert!(without_page.is_empty(), "ids without a page in engine/gateway/src/manual: {without_page:?}");
    let without_use: Vec<&String> = pages.difference(&used).collect();
    assert!(without_use.is_empty(), "pages of ids that no source has: {without_use:?}");
}

#[test]
fn every_page_says_meaning_cause_and_action() {
    for (id, text) in PAGES {
        assert!(text.starts_with(&format!("# {id}: ")) && !title(text).is_empty(), "{id}: the first line");
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, ["## Meaning", "## Cause", "## Action"], "{id}");
        for section in text.split("\n## ").skip(1) {
            let (heading, body) = section.split_once('\n').unwrap_or((section, ""));
            assert!(body.trim().len() >= 4, "{id}: {heading} is empty");
        }
        assert!(LINES.contains(&text.lines().count()), "{id} has {} lines", text.lines().count());
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Rust files below a folder, without those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "tests" | "target" | "examples") {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}

/// A file without the tests at its end.
fn outside_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// Ids as texts: `"CLQ-` and a letter and two digits.
fn ids(text: &str) -> Vec<String> {
    let of = |rest: &str| -> Option<String> {
        let octets = rest.as_bytes();
        let is_id = octets.first()?.is_ascii_uppercase()
            && octets.get(1..3)?.iter().all(u8::is_ascii_digit)
            && *octets.get(3)? == b'"';
        is_id.then(|| format!("CLQ-{}", &rest[..3]))
    };
    text.split("\"CLQ-").skip(1).filter_map(of).collect()
}

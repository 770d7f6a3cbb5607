//! Holds the tree to its own rules: layout, dependency direction, `unsafe` budget, file sizes, wording.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `unsafe` is allowed below these folders only (ARCHITECTURE.md, `unsafe`).
const UNSAFE_FOLDERS: [&str; 4] =
    ["transport/src/buf/", "transport/src/driver/uring/", "engine/shard/src/rings/", "bench/src/raw/uring/"];
const UNSAFE_BLOCKS_MAX: usize = 30;
/// The raw io_uring echo that we measure ourselves against shares no code with what it judges, so it has a budget
/// of its own.
const BASELINE_FOLDER: &str = "bench/src/raw/uring/";
const BASELINE_BLOCKS_MAX: usize = 8;
/// Lines of a source file; state tables are data and may be long.
const FILE_LINES_MAX: usize = 600;
const DATA_FOLDERS: [&str; 1] = ["engine/session/src/machine/tables/"];

/// Which crate may depend on which of ours: the graph of ARCHITECTURE.md.
const GRAPH: [(&str, &[&str]); 6] = [
    ("colloquy-session", &[]),
    ("colloquy-transport", &[]),
    ("colloquy-shard", &["colloquy-session", "colloquy-transport"]),
    ("colloquy-gateway", &["colloquy-session", "colloquy-transport", "colloquy-shard"]),
    ("colloquy-bench", &["colloquy-session", "colloquy-transport", "colloquy-shard"]),
    (
        "colloquy",
        &["colloquy-session", "colloquy-transport", "colloquy-shard", "colloquy-gateway", "colloquy-bench"],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tools/ lies in the workspace").to_path_buf()
}

/// Files git would commit, with `/` separators, relative to the root.
fn tracked_files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git ls-files failed");
    let names = String::from_utf8(output.stdout).expect("file names are UTF-8");
    names.lines().filter(|name| root().join(name).is_file()).map(str::to_owned).collect()
}

fn sources() -> impl Iterator<Item = (String, String)> {
    tracked_files().into_iter().filter(|name| name.ends_with(".rs")).map(|name| {
        let text = fs::read_to_string(root().join(&name)).expect("a source file is readable UTF-8");
        (name, text)
    })
}

#[test]
fn the_rooms_are_where_the_architecture_says() {
    for path in [
        "engine/session/src/lib.rs",
        "engine/session/src/machine/tables",
        "engine/shard/src/lib.rs",
        "engine/gateway/src/lib.rs",
        "transport/src/driver/uring",
        "transport/src/driver/mio",
        "transport/src/driver/sim",
        "transport/src/buf",
        "bench/src/lib.rs",
        "tools/src/main.rs",
        "configs/gateway.toml",
        "README.md",
        "ARCHITECTURE.md",
        "CONFORMANCE.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
    ] {
        assert!(root().join(path).exists(), "{path} is missing");
    }
}

#[test]
fn crates_depend_in_one_direction() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let allowed: BTreeMap<&str, &[&str]> = GRAPH.into_iter().collect();
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    assert_eq!(names, allowed.keys().copied().collect(), "crates of the workspace");
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let on = dependency["name"].as_str().expect("a dependency has a name");
            if names.contains(on) {
                assert!(allowed[name].contains(&on), "{name} must not depend on {on}");
            }
        }
    }
}

/// Lines of code that open an `unsafe` block or declare an unsafe impl or fn.
fn unsafe_lines(text: &str) -> Vec<usize> {
    let opens = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        !code.contains("unsafe_code")
            && !code.contains("unsafe_op_in_unsafe_fn")
            && code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
    };
    text.lines().enumerate().filter(|(_, line)| opens(line)).map(|(index, _)| index + 1).collect()
}

#[test]
fn unsafe_stays_in_its_folders_and_within_budget() {
    let (mut count, mut of_baseline) = (0, 0);
    for (name, text) in sources().filter(|(name, _)| name != "tools/tests/tidy.rs") {
        let lines = unsafe_lines(&text);
        // A counting allocator for tests is an unsafe impl by nature; it is not in any shipped crate.
        if name.contains("/tests/") {
            continue;
        }
        let allowed = UNSAFE_FOLDERS.iter().any(|folder| name.starts_with(folder));
        assert!(allowed || lines.is_empty(), "{name}: unsafe in line {lines:?}");
        for line in &lines {
            let above = text.lines().take(*line).collect::<Vec<_>>();
            let near = &above[above.len().saturating_sub(8)..];
            assert!(
                near.iter().any(|text| text.contains("SAFETY: U") || text.contains("# Safety")),
                "{name}:{line}: names no rule (SAFETY: U...)"
            );
        }
        *(if name.starts_with(BASELINE_FOLDER) { &mut of_baseline } else { &mut count }) += lines.len();
    }
    assert!(
        of_baseline <= BASELINE_BLOCKS_MAX,
        "{of_baseline} in the baseline, the budget is {BASELINE_BLOCKS_MAX}"
    );
    assert!(count <= UNSAFE_BLOCKS_MAX, "{count} uses of unsafe, the budget is {UNSAFE_BLOCKS_MAX}");
}

#[test]
fn files_are_small() {
    let mut long = Vec::new();
    for (name, text) in sources() {
        let data = DATA_FOLDERS.iter().any(|folder| name.starts_with(folder));
        if !data && text.lines().count() > FILE_LINES_MAX {
            long.push(format!("{name}: {} lines", text.lines().count()));
        }
    }
    assert!(long.is_empty(), "over {FILE_LINES_MAX} lines, look for the seam: {long:#?}");
}

#[test]
fn modules_say_what_they_are() {
    for (name, text) in sources() {
        assert!(text.starts_with("//!"), "{name}: the first line says what the module is (//! ...)");
    }
}

#[test]
fn no_file_names_this_machine_or_leaves_work_unsaid() {
    // Split so that this file does not find itself.
    let forbidden = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["todo", "!("],
        ["unimplemented", "!("],
        ["FIX", "ME"],
        ["dbg", "!("],
    ];
    let mut found = Vec::new();
    for name in tracked_files() {
        let Ok(text) = fs::read_to_string(root().join(&name)) else { continue };
        if name.ends_with("Cargo.lock") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            for word in forbidden.iter().map(|parts| parts.concat()) {
                if line.contains(&word) {
                    found.push(format!("{name}:{}: {word}", index + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_test_sleeps_and_no_test_is_ignored() {
    let sleep = ["thread::", "sleep"].concat();
    let ignore = ["#[", "ignore"].concat();
    for (name, text) in sources() {
        for (index, line) in text.lines().enumerate() {
            let said =
                text.lines().nth(index.saturating_sub(1)).is_some_and(|above| above.contains("// Polls"));
            assert!(
                !line.contains(&sleep) || said,
                "{name}:{}: sleeps, and says not what it polls",
                index + 1
            );
            assert!(!line.contains(&ignore), "{name}:{}: an ignored test", index + 1);
        }
    }
}

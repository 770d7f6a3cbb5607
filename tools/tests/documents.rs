//! The documents say what is there: files that they name exist, and verbs and flags of the commands that they show do.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders of the tree that documents name paths of.
const FOLDERS: [&str; 7] = ["bench/", "configs/", "engine/", "fuzz/", "packaging/", "tools/", "transport/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Files that git has or would take, relative to the root.
fn tracked() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "git ls-files failed");
    let names = String::from_utf8(output.stdout).unwrap();
    names.lines().filter(|name| root().join(name).is_file()).map(str::to_owned).collect()
}

/// Every Markdown file, with its text. Records of measurements say what was true when they were made.
fn documents() -> Vec<(String, String)> {
    let names =
        tracked().into_iter().filter(|name| name.ends_with(".md") && !name.starts_with("bench/results/2"));
    let found: Vec<_> =
        names.map(|name| (name.clone(), fs::read_to_string(root().join(name)).unwrap())).collect();
    assert!(found.len() > 20, "only {} documents", found.len());
    found
}

/// The texts between single backticks, outside of blocks of code.
fn quoted(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// The lines of blocks of code that are not in a language of their own.
fn shown(text: &str) -> Vec<String> {
    let blocks = text.split("```").skip(1).step_by(2);
    let shell =
        blocks.filter_map(|block| block.split_once('\n')).filter(|(tag, _)| ["", "sh"].contains(&tag.trim()));
    shell.flat_map(|(_, lines)| lines.lines()).map(str::to_owned).collect()
}

/// `a/{b,c}` as `a/b` and `a/c`.
fn alternatives(path: &str) -> Vec<String> {
    match path
        .split_once('{')
        .and_then(|(front, rest)| rest.split_once('}').map(|(list, end)| (front, list, end)))
    {
        Some((front, list, end)) => list.split(',').map(|each| format!("{front}{each}{end}")).collect(),
        None => vec![path.to_owned()],
    }
}

/// Whether `path` names files of the tree: as it is, as their common beginning before `*`, or, as test programs are
/// named, without `.rs`.
fn names_something(path: &str, files: &[String]) -> bool {
    let path = path.trim_end_matches('/');
    if let Some((front, _)) = path.split_once('*') {
        return files.iter().any(|file| file.starts_with(front));
    }
    files.iter().any(|file| {
        file == path || file.strip_suffix(".rs") == Some(path) || file.starts_with(&format!("{path}/"))
    })
}

#[test]
fn links_lead_to_files() {
    let mut broken = Vec::new();
    for (name, text) in documents() {
        let folder = root().join(&name).parent().unwrap().to_path_buf();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let path = link.split('#').next().unwrap();
            if !path.is_empty() && !path.contains("://") && !folder.join(path).exists() {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn paths_that_are_named_exist() {
    let files = tracked();
    let (mut missing, mut count) = (Vec::new(), 0);
    for (name, text) in documents() {
        // The inner tables of a document may name paths from its own folder.
        let own = name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        for word in quoted(&text).iter().chain(&shown(&text)).flat_map(|code| code.split(' ')) {
            let word = word.trim_matches(|c: char| "()[],;:'\"".contains(c));
            let Some(folder) = FOLDERS.iter().find(|folder| word.starts_with(**folder)) else { continue };
            // What a build or a run makes.
            if word.starts_with("bench/results/today") || word.len() == folder.len() + 1 {
                continue;
            }
            count += 1;
            let found = |path: &String| {
                names_something(path, &files) || names_something(&format!("{own}{path}"), &files)
            };
            if !alternatives(word).iter().all(found) {
                missing.push(format!("{name}: {word}"));
            }
        }
    }
    assert!(count > 60, "only {count} paths found");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Test programs, tests, metrics and keys that a document names by one word stand in some source.
#[test]
fn names_in_the_documents_stand_in_the_sources() {
    let sources: String = tracked()
        .iter()
        .filter(|name| !name.ends_with(".md") && !name.ends_with(".lock"))
        .map(|name| format!("{name}\n{}\n", fs::read_to_string(root().join(name)).unwrap_or_default()))
        .collect();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let known: BTreeSet<&str> = sources.split(|c| !is_part(c)).filter(|word| word.contains('_')).collect();
    let (mut missing, mut count) = (Vec::new(), 0);
    for (name, text) in documents() {
        for code in quoted(&text) {
            let word = code.trim_end_matches("()").trim_end_matches('*');
            if !word.contains('_')
                || !word.starts_with(|c: char| c.is_ascii_lowercase())
                || !word.chars().all(is_part)
            {
                continue;
            }
            count += 1;
            let cut = code.ends_with('*');
            // A series of a histogram or a counter has an ending that its registration has not.
            let stem = ["_total", "_bucket", "_count", "_sum", "_info", "_seconds", "_bytes"];
            let stems = stem.iter().filter_map(|end| word.strip_suffix(end));
            let is_known = known.contains(word)
                || stems.clone().any(|stem| {
                    known.contains(stem)
                        || stem.strip_prefix("colloquy_").is_some_and(|it| known.contains(it))
                })
                || word
                    .strip_prefix("colloquy_")
                    .is_some_and(|rest| known.contains(rest) || sources.contains(&format!("\"{rest}\"")))
                || cut && known.iter().any(|each| each.starts_with(word));
            if !is_known {
                missing.push(format!("{name}: {code}"));
            }
        }
    }
    assert!(count > 40, "only {count} names found");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// What `colloquy WORDS --help` prints, if there is such a verb.
fn help(words: &[&str]) -> Option<String> {
    let long = if words == ["load"] { "--help-all" } else { "--help" };
    let output = Command::new(env!("CARGO_BIN_EXE_colloquy")).args(words).arg(long).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Commands that begin with the program's name, each as its words.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = shown(text).into_iter().flat_map(|line| {
        let line = line.split(" #").next().unwrap().replace("target/release/", "");
        line.replace("&&", "|").split(['|', ';']).map(|part| part.trim().to_owned()).collect::<Vec<_>>()
    });
    lines
        .chain(quoted(text))
        .filter_map(|line| line.strip_prefix("colloquy ").map(str::to_owned))
        .map(|line| {
            line.split_whitespace()
                .map(|word| word.trim_matches(|c| "()[]'\"".contains(c)).to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn verbs_and_flags_that_are_shown_exist() {
    let mut helps: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut of = |words: &[&str]| helps.entry(words.join(" ")).or_insert_with(|| help(words)).clone();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (name, text) in documents() {
        for words in commands(&text) {
            let verb = words[0].as_str();
            // A comparison calls its contestants by program and driver.
            if !verb.starts_with(|c: char| c.is_ascii_lowercase()) || ["io_uring", "mio"].contains(&verb) {
                continue;
            }
            count += 1;
            let shown = format!("{name}: colloquy {}", words.join(" "));
            let Some(mut text) = of(&[verb]) else {
                wrong.push(format!("{shown}: no verb {verb}"));
                continue;
            };
            if text.contains("\nCommands:\n")
                && let Some(second) = words.get(1).filter(|word| !word.starts_with('-'))
            {
                for each in second.split('/') {
                    match of(&[verb, each]) {
                        Some(more) => text += &more,
                        None => wrong.push(format!("{shown}: no {verb} {each}")),
                    }
                }
            }
            for flag in words.iter().filter(|word| word.starts_with("--") && word.len() > 2) {
                let flag = flag.split('=').next().unwrap();
                if !text.split(|c: char| c.is_whitespace() || ",`".contains(c)).any(|word| word == flag) {
                    wrong.push(format!("{shown}: no {flag}"));
                }
            }
        }
    }
    assert!(count > 60, "only {count} commands found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

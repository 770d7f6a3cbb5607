//! `colloquy compare`: that it measures what it says and says what it could not measure. Never how fast anything is.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn colloquy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.arg("compare").args(arguments);
    command
}

fn output(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("colloquy runs");
    let text = |octets| String::from_utf8(octets).expect("output is UTF-8");
    (status.code().expect("it ends by itself"), text(stdout), text(stderr))
}

fn rows(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("no rows ({error}): {text}"))
}

/// The keys that programs read, in every row.
fn check_keys(row: &Value) {
    assert!(row["id"].is_string() && row["what"].is_string(), "{row}");
    assert!(row["target"].is_number(), "{row}");
    for key in ["ratio", "low", "high", "reached"] {
        assert!(row.get(key).is_some(), "{key} is missing: {row}");
    }
}

#[test]
fn system_calls_are_counted_in_every_round_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments =
        ["--quick", "--only", "calls-1-64", "--rounds", "3", "--seconds", "0.1", "--json", "--out"];
    let (status, said, progress) = output(colloquy(&arguments).arg(&out));
    let rows = rows(&said);
    assert_eq!(status, 0, "{said}{progress}");
    assert_eq!(rows.len(), 1, "{said}");
    let row = &rows[0];
    check_keys(row);
    assert_eq!(row["id"], "calls-1-64");
    assert_eq!(row["unit"], "calls per SSDU");
    let [value, low, high] = ["ratio", "low", "high"].map(|key| row[key].as_f64().unwrap());
    assert!(low <= value && value <= high && value > 0.0, "{row}");
    assert_eq!(row["reached"].as_bool(), Some(value <= row["target"].as_f64().unwrap()));
    assert!(progress.contains("round 3/3"), "{progress}");
    check_record(&out);
}

fn check_record(folder: &Path) {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the record has it");
    let record: Value = serde_json::from_str(&read("result.json")).expect("the record has it");
    assert_eq!(record["rounds"], 3);
    assert!(record["environment"]["kernel"].is_string() && record["quiet"]["quiet"].is_boolean());
    assert_eq!(record["calibrations"].as_array().map(Vec::len), Some(3));
    assert_eq!(record["findings"][0]["raw"].as_array().map(Vec::len), Some(3));
    let runs: Vec<Value> = read("raw.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("the record has it"))
        .collect();
    assert_eq!(runs.len(), 3);
    for (round, run) in runs.iter().enumerate() {
        assert_eq!(run["round"], round);
        assert_eq!((&run["cell"], &run["contestant"]), (&"64x64x1".into(), &"colloquy io_uring".into()));
        assert!(
            run["ssdus"].as_u64().expect("the record has it") > 0
                && run["server_cpu_s"].as_f64().expect("the record has it") > 0.0,
            "{run}"
        );
        assert_eq!((&run["lost"], &run["closed_by_peer"]), (&0.into(), &0.into()), "{run}");
    }
}

#[test]
fn an_echo_row_is_a_paired_ratio_of_two_contestants() {
    let arguments = ["--quick", "--only", "echo-1-64x64", "--rounds", "3", "--seconds", "0.05", "--json"];
    let (status, said, progress) = output(&mut colloquy(&arguments));
    assert_eq!(status, 0, "{said}{progress}");
    let rows = rows(&said);
    assert_eq!(rows.len(), 1, "{said}");
    check_keys(&rows[0]);
    assert_eq!(rows[0]["unit"], "x");
    assert!(rows[0]["ratio"].as_f64().unwrap() > 0.0);
    // Neither side is named when the interval contains 1.
    let [low, high] = ["low", "high"].map(|key| rows[0][key].as_f64().unwrap());
    assert_eq!(rows[0]["decided"].as_bool(), Some(low > 1.0 || high < 1.0));
}

#[test]
fn proxies_that_are_not_installed_are_skipped_with_the_way_to_get_them() {
    let relay = ["--quick", "--only", "relay-haproxy-64x1", "--rounds", "1", "--seconds", "0.05", "--json"];
    // What a comparison itself needs, and nothing else.
    let folder = tempfile::tempdir().unwrap();
    let taskset = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("taskset"))
        .find(|file| file.is_file())
        .expect("taskset is installed");
    std::os::unix::fs::symlink(taskset, folder.path().join("taskset")).unwrap();
    let (status, said, progress) = output(colloquy(&relay).env("PATH", folder.path()));
    assert_eq!(status, 0, "a contestant that is not there is no failure: {said}{progress}");
    let rows = rows(&said);
    check_keys(&rows[0]);
    assert!(rows[0]["reached"].is_null() && rows[0]["ratio"].is_null(), "{said}");
    assert!(rows[0]["remark"].as_str().unwrap().contains("apt-get install haproxy"), "{said}");
}

#[test]
fn an_unknown_row_is_bad_usage_that_lists_the_known_ones() {
    let (status, said, fault) = output(&mut colloquy(&["--only", "relai"]));
    assert_eq!((status, said.as_str()), (2, ""));
    let (_, list, _) = output(&mut colloquy(&["--list"]));
    for id in list.lines() {
        assert!(fault.contains(id), "{id} is not in {fault}");
    }
    assert!(list.lines().any(|id| id == "relay-haproxy-64x1"), "{list}");
}

#[test]
fn a_program_that_is_no_gateway_makes_rows_fail_and_is_quoted() {
    let program =
        ["--binary", "/bin/false", "--only", "calls-1-64", "--rounds", "1", "--seconds", "0.05", "--json"];
    let (status, said, _) = output(&mut colloquy(&program));
    assert_eq!(status, 1, "{said}");
    let rows = rows(&said);
    assert_eq!(rows[0]["failed"], true);
    assert!(rows[0]["remark"].as_str().unwrap().contains("colloquy io_uring"), "{said}");
}

//! `colloquy table` from outside: every row once, in three forms, and what it says to wrong names.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

use std::process::{Command, Output};

use colloquy_session::machine::{Action, Event, Predicate, tables};

fn table(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_colloquy")).arg("table").args(arguments).output().unwrap()
}

fn shown(arguments: &[&str]) -> String {
    let output = table(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn json_has_each_row_of_the_machine_once() {
    let text = shown(&["--format", "json"]);
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), tables::rows().count());
    for (shown, row) in rows.iter().zip(tables::rows()) {
        assert_eq!(shown["event"], row.event.name());
        assert_eq!(shown["state"], row.state.name());
        assert_eq!(shown["next"], row.next.name());
        assert_eq!(shown["outputs"].as_array().unwrap().len(), row.outputs.len());
    }
    let with = shown(&["--format", "json", "--symmetric"]).lines().count();
    assert_eq!(with, rows.len() + tables::symmetric().rows.len());
}

#[test]
fn markdown_is_selected_by_state_event_and_table() {
    let text = shown(&["--state", "sta04a", "--event", "MAA"]);
    let cell = tables::cell(colloquy_session::State::Sta04A, Event::Maa);
    assert_eq!(text.lines().filter(|line| line.starts_with("| MAA | STA04A |")).count(), cell.len());
    assert!(text.ends_with(&format!(
        "{} rows. A blank cell is an invalid intersection. `*`: not confirmed by two sources.\n",
        cell.len()
    )));
    let release = shown(&["--table", "release"]);
    let rows = tables::tables().iter().find(|table| table.name == "release").unwrap().rows.len();
    assert_eq!(release.lines().filter(|line| line.starts_with("| ")).count(), rows + 1);
}

#[test]
fn the_legend_names_everything_the_rows_use() {
    let text = shown(&["--legend"]);
    for name in Predicate::ALL
        .iter()
        .map(|predicate| predicate.name())
        .chain(Action::ALL.iter().map(|action| action.name()))
    {
        assert!(text.contains(&format!("| {name} |")), "{name}");
    }
}

#[test]
fn dot_has_an_edge_for_each_pair_of_states() {
    let text = shown(&["--format", "dot", "--table", "release"]);
    assert!(text.starts_with("digraph session {") && text.ends_with("}\n"));
    assert!(text.contains("\"STA713\" -> \"STA03\" [label=\"SRELreq"), "{text}");
    assert!(!text.contains("\"STA713\" -> \"STA713\""));
}

#[test]
fn a_wrong_name_is_named() {
    for (arguments, said) in [
        (["--state", "99"], "there is no state 99"),
        (["--event", "HELLO"], "there is no event HELLO"),
        (["--table", "weather"], "none of the tables has that name"),
    ] {
        let output = table(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(said));
    }
}

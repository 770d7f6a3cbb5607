//! The tables as a graph: states, and one edge for all that leads from one to another.

use std::collections::BTreeMap;
use std::fmt::Write;

use colloquy_session::State;
use colloquy_session::machine::tables::{Row, Table};

use super::{Selection, guard, list};

/// Lines of text that an edge may have; what is more is counted.
const LINES_MAX: usize = 12;

/// A directed graph for graphviz. Transitions that leave the state as it is are left out.
pub(super) fn graph(selection: &Selection, tables: &[&Table]) -> String {
    let mut edges: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for row in tables.iter().flat_map(|table| selection.rows(table)) {
        if row.state != row.next {
            edges.entry((row.state as usize, row.next as usize)).or_default().push(label(row));
        }
    }
    let mut text = String::from(
        "digraph session {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=Helvetica];\n  edge [fontname=Helvetica, fontsize=9];\n",
    );
    let mut states: Vec<usize> = edges.keys().flat_map(|(from, to)| [*from, *to]).collect();
    states.sort_unstable();
    states.dedup();
    for state in states {
        let state = State::ALL[state];
        writeln!(text, "  \"{}\" [tooltip=\"{}\"];", state.name(), escaped(state.text()))
            .expect("a string takes all");
    }
    for ((from, to), labels) in edges {
        let (from, to) = (State::ALL[from].name(), State::ALL[to].name());
        writeln!(text, "  \"{from}\" -> \"{to}\" [label=\"{}\"];", joined(&labels))
            .expect("a string takes all");
    }
    text.push_str("}\n");
    text
}

fn label(row: &Row) -> String {
    let mut label = row.event.name().to_owned();
    if !row.guard.is_empty() {
        write!(label, " [{}]", guard(row)).expect("a string takes all");
    }
    if !row.outputs.is_empty() {
        write!(label, " / {}", list(row.outputs.iter().map(|output| output.name())))
            .expect("a string takes all");
    }
    escaped(&label)
}

fn joined(labels: &[String]) -> String {
    let mut text = labels.iter().take(LINES_MAX).map(String::as_str).collect::<Vec<_>>().join("\\l");
    if labels.len() > LINES_MAX {
        write!(text, "\\l... and {} more", labels.len() - LINES_MAX).expect("a string takes all");
    }
    text.push_str("\\l");
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

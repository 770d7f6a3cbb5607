//! What was found out about a responder, as text and JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// One finding: what was asked, and what is known now.
struct Finding {
    /// Stable name in JSON.
    name: &'static str,
    /// For people.
    title: &'static str,
    text: String,
    value: Value,
}

/// All findings, in the order they were made.
#[derive(Default)]
pub(super) struct Findings {
    findings: Vec<Finding>,
}

impl Findings {
    /// Adds a finding whose text says it all.
    pub(super) fn text(&mut self, name: &'static str, title: &'static str, text: impl Into<String>) {
        let text = text.into();
        let value = Value::String(text.clone());
        self.findings.push(Finding { name, title, text, value });
    }

    /// Adds a finding with a value for programs.
    pub(super) fn value(
        &mut self,
        name: &'static str,
        title: &'static str,
        text: impl Into<String>,
        value: Value,
    ) {
        self.findings.push(Finding { name, title, text: text.into(), value });
    }

    /// A line for each finding.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for Finding { title, text: found, .. } in &self.findings {
            writeln!(text, "{title:<28} {found}").expect("a string takes all");
        }
        text
    }

    /// One object.
    pub(super) fn to_json(&self, address: &str, speaks: bool) -> String {
        let mut object = Map::new();
        object.insert("address".to_owned(), json!(address));
        object.insert("speaks_x225".to_owned(), json!(speaks));
        for Finding { name, value, .. } in &self.findings {
            object.insert((*name).to_owned(), value.clone());
        }
        format!("{}\n", Value::Object(object))
    }
}

/// A time as people read it.
pub(super) fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

//! The Grafana board and the alert rules ask for nothing that there is not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::gateway::Gateway;
use crate::openmetrics::Family;
use crate::peer::Peer;
use crate::process::root;

fn read(name: &str) -> String {
    let path = root().join("configs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Words of an expression that begin like our metrics.
fn metrics_in(expression: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c| !word(c));
    let ours = |name: &&str| name.starts_with("colloquy_") || name.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

/// Each `label=` or `label=~` of a selector with its metric.
fn labels_in(expression: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in expression.match_indices("colloquy_") {
        let rest = &expression[at..];
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        if let Some(inside) = rest[name.len()..].strip_prefix('{') {
            let selector = inside.split_once('}').expect("a selector ends").0;
            for part in selector.split(',') {
                let label: String =
                    part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                found.push((name.clone(), label));
            }
        }
    }
    found
}

fn expressions_of_board(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(expression)) = members.get("expr") {
                found.push(expression.clone());
            }
            members.values().for_each(|value| expressions_of_board(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| expressions_of_board(value, found)),
        _ => {}
    }
}

/// The rules of the file: one mapping each, from `- alert:` to the next. The file is written so, and YAML needs no library
/// for that.
fn rules(text: &str) -> Vec<String> {
    text.split("      - alert: ").skip(1).map(str::to_owned).collect()
}

fn known(families: &[Family]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for family in families {
        match family.kind.as_str() {
            "counter" => names.insert(format!("{}_total", family.name)),
            "histogram" => ["_bucket", "_sum", "_count"]
                .iter()
                .all(|suffix| names.insert(format!("{}{suffix}", family.name))),
            _ => names.insert(family.name.clone()),
        };
    }
    names
}

#[test]
fn board_and_rules_ask_for_metrics_that_exist() {
    let (gateway, echo, relay) = Gateway::echo_and_relay("mio", 1);
    for to in [echo, relay] {
        let mut peer = Peer::session(to);
        peer.echo(&[1; 10]);
        peer.release();
    }
    gateway.wait_until_idle();
    let families = gateway.metrics();
    let known = known(&families);
    let board: Value = serde_json::from_str(&read("grafana/colloquy.json")).expect("the board is JSON");
    let mut expressions = Vec::new();
    expressions_of_board(&board, &mut expressions);
    let rules = rules(&read("alerts.yml"));
    assert!(expressions.len() >= 20 && rules.len() >= 10, "{} and {}", expressions.len(), rules.len());
    expressions.extend(rules.iter().map(|rule| {
        let expression = rule.split_once("expr: ").expect("a rule has an expression").1;
        expression.split_once("\n        for:").expect("a rule waits").0.to_owned()
    }));
    for expression in &expressions {
        for name in metrics_in(expression) {
            assert!(known.contains(&name), "{name} of {expression} does not exist");
        }
        for (name, label) in labels_in(expression) {
            let samples = families.iter().flat_map(|family| &family.samples).filter(|each| each.name == name);
            let mut samples = samples.peekable();
            // A family without samples yet has no labels to look at.
            let empty = samples.peek().is_none();
            let environment = ["instance", "job"].contains(&label.as_str());
            let has = samples.any(|sample| sample.label(&label).is_some());
            assert!(empty || environment || has, "{name} has no label {label}: {expression}");
        }
    }
    gateway.finish();
}

#[test]
fn every_rule_says_what_is_wrong_and_which_page_helps() {
    for rule in rules(&read("alerts.yml")) {
        let name = rule.lines().next().unwrap_or_default();
        for needed in ["expr: ", "for: ", "severity: ", "summary: ", "description: ", "manual: "] {
            assert!(rule.contains(needed), "{name} lacks {needed}");
        }
        let page = rule.split_once("manual: ").expect("looked at").1.lines().next().unwrap_or_default();
        let id = page.trim_matches(['"', ' ']);
        let file = root().join("engine/gateway/src/manual").join(format!("{id}.md"));
        assert!(id.starts_with("CLQ-") && file.exists(), "{name}: {} is missing", file.display());
    }
}

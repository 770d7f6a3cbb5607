//! `colloquy sessions explain`: the gateway's explanation, laid out for a reader.

use serde_json::{Map, Value};

use crate::control::table::terminal_width;

/// Columns where there is no terminal.
const WIDTH: usize = 100;

/// The text.
pub(super) fn text(answer: &Map<String, Value>) -> String {
    let width = terminal_width().unwrap_or(WIDTH);
    let mut out = String::new();
    for (place, leg) in answer.get("legs").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let title = if place == 0 { "Session" } else { "\nThe other leg: session" };
        out.push_str(&format!("{title} {}\n", leg["session"].as_str().unwrap_or_default()));
        for fact in texts(&leg["facts"]) {
            out.push_str(&wrapped(&fact, "  ", width));
        }
        let quiet = leg["quiet_seconds"].as_f64().unwrap_or_default();
        let waits = format!("Waits for {}.", leg["waits_for"].as_str().unwrap_or_default());
        out.push_str(&wrapped(&waits, "  ", width));
        out.push_str(&wrapped(&format!("Nothing but data has come for {quiet:.1} s."), "  ", width));
        for next in texts(&leg["next"]) {
            out.push_str(&wrapped(&next, "  ", width));
        }
        let events = texts(&leg["events"]);
        if !events.is_empty() {
            out.push_str("  Lately:\n");
        }
        for event in events {
            out.push_str(&wrapped(&event, "    ", width));
        }
    }
    out
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Broken between words; what goes on is indented further.
fn wrapped(text: &str, indent: &str, width: usize) -> String {
    let mut out = String::new();
    let mut line = indent.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            out.push_str(&line);
            out.push('\n');
            line = format!("{indent}  ");
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three four", "  ", 12), "  one two\n    three\n    four\n");
        assert_eq!(wrapped("unbreakable-and-long", "  ", 8), "  unbreakable-and-long\n");
    }
}

//! Words, numbers and tables of a page.

use serde_json::Value;

/// The text with everything replaced that means something in HTML.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A time with a unit that fits it, to three digits.
pub fn time_of_us(us: f64) -> String {
    if !us.is_finite() {
        return "–".into();
    }
    match us.abs() {
        at if at >= 999_500.0 => format!("{} s", digits(us / 1e6)),
        at if at >= 999.5 => format!("{} ms", digits(us / 1e3)),
        at if at < 0.9995 && at > 0.0 => format!("{} ns", digits(us * 1e3)),
        _ => format!("{} µs", digits(us)),
    }
}

/// A number to three digits; whole ones from 100 on, in groups of three.
pub fn digits(number: f64) -> String {
    if !number.is_finite() {
        return "–".into();
    }
    match number.abs() {
        at if at >= 99.95 => grouped(number.round()),
        at if at >= 9.995 => trimmed(format!("{number:.1}")),
        at if at >= 0.9995 => trimmed(format!("{number:.2}")),
        0.0 => "0".into(),
        at if at >= 0.0005 => trimmed(format!("{number:.3}")),
        _ => format!("{number:.1e}"),
    }
}

fn trimmed(number: String) -> String {
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A whole number in groups of three, parted by spaces that do not break.
fn grouped(number: f64) -> String {
    let plain = format!("{:.0}", number.abs());
    let mut text = String::new();
    if number < 0.0 {
        text.push('-');
    }
    for (place, digit) in plain.chars().enumerate() {
        if place > 0 && (plain.len() - place) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A count as a number of a record.
pub fn count_of(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".into(), |number| grouped(number.round()))
}

/// A table whose first column is text and whose others are as their heads say.
#[derive(Debug, Default)]
pub(super) struct Table {
    heads: String,
    rows: String,
}

impl Table {
    /// Heads as text; the first column is aligned left, others right unless their head begins with `<`.
    pub(super) fn new(heads: &[&str]) -> Table {
        let heads = heads
            .iter()
            .enumerate()
            .map(|(place, head)| {
                let (left, head) = head.strip_prefix('<').map_or((place == 0, *head), |head| (true, head));
                format!("<th scope=\"col\"{}>{}</th>", class_of(left), escape(head))
            })
            .collect();
        Table { heads, rows: String::new() }
    }

    /// A row of cells that are HTML already; those that begin with `<` sort of text say so by `left`.
    pub(super) fn row(&mut self, left: &[usize], cells: &[String]) {
        self.rows.push_str("<tr>");
        for (place, cell) in cells.iter().enumerate() {
            let tag = if place == 0 { "th scope=\"row\"" } else { "td" };
            let end = if place == 0 { "th" } else { "td" };
            let class = class_of(place == 0 || left.contains(&place));
            self.rows.push_str(&format!("<{tag}{class}>{cell}</{end}>"));
        }
        self.rows.push_str("</tr>\n");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table in a box of its own that scrolls sideways where the window is narrow.
    pub(super) fn html(&self) -> String {
        format!(
            "<div class=\"wide\" tabindex=\"0\"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n",
            self.heads, self.rows
        )
    }
}

fn class_of(left: bool) -> &'static str {
    if left { " class=\"l\"" } else { "" }
}

/// The leaves of a record as a list of names and values, nested names joined by dots.
pub(super) fn listing(value: &Value) -> String {
    let mut rows = Vec::new();
    leaves("", value, &mut rows);
    let rows: String = rows
        .iter()
        .map(|(name, text)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(text)))
        .collect();
    format!("<dl>{rows}</dl>\n")
}

fn leaves(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                leaves(&name, value, rows);
            }
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            rows.push((name.to_owned(), if items.is_empty() { "–".into() } else { items.join(", ") }));
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                leaves(&format!("{name}[{place}]"), item, rows);
            }
        }
        leaf => rows.push((name.to_owned(), plain(leaf))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::String(text) if text.is_empty() => "(empty)".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_unit_that_fits() {
        let us = [0.0, 0.25, 1.0, 12.34, 999.4, 999.6, 1234.5, 999_600.0, 61_000_000.0, f64::NAN];
        let told = us.map(time_of_us);
        assert_eq!(
            told,
            ["0 µs", "250 ns", "1 µs", "12.3 µs", "999 µs", "1 ms", "1.23 ms", "1 s", "61 s", "–"]
        );
        assert_eq!(digits(1_234_567.0), "1\u{202f}234\u{202f}567");
        assert_eq!(digits(-1234.0), "-1\u{202f}234");
        assert_eq!(digits(0.0421), "0.042");
    }

    #[test]
    fn what_means_something_in_html_is_escaped() {
        assert_eq!(escape("<a href='x'>\"&\""), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;");
        let list = listing(&serde_json::json!({"<b>": {"x": ["<i>", 1]}, "e": []}));
        assert!(list.contains("<dt>&lt;b&gt;.x</dt><dd>&lt;i&gt;, 1</dd>"), "{list}");
    }
}

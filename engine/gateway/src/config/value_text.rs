//! Values as a configuration writes them.

use super::keys::{Key, Kind};
use super::quantity::{duration_text, size_text};
use super::values::Value;

/// The TOML of a key's value.
pub(super) fn value_text(key: &Key, value: &Value) -> String {
    match value {
        Value::Integer(number) if matches!(key.kind, Kind::Size { .. }) && *number >= 1 << 10 => {
            quoted(&size_text(*number))
        }
        Value::Integer(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Text(text) => quoted(text),
        Value::Texts(texts) => list(texts.iter().map(|text| quoted(text))),
        Value::Numbers(numbers) => list(numbers.iter().map(u64::to_string)),
        Value::Selector(octets) => selector(octets),
        Value::Selectors(all) => list(all.iter().map(|octets| selector(octets))),
        Value::Address(address) => quoted(&address.to_string()),
        Value::Duration(time) => quoted(&duration_text(*time)),
        Value::Networks(networks) => list(networks.iter().map(|network| quoted(&network.to_string()))),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// Letters, digits and marks as they are, anything else in hex digits.
fn selector(octets: &[u8]) -> String {
    if !octets.is_empty() && octets.iter().all(u8::is_ascii_graphic) {
        return quoted(&format!("ascii:{}", String::from_utf8_lossy(octets)));
    }
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    quoted(&format!("0x{hex}"))
}

/// A basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::keys::all;
    use super::super::values::literal;
    use super::*;
    use crate::config::keys::Absence;

    /// What is written is read as the same value.
    #[test]
    fn every_example_survives_being_written_and_read() {
        for key in all() {
            let (Absence::Required(text)
            | Absence::Value(text)
            | Absence::Absent(text)
            | Absence::Shown(text)) = key.default;
            let value = literal(key, text).expect("examples are valid");
            let written = value_text(key, &value);
            assert_eq!(literal(key, &written), Some(value), "{}: {text} became {written}", key.name);
        }
    }

    #[test]
    fn marks_and_control_characters_are_escaped() {
        assert_eq!(selector(b""), "\"0x\"");
        assert_eq!(selector(b"\x00\x01"), "\"0x0001\"");
        assert_eq!(selector(b"ICCP"), "\"ascii:ICCP\"");
        let key = all().find(|key| key.name == "tls_server_name").expect("it is there");
        let odd = Value::Text("a\"b\\c\nd".to_owned());
        assert_eq!(literal(key, &value_text(key, &odd)), Some(odd));
    }
}

//! The JSON schema of a configuration file, written from the key table, for editors and for other programs.

use serde_json::{Map, Value as Json, json};

use super::keys::{Absence, Key, Kind, Section};
use super::quantity::{duration_text, size_text};

/// A text of octets with a unit.
const SIZE: &str = "^[0-9]+ *(B|KiB|MiB|GiB|TiB)$";
/// A time with its unit.
const DURATION: &str = "^[0-9]+ *(us|ms|s|min|h|d)$";
/// A name.
const NAME: &str = "^[A-Za-z0-9._-]{1,64}$";
/// IP address and port.
const ADDRESS: &str = "^([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$";
/// IP network.
const NETWORK: &str = "^[0-9A-Fa-f:.]+/[0-9]{1,3}$";
/// Whose certificate.
const CERTIFICATE: &str = "^(dns:.+|cn:.+|sha256:(:*[0-9A-Fa-f]){64}:*)$";
/// Who is at the control socket.
const PRINCIPAL: &str = "^(any|user:.+|group:.+|uid:[0-9]+|gid:[0-9]+)$";
/// Octets of a path at most.
const PATH_OCTETS_MAX: u64 = 4096;

/// The schema of one file, in JSON Schema 2020-12. Every key has its description, default, `x-reload` (`live`,
/// `new-sessions`, `restart`) and, where it has one, `x-unit` and `x-range`.
pub fn schema() -> Json {
    let mut properties = Map::new();
    for section in Section::ALL {
        if section == Section::Root {
            properties.extend(section.keys().map(|key| (key.name.to_owned(), key_schema(key))));
        } else {
            properties.insert(section.name().to_owned(), section_schema(section));
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Colloquy gateway configuration",
        "description": "One file of the configuration of `colloquy gateway`, or one of its conf.d folder.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// As [`schema`], in the form of `configs/gateway.schema.json`.
pub fn schema_text() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).expect("JSON of strings and numbers");
    text.push('\n');
    text
}

fn section_schema(section: Section) -> Json {
    let properties: Map<String, Json> =
        section.keys().map(|key| (key.name.to_owned(), key_schema(key))).collect();
    let required: Vec<&str> = section
        .keys()
        .filter(|key| matches!(key.default, Absence::Required(_)))
        .map(|key| key.name)
        .collect();
    let table = json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    });
    if section.is_repeated() {
        json!({ "description": section.doc(), "type": "array", "items": table })
    } else {
        let Json::Object(mut table) = table else { unreachable!("it is an object") };
        table.insert("description".to_owned(), section.doc().into());
        Json::Object(table)
    }
}

fn key_schema(key: &Key) -> Json {
    let Json::Object(mut schema) = kind_schema(key.kind) else { unreachable!("a schema is an object") };
    let doc = key.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    schema.insert("description".to_owned(), doc.into());
    let (name, text) = match key.default {
        Absence::Value(text) => ("default", text),
        Absence::Required(text) | Absence::Absent(text) | Absence::Shown(text) => ("examples", text),
    };
    let value = json_of(text);
    schema.insert(name.to_owned(), if name == "examples" { json!([value]) } else { value });
    schema.insert("x-reload".to_owned(), key.reload.name().into());
    let (unit, range) = match key.kind {
        Kind::Size { min, max, .. } => (Some("octets"), Some((size_text(min), size_text(max)))),
        Kind::Duration { min, max, .. } => (Some("time"), Some((duration_text(min), duration_text(max)))),
        _ => (None, None),
    };
    if let Some(unit) = unit {
        schema.insert("x-unit".to_owned(), unit.into());
    }
    if let Some((min, max)) = range {
        schema.insert("x-range".to_owned(), json!([min, max]));
    }
    Json::Object(schema)
}

/// A literal of the key table.
fn json_of(text: &str) -> Json {
    let table: toml::Table = format!("value = {text}").parse().expect("the key table's literals are TOML");
    serde_json::to_value(&table["value"]).expect("TOML without dates is JSON")
}

fn kind_schema(kind: Kind) -> Json {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let list = |items: Json| json!({ "type": "array", "minItems": 1, "items": items });
    let filled = |octets_max: u64| json!({ "type": "string", "minLength": 1, "maxLength": octets_max });
    match kind {
        Kind::Integer { min, max, or_zero } => number(min, max, or_zero),
        Kind::PowerOfTwo { min, max } => {
            let powers: Vec<u64> =
                (0..63).map(|power| 1 << power).filter(|value| (min..=max).contains(value)).collect();
            json!({ "anyOf": [{ "enum": powers }, text(SIZE)] })
        }
        Kind::Size { min, max, or_zero } => json!({ "anyOf": [number(min, max, or_zero), text(SIZE)] }),
        Kind::Duration { .. } => text(DURATION),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Name => text(NAME),
        Kind::Names => list(text(NAME)),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Choices(words) => list(json!({ "enum": words })),
        Kind::Numbers { min, max } => list(number(min, max, false)),
        Kind::Selector { octets_max } => text(&selector(octets_max)),
        Kind::Selectors { octets_max } => list(text(&selector(octets_max))),
        Kind::Address => text(ADDRESS),
        Kind::Networks => list(text(NETWORK)),
        Kind::Path => filled(PATH_OCTETS_MAX),
        Kind::Paths => list(filled(PATH_OCTETS_MAX)),
        Kind::Text { octets_max } => filled(octets_max as u64),
        Kind::Certificate => text(CERTIFICATE),
        Kind::Certificates => list(text(CERTIFICATE)),
        Kind::Principals => list(text(PRINCIPAL)),
    }
}

fn number(min: u64, max: u64, or_zero: bool) -> Json {
    let range = json!({ "type": "integer", "minimum": min, "maximum": max });
    if or_zero && min > 0 { json!({ "anyOf": [{ "const": 0 }, range] }) } else { range }
}

fn selector(octets_max: usize) -> String {
    format!("^(0x([0-9A-Fa-f]{{2}}){{0,{octets_max}}}|ascii:[ -~]{{0,{octets_max}}})$")
}

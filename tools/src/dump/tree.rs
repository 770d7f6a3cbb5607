//! A named value with parts: the common form of TPKT, TPDU and SPDU in the output.

use serde_json::{Map, Value, json};

/// One line of the tree, and what is under it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    /// What it is, in the standard's words.
    pub(crate) name: String,
    /// What its code is a code of, where the text names it: PGI or PI.
    pub(crate) unit: Option<&'static str>,
    /// Its code on the wire: TPDU code, SI, PGI or PI.
    pub(crate) code: Option<u8>,
    /// Offset of its code in the TSDU.
    pub(crate) offset: Option<usize>,
    /// Its value in words.
    pub(crate) value: Option<String>,
    /// Its value as octets.
    pub(crate) octets: Option<Vec<u8>>,
    /// Set when it is a fault.
    pub(crate) fault: bool,
    /// Its parts.
    pub(crate) parts: Vec<Node>,
}

/// Octets of a value shown on one line of text; the rest is counted. JSON has all of them.
const OCTETS_SHOWN_MAX: usize = 32;

/// The name of parameters whose code nobody knows.
const NAMELESS: &str = "unknown";

impl Node {
    /// A node without a value.
    pub(crate) fn new(name: impl Into<String>) -> Node {
        Node { name: name.into(), ..Node::default() }
    }

    /// A node with a value.
    pub(crate) fn with(name: impl Into<String>, value: impl ToString) -> Node {
        Node { name: name.into(), value: Some(value.to_string()), ..Node::default() }
    }

    /// A node with octets.
    pub(crate) fn octets(name: impl Into<String>, octets: &[u8]) -> Node {
        Node { name: name.into(), octets: Some(octets.to_vec()), ..Node::default() }
    }

    /// The same with its code on the wire.
    pub(crate) fn coded(self, code: u8) -> Node {
        Node { code: Some(code), ..self }
    }

    /// A fault.
    pub(crate) fn fault(what: impl ToString) -> Node {
        Node { name: "fault".into(), value: Some(what.to_string()), fault: true, ..Node::default() }
    }

    /// Adds a part.
    pub(crate) fn push(&mut self, part: Node) {
        self.parts.push(part);
    }

    /// True when it is a fault or holds one.
    pub(crate) fn has_fault(&self) -> bool {
        self.fault || self.parts.iter().any(Node::has_fault)
    }

    /// Appends the lines of the tree, `depth` levels in.
    pub(crate) fn write_text(&self, depth: usize, out: &mut String) {
        for _ in 0..depth {
            out.push_str("  ");
        }
        out.push_str(if self.fault { "! " } else { "" });
        match (self.unit, self.code) {
            (Some(unit), Some(code)) if self.name == NAMELESS => out.push_str(&format!("{unit} {code}")),
            (Some(unit), Some(code)) => out.push_str(&format!("{unit} {code} {}", self.name)),
            _ => out.push_str(&self.name),
        }
        if let Some(value) = &self.value {
            out.push_str(": ");
            out.push_str(value);
        }
        match &self.octets {
            Some(octets) if octets.is_empty() => {}
            Some(octets) if self.value.is_some() => out.push_str(&format!(" [{}]", shown(octets))),
            // The octets of a group are those of its parts.
            Some(octets) if self.parts.is_empty() => out.push_str(&format!(": {}", shown(octets))),
            _ => {}
        }
        out.push('\n');
        for part in &self.parts {
            part.write_text(depth + 1, out);
        }
    }

    /// The tree as a JSON object.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".into(), json!(self.name));
        if let Some(unit) = self.unit {
            object.insert("unit".into(), json!(unit));
        }
        if let Some(code) = self.code {
            object.insert("code".into(), json!(code));
        }
        if let Some(offset) = self.offset {
            object.insert("offset".into(), json!(offset));
        }
        if let Some(value) = &self.value {
            object.insert("value".into(), json!(value));
        }
        if let Some(octets) = &self.octets {
            object.insert("octets".into(), json!(hex(octets)));
        }
        if self.fault {
            object.insert("fault".into(), json!(true));
        }
        if !self.parts.is_empty() {
            object.insert("parts".into(), self.parts.iter().map(Node::to_json).collect());
        }
        Value::Object(object)
    }
}

/// Octets as hex digits, as many as one line holds.
fn shown(octets: &[u8]) -> String {
    let digits = hex(&octets[..octets.len().min(OCTETS_SHOWN_MAX)]);
    match octets.len() > OCTETS_SHOWN_MAX {
        true => format!("{digits}... ({} octets)", octets.len()),
        false => digits,
    }
}

/// Octets as hex digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

//! Vectors: text files of octets and what they mean, read by the codec tests.
//!
//! A vector is a block of lines; blank lines separate vectors.
//!
//! ```text
//! # what it is about
//! @ strict v1 extended expedited      rules and flow, if not the default ones
//! 01 00 01 00 a1*3                    octets in hex; xx*n is n times the same octet
//! > 01 00                             what the SPDUs encode to, if not to the same octets
//! = GT {} / DT {} + 3                 the tree, on one line or more; `! ...` is an error
//! ```

// Each test is a crate of its own and uses its part of this module.
#![allow(dead_code)]

use colloquy_session::Versions;
use colloquy_session::spdu::{DecodeError, DecodeRules, Flow, Spdu, SpduView, Tsdu};

/// The vector files, in the order of the clauses.
const FILES: [(&str, &str); 16] = [
    ("connect", include_str!("../vectors/connect.txt")),
    ("release", include_str!("../vectors/release.txt")),
    ("abort", include_str!("../vectors/abort.txt")),
    ("data", include_str!("../vectors/data.txt")),
    ("token", include_str!("../vectors/token.txt")),
    ("sync", include_str!("../vectors/sync.txt")),
    ("resynchronize", include_str!("../vectors/resynchronize.txt")),
    ("exception", include_str!("../vectors/exception.txt")),
    ("activity", include_str!("../vectors/activity.txt")),
    ("examples", include_str!("../vectors/examples.txt")),
    ("concatenation", include_str!("../vectors/concatenation.txt")),
    ("segments", include_str!("../vectors/segments.txt")),
    ("tolerance", include_str!("../vectors/tolerance.txt")),
    ("limits", include_str!("../vectors/limits.txt")),
    ("user_data", include_str!("../vectors/user_data.txt")),
    ("combinations", include_str!("../vectors/combinations.txt")),
];

/// One vector.
pub(crate) struct Vector {
    /// File, line and first comment.
    pub(crate) name: String,
    /// The TSDU.
    pub(crate) octets: Vec<u8>,
    /// The rules it is decoded with.
    pub(crate) rules: DecodeRules,
    /// The flow it came on.
    pub(crate) flow: Flow,
    /// What its SPDUs encode to.
    pub(crate) encoded: Vec<u8>,
    /// The tree as text.
    pub(crate) tree: String,
}

impl Vector {
    /// True when the tree has an error in it.
    pub(crate) fn is_faulty(&self) -> bool {
        self.tree.contains('!')
    }
}

/// All vectors of all files.
pub(crate) fn vectors() -> Vec<Vector> {
    FILES.iter().flat_map(|(file, text)| parse_file(file, text)).collect()
}

/// The vectors of UNIT DATA, which are no TSDUs of the connection-oriented protocol.
pub(crate) fn unit_data_vectors() -> Vec<Vector> {
    parse_file("unit_data", include_str!("../vectors/unit_data.txt"))
}

fn parse_file(file: &str, text: &str) -> Vec<Vector> {
    let mut vectors = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    let mut first_line = 1;
    for (index, line) in text.lines().chain([""]).enumerate() {
        if !line.trim().is_empty() {
            block.push(line);
            continue;
        }
        if block.iter().any(|line| line.starts_with('=')) {
            vectors.push(parse_block(&format!("{file}.txt:{first_line}"), &block));
        }
        block.clear();
        first_line = index + 2;
    }
    vectors
}

fn parse_block(place: &str, block: &[&str]) -> Vector {
    let lines = |prefix: char| block.iter().filter_map(move |line| line.strip_prefix(prefix));
    let flags: Vec<&str> = lines('@').flat_map(str::split_whitespace).collect();
    let is_octets = |line: &&&str| line.starts_with(|first: char| first.is_ascii_hexdigit());
    let octets: Vec<u8> = block.iter().filter(is_octets).flat_map(|line| parse_hex(line)).collect();
    let encoded: Vec<u8> = lines('>').flat_map(parse_hex).collect();
    for flag in &flags {
        assert!(["strict", "v1", "v2", "extended", "expedited"].contains(flag), "{place}: {flag}?");
    }
    let version = match (flags.contains(&"v1"), flags.contains(&"v2")) {
        (true, _) => Some(Versions::V1),
        (_, true) => Some(Versions::V2),
        _ => None,
    };
    Vector {
        name: format!("{place}:{}", lines('#').next().unwrap_or_default()),
        rules: DecodeRules {
            strict: flags.contains(&"strict"),
            extended_concatenation: flags.contains(&"extended"),
            version,
        },
        flow: if flags.contains(&"expedited") { Flow::Expedited } else { Flow::Normal },
        encoded: if encoded.is_empty() { octets.clone() } else { encoded },
        octets,
        tree: lines('=').map(str::trim).collect::<Vec<_>>().join(" "),
    }
}

/// Octets from hex digits; `xx*n` repeats one.
pub(crate) fn parse_hex(line: &str) -> Vec<u8> {
    let octets = line.split('#').next().unwrap_or_default();
    let parse = |token: &str| {
        let (octet, count) = token.split_once('*').unwrap_or((token, "1"));
        let octet = u8::from_str_radix(octet, 16).unwrap();
        core::iter::repeat_n(octet, count.parse().unwrap())
    };
    octets.split_whitespace().flat_map(parse).collect()
}

/// The TSDU on its flow.
pub(crate) fn tsdu(octets: &[u8], flow: Flow) -> Tsdu<'_> {
    match flow {
        Flow::Normal => Tsdu::new(octets),
        Flow::Expedited => Tsdu::expedited(octets),
    }
}

/// Takes a TSDU apart; stops at the first fault.
pub(crate) fn decode<'a>(
    mut tsdu: Tsdu<'a>,
    rules: &DecodeRules,
) -> Result<Vec<(SpduView<'a>, Spdu<'a>)>, DecodeError> {
    let mut spdus = Vec::new();
    while let Some(view) = tsdu.next_spdu(rules)? {
        spdus.push((view, view.parse(rules)?));
    }
    Ok(spdus)
}

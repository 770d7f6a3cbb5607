//! The chain: a line for each record, each with the hash of the one before.
//!
//! ```text
//! {"seq":7,"ts":"2026-11-22T09:00:00.000Z","prev":"<hash of line 6>","who":null,"op":"start",...,"hash":"<hash>"}
//! ```
//!
//! A line's hash is SHA-256 over all its octets in front of `,"hash":`. A file begins with a record `audit.begin`, so that
//! lines missing in front are noticed; those that are missing at the end show in the last number and hash only, which
//! somebody has to keep elsewhere.

use std::fmt::Write as _;
use std::io::{self, BufRead};

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Operation of the first record of a file.
pub const BEGIN: &str = "audit.begin";
/// Longest line that is taken for a record.
const LINE_OCTETS_MAX: usize = 1 << 20;
/// In front of a line's hash.
const HASH_KEY: &str = ",\"hash\":\"";
/// Behind it.
const HASH_END: &str = "\"}";

/// Where a chain stands: the number and the hash of its last record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub seq: u64,
    /// Its hash, 64 hex digits.
    pub hash: String,
}

impl Head {
    /// Of a chain without records.
    pub fn start() -> Head {
        Head { seq: 0, hash: "0".repeat(64) }
    }
}

/// What a record says, beside its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, RFC 3339.
    pub ts: String,
    /// Who: `null` for the gateway itself.
    pub who: Value,
    /// What was asked for or has happened.
    pub op: String,
    /// With which arguments.
    pub arguments: Value,
    /// What became of it.
    pub outcome: String,
}

impl Entry {
    /// The line that follows a head, with its line end, and the head then.
    pub fn line(&self, head: &Head) -> (String, Head) {
        let seq = head.seq + 1;
        let members = [
            ("seq", json!(seq)),
            ("ts", json!(self.ts)),
            ("prev", json!(head.hash)),
            ("who", self.who.clone()),
            ("op", json!(self.op)),
            ("arguments", self.arguments.clone()),
            ("outcome", json!(self.outcome)),
        ];
        let mut line = String::from("{");
        for (place, (name, value)) in members.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(line, "{comma}\"{name}\":{value}");
        }
        let hash = hash_of(line.as_bytes());
        let _ = write!(line, "{HASH_KEY}{hash}{HASH_END}");
        line.push('\n');
        (line, Head { seq, hash })
    }
}

fn hash_of(octets: &[u8]) -> String {
    let mut hex = String::new();
    for octet in digest(&SHA256, octets).as_ref() {
        let _ = write!(hex, "{octet:02x}");
    }
    hex
}

/// What is wrong with a chain, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, octet {offset}: {what}")]
pub struct Broken {
    /// Line, from 1.
    pub line: u64,
    /// Octet of the file at which the line begins.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

/// Why a chain could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is broken.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A chain that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records.
    pub records: u64,
    /// Number of the first one.
    pub first_seq: u64,
    /// Hash that the first one continues; zeros: none.
    pub continues: String,
    /// The last one.
    pub head: Head,
}

#[derive(Deserialize)]
struct Links {
    seq: u64,
    prev: String,
    op: String,
}

/// Verifies a whole file.
///
/// # Errors
/// [`VerifyError::Broken`] at the first line that is not what was written, or does not follow the one before.
pub fn verify(mut file: impl BufRead) -> Result<Verified, VerifyError> {
    let mut verified: Option<Verified> = None;
    let (mut number, mut offset) = (0, 0);
    loop {
        let mut line = Vec::new();
        let read = io::Read::take(&mut file, LINE_OCTETS_MAX as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        number += 1;
        let broken = |what: String| Broken { line: number, offset, what };
        let (links, hash) = record(&line).map_err(|what| broken(what.to_owned()))?;
        match &mut verified {
            None if links.op != BEGIN => {
                let what = format!(
                    "the file begins with record {}, and not with {BEGIN}: lines are missing in front",
                    links.seq
                );
                return Err(broken(what).into());
            }
            None => {
                let head = Head { seq: links.seq, hash };
                verified = Some(Verified { records: 1, first_seq: links.seq, continues: links.prev, head });
            }
            Some(known) => {
                let expected = known.head.seq + 1;
                if links.seq != expected {
                    return Err(broken(format!("record {} where {expected} follows", links.seq)).into());
                }
                if links.prev != known.head.hash {
                    let what = format!("record {} does not follow the one in front of it", links.seq);
                    return Err(broken(what).into());
                }
                known.records += 1;
                known.head = Head { seq: links.seq, hash };
            }
        }
        offset += read as u64;
    }
    verified.ok_or_else(|| Broken { line: 1, offset: 0, what: "the file has no records".to_owned() }.into())
}

/// Checks one line by itself.
fn record(line: &[u8]) -> Result<(Links, String), &'static str> {
    let line =
        line.strip_suffix(b"\n").ok_or("the line has no end: it was cut, or is longer than any record")?;
    let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let body_and_hash = text.strip_suffix(HASH_END).and_then(|text| text.rsplit_once(HASH_KEY));
    let (body, hash) = body_and_hash.ok_or("the line does not end with a hash")?;
    if hash_of(body.as_bytes()) != hash {
        return Err("the hash does not fit: the line was changed");
    }
    let members: Map<String, Value> =
        serde_json::from_str(&format!("{body}}}")).map_err(|_| "the line is no JSON object")?;
    let links =
        serde_json::from_value(Value::Object(members)).map_err(|_| "the line lacks seq, prev or op")?;
    Ok((links, hash.to_owned()))
}

/// Where a file's chain stands, by its last line; `None`: it is empty.
///
/// # Errors
/// What is wrong with the last line.
pub(crate) fn head_of_tail(tail: &[u8]) -> Result<Option<Head>, &'static str> {
    if tail.is_empty() {
        return Ok(None);
    }
    let body = tail.strip_suffix(b"\n").ok_or("its last line was cut")?;
    let begin = body.iter().rposition(|octet| *octet == b'\n').map_or(0, |place| place + 1);
    let (links, hash) = record(&tail[begin..])?;
    Ok(Some(Head { seq: links.seq, hash }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(op: &str) -> Entry {
        Entry {
            ts: "2026-11-22T09:00:00.000Z".into(),
            who: json!({ "uid": 0, "level": "admin" }),
            op: op.into(),
            arguments: json!({ "target": "a \"b\"\n" }),
            outcome: "done".into(),
        }
    }

    fn file(records: usize) -> Vec<u8> {
        let (mut octets, mut head) = (Vec::new(), Head::start());
        for record in 0..records {
            let (line, next) = entry(if record == 0 { BEGIN } else { "targets.set" }).line(&head);
            octets.extend(line.into_bytes());
            head = next;
        }
        octets
    }

    fn broken(octets: &[u8]) -> Broken {
        match verify(octets) {
            Err(VerifyError::Broken(broken)) => broken,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_chain_is_whole_as_it_was_written() {
        let octets = file(5);
        let verified = verify(&octets[..]).unwrap();
        assert_eq!((verified.records, verified.first_seq, verified.head.seq), (5, 1, 5));
        assert_eq!(head_of_tail(&octets).unwrap(), Some(verified.head));
        assert_eq!(head_of_tail(b"").unwrap(), None);
    }

    #[test]
    fn every_flipped_bit_is_found_in_its_line() {
        let octets = file(4);
        let mut line = 1;
        for place in 0..octets.len() {
            for bit in 0..8 {
                let mut changed = octets.clone();
                changed[place] ^= 1 << bit;
                let broken = broken(&changed);
                assert_eq!(broken.line, line, "octet {place}, bit {bit}: {broken}");
            }
            line += u64::from(octets[place] == b'\n');
        }
    }

    #[test]
    fn missing_swapped_and_cut_lines_are_found() {
        let octets = file(5);
        let lines: Vec<&[u8]> = octets.split_inclusive(|octet| *octet == b'\n').collect();
        let of =
            |places: &[usize]| places.iter().flat_map(|place| lines[*place].to_vec()).collect::<Vec<u8>>();
        assert_eq!(broken(&of(&[0, 1, 3, 4])).line, 3, "removed");
        assert_eq!(broken(&of(&[0, 2, 1, 3, 4])).line, 2, "swapped");
        assert_eq!(broken(&of(&[0, 1, 1, 2])).line, 3, "twice");
        assert_eq!(broken(&of(&[1, 2, 3])).line, 1, "removed in front");
        let mut cut = of(&[0, 1]);
        cut.truncate(cut.len() - 9);
        assert_eq!(broken(&cut).line, 2, "cut at the end");
        cut.extend(of(&[2, 3]));
        assert_eq!(broken(&cut).line, 2, "cut in the middle");
        assert_eq!(broken(b"").line, 1, "empty");
    }

    #[test]
    fn a_tail_that_was_cut_shows_in_the_head() {
        let octets = file(5);
        let shorter: Vec<u8> =
            octets.split_inclusive(|octet| *octet == b'\n').take(4).flatten().copied().collect();
        assert_eq!(verify(&shorter[..]).unwrap().head.seq, 4);
    }
}

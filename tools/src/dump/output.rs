//! Where the tree goes: text or JSON on standard output, faults and notes on standard error too.

use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::flow::Item;
use super::tree::Node;

/// Where an item is.
pub(crate) enum Place {
    /// In hex text.
    Hex,
    /// In one direction of a TCP connection.
    Tcp {
        /// Sender.
        from: SocketAddr,
        /// Receiver.
        to: SocketAddr,
    },
}

/// The output of a run.
pub(crate) struct Output {
    out: BufWriter<io::Stdout>,
    json: bool,
    colour: bool,
    file: PathBuf,
    faults: u64,
    /// The reader of the output has gone.
    closed: bool,
}

impl Output {
    /// Output as JSON or text.
    pub(crate) fn new(json: bool, colour: bool) -> Output {
        let out = BufWriter::new(io::stdout());
        Output { out, json, colour, file: PathBuf::new(), faults: 0, closed: false }
    }

    /// Names the file that follows.
    pub(crate) fn begin_file(&mut self, file: &Path) {
        self.file = file.to_owned();
    }

    /// True when nobody reads the output.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Tells what is wrong with a file as a whole.
    pub(crate) fn file_fault(&mut self, file: &Path, offset: u64, what: &str) {
        self.faults += 1;
        self.flush();
        eprintln!("colloquy: {}: octet {offset}: {what}", file.display());
    }

    /// Tells something that is no fault.
    pub(crate) fn note(&mut self, what: &str) {
        self.flush();
        eprintln!("colloquy: {}: note: {what}", self.file.display());
    }

    /// Shows an item, and its faults on standard error.
    pub(crate) fn item(&mut self, place: &Place, item: &Item) {
        let written = if self.json { self.write_json(place, item) } else { self.write_text(place, item) };
        self.closed |= written.is_err();
        if item.node.has_fault() {
            self.flush();
            self.tell_faults(place, item, &item.node);
        }
    }

    /// Writes what is left and gives the exit status.
    pub(crate) fn finish(mut self) -> ExitCode {
        self.flush();
        if self.faults > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS }
    }

    fn flush(&mut self) {
        self.closed |= self.out.flush().is_err();
    }

    fn tell_faults(&mut self, place: &Place, item: &Item, node: &Node) {
        if node.fault {
            self.faults += 1;
            let file = self.file.display();
            let what = node.value.as_deref().unwrap_or(&node.name);
            let offset = item.offset;
            match place {
                Place::Hex => eprintln!("colloquy: {file}: octet {offset}: {what}"),
                Place::Tcp { from, to } if item.origin.record > 0 => {
                    let record = item.origin.record;
                    eprintln!("colloquy: {file}: record {record}, octet {offset} of {from} > {to}: {what}");
                }
                Place::Tcp { from, to } => {
                    eprintln!("colloquy: {file}: octet {offset} of {from} > {to}: {what}");
                }
            }
        }
        for part in &node.parts {
            self.tell_faults(place, item, part);
        }
    }

    fn write_text(&mut self, place: &Place, item: &Item) -> io::Result<()> {
        let (bold, plain) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let mut text = String::new();
        match place {
            Place::Hex => text.push_str(&format!("{bold}octet {}{plain}", item.offset)),
            Place::Tcp { from, to } => {
                text.push_str(&format!("{bold}{from} > {to}{plain}  octet {}", item.offset));
            }
        }
        if item.origin.record > 0 {
            text.push_str(&format!("  record {}", item.origin.record));
        }
        if let Some(time_ns) = item.origin.time_ns {
            text.push_str("  ");
            text.push_str(&time_text(time_ns));
        }
        text.push('\n');
        item.node.write_text(1, &mut text);
        self.out.write_all(text.as_bytes())
    }

    fn write_json(&mut self, place: &Place, item: &Item) -> io::Result<()> {
        let mut object = Map::new();
        object.insert("file".into(), json!(self.file.display().to_string()));
        if let Place::Tcp { from, to } = place {
            object.insert("from".into(), json!(from.to_string()));
            object.insert("to".into(), json!(to.to_string()));
        }
        object.insert("offset".into(), json!(item.offset));
        if item.origin.record > 0 {
            object.insert("record".into(), json!(item.origin.record));
        }
        if let Some(time_ns) = item.origin.time_ns {
            object.insert("time".into(), json!(time_text(time_ns)));
        }
        object.insert("fault".into(), json!(item.node.has_fault()));
        object.insert("tree".into(), item.node.to_json());
        serde_json::to_writer(&mut self.out, &Value::Object(object))?;
        self.out.write_all(b"\n")
    }
}

/// RFC 3339 with nanoseconds, UTC.
fn time_text(time_ns: u64) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(time_ns);
    let seconds = colloquy_bench::environment::rfc3339(time);
    format!("{}.{:09}Z", seconds.trim_end_matches('Z'), time_ns % 1_000_000_000)
}

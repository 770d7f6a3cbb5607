//! `colloquy dump`: hex text and captures as a tree or JSON of TPKT, TPDU, SPDU.

pub(crate) mod capture;
pub(crate) mod flow;
pub(crate) mod input;
mod output;
pub(crate) mod segment;
pub(crate) mod stream;
mod tpdu;
mod tree;
mod tsdu;

use std::collections::{BTreeSet, HashMap};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use colloquy_bench::plan::octets_of_hex;

use capture::Capture;
use flow::{Flow, begins_like_tpkt};
use input::{Input, InputFault};
use output::{Output, Place};
use segment::{Skip, segment_of};
use stream::{Origin, Piece, Stream};
use tree::Node;

/// Longest hex input.
const HEX_OCTETS_MAX: usize = 256 << 20;
/// TPKT's port (RFC 1006).
const TPKT_PORT: u16 = 102;

/// Shows what is in a capture (pcap, pcapng) or in hex text.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy dump mms.pcapng\n          echo '01 00 01 00 68 69' | colloquy dump -",
    after_help = "Exit status: 0 all was understood, 1 a fault was found (named with file and offset), 2 bad usage."
)]
pub(crate) struct DumpArgs {
    /// Capture or hex files; `-` is standard input. In hex text `#` starts a comment
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// TCP ports that carry TPKT [default: 102 and whatever begins like TPKT]
    #[arg(long, value_name = "PORT")]
    port: Vec<u16>,
    /// What hex text holds; auto: TPKT or UNIT DATA if it begins like one, else the SPDUs of a TSDU
    #[arg(long = "as", value_enum, default_value_t = HexForm::Auto, value_name = "FORM")]
    form: HexForm,
}

/// What hex text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HexForm {
    // TPKT or UNIT DATA if it begins like that, else one TSDU.
    Auto,
    Tpkt,
    // The SPDUs of one TSDU.
    Spdu,
    // One T-UNIT-DATA of the connectionless protocol.
    UnitData,
}

/// Runs the verb.
pub(crate) fn run(args: &DumpArgs) -> ExitCode {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut output = Output::new(args.json, colour);
    for file in &args.files {
        output.begin_file(file);
        if let Err(fault) = dump_file(args, file, &mut output) {
            output.file_fault(file, fault.offset, &fault.what);
        }
        if output.is_closed() {
            break;
        }
    }
    output.finish()
}

fn dump_file(args: &DumpArgs, file: &Path, output: &mut Output) -> Result<(), InputFault> {
    let mut input = Input::open(file).map_err(|error| InputFault::new(0, error.to_string()))?;
    if capture::is_capture(input.peek(4)?) {
        return Connections::new(&args.port).read(input, output);
    }
    let octets = input.take_rest(HEX_OCTETS_MAX)?;
    let text = String::from_utf8(octets).map_err(|error| {
        let at = error.utf8_error().valid_up_to() as u64;
        InputFault::new(at, "neither a capture nor hex text")
    })?;
    let octets = octets_of_hex(&text).map_err(|fault| {
        let what = format!("line {}, column {}: {fault}", fault.line, fault.column);
        InputFault::new(offset_of(&text, fault.line, fault.column), what)
    })?;
    dump_hex(args.form, &octets, output);
    Ok(())
}

fn dump_hex(form: HexForm, octets: &[u8], output: &mut Output) {
    let form = match form {
        HexForm::Auto if begins_like_tpkt(octets) => HexForm::Tpkt,
        HexForm::Auto if tsdu::begins_like_unit_data(octets) => HexForm::UnitData,
        HexForm::Auto => HexForm::Spdu,
        form => form,
    };
    let mut items = Vec::new();
    if form == HexForm::Tpkt {
        let mut flow = Flow::new(true);
        flow.push(0, octets, Origin::default(), &mut items);
        flow.finish(&mut items);
    } else {
        let (name, parts) = match form {
            HexForm::UnitData => ("T-UNIT-DATA", tsdu::describe_datagram(octets)),
            _ => ("TSDU", tsdu::describe(octets, false)),
        };
        let mut node = Node::with(name, format!("{} octets", octets.len()));
        node.parts = parts;
        items.push(flow::Item { offset: 0, origin: Origin::default(), node });
    }
    for item in items {
        output.item(&Place::Hex, &item);
    }
}

fn offset_of(text: &str, line: usize, column: usize) -> u64 {
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let within: usize =
        text.lines().nth(line - 1).unwrap_or_default().chars().take(column - 1).map(char::len_utf8).sum();
    (before + within) as u64
}

/// The TCP connections of one capture, each direction by itself.
struct Connections<'a> {
    ports: &'a [u16],
    directions: HashMap<(SocketAddr, SocketAddr), Direction>,
    /// Directions in the order of their first segment.
    order: Vec<(SocketAddr, SocketAddr)>,
    unknown_links: BTreeSet<u32>,
}

struct Direction {
    stream: Stream,
    flow: Flow,
}

impl<'a> Connections<'a> {
    fn new(ports: &'a [u16]) -> Self {
        Connections { ports, directions: HashMap::new(), order: Vec::new(), unknown_links: BTreeSet::new() }
    }

    fn read(mut self, input: Input, output: &mut Output) -> Result<(), InputFault> {
        let mut capture = Capture::new(input)?;
        let result = loop {
            match capture.next_record() {
                Ok(Some(record)) => self.record(&record, output),
                Ok(None) => break Ok(()),
                Err(fault) => break Err(fault),
            }
            if output.is_closed() {
                return Ok(());
            }
        };
        // What came before a fault of the file is shown all the same.
        for key in std::mem::take(&mut self.order) {
            if let Some(direction) = self.directions.remove(&key) {
                end_direction(direction, key, output);
            }
        }
        for link_type in &self.unknown_links {
            output.note(&format!("records of link type {link_type} are passed over"));
        }
        result
    }

    fn record(&mut self, record: &capture::Record, output: &mut Output) {
        let segment = match segment_of(record.link_type, &record.octets) {
            Ok(segment) => segment,
            Err(Skip::LinkType(link_type)) => {
                self.unknown_links.insert(link_type);
                return;
            }
            Err(Skip::NotTcp) => return,
            Err(Skip::Fragment) => {
                output.note(&format!("record {}: IP fragment passed over", record.number));
                return;
            }
            Err(Skip::Broken(what)) => {
                output.note(&format!("record {}: {what} is broken, passed over", record.number));
                return;
            }
        };
        let key = (segment.source, segment.destination);
        let ports = [segment.source.port(), segment.destination.port()];
        if !self.ports.is_empty() && !ports.iter().any(|port| self.ports.contains(port)) {
            return;
        }
        if segment.syn
            && self.directions.get(&key).is_some_and(|old| old.stream.is_other_connection(segment.sequence))
            && let Some(old) = self.directions.remove(&key)
        {
            self.order.retain(|other| *other != key);
            end_direction(old, key, output);
        }
        let forced = !self.ports.is_empty() || ports.contains(&TPKT_PORT);
        let order = &mut self.order;
        let direction = self.directions.entry(key).or_insert_with(|| {
            order.push(key);
            Direction { stream: Stream::default(), flow: Flow::new(forced) }
        });
        let mut sequence = segment.sequence;
        if segment.syn {
            direction.stream.synchronize_once(sequence);
            sequence = sequence.wrapping_add(1);
        }
        let origin = Origin { record: record.number, time_ns: record.time_ns };
        let pieces = direction.stream.push(sequence, segment.payload, origin);
        show(direction, key, pieces, output);
    }
}

fn end_direction(mut direction: Direction, key: (SocketAddr, SocketAddr), output: &mut Output) {
    let pieces = direction.stream.finish();
    show(&mut direction, key, pieces, output);
    let mut items = Vec::new();
    direction.flow.finish(&mut items);
    for item in &items {
        output.item(&Place::Tcp { from: key.0, to: key.1 }, item);
    }
}

fn show(direction: &mut Direction, key: (SocketAddr, SocketAddr), pieces: Vec<Piece>, output: &mut Output) {
    let mut items = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Octets { offset, octets, origin } => {
                direction.flow.push(offset, &octets, origin, &mut items);
            }
            Piece::Gap { offset, octets } => direction.flow.gap(offset, octets, &mut items),
        }
    }
    for item in &items {
        output.item(&Place::Tcp { from: key.0, to: key.1 }, item);
    }
}

//! One direction of a transport connection: octets in order become TPKTs, TPDUs, TSDUs.

use std::collections::VecDeque;

use super::stream::Origin;
use super::tpdu;
use super::tree::Node;
use super::tsdu;

/// Longest TSDU put together.
const TSDU_OCTETS_MAX: usize = 64 << 20;
/// Octets of the TPKT header.
const TPKT_HEADER_OCTETS: usize = 4;
/// Octets after which it is clear whether a stream begins with a TPKT.
const RECOGNIZED_OCTETS: usize = 6;

/// One TPKT, or a fault, with its place.
#[derive(Debug)]
pub(crate) struct Item {
    /// Offset in the direction.
    pub(crate) offset: u64,
    /// Record in which it begins.
    pub(crate) origin: Origin,
    /// What it is.
    pub(crate) node: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its first octets decide whether it is TPKT.
    Unknown,
    /// TPKT follows TPKT.
    Tpkt,
    /// A gap or fault: waits for octets that begin like a TPKT.
    Lost,
    /// Something else.
    Other,
}

/// One direction.
#[derive(Debug)]
pub(crate) struct Flow {
    state: State,
    /// It is TPKT whatever it begins with.
    forced: bool,
    buffer: Vec<u8>,
    /// Offset of the first octet of the buffer.
    offset: u64,
    /// Where the octets from an offset on came from.
    origins: VecDeque<(u64, Origin)>,
    tsdu: Vec<u8>,
}

impl Flow {
    /// A direction; `forced` when the user or the port says that it is TPKT.
    pub(crate) fn new(forced: bool) -> Flow {
        Flow {
            state: State::Unknown,
            forced,
            buffer: Vec::new(),
            offset: 0,
            origins: VecDeque::new(),
            tsdu: Vec::new(),
        }
    }

    /// True when it was taken for TPKT.
    pub(crate) fn is_tpkt(&self) -> bool {
        matches!(self.state, State::Tpkt | State::Lost)
    }

    /// Takes the next octets and gives the TPKTs that are complete.
    pub(crate) fn push(&mut self, offset: u64, octets: &[u8], origin: Origin, items: &mut Vec<Item>) {
        if self.state == State::Other {
            return;
        }
        if self.state == State::Lost {
            if !begins_like_tpkt(octets) {
                return;
            }
            self.state = State::Tpkt;
        }
        if self.buffer.is_empty() {
            self.offset = offset;
            self.origins.clear();
        }
        self.origins.push_back((offset, origin));
        self.buffer.extend_from_slice(octets);
        if self.state == State::Unknown && !self.decide() {
            return;
        }
        self.take_tpkts(items);
    }

    /// Notes octets that are missing.
    pub(crate) fn gap(&mut self, offset: u64, octets: u64, items: &mut Vec<Item>) {
        if self.state == State::Other {
            return;
        }
        let unfinished = self.buffer.len() + self.tsdu.len();
        let known = self.is_tpkt() || self.forced;
        self.lose();
        if known {
            let dropped = if unfinished > 0 {
                format!("; {unfinished} octets of an unfinished TSDU before it are dropped")
            } else {
                String::new()
            };
            let what = format!("{octets} octets are not in the capture{dropped}");
            items.push(Item { offset, origin: Origin::default(), node: Node::fault(what) });
        }
    }

    /// Tells what is left unfinished at the end.
    pub(crate) fn finish(&mut self, items: &mut Vec<Item>) {
        if self.state == State::Unknown && self.forced && !self.buffer.is_empty() {
            self.state = State::Tpkt;
            self.take_tpkts(items);
        }
        if self.state != State::Tpkt {
            return;
        }
        if !self.buffer.is_empty() {
            let expected = match self.buffer[..] {
                [_, _, high, low, ..] => format!("TPKT of {} octets", u16::from_be_bytes([high, low])),
                _ => "TPKT header".into(),
            };
            let what = format!("{expected} is cut off after {} octets", self.buffer.len());
            items.push(self.item(Node::fault(what)));
        } else if !self.tsdu.is_empty() {
            let what = format!("TSDU is cut off after {} octets", self.tsdu.len());
            items.push(self.item(Node::fault(what)));
        }
    }

    /// Decides what the direction is; false while there are too few octets.
    fn decide(&mut self) -> bool {
        if self.forced || begins_like_tpkt(&self.buffer) {
            self.state = State::Tpkt;
        } else if self.buffer.len() >= RECOGNIZED_OCTETS {
            self.state = State::Other;
            self.buffer = Vec::new();
        }
        self.state == State::Tpkt
    }

    fn take_tpkts(&mut self, items: &mut Vec<Item>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut at = 0;
        while buffer.len() - at >= TPKT_HEADER_OCTETS {
            let length = usize::from(u16::from_be_bytes([buffer[at + 2], buffer[at + 3]]));
            let fault = if buffer[at] != 3 {
                Some(format!("TPKT version {}, not 3", buffer[at]))
            } else if length < TPKT_HEADER_OCTETS + 3 {
                Some(format!("TPKT length {length} has no room for a TPDU"))
            } else {
                None
            };
            if let Some(fault) = fault {
                items.push(self.item(Node::fault(fault)));
                self.lose();
                return;
            }
            if buffer.len() - at < length {
                break;
            }
            let node = self.tpkt(&buffer[at..at + length]);
            items.push(self.item(node));
            at += length;
            self.offset += length as u64;
            while self.origins.get(1).is_some_and(|(offset, _)| *offset <= self.offset) {
                self.origins.pop_front();
            }
        }
        buffer.drain(..at);
        self.buffer = buffer;
    }

    fn tpkt(&mut self, tpkt: &[u8]) -> Node {
        let mut node = Node::with("TPKT", format!("{} octets", tpkt.len()));
        match tpdu::describe(&tpkt[TPKT_HEADER_OCTETS..]) {
            Err((offset, what)) => {
                let offset = offset + TPKT_HEADER_OCTETS;
                node.push(Node::fault(format!("octet {offset} of the TPKT: {what}")));
            }
            Ok(tpdu) => {
                let mut part = tpdu.node;
                if let Some(data) = tpdu.data {
                    self.user_data(&data, &mut part);
                }
                node.push(part);
            }
        }
        node
    }

    fn user_data(&mut self, data: &tpdu::Data<'_>, part: &mut Node) {
        if data.expedited {
            part.parts.extend(tsdu::describe(data.octets, true));
            return;
        }
        if self.tsdu.len() + data.octets.len() > TSDU_OCTETS_MAX {
            self.tsdu.clear();
            part.push(Node::fault(format!("TSDU is longer than {TSDU_OCTETS_MAX} octets")));
            return;
        }
        self.tsdu.extend_from_slice(data.octets);
        if data.end {
            if self.tsdu.len() > data.octets.len() {
                part.push(Node::with("TSDU", format!("{} octets in several TPDUs", self.tsdu.len())));
            }
            part.parts.extend(tsdu::describe(&self.tsdu, false));
            self.tsdu.clear();
        }
    }

    fn item(&self, node: Node) -> Item {
        let origin = self.origins.front().map_or_else(Origin::default, |(_, origin)| *origin);
        Item { offset: self.offset, origin, node }
    }

    fn lose(&mut self) {
        self.state = State::Lost;
        self.buffer.clear();
        self.tsdu.clear();
    }
}

/// True when the octets begin like a TPKT with a TPDU that X.224 knows.
pub(crate) fn begins_like_tpkt(octets: &[u8]) -> bool {
    let [3, 0, high, low, indicator, code, ..] = *octets else { return false };
    let length = u16::from_be_bytes([high, low]);
    let known = matches!(code & 0xf0, 0xe0 | 0xd0 | 0x80 | 0xc0 | 0xf0 | 0x10 | 0x70 | 0x60 | 0x50 | 0x20);
    known && indicator >= 2 && u16::from(indicator) + 5 <= length
}

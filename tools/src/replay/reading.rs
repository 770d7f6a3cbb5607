//! A capture as a recording: TCP segments in order, and the TSDUs of both ends through our class 0.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use colloquy_bench::replay::{Moment, Recording};

use crate::dump::capture::{self, Capture, Record};
use crate::dump::flow::begins_like_tpkt;
use crate::dump::input::{Input, InputFault};
use crate::dump::segment::{Segment, segment_of};
use crate::dump::stream::{Origin, Piece, Stream};

use super::conversation::Conversation;

/// Octets after which it is clear what a direction begins with.
const RECOGNIZED_OCTETS: usize = 6;
/// Most octets of payload of a capture.
const RECORDING_OCTETS_MAX: u64 = 1 << 30;
/// Most notes that are kept for the user.
const NOTES_MAX: usize = 20;

/// What was found in a capture.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) recording: Recording,
    /// What the user should know of what was not taken.
    pub(super) notes: Vec<String>,
}

/// Source and destination.
type Direction = (SocketAddr, SocketAddr);

/// Reads a capture file.
///
/// # Errors
/// When it is no capture or cannot be read at all; a capture that is cut off is read up to there.
pub(super) fn read(path: &Path) -> Result<Found, InputFault> {
    let mut input = Input::open(path).map_err(|error| InputFault::new(0, error.to_string()))?;
    if !capture::is_capture(input.peek(4)?) {
        return Err(InputFault::new(0, "neither pcap nor pcapng"));
    }
    let mut capture = Capture::new(input)?;
    let mut reader = Reader::default();
    loop {
        match capture.next_record() {
            Ok(Some(record)) => reader.record(&record)?,
            Ok(None) => break,
            Err(fault) => {
                reader.note(format!("octet {}: {}; what comes before it is taken", fault.offset, fault.what));
                break;
            }
        }
    }
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    first_time_ns: Option<u64>,
    last: Moment,
    octets: u64,
    streams: HashMap<Direction, Half>,
    /// Conversations under way, by the direction of the initiator.
    conversations: HashMap<Direction, Conversation>,
    /// Those that have ended, by the record of their CR.
    ended: BTreeMap<u64, Conversation>,
    notes: Vec<String>,
}

/// One direction of a TCP connection.
#[derive(Default)]
struct Half {
    stream: Stream,
    role: Role,
    /// The record of the last octets that came in order.
    last: u64,
}

#[derive(Default)]
enum Role {
    /// Its first octets decide; these came so far.
    #[default]
    Unknown,
    Begun(Vec<u8>, Moment),
    Initiator,
    Responder,
    /// It is not TPKT, or the capture begins too late for it.
    Other,
}

impl Reader {
    fn note(&mut self, note: String) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(note);
        }
    }

    fn record(&mut self, record: &Record) -> Result<(), InputFault> {
        let offset = match (record.time_ns, self.first_time_ns) {
            (Some(time), Some(first)) => Duration::from_nanos(time.saturating_sub(first)),
            (time, None) => {
                self.first_time_ns = time;
                Duration::ZERO
            }
            // A record without a time is as late as the one before it.
            (None, Some(_)) => self.last.offset,
        };
        self.last = Moment { record: record.number, offset: offset.max(self.last.offset) };
        let Ok(segment) = segment_of(record.link_type, &record.octets) else { return Ok(()) };
        self.octets += segment.payload.len() as u64;
        if self.octets > RECORDING_OCTETS_MAX {
            let what =
                format!("record {}: more than {RECORDING_OCTETS_MAX} octets of payload", record.number);
            return Err(InputFault::new(0, what));
        }
        self.segment(&segment);
        Ok(())
    }

    fn segment(&mut self, segment: &Segment<'_>) {
        let direction = (segment.source, segment.destination);
        let other = |half: &Half| half.stream.is_other_connection(segment.sequence);
        if segment.syn && self.streams.get(&direction).is_some_and(other) {
            self.end_connection(direction);
        }
        let half = self.streams.entry(direction).or_default();
        let mut sequence = segment.sequence;
        if segment.syn {
            half.stream.synchronize_once(sequence);
            sequence = sequence.wrapping_add(1);
        }
        // Every piece is taken at the record that completes it: only then had its receiver got it.
        let origin = Origin { record: self.last.record, time_ns: None };
        for piece in half.stream.push(sequence, segment.payload, origin) {
            self.piece(direction, piece);
        }
        if segment.end
            && let Some(conversation) = self.conversation(direction)
        {
            conversation.closed = true;
        }
    }

    fn conversation(&mut self, (from, to): Direction) -> Option<&mut Conversation> {
        let key = if self.conversations.contains_key(&(from, to)) { (from, to) } else { (to, from) };
        self.conversations.get_mut(&key)
    }

    fn piece(&mut self, direction: Direction, piece: Piece) {
        let moment = self.last;
        match piece {
            Piece::Octets { octets, .. } => {
                if let Some(half) = self.streams.get_mut(&direction) {
                    half.last = moment.record;
                }
                self.octets(direction, octets, moment);
            }
            Piece::Gap { octets, .. } => {
                let last = self.streams.get(&direction).map_or(0, |half| half.last);
                if let Some(conversation) = self.conversation(direction) {
                    let why = format!("{octets} octets behind record {last} are not in the capture");
                    conversation.cut_after(last, why);
                }
            }
        }
    }

    fn octets(&mut self, direction: Direction, octets: Vec<u8>, moment: Moment) {
        let (from, to) = direction;
        let Some(half) = self.streams.get_mut(&direction) else { return };
        let (octets, moment, began) = match std::mem::take(&mut half.role) {
            Role::Unknown => (octets, moment, moment),
            Role::Begun(mut before, began) => {
                before.extend(octets);
                (before, moment, began)
            }
            role => {
                let initiator = matches!(role, Role::Initiator);
                half.role = role;
                let key = if initiator { direction } else { (to, from) };
                if let Some(conversation) = self.conversations.get_mut(&key) {
                    conversation.take(initiator, octets, moment);
                }
                return;
            }
        };
        if octets.len() < RECOGNIZED_OCTETS {
            half.role = Role::Begun(octets, began);
            return;
        }
        let is_tpkt = begins_like_tpkt(&octets);
        match octets[RECOGNIZED_OCTETS - 1] & 0xf0 {
            0xe0 if is_tpkt => {
                half.role = Role::Initiator;
                let mut conversation = Conversation::new(from, to, began);
                conversation.take(true, octets, moment);
                self.conversations.insert(direction, conversation);
            }
            _ if is_tpkt => {
                half.role = Role::Other;
                if let Some(conversation) = self.conversations.get_mut(&(to, from)) {
                    half.role = Role::Responder;
                    conversation.take(false, octets, moment);
                } else {
                    let record = moment.record;
                    self.note(format!(
                        "{from} to {to}: the capture begins in mid-session (record {record}), not replayed"
                    ));
                }
            }
            _ => half.role = Role::Other,
        }
    }

    /// Ends what there is of a TCP connection, in both directions.
    fn end_connection(&mut self, (from, to): Direction) {
        for direction in [(from, to), (to, from)] {
            let Some(half) = self.streams.get_mut(&direction) else { continue };
            for piece in half.stream.finish() {
                self.piece(direction, piece);
            }
        }
        for direction in [(from, to), (to, from)] {
            self.streams.remove(&direction);
            if let Some(conversation) = self.conversations.remove(&direction) {
                self.ended.insert(conversation.began.record, conversation);
            }
        }
    }

    fn finish(mut self) -> Found {
        while let Some(direction) = self.streams.keys().next().copied() {
            self.end_connection(direction);
        }
        let mut found = Found::default();
        for conversation in std::mem::take(&mut self.ended).into_values() {
            match conversation.finish() {
                Ok(session) => found.recording.sessions.push(session),
                Err(why) => self.note(why),
            }
        }
        found.notes = self.notes;
        found
    }
}

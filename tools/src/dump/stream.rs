//! One direction of a TCP connection, put in order again.

use std::collections::BTreeMap;

/// Most octets kept for a direction while it waits for a segment that is missing.
const WAITING_OCTETS_MAX: usize = 16 << 20;

/// The record that octets came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Its number; 0 when there are no records.
    pub(crate) record: u64,
    /// Its time.
    pub(crate) time_ns: Option<u64>,
}

/// Octets of one direction, in order.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Sequence number of the octet after the last one in order, and that octet's offset.
    next: Option<(u32, u64)>,
    /// Segments after a missing one, by offset.
    waiting: BTreeMap<u64, (Vec<u8>, Origin)>,
    waiting_octets: usize,
}

/// What became of a stream by a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The next octets.
    Octets {
        /// Offset of the first of them in the direction.
        offset: u64,
        /// The octets.
        octets: Vec<u8>,
        /// The record they came in.
        origin: Origin,
    },
    /// Octets that are not in the capture.
    Gap {
        /// Offset of the first of them.
        offset: u64,
        /// How many.
        octets: u64,
    },
}

impl Stream {
    /// Notes the sequence number of the first SYN, whose successor is the first octet.
    pub(crate) fn synchronize_once(&mut self, sequence: u32) {
        self.next.get_or_insert((sequence.wrapping_add(1), 0));
    }

    /// True when a SYN with this sequence number begins another connection.
    pub(crate) fn is_other_connection(&self, syn_sequence: u32) -> bool {
        self.next
            .is_some_and(|(next, offset)| next.wrapping_sub(offset as u32) != syn_sequence.wrapping_add(1))
    }

    /// Takes the payload of a segment and gives what is in order by it.
    pub(crate) fn push(&mut self, sequence: u32, payload: &[u8], origin: Origin) -> Vec<Piece> {
        if payload.is_empty() {
            return Vec::new();
        }
        // A capture that begins in the middle of a connection begins with its first segment.
        let (next, offset) = *self.next.get_or_insert((sequence, 0));
        let distance = i64::from(sequence.wrapping_sub(next) as i32);
        let start = offset as i64 + distance;
        let known = if start < offset as i64 { (offset as i64 - start) as usize } else { 0 };
        let Some(fresh) = payload.get(known..).filter(|fresh| !fresh.is_empty()) else {
            return Vec::new();
        };
        let start = (start + known as i64) as u64;
        let longer = self.waiting.get(&start).is_none_or(|(there, _)| there.len() < fresh.len());
        if longer {
            self.waiting_octets += fresh.len();
            if let Some((there, _)) = self.waiting.insert(start, (fresh.to_vec(), origin)) {
                self.waiting_octets -= there.len();
            }
        }
        let mut pieces = Vec::new();
        self.take_in_order(&mut pieces);
        while self.waiting_octets > WAITING_OCTETS_MAX {
            self.skip_gap(&mut pieces);
        }
        pieces
    }

    /// Gives what waits, gaps named: the capture is over.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !self.waiting.is_empty() {
            self.skip_gap(&mut pieces);
        }
        pieces
    }

    fn skip_gap(&mut self, pieces: &mut Vec<Piece>) {
        let (Some((next, offset)), Some((&start, _))) = (self.next, self.waiting.first_key_value()) else {
            return;
        };
        if start > offset {
            pieces.push(Piece::Gap { offset, octets: start - offset });
            self.next = Some((next.wrapping_add((start - offset) as u32), start));
        }
        self.take_in_order(pieces);
    }

    fn take_in_order(&mut self, pieces: &mut Vec<Piece>) {
        while let (Some((next, offset)), Some(entry)) = (self.next, self.waiting.first_entry()) {
            let start = *entry.key();
            if start > offset {
                return;
            }
            let (mut octets, origin) = entry.remove();
            self.waiting_octets -= octets.len();
            let known = (offset - start) as usize;
            if known >= octets.len() {
                continue;
            }
            octets.drain(..known);
            self.next = Some((next.wrapping_add(octets.len() as u32), offset + octets.len() as u64));
            pieces.push(Piece::Octets { offset, octets, origin });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Origin = Origin { record: 1, time_ns: None };

    fn text(pieces: Vec<Piece>) -> String {
        pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Octets { octets, .. } => String::from_utf8(octets).unwrap(),
                Piece::Gap { octets, .. } => format!("<{octets}>"),
            })
            .collect()
    }

    #[test]
    fn retransmitted_and_overlapping_octets_come_once() {
        let mut stream = Stream::default();
        stream.synchronize_once(99);
        assert_eq!(text(stream.push(100, b"abc", HERE)), "abc");
        assert_eq!(text(stream.push(100, b"abc", HERE)), "");
        assert_eq!(text(stream.push(101, b"bcde", HERE)), "de");
    }

    #[test]
    fn segments_out_of_order_are_put_in_order_across_the_wrap() {
        let mut stream = Stream::default();
        stream.synchronize_once(u32::MAX - 2);
        assert_eq!(text(stream.push(1, b"de", HERE)), "");
        assert_eq!(text(stream.push(3, b"f", HERE)), "");
        assert_eq!(text(stream.push(u32::MAX - 1, b"abc", HERE)), "abcdef");
        assert_eq!(text(stream.finish()), "");
    }

    #[test]
    fn a_gap_is_named_at_the_end() {
        let mut stream = Stream::default();
        assert_eq!(text(stream.push(10, b"ab", HERE)), "ab");
        assert_eq!(text(stream.push(15, b"fg", HERE)), "");
        assert_eq!(text(stream.push(20, b"k", HERE)), "");
        assert_eq!(text(stream.finish()), "<3>fg<3>k");
    }

    #[test]
    fn a_syn_of_the_same_connection_is_told_from_another() {
        let mut stream = Stream::default();
        stream.synchronize_once(99);
        stream.push(100, b"abc", HERE);
        assert!(!stream.is_other_connection(99));
        assert!(stream.is_other_connection(7));
    }
}

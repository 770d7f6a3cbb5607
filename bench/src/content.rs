//! What SSDUs contain, and the check of what comes back.
//!
//! A generated SSDU begins with its sequence number and its session number, then goes on with a pattern
//! that depends on both, so that an octet lost, changed, doubled or taken from another SSDU shows.
//! Nothing is allocated per SSDU: its parts are slices of three tables made once per thread.
//!
//! ```text
//! octet  0         2         4                 8
//!        sequence  sequence  session number    pattern[k..], k from sequence and session
//!        low, LE   high, LE  LE
//! ```

use colloquy_transport::buf::Slice;

use crate::random::Random;

/// Octets in front of the pattern.
const NUMBERS_OCTETS: usize = 8;
/// Number of places in the pattern where SSDUs may begin: a prime, so that neither numbers of sessions
/// nor depths share a factor with it.
const PATTERN_STARTS: usize = 251;

/// Content of all SSDUs of one thread.
#[derive(Debug)]
pub struct Content {
    ssdu_octets: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Numbers and pattern.
    Generated { words: Slice, pattern: Slice },
    /// The same octets in every SSDU.
    Fixed(Slice),
}

/// The slices of one SSDU.
#[derive(Debug, Default)]
pub struct Parts {
    slices: [Slice; 4],
    count: usize,
}

impl Parts {
    /// The slices, none of them empty.
    pub fn as_slices(&self) -> &[Slice] {
        &self.slices[..self.count]
    }

    fn push(&mut self, slice: Slice) {
        if !slice.is_empty() {
            self.slices[self.count] = slice;
            self.count += 1;
        }
    }
}

/// What one session needs to make its SSDUs.
#[derive(Debug)]
pub struct Identity {
    number: u32,
    octets: Slice,
}

/// One SSDU being received and compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arriving {
    octets: usize,
    numbers: [u8; NUMBERS_OCTETS],
    differs: bool,
}

/// The verdict on one SSDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As sent, in order.
    Good,
    /// As sent, but not the one whose turn it is.
    Reordered,
    /// Not as sent.
    Corrupted,
}

impl Content {
    /// Content made from `seed`, or `payload` in every SSDU.
    pub fn new(ssdu_octets: usize, seed: u64, payload: Option<&[u8]>) -> Content {
        let kind = match payload {
            Some(payload) => Kind::Fixed(Slice::from_vec(payload.to_vec())),
            None => Kind::Generated {
                words: Slice::from_vec((0..=u16::MAX).flat_map(u16::to_le_bytes).collect()),
                pattern: Slice::from_vec(Random::new(seed).octets(ssdu_octets + PATTERN_STARTS)),
            },
        };
        let ssdu_octets = payload.map_or(ssdu_octets, <[u8]>::len);
        Content { ssdu_octets, kind }
    }

    /// The identity of session `number` of the run.
    pub fn identity(&self, number: u32) -> Identity {
        Identity { number, octets: Slice::from_vec(number.to_le_bytes().to_vec()) }
    }

    /// Octets of each SSDU.
    pub fn ssdu_octets(&self) -> usize {
        self.ssdu_octets
    }

    /// SSDU `sequence` of a session.
    pub fn ssdu(&self, identity: &Identity, sequence: u32) -> Parts {
        let mut parts = Parts::default();
        match &self.kind {
            Kind::Fixed(payload) => parts.push(payload.clone()),
            Kind::Generated { words, pattern } => {
                let mut left = self.ssdu_octets;
                let mut take = |slice: &Slice, from: usize, octets: usize| {
                    let octets = octets.min(left);
                    left -= octets;
                    slice.sub(from..from + octets)
                };
                parts.push(take(words, 2 * (sequence & 0xffff) as usize, 2));
                parts.push(take(words, 2 * (sequence >> 16) as usize, 2));
                parts.push(take(&identity.octets, 0, 4));
                let start = pattern_start(identity.number, sequence);
                parts.push(take(pattern, start, usize::MAX));
            }
        }
        parts
    }

    /// Compares the next octets of an SSDU of session `number`, of which SSDU `expected` is due.
    pub fn compare(&self, arriving: &mut Arriving, octets: &[u8]) {
        let from = arriving.octets;
        arriving.octets += octets.len();
        match &self.kind {
            Kind::Fixed(payload) => {
                arriving.differs |= payload.get(from..arriving.octets) != Some(octets);
            }
            Kind::Generated { pattern, .. } => {
                let split = NUMBERS_OCTETS.saturating_sub(from).min(octets.len());
                let (numbers, rest) = octets.split_at(split);
                if !numbers.is_empty() {
                    arriving.numbers[from..from + split].copy_from_slice(numbers);
                }
                if rest.is_empty() {
                    return;
                }
                let (sequence, number) = numbers_of(arriving.numbers);
                let start = pattern_start(number, sequence) + from + split - NUMBERS_OCTETS;
                arriving.differs |= pattern.get(start..start + rest.len()) != Some(rest);
            }
        }
    }

    /// Ends an SSDU: resets `arriving` for the next and tells what was wrong.
    pub fn finish(&self, arriving: &mut Arriving, number: u32, expected: u32) -> Verdict {
        let done = std::mem::take(arriving);
        if done.differs || done.octets != self.ssdu_octets {
            return Verdict::Corrupted;
        }
        if matches!(self.kind, Kind::Fixed(_)) {
            return Verdict::Good;
        }
        let mut wanted = [0; NUMBERS_OCTETS];
        wanted[..4].copy_from_slice(&expected.to_le_bytes());
        wanted[4..].copy_from_slice(&number.to_le_bytes());
        let known = self.ssdu_octets.min(NUMBERS_OCTETS);
        if done.numbers[..known] == wanted[..known] {
            Verdict::Good
        } else if done.numbers[4.min(known)..known] == wanted[4.min(known)..known] {
            Verdict::Reordered
        } else {
            Verdict::Corrupted
        }
    }
}

fn numbers_of(octets: [u8; NUMBERS_OCTETS]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = octets;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

fn pattern_start(number: u32, sequence: u32) -> usize {
    (number.wrapping_mul(7) as usize).wrapping_add(sequence as usize) % PATTERN_STARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets_of(content: &Content, number: u32, sequence: u32) -> Vec<u8> {
        let identity = content.identity(number);
        let parts = content.ssdu(&identity, sequence);
        parts.as_slices().iter().flat_map(|slice| slice.iter().copied()).collect()
    }

    fn judge(content: &Content, octets: &[u8], piece: usize, number: u32, expected: u32) -> Verdict {
        let mut arriving = Arriving::default();
        for piece in octets.chunks(piece) {
            content.compare(&mut arriving, piece);
        }
        content.finish(&mut arriving, number, expected)
    }

    #[test]
    fn what_was_sent_is_good_however_it_is_cut() {
        for ssdu_octets in [1, 2, 3, 7, 8, 9, 64, 300] {
            let content = Content::new(ssdu_octets, 5, None);
            for sequence in [0, 1, 0xffff, 0x0001_0000, u32::MAX] {
                let octets = octets_of(&content, 70_001, sequence);
                assert_eq!(octets.len(), ssdu_octets);
                for piece in 1..=ssdu_octets {
                    assert_eq!(judge(&content, &octets, piece, 70_001, sequence), Verdict::Good);
                }
            }
        }
    }

    #[test]
    fn every_changed_octet_is_noticed() {
        let content = Content::new(64, 5, None);
        let good = octets_of(&content, 3, 9);
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0x10;
            assert_ne!(judge(&content, &bad, 64, 3, 9), Verdict::Good, "octet {place}");
        }
    }

    #[test]
    fn another_ssdu_of_the_session_is_out_of_order_and_one_of_another_session_is_corrupt() {
        let content = Content::new(64, 5, None);
        assert_eq!(judge(&content, &octets_of(&content, 3, 9), 64, 3, 8), Verdict::Reordered);
        assert_eq!(judge(&content, &octets_of(&content, 4, 9), 64, 3, 9), Verdict::Corrupted);
    }

    #[test]
    fn a_short_or_long_ssdu_is_corrupt() {
        let content = Content::new(64, 5, None);
        let mut octets = octets_of(&content, 3, 9);
        assert_eq!(judge(&content, &octets[..63], 64, 3, 9), Verdict::Corrupted);
        octets.push(0);
        assert_eq!(judge(&content, &octets, 64, 3, 9), Verdict::Corrupted);
    }

    #[test]
    fn a_fixed_payload_is_compared_too() {
        let content = Content::new(0, 5, Some(b"hello"));
        assert_eq!(content.ssdu_octets(), 5);
        assert_eq!(octets_of(&content, 1, 1), b"hello");
        assert_eq!(judge(&content, b"hello", 2, 1, 1), Verdict::Good);
        assert_eq!(judge(&content, b"hallo", 2, 1, 1), Verdict::Corrupted);
    }
}

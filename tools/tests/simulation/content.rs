//! SSDUs that say which they are, so that a lost, doubled, reordered or damaged one is found at once.

use colloquy_transport::driver::sim::Random;

/// Octets of session number and sequence number.
const HEAD_OCTETS: usize = 8;

/// SSDU `sequence` of `session`; its length follows from the two.
pub(crate) fn ssdu(session: u32, sequence: u32) -> Vec<u8> {
    let mut random = Random::new(u64::from(session) << 32 | u64::from(sequence));
    // Mostly small, some above the copy threshold, a few over many TPDUs.
    let bound = match random.below(10) {
        0..=5 => 400,
        6..=8 => 5_000,
        _ => 30_000,
    };
    let octets = HEAD_OCTETS + random.below(bound) as usize;
    let mut ssdu = Vec::with_capacity(octets);
    ssdu.extend(session.to_be_bytes());
    ssdu.extend(sequence.to_be_bytes());
    ssdu.extend((HEAD_OCTETS..octets).map(|at| (at as u32 ^ session ^ sequence.wrapping_mul(31)) as u8));
    ssdu
}

/// Collects the segments of SSDUs and checks each against the one that is due.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    partial: Vec<u8>,
    next: u32,
}

impl Checker {
    /// Takes a segment; true when it completed the SSDU that was due.
    ///
    /// # Panics
    /// When the SSDU is not the one that is due.
    pub(crate) fn take<'a>(
        &mut self,
        session: u32,
        pieces: impl Iterator<Item = &'a [u8]>,
        end: bool,
    ) -> bool {
        pieces.for_each(|piece| self.partial.extend_from_slice(piece));
        if !end {
            return false;
        }
        let due = ssdu(session, self.next);
        let got = std::mem::take(&mut self.partial);
        assert!(got == due, "session {session}: SSDU {} is due, got {}", self.next, head(&got));
        self.next += 1;
        true
    }
}

fn head(octets: &[u8]) -> String {
    match octets {
        [a, b, c, d, e, f, g, h, ..] => format!(
            "SSDU {} of session {} ({} octets)",
            u32::from_be_bytes([*e, *f, *g, *h]),
            u32::from_be_bytes([*a, *b, *c, *d]),
            octets.len()
        ),
        _ => format!("{octets:02x?}"),
    }
}

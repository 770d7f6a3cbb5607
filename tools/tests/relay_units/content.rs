//! SSDUs that say which they are, and what a user may miss of them.

use colloquy_session::Enclosure;
use colloquy_transport::driver::sim::Random;

/// Octets of the sequence number.
const HEAD_OCTETS: usize = 4;

/// SSDU `sequence` of a flow; its length follows from the two.
pub(crate) fn ssdu(flow: u8, sequence: u32) -> Vec<u8> {
    let mut random = Random::new(u64::from(flow) << 32 | u64::from(sequence));
    let bound = if random.below(10) < 8 { 200 } else { 5_000 };
    let octets = HEAD_OCTETS + random.below(bound) as usize;
    let mut ssdu = Vec::with_capacity(octets);
    ssdu.extend(sequence.to_be_bytes());
    ssdu.extend((HEAD_OCTETS..octets).map(|at| (at as u32 ^ sequence.wrapping_mul(31)) as u8 ^ flow));
    ssdu
}

/// The octets of expedited SSDU `sequence`.
pub(crate) fn expedited(sequence: u32) -> Vec<u8> {
    let octets = HEAD_OCTETS + sequence as usize % 11;
    ssdu(9, sequence).into_iter().chain([9; 14]).take(octets).collect()
}

/// User data of any other primitive: `octets` times their number.
pub(crate) fn user_data(octets: usize) -> Vec<u8> {
    vec![octets as u8; octets]
}

/// Holds received user data to [`user_data`].
pub(crate) fn check_user_data(octets: &[u8]) {
    assert!(octets == user_data(octets.len()), "damaged user data: {octets:02x?}");
}

/// One flow as it arrives.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    partial: Vec<u8>,
    next: u32,
    /// A purge happened, so some may be missing.
    may_miss: bool,
}

impl Arrivals {
    /// Some SSDUs, the one at hand included, may not come any more.
    pub(crate) fn purge(&mut self) {
        self.may_miss = true;
    }

    /// Takes a segment of a flow's SSDUs.
    pub(crate) fn take<'a>(
        &mut self,
        flow: u8,
        pieces: impl Iterator<Item = &'a [u8]>,
        enclosure: Enclosure,
    ) {
        if enclosure.begin {
            assert!(self.partial.is_empty() || self.may_miss, "an SSDU of flow {flow} was cut short");
            self.partial.clear();
        }
        pieces.for_each(|piece| self.partial.extend_from_slice(piece));
        if enclosure.end {
            let got = std::mem::take(&mut self.partial);
            let sequence = self.due(&got);
            assert!(got == ssdu(flow, sequence), "SSDU {sequence} of flow {flow} is damaged");
        }
    }

    /// Takes an expedited SSDU.
    pub(crate) fn take_expedited(&mut self, got: &[u8]) {
        let sequence = self.due(got);
        assert!(got == expedited(sequence), "expedited SSDU {sequence} is damaged: {got:02x?}");
    }

    fn due(&mut self, got: &[u8]) -> u32 {
        let head = got.get(..HEAD_OCTETS).expect("an SSDU has a number");
        let sequence = u32::from_be_bytes(head.try_into().expect("four octets"));
        assert!(sequence >= self.next, "SSDU {sequence} comes again, {} is due", self.next);
        assert!(self.may_miss || sequence == self.next, "SSDU {} is missing before {sequence}", self.next);
        (self.next, self.may_miss) = (sequence + 1, false);
        sequence
    }

    /// True when nothing is missing, given that `sent` were sent.
    pub(crate) fn is_complete(&self, sent: u32) -> bool {
        (self.partial.is_empty() && self.next == sent) || (self.may_miss && self.next <= sent)
    }
}

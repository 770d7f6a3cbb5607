//! TSDUs made by the machine and not yet taken by its owner.

use crate::spdu::Flow;

/// TSDUs in a row, and the T-DISCONNECT request behind them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    octets: Vec<u8>,
    /// Where each TSDU ends in `octets`, and the flow it goes on. Invariant: ascending.
    ends: Vec<(usize, Flow)>,
    /// TSDUs taken. Invariant: at most `ends.len()`.
    taken: usize,
}

impl Outbox {
    /// Where the next TSDU is written; [`Outbox::finish_tsdu`] ends it.
    pub(super) fn sink(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    pub(super) fn finish_tsdu(&mut self, flow: Flow) {
        debug_assert!(self.end() < self.octets.len(), "no empty TSDU");
        self.ends.push((self.octets.len(), flow));
    }

    /// Where the last TSDU ends.
    fn end(&self) -> usize {
        self.ends.last().map_or(0, |(end, _)| *end)
    }

    /// How many TSDUs there are; [`Outbox::roll_back`] returns to it.
    pub(super) fn mark(&self) -> usize {
        self.ends.len()
    }

    /// Drops what was written since `mark`.
    pub(super) fn roll_back(&mut self, mark: usize) {
        self.ends.truncate(mark);
        self.octets.truncate(self.end());
    }

    /// Drops everything and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.ends.clear();
        self.taken = 0;
    }

    /// The octets of a TSDU, taken or not.
    pub(super) fn tsdu(&self, index: usize) -> Option<&[u8]> {
        let (end, _) = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].0);
        Some(&self.octets[start..end])
    }

    /// True when every TSDU was taken.
    pub(super) fn is_drained(&self) -> bool {
        self.taken == self.ends.len()
    }

    /// Takes the next TSDU.
    pub(super) fn take(&mut self) -> Option<(Flow, &[u8])> {
        let (end, flow) = *self.ends.get(self.taken)?;
        let start = self.taken.checked_sub(1).map_or(0, |before| self.ends[before].0);
        self.taken += 1;
        Some((flow, &self.octets[start..end]))
    }
}

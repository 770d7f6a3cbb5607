//! What a session has to send and has not given to the driver.

use colloquy_transport::buf::TxBatch;

use crate::chain::{Chain, Chains};

/// The batches of one session, in order. Nearly always there is one, in the slot itself; only what fills more goes into
/// the shard's chains.
#[derive(Debug)]
pub(crate) struct Output {
    full: Chain,
    /// The last one.
    filling: TxBatch,
}

impl Output {
    pub(crate) const EMPTY: Output = Output { full: Chain::EMPTY, filling: TxBatch::new() };

    /// True when no octet waits. An empty batch is never put behind a full one.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.filling.is_empty() && self.full.is_empty()
    }
}

/// Where the batches of all sessions of a shard lie and come from.
#[derive(Debug)]
pub(crate) struct Batches {
    full: Chains<TxBatch>,
    /// Empty ones; the last one used is still in the cache.
    spare: Vec<TxBatch>,
    spare_max: usize,
}

impl Batches {
    pub(crate) fn new(spare_max: usize) -> Self {
        Self { full: Chains::new(), spare: Vec::new(), spare_max }
    }

    /// The batch to append to: the last one, or a new one behind it when that has `octets_max` octets.
    #[inline]
    pub(crate) fn room<'a>(&mut self, output: &'a mut Output, octets_max: usize) -> &'a mut TxBatch {
        if output.filling.octets() >= octets_max || !output.filling.has_memory() {
            self.begin(output);
        }
        &mut output.filling
    }

    /// An empty batch at the end.
    fn begin(&mut self, output: &mut Output) {
        let before = std::mem::replace(&mut output.filling, self.spare.pop().unwrap_or_default());
        if !before.is_empty() {
            self.full.push_back(&mut output.full, before);
        }
    }

    /// Appends a batch that was filled elsewhere.
    pub(crate) fn push(&mut self, output: &mut Output, batch: TxBatch) {
        let before = std::mem::replace(&mut output.filling, batch);
        if !before.is_empty() {
            self.full.push_back(&mut output.full, before);
        }
    }

    /// The first batch that has octets.
    #[inline]
    pub(crate) fn pop(&mut self, output: &mut Output) -> Option<TxBatch> {
        if !output.full.is_empty() {
            return self.full.pop_front(&mut output.full);
        }
        (!output.filling.is_empty()).then(|| std::mem::take(&mut output.filling))
    }

    /// Calls `act` with every batch, in order.
    pub(crate) fn for_each(&mut self, output: &mut Output, mut act: impl FnMut(&mut TxBatch)) {
        self.full.for_each(&output.full, &mut act);
        act(&mut output.filling);
    }

    /// True when what waits keeps receive blocks, as far as the last batch shows.
    #[inline]
    pub(crate) fn pins(output: &Output) -> bool {
        output.filling.pins()
    }

    /// Keeps an emptied batch for the next send.
    pub(crate) fn recycle(&mut self, mut batch: TxBatch) {
        if batch.has_memory() && self.spare.len() < self.spare_max {
            batch.clear();
            self.spare.push(batch);
        }
    }

    /// An empty batch for octets that belong to no session yet.
    pub(crate) fn spare(&mut self) -> TxBatch {
        self.spare.pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_leave_in_the_order_in_which_they_were_filled() {
        let mut batches = Batches::new(8);
        let mut output = Output::EMPTY;
        assert!(output.is_empty() && batches.pop(&mut output).is_none());
        for octet in 0..6u8 {
            batches.room(&mut output, 2).put_header(&[octet]);
        }
        let mut owed = TxBatch::new();
        owed.put_header(&[6]);
        batches.push(&mut output, owed);
        let mut seen = Vec::new();
        batches.for_each(&mut output, |batch| seen.extend(batch.to_vec()));
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
        let mut sent = Vec::new();
        while let Some(batch) = batches.pop(&mut output) {
            sent.push(batch.to_vec());
            batches.recycle(batch);
        }
        assert_eq!(sent, [vec![0, 1], vec![2, 3], vec![4, 5], vec![6]]);
        assert!(output.is_empty());
        assert_eq!(batches.spare.len(), 4);
        assert!(batches.room(&mut output, 2).is_empty() && batches.spare.len() == 3, "memory is used again");
    }
}

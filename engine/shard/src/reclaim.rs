//! Getting receive blocks back from sessions that keep some and have fallen silent.
//!
//! What arrives while the pool is all but used up is copied out if it has to wait. What a session kept before then stays
//! where it is, and its peer may stop in the middle of a TSDU for as long as it likes: a few such peers hold half
//! the pool, and every other session pays with copies. The same holds for what is queued or in flight to peers that
//! do not read. So a scarce pool takes back what has waited longest.

use std::time::Duration;

use colloquy_transport::driver::Driver;

use crate::application::{Application, SessionId};
use crate::core::{Core, Effect};

/// Share of the pool's blocks held by slices from which on silent sessions give theirs back.
const SCARCE_PER_CENT: usize = 50;
/// Share from which on receipts of a session that waits are copied out at once. Below, a burst, whose blocks come
/// back within a turn, would be taken for a shortage.
pub(crate) const ALL_BUT_USED_UP_PER_CENT: usize = 90;
/// A session for which nothing has come for so long is silent: what its peer sends in one go is here by then.
const SILENT: Duration = Duration::from_millis(10);
/// The same while the pool is all but used up: then two gateways may wait for each other's reading, each with all its
/// blocks in sends to the other, and nothing moves until somebody copies.
const SILENT_WHEN_USED_UP: Duration = Duration::from_millis(1);
/// Sessions whose octets are copied out in one turn.
const RECLAIMED_PER_TURN_MAX: usize = 64;

impl<D: Driver, A: Application> Core<D, A> {
    /// Notes whether a session keeps receive blocks after octets came for it.
    pub(crate) fn note_held(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        Self::note_slot_received(&mut self.octets_held, slot);
        if slot.marks.output_pins {
            // Counted from when the peer stopped reading: what it sends meanwhile does not put that off.
            self.holders.join(index, self.now);
        } else if slot.marks.undrained || slot.marks.kept || slot.class0.pinned_octets() > 0 {
            self.holders.touch(index, self.now);
        } else {
            self.holders.remove(index);
        }
    }

    /// Notes that what a session sends keeps receive blocks until its peer has taken it.
    pub(crate) fn note_output(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        if !std::mem::replace(&mut slot.marks.output_pins, true) {
            self.holders.join(index, self.now);
        }
    }

    /// Copies out what silent sessions keep, the longest silent first.
    ///
    /// Every session that keeps something while the pool is scarce gives it back once it is silent, even if the
    /// pool is no longer scarce by then: stopping half way would leave it nearly scarce for the next burst.
    pub(crate) fn reclaim(&mut self) {
        if self.holders.first().is_none() {
            return;
        }
        if self.is_pool_held(SCARCE_PER_CENT) {
            self.scarce_at = Some(self.now);
        }
        self.used_up = self.is_pool_held(ALL_BUT_USED_UP_PER_CENT);
        for _ in 0..RECLAIMED_PER_TURN_MAX {
            if self.reclaim_deadline().is_none_or(|at| at > self.now) {
                return;
            }
            let (index, since) = self.holders.first().expect("a deadline is that of a holder");
            if since >= self.turn_before && since + SILENT > self.now {
                // However long a turn takes, what it sent had no chance to complete before the next one.
                return;
            }
            self.holders.remove(index);
            let slot = self.slab.at_mut(index);
            slot.class0.unpin();
            self.intake.for_each(&slot.intake, |octets| *octets = std::mem::take(octets).detached());
            if std::mem::take(&mut slot.marks.output_pins) {
                self.batches.for_each(&mut slot.output, |batch| batch.detach());
                if slot.marks.in_flight {
                    self.driver.unpin(slot.connection);
                }
            }
            if std::mem::take(&mut slot.marks.kept) {
                let generation = slot.generation;
                self.effects.push_back(Effect::Unpin(SessionId { index, generation }));
            }
            self.tally.bodies_unpinned += 1;
        }
    }

    /// When the next session is to give back what it keeps; none while there is enough for all.
    pub(crate) fn reclaim_deadline(&self) -> Option<Duration> {
        let (_, since) = self.holders.first()?;
        let silent = if self.used_up { SILENT_WHEN_USED_UP } else { SILENT };
        self.scarce_at.is_some_and(|at| since <= at).then_some(since + silent)
    }

    fn is_pool_held(&self, per_cent: usize) -> bool {
        let stats = self.driver.stats();
        stats.octets_pinned * 100 >= stats.octets_in_pool * per_cent as u64
    }
}

//! What lies between the keys of `[engine]`: marks, queues, and the sum of the receive pool.

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::read::File;
use super::super::values::Values;

/// Blocks that the kernel (or the driver) keeps to receive into: the one it fills and the next.
pub(crate) const BLOCKS_RECEIVING: usize = 2;

pub(in super::super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    marks(&file.engine, diagnostics);
    queues(&file.engine, diagnostics);
    pool(file, diagnostics);
}

fn marks(engine: &Values, diagnostics: &mut Diagnostics) {
    let high = engine.integer("send_high_mark_octets");
    let low = engine.integer("send_low_mark_octets");
    if low >= high {
        diagnostics.add(
            FaultKind::Relation,
            engine.first_given(&["send_low_mark_octets", "send_high_mark_octets"]),
            "engine.send_low_mark_octets",
            format!("{low} is not less than send_high_mark_octets = {high}"),
            format!("at most {}", high.saturating_sub(1)),
            None,
        );
    }
}

/// Every entry submitted completes, so what one call submits must fit what one call brings back.
fn queues(engine: &Values, diagnostics: &mut Diagnostics) {
    let submitted = engine.integer("submission_entries");
    let completed = engine.integer("completion_entries");
    if completed < submitted {
        diagnostics.add(
            FaultKind::Relation,
            engine.first_given(&["completion_entries", "submission_entries"]),
            "engine.completion_entries",
            format!("{completed} is less than submission_entries = {submitted}"),
            format!("at least {submitted}"),
            None,
        );
    }
}

/// The pool must hold all its users at once, or the shard could stop: everyone waits for a block that
/// only the progress of another would free.
fn pool(file: &File, diagnostics: &mut Diagnostics) {
    let engine = &file.engine;
    let blocks = engine.integer("receive_blocks");
    let block_octets = engine.integer("receive_block_octets");
    let sum = PoolSum::of(
        engine.integer("pinned_octets_max"),
        engine.integer("send_high_mark_octets"),
        block_octets,
    );
    if blocks < sum.total() {
        diagnostics.add(
            FaultKind::Relation,
            engine.first_given(&[
                "receive_blocks",
                "receive_block_octets",
                "pinned_octets_max",
                "send_high_mark_octets",
            ]),
            "engine.receive_blocks",
            format!("{blocks} blocks of {block_octets} octets cannot hold their users"),
            sum.to_string(),
            Some(format!("receive_blocks = {}", sum.total().next_power_of_two())),
        );
    }
}

/// The users of the receive pool, in blocks.
struct PoolSum {
    /// Blocks being received into.
    receiving: u64,
    /// One TSDU or SSDU in assembly; one block more than its octets fill, for it need not begin at a block.
    assembly: u64,
    /// One send queue at its high mark; as above.
    send_queue: u64,
}

impl PoolSum {
    fn of(pinned_octets_max: u64, send_high_mark_octets: u64, block_octets: u64) -> PoolSum {
        PoolSum {
            receiving: BLOCKS_RECEIVING as u64,
            assembly: pinned_octets_max.div_ceil(block_octets) + 1,
            send_queue: send_high_mark_octets.div_ceil(block_octets) + 1,
        }
    }

    fn total(&self) -> u64 {
        self.receiving + self.assembly + self.send_queue
    }
}

impl std::fmt::Display for PoolSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "at least {} received into + {} for a TSDU in assembly (pinned_octets_max) + {} for a send queue \
             (send_high_mark_octets) = {} blocks",
            self.receiving,
            self.assembly,
            self.send_queue,
            self.total()
        )
    }
}

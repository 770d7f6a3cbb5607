//! How many sessions the descriptors of the process suffice for.

use colloquy_shard::ShardConfig;
use colloquy_transport::driver::select::Backend;
use rustix::process::{Resource, getrlimit};

/// Descriptors that sessions leave to others: listeners, control clients, HTTP, files that a reload reads.
const KEPT_MAX: u64 = 256;
/// The same where there are few, as a share of all.
const KEPT_SHARE: u64 = 4;
/// Share of those that connections may have which wait for their refusal.
const REFUSALS_SHARE: u64 = 4;

/// The limits of one of `shards` shards, lowered to the descriptors that this process may have.
///
/// Where a socket is an open file, sessions could otherwise use up the last one: whoever comes then would wait in the
/// kernel for an answer that does not come, and neither the control socket nor HTTP could be reached. Below the limit
/// they are refused by DR and counted. Connections of io_uring are in tables of their own.
pub(crate) fn within(limits: ShardConfig, backend: Backend, shards: usize) -> ShardConfig {
    match (backend, getrlimit(Resource::Nofile).current) {
        (Backend::Mio, Some(descriptors)) => lowered(limits, descriptors, shards),
        _ => limits,
    }
}

fn lowered(limits: ShardConfig, descriptors: u64, shards: usize) -> ShardConfig {
    let kept = KEPT_MAX.min(descriptors / KEPT_SHARE);
    let share = |all: u64| usize::try_from(all).unwrap_or(usize::MAX) / shards.max(1);
    ShardConfig {
        sessions_max: limits.sessions_max.min(share(descriptors - kept).max(1)),
        refusals_max: limits.refusals_max.min(share(kept / REFUSALS_SHARE).max(1)),
        ..limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_refusals_leave_room_for_others() {
        for (descriptors, shards) in [(256, 1), (256, 8), (1024, 2), (20_000, 2), (1 << 20, 4)] {
            let within = lowered(ShardConfig::default(), descriptors, shards);
            let used = (within.sessions_max + within.refusals_max) as u64 * shards as u64;
            assert!(used + 32 <= descriptors, "{descriptors} of {shards}: {used}");
        }
        let few = ShardConfig { sessions_max: 100, refusals_max: 5, ..ShardConfig::default() };
        let within = lowered(few, 20_000, 2);
        assert_eq!((within.sessions_max, within.refusals_max), (100, 5));
    }
}

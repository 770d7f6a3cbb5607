//! Why a listener has refused connections and sessions, and how often.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::limits::Limit;

/// Why somebody was refused at a listener: one word for each, however many limits and targets there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedFor {
    /// A limit on sessions at once, of whatever scope.
    Sessions,
    /// A limit on connections in a second.
    ConnectsPerSecond,
    /// A limit on connections whose S-CONNECT is not answered.
    NotEstablished,
    /// A shard's memory budget.
    Memory,
    /// The peer's network is not let in.
    Network,
    /// Nobody is called so, or the peer's certificate is not bound to its selectors.
    Selector,
    /// No route fits, or the one that does refuses.
    NoRoute,
    /// No target of the destination is usable.
    NoTarget,
    /// No target could be reached, or none answered.
    NotOpened,
    /// The target refused, and its refusal was handed on.
    ByTarget,
    /// The gateway goes away.
    Draining,
}

impl RefusedFor {
    /// Every one, in the order of the counters.
    pub const ALL: [RefusedFor; 11] = [
        RefusedFor::Sessions,
        RefusedFor::ConnectsPerSecond,
        RefusedFor::NotEstablished,
        RefusedFor::Memory,
        RefusedFor::Network,
        RefusedFor::Selector,
        RefusedFor::NoRoute,
        RefusedFor::NoTarget,
        RefusedFor::NotOpened,
        RefusedFor::ByTarget,
        RefusedFor::Draining,
    ];

    /// Because of a limit, whose word it has.
    ///
    /// # Panics
    /// For the limit on octets, which delays and never refuses.
    pub(crate) fn of_limit(limit: Limit) -> RefusedFor {
        match limit {
            Limit::Sessions => RefusedFor::Sessions,
            Limit::ConnectsPerSecond => RefusedFor::ConnectsPerSecond,
            Limit::NotEstablished => RefusedFor::NotEstablished,
            Limit::Memory => RefusedFor::Memory,
            Limit::Network => RefusedFor::Network,
            Limit::OctetsPerSecond => unreachable!("it delays and does not refuse"),
        }
    }

    /// The word of status and metrics.
    pub fn name(self) -> &'static str {
        match self {
            RefusedFor::Sessions => Limit::Sessions.name(),
            RefusedFor::ConnectsPerSecond => Limit::ConnectsPerSecond.name(),
            RefusedFor::NotEstablished => Limit::NotEstablished.name(),
            RefusedFor::Memory => Limit::Memory.name(),
            RefusedFor::Network => Limit::Network.name(),
            RefusedFor::Selector => "selector",
            RefusedFor::NoRoute => "no_route",
            RefusedFor::NoTarget => "no_target",
            RefusedFor::NotOpened => "not_opened",
            RefusedFor::ByTarget => "by_target",
            RefusedFor::Draining => "draining",
        }
    }
}

/// The counts of one listener since the start; all shards add to them, when they refuse.
#[derive(Debug, Default)]
pub struct RefusedCounts([AtomicU64; RefusedFor::ALL.len()]);

impl RefusedCounts {
    /// Counts one.
    pub(crate) fn count(&self, why: RefusedFor) {
        self.0[why as usize].fetch_add(1, Relaxed);
    }

    /// Each reason's word and its count, zeros too.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        RefusedFor::ALL.iter().zip(&self.0).map(|(why, count)| (why.name(), count.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_place_and_a_word_of_its_own() {
        let counts = RefusedCounts::default();
        for (place, why) in RefusedFor::ALL.into_iter().enumerate() {
            (0..=place).for_each(|_| counts.count(why));
        }
        let told: Vec<(&str, u64)> = counts.each().collect();
        let words: std::collections::BTreeSet<&str> = told.iter().map(|(word, _)| *word).collect();
        assert_eq!(words.len(), RefusedFor::ALL.len());
        assert!(told.iter().zip(1..).all(|((_, count), expected)| *count == expected), "{told:?}");
    }
}

//! Whether every shard turns, for who has to wait for the answer.

use std::time::{Duration, Instant};

use super::Vitals;

/// How often it is looked whether a shard has turned.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

impl Vitals {
    /// Asks every shard for a turn and waits until all have taken it, at most `patience`: the numbers of those that
    /// have not.
    pub fn silent_shards(&self, patience: Duration) -> Vec<usize> {
        let pings = self.ping();
        let end = Instant::now() + patience;
        loop {
            let silent = self.silent(&pings);
            if silent.is_empty() || Instant::now() >= end {
                return silent;
            }
            // Polls the turns until the end above: a shard has no way to wake who asks.
            std::thread::sleep(LOOK_INTERVAL);
        }
    }
}

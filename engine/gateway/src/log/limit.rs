//! Repeats of one peer: the first few in a while are logged, the rest is counted and summed up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::record::Record;

/// Length of a window.
const WINDOW: Duration = Duration::from_secs(60);
/// Peers watched at once; beyond, all others share one count.
const PEERS_MAX: usize = 4096;

/// What was left out about one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// The peer; `None` for those beyond the number that is watched.
    pub(super) peer: Option<IpAddr>,
    /// Records left out.
    pub(super) suppressed: u32,
}

#[derive(Debug, Default)]
pub(super) struct Limiter {
    windows: HashMap<Option<IpAddr>, Window>,
}

#[derive(Debug)]
struct Window {
    began: Duration,
    logged: u32,
    suppressed: u32,
}

impl Limiter {
    /// True when the record is to be logged: the account of sessions and changes of state always are, of anything else
    /// about one peer `max` in a window.
    pub(super) fn admit(&mut self, record: &Record, now: Duration, max: u32) -> bool {
        if record.event.is_always_logged() {
            return true;
        }
        let mut peer = record.subject.peer.map(|address| address.ip());
        if self.windows.len() >= PEERS_MAX && !self.windows.contains_key(&peer) {
            peer = None;
        }
        let window = self.windows.entry(peer).or_insert(Window { began: now, logged: 0, suppressed: 0 });
        if window.logged < max {
            window.logged += 1;
            return true;
        }
        window.suppressed += 1;
        false
    }

    /// Ends windows that have passed.
    pub(super) fn summaries(&mut self, now: Duration) -> Vec<Summary> {
        let mut ended = Vec::new();
        self.windows.retain(|peer, window| {
            let passed = now.saturating_sub(window.began) >= WINDOW;
            if passed && window.suppressed > 0 {
                ended.push(Summary { peer: *peer, suppressed: window.suppressed });
            }
            !passed
        });
        ended
    }

    /// Ends all windows.
    pub(super) fn all_summaries(&mut self) -> Vec<Summary> {
        self.summaries(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use colloquy_shard::SessionId;

    use super::*;
    use crate::record::{RecordEvent, Side, Subject};

    fn refused(peer: [u8; 4]) -> Record {
        Record {
            subject: Subject {
                shard: 0,
                session: SessionId { index: 0, generation: 0 },
                side: Side::Responder { listener: Some(0) },
                peer: Some((peer, 1).into()),
                partner: None,
            },
            event: RecordEvent::NotOpened { refused: 130 },
        }
    }

    #[test]
    fn repeats_are_counted_and_summed_up_by_peer() {
        let mut limiter = Limiter::default();
        let now = Duration::from_secs(100);
        let admitted = (0..50).filter(|_| limiter.admit(&refused([10, 0, 0, 1]), now, 20)).count();
        assert_eq!(admitted, 20);
        assert!(limiter.admit(&refused([10, 0, 0, 2]), now, 20), "another peer is not affected");
        assert_eq!(limiter.summaries(now + WINDOW - Duration::from_millis(1)), []);
        let summary = Summary { peer: Some([10, 0, 0, 1].into()), suppressed: 30 };
        assert_eq!(limiter.summaries(now + WINDOW), [summary]);
        assert!(limiter.admit(&refused([10, 0, 0, 1]), now + WINDOW, 20), "a new window begins");
    }

    #[test]
    fn the_number_of_peers_watched_is_bounded() {
        let mut limiter = Limiter::default();
        for peer in 0..20_000_u32 {
            limiter.admit(&refused(peer.to_be_bytes()), Duration::ZERO, 0);
        }
        assert!(limiter.windows.len() <= PEERS_MAX + 1);
        assert!(limiter.all_summaries().iter().any(|summary| summary.peer.is_none()));
    }
}

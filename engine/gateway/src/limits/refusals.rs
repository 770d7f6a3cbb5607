//! Refusals and throttles for the log: counted by what was over which limit and from where, told now and then.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Limit, Scope};

/// What is told apart at once; beyond, sources are not.
const NOTES_MAX: usize = 1024;
/// From the first refusal to its record, so that one record tells of a burst.
const FIRST_AFTER: Duration = Duration::from_secs(1);
/// From one record to the next about the same.
const NEXT_AFTER: Duration = Duration::from_secs(10);

/// What was refused, and how often since the record before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the limit is on.
    pub scope: Scope,
    /// What is limited.
    pub limit: Limit,
    /// Where they came from; `None`: from more places than are told apart.
    pub source: Option<IpAddr>,
    /// How many.
    pub count: u64,
}

type Key = (Scope, Limit, Option<IpAddr>);

#[derive(Debug, Default)]
struct Note {
    count: u64,
    /// When it is told next; `None`: the log has not seen it.
    due: Option<Duration>,
}

/// What waits to be logged.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<Key, Note>>);

impl Refusals {
    pub(super) fn note(&self, refusal: Refusal) {
        // A map of numbers is whole whatever panicked.
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (refusal.scope, refusal.limit, refusal.source);
        if notes.len() >= NOTES_MAX && !notes.contains_key(&key) {
            key.2 = None;
        }
        notes.entry(key).or_default().count += refusal.count;
    }

    /// What is to be logged by now, in the log's time; all of it `at_the_end`.
    pub fn due(&self, now: Duration, at_the_end: bool) -> Vec<Refusal> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        notes.retain(|(scope, limit, source), note| {
            let due = *note.due.get_or_insert(now + FIRST_AFTER);
            if !at_the_end && now < due {
                return true;
            }
            if note.count == 0 {
                return false;
            }
            told.push(Refusal { scope: *scope, limit: *limit, source: *source, count: note.count });
            *note = Note { count: 0, due: Some(now + NEXT_AFTER) };
            true
        });
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn refusal(source: u32, count: u64) -> Refusal {
        let source = Some(IpAddr::V4(source.into()));
        Refusal { scope: Scope::Listener(0), limit: Limit::Sessions, source, count }
    }

    #[test]
    fn a_burst_is_told_once_and_what_follows_after_a_while() {
        let refusals = Refusals::default();
        (0..50).for_each(|_| refusals.note(refusal(1, 1)));
        assert_eq!(refusals.due(100 * SECOND, false), []);
        (0..50).for_each(|_| refusals.note(refusal(1, 1)));
        assert_eq!(refusals.due(101 * SECOND, false), [refusal(1, 100)]);
        refusals.note(refusal(1, 1));
        assert_eq!(refusals.due(110 * SECOND, false), []);
        assert_eq!(refusals.due(111 * SECOND, false), [refusal(1, 1)]);
        assert_eq!(refusals.due(200 * SECOND, false), []);
        assert!(refusals.0.lock().unwrap().is_empty(), "forgotten when nothing more comes");
    }

    #[test]
    fn what_waits_is_bounded_and_all_of_it_told_at_the_end() {
        let refusals = Refusals::default();
        (0..5000).for_each(|source| refusals.note(refusal(source, 1)));
        assert!(refusals.0.lock().unwrap().len() <= NOTES_MAX + 1);
        let told = refusals.due(SECOND, true);
        assert_eq!(told.iter().map(|refusal| refusal.count).sum::<u64>(), 5000);
        assert!(told.iter().any(|refusal| refusal.source.is_none()));
    }
}

//! Refusals and throttles for the log: counted by what was over which limit, told now and then, with the sources that had
//! most of them. However many sources there are, a limit has one record in a while.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Limit, Scope};

/// Sources of one limit that are told apart between two records; those beyond are counted together.
const SOURCES_TOLD_APART_MAX: usize = 1024;
/// Sources that a record names.
const NAMED_MAX: usize = 5;
/// From the first refusal to its record, so that one record tells of a burst.
const FIRST_AFTER: Duration = Duration::from_secs(1);
/// From one record to the next about the same.
const NEXT_AFTER: Duration = Duration::from_secs(10);

/// What was refused by one limit since the record before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the limit is on.
    pub scope: Scope,
    /// What is limited.
    pub limit: Limit,
    /// How many.
    pub count: u64,
    /// Sources that were told apart.
    pub sources: usize,
    /// How many came from sources that were not, because there were too many.
    pub from_others: u64,
    /// The sources with the most, and how many each had; the first has most.
    pub most: Vec<(IpAddr, u64)>,
}

#[derive(Debug, Default)]
struct Note {
    count: u64,
    sources: HashMap<IpAddr, u64>,
    from_others: u64,
    /// When it is told next; `None`: the log has not seen it.
    due: Option<Duration>,
}

impl Note {
    fn add(&mut self, source: Option<IpAddr>) {
        self.count += 1;
        let room = self.sources.len() < SOURCES_TOLD_APART_MAX;
        match source.filter(|source| room || self.sources.contains_key(source)) {
            Some(source) => *self.sources.entry(source).or_default() += 1,
            None => self.from_others += 1,
        }
    }

    /// What is told, and forgotten with it.
    fn take(&mut self, scope: Scope, limit: Limit) -> Refusal {
        let mut most: Vec<(IpAddr, u64)> = self.sources.drain().collect();
        let sources = most.len();
        most.sort_unstable_by_key(|(source, count)| (Reverse(*count), *source));
        most.truncate(NAMED_MAX);
        let count = std::mem::take(&mut self.count);
        Refusal { scope, limit, count, sources, from_others: std::mem::take(&mut self.from_others), most }
    }
}

/// What waits to be logged. There are no more keys than limits in the configuration.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<(Scope, Limit), Note>>);

impl Refusals {
    pub(super) fn note(&self, scope: Scope, limit: Limit, source: Option<IpAddr>) {
        // A map of numbers is whole whatever panicked.
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.entry((scope, limit)).or_default().add(source);
    }

    /// What is to be logged by now, in the log's time; all of it `at_the_end`.
    pub fn due(&self, now: Duration, at_the_end: bool) -> Vec<Refusal> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        notes.retain(|(scope, limit), note| {
            let due = *note.due.get_or_insert(now + FIRST_AFTER);
            if !at_the_end && now < due {
                return true;
            }
            if note.count == 0 {
                return false;
            }
            told.push(note.take(*scope, *limit));
            note.due = Some(now + NEXT_AFTER);
            true
        });
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const SCOPE: Scope = Scope::Listener(0);

    fn source(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn note(refusals: &Refusals, number: u32, times: usize) {
        (0..times).for_each(|_| refusals.note(SCOPE, Limit::Sessions, Some(source(number))));
    }

    fn of_one(number: u32, count: u64) -> Refusal {
        let most = vec![(source(number), count)];
        Refusal { scope: SCOPE, limit: Limit::Sessions, count, sources: 1, from_others: 0, most }
    }

    #[test]
    fn a_burst_is_told_once_and_what_follows_after_a_while() {
        let refusals = Refusals::default();
        note(&refusals, 1, 50);
        assert_eq!(refusals.due(100 * SECOND, false), []);
        note(&refusals, 1, 50);
        assert_eq!(refusals.due(101 * SECOND, false), [of_one(1, 100)]);
        note(&refusals, 1, 1);
        assert_eq!(refusals.due(110 * SECOND, false), []);
        assert_eq!(refusals.due(111 * SECOND, false), [of_one(1, 1)]);
        assert_eq!(refusals.due(200 * SECOND, false), []);
        assert!(refusals.0.lock().unwrap().is_empty(), "forgotten when nothing more comes");
    }

    #[test]
    fn many_sources_make_one_record_that_names_those_with_the_most() {
        let refusals = Refusals::default();
        (1..=300).for_each(|number| note(&refusals, number, 1));
        note(&refusals, 77, 9);
        note(&refusals, 200, 4);
        let told = refusals.due(SECOND, true).remove(0);
        assert_eq!((told.count, told.sources, told.from_others), (313, 300, 0));
        assert_eq!(told.most.len(), NAMED_MAX);
        assert_eq!(told.most[..3], [(source(77), 10), (source(200), 5), (source(1), 1)]);
    }

    #[test]
    fn what_waits_is_bounded_and_none_is_left_out_of_the_count() {
        let refusals = Refusals::default();
        (0..5000).for_each(|number| note(&refusals, number, 1));
        refusals.note(Scope::Shard, Limit::Memory, None);
        // One that is known goes on being told apart.
        note(&refusals, 3, 7);
        let mut told = refusals.due(SECOND, true);
        told.sort_by_key(|refusal| refusal.count);
        let [memory, sessions] = &told[..] else { panic!("{told:?}") };
        assert_eq!((memory.count, memory.sources, memory.from_others), (1, 0, 1));
        assert_eq!((sessions.count, sessions.sources), (5007, SOURCES_TOLD_APART_MAX));
        assert_eq!(sessions.from_others, 5000 - SOURCES_TOLD_APART_MAX as u64);
        assert_eq!(sessions.most[0], (source(3), 8));
    }
}

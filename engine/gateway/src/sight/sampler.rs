//! Samples of the counters, one a second, from which rates come.

use std::collections::VecDeque;
use std::time::Duration;

use colloquy_shard::Tally;

use super::status::{History, Rates};
use crate::plan::{ListenerStatus, Plan};
use crate::vitals::Vitals;

/// Samples kept: two minutes.
const SAMPLES_MAX: usize = 120;
/// Time between two samples.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
/// A sample that is this much younger than a span still stands for it: threads wake late and early.
const TOLERANCE: Duration = Duration::from_millis(150);

/// What is sampled of one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) ssdus_in: u64,
    pub(super) ssdus_out: u64,
    pub(super) octets_in: u64,
    pub(super) octets_out: u64,
    pub(super) opened: u64,
    pub(super) closed: u64,
    pub(super) spdus: u64,
    pub(super) turns: u64,
    pub(super) system_calls: u64,
    pub(super) busy_ns: u64,
    /// Gauge.
    pub(super) sessions: u64,
}

impl Numbers {
    pub(super) fn of(tally: &Tally) -> Numbers {
        Numbers {
            ssdus_in: tally.spdus_data_in + tally.spdus_typed_data_in,
            ssdus_out: tally.spdus_data_out + tally.spdus_typed_data_out,
            octets_in: tally.octets_in,
            octets_out: tally.octets_out,
            opened: tally.sessions_opened,
            closed: closed(tally),
            spdus: spdus(tally),
            turns: tally.turns,
            system_calls: tally.system_calls,
            busy_ns: tally.busy_ns,
            sessions: tally.sessions_open_initiator + tally.sessions_open_responder,
        }
    }

    fn add(&mut self, other: &Numbers) {
        self.ssdus_in += other.ssdus_in;
        self.ssdus_out += other.ssdus_out;
        self.octets_in += other.octets_in;
        self.octets_out += other.octets_out;
        self.opened += other.opened;
        self.closed += other.closed;
        self.spdus += other.spdus;
        self.turns += other.turns;
        self.system_calls += other.system_calls;
        self.busy_ns += other.busy_ns;
        self.sessions += other.sessions;
    }
}

/// Sessions that have ended, in whatever way.
pub(super) fn closed(tally: &Tally) -> u64 {
    tally.entries().filter(|(name, _)| name.starts_with("ended_")).map(|(_, count)| count).sum()
}

/// SPDUs in both directions.
pub(super) fn spdus(tally: &Tally) -> u64 {
    let counts = tally.entries().filter(|(name, _)| name.starts_with("spdus_"));
    counts.map(|(_, count)| count).sum::<u64>() + tally.aborts_indicated
}

/// The counters at one moment.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    at: Duration,
    shards: Vec<Numbers>,
    /// Sessions established by each listener.
    listeners: Vec<u64>,
}

impl Sample {
    pub(super) fn take(vitals: &Vitals, at: Duration) -> Sample {
        let shards = vitals.tallies().map(|tally| Numbers::of(&tally)).collect();
        Sample::of_tallies(at, shards, &vitals.plan())
    }

    pub(super) fn of_tallies(at: Duration, shards: Vec<Numbers>, plan: &Plan) -> Sample {
        let established = |listener: &std::sync::Arc<ListenerStatus>| listener.limits.established_count();
        Sample { at, shards, listeners: plan.listeners.iter().map(established).collect() }
    }

    pub(super) fn listeners(&self) -> &[u64] {
        &self.listeners
    }

    pub(super) fn shard_count(&self) -> usize {
        self.shards.len()
    }

    fn total(&self) -> Numbers {
        let mut total = Numbers::default();
        self.shards.iter().for_each(|shard| total.add(shard));
        total
    }

    fn of(&self, shard: Option<usize>) -> Numbers {
        shard.map_or_else(|| self.total(), |shard| self.shards.get(shard).copied().unwrap_or_default())
    }
}

/// The last samples, oldest first.
#[derive(Debug, Default)]
pub(super) struct Samples(VecDeque<Sample>);

impl Samples {
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.until_due(now).is_zero()
    }

    pub(super) fn until_due(&self, now: Duration) -> Duration {
        self.0.back().map_or(Duration::ZERO, |last| (last.at + INTERVAL).saturating_sub(now))
    }

    pub(super) fn push(&mut self, sample: Sample) {
        if self.0.len() == SAMPLES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The youngest sample that is at least `span` older than `now`, else the oldest.
    fn before(&self, now: &Sample, span: Duration) -> Option<&Sample> {
        let old_enough = |sample: &&Sample| sample.at + span <= now.at + TOLERANCE;
        self.0.iter().rev().find(old_enough).or_else(|| self.0.front())
    }

    /// Rates over the last `span` up to `now`, of one shard or of all; zero before there are samples.
    pub(super) fn rates(&self, now: &Sample, shard: Option<usize>, span: Duration) -> Rates {
        let Some(before) = self.before(now, span) else { return Rates::default() };
        rates(&before.of(shard), &now.of(shard), now.at.saturating_sub(before.at))
    }

    /// Sessions that a listener has established in a second, over the last ten.
    pub(super) fn listener_rate(&self, now: &Sample, listener: usize) -> f64 {
        let Some(before) = self.before(now, Duration::from_secs(10)) else { return 0.0 };
        let of = |sample: &Sample| sample.listeners.get(listener).copied().unwrap_or_default();
        let seconds = now.at.saturating_sub(before.at).as_secs_f64();
        if seconds > 0.0 { of(now).saturating_sub(of(before)) as f64 / seconds } else { 0.0 }
    }

    /// The course of the last minutes, of all shards together.
    pub(super) fn history(&self) -> History {
        let mut history = History::default();
        for (before, after) in self.0.iter().zip(self.0.iter().skip(1)) {
            let (from, to) = (before.total(), after.total());
            let rates = rates(&from, &to, after.at.saturating_sub(before.at));
            history.ssdus_in_per_second.push(rounded(rates.ssdus_in_per_second));
            history.ssdus_out_per_second.push(rounded(rates.ssdus_out_per_second));
            history.octets_in_per_second.push(rounded(rates.octets_in_per_second));
            history.octets_out_per_second.push(rounded(rates.octets_out_per_second));
            history.opened_per_second.push(rounded(rates.opened_per_second));
            history.sessions.push(to.sessions);
        }
        history
    }
}

/// To tenths: more digits of a course are noise, and long.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn rates(from: &Numbers, to: &Numbers, elapsed: Duration) -> Rates {
    let seconds = elapsed.as_secs_f64();
    if seconds <= 0.0 {
        return Rates::default();
    }
    let per_second = |from: u64, to: u64| to.saturating_sub(from) as f64 / seconds;
    let spdus = to.spdus.saturating_sub(from.spdus);
    Rates {
        seconds,
        ssdus_in_per_second: per_second(from.ssdus_in, to.ssdus_in),
        ssdus_out_per_second: per_second(from.ssdus_out, to.ssdus_out),
        octets_in_per_second: per_second(from.octets_in, to.octets_in),
        octets_out_per_second: per_second(from.octets_out, to.octets_out),
        opened_per_second: per_second(from.opened, to.opened),
        closed_per_second: per_second(from.closed, to.closed),
        turns_per_second: per_second(from.turns, to.turns),
        // A turn that is not over yet is counted with the next sample, so that a span may seem more than full.
        busy_ratio: (per_second(from.busy_ns, to.busy_ns) / 1e9).min(1.0),
        system_calls_per_spdu: (spdus > 0)
            .then(|| to.system_calls.saturating_sub(from.system_calls) as f64 / spdus as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_millis: u64, ssdus: &[u64]) -> Sample {
        let shards = ssdus.iter().map(|ssdus_in| Numbers { ssdus_in: *ssdus_in, ..Numbers::default() });
        let listeners = ssdus.iter().map(|count| count * 2).collect();
        Sample { at: Duration::from_millis(at_millis), shards: shards.collect(), listeners }
    }

    #[test]
    fn rates_are_of_the_span_that_was_asked_for() {
        let mut samples = Samples::default();
        for second in 0..200_u64 {
            samples.push(sample(second * 1000, &[second * 10, second * second]));
        }
        assert_eq!(samples.0.len(), SAMPLES_MAX);
        let now = sample(200_000, &[2010, 200 * 200]);
        let rate =
            |shard, seconds| samples.rates(&now, shard, Duration::from_secs(seconds)).ssdus_in_per_second;
        assert_eq!(rate(Some(0), 1), 20.0);
        assert_eq!(rate(Some(0), 10), 11.0);
        assert_eq!(rate(Some(1), 10), f64::from(200 * 200 - 190 * 190) / 10.0);
        assert_eq!(rate(None, 10), 11.0 + rate(Some(1), 10));
        assert_eq!(samples.listener_rate(&now, 0), 22.0);
        let history = samples.history();
        assert_eq!(history.ssdus_in_per_second.len(), SAMPLES_MAX - 1);
        assert_eq!(history.ssdus_in_per_second.last(), Some(&(10.0 + f64::from(199 * 199 - 198 * 198))));
    }

    #[test]
    fn before_the_first_sample_there_is_no_rate() {
        let samples = Samples::default();
        assert!(samples.is_due(Duration::ZERO));
        assert_eq!(samples.rates(&sample(5, &[1]), None, INTERVAL), Rates::default());
        let mut samples = Samples::default();
        samples.push(sample(0, &[0]));
        assert!(!samples.is_due(Duration::from_millis(999)) && samples.is_due(INTERVAL));
        let rates = samples.rates(&sample(500, &[100]), None, Duration::from_secs(60));
        assert_eq!((rates.seconds, rates.ssdus_in_per_second), (0.5, 200.0));
    }
}

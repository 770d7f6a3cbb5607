//! Latencies by interval, recorded without an allocation or a copy on the data path.
//!
//! A generator records into one set of histograms. When an interval is over it exchanges the set for an empty one,
//! by moving a few pointers; the coordinator takes the full one, keeps it in the V2 form, adds it to the totals,
//! empties it and gives it back. If none is ready, the generator goes on with the set it has: nothing is lost, but the
//! values of that interval are told with the next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crossbeam::queue::ArrayQueue;
use hdrhistogram::Histogram;

use crate::operation::{Operation, Operations};
use crate::plan::LoadPlan;
use crate::recorder::{Recorder, histogram};

use super::hgrm::{read_hdr, write_hdr};

/// Most intervals of a run: longer runs get longer intervals.
pub const INTERVALS_MAX: u32 = 3600;
/// Runs not longer than this are cut finely.
const SHORT_RUN: Duration = Duration::from_secs(30);
/// The fine cut.
const SHORT_INTERVAL: Duration = Duration::from_millis(100);
/// Sets between a generator and the coordinator, who looks five times a second.
const SETS: usize = 5;
/// Response and service time of SSDUs, and every operation.
const SERIES: usize = 2 + Operation::ALL.len();

/// The length of the intervals of a run: 100 ms in short ones, else whole seconds.
pub fn interval_length(measured: Duration) -> Duration {
    match measured <= SHORT_RUN {
        true => SHORT_INTERVAL,
        false => Duration::from_secs(measured.as_secs().div_ceil(u64::from(INTERVALS_MAX)).max(1)),
    }
}

/// The name of a series in logs: that of the operation, `response` or `service`.
fn series_name(series: usize) -> &'static str {
    match series {
        0 => "response",
        1 => "service",
        _ => Operation::ALL[series - 2].name(),
    }
}

/// What of a recorder is cut into intervals.
#[derive(Debug)]
struct Times {
    response_ns: Histogram<u64>,
    service_ns: Histogram<u64>,
    operations: Operations,
}

impl Default for Times {
    fn default() -> Self {
        Times { response_ns: histogram(), service_ns: histogram(), operations: Operations::default() }
    }
}

impl Times {
    /// An empty set with all that a recorder of the plan has.
    fn of(plan: &LoadPlan) -> Times {
        let mut recorder = Recorder::default();
        recorder.prepare(plan);
        let Recorder { response_ns, service_ns, operations, .. } = recorder;
        Times { response_ns, service_ns, operations }
    }

    fn series(&mut self) -> impl Iterator<Item = (usize, &mut Histogram<u64>)> {
        series_of(&mut self.response_ns, &mut self.service_ns, &mut self.operations)
    }
}

impl Recorder {
    fn series(&mut self) -> impl Iterator<Item = (usize, &mut Histogram<u64>)> {
        series_of(&mut self.response_ns, &mut self.service_ns, &mut self.operations)
    }
}

/// Histograms with the number of their series.
fn series_of<'a>(
    response_ns: &'a mut Histogram<u64>,
    service_ns: &'a mut Histogram<u64>,
    operations: &'a mut Operations,
) -> impl Iterator<Item = (usize, &'a mut Histogram<u64>)> {
    let operations = operations
        .latencies_mut()
        .enumerate()
        .filter_map(|(place, latency)| Some((2 + place, latency.as_deref_mut()?)));
    [(0, response_ns), (1, service_ns)].into_iter().chain(operations)
}

/// A set of histograms on its way between a generator and the coordinator.
#[derive(Debug)]
struct Set {
    number: u32,
    times: Box<Times>,
}

/// What a generator and the coordinator exchange sets through.
#[derive(Debug)]
pub(crate) struct Exchange {
    filled: ArrayQueue<Set>,
    empty: ArrayQueue<Set>,
}

impl Exchange {
    pub(crate) fn new(plan: &LoadPlan) -> Exchange {
        let exchange = Exchange { filled: ArrayQueue::new(SETS), empty: ArrayQueue::new(SETS) };
        for _ in 0..SETS {
            let mut times = Box::new(Times::of(plan));
            // Touches the memory, so that the generator meets no fresh page.
            times.series().for_each(|(_, of)| of.reset());
            exchange.empty.push(Set { number: 0, times }).expect("there is room for all sets");
        }
        exchange
    }
}

/// Where a generator is among the intervals.
#[derive(Debug)]
pub(crate) struct Rolling {
    exchange: Option<Arc<Exchange>>,
    from: Duration,
    length: Duration,
    number: u32,
    /// When the interval ends, on the driver's clock.
    ends_at: Duration,
    began_at: Option<SystemTime>,
}

impl Default for Rolling {
    fn default() -> Self {
        Rolling {
            exchange: None,
            from: Duration::ZERO,
            length: SHORT_INTERVAL,
            number: 0,
            ends_at: Duration::MAX,
            began_at: None,
        }
    }
}

impl Rolling {
    pub(crate) fn new(exchange: Arc<Exchange>, plan: &LoadPlan) -> Rolling {
        Rolling { exchange: Some(exchange), length: interval_length(plan.duration()), ..Rolling::default() }
    }

    /// Begins the first interval at `from`, when the measured part does.
    pub(crate) fn begin(&mut self, from: Duration, now: Duration) {
        self.from = from;
        self.ends_at = from + self.length;
        self.began_at = Some(SystemTime::now() + from.saturating_sub(now));
    }

    /// When the measured part began, by the wall clock.
    pub(crate) fn began_at(&self) -> Option<SystemTime> {
        self.began_at
    }

    /// Takes over when another's measured part began, if that was later.
    pub(crate) fn note_began_at(&mut self, other: &Rolling) {
        self.began_at = self.began_at.max(other.began_at);
    }
}

impl Recorder {
    /// Ends the interval when it is over: what is recorded from now on belongs to the one that `now` is in.
    #[inline]
    pub(crate) fn roll(&mut self, now: Duration) {
        if now >= self.rolling.ends_at {
            self.hand_over(now);
        }
    }

    #[cold]
    fn hand_over(&mut self, now: Duration) {
        let Some(exchange) = self.rolling.exchange.clone() else { return };
        let Rolling { from, length, number, .. } = self.rolling;
        let following =
            (now.saturating_sub(from).as_nanos() / length.as_nanos()).min(u128::from(u32::MAX)) as u32;
        self.rolling.number = following;
        self.rolling.ends_at = from + length * following.saturating_add(1);
        let is_empty = self.series().all(|(_, of)| of.is_empty());
        if is_empty {
            return;
        }
        let Some(mut set) = exchange.empty.pop() else { return };
        for ((_, mine), (_, spare)) in self.series().zip(set.times.series()) {
            std::mem::swap(mine, spare);
        }
        set.number = number;
        exchange.filled.push(set).expect("there is room for all sets");
    }
}

/// What the coordinator keeps of the sets it has taken.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    exchanges: Vec<Arc<Exchange>>,
    total: Times,
    kept: BTreeMap<(u32, usize), Vec<Vec<u8>>>,
}

impl Collector {
    pub(crate) fn add(&mut self, exchange: Arc<Exchange>) {
        self.exchanges.push(exchange);
    }

    /// Takes what the generators have filled and gives it back empty.
    pub(crate) fn collect(&mut self) {
        for exchange in &self.exchanges {
            while let Some(mut set) = exchange.filled.pop() {
                keep(&mut self.kept, set.number, set.times.series());
                let Times { response_ns, service_ns, operations } = &mut self.total;
                add(response_ns, &set.times.response_ns);
                add(service_ns, &set.times.service_ns);
                operations.merge(&set.times.operations);
                set.times.series().filter(|(_, of)| !of.is_empty()).for_each(|(_, of)| of.reset());
                exchange.empty.push(set).expect("there is room for all sets");
            }
        }
    }

    /// Takes the last interval of a generator that has ended.
    pub(crate) fn last(&mut self, recorder: &mut Recorder) {
        keep(&mut self.kept, recorder.rolling.number, recorder.series());
    }

    /// Adds to `merged` what was taken earlier than with [`last`](Self::last), and gives the intervals themselves.
    pub(crate) fn finish(mut self, plan: &LoadPlan, merged: &mut Recorder) -> Intervals {
        self.collect();
        add(&mut merged.response_ns, &self.total.response_ns);
        add(&mut merged.service_ns, &self.total.service_ns);
        merged.operations.merge(&self.total.operations);
        Intervals { length: interval_length(plan.duration()), kept: self.kept }
    }
}

fn add(total: &mut Histogram<u64>, of: &Histogram<u64>) {
    total.add(of).expect("all histograms have the same bounds");
}

fn keep<'a>(
    kept: &mut BTreeMap<(u32, usize), Vec<Vec<u8>>>,
    number: u32,
    series: impl Iterator<Item = (usize, &'a mut Histogram<u64>)>,
) {
    for (series, of) in series.filter(|(_, of)| !of.is_empty()) {
        let mut v2 = Vec::new();
        write_hdr(of, &mut v2).expect("a histogram of our bounds fits its form, and memory takes it");
        kept.entry((number, series)).or_default().push(v2);
    }
}

/// The latencies of a run by interval.
#[derive(Debug)]
pub struct Intervals {
    length: Duration,
    kept: BTreeMap<(u32, usize), Vec<Vec<u8>>>,
}

impl Default for Intervals {
    fn default() -> Self {
        Intervals { length: SHORT_INTERVAL, kept: BTreeMap::new() }
    }
}

/// One interval of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// From the beginning of the measured part to that of the interval.
    pub start: Duration,
    /// `response`, `service`, or an operation's name.
    pub series: &'static str,
    /// What was answered in it, in nanoseconds.
    pub histogram_ns: Histogram<u64>,
}

impl Intervals {
    /// The length of every interval.
    pub fn length(&self) -> Duration {
        self.length
    }

    /// All intervals in their order. The response time has one for every interval up to its last value, be it empty;
    /// the others have those with values.
    pub fn iter(&self) -> impl Iterator<Item = Interval> {
        let last = self.kept.keys().map(|(number, _)| *number).max();
        let numbers = last.map_or(0..0, |last| 0..last.saturating_add(1));
        numbers.flat_map(move |number| {
            (0..SERIES).filter_map(move |series| {
                let kept = self.kept.get(&(number, series));
                if kept.is_none() && series != 0 {
                    return None;
                }
                let mut histogram_ns = histogram();
                for v2 in kept.into_iter().flatten() {
                    let of = read_hdr(&mut &v2[..]).expect("what was written here can be read");
                    add(&mut histogram_ns, &of);
                }
                Some(Interval { start: self.length * number, series: series_name(series), histogram_ns })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn recorder(plan: &LoadPlan, collector: &mut Collector) -> Recorder {
        let exchange = Arc::new(Exchange::new(plan));
        collector.add(exchange.clone());
        let mut recorder = Recorder { rolling: Rolling::new(exchange, plan), ..Recorder::default() };
        recorder.prepare(plan);
        recorder.rolling.begin(1000 * MS, 900 * MS);
        recorder
    }

    fn counts(intervals: &Intervals, series: &str) -> Vec<u64> {
        intervals.iter().filter(|i| i.series == series).map(|i| i.histogram_ns.len()).collect()
    }

    #[test]
    fn two_generators_fill_the_same_intervals_and_lose_nothing() {
        let plan = LoadPlan { duration_ms: 1000, ..LoadPlan::default() };
        let mut collector = Collector::default();
        let mut threads = [recorder(&plan, &mut collector), recorder(&plan, &mut collector)];
        for ms in [1000, 1099, 1100, 1350] {
            for recorder in &mut threads {
                recorder.roll(ms * MS);
                recorder.response_ns.record(u64::from(ms)).unwrap();
            }
        }
        threads[0].operations.completed(Operation::Release, Some(MS));
        let mut merged = Recorder::default();
        for recorder in &mut threads {
            collector.last(recorder);
            merged.merge(recorder);
        }
        let intervals = collector.finish(&plan, &mut merged);
        assert_eq!(merged.response_ns.len(), 8);
        assert_eq!(counts(&intervals, "response"), [4, 2, 0, 2]);
        assert_eq!(counts(&intervals, "release"), [1]);
        let release = intervals.iter().find(|i| i.series == "release").unwrap();
        assert_eq!(release.start, 300 * MS);
        assert_eq!(
            intervals.iter().filter(|i| i.series == "response").map(|i| i.histogram_ns.max()).max(),
            Some(1350)
        );
    }

    #[test]
    fn without_an_empty_set_an_interval_is_told_with_a_later_one() {
        let plan = LoadPlan { duration_ms: 10_000, ..LoadPlan::default() };
        let mut collector = Collector::default();
        let mut one = recorder(&plan, &mut collector);
        for number in 0..SETS as u32 + 3 {
            one.roll((1000 + 100 * number) * MS);
            one.response_ns.record(5).unwrap();
        }
        collector.last(&mut one);
        let intervals = collector.finish(&plan, &mut one);
        assert_eq!(one.response_ns.len(), SETS as u64 + 3);
        assert_eq!(counts(&intervals, "response"), [1, 1, 1, 1, 1, 0, 0, 3]);
    }

    #[test]
    fn long_runs_have_whole_seconds_and_not_too_many_intervals() {
        assert_eq!(interval_length(Duration::from_secs(30)), 100 * MS);
        assert_eq!(interval_length(Duration::from_secs(31)), 1000 * MS);
        assert_eq!(interval_length(Duration::from_secs(3600)), 1000 * MS);
        assert_eq!(interval_length(Duration::from_secs(3601)), 2000 * MS);
    }
}

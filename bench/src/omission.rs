//! What a closed loop leaves out: while a peer stands still, nothing is asked of it, and so nothing is measured.
//!
//! An open loop has no such gap, because response times count from when a request was due. For a closed loop the times
//! are told a second time with HdrHistogram's correction: each long time stands for the requests that would have
//! followed one another in it at the usual distance, the median.

use hdrhistogram::Histogram;

use crate::report::Percentiles;

/// The correction adds at most this many values for one, which bounds the time that it takes.
const ADDED_MAX: u64 = 10_000;
/// How many times longer than measured the corrected p99.9 is when it is pointed out.
const WORTH_A_NOTE: f64 = 2.0;

/// The percentiles of a closed loop with the correction; `None` when nothing was measured.
pub(crate) fn corrected(response_ns: &Histogram<u64>) -> Option<Percentiles> {
    if response_ns.is_empty() {
        return None;
    }
    let usual = response_ns.value_at_quantile(0.5).max(response_ns.max() / ADDED_MAX).max(1);
    Some(Percentiles::of(&response_ns.clone_correct(usual)))
}

/// What a reader of a closed loop's percentiles must know, if there is something.
pub(crate) fn note(measured: &Percentiles, corrected: &Percentiles) -> Option<String> {
    (corrected.p999 > WORTH_A_NOTE * measured.p999).then(|| {
        format!(
            "coordinated omission: a closed loop asks nothing of a peer that stands still (here for up to {:.0} ms); \
             with requests at their usual distance p99.9 would be {:.0} us, not {:.0} us. --rate measures it",
            measured.max / 1e3,
            corrected.p999,
            measured.p999
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::histogram;

    #[test]
    fn a_stall_of_a_second_is_told_of_where_a_closed_loop_has_one_value_of_it() {
        let mut times = histogram();
        times.record_n(1_000_000, 4000).unwrap();
        times.record(1_000_000_000).unwrap();
        let (measured, corrected) = (Percentiles::of(&times), corrected(&times).unwrap());
        assert!(measured.p999 < 1100.0, "{measured:?}");
        assert!(corrected.p999 > 900_000.0, "{corrected:?}");
        assert!(note(&measured, &corrected).unwrap().contains("up to 1000 ms"));
    }

    #[test]
    fn even_times_need_no_note() {
        let mut times = histogram();
        (1..=1000).for_each(|index| times.record(1_000_000 + index).unwrap());
        let (measured, corrected) = (Percentiles::of(&times), corrected(&times).unwrap());
        assert_eq!(note(&measured, &corrected), None);
        assert!(super::corrected(&histogram()).is_none());
    }

    #[test]
    fn the_longest_time_beside_the_shortest_is_corrected_in_bounded_steps() {
        let mut times = histogram();
        times.record_n(1, 100).unwrap();
        times.record(crate::recorder::LATENCY_NS_MAX).unwrap();
        assert!(corrected(&times).unwrap().count <= 101 + 2 * ADDED_MAX);
    }
}

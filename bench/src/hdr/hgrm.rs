//! One histogram as a file: the percentile listing, and the V2 form.

use std::io::{self, Read, Write};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

/// Lines of the listing each time the distance to 100 % halves.
const TICKS_PER_HALF: u32 = 5;

/// Writes the percentile listing that HdrHistogram's plotters read: values in microseconds of a histogram of
/// nanoseconds, which the last line says too.
///
/// # Errors
/// What the writer says.
pub fn write_hgrm(histogram_ns: &Histogram<u64>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:>12} {:>14} {:>10} {:>14}\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")?;
    let mut total = 0;
    for step in histogram_ns.iter_quantiles(TICKS_PER_HALF) {
        total += step.count_since_last_iteration();
        let quantile = step.quantile_iterated_to();
        let value = step.value_iterated_to() as f64 / 1000.0;
        if quantile < 1.0 {
            writeln!(out, "{value:>12.3} {quantile:>14.12} {total:>10} {:>14.2}", 1.0 / (1.0 - quantile))?;
        } else {
            writeln!(out, "{value:>12.3} {quantile:>14.12} {total:>10}")?;
        }
    }
    let (mean, deviation) = (histogram_ns.mean() / 1000.0, histogram_ns.stdev() / 1000.0);
    writeln!(out, "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]")?;
    let (max, count) = (histogram_ns.max() as f64 / 1000.0, histogram_ns.len());
    writeln!(out, "#[Max     = {max:>12.3}, Total count    = {count:>12}]")?;
    let sub_buckets = (2 * 10u64.pow(u32::from(histogram_ns.sigfig()))).next_power_of_two();
    writeln!(out, "#[Buckets = {:>12}, SubBuckets     = {sub_buckets:>12}]", histogram_ns.buckets())?;
    writeln!(out, "#[Values in microseconds, recorded in nanoseconds and divided by 1000]")
}

/// Writes the whole histogram in the V2 form.
///
/// # Errors
/// What the writer says.
pub fn write_hdr(histogram: &Histogram<u64>, out: &mut impl Write) -> io::Result<()> {
    V2Serializer::new()
        .serialize(histogram, out)
        .map(|_octets| ())
        .map_err(|error| io::Error::other(error.to_string()))
}

/// Reads what [`write_hdr`] has written, or any histogram in a V2 form.
///
/// # Errors
/// What the reader says; `InvalidData` when the octets are no histogram.
pub fn read_hdr(from: &mut impl Read) -> io::Result<Histogram<u64>> {
    Deserializer::new()
        .deserialize(from)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::histogram;

    #[test]
    fn the_listing_has_rows_that_count_all_values_and_the_footer_of_the_tools() {
        let mut of = histogram();
        (1..=10_000u64).for_each(|us| of.record(us * 1000).unwrap());
        let mut text = Vec::new();
        write_hgrm(&of, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .take_while(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().map(|number| number.parse().unwrap()).collect())
            .collect();
        assert!(rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2]), "{text}");
        let median = rows.iter().find(|row| row[1] >= 0.5).unwrap();
        assert!((median[0] - 5000.0).abs() < 10.0, "{median:?}");
        assert_eq!(median[3], 2.0);
        assert_eq!(rows.last().unwrap()[2], 10_000.0);
        let footer: Vec<&str> = text.lines().filter(|line| line.starts_with("#[")).collect();
        assert!(footer[0].starts_with("#[Mean    =     500"), "{footer:?}");
        assert!(footer[0].contains(", StdDeviation   = "), "{footer:?}");
        assert!(footer[1].ends_with("Total count    =        10000]"), "{footer:?}");
        assert!(footer[2].ends_with("SubBuckets     =         2048]"), "{footer:?}");
    }

    #[test]
    fn a_histogram_comes_back_and_rubbish_does_not() {
        let mut of = histogram();
        of.record_n(123_456, 7).unwrap();
        let mut octets = Vec::new();
        write_hdr(&of, &mut octets).unwrap();
        assert_eq!(read_hdr(&mut &octets[..]).unwrap(), of);
        assert_eq!(read_hdr(&mut &octets[..9]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

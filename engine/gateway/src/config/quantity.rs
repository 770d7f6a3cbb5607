//! Numbers of octets and times as a configuration writes them.

use std::time::Duration;

/// Units of a time, the longest first.
const TIMES: [(&str, u64); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// Units of a number of octets, the largest first.
const SIZES: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// `"750ms"`: a whole number and one of `us`, `ms`, `s`, `min`, `h`, `d`; `None`: anything else.
pub(crate) fn read_duration(text: &str) -> Option<Duration> {
    quantity(text, &TIMES).map(Duration::from_micros)
}

/// `"64KiB"`: a whole number and one of `B`, `KiB`, `MiB`, `GiB`, `TiB`; `None`: anything else.
pub(super) fn read_size(text: &str) -> Option<u64> {
    quantity(text, &SIZES)
}

/// As `read_duration` reads it, in the longest unit that has no fraction.
pub fn duration_text(duration: Duration) -> String {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros == 0 { "0s".to_owned() } else { in_largest_unit(micros, &TIMES) }
}

/// As `read_size` reads it, in the largest unit that has no fraction.
pub fn size_text(octets: u64) -> String {
    if octets < 1 << 10 { octets.to_string() } else { in_largest_unit(octets, &SIZES) }
}

fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// What may have been meant by a time that was written otherwise, as it is to be written.
pub(super) fn guess_duration(text: &str) -> Option<String> {
    let (number, unit) = number_and_unit(text)?;
    let micros = match unit.as_str() {
        "us" | "usec" | "µs" | "microseconds" => 1.0,
        "ms" | "msec" | "millis" | "milliseconds" => 1e3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e6,
        "m" | "min" | "mins" | "minute" | "minutes" => 6e7,
        "h" | "hr" | "hour" | "hours" => 3.6e9,
        "d" | "day" | "days" => 8.64e10,
        _ => return None,
    };
    Some(duration_text(Duration::from_micros(whole(number * micros)?)))
}

/// The same for a number of octets.
pub(super) fn guess_size(text: &str) -> Option<String> {
    let (number, unit) = number_and_unit(text)?;
    let shift = match unit
        .trim_end_matches("ytes")
        .trim_end_matches("yte")
        .trim_end_matches('b')
        .trim_end_matches('i')
    {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    Some(size_text(whole(number * (1_u64 << shift) as f64)?))
}

/// `"1.5 MB"` as 1.5 and `mb`.
fn number_and_unit(text: &str) -> Option<(f64, String)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim().to_lowercase()))
}

/// What no file would mean is not guessed.
fn whole(number: f64) -> Option<u64> {
    const GUESSED_MAX: f64 = 1e15;
    (1.0..GUESSED_MAX).contains(&number).then_some(number.round() as u64)
}

fn in_largest_unit(value: u64, units: &[(&str, u64)]) -> String {
    let (name, factor) =
        units.iter().find(|(_, factor)| value.is_multiple_of(*factor)).expect("the last unit is one");
    format!("{}{name}", value / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["750ms", "30s", "10min", "1h", "30d", "20us", "90s", "0s"] {
            let read = read_duration(text).expect("a time");
            assert_eq!(read_duration(&duration_text(read)), Some(read), "{text}");
        }
        assert_eq!(duration_text(Duration::from_secs(600)), "10min");
        assert_eq!(read_size("64KiB"), Some(65536));
        assert_eq!(size_text(65536), "64KiB");
        assert_eq!(size_text(122_880), "120KiB");
        assert_eq!(size_text(1025), "1025B");
    }

    #[test]
    fn what_was_meant_is_guessed_and_can_be_read() {
        for (text, expected) in [("5 minutes", "5min"), ("1.5s", "1500ms"), ("2m", "2min"), ("10Sec", "10s")]
        {
            let guess = guess_duration(text).expect(text);
            assert_eq!((guess.as_str(), read_duration(&guess).is_some()), (expected, true));
        }
        for (text, expected) in [("1MB", "1MiB"), ("64k", "64KiB"), ("1.5 GiB", "1536MiB"), ("2 bytes", "2")]
        {
            assert_eq!(guess_size(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "s", "-1s", "10 lightyears", "99999999999999999999s", "0.1us"] {
            assert_eq!(guess_duration(text), None, "{text}");
        }
        assert_eq!(guess_size("many"), None);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "10", "s", "-1s", "1.5s", "10 lightyears", "99999999999999999999s", "1KB"] {
            assert_eq!(read_duration(text), None, "{text}");
            assert_eq!(read_size(text), None, "{text}");
        }
    }
}

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
    fn anything_else_is_refused() {
        for text in ["", "10", "s", "-1s", "1.5s", "10 lightyears", "99999999999999999999s", "1KB"] {
            assert_eq!(read_duration(text), None, "{text}");
            assert_eq!(read_size(text), None, "{text}");
        }
    }
}

//! Numbers as people read them, the same on the page and in `colloquy top`.

/// What stands for a number that is not known.
pub const NOTHING: &str = "\u{2013}";

/// A whole number in groups of three digits, which narrow spaces divide.
pub fn group(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A rate: with one decimal below ten, else whole.
pub fn rate(number: f64) -> String {
    if number > 0.0 && number < 9.95 { format!("{number:.1}") } else { group(number.round() as u64) }
}

/// A share of 1 in per cent.
pub fn ratio(number: f64) -> String {
    let decimals = usize::from(number > 0.0 && number < 0.0995);
    format!("{:.decimals$}\u{a0}%", number * 100.0)
}

/// Octets with a prefix of the decimal system.
pub fn octets(number: f64) -> String {
    let mut value = number;
    for unit in ["", "k", "M", "G"] {
        if value < 999.95 {
            return if unit.is_empty() {
                format!("{value:.0}\u{a0}")
            } else {
                format!("{value:.1}\u{a0}{unit}")
            };
        }
        value /= 1000.0;
    }
    format!("{value:.1}\u{a0}T")
}

/// A short time, with a unit that fits.
pub fn time(seconds: f64) -> String {
    if seconds < 0.001 {
        format!("{:.0}\u{a0}\u{b5}s", seconds * 1e6)
    } else if seconds < 0.01 {
        format!("{:.2}\u{a0}ms", seconds * 1e3)
    } else if seconds < 1.0 {
        format!("{:.1}\u{a0}ms", seconds * 1e3)
    } else {
        format!("{seconds:.2}\u{a0}s")
    }
}

/// A long time: days, hours, minutes, seconds.
pub fn age(seconds: f64) -> String {
    let seconds = seconds as u64;
    let days = seconds / 86_400;
    let rest = format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    if days > 0 { format!("{days} d {rest}") } else { rest }
}

/// What `text` makes of a value, or [`NOTHING`].
pub fn some<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact_where_it_matters() {
        let plain = |text: String| text.replace(['\u{202f}', '\u{a0}'], " ");
        assert_eq!([0, 999, 1000, 1_234_567].map(|n| plain(group(n))), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!(
            [0.0, 0.44, 9.94, 9.96, 1234.5].map(|n| plain(rate(n))),
            ["0", "0.4", "9.9", "10", "1 235"]
        );
        assert_eq!([0.0, 0.012, 0.1, 1.0].map(|n| plain(ratio(n))), ["0 %", "1.2 %", "10 %", "100 %"]);
        assert_eq!(
            [0.0, 999.0, 1000.0, 999_949.0, 2.5e9, 3e15].map(|n| plain(octets(n))),
            ["0 ", "999 ", "1.0 k", "999.9 k", "2.5 G", "3000.0 T"]
        );
        assert_eq!(
            [0.000_25, 0.001_5, 0.25, 2.0].map(|n| plain(time(n))),
            ["250 \u{b5}s", "1.50 ms", "250.0 ms", "2.00 s"]
        );
        assert_eq!([59.9, 3661.0, 90_000.0].map(age), ["00:00:59", "01:01:01", "1 d 01:00:00"]);
    }
}

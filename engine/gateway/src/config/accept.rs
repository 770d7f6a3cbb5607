//! What each kind of key takes, and why it refuses the rest.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use ipnet::IpNet;
use toml::de::DeValue;

use super::diagnostics::{FaultKind, nearest};
use super::keys::Kind;
use super::quantity::{duration_text, guess_duration, guess_size, read_duration, read_size};
use super::values::Value;

/// Why a kind refuses a value.
pub(super) struct Refused {
    pub(super) kind: FaultKind,
    pub(super) problem: String,
    pub(super) suggestion: Option<String>,
    /// The element of a list that is at fault.
    pub(super) element: Option<Range<usize>>,
}

impl Refused {
    fn range(problem: impl Into<String>) -> Refused {
        Refused { kind: FaultKind::Range, problem: problem.into(), suggestion: None, element: None }
    }

    fn kind_of(value: &DeValue<'_>) -> Refused {
        let problem = format!("is {}", with_article(value.type_str()));
        Refused { kind: FaultKind::Type, problem, suggestion: None, element: None }
    }

    fn with(mut self, suggestion: Option<String>) -> Refused {
        self.suggestion = suggestion;
        self
    }
}

/// The value of a key of this kind; of a list every element that is refused.
pub(super) fn accept(kind: Kind, value: &DeValue<'_>) -> Result<Value, Vec<Refused>> {
    match kind {
        Kind::Names => list(value, |item| name(text(item)?).and_then(texts)).map(Value::Texts),
        Kind::Networks => list(value, |item| network(text(item)?)).map(Value::Networks),
        Kind::Paths => list(value, |item| filled(text(item)?, 4096)).map(Value::Texts),
        Kind::Certificates => list(value, |item| certificate(text(item)?)).map(Value::Texts),
        Kind::Principals => list(value, |item| principal(text(item)?)).map(Value::Texts),
        Kind::Choices(words) => list(value, |item| choice(words, text(item)?)).map(Value::Texts),
        Kind::Numbers { min, max } => list(value, |item| {
            let number = number(item)?;
            let fits = (min..=max).contains(&number);
            fits.then_some(number).ok_or_else(|| Refused::range(format!("{number} is out of range")))
        })
        .map(Value::Numbers),
        Kind::Selectors { octets_max } => {
            list(value, |item| selector(item, octets_max)).map(Value::Selectors)
        }
        _ => single(kind, value).map_err(|refused| vec![refused]),
    }
}

fn single(kind: Kind, value: &DeValue<'_>) -> Result<Value, Refused> {
    match kind {
        Kind::Integer { min, max, or_zero } => {
            let number = number(value)?;
            let fits = (min..=max).contains(&number) || (or_zero && number == 0);
            fits.then_some(Value::Integer(number))
                .ok_or_else(|| Refused::range(format!("{number} is out of range")))
        }
        Kind::PowerOfTwo { min, max } => power_of_two(octets(value)?, min, max),
        Kind::Size { min, max, or_zero } => {
            let octets = octets(value)?;
            let fits = (min..=max).contains(&octets) || (or_zero && octets == 0);
            fits.then_some(Value::Integer(octets))
                .ok_or_else(|| Refused::range(format!("{octets} octets is out of range")))
        }
        Kind::Duration { min, max, or_zero } => {
            let time = duration(value)?;
            let fits = (min..=max).contains(&time) || (or_zero && time.is_zero());
            fits.then_some(Value::Duration(time))
                .ok_or_else(|| Refused::range(format!("{} is out of range", duration_text(time))))
        }
        Kind::Path => filled(text(value)?, 4096).map(Value::Text),
        Kind::Text { octets_max } => filled(text(value)?, octets_max).map(Value::Text),
        Kind::Certificate => certificate(text(value)?).map(Value::Text),
        Kind::Boolean => value.as_bool().map(Value::Boolean).ok_or_else(|| Refused::kind_of(value)),
        Kind::Name => name(text(value)?),
        Kind::Choice(words) => choice(words, text(value)?).map(Value::Text),
        Kind::Selector { octets_max } => selector(value, octets_max).map(Value::Selector),
        Kind::Address => address(text(value)?),
        _ => unreachable!("a list is no single value"),
    }
}

fn number(value: &DeValue<'_>) -> Result<u64, Refused> {
    let integer = value.as_integer().ok_or_else(|| {
        let quoted = value.as_str().filter(|text| text.parse::<u64>().is_ok());
        Refused::kind_of(value).with(quoted.map(|text| format!("write {text} without quotes")))
    })?;
    u64::from_str_radix(integer.as_str(), integer.radix())
        .map_err(|_| Refused::range(format!("{integer} is out of range")))
}

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Refused> {
    value.as_str().ok_or_else(|| Refused::kind_of(value))
}

fn list<T>(
    value: &DeValue<'_>,
    item: impl Fn(&DeValue<'_>) -> Result<T, Refused>,
) -> Result<Vec<T>, Vec<Refused>> {
    let items = value.as_array().ok_or_else(|| {
        let single = (value.is_str() || value.is_integer()).then(|| "write a list: [ ... ]".to_owned());
        vec![Refused::kind_of(value).with(single)]
    })?;
    if items.is_empty() {
        return Err(vec![Refused::range("the list is empty")]);
    }
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for element in items {
        match item(element.get_ref()) {
            Ok(value) => taken.push(value),
            Err(fault) => refused.push(Refused { element: Some(element.span()), ..fault }),
        }
    }
    if refused.is_empty() { Ok(taken) } else { Err(refused) }
}

/// A number of octets, with or without a unit.
fn octets(value: &DeValue<'_>) -> Result<u64, Refused> {
    match value.as_str() {
        Some(text) if text.parse::<u64>().is_err() => read_size(text).ok_or_else(|| {
            Refused::range(format!("{text:?} is no number of octets"))
                .with(Some(meant(guess_size(text), "64KiB")))
        }),
        _ => number(value),
    }
}

fn duration(value: &DeValue<'_>) -> Result<Duration, Refused> {
    if let Some(number) = value.as_integer() {
        let suggestion = format!("write it with its unit: \"{number}ms\" or \"{number}s\"");
        return Err(Refused::kind_of(value).with(Some(suggestion)));
    }
    let text = text(value)?;
    read_duration(text).ok_or_else(|| {
        let number = text.parse::<u64>().is_ok();
        let suggestion =
            if number { format!("add the unit: \"{text}ms\"") } else { meant(guess_duration(text), "750ms") };
        Refused::range(format!("{text:?} is no time")).with(Some(suggestion))
    })
}

fn meant(guess: Option<String>, example: &str) -> String {
    guess.map_or_else(|| format!("for example {example:?}"), |guess| format!("did you mean {guess:?}?"))
}

fn texts(value: Value) -> Result<String, Refused> {
    match value {
        Value::Text(text) => Ok(text),
        _ => unreachable!("a name is a text"),
    }
}

fn filled(text: &str, octets_max: usize) -> Result<String, Refused> {
    match text.len() {
        0 => Err(Refused::range("is empty")),
        octets if octets > octets_max => Err(Refused::range(format!("has {octets} octets"))),
        _ => Ok(text.to_owned()),
    }
}

fn network(text: &str) -> Result<IpNet, Refused> {
    let network: IpNet = text.parse().map_err(|_| {
        let bare: Option<IpAddr> = text.parse().ok();
        let suggestion = bare.map(|ip| format!("for this address alone write \"{}\"", IpNet::from(ip)));
        Refused::range(format!("{text:?} is no network")).with(suggestion)
    })?;
    if network != network.trunc() {
        let suggestion = format!("did you mean \"{}\"?", network.trunc());
        return Err(Refused::range(format!("{text:?} has bits beyond its prefix")).with(Some(suggestion)));
    }
    Ok(network)
}

fn certificate(text: &str) -> Result<String, Refused> {
    match text.split_once(':') {
        Some(("dns" | "cn", name)) if !name.is_empty() => Ok(text.to_owned()),
        Some(("sha256", hex)) => {
            let hex: String =
                hex.chars().filter(|letter| *letter != ':').collect::<String>().to_ascii_lowercase();
            if hex_octets(&hex)?.len() != 32 {
                return Err(Refused::range(format!("has {} hex digits, not 64", hex.len())));
            }
            Ok(format!("sha256:{hex}"))
        }
        _ => {
            let suggestion = format!("did you mean \"dns:{text}\"?");
            Err(Refused::range(format!("{text:?} names no certificate")).with(Some(suggestion)))
        }
    }
}

fn principal(text: &str) -> Result<String, Refused> {
    let good = match text.split_once(':') {
        Some(("user" | "group", name)) => !name.is_empty(),
        Some(("uid" | "gid", number)) => number.parse::<u32>().is_ok(),
        _ => text == "any",
    };
    if good {
        return Ok(text.to_owned());
    }
    let suggestion = format!("did you mean \"group:{text}\"?");
    Err(Refused::range(format!("{text:?} is nobody")).with(Some(suggestion)))
}

fn power_of_two(number: u64, min: u64, max: u64) -> Result<Value, Refused> {
    if !(min..=max).contains(&number) {
        return Err(Refused::range(format!("{number} is out of range")));
    }
    if !number.is_power_of_two() {
        let below = 1 << number.ilog2();
        let near = format!("the nearest are {below} and {}", below * 2);
        return Err(Refused::range(format!("{number} is no power of two")).with(Some(near)));
    }
    Ok(Value::Integer(number))
}

fn name(text: &str) -> Result<Value, Refused> {
    let good = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    if text.is_empty() || text.len() > 64 || !text.bytes().all(good) {
        return Err(Refused::range(format!("{text:?} is no name")));
    }
    Ok(Value::Text(text.to_owned()))
}

fn choice(words: &[&str], text: &str) -> Result<String, Refused> {
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    let lower = text.to_lowercase();
    let near = nearest(&lower, words.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
    Err(Refused::range(format!("{text:?} is unknown")).with(near))
}

fn selector(value: &DeValue<'_>, octets_max: usize) -> Result<Vec<u8>, Refused> {
    if let Some(number) = value.as_integer() {
        let octets = u64::from_str_radix(number.as_str(), number.radix()).unwrap_or(0);
        let suggestion = format!("write it with its octets: \"0x{octets:04x}\"");
        return Err(Refused::kind_of(value).with(Some(suggestion)));
    }
    let text = text(value)?;
    let octets = match (text.strip_prefix("0x"), text.strip_prefix("ascii:")) {
        (Some(hex), _) => hex_octets(hex)?,
        (_, Some(ascii)) if ascii.is_ascii() => ascii.as_bytes().to_vec(),
        (_, Some(_)) => return Err(Refused::range("has characters that are not ASCII")),
        _ => {
            let suggestion = text.is_ascii().then(|| format!("did you mean \"ascii:{text}\"?"));
            return Err(Refused::range(format!("{text:?} is no selector")).with(suggestion));
        }
    };
    if octets.len() > octets_max {
        return Err(Refused::range(format!("has {} octets", octets.len())));
    }
    Ok(octets)
}

fn hex_octets(hex: &str) -> Result<Vec<u8>, Refused> {
    if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Refused::range("has characters that are no hex digits"));
    }
    if !hex.len().is_multiple_of(2) {
        let suggestion = format!("did you mean \"0x0{hex}\"?");
        return Err(Refused::range("has an odd number of hex digits").with(Some(suggestion)));
    }
    let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits");
    Ok((0..hex.len()).step_by(2).map(octet).collect())
}

fn address(text: &str) -> Result<Value, Refused> {
    text.parse()
        .map(Value::Address)
        .map_err(|_| Refused::range(format!("{text:?} is no address")).with(address_meant(text)))
}

fn address_meant(text: &str) -> Option<String> {
    let add_port = |ip| format!("add the port: \"{}\"", SocketAddr::new(ip, 102));
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(add_port(ip));
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let is_port = port.parse::<u16>().is_ok();
    match host {
        "" | "*" if is_port => {
            Some(format!("for every address of this machine: \"0.0.0.0:{port}\" or \"[::]:{port}\""))
        }
        host if is_port && host.parse::<Ipv6Addr>().is_ok() => {
            Some(format!("did you mean \"[{host}]:{port}\"?"))
        }
        host if host.parse::<IpAddr>().is_err()
            && host.contains(|letter: char| letter.is_ascii_alphabetic()) =>
        {
            Some("host names are not looked up: write the IP address".to_owned())
        }
        _ => None,
    }
}

pub(super) fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

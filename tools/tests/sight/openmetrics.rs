//! The OpenMetrics text format, read strictly: what it does not allow is a fault here.

use std::collections::BTreeSet;

/// A metric family and its samples.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) help: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Sample {
    /// With its suffix.
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The value of the series of a name with exactly these labels, in any order.
pub(crate) fn value(families: &[Family], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let fits = |sample: &&Sample| {
        sample.name == name
            && sample.labels.len() == labels.len()
            && labels.iter().all(|(name, value)| sample.label(name) == Some(value))
    };
    families.iter().flat_map(|family| &family.samples).find(fits).map(|sample| sample.value)
}

/// Reads an exposition.
pub(crate) fn parse(text: &str) -> Result<Vec<Family>, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("it does not end with # EOF and a line feed")?;
    let mut families: Vec<Family> = Vec::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            describe(&mut families, rest).map_err(|fault| format!("{line}: {fault}"))?;
        } else {
            let sample = sample(line).map_err(|fault| format!("{line}: {fault}"))?;
            let family = families.last_mut().ok_or_else(|| format!("{line}: before any family"))?;
            belongs(family, &sample).map_err(|fault| format!("{line}: {fault}"))?;
            family.samples.push(sample);
        }
    }
    let mut names = BTreeSet::new();
    let mut series = BTreeSet::new();
    for family in &families {
        if !names.insert(&family.name) {
            return Err(format!("{} is described twice", family.name));
        }
        for sample in &family.samples {
            let mut labels = sample.labels.clone();
            labels.sort();
            if !series.insert((&sample.name, labels)) {
                return Err(format!("{} {:?} is there twice", sample.name, sample.labels));
            }
        }
        if family.kind == "histogram" {
            histogram(family)?;
        }
    }
    Ok(families)
}

fn describe(families: &mut Vec<Family>, rest: &str) -> Result<(), String> {
    let mut words = rest.splitn(3, ' ');
    let (Some(what), Some(name), Some(text)) = (words.next(), words.next(), words.next()) else {
        return Err("no keyword, name and text".to_owned());
    };
    if !is_name(name, true) {
        return Err(format!("{name:?} is no name"));
    }
    if families.last().is_none_or(|last| last.name != name) {
        families.push(Family {
            name: name.to_owned(),
            kind: String::new(),
            help: None,
            unit: None,
            samples: Vec::new(),
        });
    }
    let family = families.last_mut().expect("there is one");
    if !family.samples.is_empty() {
        return Err("a description after samples".to_owned());
    }
    let once = |is_new: bool| if is_new { Ok(()) } else { Err(format!("{what} is there twice")) };
    match what {
        "HELP" => once(family.help.replace(text.to_owned()).is_none()),
        "UNIT" => {
            if !name.ends_with(&format!("_{text}")) {
                return Err("a name ends with its unit".to_owned());
            }
            once(family.unit.replace(text.to_owned()).is_none())
        }
        "TYPE" => {
            let known = ["counter", "gauge", "histogram", "info", "stateset", "summary", "gaugehistogram"];
            if !known.contains(&text) {
                return Err(format!("no type {text:?}"));
            }
            once(std::mem::replace(&mut family.kind, text.to_owned()).is_empty())
        }
        other => Err(format!("no keyword {other:?}")),
    }
}

fn belongs(family: &Family, sample: &Sample) -> Result<(), String> {
    let suffix = sample.name.strip_prefix(&family.name).ok_or("it is of no or another family")?;
    let allowed: &[&str] = match family.kind.as_str() {
        "counter" => &["_total", "_created"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count", "_created"],
        "info" => &["_info"],
        other => return Err(format!("type {other:?} is not expected here")),
    };
    if !allowed.contains(&suffix) {
        return Err(format!("a {} has no sample with {suffix:?}", family.kind));
    }
    if family.kind != "gauge" && (sample.value.is_nan() || sample.value < 0.0) {
        return Err("less than nothing".to_owned());
    }
    Ok(())
}

fn histogram(family: &Family) -> Result<(), String> {
    let others = |sample: &Sample| {
        let mut labels = sample.labels.clone();
        labels.retain(|(name, _)| name != "le");
        labels.sort();
        labels
    };
    let groups: BTreeSet<_> = family.samples.iter().map(others).collect();
    for group in groups {
        let of = |suffix: &str| {
            let name = format!("{}{suffix}", family.name);
            family
                .samples
                .iter()
                .filter(|sample| sample.name == name && others(sample) == group)
                .collect::<Vec<_>>()
        };
        let (buckets, counts, sums) = (of("_bucket"), of("_count"), of("_sum"));
        let bounds: Vec<f64> = buckets
            .iter()
            .map(|bucket| match bucket.label("le") {
                Some("+Inf") => Ok(f64::INFINITY),
                Some(text) => text.parse().map_err(|_| format!("{}: le {text:?}", family.name)),
                None => Err(format!("{}: a bucket without le", family.name)),
            })
            .collect::<Result<_, _>>()?;
        let rising = bounds.windows(2).all(|pair| pair[0] < pair[1])
            && buckets.windows(2).all(|pair| pair[0].value <= pair[1].value);
        let ends = bounds.last() == Some(&f64::INFINITY)
            && counts.len() == 1
            && sums.len() == 1
            && buckets.last().is_some_and(|last| last.value == counts[0].value);
        if !rising || !ends {
            return Err(format!("{} {group:?}: buckets, count and sum do not fit", family.name));
        }
    }
    Ok(())
}

fn is_name(text: &str, colon: bool) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || (colon && c == ':');
    text.starts_with(first) && text.chars().all(|c| first(c) || c.is_ascii_digit())
}

fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("no value")?;
    let (name, mut rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err(format!("{name:?} is no name"));
    }
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").ok_or("a label without a value")?;
            if !is_name(label, false) || labels.iter().any(|(known, _)| known == label) {
                return Err(format!("{label:?} is no label, or is there twice"));
            }
            let (value, after) = quoted(after)?;
            labels.push((label.to_owned(), value));
            rest = after.strip_prefix(',').filter(|next| !next.starts_with('}')).unwrap_or(after);
            if rest == after && !rest.starts_with('}') {
                return Err("no comma between labels".to_owned());
            }
        }
        rest = &rest[1..];
    }
    let number = rest.strip_prefix(' ').ok_or("no space before the value")?;
    if number.contains(' ') {
        return Err("a time stamp or an exemplar, which are not expected here".to_owned());
    }
    let value = match number {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        digits if digits.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => {
            digits.parse().map_err(|_| format!("{digits:?} is no number"))?
        }
        other => return Err(format!("{other:?} is no number")),
    };
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// The text up to the closing quote, and what follows.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, c @ ('\\' | '"'))) => value.push(c),
                other => return Err(format!("\\{other:?} is no escape")),
            },
            character => value.push(character),
        }
    }
    Err("a label's value does not end".to_owned())
}

#[test]
fn what_the_format_does_not_allow_is_a_fault() {
    let good = "# HELP a_seconds Time\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n\
                a_seconds_bucket{le=\"1.0\"} 1\na_seconds_bucket{le=\"+Inf\"} 2\na_seconds_sum 3.5\na_seconds_count 2\n\
                # TYPE b counter\nb_total{x=\"a\\\"b\\\\\",y=\"\"} 1\n# EOF\n";
    let families = parse(good).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(value(&families, "b_total", &[("y", ""), ("x", "a\"b\\")]), Some(1.0));
    for (from, to) in [
        ("# EOF\n", ""),
        ("# EOF\n", "# EOF"),
        ("b_total{", "b{"),
        ("# TYPE b counter\n", ""),
        ("# TYPE b counter\n", "# TYPE b counter\n# TYPE b counter\n"),
        ("} 1\n# EOF", "} -1\n# EOF"),
        ("} 1\n# EOF", "} one\n# EOF"),
        ("} 1\n# EOF", "}  1\n# EOF"),
        ("y=\"\"", "x=\"\""),
        ("y=\"\"", "1y=\"\""),
        ("\\\\\"", "\\t\""),
        ("le=\"+Inf\"} 2", "le=\"+Inf\"} 3"),
        ("le=\"+Inf\"} 2", "le=\"9\"} 2"),
        ("le=\"1.0\"} 1", "le=\"1.0\"} 4"),
        ("# UNIT a_seconds seconds", "# UNIT a_seconds bytes"),
        ("# EOF", "# HELP a_seconds Again\n# EOF"),
        ("# EOF", "b_total{y=\"\",x=\"a\\\"b\\\\\"} 1\n# EOF"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(parse(&bad).is_err(), "{to:?} instead of {from:?} is taken");
    }
}

//! SPDUs as trees for humans and programs: names, codes, offsets, octets and what they mean.
//!
//! This is for dumps and logs: it allocates, and it describes broken octets as far as they go. The
//! machine never uses it.

mod meaning;
mod short;
mod unit_data;

use core::fmt;
use core::ops::Range;

use super::code::{Rule, group_rules, parameter_code, pi};
use super::parameter::{Cursor, Unit, read_header};
use super::tsdu::{is_major_sync_point, resolve};
use super::{DecodeError, DecodeErrorKind, DecodeRules, Flow, SpduKind, SpduView, Tsdu};

pub use short::ShortSpduTree;
pub use unit_data::{UnitDataTree, describe_unit_data};

/// A TSDU, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TsduTree {
    /// Its SPDUs in the order of the wire; the last one is incomplete when `error` is set.
    pub spdus: Vec<SpduTree>,
    /// The short SPDU of the 1997 amendment that the TSDU is; nothing else is in it then.
    pub short: Option<ShortSpduTree>,
    /// Why the TSDU could not be taken apart to its end.
    pub error: Option<DecodeError>,
}

/// One SPDU, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpduTree {
    /// Which SPDU.
    pub kind: SpduKind,
    /// Name as the standard prints it.
    pub name: &'static str,
    /// Abbreviation as the standard prints it.
    pub abbreviation: &'static str,
    /// SI code.
    pub si: u8,
    /// Octets of the parameter field, as the length indicator tells.
    pub li_octets: usize,
    /// Offset of the SI in the TSDU.
    pub offset: usize,
    /// Parameters in the order of the wire.
    pub parameters: Vec<ParameterTree>,
    /// Where in the TSDU the user information field is; empty unless DT, TD or EX.
    pub user_information: Range<usize>,
    /// The first fault of the parameters, if any.
    pub error: Option<DecodeError>,
}

/// One PGI or PI unit, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterTree {
    /// PGI or PI code.
    pub code: u8,
    /// Name as the standard prints it, or `unknown`.
    pub name: &'static str,
    /// Offset of the code in the TSDU.
    pub offset: usize,
    /// The value.
    pub octets: Vec<u8>,
    /// What the value means; empty for a group of PI units that counts.
    pub meaning: String,
    /// The PI units of a group.
    pub children: Vec<ParameterTree>,
}

impl ParameterTree {
    /// What the standard calls a unit with this code: `PGI` or `PI`; `parameter` when the code is unknown.
    pub fn unit_name(&self) -> &'static str {
        match (parameter_code(self.code), self.code) {
            (None, _) => "parameter",
            (_, pi::CONNECTION_IDENTIFIER | pi::CONNECT_ACCEPT_ITEM | pi::LINKING_INFORMATION) => "PGI",
            (_, pi::USER_DATA | pi::EXTENDED_USER_DATA) => "PGI",
            _ => "PI",
        }
    }
}

/// Describes every SPDU of a contiguous TSDU.
pub fn describe_tsdu(octets: &[u8], flow: Flow, rules: &DecodeRules) -> TsduTree {
    let mut tsdu = match flow {
        Flow::Normal => Tsdu::new(octets),
        Flow::Expedited => Tsdu::expedited(octets),
    };
    let mut spdus = Vec::new();
    let error = loop {
        let start = octets.len() - tsdu.remaining_octets();
        match tsdu.next_spdu(rules) {
            Ok(Some(view)) => spdus.push(describe(&view, rules)),
            Ok(None) => break None,
            Err(error) => {
                spdus.extend(describe_broken(octets, start, &error, rules));
                break Some(error);
            }
        }
    };
    let short = match error {
        Some(DecodeError { kind: DecodeErrorKind::ShortSpdu(spdu), .. }) => {
            Some(ShortSpduTree { spdu, following: 1..octets.len() })
        }
        _ => None,
    };
    TsduTree { spdus, short, error }
}

/// Describes one SPDU.
pub fn describe(view: &SpduView<'_>, rules: &DecodeRules) -> SpduTree {
    let start = view.user_information_offset;
    SpduTree {
        li_octets: view.li_octets(),
        parameters: describe_units(view.kind, view.parameters, view.parameters_offset),
        user_information: start..start + view.user_information_octets,
        error: view.parse(rules).err(),
        ..SpduTree::empty(view.kind, view.offset)
    }
}

/// Describes what is there of an SPDU that `Tsdu::next_spdu` refused; `None` without a known SI.
fn describe_broken(
    octets: &[u8],
    start: usize,
    error: &DecodeError,
    rules: &DecodeRules,
) -> Option<SpduTree> {
    let spdu = octets.get(start..)?;
    let mut kind = match error.spdu {
        Some(kind) => kind,
        None => resolve(*spdu.first()?, start == 0)?,
    };
    let Some(header) = read_header(spdu) else {
        return Some(SpduTree::empty(kind, start));
    };
    let available = (spdu.len() - header.octets).min(header.length);
    let parameters = &spdu[header.octets..header.octets + available];
    if kind == SpduKind::MajorSyncPoint && !is_major_sync_point(parameters) {
        kind = SpduKind::ActivityEnd;
    }
    let end = start + header.octets + available;
    let view = SpduView {
        kind,
        offset: start,
        parameters_offset: start + header.octets,
        parameters,
        user_information_offset: end,
        user_information: &[],
        user_information_octets: if kind.has_user_information() { octets.len() - end } else { 0 },
    };
    Some(SpduTree { li_octets: header.length, error: None, ..describe(&view, rules) })
}

impl SpduTree {
    fn empty(kind: SpduKind, offset: usize) -> SpduTree {
        SpduTree {
            kind,
            name: kind.name(),
            abbreviation: kind.abbreviation(),
            si: kind.si(),
            li_octets: 0,
            offset,
            parameters: Vec::new(),
            user_information: 0..0,
            error: None,
        }
    }
}

/// The units of a parameter field; groups are one level deep and stay so.
fn describe_units(kind: SpduKind, octets: &[u8], offset: usize) -> Vec<ParameterTree> {
    let describe_group = |unit: &Unit<'_>| match group_rules(kind, unit.code) {
        Some(rules) => describe_level(Some(kind), rules, unit.value, unit.value_offset, |_| Vec::new()),
        None => Vec::new(),
    };
    describe_level(Some(kind), kind.code().parameters, octets, offset, describe_group)
}

/// The units of one level; `kind` is `None` for those of UNIT DATA.
fn describe_level(
    kind: Option<SpduKind>,
    rules: &[Rule],
    octets: &[u8],
    offset: usize,
    describe_group: impl Fn(&Unit<'_>) -> Vec<ParameterTree>,
) -> Vec<ParameterTree> {
    let mut trees: Vec<ParameterTree> = Vec::new();
    let mut cursor = Cursor::new(octets, offset);
    while let Some(unit) = cursor.next_unit(false) {
        let is_named = |code| rules.iter().any(|rule| rule.code == code);
        let (unit, children, meaning) = match unit {
            Ok(unit) if is_named(unit.code) => {
                mark_earlier(&mut trees, unit.code);
                let children = describe_group(&unit);
                let meaning = match children.is_empty() {
                    true => meaning::meaning(kind, unit.code, unit.value),
                    false => String::new(),
                };
                (unit, children, meaning)
            }
            Ok(unit) => {
                let known = parameter_code(unit.code).is_some();
                let meaning = if known { "not allowed here, ignored" } else { "unknown, skipped" };
                (unit, Vec::new(), meaning.to_owned())
            }
            Err(fault) => {
                let Some(code) = fault.code else { break };
                let value = incomplete_value(&octets[fault.offset - offset..]);
                let unit = Unit { code, offset: fault.offset, value_offset: fault.offset, value };
                (unit, Vec::new(), "incomplete".to_owned())
            }
        };
        trees.push(ParameterTree {
            code: unit.code,
            name: parameter_code(unit.code).map_or("unknown", |known| known.name),
            offset: unit.offset,
            octets: unit.value.to_vec(),
            meaning,
            children,
        });
    }
    trees
}

/// Of a parameter given twice the last one counts.
fn mark_earlier(trees: &mut [ParameterTree], code: u8) {
    if let Some(earlier) = trees.iter_mut().rfind(|tree| tree.code == code) {
        let separator = if earlier.meaning.is_empty() { "" } else { " " };
        earlier.meaning = format!("{}{separator}(given again, ignored)", earlier.meaning);
    }
}

/// What follows the header of a unit whose length runs past the octets; empty when the header does.
fn incomplete_value(octets: &[u8]) -> &[u8] {
    read_header(octets).map_or(&[], |header| &octets[header.octets..])
}

/// One line: `GT {} / DT { Enclosure Item: end } + 3`.
impl fmt::Display for TsduTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, spdu) in self.spdus.iter().enumerate() {
            let separator = if index == 0 { "" } else { " / " };
            write!(f, "{separator}{spdu}")?;
        }
        if let Some(short) = &self.short {
            write!(f, "{short}")?;
        }
        match &self.error {
            Some(error) if self.spdus.is_empty() && self.short.is_none() => write!(f, "! {error}"),
            Some(error) => write!(f, " ! {error}"),
            None => Ok(()),
        }
    }
}

/// One line: `DT { Enclosure Item: end } + 3`.
impl fmt::Display for SpduTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.abbreviation)?;
        display_units(f, &self.parameters)?;
        if self.kind.has_user_information() {
            write!(f, " + {}", self.user_information.len())?;
        }
        match &self.error {
            Some(error) => write!(f, " ! {error}"),
            None => Ok(()),
        }
    }
}

/// `name: meaning`, or `name { units }` for a group.
impl fmt::Display for ParameterTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            "unknown" => write!(f, "parameter {}", self.code)?,
            name => f.write_str(name)?,
        }
        if !self.children.is_empty() {
            f.write_str(" ")?;
            display_units(f, &self.children)?;
        }
        match (self.meaning.as_str(), self.children.is_empty()) {
            ("", false) => Ok(()),
            (meaning, _) => write!(f, ": {meaning}"),
        }
    }
}

fn display_units(f: &mut fmt::Formatter<'_>, units: &[ParameterTree]) -> fmt::Result {
    if units.is_empty() {
        return f.write_str("{}");
    }
    f.write_str("{ ")?;
    for (index, unit) in units.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{unit}")?;
    }
    f.write_str(" }")
}

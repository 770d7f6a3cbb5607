//! UNIT DATA, the one SPDU of the connectionless session protocol (X.235 | ISO/IEC 9548).
//!
//! It is no SPDU of the connection-oriented protocol, whose decoder does not know its SI: a T-UNIT-DATA holds one
//! UNIT DATA and nothing else. There is no state, no segmenting, no concatenation and no answer: what cannot
//! be indicated is discarded without a word, and the fault only says why.

use core::fmt;

use super::code::{RULES_MAX, UNIT_DATA, UNIT_DATA_SI, parameter_code, pi};
use super::emit::{self, Sink, SliceSink};
use super::parameter::{Cursor, Unit, UnitFault, read_header};
use super::{DecodeErrorKind, DecodeRules, EmitError};
use crate::{Selector, Versions};

/// UNIT DATA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitData<'a> {
    /// Calling session selector; the null selector when absent.
    pub calling: Selector,
    /// Called session selector; the null selector when absent.
    pub called: Selector,
    /// SS-user data: all that follows the parameter field. That they stand there and in no parameter is
    /// known from one description and from tshark's dissector.
    pub user_data: &'a [u8],
}

/// Most octets in front of the user data.
pub const UNIT_DATA_HEADER_OCTETS_MAX: usize = 2 + 3 + 18 + 18;

impl<'a> UnitData<'a> {
    /// The SI code.
    pub const SI: u8 = UNIT_DATA_SI;
    /// The only version of the protocol.
    pub const VERSION: Versions = Versions::V1;

    /// Reads the user data of a T-UNIT-DATA indication.
    ///
    /// Strict rules refuse what the other decoder refuses under them, and a missing Version Number, which
    /// else means version 1.
    ///
    /// # Errors
    /// [`UnitDataFault`]: the reason to discard the octets silently.
    pub fn decode(octets: &'a [u8], rules: &DecodeRules) -> Result<UnitData<'a>, UnitDataFault> {
        let fields = UnitDataFields::of(octets, rules)?;
        fields.check_version(rules)?;
        let selector = |code| {
            let value = fields.unit(code).map_or(&[][..], |unit| unit.value);
            Selector::new(value).expect("lengths are checked while units are sorted")
        };
        let (calling, called) = (selector(pi::CALLING_SELECTOR), selector(pi::CALLED_SELECTOR));
        Ok(UnitData { calling, called, user_data: fields.user_data })
    }

    /// Octets that [`UnitData::emit`] writes.
    pub fn encoded_octets(&self) -> usize {
        2 + self.parameter_octets() + self.user_data.len()
    }

    /// Writes the SPDU at the start of `out` and returns how many octets it took.
    ///
    /// # Errors
    /// [`EmitError::OutputTooSmall`]; nothing was written.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, EmitError> {
        let (octets, available) = (self.encoded_octets(), out.len());
        if octets > available {
            return Err(EmitError::OutputTooSmall { octets, available });
        }
        let mut sink = SliceSink { octets: out, used: 0 };
        self.emit_into(&mut sink);
        debug_assert_eq!(sink.used, octets);
        Ok(octets)
    }

    /// Appends the SPDU to `sink`.
    pub fn emit_into(&self, sink: &mut dyn Sink) {
        emit::put_header(sink, UNIT_DATA_SI, self.parameter_octets());
        emit::write(sink, |out| {
            out.octet(pi::VERSION, Self::VERSION.bits());
            out.value_unless_empty(pi::CALLING_SELECTOR, self.calling.as_octets());
            out.value_unless_empty(pi::CALLED_SELECTOR, self.called.as_octets());
        });
        sink.put(self.user_data);
    }

    fn parameter_octets(&self) -> usize {
        let selector = |selector: &Selector| match selector.as_octets() {
            [] => 0,
            octets => 2 + octets.len(),
        };
        3 + selector(&self.calling) + selector(&self.called)
    }
}

/// Why a UNIT DATA is discarded, and where in the T-UNIT-DATA the fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitDataFault {
    /// Offset of the octet at fault.
    pub offset: usize,
    /// The PI at fault.
    pub parameter: Option<u8>,
    /// What is wrong.
    pub kind: UnitDataFaultKind,
}

/// What is wrong with a UNIT DATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitDataFaultKind {
    /// The octets begin with another SI.
    #[error("SI {0:#04x} is not UNIT DATA")]
    NotUnitData(u8),
    /// Version 1 is not among the versions named.
    #[error("unknown version {0:#04x}")]
    UnknownVersion(u8),
    /// The octets are invalid.
    #[error(transparent)]
    Invalid(DecodeErrorKind),
}

impl fmt::Display for UnitDataFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UD SPDU, ")?;
        if let Some(code) = self.parameter {
            let name = parameter_code(code).map_or("unknown", |known| known.name);
            write!(f, "parameter {code} ({name}), ")?;
        }
        write!(f, "octet {}: {}", self.offset, self.kind)
    }
}

impl core::error::Error for UnitDataFault {}

/// The parts of a UNIT DATA whose lengths fit.
pub(super) struct UnitDataFields<'a> {
    units: [Option<Unit<'a>>; RULES_MAX],
    user_data: &'a [u8],
}

/// The parameter field of a UNIT DATA with its offset, and the user data behind it.
pub(super) struct UnitDataParts<'a> {
    pub(super) parameters_offset: usize,
    pub(super) parameters: &'a [u8],
    pub(super) user_data: &'a [u8],
}

impl<'a> UnitDataParts<'a> {
    pub(super) fn of(octets: &'a [u8], strict: bool) -> Result<Self, UnitDataFault> {
        let fault = |kind| UnitDataFault { offset: 0, parameter: None, kind };
        let invalid = |kind| fault(UnitDataFaultKind::Invalid(kind));
        let &si = octets.first().ok_or(invalid(DecodeErrorKind::EmptyTsdu))?;
        if si != UNIT_DATA_SI {
            return Err(fault(UnitDataFaultKind::NotUnitData(si)));
        }
        let header = read_header(octets).ok_or(invalid(DecodeErrorKind::Truncated))?;
        let available = octets.len() - header.octets;
        if header.length > available {
            return Err(invalid(DecodeErrorKind::SpduLength { octets: header.length, available }));
        }
        if strict && header.is_overlong() {
            return Err(invalid(DecodeErrorKind::LongFormLength(header.length as u16)));
        }
        let (parameters, user_data) = octets[header.octets..].split_at(header.length);
        Ok(UnitDataParts { parameters_offset: header.octets, parameters, user_data })
    }
}

impl<'a> UnitDataFields<'a> {
    fn of(octets: &'a [u8], rules: &DecodeRules) -> Result<Self, UnitDataFault> {
        let parts = UnitDataParts::of(octets, rules.strict)?;
        let mut fields = UnitDataFields { units: [None; RULES_MAX], user_data: parts.user_data };
        let mut cursor = Cursor::new(parts.parameters, parts.parameters_offset);
        while let Some(unit) = cursor.next_unit(rules.strict) {
            let unit = unit.map_err(|UnitFault { code, offset, kind }| UnitDataFault {
                offset,
                parameter: code,
                kind: UnitDataFaultKind::Invalid(kind),
            })?;
            fields.take(unit, rules)?;
        }
        Ok(fields)
    }

    fn take(&mut self, unit: Unit<'a>, rules: &DecodeRules) -> Result<(), UnitDataFault> {
        let known = parameter_code(unit.code);
        let fault = |kind| Err(invalid(&unit, kind));
        let Some(slot) = UNIT_DATA.iter().position(|rule| rule.code == unit.code) else {
            return match known {
                Some(_) if rules.strict => fault(DecodeErrorKind::ParameterNotAllowed),
                _ => Ok(()),
            };
        };
        if rules.strict && self.units[slot].is_some() {
            return fault(DecodeErrorKind::DuplicateParameter);
        }
        let (octets_min, octets_max) =
            known.map_or((0, usize::MAX), |known| (known.octets_min, known.octets_max));
        let octets = unit.value.len();
        if octets > 0 && !(octets_min..=octets_max).contains(&octets) {
            return fault(DecodeErrorKind::ValueLength { octets, octets_min, octets_max });
        }
        self.units[slot] = Some(unit);
        Ok(())
    }

    /// Other versions beside version 1 do no harm: their bits are as good as reserved.
    fn check_version(&self, rules: &DecodeRules) -> Result<(), UnitDataFault> {
        let unit = self.unit(pi::VERSION);
        match unit.and_then(|unit| Some((unit, *unit.value.first()?))) {
            Some((_, bits)) if bits & UnitData::VERSION.bits() != 0 => Ok(()),
            Some((unit, bits)) => Err(UnitDataFault {
                offset: unit.value_offset,
                parameter: Some(unit.code),
                kind: UnitDataFaultKind::UnknownVersion(bits),
            }),
            None if rules.strict => Err(UnitDataFault {
                offset: 0,
                parameter: Some(pi::VERSION),
                kind: UnitDataFaultKind::Invalid(DecodeErrorKind::MissingParameter),
            }),
            None => Ok(()),
        }
    }

    fn unit(&self, code: u8) -> Option<Unit<'a>> {
        let slot = UNIT_DATA.iter().position(|rule| rule.code == code)?;
        self.units[slot]
    }
}

fn invalid(unit: &Unit<'_>, kind: DecodeErrorKind) -> UnitDataFault {
    UnitDataFault { offset: unit.offset, parameter: Some(unit.code), kind: UnitDataFaultKind::Invalid(kind) }
}

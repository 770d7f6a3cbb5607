//! Parameters: a cursor over PGI and PI units, and the units of one level sorted by the rules.

use super::code::{LONG_LENGTH, Presence, RULES_MAX, Rule, group_rules, parameter_code, pi};
use super::{DecodeError, DecodeErrorKind, DecodeRules, SpduKind, SpduView};
use crate::{Enclosure, SerialNumber, TokenSettings, TokenSide};

/// One PGI or PI unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit<'a> {
    pub(crate) code: u8,
    /// Offset of the code in the TSDU.
    pub(crate) offset: usize,
    /// Offset of the value in the TSDU.
    pub(crate) value_offset: usize,
    pub(crate) value: &'a [u8],
}

/// A code and its length indicator.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) code: u8,
    /// The octets that follow, as the LI tells.
    pub(crate) length: usize,
    /// Octets of the header itself: 2 or 4.
    pub(crate) octets: usize,
}

impl Header {
    /// True for the three-octet form of a length that fits one octet.
    pub(crate) fn is_overlong(&self) -> bool {
        self.octets == 4 && self.length < usize::from(LONG_LENGTH)
    }
}

/// Reads a code and its LI; `None` when the octets end before.
#[inline]
pub(crate) fn read_header(octets: &[u8]) -> Option<Header> {
    match *octets {
        [code, LONG_LENGTH, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            Some(Header { code, length, octets: 4 })
        }
        [_, LONG_LENGTH, ..] => None,
        [code, short, ..] => Some(Header { code, length: usize::from(short), octets: 2 }),
        _ => None,
    }
}

/// Takes units off a parameter field or off the value of a PGI, one by one.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

/// A unit that cannot be taken: the code as far as it was read, the place and the reason.
#[derive(Clone, Copy)]
pub(crate) struct UnitFault {
    pub(crate) code: Option<u8>,
    pub(crate) offset: usize,
    pub(crate) kind: DecodeErrorKind,
}

impl<'a> Cursor<'a> {
    /// A cursor over `octets`, which begin at `offset` of the TSDU.
    pub(crate) fn new(octets: &'a [u8], offset: usize) -> Self {
        Self { rest: octets, offset }
    }

    /// The next unit; `None` at the end. After a fault the cursor is at the end.
    pub(crate) fn next_unit(&mut self, strict: bool) -> Option<Result<Unit<'a>, UnitFault>> {
        let rest = core::mem::take(&mut self.rest);
        let offset = self.offset;
        let fault = |kind| UnitFault { code: rest.first().copied(), offset, kind };
        if rest.is_empty() {
            return None;
        }
        let Some(header) = read_header(rest) else {
            return Some(Err(fault(DecodeErrorKind::Truncated)));
        };
        let available = rest.len() - header.octets;
        if header.length > available {
            return Some(Err(fault(DecodeErrorKind::UnitLength { octets: header.length, available })));
        }
        if strict && header.is_overlong() {
            return Some(Err(fault(DecodeErrorKind::LongFormLength(header.length as u16))));
        }
        let (value, rest) = rest[header.octets..].split_at(header.length);
        self.rest = rest;
        self.offset += header.octets + header.length;
        Some(Ok(Unit { code: header.code, offset, value_offset: offset + header.octets, value }))
    }
}

/// Offset of the unit with this code in the octets of an SPDU, on its own level or within a PGI.
pub(crate) fn offset_of_unit(kind: SpduKind, spdu: &[u8], code: u8) -> Option<usize> {
    let header = read_header(spdu)?;
    let field = spdu.get(header.octets..)?;
    let mut cursor = Cursor::new(&field[..field.len().min(header.length)], header.octets);
    while let Some(Ok(unit)) = cursor.next_unit(false) {
        if unit.code == code {
            return Some(unit.offset);
        }
        if group_rules(kind, unit.code).is_some() {
            let mut cursor = Cursor::new(unit.value, unit.value_offset);
            while let Some(Ok(unit)) = cursor.next_unit(false) {
                if unit.code == code {
                    return Some(unit.offset);
                }
            }
        }
    }
    None
}

/// The code of a unit that stands again behind another of its level, in an SPDU of this kind.
pub(crate) fn duplicate(kind: SpduKind, parameters: &[u8]) -> Option<u8> {
    let mut cursor = Cursor::new(parameters, 0);
    while let Some(Ok(unit)) = cursor.next_unit(false) {
        if let Some(rules) = group_rules(kind, unit.code)
            && let Some(code) = duplicate_on_level(rules, unit.value)
        {
            return Some(code);
        }
    }
    duplicate_on_level(kind.code().parameters, parameters)
}

fn duplicate_on_level(rules: &[Rule], units: &[u8]) -> Option<u8> {
    let mut seen = [false; RULES_MAX];
    let mut cursor = Cursor::new(units, 0);
    while let Some(Ok(unit)) = cursor.next_unit(false) {
        let Some(slot) = rules.iter().position(|rule| rule.code == unit.code) else { continue };
        if seen[slot] {
            return Some(unit.code);
        }
        seen[slot] = true;
    }
    None
}

/// The units of one level (an SPDU or a PGI) that its rules name, checked against the rules.
pub(crate) struct Fields<'a> {
    pub(crate) kind: SpduKind,
    pub(crate) decode_rules: DecodeRules,
    /// Offset in the TSDU of the unit around: where something missing is reported.
    pub(crate) offset: usize,
    /// The user information field of the SPDU.
    pub(crate) user_information: &'a [u8],
    rules: &'static [Rule],
    units: [Option<Unit<'a>>; RULES_MAX],
}

impl<'a> Fields<'a> {
    /// Sorts the units of the parameter field of an SPDU.
    pub(crate) fn of_view(view: &SpduView<'a>, decode_rules: &DecodeRules) -> Result<Self, DecodeError> {
        let mut fields = Fields {
            kind: view.kind,
            decode_rules: *decode_rules,
            offset: view.offset,
            user_information: view.user_information,
            rules: view.kind.code().parameters,
            units: [None; RULES_MAX],
        };
        fields.collect(Cursor::new(view.parameters, view.parameters_offset))?;
        Ok(fields)
    }

    fn collect(&mut self, mut cursor: Cursor<'a>) -> Result<(), DecodeError> {
        debug_assert!(self.rules.len() <= RULES_MAX);
        while let Some(unit) = cursor.next_unit(self.decode_rules.strict) {
            let unit = unit.map_err(|fault| DecodeError {
                offset: fault.offset,
                spdu: Some(self.kind),
                parameter: fault.code,
                kind: fault.kind,
            })?;
            self.take(unit)?;
        }
        Ok(())
    }

    fn take(&mut self, unit: Unit<'a>) -> Result<(), DecodeError> {
        let strict = self.decode_rules.strict;
        let Some(slot) = self.rules.iter().position(|rule| rule.code == unit.code) else {
            return match parameter_code(unit.code) {
                Some(_) if strict => Err(self.error(&unit, DecodeErrorKind::ParameterNotAllowed)),
                _ => Ok(()),
            };
        };
        if self.rules[slot].presence == Presence::Version2 && self.decode_rules.is_version_1() {
            return match strict {
                true => Err(self.error(&unit, DecodeErrorKind::ParameterNotInVersion)),
                false => Ok(()),
            };
        }
        if strict && self.units[slot].is_some() {
            return Err(self.error(&unit, DecodeErrorKind::DuplicateParameter));
        }
        let (octets_min, octets_max) =
            parameter_code(unit.code).map_or((0, usize::MAX), |known| (known.octets_min, known.octets_max));
        // An empty value is as good as an absent one, so the minimum binds the others only.
        if !unit.value.is_empty() {
            self.limit(&unit, octets_min, octets_max)?;
        }
        self.units[slot] = Some(unit);
        Ok(())
    }

    /// Fails when a mandatory parameter is missing.
    pub(crate) fn require_mandatory(&self) -> Result<(), DecodeError> {
        for rule in self.rules {
            let required = match rule.presence {
                Presence::Mandatory => true,
                Presence::MandatoryIfStrict => self.decode_rules.strict,
                Presence::Optional | Presence::Version2 => false,
            };
            let may_be_empty = parameter_code(rule.code).is_some_and(|known| known.octets_min == 0);
            let present = match self.unit(rule.code) {
                Some(unit) => may_be_empty || !unit.value.is_empty(),
                None => false,
            };
            if required && !present {
                return Err(self.missing(rule.code));
            }
        }
        Ok(())
    }

    /// The units inside a PGI; `None` when it is absent or empty.
    pub(crate) fn group(&self, code: u8) -> Result<Option<Fields<'a>>, DecodeError> {
        let Some(unit) = self.unit(code).filter(|unit| !unit.value.is_empty()) else {
            return Ok(None);
        };
        let rules = group_rules(self.kind, code).expect("only groups named in the table are asked for");
        let mut fields = Fields { offset: unit.offset, rules, units: [None; RULES_MAX], ..*self };
        fields.collect(Cursor::new(unit.value, unit.value_offset))?;
        fields.require_mandatory()?;
        Ok(Some(fields))
    }

    /// The unit with this code, also when empty.
    pub(crate) fn unit(&self, code: u8) -> Option<Unit<'a>> {
        let slot = self.rules.iter().position(|rule| rule.code == code)?;
        self.units[slot]
    }

    /// The value of a parameter; empty when absent.
    pub(crate) fn value(&self, code: u8) -> &'a [u8] {
        self.unit(code).map_or(&[], |unit| unit.value)
    }

    /// The value of a parameter of one octet; `None` when absent or empty.
    pub(crate) fn octet(&self, code: u8) -> Option<u8> {
        self.value(code).first().copied()
    }

    /// A value of one octet that only `convert` can tell from a reserved one.
    pub(crate) fn convert<T>(
        &self,
        code: u8,
        convert: impl FnOnce(u8) -> Option<T>,
    ) -> Result<Option<T>, DecodeError> {
        match self.octet(code) {
            Some(octet) => convert(octet)
                .map(Some)
                .ok_or_else(|| self.value_error(code, DecodeErrorKind::ReservedValue(octet))),
            None => Ok(None),
        }
    }

    /// A serial number; `None` when absent or empty.
    pub(crate) fn serial(&self, code: u8) -> Result<Option<SerialNumber>, DecodeError> {
        let digits = self.digits(code)?;
        if digits.is_empty() {
            return Ok(None);
        }
        // At most six digits, by the limit of the parameter.
        let number = digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        Ok(Some(SerialNumber(number)))
    }

    /// A mandatory serial number.
    pub(crate) fn mandatory_serial(&self, code: u8) -> Result<SerialNumber, DecodeError> {
        self.serial(code)?.ok_or_else(|| self.missing(code))
    }

    /// A value that consists of ASCII digits; empty when absent.
    pub(crate) fn digits(&self, code: u8) -> Result<&'a [u8], DecodeError> {
        let Some(unit) = self.unit(code) else { return Ok(&[]) };
        match unit.value.iter().position(|octet| !octet.is_ascii_digit()) {
            Some(index) => Err(DecodeError {
                offset: unit.value_offset + index,
                spdu: Some(self.kind),
                parameter: Some(code),
                kind: DecodeErrorKind::NotADigit(unit.value[index]),
            }),
            None => Ok(unit.value),
        }
    }

    /// The Enclosure Item; `None` when absent. Reserved bits are ignored.
    pub(crate) fn enclosure(&self) -> Option<Enclosure> {
        self.octet(pi::ENCLOSURE).map(enclosure)
    }

    /// The Token Setting Item; `None` when absent.
    ///
    /// The reserved setting is a fault only of tokens in `counted`: the setting of a token that is not
    /// available means nothing. Strict mode counts all.
    pub(crate) fn token_settings(
        &self,
        counted: crate::Tokens,
    ) -> Result<Option<TokenSettings>, DecodeError> {
        let Some(octet) = self.octet(pi::TOKEN_SETTING) else { return Ok(None) };
        let side = |shift: u8, token| match octet >> shift & 0b11 {
            0 => Ok(TokenSide::Initiator),
            1 => Ok(TokenSide::Responder),
            2 => Ok(TokenSide::AcceptorChooses),
            _ if !self.decode_rules.strict && !counted.contains(token) => Ok(TokenSide::Initiator),
            _ => Err(self.value_error(pi::TOKEN_SETTING, DecodeErrorKind::ReservedValue(octet))),
        };
        use crate::Tokens;
        Ok(Some(TokenSettings {
            data: side(0, Tokens::DATA)?,
            minor: side(2, Tokens::MINOR)?,
            major: side(4, Tokens::MAJOR)?,
            release: side(6, Tokens::RELEASE)?,
        }))
    }

    /// The user data in `code`, held to the limit of the version.
    pub(crate) fn user_data(&self, code: u8) -> Result<&'a [u8], DecodeError> {
        let Some(unit) = self.unit(code) else { return Ok(&[]) };
        let Some(version) = self.decode_rules.version else { return Ok(unit.value) };
        let octets_max = super::user_data_octets_max(self.kind, version);
        if octets_max == 0 {
            // Version 1 has no user data here, but a peer that sends some does no harm.
            return match self.decode_rules.strict && !unit.value.is_empty() {
                true => Err(self.error(&unit, DecodeErrorKind::ParameterNotInVersion)),
                false => Ok(unit.value),
            };
        }
        self.limit(&unit, 0, octets_max)?;
        Ok(unit.value)
    }

    /// Fails when the value is not within the limits.
    pub(crate) fn limit(
        &self,
        unit: &Unit<'_>,
        octets_min: usize,
        octets_max: usize,
    ) -> Result<(), DecodeError> {
        let octets = unit.value.len();
        if octets < octets_min || octets > octets_max {
            return Err(self.error(unit, DecodeErrorKind::ValueLength { octets, octets_min, octets_max }));
        }
        Ok(())
    }

    /// An error about a unit, at its code.
    pub(crate) fn error(&self, unit: &Unit<'_>, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { offset: unit.offset, spdu: Some(self.kind), parameter: Some(unit.code), kind }
    }

    /// An error about the value of a unit, at the value.
    pub(crate) fn value_error(&self, code: u8, kind: DecodeErrorKind) -> DecodeError {
        let offset = self.unit(code).map_or(self.offset, |unit| unit.value_offset);
        DecodeError { offset, spdu: Some(self.kind), parameter: Some(code), kind }
    }

    /// The error for a missing parameter, at the unit around it.
    pub(crate) fn missing(&self, code: u8) -> DecodeError {
        DecodeError {
            offset: self.offset,
            spdu: Some(self.kind),
            parameter: Some(code),
            kind: DecodeErrorKind::MissingParameter,
        }
    }
}

/// The Enclosure Item from its value; reserved bits are ignored.
pub(crate) fn enclosure(octet: u8) -> Enclosure {
    Enclosure { begin: octet & 0x01 != 0, end: octet & 0x02 != 0 }
}

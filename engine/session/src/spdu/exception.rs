//! EXCEPTION REPORT and EXCEPTION DATA.

use super::code::pi;
use super::emit::Writer;
use super::parameter::Fields;
use super::repr::Repr;
use super::{DecodeError, DecodeErrorKind};
use crate::Enclosure;

/// EXCEPTION REPORT: the provider found a protocol error and lets the users recover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExceptionReport<'a> {
    /// Octets of the SPDU at fault.
    pub reflect: &'a [u8],
}

impl<'a> Repr<'a> for ExceptionReport<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self { reflect: fields.value(pi::REFLECT) })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.value(pi::REFLECT, self.reflect);
    }
}

/// EXCEPTION DATA: the user reports an exception.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExceptionData<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Reason code: 0, 1, 3, 5, 6 or 128.
    pub reason: u8,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for ExceptionData<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            enclosure: fields.enclosure(),
            reason: fields.exception_reason()?,
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.enclosure(self.enclosure);
        out.octet(pi::REASON, self.reason);
        out.user_data(self.user_data);
    }
}

/// What a reason code of ED, AI or AD means; `None` when reserved.
pub(crate) fn exception_reason(reason: u8) -> Option<&'static str> {
    Some(match reason {
        0 => "no specific reason",
        1 => "user receiving ability jeopardized",
        3 => "user sequence error",
        5 => "local SS-user error",
        6 => "unrecoverable procedural error",
        128 => "demand data token",
        _ => return None,
    })
}

impl Fields<'_> {
    /// The reason of ED, AI or AD; 0 when absent. Reserved reasons are a fault in strict mode.
    pub(crate) fn exception_reason(&self) -> Result<u8, DecodeError> {
        self.reason(|reason| exception_reason(reason).is_some(), 1)
    }

    /// The first octet of the Reason Code, 0 when absent, in a value of at most `octets_max` octets.
    /// Reasons that are not `known` are a fault in strict mode only: peers invent some.
    pub(crate) fn reason(&self, known: impl Fn(u8) -> bool, octets_max: usize) -> Result<u8, DecodeError> {
        let Some(unit) = self.unit(pi::REASON) else { return Ok(0) };
        self.limit(&unit, 0, octets_max)?;
        let reason = unit.value.first().copied().unwrap_or(0);
        if self.decode_rules.strict && !known(reason) {
            return Err(self.value_error(pi::REASON, DecodeErrorKind::ReservedValue(reason)));
        }
        Ok(reason)
    }
}

//! Middle and last segments of SPDUs that carry their user data as a parameter (version 2).

use super::code::pi;
use super::emit::{EmitError, Writer, enclosure_bits};
use super::parameter::Fields;
use super::repr::Repr;
use super::{DecodeError, SpduKind};

/// A middle or last segment of a segmented SSDU: the Enclosure Item and user data, nothing else.
///
/// All other parameters were in the first segment, the mandatory ones too. The kind is what the octets
/// say: a later segment of MAJOR SYNC POINT has no Sync Type Item and reads as ACTIVITY END; the first
/// segment tells which it is. DT, TD, CDO and RF are never a `Segment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The SPDU that is segmented.
    pub kind: SpduKind,
    /// True for the last segment.
    pub end: bool,
    /// This part of the user data; may be empty.
    pub user_data: &'a [u8],
}

impl<'a> Segment<'a> {
    /// True when the Enclosure Item says that the SSDU began earlier, in an SPDU that has parameters.
    pub(crate) fn is_later_segment(fields: &Fields<'_>) -> bool {
        user_data_parameter(fields.kind).is_some()
            && fields.enclosure().is_some_and(|enclosure| !enclosure.begin)
    }
}

/// The parameter with the user data of an SPDU that can be segmented; `None` for SPDUs that cannot be,
/// or whose later segments have the same parameters as the first.
fn user_data_parameter(kind: SpduKind) -> Option<u8> {
    match kind {
        SpduKind::DataTransfer
        | SpduKind::TypedData
        | SpduKind::ExpeditedData
        | SpduKind::ConnectDataOverflow
        | SpduKind::Refuse => None,
        SpduKind::MinorSyncAck => Some(pi::MINOR_ACK_USER_DATA),
        kind => {
            let has = |code| kind.code().parameters.iter().any(|rule| rule.code == code);
            (has(pi::ENCLOSURE) && has(pi::USER_DATA)).then_some(pi::USER_DATA)
        }
    }
}

impl<'a> Repr<'a> for Segment<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: fields.kind,
            end: fields.enclosure().is_some_and(|enclosure| enclosure.end),
            user_data: match fields.kind {
                SpduKind::MinorSyncAck => fields.minor_ack_user_data()?,
                _ => fields.user_data(pi::USER_DATA)?,
            },
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        let Some(code) = user_data_parameter(self.kind) else {
            out.fail(EmitError::ValueRange { parameter: pi::ENCLOSURE });
            return;
        };
        out.octet(pi::ENCLOSURE, enclosure_bits(crate::Enclosure { begin: false, end: self.end }));
        out.value_unless_empty(code, self.user_data);
    }
}

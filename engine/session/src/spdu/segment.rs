//! Middle and last segments of SPDUs that carry their user data as a parameter (version 2).

use super::code::pi;
use super::emit::{EmitError, Writer, enclosure_bits};
use super::parameter::Fields;
use super::repr::Repr;
use super::{DecodeError, SpduKind};

/// A middle or last segment of a segmented SSDU: the Enclosure Item and user data, nothing else.
///
/// All other parameters were in the first segment, the mandatory ones too. DT, TD, CDO and RF are never a
/// `Segment`.
///
/// The kind is what the octets say, and only of SI 41 they do not say enough: a later segment of MAJOR SYNC
/// POINT has no Sync Type Item and reads as ACTIVITY END. Which it is, the first segment tells: compare by
/// [`Segment::continues`], never by kind. The other shared SI codes need no first segment: position tells AI
/// from AB and AIA from AA, and MAA and AEA are one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The SPDU that is segmented, as far as a later segment tells: [`SpduKind::of_later_segments`].
    pub kind: SpduKind,
    /// True for the last segment.
    pub end: bool,
    /// This part of the user data; may be empty.
    pub user_data: &'a [u8],
}

impl<'a> Segment<'a> {
    /// True when this can be a later segment of an SSDU whose first segment came in an SPDU of this kind.
    pub fn continues(&self, first: SpduKind) -> bool {
        let kind = self.kind.of_later_segments();
        kind.is_some() && kind == first.of_later_segments()
    }

    /// True when the Enclosure Item says that the SSDU began earlier, in an SPDU that has parameters.
    pub(crate) fn is_later_segment(fields: &Fields<'_>) -> bool {
        user_data_parameter(fields.kind).is_some()
            && fields.enclosure().is_some_and(|enclosure| !enclosure.begin)
    }
}

impl SpduKind {
    /// The kind as which later segments of an SPDU of this kind are received: ACTIVITY END for MAJOR SYNC
    /// POINT, else the kind itself; `None` for SPDUs that have no [`Segment`]s.
    pub fn of_later_segments(self) -> Option<SpduKind> {
        user_data_parameter(self)?;
        match self {
            SpduKind::MajorSyncPoint => Some(SpduKind::ActivityEnd),
            kind => Some(kind),
        }
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

//! PREPARE.

use super::DecodeError;
use super::code::pi;
use super::emit::Writer;
use super::parameter::Fields;
use super::repr::Repr;
use super::resynchronize::{resync_type, resync_type_code};
use crate::{PrepareType, ResyncType};

/// PREPARE: announces on the expedited flow what is on its way on the normal flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prepare {
    /// What is announced.
    pub prepare_type: PrepareType,
    /// Resync type (symmetric synchronize).
    pub resync_type: Option<ResyncType>,
    /// Resync type of the other flow (symmetric synchronize).
    pub second_resync_type: Option<ResyncType>,
}

impl<'a> Repr<'a> for Prepare {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            prepare_type: fields
                .convert(pi::PREPARE_TYPE, prepare_type)?
                .ok_or_else(|| fields.missing(pi::PREPARE_TYPE))?,
            resync_type: fields.convert(pi::RESYNC_TYPE, resync_type)?,
            second_resync_type: fields.convert(pi::SECOND_RESYNC_TYPE, resync_type)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.octet(pi::PREPARE_TYPE, prepare_type_code(self.prepare_type));
        out.octet_if(pi::RESYNC_TYPE, self.resync_type.map(resync_type_code));
        out.octet_if(pi::SECOND_RESYNC_TYPE, self.second_resync_type.map(resync_type_code));
    }
}

/// The Prepare Type from its value; `None` when reserved.
pub(crate) fn prepare_type(octet: u8) -> Option<PrepareType> {
    match octet {
        1 => Some(PrepareType::MajorSyncAck),
        2 => Some(PrepareType::Resynchronize),
        3 => Some(PrepareType::ResynchronizeAck),
        4 => Some(PrepareType::Abort),
        _ => None,
    }
}

fn prepare_type_code(prepare_type: PrepareType) -> u8 {
    match prepare_type {
        PrepareType::MajorSyncAck => 1,
        PrepareType::Resynchronize => 2,
        PrepareType::ResynchronizeAck => 3,
        PrepareType::Abort => 4,
    }
}

//! Synchronization points: MINOR SYNC POINT, MAJOR SYNC POINT and their acknowledgements.

use super::code::pi;
use super::emit::Writer;
use super::parameter::Fields;
use super::repr::Repr;
use super::{DecodeError, DecodeErrorKind};
use crate::{Enclosure, SerialNumber};

/// Bits of the Sync Type Item (PI 15).
pub(crate) mod sync_type {
    /// MIP: explicit confirmation is not required. MAP: always set; AE: never.
    pub(crate) const CONFIRMATION_NOT_REQUIRED: u8 = 0x01;
    /// In SPDUs with SI 41: MAJOR SYNC POINT, else ACTIVITY END.
    pub(crate) const MAJOR_SYNC_POINT: u8 = 0x01;
    /// MIP: data separation. The position is unverified (1995 addition).
    pub(crate) const DATA_SEPARATION: u8 = 0x02;
}

/// MINOR SYNC POINT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinorSyncPoint<'a> {
    /// False when the requester asks for an explicit confirmation, which is what an absent Sync Type
    /// Item means. Never enforced by the SPM.
    pub confirmation_optional: bool,
    /// Data in front of this point survive a later resynchronization (data separation).
    pub data_separation: bool,
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Serial number of the point.
    pub serial_number: SerialNumber,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for MinorSyncPoint<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        let bits = fields.octet(pi::SYNC_TYPE).unwrap_or(0);
        Ok(Self {
            confirmation_optional: bits & sync_type::CONFIRMATION_NOT_REQUIRED != 0,
            data_separation: bits & sync_type::DATA_SEPARATION != 0,
            enclosure: fields.enclosure(),
            serial_number: fields.mandatory_serial(pi::SERIAL)?,
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        let mut bits = 0;
        if self.confirmation_optional {
            bits |= sync_type::CONFIRMATION_NOT_REQUIRED;
        }
        if self.data_separation {
            bits |= sync_type::DATA_SEPARATION;
        }
        out.octet_if(pi::SYNC_TYPE, (bits != 0).then_some(bits));
        out.enclosure(self.enclosure);
        out.serial(pi::SERIAL, self.serial_number);
        out.user_data(self.user_data);
    }
}

/// MINOR SYNC ACK. Sends its user data in PI 46, takes them from there or from PGI 193.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinorSyncAck<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Serial number that is confirmed, and with it the earlier ones.
    pub serial_number: SerialNumber,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for MinorSyncAck<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            enclosure: fields.enclosure(),
            serial_number: fields.mandatory_serial(pi::SERIAL)?,
            user_data: fields.minor_ack_user_data()?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.enclosure(self.enclosure);
        out.serial(pi::SERIAL, self.serial_number);
        out.value_unless_empty(pi::MINOR_ACK_USER_DATA, self.user_data);
    }
}

impl<'a> Fields<'a> {
    /// The user data of MIA, from either of its two forms.
    pub(crate) fn minor_ack_user_data(&self) -> Result<&'a [u8], DecodeError> {
        let own_form = self.user_data(pi::MINOR_ACK_USER_DATA)?;
        let common_form = self.user_data(pi::USER_DATA)?;
        match (own_form, common_form) {
            (own_form, []) => Ok(own_form),
            ([], common_form) => Ok(common_form),
            _ => Err(self.value_error(pi::USER_DATA, DecodeErrorKind::TwoUserData)),
        }
    }
}

/// MAJOR SYNC POINT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MajorSyncPoint<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Serial number of the point.
    pub serial_number: SerialNumber,
    /// Serial number of the other flow (symmetric synchronize).
    pub second_serial_number: Option<SerialNumber>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for MajorSyncPoint<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            enclosure: fields.enclosure(),
            serial_number: fields.mandatory_serial(pi::SERIAL)?,
            second_serial_number: fields.serial(pi::SECOND_SERIAL)?,
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.octet(pi::SYNC_TYPE, sync_type::MAJOR_SYNC_POINT);
        out.enclosure(self.enclosure);
        out.serial(pi::SERIAL, self.serial_number);
        out.serial_if(pi::SECOND_SERIAL, self.second_serial_number);
        out.user_data(self.user_data);
    }
}

/// MAJOR SYNC ACK and ACTIVITY END ACK, which are the same octets: the state tells which is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MajorSyncAck<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Serial number that is confirmed.
    pub serial_number: SerialNumber,
    /// Serial number of the other flow (symmetric synchronize).
    pub second_serial_number: Option<SerialNumber>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for MajorSyncAck<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            enclosure: fields.enclosure(),
            serial_number: fields.mandatory_serial(pi::SERIAL)?,
            second_serial_number: fields.serial(pi::SECOND_SERIAL)?,
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.enclosure(self.enclosure);
        out.serial(pi::SERIAL, self.serial_number);
        out.serial_if(pi::SECOND_SERIAL, self.second_serial_number);
        out.user_data(self.user_data);
    }
}

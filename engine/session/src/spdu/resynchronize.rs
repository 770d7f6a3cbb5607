//! RESYNCHRONIZE and RESYNCHRONIZE ACK.

use super::DecodeError;
use super::code::pi;
use super::emit::Writer;
use super::parameter::Fields;
use super::repr::Repr;
use crate::{Enclosure, ResyncType, SerialNumber, TokenSettings, Tokens};

/// RESYNCHRONIZE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resynchronize<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Proposed token positions; `None` leaves tokens where they are. Send it whenever a token is
    /// available: at least one implementation derives wrong positions when it is absent.
    pub token_settings: Option<TokenSettings>,
    /// Restart, abandon or set.
    pub resync_type: ResyncType,
    /// Serial number to go on from.
    pub serial_number: SerialNumber,
    /// Resync type of the other flow (symmetric synchronize).
    pub second_resync_type: Option<ResyncType>,
    /// Serial number of the other flow (symmetric synchronize).
    pub second_serial_number: Option<SerialNumber>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for Resynchronize<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            enclosure: fields.enclosure(),
            token_settings: fields.token_settings(Tokens::all())?,
            resync_type: fields
                .convert(pi::RESYNC_TYPE, resync_type)?
                .ok_or_else(|| fields.missing(pi::RESYNC_TYPE))?,
            serial_number: fields.mandatory_serial(pi::SERIAL)?,
            second_resync_type: fields.convert(pi::SECOND_RESYNC_TYPE, resync_type)?,
            second_serial_number: fields.serial(pi::SECOND_SERIAL)?,
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.enclosure(self.enclosure);
        out.token_settings(self.token_settings);
        out.octet(pi::RESYNC_TYPE, resync_type_code(self.resync_type));
        out.serial(pi::SERIAL, self.serial_number);
        out.octet_if(pi::SECOND_RESYNC_TYPE, self.second_resync_type.map(resync_type_code));
        out.serial_if(pi::SECOND_SERIAL, self.second_serial_number);
        out.user_data(self.user_data);
    }
}

/// The Resync Type from its value; `None` when reserved.
pub(crate) fn resync_type(octet: u8) -> Option<ResyncType> {
    match octet {
        0 => Some(ResyncType::Restart),
        1 => Some(ResyncType::Abandon),
        2 => Some(ResyncType::Set),
        _ => None,
    }
}

/// The value of the Resync Type.
pub(crate) fn resync_type_code(resync_type: ResyncType) -> u8 {
    match resync_type {
        ResyncType::Restart => 0,
        ResyncType::Abandon => 1,
        ResyncType::Set => 2,
    }
}

/// RESYNCHRONIZE ACK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResynchronizeAck<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Token positions from here on; `None` leaves tokens where they are.
    pub token_settings: Option<TokenSettings>,
    /// Serial number to go on from.
    pub serial_number: SerialNumber,
    /// Serial number of the other flow (symmetric synchronize).
    pub second_serial_number: Option<SerialNumber>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for ResynchronizeAck<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            enclosure: fields.enclosure(),
            token_settings: fields.token_settings(Tokens::all())?,
            serial_number: fields.mandatory_serial(pi::SERIAL)?,
            second_serial_number: fields.serial(pi::SECOND_SERIAL)?,
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.enclosure(self.enclosure);
        out.token_settings(self.token_settings);
        out.serial(pi::SERIAL, self.serial_number);
        out.serial_if(pi::SECOND_SERIAL, self.second_serial_number);
        out.user_data(self.user_data);
    }
}

//! Activities: START, RESUME, END, INTERRUPT and DISCARD with their acknowledgements.
//!
//! ACTIVITY END ACK is in `sync`: its octets are those of MAJOR SYNC ACK.

use super::DecodeError;
use super::code::pi;
use super::emit::Writer;
use super::parameter::Fields;
use super::release::user_data_spdu;
use super::repr::Repr;
use super::sync::sync_type;
use crate::{Enclosure, SerialNumber};

/// ACTIVITY START.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityStart<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Activity identifier, 0 to 6 octets.
    pub activity_identifier: &'a [u8],
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for ActivityStart<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            enclosure: fields.enclosure(),
            activity_identifier: fields.value(pi::ACTIVITY_IDENTIFIER),
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.enclosure(self.enclosure);
        out.value(pi::ACTIVITY_IDENTIFIER, self.activity_identifier);
        out.user_data(self.user_data);
    }
}

/// Linking Information (PGI 33) of ACTIVITY RESUME: which activity, and from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkingInformation<'a> {
    /// Called SS-user reference of the old session connection, 0 to 64 octets.
    pub called_reference: &'a [u8],
    /// Calling SS-user reference of the old session connection, 0 to 64 octets.
    pub calling_reference: &'a [u8],
    /// Common reference of the old session connection, 0 to 64 octets.
    pub common_reference: &'a [u8],
    /// Additional reference information of the old session connection, 0 to 4 octets.
    pub additional_information: &'a [u8],
    /// Activity identifier that the activity had when it was interrupted, 0 to 6 octets.
    pub old_activity_identifier: &'a [u8],
    /// Serial number of the synchronization point to resume from.
    pub serial_number: SerialNumber,
    /// Serial number of the other flow (symmetric synchronize).
    pub second_serial_number: Option<SerialNumber>,
}

impl<'a> Repr<'a> for LinkingInformation<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            called_reference: fields.value(pi::CALLED_REFERENCE),
            calling_reference: fields.value(pi::CALLING_REFERENCE),
            common_reference: fields.value(pi::COMMON_REFERENCE),
            additional_information: fields.value(pi::ADDITIONAL_REFERENCE),
            old_activity_identifier: fields.value(pi::ACTIVITY_IDENTIFIER),
            serial_number: fields.mandatory_serial(pi::SERIAL)?,
            second_serial_number: fields.serial(pi::SECOND_SERIAL)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.value_unless_empty(pi::CALLED_REFERENCE, self.called_reference);
        out.value_unless_empty(pi::CALLING_REFERENCE, self.calling_reference);
        out.value_unless_empty(pi::COMMON_REFERENCE, self.common_reference);
        out.value_unless_empty(pi::ADDITIONAL_REFERENCE, self.additional_information);
        out.value(pi::ACTIVITY_IDENTIFIER, self.old_activity_identifier);
        out.serial(pi::SERIAL, self.serial_number);
        out.serial_if(pi::SECOND_SERIAL, self.second_serial_number);
    }
}

/// ACTIVITY RESUME.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityResume<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// The activity to resume.
    pub linking_information: LinkingInformation<'a>,
    /// Activity identifier from here on, 0 to 6 octets.
    pub activity_identifier: &'a [u8],
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for ActivityResume<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        let linking =
            fields.group(pi::LINKING_INFORMATION)?.ok_or_else(|| fields.missing(pi::LINKING_INFORMATION))?;
        Ok(Self {
            enclosure: fields.enclosure(),
            linking_information: LinkingInformation::from_fields(&linking)?,
            activity_identifier: fields.value(pi::ACTIVITY_IDENTIFIER),
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.enclosure(self.enclosure);
        out.group(pi::LINKING_INFORMATION, |out| self.linking_information.write(out));
        out.value(pi::ACTIVITY_IDENTIFIER, self.activity_identifier);
        out.user_data(self.user_data);
    }
}

/// ACTIVITY END: SI 41 like MAJOR SYNC POINT, told apart by the Sync Type Item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityEnd<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Serial number of the major synchronization point that ends the activity.
    pub serial_number: SerialNumber,
    /// Serial number of the other flow (symmetric synchronize).
    pub second_serial_number: Option<SerialNumber>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl<'a> Repr<'a> for ActivityEnd<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        // The bit made it a MAP if set, so this is a check that two readings agree.
        debug_assert_eq!(
            fields.octet(pi::SYNC_TYPE).unwrap_or(0) & sync_type::MAJOR_SYNC_POINT,
            0,
            "an SPDU with SI 41 and this bit is a MAJOR SYNC POINT"
        );
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

/// ACTIVITY INTERRUPT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityInterrupt<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Reason code: 0, 1, 3, 5, 6 or 128; 0 when absent.
    pub reason: u8,
    /// SS-user data (version 2).
    pub user_data: &'a [u8],
}

/// ACTIVITY DISCARD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityDiscard<'a> {
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Reason code: 0, 1, 3, 5, 6 or 128; 0 when absent.
    pub reason: u8,
    /// SS-user data (version 2).
    pub user_data: &'a [u8],
}

/// Reading and writing of the two SPDUs with a reason that may be absent.
macro_rules! reason_spdu {
    ($name:ident) => {
        impl<'a> Repr<'a> for $name<'a> {
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
    };
}

reason_spdu!(ActivityInterrupt);
reason_spdu!(ActivityDiscard);

user_data_spdu! {
    /// ACTIVITY INTERRUPT ACK.
    ActivityInterruptAck
}

user_data_spdu! {
    /// ACTIVITY DISCARD ACK.
    ActivityDiscardAck
}

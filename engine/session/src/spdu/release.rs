//! FINISH, DISCONNECT, NOT FINISHED.

use super::DecodeError;
use super::code::pi;
use super::emit::Writer;
use super::parameter::Fields;
use super::repr::Repr;
use crate::{Enclosure, TransportDisconnect};

/// Declares an SPDU that has an Enclosure Item and User Data, and nothing else.
macro_rules! user_data_spdu {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name<'a> {
            /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
            pub enclosure: Option<crate::Enclosure>,
            /// SS-user data.
            pub user_data: &'a [u8],
        }

        impl<'a> crate::spdu::repr::Repr<'a> for $name<'a> {
            fn from_fields(
                fields: &crate::spdu::parameter::Fields<'a>,
            ) -> Result<Self, crate::spdu::DecodeError> {
                Ok(Self {
                    enclosure: fields.enclosure(),
                    user_data: fields.user_data(crate::spdu::code::pi::USER_DATA)?,
                })
            }

            fn write(&self, out: &mut crate::spdu::emit::Writer<'_>) {
                out.enclosure(self.enclosure);
                out.user_data(self.user_data);
            }
        }
    };
}
pub(crate) use user_data_spdu;

/// FINISH.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finish<'a> {
    /// What becomes of the transport connection; `None` when absent, which means released.
    pub transport_disconnect: Option<TransportDisconnect>,
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl Finish<'_> {
    /// True when the transport connection is kept for reuse (FN-r).
    pub fn is_transport_kept(&self) -> bool {
        is_transport_kept(self.transport_disconnect)
    }
}

/// Absent means released.
pub(crate) fn is_transport_kept(transport_disconnect: Option<TransportDisconnect>) -> bool {
    transport_disconnect.is_some_and(|disconnect| !disconnect.contains(TransportDisconnect::RELEASED))
}

impl<'a> Repr<'a> for Finish<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            transport_disconnect: fields.transport_disconnect(),
            enclosure: fields.enclosure(),
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.octet_if(pi::TRANSPORT_DISCONNECT, self.transport_disconnect.map(|bits| bits.bits()));
        out.enclosure(self.enclosure);
        out.user_data(self.user_data);
    }
}

user_data_spdu! {
    /// DISCONNECT.
    Disconnect
}

user_data_spdu! {
    /// NOT FINISHED: the refusal of a negotiated release.
    NotFinished
}

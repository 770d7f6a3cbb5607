//! ABORT and ABORT ACCEPT.

use super::DecodeError;
use super::code::pi;
use super::emit::Writer;
use super::parameter::Fields;
use super::repr::Repr;
use crate::{Enclosure, TransportDisconnect};

/// ABORT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abort<'a> {
    /// What becomes of the transport connection, and why. Peers that leave it out mean "released".
    pub transport_disconnect: TransportDisconnect,
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Octets of the SPDU at fault, at most 9; only with a protocol error.
    pub reflect: &'a [u8],
    /// SS-user data: at most 9 octets in version 1; only with a user abort.
    pub user_data: &'a [u8],
}

impl Abort<'_> {
    /// Most octets of the Reflect Parameter Values.
    pub const REFLECT_OCTETS_MAX: usize = 9;

    /// True when the transport connection is kept for reuse (AB-r).
    pub fn is_transport_kept(&self) -> bool {
        !self.transport_disconnect.contains(TransportDisconnect::RELEASED)
    }

    /// True for a user abort; the other reasons count only when this is false.
    pub fn is_user_abort(&self) -> bool {
        self.transport_disconnect.contains(TransportDisconnect::USER_ABORT)
    }
}

impl Default for Abort<'_> {
    fn default() -> Self {
        let transport_disconnect = TransportDisconnect::RELEASED;
        Self { transport_disconnect, enclosure: None, reflect: &[], user_data: &[] }
    }
}

impl<'a> Repr<'a> for Abort<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        let reflect = fields.unit(pi::REFLECT);
        if let Some(unit) = reflect {
            fields.limit(&unit, 0, Abort::REFLECT_OCTETS_MAX)?;
        }
        Ok(Self {
            transport_disconnect: fields.transport_disconnect().unwrap_or(TransportDisconnect::RELEASED),
            enclosure: fields.enclosure(),
            reflect: reflect.map_or(&[], |unit| unit.value),
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.octet(pi::TRANSPORT_DISCONNECT, self.transport_disconnect.bits());
        out.enclosure(self.enclosure);
        out.limit(pi::REFLECT, self.reflect.len(), 0, Abort::REFLECT_OCTETS_MAX);
        out.value_unless_empty(pi::REFLECT, self.reflect);
        out.user_data(self.user_data);
    }
}

/// ABORT ACCEPT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbortAccept;

impl<'a> Repr<'a> for AbortAccept {
    fn from_fields(_fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn write(&self, _out: &mut Writer<'_>) {}
}

//! DATA TRANSFER, TYPED DATA, EXPEDITED DATA, CAPABILITY DATA and its acknowledgement.

use super::code::{EXPEDITED_OCTETS_MAX, pi};
use super::emit::{EmitError, Writer, enclosure_bits};
use super::parameter::Fields;
use super::release::user_data_spdu;
use super::repr::Repr;
use super::{DecodeError, SpduKind};
use crate::{Enclosure, Tokens};

/// DATA TRANSFER. X.225 §8.3.11.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataTransfer<'a> {
    /// Which part of the SSDU; `None` when absent, which means a whole one.
    pub enclosure: Option<Enclosure>,
    /// User data, as far as they lie in the head of the TSDU.
    pub user_information: &'a [u8],
}

/// TYPED DATA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypedData<'a> {
    /// Which part of the SSDU; `None` when absent, which means a whole one.
    pub enclosure: Option<Enclosure>,
    /// User data, as far as they lie in the head of the TSDU.
    pub user_information: &'a [u8],
}

/// EXPEDITED DATA: 1 to 14 octets of user data on the expedited flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpeditedData<'a> {
    /// User data.
    pub user_information: &'a [u8],
}

impl ExpeditedData<'_> {
    /// Most octets of user data.
    pub const OCTETS_MAX: usize = EXPEDITED_OCTETS_MAX;
}

impl<'a> Repr<'a> for DataTransfer<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self { enclosure: fields.enclosure(), user_information: fields.user_information })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.octet_if(pi::ENCLOSURE, self.enclosure.map(enclosure_bits));
    }
}

impl<'a> Repr<'a> for TypedData<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self { enclosure: fields.enclosure(), user_information: fields.user_information })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.octet_if(pi::ENCLOSURE, self.enclosure.map(enclosure_bits));
    }
}

impl<'a> Repr<'a> for ExpeditedData<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self { user_information: fields.user_information })
    }

    fn write(&self, _out: &mut Writer<'_>) {}
}

user_data_spdu! {
    /// CAPABILITY DATA.
    CapabilityData
}

user_data_spdu! {
    /// CAPABILITY DATA ACK.
    CapabilityDataAck
}

/// Most octets that go in front of the user information of a data SPDU: GT with Token Item, then DT
/// with Enclosure Item. 8 are enough where no Token Item is sent.
pub const DATA_HEADER_OCTETS_MAX: usize = 10;

/// The octets in front of the user information field of DT, TD or EX: made on the stack, so that the
/// body can be sent from where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataHeader {
    octets: [u8; DATA_HEADER_OCTETS_MAX],
    octets_used: u8,
}

impl DataHeader {
    const EMPTY: DataHeader = DataHeader { octets: [0; DATA_HEADER_OCTETS_MAX], octets_used: 0 };

    /// GT and DT: `tokens` are given with the data; empty sends the plain GT that every peer takes.
    pub fn data_transfer(tokens: Tokens, enclosure: Option<Enclosure>) -> DataHeader {
        let tokens = (!tokens.is_empty()).then_some((pi::TOKEN, tokens.bits()));
        Self::EMPTY.spdu(SpduKind::GiveTokens, tokens).data_spdu(SpduKind::DataTransfer, enclosure)
    }

    /// TD, which stands alone.
    pub fn typed_data(enclosure: Option<Enclosure>) -> DataHeader {
        Self::EMPTY.data_spdu(SpduKind::TypedData, enclosure)
    }

    /// EX, which stands alone on the expedited flow.
    ///
    /// # Errors
    /// [`EmitError::UserInformationLength`] unless `octets` of user data are 1 to 14.
    pub fn expedited_data(octets: usize) -> Result<DataHeader, EmitError> {
        super::emit::check_user_information(SpduKind::ExpeditedData, octets)?;
        Ok(Self::EMPTY.spdu(SpduKind::ExpeditedData, None))
    }

    /// The octets.
    pub fn as_octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.octets_used)]
    }

    fn data_spdu(self, kind: SpduKind, enclosure: Option<Enclosure>) -> DataHeader {
        self.spdu(kind, enclosure.map(|enclosure| (pi::ENCLOSURE, enclosure_bits(enclosure))))
    }

    /// Appends an SPDU with at most one parameter, of one octet.
    fn spdu(mut self, kind: SpduKind, parameter: Option<(u8, u8)>) -> DataHeader {
        match parameter {
            None => self.append([kind.si(), 0]),
            Some((code, value)) => self.append([kind.si(), 3, code, 1, value]),
        }
        self
    }

    fn append<const N: usize>(&mut self, octets: [u8; N]) {
        let start = usize::from(self.octets_used);
        self.octets[start..start + N].copy_from_slice(&octets);
        self.octets_used += N as u8;
    }
}

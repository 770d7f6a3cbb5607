//! GIVE TOKENS, PLEASE TOKENS, GIVE TOKENS CONFIRM, GIVE TOKENS ACK.

use super::DecodeError;
use super::code::pi;
use super::emit::Writer;
use super::parameter::Fields;
use super::release::user_data_spdu;
use super::repr::Repr;
use crate::{Enclosure, Tokens};

/// GIVE TOKENS. Without tokens it only heads a concatenation.
///
/// At the head of a TSDU with further SPDUs it is the first view, but it counts last: tokens move after
/// the category 2 SPDU behind it was processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GiveTokens<'a> {
    /// Tokens given.
    pub tokens: Tokens,
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// SS-user data (version 2).
    pub user_data: &'a [u8],
}

/// PLEASE TOKENS. Without tokens it only heads a concatenation.
///
/// Counts after the SPDUs behind it in its TSDU, like [`GiveTokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PleaseTokens<'a> {
    /// Tokens asked for.
    pub tokens: Tokens,
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

/// Default, reading and writing of the two SPDUs with a Token Item.
macro_rules! token_spdu {
    ($name:ident) => {
        impl Default for $name<'_> {
            fn default() -> Self {
                Self { tokens: Tokens::empty(), enclosure: None, user_data: &[] }
            }
        }

        impl<'a> Repr<'a> for $name<'a> {
            fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
                Ok(Self {
                    tokens: fields.tokens(),
                    enclosure: fields.enclosure(),
                    user_data: fields.user_data(pi::USER_DATA)?,
                })
            }

            fn write(&self, out: &mut Writer<'_>) {
                out.tokens_unless_empty(self.tokens);
                out.enclosure(self.enclosure);
                out.user_data(self.user_data);
            }
        }
    };
}

token_spdu!(GiveTokens);
token_spdu!(PleaseTokens);

user_data_spdu! {
    /// GIVE TOKENS CONFIRM: gives all tokens, between activities.
    GiveTokensConfirm
}

/// GIVE TOKENS ACK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GiveTokensAck;

impl<'a> Repr<'a> for GiveTokensAck {
    fn from_fields(_fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn write(&self, _out: &mut Writer<'_>) {}
}

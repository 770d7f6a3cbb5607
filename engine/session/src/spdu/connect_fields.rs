//! The parameters that only the SPDUs of connection establishment have, or that several share.

use super::code::{USER_DATA_OCTETS_MAX_V1, pi};
use super::connect::ConnectAcceptItem;
use super::emit::Writer;
use super::parameter::Fields;
use super::{DecodeError, DecodeErrorKind};
use crate::{
    ConnectionIdentifier, FunctionalUnits, ProtocolOptions, Selector, Tokens, TransportDisconnect,
    TsduMaximumSize, Versions,
};

impl<'a> Fields<'a> {
    /// PGI 1, whose user reference is in `reference`; empty when absent.
    pub(crate) fn identifier(&self, reference: u8) -> Result<ConnectionIdentifier<'a>, DecodeError> {
        let Some(group) = self.group(pi::CONNECTION_IDENTIFIER)? else {
            return Ok(ConnectionIdentifier::default());
        };
        Ok(ConnectionIdentifier {
            user_reference: group.value(reference),
            common_reference: group.value(pi::COMMON_REFERENCE),
            additional_information: group.value(pi::ADDITIONAL_REFERENCE),
        })
    }

    /// PGI 5; its default when absent. `requirements` are those of the same SPDU.
    pub(crate) fn connect_accept_item(
        &self,
        requirements: FunctionalUnits,
    ) -> Result<ConnectAcceptItem<'a>, DecodeError> {
        let Some(group) = self.group(pi::CONNECT_ACCEPT_ITEM)? else {
            return Ok(ConnectAcceptItem::default());
        };
        Ok(ConnectAcceptItem {
            protocol_options: ProtocolOptions::from_bits_truncate(
                group.octet(pi::PROTOCOL_OPTIONS).unwrap_or(0),
            ),
            tsdu_maximum_size: group.tsdu_maximum_size(),
            versions: group.versions().unwrap_or(Versions::V1),
            initial_serial_number: group.serial(pi::INITIAL_SERIAL)?,
            token_settings: group.token_settings(tokens_of(requirements))?,
            second_initial_serial_number: group.serial(pi::SECOND_INITIAL_SERIAL)?,
            upper_limit_digits: group.octet(pi::UPPER_LIMIT_SERIAL),
            large_initial_serial_number: group.digits(pi::LARGE_INITIAL_SERIAL)?,
            large_second_initial_serial_number: group.digits(pi::LARGE_SECOND_INITIAL_SERIAL)?,
        })
    }

    /// The user data of CN, from PGI 193 or PGI 194.
    pub(crate) fn connect_user_data(&self) -> Result<&'a [u8], DecodeError> {
        let given = |code| self.unit(code).filter(|unit| !unit.value.is_empty());
        let (short, extended) = (given(pi::USER_DATA), given(pi::EXTENDED_USER_DATA));
        match (short, extended) {
            (Some(_), Some(extended)) => Err(self.error(&extended, DecodeErrorKind::TwoUserData)),
            (Some(short), None) => {
                // Peers that put more into PGI 193 than it may hold exist; they are understood.
                let strict = self.decode_rules.strict || self.decode_rules.is_version_1();
                let octets_max = match strict {
                    true => USER_DATA_OCTETS_MAX_V1,
                    false => super::code::CONNECT_USER_DATA_OCTETS_MAX,
                };
                self.limit(&short, 0, octets_max)?;
                Ok(short.value)
            }
            (None, Some(extended)) => {
                // Strict: whatever fits into PGI 193 belongs there.
                if self.decode_rules.strict {
                    let octets_max = super::code::CONNECT_USER_DATA_OCTETS_MAX;
                    self.limit(&extended, USER_DATA_OCTETS_MAX_V1 + 1, octets_max)?;
                }
                Ok(extended.value)
            }
            (None, None) => Ok(&[]),
        }
    }

    /// Session User Requirements without reserved bits; `None` when absent.
    pub(crate) fn requirements(&self) -> Option<FunctionalUnits> {
        match *self.value(pi::USER_REQUIREMENTS) {
            [high, low] => Some(FunctionalUnits::from_bits_truncate(u16::from_be_bytes([high, low]))),
            _ => None,
        }
    }

    /// TSDU Maximum Size; `None` when absent.
    pub(crate) fn tsdu_maximum_size(&self) -> Option<TsduMaximumSize> {
        match *self.value(pi::TSDU_MAXIMUM_SIZE) {
            [a, b, c, d] => Some(TsduMaximumSize {
                initiator_to_responder: u16::from_be_bytes([a, b]),
                responder_to_initiator: u16::from_be_bytes([c, d]),
            }),
            _ => None,
        }
    }

    /// Version Number without unknown versions; `None` when absent.
    pub(crate) fn versions(&self) -> Option<Versions> {
        self.octet(pi::VERSION).map(Versions::from_bits_truncate)
    }

    /// A session selector; the null selector when absent.
    pub(crate) fn selector(&self, code: u8) -> Selector {
        Selector::new(self.value(code)).expect("the parameter table limits selectors to 16 octets")
    }

    /// Token Item without reserved bits; no tokens when absent.
    pub(crate) fn tokens(&self) -> Tokens {
        Tokens::from_bits_truncate(self.octet(pi::TOKEN).unwrap_or(0))
    }

    /// Transport Disconnect without reserved bits; `None` when absent.
    pub(crate) fn transport_disconnect(&self) -> Option<TransportDisconnect> {
        self.octet(pi::TRANSPORT_DISCONNECT).map(TransportDisconnect::from_bits_truncate)
    }
}

/// Tokens that exist when all of `units` are selected.
fn tokens_of(units: FunctionalUnits) -> Tokens {
    let mut tokens = Tokens::empty();
    tokens.set(Tokens::DATA, units.contains(FunctionalUnits::HALF_DUPLEX));
    tokens.set(Tokens::MINOR, units.contains(FunctionalUnits::MINOR_SYNC));
    let major = FunctionalUnits::MAJOR_SYNC.union(FunctionalUnits::ACTIVITY);
    tokens.set(Tokens::MAJOR, units.intersects(major));
    tokens.set(Tokens::RELEASE, units.contains(FunctionalUnits::NEGOTIATED_RELEASE));
    tokens
}

impl Writer<'_> {
    /// PGI 1 with the user reference in `reference`, left out when it has nothing in it.
    pub(crate) fn identifier(&mut self, reference: u8, identifier: &ConnectionIdentifier<'_>) {
        self.group(pi::CONNECTION_IDENTIFIER, |out| {
            out.value_unless_empty(reference, identifier.user_reference);
            out.value_unless_empty(pi::COMMON_REFERENCE, identifier.common_reference);
            out.value_unless_empty(pi::ADDITIONAL_REFERENCE, identifier.additional_information);
        });
    }

    /// Session User Requirements.
    pub(crate) fn requirements(&mut self, requirements: FunctionalUnits) {
        self.value(pi::USER_REQUIREMENTS, &requirements.bits().to_be_bytes());
    }

    /// TSDU Maximum Size, when given.
    pub(crate) fn tsdu_maximum_size(&mut self, size: Option<TsduMaximumSize>) {
        let Some(size) = size else { return };
        let [a, b] = size.initiator_to_responder.to_be_bytes();
        let [c, d] = size.responder_to_initiator.to_be_bytes();
        self.value(pi::TSDU_MAXIMUM_SIZE, &[a, b, c, d]);
    }

    /// Token Item, left out when it names no token.
    pub(crate) fn tokens_unless_empty(&mut self, tokens: Tokens) {
        self.octet_if(pi::TOKEN, (!tokens.is_empty()).then_some(tokens.bits()));
    }
}

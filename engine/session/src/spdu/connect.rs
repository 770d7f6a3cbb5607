//! Connection establishment: CONNECT, OVERFLOW ACCEPT, CONNECT DATA OVERFLOW, ACCEPT, REFUSE.

use super::code::{CONNECT_USER_DATA_OCTETS_MAX, OVERFLOW_USER_DATA_OCTETS_MAX, USER_DATA_OCTETS_MAX_V1, pi};
use super::emit::Writer;
use super::parameter::Fields;
use super::release::is_transport_kept;
use super::repr::Repr;
use super::{DecodeError, DecodeErrorKind};
use crate::{
    ConnectionIdentifier, Enclosure, FunctionalUnits, ProtocolOptions, Selector, SerialNumber, TokenSettings,
    Tokens, TransportDisconnect, TsduMaximumSize, Versions,
};

/// CONNECT. The default value is the meaning of a CONNECT without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    /// Session connection identifier (PGI 1); its user reference is the calling one.
    pub identifier: ConnectionIdentifier<'a>,
    /// Connect/Accept Item (PGI 5).
    pub item: ConnectAcceptItem<'a>,
    /// Functional units proposed. Absent means [`FunctionalUnits::WHEN_ABSENT`], not duplex.
    pub requirements: FunctionalUnits,
    /// Calling session selector; the null selector when absent.
    pub calling: Selector,
    /// Called session selector; the null selector when absent.
    pub called: Selector,
    /// More user data follow in CDO SPDUs (version 2).
    pub data_overflow: bool,
    /// SS-user data: up to 512 octets go into User Data, 513 to 10 240 into Extended User Data
    /// (version 2).
    pub user_data: &'a [u8],
}

impl Connect<'_> {
    /// Most octets of user data outside the data overflow procedure, and in CN with data overflow.
    pub const USER_DATA_OCTETS_MAX: usize = CONNECT_USER_DATA_OCTETS_MAX;

    /// True when only version 2 can take this CONNECT: it has more than 512 octets of user data.
    pub fn needs_version_2(&self) -> bool {
        self.data_overflow || self.user_data.len() > USER_DATA_OCTETS_MAX_V1
    }
}

impl Default for Connect<'_> {
    fn default() -> Self {
        Self {
            identifier: ConnectionIdentifier::default(),
            item: ConnectAcceptItem::default(),
            requirements: FunctionalUnits::WHEN_ABSENT,
            calling: Selector::NULL,
            called: Selector::NULL,
            data_overflow: false,
            user_data: &[],
        }
    }
}

impl<'a> Repr<'a> for Connect<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        let requirements = fields.requirements().unwrap_or(FunctionalUnits::WHEN_ABSENT);
        Ok(Self {
            identifier: fields.identifier(pi::CALLING_REFERENCE)?,
            item: fields.connect_accept_item(requirements)?,
            requirements,
            calling: fields.selector(pi::CALLING_SELECTOR),
            called: fields.selector(pi::CALLED_SELECTOR),
            data_overflow: fields.octet(pi::DATA_OVERFLOW).is_some_and(|bits| bits & 0x01 != 0),
            user_data: fields.connect_user_data()?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.identifier(pi::CALLING_REFERENCE, &self.identifier);
        out.group(pi::CONNECT_ACCEPT_ITEM, |out| self.item.write(out));
        out.requirements(self.requirements);
        out.value_unless_empty(pi::CALLING_SELECTOR, self.calling.as_octets());
        out.value_unless_empty(pi::CALLED_SELECTOR, self.called.as_octets());
        out.octet_if(pi::DATA_OVERFLOW, self.data_overflow.then_some(0x01));
        if self.user_data.len() > USER_DATA_OCTETS_MAX_V1 {
            out.value(pi::EXTENDED_USER_DATA, self.user_data);
        } else {
            out.user_data(self.user_data);
        }
    }
}

/// Connect/Accept Item (PGI 5) of CN and AC.
///
/// The default value is what its absence means: version 1, no segmenting, no extended concatenation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectAcceptItem<'a> {
    /// What the sender can receive.
    pub protocol_options: ProtocolOptions,
    /// TSDU maximum sizes; `None` leaves both directions unlimited.
    pub tsdu_maximum_size: Option<TsduMaximumSize>,
    /// CN: versions offered. AC: the version selected. Empty when a peer names unknown ones only.
    pub versions: Versions,
    /// Initial serial number.
    pub initial_serial_number: Option<SerialNumber>,
    /// Initial token settings; absent means all at the initiator's side.
    pub token_settings: Option<TokenSettings>,
    /// Initial serial number of the other flow (symmetric synchronize).
    pub second_initial_serial_number: Option<SerialNumber>,
    /// Upper Limit Serial Number: how many digits serial numbers have; absent means 6.
    pub upper_limit_digits: Option<u8>,
    /// Large Initial Serial Number: ASCII digits, empty when absent.
    pub large_initial_serial_number: &'a [u8],
    /// Large Second Initial Serial Number: ASCII digits, empty when absent.
    pub large_second_initial_serial_number: &'a [u8],
}

impl Default for ConnectAcceptItem<'_> {
    fn default() -> Self {
        Self {
            protocol_options: ProtocolOptions::empty(),
            tsdu_maximum_size: None,
            versions: Versions::V1,
            initial_serial_number: None,
            token_settings: None,
            second_initial_serial_number: None,
            upper_limit_digits: None,
            large_initial_serial_number: &[],
            large_second_initial_serial_number: &[],
        }
    }
}

impl ConnectAcceptItem<'_> {
    fn write(&self, out: &mut Writer<'_>) {
        out.octet(pi::PROTOCOL_OPTIONS, self.protocol_options.bits());
        out.tsdu_maximum_size(self.tsdu_maximum_size);
        out.octet(pi::VERSION, self.versions.bits());
        out.serial_if(pi::INITIAL_SERIAL, self.initial_serial_number);
        out.token_settings(self.token_settings);
        out.serial_if(pi::SECOND_INITIAL_SERIAL, self.second_initial_serial_number);
        out.octet_if(pi::UPPER_LIMIT_SERIAL, self.upper_limit_digits);
        out.digits(pi::LARGE_INITIAL_SERIAL, self.large_initial_serial_number);
        out.digits(pi::LARGE_SECOND_INITIAL_SERIAL, self.large_second_initial_serial_number);
    }
}

/// OVERFLOW ACCEPT (version 2): the responder is ready for the CDO SPDUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverflowAccept {
    /// TSDU maximum sizes; `None` leaves both directions unlimited.
    pub tsdu_maximum_size: Option<TsduMaximumSize>,
    /// The version selected.
    pub versions: Versions,
}

impl Default for OverflowAccept {
    fn default() -> Self {
        Self { tsdu_maximum_size: None, versions: Versions::V2 }
    }
}

impl<'a> Repr<'a> for OverflowAccept {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            tsdu_maximum_size: fields.tsdu_maximum_size(),
            versions: fields.versions().ok_or_else(|| fields.missing(pi::VERSION))?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.tsdu_maximum_size(self.tsdu_maximum_size);
        out.octet(pi::VERSION, self.versions.bits());
    }
}

/// CONNECT DATA OVERFLOW (version 2): user data of CONNECT beyond 10 240 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectDataOverflow<'a> {
    /// True in the last one.
    pub end: bool,
    /// SS-user data, 1 to 65 528 octets.
    pub user_data: &'a [u8],
}

impl ConnectDataOverflow<'_> {
    /// Most octets of user data.
    pub const USER_DATA_OCTETS_MAX: usize = OVERFLOW_USER_DATA_OCTETS_MAX;
}

impl<'a> Repr<'a> for ConnectDataOverflow<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        let enclosure = fields.enclosure().ok_or_else(|| fields.missing(pi::ENCLOSURE))?;
        if enclosure.begin && fields.decode_rules.strict {
            let octet = fields.octet(pi::ENCLOSURE).unwrap_or(0);
            return Err(fields.value_error(pi::ENCLOSURE, DecodeErrorKind::ReservedValue(octet)));
        }
        if let Some(unit) = fields.unit(pi::USER_DATA) {
            fields.limit(&unit, 1, OVERFLOW_USER_DATA_OCTETS_MAX)?;
        }
        Ok(Self { end: enclosure.end, user_data: fields.value(pi::USER_DATA) })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.octet(pi::ENCLOSURE, u8::from(self.end) << 1);
        out.limit(pi::USER_DATA, self.user_data.len(), 1, OVERFLOW_USER_DATA_OCTETS_MAX);
        out.value(pi::USER_DATA, self.user_data);
    }
}

/// ACCEPT. The default value is the meaning of an ACCEPT without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept<'a> {
    /// Session connection identifier (PGI 1); its user reference is the called one.
    pub identifier: ConnectionIdentifier<'a>,
    /// Connect/Accept Item (PGI 5).
    pub item: ConnectAcceptItem<'a>,
    /// Tokens the responder asks for at once.
    pub tokens_please: Tokens,
    /// Functional units of the responder. Absent means [`FunctionalUnits::WHEN_ABSENT`].
    pub requirements: FunctionalUnits,
    /// Set on the first segment of a segmented SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Calling session selector; the null selector when absent.
    pub calling: Selector,
    /// Responding session selector; the null selector when absent.
    pub responding: Selector,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl Default for Accept<'_> {
    fn default() -> Self {
        Self {
            identifier: ConnectionIdentifier::default(),
            item: ConnectAcceptItem::default(),
            tokens_please: Tokens::empty(),
            requirements: FunctionalUnits::WHEN_ABSENT,
            enclosure: None,
            calling: Selector::NULL,
            responding: Selector::NULL,
            user_data: &[],
        }
    }
}

impl<'a> Repr<'a> for Accept<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        let requirements = fields.requirements().unwrap_or(FunctionalUnits::WHEN_ABSENT);
        Ok(Self {
            identifier: fields.identifier(pi::CALLED_REFERENCE)?,
            item: fields.connect_accept_item(requirements)?,
            tokens_please: fields.tokens(),
            requirements,
            enclosure: fields.enclosure(),
            calling: fields.selector(pi::CALLING_SELECTOR),
            responding: fields.selector(pi::CALLED_SELECTOR),
            user_data: fields.user_data(pi::USER_DATA)?,
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.identifier(pi::CALLED_REFERENCE, &self.identifier);
        out.group(pi::CONNECT_ACCEPT_ITEM, |out| self.item.write(out));
        out.tokens_unless_empty(self.tokens_please);
        out.requirements(self.requirements);
        out.enclosure(self.enclosure);
        out.value_unless_empty(pi::CALLING_SELECTOR, self.calling.as_octets());
        out.value_unless_empty(pi::CALLED_SELECTOR, self.responding.as_octets());
        out.user_data(self.user_data);
    }
}

/// REFUSE. X.225 §8.3.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refuse<'a> {
    /// Session connection identifier (PGI 1); its user reference is the called one.
    pub identifier: ConnectionIdentifier<'a>,
    /// What becomes of the transport connection; `None` when absent, which means released.
    pub transport_disconnect: Option<TransportDisconnect>,
    /// Functional units that the responder would accept; only with reason 2.
    pub requirements: Option<FunctionalUnits>,
    /// Versions that the responder can speak.
    pub versions: Option<Versions>,
    /// Which part of the SSDU (version 2); `None` for a whole one.
    pub enclosure: Option<Enclosure>,
    /// Reason: 0 to 2 from the user, 129 to 134 from the provider; 0 when absent.
    pub reason: u8,
    /// SS-user data; only with reason 2.
    pub user_data: &'a [u8],
}

impl Refuse<'_> {
    /// True when the transport connection is kept for reuse (RF-r).
    pub fn is_transport_kept(&self) -> bool {
        is_transport_kept(self.transport_disconnect)
    }
}

/// What a reason code of RF means; `None` when reserved.
pub(crate) fn refuse_reason(reason: u8) -> Option<&'static str> {
    Some(match reason {
        0 => "rejected by the called SS-user, reason not given",
        1 => "rejected by the called SS-user, temporary congestion",
        2 => "rejected by the called SS-user, user data may follow",
        129 => "session selector unknown",
        130 => "SS-user not attached to the SSAP",
        131 => "SPM congestion at connect time",
        132 => "proposed protocol versions not supported",
        133 => "rejected by the SPM, reason not given",
        134 => "rejected by the SPM, implementation restriction",
        _ => return None,
    })
}

impl<'a> Repr<'a> for Refuse<'a> {
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError> {
        let octets_max = match fields.decode_rules.is_version_1() {
            true => 1 + USER_DATA_OCTETS_MAX_V1,
            false => super::code::LENGTH_MAX,
        };
        let reason = fields.reason(|reason| refuse_reason(reason).is_some(), octets_max)?;
        Ok(Self {
            identifier: fields.identifier(pi::CALLED_REFERENCE)?,
            transport_disconnect: fields.transport_disconnect(),
            requirements: fields.requirements(),
            versions: fields.versions(),
            enclosure: fields.enclosure(),
            reason,
            user_data: fields.value(pi::REASON).get(1..).unwrap_or(&[]),
        })
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.identifier(pi::CALLED_REFERENCE, &self.identifier);
        out.octet_if(pi::TRANSPORT_DISCONNECT, self.transport_disconnect.map(|bits| bits.bits()));
        if let Some(requirements) = self.requirements {
            out.requirements(requirements);
        }
        out.octet_if(pi::VERSION, self.versions.map(|versions| versions.bits()));
        out.octet_if(pi::ENCLOSURE, self.enclosure.map(super::emit::enclosure_bits));
        out.pieces(pi::REASON, &[&[self.reason], self.user_data]);
    }
}

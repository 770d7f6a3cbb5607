//! SPDUs made from octets: each draw takes some off the tape, so that shrinking the tape shrinks them.

// Each test is a crate of its own and uses its part of this module.
#![allow(dead_code)]

use colloquy_session::spdu::*;
use colloquy_session::*;

/// Octets that decide what is made; zeros when it has run out.
pub(crate) struct Tape<'a> {
    octets: &'a [u8],
}

const DIGITS: &[u8] = b"98765432109876543210";
const EXCEPTION_REASONS: [u8; 6] = [0, 1, 3, 5, 6, 128];
const REFUSE_REASONS: [u8; 9] = [0, 1, 2, 129, 130, 131, 132, 133, 134];

impl<'a> Tape<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    /// An SPDU of this kind, whole or a first segment.
    pub(crate) fn spdu(&mut self, kind: SpduKind) -> Spdu<'a> {
        match kind {
            SpduKind::Connect
            | SpduKind::Accept
            | SpduKind::Refuse
            | SpduKind::ConnectDataOverflow
            | SpduKind::OverflowAccept => self.connection_spdu(kind),
            SpduKind::ActivityStart
            | SpduKind::ActivityResume
            | SpduKind::ActivityEnd
            | SpduKind::ActivityInterrupt
            | SpduKind::ActivityInterruptAck
            | SpduKind::ActivityDiscard
            | SpduKind::ActivityDiscardAck
            | SpduKind::CapabilityData
            | SpduKind::CapabilityDataAck
            | SpduKind::ExceptionData
            | SpduKind::ExceptionReport => self.activity_spdu(kind),
            SpduKind::MinorSyncPoint
            | SpduKind::MinorSyncAck
            | SpduKind::MajorSyncPoint
            | SpduKind::MajorSyncAck
            | SpduKind::Resynchronize
            | SpduKind::ResynchronizeAck
            | SpduKind::Prepare => self.sync_spdu(kind),
            _ => self.data_spdu(kind),
        }
    }

    /// A later segment of an SPDU of this kind; an SPDU where there is no such thing.
    pub(crate) fn segment(&mut self, kind: SpduKind) -> Spdu<'a> {
        let whole = self.spdu(kind);
        match kind.of_later_segments() {
            Some(kind) => {
                Spdu::Segment(Segment { kind, end: self.flag(), user_data: self.opaque(usize::MAX) })
            }
            None => whole,
        }
    }

    fn connection_spdu(&mut self, kind: SpduKind) -> Spdu<'a> {
        match kind {
            SpduKind::Connect => Spdu::Connect(Connect {
                identifier: self.identifier(),
                item: self.item(),
                requirements: self.units(),
                calling: self.selector(),
                called: self.selector(),
                data_overflow: self.flag(),
                user_data: self.opaque(Connect::USER_DATA_OCTETS_MAX),
            }),
            SpduKind::Accept => Spdu::Accept(Accept {
                identifier: self.identifier(),
                item: self.item(),
                tokens_please: self.tokens(),
                requirements: self.units(),
                enclosure: self.first_segment(),
                calling: self.selector(),
                responding: self.selector(),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::Refuse => Spdu::Refuse(Refuse {
                identifier: self.identifier(),
                transport_disconnect: self.maybe(Self::transport_disconnect),
                requirements: self.maybe(Self::units),
                versions: self.maybe(Self::versions),
                enclosure: self.maybe(Self::enclosure),
                reason: self.one_of(&REFUSE_REASONS),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::ConnectDataOverflow => {
                let user_data = self.opaque(ConnectDataOverflow::USER_DATA_OCTETS_MAX);
                let user_data = if user_data.is_empty() { &[0] } else { user_data };
                Spdu::ConnectDataOverflow(ConnectDataOverflow { end: self.flag(), user_data })
            }
            _ => Spdu::OverflowAccept(OverflowAccept {
                tsdu_maximum_size: self.maybe(Self::tsdu_maximum_size),
                versions: self.versions(),
            }),
        }
    }

    fn data_spdu(&mut self, kind: SpduKind) -> Spdu<'a> {
        let enclosure = self.first_segment();
        match kind {
            SpduKind::GiveTokens => Spdu::GiveTokens(GiveTokens {
                tokens: self.tokens(),
                enclosure,
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::PleaseTokens => Spdu::PleaseTokens(PleaseTokens {
                tokens: self.tokens(),
                enclosure,
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::GiveTokensConfirm => {
                Spdu::GiveTokensConfirm(GiveTokensConfirm { enclosure, user_data: self.opaque(usize::MAX) })
            }
            SpduKind::GiveTokensAck => Spdu::GiveTokensAck(GiveTokensAck),
            SpduKind::Finish => Spdu::Finish(Finish {
                transport_disconnect: self.maybe(Self::transport_disconnect),
                enclosure,
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::Disconnect => {
                Spdu::Disconnect(Disconnect { enclosure, user_data: self.opaque(usize::MAX) })
            }
            SpduKind::NotFinished => {
                Spdu::NotFinished(NotFinished { enclosure, user_data: self.opaque(usize::MAX) })
            }
            SpduKind::Abort => Spdu::Abort(Abort {
                transport_disconnect: self.transport_disconnect(),
                enclosure,
                reflect: self.opaque(Abort::REFLECT_OCTETS_MAX),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::AbortAccept => Spdu::AbortAccept(AbortAccept),
            SpduKind::DataTransfer => Spdu::DataTransfer(DataTransfer {
                enclosure: self.maybe(Self::enclosure),
                user_information: self.opaque(usize::MAX),
            }),
            SpduKind::TypedData => Spdu::TypedData(TypedData {
                enclosure: self.maybe(Self::enclosure),
                user_information: self.opaque(usize::MAX),
            }),
            SpduKind::ExpeditedData => {
                let user_information = self.opaque(ExpeditedData::OCTETS_MAX);
                let user_information = if user_information.is_empty() { &[0] } else { user_information };
                Spdu::ExpeditedData(ExpeditedData { user_information })
            }
            kind => unreachable!("{kind:?} is made elsewhere"),
        }
    }

    fn sync_spdu(&mut self, kind: SpduKind) -> Spdu<'a> {
        let enclosure = self.first_segment();
        match kind {
            SpduKind::MinorSyncPoint => Spdu::MinorSyncPoint(MinorSyncPoint {
                confirmation_optional: self.flag(),
                data_separation: self.flag(),
                enclosure,
                serial_number: self.serial(),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::MinorSyncAck => Spdu::MinorSyncAck(MinorSyncAck {
                enclosure,
                serial_number: self.serial(),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::MajorSyncPoint => Spdu::MajorSyncPoint(MajorSyncPoint {
                enclosure,
                serial_number: self.serial(),
                second_serial_number: self.maybe(Self::serial),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::MajorSyncAck => Spdu::MajorSyncAck(MajorSyncAck {
                enclosure,
                serial_number: self.serial(),
                second_serial_number: self.maybe(Self::serial),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::Resynchronize => Spdu::Resynchronize(Resynchronize {
                enclosure,
                token_settings: self.maybe(Self::token_settings),
                resync_type: self.resync_type(),
                serial_number: self.serial(),
                second_resync_type: self.maybe(Self::resync_type),
                second_serial_number: self.maybe(Self::serial),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::ResynchronizeAck => Spdu::ResynchronizeAck(ResynchronizeAck {
                enclosure,
                token_settings: self.maybe(Self::token_settings),
                serial_number: self.serial(),
                second_serial_number: self.maybe(Self::serial),
                user_data: self.opaque(usize::MAX),
            }),
            _ => Spdu::Prepare(Prepare {
                prepare_type: self.one_of(&[
                    PrepareType::MajorSyncAck,
                    PrepareType::Resynchronize,
                    PrepareType::ResynchronizeAck,
                    PrepareType::Abort,
                ]),
                resync_type: self.maybe(Self::resync_type),
                second_resync_type: self.maybe(Self::resync_type),
            }),
        }
    }

    fn activity_spdu(&mut self, kind: SpduKind) -> Spdu<'a> {
        let enclosure = self.first_segment();
        let reason = self.one_of(&EXCEPTION_REASONS);
        match kind {
            SpduKind::ActivityStart => Spdu::ActivityStart(ActivityStart {
                enclosure,
                activity_identifier: self.opaque(6),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::ActivityResume => Spdu::ActivityResume(ActivityResume {
                enclosure,
                linking_information: self.linking_information(),
                activity_identifier: self.opaque(6),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::ActivityEnd => Spdu::ActivityEnd(ActivityEnd {
                enclosure,
                serial_number: self.serial(),
                second_serial_number: self.maybe(Self::serial),
                user_data: self.opaque(usize::MAX),
            }),
            SpduKind::ExceptionReport => {
                Spdu::ExceptionReport(ExceptionReport { reflect: self.opaque(usize::MAX) })
            }
            _ => self.plain_activity_spdu(kind, enclosure, reason),
        }
    }

    fn plain_activity_spdu(&mut self, kind: SpduKind, enclosure: Option<Enclosure>, reason: u8) -> Spdu<'a> {
        let user_data = self.opaque(usize::MAX);
        match kind {
            SpduKind::ActivityInterrupt => {
                Spdu::ActivityInterrupt(ActivityInterrupt { enclosure, reason, user_data })
            }
            SpduKind::ActivityDiscard => {
                Spdu::ActivityDiscard(ActivityDiscard { enclosure, reason, user_data })
            }
            SpduKind::ExceptionData => Spdu::ExceptionData(ExceptionData { enclosure, reason, user_data }),
            SpduKind::ActivityInterruptAck => {
                Spdu::ActivityInterruptAck(ActivityInterruptAck { enclosure, user_data })
            }
            SpduKind::ActivityDiscardAck => {
                Spdu::ActivityDiscardAck(ActivityDiscardAck { enclosure, user_data })
            }
            SpduKind::CapabilityData => Spdu::CapabilityData(CapabilityData { enclosure, user_data }),
            SpduKind::CapabilityDataAck => {
                Spdu::CapabilityDataAck(CapabilityDataAck { enclosure, user_data })
            }
            kind => unreachable!("{kind:?} is made elsewhere"),
        }
    }

    fn linking_information(&mut self) -> LinkingInformation<'a> {
        LinkingInformation {
            called_reference: self.opaque(64),
            calling_reference: self.opaque(64),
            common_reference: self.opaque(64),
            additional_information: self.opaque(4),
            old_activity_identifier: self.opaque(6),
            serial_number: self.serial(),
            second_serial_number: self.maybe(Self::serial),
        }
    }

    fn identifier(&mut self) -> ConnectionIdentifier<'a> {
        ConnectionIdentifier {
            user_reference: self.opaque(64),
            common_reference: self.opaque(64),
            additional_information: self.opaque(4),
        }
    }

    fn item(&mut self) -> ConnectAcceptItem<'a> {
        ConnectAcceptItem {
            protocol_options: ProtocolOptions::from_bits_truncate(self.octet()),
            tsdu_maximum_size: self.maybe(Self::tsdu_maximum_size),
            versions: self.versions(),
            initial_serial_number: self.maybe(Self::serial),
            token_settings: self.maybe(Self::token_settings),
            second_initial_serial_number: self.maybe(Self::serial),
            upper_limit_digits: self.maybe(Self::octet),
            large_initial_serial_number: self.digits(),
            large_second_initial_serial_number: self.digits(),
        }
    }

    fn octet(&mut self) -> u8 {
        let Some((&first, rest)) = self.octets.split_first() else { return 0 };
        self.octets = rest;
        first
    }

    fn pair(&mut self) -> u16 {
        u16::from_be_bytes([self.octet(), self.octet()])
    }

    fn flag(&mut self) -> bool {
        self.octet() & 1 != 0
    }

    fn maybe<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.octet()) % choices.len()]
    }

    /// Octets off the tape; now and then as many as there are, up to `octets_max`.
    fn opaque(&mut self, octets_max: usize) -> &'a [u8] {
        let wanted = match self.octet() {
            wanted @ 0..128 => usize::from(wanted % 24),
            // Around the lengths at which the form of the length indicator changes.
            wanted @ 128..192 => usize::from(wanted) - 128 + 240,
            _ => self.octets.len(),
        };
        let (taken, rest) = self.octets.split_at(wanted.min(octets_max).min(self.octets.len()));
        self.octets = rest;
        taken
    }

    fn digits(&mut self) -> &'static [u8] {
        &DIGITS[..usize::from(self.octet()) % DIGITS.len()]
    }

    fn serial(&mut self) -> SerialNumber {
        let number = u32::from(self.pair()) << 8 | u32::from(self.octet());
        SerialNumber(number % (SerialNumber::MAX.0 + 1))
    }

    fn selector(&mut self) -> Selector {
        Selector::new(self.opaque(16)).expect("at most 16 octets were drawn")
    }

    fn units(&mut self) -> FunctionalUnits {
        FunctionalUnits::from_bits_truncate(self.pair())
    }

    fn tokens(&mut self) -> Tokens {
        Tokens::from_bits_truncate(self.octet())
    }

    fn versions(&mut self) -> Versions {
        Versions::from_bits_truncate(self.octet())
    }

    fn transport_disconnect(&mut self) -> TransportDisconnect {
        TransportDisconnect::from_bits_truncate(self.octet())
    }

    fn tsdu_maximum_size(&mut self) -> TsduMaximumSize {
        TsduMaximumSize { initiator_to_responder: self.pair(), responder_to_initiator: self.pair() }
    }

    fn token_settings(&mut self) -> TokenSettings {
        let mut side =
            || self.one_of(&[TokenSide::Initiator, TokenSide::Responder, TokenSide::AcceptorChooses]);
        TokenSettings { data: side(), minor: side(), major: side(), release: side() }
    }

    fn resync_type(&mut self) -> ResyncType {
        self.one_of(&[ResyncType::Restart, ResyncType::Abandon, ResyncType::Set])
    }

    fn enclosure(&mut self) -> Enclosure {
        Enclosure { begin: self.flag(), end: self.flag() }
    }

    fn first_segment(&mut self) -> Option<Enclosure> {
        self.maybe(|tape| Enclosure { begin: true, end: tape.flag() })
    }
}

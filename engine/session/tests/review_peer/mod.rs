//! The SPDUs of a peer that knows the machine it talks to: mostly what the tables let it send, sometimes not.

use std::collections::BTreeMap;

use colloquy_session::spdu::*;
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Fu, PrepareType, ResyncType, SerialNumber, Session,
    State, Tokens, TransportDisconnect, Versions,
};

use crate::machine_support::Random;
use crate::machine_users::setup::{self, Setup};
use crate::machine_users::user::octets;

/// One session, its peer and its user.
pub(crate) struct Run {
    pub(crate) random: Random,
    pub(crate) seed: u64,
    pub(crate) session: Session,
    pub(crate) setup: Setup,
    /// The user was told of the end, or has caused it.
    pub(crate) ended: bool,
    pub(crate) reached: BTreeMap<&'static str, usize>,
    /// An SSDU of the peer whose last segment is missing.
    pub(crate) open: Option<SpduKind>,
}

/// Values of which an SPDU takes those that it has parameters for.
#[derive(Clone, Copy)]
struct Values {
    serial_number: SerialNumber,
    tokens: Tokens,
    /// TSDUs of the peer are limited.
    segmenting: bool,
    user_data: &'static [u8],
    part: Enclosure,
    enclosure: Option<Enclosure>,
    reason: u8,
}

impl Run {
    pub(crate) fn peers_tokens(&mut self) -> Tokens {
        let session = &self.session;
        let theirs = session.tokens_available() - session.tokens_owned();
        match self.random.below(4) {
            0 => Tokens::from_bits_truncate(self.random.bits() as u8),
            1 => Tokens::from_bits_truncate(self.random.bits() as u8) & theirs,
            2 => Tokens::empty(),
            _ => theirs,
        }
    }

    fn number(&mut self) -> SerialNumber {
        let numbers = self.session.serial_numbers();
        let (m, a, r) = (numbers.next.0, numbers.lowest_unconfirmed.0, numbers.lowest_restart.0);
        let number = match self.random.below(12) {
            0..4 => m,
            4..7 => m.saturating_sub(1),
            7 | 8 => a,
            9 => r,
            10 if self.random.one_in(4) => m + 1,
            _ => self.random.pick(&[0, 1, 999_999]),
        };
        SerialNumber(number.min(999_999))
    }

    /// What the state makes likely, or anything.
    pub(crate) fn spdu(&mut self) -> (Spdu<'static>, Flow) {
        use SpduKind::*;
        let likely = likely(&self.session);
        let kind = match self.random.one_in(90) {
            true => self.random.pick(&[
                DataTransfer,
                Connect,
                Accept,
                Refuse,
                ConnectDataOverflow,
                OverflowAccept,
                Finish,
                Disconnect,
                NotFinished,
                Abort,
                AbortAccept,
                GiveTokensAck,
                ActivityInterruptAck,
                ActivityDiscardAck,
                ResynchronizeAck,
                MajorSyncAck,
                Prepare,
                ExceptionData,
                ActivityDiscard,
                CapabilityDataAck,
            ]),
            false => self.random.pick(likely),
        };
        let expedited = matches!(kind, ExpeditedData | Prepare);
        let flow = if expedited && !self.random.one_in(10) { Flow::Expedited } else { Flow::Normal };
        (self.spdu_of(kind), flow)
    }

    fn spdu_of(&mut self, kind: SpduKind) -> Spdu<'static> {
        let serial_number = self.number();
        let tokens = self.peers_tokens();
        let random = &mut self.random;
        let segmenting = self.session.receive_octets_max().is_some();
        let bound = if segmenting { 20 } else { random.pick(&[1, 1, 20, 20, 300]) };
        let user_data = octets(random, bound);
        let part = Enclosure { begin: random.coin(), end: random.coin() };
        let enclosure = random.one_in(12).then_some(part);
        let reason = random.pick(&[0, 1, 2, 3, 128]);
        let values = Values { serial_number, tokens, segmenting, user_data, part, enclosure, reason };
        match kind {
            SpduKind::Connect | SpduKind::Accept | SpduKind::Prepare => self.of_connect(kind, &values),
            kind if kind.category() == Category::Two && !kind.has_user_information() => {
                self.of_tokens_and_points(kind, &values)
            }
            SpduKind::GiveTokens | SpduKind::PleaseTokens => self.of_tokens_and_points(kind, &values),
            SpduKind::GiveTokensConfirm | SpduKind::GiveTokensAck => self.of_tokens_and_points(kind, &values),
            _ => self.of_kernel(kind, &values),
        }
    }

    fn of_kernel(&mut self, kind: SpduKind, values: &Values) -> Spdu<'static> {
        let Values { segmenting, user_data, part, enclosure, .. } = *values;
        let random = &mut self.random;
        let released =
            random.coin().then(|| TransportDisconnect::from_bits_truncate(random.bits() as u8 & 1));
        match kind {
            SpduKind::DataTransfer => {
                let enclosure = segmenting.then_some(enclosure.unwrap_or(Enclosure::WHOLE));
                Spdu::DataTransfer(DataTransfer { enclosure, user_information: user_data })
            }
            SpduKind::TypedData => {
                let enclosure = segmenting.then_some(enclosure.unwrap_or(Enclosure::WHOLE));
                Spdu::TypedData(TypedData { enclosure, user_information: user_data })
            }
            SpduKind::ExpeditedData => {
                Spdu::ExpeditedData(ExpeditedData { user_information: &user_data[..user_data.len().min(14)] })
            }
            SpduKind::NotFinished => Spdu::NotFinished(NotFinished { enclosure, user_data }),
            SpduKind::Finish => Spdu::Finish(Finish { transport_disconnect: released, enclosure, user_data }),
            SpduKind::Disconnect => Spdu::Disconnect(Disconnect { enclosure, user_data }),
            SpduKind::Refuse => Spdu::Refuse(Refuse {
                transport_disconnect: released,
                enclosure,
                reason: 2,
                user_data,
                ..Refuse::default()
            }),
            SpduKind::ConnectDataOverflow => {
                Spdu::ConnectDataOverflow(ConnectDataOverflow { end: part.end, user_data })
            }
            SpduKind::OverflowAccept => Spdu::OverflowAccept(OverflowAccept::default()),
            SpduKind::Abort => Spdu::Abort(Abort {
                transport_disconnect: TransportDisconnect::from_bits_truncate(random.bits() as u8),
                enclosure,
                reflect: &[],
                user_data: &user_data[..user_data.len().min(9)],
            }),
            SpduKind::AbortAccept => Spdu::AbortAccept(AbortAccept),
            kind => unreachable!("{kind:?} is made elsewhere"),
        }
    }

    fn of_connect(&mut self, kind: SpduKind, values: &Values) -> Spdu<'static> {
        let Values { serial_number, tokens, user_data, enclosure, .. } = *values;
        let random = &mut self.random;
        match kind {
            SpduKind::Connect => {
                let connect = setup_again(random, &self.setup);
                let versions = connect.versions;
                let item = ConnectAcceptItem {
                    versions,
                    initial_serial_number: connect.initial_serial_number,
                    ..ConnectAcceptItem::default()
                };
                let requirements = connect.requirements;
                Spdu::Connect(Connect { item, requirements, user_data, ..Connect::default() })
            }
            SpduKind::Accept => {
                let versions = random.pick(&[Versions::V1, Versions::V2, Versions::V2]);
                let item = ConnectAcceptItem {
                    versions,
                    initial_serial_number: Some(serial_number),
                    token_settings: Some(setup::answered_settings(random)),
                    tsdu_maximum_size: self.setup.connect.tsdu_maximum_size,
                    ..ConnectAcceptItem::default()
                };
                let duplexity = random.pick(&[Fu::DUPLEX, Fu::HALF_DUPLEX]);
                let others = Fu::all() - Fu::DUPLEX - Fu::HALF_DUPLEX - Fu::SYMMETRIC_SYNC;
                let requirements = others | duplexity;
                Spdu::Accept(Accept {
                    item,
                    requirements,
                    enclosure,
                    user_data,
                    tokens_please: tokens,
                    ..Accept::default()
                })
            }
            SpduKind::Prepare => {
                let fits = match self.session.state() {
                    State::Sta04A | State::Sta04B => PrepareType::MajorSyncAck,
                    State::Sta05A | State::Sta05B | State::Sta05C => PrepareType::ResynchronizeAck,
                    _ => PrepareType::Resynchronize,
                };
                let any = [fits, fits, fits, PrepareType::Resynchronize, PrepareType::Abort];
                Spdu::Prepare(Prepare { prepare_type: random.pick(&any), ..Prepare::default() })
            }
            kind => unreachable!("{kind:?} is made elsewhere"),
        }
    }

    fn of_tokens_and_points(&mut self, kind: SpduKind, values: &Values) -> Spdu<'static> {
        let Values { serial_number, tokens, user_data, enclosure, reason, .. } = *values;
        let random = &mut self.random;
        let resync_type = random.pick(&[ResyncType::Abandon, ResyncType::Restart, ResyncType::Set]);
        let token_settings = random.coin().then(|| setup::settings(random));
        let second_serial_number = None;
        match kind {
            SpduKind::ExceptionReport => Spdu::ExceptionReport(ExceptionReport { reflect: b"x" }),
            SpduKind::ExceptionData => Spdu::ExceptionData(ExceptionData { enclosure, reason, user_data }),
            SpduKind::GiveTokens => Spdu::GiveTokens(GiveTokens { tokens, enclosure, user_data: &[] }),
            SpduKind::PleaseTokens => Spdu::PleaseTokens(PleaseTokens { tokens, enclosure, user_data }),
            SpduKind::GiveTokensConfirm => {
                Spdu::GiveTokensConfirm(GiveTokensConfirm { enclosure, user_data: &[] })
            }
            SpduKind::GiveTokensAck => Spdu::GiveTokensAck(GiveTokensAck),
            SpduKind::MinorSyncPoint => Spdu::MinorSyncPoint(MinorSyncPoint {
                confirmation_optional: random.coin(),
                data_separation: random.one_in(3),
                enclosure,
                serial_number,
                user_data,
            }),
            SpduKind::MinorSyncAck => {
                Spdu::MinorSyncAck(MinorSyncAck { enclosure, serial_number, user_data })
            }
            SpduKind::MajorSyncPoint => Spdu::MajorSyncPoint(MajorSyncPoint {
                enclosure,
                serial_number,
                second_serial_number,
                user_data,
            }),
            SpduKind::MajorSyncAck => {
                Spdu::MajorSyncAck(MajorSyncAck { enclosure, serial_number, second_serial_number, user_data })
            }
            SpduKind::Resynchronize => Spdu::Resynchronize(Resynchronize {
                enclosure,
                token_settings,
                resync_type,
                serial_number,
                user_data,
                ..Resynchronize::default()
            }),
            SpduKind::ResynchronizeAck => Spdu::ResynchronizeAck(ResynchronizeAck {
                enclosure,
                token_settings,
                serial_number,
                user_data,
                ..ResynchronizeAck::default()
            }),
            kind => self.of_activities(kind, values),
        }
    }

    fn of_activities(&mut self, kind: SpduKind, values: &Values) -> Spdu<'static> {
        let Values { serial_number, user_data, enclosure, reason, .. } = *values;
        let identifier = octets(&mut self.random, 7);
        let second_serial_number = None;
        match kind {
            SpduKind::ActivityInterrupt => {
                Spdu::ActivityInterrupt(ActivityInterrupt { enclosure, reason, user_data: &[] })
            }
            SpduKind::ActivityInterruptAck => {
                Spdu::ActivityInterruptAck(ActivityInterruptAck { enclosure, user_data: &[] })
            }
            SpduKind::ActivityResume => Spdu::ActivityResume(ActivityResume {
                enclosure,
                linking_information: LinkingInformation {
                    old_activity_identifier: identifier,
                    serial_number,
                    ..LinkingInformation::default()
                },
                activity_identifier: identifier,
                user_data,
            }),
            SpduKind::ActivityEnd => {
                Spdu::ActivityEnd(ActivityEnd { enclosure, serial_number, second_serial_number, user_data })
            }
            SpduKind::ActivityStart => {
                Spdu::ActivityStart(ActivityStart { enclosure, activity_identifier: identifier, user_data })
            }
            SpduKind::ActivityDiscard => {
                Spdu::ActivityDiscard(ActivityDiscard { enclosure, reason, user_data: &[] })
            }
            SpduKind::ActivityDiscardAck => {
                Spdu::ActivityDiscardAck(ActivityDiscardAck { enclosure, user_data: &[] })
            }
            SpduKind::CapabilityData => Spdu::CapabilityData(CapabilityData { enclosure, user_data }),
            SpduKind::CapabilityDataAck => {
                Spdu::CapabilityDataAck(CapabilityDataAck { enclosure, user_data })
            }
            kind => unreachable!("{kind:?} is made elsewhere"),
        }
    }

    /// Roughly what the tables let a peer send.
    pub(crate) fn fits(&self, spdu: &Spdu<'_>) -> bool {
        let s = &self.session;
        let units = s.functional_units();
        let (owned, available) = (s.tokens_owned(), s.tokens_available());
        let texp = self.setup.expedited;
        let at_peer = |tokens: Tokens| !owned.intersects(tokens);
        let between = units.contains(Fu::ACTIVITY) && !s.activity_in_progress();
        if s.version() != Some(Versions::V2) && begins_or_ends_a_part(spdu) {
            return false;
        }
        match spdu {
            Spdu::DataTransfer(_) => at_peer(Tokens::DATA),
            Spdu::TypedData(_) => units.contains(Fu::TYPED_DATA),
            Spdu::ExpeditedData(_) => texp && (units.contains(Fu::EXPEDITED) || s.version().is_none()),
            Spdu::GiveTokens(give) => (available - owned).contains(give.tokens),
            Spdu::PleaseTokens(please) => available.contains(please.tokens),
            Spdu::ActivityStart(_) | Spdu::ActivityResume(_) | Spdu::GiveTokensConfirm(_) => {
                between && at_peer(Tokens::all())
            }
            Spdu::CapabilityData(_) => {
                units.contains(Fu::CAPABILITY_DATA) && between && at_peer(Tokens::all())
            }
            Spdu::Finish(finish) => {
                let kept = finish.is_transport_kept();
                at_peer(Tokens::all()) && !s.activity_in_progress() && (!kept || !texp)
            }
            Spdu::Prepare(prepare) => self.announcement_fits(prepare.prepare_type),
            _ => self.point_fits(spdu) && self.recovery_fits(spdu),
        }
    }

    fn point_fits(&self, spdu: &Spdu<'_>) -> bool {
        let s = &self.session;
        let units = s.functional_units();
        let active = !units.contains(Fu::ACTIVITY) || s.activity_in_progress();
        let numbers = s.serial_numbers();
        let points = matches!(s.state(), State::Sta713 | State::Sta19 | State::Sta20);
        let theirs = s.tokens_available() - s.tokens_owned();
        let may = |needed: Tokens, others: Tokens| {
            active && theirs.contains(needed) && !s.tokens_owned().intersects(others)
        };
        const DATA_MINOR: Tokens = Tokens::DATA.union(Tokens::MINOR);
        match spdu {
            Spdu::MinorSyncPoint(point) if points => {
                may(Tokens::MINOR, Tokens::DATA) && point.serial_number == numbers.next
            }
            Spdu::MinorSyncAck(ack) => {
                let outstanding = numbers.lowest_unconfirmed..numbers.next;
                units.contains(Fu::MINOR_SYNC)
                    && active
                    && !numbers.may_confirm
                    && outstanding.contains(&ack.serial_number)
            }
            Spdu::MajorSyncPoint(point) if points => {
                units.contains(Fu::MAJOR_SYNC)
                    && may(Tokens::MAJOR, DATA_MINOR)
                    && point.serial_number == numbers.next
            }
            Spdu::ActivityEnd(end) if points => {
                units.contains(Fu::ACTIVITY)
                    && may(Tokens::MAJOR, DATA_MINOR)
                    && end.serial_number == numbers.next
            }
            Spdu::MajorSyncAck(ack) => ack.serial_number.0 + 1 == numbers.next.0,
            _ => true,
        }
    }

    fn recovery_fits(&self, spdu: &Spdu<'_>) -> bool {
        let s = &self.session;
        let (state, units) = (s.state(), s.functional_units());
        let active = !units.contains(Fu::ACTIVITY) || s.activity_in_progress();
        let texp = self.setup.expedited;
        let theirs = s.tokens_available() - s.tokens_owned();
        match spdu {
            Spdu::ExceptionData(_) | Spdu::ExceptionReport(_) => {
                let to_be_told = s.tokens_owned().contains(Tokens::DATA) || state == State::Sta19;
                units.contains(Fu::EXCEPTIONS) && active && to_be_told
            }
            Spdu::Resynchronize(resynchronize) => {
                let lowest = s.serial_numbers().lowest_restart;
                units.contains(Fu::RESYNCHRONIZE)
                    && active
                    && (!texp || state != State::Sta713)
                    && (resynchronize.resync_type != ResyncType::Restart
                        || resynchronize.serial_number >= lowest)
            }
            Spdu::ActivityInterrupt(_) | Spdu::ActivityDiscard(_) => {
                units.contains(Fu::ACTIVITY)
                    && theirs.contains(Tokens::MAJOR)
                    && (!texp || matches!(state, State::Sta15B | State::Sta06))
            }
            _ => true,
        }
    }

    fn announcement_fits(&self, announced: PrepareType) -> bool {
        let (state, units) = (self.session.state(), self.session.functional_units());
        let purges = units.intersects(Fu::RESYNCHRONIZE | Fu::ACTIVITY | Fu::MAJOR_SYNC);
        self.setup.expedited
            && purges
            && match announced {
                PrepareType::MajorSyncAck => matches!(state, State::Sta04A | State::Sta04B),
                PrepareType::Resynchronize => true,
                PrepareType::ResynchronizeAck => {
                    matches!(state, State::Sta05A | State::Sta05B | State::Sta05C)
                }
                PrepareType::Abort => self.session.serial_numbers().next.0.is_multiple_of(5),
            }
    }
}

/// An SPDU with an Enclosure Item, of those that have it in version 2 only.
fn begins_or_ends_a_part(spdu: &Spdu<'_>) -> bool {
    let of_any_version = matches!(spdu, Spdu::DataTransfer(_) | Spdu::TypedData(_));
    !of_any_version && format!("{spdu:?}").contains("begin")
}

/// What the tables have rows for in a state.
fn likely(session: &Session) -> &'static [SpduKind] {
    use SpduKind::*;
    match session.state() {
        State::Sta02A | State::Sta02B => &[Accept, Accept, Accept, Prepare, ExpeditedData],
        State::Sta03 => &[Disconnect, NotFinished, DataTransfer, Finish, Resynchronize, MinorSyncAck],
        State::Sta04A | State::Sta04B => &[MajorSyncAck, Prepare, Resynchronize, DataTransfer, GiveTokens],
        State::Sta05A => &[ResynchronizeAck, Resynchronize, Prepare, DataTransfer, ActivityInterrupt],
        State::Sta05B => &[ActivityInterruptAck, Prepare, DataTransfer],
        State::Sta05C => &[ActivityDiscardAck, Prepare, DataTransfer],
        State::Sta06 | State::Sta15B => &[Resynchronize, ActivityInterrupt, ActivityDiscard, ExpeditedData],
        State::Sta09 => &[Disconnect, Resynchronize, ExceptionData],
        State::Sta15A => &[MajorSyncAck, ExpeditedData, Prepare],
        State::Sta15C => &[ResynchronizeAck, ActivityInterruptAck, ActivityDiscardAck, ExpeditedData],
        State::Sta15D => &[Abort, DataTransfer],
        State::Sta18 => &[GiveTokensAck, PleaseTokens, Prepare],
        State::Sta19 | State::Sta20 => &[Resynchronize, GiveTokens, MinorSyncPoint, ActivityDiscard, Prepare],
        State::Sta21 => &[CapabilityDataAck],
        State::Sta22 => &[ActivityInterrupt, Prepare],
        State::Sta01C => &[Connect, Abort],
        State::Sta01A => &[AbortAccept],
        State::Sta16 => &[AbortAccept],
        _ => &[
            DataTransfer,
            TypedData,
            ExpeditedData,
            GiveTokens,
            PleaseTokens,
            MinorSyncPoint,
            MinorSyncAck,
            MajorSyncPoint,
            ActivityEnd,
            Resynchronize,
            ActivityStart,
            ActivityResume,
            CapabilityData,
            ExceptionData,
            ExceptionReport,
            Prepare,
            GiveTokensConfirm,
            Finish,
            ActivityStart,
        ],
    }
}

pub(crate) fn setup_again(random: &mut Random, setup: &Setup) -> ConnectParameters<'static> {
    ConnectParameters { user_data: octets(random, 20), ..setup.connect }
}

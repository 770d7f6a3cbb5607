//! Two session machines, both flows between them, and octets that decide what the users ask for, what is
//! delivered when, and what a broken peer puts into the flows.
//!
//! As long as nothing was put in, whatever the users asked for must lead to no protocol error. After that, no
//! panic, one ABORT at most, one end, bounded memory.

use std::collections::VecDeque;
use std::time::Duration;

use colloquy_session::machine::QUEUED_EVENTS_MAX;
use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    AcceptParameters, ActivityResumeParameters, ConnectParameters, Enclosure, FunctionalUnits as Fu,
    Indication, OldConnection, RefuseParameters, Request, ResyncType, ResynchronizeAnswer,
    ResynchronizeParameters, SerialNumber, Session, SessionConfig, State, TokenSettings, TokenSide, Tokens,
    Transmit, TsduMaximumSize, Versions,
};

/// Most TSDUs that wait on one flow before requests are held back: the users see backpressure.
const WAITING_MAX: usize = 64;

/// Longest SPDU that is put together from segments, with its header.
const JOINED_OCTETS_MAX: usize = 1 << 21;

/// The flows to one side.
#[derive(Default)]
struct Flows {
    normal: VecDeque<(u64, Vec<u8>)>,
    expedited: VecDeque<(u64, Vec<u8>)>,
}

struct Pair<'o> {
    octets: &'o [u8],
    sides: [Session; 2],
    flows: [Flows; 2],
    /// T-DISCONNECT request of a side that the other has not seen yet.
    ending: [bool; 2],
    aborts: [usize; 2],
    told: [bool; 2],
    /// How often in a row expedited data have overtaken what was sent before them.
    overtaken: [usize; 2],
    /// Octets were put in that no machine made.
    is_foul: bool,
    connect: ConnectParameters<'static>,
    order: u64,
    now: Duration,
}

const BODY: [u8; 700] = [0x5a; 700];

/// Runs the octets.
pub(crate) fn run(octets: &[u8]) {
    let Some((head, octets)) = octets.split_first_chunk::<8>() else { return };
    let Some(mut pair) = Pair::new(head, octets) else { return };
    while let Some(opcode) = pair.take() {
        if pair.sides.iter().all(|side| side.state() == State::Sta01) {
            break;
        }
        pair.step(opcode);
    }
    pair.end();
}

impl<'o> Pair<'o> {
    fn new(head: &[u8; 8], octets: &'o [u8]) -> Option<Pair<'o>> {
        let [flags, units_high, units_low, settings, size, serial, versions, choice] = *head;
        // The rows of symmetric synchronize are reconstructed, and it is off unless a configuration names it.
        let offered = Fu::all() - Fu::SYMMETRIC_SYNC;
        let units = Fu::from_bits_truncate(u16::from_be_bytes([units_high, units_low])) & offered;
        let config = SessionConfig {
            functional_units: offered,
            strict: flags & 1 != 0,
            extended_concatenation: flags & 2 != 0,
            transport_reuse: flags & 4 != 0,
            exception_reports: flags & 8 != 0,
            ..SessionConfig::default()
        };
        let expedited = flags & 16 != 0;
        let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE);
        let connect = ConnectParameters {
            versions: Versions::from_bits_truncate(versions),
            requirements: units,
            initial_serial_number: numbered.then_some(number(serial)),
            token_settings: settings_of(settings),
            tsdu_maximum_size: (size != 0).then_some(TsduMaximumSize {
                initiator_to_responder: u16::from(size) * 8,
                responder_to_initiator: u16::from(size.rotate_left(4)) * 8,
            }),
            user_data: &BODY[..usize::from(choice)],
            ..ConnectParameters::default()
        };
        let mut initiator = Session::initiator(&config, &connect).ok()?;
        let mut responder = Session::responder(&config);
        if expedited {
            responder.use_transport_expedited();
        }
        initiator.transport_connected(Duration::ZERO, expedited);
        let mut pair = Pair {
            octets,
            sides: [initiator, responder],
            flows: Default::default(),
            ending: [false; 2],
            aborts: [0; 2],
            told: [false; 2],
            overtaken: [0; 2],
            is_foul: false,
            connect,
            order: 0,
            now: Duration::ZERO,
        };
        pair.collect(0);
        Some(pair)
    }

    fn take(&mut self) -> Option<u8> {
        let (&first, rest) = self.octets.split_first()?;
        self.octets = rest;
        Some(first)
    }

    /// A parameter; 0 behind the end.
    fn parameter(&mut self) -> u8 {
        self.take().unwrap_or(0)
    }

    fn step(&mut self, opcode: u8) {
        let side = usize::from(opcode >> 7);
        match opcode & 0x7f {
            0..48 => self.deliver(side, false),
            48..64 => self.deliver(side, true),
            64..68 => self.inject(side, opcode),
            68 => self.expire(side),
            69 => self.lose_transport(),
            70 => self.again(),
            71..84 => self.data(side, opcode),
            request => self.request(side, request),
        }
        self.look();
    }

    /// The next TSDU of a flow, as far as the flows allow: normal data never pass expedited data. Expedited data
    /// overtake no more often in a row than a machine keeps SPDUs for later: more is its limit, not a fault.
    fn deliver(&mut self, side: usize, expedited: bool) {
        let expedited = expedited && self.overtaken[side] < QUEUED_EVENTS_MAX;
        let flows = &mut self.flows[side];
        let first = |flow: &VecDeque<(u64, Vec<u8>)>| flow.front().map_or(u64::MAX, |(order, _)| *order);
        let passes = first(&flows.expedited) < first(&flows.normal);
        let expedited = !flows.expedited.is_empty() && (expedited || passes);
        let flow = if expedited { &mut flows.expedited } else { &mut flows.normal };
        self.overtaken[side] = if expedited && !passes { self.overtaken[side] + 1 } else { 0 };
        match flow.pop_front() {
            Some((_, octets)) => self.receive(side, &octets, expedited),
            None if self.ending[1 - side] => self.disconnect(side),
            None => {}
        }
    }

    /// What a broken peer sends: octets of its own, or those of the other machine with one changed.
    fn inject(&mut self, side: usize, opcode: u8) {
        self.is_foul = true;
        let length = usize::from(self.parameter());
        if opcode & 1 == 0 {
            let (part, rest) = self.octets.split_at(length.min(self.octets.len()));
            self.octets = rest;
            let expedited = opcode & 2 != 0 && (1..=16).contains(&part.len());
            return self.receive(side, part, expedited && self.sides[side].transport_expedited());
        }
        let value = self.parameter();
        let flow = match opcode & 2 {
            0 => &mut self.flows[side].normal,
            _ => &mut self.flows[side].expedited,
        };
        if let Some((_, octets)) = flow.front_mut() {
            let at = length % octets.len();
            octets[at] ^= value;
        }
    }

    fn receive(&mut self, side: usize, octets: &[u8], expedited: bool) {
        let mut tsdu = if expedited { Tsdu::expedited(octets) } else { Tsdu::new(octets) };
        let mut rounds = 0;
        while let Some(indication) = self.sides[side].handle_tsdu(self.now, &mut tsdu) {
            self.indicated(side, &indication);
            rounds += 1;
            assert!(rounds <= octets.len() + 2, "every SPDU takes octets");
        }
        self.joined(side);
        let fault = self.sides[side].take_fault();
        let before_session = self.sides[side].state() == State::Sta01 && !self.told[side];
        assert!(self.is_foul || fault.is_none() || before_session, "{fault:?}");
        self.collect(side);
    }

    fn joined(&mut self, side: usize) {
        while let Some(joined) = self.sides[side].take_joined() {
            let mut tsdu = joined.tsdu();
            assert!(tsdu.remaining_octets() <= JOINED_OCTETS_MAX);
            while let Some(indication) = self.sides[side].handle_tsdu(self.now, &mut tsdu) {
                self.indicated(side, &indication);
            }
        }
    }

    fn indicated(&mut self, side: usize, indication: &Indication<'_>) {
        assert!(!self.told[side], "{indication:?} after the end");
        match indication {
            Indication::ProviderAbort { .. } => {
                assert!(self.is_foul, "{:?}", self.sides[side].take_fault());
                self.told[side] = true;
            }
            Indication::ProviderException { .. } => assert!(self.is_foul),
            Indication::UserAbort { .. } | Indication::ConnectRefused(_) => self.told[side] = true,
            _ => {}
        }
    }

    /// Takes what a machine wants to send.
    fn collect(&mut self, side: usize) {
        while let Some(transmit) = self.sides[side].poll_transmit() {
            let order = self.order;
            self.order += 1;
            assert!(!self.ending[side], "nothing comes behind T-DISCONNECT");
            match transmit {
                Transmit::Tsdu(octets) => {
                    self.aborts[side] += usize::from(octets[0] == 0x19);
                    self.flows[1 - side].normal.push_back((order, octets.to_vec()));
                }
                Transmit::Expedited(octets) => {
                    assert!((1..=16).contains(&octets.len()));
                    self.aborts[side] += usize::from(octets[0] == 0x19);
                    self.flows[1 - side].expedited.push_back((order, octets.to_vec()));
                }
                _ => {
                    self.ending[side] = true;
                    self.flows[side] = Flows::default();
                }
            }
        }
        assert!(self.aborts[side] <= 1, "one ABORT at most");
    }

    fn disconnect(&mut self, side: usize) {
        let indication = self.sides[side].transport_disconnected(self.now);
        if let Some(indication) = indication {
            assert!(self.is_foul && !self.told[side], "{indication:?}");
            self.told[side] = true;
        }
        self.ending[side] = true;
        assert_eq!(self.sides[side].poll_transmit(), None);
        assert_eq!(self.sides[side].state(), State::Sta01);
    }

    fn lose_transport(&mut self) {
        self.is_foul = true;
        for side in 0..2 {
            self.disconnect(side);
            self.flows[side] = Flows::default();
        }
    }

    fn expire(&mut self, side: usize) {
        let is_quiet = self.flows.iter().all(|flows| flows.normal.is_empty() && flows.expedited.is_empty());
        let Some(deadline) = self.sides[side].poll_timeout() else { return };
        if is_quiet || self.is_foul {
            self.now = self.now.max(deadline);
            // Only an announced abort that never came is news to the user.
            let announced = self.sides[side].state() == State::Sta15D;
            let told = self.sides[side].handle_timeout(self.now);
            assert_eq!(told.is_some(), announced, "{told:?}");
            if let Some(indication) = told {
                self.indicated(side, &indication);
            }
            self.collect(side);
        }
    }

    /// The next session on a transport connection that was kept.
    fn again(&mut self) {
        let connect = self.connect;
        if self.sides.iter().all(|side| side.state() == State::Sta01C)
            && self.flows.iter().all(|flows| flows.normal.is_empty())
            && self.sides[0].connect_request(self.now, &connect).is_ok()
        {
            (self.aborts, self.told) = ([0; 2], [false; 2]);
            self.collect(0);
        }
    }

    fn data(&mut self, side: usize, opcode: u8) {
        let length = usize::from(self.parameter()) * 3 % 700;
        let enclosure = Enclosure { begin: opcode & 1 == 0, end: opcode & 2 == 0 };
        if self.flows[1 - side].normal.len() >= WAITING_MAX {
            return;
        }
        let session = &mut self.sides[side];
        let segments = match opcode & 4 {
            0 => session.data_request(length, enclosure),
            _ => session.typed_data_request(length, enclosure),
        };
        let Ok(segments) = segments else { return };
        let mut body = &BODY[..length];
        for segment in segments {
            let (part, rest) = body.split_at(segment.octets);
            body = rest;
            let tsdu = [segment.header(), part].concat();
            self.flows[1 - side].normal.push_back((self.order, tsdu));
            self.order += 1;
        }
    }

    /// What must hold between any two steps.
    fn look(&self) {
        for side in &self.sides {
            let numbers = side.serial_numbers();
            assert!(numbers.lowest_unconfirmed <= numbers.next && numbers.next.0 <= 1_000_000);
            assert!(side.tokens_available().contains(side.tokens_owned()));
        }
        let [i, r] = &self.sides;
        let is_quiet = self.flows.iter().all(|flows| flows.normal.is_empty() && flows.expedited.is_empty());
        if is_quiet && !self.is_foul && [i.state(), r.state()] == [State::Sta713; 2] {
            assert_eq!(i.tokens_owned() ^ r.tokens_owned(), i.tokens_available());
            assert_eq!(i.activity_in_progress(), r.activity_in_progress());
        }
    }

    fn end(&mut self) {
        for side in 0..2 {
            self.sides[side].transport_disconnected(self.now);
            assert_eq!(self.sides[side].poll_transmit(), None, "there is no connection to end");
            assert_eq!(self.sides[side].state(), State::Sta01);
        }
    }
}

/// Requests and responses.
impl Pair<'_> {
    fn request(&mut self, side: usize, opcode: u8) {
        let parameter = self.parameter();
        if self.flows[1 - side].normal.len() >= WAITING_MAX {
            return;
        }
        let before = self.sides[side].state();
        let accepted = match before {
            State::Sta08 => self.answer(side, parameter),
            _ => {
                let request = self.request_of(side, opcode, parameter);
                let accepted = self.sides[side].request(self.now, &request).is_ok();
                self.told[side] |= accepted && matches!(request, Request::Abort { .. });
                accepted
            }
        };
        if accepted {
            self.joined(side);
            self.collect(side);
        } else {
            assert_eq!(self.sides[side].state(), before);
            assert_eq!(self.sides[side].poll_transmit(), None, "a refused request sends nothing");
        }
    }

    fn answer(&mut self, side: usize, parameter: u8) -> bool {
        if parameter == 0 {
            let refuse = RefuseParameters { reason: 2, user_data: b"no", transport_kept: false };
            self.told[side] = true;
            return self.sides[side].connect_refuse(self.now, &refuse).is_ok();
        }
        let accept = AcceptParameters {
            requirements: if parameter & 1 == 0 { Fu::all() } else { Fu::all() - Fu::DUPLEX },
            token_settings: answered(parameter),
            tokens_please: if parameter & 2 == 0 { Tokens::empty() } else { Tokens::all() },
            user_data: &BODY[..usize::from(parameter)],
            ..AcceptParameters::default()
        };
        self.sides[side].connect_response(self.now, &accept).is_ok()
    }

    fn request_of(&self, side: usize, opcode: u8, parameter: u8) -> Request<'static> {
        let session = &self.sides[side];
        let user_data = &BODY[..usize::from(parameter & 0x0f) * usize::from(parameter >> 4)];
        let tokens = Tokens::from_bits_truncate(parameter);
        let next = session.serial_numbers().next;
        match opcode {
            84 => Request::ExpeditedData { user_data: &BODY[..usize::from(parameter % 16)] },
            85 => Request::CapabilityData { user_data },
            86 => Request::CapabilityDataResponse { user_data },
            87 | 88 => Request::TokenGive { tokens: tokens & session.tokens_owned(), user_data: &[] },
            89 => Request::TokenGive { tokens, user_data },
            90 => Request::TokenPlease { tokens, user_data },
            91 => Request::ControlGive { user_data: &[] },
            92..95 => Request::SyncMinor {
                confirmation_optional: parameter & 1 != 0,
                data_separation: opcode == 94,
                user_data,
            },
            95 => {
                let back = u32::from(parameter & 3) + 1;
                Request::SyncMinorResponse {
                    serial_number: SerialNumber(next.0.saturating_sub(back)),
                    user_data,
                }
            }
            96 | 97 => Request::SyncMajor { user_data },
            98 | 99 => Request::SyncMajorResponse { user_data },
            100..106 => resynchronize(opcode, parameter, next),
            106 | 107 => Request::ResynchronizeResponse(ResynchronizeAnswer {
                serial_number: (parameter & 1 != 0).then_some(number(parameter)),
                token_settings: (parameter & 2 != 0).then_some(answered(parameter)),
                user_data: &[],
                second_serial_number: None,
            }),
            108 => Request::UserException { reason: parameter & 7, user_data: &[] },
            109 | 110 => {
                Request::ActivityStart { identifier: &BODY[..usize::from(parameter & 7)], user_data }
            }
            111 => Request::ActivityResume(ActivityResumeParameters {
                identifier: &BODY[..usize::from(parameter & 7)],
                old_identifier: b"old",
                serial_number: number(parameter),
                old_connection: OldConnection::default(),
                user_data: &[],
                second_serial_number: None,
            }),
            112 | 113 => Request::ActivityInterrupt { reason: parameter & 7, user_data: &[] },
            114 | 115 => Request::ActivityDiscard { reason: parameter & 7, user_data: &[] },
            116 => Request::ActivityInterruptResponse { user_data: &[] },
            117 => Request::ActivityDiscardResponse { user_data: &[] },
            118 | 119 => Request::ActivityEnd { user_data },
            120 | 121 => Request::ActivityEndResponse { user_data },
            122..124 => Request::Release { user_data },
            124..127 => Request::ReleaseResponse { affirmative: opcode != 126, user_data },
            _ => Request::Abort { user_data: &BODY[..usize::from(parameter % 32)] },
        }
    }
}

fn resynchronize(opcode: u8, parameter: u8, next: SerialNumber) -> Request<'static> {
    let (resync_type, serial_number) = match opcode {
        100 | 101 => (ResyncType::Abandon, None),
        102 | 103 => (ResyncType::Set, Some(number(parameter))),
        104 => (ResyncType::Restart, Some(next)),
        _ => (ResyncType::Restart, Some(SerialNumber(next.0.saturating_sub(u32::from(parameter & 7))))),
    };
    let token_settings = (parameter & 8 != 0).then_some(settings_of(parameter));
    Request::Resynchronize(ResynchronizeParameters {
        resync_type,
        serial_number,
        token_settings,
        user_data: &BODY[..usize::from(parameter)],
        second: None,
    })
}

/// A few small numbers, and the highest ones.
fn number(octet: u8) -> SerialNumber {
    let number = u32::from(octet & 0x7f);
    SerialNumber(if octet & 0x80 != 0 { 999_999 - number } else { number })
}

fn settings_of(octet: u8) -> TokenSettings {
    let side = |shift: u8| match octet >> shift & 3 {
        0 => TokenSide::Initiator,
        1 => TokenSide::Responder,
        _ => TokenSide::AcceptorChooses,
    };
    TokenSettings { data: side(0), minor: side(2), major: side(4), release: side(6) }
}

fn answered(octet: u8) -> TokenSettings {
    let side = |bit: u8| if octet & bit == 0 { TokenSide::Initiator } else { TokenSide::Responder };
    TokenSettings { data: side(16), minor: side(32), major: side(64), release: side(128) }
}

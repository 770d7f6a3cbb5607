//! Two machines under random users: no protocol error, and at rest they agree about tokens and numbers.

use std::collections::VecDeque;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    AcceptParameters, ConnectParameters, FunctionalUnits as Fu, Indication, Request, ResyncType,
    ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, Session, SessionConfig, State, Tokens,
    Transmit,
};

use super::super::purpose::{Stop, Verdict};
use super::{START, stop};

/// A xorshift generator: the seeds are fixed, so that a fault can be met again.
pub(crate) struct Random(u64);

impl Random {
    /// A generator with this seed.
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }
}

/// Seeds, each with another set of units.
const RUNS: u64 = 24;
/// Steps of one run.
const STEPS: usize = 400;

/// One machine and what is under way to its peer.
struct Side {
    session: Session,
    sent: VecDeque<Vec<u8>>,
    points: Vec<u32>,
}

/// 143.
pub(crate) fn random_users() -> Verdict {
    const UNITS: [Fu; 4] = [
        super::reach::POINTS,
        super::reach::ACTIVITIES.union(Fu::RESYNCHRONIZE),
        Fu::HALF_DUPLEX
            .union(Fu::MINOR_SYNC)
            .union(Fu::MAJOR_SYNC)
            .union(Fu::RESYNCHRONIZE)
            .union(Fu::TYPED_DATA),
        Fu::HALF_DUPLEX
            .union(Fu::MINOR_SYNC)
            .union(Fu::ACTIVITY)
            .union(Fu::CAPABILITY_DATA)
            .union(Fu::MAJOR_SYNC),
    ];
    for seed in 1..=RUNS {
        let units = UNITS[seed as usize % UNITS.len()];
        run(seed, units)?;
    }
    Ok(())
}

fn run(seed: u64, units: Fu) -> Verdict {
    let mut random = Random::new(seed);
    let mut sides = connected(units).map_err(|what| stop(&format!("seed {seed}"), "a session", what))?;
    for _ in 0..STEPS {
        let at = random.below(2);
        match random.below(3) {
            0 => ask(&mut sides[at], &mut random),
            _ => {
                if let Some(tsdu) = sides[1 - at].sent.pop_front() {
                    deliver(&mut sides[at], &tsdu, &mut random, seed)?;
                }
            }
        }
    }
    while let Some(at) = (0..2).find(|at| !sides[1 - at].sent.is_empty()) {
        let tsdu = sides[1 - at].sent.pop_front().unwrap_or_default();
        deliver(&mut sides[at], &tsdu, &mut random, seed)?;
    }
    agree(&sides, seed, units)
}

/// At rest each token is on one side, and the numbers are equal.
fn agree(sides: &[Side; 2], seed: u64, units: Fu) -> Verdict {
    let states = sides.each_ref().map(|side| side.session.state());
    let owned = sides.each_ref().map(|side| side.session.tokens_owned());
    let numbers = sides.each_ref().map(|side| side.session.serial_numbers());
    let rest = states == [State::Sta713; 2];
    let complementary =
        (owned[0] & owned[1]).is_empty() && owned[0] | owned[1] == sides[0].session.tokens_available();
    // Between activities the numbers mean nothing: an end that an interrupt crosses leaves them apart, and the
    // next start sets them.
    let between = units.contains(Fu::ACTIVITY) && !sides[0].session.activity_in_progress();
    let equal = between
        || numbers[0].next == numbers[1].next && numbers[0].lowest_restart == numbers[1].lowest_restart;
    match rest && complementary && equal {
        true => Ok(()),
        false => Err(stop(
            &format!("random users, seed {seed}, {units:?}"),
            "STA713, each token on one side, equal numbers",
            format!("{states:?}, {owned:?}, {numbers:?}"),
        )),
    }
}

fn connected(units: Fu) -> Result<[Side; 2], String> {
    let config = SessionConfig { functional_units: units, ..SessionConfig::default() };
    let serial = (!units.contains(Fu::ACTIVITY)).then_some(SerialNumber(1));
    let connect =
        ConnectParameters { requirements: units, initial_serial_number: serial, ..Default::default() };
    let side = |session| Side { session, sent: VecDeque::new(), points: Vec::new() };
    let initiator = Session::initiator(&config, &connect).map_err(|error| error.to_string())?;
    let mut sides = [side(initiator), side(Session::responder(&config))];
    sides[0].session.transport_connected(START, false);
    sides[0].take();
    let cn = sides[0].sent.pop_front().ok_or("no CN")?;
    let mut tsdu = Tsdu::new(&cn);
    while sides[1].session.handle_tsdu(START, &mut tsdu).is_some() {}
    let accept = AcceptParameters { requirements: units, ..AcceptParameters::default() };
    sides[1].session.connect_response(START, &accept).map_err(|error| error.to_string())?;
    sides[1].take();
    let ac = sides[1].sent.pop_front().ok_or("no AC")?;
    let mut tsdu = Tsdu::new(&ac);
    while sides[0].session.handle_tsdu(START, &mut tsdu).is_some() {}
    Ok(sides)
}

impl Side {
    /// Takes what the machine sends.
    fn take(&mut self) {
        while let Some(transmit) = self.session.poll_transmit() {
            if let Transmit::Tsdu(octets) = transmit {
                self.sent.push_back(octets.to_vec());
            }
        }
    }

    /// A primitive whose refusal is fine.
    fn try_to(&mut self, request: &Request<'_>) {
        let _ = self.session.request(START, request);
        self.take();
    }
}

/// A request that may or may not be possible.
fn ask(side: &mut Side, random: &mut Random) {
    let number = side.session.serial_numbers().next.0.saturating_sub(random.below(3) as u32);
    let resync = |resync_type, number: Option<u32>| {
        Request::Resynchronize(ResynchronizeParameters {
            resync_type,
            serial_number: number.map(SerialNumber),
            ..ResynchronizeParameters::default()
        })
    };
    let tokens = Tokens::from_bits_truncate([0x01, 0x04, 0x10, 0x15][random.below(4)]);
    match random.below(16) {
        0 => side.try_to(&Request::TokenGive { tokens, user_data: &[] }),
        1 => side.try_to(&Request::TokenPlease { tokens, user_data: b"please" }),
        2 | 3 => side.try_to(&super::minor::POINT),
        4 => side.try_to(&Request::SyncMajor { user_data: &[] }),
        5 => side.try_to(&resync(ResyncType::Abandon, None)),
        6 => side.try_to(&resync(ResyncType::Restart, Some(number))),
        7 => side.try_to(&resync(ResyncType::Set, Some(number + 7))),
        8 => side.try_to(&Request::ActivityStart { identifier: b"A", user_data: &[] }),
        9 => side.try_to(&Request::ActivityEnd { user_data: &[] }),
        10 => side.try_to(&Request::ActivityInterrupt { reason: 0, user_data: &[] }),
        11 => side.try_to(&Request::ActivityDiscard { reason: 1, user_data: &[] }),
        12 => side.try_to(&Request::CapabilityData { user_data: b"c" }),
        13 => side.try_to(&Request::ControlGive { user_data: &[] }),
        14 => {
            if let Some(number) = side.points.pop() {
                side.try_to(&super::minor::confirm(number));
            }
        }
        _ => data(side),
    }
}

fn data(side: &mut Side) {
    let body = b"random";
    let Ok(segments) = side.session.data_request(body.len(), colloquy_session::Enclosure::WHOLE) else {
        return;
    };
    side.sent.extend(segments.map(|segment| [segment.header(), &body[..]].concat()));
}

/// Hands a TSDU over; what has to be answered is answered at once.
fn deliver(side: &mut Side, tsdu: &[u8], random: &mut Random, seed: u64) -> Result<(), Stop> {
    let mut tsdu_left = Tsdu::new(tsdu);
    while let Some(indication) = side.session.handle_tsdu(START, &mut tsdu_left) {
        let answer = match indication {
            Indication::SyncMajor { .. } => Some(Request::SyncMajorResponse { user_data: &[] }),
            Indication::ActivityEnd { .. } => Some(Request::ActivityEndResponse { user_data: &[] }),
            Indication::Resynchronize(_) => {
                Some(Request::ResynchronizeResponse(ResynchronizeAnswer::default()))
            }
            Indication::ActivityInterrupt { .. } => {
                Some(Request::ActivityInterruptResponse { user_data: &[] })
            }
            Indication::ActivityDiscard { .. } => Some(Request::ActivityDiscardResponse { user_data: &[] }),
            Indication::CapabilityData { .. } => Some(Request::CapabilityDataResponse { user_data: &[] }),
            Indication::SyncMinor { serial_number, .. } => {
                if random.below(2) == 0 {
                    side.points.push(serial_number.0);
                }
                None
            }
            Indication::ProviderAbort { reason } => {
                let sent = format!("random users, seed {seed}: [{}]", super::super::octets::hex(tsdu));
                return Err(stop(&sent, "no protocol error", format!("S-P-ABORT {reason:?}")));
            }
            _ => None,
        };
        if let Some(answer) = answer {
            side.try_to(&answer);
        }
    }
    side.take();
    Ok(())
}

//! What a service user asks for: anything at random, or what gets a session to its end.

use std::sync::LazyLock;

use colloquy_session::{
    ActivityResumeParameters, FlowResynchronization, FunctionalUnits as Fu, OldConnection, Request,
    ResyncType, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, SerialNumbers, Session, State,
    Tokens,
};

use super::setup;
use crate::machine_support::Random;

/// Octets without a pattern: a slice of them that is in the wrong place is found out.
static OCTETS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = Random::new(225);
    (0..20_000).map(|_| random.bits() as u8).collect()
});

/// User data of fewer than `bound` octets.
pub(crate) fn octets(random: &mut Random, bound: usize) -> &'static [u8] {
    let length = random.below(bound);
    let start = random.below(OCTETS.len() - length);
    &OCTETS[start..start + length]
}

/// User data as users send them: mostly little, now and then more than one TSDU holds.
pub(crate) fn user_data(random: &mut Random) -> &'static [u8] {
    let bound = random.pick(&[1, 1, 10, 10, 10, 10, 100, 513]);
    match random.one_in(200) {
        true => octets(random, 5000),
        false => octets(random, bound),
    }
}

const REASONS: [u8; 7] = [0, 1, 3, 5, 6, 128, 2];

/// Any request or response, most of which no state allows.
pub(crate) fn any_request(random: &mut Random, session: &Session) -> Request<'static> {
    let user_data = user_data(random);
    let short = if random.one_in(3) { octets(random, 10) } else { &[] };
    let tokens = Tokens::from_bits_truncate(random.bits() as u8);
    let owned = session.tokens_owned();
    let reason = random.pick(&REASONS);
    let identifier = octets(random, 8);
    match random.below(32) {
        0 | 1 => Request::ExpeditedData { user_data: octets(random, 16) },
        2 => Request::CapabilityData { user_data },
        3 => Request::CapabilityDataResponse { user_data },
        4 => Request::TokenGive { tokens, user_data: short },
        5 | 6 => Request::TokenGive { tokens: tokens & owned, user_data: &[] },
        7 => Request::TokenPlease { tokens, user_data },
        8 => Request::TokenPlease { tokens: (session.tokens_available() - owned) & tokens, user_data },
        9 => Request::ControlGive { user_data: short },
        10..13 => Request::SyncMinor {
            confirmation_optional: random.coin(),
            data_separation: random.one_in(3),
            user_data,
        },
        13 => minor_response(random, session, user_data),
        14 | 15 => Request::SyncMajor { user_data },
        16 => Request::SyncMajorResponse { user_data },
        // With symmetric synchronize neither needs a token: points would be seldom otherwise.
        17..20 if session.flow_numbers().is_some() && !random.one_in(4) => points_both_ways(random, session),
        17..20 => resynchronize(random, session, user_data),
        20 => answer(random, session, user_data),
        21 => Request::UserException { reason, user_data },
        22 | 23 => Request::ActivityStart { identifier, user_data },
        24 => resume(random, session, user_data),
        25 => Request::ActivityInterrupt { reason, user_data: short },
        26 => Request::ActivityDiscard { reason, user_data: short },
        27 => Request::ActivityInterruptResponse { user_data: short },
        28 => Request::ActivityEnd { user_data },
        29 => Request::ActivityEndResponse { user_data },
        30 => Request::ReleaseResponse { affirmative: random.coin(), user_data },
        _ => Request::ActivityDiscardResponse { user_data: short },
    }
}

/// A point, or the confirmation of one of the peer's.
fn points_both_ways(random: &mut Random, session: &Session) -> Request<'static> {
    let user_data = user_data(random);
    let (confirmation_optional, data_separation) = (random.coin(), random.one_in(4));
    let receiving = session.flow_numbers().map(|[_, receiving]| receiving);
    match receiving.filter(|numbers| numbers.next > numbers.lowest_unconfirmed) {
        Some(numbers) if !random.one_in(3) => {
            let points = numbers.next.0 - numbers.lowest_unconfirmed.0;
            let number = numbers.lowest_unconfirmed.0 + random.below(points as usize) as u32;
            Request::SyncMinorResponse { serial_number: SerialNumber(number), user_data }
        }
        _ => Request::SyncMinor { confirmation_optional, data_separation, user_data },
    }
}

/// Confirms a point: one that waits for it, or one that does not.
pub(crate) fn minor_response(
    random: &mut Random,
    session: &Session,
    user_data: &'static [u8],
) -> Request<'static> {
    let numbers = session.flow_numbers().map_or(session.serial_numbers(), |[_, receiving]| receiving);
    let lowest = numbers.lowest_unconfirmed.0.saturating_sub(1);
    let serial_number =
        SerialNumber(lowest + random.below((numbers.next.0 + 1 - lowest) as usize + 1) as u32);
    Request::SyncMinorResponse { serial_number, user_data }
}

fn resynchronize(random: &mut Random, session: &Session, user_data: &'static [u8]) -> Request<'static> {
    let flows = session.flow_numbers();
    let (resync_type, serial_number) =
        kind_of_resynchronization(random, flows.map_or(session.serial_numbers(), |[sending, _]| sending));
    let second = flows.filter(|_| random.coin()).map(|[_, receiving]| {
        let (resync_type, serial_number) = kind_of_resynchronization(random, receiving);
        FlowResynchronization { resync_type, serial_number }
    });
    let token_settings = random.coin().then(|| setup::settings(random));
    Request::Resynchronize(ResynchronizeParameters {
        resync_type,
        serial_number,
        token_settings,
        second,
        user_data,
    })
}

fn kind_of_resynchronization(
    random: &mut Random,
    numbers: SerialNumbers,
) -> (ResyncType, Option<SerialNumber>) {
    let (next, lowest) = (numbers.next.0, numbers.lowest_restart.0);
    match random.below(4) {
        0 => (ResyncType::Abandon, None),
        1 => {
            let number = random.pick(&[0, 1, 5, 700, 999_999, next, 1_000_000]);
            (ResyncType::Set, Some(SerialNumber(number)))
        }
        2 => (ResyncType::Restart, Some(SerialNumber(next))),
        _ => {
            let above = next.saturating_sub(lowest).min(20) as usize;
            let number = next.saturating_sub(random.below(above + 2) as u32);
            (ResyncType::Restart, Some(SerialNumber(number)))
        }
    }
}

fn answer(random: &mut Random, session: &Session, user_data: &'static [u8]) -> Request<'static> {
    let token_settings = random.coin().then(|| setup::answered_settings(random));
    let number = random.pick(&[0, 3, 999_999, session.serial_numbers().next.0]);
    let serial_number = random.one_in(4).then_some(SerialNumber(number));
    let second = session.flow_numbers().filter(|_| random.one_in(4));
    let second_serial_number = second.map(|[sending, _]| random.pick(&[SerialNumber(4), sending.next]));
    Request::ResynchronizeResponse(ResynchronizeAnswer {
        serial_number,
        second_serial_number,
        token_settings,
        user_data,
    })
}

fn resume(random: &mut Random, session: &Session, user_data: &'static [u8]) -> Request<'static> {
    let old_connection = match random.coin() {
        true => OldConnection {
            called_reference: octets(random, 65),
            calling_reference: octets(random, 65),
            common_reference: octets(random, 65),
            additional_information: octets(random, 5),
        },
        false => OldConnection::default(),
    };
    Request::ActivityResume(ActivityResumeParameters {
        identifier: octets(random, 7),
        old_identifier: octets(random, 7),
        serial_number: SerialNumber(random.pick(&[0, 1, 3, 77, 999_998, 999_999])),
        old_connection,
        user_data,
        second_serial_number: session.flow_numbers().map(|_| SerialNumber(random.pick(&[0, 2, 999_999]))),
    })
}

/// The response that the state asks for; `None` where none is.
pub(crate) fn response(random: &mut Random, session: &Session) -> Option<Request<'static>> {
    let user_data = user_data(random);
    Some(match session.state() {
        State::Sta09 => Request::ReleaseResponse { affirmative: !random.one_in(3), user_data },
        State::Sta10A => Request::SyncMajorResponse { user_data },
        State::Sta10B => Request::ActivityEndResponse { user_data },
        State::Sta11A => answer(random, session, user_data),
        State::Sta11B => Request::ActivityInterruptResponse { user_data: &[] },
        State::Sta11C => Request::ActivityDiscardResponse { user_data: &[] },
        State::Sta22 => Request::CapabilityDataResponse { user_data },
        _ => return None,
    })
}

/// What a user does that wants the session to end in good order; `releases`: this user asks for the release.
///
/// Tried in this order; the first that the machine takes counts.
pub(crate) fn towards_release(session: &Session, releases: bool) -> Vec<Request<'static>> {
    let user_data = &b"to the end"[..];
    let none = &[][..];
    let owned = session.tokens_owned();
    let units = session.functional_units();
    match session.state() {
        State::Sta09 => vec![Request::ReleaseResponse { affirmative: true, user_data }],
        State::Sta10A => vec![Request::SyncMajorResponse { user_data }],
        State::Sta10B => vec![Request::ActivityEndResponse { user_data }],
        State::Sta11A => vec![Request::ResynchronizeResponse(ResynchronizeAnswer {
            user_data,
            ..ResynchronizeAnswer::default()
        })],
        State::Sta11B => vec![Request::ActivityInterruptResponse { user_data: none }],
        State::Sta11C => vec![Request::ActivityDiscardResponse { user_data: none }],
        State::Sta22 => vec![Request::CapabilityDataResponse { user_data }],
        State::Sta20 => recovery(owned, user_data),
        State::Sta713 if session.activity_in_progress() => vec![
            Request::ActivityEnd { user_data },
            Request::ActivityDiscard { reason: 0, user_data: none },
            Request::TokenGive { tokens: owned, user_data: none },
        ],
        State::Sta713 if releases => vec![
            Request::Release { user_data },
            Request::TokenPlease { tokens: session.tokens_available() - owned, user_data },
        ],
        State::Sta713 if !units.is_empty() => vec![Request::TokenGive { tokens: owned, user_data: none }],
        _ => Vec::new(),
    }
}

/// Out of an exception that was reported to this user.
fn recovery(owned: Tokens, user_data: &'static [u8]) -> Vec<Request<'static>> {
    let abandon = ResynchronizeParameters {
        resync_type: ResyncType::Abandon,
        user_data,
        ..ResynchronizeParameters::default()
    };
    let tokens = owned & Tokens::DATA;
    vec![
        Request::TokenGive { tokens, user_data: &[] },
        Request::Resynchronize(abandon),
        Request::ActivityDiscard { reason: 0, user_data: &[] },
    ]
}

/// True where the unit of a request makes any sense: keeps random users from asking for the impossible only.
pub(crate) fn has_tokens(session: &Session) -> bool {
    session
        .functional_units()
        .intersects(Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::ACTIVITY | Fu::NEGOTIATED_RELEASE)
}

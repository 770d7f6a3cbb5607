//! What a user might ask for next: drawn at random, and refused by the machine where it is not allowed.

use colloquy_session::{
    ActivityResumeParameters, FunctionalUnits, OldConnection, Request, ResyncType, ResynchronizeAnswer,
    ResynchronizeParameters, SerialNumber, Session, State, TokenSettings, TokenSide, Tokens,
};
use colloquy_transport::driver::sim::Random;

/// A request or response that is not S-DATA or S-TYPED-DATA.
pub(crate) fn draw<'a>(random: &mut Random, machine: &Session, user_data: &'a [u8]) -> Request<'a> {
    let tokens = Tokens::from_bits_truncate(random.bits() as u8);
    let numbers = machine.serial_numbers();
    match random.below(24) {
        0..=2 => Request::TokenGive { tokens: tokens & machine.tokens_owned(), user_data },
        3 => Request::TokenGive { tokens: machine.tokens_owned(), user_data: &[] },
        4 => Request::TokenPlease { tokens: machine.tokens_available() - machine.tokens_owned(), user_data },
        5..=8 => Request::SyncMinor {
            confirmation_optional: random.below(2) == 0,
            data_separation: machine.functional_units().contains(FunctionalUnits::DATA_SEPARATION)
                && random.below(2) == 0,
            user_data,
        },
        9..=11 => {
            let first = numbers.lowest_unconfirmed.0;
            let points = u64::from(numbers.next.0.saturating_sub(first));
            let serial_number = SerialNumber(first + random.below(points.max(1)) as u32);
            Request::SyncMinorResponse { serial_number, user_data }
        }
        12 => Request::SyncMajor { user_data },
        13 => resynchronize(random, machine, user_data),
        14 => Request::UserException { reason: 1, user_data },
        15 | 16 => Request::ActivityStart { identifier: b"act", user_data },
        17 => Request::ActivityResume(ActivityResumeParameters {
            identifier: b"new",
            old_identifier: b"old",
            serial_number: SerialNumber(random.below(1000) as u32),
            old_connection: OldConnection { common_reference: b"ref", ..OldConnection::default() },
            user_data,
            second_serial_number: None,
        }),
        18 => Request::ActivityInterrupt { reason: 3, user_data },
        19 => Request::ActivityDiscard { reason: 5, user_data },
        20 => Request::ActivityEnd { user_data },
        21 => Request::CapabilityData { user_data },
        22 => Request::ControlGive { user_data },
        _ => answer(random, machine, user_data).unwrap_or(Request::SyncMajor { user_data }),
    }
}

fn resynchronize<'a>(random: &mut Random, machine: &Session, user_data: &'a [u8]) -> Request<'a> {
    let numbers = machine.serial_numbers();
    let (resync_type, serial_number) = match random.below(3) {
        0 => (ResyncType::Abandon, None),
        1 => {
            let numbers_back = u64::from(numbers.next.0.saturating_sub(numbers.lowest_restart.0));
            let serial = numbers.lowest_restart.0 + random.below(numbers_back + 1) as u32;
            (ResyncType::Restart, Some(SerialNumber(serial)))
        }
        _ => (ResyncType::Set, Some(SerialNumber(random.below(5000) as u32))),
    };
    let token_settings = (random.below(2) == 0).then(|| settings(random, 3));
    Request::Resynchronize(ResynchronizeParameters {
        resync_type,
        serial_number,
        token_settings,
        user_data,
        second: None,
    })
}

fn settings(random: &mut Random, choices: u64) -> TokenSettings {
    let mut side = || match random.below(choices) {
        0 => TokenSide::Initiator,
        1 => TokenSide::Responder,
        _ => TokenSide::AcceptorChooses,
    };
    TokenSettings { data: side(), minor: side(), major: side(), release: side() }
}

/// The answer that the state waits for, if any.
pub(crate) fn answer<'a>(random: &mut Random, machine: &Session, user_data: &'a [u8]) -> Option<Request<'a>> {
    Some(match machine.state() {
        State::Sta09 => {
            let affirmative = random.below(2) == 0 || machine.tokens_available().is_empty();
            Request::ReleaseResponse { affirmative, user_data }
        }
        State::Sta10A => Request::SyncMajorResponse { user_data },
        State::Sta10B => Request::ActivityEndResponse { user_data },
        State::Sta11A => Request::ResynchronizeResponse(ResynchronizeAnswer {
            serial_number: None,
            token_settings: Some(settings(random, 2)),
            user_data,
            second_serial_number: None,
        }),
        State::Sta11B => Request::ActivityInterruptResponse { user_data },
        State::Sta11C => Request::ActivityDiscardResponse { user_data },
        State::Sta20 => match random.below(4) {
            0 => Request::ActivityDiscard { reason: 0, user_data: &[] },
            1 => Request::ActivityInterrupt { reason: 0, user_data: &[] },
            2 => resynchronize(random, machine, user_data),
            _ => Request::TokenGive { tokens: Tokens::DATA, user_data: &[] },
        },
        State::Sta22 => Request::CapabilityDataResponse { user_data },
        _ => return None,
    })
}

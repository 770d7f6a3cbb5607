//! Random configurations, proposals and answers: all legal, so that whatever fails later is the machines' fault.

use colloquy_session::{
    AcceptParameters, ConnectParameters, FunctionalUnits as Fu, SerialNumber, SessionConfig, TokenSettings,
    TokenSide, Tokens, TsduMaximumSize, Versions,
};

use super::user::octets;
use crate::machine_support::{Random, connect};

/// Everything but symmetric synchronize, whose rows are reconstructed.
pub(crate) const PLAIN_UNITS: Fu = Fu::all().difference(Fu::SYMMETRIC_SYNC);

/// X.400, and the 1984 default.
pub(crate) const BAS: Fu = Fu::HALF_DUPLEX
    .union(Fu::TYPED_DATA)
    .union(Fu::CAPABILITY_DATA)
    .union(Fu::MINOR_SYNC)
    .union(Fu::EXCEPTIONS)
    .union(Fu::ACTIVITY);

/// The basic synchronized subset, without its choice of duplexity.
pub(crate) const BSS: Fu = Fu::TYPED_DATA
    .union(Fu::NEGOTIATED_RELEASE)
    .union(Fu::MINOR_SYNC)
    .union(Fu::MAJOR_SYNC)
    .union(Fu::RESYNCHRONIZE);

/// How a session is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) config: SessionConfig,
    pub(crate) connect: ConnectParameters<'static>,
    pub(crate) accept: AcceptParameters<'static>,
    pub(crate) expedited: bool,
}

impl Setup {
    pub(crate) fn random(random: &mut Random) -> Setup {
        let expedited = random.coin();
        let requirements = units(random, expedited);
        let sizes =
            TsduMaximumSize { initiator_to_responder: size(random), responder_to_initiator: size(random) };
        let connect = ConnectParameters {
            versions: random.pick(&[Versions::V1, Versions::V2, Versions::V2, Versions::all()]),
            requirements,
            token_settings: settings(random),
            tsdu_maximum_size: random.coin().then_some(sizes),
            initial_serial_number: initial_serial_number(random, requirements),
            user_data: octets(random, 300),
            ..connect()
        };
        let config = SessionConfig {
            functional_units: if requirements.contains(Fu::SYMMETRIC_SYNC) { Fu::all() } else { PLAIN_UNITS },
            strict: random.coin(),
            extended_concatenation: random.coin(),
            transport_reuse: random.one_in(4),
            exception_reports: random.coin(),
            ..SessionConfig::default()
        };
        let accept = AcceptParameters {
            requirements: match requirements.contains(Fu::HALF_DUPLEX) && random.coin() {
                true => Fu::all() - Fu::DUPLEX,
                false => Fu::all(),
            },
            token_settings: answered_settings(random),
            tokens_please: if random.one_in(4) { Tokens::all() } else { Tokens::empty() },
            user_data: octets(random, 40),
            ..AcceptParameters::default()
        };
        Setup { config, connect, accept, expedited }
    }
}

impl Setup {
    /// With symmetric synchronize in place of minor synchronize, which every configuration then has to name.
    pub(crate) fn symmetric(random: &mut Random) -> Setup {
        let mut setup = Setup::random(random);
        let units = (setup.connect.requirements - Fu::MINOR_SYNC) | Fu::SYMMETRIC_SYNC;
        let units = if random.one_in(4) { units } else { units | Fu::RESYNCHRONIZE };
        setup.connect.requirements = units;
        setup.connect.initial_serial_number = initial_serial_number(random, units);
        setup.connect.second_initial_serial_number = initial_serial_number(random, units | Fu::ACTIVITY);
        setup.config.functional_units = Fu::all();
        setup.accept.second_initial_serial_number = initial_serial_number(random, units | Fu::ACTIVITY);
        setup
    }
}

/// A legal set of units: one of the named subsets, or any.
fn units(random: &mut Random, expedited: bool) -> Fu {
    let duplexity = random.pick(&[Fu::DUPLEX, Fu::HALF_DUPLEX, Fu::DUPLEX | Fu::HALF_DUPLEX]);
    let mut units = match random.below(10) {
        0 => duplexity,
        1 => Fu::DUPLEX,
        2 | 3 => duplexity | BSS,
        4 | 5 => BAS,
        6 => duplexity | (PLAIN_UNITS - Fu::DUPLEX - Fu::HALF_DUPLEX),
        7 => duplexity | (PLAIN_UNITS - Fu::DUPLEX - Fu::HALF_DUPLEX - Fu::ACTIVITY),
        _ => duplexity | (Fu::from_bits_truncate(random.bits() as u16) & PLAIN_UNITS),
    };
    if random.coin() {
        units -= Fu::DATA_SEPARATION;
    }
    if !expedited {
        units -= Fu::EXPEDITED;
    }
    if !units.contains(Fu::ACTIVITY) {
        units -= Fu::CAPABILITY_DATA;
    }
    if !units.contains(Fu::HALF_DUPLEX) {
        units -= Fu::EXCEPTIONS;
    }
    if !units.contains(Fu::MINOR_SYNC) {
        units -= Fu::DATA_SEPARATION;
    }
    units
}

fn size(random: &mut Random) -> u16 {
    random.pick(&[0, 0, 64, 65, 128, 300, 4096])
}

fn initial_serial_number(random: &mut Random, units: Fu) -> Option<SerialNumber> {
    let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE | Fu::SYMMETRIC_SYNC);
    let wanted = !units.contains(Fu::ACTIVITY) || random.coin();
    let number = random.pick(&[0, 1, 1, 1, 9, 500, 999_990, 999_999]);
    (numbered && wanted).then_some(SerialNumber(number))
}

/// Any positions.
pub(crate) fn settings(random: &mut Random) -> TokenSettings {
    let sides = [TokenSide::Initiator, TokenSide::Responder, TokenSide::AcceptorChooses];
    TokenSettings {
        data: random.pick(&sides),
        minor: random.pick(&sides),
        major: random.pick(&sides),
        release: random.pick(&sides),
    }
}

/// Positions that leave nothing open.
pub(crate) fn answered_settings(random: &mut Random) -> TokenSettings {
    let sides = [TokenSide::Initiator, TokenSide::Responder];
    TokenSettings {
        data: random.pick(&sides),
        minor: random.pick(&sides),
        major: random.pick(&sides),
        release: random.pick(&sides),
    }
}

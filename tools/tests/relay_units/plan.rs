//! What the two users of a schedule agree on: version, functional units, tokens, sizes.

use colloquy_session::{
    ConnectParameters, FunctionalUnits as Fu, SerialNumber, TokenSettings, TokenSide, TsduMaximumSize,
    Versions,
};
use colloquy_transport::driver::sim::Random;

/// What a schedule is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) versions: Versions,
    pub(crate) units: Fu,
    pub(crate) token_settings: TokenSettings,
    /// Where the responder puts the tokens that are left to it.
    pub(crate) choice: TokenSide,
    pub(crate) serial: Option<SerialNumber>,
    pub(crate) sizes: Option<TsduMaximumSize>,
    /// Transport expedited at the initiator, at the responder.
    pub(crate) expedited: [bool; 2],
    /// Connections are lost now and then.
    pub(crate) hostile: bool,
}

impl Plan {
    pub(crate) fn draw(random: &mut Random) -> Plan {
        let units = units(random);
        let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE);
        let serial = SerialNumber([0, 1, 5, 4000][random.below(4) as usize]);
        let mut side = || match random.below(3) {
            0 => TokenSide::Initiator,
            1 => TokenSide::Responder,
            _ => TokenSide::AcceptorChooses,
        };
        let token_settings = TokenSettings { data: side(), minor: side(), major: side(), release: side() };
        let mut size = || 64 + random.below(3000) as u16;
        let sizes = TsduMaximumSize { initiator_to_responder: size(), responder_to_initiator: size() };
        let texp = random.below(3);
        Plan {
            versions: if random.below(2) == 0 { Versions::V1 } else { Versions::V2 },
            units,
            token_settings,
            choice: if random.below(2) == 0 { TokenSide::Initiator } else { TokenSide::Responder },
            serial: (numbered && !units.contains(Fu::ACTIVITY)).then_some(serial),
            sizes: (random.below(3) == 0).then_some(sizes),
            expedited: [texp == 0 || random.below(6) == 0, texp == 0 || random.below(6) == 0],
            hostile: random.below(8) == 0,
        }
    }

    pub(crate) fn connect(&self) -> ConnectParameters<'static> {
        ConnectParameters {
            versions: self.versions,
            requirements: self.units,
            initial_serial_number: self.serial,
            token_settings: self.token_settings,
            tsdu_maximum_size: self.sizes,
            ..ConnectParameters::default()
        }
    }
}

fn units(random: &mut Random) -> Fu {
    let mut units = if random.below(2) == 0 { Fu::HALF_DUPLEX } else { Fu::DUPLEX };
    let optional = [
        Fu::EXPEDITED,
        Fu::MINOR_SYNC,
        Fu::MAJOR_SYNC,
        Fu::RESYNCHRONIZE,
        Fu::ACTIVITY,
        Fu::NEGOTIATED_RELEASE,
        Fu::CAPABILITY_DATA,
        Fu::EXCEPTIONS,
        Fu::TYPED_DATA,
    ];
    for unit in optional {
        units.set(unit, random.below(3) > 0);
    }
    let separable = units.contains(Fu::MINOR_SYNC | Fu::RESYNCHRONIZE);
    units.set(Fu::DATA_SEPARATION, separable && random.below(3) == 0);
    if !units.contains(Fu::ACTIVITY) {
        units -= Fu::CAPABILITY_DATA;
    }
    if !units.contains(Fu::HALF_DUPLEX) {
        units -= Fu::EXCEPTIONS;
    }
    units
}

//! Two machines with many functional units, and SSDUs in parts between them.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

use crate::machine_support::{Sent, accept, connect, drain, established, feed};
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Fu, Indication, SerialNumber, Session, SessionConfig,
    TsduMaximumSize,
};

pub(crate) const FIRST: Enclosure = Enclosure { begin: true, end: false };
pub(crate) const MIDDLE: Enclosure = Enclosure { begin: false, end: false };
pub(crate) const LAST: Enclosure = Enclosure { begin: false, end: true };

pub(crate) fn config() -> SessionConfig {
    SessionConfig { functional_units: Fu::all() - Fu::SYMMETRIC_SYNC - Fu::EXPEDITED, ..Default::default() }
}

/// Two machines with these units; all tokens with the initiator.
pub(crate) fn pair(units: Fu, sizes: Option<TsduMaximumSize>) -> (Session, Session) {
    let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE);
    let connect = ConnectParameters {
        requirements: units,
        initial_serial_number: numbered.then_some(SerialNumber(1)),
        tsdu_maximum_size: sizes,
        ..connect()
    };
    established(&config(), &connect, &accept())
}

pub(crate) fn sync_units() -> Fu {
    Fu::DUPLEX | Fu::TYPED_DATA | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE
}

pub(crate) fn activity_units() -> Fu {
    Fu::HALF_DUPLEX | Fu::TYPED_DATA | Fu::MINOR_SYNC | Fu::ACTIVITY | Fu::CAPABILITY_DATA | Fu::EXCEPTIONS
}

/// Carries all TSDUs, none longer than `size` (0: any); what the receiver tells.
pub(crate) fn carry(from: &mut Session, to: &mut Session, size: u16) -> Vec<Indication<'static>> {
    let mut indications = Vec::new();
    for sent in drain(from) {
        if let Sent::Tsdu(octets) = sent {
            assert!(size == 0 || octets.len() <= usize::from(size), "{} octets", octets.len());
            indications.extend(feed(to, &octets));
        }
    }
    indications
}

/// The TSDUs of one SSDU or a part of one.
pub(crate) fn data(session: &mut Session, octets: usize, enclosure: Enclosure) -> Vec<Vec<u8>> {
    let segments = session.data_request(octets, enclosure).unwrap();
    segments.map(|segment| [segment.header(), &vec![0x61; segment.octets]].concat()).collect()
}

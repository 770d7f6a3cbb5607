//! Data separation with the IUT's user.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, Request};

use super::super::octets;
use super::super::purpose::Verdict;
use super::Setup;
use super::minor::points;
use super::reach::{ABANDON, POINTS};

const UNITS: Fu = POINTS.union(Fu::DATA_SEPARATION);
const SEPARATE: Request<'static> =
    Request::SyncMinor { confirmation_optional: false, data_separation: true, user_data: &[] };

/// 144: data that meet the own RS are dropped, unless a separated point is unconfirmed.
pub(crate) fn data_survive() -> Verdict {
    for (separated, expected) in [(false, &[][..]), (true, &["Data"])] {
        let mut u = Setup::of(UNITS).initiator()?;
        match separated {
            true => {
                u.ask(&SEPARATE)?;
                u.low.expect_exactly(SpduKind::MinorSyncPoint, &octets::mip_separating(1))?;
            }
            false => points(&mut u, 1..=1)?,
        }
        u.ask(&ABANDON)?;
        u.low.expect(SpduKind::Resynchronize)?;
        u.low.send(&octets::dt(b"in front of RS"));
        u.saw(expected)?;
    }
    Ok(())
}

/// 145: RS goes without PREPARE while a separated point is unconfirmed, and with it otherwise.
pub(crate) fn no_prepare() -> Verdict {
    let mut u = Setup::of(UNITS).expedited().initiator()?;
    u.ask(&SEPARATE)?;
    u.low.expect(SpduKind::MinorSyncPoint)?;
    u.ask(&ABANDON)?;
    u.low.expect(SpduKind::Resynchronize)?;
    let mut u = Setup::of(UNITS).expedited().initiator()?;
    points(&mut u, 1..=1)?;
    u.ask(&ABANDON)?;
    u.low.expect(SpduKind::Prepare)?;
    u.low.expect(SpduKind::Resynchronize).map(|_| ())
}

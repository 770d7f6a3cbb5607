//! Minor synchronization with the IUT's user.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, Request, SerialNumber, Tokens};

use super::super::octets;
use super::super::purpose::Verdict;
use super::{Upper, iut_owns, tester_owns};

const UNITS: Fu = Fu::DUPLEX.union(Fu::MINOR_SYNC);

/// S-SYNC-MINOR request for an explicit confirmation.
pub(super) const POINT: Request<'static> =
    Request::SyncMinor { confirmation_optional: false, data_separation: false, user_data: &[] };

/// S-SYNC-MINOR response.
pub(super) fn confirm(number: u32) -> Request<'static> {
    Request::SyncMinorResponse { serial_number: SerialNumber(number), user_data: &[] }
}

/// The user asks for points; the lower tester takes them.
pub(super) fn points(u: &mut Upper, numbers: std::ops::RangeInclusive<u32>) -> Verdict {
    for number in numbers {
        u.ask(&POINT)?;
        u.low.expect_exactly(SpduKind::MinorSyncPoint, &octets::mip(number))?;
    }
    Ok(())
}

/// 87: numbers at the sender and at the receiver.
pub(crate) fn counting() -> Verdict {
    let mut u = iut_owns(UNITS)?;
    points(&mut u, 1..=3)?;
    u.counts(1, 4, 0)?;
    let mut u = tester_owns(UNITS)?;
    for number in 1..=3 {
        u.low.send(&octets::mip(number));
        let seen = u.saw_one("SyncMinor")?;
        u.check(seen.serial == Some(number), "the number")?;
    }
    u.counts(1, 4, 0)
}

/// 88: both types, confirmed or not.
pub(crate) fn both_types() -> Verdict {
    let mut u = tester_owns(UNITS)?;
    u.low.send(&octets::mip_optional(1));
    let seen = u.saw_one("SyncMinor")?;
    u.check(seen.flag, "confirmation optional")?;
    u.low.send(&octets::mip(2));
    let seen = u.saw_one("SyncMinor")?;
    u.check(!seen.flag, "explicit confirmation")?;
    // Neither was answered: nothing stops the next one.
    u.low.send(&octets::mip(3));
    u.saw(&["SyncMinor"])?;
    u.ask(&confirm(1))?;
    u.low.expect_exactly(SpduKind::MinorSyncAck, &octets::mia(1))?;
    let mut u = iut_owns(UNITS)?;
    u.ask(&Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data: &[] })?;
    u.low.expect_exactly(SpduKind::MinorSyncPoint, &octets::mip_optional(1))?;
    u.low.send(&octets::mia(1));
    u.saw(&["SyncMinorConfirm"]).map(|_| ())
}

/// 89: the newest confirms all.
pub(crate) fn newest_confirms() -> Verdict {
    let mut u = tester_owns(UNITS)?;
    (1..=3).for_each(|number| u.low.send(&octets::mip(number)));
    u.ask(&confirm(3))?;
    u.low.expect_exactly(SpduKind::MinorSyncAck, &octets::mia(3))?;
    u.counts(4, 4, 0)?;
    u.refused(&confirm(1))?;
    let mut u = iut_owns(UNITS)?;
    points(&mut u, 1..=3)?;
    u.low.send(&octets::mia(3));
    let seen = u.saw_one("SyncMinorConfirm")?;
    u.check(seen.serial == Some(3), "the number")?;
    u.counts(4, 4, 0)?;
    u.low.send(&octets::mia(1));
    u.low.expect_protocol_error()
}

/// 90: the right to confirm goes with the points.
pub(crate) fn token_passes() -> Verdict {
    let mut u = iut_owns(UNITS)?;
    points(&mut u, 1..=2)?;
    u.ask(&Request::TokenGive { tokens: Tokens::MINOR, user_data: &[] })?;
    u.low.expect(SpduKind::GiveTokens)?;
    u.refused(&POINT)?;
    u.low.send(&octets::mip(3));
    u.saw(&["SyncMinor"])?;
    u.counts(3, 4, 0)?;
    u.refused(&confirm(2))?;
    u.ask(&confirm(3))?;
    u.low.expect_exactly(SpduKind::MinorSyncAck, &octets::mia(3))?;
    u.counts(4, 4, 0)
}

/// 91: older points only, on both sides.
pub(crate) fn confirm_while_major() -> Verdict {
    let units = UNITS | Fu::MAJOR_SYNC;
    let mut u = iut_owns(units)?;
    points(&mut u, 1..=1)?;
    u.ask(&Request::SyncMajor { user_data: &[] })?;
    u.low.expect_exactly(SpduKind::MajorSyncPoint, &octets::map(2))?;
    u.low.send(&octets::mia(1));
    u.saw(&["SyncMinorConfirm"])?;
    u.low.send(&octets::mia(2));
    u.low.expect_protocol_error()?;
    let mut u = tester_owns(units)?;
    u.low.send(&octets::mip(1));
    u.low.send(&octets::map(2));
    u.saw(&["SyncMinor", "SyncMajor"])?;
    u.refused(&confirm(2))?;
    u.ask(&confirm(1))?;
    u.low.expect_exactly(SpduKind::MinorSyncAck, &octets::mia(1))
}

//! 12.11 Exceptions.

use colloquy_session::{FunctionalUnits as Fu, TokenSide};

use super::super::context::{Context, Proposal, all_at};
use super::super::dialogue::Dialogue;
use super::super::octets::{self, behind_pt, unit};
use super::super::purpose::{Purpose, Stop, Verdict, inopportune, syntax, valid};
use super::super::upper::exceptions as upper;

const UNITS: Fu = Fu::HALF_DUPLEX.union(Fu::EXCEPTIONS);

pub(super) static PURPOSES: &[Purpose] = &[
    valid(130, "the reporter discards until recovery, and counts").user(upper::reporter),
    valid(131, "the side with the data token can only recover").user(upper::reported_only_recovers),
    valid(132, "every reason code").units(UNITS).responder(reasons).user(upper::reasons),
    valid(133, "ER: S-P-EXCEPTION-REPORT, then recovery").units(UNITS).responder(report).user(upper::report),
    valid(134, "ED crosses GT of the data token").user(upper::crossing),
    inopportune(135, "ED from the side that owns the data token").units(UNITS).responder(from_owner),
    syntax(136, "ED without reason, with a reserved one").units(UNITS).responder(bad_reason),
];

/// A session whose data token is at the IUT, so that the tester may report.
fn open(c: &Context<'_>) -> Result<Dialogue, Stop> {
    c.open_with(&Proposal { tokens: Some(all_at(TokenSide::Responder)), ..Proposal::of(UNITS) })
}

fn reasons(c: &Context<'_>) -> Verdict {
    for reason in [0, 1, 3, 5, 6, 128] {
        let mut d = open(c)?;
        d.send(&octets::exception_data(reason));
        d.expect_no_error()?;
    }
    Ok(())
}

fn report(c: &Context<'_>) -> Verdict {
    let mut d = open(c)?;
    d.send(&octets::exception_report());
    d.expect_no_error()
}

fn from_owner(c: &Context<'_>) -> Verdict {
    let mut d = c.open(UNITS)?;
    d.send(&octets::exception_data(0));
    // The tables cannot tell it from an ED that crosses GT: they take it (p50).
    d.expect_anything_orderly()
}

/// Lenient readers pass reserved reasons on as non-specific.
fn bad_reason(c: &Context<'_>) -> Verdict {
    let mut d = open(c)?;
    d.send(&behind_pt(48, &[]));
    d.expect_protocol_error()?;
    for reason in [2, 4] {
        let mut d = open(c)?;
        d.send(&behind_pt(48, &[unit(50, &[reason])]));
        match d.manner.strict {
            true => d.expect_protocol_error()?,
            false => d.expect_anything_orderly()?,
        }
    }
    Ok(())
}

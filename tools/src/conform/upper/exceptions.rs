//! Exceptions with the IUT's user.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, Request, State, Tokens};

use super::super::octets::{self, resync};
use super::super::purpose::{Stop, Verdict};
use super::reach::{ABANDON, EXCEPTIONS};
use super::{Setup, Upper};

const REPORT: Request<'static> = Request::UserException { reason: 1, user_data: &[] };
const UNITS: Fu = EXCEPTIONS.union(Fu::MINOR_SYNC).union(Fu::RESYNCHRONIZE);
const ACTIVITY: Fu = EXCEPTIONS.union(Fu::MINOR_SYNC).union(Fu::ACTIVITY);

/// A responder without the data token that has reported.
fn reporting(units: Fu) -> Result<Upper, Stop> {
    let mut u = Setup::of(units).responder()?;
    if units.contains(Fu::ACTIVITY) {
        u.low.send(&octets::activity_start(b"ACT1"));
        u.saw(&["ActivityStart"])?;
    }
    u.ask(&REPORT)?;
    u.low.expect_exactly(SpduKind::ExceptionData, &octets::exception_data(1))?;
    u.is(State::Sta19)?;
    Ok(u)
}

/// An initiator with the data token that was told of an exception.
fn reported(units: Fu) -> Result<Upper, Stop> {
    let mut u = Setup::of(units).initiator()?;
    if units.contains(Fu::ACTIVITY) {
        u.ask(&Request::ActivityStart { identifier: b"ACT1", user_data: &[] })?;
        u.low.expect(SpduKind::ActivityStart)?;
    }
    u.low.send(&octets::exception_data(1));
    u.saw(&["UserException"])?;
    u.is(State::Sta20)?;
    Ok(u)
}

/// 130: the reporter drops data and points, counts the points, and is freed by each recovery.
pub(crate) fn reporter() -> Verdict {
    let mut u = reporting(UNITS)?;
    u.low.send(&octets::dt(b"dropped"));
    u.low.send(&octets::mip(1));
    u.saw(&[])?;
    u.check(u.numbers().1 == 2, "V(M) has advanced")?;
    u.low.send(&octets::gt(Tokens::DATA));
    u.saw(&["TokenGive"])?;
    u.is(State::Sta713)?;
    let mut u = reporting(UNITS)?;
    u.low.send(&octets::rs(resync::ABANDON, 1, Some(0)));
    u.saw(&["Resynchronize"])?;
    let mut u = reporting(ACTIVITY)?;
    u.low.send(&octets::activity_interrupt(0));
    u.saw(&["ActivityInterrupt"])?;
    let mut u = reporting(ACTIVITY)?;
    u.low.send(&octets::activity_discard(0));
    u.saw(&["ActivityDiscard"])?;
    let mut u = reporting(UNITS)?;
    u.low.send(&octets::abort(octets::USER_ABORT, &[]));
    u.saw(&["UserAbort"]).map(|_| ())
}

/// 131: the side with the data token can only recover.
pub(crate) fn reported_only_recovers() -> Verdict {
    let mut u = reported(UNITS)?;
    u.data_refused()?;
    u.refused(&super::minor::POINT)?;
    u.refused(&Request::Release { user_data: &[] })?;
    recovers(reported)
}

/// Each allowed recovery is taken.
fn recovers(reach: impl Fn(Fu) -> Result<Upper, Stop>) -> Verdict {
    let mut u = reach(UNITS)?;
    u.ask(&Request::TokenGive { tokens: Tokens::DATA, user_data: &[] })?;
    u.low.expect(SpduKind::GiveTokens)?;
    u.is(State::Sta713)?;
    let mut u = reach(UNITS)?;
    u.ask(&ABANDON)?;
    u.low.expect(SpduKind::Resynchronize)?;
    let mut u = reach(ACTIVITY)?;
    u.ask(&Request::ActivityInterrupt { reason: 0, user_data: &[] })?;
    u.low.expect(SpduKind::ActivityInterrupt)?;
    let mut u = reach(ACTIVITY)?;
    u.ask(&Request::ActivityDiscard { reason: 0, user_data: &[] })?;
    u.low.expect(SpduKind::ActivityDiscard)?;
    let mut u = reach(UNITS)?;
    u.ask(&Request::Abort { user_data: &[] })?;
    u.low.expect(SpduKind::Abort).map(|_| ())
}

/// 132: every reason code, both ways.
pub(crate) fn reasons() -> Verdict {
    for reason in [0, 1, 3, 5, 6, 128] {
        let mut u = Setup::of(UNITS).initiator()?;
        u.low.send(&octets::exception_data(reason));
        let seen = u.saw_one("UserException")?;
        u.check(seen.reason == Some(reason), "the reason")?;
        let mut u = Setup::of(UNITS).responder()?;
        u.ask(&Request::UserException { reason, user_data: &[] })?;
        u.low.expect_exactly(SpduKind::ExceptionData, &octets::exception_data(reason))?;
    }
    for reason in [2, 4, 7] {
        Setup::of(UNITS).responder()?.refused(&Request::UserException { reason, user_data: &[] })?;
    }
    Ok(())
}

/// 133: ER, and recovery by each allowed request.
pub(crate) fn report() -> Verdict {
    recovers(|units| {
        let mut u = Setup::of(units).initiator()?;
        if units.contains(Fu::ACTIVITY) {
            u.ask(&Request::ActivityStart { identifier: b"ACT1", user_data: &[] })?;
            u.low.expect(SpduKind::ActivityStart)?;
        }
        u.low.send(&octets::exception_report());
        u.saw(&["ProviderException"])?;
        Ok(u)
    })
}

/// 134: ED meets GT of the data token: both sides go on.
pub(crate) fn crossing() -> Verdict {
    // The side that gave the token is told of the exception, and is not blocked by it.
    let mut u = Setup::of(UNITS).initiator()?;
    u.ask(&Request::TokenGive { tokens: Tokens::DATA, user_data: &[] })?;
    u.low.expect(SpduKind::GiveTokens)?;
    u.low.send(&octets::exception_data(0));
    u.saw(&["UserException"])?;
    u.is(State::Sta713)?;
    // The reporter is freed by the token.
    let mut u = reporting(UNITS)?;
    u.low.send(&octets::gt(Tokens::DATA));
    u.saw(&["TokenGive"])?;
    u.is(State::Sta713)?;
    u.data(b"goes on")?;
    u.low.expect_data(b"goes on")
}

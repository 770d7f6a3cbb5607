//! Activities and capability data with the IUT's user.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{
    ActivityResumeParameters, FunctionalUnits as Fu, OldConnection, Request, SerialNumber, State, TokenSide,
    Tokens,
};

use super::super::octets::{self, behind_gt, resync};
use super::super::purpose::{Stop, Verdict};
use super::minor::points;
use super::reach::{ABANDON, ACTIVITIES};
use super::{Setup, Upper, iut_owns, tester_owns};

const START: Request<'static> = Request::ActivityStart { identifier: b"ACT1", user_data: &[] };
const INTERRUPT: Request<'static> = Request::ActivityInterrupt { reason: 3, user_data: &[] };
const DISCARD: Request<'static> = Request::ActivityDiscard { reason: 5, user_data: &[] };
const END: Request<'static> = Request::ActivityEnd { user_data: &[] };

fn started() -> Result<Upper, Stop> {
    let mut u = iut_owns(ACTIVITIES)?;
    u.ask(&START)?;
    u.low.expect_exactly(SpduKind::ActivityStart, &octets::activity_start(b"ACT1"))?;
    Ok(u)
}

/// A responder that was told of an activity.
fn told() -> Result<Upper, Stop> {
    let mut u = tester_owns(ACTIVITIES)?;
    u.low.send(&octets::activity_start(b"ACT1"));
    u.saw(&["ActivityStart"])?;
    Ok(u)
}

/// 115: start, and no second one.
pub(crate) fn start() -> Verdict {
    let mut u = started()?;
    u.counts(1, 1, 1)?;
    points(&mut u, 1..=2)?;
    u.refused(&START)?;
    told()?.counts(1, 1, 1)
}

/// 116: resume.
pub(crate) fn resume() -> Verdict {
    let mut u = iut_owns(ACTIVITIES)?;
    u.ask(&Request::ActivityResume(ActivityResumeParameters {
        identifier: b"ACT2",
        old_identifier: b"ACT1",
        serial_number: SerialNumber(41),
        old_connection: OldConnection {
            calling_reference: b"caller",
            common_reference: b"common",
            ..OldConnection::default()
        },
        user_data: &[],
        second_serial_number: None,
    }))?;
    u.low.expect_exactly(SpduKind::ActivityResume, &octets::activity_resume(b"ACT2", b"ACT1", 41))?;
    u.counts(42, 42, 1)?;
    points(&mut u, 42..=42)?;
    let mut u = tester_owns(ACTIVITIES)?;
    u.low.send(&octets::activity_resume(b"ACT2", b"ACT1", 41));
    let seen = u.saw_one("ActivityResume")?;
    u.check(seen.serial == Some(41), "the old number")?;
    u.counts(42, 42, 1)
}

/// 117: interrupt, as requester and as acceptor.
pub(crate) fn interrupt() -> Verdict {
    let mut u = started()?;
    u.ask(&Request::TokenGive { tokens: Tokens::MINOR, user_data: &[] })?;
    u.low.expect(SpduKind::GiveTokens)?;
    u.ask(&INTERRUPT)?;
    u.low.expect_exactly(SpduKind::ActivityInterrupt, &octets::activity_interrupt(3))?;
    u.low.send(&octets::activity_interrupt_ack());
    u.saw(&["ActivityInterruptConfirm"])?;
    over(&u, true)?;
    let mut u = told()?;
    u.low.send(&octets::gt(Tokens::MINOR));
    u.low.send(&octets::activity_interrupt(3));
    let seen = u.saw(&["TokenGive", "ActivityInterrupt"])?;
    u.check(seen[1].reason == Some(3), "the reason")?;
    u.ask(&Request::ActivityInterruptResponse { user_data: &[] })?;
    u.low.expect_exactly(SpduKind::ActivityInterruptAck, &octets::activity_interrupt_ack())?;
    over(&u, false)
}

/// No activity, and all tokens at one side.
fn over(u: &Upper, requester: bool) -> Verdict {
    let expected = if requester { u.tokens_available() } else { Tokens::empty() };
    u.check(u.tokens_owned() == expected, "all tokens at the requester")?;
    u.check(!u.look(|session| session.activity_in_progress()), "no activity in progress")?;
    u.is(State::Sta713)
}

/// 118: discard, with a reason and without.
pub(crate) fn discard() -> Verdict {
    let mut u = started()?;
    u.ask(&DISCARD)?;
    u.low.expect_exactly(SpduKind::ActivityDiscard, &octets::activity_discard(5))?;
    u.low.send(&octets::activity_discard_ack());
    u.saw(&["ActivityDiscardConfirm"])?;
    over(&u, true)?;
    for (tsdu, reason) in [(octets::activity_discard(5), 5), (behind_gt(57, &[]), 0)] {
        let mut u = told()?;
        u.low.send(&tsdu);
        let seen = u.saw_one("ActivityDiscard")?;
        u.check(seen.reason == Some(reason), "the reason")?;
        u.ask(&Request::ActivityDiscardResponse { user_data: &[] })?;
        u.low.expect_exactly(SpduKind::ActivityDiscardAck, &octets::activity_discard_ack())?;
        over(&u, false)?;
    }
    Ok(())
}

/// 119: the first segment of an SSDU is followed by an interrupt, then by a whole SSDU.
pub(crate) fn interrupt_segments() -> Verdict {
    let mut u = Setup::of(ACTIVITIES).size(512).responder()?;
    u.low.send(&octets::activity_start(b"ACT1"));
    u.low.send(&octets::dt_segment(1, b"part"));
    u.low.send(&octets::activity_interrupt(0));
    u.saw(&["ActivityStart", "Data", "ActivityInterrupt"])?;
    u.ask(&Request::ActivityInterruptResponse { user_data: &[] })?;
    u.low.expect(SpduKind::ActivityInterruptAck)?;
    u.low.send(&octets::dt_segment(3, b"whole"));
    u.saw(&["Data"]).map(|_| ())
}

/// 120: end, the next activity, and PR(RS) that overtakes AS.
pub(crate) fn end() -> Verdict {
    let mut u = started()?;
    u.ask(&END)?;
    u.low.expect_exactly(SpduKind::ActivityEnd, &octets::ae(1))?;
    u.low.send(&octets::maa(1));
    u.saw(&["ActivityEndConfirm"])?;
    u.ask(&START)?;
    let mut u = told()?;
    u.low.send(&octets::ae(1));
    u.saw(&["ActivityEnd"])?;
    u.ask(&Request::ActivityEndResponse { user_data: &[] })?;
    u.low.expect_exactly(SpduKind::MajorSyncAck, &octets::maa(1))?;
    let units = ACTIVITIES | Fu::RESYNCHRONIZE;
    let mut u = Setup::of(units).expedited().responder()?;
    u.low.send_expedited(&octets::prepare(2));
    u.saw(&[])?;
    u.is(State::Sta713)?;
    u.low.send(&octets::activity_start(b"ACT1"));
    u.saw(&["ActivityStart"])?;
    u.is(State::Sta15B)?;
    u.low.send(&octets::activity_interrupt(0));
    u.saw(&["ActivityInterrupt"]).map(|_| ())
}

/// 121: AI while the AEA is under way, with and without transport expedited; the answer to AE is ignored.
pub(crate) fn interrupt_end() -> Verdict {
    for expedited in [false, true] {
        let setup = if expedited { Setup::of(ACTIVITIES).expedited() } else { Setup::of(ACTIVITIES) };
        let mut u = setup.responder()?;
        u.low.send(&octets::activity_start(b"ACT1"));
        u.low.send(&octets::ae(1));
        u.saw(&["ActivityStart", "ActivityEnd"])?;
        u.ask(&Request::ActivityEndResponse { user_data: &[] })?;
        if expedited {
            u.low.send_expedited(&octets::prepare(2));
        }
        u.low.send(&octets::activity_interrupt(0));
        u.saw(&["ActivityInterrupt"])?;
        let mut u = setup.initiator()?;
        u.ask(&START)?;
        u.ask(&END)?;
        u.ask(&INTERRUPT)?;
        if expedited {
            u.low.send_expedited(&octets::prepare(1));
        }
        u.low.send(&octets::maa(1));
        u.saw(&[])?;
        if expedited {
            u.low.send_expedited(&octets::prepare(3));
        }
        u.low.send(&octets::activity_interrupt_ack());
        u.saw(&["ActivityInterruptConfirm"])?;
    }
    Ok(())
}

/// 122: interrupt wins over a resynchronize, on both sides.
pub(crate) fn interrupt_wins() -> Verdict {
    let units = ACTIVITIES | Fu::RESYNCHRONIZE;
    let mut u = Setup::of(units).initiator()?;
    u.ask(&START)?;
    u.ask(&INTERRUPT)?;
    u.low.send(&octets::rs(resync::ABANDON, 1, Some(0)));
    u.saw(&[])?;
    u.is(State::Sta05B)?;
    let mut u = Setup::of(units).responder()?;
    u.low.send(&octets::activity_start(b"ACT1"));
    u.ask(&ABANDON)?;
    u.low.expect(SpduKind::Resynchronize)?;
    u.low.send(&octets::activity_interrupt(0));
    u.saw(&["ActivityStart", "ActivityInterrupt"])?;
    u.is(State::Sta11B)
}

/// 123: control, and not in an activity.
pub(crate) fn control() -> Verdict {
    let give = Request::ControlGive { user_data: &[] };
    let mut u = iut_owns(ACTIVITIES)?;
    u.ask(&give)?;
    u.low.expect_exactly(SpduKind::GiveTokensConfirm, &octets::gtc())?;
    u.check(u.tokens_owned().is_empty(), "no token here")?;
    u.low.send(&octets::gta());
    u.is(State::Sta713)?;
    u.low.send(&octets::gtc());
    u.saw(&["ControlGive"])?;
    u.low.expect_exactly(SpduKind::GiveTokensAck, &octets::gta())?;
    u.check(u.tokens_owned() == u.tokens_available(), "all tokens here")?;
    u.ask(&START)?;
    u.refused(&give)
}

/// 124: capability data, and not in an activity.
pub(crate) fn capability() -> Verdict {
    let ask = Request::CapabilityData { user_data: b"can you" };
    let mut u = iut_owns(ACTIVITIES)?;
    u.ask(&ask)?;
    u.low.expect_exactly(SpduKind::CapabilityData, &octets::capability_data(b"can you"))?;
    u.low.send(&octets::capability_data_ack(b"I can"));
    let seen = u.saw_one("CapabilityDataConfirm")?;
    u.check(seen.user_data == b"I can", "the data")?;
    u.ask(&START)?;
    u.refused(&ask)?;
    let mut u = Setup::of(ACTIVITIES).tokens(TokenSide::Responder).initiator()?;
    u.low.send(&octets::capability_data(b"can you"));
    u.saw(&["CapabilityData"])?;
    u.ask(&Request::CapabilityDataResponse { user_data: b"I can" })?;
    u.low.expect_exactly(SpduKind::CapabilityDataAck, &octets::capability_data_ack(b"I can"))
}

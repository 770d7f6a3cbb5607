//! Release and abort with the IUT's user.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, ProviderAbortReason, Request, State};

use super::super::octets::{self, spdu, unit};
use super::super::purpose::Verdict;
use super::{Setup, iut_owns, reach, tester_owns};

const RELEASE: Request<'static> = Request::Release { user_data: &[] };
const ANSWER: Request<'static> = Request::ReleaseResponse { affirmative: true, user_data: &[] };

/// 55: the user refuses a negotiated release, on either side.
pub(crate) fn release_refused() -> Verdict {
    let units = Fu::DUPLEX | Fu::NEGOTIATED_RELEASE;
    let mut u = tester_owns(units)?;
    u.low.send(&octets::finish(&[]));
    u.saw(&["Release"])?;
    u.ask(&Request::ReleaseResponse { affirmative: false, user_data: &[] })?;
    u.low.expect_exactly(SpduKind::NotFinished, &octets::not_finished())?;
    u.is(State::Sta713)?;
    let mut u = iut_owns(units)?;
    u.ask(&RELEASE)?;
    u.low.expect(SpduKind::Finish)?;
    u.low.send(&octets::not_finished());
    let seen = u.saw_one("ReleaseConfirm")?;
    u.check(!seen.flag, "a negative confirm")?;
    u.is(State::Sta713)
}

/// 56: without all tokens.
pub(crate) fn release_without_tokens() -> Verdict {
    for units in [Fu::HALF_DUPLEX, Fu::DUPLEX | Fu::NEGOTIATED_RELEASE, Fu::DUPLEX | Fu::MINOR_SYNC] {
        tester_owns(units)?.refused(&RELEASE)?;
    }
    Ok(())
}

/// 57: data that come between FN and DN.
pub(crate) fn data_after_finish() -> Verdict {
    let mut u = iut_owns(Fu::DUPLEX)?;
    u.ask(&RELEASE)?;
    u.low.expect(SpduKind::Finish)?;
    u.low.send(&octets::dt(b"one more thing"));
    let seen = u.saw_one("Data")?;
    u.check(seen.user_data == b"one more thing", "the data")?;
    u.low.send(&octets::disconnect());
    u.saw(&["ReleaseConfirm"])?;
    u.low.expect_released()
}

/// 58: both sides ask for release. The responder may answer when it has the initiator's DN only.
pub(crate) fn release_collision() -> Verdict {
    let mut u = iut_owns(Fu::DUPLEX)?;
    u.ask(&RELEASE)?;
    u.low.expect(SpduKind::Finish)?;
    u.low.send(&octets::finish(&[]));
    u.saw(&["Release"])?;
    u.ask(&ANSWER)?;
    u.low.expect(SpduKind::Disconnect)?;
    u.is(State::Sta03)?;
    u.low.send(&octets::disconnect());
    u.saw(&["ReleaseConfirm"])?;
    u.low.expect_released()?;
    let mut u = Setup::of(Fu::DUPLEX).responder()?;
    u.ask(&RELEASE)?;
    u.low.expect(SpduKind::Finish)?;
    u.low.send(&octets::finish(&[]));
    u.saw(&["Release"])?;
    u.refused(&ANSWER)?;
    u.low.send(&octets::disconnect());
    u.saw(&["ReleaseConfirm"])?;
    u.ask(&ANSWER)?;
    u.low.expect(SpduKind::Disconnect)?;
    u.is(State::Sta16)
}

/// 62: S-U-ABORT with 9 octets, and the timer.
pub(crate) fn abort_by_user() -> Verdict {
    let mut u = iut_owns(Fu::DUPLEX)?;
    u.ask(&Request::Abort { user_data: b"nine here" })?;
    u.low.expect_exactly(SpduKind::Abort, &octets::abort(octets::USER_ABORT, b"nine here"))?;
    u.is(State::Sta16)?;
    u.low.expect_released_by_timer()?;
    u.is(State::Sta01)?;
    let mut u = tester_owns(Fu::DUPLEX)?;
    u.low.send(&octets::abort(octets::USER_ABORT, b"nine here"));
    let seen = u.saw_one("UserAbort")?;
    u.check(seen.user_data == b"nine here", "the data")?;
    u.low.expect_released()
}

/// 63: AB 0x0b.
pub(crate) fn abort_of_three_bits() -> Verdict {
    let mut u = tester_owns(Fu::DUPLEX)?;
    u.low.send(&octets::abort(0x0b, b"abc"));
    u.saw(&["UserAbort"]).map(|_| ())
}

/// 64: AB with the protocol error bit.
pub(crate) fn abort_error() -> Verdict {
    let mut u = tester_owns(Fu::DUPLEX)?;
    u.low.send(&spdu(25, &[unit(17, &[5]), unit(49, &[1, 0, 0xff])]));
    let seen = u.saw_one("ProviderAbort")?;
    u.check(seen.abort == Some(ProviderAbortReason::ProtocolError), "reason protocol error")?;
    u.low.expect_released()
}

/// 65: AB that keeps the transport connection: AA, or T-DISCONNECT, are taken by its sender.
pub(crate) fn abort_keep() -> Verdict {
    let setup = Setup::of(Fu::DUPLEX).reuse();
    let mut u = setup.initiator()?;
    u.ask(&Request::Abort { user_data: &[] })?;
    u.low.expect_exactly(SpduKind::Abort, &octets::abort(0x02, &[]))?;
    u.is(State::Sta01A)?;
    u.low.send(&octets::abort_accept());
    u.is(State::Sta01C)?;
    let mut u = setup.initiator()?;
    u.ask(&Request::Abort { user_data: &[] })?;
    u.low.expect(SpduKind::Abort)?;
    u.low.close();
    u.is(State::Sta01)?;
    u.saw(&[])?;
    let mut u = setup.responder()?;
    u.low.send(&octets::abort(0x02, &[]));
    u.saw(&["UserAbort"])?;
    u.low.expect_exactly(SpduKind::AbortAccept, &octets::abort_accept())?;
    u.is(State::Sta01C)
}

/// 66: T-DISCONNECT in every state.
pub(crate) fn disconnect_anywhere() -> Verdict {
    for state in reach::STATES {
        let mut u = reach::reach(state)?;
        u.low.close();
        let told = !matches!(state, State::Sta01A | State::Sta01C | State::Sta01D | State::Sta16);
        let seen = u.saw(if told { &["ProviderAbort"] } else { &[] })?;
        let right = seen.iter().all(|seen| seen.abort == Some(ProviderAbortReason::TransportDisconnect));
        u.check(right && u.state() == State::Sta01, &format!("one S-P-ABORT from {state:?}"))?;
    }
    Ok(())
}

/// 67: AB in every state.
pub(crate) fn abort_anywhere() -> Verdict {
    for state in reach::STATES {
        let mut u = reach::reach(state)?;
        u.low.send(&octets::abort(octets::USER_ABORT, &[]));
        let told = !matches!(state, State::Sta01A | State::Sta01C | State::Sta01D | State::Sta16);
        u.saw(if told { &["UserAbort"] } else { &[] })?;
        u.low.expect_released()?;
        u.is(State::Sta01)?;
    }
    Ok(())
}

//! Resynchronize with the IUT's user.

use colloquy_session::spdu::{Spdu, SpduKind};
use colloquy_session::{
    Request, ResyncType, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, State, TokenSettings,
    TokenSide, Tokens,
};

use super::super::context::all_at;
use super::super::octets::{self, resync, settings_all};
use super::super::purpose::Verdict;
use super::minor::points;
use super::reach::{ABANDON, POINTS};
use super::{Setup, Upper, iut_owns, tester_owns};

/// S-RESYNCHRONIZE request with a number.
pub(super) fn request(kind: ResyncType, number: u32) -> Request<'static> {
    Request::Resynchronize(ResynchronizeParameters {
        resync_type: kind,
        serial_number: Some(SerialNumber(number)),
        ..ResynchronizeParameters::default()
    })
}

/// S-RESYNCHRONIZE response that takes what was indicated.
pub(super) const ANSWER: Request<'static> = Request::ResynchronizeResponse(ResynchronizeAnswer {
    serial_number: None,
    token_settings: None,
    user_data: &[],
    second_serial_number: None,
});

/// The number in the RS of the IUT.
fn sent_number(u: &mut Upper) -> Result<u32, super::super::purpose::Stop> {
    let reply = u.low.expect(SpduKind::Resynchronize)?;
    match reply.find(SpduKind::Resynchronize) {
        Some(Spdu::Resynchronize(rs)) => Ok(rs.serial_number.0),
        _ => Err(u.low.deviation("RS", reply.shown())),
    }
}

/// 103: abandon, as requester and as acceptor.
pub(crate) fn abandon() -> Verdict {
    let mut u = iut_owns(POINTS)?;
    points(&mut u, 1..=3)?;
    u.ask(&ABANDON)?;
    let number = sent_number(&mut u)?;
    u.check(number == 4, "RS with V(M)")?;
    u.low.send(&octets::ra(9, Some(0)));
    u.saw(&["ResynchronizeConfirm"])?;
    u.counts(9, 9, 0)?;
    let mut u = tester_owns(POINTS)?;
    (1..=3).for_each(|number| u.low.send(&octets::mip(number)));
    u.low.send(&octets::rs(resync::ABANDON, 7, Some(0)));
    u.saw(&["SyncMinor", "SyncMinor", "SyncMinor", "Resynchronize"])?;
    u.ask(&ANSWER)?;
    u.low.expect_exactly(SpduKind::ResynchronizeAck, &octets::ra(7, Some(0)))?;
    u.counts(7, 7, 0)
}

/// 105: restart to V(R), to V(M), between.
pub(crate) fn restart() -> Verdict {
    for to in [2, 3, 5] {
        let mut u = iut_owns(POINTS)?;
        u.ask(&Request::SyncMajor { user_data: &[] })?;
        u.low.expect(SpduKind::MajorSyncPoint)?;
        u.low.send(&octets::maa(1));
        points(&mut u, 2..=4)?;
        u.saw(&["SyncMajorConfirm"])?;
        u.ask(&request(ResyncType::Restart, to))?;
        let number = sent_number(&mut u)?;
        u.check(number == to, "RS with the number asked for")?;
        u.low.send(&octets::ra(to, Some(0)));
        u.saw(&["ResynchronizeConfirm"])?;
        u.counts(to, to, 2)?;
    }
    Ok(())
}

/// 106: below V(R), asked for.
pub(crate) fn restart_below() -> Verdict {
    let mut u = iut_owns(POINTS)?;
    u.ask(&Request::SyncMajor { user_data: &[] })?;
    u.low.expect(SpduKind::MajorSyncPoint)?;
    u.low.send(&octets::maa(1));
    u.refused(&request(ResyncType::Restart, 1))?;
    u.refused(&request(ResyncType::Restart, 3))
}

/// 107: any number.
pub(crate) fn set() -> Verdict {
    for to in [0, 999_999, 500] {
        let mut u = iut_owns(POINTS)?;
        u.ask(&request(ResyncType::Set, to))?;
        let number = sent_number(&mut u)?;
        u.check(number == to, "RS with the number asked for")?;
        u.low.send(&octets::ra(to, Some(0)));
        u.saw(&["ResynchronizeConfirm"])?;
        u.counts(to, to, 0)?;
    }
    iut_owns(POINTS)?.refused(&request(ResyncType::Set, 1_000_000))
}

/// 108: where tokens go; RA decides the choice.
pub(crate) fn tokens() -> Verdict {
    for side in [TokenSide::Initiator, TokenSide::Responder] {
        let owned = |at_initiator: bool| match (side, at_initiator) {
            (TokenSide::Initiator, true) | (TokenSide::Responder, false) => Tokens::MINOR | Tokens::MAJOR,
            _ => Tokens::empty(),
        };
        for asked in [side, TokenSide::AcceptorChooses] {
            let mut u = iut_owns(POINTS)?;
            u.ask(&Request::Resynchronize(ResynchronizeParameters {
                resync_type: ResyncType::Abandon,
                token_settings: Some(all_at(asked)),
                ..ResynchronizeParameters::default()
            }))?;
            u.low.expect(SpduKind::Resynchronize)?;
            u.low.send(&octets::ra(1, Some(settings_all(side))));
            u.saw(&["ResynchronizeConfirm"])?;
            u.check(u.tokens_owned() == owned(true), "tokens where RA puts them")?;
            let mut u = tester_owns(POINTS)?;
            u.low.send(&octets::rs(resync::ABANDON, 1, Some(settings_all(asked))));
            u.saw(&["Resynchronize"])?;
            let settings: TokenSettings = all_at(side);
            u.ask(&Request::ResynchronizeResponse(ResynchronizeAnswer {
                token_settings: Some(settings),
                ..ResynchronizeAnswer::default()
            }))?;
            u.low.expect(SpduKind::ResynchronizeAck)?;
            u.check(u.tokens_owned() == owned(false), "tokens where RA puts them")?;
        }
    }
    Ok(())
}

/// 111: data in front of the RS that crosses the own RS are dropped after PR(RS); data after RA are not.
pub(crate) fn data_dropped() -> Verdict {
    let mut u = Setup::of(POINTS).expedited().initiator()?;
    u.ask(&ABANDON)?;
    u.low.expect(SpduKind::Prepare)?;
    u.low.expect(SpduKind::Resynchronize)?;
    u.low.send(&octets::dt(b"in front"));
    u.low.send_expedited(&octets::prepare(3));
    u.low.send(&octets::dt(b"still in front"));
    u.saw(&[])?;
    u.low.send(&octets::ra(1, Some(0)));
    u.low.send(&octets::dt(b"behind"));
    let seen = u.saw(&["ResynchronizeConfirm", "Data"])?;
    u.check(seen[1].user_data == b"behind", "the data behind RA")
}

/// 113: RA with a wrong number.
pub(crate) fn wrong_ack() -> Verdict {
    let mut u = iut_owns(POINTS)?;
    points(&mut u, 1..=3)?;
    u.ask(&request(ResyncType::Restart, 2))?;
    u.low.expect(SpduKind::Resynchronize)?;
    u.is(State::Sta05A)?;
    u.low.send(&octets::ra(3, Some(0)));
    u.low.expect_protocol_error()
}

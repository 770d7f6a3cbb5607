//! Major synchronization with the IUT's user.

use colloquy_session::spdu::{Flow, SpduKind};
use colloquy_session::{
    FunctionalUnits as Fu, Request, ResyncType, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber,
    State,
};

use super::super::octets::{self, resync};
use super::super::purpose::Verdict;
use super::reach::{ABANDON, POINTS};
use super::{Setup, iut_owns, tester_owns};

const MAJOR: Request<'static> = Request::SyncMajor { user_data: &[] };
const ANSWER: Request<'static> = Request::SyncMajorResponse { user_data: &[] };

/// 96: all counters meet.
pub(crate) fn major() -> Verdict {
    let mut u = iut_owns(POINTS)?;
    u.ask(&MAJOR)?;
    u.low.expect_exactly(SpduKind::MajorSyncPoint, &octets::map(1))?;
    u.low.send(&octets::maa(1));
    u.saw(&["SyncMajorConfirm"])?;
    u.counts(2, 2, 2)?;
    let mut u = tester_owns(POINTS)?;
    u.low.send(&octets::map(1));
    u.saw(&["SyncMajor"])?;
    u.ask(&ANSWER)?;
    u.low.expect_exactly(SpduKind::MajorSyncAck, &octets::maa(1))?;
    u.counts(2, 2, 2)
}

/// 97: the requester may not send, but receives.
pub(crate) fn waits() -> Verdict {
    let mut u = iut_owns(POINTS)?;
    u.ask(&MAJOR)?;
    u.low.expect(SpduKind::MajorSyncPoint)?;
    u.data_refused()?;
    u.typed_data_refused()?;
    u.refused(&super::minor::POINT)?;
    u.low.send(&octets::dt(b"data"));
    u.low.send(&octets::td(b"typed"));
    u.low.send(&octets::pt(colloquy_session::Tokens::MINOR));
    u.saw(&["Data", "TypedData", "TokenPlease"])?;
    u.ask(&Request::TokenGive { tokens: colloquy_session::Tokens::MINOR, user_data: &[] })
}

/// 98: PR(MAA), and EX behind it.
pub(crate) fn prepared() -> Verdict {
    let setup = Setup::of(POINTS | Fu::EXPEDITED).expedited();
    let mut u = setup.responder()?;
    u.low.send(&octets::map(1));
    u.ask(&ANSWER)?;
    let prepare = u.low.expect(SpduKind::Prepare)?;
    let right = prepare.flow == Flow::Expedited && prepare.octets == octets::prepare(1);
    u.low.demand(right, "expedited PR(MAA)", || prepare.shown())?;
    u.low.expect(SpduKind::MajorSyncAck)?;
    let mut u = setup.initiator()?;
    u.ask(&MAJOR)?;
    u.low.send_expedited(&octets::prepare(1));
    u.low.send_expedited(&octets::ex(b"after"));
    u.saw(&[])?;
    u.low.send(&octets::maa(1));
    u.saw(&["SyncMajorConfirm", "ExpeditedData"]).map(|_| ())
}

/// 99: abandon and set, from both sides.
pub(crate) fn cancelled() -> Verdict {
    let set = Request::Resynchronize(ResynchronizeParameters {
        resync_type: ResyncType::Set,
        serial_number: Some(SerialNumber(50)),
        ..ResynchronizeParameters::default()
    });
    for (request, number) in [(ABANDON, 2), (set, 50)] {
        let mut u = iut_owns(POINTS)?;
        u.ask(&MAJOR)?;
        u.low.expect(SpduKind::MajorSyncPoint)?;
        u.ask(&request)?;
        u.low.expect(SpduKind::Resynchronize)?;
        // The answer to the major sync was under way: no confirm comes of it.
        u.low.send(&octets::maa(1));
        u.saw(&[])?;
        u.low.send(&octets::ra(number, Some(0)));
        u.saw(&["ResynchronizeConfirm"])?;
        u.is(State::Sta713)?;
    }
    for (kind, number) in [(resync::ABANDON, 2), (resync::SET, 50)] {
        let mut u = tester_owns(POINTS)?;
        u.low.send(&octets::map(1));
        u.low.send(&octets::rs(kind, number, Some(0)));
        u.saw(&["SyncMajor", "Resynchronize"])?;
        u.refused(&ANSWER)?;
        u.ask(&Request::ResynchronizeResponse(ResynchronizeAnswer::default()))?;
        u.low.expect_exactly(SpduKind::ResynchronizeAck, &octets::ra(number, Some(0)))?;
    }
    let mut u = tester_owns(POINTS)?;
    u.low.send(&octets::map(1));
    u.ask(&ABANDON)?;
    u.refused(&ANSWER)?;
    u.low.expect(SpduKind::Resynchronize).map(|_| ())
}

/// 101: restart by the side that waits for MAA.
pub(crate) fn restart_refused() -> Verdict {
    let mut u = iut_owns(POINTS)?;
    u.ask(&MAJOR)?;
    u.low.expect(SpduKind::MajorSyncPoint)?;
    u.refused(&Request::Resynchronize(ResynchronizeParameters {
        resync_type: ResyncType::Restart,
        serial_number: Some(SerialNumber(1)),
        ..ResynchronizeParameters::default()
    }))
}

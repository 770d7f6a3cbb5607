//! Collisions of resynchronizations: the side that wins, and what becomes of the other's request.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{Request, ResyncType, ResynchronizeParameters, SerialNumber, State};

use super::super::octets;
use super::super::purpose::{Stop, Verdict};
use super::reach::POINTS;
use super::resync::ANSWER;
use super::{Setup, Upper};

/// Type and number of a resynchronization.
type Kind = (ResyncType, u32);

/// Requests that may be made with V(M) = 5 and V(R) = 0.
const KINDS: [Kind; 5] = [
    (ResyncType::Abandon, 5),
    (ResyncType::Set, 100),
    (ResyncType::Restart, 2),
    (ResyncType::Restart, 3),
    (ResyncType::Restart, 4),
];

/// abandon > set > restart; of two restarts the lower number; else the session connection initiator.
fn outranks(one: Kind, other: Kind, one_is_initiator: bool) -> bool {
    let rank = |kind: Kind| match kind.0 {
        ResyncType::Abandon => 2,
        ResyncType::Set => 1,
        ResyncType::Restart => 0,
    };
    let both_restart = one.0 == ResyncType::Restart && other.0 == ResyncType::Restart;
    match rank(one).cmp(&rank(other)) {
        std::cmp::Ordering::Equal if both_restart && one.1 != other.1 => one.1 < other.1,
        std::cmp::Ordering::Equal => one_is_initiator,
        ordering => ordering.is_gt(),
    }
}

fn request_of(kind: Kind) -> Request<'static> {
    let number = (kind.0 != ResyncType::Abandon).then_some(SerialNumber(kind.1));
    Request::Resynchronize(ResynchronizeParameters {
        resync_type: kind.0,
        serial_number: number,
        ..ResynchronizeParameters::default()
    })
}

fn rs_of(kind: Kind) -> Vec<u8> {
    let code = match kind.0 {
        ResyncType::Restart => octets::resync::RESTART,
        ResyncType::Abandon => octets::resync::ABANDON,
        ResyncType::Set => octets::resync::SET,
    };
    octets::rs(code, kind.1, Some(0))
}

fn machine(initiator: bool) -> Result<Upper, Stop> {
    let setup = Setup::of(POINTS).serial(5);
    if initiator { setup.initiator() } else { setup.responder() }
}

/// 109: every pair of types, the IUT in both roles.
pub(crate) fn every_pair() -> Verdict {
    for initiator in [true, false] {
        for (own, peer) in KINDS.iter().flat_map(|own| KINDS.iter().map(move |peer| (*own, *peer))) {
            let mut u = machine(initiator)?;
            u.ask(&request_of(own))?;
            u.low.expect(SpduKind::Resynchronize)?;
            u.low.send(&rs_of(peer));
            if outranks(own, peer, initiator) {
                u.saw(&[])?;
                u.is(State::Sta05A)?;
                u.low.send(&octets::ra(own.1, Some(0)));
                let seen = u.saw_one("ResynchronizeConfirm")?;
                u.check(seen.serial == Some(own.1), "the own number")?;
            } else {
                let seen = u.saw_one("Resynchronize")?;
                u.check(seen.serial == Some(peer.1), "the peer's number")?;
                u.ask(&ANSWER)?;
                u.low.expect_exactly(SpduKind::ResynchronizeAck, &octets::ra(peer.1, Some(0)))?;
            }
            u.is(State::Sta713)?;
            let number = if outranks(own, peer, initiator) { own.1 } else { peer.1 };
            u.check(u.numbers().1 == number, "V(M) of the winner")?;
        }
    }
    Ok(())
}

/// 110: the user that was asked may ask itself if that outranks what was indicated.
pub(crate) fn second_request() -> Verdict {
    for initiator in [true, false] {
        for (own, peer) in KINDS.iter().flat_map(|own| KINDS.iter().map(move |peer| (*own, *peer))) {
            let mut u = machine(initiator)?;
            u.low.send(&rs_of(peer));
            u.saw(&["Resynchronize"])?;
            match outranks(own, peer, initiator) {
                true => {
                    u.ask(&request_of(own))?;
                    u.low.expect(SpduKind::Resynchronize)?;
                    u.is(State::Sta05A)?;
                }
                false => u.refused(&request_of(own))?,
            }
        }
    }
    Ok(())
}

/// 112: PR(RA) has overtaken the losing RS of the peer.
pub(crate) fn losing_after_prepare() -> Verdict {
    let mut u = Setup::of(POINTS).serial(5).expedited().initiator()?;
    u.ask(&request_of((ResyncType::Abandon, 5)))?;
    u.low.expect(SpduKind::Prepare)?;
    u.low.expect(SpduKind::Resynchronize)?;
    u.low.send_expedited(&octets::prepare(3));
    u.is(State::Sta15C)?;
    u.low.send(&rs_of((ResyncType::Restart, 3)));
    u.saw(&[])?;
    u.is(State::Sta15C)?;
    u.low.send(&octets::ra(5, Some(0)));
    u.saw(&["ResynchronizeConfirm"])?;
    u.is(State::Sta713)
}

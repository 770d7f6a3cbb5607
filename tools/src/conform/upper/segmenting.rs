//! Segmenting with the IUT's user.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, Request, State, TsduMaximumSize};

use super::super::octets::{self, spdu, unit, user_data};
use super::super::purpose::Verdict;
use super::{Setup, iut_owns, tester_owns};

/// 47: an initiator keeps to the lower sizes of AC, by direction.
pub(crate) fn lower_sizes() -> Verdict {
    for (to_responder, to_initiator) in [(1024, 2048), (1024, 4096), (4096, 64)] {
        let mut u = Setup::of(Fu::DUPLEX).size(4096).connecting()?;
        let sizes =
            TsduMaximumSize { initiator_to_responder: to_responder, responder_to_initiator: to_initiator };
        u.low.send(&Setup { sizes: Some(sizes), ..Setup::of(Fu::DUPLEX) }.ac());
        u.saw(&["ConnectConfirm"])?;
        u.check(u.look(|session| session.tsdu_maximum_size()) == sizes, "the sizes of AC")?;
        u.data(&[7; 6000])?;
        let (ssdu, replies) = u.low.receive_data()?;
        let fits = replies.iter().all(|reply| reply.octets.len() <= usize::from(to_responder));
        u.check(fits && ssdu == [7; 6000], "segments of at most the agreed size")?;
        let part = vec![0; usize::from(to_initiator) + 100];
        u.low.send(&octets::dt_segment(3, &part));
        u.low.expect_protocol_error()?;
    }
    Ok(())
}

/// 48: 100 000 octets in the user's FN, AB and MAP, and in those of the peer.
pub(crate) fn long_user_data() -> Verdict {
    let long: &[u8] = &[9; 100_000];
    let mut u = iut_owns(Fu::DUPLEX)?;
    u.ask(&Request::Release { user_data: long })?;
    let sent = u.low.receive_joined(SpduKind::Finish)?;
    u.check(sent == long, "the data in segments of FN")?;
    let mut u = iut_owns(Fu::DUPLEX)?;
    u.ask(&Request::Abort { user_data: long })?;
    let sent = u.low.receive_joined(SpduKind::Abort)?;
    u.check(sent == long, "the data in segments of AB")?;
    let mut u = iut_owns(super::reach::POINTS)?;
    u.ask(&Request::SyncMajor { user_data: long })?;
    let sent = u.low.receive_joined(SpduKind::MajorSyncPoint)?;
    u.check(sent == long, "the data in segments of MAP")?;
    let (first, last) = long.split_at(60_000);
    let mut u = tester_owns(super::reach::POINTS)?;
    u.low
        .send(&octets::behind_gt(41, &[unit(15, &[1]), unit(25, &[1]), octets::serial(1), user_data(first)]));
    u.saw(&[])?;
    u.low.send(&octets::behind_gt(41, &[unit(25, &[2]), user_data(last)]));
    let seen = u.saw_one("SyncMajor")?;
    u.check(seen.user_data == long && seen.serial == Some(1), "one indication with all data")?;
    let mut u = tester_owns(Fu::DUPLEX)?;
    u.low.send(&spdu(25, &[unit(17, &[3]), unit(25, &[1]), user_data(first)]));
    u.low.send(&spdu(25, &[unit(25, &[2]), user_data(last)]));
    let seen = u.saw_one("UserAbort")?;
    u.check(seen.user_data == long, "one indication with all data")
}

/// 49: the abort ends an SSDU that has begun; nothing of it comes afterwards.
pub(crate) fn abort_in_the_middle() -> Verdict {
    let mut u = Setup::of(Fu::DUPLEX).size(1024).responder()?;
    u.low.send(&octets::dt_segment(1, b"part"));
    u.saw(&["Data"])?;
    u.low.send(&octets::abort(octets::USER_ABORT, b"stop"));
    u.saw(&["UserAbort"])?;
    u.low.send(&octets::dt_segment(2, b"rest"));
    u.saw(&[])?;
    u.is(State::Sta01)
}

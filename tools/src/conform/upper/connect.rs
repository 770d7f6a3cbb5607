//! Connection establishment with the IUT's user.

use colloquy_session::spdu::{Refuse, Spdu, SpduKind};
use colloquy_session::{
    AcceptParameters, FunctionalUnits as Fu, RefuseParameters, Request, State, TokenSide, Tokens, Versions,
};

use super::super::context::all_at;
use super::super::octets::{self, spdu, unit};
use super::super::purpose::{Stop, Verdict};
use super::{Setup, Upper};

/// 13: a responder with version 1 only.
pub(crate) fn version_1_refuses() -> Verdict {
    let mut setup = Setup::of(Fu::DUPLEX);
    setup.config.versions = Versions::V1;
    let mut u = setup.waiting();
    u.low.send(&setup.cn());
    u.low.expect_refused(132)?;
    u.saw(&[]).map(|_| ())
}

/// 14: nobody is attached to the SSAP.
pub(crate) fn not_attached() -> Verdict {
    let mut u = Setup::of(Fu::DUPLEX).indicated()?;
    refuse(&u, 130, &[])?;
    u.low.expect_refused(130)
}

/// 15: the user refuses with data; at the initiator they arrive with the result.
pub(crate) fn user_refuses() -> Verdict {
    let mut u = Setup::of(Fu::DUPLEX).indicated()?;
    refuse(&u, 2, b"not today")?;
    let reply = u.low.expect(SpduKind::Refuse)?;
    let right = matches!(
        reply.find(SpduKind::Refuse),
        Some(Spdu::Refuse(Refuse { reason: 2, user_data: b"not today", .. }))
    );
    u.low.demand(right, "RF with reason 2 and the data", || reply.shown())?;
    let mut u = Setup::of(Fu::DUPLEX).connecting()?;
    u.low.send(&reply.octets);
    let seen = u.saw_one("ConnectRefused")?;
    u.check((seen.reason, &seen.user_data[..]) == (Some(2), b"not today"), "result and data")?;
    u.low.expect_released()?;
    u.is(State::Sta01)
}

fn refuse(u: &Upper, reason: u8, user_data: &[u8]) -> Verdict {
    let refuse = RefuseParameters { reason, user_data, transport_kept: false };
    u.with(|session, now| session.connect_refuse(now, &refuse))
        .map_err(|error| u.low.deviation("S-CONNECT response is taken", error))
}

/// 16: RF without a reason.
pub(crate) fn reason_is_0() -> Verdict {
    let mut u = Setup::of(Fu::DUPLEX).connecting()?;
    u.low.send(&spdu(12, &[]));
    let seen = u.saw_one("ConnectRefused")?;
    u.check(seen.reason == Some(0), "reason 0")?;
    u.low.expect_released()
}

/// 17: AC without requirements.
pub(crate) fn default_requirements() -> Verdict {
    let proposed = Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::TYPED_DATA | Fu::EXCEPTIONS | Fu::ACTIVITY;
    let mut u = Setup::of(proposed).connecting()?;
    let item = [unit(19, &[0]), unit(22, &[2])].concat();
    u.low.send(&spdu(14, &[unit(5, &item)]));
    u.saw(&["ConnectConfirm"])?;
    u.check(u.look(|session| session.functional_units()) == proposed & Fu::WHEN_ABSENT, "the intersection")
}

/// 18: AC with units that were not proposed.
pub(crate) fn more_than_proposed() -> Verdict {
    let mut u = Setup::of(Fu::DUPLEX).connecting()?;
    u.low.send(&Setup::of(Fu::DUPLEX | Fu::TYPED_DATA | Fu::NEGOTIATED_RELEASE).ac());
    u.saw(&["ConnectConfirm"])?;
    u.check(u.look(|session| session.functional_units()) == Fu::DUPLEX, "duplex alone")
}

/// 19: AC with a Token Item.
pub(crate) fn please_with_accept() -> Verdict {
    let setup = Setup::of(Fu::HALF_DUPLEX);
    let mut u = setup.connecting()?;
    let item = [unit(19, &[0]), unit(22, &[2])].concat();
    u.low.send(&spdu(14, &[unit(5, &item), unit(16, &[1]), unit(20, &[0, 1])]));
    let seen = u.saw(&["ConnectConfirm", "TokenPlease"])?;
    u.check(seen[1].tokens == Some(Tokens::DATA), "S-TOKEN-PLEASE of the data token")
}

/// 20: another responding selector, or none.
pub(crate) fn other_selector_user() -> Verdict {
    for selector in [unit(52, b"elsewhere"), Vec::new()] {
        let mut u = Setup::of(Fu::DUPLEX).connecting()?;
        let item = [unit(19, &[0]), unit(22, &[2])].concat();
        u.low.send(&spdu(14, &[unit(5, &item), unit(20, &[0, 2]), selector]));
        u.saw(&["ConnectConfirm"])?;
        u.is(State::Sta713)?;
    }
    Ok(())
}

/// 21: what one side owns, the other does not.
pub(crate) fn complementary_tokens() -> Verdict {
    let units = Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::NEGOTIATED_RELEASE;
    for (proposed, answered) in [
        (TokenSide::Initiator, TokenSide::Initiator),
        (TokenSide::Responder, TokenSide::Responder),
        (TokenSide::AcceptorChooses, TokenSide::Initiator),
        (TokenSide::AcceptorChooses, TokenSide::Responder),
    ] {
        let setup = Setup::of(units).tokens(proposed);
        let mut responder = setup.indicated()?;
        let accept = AcceptParameters {
            requirements: units,
            token_settings: all_at(answered),
            ..AcceptParameters::default()
        };
        responder
            .with(|session, now| session.connect_response(now, &accept))
            .map_err(|error| responder.low.deviation("S-CONNECT response is taken", error))?;
        let reply = responder.low.expect(SpduKind::Accept)?;
        let mut initiator = setup.connecting()?;
        initiator.low.send(&reply.octets);
        initiator.saw(&["ConnectConfirm"])?;
        let expected = if answered == TokenSide::Initiator { Tokens::all() } else { Tokens::empty() };
        initiator.check(initiator.tokens_owned() == expected, "tokens where AC puts them")?;
        responder.check(responder.tokens_owned() == Tokens::all() - expected, "tokens where AC puts them")?;
    }
    Ok(())
}

/// 22: the number of AC counts.
pub(crate) fn serial_of_accept() -> Verdict {
    let setup = Setup::of(Fu::DUPLEX | Fu::MINOR_SYNC);
    let mut u = setup.connecting()?;
    u.low.send(&setup.serial(5).ac());
    u.saw(&["ConnectConfirm"])?;
    u.ask(&Request::SyncMinor { confirmation_optional: false, data_separation: false, user_data: &[] })?;
    u.low.expect_exactly(SpduKind::MinorSyncPoint, &octets::mip(5))
}

/// 25: CN at the side that opened the transport connection, kept after a release.
pub(crate) fn cn_at_initiator() -> Verdict {
    let setup = Setup::of(Fu::DUPLEX).reuse();
    let mut u = setup.initiator()?;
    u.ask(&Request::Release { user_data: &[] })?;
    u.low.expect(SpduKind::Finish)?;
    u.low.send(&octets::disconnect());
    u.saw(&["ReleaseConfirm"])?;
    u.is(State::Sta01C)?;
    u.low.send(&setup.cn());
    u.low.expect_released()?;
    u.saw(&[]).map(|_| ())
}

/// 26: DT before AC.
pub(crate) fn early_data() -> Verdict {
    let mut u = Setup::of(Fu::DUPLEX).connecting()?;
    u.low.send(&octets::dt(b"early"));
    u.low.expect_protocol_error()?;
    u.saw(&["ProviderAbort"]).map(|_| ())
}

/// 39: DT before the response.
pub(crate) fn data_before_response() -> Result<(), Stop> {
    let mut u = Setup::of(Fu::DUPLEX).indicated()?;
    u.low.send(&octets::dt(b"early"));
    u.low.expect_protocol_error()?;
    u.saw(&["ProviderAbort"]).map(|_| ())
}

//! 12.4 Kernel: release and abort.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, TokenSide, Versions};

use super::super::context::{Context, Proposal, all_at};
use super::super::dialogue::{Dialogue, shown};
use super::super::line::Arrival;
use super::super::octets::{self, spdu, unit, user_data};
use super::super::purpose::{Purpose, Stop, Verdict, inopportune, syntax, valid};
use super::super::upper::release as upper;
use super::connect_initiator as initiator;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(54, "FN, DN, T-DISCONNECT by the requester")
        .units(Fu::DUPLEX)
        .responder(release)
        .initiator(initiator::release),
    valid(55, "negative response: NF, back in data transfer").user(upper::release_refused),
    valid(56, "S-RELEASE without all tokens is refused locally").user(upper::release_without_tokens),
    valid(57, "data between FN and DN are delivered").user(upper::data_after_finish),
    valid(58, "release collision: no deadlock in either order").user(upper::release_collision),
    valid(59, "FN without Transport Disconnect means released").units(Fu::DUPLEX).responder(plain_finish),
    valid(60, "FN that keeps the transport connection: a second CN on it").units(Fu::DUPLEX).responder(reuse),
    valid(61, "FN that keeps the transport connection, without reuse: TIM ends it")
        .units(Fu::DUPLEX)
        .responder(no_reuse),
    valid(62, "S-U-ABORT with 9 octets; TIM when the peer does not disconnect")
        .units(Fu::DUPLEX)
        .responder(abort_with_data)
        .user(upper::abort_by_user),
    valid(63, "AB 0x0b is a user abort")
        .units(Fu::DUPLEX)
        .responder(abort_0b)
        .user(upper::abort_of_three_bits)
        .initiator(initiator::abort_of_three_bits),
    valid(64, "AB with the protocol error bit")
        .units(Fu::DUPLEX)
        .responder(abort_error)
        .user(upper::abort_error)
        .initiator(initiator::abort_error),
    valid(65, "AB that keeps the transport connection: AA or T-DISCONNECT")
        .units(Fu::DUPLEX)
        .responder(abort_keep)
        .user(upper::abort_keep),
    valid(66, "T-DISCONNECT in every state: one S-P-ABORT").user(upper::disconnect_anywhere),
    valid(67, "AB in every state: one abort indication").user(upper::abort_anywhere),
    valid(68, "AB sent, the peer is silent: T-DISCONNECT").units(Fu::DUPLEX).responder(silent_peer),
    inopportune(69, "DN, NF, AA in data transfer")
        .units(Fu::DUPLEX)
        .responder(answers_unasked)
        .initiator(initiator::unasked_disconnect),
    inopportune(70, "FN while the receiver owns tokens")
        .units(Fu::HALF_DUPLEX)
        .responder(finish_without_tokens),
    syntax(71, "AB without Transport Disconnect")
        .units(Fu::DUPLEX)
        .responder(abort_without_cause)
        .initiator(initiator::abort_without_cause),
    syntax(72, "AB with 10 octets in version 1").units(Fu::DUPLEX).responder(abort_too_long),
];

fn release(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(&octets::finish(b"bye"));
    d.expect(SpduKind::Disconnect)?;
    if c.settings.own {
        // The side that asked disconnects; the other waits for it, at least for a while.
        d.expect_quiet()?;
    }
    d.close();
    Ok(())
}

fn plain_finish(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(&spdu(9, &[]));
    d.expect(SpduKind::Disconnect)?;
    d.expect_released_by_timer()
}

fn reuse(c: &Context<'_>) -> Verdict {
    let proposal = Proposal::of(Fu::DUPLEX);
    let mut d = c.open_with(&proposal)?;
    d.send(&spdu(9, &[unit(17, &[0])]));
    d.expect(SpduKind::Disconnect)?;
    d.send(&proposal.cn(c.settings));
    match d.next() {
        Arrival::Closed(_) => Err(Stop::Skipped("the IUT does not reuse transport connections".to_owned())),
        Arrival::Tsdu(octets) if octets.first() == Some(&14) => d.release(),
        other => Err(d.deviation("AC on the same transport connection", shown(&other))),
    }
}

fn no_reuse(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(&spdu(9, &[unit(17, &[0])]));
    d.expect(SpduKind::Disconnect)?;
    match d.expect_released_by_timer() {
        Err(Stop::Deviation(_)) if reuses(c) => {
            Err(Stop::Skipped("the IUT reuses transport connections".to_owned()))
        }
        verdict => verdict,
    }
}

fn reuses(c: &Context<'_>) -> bool {
    reuse(c).is_ok()
}

fn abort_with_data(c: &Context<'_>) -> Verdict {
    ends(c, &octets::abort(octets::USER_ABORT, b"nine here"))
}

fn abort_0b(c: &Context<'_>) -> Verdict {
    ends(c, &octets::abort(0x0b, b"abc"))
}

fn abort_error(c: &Context<'_>) -> Verdict {
    ends(c, &octets::abort(0x05, &[]))
}

fn abort_without_cause(c: &Context<'_>) -> Verdict {
    ends(c, &spdu(25, &[]))
}

/// An AB that ends the session.
fn ends(c: &Context<'_>, abort: &[u8]) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(abort);
    d.expect_abort_taken()
}

fn abort_keep(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(&octets::abort(0x02, &[]));
    match d.next() {
        Arrival::Closed(_) => Ok(()),
        Arrival::Tsdu(octets) if octets == octets::abort_accept() => Ok(()),
        other => Err(d.deviation("AA or T-DISCONNECT", shown(&other))),
    }
}

fn silent_peer(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(&octets::gta());
    let arrival = d.next();
    match arrival {
        Arrival::Closed(_) if !d.manner.abort_demanded => Ok(()),
        Arrival::Tsdu(octets) if octets.first() == Some(&25) => d.expect_released_by_timer(),
        other => Err(d.deviation("AB", shown(&other))),
    }
}

fn answers_unasked(c: &Context<'_>) -> Verdict {
    for tsdu in [octets::disconnect(), octets::not_finished(), octets::abort_accept()] {
        let mut d: Dialogue = c.open(Fu::DUPLEX)?;
        d.send(&tsdu);
        d.expect_protocol_error()?;
    }
    Ok(())
}

fn finish_without_tokens(c: &Context<'_>) -> Verdict {
    let tokens = Some(all_at(TokenSide::Responder));
    let mut d = c.open_with(&Proposal { tokens, ..Proposal::of(Fu::HALF_DUPLEX) })?;
    d.send(&octets::finish(&[]));
    d.expect_protocol_error()
}

fn abort_too_long(c: &Context<'_>) -> Verdict {
    if !c.facts.version_1 {
        return Err(Stop::Skipped("the IUT does not speak version 1".to_owned()));
    }
    let mut d = c.open_with(&Proposal { versions: Versions::V1, ..Proposal::of(Fu::DUPLEX) })?;
    d.send(&spdu(25, &[unit(17, &[3]), user_data(b"ten octets")]));
    d.expect_released()
}

//! 12.9 Resynchronize.

use colloquy_session::spdu::{Flow, Spdu, SpduKind};
use colloquy_session::{FunctionalUnits as Fu, TokenSettings, TokenSide, Tokens};

use super::super::context::{Context, Proposal};
use super::super::dialogue::{Dialogue, Reply};
use super::super::octets::{self, behind_gt, resync, serial, settings_all, unit};
use super::super::purpose::{Purpose, Stop, Verdict, inopportune, syntax, valid};
use super::super::upper::{collisions, resync as upper};
use super::connect_initiator as initiator;
use super::minor::point;

const UNITS: Fu = Fu::MINOR_SYNC.union(Fu::RESYNCHRONIZE);

pub(super) static PURPOSES: &[Purpose] = &[
    valid(103, "abandon: V(M), and V(R) = 0").units(UNITS).responder(abandon).user(upper::abandon),
    valid(104, "abandon where the acceptor has the higher V(M)").units(UNITS).responder(abandon_lower),
    valid(105, "restart to V(R), to V(M), between").units(UNITS).responder(restart).user(upper::restart),
    valid(106, "restart below V(R)")
        .units(UNITS.union(Fu::MAJOR_SYNC))
        .responder(restart_below)
        .user(upper::restart_below),
    valid(107, "set to 0, to 999999, above V(M)").units(UNITS).responder(set).user(upper::set),
    valid(108, "token positions: stay, initiator, responder, choice")
        .units(UNITS)
        .responder(tokens)
        .user(upper::tokens),
    valid(109, "collision of every pair of types").user(collisions::every_pair),
    valid(110, "a second resynchronize in STA11A only when it outranks").user(collisions::second_request),
    valid(111, "data in front of RS after PR(RS); data after RA")
        .units(UNITS)
        .expedited()
        .responder(prepared)
        .user(upper::data_dropped),
    valid(112, "a losing RS after PR(RA) is ignored").user(collisions::losing_after_prepare),
    inopportune(113, "RA without RS, RA with a wrong number")
        .units(UNITS)
        .responder(ack_unasked)
        .user(upper::wrong_ack)
        .initiator(initiator::resynchronize_ack),
    syntax(114, "RS with type 3, RS without number").units(UNITS).responder(bad_resync),
];

fn open(c: &Context<'_>, more: Fu) -> Result<Dialogue, Stop> {
    c.open(c.dialogue_units()? | UNITS | more)
}

/// RS with the tokens at the tester, and the number in its RA.
fn resynchronize(d: &mut Dialogue, kind: u8, number: u32) -> Result<u32, Stop> {
    d.send(&octets::rs(kind, number, Some(0)));
    let reply = d.expect(SpduKind::ResynchronizeAck)?;
    number_of(d, &reply)
}

fn number_of(d: &Dialogue, reply: &Reply) -> Result<u32, Stop> {
    match reply.find(SpduKind::ResynchronizeAck) {
        Some(Spdu::ResynchronizeAck(ack)) => Ok(ack.serial_number.0),
        _ => Err(d.deviation("RA", reply.shown())),
    }
}

fn abandon(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::empty())?;
    (1..=3).try_for_each(|number| point(c, &mut d, number))?;
    let number = resynchronize(&mut d, resync::ABANDON, 4)?;
    d.demand(number == 4, "RA 4", || format!("RA {number}"))?;
    point(c, &mut d, 4)?;
    // V(R) is 0 after an abandon.
    let number = resynchronize(&mut d, resync::RESTART, 0)?;
    d.demand(number == 0, "RA 0", || format!("RA {number}"))
}

fn abandon_lower(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::empty())?;
    (1..=3).try_for_each(|number| point(c, &mut d, number))?;
    let number = resynchronize(&mut d, resync::ABANDON, 2)?;
    d.demand(number == 4, "RA with the higher number 4", || format!("RA {number}"))?;
    point(c, &mut d, 4)
}

fn restart(c: &Context<'_>) -> Verdict {
    for to in [0, 2, 4] {
        let mut d = open(c, Fu::empty())?;
        (1..=3).try_for_each(|number| point(c, &mut d, number))?;
        let number = resynchronize(&mut d, resync::RESTART, to)?;
        d.demand(number == to, &format!("RA {to}"), || format!("RA {number}"))?;
        point(c, &mut d, to)?;
        let number = resynchronize(&mut d, resync::RESTART, 0)?;
        d.demand(number == 0, "RA 0, since V(R) is as before", || format!("RA {number}"))?;
    }
    Ok(())
}

fn restart_below(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::MAJOR_SYNC)?;
    d.send(&octets::map(1));
    let confirmed = d.expect(SpduKind::MajorSyncAck);
    if confirmed.is_err() && !c.settings.own {
        // V(R) moves with the confirmation only.
        return Err(Stop::Skipped("the IUT's user does not confirm a major point".to_owned()));
    }
    confirmed?;
    d.send(&octets::rs(resync::RESTART, 1, Some(0)));
    d.expect_protocol_error()
}

fn set(c: &Context<'_>) -> Verdict {
    for to in [0, 999_999, 500] {
        let mut d = open(c, Fu::empty())?;
        let number = resynchronize(&mut d, resync::SET, to)?;
        d.demand(number == to, &format!("RA {to}"), || format!("RA {number}"))?;
        if to < 999_999 {
            point(c, &mut d, to)?;
        }
    }
    Ok(())
}

fn tokens(c: &Context<'_>) -> Verdict {
    for side in [TokenSide::Initiator, TokenSide::Responder, TokenSide::AcceptorChooses] {
        let mut d = open(c, Fu::empty())?;
        d.send(&octets::rs(resync::ABANDON, 1, Some(settings_all(side))));
        let reply = d.expect(SpduKind::ResynchronizeAck)?;
        let Some(Spdu::ResynchronizeAck(ack)) = reply.find(SpduKind::ResynchronizeAck) else {
            return Err(d.deviation("RA", reply.shown()));
        };
        let at = ack.token_settings.unwrap_or(TokenSettings::default()).minor;
        let right = match side {
            TokenSide::AcceptorChooses => at != side,
            fixed => at == fixed,
        };
        d.demand(right, "RA that says where the tokens are", || reply.shown())?;
        match at {
            TokenSide::Responder if c.settings.own => d.fetch(Tokens::MINOR)?,
            TokenSide::Responder => continue,
            _ => {}
        }
        let number = number_of(&d, &reply)?;
        point(c, &mut d, number)?;
    }
    Ok(())
}

fn prepared(c: &Context<'_>) -> Verdict {
    let units = c.dialogue_units()? | UNITS;
    let mut d = c.open_with(&Proposal { expedited: true, ..Proposal::of(units) })?;
    d.send_expedited(&octets::prepare(2));
    d.send(&octets::rs(resync::ABANDON, 1, Some(0)));
    let prepare = d.expect(SpduKind::Prepare)?;
    let right = prepare.flow == Flow::Expedited && prepare.octets == octets::prepare(3);
    d.demand(right, "expedited PR(RA)", || prepare.shown())?;
    d.expect(SpduKind::ResynchronizeAck)?;
    if c.facts.echo {
        d.echo(b"after RA")?;
    }
    Ok(())
}

fn ack_unasked(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::empty())?;
    d.send(&octets::ra(1, None));
    d.expect_protocol_error()
}

fn bad_resync(c: &Context<'_>) -> Verdict {
    for units in [&[unit(27, &[3]), serial(1)][..], &[unit(27, &[1])]] {
        let mut d = open(c, Fu::empty())?;
        d.send(&behind_gt(53, units));
        d.expect_protocol_error()?;
    }
    Ok(())
}

//! 12.7 Minor synchronization.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, Tokens};

use super::super::context::Context;
use super::super::dialogue::Dialogue;
use super::super::octets::{self, behind_gt, unit};
use super::super::purpose::{Purpose, Stop, Verdict, inopportune, syntax, valid};
use super::super::upper::minor as upper;
use super::connect_initiator as initiator;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(87, "numbers of MIP count up").units(Fu::MINOR_SYNC).responder(counting).user(upper::counting),
    valid(88, "explicit and optional points")
        .units(Fu::MINOR_SYNC)
        .responder(both_types)
        .user(upper::both_types),
    valid(89, "MIA of the newest confirms all; an older one is refused locally").user(upper::newest_confirms),
    valid(90, "the minor token passes, and with it the right to confirm")
        .units(Fu::MINOR_SYNC)
        .responder(token_passes)
        .user(upper::token_passes),
    valid(91, "MIA while a major sync is pending: older points only").user(upper::confirm_while_major),
    inopportune(92, "MIP with a wrong number").units(Fu::MINOR_SYNC).responder(wrong_number),
    inopportune(93, "MIP without the minor token").units(Fu::MINOR_SYNC).responder(without_token),
    inopportune(94, "MIA of a number that is not outstanding")
        .units(Fu::MINOR_SYNC)
        .responder(not_outstanding)
        .initiator(initiator::minor_ack),
    syntax(95, "MIP without number, with letters, with 7 digits").units(Fu::MINOR_SYNC).responder(bad_number),
];

fn open(c: &Context<'_>) -> Result<Dialogue, Stop> {
    c.open(c.dialogue_units()? | Fu::MINOR_SYNC)
}

/// Sends MIP and takes its confirmation where the IUT's user is known to give it.
pub(super) fn point(c: &Context<'_>, d: &mut Dialogue, number: u32) -> Verdict {
    d.send(&octets::mip(number));
    if c.settings.own {
        d.expect_exactly(SpduKind::MinorSyncAck, &octets::mia(number))?;
    }
    Ok(())
}

fn counting(c: &Context<'_>) -> Verdict {
    let mut d = open(c)?;
    (1..=12).try_for_each(|number| point(c, &mut d, number))?;
    d.expect_no_error()
}

fn both_types(c: &Context<'_>) -> Verdict {
    let mut d = open(c)?;
    d.send(&octets::mip_optional(1));
    d.send(&octets::mip(2));
    if c.settings.own {
        // Whether the optional one is confirmed is the user's choice; the explicit one is.
        let mut reply = d.expect(SpduKind::MinorSyncAck)?;
        if reply.octets == octets::mia(1) {
            reply = d.expect(SpduKind::MinorSyncAck)?;
        }
        d.demand(reply.octets == octets::mia(2), "MIA 2", || reply.shown())?;
    }
    d.expect_no_error()
}

fn token_passes(c: &Context<'_>) -> Verdict {
    let mut d = open(c)?;
    point(c, &mut d, 1)?;
    d.send(&octets::gt(Tokens::MINOR));
    if !c.settings.own {
        return d.expect_no_error();
    }
    d.fetch(Tokens::MINOR)?;
    point(c, &mut d, 2)?;
    d.expect_no_error()
}

fn wrong_number(c: &Context<'_>) -> Verdict {
    for number in [2, 0] {
        let mut d = open(c)?;
        d.send(&octets::mip(number));
        d.expect_protocol_error()?;
    }
    Ok(())
}

fn without_token(c: &Context<'_>) -> Verdict {
    let mut d = open(c)?;
    d.send(&octets::gt(Tokens::MINOR));
    d.send(&octets::mip(1));
    d.expect_protocol_error()
}

fn not_outstanding(c: &Context<'_>) -> Verdict {
    let mut d = open(c)?;
    d.send(&octets::mia(1));
    d.expect_protocol_error()
}

fn bad_number(c: &Context<'_>) -> Verdict {
    let numbers: [&[Vec<u8>]; 3] = [&[unit(15, &[0])], &[unit(42, b"1a")], &[unit(42, b"0000001")]];
    for units in numbers {
        let mut d = open(c)?;
        d.send(&behind_gt(49, units));
        d.expect_protocol_error()?;
    }
    Ok(())
}

//! 12.13 Data separation, symmetric synchronize, the amendments of 1997.

use colloquy_session::FunctionalUnits as Fu;
use colloquy_session::spdu::SpduKind;

use super::super::context::{Context, Proposal};
use super::super::purpose::{Purpose, Verdict, valid};
use super::super::upper::later as upper;
use super::connect::accept_of;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(144, "data in front of a separated point survive a resynchronize").user(upper::data_survive),
    valid(145, "no PREPARE before RS while a separated point is unconfirmed").user(upper::no_prepare),
    valid(146, "symmetric synchronize and data separation are cleared where not supported")
        .responder(cleared),
    valid(147, "a short SPDU: T-DISCONNECT without an answer").responder(short_spdu),
];

/// What the IUT has not selected when it was asked, it is taken not to support.
fn cleared(c: &Context<'_>) -> Verdict {
    let dialogue = c.dialogue_units()?;
    let later = Fu::SYMMETRIC_SYNC | Fu::DATA_SEPARATION;
    let unsupported = if c.settings.own { Fu::SYMMETRIC_SYNC } else { later };
    let mut d = c.transport()?;
    let proposal = Proposal { serial: Some(1), ..Proposal::of(dialogue | unsupported) };
    d.send(&proposal.cn(c.settings));
    let reply = d.expect(SpduKind::Accept)?;
    let gone = !accept_of(&d, &reply)?.requirements.intersects(unsupported);
    d.demand(gone, "AC without the units of 1995 and later", || reply.shown())
}

fn short_spdu(c: &Context<'_>) -> Verdict {
    for first in [0xe8, 0xf0, 0xf8, 0xd8, 0xe0, 0xa0] {
        let mut d = c.transport()?;
        d.send(&[first, 0x01, 0x02]);
        d.expect_released()?;
    }
    Ok(())
}

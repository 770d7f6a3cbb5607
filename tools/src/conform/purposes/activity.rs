//! 12.10 Activity management and capability data.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, Tokens, TsduMaximumSize};

use super::super::context::{Context, Proposal, tokens_of};
use super::super::dialogue::Dialogue;
use super::super::octets::{self, behind_gt, serial, unit};
use super::super::purpose::{Purpose, Stop, Verdict, inopportune, syntax, valid};
use super::super::upper::activity as upper;
use super::connect_initiator as initiator;
use super::minor::point;

const POINTS: Fu = Fu::ACTIVITY.union(Fu::MINOR_SYNC);
const CAPABILITY: Fu = Fu::ACTIVITY.union(Fu::CAPABILITY_DATA);

pub(super) static PURPOSES: &[Purpose] = &[
    valid(115, "start: numbers from 1; a second start is refused locally")
        .units(POINTS)
        .responder(start)
        .user(upper::start),
    valid(116, "resume goes on behind the old number").units(POINTS).responder(resume).user(upper::resume),
    valid(117, "interrupt: all tokens at the requester")
        .units(POINTS)
        .responder(interrupt)
        .user(upper::interrupt),
    valid(118, "discard, with and without a reason").units(POINTS).responder(discard).user(upper::discard),
    valid(119, "interrupt in the middle of an SSDU")
        .units(Fu::ACTIVITY)
        .responder(interrupt_segments)
        .user(upper::interrupt_segments),
    valid(120, "end, and the next activity at once").units(POINTS).responder(end).user(upper::end),
    valid(121, "interrupt while the end is answered")
        .units(Fu::ACTIVITY)
        .responder(interrupt_answered_end)
        .user(upper::interrupt_end),
    valid(122, "interrupt against resynchronize").user(upper::interrupt_wins),
    valid(123, "control moves all tokens between activities")
        .units(Fu::ACTIVITY)
        .responder(control)
        .user(upper::control),
    valid(124, "capability data between activities")
        .units(CAPABILITY)
        .responder(capability)
        .user(upper::capability),
    inopportune(125, "AS in an activity, AE without one, AI without the token")
        .units(Fu::ACTIVITY)
        .responder(misplaced),
    inopportune(126, "MIP between activities").units(POINTS).responder(point_between),
    inopportune(127, "GTA without GTC")
        .units(Fu::ACTIVITY)
        .responder(ack_unasked)
        .initiator(initiator::control_ack),
    syntax(128, "AS without identifier, with one of 7 octets").units(Fu::ACTIVITY).responder(bad_start),
    syntax(129, "AR without Linking Information").units(Fu::ACTIVITY).responder(bad_resume),
];

fn open(c: &Context<'_>, units: Fu) -> Result<Dialogue, Stop> {
    c.open(c.dialogue_units()? | units)
}

/// A session with an activity in progress.
fn started(c: &Context<'_>, units: Fu) -> Result<Dialogue, Stop> {
    let mut d = open(c, units)?;
    d.send(&octets::activity_start(b"ACT1"));
    Ok(d)
}

fn start(c: &Context<'_>) -> Verdict {
    let mut d = started(c, POINTS)?;
    point(c, &mut d, 1)?;
    point(c, &mut d, 2)?;
    d.expect_no_error()
}

fn resume(c: &Context<'_>) -> Verdict {
    let mut d = open(c, POINTS)?;
    d.send(&octets::activity_resume(b"ACT2", b"ACT1", 41));
    point(c, &mut d, 42)?;
    d.expect_no_error()
}

fn interrupt(c: &Context<'_>) -> Verdict {
    let mut d = started(c, POINTS)?;
    point(c, &mut d, 1)?;
    // Only the major token is needed: the others come with the confirm.
    d.send(&octets::gt(tokens_of(d.units) - Tokens::MAJOR));
    d.send(&octets::activity_interrupt(3));
    if !c.settings.own {
        return d.expect_no_error();
    }
    d.expect(SpduKind::ActivityInterruptAck)?;
    d.send(&octets::activity_start(b"ACT2"));
    point(c, &mut d, 1)
}

fn discard(c: &Context<'_>) -> Verdict {
    for tsdu in [octets::activity_discard(5), behind_gt(57, &[])] {
        let mut d = started(c, POINTS)?;
        d.send(&tsdu);
        if !c.settings.own {
            d.expect_no_error()?;
            continue;
        }
        d.expect(SpduKind::ActivityDiscardAck)?;
        d.send(&octets::activity_start(b"ACT2"));
        point(c, &mut d, 1)?;
    }
    Ok(())
}

fn interrupt_segments(c: &Context<'_>) -> Verdict {
    let sizes = Some(TsduMaximumSize { initiator_to_responder: 512, responder_to_initiator: 512 });
    let units = c.dialogue_units()? | Fu::ACTIVITY;
    let mut d = c.open_with(&Proposal { sizes, ..Proposal::of(units) })?;
    d.send(&octets::activity_start(b"ACT1"));
    d.send(&octets::dt_segment(1, b"never to be finished"));
    d.send(&octets::activity_interrupt(0));
    if !c.settings.own {
        return d.expect_no_error();
    }
    // An echo may have sent the segment back already.
    d.expect_past(SpduKind::ActivityInterruptAck, &[SpduKind::DataTransfer])?;
    d.echo(b"a whole one")
}

fn end(c: &Context<'_>) -> Verdict {
    let mut d = started(c, POINTS)?;
    point(c, &mut d, 1)?;
    d.send(&octets::ae(2));
    if !c.settings.own {
        return d.expect_no_error();
    }
    d.expect_exactly(SpduKind::MajorSyncAck, &octets::maa(2))?;
    d.send(&octets::activity_start(b"ACT2"));
    point(c, &mut d, 1)
}

/// AI leaves before the AEA has come: the IUT has left the activity and takes it all the same.
fn interrupt_answered_end(c: &Context<'_>) -> Verdict {
    let mut d = started(c, Fu::ACTIVITY)?;
    d.send(&octets::ae(1));
    d.send(&octets::activity_interrupt(0));
    if !c.settings.own {
        return d.expect_no_error();
    }
    d.expect_past(SpduKind::ActivityInterruptAck, &[SpduKind::MajorSyncAck]).map(|_| ())
}

fn control(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::ACTIVITY)?;
    d.send(&octets::gtc());
    d.expect_exactly(SpduKind::GiveTokensAck, &octets::gta())?;
    if !c.settings.own {
        return Ok(());
    }
    let all = tokens_of(d.units);
    d.fetch(all)
}

fn capability(c: &Context<'_>) -> Verdict {
    let mut d = open(c, CAPABILITY)?;
    d.send(&octets::capability_data(b"can you"));
    if c.settings.own {
        d.expect(SpduKind::CapabilityDataAck)?;
    } else {
        d.expect_no_error()?;
    }
    let mut d = started(c, CAPABILITY)?;
    d.send(&octets::capability_data(b"not here"));
    d.expect_protocol_error()
}

fn misplaced(c: &Context<'_>) -> Verdict {
    let mut d = started(c, Fu::ACTIVITY)?;
    d.send(&octets::activity_start(b"ACT2"));
    d.expect_protocol_error()?;
    let mut d = open(c, Fu::ACTIVITY)?;
    d.send(&octets::ae(1));
    d.expect_protocol_error()?;
    let mut d = started(c, Fu::ACTIVITY)?;
    d.send(&octets::gt(Tokens::MAJOR));
    d.send(&octets::activity_interrupt(0));
    d.expect_protocol_error()
}

fn point_between(c: &Context<'_>) -> Verdict {
    let mut d = open(c, POINTS)?;
    d.send(&octets::mip(1));
    d.expect_protocol_error()
}

fn ack_unasked(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::ACTIVITY)?;
    d.send(&octets::gta());
    d.expect_protocol_error()
}

fn bad_start(c: &Context<'_>) -> Verdict {
    for units in [&[][..], &[unit(41, b"seven77")]] {
        let mut d = open(c, Fu::ACTIVITY)?;
        d.send(&behind_gt(45, units));
        d.expect_protocol_error()?;
    }
    Ok(())
}

fn bad_resume(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::ACTIVITY)?;
    d.send(&behind_gt(29, &[unit(41, b"ACT2"), serial(1)]));
    d.expect_protocol_error()
}

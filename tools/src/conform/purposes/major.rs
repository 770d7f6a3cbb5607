//! 12.8 Major synchronization.

use colloquy_session::FunctionalUnits as Fu;
use colloquy_session::spdu::{Flow, SpduKind};

use super::super::context::{Context, Proposal};
use super::super::dialogue::Dialogue;
use super::super::octets::{self, resync};
use super::super::purpose::{Purpose, Stop, Verdict, inopportune, syntax, valid};
use super::super::upper::major as upper;
use super::connect_initiator as initiator;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(96, "MAP, MAA: V(A) = V(R) = V(M) on both sides")
        .units(Fu::MAJOR_SYNC)
        .responder(major)
        .user(upper::major),
    valid(97, "the requester waits, and receives meanwhile").user(upper::waits),
    valid(98, "PR(MAA) precedes MAA with transport expedited")
        .units(Fu::MAJOR_SYNC)
        .expedited()
        .responder(prepared)
        .user(upper::prepared),
    valid(99, "resynchronize cancels a pending major sync")
        .units(Fu::MAJOR_SYNC.union(Fu::RESYNCHRONIZE))
        .responder(cancelled)
        .user(upper::cancelled),
    inopportune(100, "MAA without MAP")
        .units(Fu::MAJOR_SYNC)
        .responder(ack_unasked)
        .initiator(initiator::major_ack),
    inopportune(101, "restart with a pending major sync is refused locally").user(upper::restart_refused),
    syntax(102, "MAP without its Sync Type bit").units(Fu::MAJOR_SYNC).responder(no_sync_type),
];

fn open(c: &Context<'_>, more: Fu) -> Result<Dialogue, Stop> {
    c.open(c.dialogue_units()? | Fu::MAJOR_SYNC | more)
}

fn major(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::empty())?;
    for number in 1..=3 {
        d.send(&octets::map(number));
        if !c.settings.own {
            return d.expect_no_error();
        }
        d.expect_exactly(SpduKind::MajorSyncAck, &octets::maa(number))?;
    }
    d.release()
}

fn prepared(c: &Context<'_>) -> Verdict {
    let units = c.dialogue_units()? | Fu::MAJOR_SYNC;
    let mut d = c.open_with(&Proposal { expedited: true, ..Proposal::of(units) })?;
    d.send(&octets::map(1));
    let prepare = d.expect(SpduKind::Prepare)?;
    let right = prepare.flow == Flow::Expedited && prepare.octets == octets::prepare(1);
    d.demand(right, "expedited PR(MAA)", || prepare.shown())?;
    d.expect_exactly(SpduKind::MajorSyncAck, &octets::maa(1))
}

/// RS follows MAP at once: MAA may cross it, RA must come.
fn cancelled(c: &Context<'_>) -> Verdict {
    for (kind, number) in [(resync::ABANDON, 2), (resync::SET, 50)] {
        let mut d = open(c, Fu::RESYNCHRONIZE)?;
        d.send(&octets::map(1));
        d.send(&octets::rs(kind, number, Some(0)));
        if !c.settings.own {
            d.expect_no_error()?;
            continue;
        }
        let reply = d.expect_past(SpduKind::ResynchronizeAck, &[SpduKind::MajorSyncAck])?;
        let right = reply.octets == octets::ra(number, Some(0));
        d.demand(right, &format!("RA {number}"), || reply.shown())?;
        d.send(&octets::map(number));
        d.expect_exactly(SpduKind::MajorSyncAck, &octets::maa(number))?;
    }
    Ok(())
}

fn ack_unasked(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::empty())?;
    d.send(&octets::maa(1));
    d.expect_protocol_error()
}

fn no_sync_type(c: &Context<'_>) -> Verdict {
    let mut d = open(c, Fu::empty())?;
    d.send(&octets::behind_gt(41, &[octets::unit(15, &[0]), octets::serial(1)]));
    d.expect_protocol_error()
}

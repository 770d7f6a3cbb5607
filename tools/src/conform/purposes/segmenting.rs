//! 12.3 Kernel: segmenting.

use colloquy_session::spdu::{Spdu, SpduKind};
use colloquy_session::{Enclosure, FunctionalUnits as Fu, TsduMaximumSize, Versions};

use super::super::context::{Context, Proposal};
use super::super::dialogue::Dialogue;
use super::super::octets::{self, spdu, unit, user_data};
use super::super::purpose::{Purpose, Stop, Verdict, inopportune, syntax, valid};
use super::super::upper::segmenting as upper;
use super::connect::{accept_of, pattern};
use super::connect_initiator as initiator;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(44, "an SSDU of 5000 octets in TSDUs of 1024").units(Fu::DUPLEX).echo().responder(long_ssdu),
    valid(45, "an SSDU that fits has enclosure 3").units(Fu::DUPLEX).echo().responder(short_ssdu),
    valid(46, "an empty last segment").units(Fu::DUPLEX).echo().responder(empty_last),
    valid(47, "AC lowers the sizes, by direction")
        .units(Fu::DUPLEX)
        .responder(lower_sizes)
        .user(upper::lower_sizes),
    valid(48, "100 000 octets of user data in FN and DN")
        .units(Fu::DUPLEX)
        .responder(long_finish)
        .user(upper::long_user_data),
    valid(49, "abort in the middle of an SSDU")
        .units(Fu::DUPLEX)
        .responder(abort_in_the_middle)
        .user(upper::abort_in_the_middle),
    inopportune(50, "a middle segment without a first one")
        .units(Fu::DUPLEX)
        .responder(middle_first)
        .initiator(initiator::middle_segment),
    inopportune(51, "a first segment while an SSDU is open").units(Fu::DUPLEX).responder(first_twice),
    syntax(52, "TSDU beyond the agreed maximum").units(Fu::DUPLEX).responder(too_long),
    syntax(53, "Enclosure Item in FN of version 1").units(Fu::DUPLEX).responder(version_1),
];

const SIZE: u16 = 1024;

/// A session in which both directions segment; skips where the IUT does not.
fn segmenting(c: &Context<'_>) -> Result<Dialogue, Stop> {
    let sizes = Some(TsduMaximumSize { initiator_to_responder: SIZE, responder_to_initiator: SIZE });
    let (d, reply) = c.open_and_accept(&Proposal { sizes, ..Proposal::of(Fu::DUPLEX) })?;
    let answer = accept_of(&d, &reply)?.item.tsdu_maximum_size.unwrap_or_default();
    let both = [answer.initiator_to_responder, answer.responder_to_initiator];
    // That a finite proposal is answered by "unlimited" is purpose 47's to find.
    match both.into_iter().all(|size| (1..=SIZE).contains(&size)) {
        true => Ok(d),
        false => Err(Stop::Skipped("the IUT does not segment in both directions".to_owned())),
    }
}

fn long_ssdu(c: &Context<'_>) -> Verdict {
    let mut d = segmenting(c)?;
    let ssdu = pattern(5000);
    d.send_data(&ssdu);
    let (back, replies) = d.receive_data()?;
    d.demand(back == ssdu, "the SSDU back", || format!("{} octets", back.len()))?;
    for (index, reply) in replies.iter().enumerate() {
        let (begin, end) = (index == 0, index + 1 == replies.len());
        d.demand(reply.octets.len() <= usize::from(SIZE), "TSDUs of at most 1024 octets", || reply.shown())?;
        let enclosure = enclosure_of(reply.find(SpduKind::DataTransfer));
        d.demand(enclosure == Some(Enclosure { begin, end }), "enclosure 1, 0 .., 2", || reply.shown())?;
    }
    d.demand(replies.len() > 1, "more than one segment", || format!("{}", replies.len()))
}

fn enclosure_of(spdu: Option<Spdu<'_>>) -> Option<Enclosure> {
    match spdu {
        Some(Spdu::DataTransfer(data)) => data.enclosure,
        _ => None,
    }
}

fn short_ssdu(c: &Context<'_>) -> Verdict {
    let mut d = segmenting(c)?;
    d.send_data(b"fits");
    let (_, replies) = d.receive_data()?;
    let enclosure = enclosure_of(replies[0].find(SpduKind::DataTransfer));
    let whole = replies.len() == 1 && enclosure == Some(Enclosure::WHOLE);
    d.demand(whole, "one DT with enclosure 3", || replies[0].shown())
}

fn empty_last(c: &Context<'_>) -> Verdict {
    let mut d = segmenting(c)?;
    d.send(&octets::dt_segment(1, b"nearly all"));
    d.send(&octets::dt_segment(2, b""));
    d.expect_data(b"nearly all")
}

fn lower_sizes(c: &Context<'_>) -> Verdict {
    for (to_responder, to_initiator) in [(4096, 0), (0, 4096), (4096, 2048)] {
        let sizes =
            TsduMaximumSize { initiator_to_responder: to_responder, responder_to_initiator: to_initiator };
        let (mut d, reply) =
            c.open_and_accept(&Proposal { sizes: Some(sizes), ..Proposal::of(Fu::DUPLEX) })?;
        let answer = accept_of(&d, &reply)?.item.tsdu_maximum_size.unwrap_or_default();
        let legal = |proposed: u16, answered: u16| match proposed {
            0 => true,
            finite => (1..=finite).contains(&answered),
        };
        let both = legal(to_responder, answer.initiator_to_responder)
            && legal(to_initiator, answer.responder_to_initiator);
        d.demand(both, "AC with sizes not above the proposal", || reply.shown())?;
        if c.facts.echo {
            d.echo(&pattern(3000))?;
        }
    }
    Ok(())
}

fn long_finish(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    let data = pattern(100_000);
    let (first, last) = data.split_at(60_000);
    d.send(&spdu(9, &[unit(17, &[1]), unit(25, &[1]), user_data(first)]));
    d.send(&spdu(9, &[unit(25, &[2]), user_data(last)]));
    let back = d.receive_joined(SpduKind::Disconnect)?;
    match c.settings.own {
        true => d.demand(back == data, "DN with the data of FN", || format!("{} octets", back.len())),
        false => Ok(()),
    }
}

fn abort_in_the_middle(c: &Context<'_>) -> Verdict {
    let mut d = segmenting(c)?;
    d.send(&octets::dt_segment(1, b"never to be finished"));
    d.send(&octets::abort(octets::USER_ABORT, b"stop"));
    // An echo may have sent the segment back already.
    d.expect_abort_taken()
}

fn middle_first(c: &Context<'_>) -> Verdict {
    let mut d = segmenting(c)?;
    d.send(&octets::dt_segment(0, b"middle"));
    d.expect_protocol_error()
}

fn first_twice(c: &Context<'_>) -> Verdict {
    let mut d = segmenting(c)?;
    d.send(&octets::dt_segment(1, b"first"));
    d.send(&octets::dt_segment(1, b"first again"));
    d.expect_protocol_error()
}

/// Well beyond: some count user data only, and lenient readers let them.
fn too_long(c: &Context<'_>) -> Verdict {
    let mut d = segmenting(c)?;
    let octets = d.send_octets_max.unwrap_or(usize::from(SIZE)) + 100;
    d.send(&octets::dt_segment(3, &pattern(octets)));
    d.expect_protocol_error()
}

fn version_1(c: &Context<'_>) -> Verdict {
    if !c.facts.version_1 {
        return Err(Stop::Skipped("the IUT does not speak version 1".to_owned()));
    }
    let mut d = c.open_with(&Proposal { versions: Versions::V1, ..Proposal::of(Fu::DUPLEX) })?;
    d.send(&spdu(9, &[unit(17, &[1]), unit(25, &[1]), user_data(b"part")]));
    d.expect_protocol_error_or(SpduKind::Disconnect)
}

//! 12.6 Expedited and typed data.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, TokenSide, TsduMaximumSize};

use super::super::context::{Context, Proposal, all_at};
use super::super::octets;
use super::super::purpose::{Purpose, Verdict, inopportune, syntax, valid};
use super::super::upper::expedited as upper;
use super::connect::{accept_of, pattern};
use super::connect_initiator as initiator;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(81, "EX of 1 and 14 octets")
        .units(Fu::EXPEDITED)
        .expedited()
        .responder(expedited)
        .user(upper::overtakes),
    valid(82, "EX before AC is delivered after the confirm").user(upper::before_accept),
    valid(83, "TD without the data token, whole and in segments")
        .units(Fu::TYPED_DATA)
        .echo()
        .responder(typed),
    inopportune(84, "EX and TD without their units")
        .units(Fu::DUPLEX)
        .responder(without_units)
        .initiator(initiator::typed_data),
    syntax(85, "EX of 0 and of 15 octets").units(Fu::EXPEDITED).expedited().responder(expedited_length),
    valid(86, "expedited data without transport expedited is cleared").units(Fu::DUPLEX).responder(cleared),
];

fn expedited(c: &Context<'_>) -> Verdict {
    let units = c.dialogue_units()? | Fu::EXPEDITED;
    let mut d = c.open(units)?;
    for data in [&b"1"[..], b"fourteen octet"] {
        d.send_expedited(&octets::ex(data));
        if c.settings.own {
            let reply = d.expect(SpduKind::ExpeditedData)?;
            d.demand(reply.octets == octets::ex(data), "the EX back", || reply.shown())?;
        }
    }
    d.expect_no_error()
}

fn typed(c: &Context<'_>) -> Verdict {
    let units = Fu::HALF_DUPLEX | Fu::TYPED_DATA;
    let tokens = Some(all_at(TokenSide::Responder));
    let sizes = Some(TsduMaximumSize { initiator_to_responder: 512, responder_to_initiator: 512 });
    let mut d = c.open_with(&Proposal { tokens, ..Proposal::of(units) })?;
    d.send(&octets::td(b"no token needed"));
    if c.settings.own {
        d.expect_typed_data(b"no token needed")?;
    } else {
        d.expect_no_error()?;
    }
    let mut d = c.open_with(&Proposal { tokens, sizes, ..Proposal::of(units) })?;
    let data = pattern(900);
    let (first, last) = data.split_at(450);
    for (enclosure, part) in [(1, first), (2, last)] {
        d.send(&[&[33, 3, 25, 1, enclosure][..], part].concat());
    }
    match c.settings.own {
        true => d.expect_typed_data(&data),
        false => d.expect_no_error(),
    }
}

fn without_units(c: &Context<'_>) -> Verdict {
    for tsdu in [octets::ex(b"ex"), octets::td(b"td")] {
        let mut d = c.open(Fu::DUPLEX)?;
        d.send(&tsdu);
        d.expect_protocol_error()?;
    }
    Ok(())
}

fn expedited_length(c: &Context<'_>) -> Verdict {
    let units = c.dialogue_units()? | Fu::EXPEDITED;
    for data in [&b""[..], b"fifteen octets."] {
        let mut d = c.open(units)?;
        d.send_expedited(&octets::ex(data));
        match data.is_empty() {
            true => d.expect_protocol_error()?,
            false => d.expect_protocol_error_or_released()?,
        }
    }
    Ok(())
}

fn cleared(c: &Context<'_>) -> Verdict {
    let mut d = c.transport()?;
    let proposal = Proposal { expedited: false, ..Proposal::of(Fu::DUPLEX | Fu::EXPEDITED) };
    d.send(&proposal.cn(c.settings));
    let reply = d.expect(SpduKind::Accept)?;
    let gone = !accept_of(&d, &reply)?.requirements.contains(Fu::EXPEDITED);
    d.demand(gone, "AC without expedited data", || reply.shown())
}

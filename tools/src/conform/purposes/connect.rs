//! 12.1 Kernel: connection establishment.

use colloquy_session::spdu::{Accept, Spdu, SpduKind};
use colloquy_session::{FunctionalUnits as Fu, TokenSettings, TokenSide, Tokens, TsduMaximumSize, Versions};

use super::super::context::{Context, Proposal, all_at, tokens_of};
use super::super::dialogue::{Dialogue, Reply, shown};
use super::super::line::Arrival;
use super::super::octets::{self, spdu, unit, user_data};
use super::super::purpose::{Purpose, Stop, Verdict, inopportune, syntax, valid};
use super::super::upper::connect as upper;
use super::connect_initiator as initiator;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(1, "CN: Connect/Accept Item, requirements, selectors; order and lengths")
        .initiator(initiator::cn_shape),
    valid(2, "minimal CN is accepted in version 2 with duplex").units(Fu::DUPLEX).responder(minimal),
    valid(3, "CN without requirements means 0x0349, not duplex").responder(no_requirements),
    valid(4, "CN without Connect/Accept Item means version 1 and no segmenting").responder(no_item),
    valid(5, "CN with versions 1 and 2: AC selects exactly one").units(Fu::DUPLEX).responder(both_versions),
    valid(6, "CN with half duplex and duplex: AC selects exactly one").responder(both_dialogues),
    valid(7, "unknown parameters in CN are ignored").units(Fu::DUPLEX).responder(unknown_parameters),
    valid(8, "parameters of CN in another order are accepted").units(Fu::DUPLEX).responder(other_order),
    valid(9, "512 octets of user data in CN").units(Fu::DUPLEX).responder(data_512),
    valid(10, "513 and 10 240 octets of user data in CN").units(Fu::DUPLEX).responder(data_10240),
    valid(11, "10 241 octets of connect user data: OA, one CDO").units(Fu::DUPLEX).responder(data_10241),
    valid(12, "200 000 octets of connect user data: several CDO").units(Fu::DUPLEX).responder(data_200000),
    valid(13, "a version 1 responder refuses version 2").user(upper::version_1_refuses),
    valid(14, "unknown or unattached SSAP is refused with its reason")
        .units(Fu::DUPLEX)
        .responder(unknown_selector)
        .user(upper::not_attached),
    valid(15, "the user refuses with data").initiator(initiator::refused).user(upper::user_refuses),
    valid(16, "RF without a reason is a rejection with reason 0")
        .initiator(initiator::refused_without_reason)
        .user(upper::reason_is_0),
    valid(17, "AC without requirements: intersection with 0x0349")
        .initiator(initiator::accept_without_requirements)
        .user(upper::default_requirements),
    valid(18, "AC with units that were not proposed: they are ignored")
        .initiator(initiator::accept_with_more)
        .user(upper::more_than_proposed),
    valid(19, "AC with a Token Item: confirm, then S-TOKEN-PLEASE").user(upper::please_with_accept),
    valid(20, "AC with another responding selector, or none")
        .initiator(initiator::other_selector)
        .user(upper::other_selector_user),
    valid(21, "token settings give complementary ownership")
        .units(Fu::HALF_DUPLEX)
        .responder(token_settings)
        .user(upper::complementary_tokens),
    valid(22, "the initial serial number of AC counts")
        .units(Fu::MINOR_SYNC)
        .responder(initial_serial)
        .user(upper::serial_of_accept),
    inopportune(23, "AC, DT, FN, AB before CN: released").responder(before_cn),
    inopportune(24, "a second CN").units(Fu::DUPLEX).responder(second_cn).initiator(initiator::second_cn),
    inopportune(25, "CN at the side that opened the transport connection").user(upper::cn_at_initiator),
    inopportune(26, "DT before AC").initiator(initiator::data_before_accept).user(upper::early_data),
    syntax(27, "LI of CN beyond the TSDU").responder(li_too_long),
    syntax(28, "inner LI of CN beyond its outer unit").responder(inner_li_too_long),
    syntax(29, "User Data and Extended User Data together").responder(both_user_data),
    syntax(30, "selector of 17 octets").responder(long_selector),
    syntax(31, "capability data without activities, exceptions without half duplex")
        .units(Fu::DUPLEX)
        .responder(contradicting_units),
    syntax(32, "no known version").responder(no_known_version),
    syntax(33, "minor synchronize without initial serial number").units(Fu::MINOR_SYNC).responder(no_serial),
];

fn minimal(c: &Context<'_>) -> Verdict {
    let mut d = c.transport()?;
    d.send(&[0x0d, 0x0c, 0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x14, 0x02, 0x00, 0x02]);
    let reply = d.expect_answer_to_connect(Fu::DUPLEX)?;
    let accept = accept_of(&d, &reply)?;
    let plain = accept.item.versions == Versions::V2 && accept.requirements == Fu::DUPLEX;
    d.demand(plain, "AC with version 2 and duplex alone", || reply.shown())?;
    is_open(c, &mut d)
}

fn no_requirements(c: &Context<'_>) -> Verdict {
    let mut d = c.transport()?;
    let cn = spdu(13, &[item(2), selectors(c)]);
    d.send(&cn);
    let Some(reply) = accepted(&mut d)? else { return Ok(()) };
    let accept = accept_of(&d, &reply)?;
    let legal =
        Fu::WHEN_ABSENT.contains(accept.requirements) && accept.requirements.contains(Fu::HALF_DUPLEX);
    d.demand(legal, "AC with half duplex and units of 0x0349, or RF", || reply.shown())
}

fn no_item(c: &Context<'_>) -> Verdict {
    let mut d = c.transport()?;
    d.send(&spdu(13, &[unit(20, &[0, 2]), selectors(c)]));
    let Some(reply) = accepted(&mut d)? else { return Ok(()) };
    let accept = accept_of(&d, &reply)?;
    let sizes = accept.item.tsdu_maximum_size.unwrap_or_default();
    let plain = accept.item.versions == Versions::V1 && sizes == TsduMaximumSize::default();
    d.demand(plain, "AC with version 1 and no segmenting, or RF", || reply.shown())?;
    is_open(c, &mut d)
}

fn both_versions(c: &Context<'_>) -> Verdict {
    let both = Versions::V1 | Versions::V2;
    let (mut d, reply) = c.open_and_accept(&Proposal { versions: both, ..Proposal::of(Fu::DUPLEX) })?;
    let accept = accept_of(&d, &reply)?;
    let one = matches!(accept.item.versions, Versions::V1 | Versions::V2);
    d.demand(one, "AC with exactly one version", || reply.shown())?;
    is_open(c, &mut d)
}

fn both_dialogues(c: &Context<'_>) -> Verdict {
    let both = Fu::HALF_DUPLEX | Fu::DUPLEX;
    c.may_propose(both)?;
    let (d, reply) = c.open_and_accept(&Proposal::of(both))?;
    let accept = accept_of(&d, &reply)?;
    let one = accept.requirements.contains(Fu::HALF_DUPLEX) != accept.requirements.contains(Fu::DUPLEX);
    d.demand(one, "AC with one of half duplex and duplex", || reply.shown())
}

fn unknown_parameters(c: &Context<'_>) -> Verdict {
    let mut d = c.transport()?;
    let inner = [unit(19, &[0]), unit(22, &[2]), unit(99, &[1, 2, 3])].concat();
    let unknown_group = unit(120, &unit(77, &[1]));
    d.send(&spdu(13, &[unit(5, &inner), unit(20, &[0, 2]), selectors(c), unit(111, &[9; 5]), unknown_group]));
    d.expect_answer_to_connect(Fu::DUPLEX)?;
    is_open(c, &mut d)
}

fn other_order(c: &Context<'_>) -> Verdict {
    let mut d = c.transport()?;
    let inner = [unit(22, &[2]), unit(19, &[0])].concat();
    d.send(&spdu(13, &[user_data(b"first"), selectors(c), unit(20, &[0, 2]), unit(5, &inner)]));
    d.expect_answer_to_connect(Fu::DUPLEX)?;
    is_open(c, &mut d)
}

fn data_512(c: &Context<'_>) -> Verdict {
    connect_data(c, &pattern(512))
}

fn data_10240(c: &Context<'_>) -> Verdict {
    connect_data(c, &pattern(513))?;
    connect_data(c, &pattern(10_240))
}

fn data_10241(c: &Context<'_>) -> Verdict {
    overflow(c, &pattern(10_241))
}

fn data_200000(c: &Context<'_>) -> Verdict {
    overflow(c, &pattern(200_000))
}

/// A CN with user data, which come back where the IUT's user is known to send them.
fn connect_data(c: &Context<'_>, data: &[u8]) -> Verdict {
    let proposal = Proposal { user_data: data.to_vec(), ..Proposal::of(Fu::DUPLEX) };
    let (mut d, reply) = c.open_and_accept(&proposal)?;
    came_back(c, &mut d, reply, data)
}

fn overflow(c: &Context<'_>, data: &[u8]) -> Verdict {
    let mut d = c.transport()?;
    let (first, mut rest) = data.split_at(10_240);
    d.send(&spdu(13, &[item(2), unit(20, &[0, 2]), selectors(c), unit(60, &[1]), unit(194, first)]));
    let reply = d.expect(SpduKind::OverflowAccept)?;
    let Some(Spdu::OverflowAccept(answer)) = reply.find(SpduKind::OverflowAccept) else { return Ok(()) };
    d.demand(answer.versions == Versions::V2, "OA with version 2", || reply.shown())?;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.len().min(65_528));
        let last = if after.is_empty() { 2 } else { 0 };
        d.send(&spdu(15, &[unit(25, &[last]), user_data(part)]));
        rest = after;
    }
    let reply = d.expect_answer_to_connect(Fu::DUPLEX)?;
    came_back(c, &mut d, reply, data)
}

/// The user data of AC are those of CN, in one AC or in its segments, and the session is open.
fn came_back(c: &Context<'_>, d: &mut Dialogue, first: Reply, data: &[u8]) -> Verdict {
    let accept = accept_of(d, &first)?;
    let mut back = accept.user_data.to_vec();
    let mut end = accept.enclosure.is_none_or(|enclosure| enclosure.end);
    while !end {
        let reply = d.expect(SpduKind::Accept)?;
        let Some(Spdu::Segment(segment)) = reply.find(SpduKind::Accept) else {
            return Err(d.deviation("a segment of AC", reply.shown()));
        };
        back.extend_from_slice(segment.user_data);
        end = segment.end;
    }
    // Users may think what is long too long to send back; ours does from the length of one SPDU on.
    let long = if c.settings.own { 65_528 } else { 512 };
    let may_be_left_out = back.is_empty() && data.len() > long;
    if c.facts.connect_echo && !may_be_left_out {
        let words = format!("AC with the {} octets of CN", data.len());
        d.demand(back.ends_with(data), &words, || format!("{} octets", back.len()))?;
    }
    is_open(c, d)
}

fn unknown_selector(c: &Context<'_>) -> Verdict {
    let mut d = c.transport()?;
    d.send(&spdu(13, &[item(2), unit(20, &[0, 2]), unit(51, &[0, 1]), unit(52, b"nobody here")]));
    let arrival = d.next();
    let reply = match &arrival {
        Arrival::Tsdu(octets) => Reply { octets: octets.clone(), flow: Default::default() },
        _ => return Err(d.deviation("RF with reason 129", shown(&arrival))),
    };
    match reply.spdus()[..] {
        [Spdu::Refuse(refuse)] if refuse.reason == 129 => Ok(()),
        [Spdu::Accept(_)] if !c.settings.own => {
            Err(Stop::Skipped("the IUT takes every called SSAP".to_owned()))
        }
        _ => Err(d.deviation("RF with reason 129", reply.shown())),
    }
}

fn token_settings(c: &Context<'_>) -> Verdict {
    let units = (Fu::HALF_DUPLEX | Fu::NEGOTIATED_RELEASE)
        & c.facts.half_duplex_units.unwrap_or(Fu::empty())
        & c.settings.units;
    let tokens = tokens_of(units);
    for side in [TokenSide::Initiator, TokenSide::Responder, TokenSide::AcceptorChooses] {
        let proposal = Proposal { tokens: Some(all_at(side)), ..Proposal::of(units) };
        let (mut d, reply) = c.open_and_accept(&proposal)?;
        let accept = accept_of(&d, &reply)?;
        let given = accept.item.token_settings.unwrap_or(TokenSettings::default());
        let at = match side {
            TokenSide::AcceptorChooses => given.data,
            fixed => fixed,
        };
        let decided = at != TokenSide::AcceptorChooses;
        d.demand(decided, "AC that decides about the tokens", || reply.shown())?;
        if !c.facts.echo {
            continue;
        }
        match at {
            TokenSide::Responder => d.fetch(tokens & Tokens::DATA)?,
            _ => d.echo(b"token here")?,
        }
    }
    Ok(())
}

fn initial_serial(c: &Context<'_>) -> Verdict {
    let units = c.dialogue_units()? | Fu::MINOR_SYNC;
    let (mut d, reply) = c.open_and_accept(&Proposal { serial: Some(7), ..Proposal::of(units) })?;
    let accept = accept_of(&d, &reply)?;
    let Some(serial) = accept.item.initial_serial_number else {
        return Err(d.deviation("AC with an initial serial number", reply.shown()));
    };
    d.send(&octets::mip(serial.0));
    if c.settings.own {
        return d.expect_exactly(SpduKind::MinorSyncAck, &octets::mia(serial.0));
    }
    d.expect_no_error()
}

fn before_cn(c: &Context<'_>) -> Verdict {
    let accept = spdu(14, &[item(2), unit(20, &[0, 2])]);
    for tsdu in [accept, octets::dt(b"early"), octets::finish(&[]), octets::abort(1, &[])] {
        let mut d = c.transport()?;
        d.send(&tsdu);
        d.expect_released()?;
    }
    Ok(())
}

fn second_cn(c: &Context<'_>) -> Verdict {
    let proposal = Proposal::of(Fu::DUPLEX);
    let mut d = c.open_with(&proposal)?;
    d.send(&proposal.cn(c.settings));
    d.expect_protocol_error()
}

fn li_too_long(c: &Context<'_>) -> Verdict {
    let mut cn = Proposal::of(Fu::DUPLEX).cn(c.settings);
    cn[1] += 5;
    let mut d = c.transport()?;
    d.send(&cn);
    d.expect_released()
}

fn inner_li_too_long(c: &Context<'_>) -> Verdict {
    let mut d = c.transport()?;
    d.send(&[0x0d, 0x0c, 0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x09, 0x02, 0x14, 0x02, 0x00, 0x02]);
    d.expect_refused_or_released()
}

fn both_user_data(c: &Context<'_>) -> Verdict {
    refused(c, &spdu(13, &[item(2), unit(20, &[0, 2]), selectors(c), user_data(b"a"), unit(194, &[0; 600])]))
}

fn long_selector(c: &Context<'_>) -> Verdict {
    refused(c, &spdu(13, &[item(2), unit(20, &[0, 2]), unit(51, &[1; 17]), unit(52, &[0, 1])]))
}

fn contradicting_units(c: &Context<'_>) -> Verdict {
    for (wrong, words) in [(Fu::CAPABILITY_DATA, "capability data"), (Fu::EXCEPTIONS, "exceptions")] {
        let mut d = c.transport()?;
        d.send(&Proposal::of(Fu::DUPLEX | wrong).cn(c.settings));
        if let Some(reply) = accepted(&mut d)? {
            let dropped = !accept_of(&d, &reply)?.requirements.contains(wrong);
            d.demand(dropped, &format!("AC without {words}, or RF"), || reply.shown())?;
        }
    }
    Ok(())
}

fn no_known_version(c: &Context<'_>) -> Verdict {
    for octet in [0x00, 0x04] {
        let mut d = c.transport()?;
        d.send(&spdu(13, &[item(octet), unit(20, &[0, 2]), selectors(c)]));
        d.expect_refused(132)?;
    }
    Ok(())
}

fn no_serial(c: &Context<'_>) -> Verdict {
    let units = c.dialogue_units()? | Fu::MINOR_SYNC;
    refused(c, &Proposal { serial: None, ..Proposal::of(units) }.cn(c.settings))
}

fn refused(c: &Context<'_>, cn: &[u8]) -> Verdict {
    let mut d = c.transport()?;
    d.send(cn);
    d.expect_refused_or_released()
}

/// AC, or `None` for RF.
fn accepted(d: &mut Dialogue) -> Result<Option<Reply>, Stop> {
    let arrival = d.next();
    let Arrival::Tsdu(octets) = &arrival else {
        return Err(d.deviation("AC or RF", shown(&arrival)));
    };
    let reply = Reply { octets: octets.clone(), flow: Default::default() };
    match reply.spdus()[..] {
        [Spdu::Accept(accept)] => {
            d.take_accept(&accept, Fu::all(), true);
            Ok(Some(reply))
        }
        [Spdu::Refuse(_)] => Ok(None),
        _ => Err(d.deviation("AC or RF", reply.shown())),
    }
}

/// The AC in a reply.
pub(crate) fn accept_of<'r>(d: &Dialogue, reply: &'r Reply) -> Result<Accept<'r>, Stop> {
    match reply.find(SpduKind::Accept) {
        Some(Spdu::Accept(accept)) => Ok(accept),
        _ => Err(d.deviation("AC", reply.shown())),
    }
}

/// Shows that the session is in the data phase: by an echo, or by a release.
pub(super) fn is_open(c: &Context<'_>, d: &mut Dialogue) -> Verdict {
    if c.facts.echo {
        d.echo(b"are you there")?;
    }
    d.release()
}

/// A Connect/Accept Item with these versions.
fn item(versions: u8) -> Vec<u8> {
    unit(5, &[unit(19, &[0]), unit(22, &[versions])].concat())
}

/// The selectors of the run.
fn selectors(c: &Context<'_>) -> Vec<u8> {
    let both = [(51, &c.settings.calling_ssap), (52, &c.settings.called_ssap)];
    both.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .flat_map(|(code, value)| unit(code, value))
        .collect()
}

/// Octets that differ from their neighbours.
pub(super) fn pattern(octets: usize) -> Vec<u8> {
    (0..octets).map(|index| (index * 7 + index / 251) as u8).collect()
}

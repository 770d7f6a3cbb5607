//! 12.2 Kernel: data transfer.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, TokenSide, Tokens};

use super::super::context::{Context, Proposal, all_at};
use super::super::octets::{self, hex};
use super::super::purpose::{Purpose, Verdict, inopportune, syntax, valid};
use super::super::upper::connect as upper;
use super::connect::pattern;
use super::connect_initiator as initiator;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(34, "DT of 1 octet to 1 Mbyte in both directions").units(Fu::DUPLEX).echo().responder(sizes),
    valid(35, "user data of DT lie outside its LI")
        .units(Fu::DUPLEX)
        .echo()
        .responder(header)
        .initiator(initiator::data_header),
    valid(36, "a lone DT (lenient)").units(Fu::DUPLEX).echo().responder(lone),
    valid(37, "GT with the data token and DT: data first")
        .units(Fu::HALF_DUPLEX)
        .echo()
        .responder(token_behind),
    valid(38, "the order of DT is kept").units(Fu::DUPLEX).echo().responder(order),
    inopportune(39, "DT before the response to S-CONNECT").user(upper::data_before_response),
    inopportune(40, "DT while the receiver owns the data token")
        .units(Fu::HALF_DUPLEX)
        .responder(without_token),
    syntax(41, "GT and an unknown SI").units(Fu::HALF_DUPLEX).responder(unknown_si),
    syntax(42, "category 2 SPDU first")
        .units(Fu::DUPLEX)
        .responder(category_2_first)
        .initiator(initiator::category_2_first),
    syntax(43, "category 1 SPDU behind GT")
        .units(Fu::DUPLEX)
        .responder(category_1_behind)
        .initiator(initiator::category_1_behind),
];

fn sizes(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    for octets in [1, 254, 255, 65_535, 1_000_000] {
        if octets > 65_535 && !c.settings.own {
            // What a user takes at once is its own choice.
            continue;
        }
        d.echo(&pattern(octets))?;
    }
    d.send(&octets::dt(&[]));
    d.send(&octets::dt(b"after nothing"));
    let (mut ssdu, _) = d.receive_data()?;
    if ssdu.is_empty() {
        ssdu = d.receive_data()?.0;
    }
    d.demand(ssdu == b"after nothing", "DT behind an empty DT", || hex(&ssdu))
}

fn header(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(&octets::dt(b"abc"));
    let (_, replies) = d.receive_data()?;
    let plain = replies[0].octets.starts_with(&[1, 0, 1, 0]);
    d.demand(plain, "01 00 01 00 in front of the user data", || replies[0].shown())
}

fn lone(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(b"\x01\x00hello");
    match d.manner.strict {
        true => d.expect_protocol_error(),
        false => d.expect_data(b"hello"),
    }
}

fn token_behind(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::HALF_DUPLEX)?;
    d.send(&octets::dt_giving(Tokens::DATA, b"over to you"));
    // The IUT's user can send this back only because the token came after it.
    d.expect_data(b"over to you")?;
    d.fetch(Tokens::DATA)?;
    d.release()
}

fn order(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    let ssdus: Vec<Vec<u8>> = (0..32usize).map(|index| pattern(index * 31 + 1)).collect();
    ssdus.iter().for_each(|ssdu| d.send_data(ssdu));
    ssdus.iter().try_for_each(|ssdu| d.expect_data(ssdu))
}

fn without_token(c: &Context<'_>) -> Verdict {
    let tokens = Some(all_at(TokenSide::Responder));
    let mut d = c.open_with(&Proposal { tokens, ..Proposal::of(Fu::HALF_DUPLEX) })?;
    d.send(&octets::dt(b"not mine"));
    d.expect_protocol_error()
}

/// With a Token Item in GT: without it, lenient readers take the rest for the data of a lone DT.
fn unknown_si(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::HALF_DUPLEX)?;
    d.send(&[&octets::gt(Tokens::DATA)[..], &[0x63, 0x00]].concat());
    d.expect_protocol_error()
}

fn category_2_first(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(&octets::spdu(SpduKind::MinorSyncPoint.si(), &[octets::serial(1)]));
    d.expect_protocol_error()
}

fn category_1_behind(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(&octets::behind_gt(9, &[octets::unit(17, &[1])]));
    d.expect_protocol_error()
}

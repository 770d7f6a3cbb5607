//! 12.5 Half-duplex and tokens.

use colloquy_session::{FunctionalUnits as Fu, TokenSide, Tokens};

use super::super::context::{Context, Proposal, all_at, tokens_of};
use super::super::octets::{self, spdu, unit, user_data};
use super::super::purpose::{Purpose, Verdict, inopportune, syntax, valid};
use super::super::upper::tokens as upper;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(73, "PT with user data, and again")
        .units(Fu::HALF_DUPLEX)
        .echo()
        .responder(please)
        .user(upper::please),
    valid(74, "GT of one, several, all tokens")
        .units(Fu::HALF_DUPLEX)
        .echo()
        .responder(give)
        .user(upper::give),
    valid(75, "PT after the token was given")
        .units(Fu::HALF_DUPLEX)
        .echo()
        .responder(please_late)
        .user(upper::please_late),
    valid(76, "S-DATA without the data token is refused locally").user(upper::data_without_token),
    valid(77, "S-TOKEN-GIVE and -PLEASE of tokens that are not there").user(upper::tokens_not_there),
    inopportune(78, "GT of a token that the receiver owns").units(Fu::HALF_DUPLEX).responder(give_owned),
    inopportune(79, "GT and PT of a token that is not available").units(Fu::DUPLEX).responder(not_available),
    syntax(80, "Token Item of two octets").units(Fu::HALF_DUPLEX).responder(long_item),
];

/// Half duplex with every other token the IUT can have.
fn with_tokens(c: &Context<'_>) -> Fu {
    let wanted = Fu::HALF_DUPLEX | Fu::NEGOTIATED_RELEASE | Fu::MINOR_SYNC | Fu::MAJOR_SYNC;
    wanted & c.facts.half_duplex_units.unwrap_or(Fu::HALF_DUPLEX) & c.settings.units
}

fn please(c: &Context<'_>) -> Verdict {
    let tokens = Some(all_at(TokenSide::Responder));
    let mut d = c.open_with(&Proposal { tokens, ..Proposal::of(Fu::HALF_DUPLEX) })?;
    d.send(&spdu(2, &[unit(16, &[Tokens::DATA.bits()]), user_data(b"please")]));
    d.expect_given(Tokens::DATA)?;
    d.send(&spdu(2, &[unit(16, &[Tokens::DATA.bits()]), user_data(b"again")]));
    d.echo(b"still here")
}

fn give(c: &Context<'_>) -> Verdict {
    let units = with_tokens(c);
    let available = tokens_of(units);
    let mut d = c.open(units)?;
    for tokens in [Tokens::DATA, available - Tokens::DATA, available] {
        if tokens.is_empty() {
            continue;
        }
        d.send(&octets::gt(tokens));
        d.fetch(tokens)?;
    }
    d.echo(b"all back")?;
    d.release()
}

fn please_late(c: &Context<'_>) -> Verdict {
    let tokens = Some(all_at(TokenSide::Responder));
    let mut d = c.open_with(&Proposal { tokens, ..Proposal::of(Fu::HALF_DUPLEX) })?;
    // The second is under way while the IUT gives the token for the first.
    d.send(&octets::pt(Tokens::DATA));
    d.send(&octets::pt(Tokens::DATA));
    d.expect_given(Tokens::DATA)?;
    d.echo(b"still here")
}

fn give_owned(c: &Context<'_>) -> Verdict {
    let tokens = Some(all_at(TokenSide::Responder));
    let mut d = c.open_with(&Proposal { tokens, ..Proposal::of(Fu::HALF_DUPLEX) })?;
    d.send(&octets::gt(Tokens::DATA));
    d.expect_protocol_error()
}

fn not_available(c: &Context<'_>) -> Verdict {
    for tsdu in [octets::gt(Tokens::DATA), octets::pt(Tokens::DATA)] {
        let mut d = c.open(Fu::DUPLEX)?;
        d.send(&tsdu);
        d.expect_protocol_error_or_ignored()?;
    }
    Ok(())
}

fn long_item(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::HALF_DUPLEX)?;
    d.send(&spdu(1, &[unit(16, &[0, 1])]));
    d.expect_protocol_error()
}

//! Tokens with the IUT's user.

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, Request, Tokens};

use super::super::octets::{self, spdu, unit, user_data};
use super::super::purpose::Verdict;
use super::{iut_owns, tester_owns};

const ALL: Fu = Fu::HALF_DUPLEX.union(Fu::MINOR_SYNC).union(Fu::MAJOR_SYNC).union(Fu::NEGOTIATED_RELEASE);

fn give_of(tokens: Tokens) -> Request<'static> {
    Request::TokenGive { tokens, user_data: &[] }
}

fn please_of(tokens: Tokens) -> Request<'static> {
    Request::TokenPlease { tokens, user_data: &[] }
}

/// 73: PT with user data, sent and received, more than once.
pub(crate) fn please() -> Verdict {
    let tsdu = spdu(2, &[unit(16, &[1]), user_data(b"please")]);
    let mut u = tester_owns(Fu::HALF_DUPLEX)?;
    for _ in 0..2 {
        u.ask(&Request::TokenPlease { tokens: Tokens::DATA, user_data: b"please" })?;
        u.low.expect_exactly(SpduKind::PleaseTokens, &tsdu)?;
    }
    let mut u = iut_owns(Fu::HALF_DUPLEX)?;
    for _ in 0..2 {
        u.low.send(&tsdu);
        let seen = u.saw_one("TokenPlease")?;
        u.check(seen.user_data == b"please" && seen.tokens == Some(Tokens::DATA), "token and data")?;
    }
    Ok(())
}

/// 74: one, several, all.
pub(crate) fn give() -> Verdict {
    for tokens in [Tokens::DATA, Tokens::MINOR | Tokens::RELEASE, Tokens::all()] {
        let mut u = iut_owns(ALL)?;
        u.ask(&give_of(tokens))?;
        u.check(u.tokens_owned() == Tokens::all() - tokens, "the tokens have left at once")?;
        u.low.expect_exactly(SpduKind::GiveTokens, &octets::gt(tokens))?;
        u.refused(&give_of(tokens))?;
        u.low.send(&octets::gt(tokens));
        let seen = u.saw_one("TokenGive")?;
        u.check(seen.tokens == Some(tokens) && u.tokens_owned() == Tokens::all(), "the tokens are back")?;
    }
    Ok(())
}

/// 75: PT meets GT.
pub(crate) fn please_late() -> Verdict {
    let mut u = iut_owns(Fu::HALF_DUPLEX)?;
    u.ask(&give_of(Tokens::DATA))?;
    u.low.send(&octets::pt(Tokens::DATA));
    u.saw(&["TokenPlease"]).map(|_| ())
}

/// 76: S-DATA without the data token.
pub(crate) fn data_without_token() -> Verdict {
    let mut u = tester_owns(Fu::HALF_DUPLEX)?;
    u.data_refused()?;
    u.low.send(&octets::gt(Tokens::DATA));
    u.data(b"with the token")?;
    u.low.expect_data(b"with the token")
}

/// 77: tokens that are not here, or do not exist.
pub(crate) fn tokens_not_there() -> Verdict {
    tester_owns(Fu::HALF_DUPLEX)?.refused(&give_of(Tokens::DATA))?;
    tester_owns(Fu::DUPLEX)?.refused(&give_of(Tokens::DATA))?;
    tester_owns(Fu::DUPLEX)?.refused(&please_of(Tokens::DATA))?;
    tester_owns(Fu::HALF_DUPLEX)?.refused(&please_of(Tokens::DATA | Tokens::RELEASE))?;
    iut_owns(Fu::HALF_DUPLEX)?.refused(&please_of(Tokens::DATA))
}

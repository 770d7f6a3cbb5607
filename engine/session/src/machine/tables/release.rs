//! Annex A, release: 50 rows.

use super::notes::*;
use super::{Row, V, is, not, row, u, v};
use crate::machine::{Action::*, Event as E, Output as O, Predicate::*, State::*};

/// Event, state, guard, actions, outputs, next state, trust.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // STA01A
    row(E::Dn, Sta01A, &[], &[], &[], Sta01A, V),
    row(E::FnNr, Sta01A, &[], &[], &[], Sta01A, V),
    row(E::FnR, Sta01A, &[], &[], &[], Sta01A, V),
    row(E::Nf, Sta01A, &[], &[], &[], Sta01A, V),
    // STA01C
    row(E::Dn, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::FnNr, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::FnR, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::Nf, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    // STA01D
    row(E::Dn, Sta01D, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::FnNr, Sta01D, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::FnR, Sta01D, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::Nf, Sta01D, &[], &[], &[O::TDisReq], Sta01, V),
    // STA03
    row(E::Dn, Sta03, &[not(P66)], &[], &[O::SRelCnfPos, O::TDisReq], Sta01, V),
    row(E::Dn, Sta03, &[is(P66)], &[], &[O::SRelCnfPos], Sta01C, V),
    row(E::FnNr, Sta03, &[not(P65)], &[A08, A18], &[O::SRelInd], Sta09, v(N56)),
    row(E::FnR, Sta03, &[not(P65), not(P01), is(P16)], &[A08, A18], &[O::SRelInd], Sta09, V),
    row(E::Nf, Sta03, &[is(P67)], &[], &[O::SRelCnfNeg], Sta713, V),
    // STA05A
    row(E::FnNr, Sta05A, &[is(P68)], &[], &[], Sta05A, V),
    row(E::FnR, Sta05A, &[is(P68), not(P01), is(P16)], &[], &[], Sta05A, V),
    // STA06
    row(E::FnNr, Sta06, &[is(P68)], &[], &[], Sta06, V),
    // STA09
    row(E::Dn, Sta09, &[is(P69), not(P01)], &[A32], &[O::SRelCnfPos], Sta09, v(N57)),
    row(E::SRelReq, Sta09, &[not(P65), is(P10)], &[A08, A18], &[O::FnNr], Sta09, u(N58)),
    row(E::SRelRspPos, Sta09, &[not(P66), is(P75)], &[A04], &[O::Dn], Sta16, V),
    row(E::SRelRspPos, Sta09, &[is(P66)], &[], &[O::Dn], Sta01C, V),
    row(E::SRelRspPos, Sta09, &[not(P66), is(P69), is(P01)], &[], &[O::Dn], Sta03, v(N59)),
    row(E::SRelRspNeg, Sta09, &[is(P67)], &[], &[O::Nf], Sta713, V),
    // STA15B
    row(E::FnNr, Sta15B, &[is(P68)], &[], &[], Sta15B, u(N35)),
    row(E::FnR, Sta15B, &[is(P68), not(P01), is(P16)], &[], &[], Sta15B, u(N35)),
    row(E::Nf, Sta15B, &[is(P67)], &[], &[O::SRelCnfNeg], Sta15B, V),
    row(E::SRelReq, Sta15B, &[is(P63)], &[], &[], Sta15B, V),
    // STA15C
    row(E::FnNr, Sta15C, &[is(P68)], &[], &[], Sta15C, V),
    row(E::FnR, Sta15C, &[is(P68), not(P01), is(P16)], &[], &[], Sta15C, V),
    // STA15D
    row(E::Dn, Sta15D, &[], &[], &[], Sta15D, u(N60)),
    row(E::FnNr, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::Nf, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::SRelReq, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::SRelRspPos, Sta15D, &[], &[A04], &[], Sta16, V),
    row(E::SRelRspNeg, Sta15D, &[], &[], &[], Sta15D, V),
    // STA16
    row(E::Dn, Sta16, &[], &[], &[], Sta16, V),
    row(E::FnNr, Sta16, &[], &[], &[], Sta16, V),
    row(E::FnR, Sta16, &[], &[], &[], Sta16, V),
    row(E::Nf, Sta16, &[], &[], &[], Sta16, V),
    // STA19
    row(E::FnNr, Sta19, &[is(P68)], &[], &[], Sta19, V),
    row(E::FnR, Sta19, &[is(P68), not(P01), is(P16)], &[], &[], Sta19, V),
    // STA20
    row(E::FnNr, Sta20, &[is(P68)], &[], &[], Sta20, V),
    row(E::FnR, Sta20, &[is(P68), not(P01), is(P16)], &[], &[], Sta20, V),
    // STA713
    row(E::FnNr, Sta713, &[is(P68)], &[A08], &[O::SRelInd], Sta09, V),
    row(E::FnR, Sta713, &[is(P68), not(P01), is(P16)], &[A09], &[O::SRelInd], Sta09, V),
    row(E::SRelReq, Sta713, &[is(P63), not(P64)], &[A08], &[O::FnNr], Sta03, V),
    row(E::SRelReq, Sta713, &[is(P63), is(P64)], &[A07], &[O::FnR], Sta03, V),
];

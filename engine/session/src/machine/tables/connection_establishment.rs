//! Annex A, connection establishment: 46 rows.

use super::notes::*;
use super::{Row, V, is, not, row, u, v};
use crate::machine::{Action::*, Event as E, Output as O, Predicate::*, State::*};

/// Event, state, guard, actions, outputs, next state, trust.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // STA01
    row(E::SConReq, Sta01, &[], &[A02], &[O::TConReq], Sta01B, V),
    row(E::TConInd, Sta01, &[], &[A01], &[O::TConRsp], Sta01C, V),
    // STA01A
    row(E::Ac, Sta01A, &[], &[], &[], Sta01A, V),
    row(E::RfNr, Sta01A, &[], &[], &[], Sta01A, V),
    row(E::RfR, Sta01A, &[], &[], &[], Sta01A, V),
    row(E::Cn, Sta01A, &[], &[A03], &[O::TDisReq], Sta01, V),
    row(E::Oa, Sta01A, &[], &[], &[], Sta01A, u(N01)),
    row(E::Cdo, Sta01A, &[], &[], &[], Sta01A, u(N01)),
    // STA01B
    row(E::TConCnf, Sta01B, &[is(P204)], &[], &[O::Cn], Sta02B, V),
    row(E::TConCnf, Sta01B, &[not(P204)], &[], &[O::Cn], Sta02A, V),
    // STA01C
    row(E::Ac, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::Cdo, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::Oa, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::RfNr, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::RfR, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::Cn, Sta01C, &[is(P01)], &[], &[O::TDisReq], Sta01, V),
    row(E::Cn, Sta01C, &[not(P01), not(P76), is(P204)], &[A50], &[O::Oa], Sta01D, V),
    row(E::Cn, Sta01C, &[not(P01), not(P76), not(P204)], &[], &[O::SConInd], Sta08, V),
    row(E::Cn, Sta01C, &[not(P01), is(P76), not(P02)], &[A04], &[O::RfNr], Sta16, V),
    row(E::Cn, Sta01C, &[not(P01), is(P76), is(P02)], &[], &[O::RfR], Sta01C, V),
    row(E::SConReq, Sta01C, &[is(P01), is(P204)], &[], &[O::Cn], Sta02B, V),
    row(E::SConReq, Sta01C, &[is(P01), not(P204)], &[], &[O::Cn], Sta02A, V),
    // STA01D
    row(E::Cdo, Sta01D, &[not(P202)], &[A50], &[], Sta01D, V),
    row(E::Cdo, Sta01D, &[is(P202)], &[A50], &[O::SConInd], Sta08, v(N02)),
    // STA02A
    row(E::Ac, Sta02A, &[], &[A05, A11, A06], &[O::SConCnfPos], Sta713, u(N03)),
    row(E::RfNr, Sta02A, &[], &[], &[O::SConCnfNeg, O::TDisReq], Sta01, V),
    row(E::RfR, Sta02A, &[not(P02)], &[], &[O::SConCnfNeg, O::TDisReq], Sta01, V),
    row(E::RfR, Sta02A, &[is(P02)], &[], &[O::SConCnfNeg], Sta01C, v(N04)),
    // STA02B
    row(E::RfNr, Sta02B, &[], &[], &[O::SConCnfNeg, O::TDisReq], Sta01, V),
    row(E::RfR, Sta02B, &[not(P02)], &[], &[O::SConCnfNeg, O::TDisReq], Sta01, V),
    row(E::RfR, Sta02B, &[is(P02)], &[], &[O::SConCnfNeg], Sta01C, v(N04)),
    row(E::Oa, Sta02B, &[], &[A51], &[O::Cdo], Sta02A, V),
    // STA08
    row(E::SConRspPos, Sta08, &[], &[A05, A11], &[O::Ac], Sta713, V),
    row(E::SConRspNeg, Sta08, &[not(P02)], &[A04], &[O::RfNr], Sta16, v(N05)),
    row(E::SConRspNeg, Sta08, &[is(P02)], &[], &[O::RfR], Sta01C, V),
    // STA15D
    row(E::Ac, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::Cdo, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::Oa, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::SConRspPos, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::SConRspNeg, Sta15D, &[], &[A04], &[], Sta16, V),
    // STA16
    row(E::Oa, Sta16, &[], &[], &[], Sta16, u(N01)),
    row(E::Cdo, Sta16, &[], &[], &[], Sta16, u(N01)),
    row(E::Ac, Sta16, &[], &[], &[], Sta16, V),
    row(E::RfNr, Sta16, &[], &[], &[], Sta16, V),
    row(E::RfR, Sta16, &[], &[], &[], Sta16, V),
    row(E::Cn, Sta16, &[], &[A03], &[O::TDisReq], Sta01, V),
];

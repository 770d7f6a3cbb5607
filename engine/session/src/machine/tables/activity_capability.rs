//! Annex A, activity start and resume, capability data: 35 rows.

use super::notes::*;
use super::{Row, U, V, is, not, row, u, v};
use crate::machine::{Action::*, Event as E, Output as O, Predicate::*, State::*};

/// Event, state, guard, actions, outputs, next state, trust.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // STA01A
    row(E::Ar, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::As, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Cd, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Cda, Sta01A, &[], &[], &[], Sta01A, U),
    // STA01C
    row(E::Ar, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::As, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Cd, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Cda, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    // STA01D
    row(E::Ar, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::As, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Cd, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Cda, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    // STA05B
    row(E::Cda, Sta05B, &[not(P26)], &[], &[], Sta05B, u(N43)),
    // STA15B
    row(E::Ar, Sta15B, &[is(P44)], &[A12, A27], &[O::SActRInd], Sta15B, V),
    row(E::As, Sta15B, &[is(P44)], &[A12, A26], &[O::SActSInd], Sta15B, V),
    // STA15D
    row(E::Ar, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::As, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Cd, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Cda, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SActRReq, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SCdReq, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SCdRsp, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SActSReq, Sta15D, &[], &[], &[], Sta15D, u(N20)),
    // STA16
    row(E::Ar, Sta16, &[], &[], &[], Sta16, U),
    row(E::As, Sta16, &[], &[], &[], Sta16, U),
    row(E::Cd, Sta16, &[], &[], &[], Sta16, U),
    row(E::Cda, Sta16, &[], &[], &[], Sta16, U),
    // STA21
    row(E::Cda, Sta21, &[], &[], &[O::SCdCnf], Sta713, V),
    // STA22
    row(E::SCdRsp, Sta22, &[], &[], &[O::Cda], Sta713, V),
    // STA713
    row(E::Ar, Sta713, &[is(P44)], &[A12, A27, A06], &[O::SActRInd], Sta713, V),
    row(E::As, Sta713, &[is(P44)], &[A12, A26, A06], &[O::SActSInd], Sta713, V),
    row(E::Cd, Sta713, &[is(P46)], &[], &[O::SCdInd], Sta22, v(N44)),
    row(E::SActRReq, Sta713, &[is(P45)], &[A12, A27], &[O::Ar], Sta713, V),
    row(E::SActSReq, Sta713, &[is(P45)], &[A12, A26], &[O::As], Sta713, V),
    row(E::SCdReq, Sta713, &[is(P47)], &[], &[O::Cd], Sta21, V),
];

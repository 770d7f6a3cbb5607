//! Annex A, activity interrupt and discard: 66 rows.

use super::notes::*;
use super::{Row, U, V, is, row, u, v};
use crate::machine::{Action::*, Event as E, Output as O, Predicate::*, State::*};

/// Event, state, guard, actions, outputs, next state, trust.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // STA01A
    row(E::Ad, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Ada, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Ai, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Aia, Sta01A, &[], &[], &[], Sta01A, U),
    // STA01C
    row(E::Ad, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Ada, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Ai, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Aia, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    // STA01D
    row(E::Ad, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Ada, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Ai, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Aia, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    // STA04A
    row(E::SActDReq, Sta04A, &[is(P34), is(P39)], &[A16], &[O::PrRs, O::Ad], Sta05C, V),
    row(E::SActIReq, Sta04A, &[is(P34), is(P39)], &[A16], &[O::PrRs, O::Ai], Sta05B, V),
    // STA04B
    row(E::SActDReq, Sta04B, &[is(P39)], &[A16], &[O::PrRs, O::Ad], Sta05C, V),
    row(E::SActIReq, Sta04B, &[is(P39)], &[A16], &[O::PrRs, O::Ai], Sta05B, V),
    // STA05A
    row(E::Ad, Sta05A, &[is(P38), is(P40)], &[A16], &[O::SActDInd], Sta11C, V),
    row(E::Ad, Sta05A, &[is(P37), is(P40), is(P82)], &[A16], &[O::SActDInd], Sta11C, u(N38)),
    row(E::Ai, Sta05A, &[is(P38), is(P40)], &[A16], &[O::SActIInd], Sta11B, V),
    row(E::Ai, Sta05A, &[is(P37), is(P40), is(P82)], &[A16], &[O::SActIInd], Sta11B, u(N38)),
    // STA05B
    row(E::Aia, Sta05B, &[is(P38)], &[A29], &[O::SActICnf], Sta713, V),
    // STA05C
    row(E::Ada, Sta05C, &[is(P38)], &[A29], &[O::SActDCnf], Sta713, V),
    // STA06
    row(E::Ad, Sta06, &[is(P37), is(P40)], &[A16, A06], &[O::SActDInd], Sta11C, v(N39)),
    row(E::Ai, Sta06, &[is(P37), is(P40)], &[A16, A06], &[O::SActIInd], Sta11B, v(N39)),
    // STA10A
    row(E::Ad, Sta10A, &[is(P38), is(P40)], &[A16], &[O::SActDInd], Sta11C, V),
    row(E::Ai, Sta10A, &[is(P38), is(P40)], &[A16], &[O::SActIInd], Sta11B, V),
    // STA10B
    row(E::Ad, Sta10B, &[is(P38), is(P40)], &[A16], &[O::SActDInd], Sta11C, V),
    row(E::Ai, Sta10B, &[is(P38), is(P40)], &[A16], &[O::SActIInd], Sta11B, V),
    // STA11A
    row(E::SActDReq, Sta11A, &[is(P34), is(P39)], &[A16], &[O::PrRs, O::Ad], Sta05C, V),
    row(E::SActIReq, Sta11A, &[is(P34), is(P39)], &[A16], &[O::PrRs, O::Ai], Sta05B, V),
    // STA11B
    row(E::SActIRsp, Sta11B, &[], &[A30], &[O::PrRa, O::Aia], Sta713, V),
    // STA11C
    row(E::SActDRsp, Sta11C, &[], &[A30], &[O::PrRa, O::Ada], Sta713, V),
    // STA15A
    row(E::SActDReq, Sta15A, &[is(P34), is(P39)], &[A16, A06], &[O::PrRs, O::Ad], Sta05C, U),
    row(E::SActIReq, Sta15A, &[is(P34), is(P39)], &[A16, A06], &[O::PrRs, O::Ai], Sta05B, U),
    // STA15B
    row(E::Ad, Sta15B, &[is(P37), is(P40)], &[A16], &[O::SActDInd], Sta11C, V),
    row(E::Ai, Sta15B, &[is(P37), is(P40)], &[A16], &[O::SActIInd], Sta11B, V),
    row(E::SActDReq, Sta15B, &[is(P27), is(P34), is(P39)], &[A16], &[O::PrRs, O::Ad], Sta05C, V),
    row(E::SActIReq, Sta15B, &[is(P27), is(P34), is(P39)], &[A16], &[O::PrRs, O::Ai], Sta05B, V),
    // STA15C
    row(E::Ada, Sta15C, &[is(P37), is(P41)], &[A29, A06], &[O::SActDCnf], Sta713, V),
    row(E::Aia, Sta15C, &[is(P37), is(P42)], &[A29, A06], &[O::SActICnf], Sta713, V),
    // STA15D
    row(E::Ad, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Ada, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Ai, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Aia, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SActDReq, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SActDRsp, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SActIReq, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SActIRsp, Sta15D, &[], &[], &[], Sta15D, U),
    // STA16
    row(E::Ad, Sta16, &[], &[], &[], Sta16, U),
    row(E::Ada, Sta16, &[], &[], &[], Sta16, U),
    row(E::Ai, Sta16, &[], &[], &[], Sta16, U),
    row(E::Aia, Sta16, &[], &[], &[], Sta16, U),
    // STA19
    row(E::Ad, Sta19, &[is(P38), is(P40)], &[A16], &[O::SActDInd], Sta11C, v(N36)),
    row(E::Ai, Sta19, &[is(P38), is(P40)], &[A16], &[O::SActIInd], Sta11B, v(N36)),
    // STA20
    row(E::Ad, Sta20, &[is(P38), is(P40)], &[A16], &[O::SActDInd], Sta11C, V),
    row(E::Ai, Sta20, &[is(P38), is(P40)], &[A16], &[O::SActIInd], Sta11B, V),
    row(E::SActDReq, Sta20, &[is(P34), is(P11)], &[A16], &[O::PrRs, O::Ad], Sta05C, V),
    row(E::SActIReq, Sta20, &[is(P34), is(P11)], &[A16], &[O::PrRs, O::Ai], Sta05B, v(N40)),
    // STA21
    row(E::SActIReq, Sta21, &[is(P16)], &[A16], &[O::Ai], Sta05B, V),
    // STA22
    row(E::Ai, Sta22, &[is(P16)], &[A16], &[O::SActIInd], Sta11B, U),
    // STA713
    row(E::Ad, Sta713, &[is(P37), is(P40), is(Q1)], &[A16, AQ1], &[O::SActDInd], Sta11C, u(N41)),
    row(E::Ad, Sta713, &[is(P38), is(P40)], &[A16], &[O::SActDInd], Sta11C, v(N42)),
    row(E::Ai, Sta713, &[is(P37), is(P40), is(Q1)], &[A16, AQ1], &[O::SActIInd], Sta11B, u(N41)),
    row(E::Ai, Sta713, &[is(P38), is(P40)], &[A16], &[O::SActIInd], Sta11B, v(N42)),
    row(E::SActDReq, Sta713, &[is(P34), is(P39)], &[A16], &[O::PrRs, O::Ad], Sta05C, V),
    row(E::SActIReq, Sta713, &[is(P34), is(P39)], &[A16], &[O::PrRs, O::Ai], Sta05B, V),
];

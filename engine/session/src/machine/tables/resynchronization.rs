//! Annex A, resynchronization: 135 rows.

use super::notes::*;
use super::{Row, U, V, is, not, row, u, v};
use crate::machine::{Action::*, Event as E, Output as O, Predicate::*, State::*};

/// Event, state, guard, actions, outputs, next state, trust.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // STA01A
    row(E::PrRa, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::PrRs, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Ra, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::RsA, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::RsR, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::RsS, Sta01A, &[], &[], &[], Sta01A, U),
    // STA01C
    row(E::PrRa, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::PrRs, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Ra, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::RsA, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::RsR, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::RsS, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    // STA01D
    row(E::PrRa, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::PrRs, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Ra, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::RsA, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::RsR, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::RsS, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    // STA02A
    row(E::PrRs, Sta02A, &[], &[A10], &[], Sta02A, U),
    // STA03
    row(E::PrRs, Sta03, &[is(P10), is(P80)], &[], &[], Sta15B, U),
    row(E::RsA, Sta03, &[is(P10), not(P34), is(P35)], &[A19, A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsR, Sta03, &[is(P10), not(P34), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsS, Sta03, &[is(P10), not(P34), is(P35)], &[A16], &[O::SRsynInd], Sta11A, V),
    // STA04A
    row(E::PrRs, Sta04A, &[is(P80)], &[], &[], Sta15B, V),
    row(E::PrRs, Sta04A, &[is(P34), not(P80)], &[], &[], Sta15B, u(N24)),
    row(E::RsA, Sta04A, &[is(P35)], &[A19, A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsR, Sta04A, &[is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsS, Sta04A, &[is(P35)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::SRsynReqA, Sta04A, &[is(P28)], &[A16], &[O::PrRs, O::RsA], Sta05A, v(N23)),
    row(E::SRsynReqS, Sta04A, &[is(P28)], &[A16], &[O::PrRs, O::RsS], Sta05A, v(N23)),
    // STA04B
    row(E::PrRs, Sta04B, &[is(P80)], &[], &[], Sta15B, v(N25)),
    row(E::PrRs, Sta04B, &[is(P34), not(P80)], &[], &[], Sta15B, u(N24)),
    row(E::RsA, Sta04B, &[is(P35)], &[A19, A16], &[O::SRsynInd], Sta11A, v(N25)),
    row(E::RsR, Sta04B, &[is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, v(N25)),
    row(E::RsS, Sta04B, &[is(P35)], &[A16], &[O::SRsynInd], Sta11A, v(N25)),
    // STA05A
    row(E::PrRa, Sta05A, &[], &[], &[], Sta15C, V),
    row(E::PrRs, Sta05A, &[is(P80)], &[], &[], Sta06, V),
    row(E::PrRs, Sta05A, &[is(P34), not(P80)], &[], &[], Sta06, u(N24)),
    row(E::RsA, Sta05A, &[is(P35), not(P24)], &[], &[], Sta05A, v(N26)),
    row(E::RsA, Sta05A, &[is(P35), is(P24)], &[A19, A16], &[O::SRsynInd], Sta11A, v(N26)),
    row(E::RsR, Sta05A, &[is(P35), not(P24), is(P32)], &[], &[], Sta05A, v(N26)),
    row(E::RsR, Sta05A, &[is(P35), is(P24), is(P32)], &[A16], &[O::SRsynInd], Sta11A, v(N26)),
    row(E::RsS, Sta05A, &[is(P35), not(P24)], &[], &[], Sta05A, v(N26)),
    row(E::RsS, Sta05A, &[is(P35), is(P24)], &[A16], &[O::SRsynInd], Sta11A, v(N26)),
    row(E::Ra, Sta05A, &[is(P35), is(P49)], &[A28, A11], &[O::SRsynCnf], Sta713, V),
    // STA05B
    row(E::PrRa, Sta05B, &[], &[], &[], Sta15C, V),
    row(E::PrRs, Sta05B, &[is(P80)], &[], &[], Sta05B, V),
    row(E::PrRs, Sta05B, &[is(P34), not(P80)], &[], &[], Sta05B, u(N24)),
    row(E::RsA, Sta05B, &[is(P28)], &[], &[], Sta05B, v(N27)),
    row(E::RsR, Sta05B, &[is(P28)], &[], &[], Sta05B, v(N27)),
    row(E::RsS, Sta05B, &[is(P28)], &[], &[], Sta05B, v(N27)),
    // STA05C
    row(E::PrRa, Sta05C, &[], &[], &[], Sta15C, V),
    row(E::PrRs, Sta05C, &[is(P80)], &[], &[], Sta05C, V),
    row(E::PrRs, Sta05C, &[is(P34), not(P80)], &[], &[], Sta05C, u(N24)),
    row(E::RsA, Sta05C, &[is(P28)], &[], &[], Sta05C, v(N27)),
    row(E::RsR, Sta05C, &[is(P28)], &[], &[], Sta05C, v(N27)),
    row(E::RsS, Sta05C, &[is(P28)], &[], &[], Sta05C, v(N27)),
    // STA06
    row(E::PrRa, Sta06, &[], &[A10], &[], Sta06, u(N28)),
    row(E::PrRs, Sta06, &[is(P80)], &[A10], &[], Sta06, u(N28)),
    row(E::PrRs, Sta06, &[is(P34), not(P80)], &[A10], &[], Sta06, u(N29)),
    row(E::RsA, Sta06, &[not(P24)], &[A06], &[], Sta05A, V),
    row(E::RsA, Sta06, &[is(P24)], &[A19, A16, A06], &[O::SRsynInd], Sta11A, V),
    row(E::RsR, Sta06, &[not(P24), is(P32)], &[A06], &[], Sta05A, V),
    row(E::RsR, Sta06, &[is(P24), is(P32)], &[A16, A06], &[O::SRsynInd], Sta11A, V),
    row(E::RsS, Sta06, &[not(P24)], &[A06], &[], Sta05A, V),
    row(E::RsS, Sta06, &[is(P24)], &[A16, A06], &[O::SRsynInd], Sta11A, V),
    // STA09
    row(E::SRsynReqA, Sta09, &[is(P10), is(P28), not(P34)], &[A16], &[O::PrRs, O::RsA], Sta05A, V),
    row(E::SRsynReqR, Sta09, &[is(P10), is(P25), not(P34), is(P33)], &[A16], &[O::PrRs, O::RsR], Sta05A, V),
    row(E::SRsynReqS, Sta09, &[is(P10), is(P25), not(P34)], &[A16], &[O::PrRs, O::RsS], Sta05A, V),
    // STA10A
    row(E::PrRs, Sta10A, &[is(P80)], &[], &[], Sta15B, V),
    row(E::PrRs, Sta10A, &[is(P34), not(P80)], &[], &[], Sta15B, u(N24)),
    row(E::RsA, Sta10A, &[is(P35)], &[A19, A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsS, Sta10A, &[is(P35)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::SRsynReqA, Sta10A, &[is(P28)], &[A16], &[O::PrRs, O::RsA], Sta05A, V),
    row(E::SRsynReqR, Sta10A, &[is(P25), is(P33)], &[A16], &[O::PrRs, O::RsR], Sta05A, V),
    row(E::SRsynReqS, Sta10A, &[is(P25)], &[A16], &[O::PrRs, O::RsS], Sta05A, V),
    // STA10B
    row(E::PrRs, Sta10B, &[is(P80)], &[], &[], Sta15B, u(N30)),
    row(E::PrRs, Sta10B, &[is(P34), not(P80)], &[], &[], Sta15B, u(N24)),
    row(E::SRsynReqA, Sta10B, &[is(P28)], &[A16], &[O::PrRs, O::RsA], Sta05A, u(N25)),
    row(E::SRsynReqR, Sta10B, &[is(P25), is(P33)], &[A16], &[O::PrRs, O::RsR], Sta05A, u(N25)),
    row(E::SRsynReqS, Sta10B, &[is(P25)], &[A16], &[O::PrRs, O::RsS], Sta05A, u(N25)),
    // STA11A
    row(E::SRsynReqA, Sta11A, &[is(P24)], &[A16], &[O::PrRs, O::RsA], Sta05A, v(N31)),
    row(E::SRsynReqR, Sta11A, &[is(P24), is(P33)], &[A16], &[O::PrRs, O::RsR], Sta05A, v(N31)),
    row(E::SRsynReqS, Sta11A, &[is(P24)], &[A16], &[O::PrRs, O::RsS], Sta05A, v(N31)),
    row(E::SRsynRsp, Sta11A, &[is(P43)], &[A28, A11], &[O::PrRa, O::Ra], Sta713, V),
    // STA15A
    row(E::PrRs, Sta15A, &[], &[A10], &[], Sta15A, u(N32)),
    row(E::SRsynReqA, Sta15A, &[is(P28), is(P30)], &[A16, A06], &[O::PrRs, O::RsA], Sta05A, u(N33)),
    row(E::SRsynReqS, Sta15A, &[is(P28), is(P30)], &[A16, A06], &[O::PrRs, O::RsS], Sta05A, u(N33)),
    // STA15B
    row(E::RsA, Sta15B, &[is(P29)], &[A19, A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsR, Sta15B, &[is(P29), is(P32)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsS, Sta15B, &[is(P29)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::SRsynReqA, Sta15B, &[is(P27), is(P28)], &[A16], &[O::PrRs, O::RsA], Sta06, V),
    row(E::SRsynReqR, Sta15B, &[is(P25), is(P27), is(P33)], &[A16], &[O::PrRs, O::RsR], Sta06, V),
    row(E::SRsynReqS, Sta15B, &[is(P25), is(P27)], &[A16], &[O::PrRs, O::RsS], Sta06, V),
    // STA15C
    row(E::PrRs, Sta15C, &[], &[A10], &[], Sta15C, u(N28)),
    row(E::Ra, Sta15C, &[is(P36), is(P49)], &[A28, A11, A06], &[O::SRsynCnf], Sta713, v(N34)),
    row(E::RsA, Sta15C, &[is(P28)], &[], &[], Sta15C, u(N35)),
    row(E::RsR, Sta15C, &[is(P28)], &[], &[], Sta15C, u(N35)),
    row(E::RsS, Sta15C, &[is(P28)], &[], &[], Sta15C, u(N35)),
    // STA15D
    row(E::Ra, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::RsA, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::RsR, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::RsS, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SRsynReqA, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SRsynReqR, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SRsynReqS, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SRsynRsp, Sta15D, &[], &[], &[], Sta15D, U),
    // STA16
    row(E::PrRa, Sta16, &[], &[], &[], Sta16, U),
    row(E::PrRs, Sta16, &[], &[], &[], Sta16, U),
    row(E::Ra, Sta16, &[], &[], &[], Sta16, U),
    row(E::RsA, Sta16, &[], &[], &[], Sta16, U),
    row(E::RsR, Sta16, &[], &[], &[], Sta16, U),
    row(E::RsS, Sta16, &[], &[], &[], Sta16, U),
    // STA18
    row(E::PrRs, Sta18, &[], &[A10], &[], Sta18, U),
    // STA19
    row(E::PrRs, Sta19, &[is(P80)], &[], &[], Sta15B, V),
    row(E::PrRs, Sta19, &[is(P34), not(P80)], &[], &[], Sta15B, u(N24)),
    row(E::RsA, Sta19, &[is(P35)], &[A19, A16], &[O::SRsynInd], Sta11A, v(N36)),
    row(E::RsR, Sta19, &[is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, v(N36)),
    row(E::RsS, Sta19, &[is(P35)], &[A16], &[O::SRsynInd], Sta11A, v(N36)),
    // STA20
    row(E::PrRs, Sta20, &[is(P80)], &[], &[], Sta15B, V),
    row(E::PrRs, Sta20, &[is(P34), not(P80)], &[], &[], Sta15B, u(N24)),
    row(E::RsA, Sta20, &[is(P35)], &[A19, A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsR, Sta20, &[is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsS, Sta20, &[is(P35)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::SRsynReqA, Sta20, &[is(P28)], &[A16], &[O::PrRs, O::RsA], Sta05A, V),
    row(E::SRsynReqR, Sta20, &[is(P25), is(P33)], &[A16], &[O::PrRs, O::RsR], Sta05A, V),
    row(E::SRsynReqS, Sta20, &[is(P25)], &[A16], &[O::PrRs, O::RsS], Sta05A, V),
    // STA713
    row(E::PrRs, Sta713, &[is(P26)], &[], &[], Sta15B, V),
    row(E::PrRs, Sta713, &[not(P26)], &[A10], &[], Sta713, u(N37)),
    row(E::RsA, Sta713, &[is(P26), is(P35)], &[A19, A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsR, Sta713, &[is(P26), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::RsS, Sta713, &[is(P26), is(P35)], &[A16], &[O::SRsynInd], Sta11A, V),
    row(E::SRsynReqA, Sta713, &[is(P29)], &[A16], &[O::PrRs, O::RsA], Sta05A, V),
    row(E::SRsynReqR, Sta713, &[is(P25), is(P26), is(P33)], &[A16], &[O::PrRs, O::RsR], Sta05A, V),
    row(E::SRsynReqS, Sta713, &[is(P25), is(P26)], &[A16], &[O::PrRs, O::RsS], Sta05A, V),
];

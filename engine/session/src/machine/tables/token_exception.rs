//! Annex A, tokens and exceptions: 128 rows.

use super::notes::*;
use super::{Row, U, V, is, not, row, u, v};
use crate::machine::{Action::*, Event as E, Output as O, Predicate::*, State::*};

/// Event, state, guard, actions, outputs, next state, trust.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // STA01A
    row(E::Ed, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Er, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Gt, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Gta, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Gtc, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Pt, Sta01A, &[], &[], &[], Sta01A, U),
    // STA01C
    row(E::Ed, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Er, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Gt, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Gta, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Gtc, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Pt, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    // STA01D
    row(E::Ed, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Er, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Gt, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Gta, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Gtc, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Pt, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    // STA03
    row(E::Ed, Sta03, &[is(P52)], &[], &[O::SUErInd], Sta20, v(N07)),
    row(E::Er, Sta03, &[is(P52)], &[], &[O::SPErInd], Sta20, V),
    row(E::Pt, Sta03, &[is(P53)], &[], &[O::SPtInd], Sta03, v(N07)),
    // STA04A
    row(E::Ed, Sta04A, &[is(P48), is(P03)], &[], &[O::SUErInd], Sta20, V),
    row(E::Ed, Sta04A, &[is(P48), not(P03)], &[], &[O::SUErInd], Sta713, V),
    row(E::Er, Sta04A, &[is(P48), is(P03)], &[], &[O::SPErInd], Sta20, V),
    row(E::Er, Sta04A, &[is(P48), not(P03)], &[], &[O::SPErInd], Sta713, V),
    row(E::Gt, Sta04A, &[is(P59)], &[A11], &[O::SGtInd], Sta04A, V),
    row(E::Pt, Sta04A, &[is(P53)], &[], &[O::SPtInd], Sta04A, V),
    row(E::SGtReq, Sta04A, &[is(P54)], &[A11], &[O::Gt], Sta04A, V),
    // STA04B
    row(E::Ed, Sta04B, &[is(P48), is(P03)], &[], &[O::SUErInd], Sta20, V),
    row(E::Ed, Sta04B, &[is(P48), not(P03)], &[], &[O::SUErInd], Sta713, V),
    row(E::Er, Sta04B, &[is(P48), is(P03)], &[], &[O::SPErInd], Sta20, V),
    row(E::Er, Sta04B, &[is(P48), not(P03)], &[], &[O::SPErInd], Sta713, V),
    row(E::Gt, Sta04B, &[is(P59)], &[A11], &[O::SGtInd], Sta04B, V),
    row(E::Pt, Sta04B, &[is(P53)], &[], &[O::SPtInd], Sta04B, V),
    row(E::SGtReq, Sta04B, &[is(P54)], &[A11], &[O::Gt], Sta04B, V),
    // STA05A
    row(E::Ed, Sta05A, &[is(P48)], &[], &[], Sta05A, u(N09)),
    row(E::Er, Sta05A, &[is(P48)], &[], &[], Sta05A, U),
    row(E::Gt, Sta05A, &[is(P59), is(P185)], &[], &[], Sta05A, u(N45)),
    row(E::Gt, Sta05A, &[is(P59), not(P185)], &[A11], &[O::SGtInd], Sta05A, u(N46)),
    row(E::Pt, Sta05A, &[is(P53), is(P185)], &[], &[], Sta05A, u(N09)),
    row(E::Pt, Sta05A, &[is(P53), not(P185)], &[], &[O::SPtInd], Sta05A, U),
    // STA05B
    row(E::Ed, Sta05B, &[is(P48)], &[], &[], Sta05B, u(N09)),
    row(E::Er, Sta05B, &[is(P48)], &[], &[], Sta05B, U),
    row(E::Gt, Sta05B, &[is(P59)], &[], &[], Sta05B, u(N09)),
    row(E::Pt, Sta05B, &[is(P53)], &[], &[], Sta05B, u(N09)),
    // STA05C
    row(E::Ed, Sta05C, &[is(P48)], &[], &[], Sta05C, u(N47)),
    row(E::Er, Sta05C, &[is(P48)], &[], &[], Sta05C, u(N48)),
    row(E::Gt, Sta05C, &[is(P59)], &[], &[], Sta05C, u(N47)),
    row(E::Pt, Sta05C, &[is(P53)], &[], &[], Sta05C, u(N47)),
    // STA06
    row(E::Ed, Sta06, &[is(P48)], &[], &[], Sta06, U),
    row(E::Er, Sta06, &[is(P48)], &[], &[], Sta06, U),
    row(E::Gt, Sta06, &[is(P59), is(P185)], &[], &[], Sta06, V),
    row(E::Gt, Sta06, &[is(P59), not(P185)], &[A11], &[O::SGtInd], Sta06, U),
    row(E::Pt, Sta06, &[is(P53), is(P185)], &[], &[], Sta06, v(N49)),
    row(E::Pt, Sta06, &[is(P53), not(P185)], &[], &[O::SPtInd], Sta06, u(N49)),
    // STA09
    row(E::SPtReq, Sta09, &[is(P53)], &[], &[O::Pt], Sta09, V),
    row(E::SUErReq, Sta09, &[is(P50)], &[], &[O::Ed], Sta19, V),
    // STA10A
    row(E::Gt, Sta10A, &[is(P59)], &[A11], &[O::SGtInd], Sta10A, V),
    row(E::SGtReq, Sta10A, &[is(P54)], &[A11], &[O::Gt], Sta10A, V),
    row(E::SPtReq, Sta10A, &[is(P53)], &[], &[O::Pt], Sta10A, V),
    row(E::SUErReq, Sta10A, &[is(P50)], &[], &[O::Ed], Sta19, V),
    // STA10B
    row(E::Gt, Sta10B, &[is(P59)], &[A11], &[O::SGtInd], Sta10B, V),
    row(E::SGtReq, Sta10B, &[is(P54)], &[A11], &[O::Gt], Sta10B, V),
    row(E::SPtReq, Sta10B, &[is(P53)], &[], &[O::Pt], Sta10B, V),
    row(E::SUErReq, Sta10B, &[is(P50)], &[], &[O::Ed], Sta19, V),
    // STA15A
    row(E::Gt, Sta15A, &[is(P59)], &[A11], &[O::SGtInd], Sta15A, U),
    row(E::Pt, Sta15A, &[is(P53)], &[], &[O::SPtInd], Sta15A, V),
    row(E::SGtReq, Sta15A, &[is(P54)], &[A11], &[O::Gt], Sta15A, V),
    // STA15B
    row(E::Ed, Sta15B, &[is(P48)], &[], &[], Sta15B, u(N35)),
    row(E::Er, Sta15B, &[is(P48)], &[], &[], Sta15B, u(N35)),
    row(E::Gt, Sta15B, &[is(P59), is(P185)], &[], &[], Sta15B, U),
    row(E::Gt, Sta15B, &[is(P59), not(P185)], &[A11], &[O::SGtInd], Sta15B, u(N12)),
    row(E::Pt, Sta15B, &[is(P53), is(P185)], &[], &[], Sta15B, U),
    row(E::Pt, Sta15B, &[is(P53), not(P185)], &[], &[O::SPtInd], Sta15B, u(N12)),
    row(E::SGtReq, Sta15B, &[is(P54)], &[], &[], Sta15B, U),
    row(E::SPtReq, Sta15B, &[is(P53)], &[], &[], Sta15B, U),
    row(E::SUErReq, Sta15B, &[is(P50)], &[], &[], Sta15B, U),
    // STA15C
    row(E::Ed, Sta15C, &[is(P48)], &[], &[], Sta15C, V),
    row(E::Er, Sta15C, &[is(P48)], &[], &[], Sta15C, U),
    row(E::Gt, Sta15C, &[is(P59), is(P185)], &[], &[], Sta15C, U),
    row(E::Gt, Sta15C, &[is(P59), not(P185)], &[A11], &[O::SGtInd], Sta15C, U),
    row(E::Pt, Sta15C, &[is(P53), is(P185)], &[], &[], Sta15C, V),
    row(E::Pt, Sta15C, &[is(P53), not(P185)], &[], &[O::SPtInd], Sta15C, U),
    // STA15D
    row(E::Ed, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Er, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Gt, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Gta, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Gtc, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::Pt, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SCgReq, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SGtReq, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SPtReq, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SUErReq, Sta15D, &[], &[], &[], Sta15D, U),
    // STA16
    row(E::Ed, Sta16, &[], &[], &[], Sta16, U),
    row(E::Er, Sta16, &[], &[], &[], Sta16, U),
    row(E::Gt, Sta16, &[], &[], &[], Sta16, U),
    row(E::Gta, Sta16, &[], &[], &[], Sta16, U),
    row(E::Gtc, Sta16, &[], &[], &[], Sta16, U),
    row(E::Pt, Sta16, &[], &[], &[], Sta16, U),
    // STA18
    row(E::Gta, Sta18, &[], &[A06], &[], Sta713, V),
    row(E::Pt, Sta18, &[is(P53)], &[], &[O::SPtInd], Sta18, u(N50)),
    // STA19
    row(E::Ed, Sta19, &[is(P50)], &[], &[O::SUErInd], Sta19, v(N51)),
    row(E::Er, Sta19, &[is(P50)], &[], &[O::SPErInd], Sta19, V),
    row(E::Gt, Sta19, &[is(P60)], &[A11], &[O::SGtInd], Sta19, v(N52)),
    row(E::Gt, Sta19, &[is(P61)], &[A11], &[O::SGtInd], Sta713, V),
    row(E::Pt, Sta19, &[is(P53)], &[], &[], Sta19, V),
    // STA20
    row(E::Gt, Sta20, &[is(P60)], &[A11], &[O::SGtInd], Sta20, V),
    row(E::Gt, Sta20, &[is(P61)], &[A11], &[O::SGtInd], Sta713, V),
    row(E::Pt, Sta20, &[is(P53)], &[], &[], Sta20, U),
    row(E::SGtReq, Sta20, &[is(P57)], &[A11], &[O::Gt], Sta20, u(N53)),
    row(E::SGtReq, Sta20, &[is(P58)], &[A11], &[O::Gt], Sta713, v(N53)),
    row(E::Ed, Sta20, &[is(P48)], &[], &[], Sta20, u(N54)),
    row(E::Er, Sta20, &[is(P48)], &[], &[], Sta20, u(N55)),
    // STA21
    row(E::Er, Sta21, &[is(P48)], &[], &[O::SPErInd], Sta20, V),
    row(E::Gt, Sta21, &[is(P59)], &[A11], &[O::SGtInd], Sta21, V),
    row(E::Pt, Sta21, &[is(P53)], &[], &[O::SPtInd], Sta21, v(N49)),
    // STA22
    row(E::SPtReq, Sta22, &[is(P53)], &[], &[O::Pt], Sta22, V),
    // STA713
    row(E::Ed, Sta713, &[is(P50)], &[], &[O::SUErInd], Sta713, V),
    row(E::Ed, Sta713, &[is(P51)], &[], &[O::SUErInd], Sta20, V),
    row(E::Er, Sta713, &[is(P50)], &[], &[O::SPErInd], Sta713, V),
    row(E::Er, Sta713, &[is(P51)], &[], &[O::SPErInd], Sta20, V),
    row(E::Gt, Sta713, &[is(P59)], &[A11], &[O::SGtInd], Sta713, V),
    row(E::Gtc, Sta713, &[is(P62)], &[A11], &[O::SCgInd, O::Gta], Sta713, V),
    row(E::Pt, Sta713, &[is(P53)], &[], &[O::SPtInd], Sta713, V),
    row(E::SCgReq, Sta713, &[is(P55)], &[A11], &[O::Gtc], Sta18, V),
    row(E::SGtReq, Sta713, &[is(P54)], &[A11], &[O::Gt], Sta713, V),
    row(E::SPtReq, Sta713, &[is(P53)], &[], &[O::Pt], Sta713, V),
    row(E::SUErReq, Sta713, &[is(P50)], &[], &[O::Ed], Sta19, V),
];

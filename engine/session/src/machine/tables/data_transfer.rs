//! Annex A, data transfer: 92 rows.

use super::notes::*;
use super::{Row, U, V, is, not, row, u, v};
use crate::machine::{Action::*, Event as E, Output as O, Predicate::*, State::*};

/// Event, state, guard, actions, outputs, next state, trust.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // STA01A
    row(E::Dt, Sta01A, &[], &[], &[], Sta01A, V),
    row(E::Ex, Sta01A, &[], &[], &[], Sta01A, U),
    row(E::Td, Sta01A, &[], &[], &[], Sta01A, U),
    // STA01C
    row(E::Dt, Sta01C, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::Ex, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Td, Sta01C, &[], &[], &[O::TDisReq], Sta01, U),
    // STA01D
    row(E::Dt, Sta01D, &[], &[], &[O::TDisReq], Sta01, V),
    row(E::Ex, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    row(E::Td, Sta01D, &[], &[], &[O::TDisReq], Sta01, U),
    // STA02A
    row(E::Ex, Sta02A, &[], &[A10], &[], Sta02A, u(N06)),
    // STA03
    row(E::Dt, Sta03, &[is(P05), is(P10)], &[], &[O::SDtInd], Sta03, v(N07)),
    row(E::Ex, Sta03, &[is(P09)], &[], &[O::SExInd], Sta03, v(N07)),
    row(E::Td, Sta03, &[is(P07)], &[], &[O::STdInd], Sta03, v(N08)),
    // STA04A
    row(E::Dt, Sta04A, &[is(P05)], &[], &[O::SDtInd], Sta04A, V),
    row(E::Ex, Sta04A, &[is(P08)], &[], &[O::SExInd], Sta04A, V),
    row(E::Td, Sta04A, &[is(P06)], &[], &[O::STdInd], Sta04A, V),
    // STA04B
    row(E::Dt, Sta04B, &[is(P05)], &[], &[O::SDtInd], Sta04B, V),
    row(E::Ex, Sta04B, &[is(P08)], &[], &[O::SExInd], Sta04B, V),
    row(E::Td, Sta04B, &[is(P06)], &[], &[O::STdInd], Sta04B, V),
    // STA05A
    row(E::Dt, Sta05A, &[is(P05), is(P185)], &[], &[], Sta05A, v(N09)),
    row(E::Dt, Sta05A, &[is(P05), not(P185)], &[], &[O::SDtInd], Sta05A, V),
    row(E::Ex, Sta05A, &[is(P08), is(P185)], &[], &[], Sta05A, u(N09)),
    row(E::Ex, Sta05A, &[is(P08), not(P185)], &[], &[O::SExInd], Sta05A, U),
    row(E::Td, Sta05A, &[is(P06), is(P185)], &[], &[], Sta05A, u(N09)),
    row(E::Td, Sta05A, &[is(P06), not(P185)], &[], &[O::STdInd], Sta05A, U),
    // STA05B
    row(E::Dt, Sta05B, &[is(P05)], &[], &[], Sta05B, v(N09)),
    row(E::Ex, Sta05B, &[is(P08)], &[], &[], Sta05B, u(N09)),
    row(E::Td, Sta05B, &[is(P06)], &[], &[], Sta05B, u(N09)),
    // STA05C
    row(E::Dt, Sta05C, &[is(P05)], &[], &[], Sta05C, v(N09)),
    row(E::Ex, Sta05C, &[is(P08)], &[], &[], Sta05C, u(N09)),
    row(E::Td, Sta05C, &[is(P06)], &[], &[], Sta05C, u(N09)),
    // STA06
    row(E::Dt, Sta06, &[is(P05), is(P185)], &[], &[], Sta06, V),
    row(E::Dt, Sta06, &[is(P05), not(P185)], &[], &[O::SDtInd], Sta06, V),
    row(E::Ex, Sta06, &[is(P08)], &[A10], &[], Sta06, U),
    row(E::Td, Sta06, &[is(P06), is(P185)], &[], &[], Sta06, V),
    row(E::Td, Sta06, &[is(P06), not(P185)], &[], &[O::STdInd], Sta06, U),
    // STA09
    row(E::SDtReq, Sta09, &[is(P04)], &[], &[O::Dt], Sta09, V),
    row(E::SExReq, Sta09, &[is(P09)], &[], &[O::Ex], Sta09, V),
    row(E::STdReq, Sta09, &[is(P07)], &[], &[O::Td], Sta09, V),
    // STA10A
    row(E::SDtReq, Sta10A, &[is(P03)], &[], &[O::Dt], Sta10A, V),
    row(E::SExReq, Sta10A, &[is(P08)], &[], &[O::Ex], Sta10A, V),
    row(E::STdReq, Sta10A, &[is(P06)], &[], &[O::Td], Sta10A, V),
    // STA10B
    row(E::SDtReq, Sta10B, &[is(P03)], &[], &[O::Dt], Sta10B, V),
    row(E::SExReq, Sta10B, &[is(P08)], &[], &[O::Ex], Sta10B, V),
    row(E::STdReq, Sta10B, &[is(P06)], &[], &[O::Td], Sta10B, V),
    // STA11A
    row(E::Dt, Sta11A, &[is(P05), not(P185)], &[], &[O::SDtInd], Sta11A, v(N10)),
    row(E::Ex, Sta11A, &[is(P08), not(P185)], &[], &[O::SExInd], Sta11A, U),
    row(E::Td, Sta11A, &[is(P06), not(P185)], &[], &[O::STdInd], Sta11A, u(N11)),
    // STA15A
    row(E::Dt, Sta15A, &[is(P05)], &[], &[O::SDtInd], Sta15A, V),
    row(E::Ex, Sta15A, &[is(P08)], &[A10], &[], Sta15A, V),
    row(E::Td, Sta15A, &[is(P06)], &[], &[O::STdInd], Sta15A, V),
    // STA15B
    row(E::Dt, Sta15B, &[is(P05), is(P185)], &[], &[], Sta15B, V),
    row(E::Dt, Sta15B, &[is(P05), not(P185)], &[], &[O::SDtInd], Sta15B, v(N12)),
    row(E::Td, Sta15B, &[is(P06), is(P185)], &[], &[], Sta15B, U),
    row(E::Td, Sta15B, &[is(P06), not(P185)], &[], &[O::STdInd], Sta15B, u(N12)),
    row(E::SDtReq, Sta15B, &[is(P03)], &[], &[], Sta15B, v(N13)),
    row(E::SExReq, Sta15B, &[is(P08)], &[], &[], Sta15B, U),
    row(E::STdReq, Sta15B, &[is(P06)], &[], &[], Sta15B, U),
    // STA15C
    row(E::Dt, Sta15C, &[is(P05), is(P185)], &[], &[], Sta15C, V),
    row(E::Dt, Sta15C, &[is(P05), not(P185)], &[], &[O::SDtInd], Sta15C, V),
    row(E::Ex, Sta15C, &[is(P08)], &[A10], &[], Sta15C, V),
    row(E::Td, Sta15C, &[is(P06), is(P185)], &[], &[], Sta15C, V),
    row(E::Td, Sta15C, &[is(P06), not(P185)], &[], &[O::STdInd], Sta15C, U),
    // STA15D
    row(E::Dt, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::Td, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::SDtReq, Sta15D, &[], &[], &[], Sta15D, V),
    row(E::SExReq, Sta15D, &[], &[], &[], Sta15D, U),
    row(E::STdReq, Sta15D, &[], &[], &[], Sta15D, U),
    // STA16
    row(E::Dt, Sta16, &[], &[], &[], Sta16, V),
    row(E::Ex, Sta16, &[], &[], &[], Sta16, U),
    row(E::Td, Sta16, &[], &[], &[], Sta16, U),
    // STA18
    row(E::Dt, Sta18, &[is(P70)], &[], &[O::SDtInd], Sta18, V),
    row(E::Ex, Sta18, &[is(P08)], &[], &[O::SExInd], Sta18, V),
    row(E::Td, Sta18, &[is(P06)], &[], &[O::STdInd], Sta18, V),
    row(E::SDtReq, Sta18, &[is(P70)], &[], &[O::Dt], Sta18, V),
    row(E::SExReq, Sta18, &[is(P08)], &[], &[O::Ex], Sta18, V),
    row(E::STdReq, Sta18, &[is(P06)], &[], &[O::Td], Sta18, V),
    // STA19
    row(E::Dt, Sta19, &[], &[], &[], Sta19, V),
    row(E::Ex, Sta19, &[is(P08)], &[], &[], Sta19, V),
    row(E::Td, Sta19, &[is(P06)], &[], &[], Sta19, V),
    // STA20
    row(E::Dt, Sta20, &[is(P05)], &[], &[], Sta20, V),
    row(E::Ex, Sta20, &[is(P08)], &[], &[], Sta20, U),
    row(E::Td, Sta20, &[is(P06)], &[], &[], Sta20, U),
    // STA21
    row(E::Dt, Sta21, &[is(P70)], &[], &[O::SDtInd], Sta21, v(N14)),
    row(E::Ex, Sta21, &[is(P08)], &[], &[O::SExInd], Sta21, V),
    row(E::Td, Sta21, &[is(P06)], &[], &[O::STdInd], Sta21, V),
    // STA713
    row(E::Dt, Sta713, &[is(P05)], &[], &[O::SDtInd], Sta713, V),
    row(E::Ex, Sta713, &[is(P08)], &[], &[O::SExInd], Sta713, V),
    row(E::Td, Sta713, &[is(P06)], &[], &[O::STdInd], Sta713, V),
    row(E::SDtReq, Sta713, &[is(P03)], &[], &[O::Dt], Sta713, V),
    row(E::SExReq, Sta713, &[is(P08)], &[], &[O::Ex], Sta713, V),
    row(E::STdReq, Sta713, &[is(P06)], &[], &[O::Td], Sta713, V),
];

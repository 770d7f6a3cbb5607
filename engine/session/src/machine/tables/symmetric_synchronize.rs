//! Symmetric synchronize (1995): 164 rows, 32 reconstructed by the reference and 132 added here.
//!
//! `[unverified]`, all of it: no transcription of the standard's rows was found. The machine looks here only when
//! FU(SS) is selected, which no configuration does by itself; a cell that has rows here is then decided by them
//! alone, every other cell by its rows in the other tables.
//!
//! The reference replaces the rows whose guard holds p19, p20, p21 or p43 or whose actions are 22 to 28 or 31. It
//! gives 32 of the replacements; the notes say why each of the others is needed. Of two readings the one is taken
//! under which the counters of both sides agree, however the SPDUs cross; a test of two machines holds it to that.

use super::{Row, is, not, row, u};
use crate::machine::{Action::*, Event as E, Output as O, Predicate::*, State::*};

/// Of the reference.
const R1: &str = "reconstructed from the predicate and action lists of the 1995 text";
/// Of the reference.
const R2: &str = "MAA carries (number of the acknowledged point, V(Ms) of the acceptor)";
/// Added.
const A_AEA: &str =
    "added: MAA and AEA are the same octets on the wire; the state tells which confirm to issue";
/// Added.
const A_CROSS: &str = "added: with duplex a point of the peer crosses the own SPDU; no token keeps it back";
/// Added.
const A_RELEASES: &str = "added: releases may collide while points wait for their confirmation, and the peer confirms in STA09 as its row there says";
/// Added.
const A_OVERTAKES: &str = "added: points cross MAP, so that PREPARE may overtake the MAA that confirms a data separation point of its sender";
/// Added.
const A_LIKE: &str = "added: the row of the other tables with the counters of the flows";
/// Added.
const A_COUNT: &str = "added: a point that is not indicated is counted nevertheless; should the peer's request win and concern the other flow only, both sides still agree";
/// Added.
const A_RESTART: &str = "added: one flow may be restarted though the other is not; p32, p33 and, where no restart is allowed, p180 look at both";
/// Added.
const A_NEXT: &str = "added: a point of an activity that is being ended is counted, so that the next one is not out of order in STA15C";
/// Added.
const A_FLOW: &str = "added: the flow is not being resynchronized, or a data separation point protects it";

/// Event, state, guard, actions, outputs, next state, trust.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // STA02A
    row(E::Ac, Sta02A, &[is(P178)], &[A05, A71, A11, A06], &[O::SConCnfPos], Sta713, u(R1)),
    // STA03
    row(E::Mip, Sta03, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[O::SSynMinInd], Sta03, u(A_CROSS)),
    row(E::MipD, Sta03, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[O::SSynMinDsInd], Sta03, u(A_CROSS)),
    row(E::Mia, Sta03, &[is(P17), is(P176)], &[A65], &[O::SSynMinCnf], Sta03, u(R1)),
    row(E::RsA, Sta03, &[is(P178), is(P10), not(P34), is(P35), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta03, &[is(P178), is(P10), not(P34), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    // STA04A
    row(E::SRsynReqA, Sta04A, &[is(P178), is(P28), is(P180)], &[A16], &[O::PrRs, O::RsA], Sta05A, u(A_RESTART)),
    row(E::SRsynReqS, Sta04A, &[is(P178), is(P28), is(P180)], &[A16], &[O::PrRs, O::RsS], Sta05A, u(A_RESTART)),
    row(E::Mip, Sta04A, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[O::SSynMinInd], Sta04A, u(A_CROSS)),
    row(E::MipD, Sta04A, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[O::SSynMinDsInd], Sta04A, u(A_CROSS)),
    row(E::Mia, Sta04A, &[is(P17), is(P176)], &[A65], &[O::SSynMinCnf], Sta04A, u(R1)),
    row(E::Maa, Sta04A, &[is(P16), is(P173)], &[A62, A14, A64], &[O::SSynMajCnf], Sta713, u(R1)),
    row(E::Aea, Sta04A, &[is(P16), is(P173)], &[A62, A14, A64], &[O::SSynMajCnf], Sta713, u(A_AEA)),
    row(E::RsA, Sta04A, &[is(P178), is(P35), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta04A, &[is(P178), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    // STA04B
    row(E::Mip, Sta04B, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[O::SSynMinInd], Sta04B, u(A_CROSS)),
    row(E::MipD, Sta04B, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[O::SSynMinDsInd], Sta04B, u(A_CROSS)),
    row(E::Mia, Sta04B, &[is(P17), is(P176)], &[A65], &[O::SSynMinCnf], Sta04B, u(R1)),
    row(E::Maa, Sta04B, &[is(P16), is(P173)], &[A62, A14, A64], &[O::SActECnf], Sta713, u(R1)),
    row(E::Aea, Sta04B, &[is(P16), is(P173)], &[A62, A14, A64], &[O::SActECnf], Sta713, u(A_AEA)),
    row(E::RsA, Sta04B, &[is(P178), is(P35), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta04B, &[is(P178), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    // STA05A
    row(E::Mip, Sta05A, &[is(P178), is(P26), is(P05), is(P177), is(P185)], &[A62], &[], Sta05A, u(A_COUNT)),
    row(E::Mip, Sta05A, &[is(P178), is(P26), is(P05), is(P177), not(P185)], &[A62], &[O::SSynMinInd], Sta05A, u(A_FLOW)),
    row(E::MipD, Sta05A, &[is(P178), is(P82), is(P26), is(P05), is(P177), is(P185)], &[A45, A62], &[], Sta05A, u(A_COUNT)),
    row(E::MipD, Sta05A, &[is(P178), is(P82), is(P26), is(P05), is(P177), not(P185)], &[A45, A62], &[O::SSynMinDsInd], Sta05A, u(A_FLOW)),
    row(E::Mia, Sta05A, &[is(P17), is(P176), is(P186), not(P81)], &[A65], &[], Sta05A, u(A_COUNT)),
    row(E::Mia, Sta05A, &[is(P17), is(P176), is(P186), is(P81)], &[A65], &[O::SSynMinCnf], Sta05A, u(A_FLOW)),
    row(E::Mia, Sta05A, &[is(P17), is(P176), not(P186)], &[A65], &[O::SSynMinCnf], Sta05A, u(A_FLOW)),
    row(E::Map, Sta05A, &[is(P178), is(P12), is(P177), is(P185)], &[A62], &[], Sta05A, u(A_COUNT)),
    row(E::Map, Sta05A, &[is(P178), is(P12), is(P177), not(P185)], &[A62], &[O::SSynMajInd], Sta05A, u(A_FLOW)),
    row(E::Maa, Sta05A, &[is(P173)], &[A43, A62, A64], &[], Sta05A, u(A_COUNT)),
    row(E::Ae, Sta05A, &[is(P178), is(P72), is(P177)], &[A62], &[], Sta05A, u(A_COUNT)),
    row(E::Aea, Sta05A, &[is(P173)], &[A43, A62, A64], &[], Sta05A, u(A_COUNT)),
    row(E::PrRs, Sta05A, &[is(P178)], &[], &[], Sta06, u(A_OVERTAKES)),
    row(E::RsA, Sta05A, &[is(P178), is(P35), not(P24), is(P32)], &[], &[], Sta05A, u(A_RESTART)),
    row(E::RsA, Sta05A, &[is(P178), is(P35), is(P24), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta05A, &[is(P178), is(P35), not(P24), is(P32)], &[], &[], Sta05A, u(A_RESTART)),
    row(E::RsS, Sta05A, &[is(P178), is(P35), is(P24), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::Ra, Sta05A, &[is(P178), is(P35), is(P187)], &[A68, A11], &[O::SRsynCnf], Sta713, u(R1)),
    // STA05B
    row(E::Mip, Sta05B, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[], Sta05B, u(A_NEXT)),
    row(E::MipD, Sta05B, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[], Sta05B, u(A_NEXT)),
    row(E::Maa, Sta05B, &[is(P173)], &[A43, A62, A64], &[], Sta05B, u(A_NEXT)),
    row(E::Aea, Sta05B, &[is(P173)], &[A43, A62, A64], &[], Sta05B, u(A_NEXT)),
    // STA05C
    row(E::Mip, Sta05C, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[], Sta05C, u(A_NEXT)),
    row(E::MipD, Sta05C, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[], Sta05C, u(A_NEXT)),
    row(E::Maa, Sta05C, &[is(P173)], &[A43, A62, A64], &[], Sta05C, u(A_NEXT)),
    row(E::Aea, Sta05C, &[is(P173)], &[A43, A62, A64], &[], Sta05C, u(A_NEXT)),
    // STA06
    row(E::Mip, Sta06, &[is(P178), is(P26), is(P05), is(P177), is(P185)], &[A62], &[], Sta06, u(A_COUNT)),
    row(E::Mip, Sta06, &[is(P178), is(P26), is(P05), is(P177), not(P185)], &[A62], &[O::SSynMinInd], Sta06, u(A_FLOW)),
    row(E::MipD, Sta06, &[is(P178), is(P82), is(P26), is(P05), is(P177), is(P185)], &[A45, A62], &[], Sta06, u(A_COUNT)),
    row(E::MipD, Sta06, &[is(P178), is(P82), is(P26), is(P05), is(P177), not(P185)], &[A45, A62], &[O::SSynMinDsInd], Sta06, u(A_FLOW)),
    row(E::Mia, Sta06, &[is(P17), is(P176), is(P186), not(P81)], &[A65], &[], Sta06, u(A_COUNT)),
    row(E::Mia, Sta06, &[is(P17), is(P176), is(P186), is(P81)], &[A65], &[O::SSynMinCnf], Sta06, u(A_FLOW)),
    row(E::Mia, Sta06, &[is(P17), is(P176), not(P186)], &[A65], &[O::SSynMinCnf], Sta06, u(A_FLOW)),
    row(E::Map, Sta06, &[is(P178), is(P12), is(P177), is(P185)], &[A62], &[], Sta06, u(A_COUNT)),
    row(E::Map, Sta06, &[is(P178), is(P12), is(P177), not(P185)], &[A62], &[O::SSynMajInd], Sta06, u(A_FLOW)),
    row(E::Maa, Sta06, &[is(P173)], &[A43, A62, A64], &[], Sta06, u(A_COUNT)),
    row(E::Ae, Sta06, &[is(P178), is(P72), is(P177)], &[A62], &[], Sta06, u(A_COUNT)),
    row(E::Aea, Sta06, &[is(P173)], &[A43, A62, A64], &[], Sta06, u(A_COUNT)),
    row(E::RsA, Sta06, &[is(P178), not(P24), is(P32)], &[A06], &[], Sta05A, u(A_RESTART)),
    row(E::RsA, Sta06, &[is(P178), is(P24), is(P32)], &[A19, A16, A06], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta06, &[is(P178), not(P24), is(P32)], &[A06], &[], Sta05A, u(A_RESTART)),
    row(E::RsS, Sta06, &[is(P178), is(P24), is(P32)], &[A16, A06], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    // STA08
    row(E::SConRspPos, Sta08, &[is(P178)], &[A05, A71, A11], &[O::Ac], Sta713, u(R1)),
    // STA09
    row(E::Mia, Sta09, &[is(P17), is(P176)], &[A65], &[O::SSynMinCnf], Sta09, u(A_RELEASES)),
    row(E::SSynMinRsp, Sta09, &[is(P18), is(P179)], &[A66], &[O::Mia], Sta09, u(R1)),
    row(E::SRsynReqA, Sta09, &[is(P178), is(P10), is(P28), not(P34), is(P33)], &[A16], &[O::PrRs, O::RsA], Sta05A, u(A_RESTART)),
    row(E::SRsynReqS, Sta09, &[is(P178), is(P10), is(P25), not(P34), is(P33)], &[A16], &[O::PrRs, O::RsS], Sta05A, u(A_RESTART)),
    // STA10A
    row(E::SSynMinRsp, Sta10A, &[is(P18), is(P179)], &[A66], &[O::Mia], Sta10A, u(R1)),
    row(E::SSynMajRsp, Sta10A, &[is(P178)], &[A63, A14, A64], &[O::PrMaa, O::Maa], Sta713, u(R2)),
    row(E::SRsynReqA, Sta10A, &[is(P178), is(P28), is(P33)], &[A16], &[O::PrRs, O::RsA], Sta05A, u(A_RESTART)),
    row(E::SRsynReqS, Sta10A, &[is(P178), is(P25), is(P33)], &[A16], &[O::PrRs, O::RsS], Sta05A, u(A_RESTART)),
    row(E::RsA, Sta10A, &[is(P178), is(P35), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta10A, &[is(P178), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    // STA10B
    row(E::SSynMinRsp, Sta10B, &[is(P18), is(P179)], &[A66], &[O::Mia], Sta10B, u(R1)),
    row(E::SRsynReqA, Sta10B, &[is(P178), is(P28), is(P33)], &[A16], &[O::PrRs, O::RsA], Sta05A, u(A_RESTART)),
    row(E::SRsynReqS, Sta10B, &[is(P178), is(P25), is(P33)], &[A16], &[O::PrRs, O::RsS], Sta05A, u(A_RESTART)),
    row(E::SActERsp, Sta10B, &[is(P178)], &[A63, A14, A64], &[O::PrMaa, O::Aea], Sta713, u(R1)),
    // STA11A
    row(E::SRsynReqA, Sta11A, &[is(P178), is(P24), is(P33)], &[A16], &[O::PrRs, O::RsA], Sta05A, u(A_RESTART)),
    row(E::SRsynReqS, Sta11A, &[is(P178), is(P24), is(P33)], &[A16], &[O::PrRs, O::RsS], Sta05A, u(A_RESTART)),
    row(E::SRsynRsp, Sta11A, &[is(P187)], &[A68, A11], &[O::PrRa, O::Ra], Sta713, u(R1)),
    // STA15A
    row(E::SRsynReqA, Sta15A, &[is(P178), is(P28), is(P30), is(P180)], &[A16, A06], &[O::PrRs, O::RsA], Sta05A, u(A_RESTART)),
    row(E::SRsynReqS, Sta15A, &[is(P178), is(P28), is(P30), is(P180)], &[A16, A06], &[O::PrRs, O::RsS], Sta05A, u(A_RESTART)),
    row(E::Mip, Sta15A, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[O::SSynMinInd], Sta15A, u(A_CROSS)),
    row(E::MipD, Sta15A, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[O::SSynMinDsInd], Sta15A, u(A_CROSS)),
    row(E::Mia, Sta15A, &[is(P17), is(P176)], &[A65], &[O::SSynMinCnf], Sta15A, u(A_LIKE)),
    row(E::Maa, Sta15A, &[is(P173), not(P23)], &[A62, A14, A64, A06], &[O::SSynMajCnf], Sta713, u(R1)),
    row(E::Maa, Sta15A, &[is(P173), is(P23)], &[A62, A14, A64, A06], &[O::SActECnf], Sta713, u(R1)),
    row(E::Aea, Sta15A, &[is(P173), not(P23)], &[A62, A14, A64, A06], &[O::SSynMajCnf], Sta713, u(A_AEA)),
    row(E::Aea, Sta15A, &[is(P173), is(P23)], &[A62, A14, A64, A06], &[O::SActECnf], Sta713, u(A_AEA)),
    // STA15B
    row(E::SSynMinReq, Sta15B, &[is(P178), is(P26), is(P03)], &[], &[], Sta15B, u(A_LIKE)),
    row(E::SSynMinDsReq, Sta15B, &[is(P178), is(P82), is(P26), is(P03)], &[], &[], Sta15B, u(A_LIKE)),
    row(E::SSynMinRsp, Sta15B, &[is(P18), is(P179)], &[], &[], Sta15B, u(A_LIKE)),
    row(E::SRsynReqA, Sta15B, &[is(P178), is(P27), is(P28), is(P33)], &[A16], &[O::PrRs, O::RsA], Sta06, u(A_RESTART)),
    row(E::SRsynReqS, Sta15B, &[is(P178), is(P25), is(P27), is(P33)], &[A16], &[O::PrRs, O::RsS], Sta06, u(A_RESTART)),
    row(E::Mip, Sta15B, &[is(P178), is(P26), is(P05), is(P177), is(P185)], &[A62], &[], Sta15B, u(A_COUNT)),
    row(E::Mip, Sta15B, &[is(P178), is(P26), is(P05), is(P177), not(P185)], &[A62], &[O::SSynMinInd], Sta15B, u(A_FLOW)),
    row(E::MipD, Sta15B, &[is(P178), is(P82), is(P26), is(P05), is(P177), is(P185)], &[A45, A62], &[], Sta15B, u(A_COUNT)),
    row(E::MipD, Sta15B, &[is(P178), is(P82), is(P26), is(P05), is(P177), not(P185)], &[A45, A62], &[O::SSynMinDsInd], Sta15B, u(A_FLOW)),
    row(E::Mia, Sta15B, &[is(P17), is(P176), is(P186), not(P81)], &[A65], &[], Sta15B, u(A_COUNT)),
    row(E::Mia, Sta15B, &[is(P17), is(P176), is(P186), is(P81)], &[A65], &[O::SSynMinCnf], Sta15B, u(A_FLOW)),
    row(E::Mia, Sta15B, &[is(P17), is(P176), not(P186)], &[A65], &[O::SSynMinCnf], Sta15B, u(A_FLOW)),
    row(E::Map, Sta15B, &[is(P178), is(P12), is(P177), is(P185)], &[A62], &[], Sta15B, u(A_COUNT)),
    row(E::Map, Sta15B, &[is(P178), is(P12), is(P177), not(P185)], &[A62], &[], Sta15B, u(A_FLOW)),
    row(E::Maa, Sta15B, &[is(P173)], &[A43, A62, A64], &[], Sta15B, u(A_COUNT)),
    row(E::Ae, Sta15B, &[is(P178), is(P72), is(P177)], &[A62], &[], Sta15B, u(A_COUNT)),
    row(E::Aea, Sta15B, &[is(P173)], &[A43, A62, A64], &[], Sta15B, u(A_COUNT)),
    row(E::RsA, Sta15B, &[is(P178), is(P29), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta15B, &[is(P178), is(P29), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::As, Sta15B, &[is(P178), is(P44)], &[A12, A70], &[O::SActSInd], Sta15B, u(A_LIKE)),
    row(E::Ar, Sta15B, &[is(P178), is(P44)], &[A12, A69], &[O::SActRInd], Sta15B, u(A_LIKE)),
    // STA15C
    row(E::Mip, Sta15C, &[is(P178), is(P26), is(P05), is(P177), is(P185)], &[A62], &[], Sta15C, u(A_COUNT)),
    row(E::Mip, Sta15C, &[is(P178), is(P26), is(P05), is(P177), not(P185)], &[A62], &[O::SSynMinInd], Sta15C, u(A_FLOW)),
    row(E::MipD, Sta15C, &[is(P178), is(P82), is(P26), is(P05), is(P177), is(P185)], &[A45, A62], &[], Sta15C, u(A_COUNT)),
    row(E::MipD, Sta15C, &[is(P178), is(P82), is(P26), is(P05), is(P177), not(P185)], &[A45, A62], &[O::SSynMinDsInd], Sta15C, u(A_FLOW)),
    row(E::Mia, Sta15C, &[is(P17), is(P176), is(P186), not(P81)], &[A65], &[], Sta15C, u(A_COUNT)),
    row(E::Mia, Sta15C, &[is(P17), is(P176), is(P186), is(P81)], &[A65], &[O::SSynMinCnf], Sta15C, u(A_FLOW)),
    row(E::Mia, Sta15C, &[is(P17), is(P176), not(P186)], &[A65], &[O::SSynMinCnf], Sta15C, u(A_FLOW)),
    row(E::Map, Sta15C, &[is(P178), is(P12), is(P177), is(P185)], &[A62], &[], Sta15C, u(A_COUNT)),
    row(E::Map, Sta15C, &[is(P178), is(P12), is(P177), not(P185)], &[A62], &[O::SSynMajInd], Sta15C, u(A_FLOW)),
    row(E::Maa, Sta15C, &[is(P173)], &[A43, A62, A64], &[], Sta15C, u(A_COUNT)),
    row(E::Ae, Sta15C, &[is(P178), is(P72), is(P177)], &[A62], &[], Sta15C, u(A_COUNT)),
    row(E::Aea, Sta15C, &[is(P173)], &[A43, A62, A64], &[], Sta15C, u(A_COUNT)),
    row(E::Ra, Sta15C, &[is(P178), is(P36), is(P187)], &[A68, A11, A06], &[O::SRsynCnf], Sta713, u(R1)),
    // STA19
    row(E::Mip, Sta19, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[], Sta19, u(A_LIKE)),
    row(E::MipD, Sta19, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[], Sta19, u(A_LIKE)),
    row(E::Mia, Sta19, &[is(P17), is(P176)], &[A65], &[], Sta19, u(A_LIKE)),
    row(E::Map, Sta19, &[is(P178), is(P12), is(P177)], &[A62], &[], Sta19, u(A_LIKE)),
    row(E::Ae, Sta19, &[is(P178), is(P72), is(P177)], &[A62], &[], Sta19, u(A_LIKE)),
    row(E::RsA, Sta19, &[is(P178), is(P35), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta19, &[is(P178), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    // STA20
    row(E::SRsynReqA, Sta20, &[is(P178), is(P28), is(P33)], &[A16], &[O::PrRs, O::RsA], Sta05A, u(A_RESTART)),
    row(E::SRsynReqS, Sta20, &[is(P178), is(P25), is(P33)], &[A16], &[O::PrRs, O::RsS], Sta05A, u(A_RESTART)),
    row(E::Mip, Sta20, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[], Sta20, u(A_LIKE)),
    row(E::MipD, Sta20, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[], Sta20, u(A_LIKE)),
    row(E::Mia, Sta20, &[is(P17), is(P176)], &[A65], &[], Sta20, u(A_LIKE)),
    row(E::Map, Sta20, &[is(P178), is(P12), is(P177)], &[A62], &[], Sta20, u(A_LIKE)),
    row(E::Maa, Sta20, &[is(P173)], &[A62, A64], &[], Sta20, u(A_COUNT)),
    row(E::Ae, Sta20, &[is(P178), is(P72), is(P177)], &[A62], &[], Sta20, u(A_LIKE)),
    row(E::Aea, Sta20, &[is(P173)], &[A62, A64], &[], Sta20, u(A_COUNT)),
    row(E::RsA, Sta20, &[is(P178), is(P35), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta20, &[is(P178), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    // STA713
    row(E::SSynMinReq, Sta713, &[is(P178), is(P26), is(P03)], &[A63], &[O::Mip], Sta713, u(R1)),
    row(E::SSynMinDsReq, Sta713, &[is(P178), is(P82), is(P26), is(P03)], &[A42, A63], &[O::MipD], Sta713, u(R1)),
    row(E::SSynMinRsp, Sta713, &[is(P18), is(P179)], &[A66], &[O::Mia], Sta713, u(R1)),
    row(E::SSynMajReq, Sta713, &[is(P178), is(P13)], &[A13, A63], &[O::Map], Sta04A, u(R1)),
    row(E::SRsynReqA, Sta713, &[is(P178), is(P29), is(P33)], &[A16], &[O::PrRs, O::RsA], Sta05A, u(A_RESTART)),
    row(E::SRsynReqS, Sta713, &[is(P178), is(P25), is(P26), is(P33)], &[A16], &[O::PrRs, O::RsS], Sta05A, u(A_RESTART)),
    row(E::SActSReq, Sta713, &[is(P178), is(P45)], &[A12, A70], &[O::As], Sta713, u(R1)),
    row(E::SActRReq, Sta713, &[is(P178), is(P45)], &[A12, A69], &[O::Ar], Sta713, u(R1)),
    row(E::SActEReq, Sta713, &[is(P178), is(P71)], &[A13, A63], &[O::Ae], Sta04B, u(R1)),
    row(E::Mip, Sta713, &[is(P178), is(P26), is(P05), is(P177)], &[A62], &[O::SSynMinInd], Sta713, u(R1)),
    row(E::MipD, Sta713, &[is(P178), is(P82), is(P26), is(P05), is(P177)], &[A45, A62], &[O::SSynMinDsInd], Sta713, u(R1)),
    row(E::Mia, Sta713, &[is(P17), is(P176)], &[A65], &[O::SSynMinCnf], Sta713, u(R1)),
    row(E::Map, Sta713, &[is(P178), is(P12), is(P177)], &[A13, A62], &[O::SSynMajInd], Sta10A, u(R1)),
    row(E::Ae, Sta713, &[is(P178), is(P72), is(P177)], &[A13, A62], &[O::SActEInd], Sta10B, u(R1)),
    row(E::RsA, Sta713, &[is(P178), is(P26), is(P35), is(P32)], &[A19, A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::RsS, Sta713, &[is(P178), is(P26), is(P35), is(P32)], &[A16], &[O::SRsynInd], Sta11A, u(A_RESTART)),
    row(E::PrRs, Sta713, &[is(P178), is(P26), is(P80)], &[A67, A72], &[], Sta15B, u(R1)),
    row(E::PrRs, Sta713, &[is(P178), is(P26), is(P34), not(P80)], &[A67, A72], &[], Sta15B, u(A_LIKE)),
    row(E::PrRs, Sta713, &[is(P178), not(P26)], &[A10], &[], Sta713, u(A_LIKE)),
    row(E::As, Sta713, &[is(P178), is(P44)], &[A12, A70, A06], &[O::SActSInd], Sta713, u(R1)),
    row(E::Ar, Sta713, &[is(P178), is(P44)], &[A12, A69, A06], &[O::SActRInd], Sta713, u(R1)),
];

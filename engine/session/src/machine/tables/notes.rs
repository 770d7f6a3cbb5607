//! Notes to rows: why a row is not what one source alone prints, or what a live implementation does differently.
//!
//! The rows were put together from several transcriptions of the 1995 and 1988 tables. "Source A" is a full
//! transcription of the 1995 tables, B and C are kernel transcriptions (1995 and 1988), D is a published
//! service-level table; "live" is what a running independent implementation was seen to do.

pub(super) const N01: &str =
    "row added: these SPDUs may cross an abort sent while connect data overflow was in progress";
pub(super) const N02: &str =
    "the SCONind carries the CN parameters and the concatenation of all preserved user data";
pub(super) const N03: &str = "action 6 is not printed by any transcription but is needed whenever EX or PR-RS was queued in STA02A; if AC carries a Token Item, raise event PT immediately afterwards";
pub(super) const N04: &str = "no TDISreq here: the transport connection is kept (source A prints a TDISreq for STA02A/02B; source B and the meaning of reuse exclude it)";
pub(super) const N05: &str = "source B swaps RF-r/RF-nr between the two rows; A and C agree";
pub(super) const N06: &str = "responder may send EX right after AC; expedited data overtakes AC; live: an independent implementation treats EX before ACCEPT as a protocol error; only reachable when transport expedited really overtakes";
pub(super) const N07: &str = "live: an independent implementation accepts only DN, NF, FN, RS and AB while its release is pending and aborts on this SPDU (protocol error); row kept, do not provoke it: send nothing but the answer once FN was received";
pub(super) const N08: &str = "source A writes p06 and p10, which together equal p07; live: an independent implementation accepts only DN, NF, FN, RS and AB while its release is pending and aborts on this SPDU (protocol error); row kept, do not provoke it: send nothing but the answer once FN was received";
pub(super) const N09: &str = "live: an independent implementation delivers this to its user instead of discarding it; harmless to the peer, row kept";
pub(super) const N10: &str = "reachable only with data separation or a one-flow symmetric resynchronization; with p185 true a DT here is a protocol error";
pub(super) const N11: &str = "absent from source A; added by analogy with DT and EX";
pub(super) const N12: &str = "live: an independent implementation discards between PREPARE and the announced SPDU; no lasting effect except that tokens are set anew by the resynchronization";
pub(super) const N13: &str =
    "request accepted from the user and discarded: a resynchronization is about to be indicated";
pub(super) const N14: &str = "source D does not list data indications while a capability confirm is pending; A and B agree on this cell";
pub(super) const N15: &str =
    "MAA and AEA are the same octets on the wire; the state tells which confirm to issue";
pub(super) const N16: &str = "data-separation corner case, one transcription only; that transcription shows action 23, but action 31 is the major-sync variant everywhere else";
pub(super) const N17: &str = "data-separation corner case, one transcription only";
pub(super) const N18: &str = "absent from source A; by analogy with STA15C";
pub(super) const N19: &str =
    "absent from source A; needed once PR-RS is accepted in STA10B (AI/AD with transport expedited)";
pub(super) const N20: &str = "absent from source A, present for every sibling primitive";
pub(super) const N21: &str = "live: an independent implementation indicates S-ACTIVITY-END here although it discards MAP and MIP in the same state; row kept because AE must behave like MAP";
pub(super) const N22: &str = "no V(A) update in source A, although STA19 updates it";
pub(super) const N23: &str =
    "restart is not allowed to the initiator of a pending major synchronization point";
pub(super) const N24: &str = "row added: with activity management a PR-RS may announce an interrupt or discard although a data-separation point is outstanding";
pub(super) const N25: &str = "column missing in source A; required by the service tables (D): the acceptor of S-ACTIVITY-END may resynchronize";
pub(super) const N26: &str = "collision: p24 is true when the arriving request outranks the one already recorded; source A prints p34 in this column, read as p24 because STA06 and STA11A use p24 and because only a winner test is meaningful; live: collision outcome confirmed";
pub(super) const N27: &str = "activity interrupt/discard outranks any resynchronize";
pub(super) const N28: &str = "live: an independent implementation treats a second PREPARE before the announced SPDU as a protocol error; only reachable when transport expedited really overtakes";
pub(super) const N29: &str = "row added: with activity management a PR-RS may announce an interrupt or discard although a data-separation point is outstanding; live: an independent implementation treats a second PREPARE before the announced SPDU as a protocol error; only reachable when transport expedited really overtakes";
pub(super) const N30: &str = "column missing in source A; with transport expedited the peer announces AI/AD by PR-RS while we wait for the activity-end response";
pub(super) const N31: &str = "allowed only if the new request outranks the indicated one";
pub(super) const N32: &str =
    "source A prints a predicate 10 here; read as specific action 10 (queue), as in STA02A, STA15C and STA18";
pub(super) const N33: &str =
    "action 6 added: leaving STA15A must replay queued events, as in the activity rows of the same state";
pub(super) const N34: &str = "action 6 not printed for RA in source A but printed for ADA and AIA in the same state; live: EX queued behind PREPARE (resynchronize ack) was delivered right after the RA, which confirms action 6";
pub(super) const N35: &str = "row added after a two-machine race analysis with transport expedited: the state is reached before the losing or obsolete SPDU, which was already in the normal flow, arrives; without the row a legal exchange would end in a protocol error";
pub(super) const N36: &str = "live: an independent implementation, unless a PREPARE came first, discards this while its own EXCEPTION DATA is unanswered, which leaves the sender without an answer; its service tables and source A agree on the row, row kept";
pub(super) const N37: &str = "live: an independent implementation does not queue: it enters the resynchronizing state and then discards the ACTIVITY START or RESUME that follows; only reachable when transport expedited really overtakes";
pub(super) const N38: &str = "row added: a PR-RS that announced an earlier, outranked resynchronize may have been consumed; with data separation not every RS has its own PR-RS";
pub(super) const N39: &str = "action 6 added: queued events must be replayed when STA06 is left";
pub(super) const N40: &str = "source A prints STA05C; D and the wait condition require STA05B";
pub(super) const N41: &str = "row added after a two-machine race analysis: the acceptor has already answered S-ACTIVITY-END when the interrupt or discard arrives, PR-RS was therefore queued; on this event remove the queued PR-RS (predicate q1 = the queue holds PR-RS)";
pub(super) const N42: &str = "live: an independent implementation silently ignores this when no activity is in progress; the row has no Vact test because of the crossing with an activity end that was already answered";
pub(super) const N43: &str = "capability ack crossing our activity interrupt; source A prints p26, which can never hold between activities, read as its negation";
pub(super) const N44: &str = "source A prints p64, an obvious misprint of p46";
pub(super) const N45: &str = "source A prints the two GT conditions of STA05A interchanged with STA06/15B/15C; normalised; live: an independent implementation delivers this to its user instead of discarding it; harmless to the peer, row kept";
pub(super) const N46: &str =
    "source A prints the two GT conditions of STA05A interchanged with STA06/15B/15C; normalised";
pub(super) const N47: &str = "source A prints next state STA05B; read as staying in STA05C; live: an independent implementation delivers this to its user instead of discarding it; harmless to the peer, row kept";
pub(super) const N48: &str = "source A prints next state STA05B; read as staying in STA05C";
pub(super) const N49: &str = "printed as a GT row in source A; read as PT";
pub(super) const N50: &str = "live: an independent implementation drops the PT here without indication (all tokens are already given away); no effect on the wire, row kept";
pub(super) const N51: &str =
    "live: an independent implementation discards the crossing ED without indication; row kept";
pub(super) const N52: &str = "live: an independent implementation discards a GT that does not contain the data token, so ownership then differs on the two sides; row kept";
pub(super) const N53: &str = "absent from source A although its predicates p57/p58 exist only for this row; D lists S-TOKEN-GIVE request as a recovery action";
pub(super) const N54: &str = "row added: an exception SPDU that crosses our own EXCEPTION REPORT is dropped, recovery is already pending";
pub(super) const N55: &str = "row added: an exception SPDU that crosses our own EXCEPTION REPORT is dropped, recovery is already pending; live: an independent implementation indicates a second exception report; no effect on the wire";
pub(super) const N56: &str = "live: in a release collision an independent implementation answers DN itself, at once and without S-RELEASE indication, in both roles; seen from the initiator the DN may then arrive in STA09 before the own answer";
pub(super) const N57: &str = "source B attaches the action of another row here";
pub(super) const N58: &str = "p10 added: Vcoll already true means this user has an own release request outstanding, a second one would be a protocol error at the peer";
pub(super) const N59: &str =
    "release collision, transport-initiator side; source A prints p66 and p01 here, B uses p69 and p01";
pub(super) const N60: &str = "row added: after a release collision the peer may abort after sending DN";
pub(super) const N61: &str = "row added by analogy with STA01C";
pub(super) const N62: &str =
    "some rows of source A also print the start-timer action here; B does not, and STA01C has no TIM event";
pub(super) const N63: &str = "no timer action printed; starting TIM here is a sensible local addition because TIM is handled in STA15D";
pub(super) const N64: &str = "source A prints a TDISreq after the disconnect indication; B and C do not";

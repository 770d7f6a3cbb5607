//! The predicates of Annex A: what guards look at.

use super::variables::{Arguments, Variables, Vrsp};
use super::{Event, Origin};
use crate::FunctionalUnits as Fu;
use crate::Tokens;

const DK: Tokens = Tokens::DATA;
const MI: Tokens = Tokens::MINOR;
const MA: Tokens = Tokens::MAJOR;

/// What a predicate sees: the values before the event.
#[derive(Clone, Copy, Debug)]
pub struct View<'m> {
    /// The variables.
    pub variables: &'m Variables,
    /// The event.
    pub event: Event,
    /// Its parameters.
    pub arguments: &'m Arguments,
    /// q1: the queue of action 10 holds PR-RS.
    pub prepare_queued: bool,
}

/// Declares the predicates: name in guards, function, formula and body in one place.
macro_rules! predicates {
    ($( $(#[$doc:meta])* $name:ident $function:ident($v:ident, $view:ident) $body:block )*) => {
        /// A predicate of X.225 Annex A.5.3; the standard's numbers are kept.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Predicate { $( $(#[$doc])* $name, )* }

        impl Predicate {
            /// All predicates.
            pub const ALL: &'static [Predicate] = &[$( Predicate::$name, )*];

            /// The value before the event.
            pub fn holds(self, view: &View<'_>) -> bool {
                match self { $( Predicate::$name => $function(view.variables, view), )* }
            }
        }

        $( fn $function($v: &Variables, $view: &View<'_>) -> bool $body )*
    };
}

predicates! {
    /// `!Vtca`.
    P01 p01_transport_initiator(v, _x) { !v.vtca }
    /// `local choice to keep the transport connection && !TEXP`.
    P02 p02_keep_transport(v, _x) { v.keep_transport && !v.texp }
    /// `I(dk)`.
    P03 p03_data_may_be_sent(v, _x) { v.i(DK) }
    /// `FU(FD) && !Vcoll`.
    P04 p04_duplex_no_collision(v, _x) { v.fu(Fu::DUPLEX) && !v.vcoll }
    /// `A(dk)`.
    P05 p05_data_may_come(v, _x) { v.a(DK) }
    /// `FU(TD)`.
    P06 p06_typed_data(v, _x) { v.fu(Fu::TYPED_DATA) }
    /// `FU(TD) && !Vcoll`.
    P07 p07_typed_data_no_collision(v, _x) { v.fu(Fu::TYPED_DATA) && !v.vcoll }
    /// `FU(EX)`.
    P08 p08_expedited(v, _x) { v.fu(Fu::EXPEDITED) }
    /// `FU(EX) && !Vcoll`.
    P09 p09_expedited_no_collision(v, _x) { v.fu(Fu::EXPEDITED) && !v.vcoll }
    /// `!Vcoll`.
    P10 p10_no_collision(v, _x) { !v.vcoll }
    /// `II(ma)`.
    P11 p11_major_token_here(v, _x) { v.ii(MA) }
    /// `FU(MA) && (!FU(ACT) || Vact) && A(dk) && A(mi) && AA(ma)`.
    P12 p12_major_sync_may_come(v, _x) {
        v.fu(Fu::MAJOR_SYNC) && v.in_activity() && v.a(DK | MI) && v.aa(MA)
    }
    /// `FU(MA) && (!FU(ACT) || Vact) && I(dk) && I(mi) && II(ma)`.
    P13 p13_major_sync_may_be_sent(v, _x) {
        v.fu(Fu::MAJOR_SYNC) && v.in_activity() && v.i(DK | MI) && v.ii(MA)
    }
    /// `(!FU(ACT) || Vact) && A(dk) && AA(mi)`.
    P14 p14_minor_sync_may_come(v, _x) { v.in_activity() && v.a(DK) && v.aa(MI) }
    /// `(!FU(ACT) || Vact) && I(dk) && II(mi)`.
    P15 p15_minor_sync_may_be_sent(v, _x) { v.in_activity() && v.i(DK) && v.ii(MI) }
    /// `!TEXP`.
    P16 p16_no_transport_expedited(v, _x) { !v.texp }
    /// `(!FU(ACT) || Vact) && (FU(SS) || FU(SY)) && (FU(SS) || !Vsc)`.
    P17 p17_minor_ack_may_come(v, _x) {
        v.in_activity() && minor(v) && (v.fu(Fu::SYMMETRIC_SYNC) || !v.vsc)
    }
    /// `(!FU(ACT) || Vact) && (FU(SS) || FU(SY)) && (FU(SS) || Vsc)`.
    P18 p18_minor_ack_may_be_sent(v, _x) {
        v.in_activity() && minor(v) && (v.fu(Fu::SYMMETRIC_SYNC) || v.vsc)
    }
    /// `!FU(SS) && sn == V(M)`.
    P19 p19_serial_is_next(v, x) { !v.fu(Fu::SYMMETRIC_SYNC) && x.arguments.serial == Some(v.v_m) }
    /// `!FU(SS) && sn == V(M) - 1`.
    P20 p20_serial_is_last(v, x) {
        !v.fu(Fu::SYMMETRIC_SYNC) && x.arguments.serial.is_some() && x.arguments.serial == v.v_m.checked_sub(1)
    }
    /// `!FU(SS) && V(M) > sn && sn >= V(A)`.
    P21 p21_serial_is_outstanding(v, x) {
        !v.fu(Fu::SYMMETRIC_SYNC) && x.arguments.serial.is_some_and(|sn| v.v_m > sn && sn >= v.v_a)
    }
    /// `FU(ACT) && !Vnextact`.
    P23 p23_activity_end_pending(v, _x) { v.fu(Fu::ACTIVITY) && !v.vnextact }
    /// `!SPMwinner`.
    P24 p24_event_outranks_recorded(_v, x) { !recorded_request_wins(x) }
    /// `(FU(SY) || FU(SS) || FU(MA)) && FU(RESYN)`.
    P25 p25_resync_to_a_point(v, _x) { (minor(v) || v.fu(Fu::MAJOR_SYNC)) && v.fu(Fu::RESYNCHRONIZE) }
    /// `!FU(ACT) || Vact`.
    P26 p26_in_activity(v, _x) { v.in_activity() }
    /// `Vrsp == no`.
    P27 p27_no_resync_recorded(v, _x) { v.vrsp == Vrsp::No }
    /// `FU(RESYN)`.
    P28 p28_resynchronize(v, _x) { v.fu(Fu::RESYNCHRONIZE) }
    /// `(!FU(ACT) || Vact) && FU(RESYN)`.
    P29 p29_resynchronize_in_activity(v, _x) { v.in_activity() && v.fu(Fu::RESYNCHRONIZE) }
    /// `!FU(ACT) || Vnextact`.
    P30 p30_major_sync_pending(v, _x) { !v.fu(Fu::ACTIVITY) || v.vnextact }
    /// `FU(ACT) && Vnextact`; in no guard.
    P31 p31_major_sync_pending_in_activity(v, _x) { v.fu(Fu::ACTIVITY) && v.vnextact }
    /// `type != r || sn >= V(R)`.
    P32 p32_restart_not_below_vr(v, x) {
        !is_restart(x.event) || x.arguments.serial.is_some_and(|sn| sn >= v.v_r)
    }
    /// `V(M) >= sn && sn >= V(R)`.
    P33 p33_restart_in_range(v, x) { x.arguments.serial.is_some_and(|sn| v.v_m >= sn && sn >= v.v_r) }
    /// `FU(ACT)`.
    P34 p34_activity(v, _x) { v.fu(Fu::ACTIVITY) }
    /// `FU(RESYN) && (!TEXP || FU(DS))`.
    P35 p35_resync_without_prepare(v, _x) {
        v.fu(Fu::RESYNCHRONIZE) && (!v.texp || v.fu(Fu::DATA_SEPARATION))
    }
    /// `FU(RESYN) && TEXP`.
    P36 p36_resync_with_prepare(v, _x) { v.fu(Fu::RESYNCHRONIZE) && v.texp }
    /// `FU(ACT) && TEXP`.
    P37 p37_activity_with_prepare(v, _x) { v.fu(Fu::ACTIVITY) && v.texp }
    /// `FU(ACT) && !TEXP`.
    P38 p38_activity_without_prepare(v, _x) { v.fu(Fu::ACTIVITY) && !v.texp }
    /// `Vact && II(ma)`.
    P39 p39_activity_here(v, _x) { v.vact && v.ii(MA) }
    /// `AA(ma)`.
    P40 p40_major_token_at_peer(v, _x) { v.aa(MA) }
    /// `Vrsp == dsc`.
    P41 p41_discard_recorded(v, _x) { v.vrsp == Vrsp::Dsc }
    /// `Vrsp == int`.
    P42 p42_interrupt_recorded(v, _x) { v.vrsp == Vrsp::Int }
    /// `!FU(SS) && ((Vrsp == r && sn == Vrspnb) || (Vrsp == a && sn == V(M)) || Vrsp == s)`.
    P43 p43_resync_response_fits(v, x) {
        let sn = x.arguments.serial;
        !v.fu(Fu::SYMMETRIC_SYNC) && match v.vrsp {
            Vrsp::R => sn == Some(v.vrspnb),
            Vrsp::A => sn == Some(v.v_m),
            Vrsp::S => true,
            _ => false,
        }
    }
    /// `FU(ACT) && !Vact && A(dk) && A(mi) && A(ma)`.
    P44 p44_activity_may_begin_at_peer(v, _x) { v.between_activities() && v.a(DK | MI | MA) }
    /// `FU(ACT) && !Vact && I(dk) && I(mi) && I(ma)`.
    P45 p45_activity_may_begin_here(v, _x) { v.between_activities() && v.i(DK | MI | MA) }
    /// `FU(CD) && FU(ACT) && !Vact && A(dk) && A(mi) && !OWNED(ma)`.
    P46 p46_capability_data_may_come(v, _x) {
        v.fu(Fu::CAPABILITY_DATA) && v.between_activities() && v.a(DK | MI) && !v.tokens_owned.contains(MA)
    }
    /// `FU(CD) && FU(ACT) && !Vact && I(dk) && I(mi) && OWNED(ma)`.
    P47 p47_capability_data_may_be_sent(v, _x) {
        v.fu(Fu::CAPABILITY_DATA) && v.between_activities() && v.i(DK | MI) && v.tokens_owned.contains(MA)
    }
    /// `FU(EXCEP) && FU(HD)`.
    P48 p48_exceptions(v, _x) { v.fu(Fu::EXCEPTIONS | Fu::HALF_DUPLEX) }
    /// `(Vrsp == r && sn == Vrspnb) || (Vrsp == a && sn >= V(M)) || Vrsp == s`.
    P49 p49_resync_ack_fits(v, x) {
        let sn = x.arguments.serial;
        match v.vrsp {
            Vrsp::R => sn == Some(v.vrspnb),
            Vrsp::A => sn.is_some_and(|sn| sn >= v.v_m),
            Vrsp::S => true,
            _ => false,
        }
    }
    /// `FU(EXCEP) && (!FU(ACT) || Vact) && AA(dk)`.
    P50 p50_exception_may_be_sent(v, _x) { v.fu(Fu::EXCEPTIONS) && v.in_activity() && v.aa(DK) }
    /// `FU(EXCEP) && (!FU(ACT) || Vact) && II(dk)`.
    P51 p51_exception_may_come(v, _x) { v.fu(Fu::EXCEPTIONS) && v.in_activity() && v.ii(DK) }
    /// `FU(EXCEP) && !FU(ACT) && II(dk)`.
    P52 p52_exception_without_activity(v, _x) {
        v.fu(Fu::EXCEPTIONS) && !v.fu(Fu::ACTIVITY) && v.ii(DK)
    }
    /// `ALL(AV, RT)`.
    P53 p53_tokens_asked_are_available(v, x) { v.tokens_available().contains(x.arguments.tokens) }
    /// `ALL(II, GT)`.
    P54 p54_tokens_given_are_here(v, x) { v.ii(x.arguments.tokens) }
    /// `FU(ACT) && !Vact && ALL(I, tk-dom)`.
    P55 p55_control_may_be_given(v, _x) { v.between_activities() && v.i(Tokens::all()) }
    /// `ALL(II, GT) && dk not in GT`.
    P57 p57_tokens_given_without_data(v, x) { v.ii(x.arguments.tokens) && !x.arguments.tokens.contains(DK) }
    /// `ALL(II, GT) && dk in GT`.
    P58 p58_tokens_given_with_data(v, x) { v.ii(x.arguments.tokens) && x.arguments.tokens.contains(DK) }
    /// `ALL(AA, GT)`.
    P59 p59_tokens_received_were_at_peer(v, x) { v.aa(x.arguments.tokens) }
    /// `ALL(AA, GT) && dk not in GT`.
    P60 p60_tokens_received_without_data(v, x) {
        v.aa(x.arguments.tokens) && !x.arguments.tokens.contains(DK)
    }
    /// `ALL(AA, GT) && dk in GT`.
    P61 p61_tokens_received_with_data(v, x) { v.aa(x.arguments.tokens) && x.arguments.tokens.contains(DK) }
    /// `FU(ACT) && !Vact && ALL(A, tk-dom)`.
    P62 p62_control_may_come(v, _x) { v.between_activities() && v.a(Tokens::all()) }
    /// `ALL(I, tk-dom) && (!FU(ACT) || !Vact)`.
    P63 p63_release_may_be_sent(v, _x) { v.i(Tokens::all()) && !v.vact }
    /// `local choice to offer reuse && !Vtca && !TEXP`.
    P64 p64_reuse_offered(v, _x) { v.offer_reuse && !v.vtca && !v.texp }
    /// `ANY(AV, tk-dom)`.
    P65 p65_some_token_available(v, _x) { !v.tokens_available().is_empty() }
    /// `Vtrr`.
    P66 p66_transport_kept(v, _x) { v.vtrr }
    /// `FU(NR)`.
    P67 p67_negotiated_release(v, _x) { v.fu(Fu::NEGOTIATED_RELEASE) }
    /// `ALL(A, tk-dom) && (!FU(ACT) || !Vact)`.
    P68 p68_release_may_come(v, _x) { v.a(Tokens::all()) && !v.vact }
    /// `Vcoll`.
    P69 p69_collision(v, _x) { v.vcoll }
    /// `FU(FD)`.
    P70 p70_duplex(v, _x) { v.fu(Fu::DUPLEX) }
    /// `FU(ACT) && Vact && I(dk) && I(mi) && II(ma)`.
    P71 p71_activity_end_may_be_sent(v, _x) {
        v.fu(Fu::ACTIVITY) && v.vact && v.i(DK | MI) && v.ii(MA)
    }
    /// `FU(ACT) && Vact && A(dk) && A(mi) && AA(ma)`.
    P72 p72_activity_end_may_come(v, _x) { v.fu(Fu::ACTIVITY) && v.vact && v.a(DK | MI) && v.aa(MA) }
    /// `(Vcoll && Vdnr) || !Vcoll`.
    P75 p75_collision_over(v, _x) { !v.vcoll || v.vdnr }
    /// `the CONNECT SPDU is not acceptable to this machine for a transient or persistent reason`.
    P76 p76_connect_unacceptable(_v, x) { x.arguments.unacceptable }
    /// `!FU(DS) || V(Adi) < V(A)`.
    P80 p80_no_separation_received(v, _x) {
        !v.fu(Fu::DATA_SEPARATION) || i64::from(v.v_adi) < i64::from(v.v_a)
    }
    /// `V(Ado) >= V(A)`.
    P81 p81_separation_unconfirmed(v, _x) { i64::from(v.v_ado) >= i64::from(v.v_a) }
    /// `FU(DS)`.
    P82 p82_data_separation(v, _x) { v.fu(Fu::DATA_SEPARATION) }
    /// `FU(SS)`.
    P178 p178_symmetric(v, _x) { v.fu(Fu::SYMMETRIC_SYNC) }
    /// `Discard-rcv-flow && !p81`.
    P185 p185_discard_received(v, x) { v.discard_rcv_flow && !p81_separation_unconfirmed(v, x) }
    /// `Discard-snd-flow`; in no guard.
    P186 p186_discard_sent(v, _x) { v.discard_snd_flow }
    /// `end of user data (Enclosure Item of the CDO has bit 2 set)`.
    P202 p202_end_of_user_data(_v, x) { x.arguments.last }
    /// `more than 10240 octets of SS-user data`.
    P204 p204_data_overflow(_v, x) { x.arguments.overflow }
    /// Local helper, not of the standard: the queue of action 10 holds PR-RS.
    Q1 q1_prepare_queued(_v, x) { x.prepare_queued }
}

fn minor(v: &Variables) -> bool {
    v.functional_units.intersects(Fu::SYMMETRIC_SYNC | Fu::MINOR_SYNC)
}

fn is_restart(event: Event) -> bool {
    matches!(event, Event::RsR | Event::SRsynReqR)
}

/// The kind of resynchronization an event asks for.
pub(super) fn rank(event: Event) -> Vrsp {
    match event {
        Event::RsR | Event::SRsynReqR => Vrsp::R,
        Event::RsS | Event::SRsynReqS => Vrsp::S,
        Event::RsA | Event::SRsynReqA => Vrsp::A,
        Event::Ai | Event::SActIReq => Vrsp::Int,
        Event::Ad | Event::SActDReq => Vrsp::Dsc,
        _ => Vrsp::No,
    }
}

/// SPMwinner: the request recorded in Vrsp outranks the event.
///
/// A received SPDU meets a request made here, a local request meets one made by the peer; so of two
/// equals the initiator's wins by looking at one's own role alone. Equal restarts: the lower number wins.
fn recorded_request_wins(view: &View<'_>) -> bool {
    let v = view.variables;
    let event_rank = rank(view.event);
    if v.vrsp != event_rank {
        return v.vrsp > event_rank;
    }
    if v.vrsp == Vrsp::R {
        match view.arguments.serial {
            Some(sn) if sn != v.vrspnb => return v.vrspnb < sn,
            _ => {}
        }
    }
    let recorded_is_local = view.event.origin() == Origin::Spdu;
    recorded_is_local != v.vtca
}

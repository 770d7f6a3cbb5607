//! The predicates of Annex A: what guards look at.

use super::symmetric::Flow;
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

/// Declares the predicates: doc, name in guards, formula, function and body in one place.
macro_rules! predicates {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident = $text:literal $formula:literal $function:ident($v:ident, $view:ident) $body:block
    )*) => {
        /// A predicate of X.225 Annex A.5.3; the standard's numbers are kept.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Predicate { $(
            $(#[doc = $doc])*
            #[doc = ""]
            #[doc = concat!(" `", $formula, "`")]
            $name,
        )* }

        impl Predicate {
            /// All predicates.
            pub const ALL: &'static [Predicate] = &[$( Predicate::$name, )*];

            /// The name that guards print.
            pub fn name(self) -> &'static str {
                match self { $( Predicate::$name => $text, )* }
            }

            /// The formula.
            pub fn formula(self) -> &'static str {
                match self { $( Predicate::$name => $formula, )* }
            }

            /// One sentence on what it says.
            pub fn text(self) -> &'static str {
                match self { $( Predicate::$name => concat!($( $doc, )*).trim_ascii(), )* }
            }

            /// The value before the event.
            pub fn holds(self, view: &View<'_>) -> bool {
                match self { $( Predicate::$name => $function(view.variables, view), )* }
            }
        }

        $( fn $function($v: &Variables, $view: &View<'_>) -> bool $body )*
    };
}

predicates! {
    /// This side requested the transport connection.
    P01 = "p01" "!Vtca" p01_transport_initiator(v, _x) { !v.vtca }
    /// This side wants to keep the transport connection, and may.
    P02 = "p02" "local choice && !TEXP" p02_keep_transport(v, _x) { v.keep_transport && !v.texp }
    /// Data may be sent: the data token, where it exists, is here.
    P03 = "p03" "I(dk)" p03_data_may_be_sent(v, _x) { v.i(DK) }
    /// Duplex, and no release collision.
    P04 = "p04" "FU(FD) && !Vcoll" p04_duplex_no_collision(v, _x) { v.fu(Fu::DUPLEX) && !v.vcoll }
    /// Data may come: the data token, where it exists, is at the peer.
    P05 = "p05" "A(dk)" p05_data_may_come(v, _x) { v.a(DK) }
    /// Typed data is selected.
    P06 = "p06" "FU(TD)" p06_typed_data(v, _x) { v.fu(Fu::TYPED_DATA) }
    /// Typed data is selected, and no release collision.
    P07 = "p07" "FU(TD) && !Vcoll" p07_typed_data_no_collision(v, _x) { v.fu(Fu::TYPED_DATA) && !v.vcoll }
    /// Expedited data is selected.
    P08 = "p08" "FU(EX)" p08_expedited(v, _x) { v.fu(Fu::EXPEDITED) }
    /// Expedited data is selected, and no release collision.
    P09 = "p09" "FU(EX) && !Vcoll" p09_expedited_no_collision(v, _x) { v.fu(Fu::EXPEDITED) && !v.vcoll }
    /// No release collision.
    P10 = "p10" "!Vcoll" p10_no_collision(v, _x) { !v.vcoll }
    /// The major/activity token is here.
    P11 = "p11" "II(ma)" p11_major_token_here(v, _x) { v.ii(MA) }
    /// A major synchronization point may come.
    P12 = "p12" "FU(MA) && (!FU(ACT) || Vact) && A(dk) && A(mi) && AA(ma)" p12_major_sync_may_come(v, _x) {
        v.fu(Fu::MAJOR_SYNC) && v.in_activity() && v.a(DK | MI) && v.aa(MA)
    }
    /// A major synchronization point may be sent.
    P13 = "p13" "FU(MA) && (!FU(ACT) || Vact) && I(dk) && I(mi) && II(ma)" p13_major_sync_may_be_sent(v, _x) {
        v.fu(Fu::MAJOR_SYNC) && v.in_activity() && v.i(DK | MI) && v.ii(MA)
    }
    /// A minor synchronization point may come.
    P14 = "p14" "(!FU(ACT) || Vact) && A(dk) && AA(mi)"
    p14_minor_sync_may_come(v, _x) { v.in_activity() && v.a(DK) && v.aa(MI) }
    /// A minor synchronization point may be sent.
    P15 = "p15" "(!FU(ACT) || Vact) && I(dk) && II(mi)"
    p15_minor_sync_may_be_sent(v, _x) { v.in_activity() && v.i(DK) && v.ii(MI) }
    /// No transport expedited flow, so no PREPARE.
    P16 = "p16" "!TEXP" p16_no_transport_expedited(v, _x) { !v.texp }
    /// A confirmation of a minor point may come.
    P17 = "p17" "(!FU(ACT) || Vact) && (FU(SS) || FU(SY)) && (FU(SS) || !Vsc)" p17_minor_ack_may_come(v, _x) {
        v.in_activity() && minor(v) && (v.fu(Fu::SYMMETRIC_SYNC) || !v.vsc)
    }
    /// A confirmation of a minor point may be sent.
    P18 = "p18" "(!FU(ACT) || Vact) && (FU(SS) || FU(SY)) && (FU(SS) || Vsc)"
    p18_minor_ack_may_be_sent(v, _x) {
        v.in_activity() && minor(v) && (v.fu(Fu::SYMMETRIC_SYNC) || v.vsc)
    }
    /// The number is the next one.
    P19 = "p19" "!FU(SS) && sn == V(M)"
    p19_serial_is_next(v, x) { !v.fu(Fu::SYMMETRIC_SYNC) && x.arguments.serial == Some(v.v_m) }
    /// The number is the last one given.
    P20 = "p20" "!FU(SS) && sn == V(M) - 1" p20_serial_is_last(v, x) {
        !v.fu(Fu::SYMMETRIC_SYNC) && x.arguments.serial.is_some() && x.arguments.serial == v.v_m.checked_sub(1)
    }
    /// The number is one a confirmation is outstanding for.
    P21 = "p21" "!FU(SS) && V(M) > sn && sn >= V(A)" p21_serial_is_outstanding(v, x) {
        !v.fu(Fu::SYMMETRIC_SYNC) && x.arguments.serial.is_some_and(|sn| v.v_m > sn && sn >= v.v_a)
    }
    /// The pending point is an activity end.
    P23 = "p23" "FU(ACT) && !Vnextact" p23_activity_end_pending(v, _x) { v.fu(Fu::ACTIVITY) && !v.vnextact }
    /// The event outranks the recorded request.
    P24 = "p24" "!SPMwinner" p24_event_outranks_recorded(_v, x) { !recorded_request_wins(x) }
    /// Resynchronization to a point is possible.
    P25 = "p25" "(FU(SY) || FU(SS) || FU(MA)) && FU(RESYN)"
    p25_resync_to_a_point(v, _x) { (minor(v) || v.fu(Fu::MAJOR_SYNC)) && v.fu(Fu::RESYNCHRONIZE) }
    /// No activity management, or an activity in progress.
    P26 = "p26" "!FU(ACT) || Vact" p26_in_activity(v, _x) { v.in_activity() }
    /// No resynchronization is recorded.
    P27 = "p27" "Vrsp == no" p27_no_resync_recorded(v, _x) { v.vrsp == Vrsp::No }
    /// Resynchronize is selected.
    P28 = "p28" "FU(RESYN)" p28_resynchronize(v, _x) { v.fu(Fu::RESYNCHRONIZE) }
    /// Resynchronize is selected, and synchronization is possible now.
    P29 = "p29" "(!FU(ACT) || Vact) && FU(RESYN)"
    p29_resynchronize_in_activity(v, _x) { v.in_activity() && v.fu(Fu::RESYNCHRONIZE) }
    /// The pending point is not an activity end.
    P30 = "p30" "!FU(ACT) || Vnextact" p30_major_sync_pending(v, _x) { !v.fu(Fu::ACTIVITY) || v.vnextact }
    /// The pending point is a major one within an activity; in no guard.
    P31 = "p31" "FU(ACT) && Vnextact"
    p31_major_sync_pending_in_activity(v, _x) { v.fu(Fu::ACTIVITY) && v.vnextact }
    /// A restart goes not below the lower limit.
    P32 = "p32" "for each flow: type != r || sn >= V(R)" p32_restart_not_below_vr(v, x) {
        match symmetric(v) {
            true => v.flows.both().iter().zip(x.flows_named()).all(|(f, named)| f.restart_not_below(named)),
            false => !is_restart(x.event) || x.arguments.serial.is_some_and(|sn| sn >= v.v_r),
        }
    }
    /// A restart asked for here lies within the limits.
    P33 = "p33" "for each restarted flow: V(M) >= sn && sn >= V(R)"
    p33_restart_in_range(v, x) {
        match symmetric(v) {
            true => v.flows.both().iter().zip(x.flows_named()).all(|(f, named)| f.restart_in_range(named)),
            false => x.arguments.serial.is_some_and(|sn| v.v_m >= sn && sn >= v.v_r),
        }
    }
    /// Activity management is selected.
    P34 = "p34" "FU(ACT)" p34_activity(v, _x) { v.fu(Fu::ACTIVITY) }
    /// Resynchronize is selected, and its SPDU may come without PREPARE.
    P35 = "p35" "FU(RESYN) && (!TEXP || FU(DS))" p35_resync_without_prepare(v, _x) {
        v.fu(Fu::RESYNCHRONIZE) && (!v.texp || v.fu(Fu::DATA_SEPARATION))
    }
    /// Resynchronize is selected, and its SPDUs are announced.
    P36 = "p36" "FU(RESYN) && TEXP" p36_resync_with_prepare(v, _x) { v.fu(Fu::RESYNCHRONIZE) && v.texp }
    /// Activity management is selected, and its SPDUs are announced.
    P37 = "p37" "FU(ACT) && TEXP" p37_activity_with_prepare(v, _x) { v.fu(Fu::ACTIVITY) && v.texp }
    /// Activity management is selected, and its SPDUs are not announced.
    P38 = "p38" "FU(ACT) && !TEXP" p38_activity_without_prepare(v, _x) { v.fu(Fu::ACTIVITY) && !v.texp }
    /// The activity in progress is led from here.
    P39 = "p39" "Vact && II(ma)" p39_activity_here(v, _x) { v.vact && v.ii(MA) }
    /// The major/activity token is at the peer.
    P40 = "p40" "AA(ma)" p40_major_token_at_peer(v, _x) { v.aa(MA) }
    /// An activity discard is recorded.
    P41 = "p41" "Vrsp == dsc" p41_discard_recorded(v, _x) { v.vrsp == Vrsp::Dsc }
    /// An activity interrupt is recorded.
    P42 = "p42" "Vrsp == int" p42_interrupt_recorded(v, _x) { v.vrsp == Vrsp::Int }
    /// The answer to the resynchronization carries the right number.
    P43 = "p43" "!FU(SS) && ((Vrsp == r && sn == Vrspnb) || (Vrsp == a && sn == V(M)) || Vrsp == s)"
    p43_resync_response_fits(v, x) {
        let sn = x.arguments.serial;
        !v.fu(Fu::SYMMETRIC_SYNC) && match v.vrsp {
            Vrsp::R => sn == Some(v.vrspnb),
            Vrsp::A => sn == Some(v.v_m),
            Vrsp::S => true,
            _ => false,
        }
    }
    /// The peer may start an activity.
    P44 = "p44" "FU(ACT) && !Vact && A(dk) && A(mi) && A(ma)"
    p44_activity_may_begin_at_peer(v, _x) { v.between_activities() && v.a(DK | MI | MA) }
    /// An activity may be started here.
    P45 = "p45" "FU(ACT) && !Vact && I(dk) && I(mi) && I(ma)"
    p45_activity_may_begin_here(v, _x) { v.between_activities() && v.i(DK | MI | MA) }
    /// Capability data may come.
    P46 = "p46" "FU(CD) && FU(ACT) && !Vact && A(dk) && A(mi) && !OWNED(ma)"
    p46_capability_data_may_come(v, _x) {
        v.fu(Fu::CAPABILITY_DATA) && v.between_activities() && v.a(DK | MI) && !v.tokens_owned.contains(MA)
    }
    /// Capability data may be sent.
    P47 = "p47" "FU(CD) && FU(ACT) && !Vact && I(dk) && I(mi) && OWNED(ma)"
    p47_capability_data_may_be_sent(v, _x) {
        v.fu(Fu::CAPABILITY_DATA) && v.between_activities() && v.i(DK | MI) && v.tokens_owned.contains(MA)
    }
    /// Exceptions and half duplex are selected.
    P48 = "p48" "FU(EXCEP) && FU(HD)" p48_exceptions(v, _x) { v.fu(Fu::EXCEPTIONS | Fu::HALF_DUPLEX) }
    /// The acknowledgement of the resynchronization carries a number that fits.
    P49 = "p49" "(Vrsp == r && sn == Vrspnb) || (Vrsp == a && sn >= V(M)) || Vrsp == s"
    p49_resync_ack_fits(v, x) {
        let sn = x.arguments.serial;
        match v.vrsp {
            Vrsp::R => sn == Some(v.vrspnb),
            Vrsp::A => sn.is_some_and(|sn| sn >= v.v_m),
            Vrsp::S => true,
            _ => false,
        }
    }
    /// An exception may be reported by this side: the data token is at the peer.
    P50 = "p50" "FU(EXCEP) && (!FU(ACT) || Vact) && AA(dk)"
    p50_exception_may_be_sent(v, _x) { v.fu(Fu::EXCEPTIONS) && v.in_activity() && v.aa(DK) }
    /// An exception may be reported by the peer: the data token is here.
    P51 = "p51" "FU(EXCEP) && (!FU(ACT) || Vact) && II(dk)"
    p51_exception_may_come(v, _x) { v.fu(Fu::EXCEPTIONS) && v.in_activity() && v.ii(DK) }
    /// An exception without activity management, the data token being here.
    P52 = "p52" "FU(EXCEP) && !FU(ACT) && II(dk)" p52_exception_without_activity(v, _x) {
        v.fu(Fu::EXCEPTIONS) && !v.fu(Fu::ACTIVITY) && v.ii(DK)
    }
    /// All tokens asked for exist.
    P53 = "p53" "ALL(AV, RT)"
    p53_tokens_asked_are_available(v, x) { v.tokens_available().contains(x.arguments.tokens) }
    /// All tokens given are here.
    P54 = "p54" "ALL(II, GT)" p54_tokens_given_are_here(v, x) { v.ii(x.arguments.tokens) }
    /// Control may be given: between activities, all tokens here.
    P55 = "p55" "FU(ACT) && !Vact && ALL(I, tk-dom)"
    p55_control_may_be_given(v, _x) { v.between_activities() && v.i(Tokens::all()) }
    /// All tokens given are here, the data token not among them.
    P57 = "p57" "ALL(II, GT) && dk not in GT"
    p57_tokens_given_without_data(v, x) { v.ii(x.arguments.tokens) && !x.arguments.tokens.contains(DK) }
    /// All tokens given are here, the data token among them.
    P58 = "p58" "ALL(II, GT) && dk in GT"
    p58_tokens_given_with_data(v, x) { v.ii(x.arguments.tokens) && x.arguments.tokens.contains(DK) }
    /// All tokens received were at the peer.
    P59 = "p59" "ALL(AA, GT)" p59_tokens_received_were_at_peer(v, x) { v.aa(x.arguments.tokens) }
    /// All tokens received were at the peer, the data token not among them.
    P60 = "p60" "ALL(AA, GT) && dk not in GT" p60_tokens_received_without_data(v, x) {
        v.aa(x.arguments.tokens) && !x.arguments.tokens.contains(DK)
    }
    /// All tokens received were at the peer, the data token among them.
    P61 = "p61" "ALL(AA, GT) && dk in GT"
    p61_tokens_received_with_data(v, x) { v.aa(x.arguments.tokens) && x.arguments.tokens.contains(DK) }
    /// Control may come: between activities, all tokens at the peer.
    P62 = "p62" "FU(ACT) && !Vact && ALL(A, tk-dom)"
    p62_control_may_come(v, _x) { v.between_activities() && v.a(Tokens::all()) }
    /// Release may be asked for: all tokens here, no activity in progress.
    P63 = "p63" "ALL(I, tk-dom) && (!FU(ACT) || !Vact)"
    p63_release_may_be_sent(v, _x) { v.i(Tokens::all()) && !v.vact }
    /// This side offers reuse of the transport connection, and may.
    P64 = "p64" "local choice && !Vtca && !TEXP"
    p64_reuse_offered(v, _x) { v.offer_reuse && !v.vtca && !v.texp }
    /// Some token exists.
    P65 = "p65" "ANY(AV, tk-dom)" p65_some_token_available(v, _x) { !v.tokens_available().is_empty() }
    /// The transport connection may be kept after release.
    P66 = "p66" "Vtrr" p66_transport_kept(v, _x) { v.vtrr }
    /// Negotiated release is selected.
    P67 = "p67" "FU(NR)" p67_negotiated_release(v, _x) { v.fu(Fu::NEGOTIATED_RELEASE) }
    /// Release may come: all tokens at the peer, no activity in progress.
    P68 = "p68" "ALL(A, tk-dom) && (!FU(ACT) || !Vact)"
    p68_release_may_come(v, _x) { v.a(Tokens::all()) && !v.vact }
    /// Release collision.
    P69 = "p69" "Vcoll" p69_collision(v, _x) { v.vcoll }
    /// Duplex is selected.
    P70 = "p70" "FU(FD)" p70_duplex(v, _x) { v.fu(Fu::DUPLEX) }
    /// An activity end may be sent.
    P71 = "p71" "FU(ACT) && Vact && I(dk) && I(mi) && II(ma)" p71_activity_end_may_be_sent(v, _x) {
        v.fu(Fu::ACTIVITY) && v.vact && v.i(DK | MI) && v.ii(MA)
    }
    /// An activity end may come.
    P72 = "p72" "FU(ACT) && Vact && A(dk) && A(mi) && AA(ma)"
    p72_activity_end_may_come(v, _x) { v.fu(Fu::ACTIVITY) && v.vact && v.a(DK | MI) && v.aa(MA) }
    /// No release collision, or the DISCONNECT of the peer has come.
    P75 = "p75" "(Vcoll && Vdnr) || !Vcoll" p75_collision_over(v, _x) { !v.vcoll || v.vdnr }
    /// The CONNECT is not acceptable for a transient or persistent reason.
    P76 = "p76" "CONNECT not acceptable" p76_connect_unacceptable(_v, x) { x.arguments.unacceptable }
    /// No data separation point of the peer is unconfirmed.
    P80 = "p80" "!FU(DS) || (!FU(SS) && V(Adi) < V(A)) || (FU(SS) && V(Adi) < V(Ar))"
    p80_no_separation_received(v, _x) {
        let lowest = if symmetric(v) { v.flows.receiving.v_a } else { v.v_a };
        !v.fu(Fu::DATA_SEPARATION) || i64::from(v.v_adi) < i64::from(lowest)
    }
    /// An own data separation point is unconfirmed.
    P81 = "p81" "(!FU(SS) && V(Ado) >= V(A)) || (FU(SS) && V(Ado) >= V(As))"
    p81_separation_unconfirmed(v, _x) {
        let lowest = if symmetric(v) { v.flows.sending.v_a } else { v.v_a };
        i64::from(v.v_ado) >= i64::from(lowest)
    }
    /// Data separation is selected.
    P82 = "p82" "FU(DS)" p82_data_separation(v, _x) { v.fu(Fu::DATA_SEPARATION) }
    /// Symmetric: the answer to an own point, numbers in the order (sending, receiving).
    P173 = "p173" "FU(SS) && serial numbers == (V(Ms) - 1, V(Mr))"
    p173_own_point_answered(v, x) {
        let [sending, receiving] = x.serials();
        symmetric(v) && v.flows.sending.is_last(sending) && receiving == Some(v.flows.receiving.v_m)
    }
    /// Symmetric: the answer to a point of the peer, numbers in the order (sending, receiving); in no guard.
    P174 = "p174" "FU(SS) && serial numbers == (V(Ms), V(Mr) - 1)"
    p174_peers_point_answered(v, x) {
        let [sending, receiving] = x.serials();
        symmetric(v) && sending == Some(v.flows.sending.v_m) && v.flows.receiving.is_last(receiving)
    }
    /// Symmetric: the number is the peer's last one; in no guard.
    P175 = "p175" "FU(SS) && sn == V(Mr) - 1"
    p175_last_of_peer(v, x) {
        symmetric(v) && v.flows.receiving.is_last(x.arguments.serial)
    }
    /// Symmetric: the number is an own one that a confirmation is outstanding for.
    P176 = "p176" "FU(SS) && V(Ms) > sn && sn >= V(As)"
    p176_own_point_outstanding(v, x) {
        symmetric(v) && x.arguments.serial.is_some_and(|sn| v.flows.sending.is_outstanding(sn))
    }
    /// Symmetric: the number is the peer's next one.
    P177 = "p177" "FU(SS) && sn == V(Mr)"
    p177_next_of_peer(v, x) { symmetric(v) && x.arguments.serial == Some(v.flows.receiving.v_m) }
    /// Symmetric synchronize is selected; of AC and SCONrsp+: by this event.
    P178 = "p178" "FU(SS)" p178_symmetric(v, x) { symmetric(v) || x.selects_symmetric() }
    /// Symmetric: the number is one of the peer's that a confirmation may be given for.
    P179 = "p179" "FU(SS) && V(Mr) > sn && sn >= V(Ar)"
    p179_point_of_peer_outstanding(v, x) {
        symmetric(v) && x.arguments.serial.is_some_and(|sn| v.flows.receiving.is_outstanding(sn))
    }
    /// No flow is restarted; in no guard.
    P180 = "p180" "for each flow: type != r"
    p180_no_flow_restarted(_v, x) { !x.flows_named().iter().any(|flow| flow.kind == Some(Vrsp::R)) }
    /// Symmetric: no resynchronization of the sending flow is recorded; in no guard.
    P184 = "p184" "FU(SS) && Vrsps == no"
    p184_no_resync_of_sending_flow(v, _x) { symmetric(v) && v.flows.sending.vrsp == Vrsp::No }
    /// What comes is discarded: its flow is being resynchronized.
    P185 = "p185" "Discard-rcv-flow && !p81"
    p185_discard_received(v, x) { v.discard_rcv_flow && !p81_separation_unconfirmed(v, x) }
    /// What was sent is discarded: its flow is being resynchronized.
    P186 = "p186" "Discard-snd-flow" p186_discard_sent(v, _x) { v.discard_snd_flow }
    /// Symmetric: the answer to the resynchronization carries the right number for each restarted flow.
    P187 = "p187" "FU(SS) && (Vrspr != r || receiving flow sn == Vrspnbr) && (Vrsps != r || sending flow sn == Vrspnbs)"
    p187_flows_restart_where_asked(v, x) {
        let fits = |(flow, sn): (Flow, Option<u32>)| flow.vrsp != Vrsp::R || sn == Some(flow.vrspnb);
        symmetric(v) && v.flows.both().into_iter().zip(x.serials()).all(fits)
    }
    /// This CONNECT DATA OVERFLOW is the last one.
    P202 = "p202" "end of user data" p202_end_of_user_data(_v, x) { x.arguments.last }
    /// More than 10 240 octets of user data.
    P204 = "p204" "more than 10 240 octets of user data" p204_data_overflow(_v, x) { x.arguments.overflow }
    /// Not of the standard: a PREPARE (resynchronize) waits in the queue.
    Q1 = "q1" "the queue holds PR-RS" q1_prepare_queued(_v, x) { x.prepare_queued }
}

fn minor(v: &Variables) -> bool {
    v.functional_units.intersects(Fu::SYMMETRIC_SYNC | Fu::MINOR_SYNC)
}

fn symmetric(v: &Variables) -> bool {
    v.fu(Fu::SYMMETRIC_SYNC)
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
    let event_rank = rank(view.event).max(view.strongest_named());
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

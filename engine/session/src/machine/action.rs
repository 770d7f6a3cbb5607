//! The actions of Annex A: what a row changes.

use super::symmetric::{self, Flow};
use super::variables::{Arguments, SERIAL_NEXT_MAX, Variables, Vrsp};
use super::{Event, predicate};
use crate::{FunctionalUnits as Fu, SerialNumber, Tokens};

/// What an action may change beside the variables; the interpreter carries it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Actions 3 and 4, and the rules on TIM.
    pub timer: TimerEffect,
    /// Action 6: replay the queue in the new state.
    pub replay: bool,
    /// Action 10: append the event to the queue.
    pub queue: bool,
    /// Local helper: remove PR-RS from the queue.
    pub drop_prepare: bool,
    /// Action 50: keep the user data for the coming S-CONNECT indication.
    pub keep_user_data: bool,
    /// Action 51: send CONNECT DATA OVERFLOW SPDUs until no user data is left.
    pub send_overflow: bool,
}

/// What happens to timer TIM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimerEffect {
    /// Nothing.
    #[default]
    None,
    /// It starts.
    Start,
    /// It stops.
    Stop,
}

/// What an action works on: the variables to change, and the event.
pub(super) struct Scene<'m> {
    pub(super) v: &'m mut Variables,
    pub(super) event: Event,
    pub(super) arguments: &'m Arguments,
    pub(super) effects: &'m mut Effects,
}

/// Declares the actions: text, name in rows, function and body in one place.
macro_rules! actions {
    ($( $(#[doc = $doc:literal])* $name:ident = $text:literal $function:ident($s:ident) $body:block )*) => {
        /// An action of X.225 Annex A.5.4; the standard's numbers are kept.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $( $(#[doc = $doc])* $name, )* }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Action] = &[$( Action::$name, )*];

            /// The number that rows print.
            pub fn name(self) -> &'static str {
                match self { $( Action::$name => $text, )* }
            }

            /// What it does.
            pub fn text(self) -> &'static str {
                match self { $( Action::$name => concat!($( $doc, )*).trim_ascii(), )* }
            }

            pub(super) fn run(self, scene: &mut Scene<'_>) {
                match self { $( Action::$name => $function(scene), )* }
            }
        }

        $( fn $function($s: &mut Scene<'_>) $body )*
    };
}

actions! {
    /// Vtca := true.
    A01 = "1" a01_transport_acceptor(s) { s.v.vtca = true; }
    /// Vtca := false.
    A02 = "2" a02_transport_initiator(s) { s.v.vtca = false; }
    /// Stop TIM.
    A03 = "3" a03_stop_timer(s) { s.effects.timer = TimerEffect::Stop; }
    /// Start TIM.
    A04 = "4" a04_start_timer(s) { s.effects.timer = TimerEffect::Start; }
    /// V(A) := V(M) := serial number of the ACCEPT (1 when absent); V(R) := 0; Vcoll, Vdnr, Vact, Vsc :=
    /// false; Vrsp := no; V(Ado) := V(Adi) := -1; set TEXP; FU(f) := f in both CONNECT and ACCEPT.
    A05 = "5" a05_session_begins(s) {
        let serial = s.arguments.serial.unwrap_or(1);
        *s.v = Variables {
            v_a: serial,
            v_m: serial,
            texp: s.arguments.transport_expedited,
            functional_units: s.arguments.functional_units,
            vtca: s.v.vtca,
            keep_transport: s.v.keep_transport,
            offer_reuse: s.v.offer_reuse,
            ..Variables::new()
        };
    }
    /// Replay the queued events, oldest first, in the new state.
    A06 = "6" a06_replay_queue(s) { s.effects.replay = true; }
    /// Vtrr := true.
    A07 = "7" a07_keep_transport(s) { s.v.vtrr = true; }
    /// Vtrr := false.
    A08 = "8" a08_release_transport(s) { s.v.vtrr = false; }
    /// Vtrr := Transport Disconnect says kept; the local choice may force false.
    A09 = "9" a09_transport_as_asked(s) { s.v.vtrr = s.arguments.kept && s.v.keep_transport; }
    /// Append the event to the queue.
    A10 = "10" a10_queue_event(s) { s.effects.queue = true; }
    /// Update token ownership from the event.
    A11 = "11" a11_move_tokens(s) {
        let available = s.v.tokens_available();
        match s.event {
            Event::Gt => s.v.tokens_owned |= s.arguments.tokens & available,
            Event::Gtc => s.v.tokens_owned = available,
            Event::SGtReq => s.v.tokens_owned -= s.arguments.tokens,
            Event::SCgReq => s.v.tokens_owned = Tokens::empty(),
            _ => s.v.tokens_owned = s.arguments.positions & available,
        }
    }
    /// Vact := true.
    A12 = "12" a12_activity_begins(s) { s.v.vact = true; }
    /// Vnextact := true for MAP and SSYNMreq, false for AE and SACTEreq.
    A13 = "13" a13_next_activity(s) { s.v.vnextact = matches!(s.event, Event::Map | Event::SSynMajReq); }
    /// If FU(ACT): Vact := Vnextact.
    A14 = "14" a14_activity_goes_on(s) { s.v.vact = s.v.fu(Fu::ACTIVITY) && s.v.vnextact; }
    /// Record the request in Vrsp, and its number in Vrspnb when it is a restart; set both discard flags. With
    /// SS: the same per flow, and the strongest kind in Vrsp; the discard flag of each flow concerned, for
    /// interrupt and discard both.
    A16 = "16" a16_record_request(s) {
        s.v.vrsp = predicate::rank(s.event);
        if s.v.fu(Fu::SYMMETRIC_SYNC) {
            return record_flows(s);
        }
        if let (Vrsp::R, Some(sn)) = (s.v.vrsp, s.arguments.serial) {
            s.v.vrspnb = sn;
        }
        s.v.discard_rcv_flow = true;
        s.v.discard_snd_flow = true;
    }
    /// Vcoll := true.
    A18 = "18" a18_collision(s) { s.v.vcoll = true; }
    /// V(M) := max(V(M), sn). With SS: the same for each flow that is abandoned.
    ///
    /// At most the highest serial number: a point with it may have been thrown away on its way, and RA has to
    /// carry V(M).
    A19 = "19" a19_raise_vm(s) {
        if s.v.fu(Fu::SYMMETRIC_SYNC) {
            return raise_flows(s);
        }
        s.v.v_m = s.v.v_m.max(s.arguments.serial.unwrap_or(0)).min(SerialNumber::MAX.0);
        s.v.v_a = s.v.v_a.min(s.v.v_m);
        s.v.v_r = s.v.v_r.min(s.v.v_a);
    }
    /// Vsc := false; in no row.
    A20 = "20" a20_no_right_to_confirm(s) { s.v.vsc = false; }
    /// V(M) := V(M) + 1; in no row.
    A21 = "21" a21_next_number(s) { count(&mut s.v.v_m); }
    /// V(A) := V(R) := V(M).
    A22 = "22" a22_all_confirmed(s) {
        s.v.v_a = s.v.v_m;
        s.v.v_r = s.v.v_m;
    }
    /// If !Vsc: V(A) := V(M). Then Vsc := true; V(M) := V(M) + 1.
    A23 = "23" a23_minor_point_received(s) {
        if !s.v.vsc {
            s.v.v_a = s.v.v_m;
        }
        s.v.vsc = true;
        count(&mut s.v.v_m);
    }
    /// If Vsc: V(A) := V(M). Then Vsc := false; V(M) := V(M) + 1.
    A24 = "24" a24_point_sent(s) {
        if s.v.vsc {
            s.v.v_a = s.v.v_m;
        }
        s.v.vsc = false;
        count(&mut s.v.v_m);
    }
    /// V(A) := sn + 1.
    A25 = "25" a25_minor_point_confirmed(s) {
        if let Some(sn) = s.arguments.serial {
            s.v.v_a = sn.saturating_add(1);
        }
    }
    /// V(A) := V(M) := V(R) := 1.
    A26 = "26" a26_activity_numbers(s) {
        s.v.v_a = 1;
        s.v.v_m = 1;
        s.v.v_r = 1;
    }
    /// V(A) := V(M) := sn + 1; V(R) := 1.
    A27 = "27" a27_resumed_numbers(s) {
        let next = s.arguments.serial.map_or(1, |sn| sn.saturating_add(1));
        s.v.v_a = next;
        s.v.v_m = next;
        s.v.v_r = 1;
    }
    /// V(A) := V(M) := sn; if Vrsp is a or s: V(R) := 0; Vrsp := no; V(Ado) := V(Adi) := -1; both discard
    /// flags := false.
    A28 = "28" a28_resynchronized(s) {
        if let Some(sn) = s.arguments.serial {
            s.v.v_a = sn;
            s.v.v_m = sn;
        }
        if matches!(s.v.vrsp, Vrsp::A | Vrsp::S) {
            s.v.v_r = 0;
        }
        s.v.v_ado = -1;
        s.v.v_adi = -1;
        no_resynchronization(s.v);
    }
    /// All available tokens become owned here; Vact := false; Vrsp := no; both discard flags := false.
    A29 = "29" a29_tokens_come_here(s) {
        s.v.tokens_owned = s.v.tokens_available();
        s.v.vact = false;
        no_resynchronization(s.v);
    }
    /// All available tokens become owned by the peer; Vact := false; Vrsp := no; both discard flags :=
    /// false.
    A30 = "30" a30_tokens_go_to_peer(s) {
        s.v.tokens_owned = Tokens::empty();
        s.v.vact = false;
        no_resynchronization(s.v);
    }
    /// If !Vsc: V(A) := V(M). Then V(M) := V(M) + 1.
    A31 = "31" a31_major_point_received(s) {
        if !s.v.vsc {
            s.v.v_a = s.v.v_m;
        }
        count(&mut s.v.v_m);
    }
    /// Vdnr := true.
    A32 = "32" a32_disconnect_received(s) { s.v.vdnr = true; }
    /// V(Ado) := V(M).
    A41 = "41" a41_separation_sent(s) { s.v.v_ado = s.v.v_m as i32; }
    /// SS: V(Ado) := V(Ms).
    A42 = "42" a42_separation_sent_in_flow(s) { s.v.v_ado = s.v.flows.sending.v_m as i32; }
    /// V(Ado) := V(Adi) := -1.
    A43 = "43" a43_no_separation(s) {
        s.v.v_ado = -1;
        s.v.v_adi = -1;
    }
    /// V(Adi) := V(M).
    A44 = "44" a44_separation_received(s) { s.v.v_adi = s.v.v_m as i32; }
    /// SS: V(Adi) := V(Mr).
    A45 = "45" a45_separation_received_in_flow(s) { s.v.v_adi = s.v.flows.receiving.v_m as i32; }
    /// Keep the user data for the coming S-CONNECT indication.
    A50 = "50" a50_keep_user_data(s) { s.effects.keep_user_data = true; }
    /// Send further CONNECT DATA OVERFLOW SPDUs until no user data is left.
    A51 = "51" a51_send_overflow(s) { s.effects.send_overflow = true; }
    /// SS: V(Mr) := V(Mr) + 1.
    A62 = "62" a62_point_received_in_flow(s) { count(&mut s.v.flows.receiving.v_m); }
    /// SS: V(Ms) := V(Ms) + 1.
    A63 = "63" a63_point_sent_in_flow(s) { count(&mut s.v.flows.sending.v_m); }
    /// SS: V(Rs) := V(As) := V(Ms); V(Rr) := V(Ar) := V(Mr).
    A64 = "64" a64_all_confirmed_in_both_flows(s) {
        s.v.flows.both_mut().into_iter().for_each(Flow::confirm_all);
    }
    /// SS: V(As) := sn + 1.
    A65 = "65" a65_own_point_confirmed(s) {
        if let Some(sn) = s.arguments.serial {
            s.v.flows.sending.v_a = sn.saturating_add(1);
        }
    }
    /// SS: V(Ar) := sn + 1.
    A66 = "66" a66_point_of_peer_confirmed(s) {
        if let Some(sn) = s.arguments.serial {
            s.v.flows.receiving.v_a = sn.saturating_add(1);
        }
    }
    /// SS, on PREPARE (RESYNCHRONIZE): set both discard flags when it carries no resync type, else the discard
    /// flag of each flow it names.
    A67 = "67" a67_discard_flows_named(s) {
        let [sending, receiving] = symmetric::named(s.event, s.arguments);
        let neither = sending.kind.is_none() && receiving.kind.is_none();
        s.v.discard_snd_flow |= neither || sending.kind.is_some();
        s.v.discard_rcv_flow |= neither || receiving.kind.is_some();
    }
    /// SS: as 28 for each flow that is being resynchronized; Vrsps := Vrspr := no.
    A68 = "68" a68_flows_resynchronized(s) {
        let named = symmetric::named(s.event, s.arguments);
        for (flow, named) in s.v.flows.both_mut().into_iter().zip(named) {
            flow.resynchronized(named.serial);
        }
        s.v.v_ado = -1;
        s.v.v_adi = -1;
        no_resynchronization(s.v);
    }
    /// SS: V(As) := V(Ms) := sending flow sn + 1; V(Rs) := 1; V(Ar) := V(Mr) := receiving flow sn + 1; V(Rr) :=
    /// 1.
    A69 = "69" a69_resumed_numbers_of_flows(s) {
        let named = symmetric::named(s.event, s.arguments);
        for (flow, named) in s.v.flows.both_mut().into_iter().zip(named) {
            flow.begin(named.serial.map_or(1, |sn| sn.saturating_add(1)), 1);
        }
    }
    /// SS: all six serial number variables := 1.
    A70 = "70" a70_activity_numbers_of_flows(s) {
        s.v.flows.both_mut().into_iter().for_each(|flow| flow.begin(1, 1));
    }
    /// SS: V(As) := V(Ms) := sending flow sn of the ACCEPT, V(Ar) := V(Mr) := its receiving flow sn (1 when
    /// absent); V(Rs) := V(Rr) := 0; Vrsps := Vrspr := no; both discard flags := false; Vcoll := false; V(Ado)
    /// := V(Adi) := -1.
    A71 = "71" a71_session_begins_with_flows(s) {
        let named = symmetric::named(s.event, s.arguments);
        for (flow, named) in s.v.flows.both_mut().into_iter().zip(named) {
            *flow = Flow::new();
            flow.begin(named.serial.unwrap_or(1), 0);
        }
        s.v.vcoll = false;
        s.v.v_ado = -1;
        s.v.v_adi = -1;
        no_resynchronization(s.v);
    }
    /// SS: Vrspr and Vrsps as the PREPARE names them; it carries no numbers.
    A72 = "72" a72_prepare_recorded(s) {
        let named = symmetric::named(s.event, s.arguments);
        for (flow, named) in s.v.flows.both_mut().into_iter().zip(named) {
            flow.record(named);
        }
    }
    /// Local helper, not of the standard: remove PR-RS from the queue.
    AQ1 = "q1" aq1_drop_prepare(s) { s.effects.drop_prepare = true; }
}

/// One more point. The numbers end at 999 999: rows that discard or deliver during a resynchronization do not look
/// at the number received, and a peer may send on and on.
fn count(next: &mut u32) {
    *next = next.saturating_add(1).min(SERIAL_NEXT_MAX);
}

/// Action 16 with symmetric synchronize.
fn record_flows(s: &mut Scene<'_>) {
    let named = symmetric::named(s.event, s.arguments);
    let both = matches!(s.v.vrsp, Vrsp::Int | Vrsp::Dsc);
    let [sending, receiving] = s.v.flows.both_mut();
    s.v.discard_snd_flow |= sending.record(named[0]) || both;
    s.v.discard_rcv_flow |= receiving.record(named[1]) || both;
    s.v.vrsp = s.v.vrsp.max(s.arguments.second_resync.unwrap_or_default());
    if let (Vrsp::R, Some(sn)) = (s.v.vrsp, s.arguments.serial) {
        s.v.vrspnb = sn;
    }
}

/// Action 19 with symmetric synchronize.
fn raise_flows(s: &mut Scene<'_>) {
    let named = symmetric::named(s.event, s.arguments);
    for (flow, named) in s.v.flows.both_mut().into_iter().zip(named) {
        if let (Some(Vrsp::A), Some(sn)) = (named.kind, named.serial) {
            flow.v_m = flow.v_m.max(sn).min(SerialNumber::MAX.0);
            flow.v_a = flow.v_a.min(flow.v_m);
            flow.v_r = flow.v_r.min(flow.v_a);
        }
    }
}

fn no_resynchronization(v: &mut Variables) {
    v.vrsp = Vrsp::No;
    v.flows.sending.vrsp = Vrsp::No;
    v.flows.receiving.vrsp = Vrsp::No;
    v.discard_rcv_flow = false;
    v.discard_snd_flow = false;
}

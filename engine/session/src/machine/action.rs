//! The actions of Annex A: what a row changes.

use super::variables::{Arguments, Variables, Vrsp};
use super::{Event, predicate};
use crate::{FunctionalUnits as Fu, Tokens};

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

/// Declares the actions: name in rows, function, text and body in one place.
macro_rules! actions {
    ($( $(#[$doc:meta])* $name:ident $function:ident($s:ident) $body:block )*) => {
        /// An action of X.225 Annex A.5.4; the standard's numbers are kept.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $( $(#[$doc])* $name, )* }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Action] = &[$( Action::$name, )*];

            pub(super) fn run(self, scene: &mut Scene<'_>) {
                match self { $( Action::$name => $function(scene), )* }
            }
        }

        $( fn $function($s: &mut Scene<'_>) $body )*
    };
}

actions! {
    /// Vtca := true.
    A01 a01_transport_acceptor(s) { s.v.vtca = true; }
    /// Vtca := false.
    A02 a02_transport_initiator(s) { s.v.vtca = false; }
    /// Stop TIM.
    A03 a03_stop_timer(s) { s.effects.timer = TimerEffect::Stop; }
    /// Start TIM.
    A04 a04_start_timer(s) { s.effects.timer = TimerEffect::Start; }
    /// V(A) := V(M) := serial number of the ACCEPT (1 when absent); V(R) := 0; Vcoll, Vdnr, Vact, Vsc :=
    /// false; Vrsp := no; V(Ado) := V(Adi) := -1; set TEXP; FU(f) := f in both CONNECT and ACCEPT.
    A05 a05_session_begins(s) {
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
    A06 a06_replay_queue(s) { s.effects.replay = true; }
    /// Vtrr := true.
    A07 a07_keep_transport(s) { s.v.vtrr = true; }
    /// Vtrr := false.
    A08 a08_release_transport(s) { s.v.vtrr = false; }
    /// Vtrr := Transport Disconnect says kept; the local choice may force false.
    A09 a09_transport_as_asked(s) { s.v.vtrr = s.arguments.kept && s.v.keep_transport; }
    /// Append the event to the queue.
    A10 a10_queue_event(s) { s.effects.queue = true; }
    /// Update token ownership from the event.
    A11 a11_move_tokens(s) {
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
    A12 a12_activity_begins(s) { s.v.vact = true; }
    /// Vnextact := true for MAP and SSYNMreq, false for AE and SACTEreq.
    A13 a13_next_activity(s) { s.v.vnextact = matches!(s.event, Event::Map | Event::SSynMajReq); }
    /// If FU(ACT): Vact := Vnextact.
    A14 a14_activity_goes_on(s) { s.v.vact = s.v.fu(Fu::ACTIVITY) && s.v.vnextact; }
    /// Record the request in Vrsp, and its number in Vrspnb when it is a restart; set both discard flags.
    A16 a16_record_request(s) {
        s.v.vrsp = predicate::rank(s.event);
        if let (Vrsp::R, Some(sn)) = (s.v.vrsp, s.arguments.serial) {
            s.v.vrspnb = sn;
        }
        s.v.discard_rcv_flow = true;
        s.v.discard_snd_flow = true;
    }
    /// Vcoll := true.
    A18 a18_collision(s) { s.v.vcoll = true; }
    /// V(M) := max(V(M), sn).
    A19 a19_raise_vm(s) { s.v.v_m = s.v.v_m.max(s.arguments.serial.unwrap_or(0)); }
    /// Vsc := false; in no row.
    A20 a20_no_right_to_confirm(s) { s.v.vsc = false; }
    /// V(M) := V(M) + 1; in no row.
    A21 a21_next_number(s) { s.v.v_m += 1; }
    /// V(A) := V(R) := V(M).
    A22 a22_all_confirmed(s) {
        s.v.v_a = s.v.v_m;
        s.v.v_r = s.v.v_m;
    }
    /// If !Vsc: V(A) := V(M). Then Vsc := true; V(M) := V(M) + 1.
    A23 a23_minor_point_received(s) {
        if !s.v.vsc {
            s.v.v_a = s.v.v_m;
        }
        s.v.vsc = true;
        s.v.v_m += 1;
    }
    /// If Vsc: V(A) := V(M). Then Vsc := false; V(M) := V(M) + 1.
    A24 a24_point_sent(s) {
        if s.v.vsc {
            s.v.v_a = s.v.v_m;
        }
        s.v.vsc = false;
        s.v.v_m += 1;
    }
    /// V(A) := sn + 1.
    A25 a25_minor_point_confirmed(s) {
        if let Some(sn) = s.arguments.serial {
            s.v.v_a = sn.saturating_add(1);
        }
    }
    /// V(A) := V(M) := V(R) := 1.
    A26 a26_activity_numbers(s) {
        s.v.v_a = 1;
        s.v.v_m = 1;
        s.v.v_r = 1;
    }
    /// V(A) := V(M) := sn + 1; V(R) := 1.
    A27 a27_resumed_numbers(s) {
        let next = s.arguments.serial.map_or(1, |sn| sn.saturating_add(1));
        s.v.v_a = next;
        s.v.v_m = next;
        s.v.v_r = 1;
    }
    /// V(A) := V(M) := sn; if Vrsp is a or s: V(R) := 0; Vrsp := no; V(Ado) := V(Adi) := -1; both discard
    /// flags := false.
    A28 a28_resynchronized(s) {
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
    A29 a29_tokens_come_here(s) {
        s.v.tokens_owned = s.v.tokens_available();
        s.v.vact = false;
        no_resynchronization(s.v);
    }
    /// All available tokens become owned by the peer; Vact := false; Vrsp := no; both discard flags :=
    /// false.
    A30 a30_tokens_go_to_peer(s) {
        s.v.tokens_owned = Tokens::empty();
        s.v.vact = false;
        no_resynchronization(s.v);
    }
    /// If !Vsc: V(A) := V(M). Then V(M) := V(M) + 1.
    A31 a31_major_point_received(s) {
        if !s.v.vsc {
            s.v.v_a = s.v.v_m;
        }
        s.v.v_m += 1;
    }
    /// Vdnr := true.
    A32 a32_disconnect_received(s) { s.v.vdnr = true; }
    /// V(Ado) := V(M).
    A41 a41_separation_sent(s) { s.v.v_ado = s.v.v_m as i32; }
    /// V(Ado) := V(Adi) := -1.
    A43 a43_no_separation(s) {
        s.v.v_ado = -1;
        s.v.v_adi = -1;
    }
    /// V(Adi) := V(M).
    A44 a44_separation_received(s) { s.v.v_adi = s.v.v_m as i32; }
    /// Keep the user data for the coming S-CONNECT indication.
    A50 a50_keep_user_data(s) { s.effects.keep_user_data = true; }
    /// Send further CONNECT DATA OVERFLOW SPDUs until no user data is left.
    A51 a51_send_overflow(s) { s.effects.send_overflow = true; }
    /// Local helper, not of the standard: remove PR-RS from the queue.
    AQ1 aq1_drop_prepare(s) { s.effects.drop_prepare = true; }
}

fn no_resynchronization(v: &mut Variables) {
    v.vrsp = Vrsp::No;
    v.discard_rcv_flow = false;
    v.discard_snd_flow = false;
}

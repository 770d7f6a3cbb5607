//! What holds at a quiet point, and which collisions a received SPDU makes.

use colloquy_session::{FunctionalUnits as Fu, Indication, SerialNumber, SerialNumbers, State, Tokens};

use super::ledger::Awaited;
use super::world::World;

impl World<'_> {
    /// With nothing under way both machines agree.
    pub(crate) fn check_quiet(&mut self) {
        if !self.is_quiet() {
            return;
        }
        let [a, b] = self.sides.each_ref().map(|side| &side.session);
        if !(is_up(a.state()) && is_up(b.state())) {
            return;
        }
        assert_eq!(a.functional_units(), b.functional_units());
        let available = a.tokens_available();
        assert_eq!(a.tokens_owned() | b.tokens_owned(), available, "no token is lost");
        assert_eq!(a.tokens_owned() & b.tokens_owned(), Tokens::empty(), "no token is doubled");
        if [a.state(), b.state()] != [State::Sta713; 2] {
            return;
        }
        assert_eq!((a.version(), a.tsdu_maximum_size()), (b.version(), b.tsdu_maximum_size()));
        assert_eq!(a.activity_in_progress(), b.activity_in_progress(), "Vact");
        let (numbers, others) = (a.serial_numbers(), b.serial_numbers());
        // Between activities numbers mean nothing: a point that an interruption threw away is not counted, and
        // the next activity begins its own.
        if a.activity_in_progress() || !a.functional_units().contains(Fu::ACTIVITY) {
            assert_eq!(numbers.next, others.next, "V(M)");
            // A major point that an exception dropped leaves Vsc false on both sides: when its acceptor sends the
            // next point, one side takes its V(A) up to V(M) and the other does not. The confirmation that the
            // higher one allows is among those that the lower one takes.
            if !self.major_dropped {
                assert_eq!(numbers.lowest_unconfirmed, others.lowest_unconfirmed, "V(A)");
            }
            assert_eq!(numbers.lowest_restart, others.lowest_restart, "V(R)");
            assert_eq!(
                a.flow_numbers().map(shown),
                b.flow_numbers().map(|[s, r]| shown([r, s])),
                "both flows"
            );
        }
        assert!(!(numbers.may_confirm && others.may_confirm), "only one side confirms");
        for side in &mut self.sides {
            assert_eq!(side.awaited, None, "nothing is left to come");
            assert!(side.waiting.is_empty() || side.may_be_discarded, "{:?}", side.waiting);
            side.waiting.clear();
            side.may_be_discarded = false;
        }
        self.coverage.hit("quiet points in STA713");
    }

    /// Counts collisions: what is about to arrive at a side that waits for something else.
    pub(crate) fn meet(&mut self, side: usize, told: Option<&Indication<'static>>) {
        let Some(told) = told else { return };
        let this = &self.sides[side];
        let state = this.session.state();
        let owned = this.session.tokens_owned();
        let name = match (told, this.awaited) {
            (Indication::Resynchronize(received), Some(Awaited::Resynchronize(own))) => {
                self.coverage.resyncs_met(side, own, received.resync_type);
                "resynchronize x resynchronize"
            }
            (Indication::ActivityInterrupt { .. }, Some(Awaited::Resynchronize(_))) => {
                "interrupt x resynchronize: the resynchronization loses"
            }
            (Indication::ActivityDiscard { .. }, Some(Awaited::Resynchronize(_))) => {
                "discard x resynchronize: the resynchronization loses"
            }
            (Indication::Resynchronize(_), Some(Awaited::Interrupt)) => {
                "interrupt x resynchronize: interrupt wins"
            }
            (Indication::Resynchronize(_), Some(Awaited::Discard)) => "discard x resynchronize: discard wins",
            (Indication::Resynchronize(_), Some(Awaited::SyncMajor)) => "major sync pending x resynchronize",
            (Indication::ActivityInterrupt { .. }, Some(Awaited::SyncMajor)) => {
                "major sync pending x interrupt"
            }
            (Indication::ActivityDiscard { .. }, Some(Awaited::SyncMajor)) => "major sync pending x discard",
            (Indication::UserException { .. }, Some(Awaited::SyncMajor)) => "major sync pending x exception",
            (Indication::Resynchronize(_), Some(Awaited::ActivityEnd)) => {
                "activity end pending x resynchronize"
            }
            (Indication::ActivityInterrupt { .. }, Some(Awaited::ActivityEnd)) => {
                "activity end pending x interrupt"
            }
            (Indication::ActivityDiscard { .. }, Some(Awaited::ActivityEnd)) => {
                "activity end pending x discard"
            }
            (Indication::UserException { .. }, Some(Awaited::ActivityEnd)) => {
                "activity end pending x exception"
            }
            (Indication::Resynchronize(_), Some(Awaited::Release)) => "release x resynchronize",
            (Indication::UserException { .. }, Some(Awaited::Release)) => "release x exception",
            (Indication::Release { .. }, Some(Awaited::Release)) => "release x release",
            (Indication::UserAbort { .. }, _) if this.over => "abort x abort",
            (Indication::UserAbort { .. }, Some(_)) => "abort x a pending request",
            (Indication::TokenPlease { .. }, _) if state == State::Sta18 => "control give x please",
            (Indication::TokenPlease { tokens, .. }, _) if !owned.contains(*tokens) => "token give x please",
            (Indication::UserException { .. }, _)
                if state == State::Sta713 && !owned.contains(Tokens::DATA) =>
            {
                "exception x data token"
            }
            (Indication::SyncMinorConfirm { .. }, Some(_)) => "minor sync confirmed late",
            _ => return,
        };
        self.coverage.hit(name);
    }
}

/// V(M), V(A) and V(R) of two flows.
fn shown(flows: [SerialNumbers; 2]) -> [[SerialNumber; 3]; 2] {
    flows.map(|flow| [flow.next, flow.lowest_unconfirmed, flow.lowest_restart])
}

/// Connected, and neither at its end nor in a resynchronization: that may have thrown tokens away, whose places
/// its answer tells.
fn is_up(state: State) -> bool {
    !matches!(
        state,
        State::Sta01
            | State::Sta01A
            | State::Sta01B
            | State::Sta01C
            | State::Sta01D
            | State::Sta02A
            | State::Sta02B
            | State::Sta05A
            | State::Sta06
            | State::Sta08
            | State::Sta11A
            | State::Sta11B
            | State::Sta11C
            | State::Sta15D
            | State::Sta16
    )
}

//! What comes out of a machine for its user, held against what the other user asked for.

use colloquy_session::spdu::{DecodeRules, SpduKind};
use colloquy_session::{Indication, State};

use super::ledger::{self, Awaited};
use super::world::World;

impl World<'_> {
    pub(super) fn take_joined(&mut self, side: usize, told: &mut Option<Indication<'static>>) {
        while let Some(joined) = self.sides[side].session.take_joined() {
            let mut tsdu = joined.tsdu();
            let state = self.sides[side].session.state();
            let waiting = self.sides[side].waiting.len();
            while let Some(indication) = self.sides[side].session.handle_tsdu(self.now, &mut tsdu) {
                self.indicated(side, &indication, told);
            }
            let first = joined.tsdu().next_spdu(&DecodeRules::LENIENT).ok().flatten();
            let expedited = first.filter(|view| view.kind == SpduKind::ExpeditedData);
            if let Some(view) = expedited
                && self.sides[side].waiting.len() == waiting
            {
                // Those in front of it were discarded meanwhile.
                let user_data = view.user_information;
                let is_this = |waiting: &Indication<'_>| *waiting == Indication::ExpeditedData { user_data };
                let waiting = &mut self.sides[side].waiting;
                let at = waiting.iter().position(is_this).expect("it came from there");
                let again = waiting.drain(..=at).next_back().expect("at least this one");
                self.swallowed(side, state, again);
            }
        }
    }

    /// A TSDU that was not indicated: kept for later, or thrown away where a state says so.
    pub(super) fn swallowed(&mut self, side: usize, state: State, told: Indication<'static>) {
        let expedited = matches!(told, Indication::ExpeditedData { .. });
        let keeps = matches!(state, State::Sta02A | State::Sta06 | State::Sta15A | State::Sta15C);
        if expedited && keeps {
            self.coverage.hit("EX kept for later");
            self.sides[side].waiting.push_back(told);
            return;
        }
        let purges = matches!(
            state,
            State::Sta01
                | State::Sta01A
                | State::Sta05A
                | State::Sta05B
                | State::Sta05C
                | State::Sta06
                | State::Sta15B
                | State::Sta15C
                | State::Sta15D
                | State::Sta16
                | State::Sta19
                | State::Sta20
        );
        assert!(purges, "{told:?} was lost in {state:?}");
        self.sides[side].purged = true;
        self.coverage.hit(match told {
            Indication::Data { .. } | Indication::TypedData { .. } => "data purged",
            Indication::Resynchronize(_) => "losing RS dropped",
            _ => "other SPDU purged",
        });
    }

    pub(crate) fn indicated(
        &mut self,
        side: usize,
        indication: &Indication<'_>,
        told: &mut Option<Indication<'static>>,
    ) {
        if self.trace {
            eprintln!("{side}   {:?}: is told {indication:?}", self.sides[side].session.state());
        }
        assert!(!self.sides[side].over, "{indication:?} after the end");
        let waiting = &mut self.sides[side].waiting;
        let is_expected = match told {
            Some(expected) if &*expected == indication => {
                *told = None;
                true
            }
            _ => match waiting.iter().position(|waiting| waiting == indication) {
                Some(at) => {
                    waiting.drain(..=at);
                    self.coverage.hit("EX indicated later");
                    true
                }
                None => false,
            },
        };
        self.coverage.hit(super::coverage::name_of_indication(indication));
        match indication {
            Indication::Connect(connect) => assert_eq!(connect.user_data, self.setup.connect.user_data),
            Indication::ConnectConfirm(accept) => assert_eq!(accept.user_data, self.setup.accept.user_data),
            Indication::ConnectRefused(_) => self.sides[side].over = true,
            // What AC asked for.
            Indication::TokenPlease { tokens, user_data: [] } if !is_expected => {
                assert_eq!(
                    *tokens,
                    self.setup.accept.tokens_please & self.sides[side].session.tokens_available()
                );
            }
            _ => {
                let fault = self.sides[side].session.take_fault();
                assert!(is_expected, "{indication:?} instead of {told:?}: {fault:?}");
            }
        }
        self.remember(side, indication);
    }

    /// What the user learns from an indication.
    pub(super) fn remember(&mut self, side: usize, indication: &Indication<'_>) {
        let this = &mut self.sides[side];
        if ledger::is_confirm(indication) {
            let awaited = this.awaited.take();
            assert!(
                awaited.is_some_and(|awaited| awaited.is_confirmed_by(indication)),
                "{awaited:?}: {indication:?}"
            );
        }
        if let Indication::Data { enclosure, .. } | Indication::TypedData { enclosure, .. } = indication {
            assert!(enclosure.begin || this.receiving, "the rest of an SSDU whose beginning was not told");
            // In STA15B what the peer had cut short for an exception reported here may still come: PREPARE ended STA19.
            let may_be_cut = this.purged || this.session.state() == State::Sta15B;
            assert!(!enclosure.begin || !this.receiving || may_be_cut, "an SSDU inside an SSDU");
            (this.receiving, this.purged) = (!enclosure.end, false);
        }
        if ledger::cancels(indication) {
            this.receiving = false;
            // An exception that crossed the data token leaves the own SSDU alone.
            if this.session.state() != State::Sta713 {
                this.open = None;
            }
            if let Some(awaited) = this.awaited.take() {
                assert!(
                    !matches!(awaited, Awaited::Interrupt | Awaited::Discard),
                    "{awaited:?} {indication:?}"
                );
                let major = matches!(awaited, Awaited::SyncMajor | Awaited::ActivityEnd);
                let exception = matches!(
                    indication,
                    Indication::UserException { .. } | Indication::ProviderException { .. }
                );
                self.major_dropped |= major && exception;
                self.coverage.hit("pending request cancelled");
            }
        }
        match indication {
            Indication::UserAbort { .. } => this.over = true,
            Indication::Resynchronize(asked) => this.both_flows = asked.second.is_some(),
            Indication::SyncMajorConfirm { .. }
            | Indication::ActivityEndConfirm { .. }
            | Indication::ActivityStart { .. }
            | Indication::ActivityResume(_) => self.major_dropped = false,
            Indication::ActivityInterruptConfirm { .. } | Indication::ActivityDiscardConfirm { .. } => {
                (this.open, this.receiving) = (None, false);
            }
            Indication::ResynchronizeConfirm(_) => {
                (this.receiving, self.major_dropped) = (false, false);
            }
            _ => {}
        }
    }
}

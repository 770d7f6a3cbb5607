//! What must hold of the variables in each state, whatever the peer and the user do.
//!
//! The rules follow from the tables: no row breaks one, from the first event on. They are asserted after each event
//! of a debug build, and held by a test that walks at random through the machine.

use super::variables::{SERIAL_NEXT_MAX, Variables, Vrsp};
use super::{Flow, State};
use crate::FunctionalUnits as Fu;

/// A rule: whether it holds, and what it says.
type Rule = (bool, &'static str);

impl Variables {
    /// What must hold in `state` whatever the peer does; the name of the first broken rule.
    ///
    /// # Errors
    /// The broken rule.
    pub fn invariants(&self, state: State) -> Result<(), &'static str> {
        match self.broken_rules(state).first() {
            Some(rule) => Err(rule),
            None => Ok(()),
        }
    }

    /// The rules that do not hold in `state`; none in a machine that works.
    pub fn broken_rules(&self, state: State) -> Vec<&'static str> {
        let [sending, receiving] = self.flows.both();
        let groups: [&[Rule]; 6] = [
            &self.unit_rules(state),
            &self.number_rules(state),
            &self.resynchronization_rules(state),
            &self.activity_rules(state),
            &self.flow_rules(sending),
            &self.flow_rules(receiving),
        ];
        let mut broken = Vec::new();
        for rules in groups {
            for (holds, rule) in rules {
                if !holds {
                    broken.push(*rule);
                }
            }
        }
        broken
    }

    /// Units, tokens, release, reuse of the transport connection.
    fn unit_rules(&self, state: State) -> [Rule; 9] {
        let one_duplex = self.fu(Fu::HALF_DUPLEX) != self.fu(Fu::DUPLEX);
        let releasing = matches!(state, State::Sta03 | State::Sta09);
        [
            // A token exists by a unit, and is nowhere without it.
            (self.tokens_available().contains(self.tokens_owned), "only available tokens are owned"),
            // Negotiation leaves one of the two.
            (!is_up(state) || one_duplex, "exactly one of half duplex and duplex"),
            // Reuse is offered only without transport expedited.
            (!self.keep_transport || !self.texp || !self.offer_reuse, "no reuse with transport expedited"),
            // Only two releases on their way collide; nothing but abort leads elsewhere.
            (!self.vcoll || !is_up(state) || releasing, "a release collision is in STA03 or STA09"),
            // A token would have kept one of the two back.
            (
                !self.vcoll || !is_up(state) || self.tokens_available().is_empty(),
                "releases collide without tokens",
            ),
            (!self.vdnr || self.vcoll, "DN before the own answer belongs to a release collision"),
            // The initiator of the transport connection asks, the acceptor is asked.
            (
                !matches!(state, State::Sta01B | State::Sta02A | State::Sta02B) || !self.vtca,
                "the initiator sends CONNECT",
            ),
            (!matches!(state, State::Sta01D | State::Sta08) || self.vtca, "the responder receives CONNECT"),
            // All tokens went with control.
            (state != State::Sta18 || self.tokens_owned.is_empty(), "control given: no token is here"),
        ]
    }

    /// V(A), V(M), V(R), Vsc, V(Ado), V(Adi).
    fn number_rules(&self, state: State) -> [Rule; 6] {
        let points = Fu::MINOR_SYNC | Fu::SYMMETRIC_SYNC;
        let separating = self.fu(Fu::DATA_SEPARATION) && self.functional_units.intersects(points);
        [
            (self.v_a <= self.v_m, "V(A) <= V(M)"),
            (self.v_m <= SERIAL_NEXT_MAX, "V(M) <= 1 000 000"),
            // A restart goes not below V(R), and what confirms raises both.
            (!is_up(state) || self.v_r <= self.v_a, "V(R) <= V(A)"),
            // Only a received minor point gives the right.
            (!self.vsc || self.fu(Fu::MINOR_SYNC), "the right to confirm needs minor synchronize"),
            (self.v_ado >= -1 && self.v_adi >= -1, "V(Ado), V(Adi) >= -1"),
            (separating || (self.v_ado, self.v_adi) == (-1, -1), "separation points need data separation"),
        ]
    }

    /// Vrsp against the state, and the discard flags.
    fn resynchronization_rules(&self, state: State) -> [Rule; 5] {
        use State as S;
        let kind = match state {
            S::Sta05A | S::Sta06 | S::Sta11A => matches!(self.vrsp, Vrsp::R | Vrsp::S | Vrsp::A),
            S::Sta05B | S::Sta11B => self.vrsp == Vrsp::Int,
            S::Sta05C | S::Sta11C => self.vrsp == Vrsp::Dsc,
            S::Sta15C => self.vrsp != Vrsp::No,
            _ => !is_up(state) || self.vrsp == Vrsp::No,
        };
        let discarding = self.discard_rcv_flow || self.discard_snd_flow;
        let both = self.discard_rcv_flow && self.discard_snd_flow;
        let symmetric = self.fu(Fu::SYMMETRIC_SYNC);
        let recorded = self.vrsp != Vrsp::No;
        [
            (kind, "Vrsp says what the state waits for"),
            // Action 16 sets both, actions 28, 29 and 30 clear both. The flows of SS have one flag each.
            (symmetric || both == discarding, "both flows are discarded, or none"),
            // STA15B has rows for what is discarded before the announced SPDU says more.
            (
                symmetric || !is_up(state) || recorded == discarding || state == S::Sta15B,
                "discarding while Vrsp is recorded",
            ),
            // p32 and p33 let no other restart be recorded.
            (self.vrsp != Vrsp::R || symmetric || self.v_r <= self.vrspnb, "a restart not below V(R)"),
            (
                !matches!(self.vrsp, Vrsp::Int | Vrsp::Dsc) || self.fu(Fu::ACTIVITY),
                "interrupt needs activities",
            ),
        ]
    }

    /// Vact and Vnextact, and the units of exceptions and capability data.
    fn activity_rules(&self, state: State) -> [Rule; 7] {
        use State as S;
        let activity = self.fu(Fu::ACTIVITY);
        let between = activity && !self.vact;
        [
            (activity || !self.vact, "an activity needs activity management"),
            (!matches!(state, S::Sta04A | S::Sta10A) || self.vnextact, "a major point leaves the activity"),
            (!matches!(state, S::Sta04B | S::Sta10B) || !self.vnextact, "an activity end ends it"),
            (!matches!(state, S::Sta04B | S::Sta10B) || self.vact, "only an activity in progress ends"),
            (!matches!(state, S::Sta18) || between, "control is given between activities"),
            (
                !matches!(state, S::Sta21 | S::Sta22) || (between && self.fu(Fu::CAPABILITY_DATA)),
                "capability data are exchanged between activities",
            ),
            (!matches!(state, S::Sta19 | S::Sta20) || self.fu(Fu::EXCEPTIONS), "exceptions need their unit"),
        ]
    }

    /// The counters of one flow.
    fn flow_rules(&self, flow: Flow) -> [Rule; 5] {
        let symmetric = self.fu(Fu::SYMMETRIC_SYNC);
        [
            (symmetric || !is_up_with(self) || flow == Flow::new(), "without SS the flows are not counted"),
            (flow.v_a <= flow.v_m, "V(As) <= V(Ms), V(Ar) <= V(Mr)"),
            (flow.v_m <= SERIAL_NEXT_MAX, "V(Ms), V(Mr) <= 1 000 000"),
            (flow.v_r <= flow.v_a, "V(Rs) <= V(As), V(Rr) <= V(Ar)"),
            (!matches!(flow.vrsp, Vrsp::Int | Vrsp::Dsc), "a flow is restarted, set or abandoned"),
        ]
    }
}

/// A session is up: ACCEPT was sent or received, and no end of it.
fn is_up(state: State) -> bool {
    use State as S;
    !matches!(
        state,
        S::Sta01
            | S::Sta01A
            | S::Sta01B
            | S::Sta01C
            | S::Sta01D
            | S::Sta02A
            | S::Sta02B
            | S::Sta08
            | S::Sta15D
            | S::Sta16
    )
}

/// Units are selected, so a session is up or was.
fn is_up_with(v: &Variables) -> bool {
    !v.functional_units.is_empty()
}

//! The variables of the machine, and the parameters an event brings along.

use super::symmetric::Flows;
use crate::{FunctionalUnits, ResyncType, Tokens};

/// Highest value of V(A), V(M) and V(R): one above the highest serial number.
pub const SERIAL_NEXT_MAX: u32 = 1_000_000;

/// Kind of the resynchronization in progress (Vrsp), from the weakest to the strongest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vrsp {
    /// None.
    #[default]
    No,
    /// Restart.
    R,
    /// Set.
    S,
    /// Abandon.
    A,
    /// Activity interrupt.
    Int,
    /// Activity discard.
    Dsc,
}

impl From<ResyncType> for Vrsp {
    fn from(resync_type: ResyncType) -> Vrsp {
        match resync_type {
            ResyncType::Restart => Vrsp::R,
            ResyncType::Set => Vrsp::S,
            ResyncType::Abandon => Vrsp::A,
        }
    }
}

/// The variables of X.225 Annex A.5.4 and the local choices that predicates look at.
///
/// Symmetric synchronize counts in [`Variables::flows`] and leaves V(A), V(M), V(R), Vsc alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variables {
    /// FU(f): functional units selected.
    pub functional_units: FunctionalUnits,
    /// Available tokens that are here. Invariant: a subset of [`Variables::tokens_available`].
    pub tokens_owned: Tokens,
    /// Vtca: this machine accepted the transport connection; so it is the session responder.
    pub vtca: bool,
    /// TEXP: the transport expedited flow is used.
    pub texp: bool,
    /// Vtrr: the transport connection may be kept after release.
    pub vtrr: bool,
    /// Vcoll: release collision.
    pub vcoll: bool,
    /// Vdnr: DN received during a release collision.
    pub vdnr: bool,
    /// Vact: an activity is in progress. Invariant: only with activity management.
    pub vact: bool,
    /// Vnextact: what Vact becomes when the pending MAP or AE is confirmed.
    pub vnextact: bool,
    /// Vsc: this side has the right to confirm minor synchronization points.
    pub vsc: bool,
    /// V(M): the next serial number.
    pub v_m: u32,
    /// V(A): the lowest serial number a confirmation is expected for. Invariant: at most V(M).
    pub v_a: u32,
    /// V(R): the lowest serial number a restart may go back to.
    pub v_r: u32,
    /// Vrsp.
    pub vrsp: Vrsp,
    /// Vrspnb: the serial number when Vrsp is restart.
    pub vrspnb: u32,
    /// The counters of symmetric synchronize; at their start values without that unit.
    pub flows: Flows,
    /// V(Ado): the last data separation point sent; −1 for none.
    pub v_ado: i32,
    /// V(Adi): the last data separation point received; −1 for none.
    pub v_adi: i32,
    /// Discard-rcv-flow.
    pub discard_rcv_flow: bool,
    /// Discard-snd-flow.
    pub discard_snd_flow: bool,
    /// Local choice of p02 and action 9: keep the transport connection where the peer allows it.
    pub keep_transport: bool,
    /// Local choice of p64: offer reuse of the transport connection in FN.
    pub offer_reuse: bool,
}

impl Variables {
    /// The values before the first event.
    pub const fn new() -> Variables {
        Variables {
            functional_units: FunctionalUnits::empty(),
            tokens_owned: Tokens::empty(),
            vtca: false,
            texp: false,
            vtrr: false,
            vcoll: false,
            vdnr: false,
            vact: false,
            vnextact: false,
            vsc: false,
            v_m: 1,
            v_a: 1,
            v_r: 0,
            vrsp: Vrsp::No,
            vrspnb: 0,
            flows: Flows::new(),
            v_ado: -1,
            v_adi: -1,
            discard_rcv_flow: false,
            discard_snd_flow: false,
            keep_transport: false,
            offer_reuse: false,
        }
    }

    /// FU(f): all units named are selected.
    pub fn fu(&self, units: FunctionalUnits) -> bool {
        self.functional_units.contains(units)
    }

    /// Tokens t with AV(t). X.225 §5.6 (reference 4.3).
    pub fn tokens_available(&self) -> Tokens {
        tokens_of(self.functional_units)
    }

    /// I(t) for all tokens named: the right can be exercised here.
    pub fn i(&self, tokens: Tokens) -> bool {
        self.tokens_owned.contains(tokens & self.tokens_available())
    }

    /// A(t) for all tokens named: the peer can exercise the right.
    pub fn a(&self, tokens: Tokens) -> bool {
        !self.tokens_owned.intersects(tokens & self.tokens_available())
    }

    /// II(t) for all tokens named: available and here.
    pub fn ii(&self, tokens: Tokens) -> bool {
        self.tokens_available().contains(tokens) && self.tokens_owned.contains(tokens)
    }

    /// AA(t) for all tokens named: available and not here.
    pub fn aa(&self, tokens: Tokens) -> bool {
        self.tokens_available().contains(tokens) && !self.tokens_owned.intersects(tokens)
    }

    /// FU(SS): both flows count for themselves.
    pub(super) fn symmetric(&self) -> bool {
        self.fu(FunctionalUnits::SYMMETRIC_SYNC)
    }

    /// No activity management, or an activity in progress.
    pub(super) fn in_activity(&self) -> bool {
        !self.fu(FunctionalUnits::ACTIVITY) || self.vact
    }

    /// Activity management, and no activity in progress.
    pub(super) fn between_activities(&self) -> bool {
        self.fu(FunctionalUnits::ACTIVITY) && !self.vact
    }
}

impl Default for Variables {
    fn default() -> Self {
        Self::new()
    }
}

/// The tokens that exist with these units selected: the data token with half duplex, minor with minor
/// synchronize, major/activity with major synchronize or activity management, release with negotiated
/// release.
pub fn tokens_of(units: FunctionalUnits) -> Tokens {
    let mut tokens = Tokens::empty();
    tokens.set(Tokens::DATA, units.contains(FunctionalUnits::HALF_DUPLEX));
    tokens.set(Tokens::MINOR, units.contains(FunctionalUnits::MINOR_SYNC));
    tokens.set(Tokens::MAJOR, units.intersects(FunctionalUnits::MAJOR_SYNC.union(FunctionalUnits::ACTIVITY)));
    tokens.set(Tokens::RELEASE, units.contains(FunctionalUnits::NEGOTIATED_RELEASE));
    tokens
}

/// What an event brings along for predicates and actions. Fields an event does not have stay at their
/// default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// GT, RT: tokens named in GT, PT, S-TOKEN-GIVE or S-TOKEN-PLEASE.
    pub tokens: Tokens,
    /// Tokens that are here once SCONrsp+, AC, SRSYNrsp or RA has taken effect.
    pub positions: Tokens,
    /// sn: the serial number carried.
    pub serial: Option<u32>,
    /// The second serial number carried (PI 54; in CN and AC PI 55). Symmetric synchronize only.
    pub second_serial: Option<u32>,
    /// The second resync type carried (PI 53) in RS, PR-RS and S-RESYNCHRONIZE request. Symmetric synchronize
    /// only; restart, set or abandon.
    pub second_resync: Option<Vrsp>,
    /// The first resync type carried (PI 27) in PR-RS, whose event does not name it. Symmetric synchronize
    /// only.
    pub first_resync: Option<Vrsp>,
    /// Transport Disconnect says that the transport connection is kept.
    pub kept: bool,
    /// Units present in both CN and AC.
    pub functional_units: FunctionalUnits,
    /// The transport expedited flow was agreed.
    pub transport_expedited: bool,
    /// p76: the CONNECT is not acceptable.
    pub unacceptable: bool,
    /// p204: more than 10 240 octets of user data.
    pub overflow: bool,
    /// p202: the last CONNECT DATA OVERFLOW.
    pub last: bool,
}

impl Arguments {
    /// An event without parameters.
    pub const NONE: Arguments = Arguments {
        tokens: Tokens::empty(),
        positions: Tokens::empty(),
        serial: None,
        second_serial: None,
        second_resync: None,
        first_resync: None,
        kept: false,
        functional_units: FunctionalUnits::empty(),
        transport_expedited: false,
        unacceptable: false,
        overflow: false,
        last: false,
    };

    /// An event that names tokens.
    pub const fn tokens(tokens: Tokens) -> Arguments {
        Arguments { tokens, ..Arguments::NONE }
    }
}

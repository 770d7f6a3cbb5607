//! What the application keeps of one session.

use std::time::Duration;

use colloquy_session::{Tokens, TsduMaximumSize};
use colloquy_shard::SessionId;
use colloquy_transport::class0::ConnectTpdu;

use super::closing::{Closing, Why};
use super::drain::Drained;
use super::held::HeldFlows;
use super::relay::retry::Attempt;
use super::stops::Stops;
use super::watch::Watch;
use crate::limits::Ticket;

/// State of one session, in its slot of the shard. Small while idle: what is rare is boxed.
#[derive(Debug)]
pub struct SessionState {
    pub(crate) role: Role,
    pub(crate) phase: Phase,
    /// The other session of a relay, until one of the two has ended.
    pub(crate) partner: Option<SessionId>,
    /// This side was asked to release (FN sent) because the other side's peer wants to.
    pub(crate) release_requested: bool,
    /// The data token was asked for and has not come.
    pub(crate) token_asked: bool,
    /// Tokens that the upstream asked for in AC, until the machine has indicated that too.
    pub(crate) asked_in_accept: Tokens,
    /// TSDU maximum sizes that the downstream proposed, until it is answered.
    pub(crate) tsdu_proposed: TsduMaximumSize,
    /// An interrupt of the other leg's peer that this leg cannot ask for before its capability data are answered.
    pub(crate) interrupt: Option<Box<Interrupt>>,
    /// Segments of an SSDU whose first one was dropped, so that the others are dropped too.
    pub(crate) skipping: bool,
    /// What the timer is for that runs.
    pub(crate) timer: TimerFor,
    /// Why it is not read from, beside the congestion of the other side.
    pub(crate) stops: Stops,
    /// When that timer runs out.
    pub(crate) timer_at: Option<Duration>,
    /// What runs beside it: the idle timer, the end of a throttle.
    pub(crate) watch: Option<Box<Watch>>,
    /// What an accepted session has taken of the limits.
    pub(crate) ticket: Option<Box<Ticket>>,
    /// `octets_in` from which on further octets must be asked for; never, where nothing limits them.
    pub(crate) octets_in_next: u64,
    /// Indications that are no data, for the idle timer.
    pub(crate) primitives_in: u64,
    /// How far the gateway is with ending it.
    pub(crate) closing: Closing,
    /// Why the gateway ends it.
    pub(crate) why: Option<Why>,
    /// Where it stands in a drain.
    pub(crate) drained: Drained,
    /// Its open record is made.
    pub(crate) open_recorded: bool,
    /// When it was established, in nanoseconds of the shard's time; 0: it was not.
    pub(crate) established_at: u64,
    /// Place in the list of live sessions.
    pub(crate) live_index: Option<u32>,
    pub(crate) ssdus_in: u64,
    pub(crate) ssdus_out: u64,
    pub(crate) octets_in: u64,
    pub(crate) octets_out: u64,
    /// When it was opened to a target, later when FN came or went, in nanoseconds of the shard's time; 0: neither.
    pub(crate) stage_began: u64,
    /// Segments of an SSDU that is being joined, or SSDUs that wait for the data token.
    pub(crate) held: HeldFlows,
    /// The transport selectors of the downstream: the upstream is opened with them, and so is that of the next
    /// session on the same connection.
    pub(crate) transport: Option<Box<ConnectTpdu>>,
    /// What further targets would be asked for, while a downstream waits and there may be one.
    pub(crate) attempt: Option<Box<Attempt>>,
    /// An upstream whose transport connection was open before it was wanted.
    pub(crate) was_warm: bool,
}

impl Default for SessionState {
    fn default() -> Self {
        SessionState {
            role: Role::default(),
            phase: Phase::default(),
            partner: None,
            release_requested: false,
            token_asked: false,
            asked_in_accept: Tokens::empty(),
            tsdu_proposed: TsduMaximumSize::default(),
            interrupt: None,
            skipping: false,
            timer: TimerFor::default(),
            timer_at: None,
            watch: None,
            ticket: None,
            octets_in_next: u64::MAX,
            primitives_in: 0,
            stops: Stops::default(),
            closing: Closing::default(),
            why: None,
            drained: Drained::default(),
            open_recorded: false,
            established_at: 0,
            live_index: None,
            ssdus_in: 0,
            ssdus_out: 0,
            octets_in: 0,
            octets_out: 0,
            stage_began: 0,
            held: HeldFlows::default(),
            transport: None,
            attempt: None,
            was_warm: false,
        }
    }
}

/// What a session is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// A connection that ended before its CR.
    #[default]
    Unknown,
    /// Accepted, sends SSDUs back.
    Echo { listener: u16 },
    /// Accepted, takes SSDUs.
    Sink { listener: u16 },
    /// Accepted, relayed to a target.
    Downstream {
        listener: u16,
        /// The route that took it, once S-CONNECT is indicated; none where the listener has a destination of its own.
        route: Option<u16>,
        /// Where it went, once that is chosen.
        target: Option<u16>,
    },
    /// Opened to a target for a downstream.
    Upstream { target: u16 },
    /// Opened to see whether a target answers.
    Probe { target: u16 },
    /// A transport connection to a target, opened before a session wants it.
    Warm { target: u16 },
}

/// What a session's timer is for: one thing at a time, whatever else waits comes after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TimerFor {
    /// None runs.
    #[default]
    Nothing,
    /// An upstream's answer to CN.
    Answer,
    /// The answer to FN.
    Release,
    /// The release that the gateway itself wants.
    Closing,
    /// The next target that is tried for a downstream.
    Retry,
    /// The answer to a health check.
    Probe,
    /// CC on a connection that no session wants yet.
    Warm,
}

impl TimerFor {
    /// What the timer is for, in a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            TimerFor::Nothing => "nothing",
            TimerFor::Answer => "answer",
            TimerFor::Release => "release",
            TimerFor::Closing => "closing",
            TimerFor::Retry => "retry",
            TimerFor::Probe => "probe",
            TimerFor::Warm => "warm",
        }
    }
}

/// How far a session is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Before the answer to S-CONNECT.
    #[default]
    Connecting,
    /// Established.
    Open,
    /// Nothing of it concerns the other side any more.
    Over,
}

/// S-ACTIVITY-INTERRUPT request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interrupt {
    pub(crate) reason: u8,
    pub(crate) user_data: Vec<u8>,
}

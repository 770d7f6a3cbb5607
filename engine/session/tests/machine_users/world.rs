//! One session from its beginning to its end, and what must hold all the way.

use std::collections::VecDeque;
use std::time::Duration;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    Enclosure, Indication, ProviderAbortReason, RefuseParameters, Request, Session, State,
};

use super::coverage::Coverage;
use super::ledger::{self, Awaited, Shown};
use super::setup::Setup;
use super::user;
use super::wire::{Parcel, Wire};
use crate::machine_support::{Random, Sent, drain};

/// Steps after which a session that still wants to end counts as a deadlock.
const STEPS_TO_END_MAX: usize = 2000;

/// One side: the machine, and what its user knows.
pub(crate) struct Side {
    pub(crate) session: Session,
    pub(crate) wire: Wire,
    /// Expedited TSDUs that came ahead of their time, to be indicated later.
    pub(crate) waiting: VecDeque<Indication<'static>>,
    /// Some of these may have been discarded, which nobody is told.
    pub(crate) may_be_discarded: bool,
    pub(crate) awaited: Option<Awaited>,
    /// Rest of the SSDU that this user sends in parts, and whether it is typed data.
    pub(crate) open: Option<(&'static [u8], bool)>,
    /// An SSDU of which the user was told the first part.
    pub(crate) receiving: bool,
    /// Since then something was thrown away.
    pub(crate) purged: bool,
    /// The resynchronization that was indicated last concerns both flows.
    pub(crate) both_flows: bool,
    /// The user was told that the session is over, or ended it.
    pub(crate) over: bool,
}

impl Side {
    fn new(session: Session) -> Side {
        let (wire, waiting) = (Wire::default(), VecDeque::new());
        Side {
            session,
            wire,
            waiting,
            may_be_discarded: false,
            awaited: None,
            open: None,
            receiving: false,
            purged: false,
            both_flows: false,
            over: false,
        }
    }
}

/// Two sides and all between them.
pub(crate) struct World<'c> {
    pub(crate) random: Random,
    pub(crate) seed: Seed,
    pub(crate) setup: Setup,
    pub(crate) sides: [Side; 2],
    pub(crate) now: Duration,
    pub(crate) coverage: &'c mut Coverage,
    pub(crate) trace: bool,
    /// A major point was dropped by an exception, and nothing has settled V(A) since.
    pub(crate) major_dropped: bool,
}

/// Says which session failed, whatever it was that failed.
#[derive(Debug)]
pub(crate) struct Seed(pub(crate) u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("session {}: run again with COLLOQUY_SESSION={} for a trace", self.0, self.0);
        }
    }
}

impl<'c> World<'c> {
    pub(crate) fn new(seed: u64, trace: bool, coverage: &'c mut Coverage) -> World<'c> {
        let mut random = Random::new(seed);
        let setup = Setup::random(&mut random);
        World::with(Seed(seed), random, setup, trace, coverage)
    }

    pub(crate) fn with(
        seed: Seed,
        random: Random,
        setup: Setup,
        trace: bool,
        coverage: &'c mut Coverage,
    ) -> World<'c> {
        let mut initiator = Session::initiator(&setup.config, &setup.connect).expect("a legal request");
        let mut responder = Session::responder(&setup.config);
        if setup.expedited {
            responder.use_transport_expedited();
        }
        initiator.transport_connected(Duration::ZERO, setup.expedited);
        let sides = [Side::new(initiator), Side::new(responder)];
        let mut world =
            World { random, seed, setup, sides, now: Duration::ZERO, coverage, trace, major_dropped: false };
        if trace {
            eprintln!("{setup:?}");
        }
        world.collect(0, None);
        world
    }

    /// Lives for some steps, then drives towards the release.
    pub(crate) fn run(&mut self, steps: usize) {
        let pace = self.random.pick(&[2, 2, 3, 5, 8]);
        for _ in 0..steps {
            if self.is_over() {
                return;
            }
            self.step(pace);
        }
        let releaser = self.random.below(2);
        for _ in 0..STEPS_TO_END_MAX {
            if self.is_over() {
                return;
            }
            self.step_towards_release(releaser);
        }
        panic!("the session does not end: {:?}", self.sides.each_ref().map(|side| side.session.state()));
    }

    /// True when the transport connection has ended, or is kept and nobody wants it.
    fn is_over(&mut self) -> bool {
        let states = self.sides.each_ref().map(|side| side.session.state());
        let kept = states == [State::Sta01C; 2] && self.is_quiet();
        if kept && self.random.coin() {
            self.begin_anew();
            return false;
        }
        if kept {
            self.lose_transport();
        }
        kept || states == [State::Sta01; 2]
    }

    /// The next session on the transport connection that was kept.
    fn begin_anew(&mut self) {
        for side in &mut self.sides {
            assert!(side.over || side.awaited.is_none(), "{:?}", side.awaited);
            (side.open, side.over, side.awaited, side.receiving) = (None, false, None, false);
            side.waiting.clear();
        }
        self.major_dropped = false;
        let Setup { connect, .. } = self.setup;
        let asked = self.sides[0].session.connect_request(self.now, &connect);
        assert_eq!(asked, Ok(()));
        self.coverage.hit("transport connection reused");
        self.collect(0, None);
    }

    /// Deliveries are one in `pace` things that happen, at the start and in the long run.
    fn step(&mut self, pace: usize) {
        let side = self.random.below(2);
        self.coverage.state(self.sides[side].session.state());
        if self.random.one_in(3000) {
            self.lose_transport();
        } else if !self.random.one_in(pace) || !self.deliver(side) {
            self.act(side);
        }
        self.expire(side);
        self.check_quiet();
    }

    fn step_towards_release(&mut self, releaser: usize) {
        let side = self.random.below(2);
        // Seldom while something is under way: the other side might never catch up.
        if self.is_quiet() || self.random.one_in(8) {
            self.act_towards_release(side, releaser);
        }
        self.deliver(side);
        self.expire(side);
        self.check_quiet();
    }

    fn act_towards_release(&mut self, side: usize, releaser: usize) {
        if self.sides[side].session.state() == State::Sta08 {
            self.answer_connect(side);
        } else if self.sides[side].open.is_some() {
            self.send_data(side);
        } else {
            for request in user::towards_release(&self.sides[side].session, side == releaser) {
                if self.request(side, request) {
                    break;
                }
            }
        }
    }

    /// One thing a user does.
    fn act(&mut self, side: usize) {
        let state = self.sides[side].session.state();
        if state == State::Sta08 {
            return self.answer_connect(side);
        }
        if self.random.one_in(3)
            && let Some(response) = user::response(&mut self.random, &self.sides[side].session)
        {
            self.request(side, response);
            return;
        }
        let release_odds = if user::has_tokens(&self.sides[side].session) { 60 } else { 15 };
        if self.random.one_in(3) {
            self.send_data(side);
        } else if self.random.one_in(release_odds) {
            let user_data = user::user_data(&mut self.random);
            self.request(side, Request::Release { user_data });
        } else if self.random.one_in(400) {
            let user_data = user::octets(&mut self.random, 24);
            self.request(side, Request::Abort { user_data });
        } else {
            let request = user::any_request(&mut self.random, &self.sides[side].session);
            self.request(side, request);
        }
    }

    fn answer_connect(&mut self, side: usize) {
        let session = &mut self.sides[side].session;
        if self.random.one_in(30) {
            let refuse = RefuseParameters { reason: 2, user_data: b"not today", transport_kept: false };
            session.connect_refuse(self.now, &refuse).expect("the state asks for it");
            self.sides[side].over = true;
        } else if session.connect_response(self.now, &self.setup.accept).is_err() {
            // An answer that leaves neither duplexity, or what cannot be without the other units.
            let refuse = RefuseParameters { reason: 0, user_data: &[], transport_kept: false };
            session.connect_refuse(self.now, &refuse).expect("the state asks for it");
            self.sides[side].over = true;
        }
        self.collect(side, None);
    }

    /// Asks the machine; what it refuses must have changed nothing.
    pub(crate) fn request(&mut self, side: usize, request: Request<'static>) -> bool {
        let compare = self.random.one_in(16);
        let session = &mut self.sides[side].session;
        let before = Shown::of(session, side);
        let snapshot = compare.then(|| format!("{session:?}"));
        let shown = |session: &Session| {
            (session.state(), session.serial_numbers(), session.flow_numbers(), session.tokens_owned())
        };
        let numbers = shown(session);
        let answered = session.request(self.now, &request);
        if self.trace && (answered.is_ok() || std::env::var_os("COLLOQUY_REFUSED").is_some()) {
            eprintln!("{side} {:?} -> {:?}: {request:?} {answered:?}", numbers.0, session.state());
        }
        if let Err(error) = answered {
            assert!(
                snapshot.is_none_or(|snapshot| snapshot == format!("{session:?}")),
                "{request:?} {error}"
            );
            assert_eq!(numbers, shown(session), "{request:?} {error}");
            assert_eq!(drain(session), [], "{request:?} {error}");
            self.coverage.hit("request refused");
            return false;
        }
        self.coverage.steps += 1;
        let after = Shown::of(session, side);
        let told = ledger::told(&request, &before, &after, self.sides[side].both_flows);
        self.accepted(side, &request, numbers.0);
        self.take_joined(side, &mut None);
        if numbers.0 == State::Sta15A && !self.sides[side].waiting.is_empty() {
            // They waited for a major confirm that this request has cancelled: those in front of a PREPARE are
            // discarded, those behind it wait again.
            self.sides[side].may_be_discarded = true;
            self.coverage.hit("request while EX waits");
        }
        self.collect(side, Some(told));
        true
    }

    /// What the user remembers of a request that was taken.
    fn accepted(&mut self, side: usize, request: &Request<'static>, state: State) {
        let this = &mut self.sides[side];
        // In STA15B all but these is thrown away with what the coming resynchronization throws away.
        let counts = state != State::Sta15B
            || matches!(
                request,
                Request::Resynchronize(_)
                    | Request::ActivityInterrupt { .. }
                    | Request::ActivityDiscard { .. }
            );
        if let Some(awaited) = Awaited::of_request(request).filter(|_| counts) {
            if this.awaited.is_some() {
                self.coverage.hit("own pending request replaced by another");
            }
            if matches!(awaited, Awaited::Release) && state == State::Sta09 {
                self.coverage.hit("S-RELEASE req while one is indicated");
            }
            this.awaited = Some(awaited);
        }
        match request {
            Request::Abort { .. } => {
                this.over = true;
                self.coverage.hit("S-U-ABORT req");
            }
            Request::Resynchronize(_)
            | Request::ActivityInterrupt { .. }
            | Request::ActivityDiscard { .. }
            | Request::UserException { .. } => (this.open, this.purged) = (None, true),
            _ => {}
        }
    }

    /// Sends an SSDU, or the next part of one.
    fn send_data(&mut self, side: usize) {
        let World { random, sides, .. } = self;
        let from = &mut sides[side];
        let begin = from.open.is_none();
        let (whole, typed) = from.open.unwrap_or_else(|| (user::octets(random, 700), random.one_in(3)));
        let parts = from.session.send_octets_max().is_some();
        let end = !parts || !random.one_in(3);
        let octets = if end { whole.len() } else { random.below(whole.len() + 1) };
        let (mut body, rest) = whole.split_at(octets);
        let enclosure = Enclosure { begin, end };
        let state = from.session.state();
        let segments = match typed {
            true => from.session.typed_data_request(octets, enclosure),
            false => from.session.data_request(octets, enclosure),
        };
        let Ok(segments) = segments else {
            assert_eq!(drain(&mut from.session), []);
            return;
        };
        if self.trace {
            eprintln!("{side} {state:?}: data of {octets} octets, typed: {typed}, {enclosure:?}");
        }
        self.coverage.steps += 1;
        from.open = (!end).then_some((rest, typed));
        let wire = &mut sides[1 - side].wire;
        let mut segments = segments.enumerate().peekable();
        while let Some((index, segment)) = segments.next() {
            let (part, after) = body.split_at(segment.octets);
            body = after;
            let user_data_offset = segment.header().len();
            let enclosure = Enclosure { begin: begin && index == 0, end: end && segments.peek().is_none() };
            let told = match typed {
                true => Indication::TypedData { user_data: part, user_data_offset, enclosure },
                false => Indication::Data { user_data: part, user_data_offset, enclosure },
            };
            wire.put(Sent::Tsdu([segment.header(), part].concat()), Some(told));
        }
    }

    /// Moves what the machine wants to send onto the wire; `told` goes with the last TSDU.
    pub(crate) fn collect(&mut self, side: usize, told: Option<Indication<'static>>) {
        let sent = drain(&mut self.sides[side].session);
        let last = sent.iter().rposition(|sent| *sent != Sent::Disconnect);
        for (index, item) in sent.into_iter().enumerate() {
            if self.trace {
                eprintln!("{side}   sends {item:02x?}");
            }
            assert!(self.setup.expedited || !matches!(item, Sent::Expedited(_)), "there is no such flow");
            let told = told.filter(|_| Some(index) == last);
            self.sides[1 - side].wire.put(item, told);
        }
    }

    /// False when nothing is under way.
    fn deliver(&mut self, side: usize) -> bool {
        let Some(Parcel { sent, told, .. }) = self.sides[side].wire.take(&mut self.random) else {
            return false;
        };
        self.coverage.steps += 1;
        self.coverage.hit("TSDUs delivered");
        match sent {
            Sent::Tsdu(octets) => self.feed(side, &mut Tsdu::new(&octets), told),
            Sent::Expedited(octets) => self.feed(side, &mut Tsdu::expedited(&octets), told),
            Sent::Disconnect => {
                let indication = self.sides[side].session.transport_disconnected(self.now);
                assert_eq!(indication, None, "a transport connection ends where the session has");
                for side in &mut self.sides {
                    side.wire.clear();
                }
            }
        }
        true
    }

    fn feed(&mut self, side: usize, tsdu: &mut Tsdu<'_>, mut told: Option<Indication<'static>>) {
        let now = self.now;
        let state = self.sides[side].session.state();
        self.meet(side, told.as_ref());
        while let Some(indication) = self.sides[side].session.handle_tsdu(now, tsdu) {
            self.indicated(side, &indication, &mut told);
        }
        self.take_joined(side, &mut told);
        let after = self.sides[side].session.state();
        if self.trace {
            eprintln!("{side} {state:?} -> {after:?}: received, not indicated: {told:?}");
        }
        let fault = self.sides[side].session.take_fault();
        // An ABORT may overtake its CONNECT: without a session there is nobody to tell, and the log says so.
        let no_session_yet = state == State::Sta01C && matches!(told, Some(Indication::UserAbort { .. }));
        assert!(fault.is_none() || no_session_yet, "{fault:?} in {state:?}");
        if no_session_yet {
            self.coverage.hit("AB came before CN");
            told = None;
        }
        if let Some(told) = told {
            self.swallowed(side, state, told);
        }
        self.collect(side, None);
    }

    fn lose_transport(&mut self) {
        for side in 0..2 {
            let ending = matches!(
                self.sides[side].session.state(),
                State::Sta01 | State::Sta01A | State::Sta01C | State::Sta01D | State::Sta16
            );
            let indication = self.sides[side].session.transport_disconnected(self.now);
            let lost = Indication::ProviderAbort { reason: ProviderAbortReason::TransportDisconnect };
            assert_eq!(indication, (!ending).then_some(lost), "exactly one indication");
            let this = &mut self.sides[side];
            assert!(!(this.over && indication.is_some()), "the user knew of the end");
            this.over = true;
            this.wire.clear();
            assert_eq!(drain(&mut this.session), []);
            assert_eq!(this.session.state(), State::Sta01);
            assert_eq!(this.session.transport_disconnected(self.now), None, "and no second one");
        }
        self.coverage.hit("transport lost");
    }

    /// Lets TIM run out where nothing else is left to come.
    fn expire(&mut self, side: usize) {
        let Some(deadline) = self.sides[side].session.poll_timeout() else { return };
        if self.is_quiet() && self.random.one_in(5) {
            self.now = self.now.max(deadline);
            assert_eq!(self.sides[side].session.handle_timeout(self.now), None);
            self.coverage.hit("TIM expired");
            self.collect(side, None);
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.sides.iter().all(|side| side.wire.is_empty())
    }
}

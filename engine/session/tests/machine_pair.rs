//! Two machines back to back under random legal users: no protocol error, nothing lost or reordered, tokens
//! on exactly one side whenever the wire is quiet, and a clean end.

mod machine_support;

use std::collections::VecDeque;
use std::time::Duration;

use colloquy_session::{
    AcceptParameters, ConnectParameters, Enclosure, FunctionalUnits, Indication, RefuseParameters, Session,
    SessionConfig, State, TokenSettings, TokenSide, Tokens, TsduMaximumSize, Versions,
};
use machine_support::{Random, Sent, accept, connect, drain, feed};

const SESSIONS: usize = 1500;
const STEPS_MAX: usize = 400;
const SIZES: [u16; 5] = [0, 64, 65, 300, 4096];

#[test]
fn random_legal_users_never_meet_a_protocol_error() {
    let mut random = Random::from_environment(143);
    let mut ends = Ends::default();
    for _ in 0..SESSIONS {
        let seed = random.bits();
        run(seed, &mut ends);
    }
    // Every kind of end and of exchange took place, or the users are not random enough.
    let Ends { released, aborted, refused, lost, collisions, negative, ssdus, segments, tokens, joined } =
        ends;
    println!("{ends:?}");
    assert!(released > SESSIONS / 10 && aborted > 50 && refused > 50 && lost > 50);
    assert!(
        collisions > 20 && negative > 20 && ssdus > SESSIONS && segments > ssdus && tokens > SESSIONS / 4
    );
    assert!(joined > 20);
}

/// What the runs saw.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    released: usize,
    aborted: usize,
    refused: usize,
    lost: usize,
    collisions: usize,
    negative: usize,
    ssdus: usize,
    segments: usize,
    tokens: usize,
    joined: usize,
}

/// One side: the machine, its user, and what travels to it.
struct Side {
    session: Session,
    wire: VecDeque<Sent>,
    /// Bodies of the SSDUs sent, in order, as far as not yet received by the other side.
    sent: VecDeque<Vec<u8>>,
    /// Rest of the SSDU that this user sends in parts.
    open: Option<Vec<u8>>,
    received: Vec<u8>,
    release_requested: bool,
    /// The user was told that the session is over, or ended it.
    over: bool,
}

impl Side {
    fn new(session: Session) -> Side {
        let (wire, sent) = (VecDeque::new(), VecDeque::new());
        Side { session, wire, sent, open: None, received: Vec::new(), release_requested: false, over: false }
    }
}

struct Run<'r> {
    random: Random,
    sides: [Side; 2],
    now: Duration,
    seed: u64,
    ends: &'r mut Ends,
    big: Vec<u8>,
}

fn run(seed: u64, ends: &mut Ends) {
    let mut random = Random::new(seed);
    let versions = random.pick(&[Versions::V1, Versions::V2, Versions::all()]);
    let duplexity = random.pick(&[
        FunctionalUnits::DUPLEX,
        FunctionalUnits::HALF_DUPLEX,
        FunctionalUnits::DUPLEX | FunctionalUnits::HALF_DUPLEX,
    ]);
    let mut requirements = duplexity;
    requirements.set(FunctionalUnits::NEGOTIATED_RELEASE, random.coin());
    let sides = [TokenSide::Initiator, TokenSide::Responder, TokenSide::AcceptorChooses];
    let token_settings =
        TokenSettings { data: random.pick(&sides), release: random.pick(&sides), ..Default::default() };
    let sizes = TsduMaximumSize {
        initiator_to_responder: random.pick(&SIZES),
        responder_to_initiator: random.pick(&SIZES),
    };
    let tsdu_maximum_size = random.coin().then_some(sizes);
    let connect =
        ConnectParameters { versions, requirements, token_settings, tsdu_maximum_size, ..connect() };
    let config = SessionConfig { strict: random.coin(), ..SessionConfig::default() };
    let initiator = Session::initiator(&config, &connect).expect("a legal request");
    let responder = Session::responder(&config);
    let sides = [Side::new(initiator), Side::new(responder)];
    let mut run = Run { random, sides, now: Duration::ZERO, seed, ends, big: vec![0x42; 9000] };
    run.sides[0].session.transport_connected(Duration::ZERO, false);
    run.collect(0);
    for step in 0.. {
        if run.sides.iter().all(|side| side.session.state() == State::Sta01) {
            break;
        }
        assert!(step < 20 * STEPS_MAX, "seed {seed}: the session does not end");
        run.step(step > STEPS_MAX);
    }
}

impl Run<'_> {
    fn step(&mut self, in_a_hurry: bool) {
        let side = self.random.below(2);
        if self.random.one_in(2) {
            self.deliver(side);
        } else if self.random.one_in(if in_a_hurry { 20 } else { 2000 }) {
            self.lose_transport();
        } else {
            self.act(side, in_a_hurry);
        }
        self.expire(side);
        self.check_quiet();
    }

    /// Moves what the machine wants to send onto the wire to the other side.
    fn collect(&mut self, side: usize) {
        let sent = drain(&mut self.sides[side].session);
        self.sides[1 - side].wire.extend(sent);
    }

    fn deliver(&mut self, side: usize) {
        let Some(item) = self.sides[side].wire.pop_front() else { return };
        let indications = match item {
            Sent::Tsdu(octets) => feed(&mut self.sides[side].session, &octets),
            Sent::Expedited(octets) => unreachable!("no expedited flow was agreed: {octets:02x?}"),
            Sent::Disconnect => {
                let indication = self.sides[side].session.transport_disconnected(self.now);
                indication.into_iter().collect()
            }
        };
        assert_eq!(self.sides[side].session.take_fault(), None, "seed {}", self.seed);
        for indication in indications {
            self.indicated(side, indication);
        }
        self.collect(side);
    }

    fn indicated(&mut self, side: usize, indication: Indication<'static>) {
        let seed = self.seed;
        assert!(!self.sides[side].over, "seed {seed}: {indication:?} after the end");
        match indication {
            Indication::Data { user_data, enclosure, .. } => self.data(side, user_data, enclosure),
            Indication::ReleaseConfirm { affirmative, user_data } => {
                self.ends.joined += usize::from(user_data.len() > 300);
                self.ends.negative += usize::from(!affirmative);
                self.sides[side].release_requested = false;
                // In a collision the confirm may come before the own answer is given.
                self.ends.released += usize::from(affirmative);
            }
            Indication::Release { .. } => {
                self.ends.collisions += usize::from(self.sides[side].release_requested);
            }
            Indication::ConnectRefused(_) => {
                self.ends.refused += 1;
                self.sides[side].over = true;
            }
            Indication::UserAbort { .. } => {
                self.ends.aborted += 1;
                self.sides[side].over = true;
            }
            Indication::ProviderAbort { reason } => {
                let lost = colloquy_session::ProviderAbortReason::TransportDisconnect;
                assert_eq!(reason, lost, "seed {seed}: only the transport may end it");
                self.ends.lost += 1;
                self.sides[side].over = true;
            }
            Indication::TokenGive { .. } | Indication::TokenPlease { .. } => self.ends.tokens += 1,
            _ => {}
        }
    }

    fn data(&mut self, side: usize, user_data: &[u8], enclosure: Enclosure) {
        self.ends.segments += 1;
        let seed = self.seed;
        let [receiver, sender] = match side {
            0 => [0, 1],
            _ => [1, 0],
        };
        self.sides[receiver].received.extend_from_slice(user_data);
        if enclosure.end {
            self.ends.ssdus += 1;
            let received = std::mem::take(&mut self.sides[receiver].received);
            let sent = self.sides[sender].sent.pop_front();
            assert_eq!(Some(received), sent, "seed {seed}: content and order");
        }
    }

    /// One thing the user of a side might do. What the machine refuses must change nothing.
    fn act(&mut self, side: usize, in_a_hurry: bool) {
        let before = format!("{:?}", self.sides[side].session);
        let accepted = match self.random.below(if in_a_hurry { 12 } else { 40 }) {
            0..4 => self.respond(side),
            4..6 => self.release(side, in_a_hurry),
            6 if in_a_hurry || self.random.one_in(10) => self.abort(side),
            7..14 => self.tokens(side),
            _ => self.send_data(side),
        };
        if !accepted {
            let after = format!("{:?}", self.sides[side].session);
            assert_eq!(before, after, "seed {}: a refused primitive changes nothing", self.seed);
        }
        self.collect(side);
    }

    /// Answers a connect or release indication, or tries to.
    fn respond(&mut self, side: usize) -> bool {
        let random = &mut self.random;
        let choice = random.pick(&[TokenSide::Initiator, TokenSide::Responder]);
        let session = &mut self.sides[side].session;
        let limit = if session.version() == Some(Versions::V2) { 3000 } else { 400 };
        let finite = session.send_octets_max().is_some();
        let octets = if finite && session.version() != Some(Versions::V2) { 10 } else { random.below(limit) };
        match session.state() {
            State::Sta08 if random.one_in(10) => {
                let refuse = RefuseParameters { reason: 2, user_data: b"no", transport_kept: false };
                session.connect_refuse(self.now, &refuse).is_ok()
            }
            State::Sta08 => {
                let response = AcceptParameters {
                    token_settings: TokenSettings { data: choice, release: choice, ..Default::default() },
                    requirements: random
                        .pick(&[FunctionalUnits::all(), FunctionalUnits::all() - FunctionalUnits::DUPLEX]),
                    ..accept()
                };
                session.connect_response(self.now, &response).is_ok()
            }
            _ => {
                let affirmative = !random.one_in(3);
                session.release_response(self.now, affirmative, &self.big[..octets]).is_ok()
            }
        }
    }

    fn release(&mut self, side: usize, in_a_hurry: bool) -> bool {
        if !in_a_hurry && !self.random.one_in(4) {
            return false;
        }
        let accepted = self.sides[side].session.release_request(self.now, b"bye").is_ok();
        self.sides[side].release_requested |= accepted;
        accepted
    }

    fn abort(&mut self, side: usize) -> bool {
        let accepted = self.sides[side].session.abort_request(self.now, b"123456789").is_ok();
        self.sides[side].over |= accepted;
        accepted
    }

    fn tokens(&mut self, side: usize) -> bool {
        let tokens = Tokens::from_bits_truncate(self.random.bits() as u8);
        let session = &mut self.sides[side].session;
        match self.random.coin() {
            true => session.token_give_request(self.now, tokens, b"").is_ok(),
            false => session.token_please_request(self.now, tokens, b"please").is_ok(),
        }
    }

    /// Sends an SSDU, or the next part of one.
    fn send_data(&mut self, side: usize) -> bool {
        let Run { random, sides, .. } = self;
        let from = &mut sides[side];
        let begin = from.open.is_none();
        let whole = from.open.clone().unwrap_or_else(|| vec![random.bits() as u8; random.below(700)]);
        let parts = from.session.send_octets_max().is_some();
        let end = !parts || !random.one_in(3);
        let octets = if end { whole.len() } else { random.below(whole.len() + 1) };
        let (body, rest) = whole.split_at(octets);
        let Ok(segments) = from.session.data_request(octets, Enclosure { begin, end }) else { return false };
        let mut at = 0;
        let mut tsdus = Vec::new();
        for segment in segments {
            let mut tsdu = segment.header().to_vec();
            tsdu.extend_from_slice(&body[at..at + segment.octets]);
            at += segment.octets;
            tsdus.push(Sent::Tsdu(tsdu));
        }
        assert_eq!(at, octets);
        if begin {
            from.sent.push_back(whole.clone());
        }
        from.open = (!end).then(|| rest.to_vec());
        sides[1 - side].wire.extend(tsdus);
        true
    }

    fn lose_transport(&mut self) {
        for side in 0..2 {
            let indication = self.sides[side].session.transport_disconnected(self.now);
            if let Some(indication) = indication {
                self.indicated(side, indication);
            }
            self.sides[side].wire.clear();
            assert_eq!(drain(&mut self.sides[side].session), []);
            assert_eq!(self.sides[side].session.state(), State::Sta01);
        }
    }

    /// Lets TIM run out where nothing else is left to come.
    fn expire(&mut self, side: usize) {
        let Some(deadline) = self.sides[side].session.poll_timeout() else { return };
        let quiet = self.sides.iter().all(|side| side.wire.is_empty());
        if quiet && self.random.one_in(5) {
            self.now = self.now.max(deadline);
            assert_eq!(self.sides[side].session.handle_timeout(self.now), None);
            self.collect(side);
        }
    }

    /// With nothing on the wire both machines agree.
    fn check_quiet(&self) {
        let [initiator, responder] = [&self.sides[0], &self.sides[1]];
        let quiet = self.sides.iter().all(|side| side.wire.is_empty());
        if !quiet || (initiator.session.state(), responder.session.state()) != (State::Sta713, State::Sta713)
        {
            return;
        }
        let seed = self.seed;
        let (a, b) = (&initiator.session, &responder.session);
        assert_eq!(a.functional_units(), b.functional_units(), "seed {seed}");
        assert_eq!((a.version(), a.tsdu_maximum_size()), (b.version(), b.tsdu_maximum_size()), "seed {seed}");
        let available = a.tokens_available();
        assert_eq!(a.tokens_owned() | b.tokens_owned(), available, "seed {seed}: no token is lost");
        assert_eq!(a.tokens_owned() & b.tokens_owned(), Tokens::empty(), "seed {seed}: no token is doubled");
        assert!(!a.functional_units().contains(FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX));
        for (sender, receiver) in [(initiator, responder), (responder, initiator)] {
            assert_eq!(sender.sent.len(), usize::from(sender.open.is_some()), "seed {seed}: all arrived");
            assert!(sender.open.is_some() || receiver.received.is_empty(), "seed {seed}");
        }
    }
}

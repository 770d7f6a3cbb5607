//! A peer that knows the state, the tokens and the numbers of the machine, and does with every functional unit
//! whatever it likes: the machine does not stop, tells one end, keeps its timer as reference 8.5 says, and sends
//! nothing that strict rules refuse. A user that asks for anything changes nothing when it is refused.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;
mod machine_users;
mod review_peer;

use std::collections::BTreeMap;

use colloquy_session::spdu::*;
use colloquy_session::{Enclosure, Indication, ProviderAbortReason, Session, State, Versions};
use machine_support::*;
use machine_users::setup::Setup;
use machine_users::user::{any_request, octets, response};
use review_peer::{Run, setup_again};

/// Sessions in a run; `COLLOQUY_SESSIONS` sets another number.
const SESSIONS: usize = 3_000;
const STEPS_MAX: usize = 150;

#[test]
fn an_informed_peer_finds_no_way_to_break_the_machine() {
    let mut random = Random::from_environment(8327);
    let sessions = std::env::var("COLLOQUY_SESSIONS").map_or(SESSIONS, |text| text.parse().unwrap());
    let mut reached = BTreeMap::new();
    for _ in 0..sessions {
        let seed = random.bits();
        let run = std::panic::catch_unwind(|| {
            let mut run = begin(seed);
            for _ in 0..STEPS_MAX {
                run.step();
                if run.session.state() == State::Sta01 {
                    break;
                }
            }
            run.finish();
            run.reached
        });
        let Ok(states) = run else { panic!("seed {seed}") };
        for (state, count) in states {
            *reached.entry(state).or_insert(0) += count;
        }
    }
    println!("{reached:?}");
    // STA01B, STA01D and STA02B are over before the first step, or need more user data than this peer sends.
    assert!(reached.len() >= 27, "{} states: {reached:?}", reached.len());
}

fn begin(seed: u64) -> Run {
    let mut random = Random::new(seed);
    let mut setup = Setup::random(&mut random);
    if setup.expedited {
        setup.config.transport_reuse = false;
    }
    let mut initiator = Session::initiator(&setup.config, &setup.connect).unwrap();
    let mut responder = Session::responder(&setup.config);
    initiator.transport_connected(NOW, setup.expedited);
    if setup.expedited {
        responder.use_transport_expedited();
    }
    let as_responder = random.coin();
    let early = random.one_in(8);
    let session = if early && !as_responder {
        initiator
    } else {
        let cn = drain_one(&mut initiator);
        feed(&mut responder, &cn);
        if responder.connect_response(NOW, &setup.accept).is_ok() && !early {
            for sent in drain(&mut responder) {
                let Sent::Tsdu(ac) = sent else { unreachable!() };
                feed(&mut initiator, &ac);
            }
            drain(&mut initiator);
        }
        if as_responder { responder } else { initiator }
    };
    let mut session = session;
    drain(&mut session);
    Run { random, seed, session, setup, ended: false, reached: BTreeMap::new(), open: None }
}

impl Run {
    fn step(&mut self) {
        *self.reached.entry(self.session.state().name()).or_default() += 1;
        match self.random.below(20) {
            0..9 => self.user(),
            9 if self.random.one_in(8) => self.end_by_hand(),
            _ => self.peer(),
        }
        self.look();
    }

    fn end_by_hand(&mut self) {
        let session = &mut self.session;
        match self.random.below(4) {
            0 => {
                self.ended |= session.abort_request(NOW, octets(&mut self.random, 10)).is_ok();
            }
            1 => {
                let told = session.transport_disconnected(NOW);
                assert!(told.is_none() || !self.ended, "seed {}: {told:?}", self.seed);
                self.ended = true;
            }
            2 => {
                let under_way = matches!(session.state(), State::Sta15D | State::Sta01A | State::Sta16);
                session.provider_abort(NOW, ProviderAbortReason::Undefined);
                self.ended |= !under_way;
            }
            _ => {
                if let Some(deadline) = session.poll_timeout() {
                    let told = session.handle_timeout(deadline);
                    assert!(told.is_none() || !self.ended, "seed {}: {told:?}", self.seed);
                    self.ended |= told.is_some();
                }
            }
        }
    }

    fn user(&mut self) {
        let session = &mut self.session;
        let random = &mut self.random;
        for _ in 0..6 {
            let before = format!("{session:?}");
            let taken = match random.below(12) {
                0 => {
                    let connect = setup_again(random, &self.setup);
                    let taken = session.connect_request(NOW, &connect).is_ok();
                    if taken {
                        self.ended = false;
                    }
                    taken
                }
                1 => session.connect_response(NOW, &self.setup.accept).is_ok(),
                2..4 => {
                    let enclosure = Enclosure { begin: random.coin(), end: random.coin() };
                    let enclosure = if random.coin() { Enclosure::WHOLE } else { enclosure };
                    match random.coin() {
                        true => session.data_request(random.below(300), enclosure).is_ok(),
                        false => session.typed_data_request(random.below(300), enclosure).is_ok(),
                    }
                }
                4..7 => match response(random, session) {
                    Some(request) => session.request(NOW, &request).is_ok(),
                    None => false,
                },
                7 if random.one_in(4) => session.release_request(NOW, octets(random, 20)).is_ok(),
                _ => {
                    let request = any_request(random, session);
                    session.request(NOW, &request).is_ok()
                }
            };
            if taken {
                return;
            }
            assert_eq!(before, format!("{session:?}"), "seed {}: refused, yet changed", self.seed);
        }
    }

    fn peer(&mut self) {
        let mut flow = Flow::Normal;
        let mut tsdu = Vec::new();
        let anything = self.random.one_in(50);
        if self.session.state() == State::Sta08 && (!anything || self.random.one_in(3)) {
            return;
        }
        for _ in 0..40 {
            tsdu.clear();
            let (spdu, on) = match self.open.filter(|_| !self.random.one_in(8)) {
                Some(kind) => (self.next_part(kind), Flow::Normal),
                None => self.spdu(),
            };
            flow = on;
            if (anything || self.open.is_some() || self.fits(&spdu)) && spdu.emit_tsdu(&mut tsdu).is_ok() {
                self.note_part(&spdu);
                break;
            }
            tsdu.clear();
        }
        if tsdu.is_empty() {
            return;
        }
        if flow == Flow::Normal && self.open.is_none() && self.random.one_in(12) {
            self.concatenated(&mut tsdu);
        }
        if self.random.one_in(80) {
            let at = self.random.below(tsdu.len());
            tsdu[at] = self.random.bits() as u8;
        }
        self.hear(&tsdu, flow);
        while let Some(joined) = self.session.take_joined() {
            self.indications(&mut joined.tsdu());
        }
    }

    fn hear(&mut self, tsdu: &[u8], flow: Flow) {
        let mut tsdu = match flow {
            Flow::Normal => Tsdu::new(tsdu),
            Flow::Expedited => Tsdu::expedited(tsdu),
        };
        self.indications(&mut tsdu);
    }

    fn indications(&mut self, tsdu: &mut Tsdu<'_>) {
        while let Some(indication) = self.session.handle_tsdu(NOW, tsdu) {
            let state = self.session.state();
            let seed = self.seed;
            if matches!(indication, Indication::Connect(_)) {
                self.ended = false;
            }
            assert!(!self.ended, "seed {seed}: {indication:?} after the end, in {state:?}");
            let over = matches!(state, State::Sta01 | State::Sta16 | State::Sta01C);
            match indication {
                Indication::UserAbort { .. }
                | Indication::ProviderAbort { .. }
                | Indication::ConnectRefused(_) => {
                    assert!(over, "seed {seed}: {indication:?} in {state:?}");
                    self.ended = true;
                }
                Indication::ReleaseConfirm { affirmative: true, .. } => self.ended = over,
                _ => assert!(!over, "seed {seed}: {indication:?} in {state:?}"),
            }
        }
    }

    fn next_part(&mut self, kind: SpduKind) -> Spdu<'static> {
        let user_data = octets(&mut self.random, 20);
        let end = self.random.coin();
        let enclosure = Some(Enclosure { begin: false, end });
        match kind {
            SpduKind::DataTransfer => {
                Spdu::DataTransfer(DataTransfer { enclosure, user_information: user_data })
            }
            SpduKind::TypedData => Spdu::TypedData(TypedData { enclosure, user_information: user_data }),
            kind => Spdu::Segment(Segment { kind, end, user_data }),
        }
    }

    fn note_part(&mut self, spdu: &Spdu<'_>) {
        let mut octets = Vec::new();
        spdu.emit_into(&mut octets).unwrap();
        let text = format!("{spdu:?}");
        let begins = text.contains("enclosure: Some(Enclosure { begin: true, end: false })");
        let ends = text.contains("begin: false, end: true") || text.contains("end: true");
        if begins {
            self.open = Some(spdu.kind());
        } else if ends && self.open == Some(spdu.kind()) {
            self.open = None;
        }
        if matches!(spdu, Spdu::Resynchronize(_) | Spdu::ExceptionData(_) | Spdu::Abort(_)) && !begins {
            self.open = None;
        }
    }

    /// Several SPDUs in one TSDU, in any order.
    fn concatenated(&mut self, tsdu: &mut Vec<u8>) {
        let tokens = self.peers_tokens();
        let head = match self.random.coin() {
            true => Head::Give(GiveTokens { tokens, ..GiveTokens::default() }),
            false => Head::Please(PleaseTokens { tokens, ..PleaseTokens::default() }),
        };
        let mut octets = Vec::new();
        head.spdu().emit_into(&mut octets).unwrap();
        for _ in 0..20 {
            let (spdu, _) = self.spdu();
            let mark = octets.len();
            if mark > 20 {
                break;
            }
            if !self.random.one_in(10) && !self.fits(&spdu) {
                continue;
            }
            if spdu.kind().category() != Category::Two || spdu.emit_into(&mut octets).is_err() {
                octets.truncate(mark);
            }
        }
        *tsdu = octets;
    }

    /// What must hold whenever the machine rests.
    fn look(&mut self) {
        let session = &mut self.session;
        let seed = self.seed;
        let version = session.version();
        let size = session.send_octets_max();
        session.take_fault();
        for sent in drain(session) {
            match sent {
                Sent::Disconnect => assert_eq!(session.state(), State::Sta01, "seed {seed}"),
                Sent::Tsdu(octets) => {
                    let is_connect = matches!(octets[0], 0x0d | 0x0c);
                    if let (Some(size), false) = (size, is_connect) {
                        assert!(octets.len() <= size, "seed {seed}: {} octets", octets.len());
                    }
                    strictly(seed, &mut Tsdu::new(&octets), version);
                }
                Sent::Expedited(octets) => {
                    assert!((1..=16).contains(&octets.len()), "seed {seed}: {octets:02x?}");
                    assert!(self.setup.expedited, "seed {seed}");
                    strictly(seed, &mut Tsdu::expedited(&octets), version);
                }
            }
        }
        let state = session.state();
        let waits = matches!(state, State::Sta16 | State::Sta01A | State::Sta15D);
        assert_eq!(session.poll_timeout().is_some(), waits, "seed {seed}: TIM in {state:?}");
        assert!(session.tokens_available().contains(session.tokens_owned()), "seed {seed}");
    }

    /// Whatever the peer has done, the local side ends it.
    fn finish(&mut self) {
        let session = &mut self.session;
        session.provider_abort(NOW, ProviderAbortReason::Undefined);
        drain(session);
        if let Some(deadline) = session.poll_timeout() {
            session.handle_timeout(deadline);
        }
        assert_eq!(session.state(), State::Sta01, "seed {}", self.seed);
        assert_eq!(session.poll_timeout(), None);
    }
}

/// Takes a TSDU of the machine apart by strict rules.
fn strictly(seed: u64, tsdu: &mut Tsdu<'_>, version: Option<Versions>) {
    let rules = DecodeRules { version, ..DecodeRules::STRICT };
    loop {
        match tsdu.next_spdu(&rules).and_then(|view| view.map(|view| view.parse(&rules)).transpose()) {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => panic!("seed {seed}: {error:?}"),
        }
    }
}

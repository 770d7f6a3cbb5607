//! A peer that sends anything at any time: no panic, at most one end, at most one ABORT, and an end that
//! does not depend on the peer.

mod machine_support;

use std::time::Duration;

use colloquy_session::machine::SERVICE_UNITS;
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits, Indication, ProviderAbortReason, RefuseParameters,
    Session, SessionConfig, State, TokenSettings, TokenSide, Tokens, Versions,
};
use machine_support::*;

const SESSIONS: usize = 20_000;
const STEPS_MAX: usize = 40;

/// One TSDU of each kind, and some that deployed peers send.
const CORPUS: &[&str] = &[
    "0d 19 05 06 13 01 00 16 01 02 14 02 00 02 33 02 00 01 34 02 00 01 c1 03 a1 a2 a3",
    "0d 18 05 0c 13 01 00 15 04 00 40 00 40 16 01 03 1a 01 82 14 02 04 83 c1 02 61 62",
    "0e 15 05 06 13 01 00 16 01 02 14 02 00 02 34 02 00 01 c1 03 a1 a2 a3",
    "0e 0f 05 06 13 01 00 16 01 02 10 01 01 14 02 00 81",
    "0e 13 05 0c 13 01 00 15 04 00 40 00 40 16 01 02 19 01 01 c1 01 61",
    "0c 0c 11 01 01 16 01 02 32 04 02 a1 a2 a3",
    "0c 03 11 01 00",
    "10 09 15 04 00 00 00 00 16 01 02",
    "0f 08 19 01 00 c1 03 a1 a2 a3",
    "01 00 01 00 a1 a2 a3",
    "01 03 10 01 01 01 00 a1 a2 a3",
    "01 00 01 03 19 01 01 a1 a2 a3",
    "01 00 01 03 19 01 00 a1 a2 a3",
    "01 00 01 03 19 01 02 a1 a2 a3",
    "01 00 01 03 19 01 03 a1 a2 a3",
    "01 00 a1 a2 a3",
    "21 00 a1 a2 a3",
    "21 03 19 01 01 a1",
    "05 00 a1 a2 a3",
    "01 03 10 01 01",
    "01 03 10 01 41",
    "01 06 10 01 40 c1 01 61",
    "02 08 10 01 01 c1 03 a1 a2 a3",
    "02 03 10 01 40",
    "15 00",
    "16 00",
    "09 08 11 01 01 c1 03 a1 a2 a3",
    "09 03 11 01 00",
    "09 06 19 01 01 c1 01 61",
    "09 06 19 01 00 c1 01 61",
    "09 06 19 01 02 c1 01 61",
    "0a 05 c1 03 a1 a2 a3",
    "0a 06 19 01 01 c1 01 61",
    "08 05 c1 03 a1 a2 a3",
    "19 08 11 01 03 c1 03 a1 a2 a3",
    "19 08 11 01 05 31 03 01 00 ff",
    "19 03 11 01 02",
    "19 03 11 01 0b",
    "19 06 19 01 01 c1 01 61",
    "19 00",
    "1a 00",
    "01 00 31 08 2a 01 37 c1 03 a1 a2 a3",
    "02 00 32 08 2a 01 37 2e 03 a1 a2 a3",
    "01 00 29 0b 0f 01 01 2a 01 38 c1 03 a1 a2 a3",
    "02 00 2a 08 2a 01 38 c1 03 a1 a2 a3",
    "01 00 29 03 2a 01 39",
    "01 00 35 09 1a 01 01 1b 01 00 2a 01 35",
    "02 00 22 06 1a 01 01 2a 01 35",
    "07 03 18 01 02",
    "07 03 18 01 04",
    "02 00 00 04 31 02 31 04",
    "02 00 30 08 32 01 03 c1 03 a1 a2 a3",
    "01 00 2d 0d 29 06 41 43 54 30 30 31 c1 03 a1 a2 a3",
    "01 00 19 03 32 01 00",
    "02 00 1a 00",
    "01 00 39 03 32 01 05",
    "02 00 3a 00",
    "01 00 3d 05 c1 03 a1 a2 a3",
    "02 00 3e 05 c1 03 a1 a2 a3",
    "01 00 31 03 2a 01 31 01 00 61",
    "",
];

#[test]
fn a_hostile_peer_gets_one_answer_and_the_user_one_end() {
    let mut random = Random::from_environment(147);
    let corpus: Vec<Vec<u8>> = CORPUS.iter().map(|text| hex(text)).collect();
    let mut states = std::collections::HashMap::new();
    let mut faults = 0;
    for _ in 0..SESSIONS {
        let seed = random.bits();
        let mut run = Run { random: Random::new(seed), seed, now: NOW, ended: false, aborts: 0, faults: 0 };
        run.session(&corpus, &mut states);
        faults += run.faults;
    }
    println!("{states:?}, {faults} faults");
    for state in
        [State::Sta01C, State::Sta02A, State::Sta03, State::Sta08, State::Sta09, State::Sta713, State::Sta16]
    {
        assert!(states.get(&state).copied().unwrap_or(0) > 500, "{state:?} was reached: {states:?}");
    }
    assert!(faults > SESSIONS / 3);
}

struct Run {
    random: Random,
    seed: u64,
    now: Duration,
    /// The user was told, or caused, the end.
    ended: bool,
    aborts: usize,
    faults: usize,
}

impl Run {
    fn session(&mut self, corpus: &[Vec<u8>], states: &mut std::collections::HashMap<State, usize>) {
        let mut session = self.begin();
        for _ in 0..STEPS_MAX {
            *states.entry(session.state()).or_default() += 1;
            if self.random.one_in(3) {
                self.user(&mut session);
            } else {
                let tsdu = self.tsdu(corpus, session.state());
                let indications = feed(&mut session, &tsdu);
                let last = indications.len().saturating_sub(1);
                for (index, indication) in indications.into_iter().enumerate() {
                    self.indicated(&session, indication, index == last);
                }
            }
            self.sent(&mut session);
            self.faults += usize::from(session.take_fault().is_some());
            assert!(self.faults <= 1, "seed {}: a fault is told once", self.seed);
            if session.state() == State::Sta01 && self.random.one_in(4) {
                break;
            }
        }
        self.finish(&mut session);
    }

    fn begin(&mut self) -> Session {
        let random = &mut self.random;
        let config = SessionConfig {
            strict: random.coin(),
            functional_units: random.pick(&[FunctionalUnits::all(), FunctionalUnits::DUPLEX, SERVICE_UNITS]),
            ..SessionConfig::default()
        };
        let requirements = random.pick(&[
            FunctionalUnits::DUPLEX,
            FunctionalUnits::HALF_DUPLEX | FunctionalUnits::NEGOTIATED_RELEASE,
            FunctionalUnits::DUPLEX | FunctionalUnits::HALF_DUPLEX | FunctionalUnits::TYPED_DATA,
        ]) & config.functional_units;
        let sides = [TokenSide::Initiator, TokenSide::Responder, TokenSide::AcceptorChooses];
        let connect = ConnectParameters {
            requirements: if requirements.is_empty() { FunctionalUnits::DUPLEX } else { requirements },
            versions: random.pick(&[Versions::V1, Versions::V2, Versions::all()]),
            token_settings: TokenSettings { data: random.pick(&sides), ..Default::default() },
            tsdu_maximum_size: both(random.pick(&[0, 0, 64, 1000])),
            ..connect()
        };
        let accept = colloquy_session::AcceptParameters {
            token_settings: TokenSettings { data: TokenSide::Responder, ..Default::default() },
            ..accept()
        };
        match random.below(4) {
            0 => Session::responder(&config),
            1 => {
                let mut session = Session::initiator(&config, &connect).expect("a legal request");
                session.transport_connected(NOW, false);
                drain_one(&mut session);
                session
            }
            2 => established(&config, &connect, &accept).0,
            _ => established(&config, &connect, &accept).1,
        }
    }

    /// Something of the corpus, often damaged; often something that fits, so that sessions live a while.
    fn tsdu(&mut self, corpus: &[Vec<u8>], state: State) -> Vec<u8> {
        let random = &mut self.random;
        let fitting: &[&str] = match state {
            State::Sta01C => &CORPUS[..2],
            State::Sta02A => &CORPUS[2..5],
            State::Sta713 => &["01 00 01 00 61", "02 03 10 01 01", "09 00", "01 03 10 01 01"],
            State::Sta03 => &["01 00 01 00 61", "02 03 10 01 01", "09 00"],
            _ => &["01 00"],
        };
        if random.one_in(2) {
            return hex(random.pick(fitting));
        }
        let mut tsdu = corpus[random.below(corpus.len())].clone();
        match random.below(8) {
            0 => tsdu.truncate(random.below(tsdu.len() + 1)),
            1 => {
                for _ in 0..=random.below(3) {
                    let at = random.below(tsdu.len().max(1));
                    if let Some(octet) = tsdu.get_mut(at) {
                        *octet = random.bits() as u8;
                    }
                }
            }
            2 => tsdu.extend_from_slice(&corpus[random.below(corpus.len())]),
            3 => tsdu = (0..random.below(40)).map(|_| random.bits() as u8).collect(),
            _ => {}
        }
        tsdu
    }

    fn user(&mut self, session: &mut Session) {
        let random = &mut self.random;
        let tokens = Tokens::from_bits_truncate(random.bits() as u8);
        let body = [7; 300];
        let body = &body[..random.below(body.len())];
        let before = format!("{session:?}");
        let accepted = match random.below(10) {
            0 => session.connect_response(self.now, &accept()).is_ok(),
            1 => {
                let refuse = RefuseParameters { reason: 2, user_data: body, transport_kept: false };
                session.connect_refuse(self.now, &refuse).is_ok()
            }
            2 => session.token_give_request(self.now, tokens, &[]).is_ok(),
            3 => session.token_please_request(self.now, tokens, body).is_ok(),
            4 => session.release_request(self.now, body).is_ok(),
            5 | 6 => session.release_response(self.now, random.coin(), body).is_ok(),
            7 if random.one_in(6) => {
                let aborted = session.abort_request(self.now, &body[..body.len().min(9)]).is_ok();
                self.ended |= aborted;
                aborted
            }
            7 if random.one_in(6) => {
                session.provider_abort(self.now, ProviderAbortReason::Undefined);
                self.ended = true;
                true
            }
            _ => {
                let enclosure = Enclosure { begin: random.coin(), end: random.coin() };
                session.data_request(body.len(), enclosure).map(Iterator::count).is_ok()
            }
        };
        assert!(accepted || before == format!("{session:?}"), "seed {}: refused, yet changed", self.seed);
    }

    fn indicated(&mut self, session: &Session, indication: Indication<'_>, last: bool) {
        let seed = self.seed;
        assert!(!self.ended, "seed {seed}: {indication:?} after the end");
        // The state is known for the last indication of a TSDU only.
        let over = last && matches!(session.state(), State::Sta01 | State::Sta16);
        match indication {
            Indication::UserAbort { .. }
            | Indication::ProviderAbort { .. }
            | Indication::ConnectRefused(_) => {
                assert!(over, "seed {seed}: {indication:?} in {:?}", session.state());
                self.ended = true;
            }
            Indication::ReleaseConfirm { affirmative: true, .. } => self.ended = over,
            _ => assert!(!over, "seed {seed}: {indication:?} in {:?}", session.state()),
        }
    }

    fn sent(&mut self, session: &mut Session) {
        let sent = drain(session);
        self.aborts +=
            sent.iter().filter(|sent| matches!(sent, Sent::Tsdu(octets) if octets[0] == 0x19)).count();
        assert!(self.aborts <= 1, "seed {}: an ABORT is never followed by another one", self.seed);
        let disconnects = sent.contains(&Sent::Disconnect);
        assert!(!disconnects || session.state() == State::Sta01, "seed {}", self.seed);
        assert_eq!(session.poll_timeout().is_some(), session.state() == State::Sta16, "seed {}", self.seed);
    }

    /// Whatever the peer does, the local side can end it and it ends.
    fn finish(&mut self, session: &mut Session) {
        session.provider_abort(self.now, ProviderAbortReason::Undefined);
        drain(session);
        if let Some(deadline) = session.poll_timeout() {
            session.handle_timeout(deadline);
            assert_eq!(drain(session), [Sent::Disconnect], "seed {}", self.seed);
        }
        assert_eq!(session.state(), State::Sta01, "seed {}", self.seed);
    }
}

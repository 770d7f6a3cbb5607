//! What the machine's tests share: a small random generator with a seed that can be given back.
#![allow(dead_code)]

use colloquy_session::spdu::{Spdu, Tsdu};
use colloquy_session::{
    AcceptParameters, ConnectParameters, FunctionalUnits, Indication, Selector, Session, SessionConfig,
    State, Transmit, TsduMaximumSize,
};
use std::time::Duration;

/// A xorshift generator: the tests need reproducible variety, not quality.
pub(crate) struct Random(u64);

impl Random {
    /// Takes the seed from `COLLOQUY_SEED`, else `default`, and prints it.
    pub(crate) fn from_environment(default: u64) -> Random {
        let seed = match std::env::var("COLLOQUY_SEED") {
            Ok(text) => text.parse().expect("COLLOQUY_SEED is a number"),
            Err(_) => default,
        };
        println!("COLLOQUY_SEED={seed}");
        Random::new(seed)
    }

    /// A generator with this seed.
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound as u64) as usize
    }

    /// True once in `n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A coin.
    pub(crate) fn coin(&mut self) -> bool {
        self.bits() & 1 == 1
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Time of tests in which no time passes.
pub(crate) const NOW: Duration = Duration::from_secs(1000);

/// Duplex, version 2, no user data, with selectors.
pub(crate) fn connect() -> ConnectParameters<'static> {
    ConnectParameters { calling: selector(&[0, 1]), called: selector(&[0, 2]), ..Default::default() }
}

/// Takes whatever was proposed.
pub(crate) fn accept() -> AcceptParameters<'static> {
    AcceptParameters::default()
}

/// A session selector.
pub(crate) fn selector(octets: &[u8]) -> Selector {
    Selector::new(octets).expect("at most 16 octets")
}

/// What a machine handed to its transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// A TSDU.
    Tsdu(Vec<u8>),
    /// A TSDU of the expedited flow.
    Expedited(Vec<u8>),
    /// T-DISCONNECT request.
    Disconnect,
}

/// Everything the machine wants to send.
pub(crate) fn drain(session: &mut Session) -> Vec<Sent> {
    let mut sent = Vec::new();
    while let Some(transmit) = session.poll_transmit() {
        sent.push(match transmit {
            Transmit::Tsdu(octets) => Sent::Tsdu(octets.to_vec()),
            Transmit::Expedited(octets) => Sent::Expedited(octets.to_vec()),
            Transmit::Disconnect => Sent::Disconnect,
            _ => unreachable!("no other kind of output exists"),
        });
    }
    sent
}

/// The only TSDU the machine wants to send.
pub(crate) fn drain_one(session: &mut Session) -> Vec<u8> {
    match &drain(session)[..] {
        [Sent::Tsdu(octets)] => octets.clone(),
        other => panic!("one TSDU expected: {other:02x?}"),
    }
}

/// Gives a TSDU to the machine, and what it puts together from segments; all indications. The octets are
/// leaked so that indications can be kept.
pub(crate) fn feed(session: &mut Session, octets: &[u8]) -> Vec<Indication<'static>> {
    let octets: &'static [u8] = octets.to_vec().leak();
    let mut indications = Vec::new();
    let mut tsdu = Tsdu::new(octets);
    while let Some(indication) = session.handle_tsdu(NOW, &mut tsdu) {
        indications.push(indication);
    }
    if let Some(joined) = session.take_joined() {
        let joined = Box::leak(Box::new(joined));
        let mut tsdu = joined.tsdu();
        while let Some(indication) = session.handle_tsdu(NOW, &mut tsdu) {
            indications.push(indication);
        }
    }
    indications
}

/// The TSDU of one SPDU.
pub(crate) fn tsdu(spdu: Spdu<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    spdu.emit_tsdu(&mut octets).expect("a valid SPDU");
    octets
}

/// Octets from hex digits; blanks are ignored.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let digit = |octet: u8| char::from(octet).to_digit(16).expect("a hex digit") as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// A responder that has the plain configuration.
pub(crate) fn responder() -> Session {
    Session::responder(&SessionConfig::default())
}

/// A responder in STA08 after this CONNECT, and its indication.
pub(crate) fn indicated(config: &SessionConfig, connect: &ConnectParameters<'_>) -> (Session, Session) {
    let mut initiator = Session::initiator(config, connect).expect("a valid request");
    initiator.transport_connected(NOW, false);
    let mut responder = Session::responder(config);
    let indications = feed(&mut responder, &drain_one(&mut initiator));
    assert!(matches!(indications[..], [Indication::Connect(_)]), "{indications:?}");
    (initiator, responder)
}

/// Two machines in STA713.
pub(crate) fn established(
    config: &SessionConfig,
    connect: &ConnectParameters<'_>,
    accept: &AcceptParameters<'_>,
) -> (Session, Session) {
    let (mut initiator, mut responder) = indicated(config, connect);
    responder.connect_response(NOW, accept).expect("a valid response");
    let indications = feed(&mut initiator, &drain_one(&mut responder));
    assert!(matches!(indications[0], Indication::ConnectConfirm(_)), "{indications:?}");
    assert_eq!((initiator.state(), responder.state()), (State::Sta713, State::Sta713));
    (initiator, responder)
}

/// Duplex, version 2.
pub(crate) fn duplex() -> (Session, Session) {
    established(&SessionConfig::default(), &connect(), &accept())
}

/// Half duplex and negotiated release, all tokens with the initiator.
pub(crate) fn half_duplex() -> (Session, Session) {
    let requirements = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::NEGOTIATED_RELEASE;
    let connect = ConnectParameters { requirements, ..connect() };
    established(&SessionConfig::default(), &connect, &accept())
}

/// The same TSDU maximum size in both directions.
pub(crate) fn both(size: u16) -> Option<TsduMaximumSize> {
    Some(TsduMaximumSize { initiator_to_responder: size, responder_to_initiator: size })
}

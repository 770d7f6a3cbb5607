//! The upper tester: a session protocol machine in this process, whose user the tester plays, so that local
//! refusals, indications and states that hang on the user can be tested too. The lower tester talks to it in
//! octets, as it does over a network.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use colloquy_session::spdu::{SpduKind, Tsdu};
use colloquy_session::{
    AcceptParameters, ConnectParameters, Enclosure, FunctionalUnits as Fu, Request, SerialNumber, Session,
    SessionConfig, State, TokenSettings, TokenSide, Tokens, Transmit, TsduMaximumSize, Versions,
};

use super::context::{all_at, settings_octet};
use super::dialogue::{Dialogue, Manner, Waits};
use super::line::{Arrival, Link};
use super::octets::{spdu, unit};
use super::purpose::{Stop, Verdict};

pub(super) mod activity;
pub(super) mod codec;
pub(super) mod collisions;
pub(super) mod connect;
pub(super) mod exceptions;
pub(super) mod expedited;
pub(super) mod later;
pub(super) mod major;
pub(super) mod minor;
pub(super) mod random_users;
pub(super) mod reach;
pub(super) mod release;
pub(super) mod resync;
mod seen;
pub(super) mod segmenting;
pub(super) mod tokens;

pub(super) use seen::Seen;

/// The machine under test with its transport in memory.
struct Iut {
    session: Session,
    now: Duration,
    out: VecDeque<Arrival>,
    seen: Vec<Seen>,
    closed: bool,
}

/// Time of the machines begins here.
const START: Duration = Duration::from_secs(1000);

impl Iut {
    fn new(session: Session) -> Iut {
        Iut { session, now: START, out: VecDeque::new(), seen: Vec::new(), closed: false }
    }

    /// Takes what the machine wants to send.
    fn drain(&mut self) {
        while let Some(transmit) = self.session.poll_transmit() {
            self.out.push_back(match transmit {
                Transmit::Tsdu(octets) => Arrival::Tsdu(octets.to_vec()),
                Transmit::Expedited(octets) => Arrival::Expedited(octets.to_vec()),
                _ => {
                    self.closed = true;
                    Arrival::Closed("T-DISCONNECT".to_owned())
                }
            });
        }
    }

    fn feed(&mut self, mut tsdu: Tsdu<'_>) {
        if self.closed {
            return;
        }
        while let Some(indication) = self.session.handle_tsdu(self.now, &mut tsdu) {
            self.seen.push(Seen::of(&indication));
        }
        while let Some(joined) = self.session.take_joined() {
            let mut tsdu = joined.tsdu();
            while let Some(indication) = self.session.handle_tsdu(self.now, &mut tsdu) {
                self.seen.push(Seen::of(&indication));
            }
        }
        self.drain();
    }
}

/// The lower tester's end of the transport in memory.
struct Memory(Rc<RefCell<Iut>>);

impl Link for Memory {
    fn send(&mut self, tsdu: &[u8]) {
        self.0.borrow_mut().feed(Tsdu::new(tsdu));
    }

    fn send_expedited(&mut self, tsdu: &[u8]) {
        self.0.borrow_mut().feed(Tsdu::expedited(tsdu));
    }

    fn receive(&mut self, within: Duration) -> Arrival {
        let mut iut = self.0.borrow_mut();
        if iut.out.is_empty() {
            // Nothing is under way in memory: only time can bring something.
            iut.now += within;
            let now = iut.now;
            if let Some(indication) = iut.session.handle_timeout(now) {
                iut.seen.push(Seen::of(&indication));
            }
            iut.drain();
        }
        match iut.out.pop_front() {
            Some(arrival) => arrival,
            None if iut.closed => Arrival::Closed("T-DISCONNECT".to_owned()),
            None => Arrival::Silence,
        }
    }

    fn close(&mut self) {
        let mut iut = self.0.borrow_mut();
        if !iut.closed {
            iut.closed = true;
            let now = iut.now;
            if let Some(indication) = iut.session.transport_disconnected(now) {
                iut.seen.push(Seen::of(&indication));
            }
        }
    }

    fn has_expedited(&self) -> bool {
        self.0.borrow().session.transport_expedited()
    }
}

/// How a machine under test is set up.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    pub(super) config: SessionConfig,
    pub(super) units: Fu,
    /// Where all tokens are.
    pub(super) tokens: TokenSettings,
    pub(super) serial: u32,
    pub(super) versions: Versions,
    pub(super) sizes: Option<TsduMaximumSize>,
    pub(super) expedited: bool,
}

impl Setup {
    /// Version 2, all tokens at the initiator, points from 1.
    pub(super) fn of(units: Fu) -> Setup {
        let config =
            SessionConfig { functional_units: Fu::all() - Fu::SYMMETRIC_SYNC, ..SessionConfig::default() };
        Setup {
            config,
            units,
            tokens: all_at(TokenSide::Initiator),
            serial: 1,
            versions: Versions::V2,
            sizes: None,
            expedited: false,
        }
    }

    /// With transport expedited.
    pub(super) fn expedited(self) -> Setup {
        Setup { expedited: true, ..self }
    }

    /// With reuse of the transport connection.
    pub(super) fn reuse(mut self) -> Setup {
        self.config.transport_reuse = true;
        self
    }

    /// With the same TSDU maximum size in both directions.
    pub(super) fn size(self, size: u16) -> Setup {
        let sizes = TsduMaximumSize { initiator_to_responder: size, responder_to_initiator: size };
        Setup { sizes: Some(sizes), ..self }
    }

    /// With points from another number.
    pub(super) fn serial(self, serial: u32) -> Setup {
        Setup { serial, ..self }
    }

    /// With all tokens at one side.
    pub(super) fn tokens(self, side: TokenSide) -> Setup {
        Setup { tokens: all_at(side), ..self }
    }

    fn serial_number(&self) -> Option<SerialNumber> {
        let points = Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE;
        let needed = self.units.intersects(points) && !self.units.contains(Fu::ACTIVITY);
        needed.then_some(SerialNumber(self.serial))
    }

    /// Connect/Accept Item.
    fn item(&self, versions: Versions) -> Vec<u8> {
        let mut item = unit(19, &[0]);
        if let Some(sizes) = self.sizes {
            let [a, b] = sizes.initiator_to_responder.to_be_bytes();
            let [c, d] = sizes.responder_to_initiator.to_be_bytes();
            item.extend(unit(21, &[a, b, c, d]));
        }
        item.extend(unit(22, &[versions.bits()]));
        if let Some(serial) = self.serial_number() {
            item.extend(unit(23, serial.0.to_string().as_bytes()));
        }
        item.extend(unit(26, &[settings_octet(self.tokens)]));
        unit(5, &item)
    }

    /// The CN of the tester.
    pub(super) fn cn(&self) -> Vec<u8> {
        spdu(13, &[self.item(self.versions), unit(20, &self.units.bits().to_be_bytes())])
    }

    /// The AC of the tester.
    pub(super) fn ac(&self) -> Vec<u8> {
        let version = if self.versions.contains(Versions::V2) { Versions::V2 } else { Versions::V1 };
        spdu(14, &[self.item(version), unit(20, &self.units.bits().to_be_bytes())])
    }

    /// A responder in STA01C.
    pub(super) fn waiting(&self) -> Upper {
        let mut session = Session::responder(&self.config);
        if self.expedited {
            session.use_transport_expedited();
        }
        self.upper(session)
    }

    /// A responder in STA08.
    pub(super) fn indicated(&self) -> Result<Upper, Stop> {
        let mut u = self.waiting();
        u.low.send(&self.cn());
        u.saw(&["Connect"])?;
        Ok(u)
    }

    /// A responder in STA713.
    pub(super) fn responder(&self) -> Result<Upper, Stop> {
        let mut u = self.indicated()?;
        let accept = AcceptParameters { requirements: self.units, ..AcceptParameters::default() };
        u.with(|session, now| session.connect_response(now, &accept))
            .map_err(|error| u.low.deviation("S-CONNECT response is taken", error))?;
        u.low.expect_answer_to_connect(self.units)?;
        Ok(u)
    }

    /// An initiator in STA02A, its CN taken.
    pub(super) fn connecting(&self) -> Result<Upper, Stop> {
        self.connecting_with(&[])
    }

    /// The same, with user data.
    pub(super) fn connecting_with(&self, user_data: &[u8]) -> Result<Upper, Stop> {
        let connect = ConnectParameters {
            versions: self.versions,
            requirements: self.units,
            initial_serial_number: self.serial_number(),
            token_settings: self.tokens,
            tsdu_maximum_size: self.sizes,
            user_data,
            ..ConnectParameters::default()
        };
        let session = Session::initiator(&self.config, &connect)
            .map_err(|error| stop("S-CONNECT request", "it is taken", error.to_string()))?;
        let mut u = self.upper(session);
        let expedited = self.expedited;
        {
            let mut iut = u.iut.borrow_mut();
            let now = iut.now;
            iut.session.transport_connected(now, expedited);
            iut.drain();
        }
        u.low.note("S-CONNECT request".to_owned());
        u.low.expect(SpduKind::Connect)?;
        Ok(u)
    }

    /// An initiator in STA713.
    pub(super) fn initiator(&self) -> Result<Upper, Stop> {
        let mut u = self.connecting()?;
        u.low.send(&self.ac());
        u.saw(&["ConnectConfirm"])?;
        u.low.units = self.units;
        Ok(u)
    }

    fn upper(&self, session: Session) -> Upper {
        let iut = Rc::new(RefCell::new(Iut::new(session)));
        let second = Duration::from_secs(1);
        let waits = Waits { answer: second / 10, quiet: second / 100, tim: second * 60 };
        let manner = Manner { strict: false, abort_demanded: true, known_user: true };
        Upper { low: Dialogue::new(Box::new(Memory(Rc::clone(&iut))), waits, manner), iut }
    }
}

/// A machine under test whose tokens are all here: an initiator.
pub(super) fn iut_owns(units: Fu) -> Result<Upper, Stop> {
    Setup::of(units).initiator()
}

/// A machine under test whose peer has all tokens: a responder.
pub(super) fn tester_owns(units: Fu) -> Result<Upper, Stop> {
    Setup::of(units).responder()
}

/// A deviation without a dialogue.
pub(super) fn stop(sent: &str, expected: &str, received: String) -> Stop {
    let (sent, expected) = (sent.to_owned(), expected.to_owned());
    Stop::Deviation(super::purpose::Deviation { sent, expected, received })
}

/// Both testers of one machine.
pub(super) struct Upper {
    /// The lower tester.
    pub(super) low: Dialogue,
    iut: Rc<RefCell<Iut>>,
}

impl Upper {
    /// A primitive of the user; its error in words.
    pub(super) fn with<E: std::fmt::Display>(
        &self,
        primitive: impl FnOnce(&mut Session, Duration) -> Result<(), E>,
    ) -> Result<(), String> {
        let mut iut = self.iut.borrow_mut();
        let now = iut.now;
        let result = primitive(&mut iut.session, now).map_err(|error| error.to_string());
        iut.drain();
        result
    }

    /// A request or response that is taken.
    pub(super) fn ask(&mut self, request: &Request<'_>) -> Verdict {
        let name = name_of(request);
        self.low.note(format!("{name} by the user"));
        let taken = self.with(|session, now| session.request(now, request));
        taken.map_err(|error| self.low.deviation(format!("{name} is taken"), error))
    }

    /// A request or response that is refused locally: nothing changes, nothing is sent.
    pub(super) fn refused(&mut self, request: &Request<'_>) -> Verdict {
        let name = name_of(request);
        self.low.note(format!("{name} by the user"));
        let before = (self.state(), self.numbers(), self.tokens_owned());
        let waiting = self.iut.borrow().out.len();
        let refused = self.with(|session, now| session.request(now, request)).is_err();
        let unchanged = before == (self.state(), self.numbers(), self.tokens_owned());
        let silent = self.iut.borrow().out.len() == waiting;
        self.check(refused && unchanged && silent, &format!("{name} is refused and changes nothing"))
    }

    /// S-DATA request that is taken; the lower tester receives the TSDUs.
    pub(super) fn data(&mut self, ssdu: &[u8]) -> Verdict {
        self.low.note("S-DATA request by the user".to_owned());
        let sent = self.data_request(ssdu, false);
        self.check(sent, "S-DATA request is taken")
    }

    /// S-DATA request that is refused locally.
    pub(super) fn data_refused(&mut self) -> Verdict {
        self.low.note("S-DATA request by the user".to_owned());
        let sent = self.data_request(b"refused", false);
        self.check(!sent, "S-DATA request is refused")
    }

    /// S-TYPED-DATA request that is refused locally.
    pub(super) fn typed_data_refused(&mut self) -> Verdict {
        self.low.note("S-TYPED-DATA request by the user".to_owned());
        let sent = self.data_request(b"refused", true);
        self.check(!sent, "S-TYPED-DATA request is refused")
    }

    fn data_request(&self, ssdu: &[u8], typed: bool) -> bool {
        let mut iut = self.iut.borrow_mut();
        let segments = match typed {
            true => iut.session.typed_data_request(ssdu.len(), Enclosure::WHOLE),
            false => iut.session.data_request(ssdu.len(), Enclosure::WHOLE),
        };
        let Ok(segments) = segments else { return false };
        let mut rest = ssdu;
        for segment in segments {
            let (part, after) = rest.split_at(segment.octets);
            iut.out.push_back(Arrival::Tsdu([segment.header(), part].concat()));
            rest = after;
        }
        true
    }

    /// What the user was told since the last look: exactly these, in this order.
    pub(super) fn saw(&mut self, names: &[&str]) -> Result<Vec<Seen>, Stop> {
        let seen = std::mem::take(&mut self.iut.borrow_mut().seen);
        let shown: Vec<&str> = seen.iter().map(|seen| seen.name).collect();
        match shown == names {
            true => Ok(seen),
            false => Err(self.low.deviation(format!("indications {names:?}"), format!("{shown:?}"))),
        }
    }

    /// What the user was told last is this.
    pub(super) fn saw_last(&mut self, name: &str) -> Verdict {
        let seen = std::mem::take(&mut self.iut.borrow_mut().seen);
        let last = seen.last().map(|seen| seen.name);
        self.low.demand(last == Some(name), &format!("{name} as the last indication"), || format!("{last:?}"))
    }

    /// The one indication since the last look.
    pub(super) fn saw_one(&mut self, name: &str) -> Result<Seen, Stop> {
        self.saw(&[name]).map(|mut seen| seen.remove(0))
    }

    /// A demand on the machine.
    pub(super) fn check(&self, holds: bool, expected: &str) -> Verdict {
        self.low.demand(holds, expected, || {
            let numbers = self.numbers();
            let owned = self.tokens_owned();
            format!("{:?}, A M R Vsc {numbers:?}, {owned:?}", self.state())
        })
    }

    /// The state is this.
    pub(super) fn is(&self, state: State) -> Verdict {
        self.check(self.state() == state, &format!("{state:?}"))
    }

    /// The state.
    pub(super) fn state(&self) -> State {
        self.iut.borrow().session.state()
    }

    /// V(A), V(M), V(R), Vsc.
    pub(super) fn numbers(&self) -> (u32, u32, u32, bool) {
        let numbers = self.iut.borrow().session.serial_numbers();
        let (a, m, r) = (numbers.lowest_unconfirmed.0, numbers.next.0, numbers.lowest_restart.0);
        (a, m, r, numbers.may_confirm)
    }

    /// V(A), V(M), V(R) are these.
    pub(super) fn counts(&self, a: u32, m: u32, r: u32) -> Verdict {
        let (is_a, is_m, is_r, _) = self.numbers();
        self.check((is_a, is_m, is_r) == (a, m, r), &format!("V(A) {a}, V(M) {m}, V(R) {r}"))
    }

    /// Tokens here.
    pub(super) fn tokens_owned(&self) -> Tokens {
        self.iut.borrow().session.tokens_owned()
    }

    /// Tokens that exist.
    pub(super) fn tokens_available(&self) -> Tokens {
        self.iut.borrow().session.tokens_available()
    }

    /// Something of the machine.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Session) -> T) -> T {
        look(&self.iut.borrow().session)
    }
}

/// The name of a primitive, without its parameters.
fn name_of(request: &Request<'_>) -> String {
    let debug = format!("{request:?}");
    let end = debug.find([' ', '(']).unwrap_or(debug.len());
    debug[..end].to_owned()
}

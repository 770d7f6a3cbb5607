//! Which tokens, units and activity each request needs: the table of reference 4.4, worked out here once more and
//! held against the machine for every request, every set of units that matters and every position of the tokens.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    ActivityResumeParameters, ConnectParameters, Enclosure, FunctionalUnits as Fu, Request, ResyncType,
    ResynchronizeParameters, SerialNumber, ServiceError, Session, SessionConfig, State, Tokens,
};
use machine_support::*;

const NONE: &[u8] = &[];
const DATA: Tokens = Tokens::DATA;
const MINOR: Tokens = Tokens::MINOR;
const MAJOR: Tokens = Tokens::MAJOR;

/// What the table looks at.
#[derive(Clone, Copy, Debug)]
struct Situation {
    units: Fu,
    owned: Tokens,
    active: bool,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Unit,
    Token(Tokens),
    Else,
}

/// A request as the table names it.
#[derive(Clone, Copy, Debug)]
enum Asked<'a> {
    Data,
    TypedData,
    Other(Request<'a>),
}

impl Situation {
    fn available(&self) -> Tokens {
        let mut tokens = Tokens::empty();
        tokens.set(DATA, self.units.contains(Fu::HALF_DUPLEX));
        tokens.set(MINOR, self.units.contains(Fu::MINOR_SYNC));
        tokens.set(MAJOR, self.units.intersects(Fu::MAJOR_SYNC | Fu::ACTIVITY));
        tokens.set(Tokens::RELEASE, self.units.contains(Fu::NEGOTIATED_RELEASE));
        tokens
    }

    fn unit(&self, any_of: Fu) -> Result<(), Why> {
        self.units.intersects(any_of).then_some(()).ok_or(Why::Unit)
    }

    /// "own if avail.", and with `own` also "own", which is the same where the unit brings the token.
    fn own(&self, tokens: Tokens) -> Result<(), Why> {
        let missing = tokens & (self.available() - self.owned);
        missing.is_empty().then_some(()).ok_or(Why::Token(missing))
    }

    fn in_activity_if_any(&self) -> Result<(), Why> {
        (!self.units.contains(Fu::ACTIVITY) || self.active).then_some(()).ok_or(Why::Else)
    }

    fn active(&self, active: bool) -> Result<(), Why> {
        (self.active == active).then_some(()).ok_or(Why::Else)
    }

    /// One row of the table.
    fn expected(&self, asked: &Asked<'_>) -> Result<(), Why> {
        use Request as R;
        match asked {
            Asked::Data => self.own(DATA),
            Asked::TypedData => self.unit(Fu::TYPED_DATA),
            Asked::Other(request) => match request {
                R::CapabilityData { .. } => {
                    self.unit(Fu::CAPABILITY_DATA).and(self.own(DATA | MINOR | MAJOR)).and(self.active(false))
                }
                R::TokenGive { tokens, .. } => {
                    let missing = *tokens - self.owned;
                    missing.is_empty().then_some(()).ok_or(Why::Token(missing))
                }
                R::TokenPlease { tokens, .. } => {
                    let (here, missing) = (*tokens & self.owned, *tokens - self.available());
                    let wrong = if here.is_empty() { missing } else { here };
                    wrong.is_empty().then_some(()).ok_or(Why::Token(wrong))
                }
                R::ControlGive { .. } => {
                    self.unit(Fu::ACTIVITY).and(self.own(Tokens::all())).and(self.active(false))
                }
                R::SyncMinor { .. } => {
                    self.unit(Fu::MINOR_SYNC).and(self.own(DATA | MINOR)).and(self.in_activity_if_any())
                }
                R::SyncMajor { .. } => self
                    .unit(Fu::MAJOR_SYNC)
                    .and(self.own(DATA | MINOR | MAJOR))
                    .and(self.in_activity_if_any()),
                R::Resynchronize(parameters) => {
                    let numbered = match parameters.resync_type {
                        ResyncType::Abandon => Ok(()),
                        _ => self.unit(Fu::MINOR_SYNC | Fu::MAJOR_SYNC),
                    };
                    self.unit(Fu::RESYNCHRONIZE).and(numbered).and(self.in_activity_if_any())
                }
                R::ActivityStart { .. } | R::ActivityResume(_) => {
                    self.unit(Fu::ACTIVITY).and(self.own(DATA | MINOR | MAJOR)).and(self.active(false))
                }
                R::ActivityEnd { .. } => {
                    self.unit(Fu::ACTIVITY).and(self.own(DATA | MINOR | MAJOR)).and(self.active(true))
                }
                R::ActivityInterrupt { .. } | R::ActivityDiscard { .. } => {
                    self.unit(Fu::ACTIVITY).and(self.own(MAJOR)).and(self.active(true))
                }
                R::UserException { .. } => {
                    let here = self.owned & DATA;
                    let token = here.is_empty().then_some(()).ok_or(Why::Token(here));
                    self.unit(Fu::EXCEPTIONS).and(token).and(self.in_activity_if_any())
                }
                R::Release { .. } => self.own(Tokens::all()).and(self.active(false)),
                R::Abort { .. } => Ok(()),
                _ => unreachable!("not in the table"),
            },
        }
    }
}

fn requests() -> Vec<Asked<'static>> {
    let resynchronize = |resync_type, serial_number| {
        Request::Resynchronize(ResynchronizeParameters { resync_type, serial_number, ..Default::default() })
    };
    let resume = ActivityResumeParameters { identifier: b"b", old_identifier: b"a", ..Default::default() };
    let mut requests = vec![
        Request::CapabilityData { user_data: NONE },
        Request::ControlGive { user_data: NONE },
        Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data: NONE },
        Request::SyncMajor { user_data: NONE },
        resynchronize(ResyncType::Abandon, None),
        resynchronize(ResyncType::Restart, Some(SerialNumber(1))),
        resynchronize(ResyncType::Set, Some(SerialNumber(7))),
        Request::ActivityStart { identifier: b"a", user_data: NONE },
        Request::ActivityResume(resume),
        Request::ActivityEnd { user_data: NONE },
        Request::ActivityInterrupt { reason: 0, user_data: NONE },
        Request::ActivityDiscard { reason: 0, user_data: NONE },
        Request::UserException { reason: 0, user_data: NONE },
        Request::Release { user_data: NONE },
        Request::Abort { user_data: NONE },
    ];
    for bits in 1..=255 {
        let tokens = Tokens::from_bits_truncate(bits);
        if tokens.bits() == bits {
            requests.push(Request::TokenGive { tokens, user_data: NONE });
            requests.push(Request::TokenPlease { tokens, user_data: NONE });
        }
    }
    [Asked::Data, Asked::TypedData].into_iter().chain(requests.into_iter().map(Asked::Other)).collect()
}

/// Every legal set of the units that the table depends on.
fn unit_sets() -> Vec<Fu> {
    let units = [
        Fu::MINOR_SYNC,
        Fu::MAJOR_SYNC,
        Fu::RESYNCHRONIZE,
        Fu::ACTIVITY,
        Fu::NEGOTIATED_RELEASE,
        Fu::CAPABILITY_DATA,
        Fu::EXCEPTIONS,
    ];
    let mut sets = Vec::new();
    for duplexity in [Fu::HALF_DUPLEX, Fu::DUPLEX] {
        for bits in 0..1 << units.len() {
            let set: Fu = (0..units.len()).filter(|bit| bits >> bit & 1 == 1).map(|bit| units[bit]).collect();
            let typed = if bits % 2 == 0 { Fu::TYPED_DATA } else { Fu::empty() };
            let set = set | duplexity | typed;
            let orphan = set.contains(Fu::CAPABILITY_DATA) && !set.contains(Fu::ACTIVITY)
                || set.contains(Fu::EXCEPTIONS) && !set.contains(Fu::HALF_DUPLEX);
            if !orphan {
                sets.push(set);
            }
        }
    }
    sets
}

/// Two machines in this situation; the first one owns `owned`.
fn pair(situation: &Situation, swapped: bool) -> [Session; 2] {
    let Situation { units, owned, active } = *situation;
    let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE);
    let config = SessionConfig { functional_units: Fu::all() - Fu::SYMMETRIC_SYNC, ..Default::default() };
    let connect = ConnectParameters {
        requirements: units,
        initial_serial_number: numbered.then_some(SerialNumber(1)),
        ..connect()
    };
    let (mut initiator, mut responder) = established(&config, &connect, &accept());
    if active {
        initiator.request(NOW, &Request::ActivityStart { identifier: b"x", user_data: NONE }).unwrap();
        feed(&mut responder, &drain_one(&mut initiator));
    }
    let given = if swapped { owned } else { situation.available() - owned };
    if !given.is_empty() {
        initiator.request(NOW, &Request::TokenGive { tokens: given, user_data: NONE }).unwrap();
        feed(&mut responder, &drain_one(&mut initiator));
    }
    let pair = if swapped { [responder, initiator] } else { [initiator, responder] };
    assert_eq!(pair[0].tokens_owned(), owned);
    assert_eq!(pair[0].tokens_available(), situation.available());
    assert_eq!(pair[0].activity_in_progress(), active);
    pair
}

fn ask(session: &mut Session, asked: &Asked<'_>) -> Result<(), ServiceError> {
    match asked {
        Asked::Data => session.data_request(3, Enclosure::WHOLE).map(drop),
        Asked::TypedData => session.typed_data_request(3, Enclosure::WHOLE).map(drop),
        Asked::Other(request) => session.request(NOW, request),
    }
}

/// Asks for everything here; gives back how much was taken.
fn check(situation: &Situation, swapped: bool) -> usize {
    let mut taken = 0;
    let mut machines = pair(situation, swapped);
    for asked in requests() {
        let result = ask(&mut machines[0], &asked);
        let told = match result {
            Ok(()) => Ok(()),
            Err(ServiceError::FunctionalUnit(_)) => Err(Why::Unit),
            Err(ServiceError::Token(tokens)) => Err(Why::Token(tokens)),
            Err(ServiceError::State { state: State::Sta713 }) => Err(Why::Else),
            Err(error) => panic!("{asked:?} in {situation:?}: {error:?}"),
        };
        assert_eq!(told, situation.expected(&asked), "{asked:?} in {situation:?}");
        if result.is_ok() {
            taken += 1;
            // The other table, of what may be received, agrees.
            for sent in drain(&mut machines[0]) {
                let Sent::Tsdu(octets) = sent else { panic!("{asked:?}: {sent:?}") };
                let told = machines[1].handle_tsdu(NOW, &mut Tsdu::new(&octets));
                assert!(told.is_some(), "{asked:?} in {situation:?} is told");
                assert_eq!(machines[1].take_fault(), None, "{asked:?} in {situation:?}");
            }
            machines = pair(situation, swapped);
        }
    }
    taken
}

#[test]
fn every_request_needs_exactly_what_the_table_says() {
    let (mut situations, mut taken) = (0, 0);
    for units in unit_sets() {
        let available = Situation { units, owned: Tokens::empty(), active: false }.available();
        for bits in 0..=available.bits() {
            let owned = Tokens::from_bits_truncate(bits);
            if owned.bits() != bits || !available.contains(owned) {
                continue;
            }
            for active in [false, true] {
                if active && !units.contains(Fu::ACTIVITY) {
                    continue;
                }
                for swapped in [false, true] {
                    taken += check(&Situation { units, owned, active }, swapped);
                    situations += 1;
                }
            }
        }
    }
    println!("{situations} situations, {taken} requests taken");
    assert!(situations > 2000 && taken > 10_000);
}

/// An answer that nothing asks for is a matter of the state, whatever number it names.
#[test]
fn an_answer_out_of_place_is_not_blamed_on_its_number() {
    use colloquy_session::ResynchronizeAnswer;
    let units = Fu::DUPLEX | Fu::MINOR_SYNC | Fu::RESYNCHRONIZE;
    let [mut asks, mut idle] = pair(&Situation { units, owned: MINOR, active: false }, false);
    let abandon = ResynchronizeParameters { resync_type: ResyncType::Abandon, ..Default::default() };
    asks.request(NOW, &Request::Resynchronize(abandon)).unwrap();
    for session in [&mut asks, &mut idle] {
        for serial_number in
            [None, Some(SerialNumber(1)), Some(SerialNumber(77)), Some(SerialNumber(9_999_999))]
        {
            let answer = ResynchronizeAnswer { serial_number, ..Default::default() };
            let state = session.state();
            let result = session.request(NOW, &Request::ResynchronizeResponse(answer));
            assert_eq!(result, Err(ServiceError::State { state }), "{serial_number:?}");
        }
    }
}

//! Every primitive of X.215 once, over two machines with and without the transport expedited flow.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_support;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    ActivityResumeParameters, ConnectParameters, FunctionalUnits, Indication, OldConnection, Request,
    ResyncType, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, ServiceError, Session,
    SessionConfig, State, TokenSettings, TokenSide, Tokens,
};
use machine_support::*;

/// Two machines, the initiator first, and what their users were told.
struct Pair {
    sides: [Session; 2],
    expedited: bool,
}

const I: usize = 0;
const R: usize = 1;

impl Pair {
    fn new(units: FunctionalUnits, expedited: bool) -> Pair {
        let config = SessionConfig { functional_units: FunctionalUnits::all(), ..Default::default() };
        let serial = (!units.contains(FunctionalUnits::ACTIVITY)
            && units.intersects(FunctionalUnits::MINOR_SYNC | FunctionalUnits::MAJOR_SYNC))
        .then_some(SerialNumber(1));
        let connect = ConnectParameters { requirements: units, initial_serial_number: serial, ..connect() };
        let mut initiator = Session::initiator(&config, &connect).unwrap();
        let mut responder = Session::responder(&config);
        initiator.transport_connected(NOW, expedited);
        if expedited {
            responder.use_transport_expedited();
        }
        let mut pair = Pair { sides: [initiator, responder], expedited };
        assert!(matches!(pair.carry(I)[..], [Indication::Connect(_)]));
        pair.sides[R].connect_response(NOW, &accept()).unwrap();
        assert!(matches!(pair.carry(R)[..], [Indication::ConnectConfirm(_)]));
        assert_eq!(pair.sides[I].functional_units(), units);
        pair
    }

    /// A request that must be taken, and what the other user is told of it.
    fn ask(&mut self, side: usize, request: Request<'_>) -> Vec<Indication<'static>> {
        self.sides[side].request(NOW, &request).unwrap_or_else(|error| panic!("{request:?}: {error}"));
        self.carry(side)
    }

    /// Carries everything from one side to the other, and whatever that causes back again.
    fn carry(&mut self, from: usize) -> Vec<Indication<'static>> {
        let mut told = Vec::new();
        for item in drain(&mut self.sides[from]) {
            let (octets, expedited) = match item {
                Sent::Tsdu(octets) => (octets, false),
                Sent::Expedited(octets) => (octets, true),
                Sent::Disconnect => panic!("the session goes on"),
            };
            assert!(!expedited || self.expedited, "{octets:02x?} on a flow that is not there");
            let octets: &'static [u8] = octets.leak();
            let mut tsdu = if expedited { Tsdu::expedited(octets) } else { Tsdu::new(octets) };
            let to = &mut self.sides[1 - from];
            while let Some(indication) = to.handle_tsdu(NOW, &mut tsdu) {
                told.push(indication);
            }
            assert_eq!(to.take_fault(), None, "{octets:02x?}");
        }
        told
    }

    fn numbers(&self) -> [(u32, u32, u32); 2] {
        [I, R].map(|side| {
            let numbers = self.sides[side].serial_numbers();
            (numbers.lowest_unconfirmed.0, numbers.next.0, numbers.lowest_restart.0)
        })
    }

    /// Each token is on one side; both machines are at rest.
    fn check(&self) {
        let [i, r] = &self.sides;
        assert_eq!(i.tokens_owned() | r.tokens_owned(), i.tokens_available());
        assert_eq!(i.tokens_owned() & r.tokens_owned(), Tokens::empty());
        assert_eq!([i.state(), r.state()], [State::Sta713; 2]);
    }
}

fn bss() -> FunctionalUnits {
    FunctionalUnits::HALF_DUPLEX
        | FunctionalUnits::TYPED_DATA
        | FunctionalUnits::MINOR_SYNC
        | FunctionalUnits::MAJOR_SYNC
        | FunctionalUnits::RESYNCHRONIZE
        | FunctionalUnits::EXCEPTIONS
        | FunctionalUnits::NEGOTIATED_RELEASE
}

fn minor(explicit: bool) -> Request<'static> {
    Request::SyncMinor { confirmation_optional: !explicit, data_separation: false, user_data: b"minor" }
}

#[test]
fn synchronization_points_are_numbered_and_confirmed() {
    for expedited in [false, true] {
        let mut pair = Pair::new(bss(), expedited);
        // The worked sequence of reference 6.
        for serial in [1, 2] {
            let [Indication::SyncMinor { serial_number, .. }] = pair.ask(I, minor(true))[..] else {
                panic!("one indication")
            };
            assert_eq!(serial_number, SerialNumber(serial));
        }
        let wrong = Request::SyncMinorResponse { serial_number: SerialNumber(3), user_data: b"" };
        assert!(matches!(pair.sides[R].request(NOW, &wrong), Err(ServiceError::Parameter(_))));
        let confirm = Request::SyncMinorResponse { serial_number: SerialNumber(1), user_data: b"ok" };
        let told = pair.ask(R, confirm);
        assert_eq!(told, [Indication::SyncMinorConfirm { serial_number: SerialNumber(1), user_data: b"ok" }]);
        assert_eq!(pair.numbers(), [(2, 3, 0); 2]);
        pair.ask(I, Request::TokenGive { tokens: Tokens::MINOR | Tokens::DATA, user_data: b"" });
        pair.ask(R, minor(false));
        assert_eq!(pair.numbers(), [(3, 4, 0); 2]);
        pair.ask(R, Request::TokenGive { tokens: Tokens::MINOR | Tokens::DATA, user_data: b"" });
        let told = pair.ask(I, Request::SyncMajor { user_data: b"major" });
        assert_eq!(told, [Indication::SyncMajor { serial_number: SerialNumber(4), user_data: b"major" }]);
        let refused = pair.sides[I].data_request(1, colloquy_session::Enclosure::WHOLE);
        assert!(refused.is_err(), "no data while the major synchronization waits");
        let told = pair.ask(R, Request::SyncMajorResponse { user_data: b"done" });
        let number = SerialNumber(4);
        assert_eq!(told, [Indication::SyncMajorConfirm { serial_number: number, user_data: b"done" }]);
        assert_eq!(pair.numbers(), [(5, 5, 5); 2]);
        pair.check();
    }
}

#[test]
fn resynchronize_moves_numbers_and_tokens() {
    for expedited in [false, true] {
        let mut pair = Pair::new(bss(), expedited);
        pair.ask(I, minor(true));
        pair.ask(I, minor(true));
        let to_responder = TokenSettings {
            data: TokenSide::Responder,
            minor: TokenSide::AcceptorChooses,
            ..TokenSettings::default()
        };
        for (resync_type, asked, indicated, numbers) in [
            (ResyncType::Restart, Some(2), 2, (2, 2, 0)),
            (ResyncType::Abandon, None, 2, (2, 2, 0)),
            (ResyncType::Set, Some(777), 777, (777, 777, 0)),
        ] {
            let request = ResynchronizeParameters {
                resync_type,
                serial_number: asked.map(SerialNumber),
                token_settings: Some(to_responder),
                user_data: b"again",
                second: None,
            };
            let told = pair.ask(R, Request::Resynchronize(request));
            let [Indication::Resynchronize(parameters)] = told[..] else { panic!("{told:?}") };
            assert_eq!(parameters.serial_number, Some(SerialNumber(indicated)));
            assert_eq!(parameters.resync_type, resync_type);
            let answer = ResynchronizeAnswer {
                token_settings: Some(TokenSettings { minor: TokenSide::Responder, ..Default::default() }),
                user_data: b"so be it",
                ..Default::default()
            };
            let told = pair.ask(I, Request::ResynchronizeResponse(answer));
            let [Indication::ResynchronizeConfirm(confirm)] = told[..] else { panic!("{told:?}") };
            assert_eq!(confirm.serial_number, Some(SerialNumber(indicated)));
            assert_eq!(pair.sides[R].tokens_owned(), Tokens::DATA | Tokens::MINOR);
            assert_eq!(pair.numbers(), [numbers; 2]);
            pair.check();
        }
    }
}

#[test]
fn activities_begin_end_and_break_off() {
    let units = FunctionalUnits::HALF_DUPLEX
        | FunctionalUnits::MINOR_SYNC
        | FunctionalUnits::EXCEPTIONS
        | FunctionalUnits::CAPABILITY_DATA
        | FunctionalUnits::ACTIVITY;
    for expedited in [false, true] {
        let mut pair = Pair::new(units, expedited);
        let told = pair.ask(I, Request::CapabilityData { user_data: b"can you?" });
        assert_eq!(told, [Indication::CapabilityData { user_data: b"can you?" }]);
        let told = pair.ask(R, Request::CapabilityDataResponse { user_data: b"I can" });
        assert_eq!(told, [Indication::CapabilityDataConfirm { user_data: b"I can" }]);
        let told = pair.ask(I, Request::ActivityStart { identifier: b"ACT001", user_data: b"" });
        assert_eq!(told, [Indication::ActivityStart { identifier: b"ACT001", user_data: b"" }]);
        assert_eq!(pair.numbers(), [(1, 1, 1); 2]);
        pair.ask(I, minor(true));
        let told = pair.ask(R, Request::UserException { reason: 5, user_data: b"disk full" });
        assert_eq!(told, [Indication::UserException { reason: 5, user_data: b"disk full" }]);
        let told = pair.ask(I, Request::ActivityInterrupt { reason: 1, user_data: b"" });
        assert_eq!(told, [Indication::ActivityInterrupt { reason: 1, user_data: b"" }]);
        let told = pair.ask(R, Request::ActivityInterruptResponse { user_data: b"" });
        assert_eq!(told, [Indication::ActivityInterruptConfirm { user_data: b"" }]);
        pair.check();
        let resume = ActivityResumeParameters {
            identifier: b"2",
            old_identifier: b"ACT001",
            serial_number: SerialNumber(1),
            second_serial_number: None,
            old_connection: OldConnection { calling_reference: b"me", ..Default::default() },
            user_data: b"",
        };
        assert_eq!(pair.ask(I, Request::ActivityResume(resume)), [Indication::ActivityResume(resume)]);
        assert_eq!(pair.numbers(), [(2, 2, 1); 2]);
        let told = pair.ask(I, Request::ActivityEnd { user_data: b"" });
        assert_eq!(told, [Indication::ActivityEnd { serial_number: SerialNumber(2), user_data: b"" }]);
        let told = pair.ask(R, Request::ActivityEndResponse { user_data: b"fine" });
        let number = SerialNumber(2);
        assert_eq!(told, [Indication::ActivityEndConfirm { serial_number: number, user_data: b"fine" }]);
        let told = pair.ask(I, Request::ControlGive { user_data: b"" });
        assert_eq!(told, [Indication::ControlGive { user_data: b"" }]);
        assert_eq!(pair.sides[I].state(), State::Sta18);
        assert_eq!(pair.carry(R), []);
        pair.check();
        pair.ask(R, Request::ActivityStart { identifier: b"B", user_data: b"" });
        pair.ask(R, Request::ActivityDiscard { reason: 0, user_data: b"" });
        pair.ask(I, Request::ActivityDiscardResponse { user_data: b"" });
        assert_eq!(pair.sides[R].tokens_owned(), pair.sides[R].tokens_available());
        pair.check();
    }
}

#[test]
fn expedited_data_need_the_flow_and_the_unit() {
    let units = FunctionalUnits::DUPLEX | FunctionalUnits::EXPEDITED;
    let mut pair = Pair::new(units, true);
    let told = pair.ask(R, Request::ExpeditedData { user_data: b"fourteen octet" });
    assert_eq!(told, [Indication::ExpeditedData { user_data: b"fourteen octet" }]);
    for user_data in [&b""[..], b"fifteen octets!"] {
        let refused = pair.sides[I].request(NOW, &Request::ExpeditedData { user_data });
        assert!(matches!(refused, Err(ServiceError::Parameter(_) | ServiceError::UserDataLength { .. })));
    }
    let told = pair.ask(I, Request::Abort { user_data: b"nine octs" });
    assert_eq!(told, [Indication::UserAbort { user_data: b"nine octs" }]);
}

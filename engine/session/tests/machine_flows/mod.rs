//! Two machines whose flows the test delivers by hand, so that SPDUs cross where it wants them to.
#![allow(dead_code)]

use std::collections::VecDeque;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    ConnectParameters, FunctionalUnits as Fu, Indication, ProviderAbortReason, Request, ResyncType,
    ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, ServiceError, Session, SessionConfig, State,
    TokenSettings, Tokens,
};

use crate::machine_support::{NOW, Sent, accept, connect, drain, hex};

/// The session initiator.
pub(crate) const I: usize = 0;
/// The session responder.
pub(crate) const R: usize = 1;

/// Half duplex with everything but activities.
pub(crate) const SYNCHRONIZED: Fu = Fu::HALF_DUPLEX
    .union(Fu::TYPED_DATA)
    .union(Fu::MINOR_SYNC)
    .union(Fu::MAJOR_SYNC)
    .union(Fu::RESYNCHRONIZE)
    .union(Fu::EXCEPTIONS)
    .union(Fu::NEGOTIATED_RELEASE);

/// Half duplex with activities and all that goes with them.
pub(crate) const ACTIVITIES: Fu =
    SYNCHRONIZED.difference(Fu::NEGOTIATED_RELEASE).union(Fu::ACTIVITY).union(Fu::CAPABILITY_DATA);

/// Two machines in data transfer, all tokens with the initiator, first serial number 1.
pub(crate) struct Pair {
    pub(crate) sides: [Session; 2],
    normal: [VecDeque<Vec<u8>>; 2],
    expedited: [VecDeque<Vec<u8>>; 2],
}

impl Pair {
    pub(crate) fn new(units: Fu, expedited: bool) -> Pair {
        let units = if expedited { units | Fu::EXPEDITED } else { units };
        let config = SessionConfig { functional_units: Fu::all(), ..Default::default() };
        let connect = ConnectParameters {
            requirements: units,
            initial_serial_number: Some(SerialNumber(1)),
            ..connect()
        };
        let initiator = Session::initiator(&config, &connect).expect("a legal request");
        let responder = Session::responder(&config);
        let mut pair =
            Pair { sides: [initiator, responder], normal: Default::default(), expedited: Default::default() };
        pair.sides[I].transport_connected(NOW, expedited);
        if expedited {
            pair.sides[R].use_transport_expedited();
        }
        pair.collect(I);
        assert!(matches!(pair.normal(R)[..], [Indication::Connect(_)]));
        pair.sides[R].connect_response(NOW, &accept()).expect("it was asked for");
        pair.collect(R);
        assert!(matches!(pair.normal(I)[..], [Indication::ConnectConfirm(_)]));
        assert_eq!(pair.sides[I].functional_units(), units);
        pair
    }

    /// An accepted request; its SPDUs wait in the flows.
    pub(crate) fn ask(&mut self, side: usize, request: Request<'_>) {
        self.sides[side].request(NOW, &request).unwrap_or_else(|error| panic!("{request:?}: {error}"));
        self.collect(side);
    }

    /// A refused request: nothing has changed, nothing is sent.
    pub(crate) fn refused(&mut self, side: usize, request: Request<'_>) -> ServiceError {
        let session = &mut self.sides[side];
        let before = format!("{session:?}");
        let error = session.request(NOW, &request).expect_err("it is not allowed here");
        assert_eq!(before, format!("{session:?}"), "{request:?}");
        assert_eq!(drain(session), []);
        error
    }

    fn collect(&mut self, side: usize) {
        for sent in drain(&mut self.sides[side]) {
            match sent {
                Sent::Tsdu(octets) => self.normal[1 - side].push_back(octets),
                Sent::Expedited(octets) => self.expedited[1 - side].push_back(octets),
                Sent::Disconnect => {}
            }
        }
    }

    /// Delivers the next TSDU of the normal flow to a side.
    pub(crate) fn normal(&mut self, side: usize) -> Vec<Indication<'static>> {
        let octets = self.normal[side].pop_front().expect("a TSDU is under way");
        self.take(side, octets, false)
    }

    /// Delivers the next TSDU of the expedited flow to a side.
    pub(crate) fn expedited(&mut self, side: usize) -> Vec<Indication<'static>> {
        let octets = self.expedited[side].pop_front().expect("an expedited TSDU is under way");
        self.take(side, octets, true)
    }

    /// What waits in the expedited flow to a side.
    pub(crate) fn expedited_octets(&self, side: usize) -> Vec<Vec<u8>> {
        self.expedited[side].iter().cloned().collect()
    }

    /// What waits in the normal flow to a side.
    pub(crate) fn normal_octets(&self, side: usize) -> Vec<Vec<u8>> {
        self.normal[side].iter().cloned().collect()
    }

    /// Delivers everything, expedited data first; what each side was told.
    pub(crate) fn settle(&mut self) -> [Vec<Indication<'static>>; 2] {
        let mut told = [Vec::new(), Vec::new()];
        loop {
            let mut idle = true;
            for side in [I, R] {
                while !self.expedited[side].is_empty() {
                    idle = false;
                    let indications = self.expedited(side);
                    told[side].extend(indications);
                }
                if !self.normal[side].is_empty() {
                    idle = false;
                    let indications = self.normal(side);
                    told[side].extend(indications);
                }
            }
            if idle {
                return told;
            }
        }
    }

    /// Octets that no machine of this pair made.
    pub(crate) fn receive(&mut self, side: usize, octets: &str) -> Vec<Indication<'static>> {
        self.take(side, hex(octets), false)
    }

    fn take(&mut self, side: usize, octets: Vec<u8>, expedited: bool) -> Vec<Indication<'static>> {
        let octets: &'static [u8] = octets.leak();
        let mut tsdu = if expedited { Tsdu::expedited(octets) } else { Tsdu::new(octets) };
        let mut told = Vec::new();
        while let Some(indication) = self.sides[side].handle_tsdu(NOW, &mut tsdu) {
            told.push(indication);
        }
        while let Some(joined) = self.sides[side].take_joined() {
            let joined = Box::leak(Box::new(joined));
            let mut tsdu = joined.tsdu();
            while let Some(indication) = self.sides[side].handle_tsdu(NOW, &mut tsdu) {
                told.push(indication);
            }
        }
        self.collect(side);
        told
    }

    /// Octets that are a protocol error at this side: S-P-ABORT indication, AB, STA16.
    pub(crate) fn assert_error(mut self, side: usize, octets: &str) {
        let reason = ProviderAbortReason::ProtocolError;
        assert_eq!(self.receive(side, octets), [Indication::ProviderAbort { reason }], "{octets}");
        assert_eq!(self.sides[side].state(), State::Sta16);
        let abort = self.normal[1 - side].back().or(self.expedited[1 - side].back()).expect("an ABORT");
        assert_eq!(abort[2..5], [0x11, 0x01, 0x05], "{octets}");
    }

    /// V(A), V(M) and V(R) of both sides.
    pub(crate) fn numbers(&self) -> [(u32, u32, u32); 2] {
        self.sides.each_ref().map(|side| {
            let numbers = side.serial_numbers();
            (numbers.lowest_unconfirmed.0, numbers.next.0, numbers.lowest_restart.0)
        })
    }

    pub(crate) fn states(&self) -> [State; 2] {
        self.sides.each_ref().map(Session::state)
    }

    /// At rest: nothing under way, data transfer, each token on one side.
    pub(crate) fn check(&self) {
        assert!(self.normal.iter().chain(&self.expedited).all(VecDeque::is_empty));
        assert_eq!(self.states(), [State::Sta713; 2]);
        let [i, r] = &self.sides;
        assert_eq!(i.tokens_owned() | r.tokens_owned(), i.tokens_available());
        assert_eq!(i.tokens_owned() & r.tokens_owned(), Tokens::empty());
        let numbers = self.numbers();
        assert!(numbers[I] == numbers[R] || !i.activity_in_progress(), "{numbers:?}");
    }
}

/// S-SYNC-MINOR request, explicit.
pub(crate) fn minor() -> Request<'static> {
    Request::SyncMinor { confirmation_optional: false, data_separation: false, user_data: &[] }
}

/// S-SYNC-MINOR response.
pub(crate) fn minor_response(number: u32) -> Request<'static> {
    Request::SyncMinorResponse { serial_number: SerialNumber(number), user_data: &[] }
}

/// S-RESYNCHRONIZE request.
pub(crate) fn resynchronize(resync_type: ResyncType, number: Option<u32>) -> Request<'static> {
    let serial_number = number.map(SerialNumber);
    Request::Resynchronize(ResynchronizeParameters { resync_type, serial_number, ..Default::default() })
}

/// S-RESYNCHRONIZE response that takes what was asked for.
pub(crate) fn resynchronized() -> Request<'static> {
    Request::ResynchronizeResponse(ResynchronizeAnswer::default())
}

/// S-RESYNCHRONIZE response that settles the tokens.
pub(crate) fn resynchronized_with(token_settings: TokenSettings) -> Request<'static> {
    let token_settings = Some(token_settings);
    Request::ResynchronizeResponse(ResynchronizeAnswer { token_settings, ..Default::default() })
}

/// S-TOKEN-GIVE request.
pub(crate) fn give(tokens: Tokens) -> Request<'static> {
    Request::TokenGive { tokens, user_data: &[] }
}

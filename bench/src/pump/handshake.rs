//! The octets our own initiator sends, taken from our own machines in memory.
//!
//! An initiator and a responder of both layers talk without a network. So what contestants are opened with is what
//! Colloquy sends and not what somebody once copied from a capture.

use std::time::Duration;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    AcceptParameters, ConnectParameters, Enclosure, FunctionalUnits, Indication, Selector, Session,
    SessionConfig, State, Transmit, Versions,
};
use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, Event, TransportSelector};

/// Transport and session selectors of an opening; empty ones are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selectors {
    /// Calling TSAP, at most 32 octets.
    pub calling_tsap: Vec<u8>,
    /// Called TSAP, at most 32 octets.
    pub called_tsap: Vec<u8>,
    /// Calling SSAP, at most 16 octets.
    pub calling_ssap: Vec<u8>,
    /// Called SSAP, at most 16 octets.
    pub called_ssap: Vec<u8>,
}

/// An initiator in the data phase, and what it sent to get there.
pub(super) struct Handshake {
    transport: Class0,
    session: Session,
    cr: Vec<u8>,
    cn: Vec<u8>,
}

impl Handshake {
    /// Opens a session of version 2 in duplex, over a transport connection with TPDUs of at most `tpdu_octets_max`.
    ///
    /// # Panics
    /// When a selector is too long, or `user_data` needs more than one CN.
    pub(super) fn new(selectors: &Selectors, user_data: &[u8], tpdu_octets_max: u32) -> Handshake {
        let (transport, cr) = open_transport(selectors, tpdu_octets_max);
        // Some responders, libiec61850 for one, close the connection when version 1 is proposed too.
        let config = SessionConfig {
            versions: Versions::V2,
            functional_units: FunctionalUnits::DUPLEX,
            ..SessionConfig::default()
        };
        let selector = |octets: &[u8]| Selector::new(octets).expect("an SSAP has at most 16 octets");
        let connect = ConnectParameters {
            calling: selector(&selectors.calling_ssap),
            called: selector(&selectors.called_ssap),
            versions: config.versions,
            requirements: config.functional_units,
            user_data,
            ..ConnectParameters::default()
        };
        let mut session = Session::initiator(&config, &connect).expect("the parameters fit each other");
        session.transport_connected(Duration::ZERO, false);
        let cn = tsdu_of(&mut session);
        let mut responder = Session::responder(&config);
        let connect = responder.handle_tsdu(Duration::ZERO, &mut Tsdu::new(&cn));
        assert!(matches!(connect, Some(Indication::Connect(_))), "one CN carries the user data");
        responder
            .connect_response(
                Duration::ZERO,
                &AcceptParameters { requirements: FunctionalUnits::DUPLEX, ..AcceptParameters::default() },
            )
            .expect("what was proposed is accepted");
        let ac = tsdu_of(&mut responder);
        session.handle_tsdu(Duration::ZERO, &mut Tsdu::new(&ac));
        assert!(session.poll_transmit().is_none() && session.state() == State::Sta713);
        let cn = tpkts(&transport, &[], &cn);
        Handshake { transport, session, cr, cn }
    }

    /// CR and CN, each in its TPKT.
    pub(super) fn opening(&self) -> Vec<Vec<u8>> {
        vec![self.cr.clone(), self.cn.clone()]
    }

    /// The TPKTs of one whole SSDU.
    pub(super) fn data(&mut self, ssdu: &[u8]) -> Vec<u8> {
        let mut segments = self
            .session
            .data_request(ssdu.len(), Enclosure::WHOLE)
            .expect("the session is in the data phase");
        let segment = segments.next().expect("an SSDU has a segment");
        assert_eq!((segment.octets, segments.next().is_none()), (ssdu.len(), true));
        tpkts(&self.transport, segment.header(), ssdu)
    }

    /// The TPKT of FN; ends the session of this initiator.
    pub(super) fn release(mut self, user_data: &[u8]) -> Vec<u8> {
        self.session.release_request(Duration::ZERO, user_data).expect("the session may be released");
        tpkts(&self.transport, &[], &tsdu_of(&mut self.session))
    }
}

fn open_transport(selectors: &Selectors, tpdu_octets_max: u32) -> (Class0, Vec<u8>) {
    let config = Class0Config { tpdu_octets_max, ..Class0Config::default() };
    let tsap = |octets: &[u8]| {
        (!octets.is_empty()).then(|| TransportSelector::new(octets).expect("a TSAP has at most 32 octets"))
    };
    let mut initiator = Class0::initiator(&config);
    let mut responder = Class0::responder(&config);
    let mut out = TxBatch::new();
    let connect = ConnectTpdu {
        calling: tsap(&selectors.calling_tsap),
        called: tsap(&selectors.called_tsap),
        ..ConnectTpdu::default()
    };
    initiator.connect_request(&connect, &mut out);
    let cr = out.to_vec();
    out.clear();
    responder.receive(Slice::from_vec(cr.clone()));
    assert!(matches!(responder.next_event(&mut out), Some(Event::Connect(_))));
    responder.connect_response(&mut out);
    initiator.receive(Slice::from_vec(out.to_vec()));
    assert!(matches!(initiator.next_event(&mut TxBatch::new()), Some(Event::ConnectConfirm(_))));
    (initiator, cr)
}

fn tsdu_of(session: &mut Session) -> Vec<u8> {
    let Some(Transmit::Tsdu(octets)) = session.poll_transmit() else { panic!("the machine sends one TSDU") };
    let octets = octets.to_vec();
    assert_eq!(session.poll_transmit(), None, "the machine sends one TSDU");
    octets
}

fn tpkts(transport: &Class0, header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = TxBatch::new();
    transport.data_request(header, &[Slice::copy_of(body)], &mut out);
    out.to_vec()
}

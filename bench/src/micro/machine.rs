//! The session machine: one DT in through `handle_tsdu`, one out through `data_request` and `poll_transmit`.

use std::hint::black_box;
use std::time::Duration;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    AcceptParameters, ConnectParameters, Enclosure, Indication, Session, SessionConfig, Transmit,
};

use super::Kernel;
use crate::recorder::thread_cpu;

/// No timer runs out in a kernel, so time may stand still.
const NOW: Duration = Duration::ZERO;

/// An SSDU in and out again.
pub const DATA: Kernel = Kernel {
    id: "machine",
    what: "GT and DT of 64 octets through Session::handle_tsdu, and out again through data_request and poll_transmit",
    run: data,
};

/// Two machines in data transfer: initiator, responder.
pub fn established() -> (Session, Session) {
    let config = SessionConfig::default();
    let mut initiator =
        Session::initiator(&config, &ConnectParameters::default()).expect("the defaults are legal");
    let mut responder = Session::responder(&config);
    initiator.transport_connected(NOW, false);
    carry(&mut initiator, &mut responder);
    responder.connect_response(NOW, &AcceptParameters::default()).expect("it was asked for");
    carry(&mut responder, &mut initiator);
    // An owner asks until there is nothing, which is also when a machine lets go of what it has set up.
    carry(&mut initiator, &mut responder);
    carry(&mut responder, &mut initiator);
    (initiator, responder)
}

/// Carries what one machine has to send to the other.
fn carry(from: &mut Session, to: &mut Session) {
    while let Some(transmit) = from.poll_transmit() {
        if let Transmit::Tsdu(octets) = transmit {
            let mut tsdu = Tsdu::new(octets);
            while to.handle_tsdu(NOW, &mut tsdu).is_some() {}
        }
    }
}

fn data(iterations: u64) -> Duration {
    let (_, mut responder) = established();
    let octets = [&[1, 0, 1, 0][..], &[0x42; 64]].concat();
    let mut user_octets = 0;
    let begin = thread_cpu();
    for _ in 0..iterations {
        let mut tsdu = Tsdu::new(black_box(&octets));
        let mut length = 0;
        while let Some(indication) = responder.handle_tsdu(NOW, &mut tsdu) {
            if let Indication::Data { user_data, .. } = indication {
                length += user_data.len();
            }
        }
        for segment in responder.data_request(length, Enclosure::WHOLE).expect("data transfer") {
            user_octets += black_box(&segment).octets;
        }
        assert!(responder.poll_transmit().is_none(), "data write nothing into the outbox");
    }
    let elapsed = thread_cpu() - begin;
    assert_eq!(user_octets as u64, iterations * 64, "every SSDU came through");
    elapsed
}

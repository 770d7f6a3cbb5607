//! A million SSDUs through two machines in data transfer, one S-DATA request and one S-DATA indication each:
//! what the cost of the hand-written path is counted with.
//!
//! `cargo build --release -p colloquy-session --example hot_path` and then
//! `valgrind --tool=callgrind target/release/examples/hot_path`; the difference between two numbers of SSDUs,
//! given as the argument, leaves the connection establishment out.

use std::time::Duration;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    AcceptParameters, ConnectParameters, Enclosure, Indication, Session, SessionConfig, Transmit,
};

/// No timer runs out in this program, so time may stand still.
const NOW: Duration = Duration::ZERO;

/// SSDUs when no argument says otherwise.
const SSDUS: u64 = 1_000_000;

fn main() {
    let ssdus = std::env::args().nth(1).and_then(|argument| argument.parse().ok()).unwrap_or(SSDUS);
    let config = SessionConfig::default();
    let mut sender =
        Session::initiator(&config, &ConnectParameters::default()).expect("the defaults are legal");
    let mut receiver = Session::responder(&config);
    sender.transport_connected(NOW, false);
    carry(&mut sender, &mut receiver);
    receiver.connect_response(NOW, &AcceptParameters::default()).expect("it was asked for");
    carry(&mut receiver, &mut sender);

    let body = [0x42; 64];
    let mut tsdu = Vec::with_capacity(128);
    let mut octets = 0;
    for _ in 0..ssdus {
        for segment in sender.data_request(body.len(), Enclosure::WHOLE).expect("data transfer") {
            tsdu.clear();
            tsdu.extend_from_slice(segment.header());
            tsdu.extend_from_slice(&body[..segment.octets]);
        }
        let mut received = Tsdu::new(&tsdu);
        while let Some(indication) = receiver.handle_tsdu(NOW, &mut received) {
            if let Indication::Data { user_data, .. } = indication {
                octets += user_data.len();
            }
        }
        assert!(receiver.poll_transmit().is_none());
    }
    println!("{ssdus} SSDUs, {octets} octets");
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

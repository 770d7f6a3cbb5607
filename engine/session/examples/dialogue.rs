//! A dialogue in half duplex, both ends in one program and no socket: connect, a request with the data
//! token behind it, a response, release.
//!
//! `cargo run -p colloquy-session --example dialogue`

use std::time::Duration;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    AcceptParameters, ConnectParameters, Enclosure, FunctionalUnits, Indication, ServiceError, Session,
    SessionConfig, Tokens, Transmit,
};

/// No timer runs out in this program, so time may stand still.
const NOW: Duration = Duration::ZERO;

fn main() -> Result<(), ServiceError> {
    let config = SessionConfig::default();
    let connect = ConnectParameters {
        requirements: FunctionalUnits::HALF_DUPLEX | FunctionalUnits::NEGOTIATED_RELEASE,
        user_data: b"good morning",
        ..Default::default()
    };
    let mut client = Session::initiator(&config, &connect)?;
    let mut server = Session::responder(&config);

    client.transport_connected(NOW, false);
    carry(&mut client, &mut server, "server");
    server.connect_response(NOW, &AcceptParameters { user_data: b"welcome", ..Default::default() })?;
    carry(&mut server, &mut client, "client");

    // The client holds all tokens. It speaks, then hands the data token over.
    say(&mut client, &mut server, b"what time is it?", "server")?;
    client.token_give_request(NOW, Tokens::DATA, b"")?;
    carry(&mut client, &mut server, "server");
    say(&mut server, &mut client, b"about noon", "client")?;
    server.token_give_request(NOW, Tokens::DATA, b"")?;
    carry(&mut server, &mut client, "client");

    // With all tokens back, the client may ask for the release.
    client.release_request(NOW, b"bye")?;
    carry(&mut client, &mut server, "server");
    server.release_response(NOW, true, b"bye")?;
    carry(&mut server, &mut client, "client");
    carry(&mut client, &mut server, "server");
    println!("client in {:?}, server in {:?}", client.state(), server.state());
    Ok(())
}

/// Sends one SSDU: the machine gives the octets in front, the body stays where it is.
fn say(from: &mut Session, to: &mut Session, body: &[u8], name: &str) -> Result<(), ServiceError> {
    let mut rest = body;
    for segment in from.data_request(body.len(), Enclosure::WHOLE)? {
        let (part, after) = rest.split_at(segment.octets);
        rest = after;
        take(to, &[segment.header(), part].concat(), name);
    }
    Ok(())
}

/// Carries what one machine wants to send to the other one.
fn carry(from: &mut Session, to: &mut Session, name: &str) {
    while let Some(transmit) = from.poll_transmit() {
        match transmit {
            Transmit::Tsdu(octets) => take(to, octets, name),
            _ => println!("{name} loses its transport: {:?}", to.transport_disconnected(NOW)),
        }
    }
}

/// Hands a TSDU to a machine and prints what its user is told.
fn take(to: &mut Session, octets: &[u8], name: &str) {
    let mut tsdu = Tsdu::new(octets);
    while let Some(indication) = to.handle_tsdu(NOW, &mut tsdu) {
        match indication {
            Indication::Data { user_data, .. } => println!("{name} hears {}", user_data.escape_ascii()),
            other => println!("{name} is told {other:?}"),
        }
    }
}

//! A whole dialogue in half duplex, both ends in one program and no socket: connect, activity, request and
//! response with the data token, minor and major synchronization, resynchronize, release.
//!
//! `cargo run -p colloquy-session --example dialogue`

use std::time::Duration;

use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits as Units, Indication, Request, ResyncType,
    ResynchronizeAnswer, ResynchronizeParameters, ServiceError, Session, SessionConfig, Tokens, Transmit,
};

/// No timer runs out in this program, so time may stand still.
const NOW: Duration = Duration::ZERO;

fn main() -> Result<(), ServiceError> {
    let units =
        Units::HALF_DUPLEX | Units::MINOR_SYNC | Units::MAJOR_SYNC | Units::RESYNCHRONIZE | Units::ACTIVITY;
    let config = SessionConfig { functional_units: units, ..Default::default() };
    let connect = ConnectParameters { requirements: units, user_data: b"good morning", ..Default::default() };
    let mut client = Session::initiator(&config, &connect)?;
    let mut server = Session::responder(&config);
    client.transport_connected(NOW, false);
    carry(&mut client, &mut server, "server");
    server.connect_response(NOW, &Default::default())?;
    carry(&mut server, &mut client, "client");

    // The client holds all tokens: it begins an activity, asks, and hands the data token over for the answer.
    ask(
        &mut client,
        &mut server,
        "server",
        Request::ActivityStart { identifier: b"ledger", user_data: b"" },
    )?;
    say(&mut client, &mut server, "server", b"what is the balance?")?;
    ask(&mut client, &mut server, "server", Request::TokenGive { tokens: Tokens::DATA, user_data: b"" })?;
    say(&mut server, &mut client, "client", b"4711")?;
    ask(&mut server, &mut client, "client", Request::TokenGive { tokens: Tokens::DATA, user_data: b"" })?;

    // A minor point may be confirmed at any time; a major one stops the requester until it is.
    let point = client.sync_minor_request(NOW, false, b"noted?")?;
    carry(&mut client, &mut server, "server");
    server.sync_minor_response(NOW, point, b"noted")?;
    carry(&mut server, &mut client, "client");
    ask(&mut client, &mut server, "server", Request::SyncMajor { user_data: b"booked?" })?;
    ask(&mut server, &mut client, "client", Request::SyncMajorResponse { user_data: b"booked" })?;

    // Something went wrong: back to the last number that both sides stand by.
    let serial_number = Some(client.serial_numbers().lowest_restart);
    let restart =
        ResynchronizeParameters { resync_type: ResyncType::Restart, serial_number, ..Default::default() };
    ask(&mut client, &mut server, "server", Request::Resynchronize(restart))?;
    ask(&mut server, &mut client, "client", Request::ResynchronizeResponse(ResynchronizeAnswer::default()))?;

    // The activity ends as it began, and with all tokens at hand the client may ask for the release.
    ask(&mut client, &mut server, "server", Request::ActivityEnd { user_data: b"" })?;
    ask(&mut server, &mut client, "client", Request::ActivityEndResponse { user_data: b"" })?;
    ask(&mut client, &mut server, "server", Request::Release { user_data: b"bye" })?;
    ask(
        &mut server,
        &mut client,
        "client",
        Request::ReleaseResponse { affirmative: true, user_data: b"bye" },
    )?;
    carry(&mut client, &mut server, "server");
    println!("client in {:?}, server in {:?}", client.state(), server.state());
    Ok(())
}

/// One primitive of `from`, carried over to `to`.
fn ask(from: &mut Session, to: &mut Session, name: &str, request: Request<'_>) -> Result<(), ServiceError> {
    from.request(NOW, &request)?;
    carry(from, to, name);
    Ok(())
}

/// Sends one SSDU: the machine gives the octets in front, the body stays where it is.
fn say(from: &mut Session, to: &mut Session, name: &str, body: &[u8]) -> Result<(), ServiceError> {
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

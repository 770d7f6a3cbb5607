//! One S-CONNECT towards the responder, and how it ends.

use std::time::{Duration, Instant};

use colloquy_session::spdu::{Abort, Accept, Connect, ConnectAcceptItem, DecodeRules, Finish, Spdu, Tsdu};
use colloquy_session::{
    FunctionalUnits, ProtocolOptions, Selector, SerialNumber, TransportDisconnect, TsduMaximumSize, Versions,
};

use super::line::{Heard, Line};

/// What is proposed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proposal<'p> {
    pub(super) units: FunctionalUnits,
    pub(super) versions: Versions,
    pub(super) tsdu_maximum_size: Option<TsduMaximumSize>,
    pub(super) calling: Selector,
    pub(super) called: Selector,
    pub(super) user_data: &'p [u8],
}

/// How the responder took it.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// ACCEPT.
    Accepted(Agreed),
    /// REFUSE with this reason.
    Refused(u8),
    /// Something else, in words.
    Other(String),
}

/// What an ACCEPT says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreed {
    pub(super) units: FunctionalUnits,
    pub(super) versions: Versions,
    pub(super) tsdu_maximum_size: TsduMaximumSize,
    pub(super) extended_concatenation: bool,
    pub(super) responding: Selector,
    pub(super) took: Duration,
}

/// Units whose serial numbers need a start value.
const NUMBERED: FunctionalUnits =
    FunctionalUnits::MINOR_SYNC.union(FunctionalUnits::MAJOR_SYNC).union(FunctionalUnits::RESYNCHRONIZE);

/// Sends CONNECT and waits for the answer.
pub(super) fn connect(line: &mut Line, proposal: &Proposal<'_>) -> Answer {
    let cn = Spdu::Connect(Connect {
        item: ConnectAcceptItem {
            protocol_options: ProtocolOptions::empty(),
            tsdu_maximum_size: proposal.tsdu_maximum_size,
            versions: proposal.versions,
            initial_serial_number: proposal.units.intersects(NUMBERED).then_some(SerialNumber(1)),
            ..ConnectAcceptItem::default()
        },
        requirements: proposal.units,
        calling: proposal.calling,
        called: proposal.called,
        user_data: proposal.user_data,
        ..Connect::default()
    });
    let asked = Instant::now();
    if let Err(fault) = send(line, &cn) {
        return Answer::Other(fault);
    }
    match line.hear() {
        Heard::Tsdu(octets) => match only_spdu(&octets) {
            Some(Spdu::Accept(accept)) => Answer::Accepted(agreed(proposal, &accept, asked.elapsed())),
            Some(Spdu::Refuse(refuse)) => Answer::Refused(refuse.reason),
            Some(other) => Answer::Other(format!("{} instead of an answer", other.kind().name())),
            None => Answer::Other("no valid SPDU instead of an answer".to_owned()),
        },
        Heard::Gone(how) => Answer::Other(how),
        Heard::Silence => Answer::Other("no answer in time".to_owned()),
    }
}

fn agreed(proposal: &Proposal<'_>, accept: &Accept<'_>, took: Duration) -> Agreed {
    Agreed {
        units: accept.requirements & proposal.units,
        versions: accept.item.versions,
        tsdu_maximum_size: accept.item.tsdu_maximum_size.unwrap_or_default(),
        extended_concatenation: accept
            .item
            .protocol_options
            .contains(ProtocolOptions::EXTENDED_CONCATENATION),
        responding: accept.responding,
        took,
    }
}

/// How a release went.
#[derive(Clone, Debug)]
pub(super) enum Released {
    /// DISCONNECT came.
    Disconnect(Duration),
    /// Something else, in words.
    Other(String),
}

/// Sends FINISH, asking to keep the transport connection or not, and waits for DISCONNECT.
pub(super) fn release(line: &mut Line, keep: bool) -> Released {
    let bits = if keep { TransportDisconnect::empty() } else { TransportDisconnect::RELEASED };
    let fin = Spdu::Finish(Finish { transport_disconnect: Some(bits), enclosure: None, user_data: &[] });
    let asked = Instant::now();
    if let Err(fault) = send(line, &fin) {
        return Released::Other(fault);
    }
    match line.hear() {
        Heard::Tsdu(octets) => match only_spdu(&octets) {
            Some(Spdu::Disconnect(_)) => Released::Disconnect(asked.elapsed()),
            Some(other) => Released::Other(format!("{} instead of DISCONNECT", other.kind().name())),
            None => Released::Other("no valid SPDU instead of DISCONNECT".to_owned()),
        },
        Heard::Gone(how) => Released::Other(format!("no DISCONNECT: {how}")),
        Heard::Silence => Released::Other("no DISCONNECT in time".to_owned()),
    }
}

/// Ends a session that was opened only to see its ACCEPT.
pub(super) fn abort(line: &mut Line) {
    let bits = TransportDisconnect::RELEASED | TransportDisconnect::USER_ABORT;
    let ab = Spdu::Abort(Abort { transport_disconnect: bits, enclosure: None, reflect: &[], user_data: &[] });
    let _ = send(line, &ab);
}

fn send(line: &mut Line, spdu: &Spdu<'_>) -> Result<(), String> {
    let mut tsdu = Vec::with_capacity(spdu.encoded_octets());
    spdu.emit_tsdu(&mut tsdu).map_err(|error| format!("cannot be proposed: {error}"))?;
    line.send(&tsdu);
    Ok(())
}

fn only_spdu(octets: &[u8]) -> Option<Spdu<'_>> {
    let view = Tsdu::new(octets).next_spdu(&DecodeRules::LENIENT).ok().flatten()?;
    view.parse(&DecodeRules::LENIENT).ok()
}

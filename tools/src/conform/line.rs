//! The transport of the lower tester: TPKT and class 0 over a socket, written for the tester and nothing
//! else, so that a fault of the transport under test cannot hide behind the same fault here.
//!
//! Every wait has a deadline; a peer that closes, resets or sends nonsense is an arrival, never an error.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What comes from the IUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// A TSDU of the normal flow.
    Tsdu(Vec<u8>),
    /// A TSDU of the expedited flow.
    Expedited(Vec<u8>),
    /// The transport connection is gone; why.
    Closed(String),
    /// Nothing came in time.
    Silence,
}

/// A transport connection as the lower tester uses it.
pub(crate) trait Link {
    /// T-DATA request.
    fn send(&mut self, tsdu: &[u8]);
    /// T-EXPEDITED-DATA request.
    fn send_expedited(&mut self, tsdu: &[u8]);
    /// What comes next; waits at most `within`.
    fn receive(&mut self, within: Duration) -> Arrival;
    /// T-DISCONNECT request.
    fn close(&mut self);
    /// True when both sides have agreed on transport expedited.
    fn has_expedited(&self) -> bool;
}

/// What CR and CC of the tester carry.
#[derive(Clone, Debug, Default)]
pub(crate) struct TransportNames {
    /// Calling TSAP; empty leaves it out.
    pub(crate) calling: Vec<u8>,
    /// Called TSAP; empty leaves it out.
    pub(crate) called: Vec<u8>,
}

/// Longest TSDU the tester takes.
const TSDU_OCTETS_MAX: usize = 8 << 20;
/// Code of the TPDU size proposed: 2048 octets, which every stack takes.
const SIZE_CODE: u8 = 0x0b;
const TPDU_BODY_OCTETS_MAX: usize = 2048 - 3;

const CR: u8 = 0xe0;
const CC: u8 = 0xd0;
const DR: u8 = 0x80;
const DT: u8 = 0xf0;
const ED: u8 = 0x10;
const EOT: u8 = 0x80;

/// A class 0 transport connection over TCP.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    received: Vec<u8>,
    tsdu: Vec<u8>,
    body_octets_max: usize,
    expedited: bool,
    closed: Option<String>,
}

impl Line {
    /// Connects and exchanges CR and CC.
    ///
    /// # Errors
    /// Why there is no transport connection.
    pub(crate) fn connect(
        to: SocketAddr,
        names: &TransportNames,
        expedited: bool,
        within: Duration,
    ) -> Result<Line, String> {
        let stream = TcpStream::connect_timeout(&to, within).map_err(|error| error.to_string())?;
        let mut line = Line::over(stream)?;
        line.write(&tpkt(&connect_tpdu(CR, [0, 0], names, expedited)));
        let tpdu = match line.tpdu(Instant::now() + within) {
            Ok(tpdu) => tpdu,
            Err(arrival) => return Err(format!("no CC: {arrival:?}")),
        };
        if tpdu.get(1).is_none_or(|code| code & 0xf0 != CC) {
            return Err(format!("no CC but {}", super::octets::hex(&tpdu)));
        }
        line.settle(&tpdu, expedited);
        Ok(line)
    }

    /// Waits for CR and answers CC.
    ///
    /// # Errors
    /// Why there is no transport connection.
    pub(crate) fn accept(stream: TcpStream, expedited: bool, within: Duration) -> Result<Line, String> {
        let mut line = Line::over(stream)?;
        let tpdu = match line.tpdu(Instant::now() + within) {
            Ok(tpdu) => tpdu,
            Err(arrival) => return Err(format!("no CR: {arrival:?}")),
        };
        if tpdu.len() < 7 || tpdu[1] & 0xf0 != CR {
            return Err(format!("no CR but {}", super::octets::hex(&tpdu)));
        }
        line.settle(&tpdu, expedited);
        let names = TransportNames {
            calling: parameter(&tpdu, 0xc1).unwrap_or_default(),
            called: parameter(&tpdu, 0xc2).unwrap_or_default(),
        };
        let mut confirm = connect_tpdu(CC, [tpdu[4], tpdu[5]], &names, line.expedited);
        if parameter(&tpdu, 0xc0).is_none() {
            // No size was proposed, so none may be selected: take the unit out again.
            confirm.drain(7..10);
            confirm[0] -= 3;
        }
        line.write(&tpkt(&confirm));
        Ok(line)
    }

    fn over(stream: TcpStream) -> Result<Line, String> {
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        stream.set_write_timeout(Some(Duration::from_secs(10))).map_err(|error| error.to_string())?;
        Ok(Line {
            stream,
            received: Vec::new(),
            tsdu: Vec::new(),
            body_octets_max: TPDU_BODY_OCTETS_MAX,
            expedited: false,
            closed: None,
        })
    }

    /// Takes size and expedited option from the peer's CR or CC.
    fn settle(&mut self, tpdu: &[u8], expedited: bool) {
        if let Some(code @ 7..=13) = parameter(tpdu, 0xc0).and_then(|value| value.first().copied()) {
            self.body_octets_max = ((1 << code) - 3).min(TPDU_BODY_OCTETS_MAX);
        }
        let option = parameter(tpdu, 0xc6).and_then(|value| value.first().copied()).unwrap_or(0);
        self.expedited = expedited && option & 1 != 0;
    }

    fn write(&mut self, octets: &[u8]) {
        if let Err(error) = self.stream.write_all(octets) {
            // What the peer sent before is still to be read: the end shows there.
            self.closed.get_or_insert_with(|| format!("cannot send: {error}"));
        }
    }

    /// The next TPDU without its TPKT header.
    fn tpdu(&mut self, deadline: Instant) -> Result<Vec<u8>, Arrival> {
        self.fill(4, deadline)?;
        let octets = usize::from(u16::from_be_bytes([self.received[2], self.received[3]]));
        if self.received[0] != 3 || octets < 7 {
            let shown = super::octets::hex(&self.received);
            return Err(Arrival::Closed(format!("no TPKT: {shown}")));
        }
        self.fill(octets, deadline)?;
        let tpdu = self.received[4..octets].to_vec();
        self.received.drain(..octets);
        Ok(tpdu)
    }

    /// Reads until `octets` are there.
    fn fill(&mut self, octets: usize, deadline: Instant) -> Result<(), Arrival> {
        let mut buffer = [0; 65536];
        while self.received.len() < octets {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Arrival::Silence);
            }
            // A read timeout of less than the clock's step would be refused as zero.
            let timeout = left.max(Duration::from_millis(1));
            if let Err(error) = self.stream.set_read_timeout(Some(timeout)) {
                return Err(Arrival::Closed(error.to_string()));
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Arrival::Closed("closed".to_owned())),
                Ok(read) => self.received.extend_from_slice(&buffer[..read]),
                // An io_uring in this process interrupts system calls of its threads.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The loop judges whether the time is up.
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(Arrival::Closed(error.to_string())),
            }
        }
        Ok(())
    }
}

impl Link for Line {
    fn send(&mut self, tsdu: &[u8]) {
        if tsdu.is_empty() {
            self.write(&tpkt(&[2, DT, EOT]));
            return;
        }
        let parts = tsdu.chunks(self.body_octets_max).count();
        let mut octets = Vec::with_capacity(tsdu.len() + parts * 7);
        for (index, part) in tsdu.chunks(self.body_octets_max).enumerate() {
            let eot = if index + 1 == parts { EOT } else { 0 };
            octets.extend(tpkt(&[&[2, DT, eot][..], part].concat()));
        }
        self.write(&octets);
    }

    fn send_expedited(&mut self, tsdu: &[u8]) {
        self.write(&tpkt(&[&[2, ED, EOT][..], tsdu].concat()));
    }

    fn receive(&mut self, within: Duration) -> Arrival {
        let deadline = Instant::now() + within;
        loop {
            let tpdu = match self.tpdu(deadline) {
                Ok(tpdu) => tpdu,
                Err(arrival) => {
                    if let Arrival::Closed(reason) = &arrival {
                        self.closed = Some(reason.clone());
                    }
                    return arrival;
                }
            };
            match tpdu[..] {
                [2, DT, eot, ref body @ ..] => {
                    self.tsdu.extend_from_slice(body);
                    if self.tsdu.len() > TSDU_OCTETS_MAX {
                        return Arrival::Closed("a TSDU that does not end".to_owned());
                    }
                    if eot & EOT != 0 {
                        return Arrival::Tsdu(std::mem::take(&mut self.tsdu));
                    }
                }
                [2, ED, EOT, ref body @ ..] if self.expedited => return Arrival::Expedited(body.to_vec()),
                [_, DR, ..] => {
                    self.closed = Some("DR".to_owned());
                    return Arrival::Closed("DR".to_owned());
                }
                _ => return Arrival::Closed(format!("TPDU {}", super::octets::hex(&tpdu))),
            }
        }
    }

    fn close(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn has_expedited(&self) -> bool {
        self.expedited
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn tpkt(tpdu: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(tpdu.len() + 4).expect("TPDUs of the tester are short").to_be_bytes();
    [&[3, 0, high, low][..], tpdu].concat()
}

fn connect_tpdu(code: u8, destination: [u8; 2], names: &TransportNames, expedited: bool) -> Vec<u8> {
    let mut tpdu = vec![0, code, destination[0], destination[1], 0, 1, 0, 0xc0, 1, SIZE_CODE];
    for (code, selector) in [(0xc1, &names.calling), (0xc2, &names.called)] {
        if !selector.is_empty() {
            tpdu.extend(super::octets::unit(code, selector));
        }
    }
    if expedited {
        tpdu.extend([0xc6, 1, 1]);
    }
    tpdu[0] = u8::try_from(tpdu.len() - 1).expect("selectors are at most 32 octets");
    tpdu
}

/// The value of a variable parameter of CR or CC.
fn parameter(tpdu: &[u8], code: u8) -> Option<Vec<u8>> {
    let mut rest = tpdu.get(7..)?;
    while let [found, octets, after @ ..] = rest {
        let value = after.get(..usize::from(*octets))?;
        if *found == code {
            return Some(value.to_vec());
        }
        rest = &after[value.len()..];
    }
    None
}

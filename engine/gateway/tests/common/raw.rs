//! A host that sends octets as a test writes them: what peers may do that no stack of ours does.

use std::time::Duration;

use colloquy_transport::buf::TxBatch;
use colloquy_transport::driver::sim::SimDriver;
use colloquy_transport::driver::{Close, Completion, ConnectOptions, ConnectionId, Driver};

use super::{GATEWAY, address};

/// CR with calling TSAP "CT" and called TSAP "ST", TPDU size 8192.
pub const CR: &[u8] =
    &[3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 13, 0xc1, 2, b'C', b'T', 0xc2, 2, b'S', b'T'];

const TPDU_OCTETS: usize = 8192;
/// Version 2, duplex, selectors 0001, three octets of user data.
pub const CN: &[u8] = &[
    0x0d, 0x19, 0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x14, 0x02, 0x00, 0x02, 0x33, 0x02, 0x00,
    0x01, 0x34, 0x02, 0x00, 0x01, 0xc1, 0x03, 0xa1, 0xa2, 0xa3,
];

/// One connection of a raw host.
#[derive(Debug)]
pub struct RawConnection {
    pub id: ConnectionId,
    pub received: Vec<u8>,
    pub connected: bool,
    /// How the gateway ended it: `eof` or `failed`.
    pub ended: Option<&'static str>,
    in_flight: bool,
    waiting: Vec<u8>,
}

#[derive(Debug)]
pub struct Raw {
    driver: SimDriver,
    pub connections: Vec<RawConnection>,
    /// Keeps its end open when the gateway has closed its own.
    pub stubborn: bool,
}

impl Raw {
    pub fn new(driver: SimDriver) -> Raw {
        Raw { driver, connections: Vec::new(), stubborn: false }
    }

    /// Connects to the gateway; gives the place of the connection in `connections`.
    pub fn connect(&mut self) -> usize {
        let id = self.driver.connect(address(GATEWAY), &ConnectOptions::default()).unwrap();
        self.connections.push(RawConnection {
            id,
            received: Vec::new(),
            connected: false,
            ended: None,
            in_flight: false,
            waiting: Vec::new(),
        });
        self.connections.len() - 1
    }

    /// Sends octets as they are, once there is a connection.
    pub fn send(&mut self, at: usize, octets: &[u8]) {
        self.connections[at].waiting.extend_from_slice(octets);
        self.flush(at);
    }

    /// Sends a TSDU in as many TPDUs as it takes.
    pub fn send_tsdu(&mut self, at: usize, tsdu: &[u8]) {
        let mut parts = tsdu.chunks(TPDU_OCTETS - 3).peekable();
        while let Some(part) = parts.next() {
            self.send_dt(at, part, parts.peek().is_none());
        }
    }

    /// Sends octets of a TSDU in one TPDU; `end` when the TSDU ends with it.
    pub fn send_dt(&mut self, at: usize, octets: &[u8], end: bool) {
        let [high, low] = u16::try_from(octets.len() + 7).unwrap().to_be_bytes();
        self.send(at, &[&[3, 0, high, low, 2, 0xf0, u8::from(end) << 7], octets].concat());
    }

    /// The TSDUs that came, whole.
    pub fn tsdus(&self, at: usize) -> Vec<Vec<u8>> {
        let mut tsdus = Vec::new();
        let mut tsdu = Vec::new();
        for tpdu in self.tpdus(at).iter().filter(|tpdu| tpdu[1] == 0xf0) {
            tsdu.extend_from_slice(&tpdu[3..]);
            if tpdu[2] == 0x80 {
                tsdus.push(std::mem::take(&mut tsdu));
            }
        }
        tsdus
    }

    /// What came, as TPDUs.
    pub fn tpdus(&self, at: usize) -> Vec<Vec<u8>> {
        let mut rest = &self.connections[at].received[..];
        let mut tpdus = Vec::new();
        while !rest.is_empty() {
            let (tpkt, others) = rest.split_at(usize::from(u16::from_be_bytes([rest[2], rest[3]])));
            tpdus.push(tpkt[4..].to_vec());
            rest = others;
        }
        tpdus
    }

    /// Sees what has happened; true when something has.
    pub fn poll(&mut self) -> bool {
        let mut completions = Vec::new();
        self.driver.wait(Some(Duration::ZERO), &mut completions).unwrap();
        let worked = !completions.is_empty();
        for completion in completions {
            self.handle(completion);
        }
        worked
    }

    fn handle(&mut self, completion: Completion) {
        let (Completion::Connected(id)
        | Completion::Received(id, _)
        | Completion::Sent(id, _)
        | Completion::Eof(id)
        | Completion::Failed(id, _)
        | Completion::Closed(id)) = completion
        else {
            return;
        };
        let Some(at) = self.connections.iter().position(|connection| connection.id == id) else { return };
        let connection = &mut self.connections[at];
        match completion {
            Completion::Connected(_) => connection.connected = true,
            Completion::Received(_, octets) => connection.received.extend_from_slice(&octets),
            Completion::Sent(..) => connection.in_flight = false,
            Completion::Eof(_) => {
                connection.ended = Some("eof");
                if !self.stubborn {
                    self.driver.close(id, Close::Graceful);
                }
            }
            Completion::Failed(..) => {
                connection.ended = Some("failed");
                self.driver.close(id, Close::Abort);
            }
            _ => {}
        }
        self.flush(at);
    }

    fn flush(&mut self, at: usize) {
        let connection = &mut self.connections[at];
        let may_send = connection.connected && !connection.in_flight && connection.ended.is_none();
        if may_send && !connection.waiting.is_empty() {
            let mut batch = TxBatch::new();
            batch.put_header(&std::mem::take(&mut connection.waiting));
            connection.in_flight = true;
            self.driver.send(connection.id, batch);
        }
    }
}

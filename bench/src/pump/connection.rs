//! One open connection: what it still has to send, and what of its answers has come.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;

use super::error::PumpError;

/// Octets in which a request is repeated, unless one request has more.
const REPEATED_OCTETS_MAX: usize = 1 << 20;

/// The requests as they are written: repeated, so that one write takes many.
#[derive(Debug)]
pub(super) struct Requests {
    octets: Vec<u8>,
    request_octets: usize,
    pub(super) answer_octets: usize,
    pub(super) verify: bool,
}

impl Requests {
    pub(super) fn new(request: &[u8], answer_octets: usize, verify: bool) -> Requests {
        // An answer of unknown length never ends.
        let answer_octets = if answer_octets == 0 { usize::MAX } else { answer_octets };
        Requests { octets: request.to_vec(), request_octets: request.len(), answer_octets, verify }
    }

    /// Makes one write take up to `depth` requests.
    pub(super) fn repeat(&mut self, depth: usize) {
        let count = depth.min(REPEATED_OCTETS_MAX / self.request_octets.max(1)).max(1);
        if self.octets.len() < count * self.request_octets {
            self.octets.truncate(self.request_octets);
            self.octets = self.octets.repeat(count);
        }
    }

    /// Compares octets that came with the request, from offset `at` of an answer on.
    fn compare(&self, mut at: usize, mut came: &[u8], address: SocketAddr) -> Result<(), PumpError> {
        while !came.is_empty() {
            let request = &self.octets[at..self.request_octets];
            let (now, later) = came.split_at(came.len().min(request.len()));
            let differs = || (0..now.len()).find(|offset| now[*offset] != request[*offset]);
            if now != &request[..now.len()]
                && let Some(offset) = differs()
            {
                return Err(PumpError::Differs {
                    address,
                    offset: at + offset,
                    expected: request[offset],
                    found: now[offset],
                });
            }
            (at, came) = (0, later);
        }
        Ok(())
    }
}

/// What one look at a readable connection gave.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) octets: usize,
    /// Answers that are whole now.
    pub(super) answers: usize,
    /// Why nothing more will come.
    pub(super) end: Option<End>,
}

/// Why a connection is over.
#[derive(Debug)]
pub(super) enum End {
    /// The peer closed or reset it.
    Peer(String),
    /// The pump gave it up.
    Own(String),
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    pub(super) peer: SocketAddr,
    /// Octets of requests that were asked for and not written.
    unsent_octets: usize,
    /// Offset in the request at which writing goes on.
    at: usize,
    /// Octets of the answer under way.
    arrived: usize,
    /// When requests without an answer were sent or due, oldest first.
    pub(super) times: VecDeque<u64>,
    /// Position among those that carry load.
    pub(super) active: bool,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, active: bool) -> Connection {
        Connection { stream, peer, unsent_octets: 0, at: 0, arrived: 0, times: VecDeque::new(), active }
    }

    /// Room for `count` requests in flight, so that none allocates.
    pub(super) fn reserve(&mut self, count: usize) {
        self.times.reserve(count.saturating_sub(self.times.len()));
    }

    /// Adds `count` requests of `time` and writes what the socket takes.
    pub(super) fn ask(&mut self, count: usize, time: u64, requests: &Requests) -> Result<(), End> {
        for _ in 0..count {
            self.times.push_back(time);
        }
        let blocked = self.unsent_octets > 0;
        self.unsent_octets += count * requests.request_octets;
        if blocked { Ok(()) } else { self.write(requests) }
    }

    /// Writes what is left, as far as the socket takes it; it tells when it takes more.
    pub(super) fn write(&mut self, requests: &Requests) -> Result<(), End> {
        while self.unsent_octets > 0 {
            let end = requests.octets.len().min(self.at + self.unsent_octets);
            match self.stream.write(&requests.octets[self.at..end]) {
                Ok(count) => {
                    self.unsent_octets -= count;
                    self.at =
                        if self.unsent_octets == 0 { 0 } else { (self.at + count) % requests.request_octets };
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.ended(&error)),
            }
        }
        Ok(())
    }

    /// Reads until there is no more. A read that does not fill the buffer has emptied the socket, which spares the
    /// one that would say so; `at_end` reads on, to what is behind the last octets.
    pub(super) fn read(
        &mut self,
        requests: &Requests,
        buffer: &mut [u8],
        at_end: bool,
    ) -> Result<Received, PumpError> {
        let mut received = Received::default();
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => {
                    received.end = Some(End::Peer(format!("{} closed it", self.peer)));
                    break;
                }
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    received.end = Some(self.ended(&error));
                    break;
                }
            };
            received.octets += count;
            if requests.verify {
                requests.compare(self.arrived, &buffer[..count], self.peer)?;
            }
            self.arrived += count;
            if self.arrived >= requests.answer_octets {
                received.answers += self.arrived / requests.answer_octets;
                self.arrived %= requests.answer_octets;
            }
            if self.times.len() < received.answers + usize::from(self.arrived > 0) {
                // The peer's count and ours differ from here on.
                received.answers = received.answers.min(self.times.len());
                received.end = Some(End::Own(format!("{} sent what no request had asked for", self.peer)));
                break;
            }
            if count < buffer.len() && !at_end {
                break;
            }
        }
        Ok(received)
    }

    fn ended(&self, error: &io::Error) -> End {
        End::Peer(format!("{}: {error}", self.peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared_wherever_they_are_cut() {
        let mut requests = Requests::new(b"abcdef", 6, true);
        requests.repeat(3);
        let address = ([127, 0, 0, 1], 1).into();
        assert!(requests.compare(2, b"cdefabcdefab", address).is_ok());
        let Err(PumpError::Differs { offset, expected, found, .. }) =
            requests.compare(2, b"cdefaBc", address)
        else {
            panic!("one octet differs")
        };
        assert_eq!((offset, expected, found), (1, b'b', b'B'));
    }
}

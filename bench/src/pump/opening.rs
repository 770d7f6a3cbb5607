//! One connection on its way from a socket to the state in which it may carry load.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use colloquy_transport::driver::ConnectOptions;
use colloquy_transport::net::socket_for;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::answer::{Kind, Whole, first_tsdu};
use super::error::{OpeningCause, OpeningError};

/// Octets of one answer while a connection is opened, at most.
const ANSWER_OCTETS_MAX: usize = 1 << 20;

/// How far an opening has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The socket tells when it goes on.
    Waiting,
    /// All of it was sent and answered.
    Done,
}

/// A connection being opened: TCP, then each of the steps and its answer.
#[derive(Debug)]
pub(super) struct Opening {
    stream: TcpStream,
    peer: SocketAddr,
    began: Instant,
    /// Steps begun; 0 while TCP connects.
    step: usize,
    /// Octets of the step that were written.
    written: usize,
    /// Octets of its answer so far.
    came: Vec<u8>,
    /// Octets of the last answer.
    answer_octets: usize,
}

impl Opening {
    /// Begins to connect; the socket is closed by a reset whenever it is dropped, so that no port stays taken.
    pub(super) fn begin(
        registry: &Registry,
        token: Token,
        peer: SocketAddr,
        source: Option<IpAddr>,
    ) -> Result<Opening, OpeningError> {
        let connect = || {
            let options = ConnectOptions {
                source: source.map(|address| SocketAddr::new(address, 0)),
                ..ConnectOptions::default()
            };
            let socket = socket_for(peer, &options)?;
            socket.set_linger(Some(Duration::ZERO))?;
            match socket.connect(&peer.into()) {
                Err(error) if !is_under_way(&error) => return Err(error),
                _ => {}
            }
            let mut stream = TcpStream::from_std(socket.into());
            registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        };
        let stream = connect().map_err(|error| OpeningError {
            address: peer,
            step: "TCP connect",
            cause: OpeningCause::System(error),
        })?;
        let began = Instant::now();
        Ok(Opening { stream, peer, began, step: 0, written: 0, came: Vec::new(), answer_octets: 0 })
    }

    /// Goes on as far as the socket allows.
    pub(super) fn advance(&mut self, steps: &[Vec<u8>], buffer: &mut [u8]) -> Result<Progress, OpeningError> {
        let progress = self.advance_steps(steps, buffer);
        progress.map_err(|cause| self.error(steps, cause))
    }

    fn advance_steps(&mut self, steps: &[Vec<u8>], buffer: &mut [u8]) -> Result<Progress, OpeningCause> {
        if self.step == 0 {
            if let Some(error) = self.stream.take_error().map_err(OpeningCause::System)? {
                return Err(OpeningCause::System(error));
            }
            if self.stream.peer_addr().is_err() {
                return Ok(Progress::Waiting);
            }
            self.step = 1;
        }
        while let Some(octets) = steps.get(self.step - 1) {
            let kind = Kind::of(octets);
            if !self.send(octets)? || !self.receive(kind, buffer)? {
                return Ok(Progress::Waiting);
            }
            self.step += 1;
            self.written = 0;
        }
        Ok(Progress::Done)
    }

    /// Whether all octets of the step have been written.
    fn send(&mut self, octets: &[u8]) -> Result<bool, OpeningCause> {
        while self.written < octets.len() {
            match self.stream.write(&octets[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(OpeningCause::System(error)),
            }
        }
        Ok(true)
    }

    /// Whether the answer, and nothing but it, is there.
    fn receive(&mut self, kind: Kind, buffer: &mut [u8]) -> Result<bool, OpeningCause> {
        loop {
            let expected = kind.expected();
            match self.stream.read(buffer) {
                Ok(0) => {
                    return Err(OpeningCause::Closed { expected, came: std::mem::take(&mut self.came) });
                }
                Ok(count) => self.came.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(OpeningCause::System(error)),
            }
            match first_tsdu(&self.came) {
                Ok(Whole::Yes(octets)) if octets == self.came.len() && kind.is_answered_by(&self.came) => {
                    self.answer_octets = octets;
                    self.came = Vec::new();
                    return Ok(true);
                }
                Ok(Whole::NotYet) if self.came.len() <= ANSWER_OCTETS_MAX => {}
                _ => return Err(OpeningCause::Instead { expected, came: std::mem::take(&mut self.came) }),
            }
        }
    }

    /// The error of an opening that was not done after `limit`; `None` before.
    pub(super) fn overdue(&mut self, steps: &[Vec<u8>], limit: Duration) -> Option<OpeningError> {
        if self.began.elapsed() < limit {
            return None;
        }
        let expected = match self.step {
            0 => "answer to SYN",
            step => Kind::of(&steps[step - 1]).expected(),
        };
        let came = std::mem::take(&mut self.came);
        Some(self.error(steps, OpeningCause::Timeout { expected, after: limit, came }))
    }

    fn error(&self, steps: &[Vec<u8>], cause: OpeningCause) -> OpeningError {
        let step = match self.step {
            0 => "TCP connect",
            step => steps.get(step - 1).map_or("opened", |octets| Kind::of(octets).name()),
        };
        OpeningError { address: self.peer, step, cause }
    }

    /// When it began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// Octets of the answer to the last step.
    pub(super) fn answer_octets(&self) -> usize {
        self.answer_octets
    }

    /// The open connection.
    pub(super) fn into_stream(self) -> (TcpStream, SocketAddr) {
        (self.stream, self.peer)
    }
}

fn is_under_way(error: &std::io::Error) -> bool {
    // A connect that cannot be done at once goes on by itself.
    error.kind() == ErrorKind::WouldBlock
        || error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

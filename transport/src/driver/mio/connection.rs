//! One connection of the mio driver: what it may do next, and the system calls that do it.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use arrayvec::ArrayVec;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::Work;
use crate::buf::TxBatch;
use crate::driver::{Completion, ConnectionId};

/// State of one connection.
///
/// Both interests are registered once, edge-triggered: writability is looked at only while a batch is
/// blocked, which costs no system call, unlike registering it at need.
#[derive(Debug)]
pub(super) struct Connection {
    /// `None` once the socket is closed.
    stream: Option<TcpStream>,
    phase: Phase,
    /// The batch in flight; it stays here until `Sent` has been reported.
    batch: Option<TxBatch>,
    /// The batch is sent, or will never be: to be reported.
    batch_done: bool,
    /// Sending failed; reported once what the peer sent before has been read.
    broken: Option<io::Error>,
    /// To be reported as `Failed`.
    failure: Option<io::Error>,
    /// In the driver's list of connections with something to report.
    pub(super) reporting: bool,
    /// In the driver's queue of readable connections.
    pub(super) queued: bool,
    /// In the driver's queue of connections with something to discard.
    pub(super) discarding: bool,
    /// An edge said that there is something to read and no read has drained it since.
    readable: bool,
    /// An edge said that the peer's direction ended: a short read is then not the end of the story.
    read_closed: bool,
    eof: bool,
    paused: bool,
    read_interest: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Open,
    /// `close(Graceful)`: the batch in flight goes out, then FIN; what arrives is discarded.
    Closing,
    /// Failed; `close` is still due.
    Dead,
    /// `close` is done; `Closed` is due.
    Closed,
}

/// How a visit to a readable connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// Nothing is left to read, or nobody wants it.
    Done,
    /// The budget is used up, or the pool's last block.
    More,
    /// The pool has no free block, and it got nothing.
    NoRoom,
}

impl Connection {
    pub(super) fn accepted(stream: TcpStream) -> Connection {
        Connection { phase: Phase::Open, ..Connection::connecting(stream) }
    }

    pub(super) fn connecting(stream: TcpStream) -> Connection {
        Connection {
            stream: Some(stream),
            phase: Phase::Connecting,
            batch: None,
            batch_done: false,
            broken: None,
            failure: None,
            reporting: false,
            queued: false,
            discarding: false,
            readable: false,
            read_closed: false,
            eof: false,
            paused: false,
            read_interest: true,
        }
    }

    /// Takes note of an edge and goes on with a blocked send.
    pub(super) fn edge(&mut self, event: &mio::event::Event, registry: &Registry, work: &mut Work) {
        let ended = event.is_read_closed() || event.is_error();
        self.readable |= event.is_readable() || ended;
        self.read_closed |= ended;
        if event.is_writable() || event.is_write_closed() || event.is_error() {
            self.flush(work);
        }
        if self.paused && self.readable && self.read_interest {
            // Each arriving segment would be another edge.
            self.set_interest(Interest::WRITABLE, event.token(), registry, work);
        }
    }

    /// Finishes connecting; `Some` when it is decided. Spurious events decide nothing.
    pub(super) fn finish_connect(&mut self, work: &mut Work) -> Option<io::Result<()>> {
        if self.phase != Phase::Connecting {
            return None;
        }
        let stream = self.stream.as_ref()?;
        work.calls += 2;
        let outcome = match stream.take_error() {
            Ok(None) => match stream.peer_addr() {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return None,
                Err(error) => Err(error),
            },
            Ok(Some(error)) | Err(error) => Err(error),
        };
        if outcome.is_ok() {
            self.phase = Phase::Open;
            self.flush(work);
        }
        Some(outcome)
    }

    /// Takes a batch to send.
    pub(super) fn send(&mut self, batch: TxBatch, work: &mut Work) {
        assert!(self.batch.is_none(), "one batch in flight per connection");
        assert!(batch.remaining_octets() > 0, "an empty batch");
        self.batch = Some(batch);
        match self.phase {
            Phase::Connecting => {}
            Phase::Open if self.broken.is_none() => self.flush(work),
            // It will not be sent; the owner gets it back.
            _ => self.batch_done = true,
        }
    }

    /// Writes what is in flight until it is gone or the socket takes no more.
    fn flush(&mut self, work: &mut Work) {
        if !matches!(self.phase, Phase::Open | Phase::Closing) || self.batch_done {
            return;
        }
        let (Some(batch), Some(stream)) = (&mut self.batch, &mut self.stream) else { return };
        while batch.remaining_octets() > 0 {
            work.calls += 1;
            match write(stream, batch) {
                Ok(octets) => batch.advance(octets),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.batch_done = true;
                    return self.break_off(error);
                }
            }
        }
        self.batch_done = true;
        if self.phase == Phase::Closing {
            self.shut_down(work);
        }
    }

    /// Sending failed. The peer may have said why before it closed: that is read first.
    fn break_off(&mut self, error: io::Error) {
        if self.phase == Phase::Closing {
            self.finish_close();
        } else if self.eof {
            self.fail(error);
        } else {
            self.broken = Some(error);
            self.readable = true;
        }
    }

    /// Reads up to a budget into the pool, one completion for each read.
    pub(super) fn receive(
        &mut self,
        id: ConnectionId,
        work: &mut Work,
        completions: &mut Vec<Completion>,
    ) -> Visit {
        let mut budget = RECEIVE_BUDGET_OCTETS;
        loop {
            if !self.wants_visit() {
                return Visit::Done;
            }
            let Some(stream) = &mut self.stream else { return Visit::Done };
            if budget == 0 {
                return Visit::More;
            }
            let Some(room) = work.pool.writable() else {
                // Who got something takes its place behind those who wait.
                let waited_in_vain = budget == RECEIVE_BUDGET_OCTETS;
                return if waited_in_vain { Visit::NoRoom } else { Visit::More };
            };
            let room_octets = room.len();
            work.calls += 1;
            match stream.read(room) {
                Ok(0) => {
                    self.eof = true;
                    match self.broken.take() {
                        Some(error) => self.fail(error),
                        None => completions.push(Completion::Eof(id)),
                    }
                }
                Ok(octets) => {
                    completions.push(Completion::Received(id, work.pool.commit(octets)));
                    budget = budget.saturating_sub(octets);
                    // A short read drained the socket, unless it stopped at an end that has its own report.
                    self.readable = octets == room_octets || self.read_closed || self.broken.is_some();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    if let Some(error) = self.broken.take() {
                        self.fail(error);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.fail(error),
            }
        }
    }

    /// While closing: reads and forgets, so that unread octets do not become a reset.
    pub(super) fn discard(&mut self, work: &mut Work) {
        let mut budget = RECEIVE_BUDGET_OCTETS;
        while self.wants_discard() && budget > 0 {
            let Some(stream) = &mut self.stream else { return };
            work.calls += 1;
            match stream.read(&mut work.discarded) {
                Ok(0) => {
                    self.eof = true;
                    if self.batch.is_none() || self.batch_done {
                        self.finish_close();
                    }
                }
                Ok(octets) => budget = budget.saturating_sub(octets),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.finish_close(),
            }
        }
    }

    pub(super) fn unpin(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.detach();
        }
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) fn resume(&mut self, token: Token, registry: &Registry, work: &mut Work) {
        self.paused = false;
        self.regain_interest(token, registry, work);
    }

    /// Starts an orderly end.
    pub(super) fn close_gracefully(&mut self, token: Token, registry: &Registry, work: &mut Work) {
        match self.phase {
            Phase::Closing | Phase::Closed => return,
            Phase::Open if self.broken.is_none() => {}
            Phase::Open | Phase::Connecting | Phase::Dead => return self.finish_close(),
        }
        self.phase = Phase::Closing;
        self.paused = false;
        self.regain_interest(token, registry, work);
        if self.batch.is_none() || self.batch_done {
            self.shut_down(work);
        }
    }

    /// Ends the connection with a reset.
    pub(super) fn abort(&mut self, work: &mut Work) {
        if self.phase == Phase::Closed {
            return;
        }
        if let Some(stream) = &self.stream {
            work.calls += 1;
            // If this fails the system closes in its usual way, which is all that is left to try.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
        self.finish_close();
    }

    /// The connection is dead: the socket goes, `Failed` is due.
    pub(super) fn fail(&mut self, error: io::Error) {
        self.phase = Phase::Dead;
        self.stream = None;
        self.readable = false;
        self.batch_done = true;
        self.failure = Some(error);
    }

    /// Reports what is due, in the order of the contract. True when `Closed` was reported.
    pub(super) fn report(&mut self, id: ConnectionId, completions: &mut Vec<Completion>) -> bool {
        self.reporting = false;
        if self.batch_done {
            self.batch_done = false;
            completions.extend(self.batch.take().map(|batch| Completion::Sent(id, batch)));
        }
        completions.extend(self.failure.take().map(|error| Completion::Failed(id, error)));
        if self.phase == Phase::Closed {
            completions.push(Completion::Closed(id));
        }
        self.phase == Phase::Closed
    }

    pub(super) fn has_report(&self) -> bool {
        (self.batch_done && self.batch.is_some()) || self.failure.is_some() || self.phase == Phase::Closed
    }

    /// The reader has something to do here.
    pub(super) fn wants_visit(&self) -> bool {
        self.phase == Phase::Open && self.readable && !self.paused && !self.eof
    }

    pub(super) fn wants_discard(&self) -> bool {
        self.phase == Phase::Closing && self.readable && !self.eof
    }

    /// All of ours is sent: FIN. The connection ends with the peer's.
    fn shut_down(&mut self, work: &mut Work) {
        let Some(stream) = &self.stream else { return };
        work.calls += 1;
        if stream.shutdown(Shutdown::Write).is_err() || self.eof {
            self.finish_close();
        }
    }

    fn finish_close(&mut self) {
        self.stream = None;
        self.phase = Phase::Closed;
        self.batch_done = true;
        self.broken = None;
        self.failure = None;
    }

    fn regain_interest(&mut self, token: Token, registry: &Registry, work: &mut Work) {
        if !self.read_interest {
            // Registering again reports what is ready as a new edge, so none is lost.
            self.set_interest(Interest::READABLE | Interest::WRITABLE, token, registry, work);
        }
    }

    fn set_interest(&mut self, interest: Interest, token: Token, registry: &Registry, work: &mut Work) {
        let Some(stream) = &mut self.stream else { return };
        work.calls += 1;
        match registry.reregister(stream, token, interest) {
            Ok(()) => self.read_interest = interest.is_readable(),
            // Without events the connection would hang silently.
            Err(error) => self.break_off(error),
        }
    }
}

/// One write of what is left of a batch.
fn write(stream: &mut TcpStream, batch: &TxBatch) -> io::Result<usize> {
    if let Some(only) = batch.only_iovec() {
        return stream.write(only);
    }
    let iovecs: ArrayVec<IoSlice<'_>, WRITE_IOVECS_MAX> =
        batch.iovecs().take(WRITE_IOVECS_MAX).map(IoSlice::new).collect();
    stream.write_vectored(&iovecs)
}

/// Octets one connection may receive in one turn before others have theirs.
const RECEIVE_BUDGET_OCTETS: usize = 128 << 10;
/// I/O vectors of one write; they are on the stack. A batch with more takes more writes.
const WRITE_IOVECS_MAX: usize = 128;
const _: () = assert!(WRITE_IOVECS_MAX <= crate::buf::IOVECS_MAX);

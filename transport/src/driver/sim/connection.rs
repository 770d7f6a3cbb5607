//! One connection of a simulated driver: what is owed to the socket, and to the user.

use std::io;

use super::network::Network;
use super::socket::{Handshake, SocketId};
use crate::buf::{Pool, TxBatch};
use crate::driver::{Completion, ConnectionId};

/// A connection between `connect` or `Accepted` and `Closed`.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: SocketId,
    phase: Phase,
    paused: bool,
    /// `Eof` was reported.
    eof: bool,
    /// A read has not found the socket empty since it was announced.
    readable: bool,
    /// Sending failed; what the peer said before is read first.
    broken: bool,
    batch: Option<TxBatch>,
    /// The batch is to be given back.
    batch_done: bool,
    failure: Option<io::Error>,
    /// It is in the driver's queue of readable connections.
    pub(super) queued: bool,
    /// It is in the driver's list of connections that have something to report.
    pub(super) reporting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Open,
    /// Closing gracefully.
    Closing,
    /// Failed; the socket is gone.
    Dead,
    Closed,
}

/// How a visit of the reader ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    Done,
    /// There may be more; others are to be visited first.
    More,
    /// No block is free.
    NoRoom,
}

impl Connection {
    pub(super) fn connecting(socket: SocketId) -> Connection {
        Connection {
            socket,
            phase: Phase::Connecting,
            paused: false,
            eof: false,
            readable: false,
            broken: false,
            batch: None,
            batch_done: false,
            failure: None,
            queued: false,
            reporting: false,
        }
    }

    pub(super) fn accepted(socket: SocketId) -> Connection {
        Connection { phase: Phase::Open, ..Connection::connecting(socket) }
    }

    /// The socket has something new. True when the handshake has succeeded with it.
    pub(super) fn announced(&mut self, net: &mut Network) -> bool {
        let mut connected = false;
        if self.phase == Phase::Connecting {
            match net.sockets.get(self.socket).map(|socket| socket.handshake) {
                Some(Handshake::Done) => {
                    self.phase = Phase::Open;
                    connected = true;
                }
                Some(Handshake::Failed(kind)) => {
                    return {
                        self.fail(kind.into(), net);
                        false
                    };
                }
                Some(Handshake::UnderWay) | None => return false,
            }
        }
        self.readable = true;
        self.flush(net);
        if self.phase == Phase::Closing && net.discard(self.socket) {
            self.eof = true;
            let broken = net.sockets.get(self.socket).is_some_and(|socket| socket.error.is_some());
            if self.nothing_in_flight() || broken {
                self.finish_close(net);
            }
        }
        connected
    }

    pub(super) fn send(&mut self, batch: TxBatch, net: &mut Network) {
        assert!(self.batch.is_none(), "one batch in flight per connection");
        assert!(batch.remaining_octets() > 0, "an empty batch");
        self.batch = Some(batch);
        match self.phase {
            Phase::Connecting => {}
            Phase::Open if !self.broken => self.flush(net),
            // It will not be sent; the owner gets it back.
            _ => self.batch_done = true,
        }
    }

    /// Writes what is in flight until it is gone or the window is full.
    fn flush(&mut self, net: &mut Network) {
        if !matches!(self.phase, Phase::Open | Phase::Closing) || self.batch_done {
            return;
        }
        let Some(batch) = &mut self.batch else { return };
        while batch.remaining_octets() > 0 {
            match net.write(self.socket, batch) {
                Ok(octets) => {
                    let short = octets < batch.remaining_octets();
                    batch.advance(octets);
                    if short {
                        // The network tells when it takes more.
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    self.batch_done = true;
                    return self.break_off(error, net);
                }
            }
        }
        self.batch_done = true;
        if self.phase == Phase::Closing {
            self.shut_down(net);
        }
    }

    fn break_off(&mut self, error: io::Error, net: &mut Network) {
        if self.phase == Phase::Closing {
            self.finish_close(net);
        } else if self.eof {
            self.fail(error, net);
        } else {
            // The socket has the error too: reading ends with it.
            self.broken = true;
            self.readable = true;
        }
    }

    /// Reads up to a budget into the pool, one completion for each read.
    pub(super) fn receive(
        &mut self,
        id: ConnectionId,
        pool: &mut Pool,
        net: &mut Network,
        completions: &mut Vec<Completion>,
    ) -> Visit {
        let mut budget = RECEIVE_BUDGET_OCTETS;
        while self.wants_visit() {
            if budget == 0 {
                return Visit::More;
            }
            let exhausted =
                net.fault(|faults| faults.buffers_exhausted_ppm, |counts| &mut counts.buffers_exhausted);
            let Some(room) = pool.writable().filter(|_| !exhausted) else {
                // Who got something takes its place behind those who wait.
                let waited_in_vain = budget == RECEIVE_BUDGET_OCTETS;
                return if waited_in_vain { Visit::NoRoom } else { Visit::More };
            };
            match net.read(self.socket, room) {
                Ok(0) => {
                    self.eof = true;
                    completions.push(Completion::Eof(id));
                }
                Ok(octets) => {
                    completions.push(Completion::Received(id, pool.commit(octets)));
                    budget = budget.saturating_sub(octets);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) => self.fail(error, net),
            }
        }
        Visit::Done
    }

    pub(super) fn unpin(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.detach();
        }
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) fn resume(&mut self) {
        self.paused = false;
    }

    pub(super) fn close_gracefully(&mut self, net: &mut Network) {
        match self.phase {
            Phase::Closing | Phase::Closed => return,
            Phase::Open if !self.broken => {}
            Phase::Open | Phase::Connecting | Phase::Dead => return self.finish_close(net),
        }
        self.phase = Phase::Closing;
        self.eof |= net.discard(self.socket);
        if self.nothing_in_flight() {
            self.shut_down(net);
        }
    }

    pub(super) fn abort(&mut self, net: &mut Network) {
        if self.phase != Phase::Closed {
            net.reset(self.socket);
            self.finish_close(net);
        }
    }

    /// Reports what is due, in the order of the contract. True when `Closed` was reported.
    pub(super) fn report(&mut self, id: ConnectionId, completions: &mut Vec<Completion>) -> bool {
        self.reporting = false;
        if std::mem::take(&mut self.batch_done) {
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

    pub(super) fn wants_visit(&self) -> bool {
        self.phase == Phase::Open && self.readable && !self.paused && !self.eof
    }

    fn nothing_in_flight(&self) -> bool {
        self.batch.is_none() || self.batch_done
    }

    fn shut_down(&mut self, net: &mut Network) {
        net.shut_down(self.socket);
        if self.eof {
            self.finish_close(net);
        }
    }

    fn fail(&mut self, error: io::Error, net: &mut Network) {
        net.close(self.socket);
        self.phase = Phase::Dead;
        self.readable = false;
        self.batch_done = true;
        self.failure = Some(error);
    }

    fn finish_close(&mut self, net: &mut Network) {
        net.close(self.socket);
        self.phase = Phase::Closed;
        self.batch_done = true;
        self.failure = None;
    }
}

/// Octets one connection may receive in one turn before others have theirs.
const RECEIVE_BUDGET_OCTETS: usize = 128 << 10;

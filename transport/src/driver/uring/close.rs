//! Ending a connection: FIN and discard, or reset; the descriptor closes when nothing is in flight on it.

use std::io;

use io_uring::{opcode, types};

use super::UringDriver;
use super::connection::{Fin, Phase};
use super::entries;
use super::token::Op;
use crate::driver::{Close, Completion, ConnectionId};

impl UringDriver {
    /// The user ends a connection.
    pub(super) fn close_connection(&mut self, id: ConnectionId, how: Close) {
        let Some(connection) = self.connections.get(id) else { return };
        self.sent_awaited |= connection.sending.is_some();
        match (connection.phase, how) {
            (Phase::Open, Close::Graceful) if !connection.failed && connection.broken.is_none() => {
                connection.phase = Phase::Draining;
                connection.receiving.waiting = false;
                self.drain(id);
            }
            (Phase::Open | Phase::Connecting, _) | (Phase::Draining, Close::Abort) => {
                self.abort(id);
                // A connect that found no socket has nothing in flight whose end would take the next step.
                let mut deferred = std::mem::take(&mut self.deferred);
                self.step_close(id, &mut deferred);
                self.deferred = deferred;
            }
            _ => {}
        }
    }

    /// Takes the next step of a graceful close: send in flight, FIN, the peer's octets up to its FIN.
    ///
    /// Closing before the peer's FIN would answer its octets, unread or still to come, with a reset, and
    /// a reset may destroy what was sent at the other end.
    fn drain(&mut self, id: ConnectionId) {
        let connection = self.connections.get(id).expect("a live connection");
        debug_assert_eq!(connection.phase, Phase::Draining);
        if connection.failed {
            return self.abort(id);
        }
        if connection.sending.is_none() && connection.fin == Fin::Due {
            connection.fin = Fin::Pushed;
            let file = types::Fixed(connection.file.expect("a draining connection has a descriptor"));
            self.push(Op::Shutdown, id, opcode::Shutdown::new(file, libc::SHUT_WR).build());
        }
        let connection = self.connections.get(id).expect("a live connection");
        if !connection.receiving.ended {
            // A multishot receive in flight does the same: what it brings is dropped.
            if !connection.receiving.armed {
                self.discard(id);
            }
        } else if connection.fin == Fin::Sent {
            connection.phase = Phase::Ending;
        }
    }

    /// Makes the close a reset and cancels what is in flight.
    pub(super) fn abort(&mut self, id: ConnectionId) {
        let connection = self.connections.get(id).expect("a live connection");
        let was_connecting = connection.phase == Phase::Connecting;
        connection.phase = Phase::Ending;
        connection.receiving.waiting = false;
        if was_connecting {
            // Its send has not begun, so no completion will bring the batch.
            let mut deferred = std::mem::take(&mut self.deferred);
            self.give_batch_back(id, &mut deferred);
            self.deferred = deferred;
        }
        let connection = self.connections.get(id).expect("a live connection");
        // Without a descriptor the socket is still being made; its completion ends the connection.
        let Some(file) = connection.file.map(types::Fixed) else { return };
        let (busy, failed) = (connection.in_flight > 0, connection.failed);
        // A failed connection has no peer left to reset.
        if !failed {
            let linger = (&raw const entries::RESET).cast();
            let (level, name) = (libc::SOL_SOCKET as u32, libc::SO_LINGER as u32);
            let octets = size_of::<libc::linger>() as u32;
            self.push(Op::Linger, id, opcode::SetSockOpt::new(file, level, name, linger, octets).build());
        }
        if busy {
            let everything = types::CancelBuilder::fd(file).all();
            self.push(Op::CancelAll, id, opcode::AsyncCancel2::new(everything).build());
        }
    }

    /// The connection is dead: reported once, and only while the user has not closed it.
    pub(super) fn fail(&mut self, id: ConnectionId, error: io::Error, out: &mut Vec<Completion>) {
        let connection = self.connections.get(id).expect("a live connection");
        let report = matches!(connection.phase, Phase::Open | Phase::Connecting) && !connection.failed;
        connection.failed = true;
        if report {
            if connection.phase == Phase::Connecting {
                self.give_batch_back(id, out);
            }
            out.push(Completion::Failed(id, error));
        }
    }

    /// FIN is out, or cannot go out because the peer is gone.
    pub(super) fn handle_shut_down(&mut self, id: ConnectionId, result: i32) {
        let connection = self.connections.get(id).expect("a live connection");
        connection.fin = Fin::Sent;
        if result < 0 {
            connection.failed = true;
        }
    }

    /// After every completion of a connection that is being closed: the next step, if there is one.
    pub(super) fn step_close(&mut self, id: ConnectionId, out: &mut Vec<Completion>) {
        let Some(connection) = self.connections.get(id) else { return };
        if connection.phase == Phase::Draining {
            self.drain(id);
        }
        let connection = self.connections.get(id).expect("a live connection");
        // Octets that were sent without a copy are read until the peer has them or the socket is gone, so the
        // notification of that may come after the descriptor's close: a reset waits for nobody.
        let noticing = connection.sending.as_ref().is_some_and(|operation| operation.is_noticing());
        let over =
            connection.in_flight == 0 || (noticing && connection.in_flight == 1 && connection.file.is_some());
        if !over || !matches!(connection.phase, Phase::Ending | Phase::Unwanted | Phase::ClosingFile) {
            return;
        }
        match connection.file {
            // Pitfall 4: closing under an armed receive would neither end it nor send FIN.
            Some(file) => {
                if connection.phase == Phase::Ending {
                    connection.phase = Phase::ClosingFile;
                }
                connection.file = None;
                self.push(Op::CloseFile, id, opcode::Close::new(types::Fixed(file)).build());
            }
            None => self.end(id, out),
        }
    }

    /// The descriptor is closed: the last completion of the id.
    pub(super) fn end(&mut self, id: ConnectionId, out: &mut Vec<Completion>) {
        let connection = self.connections.get(id).expect("a live connection");
        let reported = connection.phase != Phase::Unwanted;
        if let Some(set_up) = connection.set_up.take() {
            self.recycle_set_up(set_up);
        }
        self.connections.remove(id);
        if reported {
            out.push(Completion::Closed(id));
        }
    }
}

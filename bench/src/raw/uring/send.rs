//! Sending: straight out of the blocks, one send in flight a connection, what came meanwhile behind it.

use io_uring::{opcode, types};

use super::connection::{Piece, Vectors};
use super::{OP_SEND, State, token};

/// The kernel itself goes on after a short write; a peer's reset is no signal.
const FLAGS: i32 = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;

/// Vectors kept for reuse.
const SPARE_VECTORS_MAX: usize = 256;

impl State<'_> {
    /// Sends what each connection has received in this turn.
    pub(super) fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for index in dirty.drain(..) {
            let connection = &mut self.connections[index as usize];
            connection.dirty = false;
            if connection.sending {
                continue;
            }
            if connection.has_queued() {
                self.start_send(index);
            } else {
                self.settle(index);
            }
        }
        self.dirty = dirty;
    }

    fn start_send(&mut self, index: u32) {
        let connection = &mut self.connections[index as usize];
        if connection.more.is_empty() {
            connection.flight = std::mem::replace(&mut connection.queued, Piece::NONE);
        } else {
            let mut vectors = self.spare_vectors.pop().unwrap_or_else(Vectors::new);
            connection.gather(&mut vectors);
            connection.vectors = Some(vectors);
        }
        connection.flight_sent = 0;
        self.push_send(index);
    }

    fn push_send(&mut self, index: u32) {
        let connection = &mut self.connections[index as usize];
        connection.sending = true;
        let (file, sent) = (types::Fixed(index), connection.flight_sent);
        let send = match &mut connection.vectors {
            None => {
                let Piece { address, octets, .. } = connection.flight;
                let rest = (address + u64::from(sent)) as *const u8;
                opcode::Send::new(file, rest, octets - sent).flags(FLAGS).build()
            }
            Some(vectors) => {
                vectors.aim(sent);
                opcode::SendMsg::new(file, &raw const vectors.header).flags(FLAGS as u32).build()
            }
        };
        self.in_flight += 1;
        self.entries.push(send.user_data(token(OP_SEND, index)));
    }

    /// A completion of a send.
    pub(super) fn sent(&mut self, index: u32, result: i32) {
        self.in_flight -= 1;
        let connection = &mut self.connections[index as usize];
        connection.sending = false;
        self.stats.octets += result.max(0) as u64;
        if connection.vectors.is_some() || result != connection.flight.octets as i32 {
            return self.sent_otherwise(index, result);
        }
        let block = std::mem::replace(&mut connection.flight, Piece::NONE).block;
        let look = connection.has_queued() || connection.ended || connection.opening.is_some();
        self.blocks.release(block);
        if look {
            self.mark_dirty(index);
        }
    }

    /// Several pieces were sent, or less than was asked for.
    fn sent_otherwise(&mut self, index: u32, result: i32) {
        let connection = &mut self.connections[index as usize];
        let whole = connection.vectors.as_ref().map_or(connection.flight.octets, |vectors| vectors.octets());
        connection.flight_sent += result.max(0) as u32;
        let unfinished = connection.flight_sent < whole;
        let goes_on = result > 0 || matches!(-result, libc::EINTR | libc::EAGAIN);
        if unfinished && goes_on && !connection.failed && !self.stopping {
            return self.push_send(index);
        }
        self.land(index);
        if unfinished {
            self.fail(index);
        }
        self.mark_dirty(index);
    }

    /// The flight needs its memory no more.
    fn land(&mut self, index: u32) {
        let connection = &mut self.connections[index as usize];
        match connection.vectors.take() {
            None => {
                let piece = std::mem::replace(&mut connection.flight, Piece::NONE);
                self.blocks.release(piece.block);
            }
            Some(mut vectors) => {
                for piece in vectors.pieces.drain(..) {
                    self.blocks.release(piece.block);
                }
                if self.spare_vectors.len() < SPARE_VECTORS_MAX {
                    self.spare_vectors.push(vectors);
                }
            }
        }
    }

    /// Gives a connection up: what it has queued is dropped, its receive is cancelled.
    #[cold]
    pub(super) fn fail(&mut self, index: u32) {
        let connection = &mut self.connections[index as usize];
        connection.failed = true;
        connection.ended = true;
        connection.waiting = false;
        let queued = std::mem::replace(&mut connection.queued, Piece::NONE);
        if queued.octets > 0 {
            self.blocks.release(queued.block);
        }
        for piece in connection.more.drain(..) {
            self.blocks.release(piece.block);
        }
        if connection.armed {
            let cancel = opcode::AsyncCancel::new(token(super::OP_RECEIVE, index)).build();
            self.entries.push(cancel.user_data(token(super::OP_OTHER, index)));
        }
        self.mark_dirty(index);
    }

    /// Nothing is queued or being sent: the opening may be over, and the connection too.
    fn settle(&mut self, index: u32) {
        let connection = &mut self.connections[index as usize];
        if connection.opening.as_ref().is_some_and(|part| part.over) {
            connection.opening = None;
        }
        if connection.ended && !connection.armed && connection.open {
            connection.open = false;
            connection.opening = None;
            self.close(index);
        }
    }
}

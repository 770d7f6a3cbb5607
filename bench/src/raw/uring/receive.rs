//! Receiving: one multishot receive a connection; waiting for blocks; the opening.

use io_uring::{cqueue, opcode, types};

use super::connection::Piece;
use super::{OP_RECEIVE, State, token};

/// Octets of one completion, at most: a flooding peer leaves room for the others.
const RECEIVE_OCTETS_MAX: u32 = 32 << 10;

/// Waiting receives armed again for each block the kernel has: a block serves several short ones.
const WAITERS_PER_BLOCK: usize = 4;

impl State<'_> {
    pub(super) fn arm_receive(&mut self, index: u32) {
        self.connections[index as usize].armed = true;
        self.in_flight += 1;
        let receive = opcode::RecvMulti::new(types::Fixed(index), 0).len(RECEIVE_OCTETS_MAX).build();
        self.entries.push(receive.user_data(token(OP_RECEIVE, index)));
    }

    /// A completion of a receive.
    pub(super) fn received(&mut self, index: u32, completion: &cqueue::Entry) {
        let (result, flags) = (completion.result(), completion.flags());
        let armed = cqueue::more(flags);
        if result > 0 {
            let block = cqueue::buffer_select(flags).expect("octets come in a block");
            let octets = result as u32;
            let piece = Piece { address: self.blocks.received(block, octets), octets, block };
            let connection = &mut self.connections[index as usize];
            if connection.opening.is_none() && !connection.failed {
                if connection.queue(piece) {
                    self.blocks.hold(block);
                }
                if !connection.dirty {
                    connection.dirty = true;
                    self.dirty.push(index);
                }
            } else {
                self.received_otherwise(index, piece);
            }
        }
        if !armed {
            self.receive_over(index, result);
        }
    }

    /// Octets of an opening or shortly behind it, or of a connection that is being given up.
    #[cold]
    fn received_otherwise(&mut self, index: u32, piece: Piece) {
        self.blocks.hold(piece.block);
        let connection = &mut self.connections[index as usize];
        let Some(part) = connection.opening.as_mut().filter(|_| !connection.failed) else {
            return self.blocks.release(piece.block);
        };
        if part.over {
            if !connection.queue(piece) {
                self.blocks.release(piece.block);
            }
        } else {
            let octets = self.blocks.copy(&piece);
            self.blocks.release(piece.block);
            let mut answer = Vec::new();
            match part.opening.receive(&octets, &mut answer) {
                Ok(over) => part.over = over,
                Err(_) => return self.fail(index),
            }
            if answer.is_empty() {
                return;
            }
            let block = super::blocks::NO_BLOCK;
            let answered = Piece { address: answer.as_ptr() as u64, octets: answer.len() as u32, block };
            part.answers.push(answer);
            self.blocks.hold(block);
            if !connection.queue(answered) {
                self.blocks.release(block);
            }
        }
        self.mark_dirty(index);
    }

    /// The kernel has no receive of this connection any more.
    #[cold]
    fn receive_over(&mut self, index: u32, result: i32) {
        self.in_flight -= 1;
        let connection = &mut self.connections[index as usize];
        connection.armed = false;
        match -result {
            _ if connection.ended => {}
            libc::ENOBUFS => {
                connection.waiting = true;
                self.waiting.push_back(index);
                self.stats.blocks_exhausted += 1;
            }
            // It ends so when the completion queue overflows.
            ..0 | libc::EINTR | libc::EAGAIN | libc::ECANCELED => self.arm_receive(index),
            0 => connection.ended = true,
            _ => self.fail(index),
        }
        self.mark_dirty(index);
    }

    /// Gives blocks back and arms receives that waited for one, first come first served.
    pub(super) fn feed(&mut self) {
        self.blocks.provide();
        let mut turns = self.blocks.provided_count() * WAITERS_PER_BLOCK;
        while turns > 0 {
            let Some(index) = self.waiting.pop_front() else { return };
            let connection = &mut self.connections[index as usize];
            // Another may have its place by now, and wait itself further down the list.
            if std::mem::take(&mut connection.waiting) {
                self.arm_receive(index);
                turns -= 1;
            }
        }
    }
}

//! Receiving: one multishot receive per connection into the shared buffer ring; pausing; waiting for blocks.

use std::collections::VecDeque;
use std::io;

use io_uring::{cqueue, opcode, types};

use super::connection::Phase;
use super::token::{Op, Token};
use super::{UringDriver, entries, provide};
use crate::driver::options::BufferScheme;
use crate::driver::{Completion, ConnectionId};

/// Waiting receivers re-armed for each block the kernel has: each of them takes at least one completion,
/// and a block serves several short receives.
const WAITERS_PER_BLOCK: usize = 4;

/// Octets one discarding receive may drop; nothing is written anywhere.
const DISCARD_OCTETS_MAX: u32 = 1 << 30;

/// Receivers that wait for a block, first come first served, but for those that went away hungry the last
/// time: a stream that takes all there is in its turn must not be the first in the next one.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    hungry: VecDeque<ConnectionId>,
    fed: VecDeque<ConnectionId>,
}

impl Waiting {
    /// True when every receiver has a block.
    pub(super) fn is_empty(&self) -> bool {
        self.hungry.is_empty() && self.fed.is_empty()
    }

    fn next(&mut self) -> Option<ConnectionId> {
        self.hungry.pop_front().or_else(|| self.fed.pop_front())
    }
}

impl UringDriver {
    /// Arms the receive of a connection whose user wants octets.
    pub(super) fn arm_receive(&mut self, id: ConnectionId) {
        let octets_max = self.receive_octets_max;
        let connection = self.connections.get(id).expect("a live connection");
        let receiving = &mut connection.receiving;
        debug_assert!(!receiving.armed && !receiving.waiting, "one receive at a time keeps the order");
        receiving.armed = true;
        let file = types::Fixed(connection.file.expect("an open connection has a descriptor"));
        // The cap is for fairness: a flooding peer gives some 33 completions per turn (pitfall 13).
        let entry = match self.buffers.scheme() {
            BufferScheme::Bundle => entries::receive_bundles(file, provide::GROUP, octets_max),
            _ => opcode::RecvMulti::new(file, provide::GROUP).len(octets_max).build(),
        };
        self.push(Op::Receive, id, entry);
    }

    /// Stops the flow of octets; what the kernel has received already is still reported.
    pub(super) fn pause_receive(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        if !connection.is_open() && connection.phase != Phase::Connecting {
            return;
        }
        let receiving = &mut connection.receiving;
        receiving.wanted = false;
        if receiving.armed && !receiving.cancelling {
            self.cancel_receive(id);
        }
    }

    fn cancel_receive(&mut self, id: ConnectionId) {
        self.connections.get(id).expect("a live connection").receiving.cancelling = true;
        let target = types::CancelBuilder::user_data(Token::of(Op::Receive, id).pack());
        self.push(Op::CancelReceive, id, opcode::AsyncCancel2::new(target).build());
    }

    /// Lets octets flow again; a receive still being cancelled is re-armed when it has ended.
    pub(super) fn resume_receive(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        let open = connection.is_open();
        if !open && connection.phase != Phase::Connecting {
            return;
        }
        let receiving = &mut connection.receiving;
        receiving.wanted = true;
        if open && !receiving.armed && !receiving.waiting && !receiving.ended {
            self.arm_receive(id);
        }
    }

    /// Takes in a completion of a receive, with the octets it brought.
    pub(super) fn handle_received(
        &mut self,
        id: ConnectionId,
        entry: &cqueue::Entry,
        out: &mut Vec<Completion>,
    ) {
        let flags = entry.flags();
        let ended = !cqueue::more(flags);
        let connection = self.connections.get(id);
        // Pitfall 5: what comes late belongs to nobody.
        let open = connection.as_ref().is_some_and(|connection| connection.is_open());
        let mut fed = false;
        let (mut next, mut octets) = (cqueue::buffer_select(flags), entry.result().max(0) as usize);
        // Whatever becomes of the octets, their blocks are accounted for.
        while let Some(block) = next {
            let slice;
            (slice, next) = self.buffers.received(&mut self.pool, block, &mut octets);
            fed |= slice.is_some();
            if let Some(slice) = slice.filter(|_| open) {
                out.push(Completion::Received(id, slice));
            }
        }
        let Some(connection) = connection else { return };
        connection.receiving.fed |= fed;
        if fed && open && !ended {
            return;
        }
        if ended {
            connection.in_flight -= 1;
            connection.receiving.armed = false;
            connection.receiving.cancelling = false;
        }
        if !fed {
            self.handle_receive_end(id, entry.result(), out);
        }
        if ended {
            self.receive_ended(id);
        }
        self.step_close(id, out);
    }

    /// A receive completed without octets: end, failure, cancel, or no block.
    fn handle_receive_end(&mut self, id: ConnectionId, result: i32, out: &mut Vec<Completion>) {
        let connection = self.connections.get(id).expect("a live connection");
        match -result {
            // Multishots never complete with 0 otherwise.
            0 => {
                connection.receiving.ended = true;
                if let Some(error) = connection.broken {
                    self.fail(id, io::Error::from_raw_os_error(error), out);
                } else if connection.is_open() {
                    out.push(Completion::Eof(id));
                }
            }
            libc::ENOBUFS => {
                // Pitfall 2: re-arming on an empty ring fails at once. It waits its turn.
                self.buffers_exhausted += 1;
                if connection.is_open() && connection.receiving.wanted {
                    connection.receiving.waiting = true;
                    if std::mem::take(&mut connection.receiving.fed) {
                        self.waiting.fed.push_back(id);
                    } else {
                        self.waiting.hungry.push_back(id);
                    }
                }
            }
            libc::ECANCELED | libc::EINTR | libc::EAGAIN => {}
            ..0 => unreachable!("octets come in a block"),
            error => {
                connection.receiving.ended = true;
                self.fail(id, io::Error::from_raw_os_error(error), out);
            }
        }
    }

    /// The receive is not armed any more: again, if octets are wanted. A multishot also ends when the
    /// completion queue overflows (pitfall 3) or when `resume` came before the end of its cancel.
    fn receive_ended(&mut self, id: ConnectionId) {
        let connection = self.connections.get(id).expect("a live connection");
        let receiving = &connection.receiving;
        if connection.is_open() && receiving.wanted && !receiving.ended && !receiving.waiting {
            self.arm_receive(id);
        }
    }

    /// Receives into nothing, for a draining connection without a receive in flight.
    pub(super) fn discard(&mut self, id: ConnectionId) {
        let connection = self.connections.get(id).expect("a live connection");
        debug_assert_eq!(connection.phase, Phase::Draining);
        connection.receiving.armed = true;
        let file = types::Fixed(connection.file.expect("a draining connection has a descriptor"));
        // With MSG_TRUNC, TCP drops the octets and touches no memory: a pool without free blocks does
        // not keep a closed connection alive.
        let entry = opcode::Recv::new(file, std::ptr::null_mut(), DISCARD_OCTETS_MAX).flags(libc::MSG_TRUNC);
        self.push(Op::Discard, id, entry.build());
    }

    /// A discarding receive completed.
    pub(super) fn handle_discarded(&mut self, id: ConnectionId, result: i32) {
        let receiving = &mut self.connections.get(id).expect("a live connection").receiving;
        receiving.armed = false;
        let goes_on = result > 0 || matches!(-result, libc::EINTR | libc::EAGAIN | libc::ECANCELED);
        receiving.ended |= !goes_on;
    }

    /// Lends free blocks to the kernel and re-arms receivers that waited for them, first come first served.
    ///
    /// Slices drop between two waits only, on this thread, so this is the place. A waiter has octets to
    /// receive: its completion follows at once, and the rest of the list gets its turn after it. It comes
    /// before the receives that are armed already, which run after the entries of an enter.
    pub(super) fn feed_receivers(&mut self) {
        self.buffers.refill(&mut self.pool);
        let mut turns = self.buffers.provided_count() * WAITERS_PER_BLOCK;
        while turns > 0 {
            let Some(id) = self.waiting.next() else { return };
            // It may have been paused or closed, even replaced, while it waited.
            let Some(connection) = self.connections.get(id) else { continue };
            connection.receiving.waiting = false;
            if connection.is_open() && connection.receiving.wanted {
                self.arm_receive(id);
                turns -= 1;
            }
        }
    }
}

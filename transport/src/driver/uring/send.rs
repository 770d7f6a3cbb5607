//! Sending: one batch in flight per connection, in rounds of bounded size.

use std::io;

use io_uring::{cqueue, opcode, squeue, types};

use super::UringDriver;
use super::connection::Phase;
use super::token::{Op, Token};
use crate::buf::{IOVECS_MAX, TxBatch};
use crate::driver::{Completion, ConnectionId};

/// Octets of one round: a large batch of one connection leaves room for the others between rounds.
const ROUND_OCTETS_MAX: usize = 256 << 10;

/// The notification tells whether the kernel copied after all.
const SEND_ZC_REPORT_USAGE: u16 = 1 << 3;

/// It did.
const NOTIF_USAGE_ZC_COPIED: u32 = 1 << 31;

/// Send operations kept for reuse.
pub(super) const SPARE_OPERATIONS_MAX: usize = 4096;

/// A batch being sent, with all memory that the kernel reads for it.
///
/// Boxed and untouched between a round's entry and its completion (rules U2, U3). The kernel itself
/// goes on after a short write (MSG_WAITALL), so a round completes short only on failure or cancel.
pub(super) struct SendOperation {
    header: libc::msghdr,
    iovecs: Vec<libc::iovec>,
    batch: TxBatch,
    /// The round is being cancelled, to copy out what the batch keeps of the receive pool.
    unpinning: bool,
    /// The round leaves the copy out.
    zero_copy: bool,
    /// The kernel refused that for this batch, for want of pages it may lock or because the socket cannot.
    copies: bool,
    /// The result of a round that left the copy out, from then until the notification that nothing reads its
    /// octets any more (pitfall 10).
    noticing: Option<i32>,
}

impl SendOperation {
    pub(super) fn new() -> Box<SendOperation> {
        Box::new(SendOperation {
            // SAFETY: U2, a zeroed msghdr is valid and names no memory: no address, no vectors, no control
            // data. The C libraries differ in its padding, so it cannot be written as a literal.
            header: unsafe { std::mem::zeroed() },
            iovecs: Vec::new(),
            batch: TxBatch::new(),
            unpinning: false,
            zero_copy: false,
            copies: false,
            noticing: None,
        })
    }

    /// True when the round has its result and the kernel still reads what it sent.
    pub(super) fn is_noticing(&self) -> bool {
        self.noticing.is_some()
    }

    /// Takes a batch to send.
    ///
    /// # Panics
    /// When the batch is empty.
    pub(super) fn start(&mut self, batch: TxBatch) {
        assert!(batch.remaining_octets() > 0, "a batch to send is not empty");
        self.batch = batch;
        self.copies = false;
    }

    /// The entry of the next round. From `zero_copy_octets_min` octets on it leaves the copy out.
    pub(super) fn round(&mut self, file: types::Fixed, zero_copy_octets_min: usize) -> squeue::Entry {
        // NOSIGNAL: a peer's reset is a value, not a signal.
        let flags = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
        if let Some(only) = self.batch.only_iovec() {
            let octets = only.len().min(ROUND_OCTETS_MAX);
            self.zero_copy = !self.copies && octets >= zero_copy_octets_min;
            if !self.zero_copy {
                return opcode::Send::new(file, only.as_ptr(), octets as u32).flags(flags).build();
            }
        }
        self.iovecs.clear();
        let mut left = ROUND_OCTETS_MAX;
        for octets in self.batch.iovecs().take(IOVECS_MAX) {
            let len = octets.len().min(left);
            self.iovecs.push(libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: len });
            left -= len;
            if left == 0 {
                break;
            }
        }
        self.zero_copy = !self.copies && ROUND_OCTETS_MAX - left >= zero_copy_octets_min;
        if self.zero_copy {
            return self.zero_copy_entry(file, flags);
        }
        self.header.msg_iov = self.iovecs.as_mut_ptr();
        self.header.msg_iovlen = self.iovecs.len() as _;
        opcode::SendMsg::new(file, &raw const self.header).flags(flags as u32).build()
    }

    fn zero_copy_entry(&mut self, file: types::Fixed, flags: i32) -> squeue::Entry {
        if let [only] = self.iovecs[..] {
            return opcode::SendZc::new(file, only.iov_base.cast(), only.iov_len as u32)
                .flags(flags)
                .zc_flags(SEND_ZC_REPORT_USAGE)
                .build();
        }
        self.header.msg_iov = self.iovecs.as_mut_ptr();
        self.header.msg_iovlen = self.iovecs.len() as _;
        opcode::SendMsgZc::new(file, &raw const self.header)
            .flags(flags as u32)
            .ioprio(SEND_ZC_REPORT_USAGE)
            .build()
    }

    /// Takes in a round's result; true when octets are left to send.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn sent(&mut self, result: i32) -> io::Result<bool> {
        match -result {
            ..0 => self.batch.advance(result as usize),
            0 => return Err(io::ErrorKind::WriteZero.into()),
            libc::EINTR | libc::EAGAIN => {}
            libc::ECANCELED if self.unpinning => {}
            libc::ENOMEM | libc::EOPNOTSUPP if self.zero_copy => self.copies = true,
            error => return Err(io::Error::from_raw_os_error(error)),
        }
        if std::mem::take(&mut self.unpinning) {
            self.batch.detach();
        }
        Ok(self.batch.remaining_octets() > 0)
    }

    /// Gives the batch back.
    pub(super) fn finish(&mut self) -> TxBatch {
        self.iovecs.clear();
        self.unpinning = false;
        std::mem::take(&mut self.batch)
    }
}

impl UringDriver {
    /// Starts to send `batch`, or keeps it until the connection is there.
    pub(super) fn start_send(&mut self, id: ConnectionId, batch: TxBatch) {
        let Some(connection) = self.connections.get(id) else { return };
        assert!(
            connection.sending.is_none(),
            "a send is in flight on {id:?}: one batch in flight per connection"
        );
        if !connection.takes_batches() {
            // Closed by the user, who is owed no answer, or dead, which the user need not know yet.
            if connection.phase == Phase::Open || connection.phase == Phase::Connecting {
                self.deferred.push(Completion::Sent(id, batch));
            }
            return;
        }
        let mut operation = self.spare_sends.pop().unwrap_or_else(SendOperation::new);
        operation.start(batch);
        connection.sending = Some(operation);
        if connection.phase == Phase::Open {
            self.send_round(id);
        }
    }

    pub(super) fn send_round(&mut self, id: ConnectionId) {
        let connection = self.connections.get(id).expect("a live connection");
        let file = types::Fixed(connection.file.expect("an open connection has a descriptor"));
        let operation = connection.sending.as_mut().expect("a batch to send");
        let entry = operation.round(file, self.zero_copy_octets_min);
        self.zero_copy_sends += u64::from(operation.zero_copy);
        self.sends_in_flight += 1;
        // A batch of more rounds than this one is to go on at once, and a notification comes from elsewhere.
        let last = operation.batch.remaining_octets() <= ROUND_OCTETS_MAX;
        self.sends_queued += u32::from(last && !operation.zero_copy);
        connection.in_flight += 1;
        self.ring.push(entry, Token::of(Op::Send, id).pack());
    }

    /// Completions that the next submission makes by itself: a socket with room takes a send at once. Waking for them
    /// would make two turns and two system calls of one.
    ///
    /// None where somebody waits for one of them, none where an earlier send is still in flight, because peers are slow to
    /// read here, and none where receivers wait for the blocks that the sends will give back.
    pub(super) fn completing_at_once(&mut self) -> u32 {
        let awaited = std::mem::take(&mut self.sent_awaited);
        let certain = self.sends_in_flight == self.sends_queued && self.waiting.is_empty();
        if certain && !awaited { self.sends_queued } else { 0 }
    }

    /// Cancels a round that the peer does not take, so that the rest of the batch can be copied and sent again.
    ///
    /// The kernel may read the batch until the round's completion (rule U2). A cancelled round completes with
    /// what it had sent; if it is through before, nothing is lost either.
    pub(super) fn unpin_send(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        let in_kernel = matches!(connection.phase, Phase::Open | Phase::Draining);
        let Some(operation) = connection.sending.as_mut().filter(|operation| operation.batch.pins()) else {
            return;
        };
        if !in_kernel {
            if connection.phase == Phase::Connecting {
                operation.batch.detach();
            }
            return;
        }
        // What is out without a copy cannot be cancelled: the peer takes it, or the connection ends.
        if !std::mem::replace(&mut operation.unpinning, true) && !operation.is_noticing() {
            let target = types::CancelBuilder::user_data(Token::of(Op::Send, id).pack());
            self.push(Op::CancelSend, id, opcode::AsyncCancel2::new(target).build());
        }
    }

    /// A round ended: the next one, or the batch goes back.
    pub(super) fn handle_sent(&mut self, id: ConnectionId, entry: &cqueue::Entry, out: &mut Vec<Completion>) {
        if !cqueue::more(entry.flags()) {
            // Saturating, because a late completion belongs to nobody, and this is a forecast and no ledger.
            self.sends_in_flight = self.sends_in_flight.saturating_sub(1);
        }
        // Pitfall 5: what comes late belongs to nobody.
        let Some(connection) = self.connections.get(id) else { return };
        let operation = connection.sending.as_mut().expect("its send was in flight");
        let mut result = entry.result();
        if cqueue::more(entry.flags()) {
            // Rule U2: the notification is the last completion, and the octets are read until then.
            operation.noticing = Some(result);
            return self.step_close(id, out);
        }
        connection.in_flight -= 1;
        if cqueue::notif(entry.flags()) {
            self.zero_copy_sends_copied += u64::from(result as u32 & NOTIF_USAGE_ZC_COPIED != 0);
            result = operation.noticing.take().expect("a notification comes second");
        }
        let outcome = operation.sent(result);
        let goes_on = matches!(connection.phase, Phase::Open | Phase::Draining) && !connection.failed;
        if matches!(outcome, Ok(true)) && goes_on {
            return self.send_round(id);
        }
        self.give_batch_back(id, out);
        if let Err(error) = outcome {
            self.sending_failed(id, error, out);
        }
        self.step_close(id, out);
    }

    /// Reports the batch of a send that is over or never began.
    pub(super) fn give_batch_back(&mut self, id: ConnectionId, out: &mut Vec<Completion>) {
        let connection = self.connections.get(id).expect("a live connection");
        let Some(mut operation) = connection.sending.take() else { return };
        out.push(Completion::Sent(id, operation.finish()));
        if self.spare_sends.len() < SPARE_OPERATIONS_MAX {
            self.spare_sends.push(operation);
        }
    }

    /// The peer may have said why before it went: what it sent is received first, if it can still come.
    /// These errors end the receiving direction too, so its end follows.
    fn sending_failed(&mut self, id: ConnectionId, error: io::Error, out: &mut Vec<Completion>) {
        let connection = self.connections.get(id).expect("a live connection");
        let code = error.raw_os_error();
        let ends_both = matches!(code, Some(libc::EPIPE | libc::ECONNRESET | libc::ETIMEDOUT));
        if connection.is_open() && ends_both && !connection.receiving.ended {
            connection.broken = code;
        } else {
            self.fail(id, error, out);
        }
    }
}

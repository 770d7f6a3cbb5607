//! A connection of the raw echo: what it has received and not sent, and what is on its way.

use super::super::canned::Opening;

/// Octets to send, in a block or in the answer to an opening.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) address: u64,
    /// 0 where there is no piece.
    pub(super) octets: u32,
    pub(super) block: u16,
}

impl Piece {
    pub(super) const NONE: Piece = Piece { address: 0, octets: 0, block: super::blocks::NO_BLOCK };

    /// True when `next` lies right behind, in the same block.
    fn runs_on_to(&self, next: &Piece) -> bool {
        self.block == next.block && self.address + u64::from(self.octets) == next.address
    }
}

/// Several pieces sent by one entry. Boxed: the kernel reads header and vectors until the completion (rule U3).
pub(super) struct Vectors {
    pub(super) header: libc::msghdr,
    pub(super) iovecs: Vec<libc::iovec>,
    pub(super) pieces: Vec<Piece>,
}

impl Vectors {
    /// Most pieces of one send.
    pub(super) const PIECES_MAX: usize = 64;

    pub(super) fn new() -> Box<Vectors> {
        Box::new(Vectors {
            // SAFETY: U2, a zeroed msghdr is valid and names no memory. The C libraries differ in its padding, so it
            // cannot be written as a literal.
            header: unsafe { std::mem::zeroed() },
            iovecs: Vec::with_capacity(Vectors::PIECES_MAX),
            pieces: Vec::with_capacity(Vectors::PIECES_MAX),
        })
    }

    /// Names what is left of the pieces after their first `sent` octets.
    pub(super) fn aim(&mut self, mut sent: u32) {
        self.iovecs.clear();
        for piece in &self.pieces {
            let skipped = sent.min(piece.octets);
            sent -= skipped;
            if skipped < piece.octets {
                let iov_base = (piece.address + u64::from(skipped)) as *mut libc::c_void;
                self.iovecs.push(libc::iovec { iov_base, iov_len: (piece.octets - skipped) as usize });
            }
        }
        self.header.msg_iov = self.iovecs.as_mut_ptr();
        self.header.msg_iovlen = self.iovecs.len() as _;
    }

    pub(super) fn octets(&self) -> u32 {
        self.pieces.iter().map(|piece| piece.octets).sum()
    }
}

/// The opening of a connection, and the answers to it until they are sent.
pub(super) struct OpeningPart {
    pub(super) opening: Box<Opening>,
    /// Named by pieces, so kept until none is left.
    pub(super) answers: Vec<Vec<u8>>,
    pub(super) over: bool,
}

/// One connection; its place in the server is its direct descriptor.
///
/// A connection leaves only when neither a receive nor a send of it is with the kernel, so no completion can meet
/// the next one in its place (rule U5).
pub(super) struct Connection {
    /// Being sent, unless `vectors` is.
    pub(super) flight: Piece,
    /// Received behind it, the first part.
    pub(super) queued: Piece,
    /// And what does not lie right behind that.
    pub(super) more: Vec<Piece>,
    pub(super) vectors: Option<Box<Vectors>>,
    /// Octets of the flight that have been sent, after a send that ended early.
    pub(super) flight_sent: u32,
    /// Not closed.
    pub(super) open: bool,
    /// A receive is with the kernel.
    pub(super) armed: bool,
    /// It waits for a block.
    pub(super) waiting: bool,
    /// A send is with the kernel.
    pub(super) sending: bool,
    /// In the list of those to look at when all completions are handled.
    pub(super) dirty: bool,
    /// Nothing more is received.
    pub(super) ended: bool,
    /// Nothing more is sent.
    pub(super) failed: bool,
    pub(super) opening: Option<Box<OpeningPart>>,
}

impl Connection {
    /// A place without a connection.
    pub(super) fn vacant() -> Connection {
        Connection {
            flight: Piece::NONE,
            queued: Piece::NONE,
            more: Vec::new(),
            vectors: None,
            flight_sent: 0,
            open: false,
            armed: false,
            waiting: false,
            sending: false,
            dirty: false,
            ended: false,
            failed: false,
            opening: None,
        }
    }

    /// A connection takes the place.
    pub(super) fn occupy(&mut self, opening: Option<Box<OpeningPart>>) {
        debug_assert!(
            !self.armed && !self.sending && !self.has_queued(),
            "U5: the last one has left nothing"
        );
        self.open = true;
        self.ended = false;
        self.failed = false;
        self.opening = opening;
    }

    /// Queues `piece`; false when it became part of the last one and needs no holder of its own.
    pub(super) fn queue(&mut self, piece: Piece) -> bool {
        if self.queued.octets == 0 {
            self.queued = piece;
            return true;
        }
        let last = self.more.last_mut().unwrap_or(&mut self.queued);
        if last.runs_on_to(&piece) {
            last.octets += piece.octets;
            return false;
        }
        self.more.push(piece);
        true
    }

    pub(super) fn has_queued(&self) -> bool {
        self.queued.octets > 0
    }

    /// Takes what is queued into `vectors`, as much as one send takes.
    pub(super) fn gather(&mut self, vectors: &mut Vectors) {
        vectors.pieces.push(self.queued);
        let count = self.more.len().min(Vectors::PIECES_MAX - 1);
        vectors.pieces.extend(self.more.drain(..count));
        self.queued = if self.more.is_empty() { Piece::NONE } else { self.more.remove(0) };
    }
}

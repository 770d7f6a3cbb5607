//! `user_data` of a ring entry: operation, generation and slot in 64 bits (rule U5, pitfall 5).

use crate::driver::ConnectionId;

/// Generations live in 24 bits of the token; slots count in the same width, so ids compare equal.
pub(super) const GENERATION_MAX: u32 = (1 << 24) - 1;

/// What an entry asked the kernel for; tells the completion apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Op {
    /// The event counter of the waker became readable.
    Wake,
    /// A listener accepts, once or repeatedly; the slot is the listener's number.
    Accept,
    /// Watches for a peer that a full table cannot take; the slot is the listener's number.
    Watch,
    /// Cancels an accept or a watch.
    CancelAccept,
    /// Closes an accepted descriptor that no connection slot stands for.
    CloseStray,
    /// Cancels everything, when the driver drops.
    CancelAny,
    /// Asks for the peer's address of an accepted connection.
    PeerName,
    /// Makes a socket for a connect.
    Socket,
    /// Sets an option of it.
    SetOption,
    /// Binds it to a source address.
    Bind,
    /// Connects it.
    Connect,
    /// Receives into the buffer ring until cancelled.
    Receive,
    /// Receives nowhere: octets nobody wants after a graceful close.
    Discard,
    /// Cancels a receive.
    CancelReceive,
    /// Sends a round of a batch.
    Send,
    /// Cancels a send.
    CancelSend,
    /// Sends FIN.
    Shutdown,
    /// Makes the close a reset.
    Linger,
    /// Cancels what a connection has in flight.
    CancelAll,
    /// Closes the direct descriptor; nothing else is in flight on it (pitfall 4).
    CloseFile,
}

impl Op {
    const ALL: [Op; 20] = [
        Op::Wake,
        Op::Accept,
        Op::Watch,
        Op::CancelAccept,
        Op::CloseStray,
        Op::CancelAny,
        Op::PeerName,
        Op::Socket,
        Op::SetOption,
        Op::Bind,
        Op::Connect,
        Op::Receive,
        Op::Discard,
        Op::CancelReceive,
        Op::Send,
        Op::CancelSend,
        Op::Shutdown,
        Op::Linger,
        Op::CancelAll,
        Op::CloseFile,
    ];
}

/// Operation, slot and generation of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) op: Op,
    /// Generation of the slot, at most [`GENERATION_MAX`]; 0 for what is not a connection.
    pub(super) generation: u32,
    /// Connection slot or listener number.
    pub(super) slot: u32,
}

impl Token {
    /// The token of an operation on a connection.
    pub(super) fn of(op: Op, id: ConnectionId) -> Token {
        Token { op, generation: id.generation, slot: id.index }
    }

    /// The token of an operation that belongs to no connection.
    pub(super) fn other(op: Op, slot: u32) -> Token {
        Token { op, generation: 0, slot }
    }

    /// The connection it names.
    pub(super) fn connection(self) -> ConnectionId {
        ConnectionId { index: self.slot, generation: self.generation }
    }

    /// `op | generation | slot`.
    pub(super) fn pack(self) -> u64 {
        debug_assert!(self.generation <= GENERATION_MAX);
        u64::from(self.op as u8) << 56 | u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// The inverse of [`Token::pack`].
    ///
    /// # Panics
    /// When the operation does not exist: every `user_data` of the ring was packed here.
    pub(super) fn unpack(user_data: u64) -> Token {
        let op = Op::ALL[(user_data >> 56) as usize];
        Token { op, generation: (user_data >> 32) as u32 & GENERATION_MAX, slot: user_data as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_comes_back_whole() {
        for (number, op) in Op::ALL.into_iter().enumerate() {
            assert_eq!(op as usize, number, "the list is in the order of the discriminants");
            for generation in [0, 1, GENERATION_MAX] {
                for slot in [0, 1, u32::MAX] {
                    let token = Token { op, generation, slot };
                    assert_eq!(Token::unpack(token.pack()), token);
                }
            }
        }
    }
}

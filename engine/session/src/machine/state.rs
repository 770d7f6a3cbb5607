//! States of the session protocol machine.

/// A state of Annex A, Table A.2.
///
/// Variant names keep the standard's numbers: `Sta713` is STA713.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// Idle, no transport connection.
    #[default]
    Sta01,
    /// User abort sent with the transport connection kept: wait for ABORT ACCEPT.
    Sta01A,
    /// Wait for T-CONNECT confirm.
    Sta01B,
    /// Transport connected, no session connection.
    Sta01C,
    /// Wait for (more) CONNECT DATA OVERFLOW.
    Sta01D,
    /// CONNECT sent: wait for ACCEPT or REFUSE.
    Sta02A,
    /// CONNECT with the overflow flag sent: wait for OVERFLOW ACCEPT.
    Sta02B,
    /// FINISH sent: wait for DISCONNECT or NOT FINISHED.
    Sta03,
    /// Major sync point sent: wait for MAJOR SYNC ACK (or its PREPARE).
    Sta04A,
    /// ACTIVITY END sent: wait for ACTIVITY END ACK (or its PREPARE).
    Sta04B,
    /// RESYNCHRONIZE sent: wait for RESYNCHRONIZE ACK (or its PREPARE).
    Sta05A,
    /// ACTIVITY INTERRUPT sent: wait for its ack (or its PREPARE).
    Sta05B,
    /// ACTIVITY DISCARD sent: wait for its ack (or its PREPARE).
    Sta05C,
    /// Own RESYNCHRONIZE outstanding and the peer's PREPARE (RESYNCHRONIZE) received: wait for its SPDU.
    Sta06,
    /// S-CONNECT indicated: wait for the user's response.
    Sta08,
    /// S-RELEASE indicated: wait for the user's response.
    Sta09,
    /// S-SYNC-MAJOR indicated: wait for the user's response.
    Sta10A,
    /// S-ACTIVITY-END indicated: wait for the user's response.
    Sta10B,
    /// S-RESYNCHRONIZE indicated: wait for the user's response.
    Sta11A,
    /// S-ACTIVITY-INTERRUPT indicated: wait for the user's response.
    Sta11B,
    /// S-ACTIVITY-DISCARD indicated: wait for the user's response.
    Sta11C,
    /// PREPARE (major sync ack) received: wait for MAJOR SYNC ACK or ACTIVITY END ACK.
    Sta15A,
    /// PREPARE (resynchronize) received: wait for RESYNCHRONIZE, ACTIVITY INTERRUPT or ACTIVITY DISCARD.
    Sta15B,
    /// PREPARE (resynchronize ack) received: wait for the matching ack on the normal flow.
    Sta15C,
    /// PREPARE (abort) received: wait for ABORT.
    Sta15D,
    /// Session over: wait for T-DISCONNECT indication.
    Sta16,
    /// GIVE TOKENS CONFIRM sent: wait for GIVE TOKENS ACK.
    Sta18,
    /// EXCEPTION DATA sent: wait for a recovery action of the peer.
    Sta19,
    /// Exception reported to the local user: wait for recovery.
    Sta20,
    /// CAPABILITY DATA sent: wait for its ack.
    Sta21,
    /// S-CAPABILITY-DATA indicated: wait for the user's response.
    Sta22,
    /// Data transfer.
    Sta713,
}

impl State {
    /// All states, in the order of Table A.2.
    pub const ALL: [State; 32] = [
        State::Sta01,
        State::Sta01A,
        State::Sta01B,
        State::Sta01C,
        State::Sta01D,
        State::Sta02A,
        State::Sta02B,
        State::Sta03,
        State::Sta04A,
        State::Sta04B,
        State::Sta05A,
        State::Sta05B,
        State::Sta05C,
        State::Sta06,
        State::Sta08,
        State::Sta09,
        State::Sta10A,
        State::Sta10B,
        State::Sta11A,
        State::Sta11B,
        State::Sta11C,
        State::Sta15A,
        State::Sta15B,
        State::Sta15C,
        State::Sta15D,
        State::Sta16,
        State::Sta18,
        State::Sta19,
        State::Sta20,
        State::Sta21,
        State::Sta22,
        State::Sta713,
    ];
}

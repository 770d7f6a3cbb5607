//! States of the session protocol machine.

/// Declares the enum, the list of its variants, their names and their meaning in one place.
macro_rules! states {
    ($( $(#[doc = $doc:literal])* $name:ident = $text:literal, )*) => {
        /// A state of Annex A, Table A.2.
        ///
        /// Variant names keep the standard's numbers: `Sta713` is STA713.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum State { $( $(#[doc = $doc])* $name, )* }

        impl State {
            /// All states, in the order of Table A.2.
            pub const ALL: [State; 32] = [$( State::$name, )*];

            /// The name Annex A prints.
            pub fn name(self) -> &'static str {
                match self { $( State::$name => $text, )* }
            }

            /// What the machine waits for, in words.
            pub fn text(self) -> &'static str {
                match self { $( State::$name => concat!($( $doc, )*).trim_ascii(), )* }
            }
        }
    };
}

states! {
    /// Idle, no transport connection.
    Sta01 = "STA01",
    /// User abort sent with the transport connection kept: wait for ABORT ACCEPT.
    Sta01A = "STA01A",
    /// Wait for T-CONNECT confirm.
    Sta01B = "STA01B",
    /// Transport connected, no session connection.
    Sta01C = "STA01C",
    /// Wait for (more) CONNECT DATA OVERFLOW.
    Sta01D = "STA01D",
    /// CONNECT sent: wait for ACCEPT or REFUSE.
    Sta02A = "STA02A",
    /// CONNECT with the overflow flag sent: wait for OVERFLOW ACCEPT.
    Sta02B = "STA02B",
    /// FINISH sent: wait for DISCONNECT or NOT FINISHED.
    Sta03 = "STA03",
    /// Major sync point sent: wait for MAJOR SYNC ACK (or its PREPARE).
    Sta04A = "STA04A",
    /// ACTIVITY END sent: wait for ACTIVITY END ACK (or its PREPARE).
    Sta04B = "STA04B",
    /// RESYNCHRONIZE sent: wait for RESYNCHRONIZE ACK (or its PREPARE).
    Sta05A = "STA05A",
    /// ACTIVITY INTERRUPT sent: wait for its ack (or its PREPARE).
    Sta05B = "STA05B",
    /// ACTIVITY DISCARD sent: wait for its ack (or its PREPARE).
    Sta05C = "STA05C",
    /// Own RESYNCHRONIZE outstanding and the peer's PREPARE (RESYNCHRONIZE) received: wait for its SPDU.
    Sta06 = "STA06",
    /// S-CONNECT indicated: wait for the user's response.
    Sta08 = "STA08",
    /// S-RELEASE indicated: wait for the user's response.
    Sta09 = "STA09",
    /// S-SYNC-MAJOR indicated: wait for the user's response.
    Sta10A = "STA10A",
    /// S-ACTIVITY-END indicated: wait for the user's response.
    Sta10B = "STA10B",
    /// S-RESYNCHRONIZE indicated: wait for the user's response.
    Sta11A = "STA11A",
    /// S-ACTIVITY-INTERRUPT indicated: wait for the user's response.
    Sta11B = "STA11B",
    /// S-ACTIVITY-DISCARD indicated: wait for the user's response.
    Sta11C = "STA11C",
    /// PREPARE (major sync ack) received: wait for MAJOR SYNC ACK or ACTIVITY END ACK.
    Sta15A = "STA15A",
    /// PREPARE (resynchronize) received: wait for RESYNCHRONIZE, ACTIVITY INTERRUPT or ACTIVITY DISCARD.
    Sta15B = "STA15B",
    /// PREPARE (resynchronize ack) received: wait for the matching ack on the normal flow.
    Sta15C = "STA15C",
    /// PREPARE (abort) received: wait for ABORT.
    Sta15D = "STA15D",
    /// Session over: wait for T-DISCONNECT indication.
    Sta16 = "STA16",
    /// GIVE TOKENS CONFIRM sent: wait for GIVE TOKENS ACK.
    Sta18 = "STA18",
    /// EXCEPTION DATA sent: wait for a recovery action of the peer.
    Sta19 = "STA19",
    /// Exception reported to the local user: wait for recovery.
    Sta20 = "STA20",
    /// CAPABILITY DATA sent: wait for its ack.
    Sta21 = "STA21",
    /// S-CAPABILITY-DATA indicated: wait for the user's response.
    Sta22 = "STA22",
    /// Data transfer.
    Sta713 = "STA713",
}

#[allow(clippy::derivable_impls)] // The macro takes no attribute but doc.
impl Default for State {
    fn default() -> State {
        State::Sta01
    }
}

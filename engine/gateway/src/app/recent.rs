//! What has happened lately to the sessions of one shard, for who asks why one of them stands still.
//!
//! One ring for all of them: it costs nothing for a session that is idle, and what a busy shard has pushed out is gone.
//! Data never come here.

use std::collections::VecDeque;
use std::time::Duration;

use colloquy_session::{Indication, SerialNumber, Tokens};
use colloquy_shard::SessionId;

/// Happenings that one shard remembers.
const REMEMBERED_MAX: usize = 4096;
/// Happenings of one session that are told.
pub(crate) const TOLD_MAX: usize = 16;

/// Something that has happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    /// When, in the shard's time.
    pub(crate) at: Duration,
    /// What, by the name that the standard has for it.
    pub(crate) what: &'static str,
    /// More about it.
    pub(crate) detail: Detail,
}

/// More about something that has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Detail {
    /// There is no more.
    #[default]
    Nothing,
    /// Which tokens.
    Tokens(Tokens),
    /// Which synchronization point.
    Number(SerialNumber),
    /// A reason code.
    Code(u8),
    /// A word.
    Word(&'static str),
}

/// The happenings of one shard.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<(SessionId, Happening)>);

impl Recent {
    /// Remembers something.
    pub(crate) fn push(&mut self, session: SessionId, at: Duration, what: &'static str, detail: Detail) {
        if self.0.len() == REMEMBERED_MAX {
            self.0.pop_front();
        }
        self.0.push_back((session, Happening { at, what, detail }));
    }

    /// Remembers an indication, unless it brings data.
    pub(crate) fn push_indication(&mut self, session: SessionId, at: Duration, indication: &Indication<'_>) {
        if let Some((what, detail)) = named(indication) {
            self.push(session, at, what, detail);
        }
    }

    /// The last ones of a session, oldest first.
    pub(crate) fn of(&self, session: SessionId) -> Vec<Happening> {
        let of_it = self.0.iter().rev().filter(|(of, _)| *of == session).map(|(_, happening)| *happening);
        let mut told: Vec<Happening> = of_it.take(TOLD_MAX).collect();
        told.reverse();
        told
    }
}

/// An indication by the name that the standard gives it; `None` for data.
fn named(indication: &Indication<'_>) -> Option<(&'static str, Detail)> {
    use Detail::{Code, Nothing, Number, Word};
    Some(match *indication {
        Indication::Data { .. } | Indication::TypedData { .. } | Indication::ExpeditedData { .. } => {
            return None;
        }
        Indication::Connect(_) => ("S-CONNECT indication", Nothing),
        Indication::ConnectConfirm(_) => ("S-CONNECT confirm: accepted", Nothing),
        Indication::ConnectRefused(refuse) => ("S-CONNECT confirm: refused", Code(refuse.reason)),
        Indication::TokenGive { tokens, .. } => ("S-TOKEN-GIVE indication", Detail::Tokens(tokens)),
        Indication::TokenPlease { tokens, .. } => ("S-TOKEN-PLEASE indication", Detail::Tokens(tokens)),
        Indication::Release { .. } => ("S-RELEASE indication", Nothing),
        Indication::ReleaseConfirm { affirmative: true, .. } => ("S-RELEASE confirm: released", Nothing),
        Indication::ReleaseConfirm { affirmative: false, .. } => {
            ("S-RELEASE confirm: the session goes on", Nothing)
        }
        Indication::UserAbort { .. } => ("S-U-ABORT indication", Nothing),
        Indication::ProviderAbort { reason } => {
            ("S-P-ABORT indication", Word(super::counters::reason_name(reason)))
        }
        Indication::CapabilityData { .. } => ("S-CAPABILITY-DATA indication", Nothing),
        Indication::CapabilityDataConfirm { .. } => ("S-CAPABILITY-DATA confirm", Nothing),
        Indication::ControlGive { .. } => ("S-CONTROL-GIVE indication", Nothing),
        Indication::SyncMinor { serial_number, .. } => ("S-SYNC-MINOR indication", Number(serial_number)),
        Indication::SyncMinorConfirm { serial_number, .. } => ("S-SYNC-MINOR confirm", Number(serial_number)),
        Indication::SyncMajor { serial_number, .. } => ("S-SYNC-MAJOR indication", Number(serial_number)),
        Indication::SyncMajorConfirm { .. } => ("S-SYNC-MAJOR confirm", Nothing),
        Indication::Resynchronize(_) => ("S-RESYNCHRONIZE indication", Nothing),
        Indication::ResynchronizeConfirm(_) => ("S-RESYNCHRONIZE confirm", Nothing),
        Indication::ProviderException { .. } => ("S-P-EXCEPTION-REPORT indication", Nothing),
        Indication::UserException { .. } => ("S-U-EXCEPTION-REPORT indication", Nothing),
        Indication::ActivityStart { .. } => ("S-ACTIVITY-START indication", Nothing),
        Indication::ActivityResume(_) => ("S-ACTIVITY-RESUME indication", Nothing),
        Indication::ActivityInterrupt { .. } => ("S-ACTIVITY-INTERRUPT indication", Nothing),
        Indication::ActivityInterruptConfirm { .. } => ("S-ACTIVITY-INTERRUPT confirm", Nothing),
        Indication::ActivityDiscard { .. } => ("S-ACTIVITY-DISCARD indication", Nothing),
        Indication::ActivityDiscardConfirm { .. } => ("S-ACTIVITY-DISCARD confirm", Nothing),
        Indication::ActivityEnd { serial_number, .. } => ("S-ACTIVITY-END indication", Number(serial_number)),
        _ => ("S-ACTIVITY-END confirm", Nothing),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(index: u32) -> SessionId {
        SessionId { index, generation: 1 }
    }

    #[test]
    fn the_last_happenings_of_a_session_are_told_oldest_first() {
        let mut recent = Recent::default();
        for number in 0..100 {
            recent.push(id(number % 2), Duration::from_secs(u64::from(number)), "x", Detail::Nothing);
        }
        let seconds: Vec<u64> = recent.of(id(1)).iter().map(|happening| happening.at.as_secs()).collect();
        assert_eq!(seconds, (0..16).map(|place| 69 + 2 * place).collect::<Vec<u64>>());
        assert!(recent.of(SessionId { index: 1, generation: 2 }).is_empty(), "another session of the slot");
    }

    #[test]
    fn a_shard_remembers_so_much_and_no_more() {
        let mut recent = Recent::default();
        recent.push(id(7), Duration::ZERO, "x", Detail::Nothing);
        for _ in 0..REMEMBERED_MAX {
            recent.push(id(8), Duration::ZERO, "x", Detail::Nothing);
        }
        assert_eq!(recent.0.len(), REMEMBERED_MAX);
        assert!(recent.of(id(7)).is_empty());
    }
}

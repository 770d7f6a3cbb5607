//! What was sent and what arrived, of every session of one run, seen from both ends.

use std::cell::RefCell;
use std::rc::Rc;

/// How one end saw its session end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Asked for the release and was told that it is confirmed.
    Released,
    /// Answered a release; whether the answer arrived is not known here.
    Answered,
    /// RF, or DR at connect time.
    Refused,
    /// AB of a user, sent or received.
    UserAborted,
    /// AB of a provider, or the loss of the connection.
    Lost,
}

/// One direction of one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// SSDUs handed to the service.
    pub(crate) sent: u32,
    /// SSDUs indicated at the other end, each proven to be the next one.
    pub(crate) received: u32,
}

/// One session, from initiator to responder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Towards the responder.
    pub(crate) forth: Flow,
    /// Towards the initiator.
    pub(crate) back: Flow,
    /// Ends the initiator was told of; must become exactly one.
    pub(crate) initiator_ends: Vec<End>,
    /// Ends the responder was told of; at most one, none when the CN never came through.
    pub(crate) responder_ends: Vec<End>,
    /// The responder's user saw the S-CONNECT indication.
    pub(crate) indicated: bool,
}

/// The shared record of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Rc<RefCell<Vec<Entry>>>);

impl Ledger {
    /// A record of `sessions` sessions.
    pub(crate) fn new(sessions: usize) -> Ledger {
        Ledger(Rc::new(RefCell::new(vec![Entry::default(); sessions])))
    }

    /// Changes one entry.
    pub(crate) fn with<R>(&self, session: u32, act: impl FnOnce(&mut Entry) -> R) -> R {
        act(&mut self.0.borrow_mut()[session as usize])
    }

    /// All entries as they are.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.borrow().clone()
    }

    /// Holds every entry to the rules; gives the sessions that ended in each way.
    pub(crate) fn judge(&self) -> Result<[usize; 5], String> {
        let mut ends = [0; 5];
        for (session, entry) in self.0.borrow().iter().enumerate() {
            entry.judge().map_err(|rule| format!("session {session}: {rule}: {entry:?}"))?;
            ends[entry.initiator_ends[0] as usize] += 1;
        }
        Ok(ends)
    }
}

impl Entry {
    fn judge(&self) -> Result<(), &'static str> {
        let [initiator_end] = self.initiator_ends[..] else {
            return Err("not exactly one end at the initiator");
        };
        if self.responder_ends.len() != usize::from(self.indicated) {
            return Err("not exactly one end for an indicated session at the responder");
        }
        if self.forth.received > self.forth.sent || self.back.received > self.back.sent {
            return Err("SSDUs doubled");
        }
        let confirmed = initiator_end == End::Released || self.responder_ends == [End::Released];
        let complete = self.forth.sent == self.forth.received && self.back.sent == self.back.received;
        // FN follows all data of its sender, DN all data of the other end: who got DN knows that all arrived.
        if confirmed && !complete {
            return Err("SSDUs lost although the session was released");
        }
        if initiator_end == End::Refused && self.responder_ends == [End::Released] {
            return Err("refused at one end, released at the other");
        }
        Ok(())
    }
}

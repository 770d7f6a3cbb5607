//! What one session of the plan is in the middle of, beside its SSDUs in flight.

use std::time::Duration;

use colloquy_session::SerialNumber;

use crate::content::Arriving;
use crate::mix::MinorConfirm;
use crate::operation::{Operation, Operations};
use crate::script::{Script, Step};

/// Minor synchronization points of one session that may wait for their confirm; the next one waits for a place.
pub(crate) const MINORS_MAX: usize = 8;

/// The state of the operations of one session.
#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) script: Script,
    /// The confirmed operation that nothing may be sent before the end of.
    pub(crate) pending: Option<Pending>,
    pub(crate) typed: Aside,
    pub(crate) expedited: Aside,
    pub(crate) minors: Minors,
    /// When the data token was given away; `None` while it is here.
    pub(crate) token_given: Option<Duration>,
    /// The point that an interrupted activity is resumed from.
    pub(crate) resume_from: SerialNumber,
    /// How this session connection is being ended so that another follows.
    pub(crate) leaving: Option<(Operation, Duration)>,
    /// It has more to do before it has sent all its SSDUs.
    pub(crate) unfinished: bool,
    /// Marks given to operations as user data.
    pub(crate) marks: u32,
}

/// A confirmed operation between its request and its confirm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) operation: Operation,
    pub(crate) step: Step,
    pub(crate) begun: Duration,
    /// The serial number that the confirm must carry.
    pub(crate) serial_number: Option<SerialNumber>,
    /// The user data that went with it.
    pub(crate) mark: [u8; 8],
}

/// Typed or expedited SSDUs of one session: one at a time in flight.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Aside {
    pub(crate) sent: u32,
    /// When the one in flight was sent.
    pub(crate) in_flight: Option<Duration>,
    pub(crate) arriving: Arriving,
}

/// Minor synchronization points that are not confirmed, oldest first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Minors {
    points: [(SerialNumber, Duration); MINORS_MAX],
    count: usize,
}

impl Course {
    /// What is waited for before the session is at rest: asides, explicit confirms, an operation.
    pub(crate) fn awaited(&self, minor_confirm: MinorConfirm) -> u64 {
        let minors = if minor_confirm == MinorConfirm::Explicit { self.minors.count } else { 0 };
        let asides =
            u64::from(self.typed.in_flight.is_some()) + u64::from(self.expedited.in_flight.is_some());
        asides + minors as u64 + u64::from(self.pending.is_some())
    }

    /// Counts what is awaited as lost, and awaits it no more.
    pub(crate) fn count_lost(&mut self, minor_confirm: MinorConfirm, operations: &mut Operations) {
        for (operation, aside) in
            [(Operation::Typed, &mut self.typed), (Operation::Expedited, &mut self.expedited)]
        {
            operations.of_mut(operation).lost += u64::from(aside.in_flight.take().is_some());
        }
        let minors = self.minors.clear() as u64;
        if minor_confirm == MinorConfirm::Explicit {
            operations.of_mut(Operation::MinorSync).lost += minors;
        }
        if let Some(pending) = self.pending.take() {
            operations.of_mut(pending.operation).lost += 1;
        }
    }

    /// Begins another session connection where the script is.
    pub(crate) fn connected(&mut self) {
        *self = Course {
            script: self.script,
            typed: Aside { sent: self.typed.sent, ..Aside::default() },
            expedited: Aside { sent: self.expedited.sent, ..Aside::default() },
            unfinished: self.unfinished,
            marks: self.marks,
            ..Course::default()
        };
    }
}

impl Minors {
    pub(crate) fn is_full(&self) -> bool {
        self.count == MINORS_MAX
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Adds a point; the oldest one makes place where there is none.
    pub(crate) fn push(&mut self, serial_number: SerialNumber, begun: Duration) {
        if self.is_full() {
            self.points.rotate_left(1);
            self.count -= 1;
        }
        self.points[self.count] = (serial_number, begun);
        self.count += 1;
    }

    /// Takes the oldest point out if a confirm of `serial_number` covers it: when it was sent, and whether it is
    /// the one that is named.
    pub(crate) fn pop_confirmed(&mut self, serial_number: SerialNumber) -> Option<(bool, Duration)> {
        let (oldest, begun) = *self.points[..self.count].first()?;
        if oldest > serial_number {
            return None;
        }
        self.points.rotate_left(1);
        self.count -= 1;
        Some((oldest == serial_number, begun))
    }

    /// Forgets all points and tells how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_confirm_covers_all_points_up_to_the_one_it_names() {
        let mut minors = Minors::default();
        for point in 5..8 {
            minors.push(SerialNumber(point), at(u64::from(point)));
        }
        assert_eq!(minors.pop_confirmed(SerialNumber(4)), None);
        assert_eq!(minors.pop_confirmed(SerialNumber(6)), Some((false, at(5))));
        assert_eq!(minors.pop_confirmed(SerialNumber(6)), Some((true, at(6))));
        assert_eq!(minors.pop_confirmed(SerialNumber(6)), None);
        assert_eq!(minors.clear(), 1);
        assert_eq!(minors.pop_confirmed(SerialNumber(7)), None);
    }

    #[test]
    fn the_oldest_point_makes_place_for_a_new_one() {
        let mut minors = Minors::default();
        for point in 0..=MINORS_MAX as u32 {
            minors.push(SerialNumber(point), at(0));
        }
        assert!(minors.is_full());
        assert_eq!(minors.pop_confirmed(SerialNumber(0)), None);
        assert_eq!(minors.pop_confirmed(SerialNumber(1)), Some((true, at(0))));
    }

    #[test]
    fn what_is_awaited_is_counted_once_each() {
        let mut course = Course::default();
        assert_eq!(course.awaited(MinorConfirm::Explicit), 0);
        course.typed.in_flight = Some(at(1));
        course.minors.push(SerialNumber(1), at(1));
        assert_eq!(course.awaited(MinorConfirm::Explicit), 2);
        assert_eq!(course.awaited(MinorConfirm::Optional), 1);
    }
}

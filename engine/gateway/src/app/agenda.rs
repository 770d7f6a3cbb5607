//! What a shard has to do at a certain time that belongs to no session: the shard has one timer for all of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Something due at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// The listeners of a gateway that drains are closed.
    StopListening,
    /// A drain may have a session to end.
    DrainStep,
    /// The deadline of a drain: what is left is aborted.
    DrainDeadline,
    /// What the shard holds is to be looked at.
    MemoryLook,
    /// The time of a target's ejection may be over.
    Restore(u16),
    /// The next session of a target in maintenance may be ended.
    MaintPace,
    /// A target's health check.
    Health(u16),
    /// Warm connections to a target that could not be had are tried again.
    Warm(u16),
}

/// Tasks in the order of their time.
#[derive(Debug, Default)]
pub(crate) struct Agenda(BinaryHeap<Reverse<(Duration, Task)>>);

impl Agenda {
    /// Notes a task; [`crate::app::GatewayApp::note`] also sets the shard's timer.
    pub(crate) fn push(&mut self, at: Duration, task: Task) {
        self.0.push(Reverse((at, task)));
    }

    /// Drops tasks that are not due any more.
    pub(crate) fn drop_tasks(&mut self, is_dropped: impl Fn(Task) -> bool) {
        self.0.retain(|Reverse((_, task))| !is_dropped(*task));
    }

    /// The next task that is due.
    pub(crate) fn pop_due(&mut self, now: Duration) -> Option<Task> {
        let Reverse((at, task)) = *self.0.peek()?;
        (at <= now).then(|| {
            self.0.pop();
            task
        })
    }

    /// When the next task is due.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_in_the_order_of_their_time() {
        let mut agenda = Agenda::default();
        agenda.push(Duration::from_secs(2), Task::DrainDeadline);
        agenda.push(Duration::from_secs(1), Task::DrainDeadline);
        assert_eq!(agenda.next_at(), Some(Duration::from_secs(1)));
        assert_eq!(agenda.pop_due(Duration::from_millis(999)), None);
        assert_eq!(agenda.pop_due(Duration::from_secs(1)), Some(Task::DrainDeadline));
        agenda.drop_tasks(|task| task == Task::DrainDeadline);
        assert_eq!(agenda.next_at(), None);
    }
}

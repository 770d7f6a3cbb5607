//! Commands of other threads to a shard's application.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam::queue::ArrayQueue;

use crate::rings::Doorbell;

/// Sends commands to one shard; may be cloned and sent to other threads.
#[derive(Debug)]
pub struct Commander<C> {
    shared: Arc<Shared<C>>,
}

impl<C> Clone for Commander<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// Why a command was not taken; it is handed back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError<C> {
    /// `ShardConfig::commands_max` commands wait.
    #[error("the shard's command ring is full")]
    Full(C),
    /// The shard has ended.
    #[error("the shard has ended")]
    Ended(C),
}

impl<C: Send> Commander<C> {
    /// Hands a command over without waiting, and wakes the shard if it sleeps.
    ///
    /// # Errors
    /// [`CommandError`]; a command that was taken is not executed if the shard ends first.
    pub fn send(&self, command: C) -> Result<(), CommandError<C>> {
        if self.shared.ended.load(Ordering::Acquire) {
            return Err(CommandError::Ended(command));
        }
        self.shared.queue.push(command).map_err(CommandError::Full)?;
        self.shared.doorbell.ring();
        Ok(())
    }
}

/// The shard's side.
#[derive(Debug)]
pub(crate) struct Commands<C> {
    shared: Arc<Shared<C>>,
}

#[derive(Debug)]
struct Shared<C> {
    queue: ArrayQueue<C>,
    doorbell: Doorbell,
    ended: AtomicBool,
}

impl<C> Commands<C> {
    pub(crate) fn new(capacity: usize, waker: std::task::Waker) -> Self {
        let queue = ArrayQueue::new(capacity.max(1));
        let doorbell = Doorbell::new(waker);
        Self { shared: Arc::new(Shared { queue, doorbell, ended: AtomicBool::new(false) }) }
    }

    pub(crate) fn commander(&self) -> Commander<C> {
        Commander { shared: Arc::clone(&self.shared) }
    }

    pub(crate) fn next_command(&self) -> Option<C> {
        self.shared.queue.pop()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shared.queue.is_empty()
    }

    /// The doorbell to use around a wait.
    pub(crate) fn doorbell(&self) -> &Doorbell {
        &self.shared.doorbell
    }
}

impl<C> Drop for Commands<C> {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        while self.shared.queue.pop().is_some() {}
    }
}

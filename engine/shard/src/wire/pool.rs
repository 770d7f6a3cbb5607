//! The threads that handshakes run on, shared by the shards of a process.

use std::io;
use std::sync::Arc;
use std::task::Waker;

use colloquy_transport::tls::{TlsConnection, TlsFault};
use crossbeam::channel::{Receiver, Sender, unbounded};
use crossbeam::queue::SegQueue;

use crate::application::SessionId;

/// Threads for TLS handshakes. They end when the last shard that has the pool is gone.
///
/// Each shard has a bounded number of connections here, so that the queue is bounded, too.
#[derive(Debug)]
pub struct HandshakePool {
    jobs: Sender<Job>,
}

impl HandshakePool {
    /// Starts `threads` threads, at least one.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(threads: usize) -> io::Result<HandshakePool> {
        let (jobs, taken) = unbounded();
        for number in 0..threads.max(1) {
            let taken: Receiver<Job> = taken.clone();
            let run = move || {
                while let Ok(job) = taken.recv() {
                    job.run_for_shard();
                }
            };
            std::thread::Builder::new().name(format!("clq-tls-{number}")).spawn(run)?;
        }
        Ok(HandshakePool { jobs })
    }

    pub(super) fn take(&self, job: Job) {
        // Its threads end only when the pool is gone.
        let _ = self.jobs.send(job);
    }
}

/// One connection, and what has come for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: SessionId,
    pub(super) connection: Box<TlsConnection>,
    pub(super) records: Vec<u8>,
    pub(super) returns: Option<Arc<Returns>>,
}

/// What has become of it.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) id: SessionId,
    pub(super) connection: Box<TlsConnection>,
    /// The memory of the records that were handled, empty.
    pub(super) records: Vec<u8>,
    pub(super) out: Vec<u8>,
    /// Data that came right behind the handshake.
    pub(super) plain: Vec<u8>,
    pub(super) result: Result<(), TlsFault>,
}

impl Job {
    pub(super) fn run(self) -> Done {
        let Job { id, mut connection, mut records, .. } = self;
        let (mut out, mut plain) = (Vec::new(), Vec::new());
        let result = connection.receive(&records, &mut out, &mut |octets| plain.extend_from_slice(octets));
        records.clear();
        Done { id, connection, records, out, plain, result }
    }

    fn run_for_shard(mut self) {
        let returns = self.returns.take();
        let done = self.run();
        if let Some(returns) = returns {
            returns.give(done);
        }
    }
}

/// Where handshakes come back to one shard.
#[derive(Debug)]
pub(super) struct Returns {
    done: SegQueue<Done>,
    waker: Waker,
}

impl Returns {
    pub(super) fn new(waker: Waker) -> Returns {
        Returns { done: SegQueue::new(), waker }
    }

    /// Always wakes the shard: handshakes are rare beside what a lost wake-up would cost.
    fn give(&self, done: Done) {
        self.done.push(done);
        self.waker.wake_by_ref();
    }

    pub(super) fn next(&self) -> Option<Done> {
        self.done.pop()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.done.is_empty()
    }
}

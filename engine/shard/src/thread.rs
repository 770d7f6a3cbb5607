//! A thread that runs one shard from its making to its end.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use colloquy_transport::driver::Driver;

use crate::application::Application;
use crate::command::Commander;
use crate::counters::Counters;
use crate::pin;
use crate::shard::Shard;

/// What to call a shard's thread and where to run it.
#[derive(Clone, Debug, Default)]
pub struct ThreadOptions {
    /// Name of the thread, as the system shows it (15 octets on Linux).
    pub name: String,
    /// Core to pin it to; a refusal of the system is reported by [`ShardThread::pinned`].
    pub core: Option<usize>,
}

/// A running shard.
#[derive(Debug)]
pub struct ShardThread<C, R> {
    /// Sends commands to its application.
    pub commander: Commander<C>,
    /// Its numbers.
    pub counters: Arc<Counters>,
    /// The core it is pinned to.
    pub pinned: Option<usize>,
    join: JoinHandle<io::Result<R>>,
}

impl<C, R> ShardThread<C, R> {
    /// Waits for the shard to end and gives what was made of its application.
    ///
    /// # Errors
    /// What made the driver unusable.
    ///
    /// # Panics
    /// When the shard has panicked, with its panic.
    pub fn join(self) -> io::Result<R> {
        self.join.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// True when the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.join.is_finished()
    }
}

/// Starts a thread, makes a shard on it with `build`, runs it until it is finished, and ends with what
/// `finish` makes of the application. Returns when `build` has.
///
/// # Errors
/// When no thread can be had, or what `build` says.
pub fn spawn<D, A, R>(
    options: ThreadOptions,
    build: impl FnOnce() -> io::Result<Shard<D, A>> + Send + 'static,
    finish: impl FnOnce(A) -> R + Send + 'static,
) -> io::Result<ShardThread<A::Command, R>>
where
    D: Driver,
    A: Application,
    A::Command: 'static,
    R: Send + 'static,
{
    let (report, built) = mpsc::sync_channel(1);
    let run = move || {
        let pinned = options.core.filter(|core| pin::to_core(*core));
        let mut shard = match build() {
            Ok(shard) => shard,
            Err(error) => {
                // The receiver waits in `spawn`, so it is there.
                let _ = report.send(None);
                return Err(error);
            }
        };
        let _ = report.send(Some((shard.commander(), shard.counters(), pinned)));
        shard.run()?;
        Ok(finish(shard.into_app()))
    };
    let join = std::thread::Builder::new().name(options.name).spawn(run)?;
    match built.recv() {
        Ok(Some((commander, counters, pinned))) => Ok(ShardThread { commander, counters, pinned, join }),
        Ok(None) | Err(mpsc::RecvError) => match join.join() {
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) => unreachable!("a shard that ran had been reported"),
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}

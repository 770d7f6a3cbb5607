//! One core's share of the sessions, and its public face.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use colloquy_transport::driver::{Completion, Driver, ListenerId};

use crate::application::{Application, SessionId};
use crate::command::{Commander, Commands};
use crate::config::{ListenerConfig, ShardConfig};
use crate::context::Context;
use crate::core::{Core, Listening};
use crate::counters::{Counters, Tally};

/// The sessions of one core and the application they belong to.
///
/// Built, used and dropped on one thread. Octets, times and commands come in through
/// [`Shard::turn`]; what happens then is told to the application, and what it asks for is on its way when
/// `turn` returns and the next one submits it.
pub struct Shard<D: Driver, A: Application> {
    pub(crate) core: Core<D, A>,
    pub(crate) app: A,
    /// What the driver reported and was not yet handled, from `handled` on.
    pub(crate) completions: Vec<Completion>,
    pub(crate) handled: usize,
    /// Emptied list of the last turn's ready sessions.
    pub(crate) going_on: Vec<SessionId>,
    pub(crate) commands: Commands<A::Command>,
    pub(crate) counters: Arc<Counters>,
    /// When the last wait returned; none in virtual time.
    pub(crate) woken_at: Option<Instant>,
    pub(crate) turn_number: u32,
}

impl<D: Driver, A: Application> Shard<D, A> {
    /// A shard without sessions or listeners.
    pub fn new(driver: D, app: A, config: ShardConfig) -> Self {
        let commands = Commands::new(config.commands_max, driver.waker());
        let mut core = Core::new(driver, config);
        core.tally.thread_id = crate::pin::thread_id().unwrap_or(0);
        Self {
            core,
            app,
            completions: Vec::new(),
            handled: 0,
            going_on: Vec::new(),
            commands,
            counters: Arc::new(Counters::default()),
            woken_at: None,
            turn_number: 0,
        }
    }

    /// Starts to accept on `listener`; the application is given `tag` with each T-CONNECT indication.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(
        &mut self,
        listener: D::Listener,
        tag: u32,
        config: ListenerConfig,
    ) -> io::Result<ListenerId> {
        let id = self.core.driver.listen(listener)?;
        let listening =
            Listening { id, tag, config, sessions: 0, not_established: 0, accepting: true, wire: None };
        self.core.listeners.push(listening);
        Ok(id)
    }

    /// Calls `act` with the application and the shard, as if a command had come.
    ///
    /// What it asks for is flushed by the next turn.
    pub fn with<R>(&mut self, act: impl FnOnce(&mut A, &mut Context<'_, D, A>) -> R) -> R {
        self.core.rare = true;
        act(&mut self.app, &mut Context { core: &mut self.core })
    }

    /// Turns until [`Context::stop_when_empty`] was asked for and the last session is gone.
    ///
    /// # Errors
    /// What makes the driver unusable.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.is_finished() {
            self.turn(None)?;
        }
        Ok(())
    }

    /// True when [`Context::stop_when_empty`] was asked for and no session or connection is left.
    pub fn is_finished(&self) -> bool {
        self.core.stopping && self.core.slab.count() == 0
    }

    /// When `turn` has something to do that no completion announces; none when it has not.
    pub fn next_deadline(&self) -> Option<Duration> {
        let core = &self.core;
        let leftover = self.handled < self.completions.len();
        if leftover
            || !core.ready.is_empty()
            || !core.effects.is_empty()
            || !self.commands.is_empty()
            || core.wires.has_returns()
        {
            return Some(core.now);
        }
        let wheel = core.wheel.next_expiry().map(Duration::from_millis);
        [wheel, core.shard_deadline, core.reclaim_deadline()].into_iter().flatten().min()
    }

    /// A way for other threads to send commands to the application.
    pub fn commander(&self) -> Commander<A::Command> {
        self.commands.commander()
    }

    /// The published numbers, to be read by other threads.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The numbers at this moment.
    pub fn tally(&self) -> &Tally {
        &self.core.tally
    }

    /// Connections in the slab, ended sessions that are being closed and refusals included.
    pub fn connection_count(&self) -> usize {
        self.core.slab.count()
    }

    /// One line for each connection in the slab: phase, state, queues, marks. For people, not for programs.
    pub fn inspect(&self) -> Vec<String> {
        self.core.slab.inspect()
    }

    /// The application.
    pub fn app(&self) -> &A {
        &self.app
    }

    /// The application.
    pub fn app_mut(&mut self) -> &mut A {
        &mut self.app
    }

    /// Ends the shard, whatever is left in it, and gives the application back.
    pub fn into_app(self) -> A {
        self.app
    }

    /// The driver.
    pub fn driver(&self) -> &D {
        &self.core.driver
    }

    /// The driver, for what is particular to it.
    pub fn driver_mut(&mut self) -> &mut D {
        &mut self.core.driver
    }
}

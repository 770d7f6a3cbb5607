//! From the configuration to what a shard, its listeners and its driver want.
//!
//! Public so that a test can run the gateway's application on a driver of its own.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use colloquy_session::SessionConfig;
use colloquy_shard::{ListenerConfig as ShardListenerConfig, Shard, ShardConfig};
use colloquy_transport::buf::PoolConfig;
use colloquy_transport::class0::Class0Config;
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::options::{DriverOptions, SubmissionPolling};
use colloquy_transport::driver::select::BackendChoice;

use crate::app::{AppCounters, GatewayApp, RecordSink};
use crate::config::{Config, DriverChoice, EngineConfig, ListenerConfig};
use crate::plan::Plan;

/// Beyond a target's time-outs, which the application keeps, the shard's come as a second net.
const SHARD_TIMEOUT_MARGIN: Duration = Duration::from_secs(1);
/// How far a shard's own limits for a listener are above those that all shards share.
const SECOND_NET: usize = 2;

/// A shard that runs the gateway's application on any driver: on the thread, in the network and in the
/// time of the caller.
///
/// `listeners` are the sockets of the configuration's listeners, in their order.
///
/// # Errors
/// What the driver says about listening.
pub fn assemble<D: Driver>(
    driver: D,
    config: &Arc<Config>,
    number: u16,
    counters: Arc<AppCounters>,
    records: RecordSink,
    listeners: impl IntoIterator<Item = D::Listener>,
) -> io::Result<Shard<D, GatewayApp>> {
    let plan = Arc::new(Plan::new(Arc::clone(config)));
    assemble_plan(driver, &plan, number, counters, records, listeners)
}

/// The same for a plan that several shards share.
///
/// # Errors
/// What the driver says about listening.
pub fn assemble_plan<D: Driver>(
    driver: D,
    plan: &Arc<Plan>,
    number: u16,
    counters: Arc<AppCounters>,
    records: RecordSink,
    listeners: impl IntoIterator<Item = D::Listener>,
) -> io::Result<Shard<D, GatewayApp>> {
    let limits = plan.config.shard();
    assemble_some(driver, plan, limits, number, (counters, records), listeners.into_iter().enumerate())
}

/// The same with sockets of some of the listeners, each with the listener's index, and with limits of its own.
pub(crate) fn assemble_some<D: Driver>(
    driver: D,
    plan: &Arc<Plan>,
    limits: ShardConfig,
    number: u16,
    (counters, records): (Arc<AppCounters>, RecordSink),
    sockets: impl IntoIterator<Item = (usize, D::Listener)>,
) -> io::Result<Shard<D, GatewayApp>> {
    let config = &plan.config;
    let app = GatewayApp::new(Arc::clone(plan), number, counters, records);
    let mut shard = Shard::new(driver, app, limits);
    for (index, socket) in sockets {
        let Some(listener) = config.listeners.get(index) else { break };
        let tag = u32::try_from(index).expect("the configuration has fewer listeners");
        shard.listen(socket, tag, listener.shard(&config.engine))?;
        let wire = crate::tls::listener_wire(listener, &plan.tls).map_err(io::Error::other)?;
        shard.with(|_, ctx| ctx.set_listener_wire(tag, &wire));
    }
    shard.with(|app, ctx| app.begin(ctx));
    Ok(shard)
}

impl Config {
    /// Limits and times of each shard.
    pub fn shard(&self) -> ShardConfig {
        let defaults = ShardConfig::default();
        let longest = |default: Duration, of: fn(&crate::config::TargetConfig) -> Duration| {
            self.targets.iter().map(of).max().map_or(default, |longest| longest + SHARD_TIMEOUT_MARGIN)
        };
        ShardConfig {
            sessions_max: self.engine.sessions_max,
            send_high_octets: self.engine.send_high_mark_octets,
            send_low_octets: self.engine.send_low_mark_octets,
            send_octets_max: self.engine.send_batch_octets_max,
            send_timeout: self.engine.send_timeout,
            session_tsdus_per_turn_max: self.engine.session_tsdus_per_turn_max,
            completions_per_turn_max: self.engine.completions_per_turn_max,
            connect_timeout: longest(defaults.connect_timeout, |target| target.connect_timeout),
            release_timeout: self
                .listeners
                .iter()
                .map(|listener| listener.release_timeout + SHARD_TIMEOUT_MARGIN)
                .fold(longest(defaults.release_timeout, |target| target.release_timeout), Duration::max),
            ..defaults
        }
    }
}

impl ListenerConfig {
    /// Limits, times and choices of the listener on each shard.
    pub fn shard(&self, engine: &EngineConfig) -> ShardListenerConfig {
        ShardListenerConfig {
            transport: Class0Config {
                tpdu_octets_max: self.tpdu_octets_max,
                tsdu_octets_max: self.tsdu_octets_max,
                pinned_octets_max: engine.pinned_octets_max,
                expedited: self.transport_expedited,
            },
            session: SessionConfig {
                versions: self.versions,
                functional_units: self.functional_units,
                tim: self.tim,
                strict: self.strict,
                extended_concatenation: self.extended_concatenation,
                exception_reports: self.exception_reports,
                transport_reuse: self.transport_reuse,
                connect_user_data_octets_max: self.connect_user_data_octets_max,
                user_data_octets_max: usize::MAX,
            },
            // A second net behind the limits that all shards share, which connections leave a little earlier: when
            // their session has ended, not when they are closed.
            sessions_max: self.sessions_max.saturating_mul(SECOND_NET),
            not_established_max: self.connections_not_established_max.saturating_mul(SECOND_NET),
            transport_timeout: self.transport_timeout,
            connect_timeout: self.connect_timeout,
        }
    }
}

impl EngineConfig {
    /// The receive pool of each shard.
    pub fn pool(&self) -> PoolConfig {
        PoolConfig { block_count: self.receive_blocks, block_octets: self.receive_block_octets }
    }

    /// What the driver should do differently from its defaults.
    pub fn driver_options(&self) -> DriverOptions {
        DriverOptions {
            buffers: self.buffer_scheme,
            submission_polling: self.submission_polling.then_some(SubmissionPolling {
                idle: self.submission_polling_idle,
                core: self.submission_polling_core,
            }),
            busy_poll: self.busy_poll,
            zero_copy_send_octets_min: self.zero_copy_send_octets_min,
        }
    }

    /// Connections a driver must have room for: sessions, and as many that are still closing or being refused.
    pub fn connections_max(&self) -> u32 {
        u32::try_from(self.sessions_max.saturating_mul(2)).unwrap_or(u32::MAX)
    }

    /// Shards to run where `cores` cores are there.
    pub fn shard_count(&self, cores: usize) -> usize {
        if self.shards == 0 { cores.max(1) } else { self.shards }
    }
}

impl From<DriverChoice> for BackendChoice {
    fn from(choice: DriverChoice) -> Self {
        match choice {
            DriverChoice::Auto => BackendChoice::Auto,
            DriverChoice::IoUring => BackendChoice::IoUring,
            DriverChoice::Mio => BackendChoice::Mio,
        }
    }
}

//! Transport connections that are open before a session wants them: targets with `policy = "on_startup"`.
//!
//! Each shard keeps `warm_connections` of its own, up to CC. A session takes the oldest one and another is opened at
//! once. Where one is lost, or cannot be had, none is opened before a time has passed that doubles, half of it random; it
//! begins anew when a session has used one or one has lasted for as long as the longest of these times. They
//! are for sessions whose CR would be the same: a downstream with transport expedited data, or with other TSAPs
//! where the target does not fix them, gets a connection of its own, and so does one whose user data are too long
//! for what was agreed beforehand.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use colloquy_session::{ConnectParameters, FunctionalUnits, Versions};
use colloquy_shard::{ConnectError, ConnectTarget, Context, Reach, SessionId};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;
use colloquy_transport::net::is_local_shortage;

use super::GatewayApp;
use super::agenda::Task;
use super::failure;
use super::health::open_target;
use super::relay::connect::{CONNECT_USER_DATA_OCTETS, connect_target};
use super::state::{Phase, Role, SessionState, TimerFor};
use crate::config::{ConnectionPolicy, TargetConfig, TargetState};
use crate::record::RecordEvent;
use crate::tls::target_wire;

/// Time before a connection that failed is tried again, at first.
const BACKOFF: Duration = Duration::from_millis(100);
/// The longest.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// The warm connections of a shard, by target.
#[derive(Debug, Default)]
pub(crate) struct WarmPools(Vec<WarmPool>);

#[derive(Debug, Default)]
struct WarmPool {
    /// Since when each is open.
    ready: VecDeque<(SessionId, Duration)>,
    opening: usize,
    /// Rounds in a row.
    failures: u32,
    /// When the next round is, of which a task is noted; until then none is opened.
    again_at: Option<Duration>,
}

impl WarmPool {
    fn wants_more(&self, wanted: usize) -> bool {
        self.again_at.is_none() && self.ready.len() + self.opening < wanted
    }
}

impl WarmPools {
    fn of(&mut self, target: usize) -> &mut WarmPool {
        if self.0.len() <= target {
            self.0.resize_with(target + 1, WarmPool::default);
        }
        &mut self.0[target]
    }
}

impl GatewayApp {
    /// Opens what is missing for each target of the plan, and closes what is too much.
    pub(super) fn warm_all<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        for target in 0..self.config.targets.len() {
            // What has failed may be what an operator has just mended.
            let pool = self.warm_pools.of(target);
            (pool.failures, pool.again_at) = (0, None);
            self.warm(ctx, target);
        }
    }

    /// The time before another try is over.
    pub(super) fn warm_again<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: u16) {
        let pool = self.warm_pools.of(usize::from(target));
        // A task from before a reload is early.
        if pool.again_at.is_none_or(|at| at <= ctx.now()) {
            pool.again_at = None;
            self.warm(ctx, usize::from(target));
        }
    }

    fn warm<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: usize) {
        if self.draining {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let config = &plan.config.targets[target];
        let wanted = match config.policy {
            ConnectionPolicy::OnStartup { warm_connections }
                // A PROXY header names a source, which is not known beforehand.
                if !config.removed
                    && !config.proxy_protocol
                    && plan.targets[target].state() == TargetState::Ready =>
            {
                warm_connections
            }
            _ => 0,
        };
        while self.warm_pools.of(target).ready.len() > wanted {
            let Some(id) = self.take_ready(target) else { break };
            ctx.transport_disconnect(id);
        }
        while self.warm_pools.of(target).wants_more(wanted) {
            let connect = ConnectParameters {
                versions: Versions::V1 | Versions::V2,
                requirements: FunctionalUnits::all(),
                ..ConnectParameters::default()
            };
            let transport = (&ConnectTpdu::default(), false);
            let opening = connect_target(&plan.config.engine, config, transport, connect);
            let Ok(wire) = target_wire(config, &plan.tls, None) else {
                return self.warm_failed(ctx, target, failure::NO_TLS);
            };
            let opening = ConnectTarget { wire: wire.as_ref(), ..opening };
            let id = match ctx.open(&open_target(&opening), Reach::Transport) {
                Ok(id) => id,
                Err(ConnectError::Io(error)) if !is_local_shortage(&error) => {
                    return self.warm_failed(ctx, target, failure::UNREACHABLE);
                }
                Err(_) => return self.warm_failed(ctx, target, failure::SHORTAGE),
            };
            let index = u16::try_from(target).expect("the configuration has fewer targets");
            if self.register(ctx, id, Role::Warm { target: index }).is_none() {
                return self.warm_failed(ctx, target, failure::SHORTAGE);
            }
            self.warm_pools.of(target).opening += 1;
            let at = ctx.now() + config.connect_timeout;
            self.arm(ctx, id, Some((TimerFor::Warm, at)));
        }
    }

    fn warm_failed<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: usize, why: &'static str) {
        // A drain ends them itself.
        if self.draining {
            return;
        }
        self.plan.targets[target].warm_failed(why);
        let now = ctx.now();
        let pool = self.warm_pools.of(target);
        if pool.again_at.is_some() {
            return;
        }
        pool.failures = pool.failures.saturating_add(1);
        let failures = pool.failures;
        let backoff = BACKOFF.saturating_mul(1 << (failures - 1).min(16)).min(BACKOFF_MAX);
        let again_in = backoff / 2 + self.random.up_to(backoff / 2);
        self.warm_pools.of(target).again_at = Some(now + again_in);
        let index = u16::try_from(target).expect("the configuration has fewer targets");
        self.note(ctx, now + again_in, Task::Warm(index));
        if failures.is_power_of_two() {
            let subject = self.target_subject::<D>(None, target);
            self.record(subject, RecordEvent::WarmFailed { reason: why, failures, again_in });
        }
    }

    /// CC has come.
    pub(super) fn warm_opened<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let now = ctx.now();
        let Some(state) = ctx.state(id) else { return };
        let Role::Warm { target } = state.role else { return };
        state.phase = Phase::Open;
        let target = usize::from(target);
        let pool = self.warm_pools.of(target);
        pool.opening -= 1;
        pool.ready.push_back((id, now));
        self.plan.targets[target].warm_opened();
        self.arm(ctx, id, None);
        // A reload or an operator may want fewer by now.
        self.warm(ctx, target);
    }

    /// A connection that no session has used is gone.
    pub(super) fn warm_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        target: u16,
        phase: Phase,
        why: &'static str,
    ) {
        let target = usize::from(target);
        let pool = self.warm_pools.of(target);
        if phase == Phase::Connecting {
            pool.opening -= 1;
            self.warm_failed(ctx, target, why);
        } else if let Some(place) = pool.ready.iter().position(|(ready, _)| *ready == id) {
            let since = pool.ready.remove(place).map(|(_, since)| since);
            if since.is_some_and(|since| ctx.now().saturating_sub(since) >= BACKOFF_MAX) {
                pool.failures = 0;
            }
            self.plan.targets[target].warm_closed();
            // The peer has closed it: one that closes each of them must not be connected to without a pause.
            self.warm_failed(ctx, target, why);
        }
    }

    /// Closes the connections that wait for sessions.
    pub(super) fn close_ready<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: usize) {
        while let Some(id) = self.take_ready(target) {
            ctx.transport_disconnect(id);
        }
    }

    fn take_ready(&mut self, target: usize) -> Option<SessionId> {
        let (id, _) = self.warm_pools.of(target).ready.pop_front()?;
        self.plan.targets[target].warm_closed();
        Some(id)
    }

    /// Begins a session on a warm connection, if there is one that fits. It is an upstream's from then on.
    pub(super) fn connect_warm<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        target: usize,
        (transport, expedited): (&ConnectTpdu, bool),
        connect: &ConnectParameters<'_>,
    ) -> Option<SessionId> {
        let config = Arc::clone(&self.config);
        if !fits(&config.targets[target], transport)
            || expedited && config.targets[target].transport_expedited
            || connect.user_data.len() > CONNECT_USER_DATA_OCTETS
        {
            return None;
        }
        let mut begun = None;
        while let Some(id) = self.take_ready(target) {
            if ctx.connect_again(id, connect).is_ok() {
                self.warm_pools.of(target).failures = 0;
                begun = Some(id);
                break;
            }
            ctx.transport_disconnect(id);
        }
        if let Some(state) = begun.and_then(|id| ctx.state(id)) {
            let role = Role::Upstream {
                target: u16::try_from(target).expect("the configuration has fewer targets"),
            };
            *state = SessionState {
                role,
                live_index: state.live_index,
                was_warm: true,
                ..SessionState::default()
            };
        }
        self.warm(ctx, target);
        begun
    }
}

/// True where the CR that was sent beforehand is the one that this downstream would be opened with.
fn fits(target: &TargetConfig, transport: &ConnectTpdu) -> bool {
    target.called_tsap.or(transport.called) == target.called_tsap
        && target.calling_tsap.or(transport.calling) == target.calling_tsap
}

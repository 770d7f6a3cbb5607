//! Transport connections that are open before a session wants them: targets with `policy = "on_startup"`.
//!
//! Each shard keeps `warm_connections` of its own, up to CC. A session takes the oldest one and another is opened at
//! once. One that is lost, or that cannot be had, is tried again after a time that doubles, half of it random. They
//! are for sessions whose CR would be the same: a downstream with transport expedited data, or with other TSAPs
//! where the target does not fix them, gets a connection of its own, and so does one whose user data are too long
//! for what was agreed beforehand.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use colloquy_session::{ConnectParameters, FunctionalUnits, ProviderAbortReason, Versions};
use colloquy_shard::{ConnectTarget, Context, Reach, SessionId};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::agenda::Task;
use super::health::open_target;
use super::relay::connect::{CONNECT_USER_DATA_OCTETS, connect_target};
use super::state::{Phase, Role, SessionState, TimerFor};
use crate::config::{ConnectionPolicy, TargetConfig, TargetState};
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
    ready: VecDeque<SessionId>,
    opening: usize,
    /// In a row.
    failures: u32,
    /// A task is noted.
    is_due: bool,
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
            self.warm(ctx, target);
        }
    }

    /// The time before another try is over.
    pub(super) fn warm_again<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: u16) {
        self.warm_pools.of(usize::from(target)).is_due = false;
        self.warm(ctx, usize::from(target));
    }

    fn warm<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: usize) {
        let plan = Arc::clone(&self.plan);
        let config = &plan.config.targets[target];
        let wanted = match config.policy {
            ConnectionPolicy::OnStartup { warm_connections }
                // A PROXY header names a source, which is not known beforehand.
                if !config.removed
                    && !config.proxy_protocol
                    && !self.draining
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
        while self.warm_pools.of(target).ready.len() + self.warm_pools.of(target).opening < wanted {
            let connect = ConnectParameters {
                versions: Versions::V1 | Versions::V2,
                requirements: FunctionalUnits::all(),
                ..ConnectParameters::default()
            };
            let transport = (&ConnectTpdu::default(), false);
            let opening = connect_target(&plan.config.engine, config, transport, connect);
            let Ok(wire) = target_wire(config, &plan.tls, None) else { return self.warm_failed(ctx, target) };
            let opening = ConnectTarget { wire: wire.as_ref(), ..opening };
            let opened = ctx.open(&open_target(&opening), Reach::Transport);
            let index = u16::try_from(target).expect("the configuration has fewer targets");
            let opened =
                opened.ok().filter(|id| self.register(ctx, *id, Role::Warm { target: index }).is_some());
            let Some(id) = opened else { return self.warm_failed(ctx, target) };
            self.warm_pools.of(target).opening += 1;
            let at = ctx.now() + config.connect_timeout;
            self.arm(ctx, id, Some((TimerFor::Warm, at)));
        }
    }

    fn warm_failed<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: usize) {
        let pool = self.warm_pools.of(target);
        pool.failures = pool.failures.saturating_add(1);
        if std::mem::replace(&mut pool.is_due, true) {
            return;
        }
        let backoff = BACKOFF.saturating_mul(1 << (pool.failures - 1).min(16)).min(BACKOFF_MAX);
        let at = ctx.now() + backoff / 2 + self.random.up_to(backoff / 2);
        self.note(ctx, at, Task::Warm(u16::try_from(target).expect("the configuration has fewer targets")));
    }

    /// CC has come.
    pub(super) fn warm_opened<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        let Role::Warm { target } = state.role else { return };
        state.phase = Phase::Open;
        let target = usize::from(target);
        let pool = self.warm_pools.of(target);
        pool.opening -= 1;
        pool.failures = 0;
        pool.ready.push_back(id);
        self.plan.targets[target].warm_opened();
        self.arm(ctx, id, None);
        // A reload or an operator may want fewer by now.
        self.warm(ctx, target);
    }

    /// CC did not come in time.
    pub(super) fn warm_timeout<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        ctx.transport_disconnect(id);
        ctx.provider_abort(id, ProviderAbortReason::Undefined);
    }

    /// A connection that no session has used is gone.
    pub(super) fn warm_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        target: u16,
        phase: Phase,
    ) {
        let target = usize::from(target);
        let pool = self.warm_pools.of(target);
        if phase == Phase::Connecting {
            pool.opening -= 1;
            self.warm_failed(ctx, target);
        } else if let Some(place) = pool.ready.iter().position(|ready| *ready == id) {
            pool.ready.remove(place);
            self.plan.targets[target].warm_closed();
            // The peer has closed it: one that closes each of them must not be connected to without a pause.
            self.warm_failed(ctx, target);
        }
    }

    /// Closes the connections that wait for sessions.
    pub(super) fn close_ready<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: usize) {
        while let Some(id) = self.take_ready(target) {
            ctx.transport_disconnect(id);
        }
    }

    fn take_ready(&mut self, target: usize) -> Option<SessionId> {
        let id = self.warm_pools.of(target).ready.pop_front()?;
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

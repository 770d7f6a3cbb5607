//! Health checks: shard 0 asks targets from time to time whether they are there.
//!
//! A check opens a connection of its own, as far as its level says, and ends it in order:
//!
//! | level | passes when | then |
//! |---|---|---|
//! | `tcp` | the network connection is there | closes it |
//! | `transport` | CC has come | T-DISCONNECT |
//! | `session` | AC or RF has come | FINISH |
//!
//! At level `session` CN has the selectors of the target and what its profile leaves of kernel, half duplex and
//! duplex, without user data. What a check opens is no session of users: it is in no count of theirs and no record but
//! that of a change.

use std::sync::Arc;

use colloquy_session::{ConnectParameters, FunctionalUnits, Indication, ProviderAbortReason, Versions};
use colloquy_shard::{ConnectError, ConnectTarget, Context, OpenTarget, Reach, SessionId, TargetWire};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;
use colloquy_transport::net::is_local_shortage;

use super::GatewayApp;
use super::agenda::Task;
use super::failure;
use super::relay::connect::connect_target;
use super::relay::propose::proposed;
use super::state::{Phase, Role, TimerFor};
use crate::config::{ConnectionPolicy, HealthLevel, TargetConfig, TargetState};
use crate::plan::Health;
use crate::record::RecordEvent;
use crate::tls::target_wire;

/// The first check after the start or a reload comes within this time, or within the interval if that is less.
const FIRST_WITHIN: std::time::Duration = std::time::Duration::from_secs(1);

/// The checks that are under way, by target.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<Option<SessionId>>);

impl Checks {
    fn of(&mut self, target: usize) -> &mut Option<SessionId> {
        if self.0.len() <= target {
            self.0.resize(target + 1, None);
        }
        &mut self.0[target]
    }
}

impl GatewayApp {
    /// Begins to check the targets of the plan; what was begun for another plan goes on no more.
    pub(super) fn begin_checks<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        if self.shard != 0 {
            return;
        }
        self.agenda.drop_tasks(|task| matches!(task, Task::Health(_)));
        let plan = Arc::clone(&self.plan);
        for (index, target) in plan.config.targets.iter().enumerate() {
            if !is_checked(target) {
                plan.targets[index].forget_health();
            } else if let Ok(number) = u16::try_from(index) {
                let at = ctx.now() + self.random.up_to(target.health.interval.min(FIRST_WITHIN));
                self.note(ctx, at, Task::Health(number));
            }
        }
    }

    /// A check is due.
    pub(super) fn check_health<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, number: u16) {
        let plan = Arc::clone(&self.plan);
        let target = usize::from(number);
        let config = &plan.config.targets[target];
        if !is_checked(config) || self.draining {
            return;
        }
        let next = ctx.now() + self.random.within_a_tenth(config.health.interval);
        self.note(ctx, next, Task::Health(number));
        if plan.targets[target].state() == TargetState::Maint || self.checks.of(target).is_some() {
            return;
        }
        // Without TLS material nothing can be said, not even that the target is down.
        let Ok(wire) = target_wire(config, &plan.tls, None) else { return };
        match self.open_probe(ctx, config, wire.as_ref()) {
            Ok(id) => {
                if self.register(ctx, id, Role::Probe { target: number }).is_some() {
                    *self.checks.of(target) = Some(id);
                    let at = ctx.now() + config.health.timeout;
                    self.arm(ctx, id, Some((TimerFor::Probe, at)));
                }
            }
            Err(ConnectError::Io(error)) if !is_local_shortage(&error) => {
                self.checked::<D>(target, Err(failure::UNREACHABLE));
            }
            // A want of this side's says nothing about the target.
            Err(_) => {}
        }
    }

    fn open_probe<D: Driver>(
        &self,
        ctx: &mut Context<'_, D, Self>,
        target: &TargetConfig,
        wire: Option<&TargetWire>,
    ) -> Result<SessionId, ConnectError> {
        let connect = ConnectParameters {
            versions: Versions::V1 | Versions::V2,
            requirements: FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX,
            ..ConnectParameters::default()
        };
        let connect = proposed(target, &connect);
        let transport = (&ConnectTpdu::default(), false);
        let opening = connect_target(&self.config.engine, target, transport, connect);
        let opening = ConnectTarget { wire, ..opening };
        match target.health.level {
            HealthLevel::Session => ctx.connect(&opening),
            HealthLevel::Transport => ctx.open(&open_target(&opening), Reach::Transport),
            HealthLevel::Tcp | HealthLevel::Off => ctx.open(&open_target(&opening), Reach::Network),
        }
    }

    /// What a check of level `tcp` or `transport` has opened is there.
    pub(super) fn probe_opened<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        self.probe_ended(ctx, id, Ok(()));
        ctx.transport_disconnect(id);
    }

    /// What a check of level `session` is told.
    pub(super) fn probe<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: &Indication<'_>,
    ) {
        match indication {
            Indication::ConnectConfirm(_) => {
                self.probe_ended(ctx, id, Ok(()));
                // The shard's timer runs against the answer.
                if ctx.release_request(id, &[]).is_err() {
                    ctx.provider_abort(id, ProviderAbortReason::Undefined);
                }
            }
            Indication::ConnectRefused(_) => self.probe_ended(ctx, id, Ok(())),
            Indication::Release { .. } => {
                let _ = ctx.release_response(id, true, &[]);
            }
            _ => {}
        }
    }

    /// The time of a check is over.
    pub(super) fn probe_timeout<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        self.probe_ended(ctx, id, Err(failure::TIMEOUT));
        ctx.transport_disconnect(id);
        ctx.provider_abort(id, ProviderAbortReason::Undefined);
    }

    /// Forgets a check that is under way, whatever becomes of it.
    pub(super) fn drop_check<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        state.phase = Phase::Over;
        if let Role::Probe { target } = state.role {
            *self.checks.of(usize::from(target)) = None;
        }
    }

    /// How a check went, or why it failed, the first time that it is told.
    pub(super) fn probe_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        went: Result<(), &'static str>,
    ) {
        let Some(state) = ctx.state(id) else { return };
        let Role::Probe { target } = state.role else { return };
        if std::mem::replace(&mut state.phase, Phase::Over) == Phase::Over {
            return;
        }
        let target = usize::from(target);
        *self.checks.of(target) = None;
        // A drain ends checks that are under way, which says nothing about the target.
        if went.is_ok() || !self.draining {
            self.checked::<D>(target, went);
        }
    }

    fn checked<D: Driver>(&mut self, target: usize, went: Result<(), &'static str>) {
        let (status, health) = (&self.plan.targets[target], &self.config.targets[target].health);
        if let Err(why) = went {
            status.note_failure(why);
        }
        if let Some(health) = status.checked(went.is_ok(), health.rise, health.fall) {
            let subject = self.target_subject::<D>(None, target);
            let reason = went.err();
            self.record(subject, RecordEvent::TargetHealth { up: health == Health::Up, reason });
        }
    }
}

fn is_checked(target: &TargetConfig) -> bool {
    !target.removed
        && target.health.level != HealthLevel::Off
        && target.policy != ConnectionPolicy::IncomingOnly
}

/// The part of a target that is opened without a session.
pub(super) fn open_target<'a>(target: &ConnectTarget<'a>) -> OpenTarget<'a> {
    OpenTarget {
        wire: target.wire,
        address: target.address,
        options: target.options,
        calling_tsap: target.calling_tsap,
        called_tsap: target.called_tsap,
        transport: target.transport,
        session: target.session,
    }
}

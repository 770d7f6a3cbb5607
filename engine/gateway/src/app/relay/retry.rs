//! The next target, where one fails before its answer; and what failures say about a target.

use std::sync::Arc;
use std::time::Duration;

use colloquy_session::{ConnectParameters, ConnectionIdentifier};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::super::GatewayApp;
use super::super::agenda::Task;
use super::super::balance::{Group, Usable};
use super::super::route::RouteQuery;
use super::super::state::{Phase, Role, TimerFor};
use super::end::SideEnd;
use crate::config::{Config, ConnectionPolicy, Destination};
use crate::plan::ConnectOutcome;
use crate::record::{RecordEvent, Side, Subject};

/// A downstream's search for a target that takes it.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(super) destination: Destination,
    pub(super) query: RouteQuery,
    /// Targets that have failed, in their order.
    pub(super) tried: Vec<usize>,
    /// The RF reason of the last failure.
    pub(super) refusal: Option<u8>,
    /// By then the downstream must be answered.
    pub(super) deadline: Duration,
    /// Warm connections are not used: one has failed.
    pub(super) is_fresh: bool,
    retries_left: u32,
    backoff: Duration,
    backoff_max: Duration,
    /// S-CONNECT may be needed again.
    is_kept: bool,
    /// It, but for the time that it is being asked for.
    connect: Option<KeptConnect>,
}

impl Attempt {
    pub(super) fn new(
        config: &Config,
        destination: Destination,
        group: &Group<'_>,
        query: RouteQuery,
        deadline: Duration,
        connect: &ConnectParameters<'_>,
    ) -> Attempt {
        let upstream = group.upstream.map(|upstream| &config.upstreams[upstream]);
        let is_warm =
            |target: &usize| matches!(config.targets[*target].policy, ConnectionPolicy::OnStartup { .. });
        let is_kept = group.retries_max > 0 || group.targets.iter().any(is_warm);
        Attempt {
            destination,
            query,
            tried: Vec::new(),
            refusal: None,
            deadline,
            is_fresh: false,
            retries_left: group.retries_max,
            backoff: upstream.map_or(Duration::ZERO, |upstream| upstream.retry_backoff),
            backoff_max: upstream.map_or(Duration::ZERO, |upstream| upstream.retry_backoff_max),
            is_kept,
            connect: is_kept.then(|| KeptConnect::of(connect)),
        }
    }

    /// True where S-CONNECT may be needed again.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }
}

/// S-CONNECT parameters with octets of their own.
#[derive(Debug)]
struct KeptConnect {
    /// The identifier's three parts and the user data, one behind the other.
    octets: Vec<u8>,
    /// Where each part ends; the user data are the rest.
    ends: [usize; 3],
    rest: ConnectParameters<'static>,
}

impl KeptConnect {
    fn of(connect: &ConnectParameters<'_>) -> KeptConnect {
        let ConnectionIdentifier { user_reference, common_reference, additional_information } =
            connect.identifier;
        let parts = [user_reference, common_reference, additional_information];
        let mut end = 0;
        let ends = parts.map(|part| {
            end += part.len();
            end
        });
        KeptConnect {
            octets: [&parts.concat(), connect.user_data].concat(),
            ends,
            rest: ConnectParameters {
                identifier: ConnectionIdentifier::default(),
                user_data: &[],
                ..*connect
            },
        }
    }

    fn parameters(&self) -> ConnectParameters<'_> {
        let [user, common, additional] = self.ends;
        ConnectParameters {
            identifier: ConnectionIdentifier {
                user_reference: &self.octets[..user],
                common_reference: &self.octets[user..common],
                additional_information: &self.octets[common..additional],
            },
            user_data: &self.octets[additional..],
            ..self.rest
        }
    }
}

/// How an upstream's end before its answer counts.
pub(super) fn outcome_of(end: &SideEnd) -> ConnectOutcome {
    match end {
        // X.225 §8.3.5: the user's own reasons, and what will be no other elsewhere: an unknown selector, a
        // version, a restriction.
        SideEnd::Refused { reason: 0..=2 | 129 | 132 | 134 } => ConnectOutcome::Refused,
        SideEnd::Refused { .. } => ConnectOutcome::Unavailable,
        SideEnd::UserAbort => ConnectOutcome::UserAborted,
        SideEnd::ProviderAbort(_) => ConnectOutcome::ProviderAborted,
        SideEnd::TransportRefused { .. } => ConnectOutcome::TransportRefused,
        SideEnd::Unreachable => ConnectOutcome::Unreachable,
        SideEnd::Lost | SideEnd::Released => ConnectOutcome::Lost,
        SideEnd::Timeout => ConnectOutcome::Timeout,
        SideEnd::GaveUp => ConnectOutcome::Abandoned,
    }
}

impl GatewayApp {
    /// Lets a downstream whose target has failed wait for the next one. False: it has to be refused, for this reason.
    pub(super) fn retries<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        target: usize,
        reason: u8,
    ) -> bool {
        let now = ctx.now();
        let Some(state) = ctx.state(id) else { return false };
        let Some(mut attempt) = state.attempt.take() else { return false };
        let half = attempt.backoff / 2;
        let at = now + attempt.backoff - half + self.random.up_to(half);
        if attempt.retries_left == 0 || at >= attempt.deadline || !self.has_usable(&attempt.destination, now)
        {
            return false;
        }
        attempt.retries_left -= 1;
        attempt.backoff = (attempt.backoff * 2).min(attempt.backoff_max);
        attempt.refusal = Some(reason);
        attempt.tried.push(target);
        self.plan.targets[target].retried();
        state.attempt = Some(attempt);
        state.partner = None;
        self.arm(ctx, id, Some((TimerFor::Retry, at)));
        true
    }

    /// Lets a downstream go on at once where its upstream was a warm connection that the peer has closed meanwhile:
    /// that says nothing about the target.
    pub(super) fn retries_stale<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        upstream: SessionId,
        end: &SideEnd,
    ) -> bool {
        let was_warm = ctx.state(upstream).is_some_and(|state| state.was_warm);
        let now = ctx.now();
        if !was_warm || !matches!(end, SideEnd::Lost | SideEnd::Unreachable) {
            return false;
        }
        let Some(state) = ctx.state(id).filter(|state| state.phase == Phase::Connecting) else {
            return false;
        };
        let Some(attempt) = &mut state.attempt else { return false };
        attempt.is_fresh = true;
        self.arm(ctx, id, Some((TimerFor::Retry, now)));
        true
    }

    /// The time before a retry is over.
    pub(in super::super) fn retry<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id).filter(|state| state.phase == Phase::Connecting) else { return };
        let Some(mut attempt) = state.attempt.take() else { return };
        let Some(connect) = attempt.connect.take() else { return };
        attempt.tried.sort_unstable();
        attempt.tried.dedup();
        let parameters = connect.parameters();
        // What is asked for is borrowed meanwhile and goes back behind the call.
        self.try_target(ctx, id, *attempt, &parameters);
        if let Some(state) = ctx.state(id)
            && let Some(attempt) = &mut state.attempt
        {
            attempt.connect = Some(connect);
        }
    }

    fn has_usable(&self, destination: &Destination, now: Duration) -> bool {
        let now = self.common_time(now);
        let usable = |target: &usize| {
            Usable::of(&self.config.targets[*target], &self.plan.targets[*target], now) >= Usable::Ejected
        };
        Group::of(&self.config, destination).is_some_and(|group| group.targets.iter().any(usable))
    }

    /// Notes how a connect to a target ended, and ejects the target where that is due.
    pub(super) fn connect_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        target: usize,
        outcome: ConnectOutcome,
    ) {
        if self.plan.targets[target].connect_ended(outcome, &self.config.targets[target]) {
            self.eject(ctx, id, target);
        }
    }

    /// Notes how an upstream session ended by itself, before its answer or later.
    pub(super) fn upstream_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        before: Phase,
        end: &SideEnd,
    ) {
        let Some(Role::Upstream { target }) = ctx.state(id).map(|state| state.role) else { return };
        let target = usize::from(target);
        match before {
            Phase::Connecting => self.connect_ended(ctx, id, target, outcome_of(end)),
            Phase::Open => {
                let aborted = matches!(end, SideEnd::ProviderAbort(_));
                if self.plan.targets[target].established_ended(aborted, &self.config.targets[target]) {
                    self.eject(ctx, id, target);
                }
            }
            Phase::Over => {}
        }
    }

    /// Passes a target over for a time, unless it is the last one that can take sessions in one of its groups.
    fn eject<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, target: usize) {
        let plan = Arc::clone(&self.plan);
        let now = self.common_time(ctx.now());
        let is_usable = |other: &usize| {
            *other != target
                && Usable::of(&plan.config.targets[*other], &plan.targets[*other], now) == Usable::Yes
        };
        let groups =
            plan.config.upstreams.iter().filter(|group| !group.removed && group.targets.contains(&target));
        let mut replaceable = groups.map(|group| group.targets.iter().any(is_usable)).peekable();
        if replaceable.peek().is_none() || !replaceable.all(|any| any) {
            return;
        }
        let eject_time = plan.config.targets[target].eject_time;
        let Some(until) = plan.targets[target].eject(now, eject_time) else { return };
        let subject = self.target_subject(Some((ctx, id)), target);
        self.record(subject, RecordEvent::TargetEjected { time: until - now });
        let index = u16::try_from(target).expect("the configuration has fewer targets");
        let at = ctx.now() + (until - now);
        self.note(ctx, at, Task::Restore(index));
    }

    /// An ejection's time is over.
    pub(in super::super) fn restored<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, target: u16) {
        let target = usize::from(target);
        if self.plan.targets[target].ejected_until(self.common_time(ctx.now())).is_none() {
            let subject = self.target_subject::<D>(None, target);
            self.record(subject, RecordEvent::TargetRestored);
        }
    }

    /// Who a record about a target is about; the session is the one that gave cause, where one did.
    pub(in super::super) fn target_subject<D: Driver>(
        &self,
        cause: Option<(&Context<'_, D, Self>, SessionId)>,
        target: usize,
    ) -> Subject {
        Subject {
            shard: self.shard,
            session: cause.map_or(SessionId { index: u32::MAX, generation: 0 }, |(_, id)| id),
            side: Side::Initiator { target: u16::try_from(target).unwrap_or(u16::MAX) },
            peer: Some(self.config.targets[target].address),
            partner: None,
        }
    }
}

//! Opening the upstream: where a session goes, and what becomes of the answer.

use std::sync::Arc;
use std::time::Duration;

use colloquy_session::{AcceptParameters, ConnectParameters, SessionConfig};
use colloquy_shard::{ConnectError, ConnectTarget, Context, SessionId};
use colloquy_transport::class0::{Class0Config, ConnectTpdu};
use colloquy_transport::driver::{ConnectOptions, Driver};
use colloquy_transport::net::is_local_shortage;

use super::super::admission::refuse_reason;
use super::super::balance::{Group, Seeker};
use super::super::route::{self, RouteQuery};
use super::super::state::{Phase, Role, TimerFor};
use super::super::user::limited;
use super::super::{GatewayApp, Stage};
use super::end::SideEnd;
use super::propose::fits_transport;
use super::retry::Attempt;
use crate::config::{Destination, EngineConfig, TargetConfig};
use crate::plan::ConnectOutcome;
use crate::record::{NotCarried, RecordEvent};

pub use super::propose::{answer, propose};

/// Octets of user data of S-CONNECT that fit CN itself. X.225 §8.3.1.
pub(in super::super) const CONNECT_USER_DATA_OCTETS: usize = 10_240;
/// A downstream is refused so long before its listener's `connect_timeout` would abort it; of short ones a tenth.
const REFUSE_BEFORE: Duration = Duration::from_millis(100);

impl GatewayApp {
    pub(super) fn relay_connect<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        connect: &ConnectParameters<'_>,
    ) {
        let source = ctx.peer(id).map(|peer| peer.ip());
        let Some(state) = ctx.state(id) else { return };
        let Role::Downstream { listener, .. } = state.role else { return };
        state.tsdu_proposed = connect.tsdu_maximum_size.unwrap_or_default();
        let transport = state.transport.as_deref().copied().unwrap_or_default();
        let query = RouteQuery {
            listener: usize::from(listener),
            called_tsap: transport.called.unwrap_or_default(),
            calling_tsap: transport.calling.unwrap_or_default(),
            called_ssap: connect.called,
            calling_ssap: connect.calling,
            source,
            units: connect.requirements,
        };
        let plan = Arc::clone(&self.plan);
        let chosen = match route::choose(&plan.config, &query) {
            Ok(chosen) => chosen,
            Err(reason) => return self.refuse_unrouted(ctx, id, RecordEvent::NoRoute { refused: reason }),
        };
        if let Some(route) = chosen.route {
            plan.routes[route].session_began();
            state.role = Role::Downstream { listener, route: u16::try_from(route).ok(), target: None };
            if let Err(reason) = self.admit_on_route(ctx, id, route) {
                return self.refuse_counted(ctx, id, RecordEvent::NotOpened { refused: reason });
            }
        }
        let Some(group) = Group::of(&plan.config, &chosen.destination) else {
            let Destination::Refuse(reason) = chosen.destination else { return };
            return self.refuse_unrouted(ctx, id, RecordEvent::NoRoute { refused: reason });
        };
        let listener = &plan.config.listeners[usize::from(listener)];
        let deadline =
            ctx.now() + listener.connect_timeout - REFUSE_BEFORE.min(listener.connect_timeout / 10);
        let attempt = Attempt::new(&plan.config, chosen.destination, &group, query, deadline, connect);
        self.try_target(ctx, id, attempt, connect);
    }

    /// Opens the next target for a downstream.
    pub(super) fn try_target<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        attempt: Attempt,
        connect: &ConnectParameters<'_>,
    ) {
        let target = match self.next_target(ctx, &attempt, connect) {
            Ok(target) => target,
            Err(reason) => {
                return match attempt.refusal {
                    Some(reason) => self.refuse_relay(ctx, id, reason),
                    None => self.refuse_unrouted(ctx, id, RecordEvent::NoTarget { refused: reason }),
                };
            }
        };
        let index = u16::try_from(target).expect("the configuration has fewer targets");
        if let Some(state) = ctx.state(id)
            && let Role::Downstream { target, .. } = &mut state.role
        {
            *target = Some(index);
        }
        let timeout = self.config.targets[target].connect_timeout;
        let answer_by = (ctx.now() + timeout).min(attempt.deadline);
        let warm = (!attempt.is_fresh).then_some(());
        match self.open_upstream(ctx, id, target, warm, connect) {
            Ok(upstream) => {
                if let Some(state) = ctx.state(upstream) {
                    state.partner = Some(id);
                }
                if let Some(state) = ctx.state(id) {
                    state.partner = Some(upstream);
                    state.attempt = attempt.is_kept().then(|| Box::new(attempt));
                }
                Self::stage_begins(ctx, upstream);
                self.tap_opened(ctx, upstream);
                self.arm(ctx, upstream, Some((TimerFor::Answer, answer_by)));
                self.record_upstream(ctx, id, upstream, connect);
            }
            Err((outcome, reason)) => {
                self.plan.targets[target].session_ended();
                self.connect_ended(ctx, id, target, outcome);
                if let Some(state) = ctx.state(id) {
                    state.attempt = Some(Box::new(attempt));
                }
                if !outcome.is_failure() || !self.retries(ctx, id, target, reason) {
                    self.refuse_relay(ctx, id, reason);
                }
            }
        }
    }

    /// Chooses a target and counts the session there.
    fn next_target<D: Driver>(
        &mut self,
        ctx: &Context<'_, D, Self>,
        attempt: &Attempt,
        connect: &ConnectParameters<'_>,
    ) -> Result<usize, u8> {
        let plan = Arc::clone(&self.plan);
        let Some(group) = Group::of(&plan.config, &attempt.destination) else {
            return Err(refuse_reason::NOT_GIVEN);
        };
        let listener = &plan.config.listeners[attempt.query.listener];
        let fits = |target: &TargetConfig| {
            fits_transport(target, &attempt.query.transport()) && propose(listener, target, connect).is_ok()
        };
        let now = self.common_time(ctx.now());
        let seeker = Seeker { query: &attempt.query, tried: &attempt.tried, now, fits: &fits };
        // Another shard may take the last place between the choice and the count: then it is full.
        for _ in 0..=group.targets.len() {
            let target = self.turns.choose(&plan, &group, &seeker)?;
            if plan.targets[target].take_session(plan.config.targets[target].sessions_max) {
                return Ok(target);
            }
        }
        Err(refuse_reason::CONGESTION)
    }

    fn open_upstream<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        target: usize,
        warm: Option<()>,
        connect: &ConnectParameters<'_>,
    ) -> Result<SessionId, (ConnectOutcome, u8)> {
        let config = Arc::clone(&self.config);
        let given = (ConnectOutcome::Abandoned, refuse_reason::RESTRICTION);
        let Some(state) = ctx.state(id) else { return Err(given) };
        let Role::Downstream { listener, .. } = state.role else { return Err(given) };
        let transport = state.transport.as_deref().copied().unwrap_or_default();
        let expedited = ctx.machine(id).is_some_and(|machine| machine.transport_expedited());
        let index = target;
        let target = &config.targets[index];
        let connect = propose(&config.listeners[usize::from(listener)], target, connect)
            .map_err(|reason| (ConnectOutcome::Abandoned, reason))?;
        if let Some(warm) =
            warm.and_then(|()| self.connect_warm(ctx, index, (&transport, expedited), &connect))
        {
            return Ok(warm);
        }
        let wire = crate::tls::target_wire(target, &self.plan.tls, ctx.peer(id))
            .map_err(|_| (ConnectOutcome::Abandoned, refuse_reason::USER_NOT_ATTACHED))?;
        let target = connect_target(&config.engine, target, (&transport, expedited), connect);
        let target = ConnectTarget { wire: wire.as_ref(), ..target };
        let upstream = ctx.connect(&target).map_err(|error| refusal_of(&error))?;
        let role =
            Role::Upstream { target: u16::try_from(index).expect("the configuration has fewer targets") };
        self.register(ctx, upstream, role).ok_or((ConnectOutcome::Abandoned, refuse_reason::CONGESTION))?;
        Ok(upstream)
    }

    /// The upstream accepted: only now is the downstream answered.
    pub(super) fn relay_accept<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        upstream: SessionId,
        downstream: SessionId,
        accept: &AcceptParameters<'_>,
    ) {
        self.arm(ctx, upstream, None);
        let Some(state) = ctx.state(downstream) else { return };
        state.attempt = None;
        let (Role::Downstream { listener, target: Some(target), .. }, proposed) =
            (state.role, state.tsdu_proposed)
        else {
            return;
        };
        let config = Arc::clone(&self.config);
        let index = usize::from(target);
        let (listener, target) = (&config.listeners[usize::from(listener)], &config.targets[index]);
        let answer = AcceptParameters {
            tsdu_maximum_size: Some(limited(proposed, listener.tsdu_maximum_size)),
            ..answer(target, accept)
        };
        if let Some(state) = ctx.state(upstream) {
            state.asked_in_accept = accept.tokens_please;
        }
        if let Err(error) = ctx.connect_response(downstream, &answer) {
            let name = "S-CONNECT response";
            return self.give_up(ctx, upstream, NotCarried::Primitive { name, error });
        }
        if let Some(took) = self.reached(ctx, upstream, Stage::Upstream) {
            self.plan.targets[index].accepted_after(took);
        }
        self.reached(ctx, downstream, Stage::Session);
        self.connect_ended(ctx, upstream, index, ConnectOutcome::Accepted);
        for id in [upstream, downstream] {
            if let Some(state) = ctx.state(id) {
                state.phase = Phase::Open;
            }
        }
        self.session_opened(ctx, downstream);
    }
}

/// What a target is asked for on behalf of a downstream with this transport connection.
pub(in super::super) fn connect_target<'a>(
    engine: &EngineConfig,
    target: &TargetConfig,
    (transport, expedited): (&ConnectTpdu, bool),
    connect: ConnectParameters<'a>,
) -> ConnectTarget<'a> {
    let rules = target.profile.rules();
    ConnectTarget {
        wire: None,
        address: target.address,
        options: ConnectOptions {
            keepalive: (!target.keepalive.is_zero()).then_some(target.keepalive),
            ..ConnectOptions::default()
        },
        calling_tsap: target.calling_tsap.or(transport.calling),
        called_tsap: target.called_tsap.or(transport.called),
        transport: Class0Config {
            tpdu_octets_max: target.tpdu_octets_max.min(rules.tpdu_octets_max),
            tsdu_octets_max: target.tsdu_octets_max,
            pinned_octets_max: engine.pinned_octets_max,
            expedited: expedited && target.transport_expedited && rules.transport_expedited,
        },
        session: SessionConfig {
            versions: connect.versions,
            functional_units: connect.requirements,
            tim: target.tim,
            strict: target.strict,
            connect_user_data_octets_max: connect.user_data.len().max(CONNECT_USER_DATA_OCTETS),
            user_data_octets_max: rules.user_data_octets_max.unwrap_or(usize::MAX),
            extended_concatenation: target.extended_concatenation,
            ..SessionConfig::default()
        },
        connect,
    }
}

/// How an upstream that could not even be begun counts, and the RF reason for its downstream.
fn refusal_of(error: &ConnectError) -> (ConnectOutcome, u8) {
    match error {
        ConnectError::Service(_) => (ConnectOutcome::Abandoned, refuse_reason::RESTRICTION),
        ConnectError::Io(error) if !is_local_shortage(error) => {
            (ConnectOutcome::Unreachable, refuse_reason::USER_NOT_ATTACHED)
        }
        // The shard's limit, or the system's: descriptors, ports, memory.
        _ => (ConnectOutcome::Abandoned, refuse_reason::CONGESTION),
    }
}

/// The RF reason for a downstream whose upstream ended before it answered.
pub(super) fn refusal_for(end: &SideEnd) -> u8 {
    match end {
        SideEnd::Refused { reason } => *reason,
        // X.224 §13.5.3: 1 congestion at the TSAP, 2 no session entity attached, 3 address unknown.
        SideEnd::TransportRefused { reason: 1 } | SideEnd::Timeout => refuse_reason::CONGESTION,
        SideEnd::TransportRefused { reason: 2 | 3 } | SideEnd::Unreachable => {
            refuse_reason::USER_NOT_ATTACHED
        }
        SideEnd::GaveUp => refuse_reason::RESTRICTION,
        _ => refuse_reason::NOT_GIVEN,
    }
}

//! Who is let in: called selectors. Limits are the shard's, which also closes what comes while it drains.

use colloquy_session::{ConnectParameters, Indication, ProviderAbortReason, RefuseParameters};
use colloquy_shard::{Context, SessionId, TransportAnswer};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

use super::counters::AbortOrigin;
use super::state::Role;
use super::{GatewayApp, Phase, Stage, route};
use crate::config::ListenerApplication;
use crate::plan::RefusedFor;
use crate::record::{RecordEvent, Side, Subject};

/// DR reasons of X.224 §13.5.3.
pub(super) mod disconnect_reason {
    pub(in super::super) const CONGESTION: u8 = 1;
    pub(in super::super) const ADDRESS_UNKNOWN: u8 = 3;
}

/// RF reasons that a provider gives. X.225 §8.3.5.
pub(crate) mod refuse_reason {
    pub(crate) const SELECTOR_UNKNOWN: u8 = 129;
    pub(crate) const USER_NOT_ATTACHED: u8 = 130;
    pub(crate) const CONGESTION: u8 = 131;
    pub(crate) const NOT_GIVEN: u8 = 133;
    pub(crate) const RESTRICTION: u8 = 134;
}

impl GatewayApp {
    pub(super) fn admit_transport<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
        connect: &ConnectTpdu,
    ) -> TransportAnswer {
        let config = &self.config.listeners[listener as usize];
        let role = self.role_on(listener);
        let known = config.called_tsaps.as_ref().is_none_or(|accepted| {
            let called = connect.called.unwrap_or_default();
            accepted.contains(&called)
        });
        if self.register(ctx, id, role).is_none() {
            return TransportAnswer::Refuse(disconnect_reason::CONGESTION);
        }
        let called = connect.called.unwrap_or_default();
        let routable = !matches!(role, Role::Downstream { .. })
            || route::could_take(&self.config, listener as usize, &called);
        if !known || !routable {
            self.count_refused(listener, RefusedFor::Selector);
            return TransportAnswer::Refuse(disconnect_reason::ADDRESS_UNKNOWN);
        }
        if !self.is_bound_transport(ctx, id, listener, connect) {
            self.count_refused(listener, RefusedFor::Selector);
            return TransportAnswer::Refuse(disconnect_reason::ADDRESS_UNKNOWN);
        }
        if let (true, Some(state)) = (self.needs_transport(role, listener), ctx.state(id)) {
            state.transport = Some(Box::new(*connect));
        }
        self.reached(ctx, id, Stage::Transport);
        TransportAnswer::Accept
    }

    /// What a session accepted on a listener is for.
    fn role_on(&self, listener: u32) -> Role {
        let index = u16::try_from(listener).expect("the configuration has fewer listeners");
        match self.config.listeners[listener as usize].application {
            ListenerApplication::Echo => Role::Echo { listener: index },
            ListenerApplication::Sink => Role::Sink { listener: index },
            ListenerApplication::Relay { .. }
            | ListenerApplication::Balance { .. }
            | ListenerApplication::Routed => Role::Downstream { listener: index, route: None, target: None },
        }
    }

    /// The next session of a transport connection that was kept has the part of the one before.
    ///
    /// Upstream connections are never offered for reuse: each downstream session opens its own, because the
    /// selectors of the two transport connections belong together.
    pub(super) fn admit_kept<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        previous: SessionId,
    ) {
        let Some(listener) = ctx.listener(id) else { return ctx.transport_disconnect(id) };
        if !self.admit_again(ctx, id, listener) {
            return ctx.transport_disconnect(id);
        }
        let role = self.role_on(listener);
        let transport = self.kept_transport.take().filter(|(of, _)| *of == previous);
        if self.register(ctx, id, role).is_none() {
            return ctx.transport_disconnect(id);
        }
        self.tap_opened(ctx, id);
        if let (true, Some(state)) = (self.needs_transport(role, listener), ctx.state(id)) {
            state.transport = transport.map(|(_, transport)| transport);
        }
        if self.draining {
            ctx.transport_disconnect(id);
        }
    }

    /// False when the session was refused.
    pub(super) fn admit_session<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        connect: &ConnectParameters<'_>,
    ) -> bool {
        let Some(state) = ctx.state(id) else { return false };
        let (Role::Echo { listener } | Role::Sink { listener } | Role::Downstream { listener, .. }) =
            state.role
        else {
            return false;
        };
        let config = &self.config.listeners[usize::from(listener)];
        let known = config.called_ssaps.as_ref().is_none_or(|accepted| accepted.contains(&connect.called));
        let known = known && self.is_bound_session(ctx, id, listener, connect);
        if !known {
            self.count_refused(u32::from(listener), RefusedFor::Selector);
            self.refuse(ctx, id, refuse_reason::SELECTOR_UNKNOWN);
        }
        known
    }

    /// Refuses a downstream for which there is no upstream session, and says so in the log.
    pub(super) fn refuse_relay<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        reason: u8,
    ) {
        self.refuse_unrouted(ctx, id, RecordEvent::NotOpened { refused: reason });
    }

    /// As [`GatewayApp::refuse_relay`], where the record says more about the cause.
    pub(super) fn refuse_unrouted<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        why: RecordEvent,
    ) {
        self.count_unrouted(ctx, id, &why);
        self.refuse_counted(ctx, id, why);
    }

    /// As [`GatewayApp::refuse_unrouted`], where the listener has counted it already.
    pub(super) fn refuse_counted<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        why: RecordEvent,
    ) {
        let (RecordEvent::NoRoute { refused }
        | RecordEvent::NoTarget { refused }
        | RecordEvent::NotOpened { refused }) = why
        else {
            return;
        };
        let subject = self.subject(ctx, id);
        self.counters.relay_refused();
        self.record(subject, why);
        self.refuse(ctx, id, refused);
    }

    /// Refuses with a provider's reason.
    pub(crate) fn refuse<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, reason: u8) {
        if let Some(state) = ctx.state(id) {
            state.phase = Phase::Over;
        }
        let refuse = RefuseParameters { reason, user_data: &[], transport_kept: false };
        // Fails only when the session is ending already.
        let _ = ctx.connect_refuse(id, &refuse);
    }

    pub(super) fn count_abort(&self, indication: &Indication<'_>) {
        match indication {
            Indication::UserAbort { .. } => {
                self.counters.abort(AbortOrigin::PeerUser, ProviderAbortReason::Undefined);
            }
            Indication::ProviderAbort { reason } => self.counters.abort(AbortOrigin::Provider, *reason),
            _ => {}
        }
    }

    /// Who a record about this session is about.
    pub(crate) fn subject<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId) -> Subject {
        let (role, partner) =
            ctx.state(id).map_or((Role::Unknown, None), |state| (state.role, state.partner));
        let side = match role {
            Role::Unknown => {
                Side::Responder { listener: ctx.listener(id).and_then(|tag| u16::try_from(tag).ok()) }
            }
            Role::Echo { listener } | Role::Sink { listener } | Role::Downstream { listener, .. } => {
                Side::Responder { listener: Some(listener) }
            }
            Role::Upstream { target } | Role::Probe { target } | Role::Warm { target } => {
                Side::Initiator { target }
            }
        };
        Subject { shard: self.shard, session: id, side, peer: ctx.peer(id), partner }
    }
}

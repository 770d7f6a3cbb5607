//! Refusals, counted by the listener where they happen. Those of limits are counted with the limit, in `limits/`.

use colloquy_shard::{Context, SessionId, ShardLimit};
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use crate::plan::RefusedFor;
use crate::record::RecordEvent;

impl GatewayApp {
    /// Counts that a listener has refused somebody.
    pub(super) fn count_refused(&self, listener: u32, why: RefusedFor) {
        if let Some(status) = self.plan.listeners.get(listener as usize) {
            status.refused.count(why);
        }
    }

    /// As [`GatewayApp::count_refused`], of a session that was accepted.
    pub(super) fn count_refused_session<D: Driver>(
        &self,
        ctx: &Context<'_, D, Self>,
        id: SessionId,
        why: RefusedFor,
    ) {
        if let Some(listener) = ctx.listener(id) {
            self.count_refused(listener, why);
        }
    }

    /// Counts a downstream for which there is no upstream.
    pub(super) fn count_unrouted<D: Driver>(
        &self,
        ctx: &Context<'_, D, Self>,
        id: SessionId,
        why: &RecordEvent,
    ) {
        let why = match why {
            _ if self.draining => RefusedFor::Draining,
            RecordEvent::NoRoute { .. } => RefusedFor::NoRoute,
            RecordEvent::NoTarget { .. } => RefusedFor::NoTarget,
            _ => RefusedFor::NotOpened,
        };
        self.count_refused_session(ctx, id, why);
    }

    /// Counts a connection that met a limit of the shard's own.
    pub(super) fn count_shard_refused(&self, listener: u32, limit: ShardLimit) {
        let why = match limit {
            ShardLimit::NotEstablishedMax => RefusedFor::NotEstablished,
            ShardLimit::NotListening => RefusedFor::Draining,
            _ => RefusedFor::Sessions,
        };
        self.count_refused(listener, why);
    }
}

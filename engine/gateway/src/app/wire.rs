//! What the application has to do with what lies below class 0: TLS and the PROXY protocol.

use colloquy_session::ConnectParameters;
use colloquy_shard::{Context, SessionId, WireFault};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::state::Role;
use crate::record::{RecordEvent, Subject};
use crate::tls;

impl GatewayApp {
    /// Gives the listeners what later connections begin with, as the plan has it now.
    pub(super) fn renew_wires<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        for (tag, listener) in (0..).zip(&self.config.listeners) {
            // Without new certificates the old ones stay: a listener never goes on without TLS.
            if let Ok(wire) = tls::listener_wire(listener, &self.plan.tls) {
                ctx.set_listener_wire(tag, &wire);
            }
        }
    }

    /// A connection was given up below class 0.
    pub(super) fn wire_failed(&mut self, subject: Subject, fault: WireFault) {
        match fault {
            WireFault::Tls(fault) => self.counters.tls.fault(fault.kind),
            WireFault::Proxy(_) => self.counters.tls.proxy_fault(),
        }
        self.record(subject, RecordEvent::Wire(fault));
    }

    /// True when the selectors of a CR must be kept until the CN.
    pub(super) fn needs_transport(&self, role: Role, listener: u32) -> bool {
        matches!(role, Role::Downstream { .. }) || self.config.listeners[listener as usize].tls.is_some()
    }

    /// True when the selectors of a CR fit the peer's certificate.
    pub(super) fn is_bound_transport<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
        connect: &ConnectTpdu,
    ) -> bool {
        let Some(table) = self.config.listeners[listener as usize].tls else { return true };
        let peer = ctx.tls_peer(id);
        let (calling, called) = (connect.calling.unwrap_or_default(), connect.called.unwrap_or_default());
        let fits = tls::allows_tsaps(&self.config, table, peer.as_deref(), calling, called);
        if !fits {
            self.misbound(ctx, id);
        }
        fits
    }

    /// True when the selectors of a CN, with those of the CR before, fit the peer's certificate.
    pub(super) fn is_bound_session<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u16,
        connect: &ConnectParameters<'_>,
    ) -> bool {
        let Some(table) = self.config.listeners[usize::from(listener)].tls else { return true };
        let transport =
            ctx.state(id).and_then(|state| state.transport.as_deref().copied()).unwrap_or_default();
        let peer = ctx.tls_peer(id);
        let tsaps = (transport.calling.unwrap_or_default(), transport.called.unwrap_or_default());
        let ssaps = (connect.calling, connect.called);
        let fits = tls::allows_selectors(&self.config, table, peer.as_deref(), tsaps, ssaps);
        if !fits {
            self.misbound(ctx, id);
        }
        fits
    }

    fn misbound<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let certificate = ctx.tls_peer(id).map(|peer| peer.sha256);
        let subject = self.subject(ctx, id);
        self.counters.tls.misbound();
        self.record(subject, RecordEvent::Misbound { certificate });
    }
}

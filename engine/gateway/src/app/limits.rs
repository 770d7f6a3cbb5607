//! Who is let in: networks and the limits that all shards share.
//!
//! | what | the peer gets |
//! |---|---|
//! | its network is not let in | DR reason 3, address unknown: it is not to try again, and not to learn that others may |
//! | over a limit on sessions or connections | DR reason 1, congestion: it may try again |
//! | the shard's memory budget is used up | DR reason 1 |
//! | over a limit of its route, known by CN only | RF reason 131, congestion |

use std::net::{IpAddr, SocketAddr};

use colloquy_shard::{Admission, Context, SessionId};
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::admission::{disconnect_reason, refuse_reason};
use crate::config::ListenerConfig;
use crate::limits::{Entrant, Limit, Scope, Ticket};
use crate::plan::RefusedFor;

impl GatewayApp {
    /// Decides about a connection that was accepted.
    pub(super) fn admit_connection<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
        peer: SocketAddr,
    ) -> Admission {
        let index = u16::try_from(listener).expect("the configuration has fewer listeners");
        let config = &self.config.listeners[usize::from(index)];
        if !is_let_in(config, peer.ip()) {
            self.plan.limits.refused(Scope::Listener(index), Limit::Network, Some(peer.ip().to_canonical()));
            self.count_refused(listener, RefusedFor::Network);
            return Admission::Refuse(disconnect_reason::ADDRESS_UNKNOWN);
        }
        if self.memory_is_used_up(ctx) {
            self.plan.limits.refused(Scope::Shard, Limit::Memory, None);
            self.count_refused(listener, RefusedFor::Memory);
            return Admission::Refuse(disconnect_reason::CONGESTION);
        }
        match self.take_ticket(ctx, id, index, peer.ip(), false) {
            true => Admission::Admit,
            false => Admission::Refuse(disconnect_reason::CONGESTION),
        }
    }

    /// The next session of a connection that was let in; false where a limit keeps it out.
    pub(super) fn admit_again<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
    ) -> bool {
        let (Some(peer), Ok(listener)) = (ctx.peer(id), u16::try_from(listener)) else { return false };
        self.take_ticket(ctx, id, listener, peer.ip(), true)
    }

    fn take_ticket<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u16,
        address: IpAddr,
        again: bool,
    ) -> bool {
        let now = self.common_time(ctx.now());
        let entrant = Entrant { listener, address, again };
        let (Ok(ticket), Some(state)) = (Ticket::take(&self.plan, now, entrant), ctx.state(id)) else {
            return false;
        };
        state.ticket = Some(Box::new(ticket));
        true
    }

    /// Counts a downstream session on its route.
    ///
    /// # Errors
    /// The RF reason for the downstream where a limit of the route keeps it out.
    pub(crate) fn admit_on_route<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        route: usize,
    ) -> Result<(), u8> {
        let route = u16::try_from(route).expect("the configuration has fewer routes");
        let now = self.common_time(ctx.now());
        let Some(ticket) = ctx.state(id).and_then(|state| state.ticket.as_mut()) else { return Ok(()) };
        ticket.enter_route(&self.plan, now, route).map_err(|_| refuse_reason::CONGESTION)
    }

    /// An accepted session is established.
    pub(super) fn session_opened<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        if let Some(ticket) = ctx.state(id).and_then(|state| state.ticket.as_mut()) {
            ticket.established();
        }
        self.limit_octets(ctx, id);
        self.watch_idleness(ctx, id);
    }
}

/// True for addresses that `allow` has and `deny` has not.
fn is_let_in(config: &ListenerConfig, address: IpAddr) -> bool {
    let address = address.to_canonical();
    let allowed = config
        .allow
        .as_ref()
        .is_none_or(|networks| networks.iter().any(|network| network.contains(&address)));
    allowed && !config.deny.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ListenerApplication;

    #[test]
    fn networks_are_let_in_that_are_allowed_and_not_denied() {
        let address = ([127, 0, 0, 1], 102).into();
        let mut config = ListenerConfig::new("l", address, ListenerApplication::Echo);
        let let_in = |config: &ListenerConfig, text: &str| is_let_in(config, text.parse().unwrap());
        assert!(let_in(&config, "10.0.0.1") && let_in(&config, "2001:db8::1"));
        config.allow = Some(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        config.deny = vec!["10.1.2.3/32".parse().unwrap()];
        assert!(let_in(&config, "10.1.2.4") && let_in(&config, "2001:db8::1"));
        assert!(let_in(&config, "::ffff:10.1.2.4"), "IPv4 by a listener for both");
        assert!(!let_in(&config, "10.1.2.3") && !let_in(&config, "::ffff:10.1.2.3"));
        assert!(!let_in(&config, "192.0.2.1") && !let_in(&config, "2001:db9::1"));
    }
}

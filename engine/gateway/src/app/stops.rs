//! Why a session is not read from.
//!
//! While the other side does not take what it is sent, the feeding side is paused; that is asked of the shard when
//! it matters ([`Context::is_congested`]). Everything else that stops a session is noted here, so that the end of one
//! reason does not end another.

use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::state::Role;

/// Reasons for not reading from a session, beside congestion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stops(u8);

#[allow(dead_code, reason = "limits use them")]
impl Stops {
    /// A limit of octets per second.
    pub(crate) const THROTTLE: Stops = Stops(1);
    /// The memory budget of the shard.
    pub(crate) const MEMORY: Stops = Stops(2);
    /// The other leg is being released, and takes nothing more.
    pub(crate) const CLOSING: Stops = Stops(4);

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn has(self, reason: Stops) -> bool {
        self.0 & reason.0 != 0
    }
}

impl GatewayApp {
    /// Stops reading from a session for a reason.
    pub(crate) fn stop_reading<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        reason: Stops,
    ) {
        if let Some(state) = ctx.state(id) {
            state.stops.0 |= reason.0;
            ctx.pause(id);
        }
    }

    /// Ends one reason for not reading from a session.
    pub(crate) fn end_stop<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        reason: Stops,
    ) {
        if let Some(state) = ctx.state(id)
            && state.stops.has(reason)
        {
            state.stops.0 &= !reason.0;
            self.read_on(ctx, id);
        }
    }

    /// Reads from a session again unless there is a reason left not to.
    pub(crate) fn read_on<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(state) = ctx.state(id) else { return };
        let to = if let Role::Echo { .. } = state.role { Some(id) } else { state.partner };
        if state.stops.is_empty() && !to.is_some_and(|to| ctx.is_congested(to)) {
            ctx.resume(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_kept_apart() {
        let both = Stops(Stops::THROTTLE.0 | Stops::CLOSING.0);
        assert!(both.has(Stops::THROTTLE) && both.has(Stops::CLOSING) && !both.has(Stops::MEMORY));
        assert!(Stops::default().is_empty() && !both.is_empty());
    }
}

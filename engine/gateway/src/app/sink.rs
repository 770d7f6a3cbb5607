//! The sink: takes every SSDU, says nothing, answers what must be answered.

use colloquy_session::Indication;
use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use super::state::Phase;
use super::user::{self, Standing};
use super::{GatewayApp, Stage};

impl GatewayApp {
    /// Handles an indication of a sink's session.
    pub(super) fn sink<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
    ) {
        // Each answer can only fail because the session is ending, which `ended` will tell.
        let _ = match indication {
            Indication::Connect(connect) => {
                let octets_max = self.tsdu_maximum_size(ctx, id);
                if let Some(state) = ctx.state(id) {
                    state.phase = Phase::Open;
                }
                self.session_opened(ctx, id);
                self.reached(ctx, id, Stage::Session);
                ctx.connect_response(id, &user::accept(&connect, octets_max, &[]))
            }
            Indication::ExpeditedData { .. } => Ok(()),
            indication => {
                let answer =
                    ctx.machine(id).and_then(|machine| user::answer(&indication, &Standing::of(machine)));
                answer.map_or(Ok(()), |answer| ctx.request(id, &answer))
            }
        };
    }

    /// The TSDU Maximum Size that a session's listener agrees to at most.
    pub(super) fn tsdu_maximum_size<D: Driver>(&self, ctx: &Context<'_, D, Self>, id: SessionId) -> u16 {
        ctx.listener(id).map_or(0, |listener| self.config.listeners[listener as usize].tsdu_maximum_size)
    }
}

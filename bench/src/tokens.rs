//! The data token in half duplex: it goes over behind each round of SSDUs, and is asked for when all are answered.

use std::time::Duration;

use colloquy_session::Tokens;
use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use crate::generator::{Generator, Phase, Stage};
use crate::operation::Operation;
use crate::plan::Dialogue;

impl Generator {
    /// True when the session may send what needs the data token.
    pub(crate) fn may_send<D: Driver>(&self, ctx: &Context<'_, D, Self>, id: SessionId) -> bool {
        self.plan.dialogue == Dialogue::Duplex || owns_data_token(ctx, id)
    }

    /// Gives the data token away behind a round of SSDUs.
    pub(crate) fn give_token<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
    ) {
        if !owns_data_token(ctx, id) {
            return;
        }
        match ctx.token_give_request(id, Tokens::DATA, &[]) {
            Ok(()) => self.token_given(ctx.now(), index),
            Err(error) => self.recorder.error(&format!("S-TOKEN-GIVE request: {error}")),
        }
    }

    /// Notes that the data token was given away.
    pub(crate) fn token_given(&mut self, now: Duration, index: u32) {
        self.slots[index as usize].course.token_given = Some(now);
        self.recorder.operations.of_mut(Operation::TokenTurn).begun += 1;
    }

    /// Gives the data token to a peer that asks for it, unless it would only have to wait for what comes next.
    pub(crate) fn token_asked<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
    ) {
        if self.slots[index as usize].course.pending.is_none() {
            self.give_token(ctx, index, id);
        }
    }

    /// Asks for the data token once everything sent was answered.
    pub(crate) fn want_token<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
    ) {
        let slot = &mut self.slots[index as usize];
        if slot.in_flight > 0 || slot.token_asked {
            return;
        }
        slot.token_asked = true;
        if let Err(error) = ctx.token_please_request(id, Tokens::DATA, &[]) {
            self.recorder.error(&format!("S-TOKEN-PLEASE request: {error}"));
        }
    }

    /// Something else than a request for it decides where the data token is: its turn is over.
    pub(crate) fn token_taken(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.token_asked = false;
        if slot.course.token_given.take().is_some() {
            self.recorder.operations.of_mut(Operation::TokenTurn).purged += 1;
        }
    }

    /// Tokens came.
    pub(crate) fn token_arrived<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, index: u32) {
        let now = ctx.now();
        let slot = &mut self.slots[index as usize];
        slot.token_asked = false;
        if let Some(given) = slot.course.token_given.take() {
            let took = self.window.contains(given).then(|| now.saturating_sub(given));
            self.recorder.operations.completed(Operation::TokenTurn, took);
        }
        if self.slots[index as usize].course.pending.is_some_and(|p| p.operation == Operation::Exception) {
            self.confirmed(ctx, index, Operation::Exception, None, &[]);
            return;
        }
        match self.phase {
            Phase::Releasing { .. } if self.slots[index as usize].stage == Stage::Established => {
                self.release_one(ctx, index as usize);
            }
            _ => self.issue(ctx, index),
        }
    }
}

pub(crate) fn owns_data_token<D: Driver>(ctx: &Context<'_, D, Generator>, id: SessionId) -> bool {
    ctx.machine(id).is_some_and(|machine| machine.tokens_owned().contains(Tokens::DATA))
}

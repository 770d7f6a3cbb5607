//! Session connections that follow one another: each is ended after its SSDUs, and another is opened in its place.

use colloquy_session::ProviderAbortReason;
use colloquy_shard::{Context, SessionEnd, SessionId};
use colloquy_transport::driver::Driver;

use crate::generator::{Generator, Phase, Stage};
use crate::operation::Operation;
use crate::phases::OPEN_RETRY;
use crate::script::Step;

impl Generator {
    /// Ends a session connection so that another can follow; false, since nothing more is sent on this one.
    pub(crate) fn leave<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        step: Step,
    ) -> bool {
        let operation = if step == Step::Abort { Operation::Abort } else { Operation::Release };
        self.slots[index as usize].course.leaving = Some((operation, ctx.now()));
        if operation == Operation::Release {
            self.request_release(ctx, index as usize, id);
            return false;
        }
        self.slots[index as usize].stage = Stage::Releasing;
        self.recorder.operations.of_mut(Operation::Abort).begun += 1;
        if let Err(error) = ctx.abort_request(id, &[]) {
            self.recorder.error(&format!("S-U-ABORT request: {error}"));
            ctx.provider_abort(id, ProviderAbortReason::Undefined);
        }
        false
    }

    /// Notes the end of a session that the generator asked for. True when it ended as asked.
    pub(crate) fn left(&mut self, now: std::time::Duration, index: usize, end: &SessionEnd) -> bool {
        let leaving = self.slots[index].course.leaving;
        match (end, leaving) {
            (SessionEnd::Released, Some((Operation::Release, begun))) => {
                self.recorder.counts.released += 1;
                self.recorder.operations.completed(Operation::Release, Some(now.saturating_sub(begun)));
                true
            }
            (SessionEnd::Aborted { by_peer: false, by_user: true }, Some((Operation::Abort, _))) => {
                self.recorder.counts.aborted += 1;
                self.recorder.operations.completed(Operation::Abort, None);
                true
            }
            _ => false,
        }
    }

    /// Lets another session connection follow one that has ended as its script says, while the load lasts. True
    /// when one follows.
    pub(crate) fn follow(&mut self, index: usize) -> bool {
        let Phase::Running(_) = self.phase else { return false };
        let mix = &self.plan.mix;
        if !mix.churns() || self.plan.is_finished(self.slots[index].sent) {
            return false;
        }
        let step = match self.slots[index].course.leaving {
            Some((Operation::Release, _)) => Step::Release,
            Some((Operation::Abort, _)) => Step::Abort,
            _ => return false,
        };
        let slot = &mut self.slots[index];
        slot.course.script.done(mix, step);
        slot.stage = Stage::Planned;
        self.following.push_back(index as u32);
        true
    }

    /// Opens sessions in the place of those that have ended, as many as may be opening at one time. What finds no
    /// place, because connections of ended sessions are still being closed, is tried again soon.
    pub(crate) fn open_following<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        let connections_max = connections_max(self.slots.len());
        while self.connecting < self.plan.connecting_max as usize && ctx.session_count() < connections_max {
            let Some(index) = self.following.pop_front() else { return };
            self.open_one(ctx, index as usize);
        }
        if !self.following.is_empty() {
            self.wake_by(ctx, ctx.now() + OPEN_RETRY);
        }
    }
}

/// Connections that `sessions` session connections which follow one another may take on one thread, with those
/// that are still being closed.
pub(crate) fn connections_max(sessions: usize) -> usize {
    4 * sessions
}

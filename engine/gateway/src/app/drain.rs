//! A shard's part in a drain: which sessions it ends, and when.
//!
//! Sessions wait in one queue. One that carried nothing since it was last looked at, [`DrainConfig::idle_for`] ago
//! or longer, is idle; a busy one goes to the end of the queue and is looked at again. The queue is in the order of
//! the looks, so that the first one tells when the next may be due. A session is ended only with a turn of the
//! gateway's [pace](crate::drain). Warm connections, which carry no session, leave at the same pace behind the sessions.
//!
//! Each session that was there when the drain began is counted once, when it has ended, by how it ended ([`Drained`]).
//!
//! [`DrainConfig::idle_for`]: crate::config::DrainConfig::idle_for

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use colloquy_session::{Indication, ProviderAbortReason};
use colloquy_shard::{Context, SessionEnd, SessionId};
use colloquy_transport::driver::Driver;

use super::agenda::Task;
use super::closing::{CloseHow, Why};
use super::counters::AbortOrigin;
use super::state::Role;
use super::{GatewayApp, Phase, SessionState, admission};
use crate::config::DrainAction;
use crate::drain::DrainOrder;
use crate::plan::RefusedFor;

/// Sessions looked at in one step, so that a step never holds up the shard.
const LOOKS_PER_STEP_MAX: usize = 1024;
/// Time to the next step where one has looked at its most.
const STEP_INTERVAL: Duration = Duration::from_millis(1);

/// A drain on one shard.
#[derive(Debug)]
pub(super) struct Draining {
    order: DrainOrder,
    /// When it began, in the shard's time.
    began: Duration,
    queue: VecDeque<Waiting>,
    /// A turn that was taken for a session that is still to be ended.
    turn: Option<Duration>,
}

/// A session that is to be ended.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    id: SessionId,
    /// SSDUs that it had carried when it was looked at.
    carried: u64,
    looked_at: Duration,
    /// It was found busy before.
    was_busy: bool,
}

/// Where a session stands in a drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Drained {
    /// There is no drain, or it does not count this one: the other leg of one that it counts, a connection without a CN.
    #[default]
    No,
    /// It was there when the drain began.
    Counted,
    /// As `Counted`, and still open at the deadline.
    AtDeadline,
}

/// What the front of the queue says.
enum Front {
    /// This session may be ended now; it stays in front until it is.
    Due(SessionId),
    /// Nothing is due before this time.
    At(Duration),
    /// No session is left to be ended.
    Empty,
}

impl GatewayApp {
    /// Begins a drain, or moves the deadline of the one that is under way.
    pub(super) fn drain<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, order: DrainOrder) {
        let now = ctx.now();
        let deadline = now + order.config.deadline;
        self.agenda.drop_tasks(|task| task == Task::DrainDeadline);
        if !self.draining {
            self.draining = true;
            order.left.iter().for_each(|tag| ctx.stop_listening_on(*tag));
            self.end_own(ctx);
            let queue = self.drained_sessions(ctx, &order);
            self.note(ctx, now + order.grace, Task::StopListening);
            self.note(ctx, now, Task::DrainStep);
            self.drain = Some(Box::new(Draining { order, began: now, queue, turn: None }));
        }
        self.note(ctx, deadline, Task::DrainDeadline);
    }

    /// What is to be ended, sessions first, and counts the sessions. Nobody waits for a warm connection to be idle.
    fn drained_sessions<D: Driver>(
        &self,
        ctx: &mut Context<'_, D, Self>,
        order: &DrainOrder,
    ) -> VecDeque<Waiting> {
        let now = ctx.now();
        let (mut queue, mut warm) = (VecDeque::new(), VecDeque::new());
        for id in &self.live {
            let Some(state) = ctx.state(*id).filter(|state| state.phase != Phase::Over) else { continue };
            let waiting = Waiting {
                id: *id,
                carried: state.ssdus_in + state.ssdus_out,
                looked_at: now,
                was_busy: false,
            };
            match state.role {
                Role::Warm { .. } => {
                    let looked_at = now.saturating_sub(order.config.idle_for);
                    warm.push_back(Waiting { looked_at, ..waiting });
                    continue;
                }
                // The downstream stands for both.
                Role::Unknown | Role::Probe { .. } => continue,
                Role::Upstream { .. } if state.partner.is_some() => continue,
                Role::Upstream { .. } => {}
                // A connection that has brought no CN is none of the sessions that are told of.
                Role::Echo { .. } | Role::Sink { .. } | Role::Downstream { .. } if state.open_recorded => {
                    state.drained = Drained::Counted;
                    order.shared.began_with.fetch_add(1, Relaxed);
                }
                Role::Echo { .. } | Role::Sink { .. } | Role::Downstream { .. } => continue,
            }
            if order.config.action != DrainAction::Wait {
                queue.push_back(waiting);
            }
        }
        queue.append(&mut warm);
        queue
    }

    /// A session has ended: counts it, once, by what ended it.
    pub(super) fn drained_ended(&self, state: &SessionState, end: &SessionEnd) {
        let Some(draining) = &self.drain else { return };
        let shared = &draining.order.shared;
        let was_asked = state.why == Some(Why::Drain);
        let count = match (state.drained, end) {
            (Drained::No, _) => return,
            (Drained::AtDeadline, _) => &shared.at_deadline,
            (_, SessionEnd::Released) if was_asked => &shared.released,
            // A peer that answers FINISH by closing its connection has agreed to it.
            (_, SessionEnd::Eof | SessionEnd::Network(_)) if was_asked && state.closing.is_sent() => {
                &shared.released
            }
            (_, SessionEnd::Aborted { by_peer: false, .. } | SessionEnd::Timeout(_)) if was_asked => {
                &shared.aborted
            }
            (_, SessionEnd::Refused { by_peer: false, .. }) if was_asked => &shared.aborted,
            _ => &shared.by_themselves,
        };
        count.fetch_add(1, Relaxed);
    }

    /// No new connection can have come for a while: listeners are closed, and with them what said nothing.
    pub(super) fn stop_listening<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        ctx.stop_listening();
        ctx.refuse_unestablished();
        ctx.stop_when_empty();
    }

    /// Ends the sessions whose turn it is.
    pub(super) fn drain_step<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        let Some(mut draining) = self.drain.take() else { return };
        for _ in 0..LOOKS_PER_STEP_MAX {
            let at = match draining.front(ctx) {
                Front::Due(id) => {
                    let passed = ctx.now().saturating_sub(draining.began);
                    let turn =
                        draining.turn.take().unwrap_or_else(|| draining.order.shared.pace.take(passed));
                    if turn <= passed {
                        draining.queue.pop_front();
                        self.end_in_turn(ctx, id, &draining.order);
                        continue;
                    }
                    draining.turn = Some(turn);
                    Some(draining.began + turn)
                }
                Front::At(at) => Some(at),
                Front::Empty => None,
            };
            if let Some(at) = at {
                self.note(ctx, at, Task::DrainStep);
            }
            self.drain = Some(draining);
            return;
        }
        self.drain = Some(draining);
        self.note(ctx, ctx.now() + STEP_INTERVAL, Task::DrainStep);
    }

    fn end_in_turn<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, order: &DrainOrder) {
        if ctx.state(id).is_some_and(|state| matches!(state.role, Role::Warm { .. })) {
            return ctx.transport_disconnect(id);
        }
        let how = match order.config.action {
            DrainAction::Release => CloseHow::Release,
            DrainAction::Abort | DrainAction::Wait => CloseHow::Abort,
        };
        self.close_session(ctx, id, how, Why::Drain);
    }

    /// The deadline: every session that is left is ended, with RF where a CN waits for its answer, with AB where a
    /// session exists, else by disconnecting.
    pub(super) fn end_all<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        ctx.stop_listening();
        ctx.stop_when_empty();
        if let Some(draining) = &mut self.drain {
            draining.queue.clear();
        }
        for index in 0..self.live.len() {
            let id = self.live[index];
            let Some(state) = ctx.state(id) else { continue };
            if matches!(state.role, Role::Probe { .. } | Role::Warm { .. }) {
                self.end_one_of_own(ctx, id);
                continue;
            }
            // Both sides of a relay are in the list: neither has to tell the other.
            state.partner = None;
            state.why.get_or_insert(Why::Drain);
            if state.phase != Phase::Over && state.drained == Drained::Counted {
                state.drained = Drained::AtDeadline;
            }
            let before = std::mem::replace(&mut state.phase, Phase::Over);
            let awaits_answer = before == Phase::Connecting && matches!(state.role, Role::Downstream { .. });
            ctx.resume(id);
            if awaits_answer {
                self.refuse_relay(ctx, id, admission::refuse_reason::CONGESTION);
            } else {
                self.counters.abort(AbortOrigin::Drain, ProviderAbortReason::Undefined);
                ctx.provider_abort(id, ProviderAbortReason::Undefined);
            }
        }
        ctx.refuse_unestablished();
    }

    /// True when a session that begins while the gateway drains was refused.
    pub(super) fn refuses_to_drain<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: &Indication<'_>,
    ) -> bool {
        let refuses = self.draining && matches!(indication, Indication::Connect(_));
        if refuses {
            self.count_refused_session(ctx, id, RefusedFor::Draining);
            self.refuse(ctx, id, admission::refuse_reason::CONGESTION);
        }
        refuses
    }
}

impl Draining {
    /// Looks at the front of the queue; what is over leaves it, what is busy goes to its end.
    fn front<D: Driver>(&mut self, ctx: &mut Context<'_, D, GatewayApp>) -> Front {
        let now = ctx.now();
        let idle_for = self.order.config.idle_for;
        for _ in 0..LOOKS_PER_STEP_MAX {
            let Some(waiting) = self.queue.front_mut() else { return Front::Empty };
            let id = waiting.id;
            let Some(state) = ctx.state(id) else {
                self.queue.pop_front();
                continue;
            };
            if state.phase == Phase::Over {
                self.queue.pop_front();
                continue;
            }
            let connecting = state.phase == Phase::Connecting;
            let (carried_now, partner) = (state.ssdus_in + state.ssdus_out, state.partner);
            // What a target does not take is on its way, too.
            let queued = [Some(id), partner].into_iter().flatten().any(|leg| ctx.queued_octets(leg) > 0);
            let busy = connecting || carried_now != waiting.carried || queued;
            // Who was busy twice is not waited for where no order has to be kept.
            if waiting.was_busy && !connecting && self.order.config.action == DrainAction::Abort {
                return Front::Due(id);
            }
            if busy {
                let looked = Waiting { id, carried: carried_now, looked_at: now, was_busy: !connecting };
                self.queue.pop_front();
                self.queue.push_back(looked);
                // Everyone was looked at in this step.
                if self.queue.front().is_some_and(|front| front.looked_at == now) {
                    return Front::At(now + idle_for);
                }
                continue;
            }
            let idle_at = waiting.looked_at + idle_for;
            return if idle_at <= now { Front::Due(id) } else { Front::At(idle_at) };
        }
        Front::At(now + STEP_INTERVAL)
    }
}

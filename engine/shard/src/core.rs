//! What a shard has beside its application: driver, slab, timers, queues, numbers.
//!
//! [`Context`](crate::Context) is a borrow of it. Nothing here calls the application; what the application
//! must hear goes into `effects`, which the turn delivers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use colloquy_session::Transmit;
use colloquy_session::machine::Bundle;
use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::class0::Event;
use colloquy_transport::driver::{Driver, ListenerId};

use crate::application::{Application, SessionEnd, SessionId};
use crate::chain::Chains;
use crate::config::{ListenerConfig, ShardConfig};
use crate::counters::Tally;
use crate::ending;
use crate::holders::Holders;
use crate::output::Batches;
use crate::slab::{Phase, Slab, UNARMED};
use crate::tallied;
use crate::tapping::Tap;
use crate::wheel::Wheel;
use crate::wire::{ListenerWire, Wires};

/// What the application is told once the call that caused it has returned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect {
    /// [`Application::ended`].
    Ended(SessionId),
    /// [`Application::writable`].
    Writable(SessionId),
    /// [`Application::unpin`].
    Unpin(SessionId),
    /// [`Application::transport_kept`].
    Kept(SessionId),
}

/// A listener of the shard.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) id: ListenerId,
    pub(crate) tag: u32,
    pub(crate) config: ListenerConfig,
    pub(crate) sessions: usize,
    pub(crate) not_established: usize,
    pub(crate) accepting: bool,
    /// What its connections begin with.
    pub(crate) wire: Option<Arc<ListenerWire>>,
}

pub(crate) struct Core<D: Driver, A: Application> {
    pub(crate) driver: D,
    pub(crate) config: ShardConfig,
    pub(crate) now: Duration,
    pub(crate) slab: Slab<A::Session>,
    pub(crate) wheel: Wheel,
    pub(crate) listeners: Vec<Listening>,
    pub(crate) tally: Tally,
    /// Octets received, by session.
    pub(crate) intake: Chains<Slice>,
    /// Sessions that keep receive blocks.
    pub(crate) holders: Holders,
    /// When the pool was last seen to be scarce.
    pub(crate) scarce_at: Option<Duration>,
    /// The pool was all but used up when it was looked at last.
    pub(crate) used_up: bool,
    /// Time of the turn before this one.
    pub(crate) turn_before: Duration,
    /// Batches to send.
    pub(crate) batches: Batches,
    /// Octets that sessions hold, as noted in their slots.
    pub(crate) octets_held: usize,
    /// Gets the octets of tapped sessions.
    pub(crate) tap: Option<Box<dyn Tap>>,
    /// Where `Class0::next_event` puts what it owes; nearly always empty afterwards.
    owed: TxBatch,
    /// Sessions to flush at the end of the turn.
    pub(crate) dirty: Vec<SessionId>,
    /// Sessions that go on in the next turn without waiting for the network.
    pub(crate) ready: Vec<SessionId>,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) shard_deadline: Option<Duration>,
    pub(crate) stopping: bool,
    /// Something other than data has happened since the numbers were published.
    pub(crate) rare: bool,
    /// Slices of one segment of an SSDU.
    pub(crate) segment: Vec<Slice>,
    /// Slices of a body that is being requested.
    pub(crate) slices: Vec<Slice>,
    /// TSDUs of data that are requested together with what belongs to them.
    pub(crate) bundle: Bundle,
    /// What connections share below class 0.
    pub(crate) wires: Wires,
}

impl<D: Driver, A: Application> Core<D, A> {
    pub(crate) fn new(driver: D, config: ShardConfig) -> Self {
        Self {
            now: driver.now(),
            driver,
            config,
            slab: Slab::new(),
            wheel: Wheel::new(),
            listeners: Vec::new(),
            tally: Tally::default(),
            intake: Chains::new(),
            holders: Holders::new(),
            scarce_at: None,
            used_up: false,
            turn_before: Duration::ZERO,
            batches: Batches::new(config.spare_batches_max),
            octets_held: 0,
            tap: None,
            owed: TxBatch::new(),
            dirty: Vec::new(),
            ready: Vec::new(),
            effects: VecDeque::new(),
            shard_deadline: None,
            stopping: false,
            rare: true,
            segment: Vec::new(),
            slices: Vec::new(),
            bundle: Bundle::default(),
            wires: Wires::new(),
        }
    }

    /// Sessions that count against `sessions_max`.
    pub(crate) fn session_count(&self) -> usize {
        self.slab.count() - self.tally.refusals_open as usize
    }

    /// The next event of a session's transport; what it owes the peer is queued.
    pub(crate) fn next_event(&mut self, index: u32) -> Option<Event> {
        let event = self.slab.at_mut(index).class0.next_event(&mut self.owed);
        if !self.owed.is_empty() {
            let fresh = self.batches.spare();
            let owed = std::mem::replace(&mut self.owed, fresh);
            let slot = self.slab.at_mut(index);
            slot.queued_octets += owed.octets();
            self.batches.push(&mut slot.output, owed);
            self.mark_dirty(index);
        }
        event
    }

    /// Lets a session go on in the next turn.
    pub(crate) fn mark_ready(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        if !slot.marks.ready {
            slot.marks.ready = true;
            let generation = slot.generation;
            self.ready.push(SessionId { index, generation });
        }
    }

    /// Takes from the machine what it has after an input or a primitive: TSDUs, its end, its timer.
    pub(crate) fn settle(&mut self, index: u32) {
        self.rare = true;
        let mut transmitted = false;
        loop {
            let slot = self.slab.at_mut(index);
            let Some(transmit) = slot.machine.poll_transmit() else { break };
            transmitted = true;
            let (octets, expedited) = match transmit {
                Transmit::Tsdu(octets) => (octets, false),
                Transmit::Expedited(octets) => (octets, true),
                _ => {
                    self.close_after_flush(index);
                    break;
                }
            };
            // The machine is borrowed, so this is `put` by hand on the other fields of the slot.
            tallied::sent(&mut self.tally, octets);
            if let Some(reason) = ending::refusal(octets) {
                // One that the machine decided upon: a refusal of the user is noted already.
                let end = SessionEnd::Refused { reason, by_peer: false };
                slot.cold.end.get_or_insert_with(|| Box::new(end));
            }
            let batch = self.batches.room(&mut slot.output, self.config.send_octets_max);
            let before = batch.octets();
            if expedited {
                let sent = slot.class0.expedited_request(octets, batch);
                debug_assert_eq!(sent, Ok(()), "the machine knows whether class 0 agreed, and its limit");
            } else {
                slot.class0.data_request(octets, &[], batch);
            }
            slot.queued_octets += batch.octets() - before;
            self.mark_dirty(index);
        }
        let slot = self.slab.at_mut(index);
        let state = slot.machine.state();
        if transmitted || state != slot.state {
            slot.state = state;
            self.note_release(index);
            self.end_if_over(index);
            self.rearm(index);
        }
    }

    /// Drops what a session has received and not taken in.
    pub(crate) fn drop_intake(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        while let Some(octets) = self.intake.pop_front(&mut slot.intake) {
            self.octets_held -= octets.len();
        }
        slot.intake_count = 0;
        slot.marks.undrained = false;
    }

    /// Stops receiving for a session.
    pub(crate) fn stop_receiving(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        if !slot.marks.receive_stopped && !slot.marks.closing {
            slot.marks.receive_stopped = true;
            self.tally.receive_stopped += 1;
            self.driver.pause(slot.connection);
        }
    }

    /// Receives again for a session that has taken in all it had.
    pub(crate) fn receive_again(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        if slot.marks.receive_stopped && !slot.marks.closing {
            slot.marks.receive_stopped = false;
            self.driver.resume(slot.connection);
        }
    }

    /// Arms the wheel for the earliest of a session's deadlines.
    pub(crate) fn rearm(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        let machine = if slot.marks.closing { None } else { slot.machine.poll_timeout() };
        let deadlines = [slot.cold.phase_deadline, slot.cold.application_deadline, machine];
        let earliest = deadlines.into_iter().flatten().min();
        let tick = earliest.map_or(UNARMED, Wheel::tick_of).min(slot.send_deadline);
        if tick != slot.armed {
            slot.armed = tick;
            if tick == UNARMED {
                self.wheel.cancel(index);
            } else {
                self.wheel.arm(index, tick);
            }
        }
    }

    /// Moves a session to a phase that may last until `deadline`.
    pub(crate) fn enter(&mut self, index: u32, phase: Phase, deadline: Option<Duration>) {
        let slot = self.slab.at_mut(index);
        slot.phase = phase;
        slot.cold.phase_deadline = deadline;
        self.rearm(index);
    }

    /// Stops accepting on the listeners whose tags are chosen.
    pub(crate) fn stop_listening(&mut self, chosen: impl Fn(u32) -> bool) {
        for listener in &mut self.listeners {
            if chosen(listener.tag) && std::mem::take(&mut listener.accepting) {
                self.driver.unlisten(listener.id);
            }
        }
    }

    /// The session exists from here on.
    pub(crate) fn established(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        slot.marks.established = true;
        self.tally.sessions_connected += 1;
        self.tally.sessions_established += 1;
        if let Some(listener) = slot.cold.listener {
            self.listeners[listener as usize].not_established -= 1;
        }
        self.enter(index, Phase::Open, None);
    }
}

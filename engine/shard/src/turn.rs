//! One turn of the loop: wait, completions, sessions that go on, timers, commands, flush, numbers.

use std::io;
use std::time::{Duration, Instant};

use colloquy_transport::buf::{Body, copies};
use colloquy_transport::driver::{Completion, ConnectionId, Driver};

use crate::application::{Application, SessionEnd};
use crate::context::Context;
use crate::core::Effect;
use crate::ending;
use crate::shard::Shard;
use crate::slab::UNARMED;

impl<D: Driver, A: Application> Shard<D, A> {
    /// Waits for completions, at most `timeout` (`None`: until something happens), and handles them.
    ///
    /// What it makes sessions send is given to the driver before it returns.
    ///
    /// # Errors
    /// What makes the driver unusable.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        // What was asked for outside of a turn is due before the wait.
        self.deliver_effects();
        self.core.flush();
        self.wait(timeout)?;
        self.turn_number = self.turn_number.wrapping_add(1);
        self.handle_completions();
        self.go_on();
        self.expire_timers();
        self.take_commands();
        self.take_handshakes();
        self.core.reclaim();
        self.deliver_effects();
        self.core.flush();
        self.publish();
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let busy = self.woken_at.map_or(Duration::ZERO, |woken| woken.elapsed());
        self.core.tally.busy_ns += busy.as_nanos() as u64;
        // The driver's time stands still since the last wait; the turn has used some of what is left.
        let due = self.next_deadline().map(|at| at.saturating_sub(self.core.now).saturating_sub(busy));
        let mut timeout = [timeout, due].into_iter().flatten().min();
        let sleeps = timeout != Some(Duration::ZERO);
        if sleeps {
            self.commands.doorbell().about_to_sleep();
            if !self.commands.is_empty() {
                timeout = Some(Duration::ZERO);
            }
        }
        let result = self.core.driver.wait(timeout, &mut self.completions);
        if sleeps {
            self.commands.doorbell().awake();
        }
        self.core.turn_before = std::mem::replace(&mut self.core.now, self.core.driver.now());
        self.woken_at = (!self.core.config.virtual_time).then(Instant::now);
        result
    }

    fn handle_completions(&mut self) {
        let share = self.core.config.completions_per_turn_max;
        let end = self.completions.len().min(self.handled + share);
        self.core.tally.completions += (end - self.handled) as u64;
        while self.handled < end {
            let completion = std::mem::replace(&mut self.completions[self.handled], Completion::Woken);
            self.handled += 1;
            self.handle(completion);
            if !self.core.effects.is_empty() {
                self.deliver_effects();
            }
        }
        if self.handled == self.completions.len() {
            self.completions.clear();
            self.handled = 0;
        }
    }

    fn handle(&mut self, completion: Completion) {
        match completion {
            Completion::Received(connection, octets) => {
                self.core.tally.octets_in += octets.len() as u64;
                if let Some(index) = self.core.slab.of_connection(connection) {
                    self.received(index, octets);
                }
            }
            Completion::Sent(connection, batch) => match self.core.slab.of_connection(connection) {
                Some(index) => self.core.sent(index, batch),
                None => self.core.batches.recycle(batch),
            },
            rare => self.handle_rare(rare),
        }
    }

    /// What comes once or twice in the life of a connection: only this changes numbers that are not those of data.
    fn handle_rare(&mut self, completion: Completion) {
        self.core.rare = true;
        match completion {
            Completion::Accepted { listener, connection, peer } => self.accepted(listener, connection, peer),
            Completion::Connected(connection) => self.connected(connection),
            Completion::Eof(connection) => self.gone(connection, SessionEnd::Eof, false),
            Completion::Failed(connection, error) => {
                self.gone(connection, SessionEnd::Network(error), true);
            }
            Completion::Closed(connection) => {
                if let Some(index) = self.core.slab.of_connection(connection) {
                    self.core.closed(index);
                }
            }
            Completion::AcceptFailed(..) => self.core.tally.accept_failed += 1,
            Completion::Received(..) | Completion::Sent(..) | Completion::Woken => {}
        }
    }

    fn connected(&mut self, connection: ConnectionId) {
        let core = &mut self.core;
        let Some(index) = core.slab.of_connection(connection) else { return };
        let slot = core.slab.at_mut(index);
        if slot.marks.close_due {
            return;
        }
        slot.marks.connected = true;
        if !slot.marks.wired || self.connected_wire(index) {
            self.network_connected(index);
        }
    }

    fn expire_timers(&mut self) {
        let tick = self.core.now.as_millis() as u64;
        for _ in 0..self.core.config.timers_per_turn_max {
            let Some(index) = self.core.wheel.expire(tick) else { break };
            self.core.tally.timers += 1;
            self.core.rare = true;
            self.core.slab.at_mut(index).armed = UNARMED;
            self.expire(index, tick);
            self.deliver_effects();
        }
        if self.core.shard_deadline.is_some_and(|at| at <= self.core.now) {
            self.core.shard_deadline = None;
            self.core.rare = true;
            self.app.shard_timer(&mut Context { core: &mut self.core });
            self.deliver_effects();
        }
    }

    /// Looks which of a session's deadlines have passed.
    fn expire(&mut self, index: u32, tick: u64) {
        let now = self.core.now;
        let passed = |deadline: Option<Duration>| deadline.is_some_and(|at| at <= now);
        let slot = self.core.slab.at_mut(index);
        if slot.send_deadline <= tick {
            slot.send_deadline = UNARMED;
            self.core.send_timeout(index);
        }
        if passed(self.core.slab.at(index).cold.phase_deadline) {
            self.core.phase_timeout(index);
        }
        let slot = self.core.slab.at_mut(index);
        if !slot.marks.closing && passed(slot.machine.poll_timeout()) {
            let indication = slot.machine.handle_timeout(now);
            self.after_input(index, indication, &mut Body::default());
        }
        let slot = self.core.slab.at_mut(index);
        if passed(slot.cold.application_deadline) {
            slot.cold.application_deadline = None;
            let id = self.core.slab.id(index);
            self.app.timer(&mut Context { core: &mut self.core }, id);
        }
        self.core.rearm(index);
    }

    fn take_commands(&mut self) {
        for _ in 0..self.core.config.commands_per_turn_max {
            let Some(command) = self.commands.next_command() else { break };
            self.core.tally.commands += 1;
            self.core.rare = true;
            self.app.command(&mut Context { core: &mut self.core }, command);
            self.deliver_effects();
        }
    }

    /// Tells the application what earlier calls have caused.
    pub(crate) fn deliver_effects(&mut self) {
        while let Some(effect) = self.core.effects.pop_front() {
            self.core.rare = true;
            match effect {
                Effect::Writable(id) => {
                    if self.core.slab.get(id).is_some_and(|slot| !slot.marks.over) {
                        self.app.writable(&mut Context { core: &mut self.core }, id);
                    }
                }
                Effect::Unpin(id) => {
                    if self.core.slab.get(id).is_some() {
                        self.app.unpin(&mut Context { core: &mut self.core }, id);
                    }
                }
                Effect::Kept(id) => self.renew(id),
                Effect::Ended(id) => {
                    let Some(slot) = self.core.slab.get_mut(id) else { continue };
                    let end = *slot.cold.end.take().expect("a session that is over has an end");
                    ending::count(&mut self.core.tally, &end);
                    self.app.ended(&mut Context { core: &mut self.core }, id, end);
                    let slot = self.core.slab.at_mut(id.index);
                    slot.marks.ended = true;
                    slot.app = A::Session::default();
                }
            }
        }
    }

    fn publish(&mut self) {
        let stats = self.core.driver.stats();
        let copies = copies::of_this_thread();
        let tally = &mut self.core.tally;
        tally.turns += 1;
        tally.system_calls = stats.system_calls;
        tally.buffers_exhausted = stats.buffers_exhausted;
        tally.overflows = stats.overflows;
        tally.zero_copy_sends = stats.zero_copy_sends;
        tally.zero_copy_sends_copied = stats.zero_copy_sends_copied;
        tally.blocks_free = u64::from(stats.blocks_free);
        tally.octets_pinned = stats.octets_pinned;
        tally.copies_small = copies.small_count;
        tally.copies_large = copies.large_count;
        tally.copied_octets = copies.octets;
        self.counters.publish(tally, std::mem::take(&mut self.core.rare));
    }
}

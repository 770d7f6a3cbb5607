//! How connections begin: what is awaited of them, and how a handshake goes to the pool and comes back.

use std::sync::Arc;

use colloquy_transport::buf::Slice;
use colloquy_transport::driver::Driver;
use colloquy_transport::proxy::{ProxyFault, ProxyFaultKind};
use colloquy_transport::tls::TlsFaultKind;

use super::pool::{Done, Job, Returns, shake_hands};
use super::{HandshakePool, ListenerWire, RETURNS_PER_TURN_MAX, Tls, UNDER_WAY_MAX, Wire, WireFault};
use crate::application::{Application, SessionEnd};
use crate::context::Context;
use crate::core::Core;
use crate::shard::Shard;
use crate::slab::Phase;

impl<D: Driver, A: Application> Shard<D, A> {
    /// Lets TLS handshakes run on the threads of `pool`; without one they run on the shard, which is for virtual time.
    pub fn use_handshake_pool(&mut self, pool: Arc<HandshakePool>) {
        let returns = Returns::new(self.core.driver.waker());
        self.core.wires.returns = Some(Arc::new(returns));
        self.core.wires.pool = Some(pool);
    }

    /// Goes on with handshakes that have come back.
    pub(crate) fn take_handshakes(&mut self) {
        if self.core.wires.under_way == 0 {
            return;
        }
        for _ in 0..RETURNS_PER_TURN_MAX {
            let Some(done) = self.core.wires.returns.as_ref().and_then(|returns| returns.next()) else {
                return;
            };
            self.core.wires.under_way -= 1;
            self.core.rare = true;
            self.core.tally.tls_handshakes_under_way -= 1;
            self.returned(done);
            self.next_waiting();
        }
    }

    /// The network connection exists. True: class 0 may begin; false: it is told later.
    pub(crate) fn connected_wire(&mut self, index: u32) -> bool {
        let now = self.core.now;
        self.core.mark_dirty(index);
        let slot = self.core.slab.at_mut(index);
        let wire = slot.cold.wire.as_mut().expect("a wired connection has one");
        if !wire.is_handshaking() {
            return true;
        }
        if let Some(timeout) = wire.handshake_timeout {
            let at = now + timeout;
            slot.cold.phase_deadline = Some(slot.cold.phase_deadline.map_or(at, |before| before.min(at)));
        }
        self.core.rearm(index);
        self.hand_over(index);
        false
    }

    /// Gives a handshake to the pool, or puts it into the queue for it; without a pool it goes on here.
    pub(super) fn hand_over(&mut self, index: u32) {
        let id = self.core.slab.id(index);
        let wires = &mut self.core.wires;
        let slot = self.core.slab.at_mut(index);
        let wire = slot.cold.wire.as_mut().expect("a handshake has a wire");
        if wires.pool.is_some() && wires.under_way >= UNDER_WAY_MAX {
            if !std::mem::replace(&mut wire.queued, true) {
                wires.waiting.push_back(id);
                self.core.rare = true;
                self.core.tally.tls_handshakes_waiting += 1;
            }
            return;
        }
        wire.queued = false;
        let Tls::Handshaking(connection) = std::mem::replace(&mut wire.tls, Tls::Away) else {
            unreachable!("only a handshake is handed over")
        };
        let records = super::deliver::take_whole_records(&mut wire.records);
        let returns = wires.returns.clone();
        let job = Job { id, connection, records, returns, step: shake_hands };
        match &wires.pool {
            Some(pool) => {
                wires.under_way += 1;
                self.core.rare = true;
                self.core.tally.tls_handshakes_under_way += 1;
                pool.take(job);
            }
            None => {
                let done = job.run();
                self.returned(done);
            }
        }
    }

    /// The connection that waits longest goes to the pool; those that are gone meanwhile are passed over.
    fn next_waiting(&mut self) {
        while let Some(id) = self.core.wires.waiting.pop_front() {
            self.core.rare = true;
            self.core.tally.tls_handshakes_waiting -= 1;
            let waits = self.core.slab.is_occupied(id) && {
                let slot = self.core.slab.at(id.index);
                !slot.marks.close_due && slot.cold.wire.as_ref().is_some_and(|wire| wire.queued)
            };
            if waits {
                return self.hand_over(id.index);
            }
        }
    }

    /// A handshake has come back.
    fn returned(&mut self, done: Done) {
        let Done { id, connection, records, out, plain, result } = done;
        if !self.core.slab.is_occupied(id) {
            return;
        }
        let index = id.index;
        let slot = self.core.slab.at_mut(index);
        let Some(wire) = slot.cold.wire.as_mut() else { return };
        if wire.records.is_empty() {
            wire.records = records;
        }
        wire.out.extend_from_slice(&out);
        if slot.marks.close_due {
            wire.tls = Tls::Failed;
            wire.out.clear();
            return;
        }
        let (summary, peer) = (connection.summary(), connection.peer().cloned());
        wire.tls =
            if summary.is_some() { Tls::Established(connection) } else { Tls::Handshaking(connection) };
        self.core.mark_dirty(index);
        match result {
            Err(fault) => self.core.wire_failed(index, WireFault::Tls(fault)),
            Ok(()) if summary.is_some() => {
                let wire = self.core.slab.at_mut(index).cold.wire.as_mut().expect("it is still there");
                let rest = std::mem::take(&mut wire.records);
                (wire.summary, wire.peer) = (summary, peer);
                self.core.count_handshake(index);
                self.wire_ready(index);
                if !plain.is_empty() {
                    self.core.take_in_clear(index, Slice::from_vec(plain));
                }
                self.core.open(index, &rest);
            }
            Ok(()) => {}
        }
        self.core.slab.at_mut(index).marks.undrained = true;
        self.core.mark_ready(index);
    }

    /// Class 0 may begin: the time for it counts as if there had been nothing in front.
    pub(super) fn wire_ready(&mut self, index: u32) {
        let slot = self.core.slab.at(index);
        let wire = slot.cold.wire.as_ref().expect("a wired connection has one");
        if !wire.is_ready() {
            return;
        }
        let opened = slot.cold.opened;
        match slot.cold.listener {
            None => {
                let deadline = opened + slot.cold.connect_timeout();
                self.core.enter(index, Phase::Connecting, Some(deadline));
                self.network_connected(index);
            }
            Some(listener) => {
                let config = &self.core.listeners[listener as usize].config;
                let deadline = opened + config.transport_timeout.min(config.connect_timeout);
                self.core.enter(index, Phase::AwaitCr, Some(deadline));
            }
        }
    }
}

impl<D: Driver, A: Application> Context<'_, D, A> {
    /// What later connections of the listeners with this tag begin with.
    pub fn set_listener_wire(&mut self, tag: u32, wire: &ListenerWire) {
        for listener in self.core.listeners.iter_mut().filter(|listener| listener.tag == tag) {
            listener.wire = (!wire.is_plain()).then(|| Arc::new(wire.clone()));
        }
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// A connection was accepted: puts below class 0 what its listener asks for.
    pub(crate) fn accepted_wire(&mut self, index: u32, place: usize) {
        let Some(wanted) = self.listeners[place].wire.clone() else { return };
        let accepted = wanted.tls.as_ref().map(|tls| tls.server.accept()).transpose();
        let (tls, fault) = match accepted {
            Ok(tls) => (tls, None),
            Err(fault) => (None, Some(WireFault::Tls(fault))),
        };
        let slot = self.slab.at_mut(index);
        let mut wire = Wire::new(tls);
        let believed = wanted.proxy.as_ref().is_none_or(|senders| senders.believes(slot.cold.peer.ip()));
        wire.header = wanted.proxy.as_ref().filter(|_| believed).map(|_| Vec::new());
        slot.cold.wire = Some(Box::new(wire));
        slot.marks.wired = true;
        if let Some(fault) = fault.or((!believed).then(super::deliver::sender_fault)) {
            return self.wire_failed(index, fault);
        }
        if let Some(tls) = &wanted.tls {
            let slot = self.slab.at_mut(index);
            let at = slot.cold.opened + tls.handshake_timeout;
            slot.cold.phase_deadline = Some(slot.cold.phase_deadline.map_or(at, |before| before.min(at)));
            self.rearm(index);
        }
    }

    fn count_handshake(&mut self, index: u32) {
        self.rare = true;
        let slot = self.slab.at(index);
        let Some(summary) = slot.cold.wire.as_ref().and_then(|wire| wire.summary) else { return };
        let tally = &mut self.tally;
        tally.tls_handshakes_resumed += u64::from(summary.resumed);
        if summary.version == "1.2" {
            tally.tls_handshakes_12 += 1;
            tally.tls_open_12 += 1;
        } else {
            tally.tls_handshakes_13 += 1;
            tally.tls_open_13 += 1;
        }
    }

    /// The connection of a session is gone: its TLS is no longer one of those that are open.
    pub(crate) fn forget_tls(&mut self, wire: Option<&Wire>) {
        self.rare = true;
        match wire.and_then(|wire| wire.summary) {
            Some(summary) if summary.version == "1.2" => self.tally.tls_open_12 -= 1,
            Some(_) => self.tally.tls_open_13 -= 1,
            None => {}
        }
    }

    /// The time for a phase has run out. True: it was that of a PROXY header or of a handshake, and the connection is
    /// being closed.
    pub(crate) fn wire_timeout(&mut self, index: u32) -> bool {
        let slot = self.slab.at(index);
        let Some(wire) = slot.cold.wire.as_ref() else { return false };
        if let Some(header) = &wire.header {
            let fault = ProxyFault { offset: header.len(), kind: ProxyFaultKind::Timeout };
            self.wire_failed(index, WireFault::Proxy(fault));
            return true;
        }
        if !wire.is_handshaking()
            || !slot.marks.connected
            || !matches!(slot.phase, Phase::AwaitCr | Phase::Connecting)
        {
            return false;
        }
        let fault = WireFault::Tls(TlsFaultKind::HandshakeTimeout.into());
        self.end(index, SessionEnd::Wire(fault));
        self.close_after_flush(index);
        true
    }
}

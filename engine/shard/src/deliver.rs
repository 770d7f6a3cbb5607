//! From octets received to indications delivered.
//!
//! ```text
//! driver ─► received ─► intake ─► Class0 ─► event ─► TSDU ─► Session ─► indication ─► application
//!                         ▲ waits here while paused or over the turn's share
//! ```

use colloquy_session::spdu::{SpduKind, Tsdu, must_be_contiguous};
use colloquy_session::{Enclosure, Indication, PeerFault};
use colloquy_transport::buf::{Body, COPY_THRESHOLD_OCTETS, Slice};
use colloquy_transport::class0::{ConnectTpdu, Event};
use colloquy_transport::driver::{ConnectionId, Driver};

use crate::application::{Application, Fault, SessionEnd, SessionId, TransportAnswer};
use crate::context::Context;
use crate::reclaim::ALL_BUT_USED_UP_PER_CENT;
use crate::shard::Shard;
use crate::slab::{Phase, Role};
use crate::tallied;

impl<D: Driver, A: Application> Shard<D, A> {
    /// Takes in a receipt, or queues it behind what waits.
    pub(crate) fn received(&mut self, index: u32, octets: Slice) {
        let core = &mut self.core;
        let slot = core.slab.at_mut(index);
        if slot.marks.close_due {
            return;
        }
        let waits = slot.marks.paused || slot.marks.undrained;
        if waits || (slot.marks.wired && core.wire_waits(index, self.turn_number)) {
            // A session that waits must not keep the blocks that others receive into.
            let octets = if octets.is_scarce(ALL_BUT_USED_UP_PER_CENT) { octets.detached() } else { octets };
            core.octets_held += octets.len();
            let slot = core.slab.at_mut(index);
            core.intake.push_back(&mut slot.intake, octets);
            slot.intake_count += 1;
            slot.marks.undrained = true;
            if slot.intake_count >= core.config.intake_slices_max {
                core.stop_receiving(index);
            }
            core.note_held(index);
            return;
        }
        self.take_in(index, octets);
        self.drain(index);
        self.core.note_held(index);
    }

    /// Gives octets of the network to class 0, through what lies in front of it.
    #[inline]
    pub(crate) fn take_in(&mut self, index: u32, octets: Slice) {
        let slot = self.core.slab.at_mut(index);
        if slot.marks.wired {
            self.wire_received(index, octets);
        } else {
            self.core.take_in_clear(index, octets);
        }
    }

    /// The peer has closed or the connection has failed: acted on when all that came before is taken in.
    pub(crate) fn gone(&mut self, connection: ConnectionId, how: SessionEnd, dead: bool) {
        let Some(index) = self.core.slab.of_connection(connection) else { return };
        let slot = self.core.slab.at_mut(index);
        slot.marks.dead |= dead;
        // Opening a connection that failed leaves nothing to send on either.
        slot.marks.connected = true;
        if slot.marks.close_due {
            self.core.mark_dirty(index);
            return;
        }
        slot.marks.gone = true;
        slot.cold.gone.get_or_insert_with(|| Box::new(how));
        if !slot.marks.paused && !slot.marks.undrained {
            self.drain(index);
        }
    }

    /// Goes on with sessions that were paused or had used up their share of a turn.
    pub(crate) fn go_on(&mut self) {
        let mut ready = std::mem::take(&mut self.going_on);
        std::mem::swap(&mut ready, &mut self.core.ready);
        for id in ready.drain(..) {
            if self.core.slab.is_occupied(id) {
                self.core.slab.at_mut(id.index).marks.ready = false;
                self.drain(id.index);
                self.core.note_held(id.index);
                self.deliver_effects();
            }
        }
        self.going_on = ready;
    }

    /// Takes in what a session has received, up to its share of the turn.
    fn drain(&mut self, index: u32) {
        loop {
            let core = &mut self.core;
            let slot = core.slab.at_mut(index);
            if slot.marks.close_due {
                return;
            }
            if slot.marks.paused || slot.marks.renewal_due {
                slot.marks.undrained = true;
                return;
            }
            if slot.owes_answers(core.config.send_high_octets) {
                slot.marks.undrained = true;
                return;
            }
            if slot.turn != self.turn_number {
                slot.turn = self.turn_number;
                slot.turn_tsdus = 0;
                slot.heard_seconds = core.now.as_secs() as u32;
            }
            if slot.turn_tsdus >= core.config.session_tsdus_per_turn_max {
                slot.marks.undrained = true;
                core.tally.session_budget_spent += 1;
                core.mark_ready(index);
                return;
            }
            if let Some(tsdu) = slot.class0.next_whole_tsdu() {
                match slot.machine.plain_data_offset(&tsdu) {
                    Some(offset) => {
                        slot.turn_tsdus += 1;
                        let id = SessionId { index, generation: slot.generation };
                        self.plain_data(id, Body::new(tsdu), offset);
                    }
                    None => self.tsdu(index, Body::new(tsdu)),
                }
                continue;
            }
            if !slot.class0.is_drained()
                && let Some(event) = core.next_event(index)
            {
                self.event(index, event);
                continue;
            }
            let mut slot = core.slab.at_mut(index);
            if slot.marks.wired {
                let waits = core.wire_waits(index, self.turn_number);
                slot = core.slab.at_mut(index);
                if waits {
                    slot.marks.undrained = true;
                    return;
                }
            }
            let Some(octets) = core.intake.pop_front(&mut slot.intake) else {
                slot.marks.undrained = false;
                if slot.marks.gone || slot.marks.receive_stopped {
                    self.drained(index);
                }
                return;
            };
            slot.intake_count -= 1;
            core.octets_held -= octets.len();
            self.take_in(index, octets);
        }
    }

    /// All is taken in that a session has received.
    fn drained(&mut self, index: u32) {
        let slot = self.core.slab.at(index);
        if slot.marks.gone {
            if slot.marks.wired {
                self.wire_gone(index);
            }
            self.peer_gone(index);
        } else {
            self.core.receive_again(index);
        }
    }

    /// Takes in a TSDU that is GT and DT in the data phase: the machine has nothing to note, to send or to say, so the
    /// application gets it at once. It is counted in `turn_tsdus` already. Everything else goes by [`Shard::tsdu`].
    #[inline(always)]
    fn plain_data(&mut self, id: SessionId, mut body: Body, offset: usize) {
        let core = &mut self.core;
        body.advance(offset);
        core.tally.tsdus_in += 1;
        core.tally.spdus_data_in += 1;
        core.tally.user_octets_in += body.len() as u64;
        let enclosure = Enclosure::WHOLE;
        let indication = Indication::Data { user_data: body.head(), user_data_offset: offset, enclosure };
        self.app.indication(&mut Context { core }, id, indication, &body);
        if !body.rest().is_empty() {
            self.core.slab.at_mut(id.index).class0.recycle(body.into_rest());
        }
    }

    /// The same out of line, for bodies that came in several pieces.
    #[inline(never)]
    fn plain_body(&mut self, index: u32, body: Body, offset: usize) {
        let slot = self.core.slab.at_mut(index);
        slot.turn_tsdus += 1;
        let id = SessionId { index, generation: slot.generation };
        self.plain_data(id, body, offset);
    }

    fn event(&mut self, index: u32, event: Event) {
        self.core.rare = true;
        match event {
            Event::Data(body) => match self.core.slab.at(index).machine.plain_data_offset(body.head()) {
                Some(offset) => self.plain_body(index, body, offset),
                None => self.tsdu(index, body),
            },
            Event::Expedited(octets) => self.expedited_tsdu(index, &octets),
            Event::Connect(connect) => self.transport_connect(index, &connect),
            Event::ConnectConfirm(_) => self.transport_connected(index),
            Event::Disconnect { reason } => {
                let slot = self.core.slab.at_mut(index);
                let refused = matches!(slot.phase, Phase::AwaitCc | Phase::AwaitCr | Phase::AwaitCn);
                let end = if refused { SessionEnd::TransportRefused { reason } } else { SessionEnd::Eof };
                // DR came before the end of the connection, which may be known already, and says why it is closed.
                if matches!(slot.cold.gone.as_deref(), None | Some(SessionEnd::Eof)) {
                    slot.cold.gone = Some(Box::new(end));
                }
                self.peer_gone(index);
            }
            Event::Fault(fault) => {
                self.core.tally.faults_transport += 1;
                self.core.will_end(index, SessionEnd::ProtocolError);
                self.report(index, Fault::Transport(fault));
                self.peer_gone(index);
            }
        }
    }

    fn transport_connect(&mut self, index: u32, connect: &ConnectTpdu) {
        let core = &mut self.core;
        let slot = core.slab.at(index);
        if slot.role == Role::Refusal {
            let reason = slot.cold.refusal;
            core.tally.refused_with_disconnect += 1;
            core.end(index, SessionEnd::TransportRefused { reason });
            core.put(index, |class0, out| class0.disconnect_request(reason, out));
            core.close_after_flush(index);
            return;
        }
        let (tag, peer, id) = (core.tag_of(index), slot.cold.peer, core.slab.id(index));
        let answer = self.app.transport_connect(&mut Context { core }, id, tag, peer, connect);
        let core = &mut self.core;
        if core.slab.at(index).marks.over {
            return;
        }
        match answer {
            TransportAnswer::Accept => {
                core.put(index, |class0, out| class0.connect_response(out));
                let slot = core.slab.at(index);
                let deadline = slot.cold.opened + slot.cold.connect_timeout();
                core.enter(index, Phase::AwaitCn, Some(deadline));
                let slot = core.slab.at_mut(index);
                if slot.class0.expedited() {
                    slot.machine.use_transport_expedited();
                }
            }
            TransportAnswer::Refuse(reason) => {
                core.end(index, SessionEnd::TransportRefused { reason });
                core.put(index, |class0, out| class0.disconnect_request(reason, out));
                core.close_after_flush(index);
            }
        }
    }

    /// Takes the SPDUs out of a TSDU.
    fn tsdu(&mut self, index: u32, mut body: Body) {
        self.core.rare = true;
        self.core.tally.tsdus_in += 1;
        // What a request of the application has set free meanwhile came before this TSDU.
        self.joined(index);
        if !body.rest().is_empty() && must_be_contiguous(body.head()) {
            body = contiguous(body);
        }
        // The indications borrow the head, and the body gets its user data offset meanwhile.
        let head = body.head().clone();
        let mut tsdu = Tsdu::with_tail(&head, body.len() - head.len());
        self.core.slab.at_mut(index).turn_tsdus += 1;
        self.spdus(index, &mut tsdu, &mut body);
        self.joined(index);
        if !body.rest().is_empty() {
            self.core.slab.at_mut(index).class0.recycle(body.into_rest());
        }
    }

    /// Takes the SPDU out of a TSDU of the expedited flow.
    fn expedited_tsdu(&mut self, index: u32, octets: &[u8]) {
        self.core.rare = true;
        let is_prepare = octets.first() == Some(&SpduKind::Prepare.si());
        self.core.tally.spdus_prepare_in += u64::from(is_prepare);
        self.core.tally.tsdus_in += 1;
        self.core.slab.at_mut(index).turn_tsdus += 1;
        self.joined(index);
        self.spdus(index, &mut Tsdu::expedited(octets), &mut Body::default());
        self.joined(index);
    }

    /// Delivers the SPDUs that the machine has kept and whose time has come with the last TSDU: one whose segments are
    /// complete, and those that overtook what they belong behind. They come before the next TSDU of the network.
    fn joined(&mut self, index: u32) {
        while let Some(joined) = self.core.slab.at_mut(index).machine.take_joined() {
            self.spdus(index, &mut joined.tsdu(), &mut Body::default());
        }
    }

    fn spdus(&mut self, index: u32, tsdu: &mut Tsdu<'_>, body: &mut Body) {
        loop {
            let core = &mut self.core;
            let indication = core.slab.at_mut(index).machine.handle_tsdu(core.now, tsdu);
            let more = indication.is_some();
            self.after_input(index, indication, body);
            if !more {
                return;
            }
        }
    }

    /// What every input to the machine is followed by: its finding about the peer, what it means for the
    /// shard, what the machine sends, and only then the application, whose answers come behind that.
    pub(crate) fn after_input(&mut self, index: u32, indication: Option<Indication<'_>>, body: &mut Body) {
        let found = self.take_fault(index);
        if let Some(indication) = &indication {
            self.note(index, indication, found);
        }
        self.core.settle(index);
        let Some(indication) = indication else { return };
        let core = &mut self.core;
        let id = core.slab.id(index);
        match indication {
            Indication::Data { user_data_offset, .. } | Indication::TypedData { user_data_offset, .. } => {
                body.advance(user_data_offset);
                core.tally.user_octets_in += body.len() as u64;
                self.app.indication(&mut Context { core }, id, indication, body);
            }
            _ => self.app.indication(&mut Context { core }, id, indication, &Body::default()),
        }
    }

    /// Counts an indication and acts on it; `found`: together with a fault of the peer.
    fn note(&mut self, index: u32, indication: &Indication<'_>, found: bool) {
        let core = &mut self.core;
        if let Indication::Data { .. } = indication {
            core.tally.spdus_data_in += 1;
            return;
        }
        tallied::indicated(&mut core.tally, indication);
        core.note_end(index, indication, found);
        match indication {
            Indication::Connect(_) => {
                let timeout = core.slab.at(index).cold.connect_timeout();
                core.enter(index, Phase::AwaitResponse, Some(core.now + timeout));
            }
            Indication::ConnectConfirm(_) => core.established(index),
            Indication::Release { .. } => core.slab.at_mut(index).marks.release_indicated = true,
            _ => {}
        }
    }

    /// Reports the machine's finding about the peer; true if there is one.
    fn take_fault(&mut self, index: u32) -> bool {
        if !self.core.slab.at_mut(index).machine.has_findings() {
            return false;
        }
        self.report_tolerated(index);
        let slot = self.core.slab.at_mut(index);
        let Some(fault) = slot.machine.take_fault() else { return false };
        if slot.is_unused() && matches!(fault, PeerFault::Inopportune { spdu: SpduKind::Abort, .. }) {
            // It has crossed the end of the session before, and there is none that it could end.
            self.core.will_end(index, SessionEnd::Unused);
            return false;
        }
        self.core.tally.faults_session += 1;
        self.report(index, Fault::Session(fault));
        true
    }

    /// Tells the application what was tolerated; the session goes on as if nothing had been.
    #[inline(never)]
    fn report_tolerated(&mut self, index: u32) {
        let slot = self.core.slab.at_mut(index);
        let Some(tolerated) = slot.machine.take_tolerated() else { return };
        if !slot.marks.ended && slot.role != Role::Refusal {
            let id = self.core.slab.id(index);
            self.app.tolerated(&mut Context { core: &mut self.core }, id, tolerated);
        }
    }

    fn report(&mut self, index: u32, fault: Fault) {
        let slot = self.core.slab.at_mut(index);
        let first = !std::mem::replace(&mut slot.marks.faulted, true);
        if first && !slot.marks.ended && slot.role != Role::Refusal {
            let id = self.core.slab.id(index);
            self.app.fault(&mut Context { core: &mut self.core }, id, fault);
        }
    }

    /// T-DISCONNECT indication.
    fn peer_gone(&mut self, index: u32) {
        let core = &mut self.core;
        let slot = core.slab.at_mut(index);
        let released = slot.marks.release_indicated;
        let how = slot.cold.gone.take().map_or(SessionEnd::Eof, |how| *how);
        // A peer that sends FN and closes without waiting for DN has released all the same, and its user
        // has heard of it: there is nothing to abort.
        core.will_end(index, if released { SessionEnd::Released } else { how });
        let slot = core.slab.at_mut(index);
        let told = slot.marks.over || released;
        let indication = slot.machine.transport_disconnected(core.now);
        self.after_input(index, indication.filter(|_| !told), &mut Body::default());
        self.core.finish(index);
        self.core.close_after_flush(index);
    }
}

/// A TSDU whose SPDUs can be taken out of its head. What stands in front of DATA TRANSFER is short where anybody is
/// in a hurry, so it is copied together first, and the data behind it left where they are.
fn contiguous(mut body: Body) -> Body {
    let is_head = |kind: SpduKind| body.head().first() == Some(&kind.si());
    if is_head(SpduKind::GiveTokens) || is_head(SpduKind::PleaseTokens) {
        body.lengthen_head(COPY_THRESHOLD_OCTETS - 1);
        if body.rest().is_empty() || !must_be_contiguous(body.head()) {
            return body;
        }
    }
    Body::new(body.into_contiguous())
}

//! How sessions end: one `ended` for each, then the connection is closed and the slot freed.
//!
//! A session is *over* once it is known how it ends; `ended` is delivered at the next opportunity. Its slot
//! lives on until everything owed to the peer is flushed and the driver has reported the connection closed.
//!
//! A connection ends in order wherever its peer has been let in: what is queued, then FIN, then the peer's octets up to its
//! FIN are read and dropped, because closing with octets unread would reset it. It is reset where the peer takes no octets
//! or does not close in time.

use std::time::Duration;

use colloquy_session::spdu::{DecodeRules, Spdu, SpduKind, Tsdu};
use colloquy_session::{Indication, ProviderAbortReason, State};
use colloquy_transport::driver::{Close, Driver};

use crate::application::{Application, SessionEnd, SessionId};
use crate::core::{Core, Effect};
use crate::counters::Tally;
use crate::requests::is_releasing;
use crate::slab::{Phase, Role};
use crate::wire::WireFault;

/// DR reason (X.224 §13.5.3): congestion at TSAP.
pub(crate) const REASON_CONGESTION: u8 = 1;

/// How long a peer that was told to go has at least to close its connection.
const CLOSE_TIME_MIN: Duration = Duration::from_millis(500);

impl<D: Driver, A: Application> Core<D, A> {
    /// Remembers how the session will end, unless that is known already.
    pub(crate) fn will_end(&mut self, index: u32, end: SessionEnd) {
        self.rare = true;
        let slot = self.slab.at_mut(index);
        if !slot.marks.over {
            let is_unused = slot.is_unused();
            slot.cold.end.get_or_insert_with(|| Box::new(if is_unused { unused(end) } else { end }));
        }
    }

    /// Settles how the session ends: as remembered, else as `end`.
    pub(crate) fn end(&mut self, index: u32, end: SessionEnd) {
        self.rare = true;
        self.will_end(index, end);
        self.finish(index);
    }

    /// Settles that the session ends as remembered.
    pub(crate) fn finish(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        if std::mem::replace(&mut slot.marks.over, true) {
            return;
        }
        // A machine that ends for no reason noted has met a fault of the peer.
        slot.cold.end.get_or_insert_with(|| Box::new(SessionEnd::ProtocolError));
        slot.marks.paused = false;
        slot.cold.application_deadline = None;
        if slot.phase != Phase::Closing {
            slot.phase = Phase::Over;
            slot.cold.phase_deadline = None;
        }
        let (role, generation, unasked) = (slot.role, slot.generation, slot.marks.unasked);
        // What was received must be taken in for the machine to see the peer disconnect.
        if slot.marks.receive_stopped || slot.marks.undrained {
            self.mark_ready(index);
        }
        if role != Role::Refusal && !unasked {
            self.effects.push_back(Effect::Ended(SessionId { index, generation }));
        }
        self.rearm(index);
    }

    /// Ends the session as the provider: AB if there is a session. Where there is none yet, CR that is not answered is
    /// cancelled by DR, an open connection is closed, and what is not open, or has been told before, is reset.
    pub(crate) fn provider_abort(&mut self, index: u32, reason: ProviderAbortReason, end: SessionEnd) {
        self.will_end(index, end);
        let now = self.now;
        let slot = self.slab.at_mut(index);
        let none_yet = matches!(slot.machine.state(), State::Sta01 | State::Sta01B | State::Sta01C);
        if none_yet || !slot.class0.is_open() {
            let phase = slot.phase;
            self.finish(index);
            match phase {
                Phase::AwaitCc => {
                    self.put(index, |class0, out| class0.disconnect_request(0, out));
                    self.close_after_flush(index);
                }
                Phase::AwaitCr | Phase::AwaitCn | Phase::Kept | Phase::Reached => {
                    self.close_after_flush(index);
                }
                _ => self.close_at_once(index),
            }
        } else {
            slot.machine.provider_abort(now, reason);
            self.settle(index);
        }
    }

    /// The shard's own timer for the phase has run out.
    pub(crate) fn phase_timeout(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        slot.cold.phase_deadline = None;
        if slot.marks.wired && self.wire_timeout(index) {
            return;
        }
        let slot = self.slab.at_mut(index);
        let abort = ProviderAbortReason::Undefined;
        match slot.phase {
            Phase::Connecting => {
                self.end(index, SessionEnd::Timeout("connect"));
                self.close_at_once(index);
            }
            Phase::AwaitCc => {
                self.end(index, SessionEnd::Timeout("connect"));
                self.put(index, |class0, out| class0.disconnect_request(0, out));
                self.close_after_flush(index);
            }
            Phase::AwaitAc => self.provider_abort(index, abort, SessionEnd::Timeout("connect")),
            Phase::AwaitCr | Phase::AwaitCn => {
                self.end(index, SessionEnd::Timeout("half-open"));
                self.close_after_flush(index);
            }
            Phase::AwaitResponse => self.provider_abort(index, abort, SessionEnd::Timeout("response")),
            Phase::Releasing => self.provider_abort(index, abort, SessionEnd::Timeout("release")),
            Phase::Closing => self.close_at_once(index),
            Phase::Open | Phase::Over | Phase::Kept | Phase::Reached => {}
        }
    }

    /// Ends every accepted connection that has brought no CN, and resets those of them that were ended
    /// [`CLOSE_TIME_MIN`] ago and have not closed since; the others when that time is over.
    ///
    /// There is nothing to say to them: class 0 has no DR before a CR and none after a CC (X.224 §6.7.1).
    pub(crate) fn refuse_unestablished(&mut self) {
        for index in self.slab.occupied_indices() {
            let slot = self.slab.at(index);
            let closing_until = slot.cold.phase_deadline.filter(|_| !slot.marks.established);
            match slot.phase {
                Phase::AwaitCr | Phase::AwaitCn => {
                    self.end(index, SessionEnd::TransportRefused { reason: REASON_CONGESTION });
                    self.close_after_flush(index);
                }
                Phase::Closing => {
                    if let Some(until) = closing_until {
                        self.hurry_close(index, until);
                    }
                }
                _ => {}
            }
        }
    }

    /// Resets a connection that its peer has had time to close; another when that time is over.
    fn hurry_close(&mut self, index: u32, until: Duration) {
        let told_at = until.saturating_sub(self.config.close_timeout);
        let until = until.min(told_at + CLOSE_TIME_MIN);
        if until <= self.now {
            self.close_at_once(index);
        } else {
            self.enter(index, Phase::Closing, Some(until));
        }
    }

    /// The network has not taken a batch in time: nothing said to this peer would arrive.
    pub(crate) fn send_timeout(&mut self, index: u32) {
        self.end(index, SessionEnd::Timeout("send"));
        self.close_at_once(index);
    }

    /// Forgets a release that a resynchronization or a negative answer has ended.
    pub(crate) fn note_release(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        let goes_on = !matches!(
            slot.state,
            State::Sta01 | State::Sta01A | State::Sta01B | State::Sta01C | State::Sta15D | State::Sta16
        ) && !is_releasing(slot.state);
        if goes_on {
            slot.marks.release_indicated = false;
            if slot.phase == Phase::Releasing {
                self.enter(index, Phase::Open, None);
            }
        }
    }

    /// Ends the session if the machine says that it is over.
    pub(crate) fn end_if_over(&mut self, index: u32) {
        let slot = self.slab.at(index);
        let over = match slot.state {
            State::Sta01 | State::Sta01A | State::Sta16 => true,
            // Idle with the transport connection kept: where a responder begins, and where a session may end.
            State::Sta01C => slot.marks.over || slot.cold.end.is_some(),
            _ => false,
        };
        if over {
            let kept = slot.state == State::Sta01C;
            self.finish(index);
            if kept {
                self.keep_transport(index);
            }
        }
    }

    /// Closes the connection once everything queued is with the driver.
    pub(crate) fn close_after_flush(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        if slot.marks.close_due {
            return;
        }
        slot.marks.close_due = true;
        if !slot.marks.connected {
            slot.marks.dead = true;
            slot.marks.connected = true;
        }
        let deadline = self.now + self.config.close_timeout;
        self.drop_intake(index);
        self.enter(index, Phase::Closing, Some(deadline));
        self.mark_dirty(index);
    }

    /// Resets the connection.
    pub(crate) fn close_at_once(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        slot.marks.close_due = true;
        slot.marks.closing = true;
        slot.marks.dead = true;
        self.driver.close(slot.connection, Close::Abort);
        self.drop_intake(index);
        self.drop_output(index);
        self.enter(index, Phase::Closing, None);
    }

    /// The driver has ended all work on the connection: frees the slot.
    pub(crate) fn closed(&mut self, index: u32) {
        self.drop_intake(index);
        self.drop_output(index);
        self.forget_octets(index);
        self.tap_closed(self.slab.id(index));
        self.wheel.cancel(index);
        self.holders.remove(index);
        let slot = self.slab.remove(index);
        self.forget_tls(slot.cold.wire.as_deref());
        debug_assert!(slot.marks.over, "a connection is closed only after its session has ended");
        let tally = &mut self.tally;
        match slot.role {
            Role::Initiator => tally.sessions_open_initiator -= 1,
            Role::Responder => tally.sessions_open_responder -= 1,
            Role::Refusal => tally.refusals_open -= 1,
        }
        if slot.marks.established {
            tally.sessions_established -= 1;
        }
        if let Some(listener) = slot.cold.listener
            && slot.role == Role::Responder
        {
            let listener = &mut self.listeners[listener as usize];
            listener.sessions -= 1;
            if !slot.marks.established {
                listener.not_established -= 1;
            }
        }
    }

    /// Notes what an indication says about how the session ends; `found`: it comes with a fault of the peer.
    pub(crate) fn note_end(&mut self, index: u32, indication: &Indication<'_>, found: bool) {
        match *indication {
            Indication::ConnectRefused(refuse) => {
                self.will_end(index, SessionEnd::Refused { reason: refuse.reason, by_peer: true });
            }
            Indication::ReleaseConfirm { affirmative: true, .. } => {
                self.will_end(index, SessionEnd::Released);
            }
            Indication::UserAbort { .. } => {
                self.will_end(index, SessionEnd::Aborted { by_peer: true, by_user: true });
            }
            Indication::ProviderAbort { reason } => {
                let end = match reason {
                    _ if found => SessionEnd::ProtocolError,
                    ProviderAbortReason::TransportDisconnect => SessionEnd::Eof,
                    _ => SessionEnd::Aborted { by_peer: true, by_user: false },
                };
                self.will_end(index, end);
            }
            _ => {}
        }
    }
}

/// How a kept transport connection ends on which no session began: any orderly way is the normal one.
fn unused(end: SessionEnd) -> SessionEnd {
    match end {
        SessionEnd::Eof | SessionEnd::TransportRefused { .. } | SessionEnd::Timeout("half-open") => {
            SessionEnd::Unused
        }
        end => end,
    }
}

/// The reason code, if the TSDU is an RF of this side.
pub(crate) fn refusal(tsdu: &[u8]) -> Option<u8> {
    if tsdu.first() != Some(&SpduKind::Refuse.si()) {
        return None;
    }
    let view = Tsdu::new(tsdu).next_spdu(&DecodeRules::LENIENT).ok()??;
    match view.parse(&DecodeRules::LENIENT).ok()? {
        Spdu::Refuse(refuse) => Some(refuse.reason),
        _ => None,
    }
}

/// Counts an end.
pub(crate) fn count(tally: &mut Tally, end: &SessionEnd) {
    let count = match end {
        SessionEnd::Released => &mut tally.ended_released,
        SessionEnd::Refused { by_peer: false, .. } => &mut tally.ended_refused_local,
        SessionEnd::Refused { by_peer: true, .. } => &mut tally.ended_refused_peer,
        SessionEnd::Aborted { by_peer: false, .. } => &mut tally.ended_aborted_local,
        SessionEnd::Aborted { by_peer: true, .. } => &mut tally.ended_aborted_peer,
        SessionEnd::TransportRefused { .. } => &mut tally.ended_transport_refused,
        SessionEnd::Eof => &mut tally.ended_eof,
        SessionEnd::Network(_) => &mut tally.ended_network,
        SessionEnd::Timeout(_) => &mut tally.ended_timeout,
        SessionEnd::ProtocolError => &mut tally.ended_protocol_error,
        SessionEnd::Unused => &mut tally.ended_unused,
        SessionEnd::Wire(WireFault::Tls(_)) => &mut tally.ended_tls,
        SessionEnd::Wire(WireFault::Proxy(_)) => &mut tally.ended_proxy,
    };
    *count += 1;
}

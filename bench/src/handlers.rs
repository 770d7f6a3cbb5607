//! What the generator does with each call from the shard.

use std::net::SocketAddr;

use colloquy_session::{FunctionalUnits, Indication, ProviderAbortReason, Request, ResynchronizeAnswer};
use colloquy_shard::{Application, Context, Fault, SessionEnd, SessionId, TransportAnswer};
use colloquy_transport::buf::Body;
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

use crate::generator::{Command, Generator, Phase, PlanIndex, Stage};
use crate::operation::Operation;
use crate::units;

/// Reason of a DR to a peer that connects to a generator (X.224 §13.5.3: not specified).
const REASON_NOT_SPECIFIED: u8 = 0;

impl Application for Generator {
    type Session = PlanIndex;
    type Command = Command;

    fn transport_connect<D: Driver>(
        &mut self,
        _: &mut Context<'_, D, Self>,
        _: SessionId,
        _: u32,
        _: SocketAddr,
        _: &ConnectTpdu,
    ) -> TransportAnswer {
        // A generator has no listeners, so nobody gets here; refusing is right if somebody does.
        TransportAnswer::Refuse(REASON_NOT_SPECIFIED)
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        let Some(index) = self.index_of(ctx, id) else { return };
        match indication {
            Indication::Data { enclosure, .. } => self.answer(ctx, index, enclosure, body),
            Indication::ConnectConfirm(accept) => self.accepted(ctx, index, id, accept.requirements),
            Indication::TypedData { enclosure, .. } => self.typed_answer(ctx, index, enclosure, body),
            Indication::ExpeditedData { user_data } => self.expedited_answer(ctx, index, user_data),
            Indication::TokenGive { .. } => self.token_arrived(ctx, index),
            Indication::TokenPlease { .. } => self.token_asked(ctx, index, id),
            Indication::ReleaseConfirm { affirmative: false, .. } => {
                self.give_session_up(ctx, id, "release refused by the peer");
            }
            Indication::Resynchronize(_) => self.resynchronized(ctx, index, id),
            Indication::ProviderException { .. } | Indication::UserException { .. } => {
                self.give_session_up(ctx, id, "exception reported by the peer");
            }
            Indication::Release { .. } => {
                if let Err(error) = ctx.release_response(id, true, &[]) {
                    self.recorder.error(&format!("S-RELEASE response: {error}"));
                }
            }
            other => self.operation_confirmed(ctx, index, &other),
        }
    }

    fn writable<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        if let Some(index) = self.index_of(ctx, id) {
            self.issue(ctx, index);
        }
    }

    fn timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        let Some(index) = self.index_of(ctx, id) else { return };
        if self.slots[index as usize].stage == Stage::Connecting {
            self.recorder.error("connect timeout");
            ctx.provider_abort(id, ProviderAbortReason::Undefined);
        }
    }

    fn ended<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd) {
        let Some(index) = self.index_of(ctx, id) else { return };
        let slot = &mut self.slots[index as usize];
        let stage = std::mem::replace(&mut slot.stage, Stage::Over);
        slot.id = None;
        self.count_lost(index as usize);
        let mut follows = false;
        match stage {
            Stage::Connecting => {
                self.connecting -= 1;
                self.recorder.error(&class_of(&end));
                self.session_failed();
            }
            Stage::Releasing if self.left(ctx.now(), index as usize, &end) => {
                follows = self.follow(index as usize);
            }
            _ => {
                self.recorder.counts.ended_early += 1;
                self.recorder.error(&class_of(&end));
                self.show_failures();
            }
        }
        if !follows && std::mem::take(&mut self.slots[index as usize].course.unfinished) {
            self.unfinished -= 1;
        }
        if matches!(stage, Stage::Established | Stage::Releasing) {
            self.established -= 1;
            self.live.established(self.established);
        }
        self.advance(ctx);
    }

    fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, fault: Fault) {
        let class = match fault {
            Fault::Transport(fault) => format!("peer's fault: {} {:?}", fault.layer, fault.kind),
            Fault::Session(fault) => format!("peer's fault: {fault:?}"),
        };
        self.recorder.error(&class);
    }

    fn command<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, command: Command) {
        match command {
            Command::Open => self.open(ctx),
            Command::Start => self.start(ctx),
            Command::Stop => match self.phase {
                Phase::Running(_) => self.end_window(ctx, ctx.now()),
                _ => self.give_up(ctx),
            },
        }
    }

    fn shard_timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>) {
        self.armed = None;
        self.advance(ctx);
    }
}

impl Generator {
    /// Takes the confirm of an operation.
    fn operation_confirmed<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        indication: &Indication<'_>,
    ) {
        let (operation, serial_number, user_data) = match *indication {
            Indication::SyncMinorConfirm { serial_number, .. } => {
                return self.minor_confirmed(ctx, index, serial_number);
            }
            Indication::SyncMajorConfirm { serial_number, user_data } => {
                (Operation::MajorSync, Some(serial_number), user_data)
            }
            Indication::ActivityEndConfirm { serial_number, user_data } => {
                (Operation::ActivityEnd, Some(serial_number), user_data)
            }
            Indication::ResynchronizeConfirm(answer) => {
                (Operation::Resync, answer.serial_number, answer.user_data)
            }
            Indication::ActivityInterruptConfirm { user_data } => {
                (Operation::ActivityInterrupt, None, user_data)
            }
            Indication::ActivityDiscardConfirm { user_data } => (Operation::ActivityDiscard, None, user_data),
            Indication::CapabilityDataConfirm { user_data } => (Operation::Capability, None, user_data),
            // The rest either tells of an end, for which `ended` follows, or no responder of a plan sends it.
            _ => return,
        };
        self.confirmed(ctx, index, operation, serial_number, user_data);
    }

    /// The peer resynchronizes, which is one of its ways to recover from an exception that was reported to it.
    fn resynchronized<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, index: u32, id: SessionId) {
        let pending = self.slots[index as usize].course.pending;
        if pending.is_none_or(|pending| pending.operation != Operation::Exception) {
            return self.give_session_up(ctx, id, "resynchronized by the peer");
        }
        match ctx.request(id, &Request::ResynchronizeResponse(ResynchronizeAnswer::default())) {
            Ok(()) => self.confirmed(ctx, index, Operation::Exception, None, &[]),
            Err(error) => {
                self.refused_here(ctx, index, id, Operation::Exception, error);
            }
        }
    }

    /// Takes the units that the peer has selected: without those that the plan needs there is no use in going on.
    fn accepted<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        selected: FunctionalUnits,
    ) {
        let missing = self.plan.units_needed() - selected;
        if missing.is_empty() {
            self.session_established(ctx, index);
        } else {
            self.give_session_up(ctx, id, &format!("not selected by the peer: {}", units::names(missing)));
        }
    }

    fn give_session_up<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, class: &str) {
        self.recorder.error(class);
        ctx.provider_abort(id, ProviderAbortReason::Undefined);
    }

    fn index_of<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId) -> Option<u32> {
        ctx.state(id).map(|index| index.0).filter(|index| (*index as usize) < self.slots.len())
    }
}

/// A short, bounded name for how a session ended.
fn class_of(end: &SessionEnd) -> String {
    match end {
        SessionEnd::Released => "released by the peer".into(),
        SessionEnd::Refused { reason, .. } => format!("refused, reason {reason}"),
        SessionEnd::Aborted { by_peer: true, by_user } => {
            format!("aborted by the peer's {}", if *by_user { "user" } else { "provider" })
        }
        SessionEnd::Aborted { by_peer: false, .. } => "aborted here".into(),
        SessionEnd::TransportRefused { reason } => format!("transport refused, reason {reason}"),
        SessionEnd::Eof => "closed by the peer".into(),
        SessionEnd::Network(error) => format!("network: {}", error.kind()),
        SessionEnd::Timeout(which) => format!("timeout: {which}"),
        SessionEnd::ProtocolError => "protocol error".into(),
        other => format!("{other:?}"),
    }
}

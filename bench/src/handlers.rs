//! What the generator does with each call from the shard.

use std::net::SocketAddr;

use colloquy_session::Indication;
use colloquy_shard::{Application, Context, Fault, SessionEnd, SessionId, TransportAnswer};
use colloquy_transport::buf::Body;
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

use crate::generator::{Command, Generator, Phase, PlanIndex, Stage};

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
            Indication::ConnectConfirm(_) => self.session_established(ctx, index),
            Indication::TokenGive { .. } => self.token_arrived(ctx, index),
            Indication::TokenPlease { .. } => self.token_asked(ctx, id),
            Indication::Release { .. } => {
                if let Err(error) = ctx.release_response(id, true, &[]) {
                    self.recorder.error(&format!("S-RELEASE response: {error}"));
                }
            }
            // The rest either tells of an end, for which `ended` follows, or was not proposed.
            _ => {}
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
            ctx.provider_abort(id, colloquy_session::ProviderAbortReason::Undefined);
        }
    }

    fn ended<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd) {
        let Some(index) = self.index_of(ctx, id) else { return };
        let slot = &mut self.slots[index as usize];
        let stage = std::mem::replace(&mut slot.stage, Stage::Over);
        slot.id = None;
        if stage == Stage::Established && !self.plan.is_finished(slot.sent) {
            self.unfinished -= 1;
        }
        self.count_lost(index as usize);
        match stage {
            Stage::Connecting => {
                self.connecting -= 1;
                self.recorder.error(&class_of(&end));
                self.session_failed();
            }
            Stage::Releasing if matches!(end, SessionEnd::Released) => {
                self.recorder.counts.released += 1;
            }
            _ => {
                self.recorder.counts.ended_early += 1;
                self.recorder.error(&class_of(&end));
                self.show_failures();
            }
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

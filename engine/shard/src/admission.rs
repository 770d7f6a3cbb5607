//! Who is let in: the shard's own limits, then the application, before anything of the peer is looked at.

use std::net::SocketAddr;

use colloquy_session::Session;
use colloquy_transport::class0::Class0;
use colloquy_transport::driver::{Close, ConnectionId, Driver, ListenerId};

use crate::application::{Application, SessionEnd};
use crate::context::Context;
use crate::core::{Core, Listening};
use crate::ending::REASON_CONGESTION;
use crate::shard::Shard;
use crate::slab::{Cold, Phase, Role, Slot};

/// What to do with a connection that was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// Let it in: what it brings is looked at, and its end is told by [`Application::ended`].
    #[default]
    Admit,
    /// Answer its CR by DR with this reason (X.224 §13.5.3: 1 congestion, 128 + 8 connection not accepted ...). At most
    /// [`ShardConfig::refusals_max`](crate::ShardConfig::refusals_max) wait for their CR at once; beyond, it is closed.
    Refuse(u8),
    /// Reset it at once.
    Close,
}

/// A limit of the shard's own that a connection met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ShardLimit {
    /// [`ShardConfig::sessions_max`](crate::ShardConfig::sessions_max).
    SessionsMax,
    /// [`ListenerConfig::sessions_max`](crate::ListenerConfig::sessions_max).
    ListenerSessionsMax,
    /// [`ListenerConfig::not_established_max`](crate::ListenerConfig::not_established_max).
    NotEstablishedMax,
    /// Its listener has stopped; the connection was accepted before that.
    NotListening,
}

impl<D: Driver, A: Application> Shard<D, A> {
    /// Takes an accepted connection in, or keeps it just long enough to be told that there is no place.
    pub(crate) fn accepted(&mut self, listener: ListenerId, connection: ConnectionId, peer: SocketAddr) {
        let core = &mut self.core;
        core.tally.accepted += 1;
        let Some(place) = core.listeners.iter().position(|each| each.id == listener) else {
            core.driver.close(connection, Close::Abort);
            return;
        };
        if let Some(limit) = core.limit_met(place) {
            let tag = core.listeners[place].tag;
            core.take_refusal(place, connection, peer);
            self.app.refused(&mut Context { core }, tag, peer, limit);
            return;
        }
        core.tally.sessions_open_responder += 1;
        core.listeners[place].sessions += 1;
        core.listeners[place].not_established += 1;
        let index = core.insert_accepted(place, connection, peer, Role::Responder);
        core.slab.at_mut(index).marks.unasked = true;
        if !core.slab.at(index).awaits_header() {
            self.admit(index);
        }
    }

    /// Asks the application about an accepted connection whose true source is known. Nothing of it may have been given
    /// to class 0 before; after this it may be over.
    pub(crate) fn admit(&mut self, index: u32) {
        let core = &mut self.core;
        let slot = core.slab.at_mut(index);
        if !std::mem::take(&mut slot.marks.unasked) || slot.marks.over {
            return;
        }
        core.tally.sessions_opened += 1;
        let (peer, id) = (slot.cold.peer, core.slab.id(index));
        let tag = core.tag_of(index);
        let answer = self.app.accepted(&mut Context { core }, id, tag, peer);
        let core = &mut self.core;
        if answer == Admission::Admit || core.slab.at(index).marks.over {
            return;
        }
        core.tally.sessions_opened -= 1;
        core.tally.refused_by_application += 1;
        let room = (core.tally.refusals_open as usize) < core.config.refusals_max;
        core.turn_into_refusal(index);
        match answer {
            Admission::Refuse(reason) if room => core.slab.at_mut(index).cold.refusal = reason,
            _ => {
                core.tally.refused_closed += 1;
                core.end(index, SessionEnd::TransportRefused { reason: REASON_CONGESTION });
                core.close_at_once(index);
            }
        }
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// The first limit that one more connection of a listener would exceed, counted.
    fn limit_met(&mut self, place: usize) -> Option<ShardLimit> {
        let Listening { config, sessions, not_established, accepting, .. } = &self.listeners[place];
        let (limit, count) = if !accepting {
            (ShardLimit::NotListening, &mut self.tally.refused_not_listening)
        } else if self.slab.count() - self.tally.refusals_open as usize >= self.config.sessions_max {
            (ShardLimit::SessionsMax, &mut self.tally.refused_sessions_max)
        } else if *sessions >= config.sessions_max {
            (ShardLimit::ListenerSessionsMax, &mut self.tally.refused_listener_max)
        } else if *not_established >= config.not_established_max {
            (ShardLimit::NotEstablishedMax, &mut self.tally.refused_not_established_max)
        } else {
            return None;
        };
        *count += 1;
        Some(limit)
    }

    /// Keeps a connection until its CR can be answered, or closes it when too many wait for that.
    fn take_refusal(&mut self, place: usize, connection: ConnectionId, peer: SocketAddr) {
        if self.tally.refusals_open as usize >= self.config.refusals_max {
            self.tally.refused_closed += 1;
            self.driver.close(connection, Close::Abort);
            return;
        }
        self.tally.refusals_open += 1;
        self.insert_accepted(place, connection, peer, Role::Refusal);
    }

    fn insert_accepted(
        &mut self,
        place: usize,
        connection: ConnectionId,
        peer: SocketAddr,
        role: Role,
    ) -> u32 {
        let config = self.listeners[place].config;
        let mut cold = Cold::new(peer, self.now, config.connect_timeout);
        cold.listener = Some(place as u32);
        let ends = (Class0::responder(&config.transport), Session::responder(&config.session));
        let id = self.slab.insert(Slot::new(connection, role, ends, cold));
        let patience = config.transport_timeout.min(config.connect_timeout);
        self.enter(id.index, Phase::AwaitCr, Some(self.now + patience));
        self.accepted_wire(id.index, place);
        id.index
    }

    /// The application does not want an accepted connection: it counts as a refusal from here on.
    fn turn_into_refusal(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        slot.role = Role::Refusal;
        slot.app = A::Session::default();
        slot.cold.application_deadline = None;
        let place = slot.cold.listener.expect("it was accepted") as usize;
        self.tally.sessions_open_responder -= 1;
        self.tally.refusals_open += 1;
        self.listeners[place].sessions -= 1;
        self.listeners[place].not_established -= 1;
        self.rearm(index);
    }

    /// The tag of the listener that accepted a connection.
    pub(crate) fn tag_of(&self, index: u32) -> u32 {
        let place = self.slab.at(index).cold.listener.expect("it was accepted");
        self.listeners[place as usize].tag
    }
}

//! Opening the upstream: what is proposed to it, and what the downstream is answered.

use colloquy_session::{
    AcceptParameters, ConnectParameters, ConnectionIdentifier, FunctionalUnits, SessionConfig, TokenSettings,
    TokenSide, Tokens, Versions,
};
use colloquy_shard::{ConnectError, ConnectTarget, Context, SessionId};
use colloquy_transport::class0::{Class0Config, ConnectTpdu};
use colloquy_transport::driver::{ConnectOptions, Driver};
use colloquy_transport::net::is_local_shortage;

use super::super::admission::refuse_reason;
use super::super::state::{Phase, Role, TimerFor};
use super::super::user::limited;
use super::super::{GatewayApp, Stage};
use super::end::SideEnd;
use crate::config::{EngineConfig, ListenerConfig, Profile, TargetConfig};
use crate::record::NotCarried;

/// User data from this length on need version 2, so version 1 must not be offered with them. X.225 §8.3.1.
const VERSION_1_USER_DATA_OCTETS_MAX: usize = 512;
/// Octets of user data of S-CONNECT that fit CN itself. X.225 §8.3.1.
const CONNECT_USER_DATA_OCTETS: usize = 10_240;
/// Units with synchronization points, which have serial numbers. X.225 §8.3.1.
const NUMBERED: FunctionalUnits = FunctionalUnits::MINOR_SYNC
    .union(FunctionalUnits::MAJOR_SYNC)
    .union(FunctionalUnits::RESYNCHRONIZE)
    .union(FunctionalUnits::SYMMETRIC_SYNC);

/// What the upstream is asked for.
///
/// # Errors
/// The RF reason for the downstream when the profile leaves nothing to propose.
pub fn propose<'a>(
    listener: &ListenerConfig,
    target: &TargetConfig,
    connect: &ConnectParameters<'a>,
) -> Result<ConnectParameters<'a>, u8> {
    // Counters for each direction are reconstructed and not carried.
    let offered = (connect.requirements & listener.functional_units) - FunctionalUnits::SYMMETRIC_SYNC;
    let called = target.called_ssap.unwrap_or(connect.called);
    let calling = target.calling_ssap.unwrap_or(connect.calling);
    let carried = match target.profile {
        Profile::Mms => ConnectParameters {
            identifier: ConnectionIdentifier::default(),
            calling,
            called,
            versions: Versions::V2,
            requirements: offered & FunctionalUnits::DUPLEX,
            initial_serial_number: None,
            second_initial_serial_number: None,
            token_settings: TokenSettings::default(),
            tsdu_maximum_size: None,
            user_data: connect.user_data,
        },
        Profile::Transparent => ConnectParameters {
            versions: if connect.user_data.len() > VERSION_1_USER_DATA_OCTETS_MAX {
                connect.versions & Versions::V2
            } else {
                connect.versions
            },
            calling,
            called,
            requirements: offered,
            // Without these units nothing is numbered, and a number of its own is a contradiction.
            initial_serial_number: connect.initial_serial_number.filter(|_| offered.intersects(NUMBERED)),
            second_initial_serial_number: None,
            ..*connect
        },
    };
    let dialogue = FunctionalUnits::DUPLEX | FunctionalUnits::HALF_DUPLEX;
    if !carried.requirements.intersects(dialogue) || carried.versions.is_empty() {
        return Err(refuse_reason::RESTRICTION);
    }
    Ok(carried)
}

/// What the downstream is answered when the upstream accepted.
///
/// TSDU maximum sizes are each side's own affair: they answer what the downstream proposed.
pub fn answer<'a>(target: &TargetConfig, accept: &AcceptParameters<'a>) -> AcceptParameters<'a> {
    AcceptParameters {
        // A selector that the target replaced means nothing to the downstream, and some initiators abort
        // when the responding selector is not the one they called: the called one is echoed.
        responding: if target.called_ssap.is_some() { None } else { accept.responding },
        tsdu_maximum_size: None,
        tokens_please: tokens_please(accept),
        ..*accept
    }
}

/// Tokens that the upstream asks for in AC, as far as a responder may ask for them: those it does not have.
fn tokens_please(accept: &AcceptParameters<'_>) -> Tokens {
    let TokenSettings { data, minor, major, release } = accept.token_settings;
    let sides =
        [(Tokens::DATA, data), (Tokens::MINOR, minor), (Tokens::MAJOR, major), (Tokens::RELEASE, release)];
    let here = sides.into_iter().filter(|(_, side)| *side != TokenSide::Initiator);
    accept.tokens_please - here.map(|(token, _)| token).collect()
}

impl GatewayApp {
    pub(super) fn relay_connect<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        connect: &ConnectParameters<'_>,
    ) {
        let Some(state) = ctx.state(id) else { return };
        let Role::Downstream { listener, target: target_index } = state.role else { return };
        state.tsdu_proposed = connect.tsdu_maximum_size.unwrap_or_default();
        let transport = state.transport.as_deref().copied().unwrap_or_default();
        let expedited = ctx.machine(id).is_some_and(|machine| machine.transport_expedited());
        let config = std::sync::Arc::clone(&self.config);
        let target = &config.targets[usize::from(target_index)];
        let opened = propose(&config.listeners[usize::from(listener)], target, connect).and_then(|connect| {
            let target = connect_target(&config.engine, target, (&transport, expedited), connect);
            ctx.connect(&target).map_err(|error| refusal_of(&error))
        });
        let upstream = match opened {
            Ok(upstream) => upstream,
            Err(reason) => return self.refuse_relay(ctx, id, reason),
        };
        if self.register(ctx, upstream, Role::Upstream { target: target_index }).is_none() {
            return;
        }
        let now = ctx.now();
        if let Some(state) = ctx.state(upstream) {
            state.partner = Some(id);
        }
        if let Some(state) = ctx.state(id) {
            state.partner = Some(upstream);
        }
        self.arm(ctx, upstream, Some((TimerFor::Answer, now + target.connect_timeout)));
    }

    /// The upstream accepted: only now is the downstream answered.
    pub(super) fn relay_accept<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        upstream: SessionId,
        downstream: SessionId,
        accept: &AcceptParameters<'_>,
    ) {
        self.arm(ctx, upstream, None);
        let Some(state) = ctx.state(downstream) else { return };
        let (Role::Downstream { listener, target }, proposed) = (state.role, state.tsdu_proposed) else {
            return;
        };
        let config = std::sync::Arc::clone(&self.config);
        let (listener, target) =
            (&config.listeners[usize::from(listener)], &config.targets[usize::from(target)]);
        let answer = AcceptParameters {
            tsdu_maximum_size: Some(limited(proposed, listener.tsdu_maximum_size)),
            ..answer(target, accept)
        };
        if let Some(state) = ctx.state(upstream) {
            state.asked_in_accept = accept.tokens_please;
        }
        if let Err(error) = ctx.connect_response(downstream, &answer) {
            let name = "S-CONNECT response";
            return self.give_up(ctx, upstream, NotCarried::Primitive { name, error });
        }
        self.reached(ctx, upstream, Stage::Upstream);
        self.reached(ctx, downstream, Stage::Session);
        for id in [upstream, downstream] {
            if let Some(state) = ctx.state(id) {
                state.phase = Phase::Open;
            }
        }
    }
}

fn connect_target<'a>(
    engine: &EngineConfig,
    target: &TargetConfig,
    (transport, expedited): (&ConnectTpdu, bool),
    connect: ConnectParameters<'a>,
) -> ConnectTarget<'a> {
    ConnectTarget {
        wire: None,
        address: target.address,
        options: ConnectOptions::default(),
        calling_tsap: target.calling_tsap.or(transport.calling),
        called_tsap: target.called_tsap.or(transport.called),
        transport: Class0Config {
            tpdu_octets_max: target.tpdu_octets_max,
            tsdu_octets_max: target.tsdu_octets_max,
            pinned_octets_max: engine.pinned_octets_max,
            expedited: expedited && target.transport_expedited,
        },
        session: SessionConfig {
            versions: connect.versions,
            functional_units: connect.requirements,
            tim: target.tim,
            strict: target.strict,
            connect_user_data_octets_max: connect.user_data.len().max(CONNECT_USER_DATA_OCTETS),
            extended_concatenation: target.extended_concatenation,
            ..SessionConfig::default()
        },
        connect,
    }
}

fn refusal_of(error: &ConnectError) -> u8 {
    match error {
        ConnectError::Service(_) => refuse_reason::RESTRICTION,
        ConnectError::Io(error) if !is_local_shortage(error) => refuse_reason::USER_NOT_ATTACHED,
        // The shard's limit, or the system's: descriptors, ports, memory.
        _ => refuse_reason::CONGESTION,
    }
}

/// The RF reason for a downstream whose upstream ended before it answered.
pub(super) fn refusal_for(end: &SideEnd) -> u8 {
    match end {
        SideEnd::Refused { reason } => *reason,
        // X.224 §13.5.3: 1 congestion at the TSAP, 2 no session entity attached, 3 address unknown.
        SideEnd::TransportRefused { reason: 1 } | SideEnd::Timeout => refuse_reason::CONGESTION,
        SideEnd::TransportRefused { reason: 2 | 3 } | SideEnd::Unreachable => {
            refuse_reason::USER_NOT_ATTACHED
        }
        SideEnd::GaveUp => refuse_reason::RESTRICTION,
        _ => refuse_reason::NOT_GIVEN,
    }
}

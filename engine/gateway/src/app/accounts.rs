//! The account of sessions: one record when a session opens and one when it ends, which match one to one.
//!
//! The open record of an accepted session is made when its S-CONNECT has been dealt with, so that route and target are
//! known; that of a session to a target when it is asked for. What ended before has its open record right in front of
//! the close record.

use std::time::Duration;

use colloquy_session::{ConnectParameters, FunctionalUnits};
use colloquy_shard::{Context, SessionEnd, SessionId};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::durations::Stage;
use super::relay::propose::propose;
use super::state::{Role, SessionState};
use crate::record::{Destination, EndRecord, OpenRecord, RecordEvent, Subject, SyncNumbers};

/// What an open record takes from S-CONNECT, which is gone when the record is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proposal(OpenRecord);

impl Proposal {
    pub(super) fn of(connect: &ConnectParameters<'_>) -> Proposal {
        Proposal(OpenRecord {
            calling_ssap: Some(connect.calling),
            called_ssap: Some(connect.called),
            units: connect.requirements,
            versions: connect.versions,
            ..OpenRecord::unknown()
        })
    }
}

impl GatewayApp {
    /// A session has begun: makes its open record.
    pub(super) fn record_open<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        proposal: Option<Proposal>,
        transport: Option<&ConnectTpdu>,
    ) {
        let Some(state) = ctx.state(id) else { return };
        let role = state.role;
        if std::mem::replace(&mut state.open_recorded, true) || is_nobodys(role) {
            return;
        }
        let Some(state) = ctx.state(id) else { return };
        let transport = transport.or(state.transport.as_deref());
        let open = OpenRecord {
            calling_tsap: transport.and_then(|transport| transport.calling),
            called_tsap: transport.and_then(|transport| transport.called),
            ..proposal.map_or_else(OpenRecord::unknown, |proposal| proposal.0)
        };
        let tls_version = ctx.tls(id).map(|tls| tls.version);
        let open = OpenRecord { destination: destination_of(role), tls_version, ..open };
        let subject = self.subject(ctx, id);
        self.record(subject, RecordEvent::Opened(open));
    }

    /// A session to a target is asked for, on behalf of a downstream that has sent `connect`.
    pub(super) fn record_upstream<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        downstream: SessionId,
        upstream: SessionId,
        connect: &ConnectParameters<'_>,
    ) {
        let came =
            ctx.state(downstream).and_then(|state| state.transport.as_deref().copied()).unwrap_or_default();
        let (Some(listener), Some(Role::Upstream { target })) =
            (ctx.listener(downstream), ctx.state(upstream).map(|state| state.role))
        else {
            return;
        };
        let target = &self.config.targets[usize::from(target)];
        let proposed = propose(&self.config.listeners[listener as usize], target, connect);
        let transport = ConnectTpdu {
            calling: target.calling_tsap.or(came.calling),
            called: target.called_tsap.or(came.called),
            ..came
        };
        let proposal = proposed.ok().map(|connect| Proposal::of(&connect));
        self.record_open(ctx, upstream, proposal, Some(&transport));
    }

    /// A session is over: makes its close record, and the open record where there is none yet. `state` is what was kept of
    /// it, `subject` who it was before the other leg was told.
    pub(super) fn record_close<D: Driver>(
        &mut self,
        ctx: &Context<'_, D, Self>,
        (id, end): (SessionId, &SessionEnd),
        subject: Subject,
        state: &SessionState,
    ) {
        if is_nobodys(state.role) {
            return;
        }
        if !state.open_recorded {
            let transport = state.transport.as_deref();
            let open = OpenRecord {
                calling_tsap: transport.and_then(|transport| transport.calling),
                called_tsap: transport.and_then(|transport| transport.called),
                destination: destination_of(state.role),
                ..OpenRecord::unknown()
            };
            self.record(subject, RecordEvent::Opened(open));
        }
        let now = ctx.now();
        let began = ctx.opened(id).unwrap_or(now);
        let established = (state.established_at > 0).then(|| Duration::from_nanos(state.established_at));
        let machine = ctx.machine(id);
        let close = EndRecord {
            end: end.into(),
            duration: now.saturating_sub(began),
            connect: established.map(|at| at.saturating_sub(began)),
            open: established.map(|at| now.saturating_sub(at)),
            ssdus_in: state.ssdus_in,
            ssdus_out: state.ssdus_out,
            octets_in: state.octets_in,
            octets_out: state.octets_out,
            units: machine.map_or(FunctionalUnits::empty(), |machine| machine.functional_units()),
            version: machine.and_then(|machine| machine.version()),
            state: machine.map(|machine| machine.state()),
            sync: machine
                .and_then(|machine| SyncNumbers::of(machine.functional_units(), machine.serial_numbers())),
            destination: destination_of(state.role),
            tls_version: ctx.tls(id).map(|tls| tls.version),
            why: state.why,
        };
        self.record(subject, RecordEvent::Ended(close));
    }

    /// Times how long it took a session to get so far, from accepting its connection or from asking a target for it.
    pub(crate) fn reached<D: Driver>(
        &self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        stage: Stage,
    ) -> Option<Duration> {
        let now = ctx.now();
        let opened = ctx.opened(id)?;
        let state = ctx.state(id)?;
        // A connection may be open long before a session wants it.
        let asked = std::mem::take(&mut state.stage_began);
        let began = if asked > 0 { Duration::from_nanos(asked) } else { opened };
        if let Stage::Session | Stage::Upstream = stage {
            state.established_at = (now.as_nanos() as u64).max(1);
        }
        let took = now.saturating_sub(began);
        self.counters.took(stage, took);
        Some(took)
    }
}

/// True for what is no session of anybody's, so that the account leaves it out: health checks, and connections that no
/// session has wanted.
fn is_nobodys(role: Role) -> bool {
    matches!(role, Role::Probe { .. } | Role::Warm { .. })
}

/// Where an accepted session goes, as far as that is known.
fn destination_of(role: Role) -> Destination {
    match role {
        Role::Downstream { route, target, .. } => Destination { route, target },
        _ => Destination::default(),
    }
}

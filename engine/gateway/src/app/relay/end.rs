//! How the end of one side becomes the right primitive on the other.

use colloquy_session::{ProviderAbortReason, RefuseParameters, ServiceError};
use colloquy_shard::{Context, SessionEnd, SessionId};
use colloquy_transport::driver::Driver;

use super::super::held::HeldFlows;
use super::super::state::{Phase, Role, SessionState};
use super::super::stops::Stops;
use super::super::{AbortOrigin, GatewayApp};
use super::connect::refusal_for;
use super::retry::outcome_of;
use crate::plan::RefusedFor;
use crate::record::RecordEvent;

/// How one side of a relay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SideEnd {
    /// The upstream refused: RF.
    Refused {
        /// Its reason code.
        reason: u8,
    },
    /// The peer's user aborted: AB with the user bit.
    UserAbort,
    /// The peer's provider aborted, or this side's machine found a protocol error.
    ProviderAbort(ProviderAbortReason),
    /// The transport connection was refused: DR.
    TransportRefused {
        /// DR reason.
        reason: u8,
    },
    /// No network connection could be had.
    Unreachable,
    /// The network connection closed or failed.
    Lost,
    /// The peer did not answer CN or FN in time.
    Timeout,
    /// Released in order.
    Released,
    /// The relay could not carry something over.
    GaveUp,
}

/// Where the other side stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherSide {
    /// A downstream whose S-CONNECT is not answered.
    AwaitsAnswer,
    /// An upstream that has not answered CN.
    Connecting,
    /// Established.
    Open,
    /// FN was sent to it on behalf of the side that ended.
    Releasing,
}

/// What the other side gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translation {
    /// RF with this reason; with reason 2 the user data go over too.
    Refuse(u8),
    /// AB by the user, with the user data.
    UserAbort,
    /// AB by the provider.
    ProviderAbort(ProviderAbortReason),
    /// Nothing: it ends by itself.
    Nothing,
}

impl SideEnd {
    /// The end of a side that has reported nothing else before; `connecting`: before it was established.
    pub(super) fn of(end: &SessionEnd, connecting: bool) -> SideEnd {
        match end {
            SessionEnd::Released => SideEnd::Released,
            SessionEnd::Refused { reason, .. } => SideEnd::Refused { reason: *reason },
            SessionEnd::Aborted { by_user: true, .. } => SideEnd::UserAbort,
            SessionEnd::Aborted { by_user: false, .. } => {
                SideEnd::ProviderAbort(ProviderAbortReason::Undefined)
            }
            SessionEnd::TransportRefused { reason } => SideEnd::TransportRefused { reason: *reason },
            SessionEnd::Network(_) | SessionEnd::Wire(_) if connecting => SideEnd::Unreachable,
            SessionEnd::Timeout(_) => SideEnd::Timeout,
            SessionEnd::ProtocolError => SideEnd::ProviderAbort(ProviderAbortReason::ProtocolError),
            _ => SideEnd::Lost,
        }
    }
}

/// What the other side gets when a side ends.
///
/// | this side ended by | other awaits the answer to CN | other was sent CN | other is open | other was sent FN for it |
/// |---|---|---|---|---|
/// | RF | RF, same reason and data | P-ABORT | P-ABORT | P-ABORT |
/// | U-ABORT | U-ABORT, same data | U-ABORT, same data | U-ABORT, same data | U-ABORT, same data |
/// | P-ABORT | RF 133 | P-ABORT, same reason | P-ABORT, same reason | P-ABORT, same reason |
/// | DR | RF 131 (reason 1), 130 (2, 3), else 133 | P-ABORT | P-ABORT | nothing |
/// | unreachable | RF 130 | P-ABORT | P-ABORT | nothing |
/// | lost | RF 133 | P-ABORT | P-ABORT | nothing |
/// | time-out | RF 131 | P-ABORT | P-ABORT | P-ABORT |
/// | released | RF 133 | P-ABORT | P-ABORT | nothing |
/// | given up by the relay | RF 134 | P-ABORT, restriction | P-ABORT, restriction | P-ABORT, restriction |
///
/// A release that the other side asked for and that was confirmed is no entry of the table: the response
/// has gone over with the confirm.
///
/// "Nothing" in the last column: a peer that asked for the release and left does not wait for the answer
/// (hat-drivers closes so), and the other side's release goes on under its timer.
pub fn translate(end: &SideEnd, other: OtherSide) -> Translation {
    match (end, other) {
        (SideEnd::UserAbort, _) => Translation::UserAbort,
        (_, OtherSide::AwaitsAnswer) => Translation::Refuse(refusal_for(end)),
        (SideEnd::ProviderAbort(ProviderAbortReason::TransportDisconnect), _) => {
            Translation::ProviderAbort(ProviderAbortReason::Undefined)
        }
        (SideEnd::ProviderAbort(reason), _) => Translation::ProviderAbort(*reason),
        (SideEnd::GaveUp, _) => Translation::ProviderAbort(ProviderAbortReason::ImplementationRestriction),
        (
            SideEnd::Released | SideEnd::Lost | SideEnd::Unreachable | SideEnd::TransportRefused { .. },
            OtherSide::Releasing,
        ) => Translation::Nothing,
        _ => Translation::ProviderAbort(ProviderAbortReason::Undefined),
    }
}

impl GatewayApp {
    /// Tells the other side that this one has ended, once; `user_data` as this side's peer gave it.
    pub(super) fn side_ended<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        end: &SideEnd,
        user_data: &[u8],
    ) {
        if self.closing_ended(ctx, id, end) {
            return;
        }
        let Some(state) = ctx.state(id) else { return };
        let before = std::mem::replace(&mut state.phase, Phase::Over);
        state.held = HeldFlows::default();
        if before == Phase::Connecting
            && let Some(other) = state.partner
            && self.retries_stale(ctx, other, id, end)
        {
            for id in [id, other] {
                if let Some(state) = ctx.state(id) {
                    state.partner = None;
                }
            }
            return;
        }
        self.upstream_ended(ctx, id, before, end);
        let Some(state) = ctx.state(id) else { return };
        // The other side asked for this release, and its response went out when this side confirmed.
        let answered = *end == SideEnd::Released && state.release_requested;
        let Some(other) = state.partner.take() else { return };
        let Some(other_state) = ctx.state(other) else { return };
        other_state.partner = None;
        other_state.stops = Stops::default();
        if other_state.phase == Phase::Over || answered {
            return;
        }
        let translation = translate(end, stands(other_state));
        if let (Translation::Refuse(reason), true) = (translation, outcome_of(end).is_failure())
            && let Role::Downstream { target: Some(target), .. } = other_state.role
            && self.retries(ctx, other, usize::from(target), reason)
        {
            return;
        }
        let Some(other_state) = ctx.state(other) else { return };
        let other_before = other_state.phase;
        if translation != Translation::Nothing {
            other_state.phase = Phase::Over;
            other_state.held = HeldFlows::default();
            // An upstream that is given up before its answer is no failure of the target.
            self.upstream_ended(ctx, other, other_before, &SideEnd::GaveUp);
        }
        if let Translation::Refuse(_) = translation {
            let by_target = matches!(end, SideEnd::Refused { .. } | SideEnd::TransportRefused { .. });
            let why = if by_target { RefusedFor::ByTarget } else { RefusedFor::NotOpened };
            self.count_refused_session(ctx, other, why);
        }
        self.carry_end(ctx, other, translation, user_data);
    }

    fn carry_end<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        other: SessionId,
        translation: Translation,
        user_data: &[u8],
    ) {
        // A paused side must hear the answer to what it is told.
        ctx.resume(other);
        match translation {
            Translation::Nothing => {}
            Translation::Refuse(reason) => {
                let subject = self.subject(ctx, other);
                self.counters.relay_refused();
                self.record(subject, RecordEvent::NotOpened { refused: reason });
                let with = |user_data| RefuseParameters { reason, user_data, transport_kept: false };
                let data = if reason == REASON_WITH_DATA { user_data } else { &[] };
                let refused = ctx.connect_refuse(other, &with(data));
                if let Err(ServiceError::UserDataLength { .. }) = refused {
                    let _ = ctx.connect_refuse(other, &with(&[]));
                }
            }
            Translation::UserAbort => {
                self.arm(ctx, other, None);
                let aborted = ctx.abort_request(other, user_data);
                if let Err(ServiceError::UserDataLength { .. }) = aborted {
                    let _ = ctx.abort_request(other, &[]);
                }
            }
            Translation::ProviderAbort(reason) => {
                self.arm(ctx, other, None);
                self.counters.abort(AbortOrigin::Gateway, reason);
                ctx.provider_abort(other, reason);
            }
        }
    }
}

/// RF reason 2: rejected by the called user, user data may follow. X.225 §8.3.5.
const REASON_WITH_DATA: u8 = 2;

fn stands(state: &SessionState) -> OtherSide {
    match (state.phase, state.role) {
        (Phase::Connecting, Role::Upstream { .. }) => OtherSide::Connecting,
        (Phase::Connecting, _) => OtherSide::AwaitsAnswer,
        _ if state.release_requested => OtherSide::Releasing,
        _ => OtherSide::Open,
    }
}

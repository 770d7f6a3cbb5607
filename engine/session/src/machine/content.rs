//! What goes into the SPDUs that a row sends.

use super::Output;
use crate::spdu::{
    Abort, AbortAccept, ExceptionReport, GiveTokensAck, OverflowAccept, Prepare, Refuse, Resynchronize, Spdu,
};
use crate::{PrepareType, ProviderAbortReason, TransportDisconnect, Versions};

/// Parameters of outgoing SPDUs; those an output does not have stay at their default.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'u> {
    /// The SPDU of the user's request; the row decides what it says about the transport connection.
    pub(super) request: Option<Spdu<'u>>,
    /// AB of the provider: the cause bits of Transport Disconnect.
    pub(super) cause: TransportDisconnect,
    /// AB and ER: octets of the SPDU at fault.
    pub(super) reflect: &'u [u8],
    /// RF: the reason code.
    pub(super) reason: u8,
    /// RF: user data.
    pub(super) user_data: &'u [u8],
    /// RF: versions this end speaks, told when none is common.
    pub(super) versions: Option<Versions>,
    /// OA.
    pub(super) overflow_accept: OverflowAccept,
}

impl Default for Content<'_> {
    fn default() -> Self {
        Self {
            request: None,
            cause: TransportDisconnect::PROTOCOL_ERROR,
            reflect: &[],
            reason: 0,
            user_data: &[],
            versions: None,
            overflow_accept: OverflowAccept::default(),
        }
    }
}

impl<'u> Content<'u> {
    /// What the user asks to be sent.
    pub(super) fn of_request(spdu: Spdu<'u>) -> Self {
        Self { request: Some(spdu), ..Self::default() }
    }

    /// The SPDU of an output; `None` for primitives, and for CN, CDO, DT, TD, whose octets are made elsewhere.
    pub(super) fn spdu(&self, output: Output) -> Option<Spdu<'u>> {
        let prepare = |prepare_type| Spdu::Prepare(Prepare { prepare_type, ..Prepare::default() });
        Some(match output {
            output if output.is_indication() => return None,
            Output::TConReq | Output::TConRsp | Output::TDisReq => return None,
            Output::Cn | Output::Cdo | Output::Dt | Output::Td => return None,
            Output::PrMaa => prepare(PrepareType::MajorSyncAck),
            Output::PrRs => prepare(PrepareType::Resynchronize),
            Output::PrRa => prepare(PrepareType::ResynchronizeAck),
            Output::PrAb => prepare(PrepareType::Abort),
            Output::RfNr => self.refuse(TransportDisconnect::RELEASED),
            Output::RfR => self.refuse(TransportDisconnect::empty()),
            Output::AbNr => self.abort(TransportDisconnect::RELEASED),
            Output::AbR => self.abort(TransportDisconnect::empty()),
            Output::Aa => Spdu::AbortAccept(AbortAccept),
            Output::Gta => Spdu::GiveTokensAck(GiveTokensAck),
            Output::Oa => Spdu::OverflowAccept(self.overflow_accept),
            Output::Er => Spdu::ExceptionReport(ExceptionReport { reflect: self.reflect }),
            _ => match (self.request?, output) {
                (Spdu::Finish(mut finish), Output::FnR) => {
                    finish.transport_disconnect = Some(TransportDisconnect::empty());
                    Spdu::Finish(finish)
                }
                (spdu, _) => spdu,
            },
        })
    }

    /// The PREPARE in front of a RESYNCHRONIZE names the flows concerned; symmetric synchronize only.
    pub(super) fn naming_flows(&self, prepare: Prepare) -> Prepare {
        match self.request {
            Some(Spdu::Resynchronize(Resynchronize { resync_type, second_resync_type, .. })) => {
                Prepare { resync_type: Some(resync_type), second_resync_type, ..prepare }
            }
            _ => prepare,
        }
    }

    fn refuse(&self, transport_disconnect: TransportDisconnect) -> Spdu<'u> {
        let Content { reason, versions, user_data, .. } = *self;
        let transport_disconnect = Some(transport_disconnect);
        Spdu::Refuse(Refuse { transport_disconnect, reason, versions, user_data, ..Refuse::default() })
    }

    fn abort(&self, released: TransportDisconnect) -> Spdu<'u> {
        let mut abort = match self.request {
            Some(Spdu::Abort(abort)) => abort,
            _ => Abort {
                transport_disconnect: self.cause,
                enclosure: None,
                reflect: self.reflect,
                user_data: &[],
            },
        };
        abort.transport_disconnect |= released;
        Spdu::Abort(abort)
    }
}

/// The cause bits of an ABORT sent for a reason of the local provider.
pub(super) fn abort_cause(reason: ProviderAbortReason) -> TransportDisconnect {
    match reason {
        ProviderAbortReason::ProtocolError => TransportDisconnect::PROTOCOL_ERROR,
        ProviderAbortReason::ImplementationRestriction => TransportDisconnect::IMPLEMENTATION_RESTRICTION,
        ProviderAbortReason::Undefined | ProviderAbortReason::TransportDisconnect => {
            TransportDisconnect::NO_REASON
        }
    }
}

/// The reason an ABORT of the peer's provider gives.
pub(super) fn abort_reason(cause: TransportDisconnect) -> ProviderAbortReason {
    if cause.contains(TransportDisconnect::PROTOCOL_ERROR) {
        ProviderAbortReason::ProtocolError
    } else if cause.contains(TransportDisconnect::IMPLEMENTATION_RESTRICTION) {
        ProviderAbortReason::ImplementationRestriction
    } else {
        ProviderAbortReason::Undefined
    }
}

//! What goes into the SPDUs that a row sends.

use super::Output;
use crate::spdu::{
    Abort, AbortAccept, Accept, Disconnect, Finish, GiveTokens, NotFinished, PleaseTokens, Refuse, Spdu,
};
use crate::{ProviderAbortReason, Tokens, TransportDisconnect, Versions};

/// Parameters of outgoing SPDUs; those an output does not have stay at their default.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'u> {
    pub(super) user_data: &'u [u8],
    pub(super) tokens: Tokens,
    /// AB: the cause bits of Transport Disconnect.
    pub(super) cause: TransportDisconnect,
    /// AB: octets of the SPDU at fault.
    pub(super) reflect: &'u [u8],
    pub(super) accept: Accept<'u>,
    /// RF: the reason code.
    pub(super) reason: u8,
    /// RF: versions this end speaks, told when none is common.
    pub(super) versions: Option<Versions>,
}

impl Default for Content<'_> {
    fn default() -> Self {
        Self {
            user_data: &[],
            tokens: Tokens::empty(),
            cause: TransportDisconnect::PROTOCOL_ERROR,
            reflect: &[],
            accept: Accept::default(),
            reason: 0,
            versions: None,
        }
    }
}

impl<'u> Content<'u> {
    pub(super) fn user_data(user_data: &'u [u8]) -> Self {
        Self { user_data, ..Self::default() }
    }

    /// The SPDU of an output; `None` for primitives, and for CN, DT, TD, whose octets are made elsewhere.
    pub(super) fn spdu(&self, output: Output) -> Option<Spdu<'u>> {
        let Content { user_data, tokens, .. } = *self;
        let released = Some(TransportDisconnect::RELEASED);
        let kept = Some(TransportDisconnect::empty());
        let refuse = |transport_disconnect| {
            let Content { reason, versions, .. } = *self;
            Spdu::Refuse(Refuse { transport_disconnect, reason, versions, user_data, ..Refuse::default() })
        };
        let finish =
            |transport_disconnect| Spdu::Finish(Finish { transport_disconnect, enclosure: None, user_data });
        let abort = |transport_disconnect| {
            Spdu::Abort(Abort { transport_disconnect, enclosure: None, reflect: self.reflect, user_data })
        };
        Some(match output {
            Output::Ac => Spdu::Accept(self.accept),
            Output::RfNr => refuse(released),
            Output::RfR => refuse(kept),
            Output::FnNr => finish(released),
            Output::FnR => finish(kept),
            Output::Dn => Spdu::Disconnect(Disconnect { enclosure: None, user_data }),
            Output::Nf => Spdu::NotFinished(NotFinished { enclosure: None, user_data }),
            Output::AbNr => abort(self.cause | TransportDisconnect::RELEASED),
            Output::AbR => abort(self.cause),
            Output::Aa => Spdu::AbortAccept(AbortAccept),
            Output::Gt => Spdu::GiveTokens(GiveTokens { tokens, enclosure: None, user_data }),
            Output::Pt => Spdu::PleaseTokens(PleaseTokens { tokens, enclosure: None, user_data }),
            _ => return None,
        })
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

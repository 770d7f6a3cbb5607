//! Requests and responses of an established session: every primitive of X.215 whose octets the machine
//! makes by itself.

use crate::{ResyncType, SerialNumber, TokenSettings, Tokens};

/// A request or a response of the service user. X.215 §12 to §20.
///
/// S-CONNECT has parameters of its own ([`crate::ConnectParameters`], [`crate::AcceptParameters`]); S-DATA
/// and S-TYPED-DATA are sent by the owner of the machine ([`crate::Session::data_request`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// S-EXPEDITED-DATA request.
    ExpeditedData {
        /// 1 to 14 octets.
        user_data: &'a [u8],
    },
    /// S-CAPABILITY-DATA request.
    CapabilityData {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-CAPABILITY-DATA response.
    CapabilityDataResponse {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-TOKEN-GIVE request.
    TokenGive {
        /// At least one token; all must be here.
        tokens: Tokens,
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-TOKEN-PLEASE request.
    TokenPlease {
        /// At least one token; all must be available and at the peer.
        tokens: Tokens,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-CONTROL-GIVE request: all available tokens go over, between activities.
    ControlGive {
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-SYNC-MINOR request; the machine fills in the serial number.
    SyncMinor {
        /// False asks the peer's user for an explicit confirmation; never enforced.
        confirmation_optional: bool,
        /// Data in front of the point survive a resynchronization (unit data separation).
        data_separation: bool,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-SYNC-MINOR response: confirms this point and all before it.
    SyncMinorResponse {
        /// Number of the point.
        serial_number: SerialNumber,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-SYNC-MAJOR request; the machine fills in the serial number.
    SyncMajor {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-SYNC-MAJOR response.
    SyncMajorResponse {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-RESYNCHRONIZE request.
    Resynchronize(ResynchronizeParameters<'a>),
    /// S-RESYNCHRONIZE response.
    ResynchronizeResponse(ResynchronizeAnswer<'a>),
    /// S-U-EXCEPTION-REPORT request.
    UserException {
        /// Reason code of ED (PI 50): 0, 1, 3, 5, 6 or 128.
        reason: u8,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-START request.
    ActivityStart {
        /// Activity identifier, 1 to 6 octets.
        identifier: &'a [u8],
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-RESUME request.
    ActivityResume(ActivityResumeParameters<'a>),
    /// S-ACTIVITY-INTERRUPT request.
    ActivityInterrupt {
        /// Reason code of AI (PI 50): 0, 1, 3, 5, 6 or 128.
        reason: u8,
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-INTERRUPT response.
    ActivityInterruptResponse {
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-DISCARD request.
    ActivityDiscard {
        /// Reason code of AD (PI 50): 0, 1, 3, 5, 6 or 128.
        reason: u8,
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-DISCARD response.
    ActivityDiscardResponse {
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-END request; the machine fills in the serial number.
    ActivityEnd {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-END response.
    ActivityEndResponse {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-RELEASE request.
    Release {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-RELEASE response; negative only with negotiated release.
    ReleaseResponse {
        /// False refuses the release.
        affirmative: bool,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-U-ABORT request; possible whenever a session is up, coming up or being released.
    Abort {
        /// SS-user data: 9 octets in version 1.
        user_data: &'a [u8],
    },
}

/// S-RESYNCHRONIZE request and indication parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResynchronizeParameters<'a> {
    /// Restart, abandon or set.
    pub resync_type: ResyncType,
    /// Restart: a number from V(R) to V(M). Set: any. Abandon: `None`, the machine fills in V(M).
    ///
    /// In an indication always there.
    pub serial_number: Option<SerialNumber>,
    /// Token positions wanted, in terms of the sides of the session connection; `None` leaves the tokens
    /// where they are (the request then states where they are).
    pub token_settings: Option<TokenSettings>,
    /// The other flow, when it is resynchronized too; symmetric synchronize only.
    pub second: Option<FlowResynchronization>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

/// What happens to the second flow in S-RESYNCHRONIZE, under symmetric synchronize.
///
/// Type and number of [`ResynchronizeParameters`] itself are then those of the flow from the requester to its peer,
/// these here those of the flow from the peer to the requester; so also in the indication. `[unverified]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowResynchronization {
    /// Restart, abandon or set.
    pub resync_type: ResyncType,
    /// As [`ResynchronizeParameters::serial_number`], by the counters of this flow.
    pub serial_number: Option<SerialNumber>,
}

/// S-RESYNCHRONIZE response and confirm parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResynchronizeAnswer<'a> {
    /// As a response: `None` takes the number indicated (abandon: the higher of it and V(M)); another number
    /// is possible with set only. In a confirm always there.
    pub serial_number: Option<SerialNumber>,
    /// The same of the flow from the answering side to the requester, when it is resynchronized too; symmetric
    /// synchronize only.
    pub second_serial_number: Option<SerialNumber>,
    /// As a response: where tokens go that the request left to the acceptor; `None` keeps those here that are
    /// here. In a confirm: where each token is.
    pub token_settings: Option<TokenSettings>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

/// S-ACTIVITY-RESUME request and indication parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityResumeParameters<'a> {
    /// Identifier of the resumed activity on this connection, 1 to 6 octets.
    pub identifier: &'a [u8],
    /// Identifier it had before, 1 to 6 octets.
    pub old_identifier: &'a [u8],
    /// Synchronization point to go on from; under symmetric synchronize that of the flow from the requester.
    pub serial_number: SerialNumber,
    /// That of the flow to the requester; symmetric synchronize only. `None` begins it with 1.
    pub second_serial_number: Option<SerialNumber>,
    /// Connection the activity was begun on; all empty when it is this one.
    pub old_connection: OldConnection<'a>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

/// Session connection identifier of an earlier connection (Linking Information, PGI 33).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OldConnection<'a> {
    /// Called SS-user reference, 0 to 64 octets.
    pub called_reference: &'a [u8],
    /// Calling SS-user reference, 0 to 64 octets.
    pub calling_reference: &'a [u8],
    /// Common reference, 0 to 64 octets.
    pub common_reference: &'a [u8],
    /// Additional reference information, 0 to 4 octets.
    pub additional_information: &'a [u8],
}

/// The serial number variables of a session, or of a flow of it, as a user needs them. X.225 §5.6 (reference 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialNumbers {
    /// V(M): the number of the next synchronization point.
    pub next: SerialNumber,
    /// V(A): the lowest point that is not confirmed.
    pub lowest_unconfirmed: SerialNumber,
    /// V(R): the lowest number a restart may go back to.
    pub lowest_restart: SerialNumber,
    /// Vsc: the last points came from the peer, so that this side may confirm them. Of a flow: it is the one received.
    pub may_confirm: bool,
}

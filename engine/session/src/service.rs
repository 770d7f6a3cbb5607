//! The session service (X.215) as this crate offers it: parameters of requests, indications, errors.

use crate::spdu::{DecodeError, SpduKind};
use crate::{
    ActivityResumeParameters, Enclosure, FunctionalUnits, ResynchronizeAnswer, ResynchronizeParameters,
    Selector, SerialNumber, State, TokenSettings, Tokens, TsduMaximumSize, Versions,
};

/// Session connection identifier (PGI 1): references that the users choose. All may be empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionIdentifier<'a> {
    /// Calling (in CN) or called (in AC, RF) SS-user reference, 0 to 64 octets.
    pub user_reference: &'a [u8],
    /// Common reference, 0 to 64 octets.
    pub common_reference: &'a [u8],
    /// Additional reference information, 0 to 4 octets.
    pub additional_information: &'a [u8],
}

/// S-CONNECT request and indication parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectParameters<'a> {
    /// Session connection identifier.
    pub identifier: ConnectionIdentifier<'a>,
    /// Calling session selector.
    pub calling: Selector,
    /// Called session selector.
    pub called: Selector,
    /// Versions offered.
    pub versions: Versions,
    /// Functional units proposed.
    pub requirements: FunctionalUnits,
    /// Initial synchronization point serial number.
    pub initial_serial_number: Option<SerialNumber>,
    /// That of the flow from responder to initiator, the one above being that of the other flow; symmetric
    /// synchronize only. `None` begins both with the same.
    pub second_initial_serial_number: Option<SerialNumber>,
    /// Initial token assignment; ignored for tokens that do not become available.
    pub token_settings: TokenSettings,
    /// Proposed TSDU maximum sizes; `None` leaves both directions unlimited and PI 21 out.
    pub tsdu_maximum_size: Option<TsduMaximumSize>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl Default for ConnectParameters<'_> {
    /// What most users want: duplex in version 2, null selectors, no limits, no user data.
    fn default() -> Self {
        Self {
            identifier: ConnectionIdentifier::default(),
            calling: Selector::NULL,
            called: Selector::NULL,
            versions: Versions::V2,
            requirements: FunctionalUnits::DUPLEX,
            initial_serial_number: None,
            second_initial_serial_number: None,
            token_settings: TokenSettings::default(),
            tsdu_maximum_size: None,
            user_data: &[],
        }
    }
}

/// S-CONNECT response (accept) and confirm parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptParameters<'a> {
    /// Session connection identifier.
    pub identifier: ConnectionIdentifier<'a>,
    /// Responding session selector; as a request, `None` echoes the called selector.
    pub responding: Option<Selector>,
    /// As a response: units the user wants, intersected with the proposal and with the configuration.
    /// As a confirm: the units selected.
    pub requirements: FunctionalUnits,
    /// Initial synchronization point serial number.
    pub initial_serial_number: Option<SerialNumber>,
    /// That of the flow from responder to initiator, the one above being that of the other flow; symmetric
    /// synchronize only. `None` begins both with the same.
    pub second_initial_serial_number: Option<SerialNumber>,
    /// Positions of tokens that the initiator left to the acceptor.
    pub token_settings: TokenSettings,
    /// Tokens the responder asks for at once.
    pub tokens_please: Tokens,
    /// TSDU maximum sizes selected; as a response, `None` lets the machine answer the proposal.
    pub tsdu_maximum_size: Option<TsduMaximumSize>,
    /// SS-user data.
    pub user_data: &'a [u8],
}

impl Default for AcceptParameters<'_> {
    /// As a response: takes all that was proposed and is possible, duplex rather than half duplex.
    fn default() -> Self {
        Self {
            identifier: ConnectionIdentifier::default(),
            responding: None,
            requirements: FunctionalUnits::all(),
            initial_serial_number: None,
            second_initial_serial_number: None,
            token_settings: TokenSettings::default(),
            tokens_please: Tokens::empty(),
            tsdu_maximum_size: None,
            user_data: &[],
        }
    }
}

/// S-CONNECT response (reject) and negative confirm parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefuseParameters<'a> {
    /// Reason code (PI 50): 0 to 2 from the user, 129 to 134 from the provider. X.225 §8.3.5.
    pub reason: u8,
    /// SS-user data; only with reason 2.
    pub user_data: &'a [u8],
    /// In a confirm: the transport connection is kept for another S-CONNECT request. In a response not looked
    /// at: the configuration decides.
    pub transport_kept: bool,
}

/// Why the provider ended the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderAbortReason {
    /// The transport connection was lost.
    TransportDisconnect,
    /// A protocol error, found by this side or reported by the peer.
    ProtocolError,
    /// The peer gave no reason.
    Undefined,
    /// An implementation restriction of the peer.
    ImplementationRestriction,
}

/// A fault of the peer: what to log, once a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerFault {
    /// Octets that are no valid SPDU.
    Decode(DecodeError),
    /// A valid SPDU that the state does not allow.
    Inopportune {
        /// The SPDU received.
        spdu: SpduKind,
        /// Offset of the SPDU in the TSDU.
        offset: usize,
        /// The state it was received in.
        state: State,
    },
    /// An SPDU that breaks what was negotiated (functional unit, version, token, size, number).
    Violation {
        /// The SPDU received.
        spdu: SpduKind,
        /// The PGI or PI that says so, where it is one.
        parameter: Option<u8>,
        /// Offset in the TSDU of that parameter, or of the SPDU where the parameter is absent or none.
        offset: usize,
        /// What it broke, in a few words.
        rule: &'static str,
    },
}

/// What a peer does wrong without consequences, for the log: a parameter that is there twice, of which the last
/// counts. Strict rules refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerated {
    /// The SPDU received.
    pub spdu: SpduKind,
    /// The PGI or PI that is there again on its level.
    pub parameter: u8,
    /// Offset of the SPDU in the TSDU.
    pub offset: usize,
}

/// What the session tells its user. Borrows the TSDU it came in, not the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Indication<'a> {
    /// S-CONNECT indication.
    Connect(ConnectParameters<'a>),
    /// S-CONNECT confirm, accepted.
    ConnectConfirm(AcceptParameters<'a>),
    /// S-CONNECT confirm, rejected.
    ConnectRefused(RefuseParameters<'a>),
    /// S-DATA indication: one SSDU, or one segment of it.
    Data {
        /// User data as far as it lies in the head of the TSDU (all of it for a contiguous TSDU).
        user_data: &'a [u8],
        /// Offset of the user information field in the TSDU; it runs to the end of the TSDU.
        user_data_offset: usize,
        /// Which part of the SSDU this is.
        enclosure: Enclosure,
    },
    /// S-TYPED-DATA indication; fields as in [`Indication::Data`].
    TypedData {
        /// User data as far as it lies in the head of the TSDU.
        user_data: &'a [u8],
        /// Offset of the user information field in the TSDU.
        user_data_offset: usize,
        /// Which part of the SSDU this is.
        enclosure: Enclosure,
    },
    /// S-TOKEN-GIVE indication.
    TokenGive {
        /// Tokens that are here from this moment.
        tokens: Tokens,
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-TOKEN-PLEASE indication.
    TokenPlease {
        /// Tokens the peer asks for.
        tokens: Tokens,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-RELEASE indication: answer with a release response.
    Release {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-RELEASE confirm.
    ReleaseConfirm {
        /// False when the peer refused (negotiated release) and the session goes on.
        affirmative: bool,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-U-ABORT indication.
    UserAbort {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-P-ABORT indication.
    ProviderAbort {
        /// Why.
        reason: ProviderAbortReason,
    },
    /// S-EXPEDITED-DATA indication.
    ExpeditedData {
        /// 1 to 14 octets.
        user_data: &'a [u8],
    },
    /// S-CAPABILITY-DATA indication: answer with a capability data response.
    CapabilityData {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-CAPABILITY-DATA confirm.
    CapabilityDataConfirm {
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-CONTROL-GIVE indication: all available tokens are here from this moment.
    ControlGive {
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-SYNC-MINOR indication: may be answered with a minor sync response, also late or never.
    SyncMinor {
        /// Number of the point.
        serial_number: SerialNumber,
        /// False when the requester asks for an explicit confirmation.
        confirmation_optional: bool,
        /// Data in front of the point survive a resynchronization (data separation).
        data_separation: bool,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-SYNC-MINOR confirm: this point and all before it.
    SyncMinorConfirm {
        /// Number of the point.
        serial_number: SerialNumber,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-SYNC-MAJOR indication: answer with a major sync response.
    SyncMajor {
        /// Number of the point.
        serial_number: SerialNumber,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-SYNC-MAJOR confirm.
    SyncMajorConfirm {
        /// Number of the point.
        serial_number: SerialNumber,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-RESYNCHRONIZE indication: answer with a resynchronize response. Of two that collide the losing
    /// request is dropped without a word.
    Resynchronize(ResynchronizeParameters<'a>),
    /// S-RESYNCHRONIZE confirm.
    ResynchronizeConfirm(ResynchronizeAnswer<'a>),
    /// S-P-EXCEPTION-REPORT indication: recover by resynchronize, interrupt, discard, abort or by giving the
    /// data token.
    ProviderException {
        /// Why.
        reason: ProviderExceptionReason,
    },
    /// S-U-EXCEPTION-REPORT indication; recover as from [`Indication::ProviderException`].
    UserException {
        /// Reason code of ED (PI 50).
        reason: u8,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-START indication.
    ActivityStart {
        /// Activity identifier, 1 to 6 octets.
        identifier: &'a [u8],
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-RESUME indication.
    ActivityResume(ActivityResumeParameters<'a>),
    /// S-ACTIVITY-INTERRUPT indication: answer with an activity interrupt response.
    ActivityInterrupt {
        /// Reason code of AI (PI 50).
        reason: u8,
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-INTERRUPT confirm: all available tokens are here.
    ActivityInterruptConfirm {
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-DISCARD indication: answer with an activity discard response.
    ActivityDiscard {
        /// Reason code of AD (PI 50).
        reason: u8,
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-DISCARD confirm: all available tokens are here.
    ActivityDiscardConfirm {
        /// SS-user data (version 2).
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-END indication: answer with an activity end response.
    ActivityEnd {
        /// Number of the major synchronization point that ends the activity.
        serial_number: SerialNumber,
        /// SS-user data.
        user_data: &'a [u8],
    },
    /// S-ACTIVITY-END confirm.
    ActivityEndConfirm {
        /// Number of the major synchronization point that ends the activity.
        serial_number: SerialNumber,
        /// SS-user data.
        user_data: &'a [u8],
    },
}

/// Why the provider reports an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderExceptionReason {
    /// A protocol error that this side found.
    ProtocolError,
    /// The peer's provider reports one.
    NonSpecific,
}

/// A caller's fault: nothing has changed and nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The primitive is not allowed in this state.
    #[error("primitive not allowed in {state:?}")]
    State {
        /// The state at the time of the call.
        state: State,
    },
    /// The functional unit the primitive belongs to was not selected.
    #[error("functional unit {0:?} not selected")]
    FunctionalUnit(FunctionalUnits),
    /// A token that the primitive needs is not here, or one to be asked for is not available.
    #[error("token {0:?} not owned or not available")]
    Token(Tokens),
    /// User data longer than the version or the SPDU allows.
    #[error("user data of {octets} octets exceeds {octets_max}")]
    UserDataLength {
        /// Octets given.
        octets: usize,
        /// Octets allowed.
        octets_max: usize,
    },
    /// Segments of an SSDU were sent and the last one is missing.
    #[error("an SSDU is open")]
    SsduIncomplete,
    /// A parameter out of its range.
    #[error("parameter out of range: {0}")]
    Parameter(&'static str),
}

//! What the user of the machine under test was told, kept beyond the TSDU it came in.

use colloquy_session::{Indication, ProviderAbortReason, TokenSettings, Tokens};

/// An indication or a confirm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its name.
    pub(crate) name: &'static str,
    /// SS-user data.
    pub(crate) user_data: Vec<u8>,
    /// Serial number.
    pub(crate) serial: Option<u32>,
    /// Tokens given or asked for.
    pub(crate) tokens: Option<Tokens>,
    /// Token settings.
    pub(crate) settings: Option<TokenSettings>,
    /// Reason code.
    pub(crate) reason: Option<u8>,
    /// A release was accepted; a confirmation is optional.
    pub(crate) flag: bool,
    /// Why the provider aborts.
    pub(crate) abort: Option<ProviderAbortReason>,
}

/// The name of an indication.
pub(super) fn name(indication: &Indication<'_>) -> &'static str {
    match indication {
        Indication::Connect(_) => "Connect",
        Indication::ConnectConfirm(_) => "ConnectConfirm",
        Indication::ConnectRefused(_) => "ConnectRefused",
        Indication::Data { .. } => "Data",
        Indication::TypedData { .. } => "TypedData",
        Indication::ExpeditedData { .. } => "ExpeditedData",
        Indication::CapabilityData { .. } => "CapabilityData",
        Indication::CapabilityDataConfirm { .. } => "CapabilityDataConfirm",
        Indication::TokenGive { .. } => "TokenGive",
        Indication::TokenPlease { .. } => "TokenPlease",
        Indication::ControlGive { .. } => "ControlGive",
        Indication::SyncMinor { .. } => "SyncMinor",
        Indication::SyncMinorConfirm { .. } => "SyncMinorConfirm",
        Indication::SyncMajor { .. } => "SyncMajor",
        Indication::SyncMajorConfirm { .. } => "SyncMajorConfirm",
        Indication::Resynchronize(_) => "Resynchronize",
        Indication::ResynchronizeConfirm(_) => "ResynchronizeConfirm",
        Indication::ProviderException { .. } => "ProviderException",
        Indication::UserException { .. } => "UserException",
        Indication::ActivityStart { .. } => "ActivityStart",
        Indication::ActivityResume(_) => "ActivityResume",
        Indication::ActivityInterrupt { .. } => "ActivityInterrupt",
        Indication::ActivityInterruptConfirm { .. } => "ActivityInterruptConfirm",
        Indication::ActivityDiscard { .. } => "ActivityDiscard",
        Indication::ActivityDiscardConfirm { .. } => "ActivityDiscardConfirm",
        Indication::ActivityEnd { .. } => "ActivityEnd",
        Indication::ActivityEndConfirm { .. } => "ActivityEndConfirm",
        Indication::Release { .. } => "Release",
        Indication::ReleaseConfirm { .. } => "ReleaseConfirm",
        Indication::UserAbort { .. } => "UserAbort",
        Indication::ProviderAbort { .. } => "ProviderAbort",
        _ => "another indication",
    }
}

impl Seen {
    /// Copies what the tests look at.
    pub(super) fn of(indication: &Indication<'_>) -> Seen {
        let mut seen = Seen { name: name(indication), ..Seen::default() };
        seen.user_data = user_data(indication).to_vec();
        match indication {
            Indication::TokenGive { tokens, .. } | Indication::TokenPlease { tokens, .. } => {
                seen.tokens = Some(*tokens);
            }
            Indication::SyncMinor { serial_number, confirmation_optional, .. } => {
                seen.serial = Some(serial_number.0);
                seen.flag = *confirmation_optional;
            }
            Indication::SyncMinorConfirm { serial_number, .. }
            | Indication::SyncMajor { serial_number, .. }
            | Indication::SyncMajorConfirm { serial_number, .. }
            | Indication::ActivityEnd { serial_number, .. }
            | Indication::ActivityEndConfirm { serial_number, .. } => seen.serial = Some(serial_number.0),
            Indication::Resynchronize(resync) => {
                seen.serial = resync.serial_number.map(|number| number.0);
                seen.settings = resync.token_settings;
            }
            Indication::ResynchronizeConfirm(answer) => {
                seen.serial = answer.serial_number.map(|number| number.0);
                seen.settings = answer.token_settings;
            }
            Indication::ActivityResume(resume) => seen.serial = Some(resume.serial_number.0),
            Indication::ConnectRefused(refuse) => seen.reason = Some(refuse.reason),
            Indication::UserException { reason, .. }
            | Indication::ActivityInterrupt { reason, .. }
            | Indication::ActivityDiscard { reason, .. } => seen.reason = Some(*reason),
            Indication::ReleaseConfirm { affirmative, .. } => seen.flag = *affirmative,
            Indication::ProviderAbort { reason } => seen.abort = Some(*reason),
            _ => {}
        }
        seen
    }
}

fn user_data<'a>(indication: &Indication<'a>) -> &'a [u8] {
    match indication {
        Indication::Connect(connect) => connect.user_data,
        Indication::ConnectConfirm(accept) => accept.user_data,
        Indication::ConnectRefused(refuse) => refuse.user_data,
        Indication::Resynchronize(resync) => resync.user_data,
        Indication::ResynchronizeConfirm(answer) => answer.user_data,
        Indication::ActivityResume(resume) => resume.user_data,
        Indication::Data { user_data, .. }
        | Indication::TypedData { user_data, .. }
        | Indication::ExpeditedData { user_data }
        | Indication::CapabilityData { user_data }
        | Indication::CapabilityDataConfirm { user_data }
        | Indication::TokenGive { user_data, .. }
        | Indication::TokenPlease { user_data, .. }
        | Indication::ControlGive { user_data }
        | Indication::SyncMinor { user_data, .. }
        | Indication::SyncMinorConfirm { user_data, .. }
        | Indication::SyncMajor { user_data, .. }
        | Indication::SyncMajorConfirm { user_data, .. }
        | Indication::UserException { user_data, .. }
        | Indication::ActivityStart { user_data, .. }
        | Indication::ActivityInterrupt { user_data, .. }
        | Indication::ActivityInterruptConfirm { user_data }
        | Indication::ActivityDiscard { user_data, .. }
        | Indication::ActivityDiscardConfirm { user_data }
        | Indication::ActivityEnd { user_data, .. }
        | Indication::ActivityEndConfirm { user_data, .. }
        | Indication::Release { user_data }
        | Indication::ReleaseConfirm { user_data, .. }
        | Indication::UserAbort { user_data } => user_data,
        _ => &[],
    }
}

//! What a request is to be indicated as at the other side, and which confirms are awaited.

use colloquy_session::{
    FlowResynchronization, Indication, Request, ResyncType, ResynchronizeAnswer, ResynchronizeParameters,
    SerialNumber, Session, TokenSettings, TokenSide, Tokens,
};

/// A confirm that a user waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    Release,
    SyncMajor,
    ActivityEnd,
    Resynchronize(ResyncType),
    Interrupt,
    Discard,
    Capability,
}

impl Awaited {
    /// What a request is confirmed by.
    pub(crate) fn of_request(request: &Request<'_>) -> Option<Awaited> {
        Some(match request {
            Request::Release { .. } => Awaited::Release,
            Request::SyncMajor { .. } => Awaited::SyncMajor,
            Request::ActivityEnd { .. } => Awaited::ActivityEnd,
            Request::Resynchronize(resync) => Awaited::Resynchronize(resync.resync_type),
            Request::ActivityInterrupt { .. } => Awaited::Interrupt,
            Request::ActivityDiscard { .. } => Awaited::Discard,
            Request::CapabilityData { .. } => Awaited::Capability,
            _ => return None,
        })
    }

    /// True where this indication is the confirm.
    pub(crate) fn is_confirmed_by(self, indication: &Indication<'_>) -> bool {
        matches!(
            (self, indication),
            (Awaited::Release, Indication::ReleaseConfirm { .. })
                | (Awaited::SyncMajor, Indication::SyncMajorConfirm { .. })
                | (Awaited::ActivityEnd, Indication::ActivityEndConfirm { .. })
                | (Awaited::Resynchronize(_), Indication::ResynchronizeConfirm(_))
                | (Awaited::Interrupt, Indication::ActivityInterruptConfirm { .. })
                | (Awaited::Discard, Indication::ActivityDiscardConfirm { .. })
                | (Awaited::Capability, Indication::CapabilityDataConfirm { .. })
        )
    }
}

/// True for confirms that need a request of their own. S-SYNC-MINOR is another matter: one confirm stands for
/// many points, or for none.
pub(crate) fn is_confirm(indication: &Indication<'_>) -> bool {
    matches!(
        indication,
        Indication::ReleaseConfirm { .. }
            | Indication::SyncMajorConfirm { .. }
            | Indication::ActivityEndConfirm { .. }
            | Indication::ResynchronizeConfirm(_)
            | Indication::ActivityInterruptConfirm { .. }
            | Indication::ActivityDiscardConfirm { .. }
            | Indication::CapabilityDataConfirm { .. }
    )
}

/// True for an indication that takes the place of whatever the user waits for. Reference 5.2.
pub(crate) fn cancels(indication: &Indication<'_>) -> bool {
    matches!(
        indication,
        Indication::Resynchronize(_)
            | Indication::ActivityInterrupt { .. }
            | Indication::ActivityDiscard { .. }
            | Indication::UserException { .. }
            | Indication::ProviderException { .. }
    )
}

/// What the service shows of a machine, for what a request is to look like at the other side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// Of the points that this side sends, and of those that its peer sends.
    next: [SerialNumber; 2],
    positions: TokenSettings,
    available: Tokens,
}

impl Shown {
    /// `side` is 0 for the session initiator.
    pub(crate) fn of(session: &Session, side: usize) -> Shown {
        let sides = [TokenSide::Initiator, TokenSide::Responder];
        let available = session.tokens_available();
        let place = |token: Tokens| match (available.contains(token), session.tokens_owned().contains(token))
        {
            (false, _) => TokenSide::Initiator,
            (true, true) => sides[side],
            (true, false) => sides[1 - side],
        };
        let positions = TokenSettings {
            data: place(Tokens::DATA),
            minor: place(Tokens::MINOR),
            major: place(Tokens::MAJOR),
            release: place(Tokens::RELEASE),
        };
        let next = match session.flow_numbers() {
            Some(flows) => flows.map(|flow| flow.next),
            None => [session.serial_numbers().next; 2],
        };
        Shown { next, positions, available }
    }

    fn next(&self) -> SerialNumber {
        self.next[0]
    }

    /// The point of the peer that came last.
    fn last(&self) -> SerialNumber {
        SerialNumber(self.next[1].0.saturating_sub(1))
    }
}

/// Settings of available tokens; others are as if the initiator had them.
fn visible(settings: TokenSettings, available: Tokens) -> TokenSettings {
    let place = |token, side| if available.contains(token) { side } else { TokenSide::Initiator };
    TokenSettings {
        data: place(Tokens::DATA, settings.data),
        minor: place(Tokens::MINOR, settings.minor),
        major: place(Tokens::MAJOR, settings.major),
        release: place(Tokens::RELEASE, settings.release),
    }
}

/// The indication or confirm of an accepted request; `before` and `after` it at the requester. `both`: it answers a
/// resynchronization of both flows.
pub(crate) fn told(
    request: &Request<'static>,
    before: &Shown,
    after: &Shown,
    both: bool,
) -> Indication<'static> {
    match *request {
        Request::ExpeditedData { user_data } => Indication::ExpeditedData { user_data },
        Request::CapabilityData { user_data } => Indication::CapabilityData { user_data },
        Request::CapabilityDataResponse { user_data } => Indication::CapabilityDataConfirm { user_data },
        Request::TokenGive { tokens, user_data } => Indication::TokenGive { tokens, user_data },
        Request::TokenPlease { tokens, user_data } => Indication::TokenPlease { tokens, user_data },
        Request::ControlGive { user_data } => Indication::ControlGive { user_data },
        Request::UserException { reason, user_data } => Indication::UserException { reason, user_data },
        Request::Release { user_data } => Indication::Release { user_data },
        Request::ReleaseResponse { affirmative, user_data } => {
            Indication::ReleaseConfirm { affirmative, user_data }
        }
        Request::Abort { user_data } => Indication::UserAbort { user_data },
        Request::Resynchronize(asked) => Indication::Resynchronize(ResynchronizeParameters {
            serial_number: Some(asked.serial_number.unwrap_or(before.next())),
            second: asked.second.map(|second| FlowResynchronization {
                serial_number: Some(second.serial_number.unwrap_or(before.next[1])),
                ..second
            }),
            token_settings: Some(visible(asked.token_settings.unwrap_or(before.positions), before.available)),
            ..asked
        }),
        Request::ResynchronizeResponse(answer) => Indication::ResynchronizeConfirm(ResynchronizeAnswer {
            serial_number: Some(after.next[1]),
            token_settings: Some(after.positions),
            user_data: answer.user_data,
            second_serial_number: both.then_some(after.next[0]),
        }),
        _ => told_of_sync_or_activity(request, before),
    }
}

fn told_of_sync_or_activity(request: &Request<'static>, before: &Shown) -> Indication<'static> {
    match *request {
        Request::SyncMinor { confirmation_optional, data_separation, user_data } => Indication::SyncMinor {
            serial_number: before.next(),
            confirmation_optional,
            data_separation,
            user_data,
        },
        Request::SyncMinorResponse { serial_number, user_data } => {
            Indication::SyncMinorConfirm { serial_number, user_data }
        }
        Request::SyncMajor { user_data } => Indication::SyncMajor { serial_number: before.next(), user_data },
        Request::SyncMajorResponse { user_data } => {
            Indication::SyncMajorConfirm { serial_number: before.last(), user_data }
        }
        Request::ActivityStart { identifier, user_data } => {
            Indication::ActivityStart { identifier, user_data }
        }
        Request::ActivityResume(resume) => Indication::ActivityResume(resume),
        Request::ActivityInterrupt { reason, user_data } => {
            Indication::ActivityInterrupt { reason, user_data }
        }
        Request::ActivityInterruptResponse { user_data } => {
            Indication::ActivityInterruptConfirm { user_data }
        }
        Request::ActivityDiscard { reason, user_data } => Indication::ActivityDiscard { reason, user_data },
        Request::ActivityDiscardResponse { user_data } => Indication::ActivityDiscardConfirm { user_data },
        Request::ActivityEnd { user_data } => {
            Indication::ActivityEnd { serial_number: before.next(), user_data }
        }
        Request::ActivityEndResponse { user_data } => {
            Indication::ActivityEndConfirm { serial_number: before.last(), user_data }
        }
        _ => unreachable!("`told` has an arm for the other requests"),
    }
}

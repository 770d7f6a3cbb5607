//! What becomes of each primitive of an established session on its way to the other leg.
//!
//! Decisions without effects; [`super`] carries them out.

use colloquy_session::{
    FunctionalUnits, Indication, ProviderExceptionReason, Request, ResyncType, ResynchronizeParameters,
    SerialNumber, SerialNumbers, ServiceError, Session, State, Tokens,
};

/// What the relay looks at of a leg's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The state.
    pub state: State,
    /// V(M), V(A), V(R), Vsc.
    pub numbers: SerialNumbers,
    /// Tokens that are here.
    pub tokens_owned: Tokens,
    /// Functional units in use.
    pub units: FunctionalUnits,
}

impl Leg {
    /// Of a machine.
    pub fn of(machine: &Session) -> Leg {
        Leg {
            state: machine.state(),
            numbers: machine.serial_numbers(),
            tokens_owned: machine.tokens_owned(),
            units: machine.functional_units(),
        }
    }
}

/// What an indication of one leg becomes on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carriage<'a> {
    /// This request or response.
    Request(Request<'a>),
    /// EXCEPTION REPORT.
    ExceptionReport,
    /// The leg that indicated it is alone concerned.
    Nothing,
    /// The point would get another number on the other leg.
    OtherNumber {
        /// Number indicated.
        indicated: SerialNumber,
        /// V(M) of the other leg.
        next: SerialNumber,
    },
}

/// What an indication of the leg `from` becomes on the leg `to`; `None`: no primitive of an established session
/// that is carried by itself (S-CONNECT, S-DATA, S-TYPED-DATA, S-RELEASE, aborts are not).
pub fn carriage<'a>(indication: &Indication<'a>, from: &Leg, to: &Leg) -> Option<Carriage<'a>> {
    use Indication as I;
    if let I::SyncMinor { serial_number, .. }
    | I::SyncMajor { serial_number, .. }
    | I::ActivityEnd { serial_number, .. } = *indication
        && serial_number != to.numbers.next
        && !is_purging(to.state)
    {
        return Some(Carriage::OtherNumber { indicated: serial_number, next: to.numbers.next });
    }
    let request = match *indication {
        I::TokenPlease { tokens, user_data } => {
            // It crossed a token that is on its way to who asks for it.
            let tokens = tokens.difference(to.tokens_owned);
            if tokens.is_empty() {
                return Some(Carriage::Nothing);
            }
            Request::TokenPlease { tokens, user_data }
        }
        I::Resynchronize(asked) => Request::Resynchronize(resynchronize(asked, from, to)),
        // What one leg finds wrong with its peer is no affair of the other's.
        I::ProviderException { reason: ProviderExceptionReason::ProtocolError } => {
            return Some(Carriage::Nothing);
        }
        I::ProviderException { reason: ProviderExceptionReason::NonSpecific } => {
            return Some(Carriage::ExceptionReport);
        }
        _ => return same(indication).map(Carriage::Request),
    };
    Some(Carriage::Request(request))
}

/// The primitives that go over as they are.
fn same<'a>(indication: &Indication<'a>) -> Option<Request<'a>> {
    use Indication as I;
    Some(match *indication {
        I::ExpeditedData { user_data } => Request::ExpeditedData { user_data },
        I::TokenGive { tokens, user_data } => Request::TokenGive { tokens, user_data },
        I::ControlGive { user_data } => Request::ControlGive { user_data },
        I::CapabilityData { user_data } => Request::CapabilityData { user_data },
        I::CapabilityDataConfirm { user_data } => Request::CapabilityDataResponse { user_data },
        I::SyncMinor { confirmation_optional, data_separation, user_data, .. } => {
            Request::SyncMinor { confirmation_optional, data_separation, user_data }
        }
        I::SyncMinorConfirm { serial_number, user_data } => {
            Request::SyncMinorResponse { serial_number, user_data }
        }
        I::SyncMajor { user_data, .. } => Request::SyncMajor { user_data },
        I::SyncMajorConfirm { user_data, .. } => Request::SyncMajorResponse { user_data },
        I::ResynchronizeConfirm(answer) => Request::ResynchronizeResponse(answer),
        I::UserException { reason, user_data } => Request::UserException { reason, user_data },
        I::ActivityStart { identifier, user_data } => Request::ActivityStart { identifier, user_data },
        I::ActivityResume(resume) => Request::ActivityResume(resume),
        I::ActivityInterrupt { reason, user_data } => Request::ActivityInterrupt { reason, user_data },
        I::ActivityInterruptConfirm { user_data } => Request::ActivityInterruptResponse { user_data },
        I::ActivityDiscard { reason, user_data } => Request::ActivityDiscard { reason, user_data },
        I::ActivityDiscardConfirm { user_data } => Request::ActivityDiscardResponse { user_data },
        I::ActivityEnd { user_data, .. } => Request::ActivityEnd { user_data },
        I::ActivityEndConfirm { user_data, .. } => Request::ActivityEndResponse { user_data },
        _ => return None,
    })
}

/// An abandon goes on from the highest number that either leg knows of; the others name theirs.
fn resynchronize<'a>(
    asked: ResynchronizeParameters<'a>,
    from: &Leg,
    to: &Leg,
) -> ResynchronizeParameters<'a> {
    let next = from.numbers.next.max(to.numbers.next);
    match asked.resync_type {
        ResyncType::Abandon => {
            ResynchronizeParameters { serial_number: Some(next.min(SerialNumber::MAX)), ..asked }
        }
        ResyncType::Restart | ResyncType::Set => asked,
    }
}

/// True in states in which a leg's peer throws away, or has no use for, what a user sends: a resynchronization,
/// interrupt or discard is under way, an exception is reported, or the session is over.
pub fn is_purging(state: State) -> bool {
    matches!(
        state,
        State::Sta01
            | State::Sta01A
            | State::Sta01C
            | State::Sta05A
            | State::Sta05B
            | State::Sta05C
            | State::Sta06
            | State::Sta11A
            | State::Sta11B
            | State::Sta11C
            | State::Sta15B
            | State::Sta15C
            | State::Sta15D
            | State::Sta16
            | State::Sta19
            | State::Sta20
    )
}

/// True where a request that a leg refuses is lost as it would be between the two peers themselves. Segments of an SSDU
/// that was cut short are refused for what is missing before them.
pub fn is_purged(error: &ServiceError, state: State) -> bool {
    !matches!(error, ServiceError::UserDataLength { .. }) && is_purging(state)
}

/// Points and confirmations that a leg in STA19 has taken without a word, and that the other leg, in STA20, has
/// still to pass on: between the peers they would have crossed the exception report. The next one, if any.
pub fn catch_up(from: &Leg, to: &Leg) -> Option<Request<'static>> {
    if to.state != State::Sta20 || !to.tokens_owned.contains(Tokens::DATA) {
        return None;
    }
    let user_data: &[u8] = &[];
    let (taken, passed) = (from.numbers, to.numbers);
    let confirmed = taken.lowest_unconfirmed > passed.lowest_unconfirmed;
    if confirmed && !taken.may_confirm && passed.may_confirm {
        let serial_number = SerialNumber(taken.lowest_unconfirmed.0 - 1);
        return Some(Request::SyncMinorResponse { serial_number, user_data });
    }
    if taken.next <= passed.next {
        return None;
    }
    // A minor point gives the right to confirm, the others do not. After the last point of a series nothing
    // else differs.
    Some(if taken.may_confirm {
        Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data }
    } else if to.units.contains(FunctionalUnits::MAJOR_SYNC) {
        Request::SyncMajor { user_data }
    } else {
        Request::ActivityEnd { user_data }
    })
}

//! What the gateway's own users answer: echo and sink alike, for every functional unit.
//!
//! Everything here is a decision without effects; `echo` and `sink` carry it out.

use colloquy_session::{
    AcceptParameters, ConnectParameters, FunctionalUnits, Indication, Request, ResyncType,
    ResynchronizeAnswer, ResynchronizeParameters, Session, State, TokenSettings, Tokens, TsduMaximumSize,
};

/// What a user knows of its session when something is indicated to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    units: FunctionalUnits,
    owned: Tokens,
    /// STA20: an exception was reported, and only a recovery leads on.
    recovering: bool,
    /// An activity is in progress.
    in_activity: bool,
}

impl Standing {
    /// Of a session's machine.
    pub(super) fn of(machine: &Session) -> Standing {
        Standing {
            units: machine.functional_units(),
            owned: machine.tokens_owned(),
            recovering: machine.state() == State::Sta20,
            in_activity: machine.activity_in_progress(),
        }
    }
}

/// The request or response that an indication calls for; `None`: nothing is to be said.
///
/// | indication | answer |
/// |---|---|
/// | S-SYNC-MINOR, explicit | response, with the user data |
/// | S-SYNC-MINOR, confirmation optional | none |
/// | S-SYNC-MAJOR, S-ACTIVITY-END, -INTERRUPT, -DISCARD, S-CAPABILITY-DATA | response, with the user data |
/// | S-RESYNCHRONIZE | response with the number and the positions indicated; tokens that are left to the acceptor stay where they are |
/// | S-TOKEN-PLEASE | gives those that are here |
/// | S-EXPEDITED-DATA | the same back |
/// | exception report | where this side has to recover: resynchronize abandon; without that unit discards the activity, or gives the data token |
/// | S-RELEASE | affirmative, with the user data |
///
/// A sink does not send expedited data back; it does not ask here.
pub(super) fn answer<'a>(indication: &Indication<'a>, standing: &Standing) -> Option<Request<'a>> {
    Some(match *indication {
        Indication::SyncMinor { serial_number, confirmation_optional: false, user_data, .. } => {
            Request::SyncMinorResponse { serial_number, user_data }
        }
        Indication::SyncMajor { user_data, .. } => Request::SyncMajorResponse { user_data },
        Indication::ActivityEnd { user_data, .. } => Request::ActivityEndResponse { user_data },
        Indication::ActivityInterrupt { user_data, .. } => Request::ActivityInterruptResponse { user_data },
        Indication::ActivityDiscard { user_data, .. } => Request::ActivityDiscardResponse { user_data },
        Indication::CapabilityData { user_data } => Request::CapabilityDataResponse { user_data },
        Indication::Resynchronize(ResynchronizeParameters { user_data, .. }) => {
            Request::ResynchronizeResponse(ResynchronizeAnswer { user_data, ..Default::default() })
        }
        Indication::TokenPlease { tokens, .. } => {
            let tokens = tokens & standing.owned;
            return (!tokens.is_empty()).then_some(Request::TokenGive { tokens, user_data: &[] });
        }
        Indication::ExpeditedData { user_data } => Request::ExpeditedData { user_data },
        Indication::ProviderException { .. } | Indication::UserException { .. } => return recovery(standing),
        Indication::Release { user_data } => Request::ReleaseResponse { affirmative: true, user_data },
        _ => return None,
    })
}

/// How to go on after an exception report. X.225 §7 (reference 5.1): a resynchronization clears most, so it
/// comes first.
fn recovery(standing: &Standing) -> Option<Request<'static>> {
    if !standing.recovering {
        return None;
    }
    if standing.units.contains(FunctionalUnits::RESYNCHRONIZE) {
        return Some(Request::Resynchronize(ResynchronizeParameters {
            resync_type: ResyncType::Abandon,
            ..Default::default()
        }));
    }
    if standing.in_activity && standing.owned.contains(Tokens::MAJOR) {
        return Some(Request::ActivityDiscard { reason: NO_SPECIFIC_REASON, user_data: &[] });
    }
    let tokens = standing.owned & Tokens::DATA;
    (!tokens.is_empty()).then_some(Request::TokenGive { tokens, user_data: &[] })
}

/// Reason code of AI, AD and ED (PI 50): nothing specific.
pub(super) const NO_SPECIFIC_REASON: u8 = 0;

/// True where everything that was not yet passed on belongs to what the peers threw away.
pub(super) fn purges(indication: &Indication<'_>) -> bool {
    matches!(
        indication,
        Indication::Resynchronize(_)
            | Indication::ResynchronizeConfirm(_)
            | Indication::ActivityInterrupt { .. }
            | Indication::ActivityInterruptConfirm { .. }
            | Indication::ActivityDiscard { .. }
            | Indication::ActivityDiscardConfirm { .. }
    )
}

/// Accepts what was proposed, as far as the listener's configuration goes: the machine intersects.
pub(super) fn accept<'a>(
    connect: &ConnectParameters<'_>,
    tsdu_octets_max: u16,
    user_data: &'a [u8],
) -> AcceptParameters<'a> {
    // Duplex is the better choice for who answers only; exactly one of the two may be selected.
    let proposed = connect.requirements;
    let requirements = if proposed.contains(FunctionalUnits::DUPLEX) {
        proposed.difference(FunctionalUnits::HALF_DUPLEX)
    } else {
        proposed
    };
    AcceptParameters {
        requirements,
        token_settings: TokenSettings::default(),
        tsdu_maximum_size: Some(limited(connect.tsdu_maximum_size.unwrap_or_default(), tsdu_octets_max)),
        user_data,
        ..AcceptParameters::default()
    }
}

/// TSDU maximum sizes that answer a proposal and are no more than `octets_max`; 0 means no limit.
pub(super) fn limited(proposed: TsduMaximumSize, octets_max: u16) -> TsduMaximumSize {
    let direction = |proposed: u16| match (proposed, octets_max) {
        (0, octets_max) => octets_max,
        (proposed, 0) => proposed,
        (proposed, octets_max) => proposed.min(octets_max),
    };
    TsduMaximumSize {
        initiator_to_responder: direction(proposed.initiator_to_responder),
        responder_to_initiator: direction(proposed.responder_to_initiator),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use colloquy_session::{ProviderExceptionReason, SerialNumber};

    fn standing(units: FunctionalUnits, owned: Tokens) -> Standing {
        Standing { units, owned, recovering: true, in_activity: units.contains(FunctionalUnits::ACTIVITY) }
    }

    #[test]
    fn what_awaits_a_response_gets_one_with_its_user_data() {
        let standing = standing(FunctionalUnits::all(), Tokens::all());
        let user_data: &[u8] = b"u";
        let serial_number = SerialNumber(7);
        let sync = |confirmation_optional| Indication::SyncMinor {
            serial_number,
            confirmation_optional,
            data_separation: false,
            user_data,
        };
        let answers = [
            (sync(false), Some(Request::SyncMinorResponse { serial_number, user_data })),
            (sync(true), None),
            (
                Indication::SyncMajor { serial_number, user_data },
                Some(Request::SyncMajorResponse { user_data }),
            ),
            (
                Indication::ActivityEnd { serial_number, user_data },
                Some(Request::ActivityEndResponse { user_data }),
            ),
            (
                Indication::ActivityInterrupt { reason: 0, user_data },
                Some(Request::ActivityInterruptResponse { user_data }),
            ),
            (
                Indication::ActivityDiscard { reason: 0, user_data },
                Some(Request::ActivityDiscardResponse { user_data }),
            ),
            (Indication::CapabilityData { user_data }, Some(Request::CapabilityDataResponse { user_data })),
            (Indication::ExpeditedData { user_data }, Some(Request::ExpeditedData { user_data })),
            (
                Indication::Release { user_data },
                Some(Request::ReleaseResponse { affirmative: true, user_data }),
            ),
            (Indication::ActivityStart { identifier: b"a", user_data }, None),
            (Indication::TokenGive { tokens: Tokens::DATA, user_data }, None),
        ];
        for (indication, expected) in answers {
            assert_eq!(answer(&indication, &standing), expected, "{indication:?}");
        }
    }

    #[test]
    fn tokens_are_given_as_far_as_they_are_here() {
        let please = |tokens| Indication::TokenPlease { tokens, user_data: b"" };
        let here = standing(FunctionalUnits::all(), Tokens::DATA | Tokens::MINOR);
        let given = Request::TokenGive { tokens: Tokens::DATA, user_data: b"" };
        assert_eq!(answer(&please(Tokens::DATA | Tokens::MAJOR), &here), Some(given));
        assert_eq!(answer(&please(Tokens::RELEASE), &here), None);
    }

    #[test]
    fn an_exception_is_recovered_from_by_the_strongest_means_there_is() {
        let exception = Indication::ProviderException { reason: ProviderExceptionReason::NonSpecific };
        let half_duplex = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::EXCEPTIONS;
        let recover = |units, owned| answer(&exception, &standing(units, owned));
        assert!(matches!(
            recover(half_duplex | FunctionalUnits::RESYNCHRONIZE, Tokens::DATA),
            Some(Request::Resynchronize(ResynchronizeParameters { resync_type: ResyncType::Abandon, .. }))
        ));
        assert!(matches!(
            recover(half_duplex | FunctionalUnits::ACTIVITY, Tokens::DATA | Tokens::MAJOR),
            Some(Request::ActivityDiscard { .. })
        ));
        let give = Some(Request::TokenGive { tokens: Tokens::DATA, user_data: b"" });
        assert_eq!(recover(half_duplex | FunctionalUnits::ACTIVITY, Tokens::DATA), give);
        assert_eq!(recover(half_duplex, Tokens::empty()), None);
        let unharmed = Standing { recovering: false, ..standing(FunctionalUnits::all(), Tokens::all()) };
        assert_eq!(answer(&exception, &unharmed), None);
    }

    #[test]
    fn sizes_are_agreed_to_up_to_the_configured_one() {
        let sizes = |initiator_to_responder, responder_to_initiator| TsduMaximumSize {
            initiator_to_responder,
            responder_to_initiator,
        };
        assert_eq!(limited(sizes(0, 1000), 0), sizes(0, 1000));
        assert_eq!(limited(sizes(0, 1000), 500), sizes(500, 500));
        assert_eq!(limited(sizes(100, 1000), 500), sizes(100, 500));
    }
}

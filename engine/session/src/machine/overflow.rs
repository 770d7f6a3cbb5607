//! User data of S-CONNECT beyond 10 240 octets: CONNECT, OVERFLOW ACCEPT, CONNECT DATA OVERFLOW. X.225 §7.1,
//! §7.2, §7.3 (reference 3.5); version 2 only.
//!
//! The responder holds all of them until the last one, because S-CONNECT indication is one.

use core::time::Duration;

use super::establish::indicated_connect;
use super::join::Joining;
use super::negotiation::{self, Proposal, rule};
use super::receive::Source;
use super::{Arguments, Event, Output, Session, State, tsdu_sizes};
use crate::spdu::{Connect, ConnectDataOverflow, Flow, OverflowAccept, Spdu, SpduKind, Tsdu, pi};
use crate::{Indication, ServiceError, Versions};

/// SI and LI, Enclosure Item and the header of the user data, with long length indicators.
const OVERHEAD_OCTETS: usize = 4 + 3 + 4;

/// The user data that go into CONNECT, and those that follow it.
pub(super) fn split(user_data: &[u8]) -> (&[u8], &[u8]) {
    user_data.split_at(user_data.len().min(Connect::USER_DATA_OCTETS_MAX))
}

/// What predicate p204 looks at.
pub(super) fn arguments(user_data: &[u8]) -> Arguments {
    Arguments { overflow: !split(user_data).1.is_empty(), ..Arguments::NONE }
}

/// The answer to a CONNECT with data overflow: the sizes are answered here and not by the user, who does not
/// know of the connection yet.
pub(super) fn overflow_accept(proposal: &Proposal) -> OverflowAccept {
    OverflowAccept {
        tsdu_maximum_size: tsdu_sizes::unless_unlimited(proposal.tsdu_maximum_size),
        versions: Versions::V2,
    }
}

impl Session {
    /// Action 50 on CONNECT: keeps it for the S-CONNECT indication.
    pub(super) fn keep_connect(&mut self, proposal: Proposal, connect: &Connect<'_>, source: Source<'_>) {
        let octets_max = self.config.connect_user_data_octets_max;
        let joining = Joining::new(SpduKind::Connect, source.octets, connect.user_data, octets_max);
        let cold = self.cold();
        cold.proposal = Some(Proposal { sizes_answered: true, ..proposal });
        cold.joining = Some(joining);
    }

    /// CDO: the last one makes the whole CONNECT, which comes back through [`Session::take_joined`].
    pub(super) fn receive_overflow<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        overflow: &ConnectDataOverflow<'a>,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        let state = self.state();
        let joining = self.cold.as_mut().and_then(|cold| cold.joining.as_mut());
        let (State::Sta01D, Some(joining)) = (state, joining) else {
            let indication = self.receive_event(now, &Spdu::ConnectDataOverflow(*overflow), source);
            self.drop_rest_if_over(tsdu);
            return indication;
        };
        if !joining.append(overflow.user_data) {
            return self.violation(now, tsdu, source, rule(pi::USER_DATA, "more user data than are taken"));
        }
        if overflow.end {
            let cold = self.cold();
            cold.joined.extend(cold.joining.take().map(Joining::finish));
        } else {
            self.fire(now, Event::Cdo, &Arguments::NONE, source);
        }
        None
    }

    /// The CONNECT with all user data: the event of the last CDO.
    pub(super) fn receive_joined_connect<'a>(
        &mut self,
        now: Duration,
        connect: &Connect<'a>,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        let outcome = self.fire(now, Event::Cdo, &Arguments { last: true, ..Arguments::NONE }, source);
        let proposal = self.cold.as_ref().and_then(|cold| cold.proposal)?;
        let indicated = outcome.outputs.contains(&Output::SConInd);
        indicated.then(|| Indication::Connect(indicated_connect(connect, &proposal)))
    }

    /// OA: settles the TSDU sizes, and the rest of the user data goes out (action 51).
    pub(super) fn receive_overflow_accept<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        accept: &OverflowAccept,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        let proposal = self.cold.as_ref().and_then(|cold| cold.proposal);
        let (State::Sta02B, Some(proposal)) = (self.state(), proposal) else {
            let indication = self.receive_event(now, &Spdu::OverflowAccept(*accept), source);
            self.drop_rest_if_over(tsdu);
            return indication;
        };
        let sizes = match negotiation::judge_overflow_accept(self.config.strict, &proposal, accept) {
            Ok(sizes) => sizes,
            Err(rule) => return self.violation(now, tsdu, source, rule),
        };
        let outcome = self.fire(now, Event::Oa, &Arguments::NONE, source);
        let cold = self.cold();
        cold.proposal = Some(Proposal { tsdu_maximum_size: sizes, sizes_answered: true, ..proposal });
        if outcome.effects.send_overflow {
            let sent = self.send_overflow(usize::from(sizes.initiator_to_responder));
            debug_assert_eq!(sent, Ok(()), "user data in pieces fit");
        }
        None
    }

    /// CDO SPDUs of TSDUs of at most `tsdu_octets_max` octets (0: any); only the last one says that it is.
    fn send_overflow(&mut self, tsdu_octets_max: usize) -> Result<(), ServiceError> {
        let octets_max = match tsdu_octets_max {
            0 => ConnectDataOverflow::USER_DATA_OCTETS_MAX,
            octets_max => octets_max - OVERHEAD_OCTETS,
        };
        let cold = self.cold();
        let user_data = core::mem::take(&mut cold.overflow);
        let mut rest = &user_data[..];
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(octets_max));
            let spdu =
                Spdu::ConnectDataOverflow(ConnectDataOverflow { end: after.is_empty(), user_data: part });
            let emitted = spdu.emit_tsdu(cold.outbox.sink());
            emitted.map_err(|_| ServiceError::Parameter("user data of CONNECT DATA OVERFLOW"))?;
            cold.outbox.finish_tsdu(Flow::Normal);
            rest = after;
        }
        Ok(())
    }
}

const _: () = assert!(
    OVERHEAD_OCTETS + ConnectDataOverflow::USER_DATA_OCTETS_MAX <= 4 + 65_535 + 4
        && OVERHEAD_OCTETS < tsdu_sizes::TSDU_OCTETS_MIN as usize,
    "every TSDU size has room for user data"
);

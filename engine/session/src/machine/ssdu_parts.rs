//! SSDUs that come or go in segments: what may stand between the segments, what throws them away, and the SPDU
//! that they make once all of them are there. X.225 §6.3.5, §7 (reference 3.4).
//!
//! The tables see none of this: they get one event, when the last segment has come. DT and TD are the
//! exception: each of their segments raises the event and is indicated, so that nothing is held.

use core::time::Duration;

use super::data_segments::DataKind;
use super::join::{self, JOINED_OCTETS_MAX, Joining};
use super::negotiation::{Proposal, Rule, rule, rule_of_spdu};
use super::receive::Source;
use super::{Session, State, classify};
use crate::spdu::{Head, Spdu, SpduKind, Tsdu, pi};
use crate::{Enclosure, Indication, Versions};

impl Session {
    /// What is wrong about an SPDU that comes while an SSDU of the peer is incomplete.
    pub(super) fn broken_interleave(&self, spdu: &Spdu<'_>) -> Option<Rule> {
        let kind = spdu.kind();
        // Here the peer may have cut its SSDU short, and the tables discard what they do not need.
        if self.recovering || may_interleave(kind) || throws_away(kind) {
            return None;
        }
        let joining = self.joining();
        let continues = match (joining, self.receiving) {
            (Some(joining), _) => joining.is_continued_by(spdu),
            // DT and TD are held against each other by their Enclosure Items.
            (None, Some(_)) => matches!(kind, SpduKind::DataTransfer | SpduKind::TypedData),
            (None, None) => true,
        };
        (!continues).then_some(rule_of_spdu("another SPDU between segments"))
    }

    /// Throws away what has come of an incomplete SSDU, when this SPDU of the peer says that no more will.
    pub(super) fn throw_away(&mut self, spdu: &Spdu<'_>) {
        if throws_away(spdu.kind()) && !self.joining().is_some_and(|joining| joining.is_continued_by(spdu)) {
            self.forget_parts();
        }
    }

    fn forget_parts(&mut self) {
        self.receiving = None;
        if let Some(cold) = &mut self.cold {
            cold.joining = None;
        }
    }

    /// Follows a change of state: what cuts SSDUs short, on both ways.
    ///
    /// While a resynchronization, an interruption or an exception is under way, what the peer had begun to send
    /// goes on until the peer knows of it, and whatever is left of it at the end was cut short.
    pub(super) fn follow_state(&mut self) {
        let state = self.state();
        if cuts_own_ssdu(state) {
            self.sending = None;
        }
        let recovering = is_recovering(state);
        if self.recovering && !recovering {
            self.forget_parts();
        }
        self.recovering = recovering;
    }

    /// The kind as which an SPDU counts: the one of the first segment, which alone tells MAP from AE.
    pub(super) fn kind_of(&self, spdu: &Spdu<'_>) -> SpduKind {
        match (spdu, self.joining()) {
            (Spdu::Segment(_), Some(joining)) if joining.is_continued_by(spdu) => joining.kind(),
            _ => spdu.kind(),
        }
    }

    /// True where the SPDU is a segment and the machine is to see the whole.
    pub(super) fn must_be_joined(&self, spdu: &Spdu<'_>) -> bool {
        let whole = join::enclosure(spdu).unwrap_or(Enclosure::WHOLE) == Enclosure::WHOLE;
        !whole || self.joining().is_some_and(|joining| joining.is_continued_by(spdu))
    }

    /// One segment of an SPDU other than DT and TD.
    pub(super) fn join<'a>(
        &mut self,
        now: Duration,
        tsdu: &mut Tsdu<'a>,
        spdu: &Spdu<'a>,
        source: Source<'a>,
    ) -> Option<Indication<'a>> {
        match self.joined_part(tsdu, spdu, source) {
            Ok(()) => None,
            Err(rule) => self.violation(now, tsdu, source, rule),
        }
    }

    fn joined_part(&mut self, tsdu: &mut Tsdu<'_>, spdu: &Spdu<'_>, source: Source<'_>) -> Result<(), Rule> {
        let enclosure = join::enclosure(spdu).unwrap_or(Enclosure::WHOLE);
        if !self.may_be_version_2() {
            return Err(rule(pi::ENCLOSURE, "segments in version 1"));
        }
        if tsdu.remaining_octets() > 0 {
            return Err(rule(pi::ENCLOSURE, "an SPDU behind a segment"));
        }
        // The tokens at the head of the last segment move when the whole SPDU has counted.
        let head = tsdu.deferred.take();
        if head.is_some() && !enclosure.end && self.config.strict {
            return Err(rule(pi::ENCLOSURE, "tokens in front of a segment that is not the last"));
        }
        if enclosure.begin {
            return self.first_part(spdu, source, head);
        }
        let cold = self.cold();
        let joining = cold.joining.as_mut().filter(|joining| joining.is_continued_by(spdu));
        let joining = joining.ok_or(rule(pi::ENCLOSURE, "segment without a first one"))?;
        joining.keep_head(head);
        if !joining.append(join::user_data(spdu)) {
            return Err(rule(pi::USER_DATA, "segmented user data too long"));
        }
        if enclosure.end {
            cold.joined.extend(cold.joining.take().map(Joining::finish));
        }
        Ok(())
    }

    fn first_part(
        &mut self,
        spdu: &Spdu<'_>,
        source: Source<'_>,
        head: Option<Head<'_>>,
    ) -> Result<(), Rule> {
        let arguments = super::Arguments::NONE;
        let event = classify::event(spdu, self.state(), self.spm.variables());
        let event = event.map_or(classify::plain_event(source.kind), |(event, _)| event);
        // One that will be dropped as a whole is joined all the same.
        let is_dropped = source.kind == SpduKind::NotFinished && self.is_superseded_refusal();
        if self.spm.cell(event, &arguments).is_empty() && !is_dropped {
            return Err(rule(pi::ENCLOSURE, "segment of an SPDU that the state does not allow"));
        }
        if self.joining().is_some() && !self.recovering {
            return Err(rule(pi::ENCLOSURE, "first segment while an SSDU is open"));
        }
        let user_data = join::user_data(spdu);
        let mut joining = Joining::new(source.kind, source.octets, user_data, JOINED_OCTETS_MAX);
        joining.keep_head(head);
        self.cold().joining = Some(joining);
        Ok(())
    }

    /// What is wrong with the Enclosure Item of a data SPDU.
    pub(super) fn broken_sequence(
        &self,
        kind: DataKind,
        item: Option<Enclosure>,
        enclosure: Enclosure,
    ) -> Option<Rule> {
        let enclosure_item = |words| Some(rule(pi::ENCLOSURE, words));
        let segmenting = self.receive_octets_max().is_some();
        match item {
            None if segmenting && self.config.strict => return enclosure_item("Enclosure Item missing"),
            Some(_) if !segmenting && self.config.strict => {
                return enclosure_item("Enclosure Item without segmenting");
            }
            _ => {}
        }
        // Here the peer may have cut its SSDU short and begun another, and the tables discard parts of either.
        if self.recovering {
            return None;
        }
        match self.receiving {
            None if !enclosure.begin => enclosure_item("segment without a first one"),
            Some(_) if enclosure.begin => enclosure_item("first segment while an SSDU is open"),
            Some(open) if open != kind => enclosure_item("segments of DT and TD mixed"),
            _ => None,
        }
    }

    fn joining(&self) -> Option<&Joining> {
        self.cold.as_ref().and_then(|cold| cold.joining.as_ref())
    }

    fn may_be_version_2(&self) -> bool {
        match (self.version, self.cold.as_ref().and_then(|cold| cold.proposal)) {
            (Some(version), _) => version == Versions::V2,
            (None, Some(Proposal { versions, .. })) => versions.contains(Versions::V2),
            (None, None) => false,
        }
    }
}

/// Between the segments of an SSDU only these may come: PT, what has the other flow for itself, and GTA, with which
/// the peer's machine answers at once whatever its user has begun.
fn may_interleave(kind: SpduKind) -> bool {
    matches!(
        kind,
        SpduKind::PleaseTokens | SpduKind::GiveTokensAck | SpduKind::ExpeditedData | SpduKind::Prepare
    )
}

/// SPDUs that tell that the rest of an SSDU will not come. `[1 source]`
///
/// That source names PREPARE too. It only announces: what was sent in front of the announced SPDU is delivered or
/// discarded segment by segment as the tables say, and PREPARE itself may be queued behind another one.
fn throws_away(kind: SpduKind) -> bool {
    matches!(
        kind,
        SpduKind::Resynchronize
            | SpduKind::ActivityInterrupt
            | SpduKind::ActivityDiscard
            | SpduKind::ExceptionData
            | SpduKind::ExceptionReport
            | SpduKind::Abort
            | SpduKind::AbortAccept
    )
}

/// States in which the tables may discard what the peer had begun to send.
fn is_recovering(state: State) -> bool {
    matches!(
        state,
        State::Sta05A
            | State::Sta05B
            | State::Sta05C
            | State::Sta06
            | State::Sta15B
            | State::Sta15C
            | State::Sta19
            | State::Sta20
    )
}

/// States in which the user cannot go on with an SSDU that it had begun.
fn cuts_own_ssdu(state: State) -> bool {
    is_recovering(state)
        || matches!(
            state,
            State::Sta01
                | State::Sta01A
                | State::Sta01C
                | State::Sta11A
                | State::Sta11B
                | State::Sta11C
                | State::Sta15D
                | State::Sta16
        )
}

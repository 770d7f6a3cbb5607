//! The SPDUs of a TSDU by their types: what a replay compares.

use std::fmt;

use colloquy_session::spdu::{DecodeRules, SpduKind, Tsdu};

/// Rules under which everything a peer may ever send is told apart.
const RULES: DecodeRules = DecodeRules { extended_concatenation: true, ..DecodeRules::LENIENT };

/// The types of a TSDU's SPDUs in the order of the wire, and the flow they came on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SpduKinds {
    kinds: Vec<SpduKind>,
    /// What follows the SPDUs above is no SPDU that may stand there.
    faulty: bool,
    expedited: bool,
}

impl SpduKinds {
    /// The types of the SPDUs in `tsdu`, which came on the expedited flow or the normal one.
    pub fn of(tsdu: &[u8], expedited: bool) -> SpduKinds {
        let mut rest = begin(tsdu, expedited);
        let mut kinds = Vec::new();
        loop {
            match rest.next_spdu(&RULES) {
                Ok(Some(spdu)) => kinds.push(spdu.kind),
                Ok(None) => return SpduKinds { kinds, faulty: false, expedited },
                Err(_) => return SpduKinds { kinds, faulty: true, expedited },
            }
        }
    }

    /// True when `tsdu` has the same SPDUs in the same order, on the same flow. Does not allocate.
    pub fn are_those_of(&self, tsdu: &[u8], expedited: bool) -> bool {
        let mut rest = begin(tsdu, expedited);
        let mut expected = self.kinds.iter();
        loop {
            match rest.next_spdu(&RULES) {
                Ok(Some(spdu)) if expected.next() == Some(&spdu.kind) => {}
                Ok(Some(_)) => return false,
                Ok(None) => return !self.faulty && expected.next().is_none() && expedited == self.expedited,
                Err(_) => return self.faulty && expected.next().is_none() && expedited == self.expedited,
            }
        }
    }

    /// The last SPDU, which is the one that counts behind a GT or PT; `None` when there is none.
    pub fn last(&self) -> Option<SpduKind> {
        self.kinds.last().copied()
    }

    /// True when the session is over with this TSDU, whoever sent it.
    pub fn end_the_session(&self) -> bool {
        use SpduKind::{Abort, AbortAccept, Disconnect, Refuse};
        matches!(self.last(), Some(Disconnect | Abort | AbortAccept | Refuse))
    }
}

fn begin(tsdu: &[u8], expedited: bool) -> Tsdu<'_> {
    if expedited { Tsdu::expedited(tsdu) } else { Tsdu::new(tsdu) }
}

impl fmt::Display for SpduKinds {
    /// The abbreviations of the standard, as `GT+DT`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in self.kinds.iter().enumerate() {
            if index > 0 {
                f.write_str("+")?;
            }
            f.write_str(kind.abbreviation())?;
        }
        match (self.faulty, self.kinds.is_empty()) {
            (true, true) => f.write_str("no SPDU")?,
            (true, false) => f.write_str("+no SPDU")?,
            (false, true) => f.write_str("nothing")?,
            (false, false) => {}
        }
        if self.expedited { f.write_str(" (expedited)") } else { Ok(()) }
    }
}

/// The SPDUs that `answer` is the answer to; empty for those that answer nothing of their own.
pub(crate) fn asked_by(answer: SpduKind) -> &'static [SpduKind] {
    use SpduKind::*;
    match answer {
        Accept | Refuse => &[Connect],
        OverflowAccept => &[Connect],
        Disconnect | NotFinished => &[Finish],
        AbortAccept => &[Abort],
        DataTransfer => &[DataTransfer],
        TypedData => &[TypedData],
        ExpeditedData => &[ExpeditedData],
        MinorSyncAck => &[MinorSyncPoint],
        MajorSyncAck => &[MajorSyncPoint, ActivityEnd],
        ResynchronizeAck => &[Resynchronize],
        ActivityInterruptAck => &[ActivityInterrupt],
        ActivityDiscardAck => &[ActivityDiscard],
        CapabilityDataAck => &[CapabilityData],
        GiveTokensAck => &[GiveTokensConfirm],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_the_order_of_the_wire() {
        let data = [1, 0, 1, 0, 0x42];
        let kinds = SpduKinds::of(&data, false);
        assert_eq!(kinds.to_string(), "GT+DT");
        assert_eq!(kinds.last(), Some(SpduKind::DataTransfer));
        assert!(kinds.are_those_of(&[1, 0, 1, 0], false), "user data are not compared");
        assert!(!kinds.are_those_of(&[2, 0, 1, 0], false), "PT in place of GT");
        assert!(!kinds.are_those_of(&[1, 0], false), "GT alone");
        assert!(!kinds.are_those_of(&data, true), "another flow");
        assert!(!SpduKinds::of(&[1, 0], false).are_those_of(&data, false), "a DT more");
    }

    #[test]
    fn what_is_no_spdu_is_a_type_of_its_own() {
        let kinds = SpduKinds::of(&[0xff, 0xff, 0xff], false);
        assert_eq!(kinds.to_string(), "no SPDU");
        assert!(kinds.are_those_of(&[0xff, 0xff, 0xff], false));
        assert!(!kinds.are_those_of(&[1, 0, 1, 0], false));
        assert!(!SpduKinds::of(&[1, 0, 1, 0], false).are_those_of(&[0xff, 0xff], false));
    }

    #[test]
    fn sessions_end_with_dn_ab_aa_and_rf() {
        for (octets, ends) in
            [(&[10, 0][..], true), (&[25, 0], true), (&[26, 0], true), (&[12, 0], true), (&[14, 0], false)]
        {
            assert_eq!(SpduKinds::of(octets, false).end_the_session(), ends, "{octets:?}");
        }
    }
}

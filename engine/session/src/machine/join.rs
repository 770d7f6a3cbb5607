//! Segmented SSDUs of SPDUs other than DT and TD: the parts a version 2 peer sends, and those sent to it.

use crate::Enclosure;
use crate::spdu::{
    Abort, Accept, ActivityDiscard, ActivityDiscardAck, ActivityEnd, ActivityInterrupt, ActivityInterruptAck,
    ActivityResume, ActivityStart, CapabilityData, CapabilityDataAck, Connect, Disconnect, ExceptionData,
    Finish, Flow, GiveTokens, GiveTokensConfirm, Head, MajorSyncAck, MajorSyncPoint, MinorSyncAck,
    MinorSyncPoint, NotFinished, PleaseTokens, Refuse, Resynchronize, ResynchronizeAck, Spdu, SpduKind, Tsdu,
};

/// Most octets of user data put together from segments, or sent in segments.
pub const JOINED_OCTETS_MAX: usize = 128 * 1024;

/// An SPDU of which some segments have arrived.
#[derive(Debug)]
pub(super) struct Joining {
    kind: SpduKind,
    /// What goes in front of a category 2 SPDU: empty, or a GT or PT.
    head: Vec<u8>,
    /// The first segment: it has all parameters.
    first: Vec<u8>,
    user_data: Vec<u8>,
    /// Most octets of user data that are put together.
    octets_max: usize,
}

impl Joining {
    pub(super) fn new(kind: SpduKind, first: &[u8], user_data: &[u8], octets_max: usize) -> Joining {
        let head = kind.head().map_or(Vec::new(), |head| vec![head.si(), 0]);
        Joining { kind, head, first: first.to_vec(), user_data: user_data.to_vec(), octets_max }
    }

    /// The kind of the first segment.
    pub(super) fn kind(&self) -> SpduKind {
        self.kind
    }

    /// True for a later segment of this SPDU, and for another SPDU of its kind.
    ///
    /// Peers exist that repeat all parameters in every segment; RF always does.
    pub(super) fn is_continued_by(&self, spdu: &Spdu<'_>) -> bool {
        match spdu {
            Spdu::Segment(segment) => segment.continues(self.kind),
            spdu => spdu.kind() == self.kind,
        }
    }

    /// Keeps the GT or PT in front of a segment when it names tokens.
    pub(super) fn keep_head(&mut self, head: Option<Head<'_>>) {
        if let Some(head) = head {
            let mut octets = Vec::new();
            let emitted = head.spdu().emit_into(&mut octets);
            debug_assert_eq!(emitted, Ok(()), "the head was received");
            self.head = octets;
        }
    }

    /// Appends a segment; false when the SSDU grows too long.
    pub(super) fn append(&mut self, user_data: &[u8]) -> bool {
        if self.user_data.len() + user_data.len() > self.octets_max {
            return false;
        }
        self.user_data.extend_from_slice(user_data);
        true
    }

    pub(super) fn finish(self) -> Joined {
        let mut first = self.head;
        first.extend_from_slice(&self.first);
        Joined { first, user_data: Some(self.user_data), flow: Flow::Normal }
    }
}

/// An SPDU that the machine has kept, for [`crate::Session::handle_tsdu`]: put together from its segments, or
/// one of the expedited flow that came ahead of its time (action 10 of Annex A).
#[derive(Debug)]
pub struct Joined {
    first: Vec<u8>,
    /// What the segments add up to.
    user_data: Option<Vec<u8>>,
    flow: Flow,
}

impl Joined {
    /// A whole SPDU of the expedited flow.
    pub(super) fn expedited(octets: &[u8]) -> Joined {
        Joined { first: octets.to_vec(), user_data: None, flow: Flow::Expedited }
    }

    /// The octets of an SPDU that was kept whole.
    pub(super) fn octets(&self) -> &[u8] {
        &self.first
    }

    /// The SPDU as a TSDU of its own: indications borrow from it.
    pub fn tsdu(&self) -> Tsdu<'_> {
        let mut tsdu = match self.flow {
            Flow::Normal => Tsdu::new(&self.first),
            Flow::Expedited => Tsdu::expedited(&self.first),
        };
        tsdu.joined = self.user_data.as_deref();
        tsdu
    }
}

/// Declares what has an arm for each SPDU with user data and Enclosure Item as parameters.
macro_rules! segmentable {
    ($($kind:ident)*) => {
        /// The Enclosure Item of an SPDU that has its user data in a parameter.
        pub(super) fn enclosure(spdu: &Spdu<'_>) -> Option<Enclosure> {
            match spdu {
                $(Spdu::$kind(spdu) => spdu.enclosure,)*
                Spdu::Refuse(refuse) => refuse.enclosure,
                Spdu::Segment(segment) => Some(Enclosure { begin: false, end: segment.end }),
                _ => None,
            }
        }

        /// The user data of an SPDU that has them in a parameter.
        pub(super) fn user_data<'a>(spdu: &Spdu<'a>) -> &'a [u8] {
            match spdu {
                $(Spdu::$kind(spdu) => spdu.user_data,)*
                Spdu::Connect(connect) => connect.user_data,
                Spdu::Refuse(refuse) => refuse.user_data,
                Spdu::Segment(segment) => segment.user_data,
                _ => &[],
            }
        }

        /// The same SPDU with other user data and another Enclosure Item.
        #[allow(clippy::needless_update, unused_variables)]
        pub(super) fn with_user_data<'a>(
            spdu: Spdu<'a>,
            user_data: &'a [u8],
            enclosure: Option<Enclosure>,
        ) -> Spdu<'a> {
            match spdu {
                $(Spdu::$kind(spdu) => Spdu::$kind($kind { user_data, enclosure, ..spdu }),)*
                Spdu::Connect(spdu) => Spdu::Connect(Connect { user_data, ..spdu }),
                Spdu::Refuse(spdu) => Spdu::Refuse(Refuse { user_data, enclosure, ..spdu }),
                other => other,
            }
        }

        /// True for SPDUs that this end sends in segments when they do not fit into one TSDU.
        pub(super) fn can_be_segmented(kind: SpduKind) -> bool {
            matches!(kind, SpduKind::Refuse $(| SpduKind::$kind)*)
        }
    };
}

segmentable! {
    Accept
    Finish
    Disconnect
    NotFinished
    Abort
    GiveTokens
    PleaseTokens
    GiveTokensConfirm
    CapabilityData
    CapabilityDataAck
    MinorSyncPoint
    MinorSyncAck
    MajorSyncPoint
    MajorSyncAck
    Resynchronize
    ResynchronizeAck
    ExceptionData
    ActivityStart
    ActivityResume
    ActivityInterrupt
    ActivityInterruptAck
    ActivityDiscard
    ActivityDiscardAck
    ActivityEnd
}

//! Segmented SSDUs of SPDUs other than DT and TD: the parts a version 2 peer sends, and those sent to it.

use crate::Enclosure;
use crate::spdu::{
    Abort, Accept, Disconnect, Finish, GiveTokens, NotFinished, PleaseTokens, Refuse, Segment, Spdu,
    SpduKind, Tsdu,
};

/// Most octets of user data put together from segments, or sent in segments.
pub const JOINED_OCTETS_MAX: usize = 128 * 1024;

/// An SPDU of which some segments have arrived.
#[derive(Debug)]
pub(super) struct Joining {
    kind: SpduKind,
    /// The first segment: it has all parameters.
    first: Vec<u8>,
    user_data: Vec<u8>,
}

impl Joining {
    pub(super) fn new(kind: SpduKind, first: &[u8], user_data: &[u8]) -> Joining {
        Joining { kind, first: first.to_vec(), user_data: user_data.to_vec() }
    }

    pub(super) fn kind(&self) -> SpduKind {
        self.kind
    }

    /// Appends a segment; false when the SSDU grows too long.
    pub(super) fn append(&mut self, user_data: &[u8]) -> bool {
        if self.user_data.len() + user_data.len() > JOINED_OCTETS_MAX {
            return false;
        }
        self.user_data.extend_from_slice(user_data);
        true
    }

    pub(super) fn finish(self) -> Joined {
        Joined { first: self.first, user_data: self.user_data }
    }
}

/// An SPDU put together from its segments, for [`crate::Session::handle_tsdu`].
#[derive(Debug)]
pub struct Joined {
    first: Vec<u8>,
    user_data: Vec<u8>,
}

impl Joined {
    /// The SPDU as a TSDU of its own: indications borrow from it.
    pub fn tsdu(&self) -> Tsdu<'_> {
        let mut tsdu = Tsdu::new(&self.first);
        tsdu.joined = Some(&self.user_data);
        tsdu
    }
}

/// The Enclosure Item of an SPDU that has its user data in a parameter.
pub(super) fn enclosure(spdu: &Spdu<'_>) -> Option<Enclosure> {
    match *spdu {
        Spdu::Accept(Accept { enclosure, .. })
        | Spdu::Refuse(Refuse { enclosure, .. })
        | Spdu::Finish(Finish { enclosure, .. })
        | Spdu::Disconnect(Disconnect { enclosure, .. })
        | Spdu::NotFinished(NotFinished { enclosure, .. })
        | Spdu::Abort(Abort { enclosure, .. })
        | Spdu::GiveTokens(GiveTokens { enclosure, .. })
        | Spdu::PleaseTokens(PleaseTokens { enclosure, .. }) => enclosure,
        Spdu::Segment(Segment { end, .. }) => Some(Enclosure { begin: false, end }),
        _ => None,
    }
}

/// The user data of an SPDU that has them in a parameter.
pub(super) fn user_data<'a>(spdu: &Spdu<'a>) -> &'a [u8] {
    match *spdu {
        Spdu::Connect(ref connect) => connect.user_data,
        Spdu::Accept(Accept { user_data, .. })
        | Spdu::Refuse(Refuse { user_data, .. })
        | Spdu::Finish(Finish { user_data, .. })
        | Spdu::Disconnect(Disconnect { user_data, .. })
        | Spdu::NotFinished(NotFinished { user_data, .. })
        | Spdu::Abort(Abort { user_data, .. })
        | Spdu::GiveTokens(GiveTokens { user_data, .. })
        | Spdu::PleaseTokens(PleaseTokens { user_data, .. })
        | Spdu::Segment(Segment { user_data, .. }) => user_data,
        _ => &[],
    }
}

/// The same SPDU with other user data and another Enclosure Item.
pub(super) fn with_user_data<'a>(
    spdu: Spdu<'a>,
    user_data: &'a [u8],
    enclosure: Option<Enclosure>,
) -> Spdu<'a> {
    match spdu {
        Spdu::Accept(spdu) => Spdu::Accept(Accept { user_data, enclosure, ..spdu }),
        Spdu::Refuse(spdu) => Spdu::Refuse(Refuse { user_data, enclosure, ..spdu }),
        Spdu::Finish(spdu) => Spdu::Finish(Finish { user_data, enclosure, ..spdu }),
        Spdu::Disconnect(_) => Spdu::Disconnect(Disconnect { user_data, enclosure }),
        Spdu::NotFinished(_) => Spdu::NotFinished(NotFinished { user_data, enclosure }),
        Spdu::Abort(spdu) => Spdu::Abort(Abort { user_data, enclosure, ..spdu }),
        Spdu::GiveTokens(spdu) => Spdu::GiveTokens(GiveTokens { user_data, enclosure, ..spdu }),
        Spdu::PleaseTokens(spdu) => Spdu::PleaseTokens(PleaseTokens { user_data, enclosure, ..spdu }),
        other => other,
    }
}

/// True for SPDUs that this end sends in segments when they do not fit into one TSDU.
pub(super) fn can_be_segmented(kind: SpduKind) -> bool {
    matches!(
        kind,
        SpduKind::Accept
            | SpduKind::Finish
            | SpduKind::Disconnect
            | SpduKind::NotFinished
            | SpduKind::Abort
            | SpduKind::GiveTokens
            | SpduKind::PleaseTokens
    )
}

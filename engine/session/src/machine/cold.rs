//! What a session needs now and then: kept in a box that an idle session does not have.

use std::collections::VecDeque;

use super::join::{Joined, Joining};
use super::negotiation::Proposal;
use super::outbox::Outbox;
use super::resync::Resync;
use crate::{PeerFault, Tolerated};

/// The rarely used part of a session.
#[derive(Debug, Default)]
pub(super) struct Cold {
    /// TSDUs to send.
    pub(super) outbox: Outbox,
    /// The CONNECT, encoded, until the transport is connected.
    pub(super) connect: Vec<u8>,
    /// User data of CONNECT that do not fit into it, until OVERFLOW ACCEPT asks for them.
    pub(super) overflow: Vec<u8>,
    /// The CONNECT sent or received, until it is answered.
    pub(super) proposal: Option<Proposal>,
    /// An SPDU of which segments are missing.
    pub(super) joining: Option<Joining>,
    /// SPDUs that are complete, or whose time has come, until the owner takes them.
    pub(super) joined: VecDeque<Joined>,
    /// SPDUs of the expedited flow that wait for their time (action 10): the octets of [`super::Spm::queue`].
    pub(super) queued: VecDeque<Joined>,
    /// The resynchronization that is asked for or indicated.
    pub(super) resync: Option<Resync>,
    /// The peer's first fault, until the owner takes it.
    pub(super) fault: Option<PeerFault>,
    /// What was tolerated first, until the owner takes it.
    pub(super) tolerated: Option<Tolerated>,
}

impl Cold {
    /// True when the box can go.
    pub(super) fn is_idle(&self) -> bool {
        self.outbox.is_drained()
            && self.connect.is_empty()
            && self.overflow.is_empty()
            && self.proposal.is_none()
            && self.joining.is_none()
            && self.joined.is_empty()
            && self.queued.is_empty()
            && self.resync.is_none()
            && self.fault.is_none()
            && self.tolerated.is_none()
    }
}

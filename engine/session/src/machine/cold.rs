//! What a session needs now and then: kept in a box that an idle session does not have.

use super::join::{Joined, Joining};
use super::negotiation::Proposal;
use super::outbox::Outbox;
use crate::PeerFault;

/// The rarely used part of a session.
#[derive(Debug, Default)]
pub(super) struct Cold {
    /// TSDUs to send.
    pub(super) outbox: Outbox,
    /// The CONNECT, encoded, until the transport is connected.
    pub(super) connect: Vec<u8>,
    /// The CONNECT sent or received, until it is answered.
    pub(super) proposal: Option<Proposal>,
    /// An SPDU of which segments are missing.
    pub(super) joining: Option<Joining>,
    /// An SPDU whose segments are complete, until the owner takes it.
    pub(super) joined: Option<Joined>,
    /// The peer's first fault, until the owner takes it.
    pub(super) fault: Option<PeerFault>,
}

impl Cold {
    /// True when the box can go.
    pub(super) fn is_idle(&self) -> bool {
        self.outbox.is_drained()
            && self.connect.is_empty()
            && self.proposal.is_none()
            && self.joining.is_none()
            && self.joined.is_none()
            && self.fault.is_none()
    }
}

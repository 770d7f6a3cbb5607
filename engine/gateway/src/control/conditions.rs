//! Which sessions are listed.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use super::describe::{Belongs, phase_name};
use super::protocol::{Code, Refused};
use crate::app::query::SessionRow;

/// Which sessions are listed; a condition that is absent holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conditions {
    pub(super) listener: Option<String>,
    route: Option<String>,
    target: Option<String>,
    /// An address, with or without a port.
    pub(super) peer: Option<String>,
    /// A phase, as `open`, or a state, as `STA713`.
    state: Option<String>,
    /// At most so many.
    pub(crate) limit: Option<usize>,
}

impl Conditions {
    /// Looks whether they can be held against a session.
    ///
    /// # Errors
    /// What is no address.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        let is_address = |text: &String| text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok();
        match &self.peer {
            Some(peer) if !is_address(peer) => {
                Err(Refused::new(Code::BadRequest, format!("{peer:?} is no address")))
            }
            _ => Ok(()),
        }
    }

    /// True for a session that fits all of them.
    pub(crate) fn hold(&self, row: &SessionRow, belongs: &Belongs<'_>) -> bool {
        let named = |wanted: &Option<String>, has: Option<&str>| {
            wanted.as_deref().is_none_or(|name| has == Some(name))
        };
        let from = |wanted: &String| {
            row.peer.is_some_and(|peer| {
                wanted.parse() == Ok(peer) || wanted.parse() == Ok(peer.ip().to_canonical())
            })
        };
        let in_state = |wanted: &String| {
            wanted.eq_ignore_ascii_case(row.view.state.name())
                || wanted.as_str() == phase_name(row.view.phase)
        };
        named(&self.listener, belongs.listener)
            && named(&self.route, belongs.route)
            && named(&self.target, belongs.target)
            && self.peer.as_ref().is_none_or(from)
            && self.state.as_ref().is_none_or(in_state)
    }
}

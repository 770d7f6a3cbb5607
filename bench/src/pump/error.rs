//! Why a pump does not run.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Octets of a wrong answer that an error shows.
const SHOWN_OCTETS_MAX: usize = 32;

/// Why a pump cannot be opened, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// The plan or window contradicts itself.
    #[error("the pump cannot run as asked: {0}")]
    Plan(&'static str),
    /// A connection could not be brought through its opening.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// An answer is not what was sent ([`PumpPlan::verify`](super::PumpPlan::verify)).
    #[error("{address}: octet {offset} of an answer is {found:#04x} where the request has {expected:#04x}")]
    Differs {
        /// The peer.
        address: SocketAddr,
        /// Offset in the answer.
        offset: usize,
        /// The octet sent.
        expected: u8,
        /// The octet that came.
        found: u8,
    },
    /// No connection that carries load is left.
    #[error("all {connections} connections that carried load are gone; the first because {fault}")]
    AllGone {
        /// How many there were.
        connections: usize,
        /// Why the first ended.
        fault: String,
    },
    /// The system refused something that is not about a peer.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

impl PumpError {
    pub(super) fn system(what: &'static str) -> impl Fn(io::Error) -> PumpError {
        move |error| PumpError::System { what, error }
    }
}

/// A connection that did not get through its opening.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {step}: {cause}")]
pub struct OpeningError {
    /// The peer.
    pub address: SocketAddr,
    /// What was under way: `TCP connect`, `CR`, `CN`, `request`, `FN`.
    pub step: &'static str,
    /// What went wrong.
    pub cause: OpeningCause,
}

/// What went wrong while a connection was opened.
#[derive(Debug)]
pub enum OpeningCause {
    /// What the system says.
    System(io::Error),
    /// Something else came than what was waited for.
    Instead {
        /// What was waited for.
        expected: &'static str,
        /// What came, as far as it is kept.
        came: Vec<u8>,
    },
    /// The peer closed the connection.
    Closed {
        /// What was waited for.
        expected: &'static str,
        /// What came before.
        came: Vec<u8>,
    },
    /// Nothing, or not enough, came in time.
    Timeout {
        /// What was waited for.
        expected: &'static str,
        /// How long.
        after: Duration,
        /// What came before.
        came: Vec<u8>,
    },
}

impl fmt::Display for OpeningCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpeningCause::System(error) if error.kind() == io::ErrorKind::AddrNotAvailable => write!(
                f,
                "{error}; a source address has about 28 000 ports, so more connections need more sources"
            ),
            OpeningCause::System(error) => error.fmt(f),
            OpeningCause::Instead { expected, came } => {
                write!(f, "instead of {expected} came {}", Shown(came))
            }
            OpeningCause::Closed { expected, came } => {
                write!(f, "the peer closed the connection instead of {expected}; before came {}", Shown(came))
            }
            OpeningCause::Timeout { expected, after, came } => {
                write!(f, "no {expected} within {} ms; so far came {}", after.as_millis(), Shown(came))
            }
        }
    }
}

struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for octet in self.0.iter().take(SHOWN_OCTETS_MAX) {
            write!(f, "{octet:02x}")?;
        }
        match self.0.len() {
            octets if octets > SHOWN_OCTETS_MAX => write!(f, "... ({octets} octets)"),
            _ => Ok(()),
        }
    }
}

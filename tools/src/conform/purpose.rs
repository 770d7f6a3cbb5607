//! What a test purpose is, and what comes of running it.

use colloquy_session::FunctionalUnits;

use super::context::Context;
use super::dialogue::Dialogue;

/// Class of a test purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// V: valid behaviour.
    Valid,
    /// I: an inopportune SPDU or primitive.
    Inopportune,
    /// S: a syntactically invalid SPDU.
    Syntax,
}

impl Kind {
    /// The letter of the reference.
    pub(crate) fn letter(self) -> char {
        match self {
            Kind::Valid => 'V',
            Kind::Inopportune => 'I',
            Kind::Syntax => 'S',
        }
    }
}

/// How a purpose ends: without a word, or with a reason.
pub(crate) type Verdict = Result<(), Stop>;

/// Why a purpose did not pass.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// The IUT does other than the reference says.
    Deviation(Deviation),
    /// It cannot be tested here.
    Skipped(String),
    /// There is no transport connection to be had.
    Unreachable(String),
}

/// What the IUT does other than the reference says.
#[derive(Clone, Debug)]
pub(crate) struct Deviation {
    /// What the tester sent last.
    pub(crate) sent: String,
    /// What the reference says.
    pub(crate) expected: String,
    /// What came.
    pub(crate) received: String,
}

/// Runs against a responder.
pub(crate) type ResponderTest = fn(&Context<'_>) -> Verdict;
/// Runs against an initiator whose CN has just been received.
pub(crate) type InitiatorTest = fn(&mut Dialogue, &[u8]) -> Verdict;
/// Runs against a machine in this process, whose user the tester plays too.
pub(crate) type UserTest = fn() -> Verdict;

/// A test purpose of the reference, section 12.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    /// Its number, 1 to 147.
    pub(crate) number: u16,
    /// Its class.
    pub(crate) kind: Kind,
    /// What it is about.
    pub(crate) title: &'static str,
    /// Functional units that must be selected, beside the kernel.
    pub(crate) units: FunctionalUnits,
    /// It shows by the echo of data.
    pub(crate) echo: bool,
    /// It needs the transport's expedited flow.
    pub(crate) expedited: bool,
    /// The test of a responder.
    pub(crate) responder: Option<ResponderTest>,
    /// The test of an initiator.
    pub(crate) initiator: Option<InitiatorTest>,
    /// The test with the IUT's user.
    pub(crate) user: Option<UserTest>,
}

impl Purpose {
    const fn new(number: u16, kind: Kind, title: &'static str) -> Purpose {
        Purpose {
            number,
            kind,
            title,
            units: FunctionalUnits::empty(),
            echo: false,
            expedited: false,
            responder: None,
            initiator: None,
            user: None,
        }
    }

    /// Functional units that must be selected.
    pub(crate) const fn units(self, units: FunctionalUnits) -> Purpose {
        Purpose { units, ..self }
    }

    /// Shows by the echo of data only.
    pub(crate) const fn echo(self) -> Purpose {
        Purpose { echo: true, ..self }
    }

    /// Needs transport expedited.
    pub(crate) const fn expedited(self) -> Purpose {
        Purpose { expedited: true, ..self }
    }

    /// The test of a responder.
    pub(crate) const fn responder(self, test: ResponderTest) -> Purpose {
        Purpose { responder: Some(test), ..self }
    }

    /// The test of an initiator.
    pub(crate) const fn initiator(self, test: InitiatorTest) -> Purpose {
        Purpose { initiator: Some(test), ..self }
    }

    /// The test with the IUT's user.
    pub(crate) const fn user(self, test: UserTest) -> Purpose {
        Purpose { user: Some(test), ..self }
    }
}

/// A purpose of valid behaviour.
pub(crate) const fn valid(number: u16, title: &'static str) -> Purpose {
    Purpose::new(number, Kind::Valid, title)
}

/// A purpose with an inopportune SPDU or primitive.
pub(crate) const fn inopportune(number: u16, title: &'static str) -> Purpose {
    Purpose::new(number, Kind::Inopportune, title)
}

/// A purpose with an invalid SPDU.
pub(crate) const fn syntax(number: u16, title: &'static str) -> Purpose {
    Purpose::new(number, Kind::Syntax, title)
}

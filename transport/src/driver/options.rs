//! What a driver may be asked to do differently: each of these trades one cost for another.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How receives use up the memory of the pool (io_uring).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BufferScheme {
    /// Receive after receive fills a large block, until it is full (Linux 6.12).
    #[default]
    Incremental,
    /// A receive takes as many small blocks as it needs and completes once for all of them (Linux 6.10).
    Bundle,
    /// A receive takes one block, however short it is.
    Plain,
}

impl fmt::Display for BufferScheme {
    /// The name in configurations and logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BufferScheme::Incremental => "incremental",
            BufferScheme::Bundle => "bundle",
            BufferScheme::Plain => "plain",
        })
    }
}

impl FromStr for BufferScheme {
    type Err = String;
    /// Reads `incremental`, `bundle` or `plain`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "incremental" => Ok(BufferScheme::Incremental),
            "bundle" => Ok(BufferScheme::Bundle),
            "plain" => Ok(BufferScheme::Plain),
            other => Err(format!("{other:?} is none of incremental, bundle, plain")),
        }
    }
}

/// A kernel thread takes entries from the submission queue, so that submitting needs no system call
/// (io_uring). It excludes deferred task work, and spins on a core of its own while there is traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmissionPolling {
    /// Without entries for so long it sleeps, and the next submission wakes it. Whole milliseconds.
    pub idle: Duration,
    /// The core it is bound to; `None`: the scheduler's choice.
    pub core: Option<u32>,
}

/// Options of a driver. What a driver or a kernel does not have is left out; nothing fails for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriverOptions {
    /// How receives use up the pool.
    pub buffers: BufferScheme,
    /// Submission by a kernel thread; `None`: by system calls.
    pub submission_polling: Option<SubmissionPolling>,
    /// How long a wait looks for completions before it sleeps; zero: not at all. The kernel is not asked to
    /// poll network cards (NAPI) as well: that has no effect on loopback, so its gain cannot be shown here.
    pub busy_poll: Duration,
    /// Sends of so many octets and more leave the copy out (Linux 6.1); 0: none does.
    pub zero_copy_send_octets_min: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_by_the_names_they_print() {
        for scheme in [BufferScheme::Incremental, BufferScheme::Bundle, BufferScheme::Plain] {
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
        }
        assert!("whole".parse::<BufferScheme>().is_err());
    }
}

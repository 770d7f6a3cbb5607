//! Which driver to use: asked for, or found out by trying.

use std::fmt;

use super::options::DriverOptions;

/// The drivers for real sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// `driver::uring`.
    IoUring,
    /// `driver::mio`.
    Mio,
}

/// What the configuration asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendChoice {
    /// io_uring where it works, mio elsewhere.
    #[default]
    Auto,
    /// io_uring or nothing.
    IoUring,
    /// mio.
    Mio,
}

/// Why io_uring cannot be used here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("io_uring cannot be used: {reason}")]
pub struct ProbeError {
    /// The step that failed and what the system said.
    pub reason: String,
}

impl fmt::Display for Backend {
    /// The name in configurations, logs and metrics.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Backend::IoUring => "io_uring",
            Backend::Mio => "mio",
        })
    }
}

impl std::str::FromStr for BackendChoice {
    type Err = String;
    /// Reads `auto`, `io_uring` or `mio`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(BackendChoice::Auto),
            "io_uring" => Ok(BackendChoice::IoUring),
            "mio" => Ok(BackendChoice::Mio),
            other => Err(format!("{other:?} is none of auto, io_uring, mio")),
        }
    }
}

/// The driver to use, and why: one line for the log and a label for the metric.
///
/// # Errors
/// When io_uring is asked for and does not work: then nothing else is taken in its place.
pub fn select(choice: BackendChoice) -> Result<(Backend, String), ProbeError> {
    select_with(choice, &DriverOptions::default())
}

/// The driver to use with these options, and why; the line also says what of them cannot be had.
///
/// # Errors
/// As of [`select`]: options that cannot be had are left out and are no reason against io_uring.
pub fn select_with(choice: BackendChoice, options: &DriverOptions) -> Result<(Backend, String), ProbeError> {
    decide(choice, || report(options))
}

fn decide<F: fmt::Display>(
    choice: BackendChoice,
    probe: impl FnOnce() -> Result<F, ProbeError>,
) -> Result<(Backend, String), ProbeError> {
    match choice {
        BackendChoice::Mio => Ok((Backend::Mio, "asked for".to_owned())),
        BackendChoice::IoUring => {
            probe().map(|features| (Backend::IoUring, format!("asked for; {features}")))
        }
        BackendChoice::Auto => Ok(match probe() {
            Ok(features) => (Backend::IoUring, format!("the probe passed; {features}")),
            Err(error) => (Backend::Mio, error.to_string()),
        }),
    }
}

#[cfg(target_os = "linux")]
fn report(options: &DriverOptions) -> Result<String, ProbeError> {
    let features = super::uring::probe_with(options)?;
    let missing = features.missing(options).into_iter().map(|what| format!("; {what}"));
    Ok(std::iter::once(features.to_string()).chain(missing).collect())
}

#[cfg(not(target_os = "linux"))]
fn report(_: &DriverOptions) -> Result<&'static str, ProbeError> {
    Err(ProbeError { reason: "it needs Linux".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSES: fn() -> Result<&'static str, ProbeError> = || Ok("everything");

    fn fails() -> Result<&'static str, ProbeError> {
        Err(ProbeError { reason: "set-up of the ring: not permitted".to_owned() })
    }

    #[test]
    fn auto_takes_io_uring_where_the_probe_passes_and_mio_elsewhere() {
        let (backend, reason) = decide(BackendChoice::Auto, PASSES).expect("auto always finds one");
        assert_eq!((backend, reason.as_str()), (Backend::IoUring, "the probe passed; everything"));
        let (backend, reason) = decide(BackendChoice::Auto, fails).expect("auto always finds one");
        assert_eq!(backend, Backend::Mio);
        assert!(reason.contains("not permitted"), "{reason}");
    }

    #[test]
    fn io_uring_refuses_to_fall_back() {
        let error = decide(BackendChoice::IoUring, fails).expect_err("no fallback");
        assert!(error.to_string().contains("not permitted"), "{error}");
        assert_eq!(decide(BackendChoice::IoUring, PASSES).expect("it works").0, Backend::IoUring);
    }

    #[test]
    fn mio_asks_no_probe() {
        let probe = || -> Result<&'static str, ProbeError> { panic!("mio needs no io_uring") };
        assert_eq!(decide(BackendChoice::Mio, probe).expect("always there").0, Backend::Mio);
    }

    #[test]
    fn choices_are_read_by_the_names_that_backends_print() {
        assert_eq!("auto".parse(), Ok(BackendChoice::Auto));
        assert_eq!(Backend::IoUring.to_string().parse(), Ok(BackendChoice::IoUring));
        assert_eq!(Backend::Mio.to_string().parse(), Ok(BackendChoice::Mio));
        assert!("epoll".parse::<BackendChoice>().is_err());
    }
}

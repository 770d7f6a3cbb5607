//! The limit on open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The soft limit on open files; `u64::MAX` without one.
pub(crate) fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Raises the soft limit on open files to the hard one, and both where that does not suffice and this
/// process may, then checks that `needed` fit.
///
/// # Errors
/// A sentence for the user when they do not fit.
pub(crate) fn raise(needed: u64) -> Result<(), String> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // When a try is refused, the check below decides.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if maximum.is_some_and(|maximum| maximum < needed) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum: Some(needed) });
    }
    match limit() {
        limit if limit < needed => Err(format!(
            "{needed} open files are needed and the limit is {limit}; raise the hard limit (as root \
             `ulimit -Hn {needed}`, LimitNOFILE= of a unit) or ask for fewer sessions"
        )),
        _ => Ok(()),
    }
}

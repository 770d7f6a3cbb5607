//! The limit on open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard one and checks that `needed` fit.
///
/// # Errors
/// A sentence for the user when they do not fit.
pub(crate) fn raise(needed: u64) -> Result<(), String> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Without it the check below decides.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < needed => Err(format!(
            "{needed} open files are needed and the limit is {limit}; raise it with `ulimit -Hn {needed}` \
             or LimitNOFILE="
        )),
        _ => Ok(()),
    }
}

//! The control socket's users, and whether a drain can end in time.

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::quantity::duration_text;
use super::super::read::File;
use super::no_effect;

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    if !file.admin.gives("control_socket") {
        for key in ["observers", "operators", "admins"] {
            no_effect(&file.admin, key, "there is no control_socket", diagnostics);
        }
    }
    drain(file, diagnostics);
}

/// Sessions that are not ended when the deadline comes are aborted all at once, which is what the pace is against.
fn drain(file: &File, diagnostics: &mut Diagnostics) {
    let keys = ["deadline", "sessions_per_second"];
    // Defaults are for an installation of unknown size: only who has thought about it is told.
    if file.drain.text("action") == Some("wait") || !keys.iter().any(|key| file.drain.sets(key)) {
        return;
    }
    let sessions = sessions_max(file);
    let (deadline, pace) = (file.drain.duration("deadline"), file.drain.integer("sessions_per_second"));
    let ended = deadline.as_secs_f64() * pace as f64;
    if deadline.is_zero() || ended >= sessions as f64 {
        return;
    }
    let needed = (sessions as f64 / deadline.as_secs_f64()).ceil();
    diagnostics.warn(
        FaultKind::Relation,
        file.drain.first_given(&keys),
        "drain.sessions_per_second",
        format!(
            "{pace} in a second end {ended:.0} of up to {sessions} sessions within deadline = {}; the rest is \
             aborted at once",
            duration_text(deadline)
        ),
        format!("at least {needed}, or a longer deadline"),
        None,
    );
}

/// Accepted sessions that can be open at the same time, where the number of shards is not that of the cores.
fn sessions_max(file: &File) -> u64 {
    let shards = file.engine.integer("shards").max(1);
    let relays = file.listeners.iter().all(|listener| listener.text("application") == Some("relay"));
    let of_shard = file.engine.integer("sessions_max") / if relays { 2 } else { 1 };
    let of_listeners: u64 = file.listeners.iter().map(|listener| listener.integer("sessions_max")).sum();
    let of_engine = of_shard.min(of_listeners).saturating_mul(shards);
    match file.limits.integer("sessions_max") {
        0 => of_engine,
        limit => limit.min(of_engine),
    }
}

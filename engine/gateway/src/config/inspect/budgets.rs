//! Whether descriptors and memory suffice for what the configuration admits.

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::quantity::size_text;
use super::super::read::File;
use super::System;

/// Descriptors beside those of connections: listeners, rings, admin connections, log.
const DESCRIPTORS_SPARE: u64 = 256;
/// Octets that the engine takes for a session that carries nothing, as measured with 10 000 of them.
const SESSION_OCTETS: u64 = 780;

pub(super) fn check(file: &File, system: &System, diagnostics: &mut Diagnostics) {
    let shards = match file.engine.integer("shards") {
        0 => system.cores,
        shards => shards,
    };
    descriptors(file, system, shards, diagnostics);
    memory(file, system, shards, diagnostics);
    queues(file, system, shards, diagnostics);
    room(file, system, shards, diagnostics);
}

/// On mio every connection is an open file; with io_uring the limit is for each ring. `auto` may become either.
fn descriptors(file: &File, system: &System, shards: u64, diagnostics: &mut Diagnostics) {
    let Some(limit) = system.open_files_max else { return };
    let of_shard = file.engine.integer("sessions_max");
    let driver = file.engine.text("driver").unwrap_or("auto");
    let (connections, whose) = if driver == "mio" {
        (of_shard.saturating_mul(shards), format!("{shards} shards"))
    } else {
        (of_shard, "each shard".to_owned())
    };
    let needed = connections + DESCRIPTORS_SPARE;
    if needed > limit {
        diagnostics.warn(
            FaultKind::System,
            file.engine.first_given(&["sessions_max", "shards", "driver"]),
            "engine.sessions_max",
            format!(
                "{connections} connections of {whose} and {DESCRIPTORS_SPARE} other files do not fit the {limit} \
                 open files that this process may have"
            ),
            format!("at most {} sessions on a shard", per_shard(limit, driver, shards)),
            Some(format!("or raise the hard limit to {needed}: LimitNOFILE= of a unit, ulimit -Hn")),
        );
    }
}

fn per_shard(limit: u64, driver: &str, shards: u64) -> u64 {
    let left = limit.saturating_sub(DESCRIPTORS_SPARE);
    if driver == "mio" { left / shards.max(1) } else { left }
}

/// A listener that may have more sessions than the shards refuses by their limit, which nobody would look for.
fn room(file: &File, system: &System, shards: u64, diagnostics: &mut Diagnostics) {
    let of_shard = file.engine.integer("sessions_max");
    let driver = file.engine.text("driver").unwrap_or("auto");
    let by_files = system.open_files_max.map_or(u64::MAX, |limit| per_shard(limit, driver, shards));
    let connections = of_shard.min(by_files).saturating_mul(shards);
    for (index, listener) in file.listeners.iter().enumerate() {
        let relays = listener.text("application") == Some("relay");
        let room = connections / if relays { 2 } else { 1 };
        let wanted = listener.integer("sessions_max");
        if !listener.sets("sessions_max") || wanted <= room {
            continue;
        }
        let limited_by =
            if by_files < of_shard { "open files of this process" } else { "sessions_max of [engine]" };
        let each = if relays { "two connections each" } else { "one connection each" };
        diagnostics.warn(
            FaultKind::System,
            listener.span("sessions_max"),
            format!("listener[{index}].sessions_max"),
            format!("{wanted} sessions of {each} do not fit the {connections} connections that {shards} shards may have"),
            format!("at most {room}"),
            Some(format!("or more of what limits them: {limited_by}")),
        );
    }
}

/// Octets that are held whatever happens, and those that sessions may hold by configuration.
fn memory(file: &File, system: &System, shards: u64, diagnostics: &mut Diagnostics) {
    let Some(available) = system.memory_octets else { return };
    let engine = &file.engine;
    let pool = engine.integer("receive_blocks") * engine.integer("receive_block_octets");
    let sessions = engine.integer("sessions_max") * SESSION_OCTETS;
    let queues = file.limits.integer("shard_memory_octets_max");
    let total = pool.saturating_add(sessions).saturating_add(queues).saturating_mul(shards);
    if total > available {
        diagnostics.warn(
            FaultKind::System,
            engine.first_given(&["receive_blocks", "receive_block_octets", "sessions_max", "shards"]),
            "engine",
            format!(
                "{shards} shards may take {} of memory each ({} receive pool, {} sessions, {} shard_memory_octets_max): \
                 more than the {} there are",
                mebi(pool + sessions + queues),
                mebi(pool),
                mebi(sessions),
                mebi(queues),
                mebi(available)
            ),
            "less of one of them",
            None,
        );
    }
}

/// Where memory is limited, queues that are not may be what the process is killed for.
fn queues(file: &File, system: &System, shards: u64, diagnostics: &mut Diagnostics) {
    let Some(available) = system.memory_octets.filter(|_| system.memory_is_limited) else { return };
    if file.limits.integer("shard_memory_octets_max") != 0 {
        return;
    }
    let sessions = file.engine.integer("sessions_max");
    let worst = sessions * file.engine.integer("send_high_mark_octets") * shards;
    if worst > available {
        diagnostics.warn(
            FaultKind::System,
            file.limits.span("shard_memory_octets_max"),
            "limits.shard_memory_octets_max",
            format!(
                "is 0, and the queues of {} sessions may grow to {}; the control group grants {}",
                sessions * shards,
                mebi(worst),
                mebi(available)
            ),
            "a limit",
            Some(format!(
                "for example shard_memory_octets_max = \"{}\"",
                size_text((available / 2 / shards) >> 20 << 20)
            )),
        );
    }
}

fn mebi(octets: u64) -> String {
    format!("{:.1} MiB", octets as f64 / f64::from(1 << 20))
}

//! Pinning a shard's thread to a core.

/// Cores this process may run on, as numbers for [`to_core`].
pub fn cores() -> Vec<usize> {
    core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect()
}

/// Pins the calling thread to the core; false when the system refuses.
pub fn to_core(core: usize) -> bool {
    core_affinity::set_for_current(core_affinity::CoreId { id: core })
}

/// The system's number of the calling thread, as in `/proc/self/task`; none where there is no `/proc`.
pub fn thread_id() -> Option<u64> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

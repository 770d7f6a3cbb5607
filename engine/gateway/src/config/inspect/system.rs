//! What this machine has and grants.

use std::fs;
use std::thread;

use rustix::process::{Resource, getrlimit};

/// Bit of CAP_NET_BIND_SERVICE in a capability set.
const CAP_NET_BIND_SERVICE: u32 = 10;
/// Bit of CAP_SYS_RESOURCE, by which limits are raised.
const CAP_SYS_RESOURCE: u32 = 24;
/// First port that needs no capability where the kernel does not say otherwise.
const UNPRIVILEGED_PORT_START: u16 = 1024;

/// What this machine has and grants to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System {
    /// Cores that threads may run on.
    pub cores: u64,
    /// Files that the process may have open at most; `None`: no limit.
    pub open_files_max: Option<u64>,
    /// Octets of memory that are free, or that the control group grants, whichever is less; `None`: unknown.
    pub memory_octets: Option<u64>,
    /// The control group limits memory.
    pub memory_is_limited: bool,
    /// First port that needs no capability.
    pub unprivileged_port_start: u16,
    /// Lower ports may be bound too.
    pub binds_privileged: bool,
}

impl System {
    /// Of this process, as far as the kernel tells.
    pub fn read() -> System {
        let capabilities = capabilities().unwrap_or(0);
        let has = |bit: u32| capabilities >> bit & 1 == 1;
        let hard = getrlimit(Resource::Nofile).maximum;
        let ceiling = number("/proc/sys/fs/nr_open");
        let limit = control_group_limit();
        let free = available_memory();
        System {
            cores: thread::available_parallelism().map_or(1, |count| count.get() as u64),
            open_files_max: if has(CAP_SYS_RESOURCE) { ceiling.or(hard) } else { hard },
            memory_octets: [limit, free].into_iter().flatten().min(),
            memory_is_limited: limit.is_some(),
            unprivileged_port_start: number("/proc/sys/net/ipv4/ip_unprivileged_port_start")
                .and_then(|port| u16::try_from(port).ok())
                .unwrap_or(UNPRIVILEGED_PORT_START),
            binds_privileged: has(CAP_NET_BIND_SERVICE),
        }
    }
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The effective capabilities of this process.
fn capabilities() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// `memory.max` of the control group (version 2).
fn control_group_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    number(&format!("/sys/fs/cgroup{}/memory.max", path.trim_end_matches('/')))
}

fn available_memory() -> Option<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibioctets: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibioctets << 10)
}

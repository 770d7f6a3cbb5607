//! Memory of the whole system, as Linux tells it.

use super::super::LabError;

/// What the kernel and everybody else use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SystemMemory {
    /// Slab: sockets, inodes, directory entries, io_uring requests.
    slab: u64,
    page_tables: u64,
    kernel_stacks: u64,
    per_cpu: u64,
    /// Large tables of the kernel, such as those of direct descriptors.
    vmalloc: u64,
    /// Buffers of TCP sockets, which lie beside the slab.
    socket_buffers: u64,
    /// What could be given to programs.
    pub(super) available_octets: u64,
}

impl SystemMemory {
    /// At this moment.
    ///
    /// # Errors
    /// When `/proc` does not say.
    pub(super) fn now() -> Result<SystemMemory, LabError> {
        let read = |path: &str| {
            std::fs::read_to_string(path).map_err(|error| LabError::Failed(format!("{path}: {error}")))
        };
        let (meminfo, sockstat) = (read("/proc/meminfo")?, read("/proc/net/sockstat")?);
        SystemMemory::of(&meminfo, &sockstat, page_octets(&read("/proc/self/smaps")?))
            .ok_or_else(|| LabError::Failed("/proc/meminfo or /proc/net/sockstat lacks a line".to_owned()))
    }

    fn of(meminfo: &str, sockstat: &str, page_octets: u64) -> Option<SystemMemory> {
        let field = |name: &str| kibioctets(meminfo, name);
        Some(SystemMemory {
            slab: field("Slab:")?,
            page_tables: field("PageTables:")?,
            kernel_stacks: field("KernelStack:")?,
            per_cpu: field("Percpu:").unwrap_or(0),
            vmalloc: field("VmallocUsed:")?,
            socket_buffers: socket_pages(sockstat)? * page_octets,
            available_octets: field("MemAvailable:")?,
        })
    }

    /// All that grows with connections in the kernel.
    pub(super) fn kernel_octets(&self) -> u64 {
        // Stacks lie in vmalloc space where the kernel maps them; they grow with threads, not with connections.
        let SystemMemory { slab, page_tables, kernel_stacks, per_cpu, vmalloc, socket_buffers, .. } = *self;
        slab + page_tables + per_cpu + vmalloc.max(kernel_stacks) + socket_buffers
    }
}

/// The octets of a line `Name:   123 kB`.
fn kibioctets(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Pages of TCP buffers: `TCP: inuse 5 orphan 0 tw 0 alloc 5 mem 113`.
fn socket_pages(sockstat: &str) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem");
    words.nth(1)?.parse().ok()
}

/// Octets of a page of this process; 4096 where nobody says.
fn page_octets(smaps: &str) -> u64 {
    kibioctets(smaps, "KernelPageSize:").unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:       24684092 kB\nMemFree:        22577232 kB\nMemAvailable:   24103492 kB\n\
                           Slab:             920756 kB\nSReclaimable:     857024 kB\nSUnreclaim:        63732 kB\n\
                           KernelStack:        1784 kB\nPageTables:         5012 kB\nVmallocUsed:       13048 kB\n\
                           Percpu:             1072 kB\n";
    const SOCKSTAT: &str =
        "sockets: used 24\nTCP: inuse 5 orphan 0 tw 0 alloc 5 mem 113\nUDP: inuse 0 mem 0\n";

    #[test]
    fn what_proc_says_is_read() {
        let memory = SystemMemory::of(MEMINFO, SOCKSTAT, 4096).unwrap();
        assert_eq!(memory.slab, 920_756 * 1024);
        assert_eq!(memory.available_octets, 24_103_492 * 1024);
        assert_eq!(memory.socket_buffers, 113 * 4096);
        let kibioctets = 920_756 + 5012 + 1072 + 13_048 + 113 * 4;
        assert_eq!(memory.kernel_octets(), kibioctets * 1024);
        assert_eq!(SystemMemory::of(MEMINFO, "UDP: inuse 0 mem 0\n", 4096), None);
        assert_eq!(SystemMemory::of("MemTotal: 5 kB\n", SOCKSTAT, 4096), None);
    }

    #[test]
    fn the_page_size_is_read() {
        assert_eq!(page_octets("a-b r-xp\nSize: 4 kB\nKernelPageSize:       64 kB\n"), 65_536);
        assert_eq!(page_octets(""), 4096);
    }

    #[test]
    fn this_system_says_all_of_it() {
        assert!(SystemMemory::now().unwrap().kernel_octets() > 0);
    }
}

//! Who runs on which core of the machine.

use colloquy_shard::pin;

/// Places of a ring's table that accepts and sockets in flight may take beside the sessions.
const RING_PLACES_SPARE: u64 = 64;

/// Shards and threads of the demo, and their cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Shards of the gateway: what the machine has cores for, minus what the load needs.
    pub(crate) gateway_shards: usize,
    /// Their cores; none leaves them unpinned.
    pub(crate) gateway_cores: Vec<usize>,
    /// Shards of the echo responder.
    pub(crate) responder_shards: usize,
    /// Their cores.
    pub(crate) responder_cores: Vec<usize>,
    /// Generator threads.
    pub(crate) load_threads: usize,
    /// Their cores.
    pub(crate) load_cores: Vec<usize>,
}

impl Layout {
    /// The layout for the cores this process may use.
    pub(crate) fn of_machine() -> Layout {
        let cores = pin::cores();
        if cores.is_empty() {
            let unknown = std::thread::available_parallelism().map_or(1, usize::from);
            return Layout { gateway_cores: Vec::new(), ..Layout::of(&vec![0; unknown]) }.unpinned();
        }
        Layout::of(&cores)
    }

    /// The layout for these cores.
    ///
    /// For each SSDU the gateway does what generator and responder do together: four system calls'
    /// worth against two and two. So half of the cores are the gateway's.
    fn of(cores: &[usize]) -> Layout {
        let count = cores.len();
        let each = (count / 4).max(1);
        let gateway_shards = count.saturating_sub(2 * each).max(1);
        let layout = Layout {
            gateway_shards,
            gateway_cores: cores[..gateway_shards.min(count)].to_vec(),
            responder_shards: each,
            load_threads: each,
            responder_cores: Vec::new(),
            load_cores: Vec::new(),
        };
        match count {
            0 | 1 => layout.unpinned(),
            // Generator and responder share what the gateway leaves.
            2 | 3 => {
                let rest = &cores[gateway_shards..];
                let load = rest[rest.len() - 1];
                Layout { responder_cores: vec![rest[0]], load_cores: vec![load], ..layout }
            }
            _ => Layout {
                responder_cores: cores[gateway_shards..gateway_shards + each].to_vec(),
                load_cores: cores[gateway_shards + each..gateway_shards + 2 * each].to_vec(),
                ..layout
            },
        }
    }

    /// The same with as many rings as it takes to hold the sessions where a ring holds `places`
    /// connections. The relay has two for each session; SO_REUSEPORT spreads them unevenly.
    pub(crate) fn with_room(self, sessions: u32, places: u64) -> Layout {
        let rings = |connections: u64| {
            let uneven = connections + connections / 8 + RING_PLACES_SPARE;
            if connections + RING_PLACES_SPARE <= places {
                1
            } else {
                uneven.div_ceil(places.max(1)) as usize
            }
        };
        let sessions = u64::from(sessions);
        Layout {
            gateway_shards: self.gateway_shards.max(rings(sessions * 2)),
            responder_shards: self.responder_shards.max(rings(sessions)),
            load_threads: self.load_threads.max(rings(sessions)),
            ..self
        }
    }

    fn unpinned(self) -> Layout {
        Layout { gateway_cores: Vec::new(), responder_cores: Vec::new(), load_cores: Vec::new(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_gets_a_layout_and_from_two_cores_on_the_gateway_has_its_own() {
        for count in 1..=128 {
            let cores: Vec<usize> = (100..100 + count).collect();
            let layout = Layout::of(&cores);
            assert!(layout.gateway_shards >= 1, "{count}");
            if count == 1 {
                assert!(layout.gateway_cores.is_empty());
                continue;
            }
            assert_eq!(layout.gateway_cores.len(), layout.gateway_shards, "{count}");
            for core in &layout.gateway_cores {
                assert!(!layout.load_cores.contains(core), "{count}");
                assert!(!layout.responder_cores.contains(core), "{count}");
            }
            assert!(!layout.load_cores.is_empty(), "{count}");
            let used = layout.gateway_shards + layout.responder_shards + layout.load_threads;
            assert!(used <= count.max(3), "{count}: {used}");
        }
    }

    #[test]
    fn a_ring_is_added_where_one_cannot_hold_all_sessions() {
        let layout = |sessions| Layout::of(&[0, 1]).with_room(sessions, 20_000);
        assert_eq!(layout(9900).gateway_shards, 1);
        assert_eq!(layout(10_000).gateway_shards, 2);
        assert_eq!((layout(10_000).responder_shards, layout(10_000).load_threads), (1, 1));
        assert_eq!(layout(40_000).responder_shards, 3);
    }

    #[test]
    fn two_cores_are_one_for_the_gateway_and_one_for_the_rest() {
        let layout = Layout::of(&[4, 5]);
        assert_eq!(
            (layout.gateway_cores, layout.responder_cores, layout.load_cores),
            (vec![4], vec![5], vec![5])
        );
    }
}

//! What the gateway spends while the load is measured: processor time and system calls per SSDU.

use std::sync::Arc;
use std::time::Duration;

use colloquy_bench::{Progress, Stage};
use colloquy_gateway::Vitals;

/// The gateway's numbers at one moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    cpu: Option<Duration>,
    ssdus: u64,
    system_calls: u64,
}

/// Looks at the gateway as long as the load is measured.
pub(crate) struct Watch {
    vitals: Arc<Vitals>,
    first: Option<Look>,
    last: Option<Look>,
}

/// What the gateway spent between the first look and the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    /// SSDUs carried, each way counted.
    pub(crate) ssdus: u64,
    /// Processor time of all shards per SSDU, in microseconds.
    pub(crate) cpu_us_per_ssdu: Option<f64>,
    /// System calls of all shards' drivers per SSDU.
    pub(crate) system_calls_per_ssdu: Option<f64>,
}

impl Watch {
    /// A watch on a gateway.
    pub(crate) fn new(vitals: Arc<Vitals>) -> Watch {
        Watch { vitals, first: None, last: None }
    }

    /// Looks, if the load is being measured.
    pub(crate) fn look(&mut self, progress: &Progress) {
        if progress.stage != Stage::Measuring {
            return;
        }
        let total = self.vitals.total();
        let look =
            Look { cpu: self.vitals.cpu(), ssdus: total.spdus_data_in, system_calls: total.system_calls };
        self.first.get_or_insert(look);
        self.last = Some(look);
    }

    /// What was spent.
    pub(crate) fn finish(&self) -> Spent {
        let (Some(first), Some(last)) = (self.first, self.last) else { return Spent::default() };
        let ssdus = last.ssdus.saturating_sub(first.ssdus);
        if ssdus == 0 {
            return Spent::default();
        }
        let calls = last.system_calls.saturating_sub(first.system_calls);
        let cpu = last.cpu.zip(first.cpu).map(|(last, first)| last.saturating_sub(first));
        Spent {
            ssdus,
            cpu_us_per_ssdu: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / ssdus as f64),
            system_calls_per_ssdu: (calls > 0).then(|| calls as f64 / ssdus as f64),
        }
    }
}

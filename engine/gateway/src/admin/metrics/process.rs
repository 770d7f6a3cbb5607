//! What the system knows of the process, by the names that every Prometheus client uses.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// The process at the moment of a scrape. What the system does not tell is left out.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) started_at: SystemTime,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let spent = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9;
        encoder
            .encode_descriptor("process_cpu_seconds", "CPU time of the process", None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, f64, u64>(&seconds, None)?;
        let started = self.started_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let limit = getrlimit(Resource::Nofile).current.map(|count| count as f64);
        for (name, help, value) in [
            ("process_start_time_seconds", "When the gateway started, since 1970", Some(started)),
            ("process_open_fds", "Descriptors that are open", open_descriptors()),
            ("process_max_fds", "Descriptors that may be open", limit),
            ("process_resident_memory_bytes", "Memory in use", resident_octets()),
        ] {
            if let Some(value) = value {
                let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                ConstGauge::new(value).encode(metric)?;
            }
        }
        Ok(())
    }
}

fn open_descriptors() -> Option<f64> {
    // The one that reads the folder is not counted.
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

fn resident_octets() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

//! One run: what one contestant did inside one measured window.

use serde::Serialize;

use super::LabError;

/// What one contestant did inside one measured window.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    /// The cell: `64x256x1`.
    pub cell: String,
    /// Who served.
    pub contestant: String,
    /// From 0.
    pub round: usize,
    /// Seconds since the comparison began.
    pub at_s: f64,
    /// Requests answered.
    pub ssdus: u64,
    /// Octets answered.
    pub octets: u64,
    /// Length of the window.
    pub seconds: f64,
    /// CPU time of the server: all threads, user and system.
    pub server_cpu_s: f64,
    /// CPU time of the client's thread.
    pub client_cpu_s: f64,
    /// System calls of the server; `None` where nobody counts them.
    pub system_calls: Option<u64>,
    /// Median response time.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// How late the client was with its requests, 99th percentile; open loop only.
    pub lateness_p99_ns: Option<u64>,
    /// Requests without an answer.
    pub lost: u64,
    /// Connections the server closed.
    pub closed_by_peer: u64,
    /// Share of the window that the hypervisor gave to others, over all cores.
    pub steal_share: Option<f64>,
    /// The distribution of response times: `[percent, ns]`.
    pub percentiles: Vec<(f64, u64)>,
}

impl Run {
    /// CPU time of the server for each SSDU, in nanoseconds.
    pub fn cpu_ns_per_ssdu(&self) -> f64 {
        self.server_cpu_s * 1e9 / self.ssdus as f64
    }

    /// SSDUs answered per second.
    pub fn rate_per_s(&self) -> f64 {
        self.ssdus as f64 / self.seconds
    }

    /// System calls of the server for each SSDU.
    pub fn calls_per_ssdu(&self) -> Option<f64> {
        Some(self.system_calls? as f64 / self.ssdus as f64)
    }
}

/// The runs of one cell: `of[contestant][round]`, contestants in the order in which they were named.
#[derive(Clone, Debug, Default)]
pub struct CellRuns {
    /// Names of the contestants.
    pub contestants: Vec<String>,
    /// Runs, by contestant and round.
    pub of: Vec<Vec<Run>>,
    /// Why a contestant took no part, or not to the end.
    pub absent: Vec<Option<LabError>>,
}

impl CellRuns {
    /// The runs of a contestant; empty when it took no part.
    pub fn by(&self, contestant: &str) -> &[Run] {
        let index = self.contestants.iter().position(|name| name == contestant);
        index.map_or(&[], |index| &self.of[index])
    }

    /// A figure of a contestant, round by round.
    pub fn figure(&self, contestant: &str, figure: impl Fn(&Run) -> f64) -> Vec<f64> {
        self.by(contestant).iter().map(figure).collect()
    }

    /// A figure of one contestant over that of another, round by round.
    pub fn ratios(&self, ours: &str, theirs: &str, figure: impl Fn(&Run) -> f64) -> Vec<f64> {
        super::statistics::paired_ratios(&self.figure(ours, &figure), &self.figure(theirs, &figure))
    }

    /// That these took part to the end.
    ///
    /// # Errors
    /// Why the first of them did not.
    pub fn need(&self, contestants: &[&str]) -> Result<(), LabError> {
        for name in contestants {
            let index = self.contestants.iter().position(|known| known == name);
            let absent = index.map_or_else(
                || Some(LabError::Failed(format!("{name} took no part"))),
                |index| self.absent[index].clone(),
            );
            if let Some(why) = absent {
                return Err(why);
            }
        }
        Ok(())
    }

    /// Every run, contestant by contestant.
    pub fn all(&self) -> impl Iterator<Item = &Run> {
        self.of.iter().flatten()
    }
}

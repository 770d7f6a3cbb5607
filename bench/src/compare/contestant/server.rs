//! A contestant that runs.

use std::net::SocketAddr;
use std::time::Duration;

use super::super::LabError;
use super::super::process::Process;
use super::ask;

/// A server has this long to answer for its counters.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// The gateway's own count.
const SYSTEM_CALLS: &str = "colloquy_system_calls_total";

/// Who counts a server's system calls.
#[derive(Clone, Copy, Debug)]
pub enum Counter {
    /// The gateway's `/metrics` at this address.
    Metrics(SocketAddr),
    /// The line `stats` on standard input, answered by a line of JSON.
    Stats,
    /// Nobody.
    Unknown,
}

/// A contestant that runs; ends on drop.
#[derive(Debug)]
pub struct Server {
    /// As in records.
    pub name: String,
    /// Where it accepts connections.
    pub address: SocketAddr,
    /// Its process.
    pub process: Process,
    counter: Counter,
}

impl Server {
    /// A running process that accepts connections at `address`. For contestants of a row's own making, such as peers.
    pub fn new(name: impl Into<String>, address: SocketAddr, process: Process, counter: Counter) -> Server {
        Server { name: name.into(), address, process, counter }
    }

    /// CPU time so far.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu(&self) -> Result<Duration, LabError> {
        self.process.cpu()
    }

    /// System calls so far; `None` where nobody counts them.
    ///
    /// # Errors
    /// When the one who counts does not answer.
    pub fn system_calls(&mut self) -> Result<Option<u64>, LabError> {
        match self.counter {
            Counter::Unknown => Ok(None),
            Counter::Metrics(_) => Ok(self.metric(SYSTEM_CALLS)?.map(|value| value as u64)),
            Counter::Stats => Ok(self.stats()?["system_calls"].as_u64()),
        }
    }

    /// Connections that a bare echo server has accepted so far.
    ///
    /// # Errors
    /// When it does not answer, or is another server.
    pub fn accepted(&mut self) -> Result<u64, LabError> {
        let accepted = match self.counter {
            Counter::Stats => self.stats()?["accepted"].as_u64(),
            Counter::Metrics(_) | Counter::Unknown => None,
        };
        accepted.ok_or_else(|| self.process.fault("does not say how many connections it has accepted"))
    }

    fn stats(&mut self) -> Result<serde_json::Value, LabError> {
        self.process.tell("stats")?;
        let line = self.process.line(ANSWER_PATIENCE)?;
        serde_json::from_str(&line)
            .map_err(|error| self.process.fault(&format!("answers stats by {line:?}: {error}")))
    }

    /// A series of the gateway's `/metrics`, by its whole name with labels; `None` when there is none, or for another
    /// server than the gateway.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub fn metric(&self, series: &str) -> Result<Option<f64>, LabError> {
        let Counter::Metrics(admin) = self.counter else { return Ok(None) };
        let text = ask::get(admin, "/metrics", ANSWER_PATIENCE)
            .map_err(|error| self.process.fault(&format!("does not answer for /metrics: {error}")))?;
        Ok(ask::series(&text, series))
    }
}

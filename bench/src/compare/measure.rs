//! One measured window: load from the pump, clocks and counters of the server at its edges.

use std::time::{Duration, Instant};

use crate::environment::steal_ticks;
use crate::pump::{Observer, Pump, PumpReport, Window};

use super::{Lab, LabError, Run, Server};

/// Points of the percentile curve in a record.
const CURVE: [f64; 14] =
    [1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0];
/// Ticks of [`steal_ticks`] in a second.
const TICKS_PER_S: f64 = 100.0;

/// Windows, each four times as long as the one before, that a server has to answer anything in.
const TRIES: usize = 3;

/// What stood on the clocks.
#[derive(Clone, Copy, Debug)]
struct Look {
    cpu: Duration,
    system_calls: Option<u64>,
    steal: Option<u64>,
    at: Instant,
}

/// Looks at a server at the edges of a window. The counters are asked outside of the clock readings, so that what an answer
/// costs the server is in no figure.
struct Clocks<'a> {
    server: &'a mut Server,
    begin: Option<Result<Look, LabError>>,
    end: Option<Result<Look, LabError>>,
}

impl Observer for Clocks<'_> {
    fn begins(&mut self) {
        self.begin = Some(self.server.system_calls().and_then(|system_calls| {
            let (steal, at) = (steal_ticks(), Instant::now());
            Ok(Look { cpu: self.server.cpu()?, system_calls, steal, at })
        }));
    }

    fn ends(&mut self) {
        self.end = Some(self.server.cpu().and_then(|cpu| {
            let (at, steal) = (Instant::now(), steal_ticks());
            Ok(Look { cpu, system_calls: self.server.system_calls()?, steal, at })
        }));
    }
}

impl Lab {
    /// Loads a server for one window and tells what it did. Cell, contestant and round of the run are
    /// [`Lab::interleave`]'s to fill in. A request of the pump counts as `ssdus` SSDUs.
    ///
    /// # Errors
    /// When the pump or the server fails, or nothing was answered.
    pub fn load(
        &self,
        server: &mut Server,
        pump: &mut Pump,
        window: &Window,
        ssdus: u64,
    ) -> Result<Run, LabError> {
        let mut window = *window;
        for _ in 0..TRIES {
            let at_s = self.elapsed().as_secs_f64();
            let mut clocks = Clocks { server, begin: None, end: None };
            let report = pump.run(&window, &mut clocks);
            let Clocks { begin, end, .. } = clocks;
            let report = report.map_err(|error| server.process.fault(&format!("under load: {error}")))?;
            let unseen = || Err(server.process.fault("was not looked at"));
            let (begin, end) = (begin.unwrap_or_else(unseen)?, end.unwrap_or_else(unseen)?);
            if report.answered > 0 {
                return Ok(Run { at_s, ..run_of(&report, begin, end, ssdus) });
            }
            // A window that is shorter than one response says nothing.
            window.measured *= 4;
        }
        Err(server.process.fault(&format!("answered nothing within {:?}", window.measured / 4)))
    }
}

fn run_of(report: &PumpReport, begin: Look, end: Look, ssdus: u64) -> Run {
    let seconds = end.at.duration_since(begin.at).as_secs_f64();
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    Run {
        ssdus: report.answered * ssdus,
        octets: report.octets,
        seconds: report.measured.as_secs_f64(),
        server_cpu_s: end.cpu.saturating_sub(begin.cpu).as_secs_f64(),
        client_cpu_s: report.cpu.as_secs_f64(),
        system_calls: begin.system_calls.zip(end.system_calls).map(|(begin, end)| end.saturating_sub(begin)),
        p50_ns: report.response.value_at_quantile(0.5),
        p99_ns: report.response.value_at_quantile(0.99),
        p999_ns: report.response.value_at_quantile(0.999),
        lateness_p99_ns: (!report.lateness.is_empty()).then(|| report.lateness.value_at_quantile(0.99)),
        lost: report.lost + report.missed,
        closed_by_peer: report.closed_by_peer + report.given_up,
        steal_share: begin
            .steal
            .zip(end.steal)
            .map(|(begin, end)| end.saturating_sub(begin) as f64 / TICKS_PER_S / seconds / cores),
        percentiles: CURVE.map(|percent| (percent, report.response.value_at_percentile(percent))).to_vec(),
        ..Run::default()
    }
}

//! Load by the pump on a server of a row's own: one run, measured at the edges of its window.

use std::time::Duration;

use super::super::{Lab, LabError, Run, Server};
use crate::pump::{Exchange, Observer, Pace, Pump, PumpPlan, Window};

/// Connections being opened at one time: below what a server admits, whoever wrote it.
const OPENING_MAX: usize = 32;

/// A closed loop.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// What is sent and comes back.
    pub(super) exchange: Exchange,
    /// Connections.
    pub(super) sessions: usize,
    /// Of them, how many carry load.
    pub(super) active: usize,
    /// Requests of a connection in flight.
    pub(super) depth: usize,
}

impl Load {
    /// As a pump wants it.
    pub(super) fn plan(&self, server: &Server) -> PumpPlan {
        PumpPlan {
            connections: self.sessions,
            active: self.active,
            opening_max: OPENING_MAX,
            ..PumpPlan::new(vec![server.address], self.exchange.clone())
        }
    }
}

/// Opens the connections, loads the server for one window, and closes them.
///
/// # Errors
/// When the server does not play along.
pub(super) fn run(lab: &Lab, server: &Server, load: &Load) -> Result<Run, LabError> {
    let failed = |error| LabError::Failed(format!("{}: {error}", server.name));
    let mut pump = Pump::open(&load.plan(server)).map_err(failed)?;
    let window = Window {
        pace: Pace::Closed { depth: load.depth },
        warm_up: lab.effort().warm_up,
        measured: lab.effort().measured,
    };
    window_of(lab, server, load, &mut pump, &window)
}

/// One window of a pump that is open.
///
/// # Errors
/// When the server does not play along.
pub(super) fn window_of(
    lab: &Lab,
    server: &Server,
    load: &Load,
    pump: &mut Pump,
    window: &Window,
) -> Result<Run, LabError> {
    let mut clock = Clock::of(server);
    let report = pump.run(window, &mut clock);
    let spent = clock.spent();
    let report = report.map_err(|error| LabError::Failed(format!("{}: {error}", server.name)))?;
    if let Some(fault) = report.fault {
        return Err(LabError::Failed(format!("{}: a session ended under load: {fault}", server.name)));
    }
    Ok(Run {
        at_s: lab.elapsed().as_secs_f64(),
        ssdus: report.answered * load.exchange.ssdus as u64,
        octets: report.octets,
        seconds: report.measured.as_secs_f64(),
        server_cpu_s: spent?.as_secs_f64(),
        client_cpu_s: report.cpu.as_secs_f64(),
        p50_ns: report.response.value_at_quantile(0.5),
        p99_ns: report.response.value_at_quantile(0.99),
        p999_ns: report.response.value_at_quantile(0.999),
        lost: report.lost,
        closed_by_peer: report.closed_by_peer,
        ..Run::default()
    })
}

/// Reads the server's clock at the edges of a window.
pub(super) struct Clock<'a> {
    server: &'a Server,
    begin: Option<Result<Duration, LabError>>,
    end: Option<Result<Duration, LabError>>,
}

impl Clock<'_> {
    /// The clock of a server, not read yet.
    pub(super) fn of(server: &Server) -> Clock<'_> {
        Clock { server, begin: None, end: None }
    }

    /// CPU time between the edges.
    ///
    /// # Errors
    /// When the server has ended.
    pub(super) fn spent(self) -> Result<Duration, LabError> {
        let unread = || LabError::Failed(format!("{}: its clock was not read", self.server.name));
        let (begin, end) = (self.begin.ok_or_else(unread)??, self.end.ok_or_else(unread)??);
        Ok(end.saturating_sub(begin))
    }
}

impl Observer for Clock<'_> {
    fn begins(&mut self) {
        self.begin = Some(self.server.cpu());
    }

    fn ends(&mut self) {
        self.end = Some(self.server.cpu());
    }
}

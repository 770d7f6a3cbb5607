//! A cell: contestants under the same load, measured once for all rows that derive from it.

use crate::pump::{Exchange, Pump, PumpPlan, Window};

use super::{CellRuns, Contestant, Lab, LabError, Server};

/// Connections that the client keeps open over all contestants of a cell. Beyond, they are opened anew for each run: this
/// process may not have more files than its limit, which is 20 000 in many places.
const KEPT_OPEN_MAX: usize = 12_000;
/// Connections that are being opened at one time.
const OPENING_MAX: usize = 256;

/// What is measured in a cell.
#[derive(Clone, Debug)]
pub struct CellPlan {
    /// Its name in records; a cell of this name is measured once.
    pub name: String,
    /// Connections, all of them active.
    pub sessions: usize,
    /// What each of them sends and takes.
    pub exchange: Exchange,
    /// How, and how long.
    pub window: Window,
    /// Who serves.
    pub contestants: Vec<Contestant>,
}

/// A contestant in a cell: a server, and the client's connections to it.
struct Side {
    server: Server,
    pump: Option<Pump>,
}

impl Lab {
    /// Measures a cell, or gives what it measured before under the same name. All contestants run all the time; their
    /// windows are interleaved.
    ///
    /// # Errors
    /// [`LabError::Stopped`] only: a contestant that fails is in [`CellRuns::absent`].
    pub fn cell(&mut self, plan: &CellPlan) -> Result<CellRuns, LabError> {
        if let Some(known) = self.cells().get(&plan.name) {
            return Ok(known.clone());
        }
        let names: Vec<String> = plan.contestants.iter().map(Contestant::name).collect();
        let keeps = plan.sessions * names.len() <= KEPT_OPEN_MAX;
        let ssdus = plan.exchange.ssdus as u64;
        let mut sides: Vec<Option<Side>> = plan.contestants.iter().map(|_| None).collect();
        let found = self.interleave(&plan.name, &names, |lab, index, _| {
            let side = match &mut sides[index] {
                Some(side) => side,
                absent => {
                    let server = lab.start(&plan.contestants[index])?;
                    absent.insert(Side { server, pump: None })
                }
            };
            let mut pump = match side.pump.take() {
                Some(pump) => pump,
                None => open(plan, &side.server)?,
            };
            let run = lab.load(&mut side.server, &mut pump, &plan.window, ssdus)?;
            side.pump = keeps.then_some(pump);
            Ok(run)
        })?;
        // Connections first: a gateway that has none left ends at once.
        for side in sides.iter_mut().flatten() {
            side.pump = None;
        }
        self.cells().insert(plan.name.clone(), found.clone());
        Ok(found)
    }
}

fn open(plan: &CellPlan, server: &Server) -> Result<Pump, LabError> {
    let wanted = PumpPlan {
        connections: plan.sessions,
        active: plan.sessions,
        opening_max: OPENING_MAX.min(plan.sessions),
        ..PumpPlan::new(vec![server.address], plan.exchange.clone())
    };
    Pump::open(&wanted)
        .map_err(|error| server.process.fault(&format!("opens no {} sessions: {error}", plan.sessions)))
}

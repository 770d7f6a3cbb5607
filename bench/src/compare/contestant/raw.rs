//! The bare echo servers of this program.

use std::time::Duration;

use super::super::process::Process;
use super::super::{Lab, LabError};
use super::{Counter, RawKind, Server};

const START_PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn start(
    lab: &Lab,
    cores: &str,
    name: String,
    kind: RawKind,
    plain: bool,
) -> Result<Server, LabError> {
    let mut command: Vec<String> = vec![lab.binary().display().to_string(), "raw".into(), kind.name().into()];
    if plain {
        command.push("--plain".into());
    }
    let mut process = Process::start(&name, &command, cores, lab.folder())?;
    let line = process.line(START_PATIENCE)?;
    let address = line.strip_prefix("listening on ").and_then(|address| address.trim().parse().ok());
    let address = address.ok_or_else(|| process.fault(&format!("begins with {line:?}")))?;
    Ok(Server::new(name, address, process, Counter::Stats))
}

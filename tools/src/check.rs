//! `colloquy check`: every fault of a configuration at once.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use colloquy_gateway::config::{self, Config, Loaded};

/// Checks a gateway configuration and changes nothing.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy check configs/gateway.toml",
    after_help = "Exit status: 0 no faults, 2 faults; each is named with file, line and column."
)]
pub(crate) struct CheckArgs {
    /// Configuration files
    #[arg(required = true, value_name = "CONFIG")]
    configs: Vec<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    let mut faulty = false;
    for path in &args.configs {
        match read(path) {
            Some(config) => crate::say(&format!(
                "{}: good: {} listeners, {} targets\n",
                path.display(),
                config.listeners.len(),
                config.targets.len()
            )),
            None => faulty = true,
        }
    }
    if faulty { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Reads a configuration; what is wrong with it goes to standard error.
pub(crate) fn read(path: &Path) -> Option<Config> {
    load(path).map(|loaded| loaded.config)
}

/// The same, with what it was read from.
pub(crate) fn load(path: &Path) -> Option<Loaded> {
    match config::load(path) {
        Ok(loaded) => Some(loaded),
        Err(diagnostics) => {
            let styled = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            eprintln!("{}", diagnostics.render(styled));
            None
        }
    }
}

//! `colloquy check`: every fault of a configuration at once.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

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
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("colloquy: {name}: {error}");
                faulty = true;
                continue;
            }
        };
        match colloquy_gateway::config::check_str(&name, &text) {
            Ok(config) => println!(
                "{name}: good: {} listeners, {} targets",
                config.listeners.len(),
                config.targets.len()
            ),
            Err(diagnostics) => {
                eprintln!("{diagnostics}");
                faulty = true;
            }
        }
    }
    if faulty { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

//! `colloquy completions` and `colloquy man`: what shells and manuals want to know of the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Prints the completions of a shell.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy completions bash > /usr/share/bash-completion/completions/colloquy",
    after_help = "Exit status: 0 done."
)]
pub(crate) struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Writes manual pages into a folder.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy man /usr/local/share/man/man1",
    after_help = "One page for the command and one for each verb. Exit status: 0 done, 1 failed."
)]
pub(crate) struct ManArgs {
    /// Folder, made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs `completions`.
pub(crate) fn run(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "colloquy", &mut script);
    crate::say(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}

/// Runs `man`.
pub(crate) fn man(args: &ManArgs) -> ExitCode {
    let written = std::fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(crate::Cli::command(), &args.folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("colloquy: {}: {error}", args.folder.display());
            ExitCode::from(1)
        }
    }
}

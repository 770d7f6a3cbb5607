//! `colloquy report`: what runs have left in their folders as one HTML file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use colloquy_bench::html::folder::{FolderError, Results, read};
use colloquy_bench::html::{compare, load};

/// Makes an HTML report from the folders of load runs or of a comparison.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy load configs/load.toml --out runs/a && colloquy report runs/a\n          \
                   colloquy report runs/a runs/b --out both.html\n          \
                   colloquy report bench/results",
    after_help = "One file without outside resources. Several runs are laid over each other.\n\
                  Exit status: 0 written, 1 a file in a folder is damaged or the report cannot be written, 2 no results there."
)]
pub(crate) struct ReportArgs {
    /// Folders of runs (`--out` of colloquy load or compare), or folders that hold such folders
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Where to; report.html in the first DIR without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &ReportArgs) -> ExitCode {
    let html = match read(&args.folders) {
        Ok(Results::Load(runs)) => load::page(&runs),
        Ok(Results::Compare(record)) => compare::page(&record),
        Err(error) => {
            eprintln!("colloquy: {error}");
            return ExitCode::from(if matches!(error, FolderError::Usage { .. }) { 2 } else { 1 });
        }
    };
    let out = args.out.clone().unwrap_or_else(|| args.folders[0].join("report.html"));
    if let Err(error) = std::fs::write(&out, html) {
        eprintln!("colloquy: {}: {error}", out.display());
        return ExitCode::from(1);
    }
    crate::say(&format!("{}\n", out.display()));
    ExitCode::SUCCESS
}

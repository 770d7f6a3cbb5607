//! `colloquy`: the gateway, its load generator and its instruments in one binary.

mod check;
mod descriptors;
mod dump;
mod load;
mod progress;
mod stop;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// OSI session layer gateway (X.225 over TPKT), load generator and instruments.
#[derive(Debug, Parser)]
#[command(
    name = "colloquy",
    version,
    before_help = "Example:  colloquy demo",
    after_help = "Exit status: 0 done, 1 failed, 2 bad usage or configuration.\n\
                  `colloquy VERB --help` tells more; output for programs is JSON (`--json`)."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Load(load::LoadArgs),
    Check(check::CheckArgs),
    Dump(dump::DumpArgs),
}

fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Load(args) => load::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Dump(args) => dump::run(&args),
    }
}

//! `colloquy`: the gateway, its load generator and its instruments in one binary.

mod audit;
mod cell;
mod check;
mod compare;
mod completions;
mod conform;
mod control;
mod demo;
mod descriptors;
mod drain;
mod dump;
mod explain;
mod gateway;
mod load;
mod print_config;
mod probe;
mod progress;
mod pump;
mod raw;
mod reload;
mod replay;
mod report;
mod schema;
mod sessions;
mod status;
mod stop;
mod table;
mod tap;
mod targets;
mod top;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// OSI session layer gateway (X.225 over TPKT), load generator and instruments.
#[derive(Debug, Parser)]
#[command(
    name = "colloquy",
    version,
    before_help = "Example:  colloquy demo",
    after_help = "Exit status: 0 done, 1 failed or a negative answer, 2 bad usage or configuration,\n\
                  3 no gateway answers, 4 done in part, 99 a threshold was not kept.\n\
                  `colloquy VERB --help` tells more; output for programs is JSON (`--json`)."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Demo(demo::DemoArgs),
    Gateway(gateway::GatewayArgs),
    Load(Box<load::LoadArgs>),
    Audit(audit::AuditArgs),
    #[command(hide = true)]
    Cell(cell::CellArgs),
    Check(check::CheckArgs),
    Compare(compare::CompareArgs),
    Completions(completions::CompletionsArgs),
    Conform(Box<conform::ConformArgs>),
    Drain(drain::DrainArgs),
    Dump(dump::DumpArgs),
    Explain(explain::ExplainArgs),
    Man(completions::ManArgs),
    PrintConfig(print_config::PrintConfigArgs),
    Probe(probe::ProbeArgs),
    #[command(hide = true)]
    Pump(Box<pump::PumpArgs>),
    #[command(hide = true)]
    Raw(raw::RawArgs),
    Reload(reload::ReloadArgs),
    Report(report::ReportArgs),
    Sessions(sessions::SessionsArgs),
    Status(status::StatusArgs),
    Schema(schema::SchemaArgs),
    Table(table::TableArgs),
    Tap(Box<tap::TapArgs>),
    Top(top::TopArgs),
    Targets(targets::TargetsArgs),
}

fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Demo(args) => demo::run(&args),
        Verb::Gateway(args) => gateway::run(&args),
        Verb::Load(args) => load::run(&args),
        Verb::Audit(args) => audit::run(&args),
        Verb::Cell(args) => cell::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Compare(args) => compare::run(&args),
        Verb::Completions(args) => completions::run(&args),
        Verb::Conform(args) => conform::run(&args),
        Verb::Drain(args) => drain::run(&args),
        Verb::Dump(args) => dump::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Man(args) => completions::man(&args),
        Verb::PrintConfig(args) => print_config::run(&args),
        Verb::Probe(args) => probe::run(&args),
        Verb::Pump(args) => pump::run(&args),
        Verb::Raw(args) => raw::run(&args),
        Verb::Reload(args) => reload::run(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Sessions(args) => sessions::run(&args),
        Verb::Status(args) => status::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Table(args) => table::run(&args),
        Verb::Tap(args) => tap::run(&args),
        Verb::Top(args) => top::run(&args),
        Verb::Targets(args) => targets::run(&args),
    }
}

/// Writes to standard output; a reader that has gone needs no result and is no fault.
fn say(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

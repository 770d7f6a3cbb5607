//! `colloquy schema`: the JSON schema of a gateway configuration.

use std::process::ExitCode;

use clap::Args;
use colloquy_gateway::config::schema_text;

/// Prints the JSON schema of gateway configurations.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy schema > gateway.schema.json",
    after_help = "JSON Schema 2020-12, with unit, range, default, description and reload class of each key.\n\
                  Exit status: 0 done."
)]
pub(crate) struct SchemaArgs {}

/// Runs the verb.
pub(crate) fn run(_args: &SchemaArgs) -> ExitCode {
    crate::say(&schema_text());
    ExitCode::SUCCESS
}

//! `colloquy print-config`: what a configuration comes to, key by key.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use colloquy_gateway::config::{Loaded, Setting};
use colloquy_gateway::sight::config::json_of;

use crate::check;

/// Column at which a line says where its value comes from.
const ORIGIN_COLUMN: usize = 44;

/// Prints the value of every key and where it comes from.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy print-config configs/default.toml",
    after_help = "The output is a configuration by itself. Exit status: 0 printed, 2 the configuration has faults."
)]
pub(crate) struct PrintConfigArgs {
    /// Configuration, with the conf.d beside it
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &PrintConfigArgs) -> ExitCode {
    let Some(loaded) = check::load(&args.config) else { return ExitCode::from(2) };
    crate::say(&if args.json { json_text(&loaded) } else { toml_text(&loaded) });
    ExitCode::SUCCESS
}

fn toml_text(loaded: &Loaded) -> String {
    let mut out = String::new();
    for file in &loaded.files {
        let _ = writeln!(out, "# {} sha256:{}", file.path.display(), file.sha256);
    }
    let mut table = String::new();
    for setting in loaded.effective() {
        if setting.table != table {
            let name = setting.key.section.name();
            let header =
                if setting.key.section.is_repeated() { format!("[[{name}]]") } else { format!("[{name}]") };
            let _ = writeln!(out, "\n{header}");
            table.clone_from(&setting.table);
        }
        let line = match &setting.value {
            Some(value) => format!("{} = {value}", setting.key.name),
            None => format!("# {} is absent", setting.key.name),
        };
        let origin = origin(&setting);
        let _ = writeln!(out, "{line:ORIGIN_COLUMN$} # {origin}");
    }
    out
}

fn origin(setting: &Setting) -> String {
    match &setting.place {
        Some(place) => format!("{}:{}", place.file, place.line),
        None => "default".to_owned(),
    }
}

fn json_text(loaded: &Loaded) -> String {
    format!("{:#}\n", json_of(loaded))
}

//! `colloquy check`: every fault of a configuration at once.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use colloquy_bench::LoadPlan;
use colloquy_gateway::config::{self, ConfigFault, Diagnostics, FaultKind, Loaded, Place, System};
use serde_json::{Value, json};

/// Checks a gateway configuration and changes nothing.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy check configs/gateway.toml",
    after_help = "Looks at the files, the conf.d beside them, certificates, ports, folders and budgets; binds nothing.\n\
                  Exit status: 0 no faults, 2 faults; each is named with file, line and column."
)]
pub(crate) struct CheckArgs {
    /// Configuration files
    #[arg(required = true, value_name = "CONFIG")]
    configs: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Take warnings for faults
    #[arg(long)]
    strict: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    let system = System::read();
    let mut faulty = false;
    let mut reports = Vec::new();
    for path in &args.configs {
        let (loaded, diagnostics) = config::load_and_inspect(path, &system);
        let warned = args.strict && diagnostics.warnings().next().is_some();
        let good = diagnostics.is_good() && !warned;
        faulty |= !good;
        if args.json {
            reports.push(report(path, good, loaded.as_ref(), &diagnostics));
            continue;
        }
        if !diagnostics.all().is_empty() {
            tell(&diagnostics);
        }
        if is_load_plan(path, &diagnostics) {
            eprintln!("{0}: this is the plan of a load: `colloquy load {0}`", path.display());
        }
        if let Some(loaded) = &loaded
            && good
        {
            crate::say(&format!(
                "{}: good: {}, {}, {}\n",
                path.display(),
                counted(loaded.config.listeners.len(), "listener"),
                counted(loaded.config.routes.len(), "route"),
                counted(loaded.config.targets.len(), "target")
            ));
        }
    }
    if args.json {
        crate::say(&format!("{:#}\n", Value::Array(reports)));
    }
    if faulty { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Whether the faults come from taking the wrong kind of file.
fn is_load_plan(path: &Path, diagnostics: &Diagnostics) -> bool {
    diagnostics.all().iter().any(|fault| fault.kind == FaultKind::UnknownKey) && LoadPlan::read(path).is_ok()
}

/// "1 route", "2 routes".
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// One configuration for programs.
fn report(path: &Path, good: bool, loaded: Option<&Loaded>, diagnostics: &Diagnostics) -> Value {
    let files: Vec<Value> = loaded
        .iter()
        .flat_map(|loaded| &loaded.files)
        .map(|file| json!({ "path": file.path, "sha256": file.sha256 }))
        .collect();
    let found: Vec<Value> = diagnostics.all().iter().map(found).collect();
    json!({ "config": path, "good": good, "files": files, "found": found })
}

fn found(found: &ConfigFault) -> Value {
    let place = |place: &Place| json!({ "file": place.file, "line": place.line, "column": place.column });
    json!({
        "severity": found.severity.name(),
        "id": found.kind.id(),
        "key": found.key,
        "place": place(&found.place),
        "other": found.other.as_ref().map(place),
        "problem": found.problem,
        "expected": found.expected,
        "suggestion": found.suggestion,
    })
}

/// Reads a configuration and says what it was read from; what is wrong with it goes to standard error.
pub(crate) fn load(path: &Path) -> Option<Loaded> {
    config::load(path).map_err(|diagnostics| tell(&diagnostics)).ok()
}

fn tell(diagnostics: &Diagnostics) {
    let styled = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    eprintln!("{}", diagnostics.render(styled));
}

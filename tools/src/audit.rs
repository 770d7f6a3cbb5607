//! `colloquy audit`: whether an audit file is as it was written.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use colloquy_gateway::audit::chain::{Verified, VerifyError, verify};
use serde_json::json;

/// Verifies the audit file of a gateway.
#[derive(Debug, Args)]
#[command(before_help = "Example:  colloquy audit verify /var/log/colloquy/audit.jsonl")]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Checks every record and its place in the chain
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "A file from whose end records were taken is whole by itself: keep the number and hash that this prints\n\
                  elsewhere, and give them to the next check.\n\
                  Exit status: 0 whole, 1 broken or not as expected, 2 the file cannot be read."
)]
struct VerifyArgs {
    /// The audit file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// At least this record must be there
    #[arg(long, value_name = "N")]
    expect_seq: Option<u64>,
    /// The last record must have this hash
    #[arg(long, value_name = "HASH")]
    expect_head: Option<String>,
    /// The first record must continue this hash: that of the last record of the file before
    #[arg(long, value_name = "HASH")]
    continues: Option<String>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &AuditArgs) -> ExitCode {
    let Action::Verify(args) = &args.action;
    let verified =
        File::open(&args.file).map_err(VerifyError::from).and_then(|file| verify(BufReader::new(file)));
    let verdict = match &verified {
        Ok(verified) => expected(args, verified),
        Err(VerifyError::Broken(broken)) => Err(broken.to_string()),
        Err(VerifyError::Io(error)) => {
            eprintln!("colloquy: {}: {error}", args.file.display());
            return ExitCode::from(2);
        }
    };
    if args.json {
        crate::say(&format!("{}\n", report(&verified, &verdict)));
    } else {
        let file = args.file.display();
        match (&verdict, &verified) {
            (Ok(()), Ok(whole)) => crate::say(&format!(
                "{file}: whole: {} records, {} to {}\nhead {}\n",
                whole.records, whole.first_seq, whole.head.seq, whole.head.hash
            )),
            (Err(what), _) => crate::say(&format!("{file}: BROKEN: {what}\n")),
            (Ok(()), Err(_)) => {}
        }
    }
    if verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn expected(args: &VerifyArgs, verified: &Verified) -> Result<(), String> {
    let head = &verified.head;
    if let Some(seq) = args.expect_seq.filter(|seq| *seq > head.seq) {
        return Err(format!("record {seq} is missing: the file ends with {}", head.seq));
    }
    if let Some(hash) = args.expect_head.as_ref().filter(|hash| **hash != head.hash) {
        return Err(format!("the last record, {}, has hash {}, and not {hash}", head.seq, head.hash));
    }
    if let Some(hash) = args.continues.as_ref().filter(|hash| **hash != verified.continues) {
        return Err(format!("the first record continues {}, and not {hash}", verified.continues));
    }
    Ok(())
}

fn report(verified: &Result<Verified, VerifyError>, verdict: &Result<(), String>) -> serde_json::Value {
    let mut report = json!({ "ok": verdict.is_ok(), "fault": verdict.as_ref().err() });
    match verified {
        Ok(whole) => {
            report["records"] = json!(whole.records);
            report["first_seq"] = json!(whole.first_seq);
            report["continues"] = json!(whole.continues);
            report["seq"] = json!(whole.head.seq);
            report["head"] = json!(whole.head.hash);
        }
        Err(VerifyError::Broken(broken)) => {
            report["line"] = json!(broken.line);
            report["offset"] = json!(broken.offset);
        }
        Err(VerifyError::Io(_)) => {}
    }
    report
}

//! Where the log of a process goes, and in which shape. The test runs itself again as that process.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::process::{Command, Output};

use colloquy_gateway::config::{LogConfig, LogFormat};
use colloquy_gateway::log::{flush, install};

/// Which format the process logs in; set only in the process.
const FORMAT: &str = "COLLOQUY_TEST_LOG_FORMAT";

fn process(format: &str) -> Output {
    let name = "the_process_that_logs";
    let args = ["--exact", name, "--nocapture", "--test-threads=1"];
    Command::new(std::env::current_exe().unwrap()).args(args).env(FORMAT, format).output().unwrap()
}

#[test]
fn the_process_that_logs() {
    let Ok(format) = std::env::var(FORMAT) else { return };
    let format = if format == "json" { LogFormat::Json } else { LogFormat::Text };
    install(&LogConfig { format, ..LogConfig::default() }).unwrap();
    assert!(install(&LogConfig::default()).is_err(), "a process has one log");
    tracing::info!(event_id = "CLQ-T01", count = 3, "something happened");
    tracing::debug!("not at this level");
    flush();
}

#[test]
fn the_log_is_on_standard_error_without_colours_where_nobody_looks() {
    for format in ["text", "json"] {
        let output = process(format);
        let (out, log) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{log}");
        assert!(log.contains("something happened") && log.contains("CLQ-T01"), "{log}");
        assert!(!log.contains("not at this level"), "{log}");
        assert!(!log.contains('\u{1b}'), "{log:?}");
        assert!(!out.contains("something happened"), "{out}");
        assert_eq!(log.starts_with('{'), format == "json", "{log}");
    }
}

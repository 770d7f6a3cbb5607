//! Skips that are said with their reason and counted, and the one check that several test binaries make.

use std::fs::OpenOptions;
use std::io::Write;

/// Says a skip, and counts it where `tools/test` looks. Appends: test processes run side by side.
pub(crate) fn skip(reason: &str) {
    println!("SKIPPED: {reason}");
    if let Some(path) = std::env::var_os("COLLOQUY_SKIP_LOG") {
        let mut log = OpenOptions::new().append(true).create(true).open(path).expect("the skip log opens");
        log.write_all(format!("{reason}\n").as_bytes()).expect("the skip log is writable");
    }
}

/// Whether this kernel lets `what` use io_uring; a skip is counted, and fails where it must not be skipped.
pub(crate) fn io_uring_allowed(what: &str) -> bool {
    let disabled = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or("2".to_owned());
    if disabled.trim() == "0" {
        return true;
    }
    assert!(std::env::var_os("COLLOQUY_REQUIRE_URING").is_none(), "io_uring is disabled ({disabled})");
    skip(&format!("{what} on io_uring: kernel.io_uring_disabled"));
    false
}

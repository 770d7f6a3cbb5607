//! `check` as a user without privileges runs it: what this machine does not grant is warned of, and nothing is touched.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::text;

const NOBODY: &str = "65534";
/// Open files that the check's process may have.
const OPEN_FILES: u64 = 500;

/// Runs the binary without privileges and with few open files; `None` where this test has privileges and cannot drop them.
fn unprivileged(folder: &Path, arguments: &[&str]) -> Option<Output> {
    let binary = folder.join("colloquy");
    fs::copy(env!("CARGO_BIN_EXE_colloquy"), &binary).unwrap();
    let is_root = text(&Command::new("id").arg("-u").output().ok()?.stdout).trim() == "0";
    let drop = if is_root {
        Command::new("setpriv").arg("--version").output().ok()?;
        format!(
            "setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --inh-caps=-all --bounding-set=-all"
        )
    } else {
        String::new()
    };
    let script = format!("ulimit -n {OPEN_FILES} && exec {drop} \"$0\" \"$@\"");
    Command::new("sh").args(["-c", &script]).arg(binary).args(arguments).output().ok()
}

#[test]
fn without_privileges_ports_and_open_files_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let config = folder.path().join("gateway.toml");
    let good = "schema_version = 1\n[engine]\ndriver = \"mio\"\nshards = 1\nsessions_max = 600\n[[listener]]\nname = \"e\"\n\
                address = \"127.0.0.1:1\"\napplication = \"echo\"\n";
    fs::write(&config, good).unwrap();
    let Some(output) = unprivileged(folder.path(), &["check", config.to_str().unwrap()]) else {
        eprintln!("skipped: setpriv is not installed, and this test runs as root");
        return;
    };
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "warnings do not refuse: {said}");
    assert!(said.contains(&format!("do not fit the {OPEN_FILES} open files")), "{said}");
    let start = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    let needs_capability = start.trim().parse::<u16>().unwrap_or(1024) > 1;
    assert_eq!(said.contains("CAP_NET_BIND_SERVICE"), needs_capability, "{said}");
    let strict = unprivileged(folder.path(), &["check", "--strict", config.to_str().unwrap()]).unwrap();
    assert_eq!(strict.status.code(), Some(2));

    // A file that this user may not read is a fault and not a panic.
    fs::set_permissions(&config, fs::Permissions::from_mode(0o000)).unwrap();
    let output = unprivileged(folder.path(), &["check", config.to_str().unwrap()]).unwrap();
    let said = text(&output.stderr);
    if text(&Command::new("id").arg("-u").output().unwrap().stdout).trim() == "0" {
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("gateway.toml: Permission denied"), "{said}");
    }
}

/// Who listens at an address of the file is told, unless it is a gateway: a check before a reload is no trouble.
#[test]
fn an_address_that_another_program_listens_on_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.toml");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let good = format!(
        "schema_version = 1\n[engine]\ndriver = \"mio\"\nshards = 1\n[[listener]]\nname = \"e\"\n\
         address = \"{address}\"\napplication = \"echo\"\n"
    );
    fs::write(&config, good).unwrap();
    let check = || {
        let output = crate::colloquy(&["check", config.to_str().unwrap()]);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (status, said) = check();
    assert_eq!(status, Some(0), "{said}");
    let told = format!("{address} is taken at the moment");
    assert!(said.contains(&told) && said.contains(&format!("(process {})", std::process::id())), "{said}");
    drop(listener);
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .args(["gateway", config.to_str().unwrap()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(gateway.stderr.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.take_while(|line| !line.contains("CLQ-G02")).count();
    let (_, said) = check();
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    assert!(!said.contains(&told), "{said}, {ready} lines before it listens");
}

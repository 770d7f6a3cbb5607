//! TLS that a reload brings to a gateway without: handshakes have their threads from then on, files that cannot be used
//! are refused with their place.

use std::process::Command;

use crate::authority::Authority;
use crate::gateway::{Gateway, head};
use crate::on_each_driver;
use crate::peer::Peer;

const YEARS: (i32, i32) = (2024, 4000);

/// Threads for handshakes that a process has.
fn handshake_threads(process: u32) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("clq-tls")).count()
}

#[test]
fn the_first_tls_table_brings_threads_for_handshakes_and_its_files_are_checked() {
    on_each_driver("TLS by a reload", |driver| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let authority = Authority::new(folder.path(), "authority");
        let files = authority.issue("gateway", "gateway.example", 1, YEARS);
        let table = format!(
            "[[tls]]\nname = \"t\"\ncertificate = \"{files}.pem\"\nkey = \"{files}.key\"\nauthorities = [\"{}\"]\n",
            authority.certificate().display()
        );
        let server = Gateway::start(&format!(
            "{}[[listener]]\nname = \"plain\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n\
             [[listener]]\nname = \"secure\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\ntls = \"t\"\n{table}",
            head(driver, 1, "info")
        ));
        let socket = folder.path().join("control.sock");
        let head = head(driver, 1, "info")
            .replace("[log]", &format!("control_socket = \"{}\"\n[log]", socket.display()));
        let relay = |to: &str, more: &str| {
            let address = server.address(to);
            format!(
                "{head}[[listener]]\nname = \"in\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"s\"\n\
                 [[target]]\nname = \"s\"\naddress = \"{address}\"\n{more}"
            )
        };
        let gateway = Gateway::start(&relay("plain", ""));
        let reload = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
            command.arg("reload").arg("--socket").arg(&socket).output().expect("the program runs")
        };
        let mut old = Peer::session(gateway.address("in"));
        assert_eq!(handshake_threads(gateway.process()), 0);

        let secure = relay("secure", &format!("tls = \"t\"\ntls_server_name = \"gateway.example\"\n{table}"));
        gateway.write(&secure.replace(".key", ".kee"));
        let refused = reload();
        let told = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{told}");
        let line = secure.lines().position(|line| line.starts_with("key = ")).expect("a key") + 1;
        for part in [&format!("gateway.toml:{line}:7"), "CLQ-C10", "tls[0].key", "gateway.kee"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        Peer::session(gateway.address("in")).release();
        assert_eq!(handshake_threads(gateway.process()), 0);

        gateway.write(&secure);
        assert!(reload().status.success());
        // A thread has its name a moment after it has begun.
        let end = std::time::Instant::now() + std::time::Duration::from_secs(15);
        while handshake_threads(gateway.process()) != 1 {
            assert!(std::time::Instant::now() < end, "{} threads", handshake_threads(gateway.process()));
            std::thread::yield_now();
        }
        let mut new = Peer::session(gateway.address("in"));
        new.echo(b"sealed");
        old.echo(b"plain");
        new.release();
        gateway.log.wait_for("a session by TLS", |record| {
            record["event_id"] == "CLQ-S01" && record["tls_version"] == "1.3"
        });
        old.release();
    });
}

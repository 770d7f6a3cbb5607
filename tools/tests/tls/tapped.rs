//! A tap on sessions that go over TLS: it has the octets in clear, all of them, on both legs.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::dissect::{Capture, contains};
use crate::gateway::{Gateway, NOW};
use crate::on_each_driver;
use crate::process::Server;

/// CR, CC, CN, AC, FN, DN, and the data there and back.
fn tpdus(ssdus: usize) -> usize {
    6 + 2 * ssdus
}

on_each_driver! {
    fn a_tap_behind_tls_has_the_session_in_clear(driver) {
        const ROUNDS: usize = 12;
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("tap.pcapng");
        let count = (2 * tpdus(ROUNDS)).to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.args(["tap", "--listener", "secure", "--payload", "--count", &count, "--socket"]);
        command.arg(gateway.folder.path().join("control")).arg("-o").arg(&file).stdout(Stdio::null());
        let tap = Server::start(command);
        gateway.log.wait_for("CLQ-P01", |record| record["event_id"] == "CLQ-P01");
        let result = gateway.session("secure", Some(&client), &["--rounds", &ROUNDS.to_string()]);
        assert_eq!(result["released"], true, "{result}");
        assert!(tap.wait(Duration::from_secs(60)).success());
        let capture = Capture::of(file, folder);
        assert_eq!(capture.malformed(), "", "tshark understands all of it");
        for (si, expected) in [(13, 2), (14, 2), (9, 2), (10, 2), (1, 4 * ROUNDS)] {
            assert_eq!(capture.spdus(si), expected, "SI {si}: {}", capture.summary());
        }
        // The fourth SSDU of the client.
        assert!(contains(&capture.octets, &[3; 3000]), "user data in clear");
    }
}

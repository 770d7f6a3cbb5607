//! Our own binary as the gateway under test, and as load generator.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::{Server, free_address, root, run, wait_for_listener};

/// What the listeners offer for the operations of load plans.
const UNITS: &str = "functional_units = [\"half_duplex\", \"duplex\", \"minor_synchronize\", \
                     \"major_synchronize\", \"resynchronize\", \"activity_management\", \"negotiated_release\", \
                     \"capability_data\", \"exceptions\"]\n";

/// A running `colloquy gateway`.
pub(crate) struct Gateway {
    address: SocketAddr,
    server: Server,
    _folder: tempfile::TempDir,
}

impl Gateway {
    /// A gateway whose listener echoes.
    pub(crate) fn echo(driver: &str) -> Gateway {
        Gateway::start(driver, "application = \"echo\"\n")
    }

    /// A gateway whose listener relays to `target`.
    pub(crate) fn relay(driver: &str, target: SocketAddr) -> Gateway {
        let text = format!(
            "application = \"relay\"\ntarget = \"peer\"\n\n[[target]]\nname = \"peer\"\naddress = \"{target}\"\n"
        );
        Gateway::start(driver, &text)
    }

    /// An echo that offers every unit that a plan can use on the normal flow.
    pub(crate) fn echo_of_all_units(driver: &str) -> Gateway {
        Gateway::start(driver, &format!("application = \"echo\"\n{UNITS}"))
    }

    /// An echo that offers what `configs/load-mixed.toml` asks for: those units, typed and expedited data.
    #[allow(dead_code, reason = "the replay tests use it")]
    pub(crate) fn echo_of_mixed_load(driver: &str) -> Gateway {
        let units = UNITS.replace(']', ", \"expedited_data\", \"typed_data\"]");
        Gateway::start(driver, &format!("application = \"echo\"\n{units}transport_expedited = true\n"))
    }

    /// A relay that carries all of them to `target`.
    pub(crate) fn relay_of_all_units(driver: &str, target: SocketAddr) -> Gateway {
        let text = format!(
            "application = \"relay\"\ntarget = \"peer\"\n{UNITS}\n[[target]]\nname = \"peer\"\n\
             address = \"{target}\"\nprofile = \"transparent\"\n"
        );
        Gateway::start(driver, &text)
    }

    fn start(driver: &str, rest: &str) -> Gateway {
        let address = free_address();
        let text = format!(
            "schema_version = 1\n\n[engine]\ndriver = \"{driver}\"\nshards = 2\n\n\
             [[listener]]\nname = \"test\"\naddress = \"{address}\"\n{rest}"
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("gateway.toml");
        std::fs::write(&config, text).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&config);
        let server = Server::start(command);
        wait_for_listener(address);
        Gateway { address, server, _folder: folder }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIGTERM: the gateway drains and ends with status 0.
    pub(crate) fn drain(self) {
        const SIGTERM: i32 = 15;
        self.server.signal(SIGTERM);
        let status = self.server.wait(Duration::from_secs(30));
        assert!(status.success(), "the gateway ended with {status}");
    }
}

/// Runs `colloquy load` and gives its JSON record. It compares every echo unless told otherwise, and fails
/// when an SSDU was lost or a session failed.
pub(crate) fn load(driver: &str, to: SocketAddr, flags: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = folder.path().join("plan.toml");
    // rusty-cosp refuses to hear of TPDUs of more than 2048 octets.
    std::fs::write(&plan, "schema_version = 1\ntpdu_octets_max = 2048\n").expect("the folder is writable");
    let to = to.to_string();
    load_plan(driver, &plan, &[&["--to", &to], flags].concat())
}

/// Associates with an MMS server and asks it to identify itself, over and over.
pub(crate) fn load_mms(driver: &str, to: SocketAddr, flags: &[&str]) -> serde_json::Value {
    let to = to.to_string();
    load_plan(driver, &root().join("configs/load-mms.toml"), &[&["--to", &to], flags].concat())
}

/// The record of a plan run by `colloquy load`.
pub(crate) fn load_plan(driver: &str, plan: &Path, flags: &[&str]) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.arg("load").arg(plan).args(["--driver", driver, "--json"]).args(flags);
    let printed = run(command);
    serde_json::from_str(printed.trim()).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// Demands of a record of `load` that every session was established and released, and every SSDU answered.
pub(crate) fn assert_clean(report: &serde_json::Value, sessions: u64) {
    let counts = &report["counts"];
    for key in ["lost", "reordered", "corrupted", "failed", "ended_early"] {
        assert_eq!(counts[key], 0, "{key}: {report}");
    }
    assert_eq!(counts["released"], sessions, "{report}");
    assert!(counts["answered"].as_u64().is_some_and(|answered| answered >= sessions), "{report}");
}

//! A thousand sessions through the relay under each kind of plan: half duplex, synchronization, activities,
//! resynchronization; contents, serial numbers and tokens checked.

use std::process::Command;

use crate::process::run;
use crate::{Stand, skip};
use colloquy_bench::DriverChoice;

const SESSIONS: u64 = 1000;
const SSDUS: u64 = 12;

/// An operation, and how often each session must have completed it.
type Wanted = (&'static str, u64);

/// Name of the plan, its keys and its mix, and what comes of it.
const PLANS: [(&str, &str, &[Wanted]); 4] = [
    (
        "half duplex",
        "depth = 3\ndialogue = \"half_duplex\"\n[mix]\ntyped_each = 4\nexception_each = 6\n",
        &[("typed", 3), ("exception", 2)],
    ),
    (
        "sync",
        "depth = 3\n[mix]\nminor_sync_each = 3\nmajor_sync_each = 6\n",
        &[("minor_sync", 4), ("major_sync", 2)],
    ),
    (
        "activity",
        "depth = 2\ndialogue = \"half_duplex\"\n[mix]\nminor_sync_each = 2\nactivity_ssdus = 4\n\
         activity_interrupt_each = 2\nactivity_discard_each = 4\ncapability_each = 3\n",
        &[
            ("activity_start", 3),
            ("activity_interrupt", 1),
            ("activity_end", 3),
            ("capability", 1),
            ("minor_sync", 6),
        ],
    ),
    (
        "resync",
        "depth = 3\n[mix]\nminor_sync_each = 3\nresync_each = 4\nmajor_sync_each = 6\n",
        &[("resync", 3), ("minor_sync", 4), ("major_sync", 2)],
    ),
];

#[test]
fn a_thousand_sessions_synchronize_through_the_relay_on_mio() {
    thousand(DriverChoice::Mio);
}

#[test]
fn a_thousand_sessions_synchronize_through_the_relay_on_io_uring() {
    if skip::io_uring_allowed("a thousand sessions with operations") {
        thousand(DriverChoice::IoUring);
    }
}

fn thousand(driver: DriverChoice) {
    let stand = Stand::start(driver);
    let to = stand.ways()[1].to_string();
    let folder = tempfile::tempdir().unwrap();
    for (name, keys, wanted) in PLANS {
        let plan = folder.path().join("plan.toml");
        let text = format!(
            "schema_version = 1\nssdus_per_session_max = {SSDUS}\nduration_ms = 60000\ndrain_ms = 20000\n{keys}"
        );
        std::fs::write(&plan, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("load").arg(&plan).args(["--to", &to, "--driver", driver.as_str(), "--json"]);
        command.args(["--sessions", &SESSIONS.to_string()]);
        // It ends with 0 only when nothing was lost, changed, reordered or confirmed wrongly.
        let printed = run(command);
        let report: serde_json::Value = serde_json::from_str(printed.trim()).unwrap();
        assert_eq!(report["counts"]["answered"], SESSIONS * SSDUS, "{name}: {report}");
        assert_eq!(report["counts"]["released"], SESSIONS, "{name}: {report}");
        for (operation, each) in wanted {
            let found = &report["operations"][operation];
            assert_eq!(found["completed"], SESSIONS * each, "{name}, {operation}: {report}");
            assert_eq!((&found["errors"], &found["lost"]), (&0.into(), &0.into()), "{name}, {operation}");
        }
    }
    stand.stop();
}

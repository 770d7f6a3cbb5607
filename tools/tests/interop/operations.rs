//! Every operation of a load plan on the wire, through the relay and behind it, as tshark and `dump` see it.
//!
//! TYPED DATA and expedited data are not in these plans: tshark 4.0 takes no TSDU that begins with SI 33 for session,
//! and knows ED TPDUs only in the form of the classes that number them. `codec_dissected` hands both to its session
//! dissector directly. No plan gives control (GTC, GTA) either.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::capture::Capture;
use crate::gateway::{self, Gateway};
use crate::traffic::WRONG;

/// Plans that between them send every other SPDU of the normal flow that a session without a fault has.
const PLANS: [(&str, &str); 3] = [
    (
        "activities",
        "dialogue = \"half_duplex\"\n[mix]\nminor_sync_each = 4\nmajor_sync_each = 9\nactivity_ssdus = 20\n\
         activity_interrupt_each = 3\nactivity_discard_each = 4\ncapability_each = 2\nexception_each = 30\n",
    ),
    (
        "resync",
        "[mix]\nminor_sync_each = 3\nmajor_sync_each = 11\nresync_each = 8\nresync_type = \"abandon\"\n",
    ),
    ("aborts", "[mix]\nsession_ssdus = 10\nabort_each = 2\n"),
];

/// SI codes of the SPDUs above, by name.
const EXPECTED: [(u64, &str); 20] = [
    (1, "GT or DT"),
    (2, "PT"),
    (9, "FN"),
    (10, "DN"),
    (13, "CN"),
    (14, "AC"),
    (25, "AI or AB"),
    (26, "AIA"),
    (29, "AR"),
    (34, "RA"),
    (41, "MAP or AE"),
    (42, "MAA or AEA"),
    (45, "AS"),
    (48, "ED"),
    (49, "MIP"),
    (50, "MIA"),
    (53, "RS"),
    (57, "AD"),
    (58, "ADA"),
    (61, "CD"),
];

/// Runs the plans through a relay to an echo, and holds what travelled on both of its sides.
pub(crate) fn hold(driver: &str) {
    let echo = Gateway::echo_of_all_units(driver);
    let relay = Gateway::relay_of_all_units(driver, echo.address());
    let Some(capture) = Capture::start(&[relay.address().port(), echo.address().port()]) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, mix) in PLANS {
        let plan: PathBuf = folder.path().join(format!("{name}.toml"));
        let text = format!(
            "schema_version = 1\nto = [\"{}\"]\nsessions = 2\nssdu_octets = 40\nssdus_per_session_max = 120\n\
             warm_up_ms = 0\nduration_ms = 20000\n{mix}",
            relay.address()
        );
        std::fs::write(&plan, text).expect("the folder is writable");
        let report = gateway::load_plan(driver, &plan, &[]);
        for key in ["lost", "reordered", "corrupted", "failed", "ended_early"] {
            assert_eq!(report["counts"][key], 0, "{name}, {key}: {report}");
        }
    }
    let captured = capture.stop();
    relay.drain();
    echo.drain();
    let session_only = ["--disable-protocol", "pres"];
    let wrong = captured.frames(WRONG, &session_only, &["frame.number", "_ws.col.Info"]);
    assert_eq!(wrong, [] as [String; 0], "tshark on TPKT, COTP and session");
    let (spdus, dumped) = (captured.spdus(), captured.dumped());
    assert_eq!(dumped.len(), spdus.len(), "flows that dump and tshark see");
    for (flow, dumped) in dumped {
        assert_eq!(Some(&dumped), spdus.get(&flow), "{flow:?}, `colloquy dump` beside tshark");
    }
    let seen: BTreeSet<u64> = spdus.values().flatten().map(|(si, _)| *si).collect();
    let missing: Vec<&str> =
        EXPECTED.iter().filter(|(si, _)| !seen.contains(si)).map(|(_, name)| *name).collect();
    assert_eq!(missing, [] as [&str; 0], "SPDUs that the plans did not send; seen: {seen:?}");
}

//! Who may do what: clients of other users, where the test may become one.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::bed::{Gateway, Setup, said};
use crate::peer::Peer;

/// A user and groups that no system has.
const NOBODY: u32 = 4_000_001;
const OBSERVER: u32 = 4_000_002;
const OPERATORS: u32 = 4_000_003;

/// Runs a verb as another user, without further groups.
fn verb_as(gateway: &Gateway, (uid, gid): (u32, u32), arguments: &[&str]) -> Output {
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
    command.arg(gateway.path("colloquy")).args(arguments);
    command.env("COLLOQUY_SOCKET", gateway.path("control.sock")).output().expect("setpriv runs")
}

/// Lets every user of the system open socket and program: what is tested is what comes behind that.
fn open_to_all(gateway: &Gateway) {
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(gateway.folder(), mode(0o755)).expect("ours");
    std::fs::set_permissions(gateway.path("control.sock"), mode(0o666)).expect("ours");
    std::fs::copy(env!("CARGO_BIN_EXE_colloquy"), gateway.path("colloquy")).expect("the program");
}

#[test]
fn levels_hold_and_refusals_are_logged_and_audited() {
    if !rustix::process::geteuid().is_root() {
        println!("left out: only root can become another user");
        return;
    }
    let admin = "observers = [\"uid:4000002\"]\noperators = [\"gid:4000003\"]";
    let gateway = Gateway::start(&Setup { admin, audit: true, ..Setup::default() });
    open_to_all(&gateway);
    let peer = Peer::session(gateway.address("echo"));
    let session = gateway.session_of(&peer, "open");
    let abort = ["sessions", "abort", session.as_str()];
    let callers = [(NOBODY, NOBODY), (OBSERVER, NOBODY), (NOBODY, OPERATORS)];
    let cases: [(&[&str], [bool; 3]); 6] = [
        (&["status"], [false, true, true]),
        (&["sessions", "list"], [false, true, true]),
        (&["targets", "drain", "held"], [false, false, true]),
        (&["reload"], [false, false, false]),
        (&["drain"], [false, false, false]),
        (&abort, [false, false, true]),
    ];
    let mut denied = 0;
    for (arguments, allowed) in cases {
        for (caller, allowed) in callers.into_iter().zip(allowed) {
            let output = verb_as(&gateway, caller, arguments);
            let told = said(&output.stderr);
            assert_eq!(output.status.code(), Some(i32::from(!allowed)), "{caller:?} {arguments:?}: {told}");
            if !allowed {
                denied += 1;
                assert!(told.contains("is for level"), "{told}");
            }
        }
    }
    let logged = gateway.log().wait_for("refusals", |record| record["event_id"] == "CLQ-A02");
    assert_eq!(logged.len(), denied);
    let audit = std::fs::read_to_string(gateway.path("audit.jsonl")).expect("the audit");
    let records: Vec<serde_json::Value> =
        audit.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let refused = records.iter().filter(|record| record["outcome"] == "denied").count();
    assert_eq!(refused, denied, "{audit}");
    let aborted =
        records.iter().find(|record| record["op"] == "sessions.abort" && record["outcome"] == "done");
    let who = &aborted.expect("the one that was allowed")["who"];
    assert_eq!((&who["gid"], &who["level"]), (&OPERATORS.into(), &"operator".into()));
    drop(peer);
    gateway.stop();
}

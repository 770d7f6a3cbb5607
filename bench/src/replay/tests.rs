//! Tests of the plan against a recording; whole replays are in `tools/tests/replay.rs`.

use std::net::SocketAddr;

use colloquy_transport::class0::ConnectTpdu;

use super::*;

fn recording(sessions: usize) -> Recording {
    let address = SocketAddr::from(([127, 0, 0, 1], 102));
    let session =
        || SessionRecorder::new(address, address, ConnectTpdu::default(), Moment::default()).finish();
    Recording { sessions: (0..sessions).map(|_| session()).collect() }
}

#[test]
fn sessions_are_chosen_by_number_and_all_of_them_unless_asked() {
    let plan = |sessions: &[usize], copies| ReplayPlan {
        sessions: sessions.to_vec(),
        copies,
        ..ReplayPlan::default()
    };
    assert_eq!(plan(&[], 1).chosen(&recording(3)).unwrap(), [1, 2, 3]);
    assert_eq!(plan(&[3, 1], 1).chosen(&recording(3)).unwrap(), [3, 1]);
    let error = |plan: ReplayPlan, sessions| plan.chosen(&recording(sessions)).unwrap_err().to_string();
    assert!(error(plan(&[], 1), 0).contains("no session"));
    assert!(error(plan(&[4], 1), 3).contains("session 4: the recording holds 3"));
    assert!(error(plan(&[0], 1), 3).contains("session 0"));
    assert!(error(plan(&[], 0), 3).contains("0 copies"));
    assert!(error(plan(&[], RUNS_MAX as u32), 2).contains("1 to 1000000"));
}

/// A copy whose session has no answers and no requests is done at once; whoever it connects to has gone.
#[test]
fn a_responder_that_is_not_there_is_a_mismatch_and_no_error() {
    let nobody = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to = nobody.local_addr().unwrap();
    drop(nobody);
    let plan = ReplayPlan { to: Some(to), copies: 3, driver: DriverChoice::Mio, ..ReplayPlan::default() };
    let report = replay(&recording(1), &plan, &mut |_| Go::On).unwrap();
    assert!(!report.is_clean());
    assert_eq!((report.runs.diverged, report.answers.missing), (3, 3));
    assert!(report.mismatches.iter().all(|mismatch| mismatch.expected == "CC"), "{}", report.table());
}

/// Stopped before it began: every copy is counted as stopped and nothing is left open.
#[test]
fn a_replay_that_is_stopped_ends_at_once() {
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let plan = ReplayPlan {
        to: Some(listener.local_addr().unwrap()),
        copies: 5,
        driver: DriverChoice::Mio,
        ..ReplayPlan::default()
    };
    let report = replay(&recording(2), &plan, &mut |_| Go::Stop).unwrap();
    assert_eq!((report.runs.stopped, report.runs.completed, report.runs.diverged), (10, 0, 0));
    assert!(!report.is_clean());
}

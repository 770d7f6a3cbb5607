//! Operations against a responder that answers them rightly, and against ones that do not.
#![allow(clippy::unwrap_used)] // A test.

#[allow(dead_code, reason = "shared with the tests of plain runs, which use more of it")]
mod responder;

use colloquy_bench::{Dialogue, DriverChoice, Go, LoadPlan, MinorConfirm, Mix, Mode, Report, run};
use responder::{Habit, Responder};

/// A plan of a fixed number of SSDUs.
fn counted(sessions: u32, ssdus_per_session: u64, mix: Mix) -> LoadPlan {
    LoadPlan {
        sessions,
        ssdus_per_session_max: ssdus_per_session,
        duration_ms: 60_000,
        drain_ms: 300,
        driver: DriverChoice::Mio,
        mix,
        ..LoadPlan::default()
    }
}

fn run_against(habit: Habit, plan: LoadPlan) -> Report {
    let responder = Responder::start(habit);
    let plan = LoadPlan { to: vec![responder.address], ..plan };
    let report = run(&plan, &mut |_| Go::On).unwrap();
    responder.stop();
    report
}

fn run_clean(plan: LoadPlan) -> Report {
    let report = run_against(Habit::Good, plan);
    assert!(report.is_clean(), "{:?} {:?} {:?}", report.counts, report.errors, report.operations);
    report
}

/// How often each operation was completed, by name.
fn completed(report: &Report, name: &str) -> u64 {
    report.operations.get(name).map_or(0, |operation| operation.completed)
}

#[test]
fn operations_are_as_many_as_the_plan_asks_for_and_each_has_its_latency() {
    let mix = Mix {
        typed_each: 5,
        expedited_each: 10,
        minor_sync_each: 4,
        resync_each: 20,
        major_sync_each: 10,
        ..Mix::default()
    };
    for depth in [1, 3] {
        let report = run_clean(LoadPlan { depth, ..counted(3, 40, mix) });
        for (name, count) in [
            ("data", 120),
            ("typed", 24),
            ("expedited", 12),
            ("minor_sync", 30),
            ("resync", 6),
            ("major_sync", 12),
        ] {
            assert_eq!(completed(&report, name), count, "{name} at depth {depth}");
            let latency = report.operations[name].service_us;
            assert_eq!(latency.count, count, "{name} at depth {depth}");
            assert!(latency.p50 > 0.0 && latency.max >= latency.p999, "{name} at depth {depth}: {latency:?}");
        }
        assert_eq!(report.counts.purged, 0);
    }
}

#[test]
fn activities_are_started_interrupted_resumed_discarded_and_ended() {
    let mix = Mix {
        activity_ssdus: 10,
        activity_interrupt_each: 2,
        activity_discard_each: 5,
        capability_each: 3,
        minor_sync_each: 3,
        ..Mix::default()
    };
    for dialogue in [Dialogue::Duplex, Dialogue::HalfDuplex] {
        // Eleven activities: the fifth and the tenth are over after 5 SSDUs.
        let report = run_clean(LoadPlan { dialogue, depth: 2, ..counted(2, 100, mix) });
        for (name, count) in [
            ("activity_start", 22),
            ("activity_interrupt", 8),
            ("activity_resume", 8),
            ("activity_discard", 4),
            ("activity_end", 18),
            ("capability", 6),
        ] {
            assert_eq!(completed(&report, name), count, "{name} in {dialogue:?}");
        }
    }
}

#[test]
fn a_session_ends_its_activity_before_it_is_released() {
    let report = run_clean(counted(3, 7, Mix { activity_ssdus: 1000, ..Mix::default() }));
    assert_eq!((completed(&report, "activity_start"), completed(&report, "activity_end")), (3, 3));
}

#[test]
fn session_connections_follow_one_another() {
    let mix = Mix { session_ssdus: 10, abort_each: 4, typed_each: 3, ..Mix::default() };
    let report = run_clean(counted(4, 85, mix));
    // Eight whole ones each, of which the fourth and the eighth are aborted, and one of 5 SSDUs.
    assert_eq!((report.counts.established, report.counts.released, report.counts.aborted), (36, 28, 8));
    assert_eq!((completed(&report, "connect"), completed(&report, "release")), (36, 28));
    assert_eq!(report.operations["release"].service_us.count, 28);
    assert_eq!(report.counts.answered, 340);
    assert!(report.table().contains("4 at a time, 36 established"), "{}", report.table());
}

#[test]
fn churn_goes_on_until_the_measured_part_ends() {
    let mix = Mix { session_ssdus: 5, ..Mix::default() };
    let plan = LoadPlan { warm_up_ms: 50, duration_ms: 300, ssdus_per_session_max: 0, ..counted(5, 0, mix) };
    let report = run_clean(plan);
    assert!(report.counts.established > 10, "{:?}", report.counts);
}

#[test]
fn operations_happen_in_an_open_loop_too() {
    let mix = Mix { minor_sync_each: 5, major_sync_each: 10, ..Mix::default() };
    let report =
        run_clean(LoadPlan { mode: Mode::Poisson, rate_per_s: 2000.0, depth: 8, ..counted(4, 50, mix) });
    assert_eq!((completed(&report, "minor_sync"), completed(&report, "major_sync")), (40, 20));
    assert_eq!(report.generator.lateness_us.count + report.counts.waited, 200);
}

#[test]
fn points_that_ask_for_no_confirm_are_begun_and_not_awaited() {
    let mix = Mix { minor_sync_each: 2, minor_confirm: MinorConfirm::Optional, ..Mix::default() };
    let report = run_clean(counted(2, 40, mix));
    let minor = &report.operations["minor_sync"];
    assert_eq!((minor.begun, minor.completed, minor.lost), (40, 0, 0));
}

#[test]
fn a_confirm_that_never_comes_is_lost_with_its_kind() {
    let mix = Mix { minor_sync_each: 5, ..Mix::default() };
    let report = run_against(Habit::NoMinorConfirm, counted(2, 20, mix));
    assert_eq!(report.operations["minor_sync"].lost, 8, "{:?}", report.operations);
    assert_eq!((report.counts.lost, report.counts.released), (0, 2));
    assert!(!report.is_clean());
    let report = run_against(
        Habit::NoMajorConfirm,
        LoadPlan { duration_ms: 500, ..counted(2, 20, Mix { major_sync_each: 5, ..Mix::default() }) },
    );
    assert_eq!(report.operations["major_sync"].lost, 2, "{:?}", report.operations);
    assert!(!report.is_clean());
    assert!(report.invalid_reasons.iter().any(|reason| reason.contains("major_sync")));
}

#[test]
fn a_confirm_with_other_user_data_is_wrong() {
    let mix = Mix { major_sync_each: 5, expedited_each: 10, resync_each: 10, ..Mix::default() };
    let report = run_against(Habit::WrongMark, counted(1, 20, mix));
    assert_eq!(report.operations["major_sync"].errors, 4, "{:?}", report.operations);
    assert_eq!(report.operations["resync"].errors, 2, "{:?}", report.operations);
    assert_eq!((report.operations["expedited"].errors, report.counts.corrupted), (2, 2));
    assert!(!report.is_clean());
}

#[test]
fn typed_data_must_come_back_as_typed_data() {
    let mix = Mix { typed_each: 5, ..Mix::default() };
    let report = run_against(Habit::NoTyped, counted(1, 9, mix));
    assert_eq!(report.operations["typed"].lost, 1, "{:?}", report.operations);
    assert!(!report.is_clean());
    let report = run_against(Habit::TypedAsData, counted(1, 9, mix));
    assert!(report.counts.corrupted + report.counts.reordered + report.counts.unexpected > 0);
    assert!(!report.is_clean());
}

#[test]
fn a_peer_without_the_units_of_the_plan_is_named_with_them() {
    let mix = Mix { typed_each: 5, minor_sync_each: 5, ..Mix::default() };
    let report = run_against(Habit::OnlyDialogue, counted(2, 9, mix));
    assert_eq!(report.counts.failed, 2);
    assert_eq!(report.errors["not selected by the peer: minor_synchronize, typed_data"], 2);
}

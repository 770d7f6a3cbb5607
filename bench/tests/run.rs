//! Whole runs against a responder that behaves, and against ones that do not.
#![allow(clippy::unwrap_used)] // A test.

#[allow(dead_code, reason = "shared with the tests of operations, which use more of it")]
mod responder;

use std::time::{Duration, Instant};

use colloquy_bench::{Check, Dialogue, DriverChoice, Go, LoadPlan, Mode, Report, Stage, run};
use responder::{Habit, Responder};

/// A plan of a fixed number of SSDUs.
fn counted(sessions: u32, ssdus_per_session: u64) -> LoadPlan {
    LoadPlan {
        sessions,
        ssdus_per_session_max: ssdus_per_session,
        duration_ms: 60_000,
        drain_ms: 300,
        driver: DriverChoice::Mio,
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
    assert!(report.is_clean(), "{:?} {:?}", report.counts, report.errors);
    report
}

#[test]
fn a_closed_loop_counts_every_ssdu_once() {
    for driver in [DriverChoice::Mio, DriverChoice::Auto] {
        let report = run_clean(LoadPlan { depth: 4, driver, threads: 2, ..counted(50, 40) });
        let counts = report.counts;
        assert_eq!((counts.sent, counts.answered, counts.measured), (2000, 2000, 2000));
        assert_eq!((counts.established, counts.released), (50, 50));
        assert_eq!(report.response_us.count, 2000);
        assert!(report.response_us.p50 > 0.0);
        assert_eq!(report.response_us, report.service_us);
        assert_eq!(report.generator.lateness_us.count, 0);
    }
}

#[test]
fn ssdus_of_every_size_come_back_whole() {
    for ssdu_octets in [1, 2, 7, 8, 9, 2047, 2048, 9000, 100_000, 2_000_000] {
        let report = run_clean(LoadPlan { ssdu_octets, depth: 3, ..counted(3, 10) });
        assert_eq!(report.counts.octets_in_window, u64::from(ssdu_octets) * 30);
    }
}

#[test]
fn in_half_duplex_the_token_goes_to_and_fro() {
    for depth in [1, 5] {
        let report = run_clean(LoadPlan { dialogue: Dialogue::HalfDuplex, depth, ..counted(5, 20) });
        assert_eq!(report.counts.answered, 100);
    }
}

#[test]
fn an_open_loop_keeps_its_times() {
    for mode in [Mode::Constant, Mode::Poisson] {
        let began = Instant::now();
        let report = run_clean(LoadPlan { mode, rate_per_s: 500.0, depth: 64, ..counted(10, 20) });
        // The last of 20 requests of a session is due about 19/50 s after the start.
        let spread = if mode == Mode::Constant { 0.38 } else { 0.2 };
        assert!(began.elapsed() >= Duration::from_secs_f64(spread), "{mode:?} {:?}", began.elapsed());
        assert_eq!(report.counts.answered, 200);
        assert_eq!(report.generator.lateness_us.count + report.counts.waited, 200);
    }
}

#[test]
fn a_stall_is_in_the_response_time_of_every_request_that_was_due_meanwhile() {
    let time = Duration::from_millis(400);
    let plan = LoadPlan { mode: Mode::Constant, rate_per_s: 500.0, ..counted(1, 300) };
    let report = run_against(Habit::Stall { nth: 50, time }, plan);
    assert!(report.is_clean(), "{:?} {:?}", report.counts, report.errors);
    // About 200 requests fall due in 0.4 s. One of them was in flight, the others waited for their place.
    assert!(report.counts.waited >= 150, "{:?}", report.counts);
    let (response, service) = (report.response_us, report.service_us);
    assert!(response.max >= 390_000.0, "{response:?}");
    assert!(response.p50 > 10.0 * service.p50, "{response:?} {service:?}");
}

#[test]
fn requests_due_and_never_sent_are_missed() {
    let plan = LoadPlan {
        mode: Mode::Constant,
        rate_per_s: 200.0,
        sessions: 1,
        warm_up_ms: 0,
        duration_ms: 500,
        drain_ms: 50,
        driver: DriverChoice::Mio,
        ..LoadPlan::default()
    };
    let report = run_against(Habit::Swallow { nth: 1 }, plan);
    assert_eq!((report.counts.sent, report.counts.lost), (1, 1));
    assert_eq!(report.counts.missed, 99);
    assert!(report.invalid_reasons.iter().any(|reason| reason.contains("asked for")));
}

#[test]
fn what_is_never_answered_is_lost() {
    let report = run_against(Habit::Swallow { nth: 10 }, LoadPlan { depth: 2, ..counted(4, 10) });
    assert_eq!((report.counts.sent, report.counts.lost), (40, 4));
    assert!(!report.is_clean());
    assert!(!report.valid);
}

#[test]
fn answers_out_of_order_are_told_from_changed_ones() {
    let report = run_against(Habit::Swap { nth: 5 }, LoadPlan { depth: 2, ..counted(1, 10) });
    assert_eq!((report.counts.reordered, report.counts.corrupted), (2, 0));
    let report = run_against(Habit::Flip { nth: 5 }, LoadPlan { depth: 2, ..counted(1, 10) });
    assert_eq!((report.counts.reordered, report.counts.corrupted), (0, 1));
    assert!(!report.is_clean());
}

#[test]
fn an_answer_too_many_is_unexpected_or_out_of_order() {
    let report = run_against(Habit::Double { nth: 10 }, counted(1, 10));
    assert_eq!((report.counts.answered, report.counts.lost), (10, 0));
    let report = run_against(Habit::Double { nth: 5 }, counted(1, 10));
    assert!(report.counts.reordered + report.counts.unexpected > 0, "{:?}", report.counts);
}

#[test]
fn discarding_counts_without_comparing() {
    let plan = LoadPlan { check: Check::Discard, ..counted(1, 10) };
    let report = run_against(Habit::Flip { nth: 5 }, plan);
    assert!(report.is_clean());
}

#[test]
fn sessions_that_are_refused_or_aborted_are_counted_with_their_class() {
    let report = run_against(Habit::Refuse, counted(3, 10));
    assert_eq!((report.counts.failed, report.errors["refused, reason 1"]), (3, 3));
    let report = run_against(Habit::RefuseTransport, counted(3, 10));
    assert_eq!((report.counts.failed, report.errors["transport refused, reason 3"]), (3, 3));
    let report = run_against(Habit::Abort { nth: 4 }, counted(3, 10));
    assert_eq!((report.counts.ended_early, report.counts.lost), (3, 3));
    assert_eq!(report.errors["aborted by the peer's provider"], 3);
}

#[test]
fn nobody_there_is_a_failed_session_and_not_an_error() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = run(&LoadPlan { to: vec![address], ..counted(2, 10) }, &mut |_| Go::On).unwrap();
    assert_eq!(report.counts.failed, 2);
    assert!(report.errors.keys().all(|class| class.starts_with("network")), "{:?}", report.errors);
}

#[test]
fn sessions_come_from_the_source_addresses_in_turn() {
    let sources: Vec<std::net::IpAddr> = vec![[127, 0, 0, 1].into(), [127, 0, 0, 2].into()];
    for driver in [DriverChoice::Mio, DriverChoice::Auto] {
        let responder = Responder::start(Habit::Good);
        let plan = LoadPlan {
            to: vec![responder.address],
            source_addresses: sources.clone(),
            driver,
            ..counted(4, 1)
        };
        assert!(run(&plan, &mut |_| Go::On).unwrap().is_clean());
        assert_eq!(responder.peers(), sources);
        responder.stop();
    }
}

#[test]
fn a_run_that_is_stopped_releases_its_sessions_and_says_so() {
    let responder = Responder::start(Habit::Good);
    let plan = LoadPlan {
        to: vec![responder.address],
        sessions: 5,
        warm_up_ms: 0,
        duration_ms: 600_000,
        driver: DriverChoice::Mio,
        ..LoadPlan::default()
    };
    let mut looks = 0;
    let report = run(&plan, &mut |progress| {
        looks += u32::from(progress.stage == Stage::Measuring && progress.seen.answered > 100);
        if looks > 1 { Go::Stop } else { Go::On }
    })
    .unwrap();
    responder.stop();
    assert!(report.is_clean(), "{:?} {:?}", report.counts, report.errors);
    assert!(!report.valid);
    assert!(report.measured_s < 60.0);
}

#[test]
fn a_result_is_written_with_its_histograms() {
    let report = run_clean(counted(2, 50));
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("result");
    report.write_to(&folder).unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("result.json")).unwrap()).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["counts"]["answered"], 100);
    for key in ["began_at", "environment", "plan", "driver", "driver_reason", "valid", "response_us"] {
        assert!(!json[key].is_null(), "{key}");
    }
    let mut v2 = &std::fs::read(folder.join("response.hdr")).unwrap()[..];
    let histogram: hdrhistogram::Histogram<u64> =
        hdrhistogram::serialization::Deserializer::new().deserialize(&mut v2).unwrap();
    assert_eq!(histogram.len(), 100);
    let text = std::fs::read_to_string(folder.join("response.hgrm")).unwrap();
    assert!(text.contains("Total count    =          100"), "{text}");
    std::fs::remove_dir_all(&folder).unwrap();
}
